//! Any bytes as a file of NumPy, packed or not, as `train` opens it: an error, or a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use surefoot_table::{Part, Source};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    let path = path.display().to_string();
    for part in [Part::Training, Part::Test] {
        if let Ok(table) = Source::new(&path, part).table() {
            assert!(table.rows() > 0 && !table.columns().is_empty());
        }
    }
});
