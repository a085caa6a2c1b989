//! Data frames of Python as tables: by Arrow's PyCapsule interface, or column by column.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use surefoot_table::Table;

use crate::errors::of_table;

/// What a table is made of.
#[derive(FromPyObject)]
pub enum Frame<'py> {
    /// Names, and for each an array of numbers or booleans, or a list of texts and `None`.
    Columns(Vec<(String, Bound<'py, PyAny>)>),
    Arrow(AnyRecordBatch),
}

impl Frame<'_> {
    /// The table that errors and reports call by this name.
    pub fn table(self, name: &str) -> PyResult<Table> {
        let batches = match self {
            Frame::Columns(columns) => {
                let arrays = columns.into_iter().map(|(name, values)| Ok((name, array(&values)?)));
                let arrays = arrays.collect::<PyResult<Vec<(String, ArrayRef)>>>()?;
                vec![RecordBatch::try_from_iter(arrays).map_err(|error| PyValueError::new_err(error.to_string()))?]
            }
            Frame::Arrow(frame) => {
                let failed = |error| PyValueError::new_err(format!("cannot read the data frame: {error}"));
                let reader = frame.into_reader().map_err(|error| PyValueError::new_err(error.to_string()))?;
                reader.collect::<Result<Vec<RecordBatch>, _>>().map_err(failed)?
            }
        };
        Table::from_batches(name, &batches).map_err(of_table)
    }
}

/// The cells of a column.
fn array(values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if let Ok(numbers) = values.extract::<PyReadonlyArray1<'_, f64>>() {
        return Ok(Arc::new(Float64Array::from_iter_values(numbers.as_array().iter().copied())));
    }
    if let Ok(numbers) = values.extract::<PyReadonlyArray1<'_, i64>>() {
        return Ok(Arc::new(Int64Array::from_iter_values(numbers.as_array().iter().copied())));
    }
    if let Ok(numbers) = values.extract::<PyReadonlyArray1<'_, u64>>() {
        return Ok(Arc::new(UInt64Array::from_iter_values(numbers.as_array().iter().copied())));
    }
    if let Ok(values) = values.extract::<PyReadonlyArray1<'_, bool>>() {
        return Ok(Arc::new(BooleanArray::from_iter(values.as_array().iter().map(|value| Some(*value)))));
    }
    match values.extract::<Vec<Option<String>>>() {
        Ok(texts) => Ok(Arc::new(StringArray::from(texts))),
        Err(_) => Err(PyTypeError::new_err("expected an array of numbers or booleans, or a list of texts")),
    }
}
