//! Where a table comes from: a built-in set, a file of any format, a folder of the MNIST family, or standard input.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use crate::archive::{self, Content};
use crate::builtin::{self, BUILTIN};
use crate::error::{Error, Reason, Result};
use crate::format::{self, Format};
use crate::idx::{Idx, with_labels};
use crate::part::Part;
use crate::reading::Reading;
use crate::table::Table;
use crate::text::Rows;
use crate::unpack::unpacked;
use crate::workbook::Kind;
use crate::{ipc, json, numpy, workbook};

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of a built-in set, else the path of a file or folder, or `-` for standard input.
    pub data: &'a str,
    /// An IDX file with a number a row, which becomes the column `label`; else beside a file `…-images-idx3-ubyte` its
    /// `…-labels-idx1-ubyte` is taken, if there is one.
    pub target_file: Option<&'a str>,
    /// How a text file or a workbook is to be read, where that is not to be found out.
    pub reading: &'a Reading,
    /// Names that columns may have: a first row with one of them has the names. Default none.
    pub known: &'a [String],
    /// Which part, where there are two.
    pub part: Part,
}

/// A table in pieces, from the first row to the last.
pub struct Chunks(Pieces);

enum Pieces {
    /// Read as it is asked for.
    Text(Box<Rows<'static>>),
    /// All that there is, until it was given.
    Whole(Option<Table>),
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
        Source { data, target_file: None, reading: FOUND_OUT, known: &[], part }
    }

    /// Reads all of it: CSV and what is like it (the delimiter is found), JSON, workbooks of Excel and OpenDocument, Arrow, `.npy`
    /// and `.npz`, IDX, with the feature `parquet` Parquet; gzip, bzip2, xz, Zstandard and an archive with one file are unpacked.
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
                builtin::Content::Csv(csv) => Table::read(self.data, csv.as_bytes())?.with_label_last(),
                builtin::Content::Patches(packed) => {
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

    /// By the first bytes of a stream, which is that of a file or not; packed ones are unpacked, once.
    fn of_bytes(&self, mut bytes: Box<dyn Read>, path: Option<&Path>) -> Result<Chunks> {
        let failed = |source| Error::Io { path: path.unwrap_or(Path::new(self.data)).into(), source };
        let begin = |mut bytes: Box<dyn Read>| -> io::Result<(Format, Box<dyn Read>)> {
            let mut start = Vec::new();
            bytes.by_ref().take(format::START as u64).read_to_end(&mut start)?;
            Ok((Format::of(&start), Box::new(Cursor::new(start).chain(bytes))))
        };
        let mut format;
        (format, bytes) = begin(bytes).map_err(failed)?;
        if matches!(format, Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstandard) {
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
                return Ok(Chunks(Pieces::Text(Box::new(Rows::new(self.data, bytes, reading, self.known)?))));
            }
            Format::Json => json::read(self.data, &whole(bytes)?, told)?,
            Format::Idx => self.images(bytes, path)?,
            Format::Npy => numpy::read_npy(self.data, &whole(bytes)?)?,
            Format::Zip => return self.archive(whole(bytes)?),
            Format::OldWorkbook => workbook::read(self.data, Kind::Xls, whole(bytes)?, reading, self.known)?,
            Format::ArrowFile | Format::ArrowStream => {
                ipc::read(self.data, whole(bytes)?, format == Format::ArrowFile, &told)?
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => crate::parquet::read(self.data, whole(bytes)?, &told)?,
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                let expected = "a format that this program was built with";
                return Err(Error::format(self.data, Reason::NoTable, expected, "a Parquet file"));
            }
            Format::Other(name) => return Err(Error::format(self.data, Reason::NoTable, "a table", name)),
            Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstandard => {
                let got = "a packed file within a packed file";
                return Err(Error::format(self.data, Reason::NoTable, "a table", got));
            }
        };
        Ok(Chunks(Pieces::Whole(Some(table.with_format(format.name())))))
    }

    /// An archive: arrays of NumPy, a workbook, or one packed table.
    fn archive(&self, bytes: Vec<u8>) -> Result<Chunks> {
        let table = match archive::content(self.data, &bytes)? {
            Content::Arrays => {
                numpy::read_npz(self.data, Cursor::new(bytes), self.part)?.with_format("arrays of NumPy")
            }
            Content::Workbook(kind) => {
                workbook::read(self.data, kind, bytes, self.reading, self.known)?.with_format("a workbook")
            }
            Content::File(unpacked) => return self.of_bytes(Box::new(Cursor::new(unpacked)), None),
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
    /// Takes up rows of a text file with another number of cells than there are columns, as [damaged](Table::damaged) ones.
    pub fn take_damaged(&mut self) {
        if let Pieces::Text(rows) = &mut self.0 {
            rows.take_damaged();
        }
    }

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

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    fn table_of(bytes: &[u8]) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        open(&path.display().to_string())
    }

    /// `a;b`, `1,5;x`, `2,5;y`, as other programs packed it.
    #[test]
    fn every_packer_is_unpacked() {
        let bzip2 = "425a6839314159265359a79c3dd000000659800010000432083000006020003100301a068c9c99d234342dc78bb9229c2848\
                     53ce1ee800";
        let xz = "fd377a585a000004e6d6b4460200210116000000742fe5a301000f613b620a312c353b780a322c353b790a00c6d5e11d2c0fc35c\
                  00012810e50b6c601fb6f37d010000000004595a";
        let zstandard = "28b52ffd0458810000613b620a312c353b780a322c353b790a5fcdc19f";
        for hex in [bzip2, xz, zstandard] {
            let whole = bytes(hex);
            let table = table_of(&whole).unwrap();
            assert_eq!((table.number(1, 0), &*table.cell(1, 1)), (Some(2.5), "y"));
            for length in 0..whole.len() {
                let _ = table_of(&whole[..length]);
            }
        }
    }

    fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn an_archive_has_one_table() {
        let table = table_of(&zipped(&[("__MACOSX/x", ""), ("folder/t.csv", "a,b\n1,x\n2,y\n")])).unwrap();
        assert_eq!((table.columns().len(), table.rows()), (2, 2));
        let error = table_of(&zipped(&[("a.csv", "a\n1\n"), ("b.csv", "a\n1\n")])).unwrap_err();
        assert!(error.to_string().ends_with("expected an archive with one file, got 2 files"), "{error}");
        let error = table_of(&zipped(&[("word/document.xml", "")])).unwrap_err();
        assert!(error.to_string().ends_with("got a document of an office program"), "{error}");
    }

    /// A workbook with a title, an empty column in front, a hidden sheet before it, and cells of every kind.
    fn workbook() -> Vec<u8> {
        let sheet = |rows: &str| {
            let space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
            format!("<?xml version=\"1.0\"?><worksheet xmlns=\"{space}\"><sheetData>{rows}</sheetData></worksheet>")
        };
        let text = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let rows = [
            format!("<row r=\"2\">{}</row>", text("B2", "Sales of 2025")),
            format!(
                "<row r=\"4\">{}{}{}{}</row>",
                text("B4", "day"),
                text("C4", "city"),
                text("D4", "sold"),
                text("E4", "open")
            ),
            format!(
                "<row r=\"5\"><c r=\"B5\" s=\"1\"><v>45000</v></c>{}<c r=\"D5\"><f>1+1</f><v>2</v></c><c r=\"E5\" t=\"b\"><v>1</v></c></row>",
                text("C5", "Köln")
            ),
            format!(
                "<row r=\"6\" hidden=\"1\"><c r=\"B6\" s=\"1\"><v>45001.5</v></c>{}<c r=\"D6\"><v>3.25</v></c><c r=\"E6\" t=\"b\"><v>0</v></c></row>",
                text("C6", "Ulm")
            ),
            format!("<row r=\"7\">{}<c r=\"D7\" t=\"e\"><v>#N/A</v></c></row>", text("C7", "Ulm")),
        ];
        let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let book = format!(
            "<?xml version=\"1.0\"?><workbook xmlns=\"{main}\" xmlns:r=\"{relation}\"><sheets>\
             <sheet name=\"old\" sheetId=\"1\" state=\"hidden\" r:id=\"rId1\"/><sheet name=\"sales\" sheetId=\"2\" r:id=\"rId2\"/>\
             </sheets></workbook>"
        );
        let package = "http://schemas.openxmlformats.org/package/2006";
        let target = |n: usize| {
            format!("<Relationship Id=\"rId{n}\" Type=\"{relation}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>")
        };
        let relations = format!(
            "<?xml version=\"1.0\"?><Relationships xmlns=\"{package}/relationships\">{}{}\
             <Relationship Id=\"rId3\" Type=\"{relation}/styles\" Target=\"styles.xml\"/></Relationships>",
            target(1),
            target(2)
        );
        let styles = format!(
            "<?xml version=\"1.0\"?><styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
             </cellXfs></styleSheet>"
        );
        let old = [
            "<row r=\"1\">".into(),
            text("A1", "x"),
            text("B1", "y"),
            "</row><row r=\"2\">".into(),
            text("A2", "1"),
            text("B2", "2"),
            "</row>".into(),
        ];
        let root = format!(
            "<?xml version=\"1.0\"?><Relationships xmlns=\"{package}/relationships\">\
             <Relationship Id=\"rId1\" Type=\"{relation}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        zipped(&[
            ("_rels/.rels", &root),
            ("xl/workbook.xml", &book),
            ("xl/_rels/workbook.xml.rels", &relations),
            ("xl/styles.xml", &styles),
            ("xl/worksheets/sheet1.xml", &sheet(&old.concat())),
            ("xl/worksheets/sheet2.xml", &sheet(&rows.concat())),
        ])
    }

    #[test]
    fn a_workbook_is_read_from_its_visible_sheet() {
        let table = table_of(&workbook()).unwrap();
        assert_eq!((table.columns(), table.rows()), (&["day", "city", "sold", "open"].map(String::from)[..], 3));
        let column = |column| [0, 1, 2].map(|row| table.cell(row, column).into_owned());
        assert_eq!(column(0), ["2023-03-15", "2023-03-16T12:00:00", ""]);
        assert_eq!(
            (column(1), column(3)),
            (["Köln", "Ulm", "Ulm"].map(String::from), ["true", "false", ""].map(String::from))
        );
        assert_eq!([0, 1, 2].map(|row| table.number(row, 2)), [Some(2.0), Some(3.25), None]);
        assert!(table.is_missing(2, 2));
        let notes: Vec<String> = table.notes().iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "the rows above row 4 are skipped: the table begins there",
                "sheet `sales` is read; the others are `old`",
                "1 row of the sheet is hidden, and read as the others are"
            ]
        );
        assert!(table.cell_error(1, 2, Reason::Weight, "x").to_string().contains("line 6, "), "its row in the sheet");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.xlsx").display().to_string();
        std::fs::write(&path, workbook()).unwrap();
        let of_sheet = |name: &str| {
            let reading = Reading { sheet: Some(name.into()), ..Reading::default() };
            Source { reading: &reading, ..Source::new(&path, Part::Training) }.table()
        };
        assert_eq!(of_sheet("old").unwrap().columns(), ["x", "y"]);
        let error = of_sheet("new").unwrap_err().to_string();
        assert!(error.ends_with("expected a sheet `new`, got `old`, `sales`"), "{error}");
    }

    #[test]
    fn a_workbook_cut_anywhere_is_an_error() {
        let whole = workbook();
        for length in (0..whole.len()).step_by(7) {
            assert!(table_of(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn arrow_files_and_streams_are_read() {
        use arrow_array::{Float64Array, RecordBatch, StringArray};
        let columns: Vec<(&str, arrow_array::ArrayRef)> = vec![
            ("x", std::sync::Arc::new(Float64Array::from(vec![1.5, 2.5]))),
            ("y", std::sync::Arc::new(StringArray::from(vec!["a", "b"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let (mut file, mut stream) = (Vec::new(), Vec::new());
        let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut stream, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        for whole in [file, stream] {
            let table = table_of(&whole).unwrap();
            assert_eq!((table.number(1, 0), &*table.cell(0, 1)), (Some(2.5), "a"));
            for length in 0..whole.len() {
                let _ = table_of(&whole[..length]);
            }
        }
    }

    #[test]
    fn what_is_no_table_is_called_what_it_is() {
        for (bytes, name) in [
            (&b"%PDF-1.7\n"[..], "a PDF document"),
            (b"SQLite format 3\0", "an SQLite database"),
            (b"@relation t\n@data\n", "an ARFF file of Weka"),
        ] {
            let error = table_of(bytes).unwrap_err();
            assert!(error.to_string().ends_with(&format!("expected a table, got {name}")), "{error}");
            assert_eq!(error.reason(), Reason::NoTable);
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
