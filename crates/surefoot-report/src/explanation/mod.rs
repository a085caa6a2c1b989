//! One example explained: the notes' formulas with the numbers of a network.

mod page;
mod text;

use ndarray::{Array2, ArrayView2};
use surefoot::trace::Derivative;
use surefoot::{GradientCheck, Model, Network, Objective, Task, Trace};
use surefoot_table::{Encoding, Table};

use crate::error::Result;
use crate::words::short;

/// Units of a layer, and inputs of a unit, that are shown; of more the first.
const SHOWN: usize = 6;

/// All that is told of one row of a table.
pub struct Explanation<'a> {
    model: &'a Model,
    theta: Vec<f64>,
    table: &'a Table,
    encoding: &'a Encoding,
    row: usize,
    trace: Trace,
    /// The class or the numbers that the model predicts, in the unit of the table.
    prediction: String,
    /// J(W,b) over all rows of the table with a target, and their number; `None` without targets.
    overall: Option<(f64, usize)>,
    /// For each layer the shown derivatives: by W row by row, then by b.
    derivatives: Vec<Vec<Derivative>>,
    /// EPSILON of the numerical ones.
    epsilon: f64,
}

impl<'a> Explanation<'a> {
    /// Explains a row (from 0) of a table in the `encoding` of the model. Where it has no target, only the way forward is
    /// told.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) when the row cannot be encoded, [`Error::Library`](crate::Error::Library)
    /// when the numbers are none that the model can read.
    pub fn new(model: &'a Model, table: &'a Table, encoding: &'a Encoding, row: usize) -> Result<Self> {
        let theta = model.parameters.to_f64();
        let outputs = model.network.outputs();
        let inputs = encoding.inputs(table, &[row])?;
        let targets = encoding.rows_with_targets(table).ok(); // none in a table to predict
        let overall = match &targets {
            None => None,
            Some(rows) => {
                let (inputs, targets) = (encoding.inputs(table, rows)?, encoding.targets(table, rows, outputs)?);
                let examples = model.examples(inputs.view(), targets.view())?;
                Some((model.cost(&examples)?.cost(&theta), rows.len()))
            }
        };
        let has_target = targets.is_some_and(|rows| rows.contains(&row));
        let target = match has_target {
            true => encoding.targets(table, &[row], outputs)?,
            false => Array2::zeros((1, outputs)),
        };
        let one = model.examples(inputs.view(), target.view())?;
        let (x, y) = (numbers(one.inputs()), numbers(one.targets()));
        let trace = Trace::new(&model.network, model.loss, &theta, &x, has_target.then_some(&y[..]))?;
        let check = GradientCheck::default();
        let derivatives = (0..model.network.layers().len())
            .map(|l| trace.derivatives(&model.network, model.loss, &theta, &coordinates(&model.network, l), &check))
            .collect::<surefoot::Result<_>>()?;
        let prediction = prediction(model, inputs.view())?;
        let epsilon = check.epsilon;
        Ok(Explanation { model, theta, table, encoding, row, trace, prediction, overall, derivatives, epsilon })
    }

    /// The columns of the row with their cells, targets last.
    fn cells(&self) -> Vec<(String, String)> {
        let columns = self.encoding.columns.iter().map(|column| &column.name);
        let targets = self.encoding.target_columns.iter().filter(|_| !self.encoding.is_autoencoder());
        let cell = |name: &String| {
            let place = self.table.column(name).ok()?;
            Some((name.clone(), self.table.cell(self.row, place).into_owned()))
        };
        columns.chain(targets).filter_map(cell).collect()
    }
}

fn numbers(matrix: ArrayView2<'_, f64>) -> Vec<f64> {
    matrix.iter().copied().collect()
}

/// The class with its probability, or the first numbers.
fn prediction(model: &Model, inputs: ArrayView2<'_, f64>) -> Result<String> {
    let predicted = model.predict(inputs)?;
    Ok(match model.task {
        Task::Classification => {
            let class = model.classify(predicted.view())[0];
            let share = model.probabilities(predicted.view()).map(|shares| shares[[0, class]]);
            let share = share.map_or(String::new(), |share| format!(" with probability {}", short(Some(share))));
            format!("{}{share}", model.class_name(class))
        }
        Task::Regression => {
            let numbers: Vec<String> = predicted.iter().take(SHOWN).map(|h| short(Some(*h))).collect();
            numbers.join(", ") + if predicted.len() > SHOWN { ", …" } else { "" }
        }
    })
}

/// The units and inputs of a layer that are shown.
fn shown(network: &Network, l: usize) -> (usize, usize) {
    let layer = network.layers()[l];
    (layer.outputs.min(SHOWN), layer.inputs.min(SHOWN))
}

/// Their coordinates in θ: W row by row, then b.
fn coordinates(network: &Network, l: usize) -> Vec<usize> {
    let (units, inputs) = shown(network, l);
    let (weights, biases) = (network.weight_range(l), network.bias_range(l));
    let width = network.layers()[l].inputs;
    let of_weights = (0..units).flat_map(|i| (0..inputs).map(move |j| (i, j)));
    of_weights.map(|(i, j)| weights.start + i * width + j).chain((0..units).map(|i| biases.start + i)).collect()
}
