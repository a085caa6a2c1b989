//! Several files, and folders of them, as one table.

use std::path::Path;
use std::sync::Arc;

use surefoot_table::{Part, Progress, Reading, Reason, Result, Source, Table};

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        Files(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn read(&self, names: &[&str]) -> Result<Table> {
        let paths: Vec<String> = names.iter().map(|name| self.path(name)).collect();
        Source { more: &paths[1..], ..Source::new(&paths[0], Part::Training) }.table()
    }
}

fn texts(table: &Table, column: &str) -> Vec<String> {
    let column = table.column(column).unwrap();
    (0..table.rows()).map(|row| table.cell(row, column).into_owned()).collect()
}

/// 10,000 rows of columns that are kept in each way: few texts, numbers, many texts.
fn row(i: usize) -> String {
    format!("{},{}.{:02},name {i},{}\n", ["red", "green", "NA"][i % 3], i, i * 7 % 100, i % 5)
}

#[test]
fn files_in_any_cut_make_the_table_of_one_file() {
    let header = "colour,x,name,y\n";
    let rows: Vec<String> = (0..10_000).map(row).collect();
    let whole = Table::read("whole", format!("{header}{}", rows.concat()).as_bytes()).unwrap();
    for cut in [1, 5000, 9_999] {
        let files = Files::new(&[
            ("b.csv", &format!("{header}{}", rows[..cut].concat())),
            ("a.csv", &format!("{header}{}", rows[cut..].concat())),
        ]);
        let table = files.read(&["b.csv", "a.csv"]).unwrap();
        assert_eq!((table.rows(), table.columns()), (whole.rows(), whole.columns()));
        for (place, column) in whole.columns().iter().enumerate() {
            assert_eq!(texts(&table, column), texts(&whole, column), "cut at {cut}");
            let numbers = |table: &Table| (0..table.rows()).map(|row| table.number(row, place)).collect::<Vec<_>>();
            assert_eq!(numbers(&table), numbers(&whole), "cut at {cut}");
        }
        let said: Vec<String> = table.notes().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["2 files are read as one table, one below the other"]);
    }
}

#[test]
fn columns_are_found_by_their_names_and_read_by_the_cells_of_all_files() {
    // only the second file tells that commas are decimal
    let files = Files::new(&[("1.csv", "y;x\n1;\"1,500\"\n2;\"2,500\"\n"), ("2.csv", "x;y\n\"3,25\";7\n\"4\";8\n")]);
    let table = files.read(&["1.csv", "2.csv"]).unwrap();
    assert_eq!(texts(&table, "y"), ["1", "2", "7", "8"]);
    let x = table.column("x").unwrap();
    assert_eq!([0, 1, 2, 3].map(|row| table.number(row, x)), [Some(1.5), Some(2.5), Some(3.25), Some(4.0)]);
}

#[test]
fn a_folder_is_its_files_in_the_order_of_their_names() {
    let files = Files::new(&[
        ("part-2.csv", "x,y\n3,c\n"),
        ("part-1.csv", "x,y\n1,a\n2,b\n"),
        ("part-3.json", r#"[{"x": 4, "y": "d"}]"#),
        ("_SUCCESS", ""),
        (".part-1.csv.crc", "crc"),
    ]);
    std::fs::create_dir(files.0.path().join("folder")).unwrap();
    let folder = files.path("");
    let table = Source::new(&folder, Part::Training).table().unwrap();
    assert_eq!(
        (texts(&table, "x"), texts(&table, "y")),
        (["1", "2", "3", "4"].map(String::from).to_vec(), ["a", "b", "c", "d"].map(String::from).to_vec())
    );
    assert_eq!(table.file(), folder);
    // piece by piece, as predictions read it
    let mut chunks = Source::new(&folder, Part::Training).chunks().unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = chunks.next(1).unwrap() {
        pieces.push((
            Path::new(piece.file()).file_name().unwrap().to_str().unwrap().to_string(),
            texts(&piece, "x").concat(),
        ));
    }
    let expected = [("part-1.csv", "1"), ("part-1.csv", "2"), ("part-2.csv", "3"), ("part-3.json", "4")];
    assert_eq!(pieces, expected.map(|(file, x)| (file.to_string(), x.to_string())));
}

#[test]
fn a_pattern_is_the_files_that_match_it() {
    let files = Files::new(&[("b.csv", "x\n2\n"), ("a.csv", "x\n1\n"), (".c.csv", "x\n3\n"), ("d.txt", "x\n4\n")]);
    assert_eq!(texts(&files.read(&["*.csv"]).unwrap(), "x"), ["1", "2"]);
    assert_eq!(texts(&files.read(&["[bd].*"]).unwrap(), "x"), ["2", "4"]);
    // the name of a file before the meaning of its characters
    let files = Files::new(&[("a[1].csv", "x\n5\n"), ("a1.csv", "x\n6\n")]);
    assert_eq!(texts(&files.read(&["a[1].csv"]).unwrap(), "x"), ["5"]);
    let error = files.read(&["no*.csv"]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.ends_with("no*.csv"), "{error}");
}

#[test]
fn reading_counts_rows_and_bytes() {
    let rows: String = (0..3000).map(row).collect();
    let text = format!("colour,x,name,y\n{rows}");
    let files = Files::new(&[("a.csv", &text), ("b.csv", &text)]);
    let progress = Arc::new(Progress::default());
    let path = files.path("*.csv");
    let source = Source { progress: Some(&progress), ..Source::new(&path, Part::Training) };
    assert_eq!((progress.rows(), progress.bytes(), progress.size()), (0, 0, 0));
    let table = source.table().unwrap();
    let size = 2 * text.len() as u64;
    assert_eq!((progress.rows(), progress.bytes(), progress.size()), (table.rows() as u64, size, size));
}

#[test]
fn an_error_names_the_file_and_its_line() {
    let rows = |from: usize, to: usize| (from..to).map(|i| format!("{i}.5,{}\n", i % 9)).collect::<String>();
    let files = Files::new(&[
        ("1.csv", &format!("x,y\n{}", rows(0, 30))),
        ("2.csv", &format!("x,y\n{}oops,4\n{}", rows(30, 40), rows(40, 60))),
        ("3.csv", &format!("x,y\n{}", rows(60, 70))),
    ]);
    let table = files.read(&["1.csv", "2.csv", "3.csv"]).unwrap();
    let error = table.weights(0, &table.all_rows()).unwrap_err().to_string();
    assert!(error.contains("2.csv, line 12, column `x`") && error.ends_with("got `oops`"), "{error}");
}

#[test]
fn files_that_are_not_one_table_are_refused() {
    let files = Files::new(&[
        ("1.csv", "x,y\n1,2\n"),
        ("2.csv", "x,z\n1,2\n"),
        ("3.csv", "x,y,z\n1,2,3\n"),
        ("4.csv", "x,y\n1\n"),
    ]);
    for other in ["2.csv", "3.csv"] {
        let error = files.read(&["1.csv", other]).unwrap_err();
        assert_eq!(error.reason(), Reason::Columns);
        let text = error.to_string();
        assert!(
            text.contains(&format!("{other}: expected the columns of ")) && text.contains("1.csv: `x`, `y`, got `x`, "),
            "{text}"
        );
    }
    let error = files.read(&["1.csv", "4.csv"]).unwrap_err().to_string();
    assert!(error.contains("4.csv, line 2"), "{error}");
    let more = ["-".to_string()];
    let path = files.path("1.csv");
    let error = Source { more: &more, ..Source::new(&path, Part::Training) }.table().unwrap_err().to_string();
    assert!(error.contains("standard input"), "{error}");
    let reading = Reading::default();
    let labels = files.path("2.csv");
    let more = [files.path("3.csv")];
    let source =
        Source { more: &more, target_file: Some(&labels), reading: &reading, ..Source::new(&path, Part::Training) };
    assert!(source.table().unwrap_err().to_string().contains("several files"));
}

#[test]
fn files_of_numbers_make_the_table_of_one_file() {
    let number = |i: usize| match i % 7 {
        0 => "null".to_string(),
        1 => "9007199254740993".into(), // as a number it would be another
        _ => (i as f64 / 7.0).to_string(),
    };
    let row = |i: usize| format!("{{\"few\": {}, \"many\": {}, \"long\": {}}}\n", i % 3, i as f64 / 9.0, number(i));
    let rows: Vec<String> = (0..3000).map(row).collect();
    let files = Files::new(&[
        ("whole.json", &rows.concat()),
        ("1.json", &rows[..10].concat()),
        ("2.json", &rows[10..2000].concat()),
        ("3.json", &rows[2000..].concat()),
    ]);
    let (whole, parts) = (files.read(&["whole.json"]).unwrap(), files.read(&["1.json", "2.json", "3.json"]).unwrap());
    for (place, column) in whole.columns().iter().enumerate() {
        assert_eq!(texts(&parts, column), texts(&whole, column), "{column}");
        for row in 0..whole.rows() {
            assert_eq!(parts.number(row, place), whole.number(row, place), "{column}");
            assert_eq!(parts.is_missing(row, place), whole.is_missing(row, place), "{column}");
        }
    }
}
