//! The report of a training: one page with the data, the network, how it learned, and how good it is.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use surefoot::metrics::{Confusion, classes, log_loss, mae, r_squared, rmse};
use surefoot::{
    Dataset, Epoch, GradientReport, Importance, Model, Network, Purpose, Random, Scalar, Task, permutation_importance,
    write_atomically,
};
use surefoot_table::{Kind, Table, Targets};

use super::data::Data;
use super::plan::Plan;
use super::summary::{Summary, score_name};
use crate::arguments::Settings;
use crate::commands::show::in_words;
use crate::output::{count, listed, short, thousands};
use crate::page::diagram::{Names, diagram};
use crate::page::formula::inline;
use crate::page::html::{Column, escape, figure, page, table};
use crate::page::plot::{Axis, Mark, Scale, Series, bars, histogram, plot, ranking};

/// The columns that the page lists; of more the first. Those after some are folded away.
const MOST_COLUMNS: usize = 200;
const OPEN_COLUMNS: usize = 20;
/// The classes of a confusion matrix; of more the commonest confusions are listed.
const MOST_CLASSES: usize = 20;
/// The points of predicted against true numbers.
const MOST_POINTS: usize = 1000;
/// The inputs in the ranking.
const MOST_RANKED: usize = 25;
/// What the importance of inputs may cost, in rows × parameters, and for how many columns it is taken.
const AFFORDABLE: usize = 20_000_000_000;
const MOST_IMPORTANCES: usize = 300;
const IMPORTANCE_ROWS: usize = 2000;
const REPEATS: usize = 5;

/// Where the report goes, if it is wanted.
pub fn path(settings: &Settings, model: &Path) -> Option<PathBuf> {
    match &settings.report {
        Some(path) if path.as_os_str() == "none" => None,
        Some(path) => Some(path.clone()),
        None => Some(model.with_extension("html")),
    }
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

/// What the score loses without each column, the greatest first; `None` where that would take too long.
pub type Ranking = Option<Vec<(String, Importance)>>;

/// The importance of the columns on these examples, or on some of them.
pub fn rank_columns<T: Scalar>(
    network: &Network,
    parameters: &[T],
    plan: &Plan,
    examples: &Dataset<T>,
) -> surefoot::Result<Ranking> {
    let groups = plan.encoding.input_groups();
    let each = network.parameter_count() * groups.len();
    let affordable = AFFORDABLE / each.max(1);
    if groups.len() > MOST_IMPORTANCES || affordable < 100 || plan.encoding.is_autoencoder() {
        return Ok(None);
    }
    let rows = examples.rows().min(IMPORTANCE_ROWS).min(affordable);
    let repeats = (affordable / rows).clamp(1, REPEATS);
    let seed = plan.training.seed;
    let sample = Random::new(seed, Purpose::Permutation, u32::MAX).sample(examples.rows(), rows);
    let some = examples.select(&sample)?;
    let found = permutation_importance(network, parameters, plan.task, &some, &groups, repeats, seed)?;
    let names = plan.encoding.columns.iter().map(|column| column.name.clone());
    let mut ranking: Vec<(String, Importance)> = names.zip(found).collect();
    ranking.sort_by(|(_, one), (_, other)| other.mean.total_cmp(&one.mean));
    Ok(Some(ranking))
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
            "held back" => format!("all {rows}, each predicted by the one of the averaged networks that had not learned from it"),
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
                format!(
                    "<p class=\"lead\">The prediction explains <strong>{:.1} %</strong> of the variance (R² {score}); it is \
                     off by {} on average (mean absolute error).</p>\n<p>Measured on {judged}.</p>\n",
                    100.0 * self.score(),
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

    fn data(&self) -> String {
        let Data { table: data, target, .. } = self.tables;
        let mut html = format!(
            "<p>{} with {} in {}: {} to learn from",
            count(data.rows(), "row"),
            count(data.columns().len(), "column"),
            escape(data.file()),
            thousands(self.plan.data.rows() as u64)
        );
        for (part, rows) in [("validation", &self.plan.validation), ("test", &self.plan.test)] {
            if let Some(rows) = rows {
                let _ = write!(html, ", {} for {part}", thousands(rows.rows() as u64));
            }
        }
        if let Some(target) = target
            && target.rows.len() < data.rows()
        {
            let _ = write!(html, "; {} without a target left out", count(data.rows() - target.rows.len(), "row"));
        }
        html += ".</p>\n";
        let kinds: HashMap<&str, &Kind> =
            self.plan.encoding.columns.iter().map(|column| (column.name.as_str(), &column.kind)).collect();
        let left_out: HashMap<&str, &str> =
            self.plan.left_out.iter().map(|(name, why)| (name.as_str(), why.reason())).collect();
        let row = |(place, name): (usize, &String)| {
            let is_target = target.as_ref().is_some_and(|target| target.column == place);
            let (role, kind) = match (is_target, kinds.get(name.as_str()), left_out.get(name.as_str())) {
                (true, ..) => ("target".into(), self.target_kind()),
                (_, Some(kind), _) => (inputs_of(kind), kind.name().into()),
                (_, _, Some(why)) => (format!("<span class=\"muted\">left out: {}</span>", escape(why)), String::new()),
                _ => ("<span class=\"muted\">left out</span>".into(), String::new()),
            };
            let values = Values::of(data, place);
            let missing = match values.missing {
                0 => String::new(),
                n => format!("{} ({:.1} %)", thousands(n as u64), 100.0 * n as f64 / data.rows() as f64),
            };
            vec![escape(name), role, kind, missing, values.in_words(), values.drawing(name)]
        };
        let mut rows: Vec<Vec<String>> = data.columns().iter().enumerate().take(MOST_COLUMNS).map(row).collect();
        let columns = [
            Column::Text("column"),
            Column::Text("used as"),
            Column::Text("kind"),
            Column::Number("missing"),
            Column::Text("values"),
            Column::Text("how often"),
        ];
        let rest = rows.split_off(rows.len().min(OPEN_COLUMNS));
        html += &table(&columns, &rows);
        if !rest.is_empty() {
            let _ = writeln!(html, "<details><summary>{} more</summary>", count(rest.len(), "column"));
            html += &table(&columns, &rest);
            html += "</details>\n";
        }
        if data.columns().len() > MOST_COLUMNS {
            let _ = writeln!(html, "<p class=\"muted\">and {} more</p>", data.columns().len() - MOST_COLUMNS);
        }
        html
    }

    fn target_kind(&self) -> String {
        match &self.plan.encoding.targets {
            Targets::Classes(names) => count(names.len(), "class").replace("classs", "classes"),
            Targets::Numbers => "number".into(),
        }
    }

    fn network(&self) -> String {
        let Plan { network: member, members, encoding, .. } = self.plan;
        let inputs = encoding.input_names();
        let outputs = match (&encoding.targets, member.outputs()) {
            (Targets::Classes(names), 1) => vec![format!("P({})", names.last().map_or("", |name| name))],
            (Targets::Classes(names), _) => names.clone(),
            (Targets::Numbers, _) => encoding.target_columns.clone(),
        };
        let model = &self.model.network;
        let mut html = String::new();
        if !members.is_empty() {
            let _ = writeln!(
                html,
                "<p>{} networks {} were trained, each on another {}/{} of the rows and stopped by the rest. They stand side by \
                 side in one network {}, whose output is the average of theirs.</p>",
                members.len(),
                member.widths(),
                members.len() - 1,
                members.len(),
                model.widths()
            );
        }
        let theta = self.model.parameters.to_f64();
        let drawing = diagram(model, &theta, &Names { inputs: &inputs, outputs: &outputs });
        html += &figure(
            &drawing.inline(),
            "Each circle is a unit, +1 the bias units. The thicker a line, the stronger its weight among those of its layer; \
             blue is positive, orange negative.",
            true,
        );
        let row = |(l, layer): (usize, &surefoot::Layer)| {
            vec![
                format!("{l}"),
                thousands(layer.inputs as u64),
                thousands(layer.outputs as u64),
                layer.activation.to_string(),
                thousands((layer.inputs * layer.outputs) as u64),
                thousands(layer.outputs as u64),
            ]
        };
        let rows: Vec<Vec<String>> = model.layers().iter().enumerate().map(row).collect();
        let columns = [
            Column::Text("layer"),
            Column::Number("inputs"),
            Column::Number("units"),
            Column::Text("activation"),
            Column::Number("weights"),
            Column::Number("biases"),
        ];
        html + &table(&columns, &rows)
            + &format!("<p>{} parameters in all.</p>\n", thousands(model.parameter_count() as u64))
    }

    fn gradient_check(&self) -> String {
        let Some(check) = &self.check else {
            return "<p>Not done, as <code>--no-check</code> asked.</p>\n".into();
        };
        let verdict = match check.passed() {
            true => "<strong class=\"good\">passed</strong>",
            false => "<strong>both gradients are too small to compare</strong>",
        };
        let mut html = format!(
            "<p>Before training, the gradient of backpropagation was compared with {} at random parameters: {verdict}.</p>\n",
            inline(r"\frac{J(\theta+\epsilon e_i)-J(\theta-\epsilon e_i)}{2\epsilon}")
        );
        let row = |name: String, part: &surefoot::Comparison| {
            vec![
                name,
                thousands(part.checked as u64),
                thousands(part.kinks as u64),
                thousands(part.wrong as u64),
                format!("{:.1e}", part.difference),
            ]
        };
        let mut rows: Vec<Vec<String>> =
            check.layers.iter().enumerate().map(|(l, part)| row(l.to_string(), part)).collect();
        rows.push(row("all".into(), &check.total));
        let columns = [
            Column::Text("layer"),
            Column::Number("compared"),
            Column::Number("on kinks"),
            Column::Number("wrong"),
            Column::Number("‖n − g‖ / ‖n + g‖"),
        ];
        html += &table(&columns, &rows);
        html
    }

    fn learning(&self) -> String {
        let runs = &self.summary.runs;
        let histories: Vec<&[Epoch]> = runs.iter().map(|run| run.history.as_slice()).collect();
        let curve = |number: &dyn Fn(&Epoch) -> Option<f64>| mean_curve(&histories, number);
        let cost = curve(&|epoch| Some(epoch.cost));
        let validation = curve(&|epoch| epoch.validation_cost);
        let score = curve(&|epoch| epoch.validation_score);
        let epochs = if self.plan.training.batch_size.is_some() { "epoch" } else { "iteration" };
        let mark = match &runs[..] {
            [run] if run.best_epoch > 0 && !validation.is_empty() => {
                Some(Mark { at: run.best_epoch as f64, name: "kept" })
            }
            _ => None,
        };
        let mut html = format!("<p>Stopped {}.</p>\n", escape(&self.summary.stopped()));
        let scale = Scale::fitting(cost.iter().chain(&validation).map(|[_, y]| *y));
        let mut series = vec![Series { name: "training", class: "one", points: cost, is_line: true }];
        if !validation.is_empty() {
            series.push(Series { name: "validation", class: "two dash", points: validation, is_line: true });
        }
        let loss = self.plan.loss.to_string();
        let name = match self.plan.loss {
            surefoot::Loss::CrossEntropy => "cost (cross-entropy, nats)",
            surefoot::Loss::SquaredError => "cost (half the squared error)",
        };
        let drawing = plot(
            "cost by epoch",
            &format!("the cost ({loss}) on the training and the validation part after each epoch"),
            Axis { name: epochs, scale: Scale::Linear },
            Axis { name, scale },
            &series,
            mark,
        );
        html += "<div class=\"pair\">";
        let smoothed = match self.plan.label_smoothing > 0.0 {
            true => " The training cost is that of smoothed targets, which cannot reach 0.",
            false => "",
        };
        let averaged = if runs.len() > 1 { " Means over the networks." } else { "" };
        html += &figure(&drawing.inline(), &format!("The cost J(θ) by epoch.{averaged}{smoothed}"), false);
        if !score.is_empty() {
            let best = score.iter().map(|[_, y]| *y).fold(f64::NEG_INFINITY, f64::max);
            // a start far below 0 would hide the rest
            let points = score.into_iter().filter(|[_, y]| *y > best - 2.0).collect();
            let mark = match &runs[..] {
                [run] if run.best_epoch > 0 => Some(Mark { at: run.best_epoch as f64, name: "kept" }),
                _ => None,
            };
            let name = score_name(self.plan.task);
            let drawing = plot(
                &format!("{name} by epoch"),
                &format!("the {name} on the validation part after each epoch"),
                Axis { name: epochs, scale: Scale::Linear },
                Axis { name, scale: Scale::Linear },
                &[Series { name: "validation", class: "two dash", points, is_line: true }],
                mark,
            );
            html += &figure(&drawing.inline(), &format!("The {name} on rows that are not learned from.{averaged}"), false);
        }
        html + "</div>\n"
    }

    fn results(&self) -> String {
        let mut html = self.scores();
        html += &match self.plan.task {
            Task::Classification => self.confusion(),
            Task::Regression => self.predicted_and_true(),
        };
        html
    }

    fn scores(&self) -> String {
        let Summary { training, validation, test, runs, .. } = self.summary;
        let mut rows = vec![("training", self.plan.data.rows(), Some(training))];
        match runs.len() {
            1 => rows.push(("validation", self.plan.validation.as_ref().map_or(0, Dataset::rows), validation.as_ref())),
            _ => rows.push(("held back, by single networks", self.plan.data.rows(), validation.as_ref())),
        }
        rows.push(("test", self.plan.test.as_ref().map_or(0, Dataset::rows), test.as_ref()));
        let row = |(part, rows, scores): (&str, usize, Option<&super::summary::Scores>)| {
            let scores = scores?;
            Some(vec![part.into(), thousands(rows as u64), short(Some(scores.cost)), short(Some(scores.score))])
        };
        let rows: Vec<Vec<String>> = rows.into_iter().filter_map(row).collect();
        let columns = [
            Column::Text("part"),
            Column::Number("rows"),
            Column::Number("cost"),
            Column::Number(score_name(self.plan.task)),
        ];
        table(&columns, &rows) + &format!("<p>Below: {}.</p>\n", self.judged_on())
    }

    fn confusion(&self) -> String {
        let Measured { outputs, targets, .. } = &self.measured;
        let (predicted, truth) = (classes(outputs.view()), classes(targets.view()));
        let count = self.model.class_count();
        let confusion = Confusion::new(&predicted, &truth, count);
        let name = |class: usize| escape(&self.model.class_name(class));
        let mut html = String::new();
        if let Some(probabilities) = self.model.probabilities(outputs.view()) {
            let _ = writeln!(
                html,
                "<p>Log loss of the probabilities: {} (nats).</p>",
                short(Some(log_loss(probabilities.view(), &truth)))
            );
        }
        if count <= MOST_CLASSES {
            html += "<h3>Confusion matrix</h3>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>true ↓ \
                     predicted →</th>";
            (0..count).for_each(|class| html += &format!("<th scope=\"col\" class=\"n\">{}</th>", name(class)));
            html += "<th class=\"n\">precision</th><th class=\"n\">recall</th></tr></thead><tbody>\n";
            for class in 0..count {
                let _ = write!(html, "<tr><th scope=\"row\">{}</th>", name(class));
                let all: usize = confusion.counts[class].iter().sum();
                for (other, &n) in confusion.counts[class].iter().enumerate() {
                    let share = 100.0 * n as f64 / all.max(1) as f64;
                    let colour = if class == other { "--one" } else { "--two" };
                    let strength = if n == 0 { 0.0 } else { 8.0 + 0.5 * share };
                    let _ = write!(
                        html,
                        "<td style=\"background:color-mix(in srgb,var({colour}) {strength:.0}%,transparent)\">{n}</td>"
                    );
                }
                let (precision, recall) = (short(confusion.precision(class)), short(confusion.recall(class)));
                let _ = writeln!(html, "<td>{precision}</td><td>{recall}</td></tr>");
            }
            html += "</tbody></table></div>\n<p class=\"muted\">Rows are the true classes, columns what was predicted.</p>\n";
            return html;
        }
        let mut confused: Vec<(usize, usize, usize)> = (0..count)
            .flat_map(|class| (0..count).map(move |other| (class, other)))
            .filter(|(class, other)| class != other)
            .map(|(class, other)| (confusion.counts[class][other], class, other))
            .filter(|(n, ..)| *n > 0)
            .collect();
        confused.sort_by(|one, other| other.cmp(one));
        let row = |&(n, class, other): &(usize, usize, usize)| vec![name(class), name(other), n.to_string()];
        let rows: Vec<Vec<String>> = confused.iter().take(MOST_CLASSES).map(row).collect();
        html += "<h3>The commonest confusions</h3>\n";
        html + &table(&[Column::Text("true"), Column::Text("predicted"), Column::Number("rows")], &rows)
    }

    fn predicted_and_true(&self) -> String {
        let (outputs, targets) = self.in_their_unit();
        let numbers = [
            ("R²", r_squared(outputs.view(), targets.view())),
            ("root mean squared error", rmse(outputs.view(), targets.view())),
            ("mean absolute error", mae(outputs.view(), targets.view())),
        ];
        let numbers: Vec<String> = numbers.iter().map(|(name, x)| format!("{name} {}", short(Some(*x)))).collect();
        let every = outputs.len().div_ceil(MOST_POINTS).max(1);
        let points: Vec<[f64; 2]> =
            targets.iter().zip(&outputs).step_by(every).map(|(&truth, &predicted)| [truth, predicted]).collect();
        let ends = crate::page::plot::extent(points.iter().flatten().copied());
        let name = match &self.plan.encoding.target_columns[..] {
            [one] => one.as_str(),
            _ => "targets",
        };
        let (horizontal, vertical) = (format!("true {name}"), format!("predicted {name}"));
        let drawing = plot(
            "predicted against true",
            &format!("a point for each row: {vertical} against {horizontal}, with the line where both are equal"),
            Axis { name: &horizontal, scale: Scale::Linear },
            Axis { name: &vertical, scale: Scale::Linear },
            &[
                Series { name: "a row", class: "dot", points, is_line: false },
                Series { name: "equal", class: "arrow dash", points: vec![[ends.0; 2], [ends.1; 2]], is_line: true },
            ],
            None,
        );
        let shown = if every > 1 { format!(" Every {every}th point is shown.") } else { String::new() };
        format!("<p>{}, in the unit of {}.</p>\n", numbers.join(", "), escape(name))
            + &figure(&drawing.inline(), &format!("Predicted against true numbers.{shown}"), false)
    }

    fn importance(&self) -> String {
        let Some(ranking) = &self.ranking else {
            return "<p>Not measured: for so many inputs it would take too long, or they are the targets.</p>\n".into();
        };
        let score = score_name(self.plan.task);
        let rows: Vec<(String, f64, f64)> = ranking
            .iter()
            .take(MOST_RANKED)
            .map(|(name, importance)| (name.clone(), importance.mean, importance.spread))
            .collect();
        let more = match ranking.len().saturating_sub(MOST_RANKED) {
            0 => String::new(),
            n => format!(" {n} more matter less."),
        };
        let where_from = match self.measured.part {
            "test" => "the test part",
            "validation" => "the validation part",
            _ => "the rows that were learned from",
        };
        let drawing = ranking_drawing(&rows, score);
        figure(
            &drawing,
            &format!(
                "How much {score} falls on {where_from} when the cells of a column are dealt out anew among the rows (mean and \
                 standard deviation of several times).{more} Columns that say the same stand in for each other."
            ),
            true,
        )
    }

    fn settings(&self) -> String {
        let command = escape(&self.command);
        let mut html = format!("<p>The command that makes this model again, to the same bits:</p>\n<pre>{command}</pre>\n");
        let row = |(name, value): (&String, &serde_json::Value)| {
            vec![escape(&name.replace('_', " ")), escape(&in_words(value))]
        };
        let mut rows: Vec<Vec<String>> = vec![
            vec!["loss".into(), self.plan.loss.to_string()],
            vec!["weight decay".into(), self.plan.training.weight_decay.to_string()],
        ];
        rows.extend(self.model.training.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(row));
        html += &table(&[Column::Text("setting"), Column::Text("value")], &rows);
        if let Targets::Classes(names) = &self.plan.encoding.targets {
            let _ = writeln!(html, "<p>Classes: {}.</p>", escape(&listed(names)));
        }
        html
    }
}

fn ranking_drawing(rows: &[(String, f64, f64)], score: &str) -> String {
    let drawing = ranking(
        "which inputs matter",
        &format!("what the {score} loses without each column, the greatest first"),
        &format!("loss of {score}"),
        rows,
    );
    drawing.inline()
}

/// The mean over several histories, epoch by epoch, of those that have the number.
fn mean_curve(histories: &[&[Epoch]], number: &dyn Fn(&Epoch) -> Option<f64>) -> Vec<[f64; 2]> {
    let longest = histories.iter().map(|history| history.len()).max().unwrap_or(0);
    let at = |i: usize| {
        let numbers: Vec<f64> =
            histories.iter().filter_map(|history| number(history.get(i)?)).filter(|x| x.is_finite()).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        (!numbers.is_empty()).then_some([(i + 1) as f64, mean])
    };
    (0..longest).filter_map(at).collect()
}

/// How many inputs a column has.
fn inputs_of(kind: &Kind) -> String {
    match kind.width() {
        1 => "input".into(),
        n => format!("{n} inputs"),
    }
}

/// What is in a column.
struct Values {
    missing: usize,
    numbers: Vec<f64>,
    /// Where not all are numbers, or they are few: each value with its rows, the commonest first.
    counts: Vec<(String, usize)>,
}

impl Values {
    fn of(table: &Table, column: usize) -> Self {
        let present: Vec<usize> = (0..table.rows()).filter(|&row| !table.is_missing(row, column)).collect();
        let mut numbers: Vec<f64> = present.iter().filter_map(|&row| table.number(row, column)).collect();
        let mut counts = HashMap::new();
        if numbers.len() < present.len() {
            numbers.clear();
            present.iter().for_each(|&row| *counts.entry(table.cell(row, column)).or_insert(0) += 1);
        }
        numbers.sort_by(f64::total_cmp);
        let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(cell, n)| (cell.into_owned(), n)).collect();
        counts.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        Values { missing: table.rows() - present.len(), numbers, counts }
    }

    fn in_words(&self) -> String {
        if let [least, .., most] = &self.numbers[..] {
            let median = self.numbers[self.numbers.len() / 2];
            let [low, median, high] = [*least, median, *most].map(compact);
            return match least == most {
                true => low,
                false => format!("<span class=\"range\">{low} … <strong>{median}</strong> … {high}</span>"),
            };
        }
        let shown: Vec<String> =
            self.counts.iter().take(3).map(|(cell, n)| format!("{} ({n})", escape(&crate::page::plot::shortened(cell, 24)))).collect();
        let more = match self.counts.len().saturating_sub(3) {
            0 => String::new(),
            n => format!(", {n} more"),
        };
        shown.join(", ") + &more
    }

    fn drawing(&self, name: &str) -> String {
        let title = format!("values of {name}");
        match (&self.numbers[..], &self.counts[..]) {
            ([], []) => String::new(),
            ([], counts) => {
                let counts: Vec<usize> = counts.iter().take(24).map(|(_, n)| *n).collect();
                bars(&counts, &title, "how often the commonest values come").inline()
            }
            (numbers, _) => histogram(numbers, &title).inline(),
        }
    }
}

/// A number as a table of columns shows it.
fn compact(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e7 { format!("{x}") } else { short(Some(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, cost: f64, score: Option<f64>) -> Epoch {
        Epoch { epoch, cost, validation_cost: None, validation_score: score, learning_rate: 0.1 }
    }

    #[test]
    fn curves_of_several_networks_are_averaged_where_they_have_numbers() {
        let one = [epoch(1, 1.0, Some(0.5)), epoch(2, 3.0, None)];
        let other = [epoch(1, 2.0, None)];
        let histories = [&one[..], &other[..]];
        assert_eq!(mean_curve(&histories, &|epoch| Some(epoch.cost)), [[1.0, 1.5], [2.0, 3.0]]);
        assert_eq!(mean_curve(&histories, &|epoch| epoch.validation_score), [[1.0, 0.5]]);
        assert!(mean_curve(&histories, &|epoch| epoch.validation_cost).is_empty());
    }

    #[test]
    fn columns_are_told_in_a_few_words() {
        let table = Table::read("t", &b"a,b,c\n1,x,\n2.5,y,NA\n10,x,5\n,<b>,\n"[..]).unwrap();
        let words = |column| Values::of(&table, column).in_words();
        assert_eq!(words(0), "<span class=\"range\">1 … <strong>2.5000</strong> … 10</span>");
        assert_eq!(words(1), "x (2), &lt;b&gt; (1), y (1)");
        assert_eq!((words(2), Values::of(&table, 2).missing), (String::new(), 3));
    }
}
