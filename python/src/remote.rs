//! Examples in pieces on other processes or machines: the sums of a piece, their sum, and a step of L-BFGS by sums from elsewhere.

use std::sync::{Mutex, PoisonError};

use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use surefoot::optimizer::LbfgsState;
use surefoot::{Cancel, Dataset, Lbfgs, Remote, Scalar};

use crate::errors::of_library;
use crate::problem::{Problem, by_precision, name_of};
use crate::running::run;

/// Neighbouring rows of a data set, with their place in it. It is pickled as arrays of NumPy.
#[pyclass(frozen, module = "surefoot._core")]
pub struct Piece {
    examples: Examples,
    first: usize,
    rows: usize,
}

enum Examples {
    Single(Dataset<f32>, Option<Vec<f32>>),
    Double(Dataset<f64>, Option<Vec<f64>>),
}

/// Does the same for examples of either precision, and their weights.
macro_rules! with_examples {
    ($piece:expr, ($data:ident, $weights:ident) => $call:expr) => {
        match &$piece.examples {
            Examples::Single($data, $weights) => $call,
            Examples::Double($data, $weights) => $call,
        }
    };
}

#[pymethods]
impl Piece {
    /// Rows from `first` on of a data set with `rows` rows.
    #[new]
    #[pyo3(signature = (x, y, weights, first, rows))]
    fn new(
        x: &Bound<'_, PyAny>,
        y: &Bound<'_, PyAny>,
        weights: Option<&Bound<'_, PyAny>>,
        first: usize,
        rows: usize,
    ) -> PyResult<Self> {
        let (x, y, weights) = (&aligned(x)?, &aligned(y)?, weights.map(aligned).transpose()?);
        let weights = weights.as_ref();
        let examples = if x.cast::<PyArray2<f32>>().is_ok() {
            let (data, weights) = copied(x, y, weights).map_err(|error| of_piece(error, first))?;
            Examples::Single(data, weights)
        } else if x.cast::<PyArray2<f64>>().is_ok() {
            let (data, weights) = copied(x, y, weights).map_err(|error| of_piece(error, first))?;
            Examples::Double(data, weights)
        } else {
            return Err(PyTypeError::new_err("expected an array of float32 or float64 with rows and columns"));
        };
        let piece = Piece { examples, first, rows };
        let checked = with_examples!(piece, (data, weights) => piece.view(data, weights).map(drop));
        checked.map_err(|error| of_piece(Failure::Library(error), first))?;
        Ok(piece)
    }

    /// The sums that a request asks for, over these rows.
    fn leaf_sum<'py>(&self, py: Python<'py>, request: &[u8], threads: usize) -> PyResult<Bound<'py, PyBytes>> {
        let sum = run(py, threads, f64::INFINITY, &Cancel::new(), || {
            with_examples!(self, (data, weights) => {
                self.view(data, weights).and_then(|piece| piece.leaf_sum(request))
            })
        })?;
        Ok(PyBytes::new(py, &sum.map_err(of_library)?))
    }

    /// The digests of its leaves.
    fn leaf_digests(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        let digests = py.detach(
            || with_examples!(self, (data, weights) => self.view(data, weights).map(|piece| piece.leaf_digests())),
        );
        digests.map_err(of_library)
    }

    /// The memory that its numbers take.
    #[getter]
    fn nbytes(&self) -> usize {
        with_examples!(self, (data, weights) => {
            let numbers = data.inputs().len() + data.targets().len() + weights.as_ref().map_or(0, Vec::len);
            numbers * size_of_val(&data.inputs()[[0, 0]])
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyAny>)> {
        let (py, piece) = (slf.py(), slf.get());
        let arguments = with_examples!(piece, (data, weights) => {
            let weights = weights.as_ref().map(|weights| weights.clone().into_pyarray(py));
            let (x, y) = (data.inputs().to_owned().into_pyarray(py), data.targets().to_owned().into_pyarray(py));
            (x, y, weights, piece.first, piece.rows).into_pyobject(py)?.into_any()
        });
        Ok((slf.get_type(), arguments))
    }
}

impl Piece {
    /// The piece as the library has it.
    fn view<'a, T: Scalar>(
        &self,
        data: &'a Dataset<T>,
        weights: &'a Option<Vec<T>>,
    ) -> surefoot::Result<surefoot::Piece<'a, T>> {
        let piece = surefoot::Piece::new(data, self.first, self.rows)?;
        match weights {
            Some(weights) => piece.with_weights(weights),
            None => Ok(piece),
        }
    }
}

/// The array in C order where the processor can read it: what was pickled may lie anywhere.
fn aligned<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    array.py().import("numpy")?.call_method1("require", (array, array.py().None(), ["C", "A"]))
}

/// What is wrong with arrays: they are not such, or the library says it.
enum Failure {
    Python(PyErr),
    Library(surefoot::Error),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Python(error)
    }
}

/// The error of a piece; a wrong number is told by its row in the whole data set.
fn of_piece(failure: Failure, first: usize) -> PyErr {
    match failure {
        Failure::Python(error) => error,
        Failure::Library(surefoot::Error::Value { what, row, column, expected, got }) => {
            of_library(surefoot::Error::Value { what, row: first + row, column, expected, got })
        }
        Failure::Library(error) => of_library(error),
    }
}

/// Examples of our own, and their weights.
fn copied<T: Element + Scalar>(
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    weights: Option<&Bound<'_, PyAny>>,
) -> Result<(Dataset<T>, Option<Vec<T>>), Failure> {
    let (x, y): (PyReadonlyArray2<'_, T>, PyReadonlyArray2<'_, T>) = (x.extract()?, y.extract()?);
    let data = Dataset::new(x.as_array().to_owned(), y.as_array().to_owned()).map_err(Failure::Library)?;
    let numbers = |weights: &Bound<'_, PyAny>| -> PyResult<Vec<T>> {
        Ok(weights.extract::<PyReadonlyArray1<'_, T>>()?.as_slice().map_err(PyErr::from)?.to_vec())
    };
    Ok((data, weights.map(numbers).transpose()?))
}

/// The sum of what [`Piece::leaf_sum`] gave for several pieces, or of such sums.
#[pyfunction]
pub fn add_sums<'py>(py: Python<'py>, sums: Vec<Bound<'py, PyBytes>>) -> PyResult<Bound<'py, PyBytes>> {
    let sums: Vec<&[u8]> = sums.iter().map(|sum| sum.as_bytes()).collect();
    Ok(PyBytes::new(py, &py.detach(|| surefoot::add_sums(&sums)).map_err(of_library)?))
}

/// The first row of each piece and the row after its last, for about so many pieces.
#[pyfunction]
pub fn piece_rows(rows: usize, pieces: usize) -> Vec<(usize, usize)> {
    surefoot::piece_rows(rows, pieces).into_iter().map(|rows| (rows.start, rows.end)).collect()
}

/// The digest of a data set from those of its leaves.
#[pyfunction]
pub fn digest_of_leaves(rows: usize, leaves: Vec<u64>) -> u64 {
    surefoot::digest_of_leaves(rows, &leaves)
}

/// The digest of θ.
#[pyfunction]
pub fn digest_of_parameters(theta: &Bound<'_, PyAny>) -> PyResult<u64> {
    by_precision!(theta, T => {
        let theta: PyReadonlyArray1<'_, T> = theta.extract()?;
        Ok(surefoot::digest_of_parameters(theta.as_slice()?))
    })
}

/// L-BFGS on its way, one iteration a step.
#[pyclass(module = "surefoot._core")]
pub struct Minimizer {
    optimizer: Lbfgs,
    state: State,
}

enum State {
    Begins,
    Single(LbfgsState<f32>),
    Double(LbfgsState<f64>),
}

/// A precision whose state can be kept.
trait Kept: Scalar {
    fn take(state: &mut State) -> LbfgsState<Self>;
    fn keep(state: LbfgsState<Self>) -> State;
}

macro_rules! kept {
    ($($number:ty: $variant:ident),*) => {$(
        impl Kept for $number {
            fn take(state: &mut State) -> LbfgsState<Self> {
                match state {
                    State::$variant(state) => state.clone(),
                    _ => LbfgsState::default(),
                }
            }

            fn keep(state: LbfgsState<Self>) -> State {
                State::$variant(state)
            }
        }
    )*};
}

kept!(f32: Single, f64: Double);

#[pymethods]
impl Minimizer {
    #[new]
    fn new(gradient_tolerance: f64, cost_tolerance: f64) -> Self {
        Minimizer { optimizer: Lbfgs { gradient_tolerance, cost_tolerance, ..Lbfgs::default() }, state: State::Begins }
    }

    /// Moves θ by an iteration, or says why there is none. `sum` is called with each request, and gives the sum over all rows. When it
    /// raises, all is as before the step.
    fn step(
        &mut self,
        py: Python<'_>,
        problem: &Bound<'_, Problem>,
        theta: &Bound<'_, PyAny>,
        rows: usize,
        sum: Py<PyAny>,
    ) -> PyResult<Option<&'static str>> {
        by_precision!(theta, T => {
            let callback = Callback { rows, sum, raised: Mutex::new(None) };
            let problem = problem.get();
            let mut state = T::take(&mut self.state);
            // a copy: Python may read the array meanwhile
            let array: PyReadonlyArray1<'_, T> = theta.extract()?;
            let mut moved = problem.checked(array.as_slice()?)?.to_vec();
            drop(array);
            let mut cost = problem.cost_over_remote(&callback)?;
            let stop = self.optimizer.iterate(&mut state, &mut cost, &mut moved).err();
            let failure = cost.take_failure();
            drop(cost);
            if let Some(raised) = callback.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
                return Err(raised);
            }
            if let Some(failure) = failure {
                return Err(of_library(failure));
            }
            let mut array: PyReadwriteArray1<'_, T> = theta.extract()?;
            array.as_slice_mut()?.copy_from_slice(&moved);
            self.state = T::keep(state);
            py.check_signals()?;
            Ok(stop.map(name_of))
        })
    }

    /// Iterations so far.
    #[getter]
    fn iterations(&self) -> u64 {
        self.seen(|state| state.iterations, |state| state.iterations, 0)
    }

    /// Evaluations of the cost so far.
    #[getter]
    fn evaluations(&self) -> u64 {
        self.seen(|state| state.evaluations, |state| state.evaluations, 0)
    }

    /// J(θ); infinite before the first step.
    #[getter]
    fn cost(&self) -> f64 {
        self.seen(|state| state.cost, |state| state.cost, f64::INFINITY)
    }
}

impl Minimizer {
    fn seen<R>(&self, single: impl Fn(&LbfgsState<f32>) -> R, double: impl Fn(&LbfgsState<f64>) -> R, before: R) -> R {
        match &self.state {
            State::Begins => before,
            State::Single(state) => single(state),
            State::Double(state) => double(state),
        }
    }
}

/// Sums that a function of Python gets from wherever the pieces are.
#[derive(Debug)]
struct Callback {
    rows: usize,
    sum: Py<PyAny>,
    /// What it raised.
    raised: Mutex<Option<PyErr>>,
}

impl Remote for Callback {
    fn rows(&self) -> usize {
        self.rows
    }

    fn sum(&self, request: &[u8]) -> surefoot::Result<Vec<u8>> {
        Python::attach(|py| {
            let sum = self.sum.call1(py, (PyBytes::new(py, request),));
            let sum = sum.and_then(|sum| Ok(sum.bind(py).cast::<PyBytes>()?.as_bytes().to_vec()));
            sum.map_err(|error| {
                let what = error.to_string();
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                surefoot::Error::Remote { what }
            })
        })
    }
}
