//! The report of a training: one page with the data, the network, how it learned, and how good it is.

mod columns;
mod importance;
mod learning;
mod results;

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ndarray::Array2;
use surefoot::metrics::{classes, mae};
use surefoot::{Dataset, GradientReport, Model, Scalar, Task, check_writable, write_atomically};
use surefoot_table::Targets;

use super::data::Data;
use super::plan::Plan;
use super::summary::{Summary, score_name};
use crate::arguments::Settings;
use crate::commands::show::in_words;
use crate::output::{count, keep_inputs, listed, short, usage};
use crate::page::html::{Column, GENERATOR, escape, page, table};
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
    read.is_ok() && String::from_utf8_lossy(&start).contains(GENERATOR)
}

/// The predictions that the network is judged by, and the truth, as the network sees them.
pub struct Measured {
    /// `test`, `validation`, `held back` or `training`.
    part: &'static str,
    outputs: Array2<f64>,
    targets: Array2<f64>,
}

impl Measured {
    pub fn new<T: Scalar>(part: &'static str, examples: &Dataset<T>, outputs: Array2<f64>) -> Self {
        Measured { part, outputs, targets: examples.targets().mapv(|y| y.to_f64()) }
    }
}

/// All that the page is made of.
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
        Ok(write_atomically(path, self.page().as_bytes())?)
    }

    fn page(&self) -> String {
        let file = self.tables.table.file();
        let title = match self.plan.encoding.is_autoencoder() {
            true => format!("An autoencoder of {file}"),
            false => format!("{} from {file}", self.plan.encoding.target_columns.join(", ")),
        };
        let sections = [
            ("Data", self.data()),
            ("Network", self.network()),
            ("Gradient check", self.gradient_check()),
            ("Learning", self.learning()),
            ("Results", self.results()),
            ("Which inputs matter", self.importance()),
            ("Settings", self.settings()),
        ];
        let mut body = format!("<h1>{}</h1>\n{}", escape(&title), self.answer());
        for (name, section) in sections {
            let _ = write!(body, "<section>\n<h2>{name}</h2>\n{section}</section>\n");
        }
        page(&title, &body)
    }

    /// The predictions and the truth in the unit of the table.
    fn in_their_unit(&self) -> (Array2<f64>, Array2<f64>) {
        let Measured { outputs, targets, .. } = &self.measured;
        match &self.model.target_scaling {
            Some(scaling) => (scaling.revert(outputs.view()), scaling.revert(targets.view())),
            None => (outputs.clone(), targets.clone()),
        }
    }

    fn score(&self) -> f64 {
        self.plan.task.score(self.measured.outputs.view(), self.measured.targets.view())
    }

    /// Where the predictions come from, in words.
    fn judged_on(&self) -> String {
        let rows = count(self.measured.targets.nrows(), "row");
        match self.measured.part {
            "test" => format!("{rows} of the test part, which nothing was decided by"),
            "validation" => format!("{rows} of the validation part, which also decided when to stop"),
            "held back" => {
                format!(
                    "all {rows}, each predicted by the one of the averaged networks that had not learned from it, though it helped \
                 to decide when that one stopped"
                )
            }
            _ => format!("the {rows} that were learned from, which says little about others"),
        }
    }

    fn answer(&self) -> String {
        let judged = self.judged_on();
        let score = short(Some(self.score()));
        let mut html = match self.plan.task {
            Task::Classification => {
                let truth = classes(self.measured.targets.view());
                let mut counts = vec![0usize; self.model.class_count()];
                truth.iter().for_each(|&class| counts[class] += 1);
                let most = counts.iter().copied().max().unwrap_or(0) as f64 / truth.len().max(1) as f64;
                format!(
                    "<p class=\"lead\">The class is right in <strong>{:.1} %</strong> of the rows (accuracy {score}). To say \
                     always the commonest class would be right in {:.1} %.</p>\n<p>Measured on {judged}.</p>\n",
                    100.0 * self.score(),
                    100.0 * most
                )
            }
            Task::Regression => {
                let (outputs, targets) = self.in_their_unit();
                let explained = match self.score() {
                    score if score > 0.0 => {
                        format!("The prediction explains <strong>{:.1} %</strong> of the variance", 100.0 * score)
                    }
                    _ => "The prediction is <strong>no better than always saying the mean</strong>".into(),
                };
                format!(
                    "<p class=\"lead\">{explained} (R² {score}); it is off by {} on average (mean absolute error).</p>\n\
                     <p>Measured on {judged}.</p>\n",
                    short(Some(mae(outputs.view(), targets.view())))
                )
            }
        };
        if let Some(folds) = &self.summary.folds {
            let _ = writeln!(
                html,
                "<p>Cross-validation on {} parts: {} {} ± {} (mean and standard deviation).</p>",
                folds.0.len(),
                score_name(self.plan.task),
                short(Some(folds.mean())),
                short(Some(folds.spread()))
            );
        }
        html
    }

    fn settings(&self) -> String {
        let command = escape(&self.command);
        let mut html =
            format!("<p>The command that makes this model again, to the same bits:</p>\n<pre>{command}</pre>\n");
        let row = |(name, value): (&String, &serde_json::Value)| {
            vec![escape(&name.replace('_', " ")), escape(&in_words(value))]
        };
        let mut rows: Vec<Vec<String>> = vec![
            vec!["loss".into(), self.plan.loss.to_string()],
            vec!["weight decay".into(), self.plan.training.weight_decay.to_string()],
        ];
        rows.extend(
            self.model.training.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(row),
        );
        html += &table(&[Column::Text("setting"), Column::Text("value")], &rows);
        if let Targets::Classes(names) = &self.plan.encoding.targets {
            let _ = writeln!(html, "<p>Classes: {}.</p>", escape(&listed(names)));
        }
        html
    }
}
