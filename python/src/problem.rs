//! A network with its cost, over arrays of NumPy where they lie.

use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use surefoot::optimizer::{FirstOrder, FirstOrderState, LbfgsState, LbfgsStop};
use surefoot::{
    Activation, Adam, Cancel, Cost, DatasetView, GradientCheck, GradientDescent, Lbfgs, Loss, Model, Network,
    Objective, Parameters, Remote, Scalar, Task, Threads,
};

use crate::check::GradientReport;
use crate::errors::of_library;
use crate::running::run;

/// How θ moves by a gradient.
#[pyclass(frozen, module = "surefoot._core")]
pub struct Optimizer(FirstOrder);

#[pymethods]
impl Optimizer {
    #[staticmethod]
    fn adam(beta1: f64, beta2: f64, epsilon: f64) -> Self {
        Optimizer(FirstOrder::Adam(Adam { beta1, beta2, epsilon, epsilon_hat: true, ..Adam::default() }))
    }

    #[staticmethod]
    fn sgd(momentum: f64, nesterov: bool) -> Self {
        Optimizer(FirstOrder::GradientDescent(GradientDescent { momentum, nesterov, ..GradientDescent::default() }))
    }
}

/// A network, the loss of an example, and weight decay: alpha, divided by the weight of a batch as scikit-learn does, or λ, which is
/// not.
#[pyclass(frozen, module = "surefoot._core")]
pub struct Problem {
    network: Network,
    loss: Loss,
    weight_decay: f64,
    per_weight: bool,
}

/// The arrays that a cost is over.
struct Examples<'py, T: Element> {
    inputs: PyReadonlyArray2<'py, T>,
    targets: PyReadonlyArray2<'py, T>,
    weights: Option<PyReadonlyArray1<'py, T>>,
}

impl<'py, T: Element + Scalar> Examples<'py, T> {
    fn new(x: &Bound<'py, PyAny>, y: &Bound<'py, PyAny>, weights: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        Ok(Examples { inputs: x.extract()?, targets: y.extract()?, weights: weights.map(|w| w.extract()).transpose()? })
    }

    fn view(&self) -> PyResult<DatasetView<'_, T>> {
        let view = DatasetView::new(self.inputs.as_array(), self.targets.as_array()).map_err(of_library)?;
        match &self.weights {
            None => Ok(view),
            Some(weights) => view.with_weights(weights.as_slice()?).map_err(of_library),
        }
    }
}

/// Calls a method for the precision that θ has.
macro_rules! by_precision {
    ($theta:expr, $numbers:ident => $call:expr) => {
        if $theta.cast::<PyArray1<f64>>().is_ok() {
            type $numbers = f64;
            $call
        } else if $theta.cast::<PyArray1<f32>>().is_ok() {
            type $numbers = f32;
            $call
        } else {
            Err(PyTypeError::new_err("expected a flat array of float32 or float64"))
        }
    };
}
pub(crate) use by_precision;

/// Parts of a state that is kept in arrays of NumPy.
fn taken<T: Element + Scalar>(array: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<T>> {
    array.map_or(Ok(Vec::new()), |array| Ok(array.extract::<PyReadonlyArray1<'_, T>>()?.as_slice()?.to_vec()))
}

fn put_back<T: Element + Scalar>(array: Option<&Bound<'_, PyAny>>, numbers: &[T]) -> PyResult<()> {
    if let Some(array) = array {
        array.extract::<PyReadwriteArray1<'_, T>>()?.as_slice_mut()?.copy_from_slice(numbers);
    }
    Ok(())
}

#[pymethods]
impl Problem {
    /// `layers`: the units and the activation of each layer after the input.
    #[new]
    fn new(
        inputs: usize,
        layers: Vec<(usize, String)>,
        loss: &str,
        weight_decay: f64,
        per_weight: bool,
    ) -> PyResult<Self> {
        let layer = |(units, name): (usize, String)| Ok((units, name.parse::<Activation>().map_err(of_library)?));
        let layers = layers.into_iter().map(layer).collect::<PyResult<Vec<_>>>()?;
        let network = Network::new(inputs, &layers).map_err(of_library)?;
        let loss = loss.parse().map_err(of_library)?;
        Ok(Problem { network, loss, weight_decay, per_weight })
    }

    /// The length of θ.
    #[getter]
    fn parameter_count(&self) -> usize {
        self.network.parameter_count()
    }

    /// A step for each batch of rows in this order, or in that of the data; the mean of the batches' costs before their step, by rows.
    #[pyo3(signature = (theta, x, y, weights, order, batch_size, optimizer, first, second, steps, learning_rate, threads))]
    fn epoch(
        &self,
        py: Python<'_>,
        theta: &Bound<'_, PyAny>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        order: Option<PyReadonlyArray1<'_, i64>>,
        batch_size: usize,
        optimizer: &Optimizer,
        first: Option<&Bound<'_, PyAny>>,
        second: Option<&Bound<'_, PyAny>>,
        steps: u64,
        learning_rate: f64,
        threads: usize,
    ) -> PyResult<f64> {
        by_precision!(theta, T => {
            let examples = Examples::<T>::new(x, y, weights)?;
            let view = examples.view()?;
            let order: Vec<usize> = match &order {
                Some(order) => order.as_slice()?.iter().map(|&row| row as usize).collect(),
                None => (0..view.rows()).collect(),
            };
            if order.is_empty() || order.iter().any(|&row| row >= view.rows()) {
                return Err(PyValueError::new_err("the order has rows that are not there"));
            }
            let eps = Scalar::to_f64(T::EPSILON);
            let mut state = FirstOrderState { steps, first: taken::<T>(first)?, second: taken::<T>(second)? };
            let mut array: PyReadwriteArray1<'_, T> = theta.extract()?;
            let theta = self.checked(array.as_slice_mut()?)?;
            let needed = [first, second].map(|array| if array.is_some() { theta.len() } else { 0 });
            if [state.first.len(), state.second.len()] != needed {
                return Err(PyValueError::new_err("expected a state of the optimizer that is as long as theta"));
            }
            let cancel = Cancel::new();
            let cost = self.cost_over(view, &cancel)?.with_least_probability(eps);
            let done = run(py, threads, self.work(order.len()), &cancel, || {
                let batches = Batches { order: &order, size: batch_size.max(1), optimizer: &optimizer.0, learning_rate };
                Threads::keep_awake(|| batches.steps(cost, &mut state, theta, &cancel))
            });
            put_back(first, &state.first)?;
            put_back(second, &state.second)?;
            done
        })
    }

    /// Iterations of L-BFGS over all rows: how many were done, the evaluations, the cost, and why it stopped (`None`: at a limit).
    #[pyo3(signature = (theta, x, y, weights, gradient_tolerance, cost_tolerance, iterations, evaluations, threads))]
    fn minimize(
        &self,
        py: Python<'_>,
        theta: &Bound<'_, PyAny>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        gradient_tolerance: f64,
        cost_tolerance: f64,
        iterations: u64,
        evaluations: u64,
        threads: usize,
    ) -> PyResult<(u64, u64, f64, Option<&'static str>)> {
        by_precision!(theta, T => {
            let examples = Examples::<T>::new(x, y, weights)?;
            let view = examples.view()?;
            let mut array: PyReadwriteArray1<'_, T> = theta.extract()?;
            let theta = self.checked(array.as_slice_mut()?)?;
            let cancel = Cancel::new();
            let mut cost = self.cost_over(view, &cancel)?;
            let optimizer = Lbfgs { gradient_tolerance, cost_tolerance, ..Lbfgs::default() };
            let work = self.work(view.rows()) * iterations.min(evaluations) as f64;
            let mut state = LbfgsState::default();
            let (mut done, mut stop) = ((0, 0, f64::INFINITY), None);
            let ended = run(py, threads, work, &cancel, || {
                let mut before = theta.to_vec();
                while state.iterations < iterations && state.evaluations < evaluations {
                    before.copy_from_slice(theta);
                    stop = optimizer.iterate(&mut state, &mut cost, theta).err();
                    if cancel.is_cancelled() {
                        theta.copy_from_slice(&before); // a search along a line that is cancelled found nothing
                        return;
                    }
                    done = (state.iterations, state.evaluations, state.cost);
                    if stop.is_some() {
                        return;
                    }
                }
            });
            let stop = match (ended, stop) {
                (Err(error), _) if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => Some("interrupted"),
                (Err(error), _) => return Err(error),
                (Ok(()), stop) => stop.map(name_of),
            };
            Ok((done.0, done.1, done.2, stop))
        })
    }

    /// J(θ) over all rows.
    #[pyo3(signature = (theta, x, y, weights, threads))]
    fn cost(
        &self,
        py: Python<'_>,
        theta: &Bound<'_, PyAny>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        threads: usize,
    ) -> PyResult<f64> {
        by_precision!(theta, T => {
            let examples = Examples::<T>::new(x, y, weights)?;
            self.evaluated(py, theta, &examples, 1.0, threads, |cost, theta| cost.cost(theta))
        })
    }

    /// J(θ) and ∇J(θ) over all rows.
    #[pyo3(signature = (theta, x, y, weights, threads))]
    fn cost_and_gradient<'py>(
        &self,
        py: Python<'py>,
        theta: &Bound<'py, PyAny>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        threads: usize,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        by_precision!(theta, T => {
            let examples = Examples::<T>::new(x, y, weights)?;
            let (value, gradient) = self.evaluated(py, theta, &examples, 1.0, threads, |cost, theta| {
                let mut gradient = vec![0 as T; theta.len()];
                (cost.cost_and_gradient(theta, &mut gradient), gradient)
            })?;
            Ok((value, gradient.into_pyarray(py).into_any()))
        })
    }

    /// The outputs for each row; or, up to hidden layer `layer`, counted from 1, its activations.
    #[pyo3(signature = (theta, x, threads, layer = None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        theta: &Bound<'py, PyAny>,
        x: &Bound<'py, PyAny>,
        threads: usize,
        layer: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        by_precision!(theta, T => {
            let inputs: PyReadonlyArray2<'py, T> = x.extract()?;
            let array: PyReadonlyArray1<'py, T> = theta.extract()?;
            let theta = self.checked(array.as_slice()?)?;
            let encoder = layer.map(|layer| self.network.encoder(layer)).transpose().map_err(of_library)?;
            let (network, inputs) = (encoder.as_ref().unwrap_or(&self.network), inputs.as_array());
            let theta = &theta[..network.parameter_count()];
            let outputs = run(py, threads, self.work(inputs.nrows()), &Cancel::new(), || network.predict(theta, inputs))?;
            let outputs: Bound<'py, PyArray2<T>> = outputs.map_err(of_library)?.into_pyarray(py);
            Ok(outputs.into_any())
        })
    }

    /// Compares the gradient over all rows with the numerical one, in double precision, at all or at `sample` coordinates.
    #[pyo3(signature = (theta, x, y, weights, sample, epsilon, threads))]
    fn check_gradient(
        &self,
        py: Python<'_>,
        theta: &Bound<'_, PyAny>,
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        sample: Option<usize>,
        epsilon: f64,
        threads: usize,
    ) -> PyResult<GradientReport> {
        let examples = Examples::<f64>::new(x, y, weights)?;
        let check = GradientCheck { epsilon, sample, ..GradientCheck::default() };
        let passes = sample.unwrap_or(self.network.parameter_count()) as f64;
        let report = self.evaluated(py, theta, &examples, passes, threads, |cost: &mut Cost<'_, f64>, theta| {
            check.run(cost, theta)
        })?;
        report.map(GradientReport).map_err(of_library)
    }

    /// The bytes of a model file, for classes of these names or for numbers.
    #[pyo3(signature = (theta, classes, input_columns))]
    fn model_file<'py>(
        &self,
        theta: &Bound<'py, PyAny>,
        classes: Option<Vec<String>>,
        input_columns: Vec<String>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let parameters: Parameters = by_precision!(theta, T => Ok::<_, PyErr>(taken::<T>(Some(theta))?.into()))?;
        // in the file λ is that of the mean cost, whatever the batches were
        let weight_decay = if self.per_weight { 0.0 } else { self.weight_decay };
        let mut model = Model::new(self.network.clone(), parameters, self.loss, weight_decay).map_err(of_library)?;
        model.task = if classes.is_some() { Task::Classification } else { Task::Regression };
        model.classes = classes.unwrap_or_default();
        model.input_columns = input_columns;
        model.training = serde_json::json!({"program": concat!("surefoot ", env!("CARGO_PKG_VERSION"), ", Python")});
        Ok(PyBytes::new(theta.py(), &model.to_bytes().map_err(of_library)?))
    }
}

impl Problem {
    /// What is made of the cost over all examples, at a θ that stays as it is, in about so many passes over them.
    fn evaluated<'py, T: Element + Scalar, R: Send>(
        &self,
        py: Python<'py>,
        theta: &Bound<'py, PyAny>,
        examples: &Examples<'py, T>,
        passes: f64,
        threads: usize,
        evaluate: impl FnOnce(&mut Cost<'_, T>, &[T]) -> R + Send,
    ) -> PyResult<R> {
        let array: PyReadonlyArray1<'_, T> = theta.extract()?;
        let (theta, view, cancel) = (self.checked(array.as_slice()?)?, examples.view()?, Cancel::new());
        let mut cost = self.cost_over(view, &cancel)?;
        run(py, threads, passes * self.work(view.rows()), &cancel, || evaluate(&mut cost, theta))
    }

    fn cost_over<'a, T: Scalar>(&'a self, view: DatasetView<'a, T>, cancel: &Cancel) -> PyResult<Cost<'a, T>> {
        let cost = Cost::new(&self.network, self.loss, self.weight_decay, view).map_err(of_library)?;
        Ok(self.divided(cost).with_cancel(cancel.clone()))
    }

    /// The cost over examples that lie on other machines.
    pub(crate) fn cost_over_remote<'a, T: Scalar>(&'a self, remote: &'a dyn Remote) -> PyResult<Cost<'a, T>> {
        let cost = Cost::remote(&self.network, self.loss, self.weight_decay, remote).map_err(of_library)?;
        Ok(self.divided(cost))
    }

    fn divided<'a, T: Scalar>(&self, cost: Cost<'a, T>) -> Cost<'a, T> {
        if self.per_weight { cost.per_weight() } else { cost }
    }

    pub(crate) fn checked<S: AsRef<[T]>, T>(&self, theta: S) -> PyResult<S> {
        match theta.as_ref().len() == self.network.parameter_count() {
            true => Ok(theta),
            false => {
                let (expected, got) = (self.network.parameter_count(), theta.as_ref().len());
                Err(PyValueError::new_err(format!("expected {expected} parameters, got {got}")))
            }
        }
    }

    /// Multiplications of a pass over so many rows.
    fn work(&self, rows: usize) -> f64 {
        3.0 * rows as f64 * self.network.parameter_count() as f64
    }
}

/// Why L-BFGS goes no further, in a word.
pub(crate) fn name_of(stop: LbfgsStop) -> &'static str {
    match stop {
        LbfgsStop::Converged => "converged",
        LbfgsStop::LineSearch => "line-search",
        LbfgsStop::NotFinite => "not-finite",
    }
}

/// The batches of an epoch, and how θ moves after each.
struct Batches<'a> {
    order: &'a [usize],
    size: usize,
    optimizer: &'a FirstOrder,
    learning_rate: f64,
}

impl Batches<'_> {
    /// Makes the steps, unless it is cancelled; the mean of the costs before each, by rows.
    fn steps<T: Scalar>(
        &self,
        mut cost: Cost<'_, T>,
        state: &mut FirstOrderState<T>,
        theta: &mut [T],
        cancel: &Cancel,
    ) -> f64 {
        let mut sum = 0.0;
        let is_all = self.size >= self.order.len() && self.order.len() == cost.rows();
        for (i, rows) in self.order.chunks(self.size).enumerate() {
            let end = self.order.len();
            cost.prefetch(&self.order[end.min((i + 1) * self.size)..end.min((i + 2) * self.size)]);
            let (of_batch, pass) = cost.forward_backward(theta, (!is_all).then_some(rows));
            if cancel.is_cancelled() {
                break;
            }
            pass.step(self.optimizer, state, theta, self.learning_rate);
            sum += of_batch * rows.len() as f64;
        }
        sum / self.order.len() as f64
    }
}
