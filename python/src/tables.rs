//! What `surefoot.Classifier` and `surefoot.Regressor` stand on: fits of data frames, and model files.

use std::path::Path;

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::exceptions::{PyIndexError, PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use surefoot::files::write_atomically;
use surefoot::{Cancel, PermutationImportance, Task};
use surefoot_export::Format;
use surefoot_fit::{Input, JudgedOn, Options, Outcome, Tables};
use surefoot_report::{Explanation, TrainingReport};
use surefoot_table::{Encoding, Table, in_sentences};

use crate::errors::{of_export, of_fit, of_library, of_report, of_table};
use crate::events::Told;
use crate::frames::Frame;
use crate::running::{run, run_and_keep};

/// Multiplications of which nobody can say how long they take: signals are looked at meanwhile.
const LONG: f64 = f64::INFINITY;

/// Column, value, rows, and the category that it was read as.
type Unseen = (String, String, usize, Option<String>);

/// What was learned from a data frame, with the frame: for the report.
#[pyclass(frozen, module = "surefoot._core")]
pub struct Fitted {
    table: Table,
    outcome: Outcome,
    /// Whether the fit was ended by Ctrl-C.
    was_interrupted: bool,
}

/// Fits a model to a data frame, with the column of the target in another, by options in JSON.
#[pyfunction]
#[pyo3(signature = (frame, target, name, options, threads, epoch = None, device = "cpu"))]
#[expect(clippy::too_many_arguments, reason = "as Python calls it")]
pub fn fit(
    py: Python<'_>,
    frame: Frame<'_>,
    target: Option<Frame<'_>>,
    name: &str,
    options: &str,
    threads: usize,
    epoch: Option<Py<PyAny>>,
    device: &str,
) -> PyResult<Fitted> {
    let options: Options =
        serde_json::from_str(options).map_err(|error| PyValueError::new_err(format!("options: {error}")))?;
    let table = match target {
        Some(target) => frame.table(name)?.beside(target.table("y")?).map_err(of_table)?,
        None => frame.table(name)?,
    };
    let tables = Tables { table, validation: None, test: None };
    let mut told = Told::new(epoch, crate::device::of_name(device)?);
    let cancel = told.cancel.clone();
    let (fitted, interrupt) =
        run_and_keep(py, threads, LONG, &cancel, || surefoot_fit::fit(&options, Input::Tables(&tables), &mut told))?;
    let is_ctrl_c = |error: &PyErr| error.is_instance_of::<PyKeyboardInterrupt>(py);
    match (told.raised.or(interrupt), fitted) {
        (Some(error), _) if !is_ctrl_c(&error) => Err(error),
        (ended, fitted) => {
            let outcome = fitted.map_err(of_fit)?;
            Ok(Fitted { outcome, table: tables.table, was_interrupted: ended.is_some() })
        }
    }
}

#[pymethods]
impl Fitted {
    /// The bytes of the model file.
    fn model_file<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.outcome.model.to_bytes().map_err(of_library)?))
    }

    /// The class of each row, by its place among the names, -1 for a row without one; `None` for numbers.
    fn classes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray1<i64>>>> {
        let Some(encoding) = &self.outcome.plan.encoding else { return Ok(None) };
        if self.outcome.model.task != Task::Classification {
            return Ok(None);
        }
        let mut classes = vec![-1; self.table.rows()];
        let rows = encoding.rows_with_targets(&self.table).map_err(of_table)?;
        let outputs = self.outcome.model.network.outputs();
        let targets = encoding.targets(&self.table, &rows, outputs).map_err(of_table)?;
        for (row, class) in rows.into_iter().zip(surefoot::metrics::classes(targets.view())) {
            classes[row] = class as i64;
        }
        Ok(Some(classes.into_pyarray(py)))
    }

    /// What the fit came to: scores, warnings, what was settled of the table, the columns that are no inputs, the importance of the
    /// others, and the outputs that the model is judged by.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Outcome { plan, training, validation, warnings, importance, judged, .. } = &self.outcome;
        let summary = PyDict::new(py);
        summary.set_item("score", plan.task.score_name())?;
        summary.set_item("training", (training.score, training.cost))?;
        summary.set_item("validation", validation.map(|scores| (scores.score, scores.cost)))?;
        summary.set_item("out_of_fold", (judged.on == JudgedOn::OutOfFold).then(|| self.outputs(py)))?;
        summary.set_item("warnings", warnings)?;
        summary.set_item("notes", in_sentences(&plan.notes))?;
        let excluded: Vec<_> = plan.excluded.iter().map(|(name, why)| (name, why.reason())).collect();
        summary.set_item("excluded", excluded)?;
        let importance = importance.as_ref().map(|all| {
            all.iter().map(|(name, importance)| (name, importance.mean, importance.spread)).collect::<Vec<_>>()
        });
        summary.set_item("importance", importance)?;
        summary.set_item("epochs", self.outcome.epochs())?;
        summary.set_item("networks", self.outcome.runs.len())?;
        summary.set_item("was_interrupted", self.was_interrupted)?;
        summary.set_item("is_finite", self.outcome.is_finite())?;
        Ok(summary)
    }

    /// The report of the command line, which calls what was done by `command`.
    fn report(&self, command: &str) -> PyResult<String> {
        let report = TrainingReport::new(&self.table, &self.outcome, command);
        let report = report.ok_or_else(|| PyValueError::new_err("nothing is known of the columns"))?;
        Ok(report.page().as_str().to_string())
    }
}

impl Fitted {
    /// The outputs that the model is judged by, in the unit of the table.
    fn outputs<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<f64>> {
        let (model, outputs) = (&self.outcome.model, &self.outcome.judged.outputs);
        let outputs = match (&model.target_scaling, model.probabilities(outputs.view())) {
            (_, Some(probabilities)) => probabilities,
            (Some(scaling), None) => scaling.revert(outputs.view()),
            (None, None) => outputs.clone(),
        };
        outputs.into_pyarray(py)
    }
}

/// A model, of this package or of the command line.
#[pyclass(frozen, module = "surefoot._core")]
pub struct Model(surefoot::Model);

#[pymethods]
impl Model {
    #[new]
    fn new(bytes: &[u8]) -> PyResult<Self> {
        surefoot::Model::from_bytes(bytes).map(Model).map_err(of_library)
    }

    #[staticmethod]
    fn load(path: &str) -> PyResult<Self> {
        surefoot::Model::load(path).map(Model).map_err(of_library)
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.to_bytes().map_err(of_library)?))
    }

    fn save(&self, path: &str) -> PyResult<()> {
        self.0.save(path).map_err(of_library)
    }

    /// The bytes of an ONNX file.
    fn to_onnx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = surefoot_export::export(&self.0, Format::Onnx, "").map_err(of_export)?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[getter]
    fn is_classifier(&self) -> bool {
        self.0.task == Task::Classification
    }

    #[getter]
    fn is_autoencoder(&self) -> bool {
        self.0.is_autoencoder()
    }

    /// The names of the classes.
    #[getter]
    fn classes(&self) -> Vec<String> {
        (0..self.0.class_count()).map(|class| self.0.class_name(class)).collect()
    }

    /// The columns that it reads, as far as it knows their names.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let columns = Encoding::columns_of(&self.0);
        match columns.is_empty() {
            true => self.0.input_columns.clone(),
            false => columns.into_iter().map(|column| column.name).collect(),
        }
    }

    #[getter]
    fn target_columns(&self) -> Vec<String> {
        self.0.target_columns.clone()
    }

    #[getter]
    fn inputs(&self) -> usize {
        self.0.network.inputs()
    }

    /// The network in words, such as `4-64-3`.
    #[getter]
    fn network(&self) -> String {
        self.0.network.widths()
    }

    /// For each row of a data frame the probabilities of the classes, or the numbers; and the values of categories that were not
    /// there when the model was fitted: column, value, rows, and the category that it was read as, if any.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        frame: Frame<'_>,
        threads: usize,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Vec<Unseen>)> {
        let (table, model) = (frame.table("X")?, &self.0);
        let (outputs, unseen) = run(py, threads, LONG, &Cancel::new(), || -> PyResult<_> {
            let encoding = Encoding::of_model(model, &table).map_err(of_table)?;
            let rows = table.all_rows();
            let inputs = encoding.inputs(&table, &rows).map_err(of_table)?;
            let outputs = model.predict(inputs.view()).map_err(of_library)?;
            Ok((outputs, encoding.unseen(&table, &rows).map_err(of_table)?))
        })??;
        let outputs = match model.task {
            Task::Classification => of_classes(model, outputs),
            Task::Regression => outputs,
        };
        let unseen = unseen.into_iter().map(|one| (one.column, one.value, one.rows, one.read_as)).collect();
        Ok((outputs.into_pyarray(py), unseen))
    }

    /// The activations of hidden layer `layer`, counted from 1, for each row of a data frame.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        frame: Frame<'_>,
        layer: usize,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (table, model) = (frame.table("X")?, &self.0);
        let codes = run(py, threads, LONG, &Cancel::new(), || {
            let encoding = Encoding::of_model(model, &table).map_err(of_table)?;
            let inputs = encoding.inputs(&table, &table.all_rows()).map_err(of_table)?;
            model.encode(inputs.view(), layer).map_err(of_library)
        })??;
        Ok(codes.into_pyarray(py))
    }

    /// The outputs for activations of hidden layer `layer`, counted from 1.
    fn decode<'py>(
        &self,
        py: Python<'py>,
        codes: PyReadonlyArray2<'py, f64>,
        layer: usize,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let codes = codes.as_array();
        let outputs = run(py, threads, LONG, &Cancel::new(), || self.0.decode(codes, layer).map_err(of_library))??;
        Ok(outputs.into_pyarray(py))
    }

    /// The units of each hidden layer.
    #[getter]
    fn hidden(&self) -> Vec<usize> {
        let layers = self.0.network.layers();
        layers[..layers.len() - 1].iter().map(|layer| layer.outputs).collect()
    }

    /// One row of a data frame (from 0) explained by the formulas: as text, and as a page.
    fn explain(&self, frame: Frame<'_>, row: usize) -> PyResult<(String, String)> {
        let (table, model) = (frame.table("X")?, self.0.merged().map_err(of_library)?);
        if row >= table.rows() {
            return Err(PyIndexError::new_err(format!("expected a row below {}, got {row}", table.rows())));
        }
        let encoding = Encoding::of_model(&model, &table).map_err(of_table)?;
        let explanation = Explanation::new(&model, &table, &encoding, row).map_err(of_report)?;
        Ok((explanation.text(), explanation.page().as_str().to_string()))
    }

    /// What the score on a data frame with its targets loses without each column: its name, the mean, and the standard deviation.
    fn permutation_importance(
        &self,
        py: Python<'_>,
        frame: Frame<'_>,
        target: Frame<'_>,
        repeats: usize,
        seed: u64,
        threads: usize,
    ) -> PyResult<Vec<(String, f64, f64)>> {
        let (table, model) = (frame.table("X")?.beside(target.table("y")?).map_err(of_table)?, &self.0);
        run(py, threads, LONG, &Cancel::new(), || {
            let encoding = Encoding::of_model(model, &table).map_err(of_table)?;
            let rows = encoding.rows_with_targets(&table).map_err(of_table)?;
            let inputs = encoding.inputs(&table, &rows).map_err(of_table)?;
            let targets = encoding.targets(&table, &rows, model.network.outputs()).map_err(of_table)?;
            let examples = model.examples(inputs.view(), targets.view()).map_err(of_library)?;
            let parameters = model.parameters.to_f64();
            let predict = |inputs: ndarray::ArrayView2<'_, f64>| model.network.predict_ensemble(&parameters, inputs);
            let measure = PermutationImportance { repeats, seed };
            let found = measure.run(model.task, &examples, &encoding.input_groups(), predict).map_err(of_library)?;
            let names = encoding.columns.iter().map(|column| column.name.clone());
            Ok(names.zip(found).map(|(name, importance)| (name, importance.mean, importance.spread)).collect())
        })?
    }
}

/// The outputs as probabilities; where they are none, 1 for the class that is predicted.
fn of_classes(model: &surefoot::Model, outputs: Array2<f64>) -> Array2<f64> {
    if let Some(probabilities) = model.probabilities(outputs.view()) {
        return probabilities;
    }
    let mut chosen = Array2::zeros((outputs.nrows(), model.class_count()));
    model.classify(outputs.view()).into_iter().enumerate().for_each(|(row, class)| chosen[[row, class]] = 1.0);
    chosen
}

/// Writes a text or bytes, whole or not at all.
#[pyfunction]
pub fn write(path: &str, content: Content) -> PyResult<()> {
    let bytes = match &content {
        Content::Text(text) => text.as_bytes(),
        Content::Bytes(bytes) => bytes,
    };
    write_atomically(Path::new(path), bytes).map_err(of_library)
}

#[derive(FromPyObject)]
pub enum Content {
    Text(String),
    Bytes(Vec<u8>),
}
