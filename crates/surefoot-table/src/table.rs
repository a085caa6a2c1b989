//! A table of text: columns with names, rows of cells that know their line.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use ndarray::Array2;

use crate::builtin::BUILTIN;
use crate::error::{EMPTY, Error, FINITE, Result, UTF8};

/// A table as it was read; nothing is known yet of what its columns mean.
#[derive(Clone, Debug)]
pub struct Table {
    file: String,
    columns: Vec<String>,
    rows: Vec<StringRecord>,
    /// The line of each row, from 1.
    lines: Vec<u64>,
    /// The column that says what a row is, where that is known.
    label: Option<String>,
}

impl Table {
    /// The built-in data set of this name, else the CSV file at this path.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Io`] when there is no such file.
    pub fn open(data: &str) -> Result<Self> {
        if let Some(builtin) = BUILTIN.iter().find(|builtin| builtin.name == data) {
            let table = Table::read(data, builtin.csv.as_bytes())?;
            return Ok(Table { label: table.columns.last().cloned(), ..table });
        }
        let path = Path::new(data);
        let io = |source| Error::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(io(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        Table::read(data, file)
    }

    /// Reads CSV: a header, then rows with as many cells; commas, double quotes where needed, UTF-8. Spaces around a
    /// cell do not count. `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Line`] for a row with another number of cells, bytes that are not UTF-8, or no row at all;
    /// [`Error::Columns`] when two columns have one name; [`Error::Io`] when reading fails.
    pub fn read(file: &str, mut reader: impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|source| Error::Io { path: file.into(), source })?;
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(&bytes[..]);
        let header = reader.headers().map_err(|error| csv_error(file, &bytes, error))?.clone();
        let columns: Vec<String> = header.iter().map(String::from).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = columns.iter().find(|name| !seen.insert(*name)) {
            let (expected, got) = ("a name of its own for each column".into(), format!("`{twice}` twice"));
            return Err(Error::Columns { file: file.into(), expected, got });
        }
        let records = reader.records().collect::<std::result::Result<Vec<_>, _>>();
        let rows = records.map_err(|error| csv_error(file, &bytes, error))?;
        if rows.is_empty() {
            let (expected, got) = ("a row under the header".into(), "the end of the file".into());
            return Err(Error::Line { file: file.into(), line: 2, expected, got });
        }
        let lines: Vec<u64> = rows.iter().map(|row| line_of(&bytes, row.position())).collect();
        let error = |line, expected: &str, got: &str| {
            Err(Error::Line { file: file.into(), line, expected: expected.into(), got: got.into() })
        };
        if let Some(last) = rows.last().filter(|row| ends_within_quotes(rest_from(&bytes, row.position()))) {
            return error(line_of(&bytes, last.position()), "a closing quote", "the end of the file");
        }
        // The reader passes over empty lines; where there is one column, such a line is a cell without anything.
        let before = |row: &StringRecord| row.position().map_or(0, Position::line);
        if let (1, Some(gap)) = (columns.len(), rows.iter().zip(&lines).find(|(row, line)| before(row) < **line)) {
            return error(before(gap.0), FINITE, EMPTY);
        }
        Ok(Table { file: file.into(), columns, rows, lines, label: None })
    }

    /// The file or built-in name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column that says what a row is: the last of a built-in data set.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The index of the column of this name.
    ///
    /// # Errors
    /// [`Error::Columns`] with the names that there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let shown: Vec<_> = self.columns.iter().take(8).map(|name| format!("`{name}`")).collect();
            let more =
                if self.columns.len() > 8 { format!(" and {} more", self.columns.len() - 8) } else { String::new() };
            let (expected, got) = (format!("a column `{name}`"), format!("{}{more}", shown.join(", ")));
            Error::Columns { file: self.file.clone(), expected, got }
        })
    }

    /// The text of a cell.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        &self.rows[row][column]
    }

    /// The cells of a column, from the first row to the last.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| &row[column])
    }

    /// The numbers of some columns, one row for each row.
    ///
    /// # Errors
    /// [`Error::Cell`] for the first cell, row by row, that is not a finite number.
    pub fn numbers(&self, columns: &[usize]) -> Result<Array2<f64>> {
        self.numbers_expected(columns, FINITE)
    }

    /// The same, with what an error says was expected.
    pub(crate) fn numbers_expected(&self, columns: &[usize], expected: &str) -> Result<Array2<f64>> {
        let mut numbers = Array2::zeros((self.rows(), columns.len()));
        for ((row, i), number) in numbers.indexed_iter_mut() {
            *number = parse(self.cell(row, columns[i])).ok_or_else(|| self.cell_error(row, columns[i], expected))?;
        }
        Ok(numbers)
    }

    /// An error about a cell.
    pub(crate) fn cell_error(&self, row: usize, column: usize, expected: impl Into<String>) -> Error {
        let text = self.cell(row, column);
        Error::Cell {
            file: self.file.clone(),
            line: self.lines[row],
            column: self.columns[column].clone(),
            expected: expected.into(),
            got: if text.is_empty() { EMPTY.into() } else { format!("`{text}`") },
        }
    }
}

/// The number in a cell, if it is a finite one.
pub(crate) fn parse(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The line of a record, from 1: the reader's position is before the empty lines above it.
fn line_of(bytes: &[u8], position: Option<&Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let empty = rest_from(bytes, Some(position))
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|&&byte| byte == b'\n');
    position.line() + empty.count() as u64
}

fn rest_from<'a>(bytes: &'a [u8], position: Option<&Position>) -> &'a [u8] {
    position.and_then(|position| bytes.get(position.byte() as usize..)).unwrap_or_default()
}

/// Whether a record, which is the last, ends in a cell whose quote was never closed.
fn ends_within_quotes(record: &[u8]) -> bool {
    let (mut within, mut at_start) = (false, true);
    for &byte in record {
        match byte {
            // two quotes within a quoted cell leave it and enter it again, which comes to the same
            b'"' if within || at_start => within = !within,
            _ => {}
        }
        at_start = !within && matches!(byte, b',' | b'\n' | b'\r') || byte == b'"';
    }
    within
}

fn csv_error(file: &str, bytes: &[u8], error: csv::Error) -> Error {
    let line = line_of(bytes, error.position());
    let (expected, got) = match error.into_kind() {
        ErrorKind::Io(source) => return Error::Io { path: file.into(), source },
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("{expected_len} cells, as in the header"), len.to_string())
        }
        ErrorKind::Utf8 { err, .. } => (UTF8.into(), err.to_string()),
        other => ("CSV".into(), format!("{other:?}")),
    };
    Error::Line { file: file.into(), line, expected, got }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(csv: &[u8]) -> String {
        let table = match Table::read("t.csv", csv) {
            Err(error) => return error.to_string(),
            Ok(table) => table,
        };
        let columns: Vec<usize> = (0..table.columns().len()).collect();
        table.numbers(&columns).unwrap_err().to_string()
    }

    #[test]
    fn errors_have_file_line_and_column() {
        for (csv, message) in [
            (&b"a,b\n1,2\n3,x\n"[..], "t.csv, line 3, column `b`: expected a finite number, got `x`"),
            (b"a,b\n1,2\n\n3,\n", "t.csv, line 4, column `b`: expected a finite number, got an empty cell"),
            (b"a,b\nNaN,2\n", "t.csv, line 2, column `a`: expected a finite number, got `NaN`"),
            (b"a,b\n1,-inf\n", "t.csv, line 2, column `b`: expected a finite number, got `-inf`"),
            (b"a,b\n1,1e999\n", "t.csv, line 2, column `b`: expected a finite number, got `1e999`"),
            (b"a,b\n1,2\n1\n", "t.csv, line 3: expected 2 cells, as in the header, got 1"),
            (b"a,b\n", "t.csv, line 2: expected a row under the header, got the end of the file"),
            (b"", "t.csv, line 2: expected a row under the header, got the end of the file"),
            (b"a,b\n1,2\n3,\"4\n5,6\n", "t.csv, line 3: expected a closing quote, got the end of the file"),
            (b"a\n1\n\n3\n", "t.csv, line 3: expected a finite number, got an empty cell"),
            (b"a,a\n1,2\n", "t.csv: expected a name of its own for each column, got `a` twice"),
        ] {
            assert_eq!(error(csv), message);
        }
        assert!(error(b"a,b\n1,\xff\n").starts_with("t.csv, line 2: expected text in UTF-8, got"));
    }

    #[test]
    fn quotes_spaces_line_ends_and_a_byte_order_mark_do_not_matter() {
        let quoted = Table::read("t", &b"a,b\n\"x\"\"y, z\",5\" pipe\n\"\",\"\n\"\n"[..]).unwrap();
        assert_eq!((quoted.cell(0, 0), quoted.cell(0, 1), quoted.cell(1, 1)), ("x\"y, z", "5\" pipe", ""));
        let table = Table::read("t", &b"\xef\xbb\xbf\"a\", b\r\n\"1\", 2.5e1\r\n"[..]).unwrap();
        assert_eq!(table.columns(), ["a", "b"]);
        assert_eq!(table.numbers(&[1, 0]).unwrap(), ndarray::array![[25.0, 1.0]]);
    }

    #[test]
    fn built_in_sets_have_the_rows_and_columns_they_announce() {
        for (name, rows, columns) in [("xor", 4, 3), ("iris", 150, 5), ("digits", 1797, 65)] {
            let table = Table::open(name).unwrap();
            assert_eq!((table.rows(), table.columns().len()), (rows, columns), "{name}");
        }
    }

    #[test]
    fn a_missing_file_and_a_folder_are_errors_with_a_hint() {
        for path in ["/no/such/file.csv", "/"] {
            let error = Table::open(path).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {path}"));
            assert!(error.hint().unwrap().contains("surefoot datasets"));
        }
    }

    #[test]
    fn a_missing_column_names_those_that_are_there() {
        let table = Table::read("t", &b"a,b\n1,2\n"[..]).unwrap();
        assert_eq!(table.column("c").unwrap_err().to_string(), "t: expected a column `c`, got `a`, `b`");
    }
}
