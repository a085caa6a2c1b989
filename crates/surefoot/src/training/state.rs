//! Where a training is.

use super::problem::Problem;
use super::report::{Epoch, StopReason, Trained};
use super::settings::Training;
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::optimizer::{FirstOrder, FirstOrderState, Lbfgs, LbfgsState, Optimizer};
use crate::view::DatasetView;

/// A training in progress: with its settings and its data all that the rest of it depends on. Random draws need no place
/// in it: the order of the examples in an epoch follows from the seed and the number of the epoch.
///
/// Made by [`Training::start`], moved by [`Training::resume`], kept in a file by [`save`](Self::save).
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState<T> {
    pub(crate) origin: Origin,
    pub(crate) parameters: Vec<T>,
    pub(crate) optimizer: OptimizerState<T>,
    /// The epochs that were completed; one more may be in progress.
    pub(crate) history: Vec<Epoch>,
    /// The batches that were done of the epoch in progress.
    pub(crate) batches: usize,
    /// The sum of their costs, each times its rows.
    pub(crate) cost_sum: f64,
    /// θ at the start of the latest epoch whose first cost was finite.
    pub(crate) last_finite: Vec<T>,
    /// While a cost is monitored.
    pub(crate) monitor: Option<Monitor<T>>,
    pub(crate) stopped: Option<StopReason>,
}

impl<T: Scalar> TrainingState<T> {
    pub(super) fn new(optimizer: &Optimizer, parameters: Vec<T>, origin: Origin) -> Self {
        TrainingState {
            origin,
            optimizer: OptimizerState::new(optimizer, parameters.len()),
            history: Vec::new(),
            batches: 0,
            cost_sum: 0.0,
            last_finite: parameters.clone(),
            monitor: None,
            stopped: None,
            parameters,
        }
    }

    /// θ as it is now, which is not always what training will return.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// θ and what an optimizer of first order remembers.
    pub(super) fn first_order(&mut self) -> Option<(&mut Vec<T>, &mut FirstOrderState<T>)> {
        match &mut self.optimizer {
            OptimizerState::FirstOrder(_, memory) => Some((&mut self.parameters, memory)),
            OptimizerState::Lbfgs(..) => None,
        }
    }

    /// The epochs that were completed.
    pub fn history(&self) -> &[Epoch] {
        &self.history
    }

    /// Updates of θ so far.
    pub fn steps(&self) -> u64 {
        match &self.optimizer {
            OptimizerState::FirstOrder(_, state) => state.steps,
            OptimizerState::Lbfgs(_, state) => state.iterations,
        }
    }

    /// Evaluations of the gradient so far.
    pub fn evaluations(&self) -> u64 {
        match &self.optimizer {
            OptimizerState::FirstOrder(_, state) => state.steps,
            OptimizerState::Lbfgs(_, state) => state.evaluations,
        }
    }

    /// Why the training has ended, if it has.
    pub fn stopped(&self) -> Option<StopReason> {
        self.stopped
    }

    /// What training gives that ended here, for this reason: the parameters with the lowest monitored cost, or those at the
    /// end where nothing was monitored.
    pub fn into_trained(self, stop_reason: StopReason) -> Trained<T> {
        let (steps, evaluations) = (self.steps(), self.evaluations());
        let (parameters, best_epoch) = match self.monitor {
            Some(monitor) if monitor.best_cost.is_finite() => (monitor.best, monitor.best_epoch),
            _ => (self.parameters, self.history.len()),
        };
        Trained { parameters, best_epoch, history: self.history, steps, evaluations, stop_reason }
    }
}

/// An optimizer with what it remembers.
#[derive(Clone, Debug, PartialEq)]
pub enum OptimizerState<T> {
    /// Of gradient descent or Adam.
    FirstOrder(FirstOrder, FirstOrderState<T>),
    /// Of L-BFGS.
    Lbfgs(Lbfgs, LbfgsState<T>),
}

impl<T: Scalar> OptimizerState<T> {
    pub(crate) fn new(optimizer: &Optimizer, length: usize) -> Self {
        match *optimizer {
            Optimizer::FirstOrder(optimizer) => OptimizerState::FirstOrder(optimizer, optimizer.start(length)),
            Optimizer::Lbfgs(optimizer) => OptimizerState::Lbfgs(optimizer, LbfgsState::default()),
        }
    }
}

/// The lowest monitored cost so far, and the parameters that had it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Monitor<T> {
    /// Infinite before the first epoch.
    pub best_cost: f64,
    pub best: Vec<T>,
    pub best_epoch: usize,
    /// The epoch that last last_improvement the patience, and the cost that it had.
    pub last_improvement: usize,
    pub last_improvement_cost: f64,
}

impl<T: Scalar> Monitor<T> {
    pub fn new(start: &[T]) -> Self {
        let infinite = f64::INFINITY;
        Monitor {
            best_cost: infinite,
            best: start.to_vec(),
            best_epoch: 0,
            last_improvement: 0,
            last_improvement_cost: infinite,
        }
    }

    pub fn see(&mut self, epoch: usize, cost: f64, parameters: &[T], tolerance: f64) {
        if cost < self.best_cost {
            (self.best_cost, self.best_epoch) = (cost, epoch);
            self.best.copy_from_slice(parameters);
        }
        if cost < self.last_improvement_cost - tolerance * self.last_improvement_cost.abs()
            || self.last_improvement_cost.is_infinite()
        {
            (self.last_improvement, self.last_improvement_cost) = (epoch, cost);
        }
    }
}

/// What a state was made from: another origin would lead elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// The layers, the loss and all settings that decide a bit, as JSON.
    pub settings: String,
    /// The digest of the training examples.
    pub data: u64,
    /// The digest of the validation examples, if there are any.
    pub validation: Option<u64>,
}

impl Origin {
    pub fn new<T: Scalar>(training: &Training, problem: &Problem<'_, T>) -> Self {
        let Problem { network, loss, task, data, validation, .. } = problem;
        let activations: Vec<_> = network.layers().iter().map(|layer| layer.activation).collect();
        // the check decides whether a training begins, not where it leads
        let training = Training { gradient_check: true, ..training.clone() };
        let settings = serde_json::json!({
            "layers": network.widths(), "activations": activations, "loss": loss, "task": task, "training": training,
        });
        Origin {
            settings: settings.to_string(),
            data: data.digest(),
            validation: validation.as_ref().map(DatasetView::digest),
        }
    }

    /// That another one is the same.
    pub fn check(&self, other: &Origin) -> Result<()> {
        let resume = |what, expected, got| Err(Error::Resume { what, expected, got });
        let settings = |one: &Origin, other: &Origin| differing(&one.settings, &other.settings);
        let (expected, got) = (settings(self, other), settings(other, self));
        if expected != got {
            return resume("settings", expected, got);
        }
        let digests = [
            ("training examples", Some(self.data), Some(other.data)),
            ("validation examples", self.validation, other.validation),
        ];
        for (what, then, now) in digests {
            let same = || "the same numbers in the same order as when it began".into();
            match (then, now) {
                (then, now) if then == now => {}
                (Some(then), Some(now)) => {
                    return resume(what, same(), format!("others (digest {now:016x} instead of {then:016x})"));
                }
                (Some(_), None) => return resume(what, same(), "none".into()),
                (None, _) => return resume(what, "none, as when it began".into(), "some".into()),
            }
        }
        Ok(())
    }
}

/// The settings of one that differ from those of the other, by name: `epochs 7, loss squared-error`.
fn differing(one: &str, other: &str) -> String {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let (one, other) = (parse(one), parse(other));
    let mut found = Vec::new();
    for (name, value) in settings_of(&one) {
        if settings_of(&other).find(|(other, _)| *other == name).is_none_or(|(_, other)| other != value) {
            found.push(format!("{name} {}", plain(value)));
        }
    }
    found.join(", ")
}

/// All settings, those of the training among them.
fn settings_of(settings: &serde_json::Value) -> impl Iterator<Item = (&String, &serde_json::Value)> {
    let objects = [Some(settings), settings.get("training")].into_iter().flatten();
    objects.filter_map(serde_json::Value::as_object).flatten().filter(|(name, _)| *name != "training")
}

/// A value without the quotes and brackets of JSON where it can do without.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
