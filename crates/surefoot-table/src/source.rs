//! Where a table comes from: a built-in set, a file of any format or several of them, a folder, or standard input.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::{self, Content};
use crate::builtin::{self, BUILTIN};
use crate::cache::{Asked, Cache};
use crate::error::{Error, Reason, Result};
use crate::format::{self, Format};
use crate::idx::{Idx, with_labels};
use crate::joined::{TextFiles, joined};
use crate::part::Part;
use crate::paths::{matching, of_folder, packed_or_not};
use crate::progress::{Counted, Progress};
use crate::reading::Reading;
use crate::table::Table;
use crate::text::Rows;
use crate::unpack::unpacked;
use crate::workbook::Kind;
use crate::{ipc, json, numpy, workbook};

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of a built-in set, else the path of a file, or of a folder of files or of the MNIST family, a pattern of paths such as
    /// `parts/*.csv`, or `-` for standard input.
    pub data: &'a str,
    /// More of them, whose rows follow. Default none.
    pub more: &'a [String],
    /// An IDX file with a number a row, which becomes the column `label`; else beside a file `…-images-idx3-ubyte` its
    /// `…-labels-idx1-ubyte` is taken, if there is one.
    pub target_file: Option<&'a str>,
    /// How a text file or a workbook is to be read, where that is not to be found out.
    pub reading: &'a Reading,
    /// Names that columns may have: a first row with one of them has the names. Default none.
    pub known: &'a [String],
    /// Which part, where there are two.
    pub part: Part,
    /// Counts what is read. Default nobody does.
    pub progress: Option<&'a Arc<Progress>>,
    /// Where [tables](Self::table) are kept as they were read. Default nowhere.
    pub cache: Option<&'a Cache>,
}

/// What errors call a file of which unpacking gives another packed one.
const PACKED_TWICE: &str = "a packed file within a packed file";

/// A table in pieces, from the first row to the last.
pub struct Chunks(Pieces);

enum Pieces {
    /// Read as it is asked for.
    Text(Box<Rows<'static>>),
    /// All that there is, until it was given.
    Whole(Option<Box<Table>>),
    /// Of one file after the other.
    Files(Box<Files>),
}

/// Files that are opened one after the other.
struct Files {
    rest: std::vec::IntoIter<String>,
    current: Option<Chunks>,
    reading: Reading,
    known: Vec<String>,
    part: Part,
    takes_damaged: bool,
    progress: Option<Arc<Progress>>,
}

impl<'a> Source<'a> {
    /// With nothing but its name.
    pub fn new(data: &'a str, part: Part) -> Self {
        const FOUND_OUT: &Reading = &Reading {
            header: None,
            skip: None,
            delimiter: None,
            encoding: None,
            decimal: None,
            missing: None,
            sheet: None,
        };
        Source { data, more: &[], target_file: None, reading: FOUND_OUT, known: &[], part, progress: None, cache: None }
    }

    /// Reads all of it: CSV and what is like it (the delimiter is found), JSON, workbooks of Excel and OpenDocument, Arrow, `.npy`
    /// and `.npz`, IDX, with the feature `parquet` Parquet; gzip, bzip2, xz, Zstandard and an archive with one file are unpacked. The rows of
    /// several files, and of those of a folder in the order of their names, follow each other; their columns are found by their names.
    /// What begins with a dot or an underscore in a folder is no part of it, nor are folders within it.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no such file or reading fails; [`Error::Format`], [`Error::Line`] and [`Error::Columns`]
    /// when it is no table, with the place and what was expected there, or when two files have other columns.
    pub fn table(&self) -> Result<Table> {
        let files = self.files()?;
        match self.cache.filter(|_| self.target_file.is_none()) {
            Some(cache) => {
                let Source { data, more, reading, known, part, .. } = *self;
                let asked = Asked { data, more, files: &files, reading, known, part };
                cache.table(asked, self.progress, || self.read(&files))
            }
            None => self.read(&files),
        }
    }

    fn read(&self, files: &[String]) -> Result<Table> {
        if files.len() > 1 {
            self.count(files);
            let (mut tables, mut texts) = (Vec::new(), None::<TextFiles>);
            for file in files {
                let source = Source { data: file, more: &[], ..*self };
                match (source.one_file()?, &mut texts) {
                    (Chunks(Pieces::Text(mut rows)), None) => texts = Some(TextFiles::new(&mut rows)?),
                    (Chunks(Pieces::Text(mut rows)), Some(texts)) => texts.add(&mut rows)?,
                    (mut whole, _) => {
                        tables.extend(texts.take().map(TextFiles::finish));
                        tables.extend(whole.next(usize::MAX)?);
                    }
                }
            }
            tables.extend(texts.map(TextFiles::finish));
            let name = match self.more.len() {
                0 => self.data.into(),
                1 => format!("{} and 1 more", self.data),
                more => format!("{} and {more} more", self.data),
            };
            return joined(&name, files.len(), tables);
        }
        match self.of(files.to_vec())?.next(usize::MAX)? {
            Some(table) => Ok(table),
            None => Err(Error::format(self.data, Reason::Format, "a table", "nothing")),
        }
    }

    /// Opens it to be read in pieces; other formats than text are read whole.
    ///
    /// # Errors
    /// As [`table`](Self::table).
    pub fn chunks(&self) -> Result<Chunks> {
        self.of(self.files()?)
    }

    fn of(&self, mut files: Vec<String>) -> Result<Chunks> {
        self.count(&files);
        match (files.pop(), files.is_empty()) {
            (Some(file), true) => Source { data: &file, more: &[], ..*self }.one_file(),
            (last, _) => Ok(self.of_files(files.into_iter().chain(last).collect())),
        }
    }

    /// All files by their paths: for a folder those that are in it, for a pattern those that match; what is no file as it is.
    ///
    /// # Errors
    /// [`Error::Io`] when a folder cannot be read; [`Error::Format`] for standard input, or a file with labels, beside several files.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for data in std::iter::once(self.data).chain(self.more.iter().map(String::as_str)) {
            let path = Path::new(data);
            let is_builtin = BUILTIN.iter().any(|builtin| builtin.name == data);
            let found = match () {
                () if is_builtin || data == "-" => Vec::new(),
                () if path.is_dir() => of_folder(path)?,
                () if path.exists() => Vec::new(),
                () => matching(data)?,
            };
            match found.is_empty() {
                true => files.push(data.to_string()),
                false => files.extend(found),
            }
        }
        if files.len() > 1 {
            if let Some(file) = files.iter().find(|file| *file == "-") {
                return Err(Error::format(file, Reason::Format, "files beside other files", "standard input"));
            }
            if let Some(file) = self.target_file {
                return Err(Error::format(file, Reason::Format, "one file of images for the labels", "several files"));
            }
        }
        Ok(files)
    }

    /// Says how much there is to read.
    fn count(&self, files: &[String]) {
        let sizes = files.iter().filter_map(|file| Some(Path::new(file).metadata().ok()?.len()));
        self.progress.iter().for_each(|progress| progress.add_size(sizes.clone().sum()));
    }

    fn of_files(&self, files: Vec<String>) -> Chunks {
        let (reading, known) = (self.reading.clone(), self.known.to_vec());
        let rest = files.into_iter();
        Chunks(Pieces::Files(Box::new(Files {
            rest,
            current: None,
            reading,
            known,
            part: self.part,
            takes_damaged: false,
            progress: self.progress.cloned(),
        })))
    }

    fn one_file(&self) -> Result<Chunks> {
        if let Some(builtin) = BUILTIN.iter().find(|builtin| builtin.name == self.data) {
            let table = match builtin.content {
                builtin::Content::Csv(csv) => Table::read(self.data, csv.as_bytes())?.with_label_last(),
                builtin::Content::Patches(packed) => {
                    let to_unit = |byte| 0.1 + 0.8 * byte / 255.0;
                    Idx::read_packed(self.data, packed)?.table(self.data, to_unit)
                }
            };
            return Ok(Chunks::whole(table));
        }
        if self.data == "-" {
            return self.of_bytes(Box::new(io::stdin()), None, false);
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
        let progress = self.progress.cloned().unwrap_or_default();
        self.of_bytes(Box::new(Counted { inner: file, progress }), Some(&path), false)
    }

    /// By the first bytes of a stream, which is that of a file or not; a packed one is unpacked, unless it was unpacked already.
    fn of_bytes(&self, mut bytes: Box<dyn Read>, path: Option<&Path>, was_packed: bool) -> Result<Chunks> {
        let failed = |source| Error::Io { path: path.unwrap_or(Path::new(self.data)).into(), source };
        let begin = |mut bytes: Box<dyn Read>| -> io::Result<(Format, Box<dyn Read>)> {
            let mut start = Vec::new();
            bytes.by_ref().take(format::START as u64).read_to_end(&mut start)?;
            Ok((Format::of(&start), Box::new(Cursor::new(start).chain(bytes))))
        };
        let mut format;
        (format, bytes) = begin(bytes).map_err(failed)?;
        let mut was_packed = was_packed;
        if !was_packed && matches!(format, Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstandard) {
            was_packed = true;
            let size = path.and_then(|path| path.metadata().ok()).map_or(u64::MAX, |metadata| metadata.len());
            (format, bytes) = unpacked(format, bytes, size).and_then(begin).map_err(failed)?;
        }
        let whole = |mut bytes: Box<dyn Read>| -> Result<Vec<u8>> {
            let mut all = Vec::new();
            bytes.read_to_end(&mut all).map_err(failed)?;
            Ok(all)
        };
        let (reading, told) = (self.reading, self.reading.told());
        let table = match format {
            Format::Text => {
                let rows = Rows::new(self.data, bytes, reading, self.known)?;
                return Ok(Chunks(Pieces::Text(Box::new(rows.with_progress(self.progress.cloned())))));
            }
            Format::Json => json::read(self.data, &whole(bytes)?, told)?,
            Format::Idx => self.images(bytes, path)?,
            Format::Npy => numpy::read_npy(self.data, &whole(bytes)?)?,
            Format::Zip => return self.archive(whole(bytes)?, was_packed),
            Format::OldWorkbook => workbook::read(self.data, Kind::Xls, whole(bytes)?, reading, self.known)?,
            Format::ArrowFile | Format::ArrowStream => {
                ipc::read(self.data, whole(bytes)?, format == Format::ArrowFile, &told)?
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => match path.filter(|_| !was_packed) {
                // its parts are read where they are
                Some(path) => {
                    let (inner, progress) =
                        (File::open(path).map_err(failed)?, self.progress.cloned().unwrap_or_default());
                    crate::parquet::read(self.data, Counted { inner, progress: progress.clone() }, &told, &progress)?
                }
                None => {
                    crate::parquet::read(self.data, bytes::Bytes::from(whole(bytes)?), &told, &Progress::default())?
                }
            },
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                let expected = "a format that this program was built with";
                return Err(Error::format(self.data, Reason::NoTable, expected, "a Parquet file"));
            }
            Format::Other(name) => return Err(Error::format(self.data, Reason::NoTable, "a table", name)),
            Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstandard => {
                return Err(Error::format(self.data, Reason::NoTable, "a table", PACKED_TWICE));
            }
        };
        Ok(Chunks::whole(table.with_format(format.name())))
    }

    /// An archive: arrays of NumPy, a workbook, or one packed table.
    fn archive(&self, bytes: Vec<u8>, was_packed: bool) -> Result<Chunks> {
        let table = match archive::content(self.data, &bytes)? {
            Content::Arrays => {
                numpy::read_npz(self.data, Cursor::new(bytes), self.part)?.with_format("arrays of NumPy")
            }
            Content::Workbook(kind) => {
                workbook::read(self.data, kind, bytes, self.reading, self.known)?.with_format(format::WORKBOOK)
            }
            Content::File(_) if was_packed => {
                return Err(Error::format(self.data, Reason::NoTable, "a table", PACKED_TWICE));
            }
            Content::File(unpacked) => return self.of_bytes(Box::new(Cursor::new(unpacked)), None, true),
        };
        Ok(Chunks::whole(table))
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
    fn whole(table: Table) -> Self {
        Chunks(Pieces::Whole(Some(Box::new(table))))
    }

    /// Takes up rows of a text file with another number of cells than there are columns, as [damaged](Table::damaged) ones.
    pub fn take_damaged(&mut self) {
        match &mut self.0 {
            Pieces::Text(rows) => rows.take_damaged(),
            Pieces::Files(files) => files.takes_damaged = true,
            Pieces::Whole(_) => {}
        }
    }

    /// The next rows, of a text file at most so many, else all; `None` after the last.
    ///
    /// # Errors
    /// As [`Source::table`].
    pub fn next(&mut self, most: usize) -> Result<Option<Table>> {
        match &mut self.0 {
            Pieces::Text(rows) => rows.table(most),
            Pieces::Whole(table) => Ok(table.take().map(|table| *table)),
            Pieces::Files(files) => files.next(most),
        }
    }
}

impl Files {
    fn next(&mut self, most: usize) -> Result<Option<Table>> {
        loop {
            if let Some(table) = self.current.as_mut().map(|chunks| chunks.next(most)).transpose()?.flatten() {
                return Ok(Some(table));
            }
            let Some(file) = self.rest.next() else { return Ok(None) };
            let (reading, known, progress) = (&self.reading, &self.known[..], self.progress.as_ref());
            let source = Source { reading, known, progress, ..Source::new(&file, self.part) };
            let mut chunks = source.one_file()?;
            if self.takes_damaged {
                chunks.take_damaged();
            }
            self.current = Some(chunks);
        }
    }
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
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().display().to_string();
        let images = format!("{empty}/train-images-idx3-ubyte");
        for (path, named) in [("/no/such/file.csv", "/no/such/file.csv"), (&empty, &images)] {
            let error = open(path).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot read {named}"));
            assert_eq!(error.reason(), Reason::Unreadable);
        }
    }

    #[test]
    fn text_comes_in_pieces_with_its_own_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, (0..10).map(|i| format!("{i},\"a\nb\"\n")).collect::<String>()).unwrap();
        let path = path.display().to_string();
        let reading = Reading { header: Some(false), ..Reading::default() };
        let mut chunks = Source { reading: &reading, ..Source::new(&path, Part::Test) }.chunks().unwrap();
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
