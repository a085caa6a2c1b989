//! The examples of a table, by its encoding.

use ndarray::{Array2, Axis, s};
use surefoot::{Scalar, Scaling};

use super::{Column, Encoding};
use crate::categories::Categories;
use crate::encoder::{Encoder, OnError, filled};
use crate::error::{Error, FINITE, Reason, Result};
use crate::kind::Kind;
use crate::table::{Table, short};
use crate::targets::{NUMBER_TARGET, TARGETS, Targets, unknown_class};

/// Rows of all columns that are encoded together.
const TOGETHER: usize = 32;

/// A value of a column that the encoding does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// The rows that have it.
    pub rows: usize,
    /// The category that it was read as, where it seems to have lost the zeros in front; else it has none.
    pub read_as: Option<String>,
}

impl Unseen {
    /// A value of a column with this place among its categories, in so many rows, where it was not there to learn from.
    pub(super) fn of(
        column: &Column,
        categories: &Categories<'_>,
        value: &str,
        place: Option<usize>,
        rows: usize,
    ) -> Option<Self> {
        let read_as = place.filter(|_| categories.with_zeros(value).is_some() && !categories.has(value));
        if place.is_some() && read_as.is_none() {
            return None;
        }
        let read_as = read_as.and_then(|place| column.kind.values().get(place)).cloned();
        Some(Unseen { column: column.name.clone(), value: short(value).into_owned(), rows, read_as })
    }
}

impl Encoding {
    /// The values of yes/no columns and of categories in these rows that were not there when the encoding was learned, in the order
    /// of the columns.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns.
    pub fn unseen(&self, table: &Table, rows: &[usize]) -> Result<Vec<Unseen>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let mut unseen = Vec::new();
        for (column, place) in self.columns.iter().zip(places) {
            if let Kind::Number { .. } = column.kind {
                continue;
            }
            let (cells, categories) = (table.cells(place), Categories::new(column.kind.values()));
            let present = rows.iter().copied().filter(|&row| !cells.meaning(row).is_missing);
            for (row, rows) in cells.different(present) {
                let place = categories.find(cells, cells.cell(row));
                unseen.extend(Unseen::of(column, &categories, &cells.text(row), place, rows));
            }
        }
        Ok(unseen)
    }

    /// The cells of these rows that have no number where one has to be, by row and place of the column.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns.
    pub fn unreadable(&self, table: &Table, rows: &[usize]) -> Result<Vec<(usize, usize)>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let mut found = Vec::new();
        for (column, place) in self.columns.iter().zip(places) {
            if let Kind::Number { .. } = &column.kind {
                let encoder = Encoder::new(&column.kind, table.cells(place), OnError::Refuse);
                let mut inputs = vec![0.0; encoder.width];
                found.extend(
                    rows.iter().filter(|&&row| encoder.encode(row, &mut inputs).is_none()).map(|&row| (row, place)),
                );
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The inputs of these rows, in the unit of the table, where a cell that has no number counts as missing.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), where a column had no missing cells to learn from: it has nothing to put in their place.
    pub fn inputs_or_missing(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        self.encoded(table, rows, None, OnError::Missing)
    }

    /// The inputs of these rows, in the unit of the table.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, [`Error::Cell`] for a cell that is no number where it has to be one.
    pub fn inputs(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        self.inputs_as(table, rows, None)
    }

    /// The inputs of these rows in the precision of training, scaled where a scaling is given: each number is scaled as
    /// `f64` and rounded once, and no matrix of `f64` is made on the way.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Columns`] when the scaling is not one of so many inputs.
    pub fn inputs_as<T: Scalar>(&self, table: &Table, rows: &[usize], scaling: Option<&Scaling>) -> Result<Array2<T>> {
        self.encoded(table, rows, scaling, OnError::Refuse)
    }

    fn encoded<T: Scalar>(
        &self,
        table: &Table,
        rows: &[usize],
        scaling: Option<&Scaling>,
        on_error: OnError,
    ) -> Result<Array2<T>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let kinds = self.columns.iter().map(|column| &column.kind);
        let encoders: Vec<_> =
            kinds.zip(&places).map(|(kind, &place)| Encoder::new(kind, table.cells(place), on_error)).collect();
        let width = self.columns.iter().map(|column| column.kind.width()).sum();
        let inputs = filled(table, rows, &places, width, scaling, |rows, mut inputs| {
            // column by column, of so few rows that their inputs stay in the first cache
            for (rows, mut inputs) in rows.chunks(TOGETHER).zip(inputs.axis_chunks_iter_mut(Axis(0), TOGETHER)) {
                let mut first = 0;
                for encoder in &encoders {
                    encoder.encode_rows(rows, inputs.slice_mut(s![.., first..first + encoder.width]))?;
                    first += encoder.width;
                }
            }
            Ok(())
        });
        inputs?.map_err(|_| {
            // of several wrong cells the first of the first column is told
            let mut all = encoders.iter().zip(&places).flat_map(|(encoder, &column)| {
                let mut inputs = vec![0.0; encoder.width];
                rows.iter()
                    .filter(move |&&row| encoder.encode(row, &mut inputs).is_none())
                    .map(move |&row| (row, column))
            });
            let (row, column) = all.next().unwrap_or_default();
            table.cell_error(row, column, Reason::TextAsInput, FINITE)
        })
    }

    /// The targets of these rows for a network with so many outputs: numbers as they are; classes as 1 for the class
    /// and 0 for the others, and for two classes on one output as 1 for the second.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Cell`] for a class that the encoding does not know.
    pub fn targets(&self, table: &Table, rows: &[usize], outputs: usize) -> Result<Array2<f64>> {
        self.targets_as(table, rows, outputs, None)
    }

    /// The targets of these rows in the precision of training, scaled where a scaling is given, as
    /// [`inputs_as`](Self::inputs_as) does.
    ///
    /// # Errors
    /// As [`targets`](Self::targets), and [`Error::Columns`] when the scaling is not one of so many outputs.
    pub fn targets_as<T: Scalar>(
        &self,
        table: &Table,
        rows: &[usize],
        outputs: usize,
        scaling: Option<&Scaling>,
    ) -> Result<Array2<T>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let needed = if self.targets == Targets::Numbers { outputs } else { 1 };
        if columns.len() != needed {
            let (expected, got) = (format!("target columns ({needed}) besides the inputs"), columns.len().to_string());
            return Err(Error::columns(table.file(), Reason::Columns, expected, got));
        }
        match &self.targets {
            Targets::Numbers => {
                let targets = filled(table, rows, &columns, outputs, scaling, |rows, mut targets| {
                    for (&row, targets) in rows.iter().zip(targets.rows_mut()) {
                        for (target, &column) in targets.into_iter().zip(&columns) {
                            *target = self.target_number(table, row, column).ok_or(row)?;
                        }
                    }
                    Ok(())
                });
                targets?.map_err(|row| {
                    let wrong = columns.iter().find(|&&column| self.target_number(table, row, column).is_none());
                    table.cell_error(row, wrong.copied().unwrap_or_default(), Reason::TextAsTarget, NUMBER_TARGET)
                })
            }
            Targets::Classes(names) => {
                let classes = Categories::new(names).of_cells(table.cells(columns[0]));
                let targets = filled(table, rows, &columns, outputs, scaling, |rows, mut targets| {
                    for (&row, mut targets) in rows.iter().zip(targets.rows_mut()) {
                        let class = classes.get(row).ok_or(row)?;
                        match targets.len() {
                            1 => targets[0] = class as f64,
                            _ => targets[class] = 1.0,
                        }
                    }
                    Ok(())
                });
                targets?.map_err(|row| unknown_class(table, row, columns[0], names))
            }
        }
    }

    /// The rows that have all targets.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, or when there is no such row.
    pub fn rows_with_targets(&self, table: &Table) -> Result<Vec<usize>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let is_there = |&row: &usize| columns.iter().all(|&column| !table.is_missing(row, column));
        let rows: Vec<usize> = (0..table.rows()).filter(is_there).collect();
        if rows.is_empty() {
            let expected = format!("{TARGETS} in column `{}`", short(&self.target_columns[0]));
            return Err(Error::columns(table.file(), Reason::NoTarget, expected, "only missing cells"));
        }
        Ok(rows)
    }

    /// The number of a target, as numbers were written where the encoding was learned.
    fn target_number(&self, table: &Table, row: usize, column: usize) -> Option<f64> {
        let cells = table.cells(column);
        cells.meaning_by(cells.cell(row), &self.target_notation).number
    }

    fn find_columns<'a>(&self, table: &Table, names: impl Iterator<Item = &'a String>) -> Result<Vec<usize>> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names {
            match table.column(name) {
                Ok(place) => found.push(place),
                Err(error) => missing.push((name, error)),
            }
        }
        match &mut missing[..] {
            [] => Ok(found),
            [_] => Err(missing.swap_remove(0).1),
            several => {
                let shown: Vec<_> = several.iter().take(8).map(|(name, _)| format!("`{}`", short(name))).collect();
                let more = if several.len() > 8 { format!(" and {} more", several.len() - 8) } else { String::new() };
                let expected = format!("the columns {}{more}", shown.join(", "));
                let got: Vec<_> = table.columns().iter().take(8).map(|name| format!("`{}`", short(name))).collect();
                let more = if table.columns().len() > 8 { ", …" } else { "" };
                let got = format!("{}{more}", got.join(", "));
                Err(Error::columns(table.file(), Reason::UnknownColumn, expected, got))
            }
        }
    }
}
