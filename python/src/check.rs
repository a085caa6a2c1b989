//! The gradient check, of a network or of any function of Python.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use surefoot::gradient_check::Coordinate;
use surefoot::{GradientCheck, Objective};

use crate::errors::of_library;

/// What a gradient check found.
#[pyclass(frozen, module = "surefoot")]
pub struct GradientReport(pub surefoot::GradientReport);

#[pymethods]
impl GradientReport {
    #[getter]
    fn passed(&self) -> bool {
        self.0.passed()
    }
    #[getter]
    fn cost(&self) -> f64 {
        self.0.cost
    }
    #[getter]
    fn epsilon(&self) -> f64 {
        self.0.epsilon
    }
    /// ‖n − g‖ / ‖n + g‖
    #[getter]
    fn difference(&self) -> f64 {
        self.0.total.difference
    }
    /// The largest |nᵢ − gᵢ|.
    #[getter]
    fn max_difference(&self) -> f64 {
        self.0.total.max_difference
    }
    #[getter]
    fn checked(&self) -> usize {
        self.0.total.checked
    }
    #[getter]
    fn wrong(&self) -> usize {
        self.0.total.wrong
    }
    #[getter]
    fn kinks(&self) -> usize {
        self.0.total.kinks
    }
    /// The name of the coordinate to look at.
    #[getter]
    fn worst(&self) -> Option<String> {
        self.0.total.worst.as_ref().map(|worst| worst.place.clone())
    }

    fn __bool__(&self) -> bool {
        self.0.passed()
    }

    fn __str__(&self) -> String {
        let verdict = if self.0.passed() { "passed" } else { "FAILED" };
        let mut text = format!(
            "gradient check {verdict}: {} of {} derivatives compared, difference {:.1e}",
            self.0.total.checked, self.0.parameters, self.0.total.difference
        );
        if self.0.total.kinks > 0 {
            text += &format!(", {} skipped at non-differentiable points", self.0.total.kinks);
        }
        if let (false, Some(worst)) = (self.0.passed(), &self.0.total.worst) {
            let Coordinate { place, numeric, analytic, .. } = worst;
            text += &format!("; at {place} the numerical derivative is {numeric:.6e}, the gradient has {analytic:.6e}");
        }
        text
    }

    fn __repr__(&self) -> String {
        format!("<{}>", self.__str__())
    }

    fn _repr_html_(&self) -> String {
        let row = |name: &str, comparison: &surefoot::gradient_check::Comparison| {
            format!(
                "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{:.1e}</td><td>{:.1e}</td></tr>",
                comparison.checked, comparison.wrong, comparison.difference, comparison.max_difference
            )
        };
        let layers = self.0.layers.iter().enumerate().map(|(l, layer)| row(&format!("layer {}", l + 1), layer));
        let layers: String = layers.collect();
        let verdict = if self.0.passed() { "passed" } else { "FAILED" };
        format!(
            "<table><caption>gradient check {verdict}</caption><thead><tr><th></th><th>checked</th><th>wrong</th>\
             <th>‖n − g‖/‖n + g‖</th><th>max |n − g|</th></tr></thead><tbody>{layers}{}</tbody></table>",
            row("all", &self.0.total)
        )
    }
}

/// A function of Python that gives J(θ) and ∇J(θ).
struct Function<'py> {
    function: Bound<'py, PyAny>,
    dimension: usize,
    /// What it raised first; from then on it is not called.
    raised: Option<PyErr>,
}

impl Function<'_> {
    fn call(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        if self.raised.is_some() {
            return f64::NAN;
        }
        self.result(theta, gradient).unwrap_or_else(|error| {
            self.raised = Some(error);
            f64::NAN
        })
    }

    fn result(&self, theta: &[f64], gradient: &mut [f64]) -> PyResult<f64> {
        let py = self.function.py();
        let result = self.function.call1((PyArray1::from_slice(py, theta),))?;
        let (cost, of_function): (f64, Bound<'_, PyAny>) = result.extract().map_err(|_| {
            PyValueError::new_err(format!("expected fun(theta) to return (cost, gradient), got {result}"))
        })?;
        let numpy = py.import("numpy")?;
        let array = numpy.call_method1("ascontiguousarray", (of_function, "float64"))?.call_method0("ravel")?;
        let array: PyReadonlyArray1<'_, f64> = array.extract()?;
        let numbers = array.as_slice()?;
        if numbers.len() != gradient.len() {
            let (expected, got) = (gradient.len(), numbers.len());
            return Err(PyValueError::new_err(format!(
                "expected a gradient of {expected} numbers, as theta has, got {got}"
            )));
        }
        gradient.copy_from_slice(numbers);
        Ok(cost)
    }
}

impl Objective<f64> for Function<'_> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn cost(&mut self, theta: &[f64]) -> f64 {
        let mut gradient = vec![0.0; theta.len()];
        self.call(theta, &mut gradient)
    }

    fn cost_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.call(theta, gradient)
    }

    fn segments(&self) -> Vec<surefoot::Segment> {
        vec![surefoot::Segment { layer: 0, name: "theta".into(), rows: self.dimension, columns: None }]
    }
}

#[pyfunction]
#[pyo3(signature = (fun, theta, epsilon = 1e-4))]
pub fn check_gradient(
    fun: Bound<'_, PyAny>,
    theta: PyReadonlyArray1<'_, f64>,
    epsilon: f64,
) -> PyResult<GradientReport> {
    let theta = theta.as_slice()?;
    let mut function = Function { function: fun, dimension: theta.len(), raised: None };
    let report = GradientCheck { epsilon, ..GradientCheck::default() }.run(&mut function, theta);
    match (function.raised, report) {
        (Some(error), _) => Err(error),
        (None, report) => report.map(GradientReport).map_err(of_library),
    }
}
