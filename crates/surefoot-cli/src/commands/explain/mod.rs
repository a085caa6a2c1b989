//! `surefoot explain`

mod page;
mod trace;

use anyhow::Context;
use surefoot::{Dataset, Model, Objective, write_atomically};
use surefoot_table::{Encoding, Part, Table};

use crate::arguments::Explain;
use crate::output::{Outcome, count, keep_inputs, print, short, usage};
use page::Page;
use trace::{Backward, Compared, Trace};

/// Units of a layer, and inputs of a unit, that are shown; of more the first.
const SHOWN: usize = 6;

/// All that is told of an example.
pub struct Explained<'a> {
    pub model: &'a Model,
    pub theta: Vec<f64>,
    pub table: &'a Table,
    pub encoding: &'a Encoding,
    /// The row of the table, from 0.
    pub row: usize,
    pub trace: Trace,
    /// The class or the numbers that the model predicts, in the unit of the table.
    pub prediction: String,
    /// J(W,b) over all rows of the table with a target, and their number; `None` without targets.
    pub overall: Option<(f64, usize)>,
    /// For each layer the shown derivatives: by W row by row, then by b.
    pub compared: Vec<Vec<Compared>>,
}

pub fn run(arguments: &Explain) -> anyhow::Result<Outcome> {
    let model = Model::load(&arguments.model)?;
    let table = arguments.reading.source(&arguments.data, Part::Test, &Encoding::names_of(&model)).table()?;
    let encoding = Encoding::of_model(&model, &table)?;
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, std::path::Path::new(&arguments.data)])?;
    }
    let Some(row) = arguments.row.checked_sub(1).filter(|&row| row < table.rows()) else {
        let message = format!("--row {}: {} has {}", arguments.row, table.file(), count(table.rows(), "row"));
        return Err(usage(message, "rows count from 1, without the header"));
    };
    let explained = explain(&model, &table, &encoding, row)
        .with_context(|| format!("cannot explain row {} of {}", arguments.row, table.file()))?;
    print(explained.text())?;
    if let Some(out) = &arguments.out {
        write_atomically(out, Page(&explained).html().as_bytes())?;
        print(format_args!("\npage       {}\n", out.display()))?;
    }
    Ok(Outcome::Done)
}

fn explain<'a>(
    model: &'a Model,
    table: &'a Table,
    encoding: &'a Encoding,
    row: usize,
) -> anyhow::Result<Explained<'a>> {
    let theta = model.parameters.to_f64();
    let outputs = model.network.outputs();
    let inputs = encoding.inputs(table, &[row])?;
    let targets = encoding.rows_with_targets(table).ok(); // none in a table to predict
    let overall = match &targets {
        None => None,
        Some(rows) => {
            let examples =
                model.examples(encoding.inputs(table, rows)?.view(), encoding.targets(table, rows, outputs)?.view())?;
            Some((model.cost(&examples)?.cost(&theta), rows.len()))
        }
    };
    let has_target = targets.is_some_and(|rows| rows.contains(&row));
    let trace = match has_target {
        true => {
            let one: Dataset<f64> = model.examples(inputs.view(), encoding.targets(table, &[row], outputs)?.view())?;
            Trace::new(model, &theta, one.inputs(), Some(one.targets()))?
        }
        false => {
            let none = ndarray::Array2::zeros((1, outputs));
            let one = model.examples(inputs.view(), none.view())?;
            Trace::new(model, &theta, one.inputs(), None)?
        }
    };
    let predicted = model.predict(inputs.view())?;
    let prediction = match model.task {
        surefoot::Task::Classification => {
            let class = model.classify(predicted.view())[0];
            let share = model.probabilities(predicted.view()).map(|shares| shares[[0, class]]);
            let share = share.map_or(String::new(), |share| format!(" with probability {}", short(Some(share))));
            format!("{}{share}", model.class_name(class))
        }
        surefoot::Task::Regression => {
            let numbers: Vec<String> = predicted.iter().take(SHOWN).map(|h| short(Some(*h))).collect();
            numbers.join(", ") + if predicted.len() > SHOWN { ", …" } else { "" }
        }
    };
    let compared = (0..model.network.layers().len())
        .map(|l| trace.compare(model, &theta, &shown_coordinates(model, l)))
        .collect::<surefoot::Result<_>>()?;
    Ok(Explained { model, theta, table, encoding, row, trace, prediction, overall, compared })
}

/// The units and inputs of a layer that are shown.
pub fn shown(model: &Model, l: usize) -> (usize, usize) {
    let layer = model.network.layers()[l];
    (layer.outputs.min(SHOWN), layer.inputs.min(SHOWN))
}

/// Their coordinates in θ: W row by row, then b.
fn shown_coordinates(model: &Model, l: usize) -> Vec<usize> {
    let (units, inputs) = shown(model, l);
    let (weights, biases) = (model.network.weight_range(l), model.network.bias_range(l));
    let width = model.network.layers()[l].inputs;
    let of_weights = (0..units).flat_map(|i| (0..inputs).map(move |j| (i, j)));
    of_weights.map(|(i, j)| weights.start + i * width + j).chain((0..units).map(|i| biases.start + i)).collect()
}

impl Explained<'_> {
    /// The columns of the row with their cells, targets last.
    pub fn cells(&self) -> Vec<(String, String)> {
        let columns = self.encoding.columns.iter().map(|column| &column.name);
        let targets = self.encoding.target_columns.iter().filter(|_| !self.encoding.is_autoencoder());
        let cell = |name: &String| {
            let place = self.table.column(name).ok()?;
            Some((name.clone(), self.table.cell(self.row, place).into_owned()))
        };
        columns.chain(targets).filter_map(cell).collect()
    }

    /// In the terminal: every layer, J, and how far derivatives are from their numerical values.
    fn text(&self) -> String {
        let Explained { model, trace, .. } = self;
        let cells: Vec<String> = self.cells().iter().map(|(name, cell)| format!("{name} {cell}")).collect();
        let shown_cells = match cells.len() > 12 {
            true => format!("{}, … ({} in all)", cells[..12].join(", "), cells.len()),
            false => cells.join(", "),
        };
        let mut text = format!("row {} of {}: {shown_cells}\n{}\n", self.row + 1, self.table.file(), model.network);
        let number = |x: f64| short(Some(x));
        for (l, layer) in model.network.layers().iter().enumerate() {
            let (units, _) = shown(model, l);
            text +=
                &format!("\nlayer {l} (L{} of the notes), {}: z = W·a + b (6), a = f(z) (7)", l + 2, layer.activation);
            text += if trace.backward.is_some() { ", δ = ∂J/∂z\n" } else { "\n" };
            text += &format!("  {:>6}{:>13}{:>13}", "unit", "z", "a");
            text += if trace.backward.is_some() { "            δ\n" } else { "\n" };
            for i in 0..units {
                text += &format!("  {:>6}{:>13}{:>13}", i + 1, number(trace.z[l][i]), number(trace.a[l][i]));
                if let Some(Backward { delta, .. }) = &trace.backward {
                    text += &format!("{:>13}", number(delta[l][i]));
                }
                text += "\n";
            }
            if units < layer.outputs {
                text += &format!("  and {} more units\n", layer.outputs - units);
            }
        }
        text += &format!("\npredicted  {}\n", self.prediction);
        let Some(Backward { loss, .. }) = &trace.backward else {
            return text + "(no target in this row: J, δ and the gradient are not known)\n";
        };
        text += &format!("J(W,b;x,y) {}\n", number(*loss));
        if let Some((overall, rows)) = self.overall {
            text += &format!("J(W,b)     {} over {} (8)\n", number(overall), count(rows, "row"));
        }
        text += "\ngradient against (J(θ+ε) − J(θ−ε)) / 2ε\n";
        text += &format!("  {:<9}{:>16}{:>16}{:>11}\n", "", "gradient", "numerical", "apart");
        for (l, compared) in self.compared.iter().enumerate() {
            let (units, inputs) = shown(model, l);
            for (name, at) in [(format!("W{}₁₁", raised(l + 1)), 0), (format!("b{}₁", raised(l + 1)), units * inputs)]
            {
                let Compared { analytic, numeric } = &compared[at];
                text += &match numeric {
                    Some(numeric) => {
                        format!("  {name:<9}{analytic:>16.8e}{numeric:>16.8e}{:>11.1e}\n", (analytic - numeric).abs())
                    }
                    None => format!("  {name:<9}{analytic:>16.8e}{:>27}\n", "on a kink"),
                };
            }
        }
        text
    }
}

/// (l) as an index above the line.
pub fn raised(l: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = l.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect::<String>();
    format!("⁽{digits}⁾")
}
