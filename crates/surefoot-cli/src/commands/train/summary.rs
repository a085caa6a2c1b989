//! How a training went, for people and for programs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use surefoot::{BatchSize, Dataset, FirstOrder, Objective, Optimizer, Scalar, StopReason, Task};

use super::data::Data;
use super::folds::Folds;
use super::plan::Plan;
use super::pretraining;
use crate::arguments::{Precision, Settings};
use crate::output::{count, short, thousands};

/// What came out of a training.
pub struct Summary {
    pub pretrained: Option<Pretrained>,
    pub stop_reason: StopReason,
    /// The epoch whose parameters were kept.
    pub best_epoch: usize,
    pub epochs: usize,
    /// Those of them that an earlier process did.
    pub epochs_before: usize,
    pub steps: u64,
    pub evaluations: u64,
    /// Of the others with their validation passes, and nothing else.
    pub seconds: f64,
    pub training: Scores,
    pub validation: Option<Scores>,
    pub test: Option<Scores>,
    /// The score on each part of a cross-validation.
    pub folds: Option<Folds>,
}

/// What the parameters that were kept reach on a part of the data.
#[derive(Clone, Serialize, Deserialize)]
pub struct Scores {
    /// J(θ), weight decay included.
    pub cost: f64,
    /// Accuracy or R².
    pub score: f64,
}

impl Scores {
    pub fn new<T: Scalar>(plan: &Plan, parameters: &[T], data: &Dataset<T>) -> surefoot::Result<Self> {
        let cost = plan.training.cost(&plan.network, plan.loss, data)?.cost(parameters);
        let outputs = plan.network.predict(parameters, data.inputs())?;
        Ok(Scores { cost, score: plan.task.score(outputs.view(), data.targets()) })
    }
}

/// What came out of pretraining.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pretrained {
    /// What each layer's own training came to.
    pub costs: Vec<f64>,
    /// Of the whole network before the fine-tuning.
    pub training: Scores,
    pub validation: Option<Scores>,
}

impl Pretrained {
    /// What the network reaches so far.
    pub fn line(&self, plan: &Plan) -> String {
        let score = |scores: &Scores| short(Some(scores.score));
        let validation =
            self.validation.as_ref().map_or(String::new(), |scores| format!(", validation {}", score(scores)));
        format!("\n{} before fine-tuning: training {}{validation}\n", score_name(plan.task), score(&self.training))
    }

    fn json(&self) -> Value {
        json!({
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_score": self.validation.as_ref().map(|scores| scores.score),
        })
    }
}

pub fn score_name(task: Task) -> &'static str {
    match task {
        Task::Classification => "accuracy",
        Task::Regression => "R²",
    }
}

impl Summary {
    fn examples_per_second(&self, plan: &Plan) -> f64 {
        (plan.data.rows() * (self.epochs - self.epochs_before)) as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The last line of `--json`.
    pub fn json(&self, plan: &Plan, out: &Path) -> Value {
        json!({
            "event": "done", "stop_reason": self.stop_reason.name(), "epochs": self.epochs, "steps": self.steps,
            "seconds": self.seconds, "examples_per_second": self.examples_per_second(plan),
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_score": self.validation.as_ref().map(|scores| scores.score),
            "test_score": self.test.as_ref().map(|scores| scores.score),
            "folds": self.folds.as_ref().map(Folds::json),
            "before_fine_tuning": self.pretrained.as_ref().map(Pretrained::json),
            "parameters": plan.network.parameter_count(), "model": out.display().to_string(),
        })
    }

    /// The table that ends a training.
    pub fn table(&self, plan: &Plan, out: &Path) -> String {
        let rows = |data: &Option<Dataset<f64>>| data.as_ref().map_or(0, Dataset::rows);
        let mut parts = vec![
            ("training", plan.data.rows(), Some(&self.training)),
            ("validation", rows(&plan.validation), self.validation.as_ref()),
        ];
        parts.extend(self.test.as_ref().map(|scores| ("test", rows(&plan.test), Some(scores))));
        let line = |name: &str, cells: Vec<String>| {
            cells.iter().fold(format!("{name:<10}"), |line, cell| format!("{line} {cell:>11}")) + "\n"
        };
        let numbers = |number: fn(&Scores) -> f64| parts.iter().map(|part| short(part.2.map(number))).collect();
        let speed = thousands(self.examples_per_second(plan) as u64);
        format!("stopped    {}\ntime       {:.2} s, {speed} examples a second\n\n", self.stopped(), self.seconds)
            + &line("part", parts.iter().map(|part| part.0.to_string()).collect())
            + &line("rows", parts.iter().map(|part| part.1.to_string()).collect())
            + &line("cost", numbers(|scores| scores.cost))
            + &line(score_name(plan.task), numbers(|scores| scores.score))
            + &format!("\nmodel      {}\n", out.display())
    }

    /// When and why it stopped, in words.
    pub fn stopped(&self) -> String {
        let steps = match self.evaluations == self.steps {
            true => count(self.steps as usize, "step"),
            false => count(self.evaluations as usize, "evaluation"),
        };
        let after = format!("after {} ({steps})", count(self.epochs, "epoch"));
        let kept = format!("kept are the parameters after epoch {}", self.best_epoch);
        match self.stop_reason {
            StopReason::Epochs if self.best_epoch == self.epochs => format!("{after}, as many as allowed"),
            StopReason::Epochs => format!("{after}, as many as allowed; {kept}"),
            StopReason::Patience => {
                let watched = if self.validation.is_some() { "validation" } else { "training" };
                format!("{after}, as the {watched} cost no longer fell; {kept}")
            }
            StopReason::Converged => {
                format!("{after}, as the gradient or the fall of the cost was within its tolerance")
            }
            StopReason::LineSearch => format!("{after}, as no step along the line lowered the cost any more"),
            StopReason::Observer => format!("{after}, as asked"),
            StopReason::NotFinite { epoch, step, layer, learning_rate } => {
                let what = match layer {
                    Some(layer) => format!("the gradient of layer {layer}"),
                    None => "the cost".into(),
                };
                format!(
                    "in epoch {epoch}, step {step}, where {what} was not finite (learning rate {learning_rate}); \
                     kept are the last parameters with a finite cost"
                )
            }
        }
    }

    /// How the model came to be, for its file.
    pub fn provenance(&self, settings: &Settings, tables: &Data, plan: &Plan) -> Value {
        let batch_size = match plan.training.batch_size {
            Some(BatchSize::Rows(rows)) => json!(rows),
            Some(BatchSize::Full) | None => json!("full"),
        };
        let optimizer = match plan.training.optimizer {
            Optimizer::FirstOrder(FirstOrder::GradientDescent(settings)) => json!({
                "name": "gradient-descent", "learning_rate": settings.learning_rate, "momentum": settings.momentum,
            }),
            Optimizer::FirstOrder(FirstOrder::Adam(settings)) => json!({
                "name": "adam", "learning_rate": settings.learning_rate,
                "beta1": settings.beta1, "beta2": settings.beta2, "epsilon": settings.epsilon,
            }),
            Optimizer::Lbfgs(settings) => json!({
                "name": "lbfgs", "history": settings.history,
                "gradient_tolerance": settings.gradient_tolerance, "cost_tolerance": settings.cost_tolerance,
            }),
        };
        json!({
            "program": concat!("surefoot ", env!("CARGO_PKG_VERSION")),
            "data": tables.table.file(), "rows": plan.data.rows(),
            "validation_rows": plan.validation.as_ref().map_or(0, |data| data.rows()),
            "optimizer": optimizer, "schedule": plan.training.schedule.to_string(), "batch_size": batch_size,
            "initialization": settings.init.map_or_else(|| "by activation".into(), |init| init.to_string()),
            "pretraining": plan.pretraining.as_ref().zip(self.pretrained.as_ref()).map(|(settings, pretrained)| {
                pretraining::provenance(settings, &pretrained.costs)
            }),
            "seed": settings.seed,
            "precision": if settings.precision == Precision::F32 { "f32" } else { "f64" },
            "patience": plan.training.patience, "stop_reason": self.stop_reason.name(),
            "epochs": self.epochs, "best_epoch": self.best_epoch, "steps": self.steps,
            "evaluations": self.evaluations,
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_cost": self.validation.as_ref().map(|scores| scores.cost),
            "validation_score": self.validation.as_ref().map(|scores| scores.score),
        })
    }
}
