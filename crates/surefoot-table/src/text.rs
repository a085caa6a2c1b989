//! Text files row by row: CSV, and what is like it.

use std::io::{self, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::dialect::Dialect;
use crate::error::{EMPTY, Error, FINITE, Result, UTF8};
use crate::table::{Cells, Names, Table, Text, short};

/// How much of a file is looked at to find its dialect.
const START: usize = 1 << 16;

/// The rows of a text file, as they are read.
pub(crate) struct Rows {
    names: Names,
    dialect: Dialect,
    reader: Reader<Lines<Box<dyn Read>>>,
    /// The first row, where it is no header.
    first: Option<(ByteRecord, u64)>,
    /// The line after the last record.
    next_line: u64,
    /// The rows so far.
    rows: u64,
}

impl Rows {
    /// Reads the names; `header` says whether there are any, where that is not to be found out. `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Io`] when reading fails; [`Error::Line`] for bytes that are not UTF-8; [`Error::Columns`] when two columns
    /// have one name.
    pub fn new(file: &str, mut bytes: Box<dyn Read>, header: Option<bool>) -> Result<Self> {
        let mut start = Vec::new();
        let read = bytes.by_ref().take(START as u64).read_to_end(&mut start);
        read.map_err(|source| Error::Io { path: file.into(), source })?;
        let found = Dialect::find(&start, start.len() < START);
        let dialect = Dialect { header: header.unwrap_or(found.header), ..found };
        let bytes: Box<dyn Read> = Box::new(Cursor::new(start).chain(bytes));
        let lines = Lines::new(bytes, dialect.delimiter);
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(dialect.delimiter).from_reader(lines);
        let names = Names::new(file, Vec::new());
        let mut rows = Rows { names, dialect, reader, first: None, next_line: 1, rows: 0 };
        let Some((record, line)) = rows.record()? else { return Ok(rows) };
        let name_of = |(i, cell): (usize, &str)| match cell.trim() {
            "" => format!("column_{}", i + 1),
            name => name.into(),
        };
        let columns: Vec<String> = if dialect.header {
            rows.text(&record, line)?.iter().enumerate().map(|(i, cell)| name_of((i, cell))).collect()
        } else {
            (1..=record.len()).map(|i| format!("column_{i}")).collect()
        };
        if !dialect.header {
            rows.first = Some((record, line));
        }
        rows.names = Names::new(file, columns);
        rows.names.check()?;
        Ok(rows)
    }

    /// The next rows, at most so many; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Line`] for a row with another number of cells than there are columns, bytes that are not UTF-8, a quote that
    /// is never closed, or a file without any row.
    pub fn table(&mut self, most: usize) -> Result<Option<Table>> {
        let width = self.names.columns.len();
        let mut text = Text::new(width, self.dialect.delimiter == b';');
        while text.rows() < most {
            let before = self.next_line;
            let next = match self.first.take() {
                Some(first) => Some(first),
                None => self.record()?,
            };
            let Some((record, line)) = next else { break };
            self.rows += 1;
            // the reader passes over empty lines; where there is one column, such a line is a cell without anything
            if width == 1 && line > before && self.rows > 1 {
                return Err(self.error(before, FINITE, EMPTY));
            }
            if self.reader.get_ref().within {
                return Err(self.error(line, "a closing quote", "the end of the file"));
            }
            if record.len() != width {
                let like = if self.dialect.header { "as in the header" } else { "as in the first row" };
                return Err(self.error(line, &format!("{width} cells, {like}"), &record.len().to_string()));
            }
            text.push(&self.text(&record, line)?, line);
        }
        match (text.rows(), self.rows) {
            (0, 0) => Err(self.error(2, "a row under the header", "the end of the file")),
            (0, _) => Ok(None),
            _ => Ok(Some(Table::new(self.names.clone(), Cells::Text(text), None))),
        }
    }

    /// The next record and the line that it begins in.
    fn record(&mut self) -> Result<Option<(ByteRecord, u64)>> {
        let mut record = ByteRecord::new();
        let is_one = self.reader.read_byte_record(&mut record);
        let is_one =
            is_one.map_err(|error| Error::Io { path: self.names.file.clone().into(), source: error.into() })?;
        if !is_one {
            return Ok(None);
        }
        // each record ends with a line end, and has those within its quotes
        let within = record.iter().flatten().filter(|&&byte| byte == b'\n').count() as u64;
        self.next_line = self.reader.position().line();
        // a quote that is not closed takes the last line end, too
        let end = u64::from(!self.reader.get_ref().within);
        Ok(Some((record, self.next_line.saturating_sub(within + end).max(1))))
    }

    fn text(&self, record: &ByteRecord, line: u64) -> Result<csv::StringRecord> {
        let text = csv::StringRecord::from_byte_record(record.clone());
        text.map_err(|error| self.error(line, UTF8, &error.utf8_error().to_string()))
    }

    fn error(&self, line: u64, expected: &str, got: &str) -> Error {
        Error::Line { file: self.names.file.clone(), line, expected: expected.into(), got: short(got).into_owned() }
    }
}

/// Text with a line feed at the end of each line, the last one too, whatever it had; and whether a quote is open.
struct Lines<R> {
    inner: R,
    delimiter: u8,
    /// The last byte that came in was a carriage return, whose line feed, if there is one, is not wanted.
    after_return: bool,
    /// The last byte that went out.
    last: u8,
    /// Within a quoted cell.
    within: bool,
    /// At the start of a cell, where a quote opens.
    at_start: bool,
    is_over: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R, delimiter: u8) -> Self {
        Lines { inner, delimiter, after_return: false, last: b'\n', within: false, at_start: true, is_over: false }
    }

    fn pass(&mut self, byte: u8) {
        if byte == b'"' {
            // two quotes within a quoted cell leave it and enter it again, which comes to the same
            self.within = if self.within || self.at_start { !self.within } else { self.within };
            self.at_start = true;
        } else {
            self.at_start = !self.within && (byte == self.delimiter || byte == b'\n');
        }
        self.last = byte;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_over || out.is_empty() {
                return Ok(0);
            }
            let read = self.inner.read(out)?;
            if read == 0 {
                self.is_over = true;
                if self.last == b'\n' {
                    return Ok(0);
                }
                out.fill(b'\n');
                self.last = b'\n';
                return Ok(1);
            }
            let mut kept = 0;
            for i in 0..read {
                let Some(&byte) = out.get(i) else { break };
                let is_rest_of_return = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if is_rest_of_return {
                    continue;
                }
                let byte = if byte == b'\r' { b'\n' } else { byte };
                self.pass(byte);
                if let Some(place) = out.get_mut(kept) {
                    *place = byte;
                }
                kept += 1;
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(csv: &[u8]) -> String {
        Table::read("t.csv", csv).unwrap_err().to_string()
    }

    #[test]
    fn errors_have_file_and_line() {
        for (csv, message) in [
            (&b"a,b\n1,2\n1\n"[..], "t.csv, line 3: expected 2 cells, as in the header, got 1"),
            (b"a,b\r\n\r\n1,2\r\n\r\n1,2,3\r\n", "t.csv, line 5: expected 2 cells, as in the header, got 3"),
            (b"a,b\r1,2\r1\r", "t.csv, line 3: expected 2 cells, as in the header, got 1"),
            (b"1,2\n3\n", "t.csv, line 2: expected 2 cells, as in the first row, got 1"),
            (b"a,b\n\"x\ny\",2\n1\n", "t.csv, line 4: expected 2 cells, as in the header, got 1"),
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
        assert_eq!([quoted.cell(0, 0), quoted.cell(0, 1), quoted.cell(1, 1)], ["x\"y, z", "5\" pipe", ""]);
        for ends in ["\r\n", "\n", "\r"] {
            let text = format!("\u{feff}\"a\", b{ends}\"1\", 2.5e1{ends}{ends}3,4");
            let table = Table::read("t", text.as_bytes()).unwrap();
            assert_eq!(table.columns(), ["a", "b"]);
            assert_eq!(
                [table.number(0, 0), table.number(0, 1), table.number(1, 1)],
                [Some(1.0), Some(25.0), Some(4.0)]
            );
        }
    }

    #[test]
    fn commas_are_decimal_where_semicolons_separate() {
        let table = Table::read("t", &b"a;b\n1,5;2\n-3,25;x, y\n"[..]).unwrap();
        assert_eq!([table.number(0, 0), table.number(1, 0), table.number(1, 1)], [Some(1.5), Some(-3.25), None]);
        assert_eq!(Table::read("t", &b"a\tb\n\"1,5\"\t2\n"[..]).unwrap().number(0, 0), None);
    }

    #[test]
    fn columns_without_a_name_are_numbered() {
        assert_eq!(Table::read("t", &b",a,\n0,1,2\n"[..]).unwrap().columns(), ["column_1", "a", "column_3"]);
        assert_eq!(Table::read("t", &b"1,2\n3,4\n"[..]).unwrap().rows(), 2);
    }

    #[test]
    fn a_missing_column_names_those_that_are_there() {
        let table = Table::read("t", &b"a,b\n1,2\n"[..]).unwrap();
        assert_eq!(table.column("c").unwrap_err().to_string(), "t: expected a column `c`, got `a`, `b`");
    }
}
