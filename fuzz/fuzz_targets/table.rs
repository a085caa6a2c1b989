//! Any bytes as a text table: an error, or a table whose columns become inputs and targets, or an error that says why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use surefoot::Task;
use surefoot_table::{Encoding, Roles, Table, Target, Targets};

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = Table::read("fuzz.csv", bytes) else { return };
    for task in [None, Some(Task::Classification), Some(Task::Regression)] {
        let Ok(target) = Target::find(&table, None, &[], task) else { continue };
        let first = table.columns().first().map(String::as_str);
        for roles in [
            Roles::default(),
            Roles { numeric: first.into_iter().collect(), ..Roles::default() },
            Roles { categorical: first.into_iter().collect(), ..Roles::default() },
        ] {
            // learned from half of the rows, and asked for all of them
            let some = &target.rows[..target.rows.len().div_ceil(2)];
            let Ok(learned) = Encoding::learn(&table, some, &target, &roles) else { continue };
            let outputs = match &target.targets {
                Targets::Classes(names) => names.len(),
                Targets::Numbers => 1,
            };
            if let Ok(inputs) = learned.encoding.inputs(&table, &table.all_rows()) {
                assert!(learned.scaling.apply(inputs.view()).iter().all(|x| x.is_finite()));
            }
            let targets = learned.encoding.targets(&table, &target.rows, outputs).unwrap();
            assert_eq!(targets.nrows(), target.rows.len());
        }
    }
    let _ = Encoding::of_autoencoder(&table, None).and_then(|encoding| encoding.inputs(&table, &table.all_rows()));
});
