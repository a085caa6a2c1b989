//! The report of a training: where it goes, and what it is made of.

mod importance;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ndarray::Array2;
use surefoot::{Dataset, GradientReport, Model, Scalar, check_writable, write_atomically};
use surefoot_report::{CrossValidation, Evaluated, Members, Part, Predictions, Run, TrainingReport, is_page};

use super::data::Data;
use super::plan::Plan;
use super::summary::{Scores, Summary};
use crate::arguments::Settings;
use crate::output::{keep_inputs, usage};
pub use importance::{Ranking, rank_columns};

/// Where the report goes, if it is wanted; that it takes the place of nothing else is seen before training.
pub fn path(settings: &Settings, inputs: &[&Path], model: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = match &settings.report {
        Some(path) if path.as_os_str() == "none" => return Ok(None),
        Some(path) => path.clone(),
        None if model.extension().is_some_and(|extension| extension == "safetensors") => model.with_extension("html"),
        None => {
            let mut name = model.as_os_str().to_os_string();
            name.push(".html");
            name.into()
        }
    };
    keep_inputs(&path, inputs)?;
    for (other, what) in [(Some(model), "model"), (settings.checkpoint.as_deref(), "checkpoint")] {
        let Some(other) = other else { continue };
        if std::path::absolute(&path)? == std::path::absolute(other)? {
            let message = format!("the report would take the place of the {what}, {}", other.display());
            return Err(usage(message, "--report FILE.html names another file, --report none leaves it out"));
        }
    }
    check_writable(&path).context("the report will have no place")?;
    if settings.report.is_none() && path.exists() && !is_report(&path) {
        let message = format!("{} is there, and is no report", path.display());
        return Err(usage(message, "--report FILE.html names another file, --report none leaves it out"));
    }
    Ok(Some(path))
}

/// Whether a file begins as our pages do.
fn is_report(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut start));
    read.is_ok() && is_page(&start)
}

/// The predictions that the network is judged by, and the truth, as the network sees them.
pub struct Measured {
    part: Part,
    outputs: Array2<f64>,
    targets: Array2<f64>,
}

impl Measured {
    /// Of `test`, `validation`, `held back` or `training`.
    pub fn new<T: Scalar>(part: &'static str, examples: &Dataset<T>, outputs: Array2<f64>) -> Self {
        let parts = [Part::Test, Part::Validation, Part::OutOfFold];
        let part = parts.into_iter().find(|other| other.name() == part).unwrap_or(Part::Training);
        Measured { part, outputs, targets: examples.targets().mapv(|y| y.to_f64()) }
    }
}

/// What the page is made of.
pub struct Report<'a> {
    pub tables: &'a Data,
    pub plan: &'a Plan,
    pub model: &'a Model,
    pub summary: &'a Summary,
    pub check: Option<GradientReport>,
    pub measured: Measured,
    pub ranking: Ranking,
    /// That makes this model again.
    pub command: String,
}

impl Report<'_> {
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let Report { tables, plan, model, summary, check, measured, ranking, command } = self;
        let report = TrainingReport {
            table: &tables.table,
            target: tables.target.as_ref(),
            encoding: &plan.encoding,
            left_out: &plan.left_out,
            model,
            training: &plan.training,
            label_smoothing: plan.label_smoothing,
            members: (!plan.members.is_empty())
                .then_some(Members { count: plan.members.len(), network: &plan.network }),
            check: check.as_ref(),
            runs: summary.runs.iter().map(|run| Run { history: &run.history, best_epoch: run.best_epoch }).collect(),
            stopped: &summary.stopped(),
            parts: self.parts(),
            cross_validation: summary.folds.as_ref().map(|folds| CrossValidation {
                folds: folds.0.len(),
                mean: folds.mean(),
                spread: folds.spread(),
            }),
            predictions: Predictions {
                part: measured.part,
                outputs: measured.outputs.view(),
                targets: measured.targets.view(),
            },
            ranking: ranking.as_deref(),
            command,
        };
        Ok(write_atomically(path, report.page().as_str().as_bytes())?)
    }

    fn parts(&self) -> Vec<Evaluated> {
        let Report { plan, summary, .. } = self;
        let rows = |part: &Option<Dataset<f64>>| part.as_ref().map_or(0, Dataset::rows);
        let held = match plan.members.is_empty() {
            true => (Part::Validation, rows(&plan.validation)),
            false => (Part::OutOfFold, plan.data.rows()),
        };
        let evaluated = |(part, rows): (Part, usize), scores: Option<&Scores>| {
            scores.map(|&Scores { cost, score }| Evaluated { part, rows, cost, score })
        };
        let parts = [
            evaluated((Part::Training, plan.data.rows()), Some(&summary.training)),
            evaluated(held, summary.validation.as_ref()),
            evaluated((Part::Test, rows(&plan.test)), summary.test.as_ref()),
        ];
        parts.into_iter().flatten().collect()
    }
}
