//! What the caller says of how a file is to be read, in place of what would be found out.

use serde::{Deserialize, Serialize};

use crate::notation::{Decimal, Told};

/// How a file is to be read. What is `None` is found out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// Whether the first row of the table has the names of the columns.
    pub header: Option<bool>,
    /// Lines before the table.
    pub skip: Option<usize>,
    /// What separates the cells of a text file; a space stands for runs of spaces.
    pub delimiter: Option<char>,
    /// The encoding of a text file, such as `windows-1252`, by the names of the WHATWG.
    pub encoding: Option<String>,
    /// How decimals are written.
    pub decimal: Option<Decimal>,
    /// The words that mean that a cell is missing, in place of the [usual ones](crate::MISSING); an empty cell always is.
    pub missing: Option<Vec<String>>,
    /// The sheet of a workbook. Default: the first one that is not hidden and has a table.
    pub sheet: Option<String>,
}

impl Reading {
    /// What it says of cells.
    pub(crate) fn told(&self) -> Told {
        Told { semicolons: false, decimal: self.decimal, missing: self.missing.clone() }
    }
}
