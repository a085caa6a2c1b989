//! A table that grows row by row.

use crate::column::Growing;
use crate::table::{Lines, Names, Table};

/// Takes rows of text up and keeps them as typed columns: rows are gathered into a block, then each column takes its cells of
/// the block, the first of which say how the column is best kept.
pub(crate) struct Builder {
    names: Names,
    decimal_comma: bool,
    /// None before the first block is full.
    columns: Vec<Growing>,
    lines: Lines,
    block: Block,
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
    pub fn new(names: Names, decimal_comma: bool) -> Self {
        Builder { names, decimal_comma, columns: Vec::new(), lines: Lines::default(), block: Block::default() }
    }

    /// The rows so far.
    pub fn rows(&self) -> usize {
        self.lines.rows()
    }

    /// Takes up a row that stands in this line; it has to have a cell for each column.
    pub fn push<'a>(&mut self, cells: impl Iterator<Item = &'a str>, line: u64) {
        for cell in cells {
            self.block.text.push_str(cell);
            self.block.ends.push(self.block.text.len());
        }
        self.block.rows += 1;
        self.lines.push(line);
        if self.block.is_full() {
            self.empty_block();
        }
    }

    pub fn finish(mut self) -> Table {
        self.empty_block();
        let columns = self.columns.into_iter().map(Growing::finish).collect();
        Table::new(self.names, columns, self.lines)
    }

    fn empty_block(&mut self) {
        let (block, width) = (&self.block, self.names.columns.len());
        if self.columns.is_empty() {
            let new = |column| Growing::new(|| block.column(column, width), self.decimal_comma);
            self.columns = (0..width).map(new).collect();
        } else {
            for (i, column) in self.columns.iter_mut().enumerate() {
                column.extend(block.column(i, width));
            }
        }
        let Block { text, ends, rows } = &mut self.block;
        (*rows, _, _) = (0, text.clear(), ends.clear());
    }
}
