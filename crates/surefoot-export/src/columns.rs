//! The columns of the tables that a model takes.

use surefoot::Model;
use surefoot_table::{Column, Encoding, Kind, MISSING, Spelling, Spellings};

use crate::error::{Error, Result};

/// What a model takes: the columns of a table, or the inputs of its network.
pub(crate) struct Columns {
    /// None where the inputs are a matrix.
    pub columns: Vec<Column>,
    /// The words that mean that a cell is missing, whatever the case of their ASCII letters; the empty text is one.
    pub missing: Vec<String>,
    /// Those of them that are numbers.
    pub missing_numbers: Vec<f64>,
}

/// How the cell of a column is given.
pub(crate) enum Cells {
    /// A number, which is an input.
    Number { fill: Option<f64> },
    /// A number that is one of these values.
    NumberOf(Vec<f64>),
    /// A text that is one of the values.
    TextOf(Vec<Spelling>),
}

impl Columns {
    /// # Errors
    /// [`Error::Unfit`] where the model says of its columns what is not understood.
    pub fn of(model: &Model) -> Result<Self> {
        let columns = Encoding::columns_of(model);
        let width: usize = columns.iter().map(|column| column.kind.width()).sum();
        if !model.encoding.is_null() && width != model.network.inputs() {
            let expected = format!("columns for the {} inputs of its network", model.network.inputs());
            let hint = "`surefoot show` lists the columns of a model; train it again if it was changed by hand";
            return Err(Error::unfit("the model", expected, width.to_string(), hint));
        }
        let told = Encoding::reading_of(model).missing;
        let mut missing = told.unwrap_or_else(|| MISSING.iter().map(ToString::to_string).collect());
        if !missing.iter().any(String::is_empty) {
            missing.insert(0, String::new());
        }
        let number = |word: &String| word.parse().ok().filter(|number: &f64| number.is_finite());
        let missing_numbers = missing.iter().filter_map(number).collect();
        Ok(Columns { columns, missing, missing_numbers })
    }

    /// Whether a text means that its cell is missing.
    pub fn is_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|word| word.eq_ignore_ascii_case(text))
    }
}

impl From<&Kind> for Cells {
    fn from(kind: &Kind) -> Self {
        match (kind, kind.spellings()) {
            (Kind::Number { fill, .. }, _) => Cells::Number { fill: *fill },
            (_, Some(Spellings::Numbers(values))) => Cells::NumberOf(values),
            (_, Some(Spellings::Texts(texts))) => Cells::TextOf(texts),
            (_, None) => Cells::TextOf(Vec::new()),
        }
    }
}
