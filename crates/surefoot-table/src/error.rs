//! What can be wrong with a table.

use std::path::PathBuf;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no table.
    #[error("{file}, line {line}: expected {expected}, got {got}")]
    Line {
        /// The file or built-in name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What a table has there.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// A cell that cannot be used.
    #[error("{file}, line {line}, column `{column}`: expected {expected}, got {got}")]
    Cell {
        /// The file or built-in name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What could be used.
        expected: String,
        /// What the cell has.
        got: String,
    },
    /// A column or the number of columns.
    #[error("{file}: expected {expected}, got {got}")]
    Columns {
        /// The file or built-in name.
        file: String,
        /// What is needed.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the person who sees the error can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Io { .. } => Some("DATA is a CSV file or a built-in name; `surefoot datasets` lists those"),
            Error::Line { .. } => Some("a table has a header and, in each line, as many cells as the header"),
            Error::Cell { got, .. } if got == EMPTY => Some("fill the cell, or remove its line"),
            Error::Cell { expected, .. } if expected == FINITE => {
                Some("inputs are numbers: remove the column if it is none, or write its categories as numbers")
            }
            Error::Cell { .. } | Error::Columns { .. } => None,
        }
    }
}

/// What a cell of an input has to be.
pub(crate) const FINITE: &str = "a finite number";
/// What a cell without anything is called.
pub(crate) const EMPTY: &str = "an empty cell";
