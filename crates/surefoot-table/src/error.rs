//! What can be wrong with a table.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
    /// A line that is no row of a table.
    #[error("{file}, line {line}: expected {expected}, got {got}")]
    Line {
        /// The file or built-in name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: Reason,
        /// What a table has there, in words.
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
        /// What is wrong with it.
        reason: Reason,
        /// What could be used, in words.
        expected: String,
        /// What the cell has.
        got: String,
    },
    /// The file is of another format, or was cut off.
    #[error("{file}: expected {expected}, got {got}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: Reason,
        /// What the format has there, in words.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// A cell that can be read in two ways, and nothing in the file tells in which.
    #[error("{file}, column `{column}`: `{cell}` may mean {} or {}, and nothing in the file tells which", readings[0], readings[1])]
    Ambiguous {
        /// The file or built-in name.
        file: String,
        /// The column's name.
        column: String,
        /// What the readings differ in.
        reason: Reason,
        /// The cell.
        cell: String,
        /// What it may mean.
        readings: Box<[String; 2]>,
    },
    /// A column or the number of columns.
    #[error("{file}: expected {expected}, got {got}")]
    Columns {
        /// The file or built-in name.
        file: String,
        /// What is wrong with them.
        reason: Reason,
        /// What is needed, in words.
        expected: String,
        /// What is there.
        got: String,
    },
}

/// What is wrong, for a program to act on: each door to this crate tells its users what they can do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// The system refuses to read the file.
    Unreadable,
    /// Bytes that are not UTF-8.
    Encoding,
    /// A quote that is never closed, or closed within a cell.
    Quote,
    /// A row with more or fewer cells than there are columns, an empty line, or no row at all.
    Rows,
    /// A file that is damaged, cut short, or of a format that is not read.
    Format,
    /// An archive without any array.
    NoArray,
    /// An archive with several files, or of something else than a table.
    Archive,
    /// Two columns have one name.
    DuplicateName,
    /// There is no column of this name.
    UnknownColumn,
    /// The columns, their number or that of their rows are not what they are used for.
    Columns,
    /// No column is left to be an input.
    NoInput,
    /// No row has a target.
    NoTarget,
    /// All targets are one number.
    ConstantTarget,
    /// All rows are of one class, or each row is of its own.
    Classes,
    /// So many classes for so few rows that they were hardly meant to be classes.
    ManyClasses,
    /// A cell has nothing, where something is needed.
    EmptyCell,
    /// Text in a column that has numbers nearly everywhere else.
    TextAmongNumbers,
    /// Text in a column that the caller says has numbers.
    TextInNumeric,
    /// Text as the target of a regression.
    TextAsTarget,
    /// Text where a model takes numbers only.
    TextAsInput,
    /// A class that is not among those that are known.
    UnknownClass,
    /// A weight that is no finite number of at least 0.
    Weight,
    /// An infinite number in a column of numbers.
    Infinite,
    /// Whether a comma or a point is the decimal sign.
    DecimalSign,
    /// Whether parentheses, or a minus behind, make a number negative, where others have a minus in front.
    MinusSign,
    /// Whether numbers beside others with a percent sign are percent, too.
    PercentSign,
    /// A file in which nothing is a table.
    NoTable,
    /// JSON of another shape than records, or none.
    Json,
    /// A workbook without a sheet of this name.
    Sheet,
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What is wrong.
    pub fn reason(&self) -> Reason {
        match self {
            Error::Io { .. } => Reason::Unreadable,
            Error::Line { reason, .. }
            | Error::Cell { reason, .. }
            | Error::Format { reason, .. }
            | Error::Ambiguous { reason, .. }
            | Error::Columns { reason, .. } => *reason,
        }
    }

    pub(crate) fn columns(file: &str, reason: Reason, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Error::Columns { file: file.into(), reason, expected: expected.into(), got: got.into() }
    }

    pub(crate) fn format(file: &str, reason: Reason, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Error::Format { file: file.into(), reason, expected: expected.into(), got: got.into() }
    }
}

/// What a cell of an input has to be.
pub(crate) const FINITE: &str = "a finite number";
/// What a cell without anything is called.
pub(crate) const EMPTY: &str = "an empty cell";
