//! How a training went, for people and for programs.

use std::io::IsTerminal;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use surefoot::{BatchSize, Dataset, FirstOrder, Network, Objective, Optimizer, Scalar, StopReason, Task};

use super::data::Data;
use super::folds::Folds;
use super::plan::Plan;
use super::pretraining;
use super::recipe::initialization;
use super::session::Run;
use crate::arguments::{Precision, Settings};
use crate::curve::curve;
use crate::output::{count, short, thousands};

/// What came out of a training.
pub struct Summary {
    pub pretrained: Option<Pretrained>,
    /// How the training went, of each network where there are several.
    pub runs: Vec<Run>,
    /// Of the epochs of this process, with their validation passes, and nothing else.
    pub seconds: f64,
    pub training: Scores,
    /// On the validation part; of several networks on all rows, each by the network that had not learned from it.
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
    pub fn new<T: Scalar>(
        plan: &Plan,
        network: &Network,
        parameters: &[T],
        data: &Dataset<T>,
    ) -> surefoot::Result<Self> {
        let cost = plan.training.cost(network, plan.loss, data)?.cost(parameters);
        let outputs = network.predict(parameters, data.inputs())?;
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
    /// Epochs of all networks.
    pub fn epochs(&self) -> usize {
        self.runs.iter().map(|run| run.history.len()).sum()
    }

    fn steps(&self) -> u64 {
        self.runs.iter().map(|run| run.steps).sum()
    }

    fn evaluations(&self) -> u64 {
        self.runs.iter().map(|run| run.evaluations).sum()
    }

    /// Why the last network stopped, which is the first that went wrong where one did.
    pub fn stop_reason(&self) -> StopReason {
        self.runs.last().map_or(StopReason::Epochs, |run| run.stop_reason)
    }

    /// Whether there is anything to be said for the parameters.
    pub fn is_finite(&self) -> bool {
        self.training.cost.is_finite() && !matches!(self.stop_reason(), StopReason::NotFinite { .. })
    }

    fn examples_per_second(&self, plan: &Plan) -> f64 {
        let of = |(i, run): (usize, &Run)| {
            let rows = plan.members.get(i).map_or(plan.data.rows(), |member| member.learned.len());
            rows * run.history.len().saturating_sub(run.epochs_before)
        };
        self.runs.iter().enumerate().map(of).sum::<usize>() as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The last line of `--json`.
    pub fn json(&self, plan: &Plan, network: &Network, out: &Path, report: Option<&Path>) -> Value {
        json!({
            "event": "done", "stop_reason": self.stop_reason().name(), "epochs": self.epochs(), "steps": self.steps(),
            "members": self.runs.len(), "seconds": self.seconds, "examples_per_second": self.examples_per_second(plan),
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_score": self.validation.as_ref().map(|scores| scores.score),
            "test_score": self.test.as_ref().map(|scores| scores.score),
            "folds": self.folds.as_ref().map(Folds::json),
            "before_fine_tuning": self.pretrained.as_ref().map(Pretrained::json),
            "parameters": network.parameter_count(), "model": out.display().to_string(),
            "report": report.map(|path| path.display().to_string()),
        })
    }

    /// A small picture of the costs for a terminal; nothing where standard output is none.
    pub fn curve(&self) -> String {
        let Some(run) = self.runs.last().filter(|run| run.history.len() > 1 && std::io::stdout().is_terminal()) else {
            return String::new();
        };
        let costs: Vec<f64> = run.history.iter().map(|epoch| epoch.cost).collect();
        let validation: Vec<f64> = run.history.iter().filter_map(|epoch| epoch.validation_cost).collect();
        curve(&costs, &validation) + "\n"
    }

    /// The table that ends a training.
    pub fn table(&self, plan: &Plan, out: &Path, report: Option<&Path>) -> String {
        let held = plan.validation.as_ref().map_or(0, Dataset::rows);
        let mut parts = vec![("training", plan.data.rows(), Some(&self.training))];
        parts.push(match self.runs.len() {
            1 => ("validation", held, self.validation.as_ref()),
            _ => ("held back", plan.data.rows(), self.validation.as_ref()),
        });
        let test_rows = plan.test.as_ref().map_or(0, Dataset::rows);
        parts.extend(self.test.as_ref().map(|scores| ("test", test_rows, Some(scores))));
        let line = |name: &str, cells: Vec<String>| {
            cells.iter().fold(format!("{name:<10}"), |line, cell| format!("{line} {cell:>11}")) + "\n"
        };
        let numbers = |number: fn(&Scores) -> f64| parts.iter().map(|part| short(part.2.map(number))).collect();
        let speed = thousands(self.examples_per_second(plan) as u64);
        let mut text = format!("stopped    {}\n", self.stopped());
        text += &format!("time       {:.2} s, {speed} examples a second\n\n", self.seconds);
        text += &line("part", parts.iter().map(|part| part.0.to_string()).collect());
        text += &line("rows", parts.iter().map(|part| thousands(part.1 as u64)).collect());
        text += &line("cost", numbers(|scores| scores.cost));
        text += &line(score_name(plan.task), numbers(|scores| scores.score));
        if self.runs.len() > 1 {
            text += "(held back: each row by the network that had not learned from it but was stopped by it; their average errs less)\n";
        }
        text += &format!("\nmodel      {}\n", out.display());
        text + &report.map_or(String::new(), |path| format!("report     {}\n", path.display()))
    }

    /// When and why it stopped, in words.
    pub fn stopped(&self) -> String {
        let last = self.runs.last().filter(|run| matches!(run.stop_reason, StopReason::NotFinite { .. }));
        match (last, &self.runs[..]) {
            (Some(last), _) => last.stopped(self.validation.is_some()),
            (None, [run]) => run.stopped(self.validation.is_some()),
            (None, runs) => {
                let kept: Vec<String> = runs.iter().map(|run| run.best_epoch.to_string()).collect();
                let epochs = runs.iter().map(|run| run.history.len()).max().unwrap_or(0);
                format!(
                    "after {} networks of {}; kept are the parameters after epochs {}, averaged",
                    runs.len(),
                    count(epochs, "epoch"),
                    kept.join(", ")
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
                "by_width": settings.by_width,
            }),
            Optimizer::Lbfgs(settings) => json!({
                "name": "lbfgs", "history": settings.history,
                "gradient_tolerance": settings.gradient_tolerance, "cost_tolerance": settings.cost_tolerance,
            }),
        };
        json!({
            "program": concat!("surefoot ", env!("CARGO_PKG_VERSION")),
            "data": tables.table.file(), "rows": plan.data.rows(),
            "validation_rows": match plan.members.len() {
                0 => plan.validation.as_ref().map_or(0, Dataset::rows),
                _ => plan.data.rows(), // each of them once
            },
            "optimizer": optimizer, "schedule": plan.training.schedule.to_string(), "batch_size": batch_size,
            "initialization": initialization(settings).map_or_else(|| "by activation".into(), |init| init.to_string()),
            "pretraining": plan.pretraining.as_ref().zip(self.pretrained.as_ref()).map(|(settings, pretrained)| {
                pretraining::provenance(settings, &pretrained.costs)
            }),
            "seed": settings.seed,
            "precision": if settings.precision == Precision::F32 { "f32" } else { "f64" },
            "patience": plan.training.patience, "stop_reason": self.stop_reason().name(),
            "members": self.runs.len(), "network": plan.network.widths(),
            "epochs": self.epochs(), "best_epoch": match &self.runs[..] {
                [run] => json!(run.best_epoch),
                runs => json!(runs.iter().map(|run| run.best_epoch).collect::<Vec<_>>()),
            },
            "steps": self.steps(), "evaluations": self.evaluations(), "label_smoothing": plan.label_smoothing,
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_cost": self.validation.as_ref().map(|scores| scores.cost),
            "validation_score": self.validation.as_ref().map(|scores| scores.score),
        })
    }
}

impl Run {
    /// When and why it stopped, in words.
    fn stopped(&self, validates: bool) -> String {
        let epochs = self.history.len();
        let steps = match self.evaluations == self.steps {
            true => count(self.steps as usize, "step"),
            false => count(self.evaluations as usize, "evaluation"),
        };
        let after = format!("after {} ({steps})", count(epochs, "epoch"));
        let kept = format!("kept are the parameters after epoch {}", self.best_epoch);
        match self.stop_reason {
            StopReason::Epochs if self.best_epoch == epochs => format!("{after}, as many as allowed"),
            StopReason::Epochs => format!("{after}, as many as allowed; {kept}"),
            StopReason::Patience => {
                let watched = if validates { "validation" } else { "training" };
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
}
