//! Training: epochs of batches, until the cost no longer falls.

mod report;
mod run;
mod state;

pub use report::{Epoch, Observer, StopReason, Trained};
pub use state::{OptimizerState, TrainingState};
pub(crate) use state::{Origin, Watch};

use crate::cost::Cost;
use crate::dataset::Dataset;
use crate::error::{Error, FINITE, Result};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::optimizer::{Adam, Optimizer, Schedule};
use crate::sparsity::Sparsity;
use run::Run;

/// How to train: the settings of a run.
///
/// ```
/// use ndarray::array;
/// use surefoot::{Activation, Dataset, Loss, Network, Training, draw_defaults};
///
/// let data = Dataset::new(
///     array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
///     array![[0.0], [1.0], [1.0], [0.0]],
/// )?;
/// let network = Network::new(2, &[(8, Activation::Tanh), (1, Activation::Sigmoid)])?;
/// let start = draw_defaults(&network, 1);
/// let trained = Training { epochs: 500, ..Training::default() }
///     .fit(&network, Loss::CrossEntropy, start, &data, None, &mut ())?;
/// let h = network.predict(&trained.parameters, data.inputs())?;
/// assert!(h[[0, 0]] < 0.5 && h[[1, 0]] > 0.5);
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// How θ moves. Default Adam with α = 0.005, which suits networks of tens to hundreds of units on scaled data.
    pub optimizer: Optimizer,
    /// What becomes of the learning rate. Default constant, as it must be for L-BFGS, which has none.
    pub schedule: Schedule,
    /// Passes over the data, at most; with L-BFGS iterations. Default 200.
    pub epochs: usize,
    /// Examples a step. Default `None`: 32, and with L-BFGS all, the only size that it takes.
    pub batch_size: Option<BatchSize>,
    /// λ of the overall cost, at least 0. Default 0.
    pub weight_decay: f64,
    /// The penalty on the mean activations of hidden units, over each batch. Default none.
    pub sparsity: Option<Sparsity>,
    /// Epochs without a lower watched cost before training stops; 0 never stops early. Default 0.
    ///
    /// Watched is the cost on the validation part; without one, and with a patience, the cost on all training examples after
    /// each epoch. While one is watched, the parameters with the lowest are those that training returns.
    pub patience: usize,
    /// By what share of itself the watched cost must fall to renew the patience, at least 0. Default 10⁻⁴.
    pub tolerance: f64,
    /// Decides the order of the examples. Default 0.
    pub seed: u64,
    /// What the validation score is: accuracy or R². Default classification.
    pub task: Task,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            optimizer: Adam { learning_rate: 0.005, ..Adam::default() }.into(),
            schedule: Schedule::Constant,
            epochs: 200,
            batch_size: None,
            weight_decay: 0.0,
            sparsity: None,
            patience: 0,
            tolerance: 1e-4,
            seed: 0,
            task: Task::Classification,
        }
    }
}

/// How many examples each step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// All of them, in their order: batch gradient descent.
    Full,
    /// So many, in an order shuffled anew each epoch; the last batch of an epoch has what is left.
    Rows(usize),
}

impl Training {
    /// Minimises J(θ) from the start `parameters`: [`start`](Self::start) and [`go_on`](Self::go_on) in one go.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range, [`Error::Value`] for a parameter that is not finite, and what
    /// [`Cost::new`] refuses, of `data` or `validation`.
    pub fn fit<T: Scalar>(
        &self,
        network: &Network,
        loss: Loss,
        parameters: Vec<T>,
        data: &Dataset<T>,
        validation: Option<&Dataset<T>>,
        observer: &mut dyn Observer<T>,
    ) -> Result<Trained<T>> {
        let mut state = self.start(network, loss, parameters, data, validation)?;
        let stop_reason = Run::new(self, network, loss, &mut state, data, validation)?.finish(observer)?;
        Ok(state.into_trained(stop_reason))
    }

    /// The state before the first epoch, from the start `parameters`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), but for the data.
    pub fn start<T: Scalar>(
        &self,
        network: &Network,
        loss: Loss,
        parameters: Vec<T>,
        data: &Dataset<T>,
        validation: Option<&Dataset<T>>,
    ) -> Result<TrainingState<T>> {
        self.check()?;
        network.check_parameters(&parameters)?;
        if let Some(column) = parameters.iter().position(|theta| !theta.is_finite()) {
            let got = parameters[column].to_f64();
            return Err(Error::Value { what: "parameters", row: 0, column, expected: FINITE, got });
        }
        Ok(TrainingState::new(&self.optimizer, parameters, Origin::new(self, network, loss, data, validation)))
    }

    /// Goes on from a state until training ends, or the observer ends it: then the state can go on later, here or in
    /// another process ([`TrainingState::save`]), and comes to the same bits as without the break. A state that has ended
    /// stays as it is.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use ndarray::array;
    /// use surefoot::{Activation, Dataset, Loss, Network, Observer, StopReason, Training, TrainingState, draw_defaults};
    ///
    /// /// Ends each part of the training after three steps.
    /// struct Three(u64);
    /// impl Observer<f64> for Three {
    ///     fn step(&mut self, state: &TrainingState<f64>) -> ControlFlow<()> {
    ///         if state.steps() == self.0 + 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    ///     }
    /// }
    /// let data = Dataset::new(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
    /// let network = Network::new(1, &[(1, Activation::Identity)])?;
    /// let (training, loss) = (Training { epochs: 20, ..Training::default() }, Loss::SquaredError);
    /// let start = draw_defaults(&network, 1);
    /// let mut state = training.start(&network, loss, start.clone(), &data, None)?;
    /// while state.stopped().is_none() {
    ///     let mut three = Three(state.steps());
    ///     training.go_on(&network, loss, &mut state, &data, None, &mut three)?;
    /// }
    /// let trained = training.fit(&network, loss, start, &data, None, &mut ())?;
    /// assert_eq!(state.into_trained(StopReason::Epochs), trained);
    /// # Ok::<(), surefoot::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Resume`] when the state was made by other settings, for another network, or on other data; what
    /// [`Cost::new`] refuses.
    pub fn go_on<T: Scalar>(
        &self,
        network: &Network,
        loss: Loss,
        state: &mut TrainingState<T>,
        data: &Dataset<T>,
        validation: Option<&Dataset<T>>,
        observer: &mut dyn Observer<T>,
    ) -> Result<StopReason> {
        state.origin.check(&Origin::new(self, network, loss, data, validation))?;
        network.check_parameters(&state.parameters)?;
        Run::new(self, network, loss, state, data, validation)?.finish(observer)
    }

    /// The cost that these settings minimise.
    ///
    /// # Errors
    /// What [`Cost::new`] and [`Cost::with_sparsity`] refuse.
    pub fn cost<'a, T: Scalar>(&self, network: &'a Network, loss: Loss, data: &'a Dataset<T>) -> Result<Cost<'a, T>> {
        Cost::new(network, loss, self.weight_decay, data)?.with_sparsity(self.sparsity)
    }

    /// That the settings are in their ranges and go with each other.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn check(&self) -> Result<()> {
        self.optimizer.check()?;
        let refuse =
            |setting, expected: &str, got: String| Err(Error::Setting { setting, expected: expected.into(), got });
        if let (Optimizer::Lbfgs(_), Some(BatchSize::Rows(rows))) = (self.optimizer, self.batch_size) {
            return refuse("batch size", "full with L-BFGS, which takes all examples", rows.to_string());
        }
        if let (Optimizer::Lbfgs(_), true) = (self.optimizer, self.schedule != Schedule::Constant) {
            return refuse("schedule", "constant with L-BFGS, which has no learning rate", self.schedule.to_string());
        }
        if self.batch_size == Some(BatchSize::Rows(0)) {
            return refuse("batch size", "at least 1", "0".into());
        }
        if !(self.tolerance >= 0.0 && self.tolerance < 1.0) {
            return refuse("tolerance", "a number from 0 to 1, 1 excluded", self.tolerance.to_string());
        }
        Ok(())
    }
}
