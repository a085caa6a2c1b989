//! Training: epochs of batches, until the cost no longer falls.

use std::ops::ControlFlow;

use crate::cost::Cost;
use crate::dataset::Dataset;
use crate::error::{Error, FINITE, Result};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;
use crate::numeric::threads::keep_awake;
use crate::objective::Objective;
use crate::optimizer::{Adam, FirstOrder, FirstOrderState, Lbfgs, LbfgsState, LbfgsStop, Optimizer, Schedule};
use crate::sparsity::Sparsity;

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
    /// Watched is the cost on the validation part; without one, the cost on all training examples after each epoch.
    /// While it is watched, the parameters with the lowest one are those that training returns.
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

/// What happened in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// The mean over its examples of the cost that each batch had just before its step, weight decay included; with
    /// L-BFGS J(θ) after its iteration.
    pub cost: f64,
    /// J(θ) over the validation part after the epoch, weight decay included.
    pub validation_cost: Option<f64>,
    /// Accuracy or R² on the validation part after the epoch.
    pub validation_score: Option<f64>,
    /// The learning rate of its first step; with L-BFGS the length t of its step.
    pub learning_rate: f64,
}

/// Why training ended. Each is a result, none an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StopReason {
    /// All epochs were done.
    Epochs,
    /// The watched cost had not fallen for as many epochs as the patience allows.
    Patience,
    /// L-BFGS: the gradient, or the last fall of the cost, was within its tolerance.
    Converged,
    /// L-BFGS: no step along the line lowered the cost enough, not even against the gradient; often the lowest cost to
    /// rounding.
    LineSearch,
    /// The observer asked for it.
    Observer,
    /// A cost or a gradient was not finite; the parameters are the last whose cost was.
    NotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step in which it was seen, from 1 and over all epochs.
        step: u64,
        /// The first layer, from 0, whose gradient was not finite, or whose parameters were not after the last step;
        /// `None` when only the cost was not.
        layer: Option<usize>,
        /// The learning rate of that step.
        learning_rate: f64,
    },
}

impl StopReason {
    /// `epochs`, `patience`, `converged`, `line-search`, `observer` or `not-finite`.
    pub fn name(&self) -> &'static str {
        match self {
            StopReason::Epochs => "epochs",
            StopReason::Patience => "patience",
            StopReason::Converged => "converged",
            StopReason::LineSearch => "line-search",
            StopReason::Observer => "observer",
            StopReason::NotFinite { .. } => "not-finite",
        }
    }
}

/// What training gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained<T> {
    /// θ: the best that was watched, or where the run ended when nothing was watched.
    pub parameters: Vec<T>,
    /// The epoch after which θ was as it is returned, 0 for the start.
    pub best_epoch: usize,
    /// Every epoch that was completed.
    pub history: Vec<Epoch>,
    /// Updates of θ.
    pub steps: u64,
    /// Evaluations of the gradient, over a batch or all examples; more than steps where L-BFGS searched along a line.
    pub evaluations: u64,
    /// Why it ended.
    pub stop_reason: StopReason,
}

/// Sees each epoch as it ends, and may end the training there. The library itself never prints.
pub trait Observer {
    /// Called after each epoch; [`ControlFlow::Break`] ends the training.
    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()>;
}

/// Looks at nothing.
impl Observer for () {
    fn epoch(&mut self, _: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Training {
    /// Minimises J(θ) from the start `parameters`.
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
        observer: &mut dyn Observer,
    ) -> Result<Trained<T>> {
        self.check()?;
        network.check_parameters(&parameters)?;
        if let Some(column) = parameters.iter().position(|theta| !theta.is_finite()) {
            let got = parameters[column].to_f64();
            return Err(Error::Value { what: "parameters", row: 0, column, expected: FINITE, got });
        }
        let mut run = Run {
            training: self,
            network,
            cost: self.cost(network, loss, data)?,
            validation: validation.map(|data| self.cost(network, loss, data)).transpose()?,
            state: State::start(&self.optimizer, parameters.len()),
            last_finite: parameters.clone(),
            order: (0..data.rows()).collect(),
            parameters,
        };
        let mut history = Vec::new();
        let mut watch = Watch::new(&run.parameters);
        let mut stop_reason = StopReason::Epochs;
        for epoch in 1..=self.epochs {
            let (cost, learning_rate) = match run.share_epoch(epoch) {
                Ok(done) => done,
                Err(reason) => {
                    stop_reason = reason;
                    if matches!(reason, StopReason::NotFinite { .. }) {
                        run.parameters.clone_from(&run.last_finite);
                    }
                    break;
                }
            };
            let (validation_cost, validation_score) = run.validate()?;
            history.push(Epoch { epoch, cost, validation_cost, validation_score, learning_rate });
            if self.patience > 0 {
                let watched = validation_cost.or(run.state.cost()).unwrap_or_else(|| run.cost.cost(&run.parameters));
                watch.see(epoch, watched, &run.parameters, self.tolerance);
            }
            if observer.epoch(&history[history.len() - 1]).is_break() {
                stop_reason = StopReason::Observer;
                break;
            }
            if self.patience > 0 && epoch - watch.renewed >= self.patience {
                stop_reason = StopReason::Patience;
                break;
            }
        }
        if let Some(layer) = first_not_finite(network, &run.parameters) {
            // the last step of all, whose cost nobody asked for
            let epoch: &Epoch = &history[history.len() - 1];
            let (epoch, learning_rate) = (epoch.epoch, epoch.learning_rate);
            stop_reason = StopReason::NotFinite { epoch, step: run.state.steps(), layer: Some(layer), learning_rate };
            run.parameters.clone_from(&run.last_finite);
        }
        let Run { parameters, state, .. } = run;
        let (parameters, best_epoch) =
            if watch.best_cost.is_finite() { (watch.best, watch.best_epoch) } else { (parameters, history.len()) };
        let (steps, evaluations) = (state.steps(), state.evaluations());
        Ok(Trained { parameters, best_epoch, history, steps, evaluations, stop_reason })
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

/// The optimizer of a run, with what it remembers.
enum State<T> {
    FirstOrder(FirstOrder, FirstOrderState<T>),
    Lbfgs(Lbfgs, LbfgsState<T>),
}

impl<T: Scalar> State<T> {
    fn start(optimizer: &Optimizer, length: usize) -> Self {
        match *optimizer {
            Optimizer::FirstOrder(optimizer) => State::FirstOrder(optimizer, optimizer.start(length)),
            Optimizer::Lbfgs(optimizer) => State::Lbfgs(optimizer, LbfgsState::default()),
        }
    }

    fn steps(&self) -> u64 {
        match self {
            State::FirstOrder(_, state) => state.steps,
            State::Lbfgs(_, state) => state.iterations,
        }
    }

    fn evaluations(&self) -> u64 {
        match self {
            State::FirstOrder(_, state) => state.steps,
            State::Lbfgs(_, state) => state.evaluations,
        }
    }

    /// J(θ), where it is known.
    fn cost(&self) -> Option<f64> {
        match self {
            State::FirstOrder(..) => None,
            State::Lbfgs(_, state) => Some(state.cost),
        }
    }
}

/// Examples a step, unless it is said how many.
const DEFAULT_BATCH: usize = 32;

/// A run in progress.
struct Run<'a, T> {
    training: &'a Training,
    network: &'a Network,
    cost: Cost<'a, T>,
    validation: Option<Cost<'a, T>>,
    parameters: Vec<T>,
    state: State<T>,
    /// θ at the start of the latest epoch whose first cost was finite.
    last_finite: Vec<T>,
    /// The rows in the order of the present epoch.
    order: Vec<usize>,
}

impl<T: Scalar> Run<'_, T> {
    /// One pass over the data, in several threads if it is long enough to have them all awake: the cost and the learning
    /// rate, or why it stopped.
    fn share_epoch(&mut self, epoch: usize) -> std::result::Result<(f64, f64), StopReason> {
        match self.cost.is_shared(self.batch_rows()) {
            true => keep_awake(|| self.epoch(epoch)),
            false => self.epoch(epoch),
        }
    }

    /// The rows of a full batch.
    fn batch_rows(&self) -> usize {
        let rows = match (self.training.batch_size, &self.state) {
            (Some(BatchSize::Rows(rows)), _) => rows,
            (None, State::FirstOrder(..)) => DEFAULT_BATCH,
            (Some(BatchSize::Full), _) | (None, State::Lbfgs(..)) => self.order.len(),
        };
        rows.min(self.order.len())
    }

    fn epoch(&mut self, epoch: usize) -> std::result::Result<(f64, f64), StopReason> {
        let batch_rows = self.batch_rows();
        let Run { training, cost, parameters, state, last_finite, order, .. } = self;
        match state {
            State::FirstOrder(optimizer, state) => {
                if batch_rows < order.len() {
                    // From the same order each time, so that an epoch's order follows from seed and epoch alone.
                    order.iter_mut().enumerate().for_each(|(i, row)| *row = i);
                    Random::new(training.seed, Purpose::Shuffle, epoch as u32).shuffle(order);
                }
                let alpha = |done| optimizer.learning_rate() * training.schedule.factor(done, training.epochs);
                let batches = Batches { epoch, order, batch_rows, learning_rate: &alpha };
                Ok((batches.steps(optimizer, state, cost, parameters, last_finite)?, alpha((epoch - 1) as f64)))
            }
            State::Lbfgs(optimizer, state) => {
                let iterated = optimizer.iterate(state, cost, parameters);
                iterated.map(|()| (state.cost, state.step_length)).map_err(|stop| match stop {
                    LbfgsStop::Converged => StopReason::Converged,
                    LbfgsStop::LineSearch => StopReason::LineSearch,
                    LbfgsStop::NotFinite => {
                        let (step, learning_rate) = (state.iterations + 1, state.step_length);
                        StopReason::NotFinite { epoch, step, layer: None, learning_rate }
                    }
                })
            }
        }
    }

    /// Cost and score on the validation part.
    fn validate(&mut self) -> Result<(Option<f64>, Option<f64>)> {
        let Some(validation) = &mut self.validation else { return Ok((None, None)) };
        let data = validation.data();
        let outputs = self.network.predict(&self.parameters, data.inputs())?;
        let score = self.training.task.score(outputs.view(), data.targets());
        Ok((Some(validation.cost(&self.parameters)), Some(score)))
    }
}

/// The batches of an epoch.
struct Batches<'a> {
    /// From 1.
    epoch: usize,
    /// The rows in their order.
    order: &'a [usize],
    batch_rows: usize,
    /// The learning rate after so many epochs.
    learning_rate: &'a dyn Fn(f64) -> f64,
}

impl Batches<'_> {
    /// A step for each; the mean cost, or where it stopped being finite.
    fn steps<T: Scalar>(
        &self,
        optimizer: &FirstOrder,
        state: &mut FirstOrderState<T>,
        cost: &mut Cost<'_, T>,
        parameters: &mut [T],
        last_finite: &mut [T],
    ) -> std::result::Result<f64, StopReason> {
        let Batches { epoch, order, batch_rows, learning_rate } = *self;
        let mut sum = 0.0;
        for (i, rows) in order.chunks(batch_rows).enumerate() {
            let done = (epoch - 1) as f64 + (i * batch_rows) as f64 / order.len() as f64;
            let learning_rate = learning_rate(done);
            let not_finite = |step, layer| Err(StopReason::NotFinite { epoch, step, layer, learning_rate });
            let next = order.get((i + 1) * batch_rows..order.len().min((i + 2) * batch_rows)).unwrap_or_default();
            let batch = cost.of_batch(parameters, (rows.len() < order.len()).then_some(rows), next);
            let batch_cost = batch.cost();
            if !batch_cost.is_finite() {
                return not_finite(state.steps + 1, None);
            }
            if i == 0 {
                last_finite.copy_from_slice(parameters);
            }
            if let Some(layer) = batch.step(optimizer, state, parameters, learning_rate) {
                return not_finite(state.steps, Some(layer));
            }
            sum += batch_cost * rows.len() as f64;
        }
        Ok(sum / order.len() as f64)
    }
}

/// The first layer with parameters that are not finite.
fn first_not_finite<T: Scalar>(network: &Network, parameters: &[T]) -> Option<usize> {
    (0..network.layers().len()).find(|&l| parameters[network.layer_range(l)].iter().any(|theta| !theta.is_finite()))
}

/// The lowest watched cost so far, and the parameters that had it.
struct Watch<T> {
    best_cost: f64,
    best: Vec<T>,
    best_epoch: usize,
    /// The epoch that last renewed the patience, and the cost that it had.
    renewed: usize,
    renewed_cost: f64,
}

impl<T: Scalar> Watch<T> {
    fn new(start: &[T]) -> Self {
        let infinite = f64::INFINITY;
        Watch { best_cost: infinite, best: start.to_vec(), best_epoch: 0, renewed: 0, renewed_cost: infinite }
    }

    fn see(&mut self, epoch: usize, cost: f64, parameters: &[T], tolerance: f64) {
        if cost < self.best_cost {
            (self.best_cost, self.best_epoch) = (cost, epoch);
            self.best.copy_from_slice(parameters);
        }
        if cost < self.renewed_cost - tolerance * self.renewed_cost.abs() || self.renewed_cost.is_infinite() {
            (self.renewed, self.renewed_cost) = (epoch, cost);
        }
    }
}
