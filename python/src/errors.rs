//! Errors of the libraries as Python's, with what to do about them.

use std::io;

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use surefoot_table::Reason;

pub fn of_library(error: surefoot::Error) -> PyErr {
    let text = told(&error);
    match error {
        surefoot::Error::Io { source, .. } => io::Error::new(source.kind(), text).into(),
        surefoot::Error::Threads { .. } => PyRuntimeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

pub fn of_table(error: surefoot_table::Error) -> PyErr {
    let text = match hint(error.reason()) {
        "" => told(&error),
        hint => format!("{}. Hint: {hint}", told(&error)),
    };
    match error {
        surefoot_table::Error::Io { source, .. } => io::Error::new(source.kind(), text).into(),
        _ => PyValueError::new_err(text),
    }
}

pub fn of_fit(error: surefoot_fit::Error) -> PyErr {
    match error {
        surefoot_fit::Error::Table(error) => of_table(error),
        surefoot_fit::Error::Library(error) => of_library(error),
        surefoot_fit::Error::Interrupted => PyKeyboardInterrupt::new_err(()),
        surefoot_fit::Error::Context { doing, source } => {
            PyValueError::new_err(format!("cannot {doing}: {}", of_fit(*source)))
        }
        other => PyValueError::new_err(told(&other)),
    }
}

pub fn of_report(error: surefoot_report::Error) -> PyErr {
    PyValueError::new_err(told(&error))
}

pub fn of_export(error: surefoot_export::Error) -> PyErr {
    match error {
        surefoot_export::Error::Library(error) => of_library(error),
        error => PyValueError::new_err(told(&error)),
    }
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What to do about what is wrong with a table, in the words of the estimators.
fn hint(reason: Reason) -> &'static str {
    match reason {
        Reason::DuplicateName => "rename one of the columns",
        Reason::UnknownColumn => "the columns are found by the names that the model was fitted with",
        Reason::NoInput => "numeric= and categorical= name columns that are kept",
        Reason::ConstantTarget => "there is nothing to predict in a constant target",
        Reason::ManyClasses => "is the target meant for Regressor?",
        Reason::TextAmongNumbers => "correct the cell, or name the column in categorical= or ignore=",
        Reason::TextInNumeric => "leave the column out of numeric=, or correct the cell",
        Reason::TextAsTarget => "use Classifier for a target of text",
        Reason::Infinite => "correct the cell, or name the column in ignore=",
        Reason::DecimalSign | Reason::MinusSign | Reason::PercentSign => {
            "make numbers of the column before, or name it in categorical= or ignore="
        }
        _ => "",
    }
}
