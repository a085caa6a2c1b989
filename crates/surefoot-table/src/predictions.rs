//! What a model predicts, as columns with names.

use std::fmt;

use ndarray::Array2;
use surefoot::{Model, Task};

/// What a model predicts for some rows, in columns: `prediction`, which is a class or a number, or for several targets one for
/// each, such as `prediction_height`; with probabilities one for each class, such as `probability_yes`.
#[derive(Clone, Debug)]
pub struct Predictions<'a> {
    model: &'a Model,
    outputs: Array2<f64>,
    classes: Option<Vec<usize>>,
    probabilities: Option<Array2<f64>>,
}

/// A cell of [`Predictions`]. As text a number is the shortest that reads back to the same bits.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicted {
    /// The name of a class.
    Class(String),
    /// A number, or a probability.
    Number(f64),
}

impl fmt::Display for Predicted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicted::Class(name) => f.write_str(name),
            Predicted::Number(number) => write!(f, "{number:?}"),
        }
    }
}

impl<'a> Predictions<'a> {
    /// Of the outputs that [`Model::predict`] gives; `None` where probabilities are asked for and the outputs are none.
    pub fn new(model: &'a Model, outputs: Array2<f64>, with_probabilities: bool) -> Option<Self> {
        let probabilities = match with_probabilities {
            true => Some(model.probabilities(outputs.view())?),
            false => None,
        };
        let classes = (model.task == Task::Classification).then(|| model.classify(outputs.view()));
        Some(Predictions { model, outputs, classes, probabilities })
    }

    /// The rows.
    pub fn rows(&self) -> usize {
        self.outputs.nrows()
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<String> {
        let of_class = |class| format!("probability_{}", self.model.class_name(class));
        let probabilities = self.probabilities.iter().flat_map(|_| (0..self.model.class_count()).map(of_class));
        let predictions = match target_names(self.model) {
            Some(names) => names.iter().map(|name| format!("prediction_{name}")).collect(),
            None => vec!["prediction".to_string()],
        };
        predictions.into_iter().chain(probabilities).collect()
    }

    /// The cells of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Predicted> {
        self.predicted(row).chain(self.probabilities(row).map(Predicted::Number))
    }

    /// Those of its cells that are predictions.
    pub fn predicted(&self, row: usize) -> impl Iterator<Item = Predicted> {
        let class = self.classes.iter().map(move |classes| Predicted::Class(self.model.class_name(classes[row])));
        let count = if self.classes.is_none() { self.outputs.ncols() } else { 0 };
        class.chain((0..count).map(move |k| Predicted::Number(self.outputs[[row, k]])))
    }

    /// Those that are probabilities, one for each class.
    pub fn probabilities(&self, row: usize) -> impl Iterator<Item = f64> {
        self.probabilities.iter().flat_map(move |probabilities| probabilities.row(row).to_vec())
    }
}

/// The names of the numbers that a model predicts, where they are several.
pub fn target_names(model: &Model) -> Option<Vec<String>> {
    let outputs = model.network.outputs();
    let name = |k: usize| model.target_columns.get(k).cloned().unwrap_or_else(|| k.to_string());
    (model.task == Task::Regression && outputs > 1).then(|| (0..outputs).map(name).collect())
}
