//! The cells of a column, at rest.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow_array::{Array, Float64Array, LargeStringArray, UInt8Array, UInt16Array};
use surefoot_memory::read_ahead;

use super::decimal::Style;
use super::dictionary::Dictionary;
use crate::cell::Meaning;
use crate::notation::{Notation, Settled};

/// The cells of a column. How they are kept is chosen for their size in memory; each cell's text is what was written.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub values: Values,
    /// The texts that codes stand for: those of all cells, or of what is no plain number among numbers.
    pub dictionary: Dictionary,
    /// How they are to be read.
    pub settled: Settled,
}

#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// Few different texts: a code of a byte for each cell.
    Bytes(UInt8Array),
    /// A code of two bytes for each cell.
    Shorts(UInt16Array),
    /// Many different numbers, all finite. A null has the code of its text in place of a number.
    Numbers(Float64Array, Style),
    /// Many different texts.
    Texts(LargeStringArray),
}

/// One cell as it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// The text with this code in the dictionary.
    Code(usize),
    Number(f64),
    Text(&'a str),
}

impl Cells {
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Bytes(codes) => codes.len(),
            Values::Shorts(codes) => codes.len(),
            Values::Numbers(numbers, _) => numbers.len(),
            Values::Texts(texts) => texts.len(),
        }
    }

    pub fn cell(&self, row: usize) -> Cell<'_> {
        match &self.values {
            Values::Bytes(codes) => Cell::Code(codes.value(row).into()),
            Values::Shorts(codes) => Cell::Code(codes.value(row).into()),
            Values::Numbers(numbers, _) if numbers.is_null(row) => Cell::Code(numbers.value(row) as usize),
            Values::Numbers(numbers, _) => Cell::Number(numbers.value(row)),
            Values::Texts(texts) => Cell::Text(texts.value(row)),
        }
    }

    /// The text of a cell, as it was written.
    pub fn text_of<'a>(&'a self, cell: Cell<'a>) -> Cow<'a, str> {
        match (cell, &self.values) {
            (Cell::Code(code), _) => self.dictionary.text(code).into(),
            (Cell::Number(number), Values::Numbers(_, style)) => style.write(number).into(),
            (Cell::Number(number), _) => number.to_string().into(),
            (Cell::Text(text), _) => text.into(),
        }
    }

    pub fn meaning_of(&self, cell: Cell<'_>) -> Meaning {
        match cell {
            Cell::Code(code) => self.dictionary.meaning(code),
            _ => self.meaning_by(cell, &self.settled.notation),
        }
    }

    /// What a cell says in another notation.
    pub fn meaning_by(&self, cell: Cell<'_>, notation: &Notation) -> Meaning {
        match (cell, &self.values) {
            (Cell::Number(number), Values::Numbers(_, style)) if self.is_plain_by(*style, notation) => {
                Meaning::plain(number)
            }
            _ if self.settled.are_numbers && notation.decimal_comma => {
                Meaning::of(&self.text_of(cell), &Notation { decimal_comma: false, ..notation.clone() })
            }
            _ => Meaning::of(&self.text_of(cell), notation),
        }
    }

    /// The numbers of a column that has nothing else, none of which is missing.
    pub fn plain_numbers(&self) -> Option<&[f64]> {
        self.plain_numbers_by(&self.settled.notation)
    }

    /// The same in another notation.
    pub fn plain_numbers_by(&self, notation: &Notation) -> Option<&[f64]> {
        match &self.values {
            Values::Numbers(numbers, style) if numbers.null_count() == 0 && self.is_plain_by(*style, notation) => {
                Some(numbers.values())
            }
            _ => None,
        }
    }

    /// Whether numbers that are written in this style are themselves in this notation.
    fn is_plain_by(&self, style: Style, notation: &Notation) -> bool {
        (self.settled.are_numbers || style.comma == notation.decimal_comma)
            && !notation.unit_is_required
            && notation.missing.is_none()
    }

    /// All cells of a column whose cells were numbers and no texts, NaN for an empty one; `None` where a text does not follow from its
    /// number.
    pub fn exact_numbers(&self) -> Option<Vec<f64>> {
        if !self.settled.are_numbers {
            return None;
        }
        let exact = |text: &str| match text {
            "" => Some(f64::NAN),
            text => text.parse().ok().filter(|number: &f64| number.to_string() == text),
        };
        let of_codes: Vec<f64> =
            (0..self.dictionary.len()).map(|code| exact(self.dictionary.text(code))).collect::<Option<_>>()?;
        let number = |row| match self.cell(row) {
            Cell::Code(code) => Some(of_codes[code]),
            Cell::Number(number) => Some(number),
            Cell::Text(text) => exact(text),
        };
        (0..self.len()).map(number).collect()
    }

    /// Has the cells read as it was settled.
    pub fn settle(&mut self, settled: Settled) {
        if settled.notation != self.settled.notation {
            self.dictionary.read(&settled.notation);
        }
        self.settled = settled;
    }

    pub fn text(&self, row: usize) -> Cow<'_, str> {
        self.text_of(self.cell(row))
    }

    pub fn meaning(&self, row: usize) -> Meaning {
        self.meaning_of(self.cell(row))
    }

    /// The texts that mean that a cell is missing, with the cells that have each.
    pub fn missing_texts(&self) -> Vec<(String, usize)> {
        let mut counts = vec![0; self.dictionary.len()];
        let mut others = HashMap::<&str, usize>::new();
        for row in 0..self.len() {
            match self.cell(row) {
                Cell::Code(code) => counts[code] += 1,
                Cell::Text(text) if self.settled.notation.is_missing(text) => *others.entry(text).or_default() += 1,
                Cell::Text(_) | Cell::Number(_) => {}
            }
        }
        let codes = counts.into_iter().enumerate().filter(|&(code, _)| self.dictionary.meaning(code).is_missing);
        let codes = codes.map(|(code, count)| (self.dictionary.text(code).to_string(), count));
        codes.chain(others.into_iter().map(|(text, count)| (text.to_string(), count))).collect()
    }

    /// Has the cells from the first to the last of these rows read from disk where they are not in memory.
    pub fn read_ahead(&self, first: usize, last: usize) {
        match &self.values {
            Values::Bytes(codes) => read_ahead(&codes.values()[first..=last]),
            Values::Shorts(codes) => read_ahead(&codes.values()[first..=last]),
            Values::Numbers(numbers, _) => read_ahead(&numbers.values()[first..=last]),
            Values::Texts(texts) => {
                let ends = &texts.value_offsets()[first..=last + 1];
                read_ahead(ends);
                read_ahead(&texts.value_data()[ends[0] as usize..ends[ends.len() - 1] as usize]);
            }
        }
    }

    /// Only the first rows.
    pub fn first(&self, rows: usize) -> Self {
        let values = match &self.values {
            Values::Bytes(codes) => Values::Bytes(codes.slice(0, rows)),
            Values::Shorts(codes) => Values::Shorts(codes.slice(0, rows)),
            Values::Numbers(numbers, style) => Values::Numbers(numbers.slice(0, rows), *style),
            Values::Texts(texts) => Values::Texts(texts.slice(0, rows)),
        };
        Cells { values, ..self.clone() }
    }

    /// The different texts in these rows: for each the first row that has it, and how many have it.
    pub fn different(&self, rows: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut numbers: Vec<(u64, usize)> = Vec::new();
        let (mut codes, mut texts) = (vec![None; self.dictionary.len()], HashMap::new());
        for row in rows {
            let place = match self.cell(row) {
                Cell::Code(code) => codes[code].get_or_insert(found.len()),
                Cell::Text(text) => texts.entry(text).or_insert(found.len()),
                Cell::Number(number) => {
                    numbers.push((number.to_bits(), row));
                    continue;
                }
            };
            match found.get_mut(*place) {
                Some((_, count)) => *count += 1,
                None => found.push((row, 1)),
            }
        }
        // sorting takes less memory than a table of hashes, as most numbers differ
        numbers.sort_unstable();
        found.extend(numbers.chunk_by(|(a, _), (b, _)| a == b).map(|equal| (equal[0].1, equal.len())));
        found
    }

    /// The array of a column of numbers.
    #[cfg(test)]
    pub fn numbers(&self) -> Option<&Float64Array> {
        match &self.values {
            Values::Numbers(numbers, _) => Some(numbers),
            _ => None,
        }
    }

    /// The memory that it takes.
    pub fn bytes(&self) -> usize {
        self.dictionary.bytes()
            + match &self.values {
                Values::Bytes(codes) => codes.get_array_memory_size(),
                Values::Shorts(codes) => codes.get_array_memory_size(),
                Values::Numbers(numbers, _) => numbers.get_array_memory_size(),
                Values::Texts(texts) => texts.get_array_memory_size(),
            }
    }
}
