//! What comes out of a fit.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use surefoot::importance::Importance;
use surefoot::{
    DatasetView, Epoch, GradientReport, Model, Network, Problem, Ranks, Scalar, StopReason, merge_ensemble,
};

use crate::error::Result;
use crate::plan::Plan;

/// A trained model, and how it came to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// With all that a prediction needs.
    pub model: Model,
    /// What was decided before training.
    pub plan: Plan,
    /// The gradient check; `None` where it was skipped.
    pub check: Option<GradientReport>,
    /// How the training went, of each network where there are several.
    pub runs: Vec<Run>,
    /// Of the epochs of this process, with their validation passes, and nothing else.
    pub seconds: f64,
    /// What pretraining came to.
    pub pretrained: Option<Pretrained>,
    /// On the training rows.
    pub training: Scores,
    /// On the validation rows; of an ensemble out-of-fold, on all training rows: each by the one network that did not train on
    /// it, though that network used it for early stopping.
    pub validation: Option<Scores>,
    /// On the test rows.
    pub test: Option<Scores>,
    /// Of the cross-validation.
    pub folds: Option<Folds>,
    /// The predictions that the model is judged by.
    pub judged: Judged,
    /// What makes the score doubtful, in a sentence each: few rows, a column that gives nearly all of it.
    pub warnings: Vec<String>,
    /// What the score loses without each column, the greatest first; `None` where it was not asked for, or would take too
    /// long.
    pub importance: Option<Vec<(String, Importance)>>,
}

impl Outcome {
    /// Why the last network stopped, which is the first that went wrong where one did.
    pub fn stop_reason(&self) -> StopReason {
        self.runs.last().map_or(StopReason::Epochs, |run| run.stop_reason)
    }

    /// Whether there is anything to be said for the parameters.
    pub fn is_finite(&self) -> bool {
        self.training.cost.is_finite() && !matches!(self.stop_reason(), StopReason::NotFinite { .. })
    }

    /// Epochs of all networks.
    pub fn epochs(&self) -> usize {
        self.runs.iter().map(|run| run.history.len()).sum()
    }

    /// Steps of all networks.
    pub fn steps(&self) -> u64 {
        self.runs.iter().map(|run| run.steps).sum()
    }

    /// Evaluations of the gradient of all networks.
    pub fn evaluations(&self) -> u64 {
        self.runs.iter().map(|run| run.evaluations).sum()
    }

    /// Examples that went through a step in a second, in this process.
    pub fn examples_per_second(&self) -> f64 {
        let of = |(i, run): (usize, &Run)| {
            let rows = self.plan.members.get(i).map_or(self.plan.rows, |member| member.training.len());
            rows * run.history.len().saturating_sub(run.epochs_before)
        };
        self.runs.iter().enumerate().map(of).sum::<usize>() as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// How a training went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// The epoch whose parameters were kept.
    pub best_epoch: usize,
    /// Every epoch.
    #[serde(with = "finite")]
    pub history: Vec<Epoch>,
    /// The epochs that were done before this process.
    pub epochs_before: usize,
    /// Updates of θ.
    pub steps: u64,
    /// Evaluations of the gradient.
    pub evaluations: u64,
    /// Of the epochs of this process, with their validation passes, and nothing else.
    pub seconds: f64,
}

/// JSON has no NaN and no infinity.
mod finite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use surefoot::Epoch;

    /// Cost, validation cost, validation score and learning rate.
    type Numbers = [Option<f64>; 4];

    pub fn serialize<S: Serializer>(history: &[Epoch], serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = |epoch: &Epoch| -> Numbers {
            let Epoch { cost, validation_cost, validation_score, learning_rate, .. } = *epoch;
            [Some(cost), validation_cost, validation_score, Some(learning_rate)]
                .map(|number| number.filter(|number| number.is_finite()))
        };
        history.iter().map(numbers).collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Epoch>, D::Error> {
        let epoch = |(i, numbers): (usize, Numbers)| {
            let [cost, validation_cost, validation_score, learning_rate] = numbers;
            let or_nan = |number: Option<f64>| number.unwrap_or(f64::NAN);
            Epoch {
                epoch: i + 1,
                cost: or_nan(cost),
                validation_cost,
                validation_score,
                learning_rate: or_nan(learning_rate),
            }
        };
        Ok(Vec::<Numbers>::deserialize(deserializer)?.into_iter().enumerate().map(epoch).collect())
    }
}

/// What parameters reach on a part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// J(θ), weight decay included.
    pub cost: f64,
    /// Accuracy or R².
    pub score: f64,
}

impl Scores {
    /// Of a network, or an ensemble, whose cost is that of the network that it [merges](merge_ensemble) into. The ranks share the passes
    /// over the data.
    pub(crate) fn new<T: Scalar>(
        plan: &Plan,
        parameters: &[T],
        data: DatasetView<'_, T>,
        ranks: Option<&dyn Ranks>,
    ) -> Result<Self> {
        let evaluate = |network: &Network, parameters: &[T]| {
            let problem = Problem { task: plan.task, ..Problem::new(network, plan.loss, data) }.with_ranks(ranks);
            plan.training.evaluate(&problem, parameters)
        };
        if parameters.len() == plan.network.parameter_count() {
            let (cost, score) = evaluate(&plan.network, parameters)?;
            return Ok(Scores { cost, score });
        }
        let (merged, theta) = merge_ensemble(&plan.network, parameters)?;
        let (cost, _) = evaluate(&merged, &theta)?;
        let outputs = plan.network.predict_ensemble(parameters, data.inputs().view())?;
        Ok(Scores { cost, score: plan.task.score(outputs.view(), data.targets().view()) })
    }
}

/// What pretraining came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pretrained {
    /// Of each layer's own training.
    pub costs: Vec<f64>,
    /// Of the whole network before the fine-tuning.
    pub training: Scores,
    /// The same on the validation rows.
    pub validation: Option<Scores>,
}

/// The score on each fold, by a model that was trained on the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Folds(pub Vec<f64>);

impl Folds {
    /// Of the scores.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation of the scores, with one less than their number below the sum.
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / (self.0.len() - 1) as f64).sqrt()
    }
}

/// Where the predictions come from that a model is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JudgedOn {
    /// The test rows, which nothing was decided by.
    Test,
    /// The validation rows, which also decided when to stop.
    Validation,
    /// The training rows, each by the one network of the ensemble that did not train on it.
    OutOfFold,
    /// The training rows.
    Training,
}

/// Predictions and the truth, as the network sees them.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where they come from.
    pub on: JudgedOn,
    /// The outputs (m × K).
    pub outputs: Array2<f64>,
    /// The targets (m × K).
    pub targets: Array2<f64>,
}

impl Judged {
    pub(crate) fn new<T: Scalar>(on: JudgedOn, data: DatasetView<'_, T>, outputs: Array2<f64>) -> Self {
        Judged { on, outputs, targets: data.targets().mapv(|y| y.to_f64()) }
    }
}
