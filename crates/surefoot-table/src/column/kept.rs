//! The cells of a column in a file, and back.

use std::sync::Arc;

use arrow_array::builder::{LargeStringBuilder, NullBufferBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt8Type, UInt16Type};
use arrow_array::{Array, ArrayRef, Float64Array};
use serde::{Deserialize, Serialize};

use super::cells::{Cells, Values};
use super::decimal::Style;
use super::dictionary::Dictionary;
use crate::notation::Settled;

/// What is known of a column beside the array of its cells.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    form: Form,
    /// The texts of its codes, in their order.
    dictionary: Vec<String>,
    settled: Settled,
    /// The words for a missing cell of its notation, which that leaves out.
    missing: Option<Vec<String>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Form {
    Bytes,
    Shorts,
    Numbers(Style),
    Texts,
}

impl Cells {
    /// All but [the array](Self::array).
    pub fn kept(&self) -> Kept {
        let form = match &self.values {
            Values::Bytes(_) => Form::Bytes,
            Values::Shorts(_) => Form::Shorts,
            Values::Numbers(_, style) => Form::Numbers(*style),
            Values::Texts(_) => Form::Texts,
        };
        let dictionary = (0..self.dictionary.len()).map(|code| self.dictionary.text(code).into()).collect();
        let settled = self.settled.clone();
        Kept { form, dictionary, missing: settled.notation.missing.clone(), settled }
    }

    /// The cells as they are kept: numbers, codes, or texts; where a number is null its value is a code.
    pub fn array(&self) -> ArrayRef {
        match &self.values {
            Values::Bytes(codes) => Arc::new(codes.clone()),
            Values::Shorts(codes) => Arc::new(codes.clone()),
            Values::Numbers(numbers, _) => Arc::new(numbers.clone()),
            Values::Texts(texts) => Arc::new(texts.clone()),
        }
    }
}

/// A column that takes up its arrays again, piece by piece.
pub(crate) struct Restored {
    values: RestoredValues,
    dictionary: Vec<String>,
    settled: Settled,
}

enum RestoredValues {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Numbers(Vec<f64>, NullBufferBuilder, Style),
    Texts(LargeStringBuilder),
}

impl Restored {
    /// A column of so many rows.
    pub fn new(Kept { form, dictionary, mut settled, missing }: Kept, rows: usize) -> Self {
        settled.notation.missing = missing;
        let values = match form {
            Form::Bytes => RestoredValues::Bytes(Vec::with_capacity(rows)),
            Form::Shorts => RestoredValues::Shorts(Vec::with_capacity(rows)),
            Form::Numbers(style) => {
                RestoredValues::Numbers(Vec::with_capacity(rows), NullBufferBuilder::new(rows), style)
            }
            Form::Texts => RestoredValues::Texts(LargeStringBuilder::with_capacity(rows, 0)),
        };
        Restored { values, dictionary, settled }
    }

    /// Takes up the next cells; `None` where they are no cells of this column.
    pub fn extend(&mut self, array: &ArrayRef) -> Option<()> {
        let codes = self.dictionary.len();
        match &mut self.values {
            RestoredValues::Bytes(all) => {
                let values = array.as_primitive_opt::<UInt8Type>()?.values();
                all.extend_from_slice(values);
                values.iter().all(|&code| usize::from(code) < codes).then_some(())
            }
            RestoredValues::Shorts(all) => {
                let values = array.as_primitive_opt::<UInt16Type>()?.values();
                all.extend_from_slice(values);
                values.iter().all(|&code| usize::from(code) < codes).then_some(())
            }
            RestoredValues::Numbers(all, are_numbers, _) => {
                let numbers = array.as_primitive_opt::<Float64Type>()?;
                all.extend_from_slice(numbers.values());
                match numbers.nulls() {
                    Some(nulls) => are_numbers.append_buffer(nulls),
                    None => are_numbers.append_n_non_nulls(numbers.len()),
                }
                let is_code = |row| !numbers.is_null(row) || (numbers.value(row) as usize) < codes;
                (numbers.null_count() == 0 || (0..numbers.len()).all(is_code)).then_some(())
            }
            RestoredValues::Texts(all) => all.append_array(array.as_string_opt()?).ok(),
        }
    }

    pub fn finish(self) -> Cells {
        let values = match self.values {
            RestoredValues::Bytes(codes) => Values::Bytes(codes.into()),
            RestoredValues::Shorts(codes) => Values::Shorts(codes.into()),
            RestoredValues::Numbers(numbers, mut are_numbers, style) => {
                Values::Numbers(Float64Array::new(numbers.into(), are_numbers.finish()), style)
            }
            RestoredValues::Texts(mut texts) => Values::Texts(texts.finish()),
        };
        let dictionary = Dictionary::of(&self.dictionary, &self.settled.notation);
        Cells { values, dictionary, settled: self.settled }
    }
}
