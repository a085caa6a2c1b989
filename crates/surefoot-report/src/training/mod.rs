//! The report of a training: one page with the data, the network, how it learned, and how good it is.

mod columns;
mod importance;
mod learning;
mod results;

use ndarray::{Array2, ArrayView2};
use surefoot::metrics::{classes, mae};
use surefoot::{Epoch, GradientReport, Importance, Model, Network, Task, Training};
use surefoot_table::{Encoding, LeftOut, Table, Target, Targets};

use crate::markup::html::{Column, Html, html, page, table};
use crate::words::{count, in_words, listed, short};

/// All that the page of a training is made of.
pub struct TrainingReport<'a> {
    /// The table that was learned from.
    pub table: &'a Table,
    /// What was to be predicted; `None`: the inputs themselves.
    pub target: Option<&'a Target>,
    /// How columns became inputs.
    pub encoding: &'a Encoding,
    /// The columns that are no inputs, and why.
    pub left_out: &'a [(String, LeftOut)],
    /// What was trained, with how it came to be.
    pub model: &'a Model,
    /// The settings of the training.
    pub training: &'a Training,
    /// ε of the targets that were learned from.
    pub label_smoothing: f64,
    /// Where several networks were trained and averaged into the model.
    pub members: Option<Members<'a>>,
    /// The check of the gradient before training; `None` where it was not wanted.
    pub check: Option<&'a GradientReport>,
    /// How the training went, of each network where there are several.
    pub runs: Vec<Run<'a>>,
    /// When and why it stopped, in words that go after "Stopped".
    pub stopped: &'a str,
    /// What the model reaches, in the order of the table of results; the training part is one of them.
    pub parts: Vec<Evaluated>,
    /// The scores of a cross-validation.
    pub cross_validation: Option<CrossValidation>,
    /// The predictions that the model is judged by.
    pub predictions: Predictions<'a>,
    /// What the score loses without each column, the greatest first; `None` where it was not measured.
    pub ranking: Option<&'a [(String, Importance)]>,
    /// The command that makes this model again.
    pub command: &'a str,
}

/// Networks that were averaged into one.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    /// How many they are.
    pub count: usize,
    /// The shape of each.
    pub network: &'a Network,
}

/// How the training of one network went.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Its epochs.
    pub history: &'a [Epoch],
    /// The epoch whose parameters were kept; 0 for the start.
    pub best_epoch: usize,
}

/// Rows, by what was done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Learned from.
    Training,
    /// Not learned from; they decided when to stop.
    Validation,
    /// Each judged by the one of several networks that did not learn from it.
    OutOfFold,
    /// Nothing was decided by them.
    Test,
}

impl Part {
    /// As the page calls it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Training => "training",
            Part::Validation => "validation",
            Part::OutOfFold => "held back",
            Part::Test => "test",
        }
    }
}

/// What the model reaches on a part of the data.
#[derive(Clone, Copy)]
pub struct Evaluated {
    /// Which.
    pub part: Part,
    /// How many rows it has.
    pub rows: usize,
    /// J(θ) on it, weight decay included.
    pub cost: f64,
    /// Accuracy or R² on it.
    pub score: f64,
}

/// The scores of a cross-validation.
#[derive(Clone, Copy)]
pub struct CrossValidation {
    /// How many there are.
    pub folds: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub spread: f64,
}

/// The predictions that the model is judged by, and the truth, as the network sees them (rows × outputs).
pub struct Predictions<'a> {
    /// The rows they are of.
    pub part: Part,
    /// h(x).
    pub outputs: ArrayView2<'a, f64>,
    /// y.
    pub targets: ArrayView2<'a, f64>,
}

impl TrainingReport<'_> {
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

    /// The predictions and the truth in the unit of the table.
    fn in_their_unit(&self) -> (Array2<f64>, Array2<f64>) {
        let Predictions { outputs, targets, .. } = &self.predictions;
        match &self.model.target_scaling {
            Some(scaling) => (scaling.revert(outputs.view()), scaling.revert(targets.view())),
            None => (outputs.to_owned(), targets.to_owned()),
        }
    }

    fn score(&self) -> f64 {
        self.model.task.score(self.predictions.outputs.view(), self.predictions.targets.view())
    }

    fn score_name(&self) -> &'static str {
        match self.model.task {
            Task::Classification => "accuracy",
            Task::Regression => "R²",
        }
    }

    /// The rows of a part; `None` where there is no such part.
    fn rows_of(&self, part: Part) -> Option<usize> {
        self.parts.iter().find(|evaluated| evaluated.part == part).map(|evaluated| evaluated.rows)
    }

    /// Where the predictions come from, in words.
    fn judged_on(&self) -> String {
        let rows = count(self.predictions.targets.nrows(), "row");
        match self.predictions.part {
            Part::Test => format!("{rows} of the test part, which nothing was decided by"),
            Part::Validation => format!("{rows} of the validation part, which also decided when to stop"),
            Part::OutOfFold => {
                format!(
                    "all {rows}, each predicted by the one of the averaged networks that had not learned from it, though it helped \
                 to decide when that one stopped"
                )
            }
            Part::Training => format!("the {rows} that were learned from, which says little about others"),
        }
    }

    fn answer(&self) -> Html {
        let judged = self.judged_on();
        let score = short(Some(self.score()));
        let mut html = match self.model.task {
            Task::Classification => {
                let truth = classes(self.predictions.targets.view());
                let mut counts = vec![0usize; self.model.class_count()];
                truth.iter().for_each(|&class| counts[class] += 1);
                let most = counts.iter().copied().max().unwrap_or(0) as f64 / truth.len().max(1) as f64;
                html!(
                    "<p class=\"lead\">The class is right in <strong>{} %</strong> of the rows (accuracy {}). To say \
                     always the commonest class would be right in {} %.</p>\n<p>Measured on {}.</p>\n",
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
                        "The prediction explains <strong>{} %</strong> of the variance",
                        format!("{:.1}", 100.0 * score)
                    ),
                    _ => html!("The prediction is <strong>no better than always saying the mean</strong>"),
                };
                html!(
                    "<p class=\"lead\">{} (R² {}); it is off by {} on average (mean absolute error).</p>\n\
                     <p>Measured on {}.</p>\n",
                    explained,
                    score,
                    short(Some(mae(outputs.view(), targets.view()))),
                    judged
                )
            }
        };
        if let Some(CrossValidation { folds, mean, spread }) = self.cross_validation {
            html += html!(
                "<p>Cross-validation on {} parts: {} {} ± {} (mean and standard deviation).</p>\n",
                folds,
                self.score_name(),
                short(Some(mean)),
                short(Some(spread))
            );
        }
        html
    }

    fn settings(&self) -> Html {
        let mut html =
            html!("<p>The command that makes this model again, to the same bits:</p>\n<pre>{}</pre>\n", self.command);
        let row = |(name, value): (&String, &serde_json::Value)| {
            vec![Html::from(name.replace('_', " ")), in_words(value).into()]
        };
        let mut rows: Vec<Vec<Html>> = vec![
            vec!["loss".into(), self.model.loss.name().into()],
            vec!["weight decay".into(), self.training.weight_decay.to_string().into()],
        ];
        rows.extend(
            self.model.training.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(row),
        );
        html += table(&[Column::Text("setting"), Column::Text("value")], &rows);
        if let Targets::Classes(names) = &self.encoding.targets {
            html += html!("<p>Classes: {}.</p>\n", listed(names));
        }
        html
    }
}
