//! Any bytes as a file: of whatever format they begin as, an error or a table that can be looked at.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use surefoot_table::{Look, Part, Roles, Source};

/// The readers of other libraries may panic, which is caught; what is not caught ends the process all the same.
static CAUGHT_PANICS_ARE_NO_FINDINGS: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    CAUGHT_PANICS_ARE_NO_FINDINGS.call_once(|| {
        let _ = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
    });
    let path = format!("/dev/shm/surefoot-fuzz-{}", std::process::id());
    std::fs::write(&path, bytes).unwrap();
    let mut chunks = match Source::new(&path, Part::Training).chunks() {
        Ok(chunks) => chunks,
        Err(_) => return,
    };
    chunks.take_damaged();
    while let Ok(Some(table)) = chunks.next(100) {
        if let Ok(look) = Look::at(&table, None, &Roles::default()) {
            assert_eq!(look.columns.len(), table.columns().len());
            assert!(look.columns.iter().all(|column| column.missing + column.different <= table.rows() * 2));
        }
    }
});
