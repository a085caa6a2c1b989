//! A table that grows row by row.

use crate::column::{Cells, Growing};
use crate::notation::{Told, settle};
use crate::number::Written;
use crate::table::{Lines, Names, Table};

/// Takes rows of text up and keeps them as typed columns: the first rows are gathered into a block, whose cells say how each
/// column is best kept; the others go directly into the columns.
pub(crate) struct Builder {
    names: Names,
    told: Told,
    numbers: Numbers,
    /// None before the block is full.
    columns: Vec<Growing>,
    /// The rows since the columns reconsidered how they are kept.
    rows_since: usize,
    lines: Lines,
    damaged: Vec<(usize, usize)>,
    block: Block,
}

/// What a format that tells numbers from texts says of columns.
#[derive(Default)]
pub(crate) struct Numbers(Vec<OfColumn>);

#[derive(Clone, Copy, Default)]
struct OfColumn {
    has_number: bool,
    /// Whether it has a text that can be read as a number.
    has_written: bool,
}

impl Numbers {
    /// Takes a cell of a column up.
    pub fn see(&mut self, column: usize, is_number: bool, text: &str) {
        if self.0.len() <= column {
            self.0.resize(column + 1, OfColumn::default());
        }
        let of_column = &mut self.0[column];
        of_column.has_number |= is_number;
        of_column.has_written |= !is_number && Written::of(text).is_some();
    }

    /// Whether all that can be read as a number in a column is one.
    fn has(&self, column: usize) -> bool {
        self.0.get(column).is_some_and(|of_column| of_column.has_number && !of_column.has_written)
    }
}

/// Some rows, cell by cell.
#[derive(Default)]
struct Block {
    text: String,
    /// Where each cell ends in it, row by row.
    ends: Vec<usize>,
    rows: usize,
}

/// A block is full with so many rows, cells or bytes.
const ROWS: usize = 4096;
const CELLS: usize = 1 << 20;
const BYTES: usize = 1 << 23;

impl Block {
    fn column(&self, column: usize, width: usize) -> impl Iterator<Item = &str> {
        (0..self.rows).map(move |row| {
            let place = row * width + column;
            let start = if place == 0 { 0 } else { self.ends[place - 1] };
            &self.text[start..self.ends[place]]
        })
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.ends.len() >= CELLS || self.text.len() >= BYTES
    }
}

impl Builder {
    pub fn new(names: Names, told: Told) -> Self {
        Builder {
            names,
            told,
            numbers: Numbers::default(),
            columns: Vec::new(),
            rows_since: 0,
            lines: Lines::default(),
            damaged: Vec::new(),
            block: Block::default(),
        }
    }

    /// Of a format that tells numbers from texts.
    pub fn with_numbers(self, numbers: Numbers) -> Self {
        Builder { numbers, ..self }
    }

    /// Goes on with the rows of another file, of which this is known beside its columns.
    pub fn begin_file(&mut self, file: &str, told: &Told) {
        self.lines.begin_file(file);
        self.told.semicolons |= told.semicolons;
    }

    /// The columns by their names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The rows so far.
    pub fn rows(&self) -> usize {
        self.lines.rows()
    }

    /// Takes up a row that stands in this line; it has to have a cell for each column.
    pub fn push<'a>(&mut self, cells: impl Iterator<Item = &'a str>, line: u64) {
        self.lines.push(line);
        if self.columns.is_empty() {
            for cell in cells {
                self.block.text.push_str(cell);
                self.block.ends.push(self.block.text.len());
            }
            self.block.rows += 1;
            if self.block.is_full() {
                self.begin_columns();
            }
            return;
        }
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.rows_since += 1;
        if self.rows_since == ROWS {
            self.rows_since = 0;
            self.columns.iter_mut().for_each(Growing::reconsider);
        }
    }

    /// Takes up a row that stands in this line and has so many cells, of which none is kept.
    pub fn push_damaged(&mut self, cells: usize, line: u64) {
        self.damaged.push((self.rows(), cells));
        let width = self.names.columns.len();
        self.push(std::iter::repeat_n("", width), line);
    }

    pub fn finish(mut self) -> Table {
        if self.columns.is_empty() {
            self.begin_columns();
        }
        let of_column =
            |(place, column): (usize, Growing)| if self.numbers.has(place) { column.of_numbers() } else { column };
        let columns = settled(&self.told, self.columns.into_iter().enumerate().map(of_column).collect());
        Table::new(self.names, columns, self.lines).with_damaged(self.damaged).with_told(self.told)
    }

    /// Makes the columns of the first rows, which say how each is best kept.
    fn begin_columns(&mut self) {
        let (block, width) = (std::mem::take(&mut self.block), self.names.columns.len());
        self.columns = (0..width).map(|column| Growing::new(|| block.column(column, width))).collect();
    }
}

/// The columns, each of which is read as all of them tell.
pub(crate) fn settled(told: &Told, columns: Vec<Growing>) -> Vec<Cells> {
    let (mut columns, evidence): (Vec<Cells>, Vec<_>) = columns.into_iter().map(Growing::finish).unzip();
    columns.iter_mut().zip(settle(told, evidence.iter())).for_each(|(cells, settled)| cells.settle(settled));
    columns
}
