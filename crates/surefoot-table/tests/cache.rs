//! Tables that are kept as they were read.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use surefoot_table::{Cache, CacheUse, Decimal, Part, Reading, Source, Table};

/// A folder of files and one of what is kept of them.
struct Folders {
    data: tempfile::TempDir,
    kept: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Folders { data: tempfile::tempdir().unwrap(), kept: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.data.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// The table of a source, and what was done with the cache.
    fn read(&self, source: Source<'_>) -> (Table, Vec<CacheUse>) {
        let cache = Cache::new(self.kept.path());
        let table = Source { cache: Some(&cache), ..source }.table().unwrap();
        (table, cache.uses())
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = self.kept.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn source(path: &str) -> Source<'_> {
    Source::new(path, Part::Training)
}

fn was_read(uses: &[CacheUse]) -> bool {
    matches!(uses, [CacheUse::Read { .. }])
}

fn was_written(uses: &[CacheUse]) -> bool {
    matches!(uses, [CacheUse::Written { .. }])
}

/// All that a table says, but in how much memory.
fn all_of(table: &Table) -> String {
    let cells = |column: usize| {
        let cell = |row| {
            let number = table.number(row, column).map(f64::to_bits);
            format!("{:?} {number:?} {}", table.cell(row, column), table.is_missing(row, column))
        };
        (0..table.rows()).map(cell).collect::<Vec<_>>()
    };
    // the dictionary of missing texts, and the place of a cell as errors tell it
    let place = |row| table.weights(0, &[row]).err().map(|error| error.to_string());
    let places: Vec<_> = (0..table.rows()).map(place).collect();
    format!(
        "{} {:?} {:?} {} {} {:?} {:?} {places:?} {:?}",
        table.file(),
        table.columns(),
        table.label(),
        table.is_matrix(),
        table.format(),
        table.notes(),
        table.missing_texts(),
        (0..table.columns().len()).map(cells).collect::<Vec<_>>()
    )
}

/// Columns that are kept in each way: codes of one and of two bytes, numbers with and without gaps, texts; with line ends within cells.
fn every_form(rows: usize) -> String {
    let row = |i: usize| {
        format!(
            "{},city {},{}.{:02},{},\"name\n{i}\",{}\n",
            ["red", "green", "NA", "no"][i % 4],
            i % 400,
            i,
            i * 7 % 100,
            if i.is_multiple_of(11) { "?".into() } else { format!("{}", i * i) },
            ["1,250", "12", "3,999.5"][i % 3].replace(',', if i.is_multiple_of(2) { "" } else { "'" }),
        )
    };
    "colour,city,x,gaps,name,y\n".to_string() + &(0..rows).map(row).collect::<String>()
}

#[test]
fn what_is_kept_is_the_table_that_was_read() {
    let folders = Folders::new();
    let comma = Reading { decimal: Some(Decimal::Comma), ..Reading::default() };
    let words = Reading { missing: Some(vec!["red".into()]), ..Reading::default() };
    let plain = Reading::default();
    let csv = folders.write("t.csv", every_form(9000));
    let semicolons = folders.write("semicolons.csv", "a;b;c\n1,5;30 %;(7)\n-2,25;5 %;8\n1.000,0;10 %;\n");
    let json = folders.write("t.json", r#"[{"a": 1, "b": "x"}, {"a": null, "b": "7"}]"#);
    let array = ndarray::array![[1.0f64, f64::NAN], [0.1, -0.0]];
    let npy = folders.data.path().join("t.npy").display().to_string();
    ndarray_npy::write_npy(&npy, &array).unwrap();
    for (path, reading) in [
        (&csv, &plain),
        (&csv, &words),
        (&semicolons, &plain),
        (&semicolons, &comma),
        (&json, &plain),
        (&json, &words),
        (&npy, &plain),
        (&npy, &words),
    ] {
        let source = Source { reading, ..source(path) };
        let plain = source.table().unwrap();
        let (first, uses) = folders.read(source);
        assert!(was_written(&uses), "{uses:?}");
        let (second, uses) = folders.read(source);
        assert!(was_read(&uses), "{uses:?}");
        assert!(all_of(&first) == all_of(&plain) && all_of(&second) == all_of(&plain), "{path}");
        assert!(second.memory() < plain.memory() + 1000, "{path}");
    }
    assert_eq!(folders.files().len(), 8, "one for each file and reading");
}

#[test]
fn a_folder_keeps_the_file_and_the_line_of_each_row() {
    let folders = Folders::new();
    folders.write("1.csv", "x,y\n1,2\n3,4\n");
    folders.write("2.csv", "y,x\n5,6\n7,oops\n");
    let path = folders.data.path().display().to_string();
    let (plain, _) = folders.read(source(&path));
    let (kept, uses) = folders.read(source(&path));
    assert!(was_read(&uses) && all_of(&kept) == all_of(&plain));
    let error = kept.weights(0, &[3]).unwrap_err().to_string();
    assert!(error.contains("2.csv, line 3, column `x`"), "{error}");
    // one file more
    folders.write("3.csv", "x,y\n8,9\n");
    let (more, uses) = folders.read(source(&path));
    assert!(was_written(&uses) && more.rows() == 5);
}

#[test]
fn what_has_changed_is_read_anew_and_kept_in_its_place() {
    let folders = Folders::new();
    let path = folders.write("t.csv", "x,y\n1,2\n3,4\n");
    // the system's clock for files may stand still for some milliseconds
    let at = |seconds: u64| {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    at(1);
    folders.read(source(&path));
    let read_anew = || {
        let (table, uses) = folders.read(source(&path));
        assert!(was_written(&uses) && folders.files().len() == 1, "{uses:?}");
        assert!(was_read(&folders.read(source(&path)).1));
        table
    };
    folders.write("t.csv", "x,y\n1,2\n3,4\n5,6\n");
    at(1);
    assert_eq!(read_anew().rows(), 3, "another size");
    folders.write("t.csv", "x,y\n1,2\n3,4\n5,7\n");
    at(2);
    assert_eq!(read_anew().number(2, 1), Some(7.0), "another time");
}

#[test]
fn names_and_parts_that_change_what_is_read_have_files_of_their_own() {
    let folders = Folders::new();
    let path = folders.write("t.csv", "a,b\nc,d\ne,f\n");
    let (named, _) = folders.read(Source { known: &["b".into()], ..source(&path) });
    let header = Reading { header: Some(false), ..Reading::default() };
    let (unnamed, uses) = folders.read(Source { reading: &header, ..source(&path) });
    assert!(was_written(&uses) && (named.rows(), unnamed.rows()) == (2, 3));
    assert!(was_written(&folders.read(Source::new(&path, Part::Test)).1));
    assert_eq!(folders.files().len(), 3);
}

#[test]
fn a_damaged_or_a_foreign_file_is_written_anew() {
    let folders = Folders::new();
    let path = folders.write("t.csv", every_form(300));
    let (plain, _) = folders.read(source(&path));
    let file = folders.files().remove(0);
    let kept = fs::read(&file).unwrap();
    let length = kept.len();
    // the header stands at the start and in the footer, which is what is read
    let other_version = |bytes: &[u8]| {
        let version = format!("\"version\":\"{}", env!("CARGO_PKG_VERSION"));
        let (mut bytes, last) = (bytes.to_vec(), version.len() - 1);
        for at in (0..bytes.len() - version.len()).filter(|&at| kept[at..].starts_with(version.as_bytes())) {
            bytes[at + last] = b'9';
        }
        bytes
    };
    let cut_at = |length: usize| kept[..length].to_vec();
    let noise: Vec<u8> = kept.iter().enumerate().map(|(i, byte)| if i > length / 2 { !byte } else { *byte }).collect();
    for damaged in [Vec::new(), cut_at(100), cut_at(length / 2), cut_at(length - 8), noise, other_version(&kept)] {
        fs::write(&file, &damaged).unwrap();
        let (table, uses) = folders.read(source(&path));
        assert!(was_written(&uses) && all_of(&table) == all_of(&plain), "{uses:?}, {} bytes", damaged.len());
        assert!(fs::read(&file).unwrap() == kept);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_the_table_is_read() {
    let folders = Folders::new();
    let path = folders.write("t.csv", "x,y\n1,2\n3,4\n");
    let cache = Cache::new(folders.data.path().join("no/such/folder"));
    let table = Source { cache: Some(&cache), ..source(&path) }.table().unwrap();
    assert_eq!(table.rows(), 2);
    assert!(matches!(&cache.uses()[..], [CacheUse::NotWritten { data, .. }] if *data == path), "{:?}", cache.uses());
    // what cannot be read is an error, with and without
    assert!(Source { cache: Some(&cache), ..source("no/such/file.csv") }.table().is_err());
}

#[test]
fn built_in_sets_and_images_with_labels_elsewhere_are_not_kept() {
    let folders = Folders::new();
    let images = folders.write("t10k-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2]);
    folders.write("t10k-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 1, 7]);
    for path in ["iris", &images] {
        let (_, uses) = folders.read(source(path));
        assert!(uses.is_empty() && folders.files().is_empty(), "{uses:?}");
    }
}
