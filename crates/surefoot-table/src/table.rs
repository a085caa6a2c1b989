//! A table: columns with names, rows of cells that know their line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::column::Cells;
use crate::error::{EMPTY, Error, Reason, Result};
use crate::notation::Told;
use crate::note::Note;

/// A table as it was read; nothing is known yet of what its columns mean.
#[derive(Clone, Debug)]
pub struct Table {
    names: Names,
    columns: Vec<Cells>,
    lines: Lines,
    /// What was known of the file beside its columns.
    told: Told,
    /// Whether its columns have no meaning of their own.
    is_matrix: bool,
    /// The column that says what a row is, where that is known.
    label: Option<String>,
    /// The format of the file, for people.
    format: String,
    /// The rows that have no cells, as their line has another number of them: so many.
    damaged: Vec<(usize, usize)>,
    /// What was settled of how the file was read.
    notes: Vec<Note>,
}

/// All of a table but its cells, as it is kept in a file.
#[derive(Serialize, Deserialize)]
pub(crate) struct About {
    file: String,
    columns: Vec<String>,
    lines: Lines,
    told: Told,
    is_matrix: bool,
    label: Option<String>,
    format: String,
    notes: Vec<Note>,
}

/// What a table and its columns are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub file: String,
    pub columns: Arc<Vec<String>>,
    /// Where each name is among them first, and whether it is there again.
    places: Arc<HashMap<String, (usize, bool)>>,
}

/// The lines in which rows stand, from 1: rows follow each other line by line but for these, at which they go on elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lines {
    rows: usize,
    /// A row and its line, in ascending order.
    breaks: Vec<(usize, u64)>,
    /// The first row of each file, where there are several.
    files: Vec<(usize, String)>,
}

/// The characters of a cell or a name that an error shows.
const SHOWN: usize = 60;
/// The names of columns that an error shows.
const SHOWN_COLUMNS: usize = 8;

impl Names {
    pub fn new(file: &str, columns: Vec<String>) -> Self {
        let mut places = HashMap::with_capacity(columns.len());
        for (place, name) in columns.iter().enumerate() {
            places.entry(name.clone()).and_modify(|(_, again)| *again = true).or_insert((place, false));
        }
        Names { file: file.into(), columns: Arc::new(columns), places: Arc::new(places) }
    }

    /// That no two columns have one name.
    pub fn check(&self) -> Result<()> {
        match self.columns.iter().find(|name| self.places.get(*name).is_some_and(|(_, again)| *again)) {
            None => Ok(()),
            Some(twice) => Err(self.doubled(twice)),
        }
    }

    /// Where another table has these columns, of the table that errors call `file`.
    ///
    /// # Errors
    /// [`Error::Columns`] when it has others.
    pub fn places_in(&self, file: &str, other: &Names) -> Result<Vec<usize>> {
        if self.columns == other.columns {
            return Ok((0..self.columns.len()).collect()); // also where two have one name
        }
        let place = |name: &String| other.places.get(name).filter(|(_, again)| !again).map(|&(place, _)| place);
        let places: Option<Vec<usize>> = self.columns.iter().map(place).collect();
        places.filter(|places| places.len() == other.columns.len()).ok_or_else(|| {
            let expected = format!("the columns of {file}: {}", self.shown());
            Error::columns(&other.file, Reason::Columns, expected, other.shown())
        })
    }

    /// The first of them, for an error.
    fn shown(&self) -> String {
        let shown: Vec<_> = self.columns.iter().take(SHOWN_COLUMNS).map(|name| format!("`{}`", short(name))).collect();
        let more = self.columns.len().saturating_sub(SHOWN_COLUMNS);
        shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    }

    fn doubled(&self, name: &str) -> Error {
        let got = format!("`{}` twice", short(name));
        Error::columns(&self.file, Reason::DuplicateName, "a different name for each column", got)
    }
}

impl Lines {
    /// Those of so many rows, the first in line 1.
    pub fn counted(rows: usize) -> Self {
        Lines { rows, breaks: vec![(0, 1)], files: Vec::new() }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes up the line of the next row.
    pub fn push(&mut self, line: u64) {
        if self.rows == 0 || self.of(self.rows) != line {
            self.breaks.push((self.rows, line));
        }
        self.rows += 1;
    }

    /// The rows that follow stand in this file.
    pub fn begin_file(&mut self, file: &str) {
        self.files.push((self.rows, file.into()));
    }

    /// Takes up the lines of the rows that follow, which stand in files of their own.
    pub fn extend(&mut self, next: &Lines) {
        self.breaks.extend(next.breaks.iter().map(|&(row, line)| (self.rows + row, line)));
        self.files.extend(next.files.iter().map(|(row, file)| (self.rows + row, file.clone())));
        self.rows += next.rows;
    }

    /// The file of a row, where there are several.
    fn file(&self, row: usize) -> Option<&str> {
        let at = self.files.partition_point(|&(first, _)| first <= row);
        self.files.get(at.checked_sub(1)?).map(|(_, file)| file.as_str())
    }

    /// The line of a row.
    fn of(&self, row: usize) -> u64 {
        let at = self.breaks.partition_point(|&(first, _)| first <= row);
        self.breaks.get(at.saturating_sub(1)).map_or(1, |&(first, line)| line + (row - first) as u64)
    }
}

impl About {
    pub fn rows(&self) -> usize {
        self.lines.rows()
    }

    /// The table that has these columns.
    pub fn with(self, columns: Vec<Cells>) -> Table {
        let About { file, columns: names, lines, told, is_matrix, label, format, notes } = self;
        Table { told, is_matrix, label, format, notes, ..Table::new(Names::new(&file, names), columns, lines) }
    }
}

impl Table {
    pub(crate) fn new(names: Names, columns: Vec<Cells>, lines: Lines) -> Self {
        Table {
            names,
            columns,
            lines,
            told: Told::default(),
            is_matrix: false,
            label: None,
            format: String::new(),
            damaged: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// All but its cells.
    pub(crate) fn about(&self) -> About {
        About {
            file: self.names.file.clone(),
            columns: self.names.columns.to_vec(),
            lines: self.lines.clone(),
            told: self.told.clone(),
            is_matrix: self.is_matrix,
            label: self.label.clone(),
            format: self.format.clone(),
            notes: self.notes.clone(),
        }
    }

    /// A matrix of numbers whose columns have no meaning of their own, as pixels are; NaN is a missing cell.
    pub(crate) fn of_matrix(names: Names, columns: impl Iterator<Item = Vec<f64>>) -> Self {
        let columns: Vec<Cells> = columns.map(Cells::of_numbers).collect();
        let rows = columns.first().map_or(0, Cells::len);
        Table {
            names,
            columns,
            lines: Lines::counted(rows),
            told: Told::default(),
            is_matrix: true,
            label: None,
            format: String::new(),
            damaged: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// With the columns of another table of as many rows behind its own.
    ///
    /// # Errors
    /// [`Error::Columns`] when it has another number of rows, or a column of a name that is there.
    pub fn beside(mut self, other: Table) -> Result<Self> {
        if other.rows() != self.rows() {
            let (expected, got) = (format!("{} rows", self.rows()), format!("{} in {}", other.rows(), other.file()));
            return Err(Error::columns(self.file(), Reason::Rows, expected, got));
        }
        let names = self.names.columns.iter().chain(other.names.columns.iter()).cloned().collect();
        self.names = Names::new(&self.names.file, names);
        self.columns.extend(other.columns);
        self.check_names()?;
        Ok(self)
    }

    /// With a column more, which says what a row is.
    pub(crate) fn with_label_column(mut self, name: &str, numbers: Vec<f64>) -> Self {
        self.columns.push(Cells::of_numbers(numbers));
        let names = self.names.columns.iter().cloned().chain([name.into()]).collect();
        self.names = Names::new(&self.names.file, names);
        self.label = Some(name.into());
        self
    }

    pub(crate) fn with_matrix(self, is_matrix: bool) -> Self {
        Table { is_matrix, ..self }
    }

    pub(crate) fn with_told(self, told: Told) -> Self {
        Table { told, ..self }
    }

    /// What was known of the file beside its columns.
    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    pub(crate) fn with_all_notes(self, notes: Vec<Note>) -> Self {
        Table { notes, ..self }
    }

    /// The lines of its rows, with the file that they stand in.
    pub(crate) fn lines_of(&self, file: &str) -> Lines {
        let mut lines = self.lines.clone();
        if lines.files.is_empty() {
            lines.files.push((0, file.into()));
        }
        lines
    }

    /// With this column known to say what a row is.
    pub(crate) fn with_label(self, label: Option<String>) -> Self {
        Table { label, ..self }
    }

    pub(crate) fn with_format(self, format: impl Into<String>) -> Self {
        Table { format: format.into(), ..self }
    }

    /// The format of the file in a few words, as `text, separated by semicolons`; empty where there is none.
    pub fn format(&self) -> &str {
        &self.format
    }

    pub(crate) fn with_damaged(self, damaged: Vec<(usize, usize)>) -> Self {
        Table { damaged, ..self }
    }

    /// The rows whose line has another number of cells than there are columns, each with that number, in ascending order; of
    /// [`Chunks`](crate::Chunks) that take them up.
    pub fn damaged(&self) -> &[(usize, usize)] {
        &self.damaged
    }

    /// What is wrong with a damaged row that has so many cells.
    pub fn damaged_error(&self, (row, cells): (usize, usize)) -> Error {
        Error::Line {
            file: self.lines.file(row).unwrap_or(self.file()).into(),
            line: self.lines.of(row),
            reason: Reason::Rows,
            expected: format!("{} cells, as in the header", self.columns().len()),
            got: cells.to_string(),
        }
    }

    /// With more that a person should know.
    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes.into_iter().map(Note::of_table));
        self
    }

    /// The words that mean that a cell is missing, where the caller said them.
    pub(crate) fn missing_words(&self) -> Option<&Vec<String>> {
        self.columns.first()?.settled.notation.missing.as_ref()
    }

    /// What was settled of the file as a whole: lines that were skipped, names that were made up, …
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The texts that mean that a cell is missing, with the cells that have each.
    pub fn missing_texts(&self) -> Vec<(String, usize)> {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for cells in &self.columns {
            for (text, count) in cells.missing_texts() {
                *counts.entry(text).or_default() += count;
            }
        }
        counts.into_iter().collect()
    }

    pub(crate) fn missing_note(&self) -> Option<Note> {
        let mut texts = self.missing_texts();
        texts.retain(|(text, _)| !text.is_empty() && text != "NaN");
        let cells: usize = texts.iter().map(|(_, count)| count).sum();
        let shown: Vec<String> = texts.iter().take(8).map(|(text, _)| format!("`{text}`")).collect();
        let (cells, mean) = if cells == 1 { ("1 cell".into(), "means") } else { (format!("{cells} cells"), "mean") };
        let mean = if shown.len() == 1 { "means" } else { mean };
        (!texts.is_empty())
            .then(|| Note::of_table(format!("{} {mean} that a cell is missing ({cells})", shown.join(", "))))
    }

    /// With the last column known to say what a row is.
    pub(crate) fn with_label_last(self) -> Self {
        Table { label: self.names.columns.last().cloned(), ..self }
    }

    /// Only the first rows, at most so many.
    pub fn first(mut self, rows: usize) -> Self {
        self.lines.rows = self.lines.rows.min(rows);
        self.columns.iter_mut().for_each(|cells| *cells = cells.first(self.lines.rows));
        self
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
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
        self.is_matrix
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.lines.rows
    }

    /// All of them, by their index.
    pub fn all_rows(&self) -> Vec<usize> {
        (0..self.rows()).collect()
    }

    /// The index of the column of this name.
    ///
    /// # Errors
    /// [`Error::Columns`] with the names that there are, or when two columns have this name.
    pub fn column(&self, name: &str) -> Result<usize> {
        let (place, again) = self.names.places.get(name).copied().ok_or_else(|| {
            let expected = format!("a column `{}`", short(name));
            Error::columns(self.file(), Reason::UnknownColumn, expected, self.names.shown())
        })?;
        if again { Err(self.names.doubled(name)) } else { Ok(place) }
    }

    /// That no two columns have one name.
    ///
    /// # Errors
    /// [`Error::Columns`] with the name.
    pub(crate) fn check_names(&self) -> Result<()> {
        self.names.check()
    }

    /// The text of a cell, as it was written.
    pub fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.columns[column].text(row)
    }

    /// Whether a cell has nothing, or a word for that.
    pub fn is_missing(&self, row: usize, column: usize) -> bool {
        self.columns[column].meaning(row).is_missing
    }

    /// The number in a cell, if it is a finite one.
    pub fn number(&self, row: usize, column: usize) -> Option<f64> {
        self.columns[column].meaning(row).number
    }

    /// The memory that the cells take, in bytes.
    pub fn memory(&self) -> usize {
        self.columns.iter().map(Cells::bytes).sum()
    }

    /// The cells of a column.
    pub(crate) fn cells(&self, column: usize) -> &Cells {
        &self.columns[column]
    }

    /// Takes the cells of a column out of it.
    pub(crate) fn take_cells(&mut self, column: usize) -> Cells {
        std::mem::replace(&mut self.columns[column], Cells::of_numbers(Vec::new()))
    }

    /// The weights that a column has for these rows.
    ///
    /// # Errors
    /// [`Error::Cell`] for a cell that is no finite number of at least 0.
    pub fn weights(&self, column: usize, rows: &[usize]) -> Result<Vec<f64>> {
        let weight = |&row: &usize| {
            let number = self.number(row, column).filter(|number| *number >= 0.0);
            number
                .ok_or_else(|| self.cell_error(row, column, Reason::Weight, "a weight, a finite number of at least 0"))
        };
        rows.iter().map(weight).collect()
    }

    /// An error about a cell; where that has nothing, this is the reason, unless the column was to have numbers or nothing.
    pub(crate) fn cell_error(&self, row: usize, column: usize, reason: Reason, expected: impl Into<String>) -> Error {
        let text = self.cell(row, column);
        let may_be_empty = matches!(reason, Reason::TextAmongNumbers | Reason::TextInNumeric);
        let reason = if text.is_empty() && !may_be_empty { Reason::EmptyCell } else { reason };
        Error::Cell {
            file: self.lines.file(row).unwrap_or(self.file()).into(),
            line: self.lines.of(row),
            column: short(&self.columns()[column]).into_owned(),
            reason,
            expected: expected.into(),
            got: if text.is_empty() { EMPTY.into() } else { format!("`{}`", short(&text)) },
        }
    }
}

/// The names of the numbers of a row that has a shape of its own: `pixel_3_0` for row 3 and column 0 of an image.
pub(crate) fn pixel_names(sizes: &[usize]) -> Vec<String> {
    let name = |mut at: usize| {
        let mut places: Vec<String> = Vec::new();
        for &size in sizes.iter().rev() {
            places.push((at % size).to_string());
            at /= size;
        }
        places.reverse();
        ["pixel".to_string()].into_iter().chain(places).collect::<Vec<_>>().join("_")
    };
    (0..sizes.iter().product()).map(name).collect()
}

/// A text as an error shows it: its beginning, where it is long.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}
