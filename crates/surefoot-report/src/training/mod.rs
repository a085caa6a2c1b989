//! The report of a training: one page with the data, the network, how it learned, and how good it is.

mod columns;
mod importance;
mod learning;
mod results;

use ndarray::Array2;
use surefoot::Task;
use surefoot::metrics::{classes, mae};
use surefoot_fit::{Judged, JudgedOn, Outcome, Scores};
use surefoot_table::{Encoding, Table, Targets};

use crate::markup::html::{Column, Html, html, page, table};
use crate::words::{count, in_words, listed, short};

/// All that the page of a training is made of.
pub struct TrainingReport<'a> {
    table: &'a Table,
    encoding: &'a Encoding,
    outcome: &'a Outcome,
    command: &'a str,
}

impl<'a> TrainingReport<'a> {
    /// The report of what was learned from this table. The `command` is that which makes the model again.
    ///
    /// `None` where it was learned from matrices, whose columns nothing is known of.
    pub fn new(table: &'a Table, outcome: &'a Outcome, command: &'a str) -> Option<Self> {
        let encoding = outcome.plan.encoding.as_ref()?;
        Some(TrainingReport { table, encoding, outcome, command })
    }

    /// The page.
    pub fn page(&self) -> Html {
        let file = self.table.file();
        let title = match self.encoding.is_autoencoder() {
            true => format!("An autoencoder of {file}"),
            false => format!("{} from {file}", self.encoding.target_columns.join(", ")),
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
        let mut body = html!("<h1>{}</h1>\n{}", title, self.answer());
        for (name, section) in sections {
            body += html!("<section>\n<h2>{}</h2>\n{}</section>\n", name, section);
        }
        page(&title, &body)
    }

    /// What the model reaches, in the order of the table of results.
    fn parts(&self) -> Vec<(&'static str, usize, Scores)> {
        let Outcome { plan, training, validation, test, .. } = self.outcome;
        let validated = match plan.is_ensemble() {
            true => ("out-of-fold", plan.rows),
            false => ("validation", plan.validation_rows),
        };
        let parts =
            [(("training", plan.rows), Some(*training)), (validated, *validation), (("test", plan.test_rows), *test)];
        parts.into_iter().filter_map(|((name, rows), scores)| Some((name, rows, scores?))).collect()
    }

    /// The predictions and the truth in the unit of the table.
    fn in_their_unit(&self) -> (Array2<f64>, Array2<f64>) {
        let Judged { outputs, targets, .. } = &self.outcome.judged;
        match &self.outcome.model.target_scaling {
            Some(scaling) => (scaling.revert(outputs.view()), scaling.revert(targets.view())),
            None => (outputs.clone(), targets.clone()),
        }
    }

    fn score(&self) -> f64 {
        self.outcome.plan.task.score(self.outcome.judged.outputs.view(), self.outcome.judged.targets.view())
    }

    fn score_name(&self) -> &'static str {
        self.outcome.plan.task.score_name()
    }

    /// Where the predictions come from, in words.
    fn judged_on(&self) -> String {
        let rows = count(self.outcome.judged.targets.nrows(), "row");
        match self.outcome.judged.on {
            JudgedOn::Test => format!("{rows} of the test part, which was used for nothing else"),
            JudgedOn::Validation => format!("{rows} of the validation part, which was also used for early stopping"),
            JudgedOn::OutOfFold => format!(
                "all {rows}, out-of-fold: each is predicted by the one network of the ensemble that did not train on it, though \
                 that network used it for early stopping"
            ),
            _ => format!("the {rows} of the training part, which says little about other rows"),
        }
    }

    fn answer(&self) -> Html {
        let judged = self.judged_on();
        let score = short(Some(self.score()));
        let mut html = match self.outcome.model.task {
            Task::Classification => {
                let truth = classes(self.outcome.judged.targets.view());
                let mut counts = vec![0usize; self.outcome.model.class_count()];
                truth.iter().for_each(|&class| counts[class] += 1);
                let most = counts.iter().copied().max().unwrap_or(0) as f64 / truth.len().max(1) as f64;
                html!(
                    "<p class=\"lead\">The predicted class is correct in <strong>{} %</strong> of the rows (accuracy {}). \
                     Always predicting the most common class would be correct in {} %.</p>\n<p>Measured on {}.</p>\n",
                    format!("{:.1}", 100.0 * self.score()),
                    score,
                    format!("{:.1}", 100.0 * most),
                    judged
                )
            }
            Task::Regression => {
                let (outputs, targets) = self.in_their_unit();
                let explained = match self.score() {
                    score if score > 0.0 => html!(
                        "The predictions explain <strong>{} %</strong> of the variance",
                        format!("{:.1}", 100.0 * score)
                    ),
                    _ => html!("The predictions are <strong>no better than always predicting the mean</strong>"),
                };
                html!(
                    "<p class=\"lead\">{} (R² {}); they are off by {} on average (mean absolute error).</p>\n\
                     <p>Measured on {}.</p>\n",
                    explained,
                    score,
                    short(Some(mae(outputs.view(), targets.view()))),
                    judged
                )
            }
        };
        if let Some(folds) = &self.outcome.folds {
            html += html!(
                "<p>Cross-validation with {} folds: {} {} ± {} (mean and standard deviation).</p>\n",
                folds.0.len(),
                self.score_name(),
                short(Some(folds.mean())),
                short(Some(folds.spread()))
            );
        }
        html
    }

    fn settings(&self) -> Html {
        let mut html =
            html!("<p>The command that reproduces this model, bit for bit:</p>\n<pre>{}</pre>\n", self.command);
        let row = |(name, value): (&String, &serde_json::Value)| {
            vec![Html::from(name.replace('_', " ")), in_words(value).into()]
        };
        let mut rows: Vec<Vec<Html>> = vec![
            vec!["loss".into(), self.outcome.model.loss.name().into()],
            vec!["weight decay".into(), self.outcome.plan.training.weight_decay.to_string().into()],
        ];
        rows.extend(
            self.outcome
                .model
                .training
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(_, value)| !value.is_null())
                .map(row),
        );
        html += table(&[Column::Text("setting"), Column::Text("value")], &rows);
        if let Targets::Classes(names) = &self.encoding.targets {
            html += html!("<p>Classes: {}.</p>\n", listed(names));
        }
        html
    }
}
