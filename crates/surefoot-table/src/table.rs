//! A table: columns with names, rows of cells that know their line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use ndarray::{Array2, Axis, concatenate};

use crate::builtin::{BUILTIN, Content};
use crate::error::{EMPTY, Error, FINITE, Result, UTF8};
use crate::idx::Idx;

/// A table as it was read; nothing is known yet of what its columns mean.
#[derive(Clone, Debug)]
pub struct Table {
    file: String,
    columns: Vec<String>,
    /// Where each name is among them.
    places: HashMap<String, usize>,
    cells: Cells,
    /// The column that says what a row is, where that is known.
    label: Option<String>,
}

#[derive(Clone, Debug)]
enum Cells {
    /// As in a CSV file, with the line of each row, from 1.
    Text(Vec<StringRecord>, Vec<u64>),
    /// As in an IDX file.
    Numbers(Array2<f64>),
}

/// Which part of a data set is meant where its folder has two: files that begin with `train` and with `t10k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// To learn from.
    Training,
    /// To measure what was learned.
    Test,
}

/// The column that the labels of an IDX file become.
const LABEL: &str = "label";
/// The characters of a cell or a name that an error shows.
const SHOWN: usize = 60;

impl Table {
    /// The built-in data set of this name, else the file at this path: CSV, or IDX, packed with gzip or not. A folder
    /// stands for the four files of the MNIST family. The targets are in `target_file`, an IDX file of one number a row, if
    /// it is given; else beside a file `…-images-idx3-ubyte` its `…-labels-idx1-ubyte` is taken, if there is one.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`Idx::open`]; [`Error::Io`] when there is no such file; [`Error::Columns`] when images
    /// and labels differ in number.
    pub fn open(data: &str, target_file: Option<&str>, part: Part) -> Result<Self> {
        if let Some(builtin) = BUILTIN.iter().find(|builtin| builtin.name == data) {
            return match builtin.content {
                Content::Csv(csv) => {
                    let table = Table::read(data, csv.as_bytes())?;
                    Ok(Table { label: table.columns.last().cloned(), ..table })
                }
                Content::Patches(packed) => {
                    let mut table = Table::of_idx(data, &Idx::read_packed(data, packed)?);
                    if let Cells::Numbers(numbers) = &mut table.cells {
                        numbers.mapv_inplace(|byte| 0.1 + 0.8 * byte / 255.0);
                    }
                    Ok(table)
                }
            };
        }
        let mut path = PathBuf::from(data);
        if path.is_dir() {
            let begin = if part == Part::Training { "train" } else { "t10k" };
            path = packed_or_not(path.join(format!("{begin}-images-idx3-ubyte")));
        }
        let io = |source| Error::Io { path: path.clone(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let kind = path.metadata().map_err(io)?.file_type();
            if kind.is_char_device() || kind.is_block_device() {
                let (expected, got) = ("a file that has an end".into(), "a device".into());
                return Err(Error::Format { file: data.into(), expected, got });
            }
        }
        let mut file = File::open(&path).map_err(io)?;
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start).map_err(io)?;
        file.rewind().map_err(io)?;
        if !matches!(start[..], [0, 0] | [0x1f, 0x8b]) {
            return Table::read(data, file);
        }
        let images = Table::of_idx(data, &Idx::open(&path)?);
        let beside = || {
            let name = path.file_name()?.to_str()?;
            let (begin, _) = name.split_once("-images-idx3-ubyte")?;
            let labels = packed_or_not(path.with_file_name(format!("{begin}-labels-idx1-ubyte")));
            labels.exists().then_some(labels)
        };
        match target_file.map(PathBuf::from).or_else(beside) {
            Some(labels) => images.with_labels(&labels),
            None => Ok(images),
        }
    }

    /// The rows of an IDX file, a column for each number of a row: `pixel_3_0` for row 3 and column 0 of an image.
    fn of_idx(file: &str, idx: &Idx) -> Self {
        let numbers = idx.matrix::<f64>();
        let (_, sizes) = idx.rows();
        let name = |mut at: usize| {
            let mut places: Vec<String> = Vec::new();
            for &size in sizes.iter().rev() {
                places.push((at % size).to_string());
                at /= size;
            }
            places.reverse();
            ["pixel".to_string()].into_iter().chain(places).collect::<Vec<_>>().join("_")
        };
        let columns: Vec<String> = (0..numbers.ncols()).map(name).collect();
        Table { file: file.into(), places: places(&columns), columns, cells: Cells::Numbers(numbers), label: None }
    }

    /// With the numbers of an IDX file as a last column.
    fn with_labels(mut self, path: &Path) -> Result<Self> {
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
            self.places.insert(LABEL.into(), self.columns.len());
            self.columns.push(LABEL.into());
            self.label = Some(LABEL.into());
        }
        Ok(self)
    }

    /// Only the first rows, at most so many.
    pub fn first(mut self, rows: usize) -> Self {
        match &mut self.cells {
            Cells::Text(records, lines) => {
                records.truncate(rows);
                lines.truncate(rows);
            }
            Cells::Numbers(numbers) => {
                let rows = rows.min(numbers.nrows());
                *numbers = numbers.slice(ndarray::s![..rows, ..]).to_owned();
            }
        }
        self
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
        let places = places(&columns);
        if let Some((_, twice)) = columns.iter().enumerate().find(|&(i, name)| places.get(name) != Some(&i)) {
            let (expected, got) = ("a name of its own for each column".into(), format!("`{}` twice", short(twice)));
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
        Ok(Table { file: file.into(), columns, places, cells: Cells::Text(rows, lines), label: None })
    }

    /// The file or built-in name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column that says what a row is: the last of a built-in data set, the labels of images.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The number of rows, without the header.
    pub fn rows(&self) -> usize {
        match &self.cells {
            Cells::Text(rows, _) => rows.len(),
            Cells::Numbers(numbers) => numbers.nrows(),
        }
    }

    /// The index of the column of this name.
    ///
    /// # Errors
    /// [`Error::Columns`] with the names that there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.places.get(name).copied().ok_or_else(|| {
            let shown: Vec<_> = self.columns.iter().take(8).map(|name| format!("`{}`", short(name))).collect();
            let more =
                if self.columns.len() > 8 { format!(" and {} more", self.columns.len() - 8) } else { String::new() };
            let (expected, got) = (format!("a column `{}`", short(name)), format!("{}{more}", shown.join(", ")));
            Error::Columns { file: self.file.clone(), expected, got }
        })
    }

    /// The text of a cell.
    pub fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        match &self.cells {
            Cells::Text(rows, _) => Cow::Borrowed(&rows[row][column]),
            Cells::Numbers(numbers) => Cow::Owned(numbers[[row, column]].to_string()),
        }
    }

    /// The cells of a column, from the first row to the last.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.rows()).map(move |row| self.cell(row, column))
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
            let found = match &self.cells {
                Cells::Text(rows, _) => parse(&rows[row][columns[i]]),
                Cells::Numbers(numbers) => Some(numbers[[row, columns[i]]]).filter(|number| number.is_finite()),
            };
            *number = found.ok_or_else(|| self.cell_error(row, columns[i], expected))?;
        }
        Ok(numbers)
    }

    /// An error about a cell.
    pub(crate) fn cell_error(&self, row: usize, column: usize, expected: impl Into<String>) -> Error {
        let text = self.cell(row, column);
        Error::Cell {
            file: self.file.clone(),
            line: match &self.cells {
                Cells::Text(_, lines) => lines[row],
                Cells::Numbers(_) => row as u64 + 1,
            },
            column: short(&self.columns[column]).into_owned(),
            expected: expected.into(),
            got: if text.is_empty() { EMPTY.into() } else { format!("`{}`", short(&text)) },
        }
    }
}

/// The place of each name, the last of equal ones.
fn places(columns: &[String]) -> HashMap<String, usize> {
    columns.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect()
}

/// A text as an error shows it: its beginning, where it is long.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// The file, or the one with `.gz` more where only that is there.
fn packed_or_not(path: PathBuf) -> PathBuf {
    let mut packed = path.clone().into_os_string();
    packed.push(".gz");
    if !path.exists() && Path::new(&packed).exists() { packed.into() } else { path }
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
        assert_eq!([quoted.cell(0, 0), quoted.cell(0, 1), quoted.cell(1, 1)], ["x\"y, z", "5\" pipe", ""]);
        let table = Table::read("t", &b"\xef\xbb\xbf\"a\", b\r\n\"1\", 2.5e1\r\n"[..]).unwrap();
        assert_eq!(table.columns(), ["a", "b"]);
        assert_eq!(table.numbers(&[1, 0]).unwrap(), ndarray::array![[25.0, 1.0]]);
    }

    #[test]
    fn built_in_sets_have_the_rows_and_columns_they_announce() {
        for (name, rows, columns) in [("xor", 4, 3), ("iris", 150, 5), ("digits", 1797, 65), ("patches", 10_000, 64)] {
            let table = Table::open(name, None, Part::Training).unwrap();
            assert_eq!((table.rows(), table.columns().len()), (rows, columns), "{name}");
        }
    }

    #[test]
    fn patches_are_between_0_1_and_0_9_with_the_mean_in_the_middle() {
        let table = Table::open("patches", None, Part::Training).unwrap();
        let numbers = table.numbers(&(0..64).collect::<Vec<_>>()).unwrap();
        let (least, most) = numbers.iter().fold((1.0, 0.0), |(a, b): (f64, f64), &x| (a.min(x), b.max(x)));
        assert!(least == 0.1 && (most - 0.9).abs() < 1e-12 && (numbers.mean().unwrap() - 0.5).abs() < 1e-3);
    }

    /// A folder of two files, of the four that the MNIST family has.
    #[test]
    fn images_and_labels_are_found_in_a_folder_beside_each_other_and_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
        std::fs::write(path("t10k-images-idx3-ubyte"), &images).unwrap();
        std::fs::write(path("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]).unwrap();
        std::fs::write(path("three.idx"), [0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 9]).unwrap();
        std::fs::write(path("plain.idx"), images).unwrap();
        let file = path("t10k-images-idx3-ubyte");
        for (data, labels) in
            [(path(""), None), (file, None), (path("plain.idx"), Some(path("t10k-labels-idx1-ubyte")))]
        {
            let table = Table::open(&data, labels.as_deref(), Part::Test).unwrap();
            assert_eq!(table.columns(), ["pixel_0_0", "pixel_0_1", "label"]);
            assert_eq!((table.label(), table.rows(), &*table.cell(1, 2)), (Some("label"), 2, "9"));
            assert_eq!(table.numbers(&[2, 0]).unwrap(), ndarray::array![[7.0, 1.0], [9.0, 3.0]]);
            assert_eq!(table.first(1).numbers(&[1]).unwrap(), ndarray::array![[2.0]]);
        }
        let alone = Table::open(&path("plain.idx"), None, Part::Training).unwrap();
        assert_eq!((alone.columns().len(), alone.label()), (2, None));
        let error = Table::open(&path("plain.idx"), Some(&path("three.idx")), Part::Training).unwrap_err().to_string();
        assert!(error.ends_with("three.idx: expected a number for each of the 2 rows, got 3"), "{error}");
        let error = Table::open(&path(""), None, Part::Training).unwrap_err().to_string();
        assert!(error.starts_with("cannot read") && error.contains("train-images-idx3-ubyte"), "{error}");
    }

    #[test]
    fn a_missing_file_and_a_folder_are_errors_with_a_hint() {
        for (path, named) in [("/no/such/file.csv", "/no/such/file.csv"), ("/", "/train-images-idx3-ubyte")] {
            let error = Table::open(path, None, Part::Training).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {named}"));
            assert!(error.hint().unwrap().contains("surefoot datasets"));
        }
    }

    #[test]
    fn a_missing_column_names_those_that_are_there() {
        let table = Table::read("t", &b"a,b\n1,2\n"[..]).unwrap();
        assert_eq!(table.column("c").unwrap_err().to_string(), "t: expected a column `c`, got `a`, `b`");
    }
}
