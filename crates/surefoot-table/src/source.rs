//! Where a table comes from: a built-in set, a file of any format, a folder of the MNIST family, or standard input.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::builtin::{BUILTIN, Content};
use crate::error::{Error, Reason, Result};
use crate::idx::{Idx, LARGEST_RATIO, SMALL, with_labels};
use crate::numpy;
use crate::part::Part;
use crate::table::Table;
use crate::text::Rows;

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of a built-in set, else the path of a file or folder, or `-` for standard input.
    pub data: &'a str,
    /// An IDX file with a number a row, which becomes the column `label`; else beside a file `…-images-idx3-ubyte` its
    /// `…-labels-idx1-ubyte` is taken, if there is one.
    pub target_file: Option<&'a str>,
    /// Whether the first row of a text file has the names of the columns; `None`: it is found out.
    pub header: Option<bool>,
    /// Names that columns may have: a first row with one of them has the names. Default none.
    pub known: &'a [String],
    /// Which part, where there are two.
    pub part: Part,
}

/// A table in pieces, from the first row to the last.
pub struct Chunks(Pieces);

enum Pieces {
    /// Read as it is asked for.
    Text(Rows<'static>),
    /// All that there is, until it was given.
    Whole(Option<Table>),
}

impl<'a> Source<'a> {
    /// With nothing but its name.
    pub fn new(data: &'a str, part: Part) -> Self {
        Source { data, target_file: None, header: None, known: &[], part }
    }

    /// Reads all of it: CSV and what is like it (the delimiter is found), `.npy` and `.npz`, IDX, with the feature `parquet`
    /// Parquet; what begins as gzip does is unpacked.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no such file or reading fails; [`Error::Format`], [`Error::Line`] and [`Error::Columns`]
    /// when it is no table, with the place and what was expected there.
    pub fn table(&self) -> Result<Table> {
        match self.chunks()?.next(usize::MAX)? {
            Some(table) => Ok(table),
            None => Err(Error::format(self.data, Reason::Format, "a table", "nothing")),
        }
    }

    /// Opens it to be read in pieces; other formats than text are read whole.
    ///
    /// # Errors
    /// As [`table`](Self::table).
    pub fn chunks(&self) -> Result<Chunks> {
        if let Some(builtin) = BUILTIN.iter().find(|builtin| builtin.name == self.data) {
            return Ok(Chunks(Pieces::Whole(Some(match builtin.content {
                Content::Csv(csv) => Table::read(self.data, csv.as_bytes())?.with_label_last(),
                Content::Patches(packed) => {
                    let to_unit = |byte| 0.1 + 0.8 * byte / 255.0;
                    Idx::read_packed(self.data, packed)?.table(self.data, to_unit)
                }
            }))));
        }
        if self.data == "-" {
            return self.of_bytes(Box::new(io::stdin()), None);
        }
        let mut path = PathBuf::from(self.data);
        if path.is_dir() {
            let begin = if self.part == Part::Training { "train" } else { "t10k" };
            path = packed_or_not(path.join(format!("{begin}-images-idx3-ubyte")));
        }
        let io = |source| Error::Io { path: path.clone(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let kind = path.metadata().map_err(io)?.file_type();
            if kind.is_char_device() || kind.is_block_device() {
                return Err(Error::format(self.data, Reason::Format, "a file that has an end", "a device"));
            }
        }
        let file = File::open(&path).map_err(io)?;
        self.of_bytes(Box::new(file), Some(&path))
    }

    /// By the first bytes of a stream, which is that of a file or not.
    fn of_bytes(&self, mut bytes: Box<dyn Read>, path: Option<&Path>) -> Result<Chunks> {
        let failed = |source| Error::Io { path: path.unwrap_or(Path::new(self.data)).into(), source };
        let mut start = beginning(&mut bytes).map_err(failed)?;
        let mut bytes: Box<dyn Read> = Box::new(Cursor::new(start.clone()).chain(bytes));
        if start.starts_with(&[0x1f, 0x8b]) {
            let size = path.and_then(|path| path.metadata().ok()).map_or(u64::MAX, |metadata| metadata.len());
            let left = SMALL.saturating_add(LARGEST_RATIO.saturating_mul(size));
            let mut unpacked = Unpacked { bytes: MultiGzDecoder::new(BufReader::new(bytes)), left };
            start = beginning(&mut unpacked).map_err(failed)?;
            bytes = Box::new(Cursor::new(start.clone()).chain(unpacked));
        }
        let whole = |mut bytes: Box<dyn Read>| -> Result<Vec<u8>> {
            let mut all = Vec::new();
            bytes.read_to_end(&mut all).map_err(failed)?;
            Ok(all)
        };
        let table = match &start[..] {
            [0, 0, ..] => self.images(bytes, path)?,
            start if start.starts_with(numpy::MAGIC) => numpy::read_npy(self.data, &whole(bytes)?)?,
            [b'P', b'K', 3, 4, ..] => numpy::read_npz(self.data, Cursor::new(whole(bytes)?), self.part)?,
            #[cfg(feature = "parquet")]
            start if start.starts_with(crate::parquet::MAGIC) => crate::parquet::read(self.data, whole(bytes)?)?,
            #[cfg(not(feature = "parquet"))]
            [b'P', b'A', b'R', b'1', ..] => {
                let expected = "a format that this program was built with";
                return Err(Error::format(self.data, Reason::Format, expected, "a Parquet file"));
            }
            _ => return Ok(Chunks(Pieces::Text(Rows::new(self.data, bytes, self.header, self.known)?))),
        };
        Ok(Chunks(Pieces::Whole(Some(table))))
    }

    /// IDX, with the labels that belong to it.
    fn images(&self, bytes: Box<dyn Read>, path: Option<&Path>) -> Result<Table> {
        let images = Idx::read(self.data, bytes)?.table(self.data, |number| number);
        let beside = || {
            let name = path?.file_name()?.to_str()?;
            let (begin, _) = name.split_once("-images-idx3-ubyte")?;
            let labels = packed_or_not(path?.with_file_name(format!("{begin}-labels-idx1-ubyte")));
            labels.exists().then_some(labels)
        };
        match self.target_file.map(PathBuf::from).or_else(beside) {
            Some(labels) => with_labels(images, &labels),
            None => Ok(images),
        }
    }
}

impl Chunks {
    /// The next rows, of a text file at most so many, else all; `None` after the last.
    ///
    /// # Errors
    /// As [`Source::table`].
    pub fn next(&mut self, most: usize) -> Result<Option<Table>> {
        match &mut self.0 {
            Pieces::Text(rows) => rows.table(most),
            Pieces::Whole(table) => Ok(table.take()),
        }
    }
}

/// The bytes that tell the format.
fn beginning(bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    bytes.take(8).read_to_end(&mut start)?;
    Ok(start)
}

/// Unpacked bytes, of which there may be only so many.
struct Unpacked<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {LARGEST_RATIO} times its size, as no table does"))
        })?;
        Ok(read)
    }
}

/// The file, or the one with `.gz` more where only that is there.
fn packed_or_not(path: PathBuf) -> PathBuf {
    let mut packed = path.clone().into_os_string();
    packed.push(".gz");
    if !path.exists() && Path::new(&packed).exists() { packed.into() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(data: &str) -> Result<Table> {
        Source::new(data, Part::Training).table()
    }

    fn numbers(table: &Table) -> ndarray::Array2<f64> {
        let cell = |(row, column)| table.number(row, column).unwrap();
        ndarray::Array2::from_shape_fn((table.rows(), table.columns().len()), cell)
    }

    fn message(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let error = open(&path.display().to_string()).unwrap_err();
        error.to_string()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn built_in_sets_have_the_rows_and_columns_they_announce() {
        for (name, rows, columns) in [("xor", 4, 3), ("iris", 150, 5), ("digits", 1797, 65), ("patches", 10_000, 64)] {
            let table = open(name).unwrap();
            assert_eq!((table.rows(), table.columns().len()), (rows, columns), "{name}");
        }
    }

    #[test]
    fn patches_are_between_0_1_and_0_9_with_the_mean_in_the_middle() {
        let table = open("patches").unwrap();
        let numbers = numbers(&table);
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
            let table = Source { target_file: labels.as_deref(), ..Source::new(&data, Part::Test) }.table().unwrap();
            assert_eq!(table.columns(), ["pixel_0_0", "pixel_0_1", "label"]);
            assert_eq!((table.label(), table.rows(), &*table.cell(1, 2)), (Some("label"), 2, "9"));
            assert_eq!(numbers(&table), ndarray::array![[1.0, 2.0, 7.0], [3.0, 4.0, 9.0]]);
            assert_eq!(numbers(&table.first(1)), ndarray::array![[1.0, 2.0, 7.0]]);
        }
        let alone = open(&path("plain.idx")).unwrap();
        assert_eq!((alone.columns().len(), alone.label()), (2, None));
        let (plain, three) = (path("plain.idx"), path("three.idx"));
        let source = Source { target_file: Some(&three), ..Source::new(&plain, Part::Training) };
        let error = source.table().unwrap_err().to_string();
        assert!(error.ends_with("three.idx: expected a number for each of the 2 rows, got 3"), "{error}");
        let error = open(&path("")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read") && error.contains("train-images-idx3-ubyte"), "{error}");
    }

    #[test]
    fn a_missing_file_and_a_folder_are_errors_with_a_reason() {
        for (path, named) in [("/no/such/file.csv", "/no/such/file.csv"), ("/", "/train-images-idx3-ubyte")] {
            let error = open(path).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {named}"));
            assert_eq!(error.reason(), Reason::Unreadable);
        }
    }

    #[test]
    fn packed_text_is_unpacked_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv.gz");
        std::fs::write(&path, packed(b"a;b\n1,5;x\n")).unwrap();
        let table = open(&path.display().to_string()).unwrap();
        assert_eq!((table.number(0, 0), &*table.cell(0, 1)), (Some(1.5), "x"));
        let bomb = packed(&b"1,2\n".repeat(1 << 20));
        assert!(message(&bomb).starts_with("cannot read"), "{}", message(&bomb));
    }

    #[test]
    fn text_comes_in_pieces_with_its_own_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, (0..10).map(|i| format!("{i},\"a\nb\"\n")).collect::<String>()).unwrap();
        let path = path.display().to_string();
        let mut chunks = Source { header: Some(false), ..Source::new(&path, Part::Test) }.chunks().unwrap();
        let mut rows = 0;
        while let Some(table) = chunks.next(4).unwrap() {
            assert!(table.rows() <= 4 && table.columns() == ["column_1", "column_2"]);
            for row in 0..table.rows() {
                assert_eq!((table.number(row, 0), &*table.cell(row, 1)), (Some(rows as f64), "a\nb"));
                let error = table.cell_error(row, 0, Reason::Weight, "x").to_string();
                assert!(error.contains(&format!("line {}, ", 2 * rows + 1)), "{error}");
                rows += 1;
            }
        }
        assert_eq!(rows, 10);
    }
}
