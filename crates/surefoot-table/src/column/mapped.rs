//! What follows from the text of a cell, worked out once for each different text.

use super::cells::{Cell, Cells};

/// A function of the cells of a column.
pub(crate) struct Mapped<'a, R, F> {
    cells: &'a Cells,
    of_code: Vec<R>,
    of_cell: F,
}

impl<'a, R: Clone, F: Fn(Cell<'a>) -> R> Mapped<'a, R, F> {
    pub fn new(cells: &'a Cells, of_cell: F) -> Self {
        let of_code = (0..cells.dictionary.len()).map(|code| of_cell(Cell::Code(code))).collect();
        Mapped { cells, of_code, of_cell }
    }

    pub fn get(&self, row: usize) -> R {
        match self.cells.cell(row) {
            Cell::Code(code) => self.of_code[code].clone(),
            other => (self.of_cell)(other),
        }
    }
}
