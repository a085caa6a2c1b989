//! Formats of files: what other programs have written (pandas, pyarrow, openpyxl, odfpy, xlwt), what is packed, and what is no table.

use std::io::Cursor;
use std::path::Path;

use surefoot_table::{
    Cache, CacheUse, Encoding, Look, Part, Reading, Reason, Result, Roles, Source, Table, Target, Use,
};

fn table_of(bytes: &[u8]) -> Result<Table> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    Source::new(path.to_str().unwrap(), Part::Training).table()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packer, bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn files_of_other_programs_are_the_same_tables_where_they_were_kept() {
    let kept = tempfile::tempdir().unwrap();
    let cache = Cache::new(kept.path());
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/file");
    let all_of = |table: &Table| {
        let cell = |row, column| (table.cell(row, column).into_owned(), table.number(row, column));
        let row = |row| (0..table.columns().len()).map(|column| cell(row, column)).collect::<Vec<_>>();
        let rows: Vec<_> = (0..table.rows()).map(row).collect();
        format!("{:?} {rows:?} {:?} {:?} {}", table.columns(), table.missing_texts(), table.notes(), table.format())
    };
    let mut read = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        let source = Source::new(&path, Part::Training);
        let Ok(plain) = source.table() else { continue };
        for _ in 0..2 {
            let table = Source { cache: Some(&cache), ..source }.table().unwrap();
            assert_eq!(all_of(&table), all_of(&plain), "{path}");
        }
        read += 1;
    }
    let was_read = |used: &CacheUse| matches!(used, CacheUse::Read { .. });
    assert_eq!(cache.uses().iter().map(was_read).collect::<Vec<_>>(), [false, true].repeat(read));
    assert!(read >= 14);
}

/// Files that fuzzing has found, on which the readers of other projects took all memory, and what is said of them.
const HOSTILE: [(&str, &str); 3] = [
    ("xls-endless", "expected a workbook of Excel or OpenDocument, got Malformed FAT"),
    ("xls-far", "expected a workbook of Excel or OpenDocument, got a sheet with more columns than there can be"),
    ("arrow-huge", "expected an Arrow file, got one that unpacks to more than 1100 times its size"),
];

#[test]
fn what_would_take_all_memory_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/file");
    for (name, expected) in HOSTILE {
        let error = Source::new(folder.join(name).to_str().unwrap(), Part::Training).table().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_of_other_programs_are_read_to_the_same_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/file");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if name == "parquet" && !cfg!(feature = "parquet") {
            println!("the Parquet file is skipped: the feature `parquet` is off");
            continue;
        }
        if HOSTILE.iter().any(|(hostile, _)| *hostile == name) {
            continue;
        }
        let table = Source::new(path.to_str().unwrap(), Part::Training).table();
        read += 1;
        let table = table.unwrap();
        if name == "xls-hidden" {
            let notes: Vec<String> = table.notes().iter().map(ToString::to_string).collect();
            assert_eq!((table.rows(), &*table.cell(1, 1)), (4, "b"));
            assert_eq!(
                notes,
                [
                    "sheet `t` is read; the others are `first`",
                    "2 rows of the sheet are hidden, and read as the others are"
                ]
            );
            continue;
        }
        if name == "zst" {
            assert_eq!((table.rows(), table.number(1, 0)), (2, Some(2.5)));
            continue;
        }
        if name == "xls" {
            assert_eq!((table.rows(), table.columns()[0].as_str(), &*table.cell(1, 0)), (60, "when", "2026-01-02"));
            assert!(table.is_missing(3, 1) && !table.is_missing(4, 1));
            continue;
        }
        assert_eq!(table.columns(), ["a", "b", "t", "y"], "{name}");
        assert_eq!([0, 1, 2].map(|row| table.number(row, 0)), [Some(1.5), None, Some(3.0)], "{name}");
        assert_eq!([0, 1, 2].map(|row| table.cell(row, 1).into_owned()), ["x", "y", "x"], "{name}");
        assert!(table.cell(1, 2).starts_with("2026-01-02"), "{name}: {}", table.cell(1, 2));
        let look = Look::at(&table, Some("y"), &Roles::default()).unwrap();
        assert!(matches!(&look.columns[3].use_as, Use::Target(_)), "{name}");
        assert_eq!(look.target.unwrap().classes(&table), Some(vec![1, 0, 1]), "{name}: no before yes");
    }
    assert_eq!(read, if cfg!(feature = "parquet") { 15 } else { 14 });
}

#[test]
fn packed_text_is_unpacked_up_to_a_limit() {
    let table = table_of(&packed(b"a;b\n1,5;x\n")).unwrap();
    assert_eq!((table.number(0, 0), &*table.cell(0, 1)), (Some(1.5), "x"));
    let bomb = table_of(&packed(&b"1,2\n".repeat(1 << 20))).unwrap_err().to_string();
    assert!(bomb.starts_with("cannot read"), "{bomb}");
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
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

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_has_one_table() {
    let table = table_of(&zipped(&[("__MACOSX/x", b""), ("folder/t.csv", b"a,b\n1,x\n2,y\n")])).unwrap();
    assert_eq!((table.columns().len(), table.rows()), (2, 2));
    let error = table_of(&zipped(&[("a.csv", b"a\n1\n"), ("b.csv", b"a\n1\n")])).unwrap_err();
    assert!(error.to_string().ends_with("expected an archive with one file, got 2 files"), "{error}");
    let error = table_of(&zipped(&[("word/document.xml", b"")])).unwrap_err();
    assert!(error.to_string().ends_with("got a document of an office program"), "{error}");
}

#[test]
fn what_is_packed_twice_is_refused() {
    let text = "a,b\n1,x\n2,y\n";
    let archive = zipped(&[("t.csv", text.as_bytes())]);
    let twice = [
        packed(&packed(text.as_bytes())),
        packed(&archive),
        zipped(&[("t.csv.gz", &packed(text.as_bytes()))]),
        zipped(&[("t.zip", &archive)]),
    ];
    for (i, bytes) in twice.iter().enumerate() {
        let error = table_of(bytes).unwrap_err().to_string();
        assert!(error.ends_with("expected a table, got a packed file within a packed file"), "{i}: {error}");
    }
    assert_eq!(table_of(&packed(&workbook())).unwrap().rows(), 3, "a workbook is an archive by itself");
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
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet(&old.concat()).as_bytes()),
        ("xl/worksheets/sheet2.xml", sheet(&rows.concat()).as_bytes()),
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
    let error = Encoding::plain(&table, &Target::find(&table, Some("open"), &[], None).unwrap())
        .inputs(&table, &[0])
        .unwrap_err();
    assert!(error.to_string().contains("line 5, "), "its row in the sheet: {error}");

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

/// A workbook of OpenDocument with a sheet of these rows.
fn opendocument(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content \
         xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" office:version=\"1.2\"><office:body><office:spreadsheet>\
         <table:table table:name=\"t\">{}</table:table></office:spreadsheet></office:body></office:document-content>",
        rows
    );
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    let manifest = format!(
        "<?xml version=\"1.0\"?><manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\">\
         <manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"{kind}\"/></manifest:manifest>"
    );
    let files = [("mimetype", kind), ("META-INF/manifest.xml", &manifest), ("content.xml", &content)];
    zipped(&files.map(|(name, text)| (name, text.as_bytes())))
}

#[test]
fn hidden_rows_of_opendocument_are_read_and_said() {
    let row = |attributes: &str, cells: [&str; 2]| {
        let cells = cells.map(|cell| {
            format!("<table:table-cell office:value-type=\"string\"><text:p>{cell}</text:p></table:table-cell>")
        });
        format!("<table:table-row{attributes}>{}</table:table-row>", cells.concat())
    };
    let rows = [
        row("", ["x", "y"]),
        row(" table:style-name=\"ro1\" table:visibility=\"filter\" table:number-rows-repeated=\"2\"", ["1", "a"]),
        row(" table:style-name=\"ro1\"", ["2", "b"]),
        row(" table:visibility=\"collapse\"", ["3", "c"]),
        // hidden and empty, before one that is neither
        "<table:table-row table:visibility=\"collapse\"><table:table-cell/></table:table-row>".into(),
        row("", ["4", "d"]),
    ];
    let table = table_of(&opendocument(&rows.concat())).unwrap();
    assert_eq!((table.rows(), &*table.cell(3, 1)), (5, "c"));
    let notes: Vec<String> = table.notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["3 rows of the sheet are hidden, and read as the others are"]);
}

#[test]
fn a_cell_far_from_the_others_is_refused() {
    let unpacked = |far: &str| {
        let mut archive = zip::ZipArchive::new(Cursor::new(workbook())).unwrap();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for place in 0..archive.len() {
            let mut file = archive.by_index(place).unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            let text = String::from_utf8(bytes).unwrap().replace("</sheetData>", &format!("{far}</sheetData>"));
            files.push((file.name().unwrap().into_owned(), text.into_bytes()));
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        table_of(&zipped(&files))
    };
    let rows = |far: &str| unpacked(far).unwrap().rows();
    assert_eq!(rows("<row r=\"1048576\"><c r=\"B1048576\"><v>1</v></c></row>"), 4);
    for far in [
        "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
        "<row><c r='XFD1048576'><v>1</v></c></row>",
        "<row r=\"1048576\"><c\ns=\"0\" r=\"XFD1048576\"/></row>",
        "<row><c r=\"XFD1\"><v>1</v></c></row><row r=\"1048576\"><c><v>1</v></c></row>",
    ] {
        let error = unpacked(far).unwrap_err().to_string();
        let expected =
            "expected a sheet of at most 134217728 cells, got one with cells as far as row 1048576 and column 16384";
        assert!(error.ends_with(expected), "{far}: {error}");
    }
    let far = "<table:table-row table:number-rows-repeated=\"1048575\"/><table:table-row><table:table-cell \
               table:number-columns-repeated=\"16384\" office:value-type=\"float\" office:value=\"1\"/></table:table-row>";
    let error = table_of(&opendocument(far)).unwrap_err().to_string();
    assert!(error.contains("cells as far as row 1048576 and column 16384"), "{error}");
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

/// A matrix wider than the columns that are taken out of it at a time.
#[test]
fn every_column_of_a_wide_numpy_matrix_is_its_own() {
    let (rows, columns) = (50, 21);
    let head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{head:<117}\n").bytes());
    (0..rows * columns).for_each(|i| bytes.extend((i as f64 / 8.0).to_le_bytes()));
    let table = table_of(&bytes).unwrap();
    assert_eq!((table.rows(), table.columns().len()), (rows, columns));
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        assert_eq!(table.number(row, column), Some((row * columns + column) as f64 / 8.0));
    }
}

#[test]
fn numbers_of_formats_that_have_them_are_no_texts_with_a_decimal_comma() {
    let csv: String = (0..40).map(|i| format!("{},5;{}\n", i * 7 % 40, i * 3)).collect();
    let german = Table::read("german", format!("a;price\n{csv}").as_bytes()).unwrap();
    let target = Target::find(&german, None, &[], None).unwrap();
    let encoding = Encoding::learn(&german, &german.all_rows(), &target, &Roles::default()).unwrap().encoding;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/file");
    for name in ["xlsx", "ods", "json", "jsonl", "arrow-polars", "feather"] {
        let table = Source::new(folder.join(name).to_str().unwrap(), Part::Test).table().unwrap();
        let a = table.column("a").unwrap();
        let there: Vec<usize> = table.all_rows().into_iter().filter(|&row| !table.is_missing(row, a)).collect();
        let inputs = encoding.inputs(&table, &there).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(inputs.into_raw_vec_and_offset().0, [1.5, 3.0], "{name}");
    }
}
