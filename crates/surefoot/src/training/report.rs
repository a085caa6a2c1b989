//! What training tells: its epochs, why it ended, and what it gives.

use serde::{Deserialize, Serialize};

/// What happened in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs were done.
    Epochs,
    /// The monitored cost had not fallen for as many epochs as the patience allows.
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
    /// θ: the best by the monitored cost, or where the run ended when none was monitored.
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
