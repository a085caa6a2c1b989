//! Any bytes as CSV: an error, or a table whose columns become inputs and targets, or an error that says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use surefoot::Task;
use surefoot_table::{Encoding, Table, Targets};

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = Table::read("fuzz.csv", bytes) else { return };
    for task in [None, Some(Task::Classification), Some(Task::Regression)] {
        let Ok(encoding) = Encoding::find(&table, None, task) else { continue };
        let outputs = match &encoding.targets {
            Targets::Classes(names) => names.len(),
            Targets::Numbers => 1,
        };
        if let Ok(inputs) = encoding.inputs(&table) {
            assert!(inputs.iter().all(|x| x.is_finite()));
        }
        if let Ok(targets) = encoding.targets(&table, outputs) {
            assert_eq!(targets.nrows(), table.rows());
        }
    }
    let _ = Encoding::of_autoencoder(&table, None).and_then(|encoding| encoding.inputs(&table));
});
