//! A table: columns with names, rows of cells that know their line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;
use ndarray::{Array2, Axis, concatenate};

use crate::cell::{is_missing, number, plain_number};
use crate::error::{EMPTY, Error, Result, UNIQUE_NAMES};
use crate::idx::Idx;
use crate::numpy::{Arrays, pixel_names};
use crate::text::Rows;

/// A table as it was read; nothing is known yet of what its columns mean.
#[derive(Clone, Debug)]
pub struct Table {
    names: Names,
    cells: Cells,
    /// The column that says what a row is, where that is known.
    label: Option<String>,
}

/// What a table and its columns are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub file: String,
    pub columns: Arc<Vec<String>>,
    /// Where each name is among them, the last of equal ones.
    places: Arc<HashMap<String, usize>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Cells {
    /// As in a CSV file.
    Text(Text),
    /// As in an IDX file; NaN is a missing cell.
    Numbers(Array2<f64>),
}

/// Cells as text, all in one piece of memory.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: String,
    /// Where each cell ends in it, row by row.
    ends: Vec<usize>,
    /// The line of each row, from 1.
    lines: Vec<u64>,
    width: usize,
    /// Whether numbers may have a comma for the decimal point.
    decimal_comma: bool,
}

/// The column that the labels of an IDX file become.
const LABEL: &str = "label";
/// The characters of a cell or a name that an error shows.
const SHOWN: usize = 60;

impl Names {
    pub fn new(file: &str, columns: Vec<String>) -> Self {
        let places = columns.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect();
        Names { file: file.into(), columns: Arc::new(columns), places: Arc::new(places) }
    }

    /// That no two columns have one name.
    pub fn check(&self) -> Result<()> {
        match self.columns.iter().enumerate().find(|&(i, name)| self.places.get(name) != Some(&i)) {
            None => Ok(()),
            Some((_, twice)) => {
                let (expected, got) = (UNIQUE_NAMES.into(), format!("`{}` twice", short(twice)));
                Err(Error::Columns { file: self.file.clone(), expected, got })
            }
        }
    }
}

impl Text {
    pub fn new(width: usize, decimal_comma: bool) -> Self {
        Text { text: String::new(), ends: Vec::new(), lines: Vec::new(), width, decimal_comma }
    }

    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    pub fn push(&mut self, record: &StringRecord, line: u64) {
        self.push_cells(record.iter().map(str::trim), line);
    }

    pub fn push_cells<'a>(&mut self, cells: impl Iterator<Item = &'a str>, line: u64) {
        for cell in cells {
            self.text.push_str(cell);
            self.ends.push(self.text.len());
        }
        self.lines.push(line);
    }

    fn cell(&self, row: usize, column: usize) -> &str {
        let place = row * self.width + column;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.text[start..self.ends[place]]
    }

    fn truncate(&mut self, rows: usize) {
        self.lines.truncate(rows);
        self.ends.truncate(rows * self.width);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

impl Table {
    pub(crate) fn new(names: Names, cells: Cells, label: Option<String>) -> Self {
        Table { names, cells, label }
    }

    /// Reads text: CSV, or what is like it with tabs, semicolons or bars; double quotes where needed, UTF-8, any line ends.
    /// Spaces around a cell do not count. A first line `sep=;` tells the delimiter. Without a header the columns are `column_1` and so on. `file` is what errors call
    /// it.
    ///
    /// # Errors
    /// [`Error::Line`] for a row with another number of cells, bytes that are not UTF-8, or no row at all;
    /// [`Error::Columns`] when two columns have one name; [`Error::Io`] when reading fails.
    pub fn read(file: &str, mut reader: impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|source| Error::Io { path: file.into(), source })?;
        let table = Rows::new(file, Box::new(std::io::Cursor::new(bytes)), None, &[])?.table(usize::MAX)?;
        table.ok_or_else(|| Error::Format { file: file.into(), expected: "a table".into(), got: "nothing".into() })
    }

    /// The rows of an IDX file, a column for each number of a row: `pixel_3_0` for row 3 and column 0 of an image.
    pub(crate) fn of_idx(file: &str, idx: &Idx, f: impl Fn(f64) -> f64) -> Self {
        let mut numbers = idx.matrix::<f64>();
        numbers.mapv_inplace(f);
        let (_, sizes) = idx.rows();
        Table { names: Names::new(file, pixel_names(sizes)), cells: Cells::Numbers(numbers), label: None }
    }

    /// Arrays of NumPy.
    pub(crate) fn of_arrays(file: &str, Arrays { columns, numbers, label }: Arrays) -> Result<Self> {
        let names = Names::new(file, columns);
        names.check()?;
        Ok(Table { names, cells: Cells::Numbers(numbers), label })
    }

    /// With the numbers of an IDX file as a last column.
    pub(crate) fn with_labels(mut self, path: &Path) -> Result<Self> {
        let labels = Idx::open(path)?;
        let (expected, got) = (format!("a number for each of the {} rows", self.rows()), labels.shape());
        if got != [self.rows()] {
            let got = got.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
            return Err(Error::Columns { file: path.display().to_string(), expected, got });
        }
        if let Cells::Numbers(numbers) = &mut self.cells
            && let Ok(both) = concatenate(Axis(1), &[numbers.view(), labels.matrix::<f64>().view()])
        {
            *numbers = both;
            let columns = self.names.columns.iter().cloned().chain([LABEL.into()]).collect();
            self.names = Names::new(&self.names.file, columns);
            self.label = Some(LABEL.into());
        }
        Ok(self)
    }

    /// With the last column known to say what a row is.
    pub(crate) fn with_label_last(self) -> Self {
        Table { label: self.names.columns.last().cloned(), ..self }
    }

    /// Only the first rows, at most so many.
    pub fn first(mut self, rows: usize) -> Self {
        match &mut self.cells {
            Cells::Text(text) => text.truncate(rows.min(text.rows())),
            Cells::Numbers(numbers) => {
                let rows = rows.min(numbers.nrows());
                *numbers = numbers.slice(ndarray::s![..rows, ..]).to_owned();
            }
        }
        self
    }

    /// The file or built-in name.
    pub fn file(&self) -> &str {
        &self.names.file
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.names.columns
    }

    /// The column that says what a row is: the last of a built-in data set, the labels of images.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Whether it is a matrix of numbers, as pixels are, and not columns that each have a meaning of their own.
    pub fn is_matrix(&self) -> bool {
        matches!(self.cells, Cells::Numbers(_))
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        match &self.cells {
            Cells::Text(text) => text.rows(),
            Cells::Numbers(numbers) => numbers.nrows(),
        }
    }

    /// All of them, by their index.
    pub fn all_rows(&self) -> Vec<usize> {
        (0..self.rows()).collect()
    }

    /// The index of the column of this name.
    ///
    /// # Errors
    /// [`Error::Columns`] with the names that there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.names.places.get(name).copied().ok_or_else(|| {
            let columns = self.columns();
            let shown: Vec<_> = columns.iter().take(8).map(|name| format!("`{}`", short(name))).collect();
            let more = if columns.len() > 8 { format!(" and {} more", columns.len() - 8) } else { String::new() };
            let (expected, got) = (format!("a column `{}`", short(name)), format!("{}{more}", shown.join(", ")));
            Error::Columns { file: self.file().into(), expected, got }
        })
    }

    /// The text of a cell.
    pub fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        match &self.cells {
            Cells::Text(text) => Cow::Borrowed(text.cell(row, column)),
            Cells::Numbers(numbers) => Cow::Owned(numbers[[row, column]].to_string()),
        }
    }

    /// Whether a cell has nothing, or a word for that.
    pub fn is_missing(&self, row: usize, column: usize) -> bool {
        match &self.cells {
            Cells::Text(text) => is_missing(text.cell(row, column)),
            Cells::Numbers(numbers) => numbers[[row, column]].is_nan(),
        }
    }

    /// The number in a cell, if it is a finite one.
    pub fn number(&self, row: usize, column: usize) -> Option<f64> {
        match &self.cells {
            Cells::Text(text) => number(text.cell(row, column), text.decimal_comma),
            Cells::Numbers(numbers) => Some(numbers[[row, column]]).filter(|number| number.is_finite()),
        }
    }

    /// The same, of a cell that has nothing but the number.
    pub(crate) fn plain_number(&self, row: usize, column: usize) -> Option<f64> {
        match &self.cells {
            Cells::Text(text) => plain_number(text.cell(row, column), text.decimal_comma),
            Cells::Numbers(_) => self.number(row, column),
        }
    }

    /// The weights that a column has for these rows.
    ///
    /// # Errors
    /// [`Error::Cell`] for a cell that is no finite number of at least 0.
    pub fn weights(&self, column: usize, rows: &[usize]) -> Result<Vec<f64>> {
        let weight = |&row: &usize| {
            let number = self.number(row, column).filter(|number| *number >= 0.0);
            number.ok_or_else(|| self.cell_error(row, column, "a weight, a finite number of at least 0"))
        };
        rows.iter().map(weight).collect()
    }

    /// An error about a cell.
    pub(crate) fn cell_error(&self, row: usize, column: usize, expected: impl Into<String>) -> Error {
        let text = self.cell(row, column);
        Error::Cell {
            file: self.file().into(),
            line: match &self.cells {
                Cells::Text(text) => text.lines[row],
                Cells::Numbers(_) => row as u64 + 1,
            },
            column: short(&self.columns()[column]).into_owned(),
            expected: expected.into(),
            got: if text.is_empty() { EMPTY.into() } else { format!("`{}`", short(&text)) },
        }
    }
}

/// A text as an error shows it: its beginning, where it is long.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}
