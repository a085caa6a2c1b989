//! A training from its start, or from where it was interrupted.

use std::ops::ControlFlow;

use super::observer::Observer;
use super::problem::Problem;
use super::report::{Epoch, StopReason, Trained};
use super::run::Run;
use super::settings::Training;
use super::state::{Origin, TrainingState};
use crate::cancel::Cancel;
use crate::error::{Error, FINITE, Result};
use crate::metrics::Scorer;
use crate::numeric::scalar::Scalar;

impl Training {
    /// Minimises J(θ) from the start `parameters`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range, [`Error::Value`] for a parameter that is not finite, what
    /// [`Cost::new`](crate::Cost::new) refuses, of the training or validation examples, and [`Error::Gradient`] for a wrong gradient.
    pub fn fit<T: Scalar>(&self, problem: &Problem<'_, T>, parameters: Vec<T>) -> Result<Trained<T>> {
        self.fit_with(problem, parameters, &mut |_: &Epoch| ControlFlow::Continue(()))
    }

    /// The same while an observer looks on: a closure over epochs, or an [`Observer`] of steps, too.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// # use ndarray::array;
    /// # use surefoot::{Activation, Dataset, Epoch, Loss, Network, Problem, Training, draw_defaults};
    /// # let data = Dataset::new(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
    /// # let network = Network::new(1, &[(1, Activation::Identity)])?;
    /// # let problem = Problem::new(&network, Loss::SquaredError, &data);
    /// let mut costs = Vec::new();
    /// Training::default().fit_with(&problem, draw_defaults(&network, 1), &mut |epoch: &Epoch| {
    ///     costs.push(epoch.cost);
    ///     if epoch.epoch == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert_eq!(costs.len(), 10);
    /// # Ok::<(), surefoot::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with<T: Scalar>(
        &self,
        problem: &Problem<'_, T>,
        parameters: Vec<T>,
        observer: &mut dyn Observer<T>,
    ) -> Result<Trained<T>> {
        let mut state = self.start(problem, parameters)?;
        let stop_reason = Run::new(self, problem, &mut state, observer.cancel())?.finish(observer)?;
        Ok(state.into_trained(stop_reason))
    }

    /// The state before the first epoch, from the start `parameters`, after the gradient check.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn start<T: Scalar>(&self, problem: &Problem<'_, T>, parameters: Vec<T>) -> Result<TrainingState<T>> {
        self.check()?;
        problem.network.check_parameters(&parameters)?;
        if let Some(column) = parameters.iter().position(|theta| !theta.is_finite()) {
            let got = parameters[column].to_f64();
            return Err(Error::Value { what: "parameters", row: 0, column, expected: FINITE, got });
        }
        self.require_right_gradient(problem)?;
        Ok(TrainingState::new(&self.optimizer, parameters, Origin::new(self, problem)))
    }

    /// Continues from a state until training ends. A state that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::Resume`] when the state was made by other settings, for another network, or on other data; what
    /// [`Cost::new`](crate::Cost::new) refuses.
    pub fn resume<T: Scalar>(&self, problem: &Problem<'_, T>, state: &mut TrainingState<T>) -> Result<StopReason> {
        self.resume_with(problem, state, &mut |_: &Epoch| ControlFlow::Continue(()))
    }

    /// The same while an observer looks on. When it ends the training, the state can be resumed later, here or in another
    /// process ([`TrainingState::save`]), and comes to the same bits as without the break.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use ndarray::array;
    /// use surefoot::{Activation, Dataset, Loss, Network, Observer, Problem, StopReason, Training, TrainingState, draw_defaults};
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
    /// let problem = Problem::new(&network, Loss::SquaredError, &data);
    /// let training = Training { epochs: 20, ..Training::default() };
    /// let start = draw_defaults(&network, 1);
    /// let mut state = training.start(&problem, start.clone())?;
    /// while state.stopped().is_none() {
    ///     let mut three = Three(state.steps());
    ///     training.resume_with(&problem, &mut state, &mut three)?;
    /// }
    /// assert_eq!(state.into_trained(StopReason::Epochs), training.fit(&problem, start)?);
    /// # Ok::<(), surefoot::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_with<T: Scalar>(
        &self,
        problem: &Problem<'_, T>,
        state: &mut TrainingState<T>,
        observer: &mut dyn Observer<T>,
    ) -> Result<StopReason> {
        state.origin.check(&Origin::new(self, problem))?;
        problem.network.check_parameters(&state.parameters)?;
        Run::new(self, problem, state, observer.cancel())?.finish(observer)
    }

    /// J(θ) over the training examples of a problem, without label smoothing, and their score, in one pass, which its ranks share.
    ///
    /// ```
    /// # use ndarray::array;
    /// # use surefoot::{Activation, Dataset, Loss, Network, Problem, Training};
    /// let data = Dataset::new(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
    /// let network = Network::new(1, &[(1, Activation::Identity)])?;
    /// let problem = Problem::new(&network, Loss::SquaredError, &data);
    /// let training = Training { weight_decay: 0.5, ..Training::default() };
    /// // h(x) = 2x + 1 is right everywhere: what is left of J is λ/2 · 2², and R² is 1
    /// assert_eq!(training.evaluate(&problem, &[2.0, 1.0])?, (1.0, 1.0));
    /// # Ok::<(), surefoot::Error>(())
    /// ```
    ///
    /// # Errors
    /// What [`Cost::new`](crate::Cost::new) refuses, and [`Error::Ranks`] when the processes have come apart.
    ///
    /// # Panics
    /// When θ = `parameters` has not the network's length.
    pub fn evaluate<T: Scalar>(&self, problem: &Problem<'_, T>, parameters: &[T]) -> Result<(f64, f64)> {
        let Problem { network, loss, task, data, ranks, .. } = *problem;
        let ranks = ranks.filter(|ranks| ranks.size() > 1);
        let mut cost = self.cost(network, loss, data)?.with_ranks(ranks, Cancel::new(), Cancel::new());
        let evaluated = cost.cost_and_score(parameters, &Scorer::new(task, data.targets().view()));
        cost.take_failure().map_or(Ok(evaluated), Err)
    }
}
