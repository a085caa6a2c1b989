//! Files that other programs have written: pandas, pyarrow, openpyxl, odfpy, xlwt.

use std::path::Path;

use surefoot_table::{Look, Part, Roles, Source, Use};

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
        let table = Source::new(path.to_str().unwrap(), Part::Training).table().unwrap();
        read += 1;
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
    assert_eq!(read, if cfg!(feature = "parquet") { 13 } else { 12 });
}
