//! Text files row by row: CSV, and what is like it.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use crate::builder::Builder;
use crate::decoder::{Decoder, FoundEncoding, is_encoding};
use crate::dialect::{Dialect, Layout, SPACES, drop_last_if_empty};
use crate::error::{EMPTY, Error, FINITE, Reason, Result};
use crate::lines::Lines;
use crate::notation::Told;
use crate::progress::Progress;
use crate::reading::Reading;
use crate::table::{Names, Table, short};

/// How much of a file is looked at to find its dialect.
const START: usize = 1 << 16;
/// Rows are counted in so many.
const COUNTED: u64 = 1000;
/// What a cell that begins with a quote ends with.
const CLOSING_QUOTE: &str = "a closing quote";

/// The rows of a text file, as they are read.
pub(crate) struct Rows<'a> {
    names: Names,
    dialect: Dialect,
    told: Told,
    reader: Reader<Lines<Box<dyn Read + 'a>>>,
    encoding: FoundEncoding,
    /// The first row, where it is no header.
    first: Option<(ByteRecord, u64)>,
    /// The memory of the last row, for the next.
    spare: ByteRecord,
    /// The lines that are no part of the table.
    lines_before: u64,
    /// The line after the last record.
    next_line: u64,
    /// The rows so far.
    rows: u64,
    /// What a person should know, in a sentence each.
    notes: Vec<String>,
    /// Whether a row with another number of cells is taken up, as a damaged one.
    takes_damaged: bool,
    progress: Option<Arc<Progress>>,
}

impl<'a> Rows<'a> {
    /// Reads the names; a first row with one of the `known` names has names. `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Io`] when reading fails; [`Error::Line`] for bytes that are no text.
    pub fn new(file: &str, bytes: Box<dyn Read + 'a>, reading: &Reading, known: &[String]) -> Result<Self> {
        let failed = |source| Error::Io { path: file.into(), source };
        if let Some(name) = reading.encoding.as_deref().filter(|name| !is_encoding(name)) {
            return Err(Error::format(file, Reason::Encoding, "an encoding by one of its names", format!("`{name}`")));
        }
        let may_separate = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"\"\r\n".contains(c);
        if let Some(delimiter) = reading.delimiter.filter(|delimiter| !may_separate(*delimiter)) {
            let expected = "a delimiter that is no letter, digit, quote or line end";
            return Err(Error::format(file, Reason::Rows, expected, format!("`{delimiter}`")));
        }
        let (decoder, encoding) = Decoder::new(bytes, reading.encoding.as_deref());
        let mut bytes: Box<dyn Read + 'a> = Box::new(decoder);
        let mut lines_before = reading.skip.unwrap_or(0) as u64;
        if lines_before > 0 {
            bytes = Box::new(without_lines(bytes, lines_before).map_err(failed)?);
        }
        let mut start = Vec::new();
        bytes.by_ref().take(START as u64).read_to_end(&mut start).map_err(failed)?;
        let is_whole = start.len() < START;
        let prologue = Prologue::find(&start);
        start.drain(..prologue.length);
        let delimiter = reading.delimiter.map(|delimiter| delimiter as u8).or(prologue.delimiter);
        let dialect = Dialect::find(&start, is_whole, delimiter, reading.skip.is_none());
        start.drain(..length_of_lines(&start, dialect.skip));
        lines_before += prologue.lines + dialect.skip;
        let bytes: Box<dyn Read + 'a> = Box::new(Cursor::new(start).chain(bytes));
        let lines = Lines::new(bytes, dialect.delimiter);
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(dialect.delimiter).from_reader(lines);
        let told = Told { semicolons: dialect.delimiter == b';', ..reading.told() };
        let mut rows = Rows {
            names: Names::new(file, Vec::new()),
            dialect,
            told,
            reader,
            encoding,
            first: None,
            spare: ByteRecord::new(),
            lines_before,
            next_line: 1,
            rows: 0,
            notes: Vec::new(),
            takes_damaged: false,
            progress: None,
        };
        rows.read_names(reading.header, known)?;
        Ok(rows)
    }

    /// Takes up rows with another number of cells than there are columns: as damaged ones, without any cell.
    pub fn take_damaged(&mut self) {
        self.takes_damaged = true;
    }

    /// Counts the rows that it reads.
    pub fn with_progress(self, progress: Option<Arc<Progress>>) -> Self {
        Rows { progress, ..self }
    }

    fn read_names(&mut self, header: Option<bool>, known: &[String]) -> Result<()> {
        let Dialect { skip, layout: Layout { has_row_names, has_units, .. }, .. } = self.dialect;
        if skip > 0 {
            let lines = if skip == 1 { "line 1 is".into() } else { format!("lines 1 to {skip} are") };
            self.notes.push(format!("{lines} skipped: the table begins below"));
        }
        let Some((record, line)) = self.record()? else { return Ok(()) };
        let known: HashSet<&str> = known.iter().map(String::as_str).collect();
        let is_known = |cell: &[u8]| std::str::from_utf8(cell).is_ok_and(|cell| known.contains(cell.trim()));
        self.dialect.layout.header = header.unwrap_or(self.dialect.layout.header || record.iter().any(is_known));
        let columns: Vec<String> = if self.dialect.layout.header {
            let mut names = self.text(record.clone(), line)?;
            if has_row_names {
                names = std::iter::once("").chain(names.iter()).collect();
                self.notes.push("the first column has no name: the header is one cell shorter than the rows".into());
            }
            names_of(&names.iter().map(|cell| self.unquoted(cell)).collect::<Vec<_>>(), true)
        } else {
            names_of(&vec![""; record.len()], false)
        };
        if !self.dialect.layout.header {
            if header.is_none() {
                let last = if columns.len() == 1 { String::new() } else { format!(" … `column_{}`", columns.len()) };
                self.notes.push(format!("no header was found, so the columns are named `column_1`{last}"));
            }
            self.first = Some((record, line));
        } else if has_units && header.is_none() {
            let line = self.record()?.map_or(line, |(_, line)| line);
            self.notes.push(format!("line {line} is skipped: it has the units of the columns"));
        }
        self.names = Names::new(&self.names.file, columns);
        Ok(())
    }

    /// A cell without spaces around it, or the single quotes that this file has.
    fn unquoted<'c>(&self, cell: &'c str) -> &'c str {
        let cell = trimmed(cell);
        let within = || cell.strip_prefix('\'')?.strip_suffix('\'');
        if self.dialect.single_quotes { within().unwrap_or(cell) } else { cell }
    }

    /// The next rows, at most so many; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Line`] for a row with another number of cells than there are columns, bytes that are no text, a quote that
    /// is never closed, or a file without any row.
    pub fn table(&mut self, most: usize) -> Result<Option<Table>> {
        let mut builder = Builder::new(self.names.clone(), self.told.clone());
        self.fill(&mut builder, most, None)?;
        let any = builder.rows() > 0;
        Ok(any.then(|| builder.finish().with_format(self.format()).with_notes(self.take_notes())))
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What is known of the file beside its columns.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// The format of the file in a few words.
    pub fn format(&self) -> String {
        format!("text, separated by {}", self.dialect.separators())
    }

    /// What was settled so far that was not yet given.
    pub fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.encoding.take().map(|name| format!("the text is read as {name}")));
        notes
    }

    /// Gives the next rows to a builder, until that has so many; where a column of it is another one here, `places` says which.
    ///
    /// # Errors
    /// As [`table`](Self::table).
    pub fn fill(&mut self, builder: &mut Builder, most: usize, places: Option<&[usize]>) -> Result<()> {
        let width = self.names.columns.len();
        while builder.rows() < most {
            let before = self.next_line;
            let next = match self.first.take() {
                Some(first) => Some(first),
                None => self.record()?,
            };
            let Some((record, line)) = next else { break };
            self.rows += 1;
            if let (Some(progress), true) = (&self.progress, self.rows.is_multiple_of(COUNTED)) {
                progress.add_rows(COUNTED as usize);
            }
            // the reader passes over empty lines; where there is one column, such a line is a cell without anything
            if width == 1 && line > before && self.rows > 1 {
                return Err(self.error(before, Reason::Rows, FINITE, EMPTY));
            }
            if record.len() != width && self.takes_damaged {
                builder.push_damaged(record.len(), line);
                continue;
            }
            if record.len() != width {
                let like = if self.dialect.layout.header { "as in the header" } else { "as in the first row" };
                return Err(self.error(
                    line,
                    Reason::Rows,
                    &format!("{width} cells, {like}"),
                    &record.len().to_string(),
                ));
            }
            let record = self.text(record, line)?;
            match places {
                None => builder.push(record.iter().map(|cell| self.unquoted(cell)), line),
                Some(places) => {
                    let cells = places.iter().filter_map(|&place| record.get(place));
                    builder.push(cells.map(|cell| self.unquoted(cell)), line);
                }
            }
            self.spare = record.into_byte_record();
        }
        match self.rows {
            0 => Err(self.error(2, Reason::Rows, "a row below the header", "the end of the file")),
            _ => Ok(()),
        }
    }

    /// The next record and the line that it begins in.
    fn record(&mut self) -> Result<Option<(ByteRecord, u64)>> {
        let mut record = std::mem::take(&mut self.spare);
        let is_one = self.reader.read_byte_record(&mut record);
        let is_one =
            is_one.map_err(|error| Error::Io { path: self.names.file.clone().into(), source: error.into() })?;
        if !is_one {
            return Ok(None);
        }
        if self.dialect.delimiter == SPACES {
            drop_last_if_empty(&mut record);
        }
        // each record ends with a line end, and has those within its quotes
        let within = record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let position = self.reader.position();
        self.next_line = self.lines_before + position.line();
        let (lines, end) = (self.reader.get_ref(), position.byte());
        let is_open = lines.is_open_at(end);
        // a quote that is not closed takes the last line end, too
        let line = self.next_line.saturating_sub(within + u64::from(!is_open)).max(1);
        if is_open {
            return Err(self.error(line, Reason::Quote, CLOSING_QUOTE, "the end of the file"));
        }
        if lines.has_stray_quote_before(end) {
            let expected = format!("{CLOSING_QUOTE} at the end of a cell");
            return Err(self.error(line, Reason::Quote, &expected, "more text after it"));
        }
        Ok(Some((record, line)))
    }

    fn text(&self, record: ByteRecord, line: u64) -> Result<StringRecord> {
        let text = StringRecord::from_byte_record(record);
        text.map_err(|error| self.error(line, Reason::Encoding, "text in UTF-8", &error.utf8_error().to_string()))
    }

    fn error(&self, line: u64, reason: Reason, expected: &str, got: &str) -> Error {
        Error::Line {
            file: self.names.file.clone(),
            line,
            reason,
            expected: expected.into(),
            got: short(got).into_owned(),
        }
    }
}

impl Table {
    /// Reads text: CSV, or what is like it with tabs, semicolons, bars or spaces; double quotes where needed, any encoding, any
    /// line ends. Spaces around a cell do not count. A first line `sep=;` tells the delimiter. Without a header the columns are
    /// `column_1` and so on. Two columns may have one name until one is asked for by it. `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Line`] for a row with another number of cells, bytes that are no text, or no row at all; [`Error::Io`] when
    /// reading fails.
    pub fn read(file: &str, reader: impl Read) -> Result<Self> {
        Table::read_as(file, reader, &Reading::default(), &[])
    }

    /// The same where more is known: how it is to be read, and names that columns may have, such as those of a model. A first row with
    /// one of them has the names.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_as(file: &str, reader: impl Read, reading: &Reading, known: &[String]) -> Result<Self> {
        let table = Rows::new(file, Box::new(reader), reading, known)?.table(usize::MAX)?;
        table.ok_or_else(|| Error::format(file, Reason::Format, "a table", "nothing"))
    }
}

/// A text without spaces around it, of which most have none.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_graphic());
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

/// The names that a header gives: the cells, and for an empty one its place; without a header the places.
pub(crate) fn names_of<T: AsRef<str>>(cells: &[T], are_names: bool) -> Vec<String> {
    let taken: HashSet<&str> = if are_names { cells.iter().map(AsRef::as_ref).collect() } else { HashSet::new() };
    let number = |i: usize| {
        let mut name = format!("column_{}", i + 1);
        while taken.contains(&*name) {
            name.push('_');
        }
        name
    };
    let name = |(i, cell): (usize, &T)| match cell.as_ref() {
        cell if are_names && !cell.is_empty() => cell.into(),
        _ => number(i),
    };
    cells.iter().enumerate().map(name).collect()
}

/// What may stand before a table: a byte order mark, and the line `sep=;` by which spreadsheets tell the delimiter.
struct Prologue {
    /// In bytes.
    length: usize,
    lines: u64,
    delimiter: Option<u8>,
}

impl Prologue {
    fn find(start: &[u8]) -> Self {
        let rest = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let mark = start.len() - rest.len();
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(0);
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
        match line {
            [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
                let length = mark + length_of_lines(rest, 1);
                Prologue { length, lines: 1, delimiter: Some(*delimiter) }
            }
            _ => Prologue { length: mark, lines: 0, delimiter: None },
        }
    }
}

/// The bytes of the first lines, whatever ends them.
fn length_of_lines(bytes: &[u8], lines: u64) -> usize {
    let mut length = 0;
    for _ in 0..lines {
        let rest = bytes.get(length..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else { return bytes.len() };
        length += end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
    }
    length
}

/// What follows so many lines.
fn without_lines<'a>(bytes: Box<dyn Read + 'a>, lines: u64) -> io::Result<BufReader<Box<dyn Read + 'a>>> {
    let mut bytes = BufReader::new(bytes);
    for _ in 0..lines {
        bytes.skip_until(b'\n')?;
    }
    Ok(bytes)
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
            (b"a,b\n", "t.csv, line 2: expected a row below the header, got the end of the file"),
            (b"", "t.csv, line 2: expected a row below the header, got the end of the file"),
            (b"a,b\n1,2\n3,\"4\n5,6\n", "t.csv, line 3: expected a closing quote, got the end of the file"),
            (b"a\n1\n\n3\n", "t.csv, line 3: expected a finite number, got an empty cell"),
            (
                b"a,b\n1,\"x,p\n2,b\n3,\"y,p\n4,b\n",
                "t.csv, line 2: expected a closing quote at the end of a cell, got more text after it",
            ),
        ] {
            assert_eq!(error(csv), message);
        }
        assert!(error(b"a,b\n\xc3\xa4,\xc3\xb6\n1,\xff\n").starts_with("t.csv, line 3: expected text in UTF-8, got"));
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
    fn quotes_are_seen_wherever_the_reading_stops() {
        let csv: String = (0..5000).map(|i| format!("\"{i}.5\",\"a\nb{}\"\n", i % 7)).collect();
        let table = Table::read("t", format!("x,y\n{csv}").as_bytes()).unwrap();
        assert_eq!((table.rows(), table.number(4999, 0)), (5000, Some(4999.5)));
        let table = Table::read("t", &b"\xef\xbb\xbf\"Name,\",b\n1,5\"\" pipe\n2,z\n"[..]).unwrap();
        assert_eq!((table.columns()[0].as_str(), &*table.cell(0, 1), table.rows()), ("Name,", "5\"\" pipe", 2));
        let table = Table::read("t", &b"a, b, y\n1, \"x, z\", \"yes\" \n"[..]).unwrap();
        assert_eq!([table.cell(0, 1), table.cell(0, 2)], ["x, z", "yes"]);
    }

    #[test]
    fn a_first_line_that_tells_the_delimiter_is_no_row() {
        let table = Table::read("t", &b"sep=;\r\na;b\r\n1,5;x\r\n"[..]).unwrap();
        assert_eq!((table.columns(), table.number(0, 0)), (&["a".to_string(), "b".to_string()][..], Some(1.5)));
        assert_eq!(error(b"sep=;\na;b\n1;2;3\n"), "t.csv, line 3: expected 2 cells, as in the header, got 3");
    }

    #[test]
    fn commas_are_decimal_where_semicolons_separate() {
        let table = Table::read("t", &b"a;b\n1,5;2\n-3,25;x, y\n"[..]).unwrap();
        assert_eq!([table.number(0, 0), table.number(1, 0), table.number(1, 1)], [Some(1.5), Some(-3.25), None]);
        assert_eq!(Table::read("t", &b"a\tb\n\"1,5\"\t2\n"[..]).unwrap().number(0, 0), Some(1.5));
        let thousands = Table::read("t", &b"a;b\n1.250;1\n950,5;2\n"[..]).unwrap();
        assert_eq!([thousands.number(0, 0), thousands.number(1, 0)], [Some(1250.0), Some(950.5)]);
        let english = Table::read("t", &b"a;b\n$1,250.50;1.5\n$950;2\n"[..]).unwrap();
        assert_eq!([english.number(0, 0), english.number(1, 0)], [Some(1250.5), Some(950.0)]);
    }

    #[test]
    fn columns_without_a_name_are_numbered() {
        assert_eq!(Table::read("t", &b",a,\n0,1,2\n"[..]).unwrap().columns(), ["column_1", "a", "column_3"]);
        assert_eq!(Table::read("t", &b",column_1\nx,1\n"[..]).unwrap().columns(), ["column_1_", "column_1"]);
        assert_eq!(Table::read("t", &b"1,2\n3,4\n"[..]).unwrap().rows(), 2);
    }

    #[test]
    fn a_missing_column_names_those_that_are_there() {
        let table = Table::read("t", &b"a,b\n1,2\n"[..]).unwrap();
        assert_eq!(table.column("c").unwrap_err().to_string(), "t: expected a column `c`, got `a`, `b`");
    }
}
