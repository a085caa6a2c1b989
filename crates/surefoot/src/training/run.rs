//! The loop over epochs and batches.

use std::ops::ControlFlow;

use super::observer::Observer;
use super::problem::Problem;
use super::report::{Epoch, StopReason};
use super::settings::Training;
use super::shuffle::{shuffle, together};
use super::state::{Monitor, OptimizerState, TrainingState};
use crate::cancel::Cancel;
use crate::cost::Cost;
use crate::error::Result;
use crate::metrics::Scorer;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::numeric::threads::keep_awake;
use crate::objective::Objective;
use crate::optimizer::{FirstOrder, Lbfgs, LbfgsStop, Optimizer};
use crate::view::DatasetView;

/// A state on its way.
pub(super) struct Run<'a, T> {
    pub training: &'a Training,
    pub problem: &'a Problem<'a, T>,
    pub cost: Cost<'a, T>,
    validation: Option<(Cost<'a, T>, Scorer)>,
    pub state: &'a mut TrainingState<T>,
    /// The rows in the order of the present epoch.
    pub order: Vec<usize>,
    /// Whoever may end a sum over examples before its end; then that sum is not used.
    pub cancel: Cancel,
    is_cancellable: bool,
    /// With other processes: the wish of this one to end, on which `cancel` follows in all of them.
    wish: Option<Cancel>,
}

/// The cost and the learning rate of an epoch, or why it was not completed.
pub(super) type Completed = std::result::Result<(f64, f64), StopReason>;

impl<'a, T: Scalar> Run<'a, T> {
    pub fn new(
        training: &'a Training,
        problem: &'a Problem<'a, T>,
        state: &'a mut TrainingState<T>,
        cancel: Option<Cancel>,
    ) -> Result<Self> {
        let Problem { network, loss, task, data, validation, ranks, device } = *problem;
        let ranks = ranks.filter(|ranks| ranks.size() > 1);
        let is_cancellable = cancel.is_some() || ranks.is_some();
        let (wish, cancel) = match ranks {
            Some(_) => (Some(cancel.unwrap_or_default()), Cancel::new()),
            None => (None, cancel.unwrap_or_default()),
        };
        let shared = |cost: Cost<'a, T>| {
            let cost = cost.with_cancel(cancel.clone());
            cost.with_ranks(ranks, wish.clone().unwrap_or_default(), cancel.clone())
        };
        let device = device.filter(|_| ranks.is_none());
        let batch = match training.optimizer {
            Optimizer::FirstOrder(_) => Some(training.batch_rows(data.rows())),
            Optimizer::Lbfgs(_) => None,
        };
        let cost = shared(training.smoothed_cost(network, loss, data)?).with_device(device, batch, true)?;
        let validate = |data: DatasetView<'a, T>| {
            let device = device.filter(|_| cost.is_on_device());
            let cost = shared(training.cost(network, loss, data)?).with_device(device, None, false)?;
            Ok((cost, Scorer::new(task, data.targets().view())))
        };
        let validation = validation.map(validate).transpose()?;
        if (training.patience > 0 || validation.is_some()) && state.monitor.is_none() {
            state.monitor = Some(Monitor::new(&state.parameters));
        }
        Ok(Run {
            training,
            problem,
            cost,
            validation,
            state,
            order: (0..data.rows()).collect(),
            cancel,
            is_cancellable,
            wish,
        })
    }

    /// Epochs until it ends, for this reason.
    ///
    /// # Errors
    /// [`Error::Ranks`](crate::Error::Ranks) when the processes that train together have come apart.
    pub fn finish(&mut self, observer: &mut dyn Observer<T>) -> Result<StopReason> {
        loop {
            if let Some(reason) = self.state.stopped {
                return Ok(reason);
            }
            let reason = match self.state.history.len() < self.training.epochs {
                true => self.whole_epoch(observer),
                false => Some(StopReason::Epochs),
            };
            let validation = self.validation.as_mut().and_then(|(cost, _)| cost.take_failure());
            if let Some(failure) = self.cost.take_failure().or(validation) {
                return Err(failure);
            }
            let Some(mut reason) = reason else { continue };
            let is_known = matches!(reason, StopReason::NotFinite { .. });
            if let (Some(layer), false) = (first_not_finite(self.problem.network, &self.state.parameters), is_known) {
                // the last step of all, whose cost nobody asked for
                let epoch = (self.state.history.len() + usize::from(self.state.batches > 0)).max(1);
                let learning_rate = self.learning_rate((epoch - 1) as f64);
                reason = StopReason::NotFinite { epoch, step: self.state.steps(), layer: Some(layer), learning_rate };
            }
            if matches!(reason, StopReason::NotFinite { .. }) {
                self.state.parameters.clone_from(&self.state.last_finite);
            }
            if reason == StopReason::Observer {
                return Ok(reason);
            }
            self.state.stopped = Some(reason);
        }
    }

    /// What is left of the present epoch, with what belongs to its end; why training ends with it, if it does.
    fn whole_epoch(&mut self, observer: &mut dyn Observer<T>) -> Option<StopReason> {
        let epoch = self.state.history.len() + 1;
        let (cost, learning_rate) = match self.share_epoch(epoch, observer) {
            Ok(done) => done,
            Err(reason) => return Some(reason),
        };
        let (validation_cost, validation_score) = self.validate().unzip();
        let seen = Epoch { epoch, cost, validation_cost, validation_score, learning_rate };
        let Run { training, state, cost, cancel, .. } = self;
        let known = match &state.optimizer {
            OptimizerState::FirstOrder(..) => None,
            OptimizerState::Lbfgs(_, state) => Some(state.cost),
        };
        let monitored =
            state.monitor.is_some().then(|| validation_cost.or(known).unwrap_or_else(|| cost.cost(&state.parameters)));
        if cancel.is_cancelled() {
            return Some(StopReason::Observer); // all steps of the epoch are done, but not what belongs to its end
        }
        state.history.push(seen);
        (state.batches, state.cost_sum) = (0, 0.0);
        let mut reason = None;
        if let (Some(monitor), Some(monitored)) = (&mut state.monitor, monitored) {
            monitor.see(epoch, monitored, &state.parameters, training.tolerance);
            let passed = training.schedule.passed_since(monitor.last_improvement, epoch, training.epochs);
            if training.patience > 0 && passed >= training.patience {
                reason = Some(StopReason::Patience);
            }
        }
        let ends = ends(observer.epoch(&seen), &self.wish);
        reason.or(ends.then_some(StopReason::Observer))
    }

    /// The batches of an epoch, in several threads if they are long enough to have them all awake.
    fn share_epoch(&mut self, epoch: usize, observer: &mut dyn Observer<T>) -> Completed {
        match !self.cost.is_on_device() && self.cost.is_shared(self.training.batch_rows(self.order.len())) {
            true => keep_awake(|| self.epoch(epoch, observer)),
            false => self.epoch(epoch, observer),
        }
    }

    /// α after so many epochs; 0 for L-BFGS.
    pub fn learning_rate(&self, done: f64) -> f64 {
        match &self.state.optimizer {
            OptimizerState::FirstOrder(optimizer, _) => {
                optimizer.learning_rate() * self.training.schedule.factor(done, self.training.epochs)
            }
            OptimizerState::Lbfgs(..) => 0.0,
        }
    }

    fn epoch(&mut self, epoch: usize, observer: &mut dyn Observer<T>) -> Completed {
        match self.state.optimizer {
            OptimizerState::FirstOrder(optimizer, _) if self.cost.is_on_device() => {
                self.batches_on_device(&optimizer, epoch, observer).unwrap_or_else(|failure| {
                    self.cost.fail(failure);
                    Err(StopReason::Observer)
                })
            }
            OptimizerState::FirstOrder(optimizer, _) => self.batches(&optimizer, epoch, observer),
            OptimizerState::Lbfgs(optimizer, _) => self.iteration(&optimizer, epoch, observer),
        }
    }

    /// A step for each batch that is left.
    fn batches(&mut self, optimizer: &FirstOrder, epoch: usize, observer: &mut dyn Observer<T>) -> Completed {
        let batch_rows = self.training.batch_rows(self.order.len());
        let first_rate = self.learning_rate((epoch - 1) as f64);
        let Run { training, problem, cost, state, order, cancel, wish, .. } = self;
        let data = problem.data.all().rows();
        if batch_rows < order.len() {
            // From the same order each time, so that an epoch's order follows from seed and epoch alone.
            shuffle(order, |i| data.get(i), training.seed, epoch, training.shuffle_window);
        }
        let together = together(order.len(), training.shuffle_window);
        let rate = |done| optimizer.learning_rate() * training.schedule.factor(done, training.epochs);
        let begin = state.batches;
        let mut read_to = begin * batch_rows / together * together;
        for (i, rows) in order.chunks(batch_rows).enumerate().skip(begin) {
            let TrainingState { parameters, optimizer: OptimizerState::FirstOrder(_, memory), last_finite, .. } =
                &mut **state
            else {
                break; // another kind of state does not come here
            };
            let first = i * batch_rows;
            // the next window is read while this one is learned from
            while together < order.len() && read_to < order.len().min(first + together) {
                let window = &order[read_to..];
                problem.data.read_ahead(&window[..window.len().min(together)]);
                read_to += together;
            }
            let learning_rate = rate((epoch - 1) as f64 + first as f64 / order.len() as f64);
            let not_finite = |step, layer| Err(StopReason::NotFinite { epoch, step, layer, learning_rate });
            let next = order.get((i + 1) * batch_rows..order.len().min((i + 2) * batch_rows)).unwrap_or_default();
            cost.prefetch(next);
            let (batch_cost, pass) = cost.forward_backward(parameters, (rows.len() < order.len()).then_some(rows));
            if cancel.is_cancelled() {
                return Err(StopReason::Observer); // before the step
            }
            if !batch_cost.is_finite() {
                return not_finite(memory.steps + 1, None);
            }
            if i == 0 {
                last_finite.copy_from_slice(parameters);
            }
            if let Some(layer) = pass.step(optimizer, memory, parameters, learning_rate) {
                return not_finite(memory.steps, Some(layer));
            }
            state.batches = i + 1;
            state.cost_sum += batch_cost * rows.len() as f64;
            if ends(observer.step(state), wish) {
                return Err(StopReason::Observer);
            }
        }
        Ok((state.cost_sum / order.len() as f64, first_rate))
    }

    /// An iteration over all examples, unless it was done.
    fn iteration(&mut self, optimizer: &Lbfgs, epoch: usize, observer: &mut dyn Observer<T>) -> Completed {
        let Run { cost, state, cancel, is_cancellable, wish, .. } = self;
        let is_done = state.batches == 1;
        let TrainingState { parameters, optimizer: OptimizerState::Lbfgs(_, memory), .. } = &mut **state else {
            return Err(StopReason::Converged);
        };
        if !is_done {
            // a search along a line that is cancelled leaves nothing to go on from
            let before = is_cancellable.then(|| (memory.clone(), parameters.clone()));
            let iterated = optimizer.iterate(memory, cost, parameters);
            if let (true, Some(before)) = (cancel.is_cancelled(), before) {
                (*memory, *parameters) = before;
                return Err(StopReason::Observer);
            }
            iterated.map_err(|stop| match stop {
                LbfgsStop::Converged => StopReason::Converged,
                LbfgsStop::LineSearch => StopReason::LineSearch,
                LbfgsStop::NotFinite => {
                    let (step, learning_rate) = (memory.iterations + 1, memory.step_length);
                    StopReason::NotFinite { epoch, step, layer: None, learning_rate }
                }
            })?;
        }
        let done = (memory.cost, memory.step_length);
        state.batches = 1;
        if !is_done && ends(observer.step(state), wish) {
            return Err(StopReason::Observer);
        }
        Ok(done)
    }

    /// Cost and score on the validation part.
    fn validate(&mut self) -> Option<(f64, f64)> {
        let (cost, scorer) = self.validation.as_mut()?;
        Some(cost.cost_and_score(&self.state.parameters, scorer))
    }
}

/// Whether training ends here, as an observer wants it. Of several processes none ends by itself: its wish is known to all after
/// the next sum.
fn ends(flow: ControlFlow<()>, wish: &Option<Cancel>) -> bool {
    match (flow.is_break(), wish) {
        (true, Some(wish)) => {
            wish.cancel();
            false
        }
        (is_break, _) => is_break,
    }
}

/// The first layer with parameters that are not finite.
fn first_not_finite<T: Scalar>(network: &Network, parameters: &[T]) -> Option<usize> {
    (0..network.layers().len()).find(|&l| parameters[network.layer_range(l)].iter().any(|theta| !theta.is_finite()))
}
