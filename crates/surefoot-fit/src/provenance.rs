//! How a model came to be, for its file.

use serde_json::{Value, json};
use surefoot::optimizer::FirstOrder;
use surefoot::{BatchSize, Optimizer};
use surefoot_table::in_sentences;

use crate::options::Options;
use crate::outcome::{Pretrained, Run, Scores};
use crate::plan::Plan;
use crate::pretraining;

/// What is known when the training has ended.
pub(crate) struct Provenance<'a> {
    pub options: &'a Options,
    pub plan: &'a Plan,
    pub runs: &'a [Run],
    pub pretrained: Option<&'a Pretrained>,
    pub training: Scores,
    pub validation: Option<Scores>,
}

impl Provenance<'_> {
    /// A JSON object for people to read.
    pub fn json(&self) -> Value {
        let Provenance { options, plan, runs, .. } = self;
        let batch_size = match plan.training.batch_size {
            Some(BatchSize::Rows(rows)) => json!(rows),
            Some(BatchSize::Full) | None => json!("full"),
        };
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        json!({
            "program": concat!("surefoot ", env!("CARGO_PKG_VERSION")),
            "notes": (!plan.notes.is_empty()).then(|| in_sentences(&plan.notes)),
            "rows": plan.rows,
            "validation_rows": if plan.is_ensemble() { plan.rows } else { plan.validation_rows }, // each of them once
            "optimizer": optimizer(&plan.training.optimizer), "schedule": plan.training.schedule,
            "batch_size": batch_size, "shuffle_window": plan.training.shuffle_window,
            "initialization": plan.initialization.map_or_else(|| "by activation".into(), |init| init.to_string()),
            "pretraining": plan.pretraining.as_ref().zip(self.pretrained).map(|(settings, pretrained)| {
                pretraining::provenance(settings, &pretrained.costs)
            }),
            "seed": options.seed, "precision": options.precision, "patience": plan.training.patience,
            "stop_reason": runs.last().map(|run| run.stop_reason.name()),
            "ensemble": runs.len(), "network": plan.network.widths(),
            "epochs": runs.iter().map(|run| run.history.len()).sum::<usize>(),
            "best_epoch": match runs {
                [run] => json!(run.best_epoch),
                runs => json!(runs.iter().map(|run| run.best_epoch).collect::<Vec<_>>()),
            },
            "steps": sum(|run| run.steps), "evaluations": sum(|run| run.evaluations),
            "label_smoothing": plan.training.label_smoothing,
            "cost": self.training.cost, "train_score": self.training.score,
            "validation_cost": self.validation.map(|scores| scores.cost),
            "validation_score": self.validation.map(|scores| scores.score),
        })
    }
}

fn optimizer(optimizer: &Optimizer) -> Value {
    match optimizer {
        Optimizer::FirstOrder(FirstOrder::GradientDescent(settings)) => json!({
            "name": "gradient-descent", "learning_rate": settings.learning_rate, "momentum": settings.momentum,
        }),
        Optimizer::FirstOrder(FirstOrder::Adam(settings)) => json!({
            "name": "adam", "learning_rate": settings.learning_rate, "beta1": settings.beta1, "beta2": settings.beta2,
            "epsilon": settings.epsilon, "parametrization": if settings.ntp { "ntp" } else { "standard" },
        }),
        Optimizer::Lbfgs(settings) => json!({
            "name": "lbfgs", "history": settings.history,
            "gradient_tolerance": settings.gradient_tolerance, "cost_tolerance": settings.cost_tolerance,
        }),
        other => json!({"name": format!("{other:?}")}),
    }
}
