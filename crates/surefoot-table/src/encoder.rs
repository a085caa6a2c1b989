//! From the cells of a column to numbers of a matrix.

use ndarray::{Array2, ArrayViewMut2, Axis, s};
use surefoot::{Scalar, Scaling, Threads};

use crate::categories::Categories;
use crate::cell::Meaning;
use crate::column::{Cell, Cells, Mapped};
use crate::error::{Error, Reason, Result};
use crate::kind::Kind;
use crate::table::Table;

/// Numbers in a block while they are encoded and scaled, before they are rounded.
const BLOCK: usize = 1 << 15;

/// Rows of all columns that are read from disk at a time, where they are not in memory.
const READ_AT_A_TIME: usize = 1 << 14;

/// A matrix with a row for each of these of the table, which follows from the cells of these columns: `fill` sets what is not 0 in some rows
/// of it, or says for which of them it cannot. Then that row is returned.
///
/// # Errors
/// [`Error::Columns`] when the scaling has another number of columns.
pub(crate) fn filled<T: Scalar>(
    table: &Table,
    rows: &[usize],
    columns: &[usize],
    width: usize,
    scaling: Option<&Scaling>,
    fill: impl Fn(&[usize], ArrayViewMut2<'_, f64>) -> std::result::Result<(), usize> + Sync,
) -> Result<std::result::Result<Array2<T>, usize>> {
    if let Some(scaling) = scaling.filter(|scaling| scaling.columns() != width) {
        let (expected, got) = (format!("a scaling of {width} columns"), scaling.columns().to_string());
        return Err(Error::columns(table.file(), Reason::Columns, expected, got));
    }
    let mut matrix = Array2::zeros((rows.len(), width));
    let most = (BLOCK / width.max(1)).max(1);
    let together = READ_AT_A_TIME.next_multiple_of(most);
    let pieces = rows.chunks(together).zip(matrix.axis_chunks_iter_mut(Axis(0), together));
    let mut pieces: Vec<_> = pieces.map(|(rows, matrix)| (rows, matrix, None)).collect();
    Threads::for_each(&mut pieces, |_, (rows, matrix, failed)| {
        if let [first, .., last] = **rows
            && first < last
        {
            columns.iter().for_each(|&column| table.cells(column).read_ahead(first, last));
        }
        let mut block = Array2::zeros((most.min(rows.len()), width));
        for (rows, mut numbers) in rows.chunks(most).zip(matrix.axis_chunks_iter_mut(Axis(0), most)) {
            let mut block = block.slice_mut(s![..rows.len(), ..]);
            block.fill(0.0);
            if let Err(row) = fill(rows, block.view_mut()) {
                *failed = Some(row);
                return;
            }
            match scaling {
                Some(scaling) => {
                    numbers.zip_mut_with(&scaling.apply(block.view()), |x, &scaled| *x = T::from_f64(scaled));
                }
                None => numbers.zip_mut_with(&block, |x, &number| *x = T::from_f64(number)),
            }
        }
    });
    let failed = pieces.into_iter().find_map(|(_, _, failed)| failed);
    Ok(failed.map_or(Ok(matrix), Err))
}

/// What a cell is that has no number, where one has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    Refuse,
    Missing,
}

/// What a cell becomes: the input that is not 0, and its number.
#[derive(Clone, Copy)]
pub(crate) struct Encoded {
    input: Option<(usize, f64)>,
    is_missing: bool,
}

/// How a kind of column makes inputs of what its cells mean.
pub(crate) struct Rule<'a> {
    pub kind: &'a Kind,
    pub categories: Categories<'a>,
}

impl<'a> Rule<'a> {
    pub fn new(kind: &'a Kind) -> Self {
        Rule { kind, categories: Categories::new(kind.values()) }
    }

    /// What a cell with this meaning, and this place among the categories, becomes; `None` where it is no number and has to be one.
    pub fn encoded(&self, meaning: Meaning, place: Option<usize>, on_error: OnError) -> Option<Encoded> {
        let is_number = matches!(self.kind, Kind::Number { .. });
        let is_missing = meaning.is_missing || on_error == OnError::Missing && is_number && meaning.number.is_none();
        let input = match self.kind {
            Kind::Number { fill: Some(fill), .. } if is_missing => Some((0, *fill)),
            Kind::Number { .. } => Some((0, meaning.number?)),
            Kind::Binary { .. } => Some((0, place.map_or(0.5, |value| value as f64))),
            Kind::Category { .. } if is_missing => None,
            Kind::Category { categories, other, .. } => {
                place.or_else(|| other.then_some(categories.len())).map(|place| (place, 1.0))
            }
        };
        Some(Encoded { input, is_missing })
    }
}

impl Encoded {
    /// Sets the inputs of a column of this kind, which are 0 so far.
    pub fn set(self, kind: &Kind, inputs: &mut [f64]) {
        if self.is_missing
            && kind.has_missing_indicator()
            && let Some(indicator) = inputs.last_mut()
        {
            *indicator = 1.0;
        }
        if let Some((place, number)) = self.input {
            inputs[place] = number;
        }
    }
}

/// How the cells of a column become inputs.
pub(crate) struct Encoder<'a, F> {
    pub width: usize,
    kind: &'a Kind,
    /// Where each cell is its input.
    plain: Option<&'a [f64]>,
    encoded: Mapped<'a, Option<Encoded>, F>,
}

impl<'a> Encoder<'a, ()> {
    pub fn new(
        kind: &'a Kind,
        cells: &'a Cells,
        on_error: OnError,
    ) -> Encoder<'a, impl Fn(Cell<'a>) -> Option<Encoded>> {
        let rule = Rule::new(kind);
        let encode = move |cell| match kind {
            Kind::Number { notation, .. } => rule.encoded(cells.meaning_by(cell, notation), None, on_error),
            Kind::Binary { .. } | Kind::Category { .. } => {
                rule.encoded(cells.meaning_of(cell), rule.categories.find(cells, cell), on_error)
            }
        };
        let plain = match kind {
            Kind::Number { notation, .. } => cells.plain_numbers_by(notation),
            _ => None,
        };
        Encoder { width: kind.width(), kind, plain, encoded: Mapped::new(cells, encode) }
    }
}

impl<'a, F: Fn(Cell<'a>) -> Option<Encoded>> Encoder<'a, F> {
    /// Sets the inputs of a row, which are 0 so far; `None` where the cell is no number and has to be one.
    pub fn encode(&self, row: usize, inputs: &mut [f64]) -> Option<()> {
        self.encoded.get(row)?.set(self.kind, inputs);
        Some(())
    }

    /// Sets the inputs of some rows, which are 0 so far.
    ///
    /// # Errors
    /// A row whose cell is no number and has to be one.
    pub fn encode_rows(&self, rows: &[usize], mut inputs: ArrayViewMut2<'_, f64>) -> std::result::Result<(), usize> {
        if let Some(numbers) = self.plain {
            inputs.column_mut(0).iter_mut().zip(rows).for_each(|(input, &row)| *input = numbers[row]);
            return Ok(());
        }
        for (&row, mut inputs) in rows.iter().zip(inputs.rows_mut()) {
            inputs.as_slice_mut().and_then(|inputs| self.encode(row, inputs)).ok_or(row)?;
        }
        Ok(())
    }
}
