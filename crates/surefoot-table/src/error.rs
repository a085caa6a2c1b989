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
    /// The file is of another format, or was cut off.
    #[error("{file}: expected {expected}, got {got}")]
    Format {
        /// The file.
        file: String,
        /// What the format has there.
        expected: String,
        /// What the file has.
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
            Error::Io { .. } => Some(
                "DATA is a file (CSV, TSV, npy, npz, IDX), a folder of the MNIST family, - for standard input, or a built-in name; `surefoot datasets` lists those",
            ),
            Error::Line { expected, .. } if expected == UTF8 => Some("save the file as UTF-8"),
            Error::Line { expected, .. } if expected.starts_with(CLOSING_QUOTE) => {
                Some("a quote opens at the start of a cell and closes at its end; write two for one within")
            }
            Error::Line { .. } => Some("a table has a header and, in each line, as many cells as the header"),
            Error::Cell { expected, .. } if expected == NUMBER_LIKE_OTHERS => Some(
                "correct the cell or empty it; or say --categorical, --ignore or, for the target, --task classification",
            ),
            Error::Cell { expected, .. } if expected == NUMBER_ASKED => {
                Some("leave the column out of --numeric, correct the cell, or empty it")
            }
            Error::Cell { got, .. } if got == EMPTY => Some("fill the cell, or remove its line"),
            Error::Cell { expected, .. } if expected == NUMBER_TARGET => {
                Some("where the target is text, leave --task out, or take --task classification")
            }
            Error::Cell { expected, .. } if expected == FINITE => {
                Some("this model takes numbers only in this column: correct the cell, or remove its line")
            }
            Error::Columns { expected, .. } if expected == UNIQUE_NAMES => {
                Some("rename one of them; where the first line is no header, say --header no")
            }
            Error::Columns { expected, .. } if expected.starts_with(AN_INPUT) => Some(
                "are columns separated by commas, semicolons, tabs or bars? --numeric and --categorical keep a column",
            ),
            Error::Columns { expected, .. } if expected.starts_with(TWO_CLASSES) => Some(
                "--target names another column; where these are meant to be numbers, they have more than digits, a point and a unit",
            ),
            Error::Columns { expected, .. } if expected.starts_with(FEW_CLASSES) => {
                Some("--target names another column; --task classification takes them all the same")
            }
            Error::Columns { expected, .. } if expected.starts_with(TWO_VALUES) || expected.starts_with(TARGETS) => {
                Some("--target names another column")
            }
            Error::Columns { expected, .. }
                if expected.starts_with("the column") || expected.starts_with("a column") =>
            {
                Some("names are compared letter by letter; --header yes or no says whether the first line has them")
            }
            Error::Format { got, .. } if got.starts_with(NO_ARRAY) => {
                Some("of a spreadsheet, export the sheet as CSV; of an archive, unpack the table")
            }
            Error::Format { .. } => Some("was the file copied whole?"),
            Error::Cell { expected, .. } if expected.starts_with(A_CLASS) => {
                Some("a class has to be among those that are learned from: correct the cell, or leave its row out")
            }
            Error::Cell { .. } => Some("correct the cell, or remove its line"),
            Error::Columns { .. } => Some("does the table belong to these settings, or to this model?"),
        }
    }
}

/// What a cell of an input has to be.
pub(crate) const FINITE: &str = "a finite number";
/// What a cell is where nearly all others of its column are.
pub(crate) const NUMBER_LIKE_OTHERS: &str = "a finite number, as nearly all of this column are, or nothing";
/// What a cell is in a column that was said to be of numbers.
pub(crate) const NUMBER_ASKED: &str = "a finite number, as --numeric says, or nothing";
/// What a target of regression has to be.
pub(crate) const NUMBER_TARGET: &str = "a finite number, as the task is regression";
/// What a table to learn from has beside its target.
pub(crate) const AN_INPUT: &str = "an input column";
/// What a target of classification has.
pub(crate) const TWO_CLASSES: &str = "at least two classes";
/// What a target of classification has, too.
pub(crate) const FEW_CLASSES: &str = "several rows for each class";
/// What a target of regression has.
pub(crate) const TWO_VALUES: &str = "at least two different numbers";
/// What a table to learn from has.
pub(crate) const TARGETS: &str = "a target in some row";
/// What the names of columns have to be.
pub(crate) const UNIQUE_NAMES: &str = "a name of its own for each column";
/// What a cell that begins with a quote ends with.
pub(crate) const CLOSING_QUOTE: &str = "a closing quote";
/// What a class is.
pub(crate) const A_CLASS: &str = "one of the classes";
/// What a file is that should have arrays.
pub(crate) const NO_ARRAY: &str = "no array";
/// What the bytes of a file are.
pub(crate) const UTF8: &str = "text in UTF-8";
/// What a cell without anything is called.
pub(crate) const EMPTY: &str = "an empty cell";
