//! Where a training is.

use xxhash_rust::xxh3::Xxh3;

use super::Training;
use super::report::{Epoch, StopReason, Trained};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::optimizer::{FirstOrder, FirstOrderState, Lbfgs, LbfgsState, Optimizer};

/// A training in progress: with its settings and its data all that the rest of it depends on. Random draws need no place
/// in it: the order of the examples in an epoch follows from the seed and the number of the epoch.
///
/// Made by [`Training::start`], moved by [`Training::go_on`], kept in a file by [`save`](Self::save).
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
    /// While the cost is watched.
    pub(crate) watch: Option<Watch<T>>,
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
            watch: None,
            stopped: None,
            parameters,
        }
    }

    /// θ as it is now, which is not always what training will return.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
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

    /// What training gives that ended here, for this reason: the parameters with the lowest watched cost, or those at the
    /// end where nothing was watched.
    pub fn into_trained(self, stop_reason: StopReason) -> Trained<T> {
        let (steps, evaluations) = (self.steps(), self.evaluations());
        let (parameters, best_epoch) = match self.watch {
            Some(watch) if watch.best_cost.is_finite() => (watch.best, watch.best_epoch),
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

/// The lowest watched cost so far, and the parameters that had it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Watch<T> {
    /// Infinite before the first epoch.
    pub best_cost: f64,
    pub best: Vec<T>,
    pub best_epoch: usize,
    /// The epoch that last renewed the patience, and the cost that it had.
    pub renewed: usize,
    pub renewed_cost: f64,
}

impl<T: Scalar> Watch<T> {
    pub fn new(start: &[T]) -> Self {
        let infinite = f64::INFINITY;
        Watch { best_cost: infinite, best: start.to_vec(), best_epoch: 0, renewed: 0, renewed_cost: infinite }
    }

    pub fn see(&mut self, epoch: usize, cost: f64, parameters: &[T], tolerance: f64) {
        if cost < self.best_cost {
            (self.best_cost, self.best_epoch) = (cost, epoch);
            self.best.copy_from_slice(parameters);
        }
        if cost < self.renewed_cost - tolerance * self.renewed_cost.abs() || self.renewed_cost.is_infinite() {
            (self.renewed, self.renewed_cost) = (epoch, cost);
        }
    }
}

/// What a state was made from: another origin would lead elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// All settings, the layers and the loss, in words.
    pub settings: String,
    /// The digest of the training examples.
    pub data: u64,
    /// The digest of the validation examples, if there are any.
    pub validation: Option<u64>,
}

impl Origin {
    pub fn new<T: Scalar>(
        training: &Training,
        network: &Network,
        loss: Loss,
        data: &Dataset<T>,
        validation: Option<&Dataset<T>>,
    ) -> Self {
        let layers = network.layers().iter().map(|layer| format!(" {}", layer.activation)).collect::<String>();
        let settings = format!("{}{layers}, {loss}, {training:?}", network.widths());
        Origin { settings, data: digest(data), validation: validation.map(digest) }
    }

    /// That another one is the same.
    pub fn check(&self, other: &Origin) -> Result<()> {
        let name =
            |digest: Option<u64>| digest.map_or("none".into(), |digest| format!("those with the digest {digest:016x}"));
        for (what, expected, got) in [
            ("settings", self.settings.clone(), other.settings.clone()),
            ("training examples", name(Some(self.data)), name(Some(other.data))),
            ("validation examples", name(self.validation), name(other.validation)),
        ] {
            if expected != got {
                return Err(Error::Resume { what, expected, got });
            }
        }
        Ok(())
    }
}

/// A digest (XXH3) of all numbers of the examples, their shape and their precision.
fn digest<T: Scalar>(data: &Dataset<T>) -> u64 {
    let mut digest = Xxh3::new();
    digest.update(T::NAME.as_bytes());
    for part in [data.inputs().as_slice(), data.targets().as_slice(), data.weights()] {
        let numbers = part.unwrap_or_default();
        digest.update(&(numbers.len() as u64).to_le_bytes());
        numbers.chunks(1024).for_each(|numbers| digest.update(&T::to_bytes(numbers)));
    }
    digest.digest()
}
