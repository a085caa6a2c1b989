//! Values that a model has not seen when it was trained, of all pieces of a table.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use surefoot_table::Unseen;

use crate::output::{count, usage};

/// Different values that are kept.
const MOST: usize = 10_000;
/// Values of a column that a line of text names.
const SHOWN: usize = 5;

/// Values that a model has not seen, with their rows.
#[derive(Default)]
pub struct AllUnseen(BTreeMap<(String, String), Unseen>);

impl AllUnseen {
    /// Takes up those of a piece; with `strict` the first is an error.
    pub fn add(&mut self, unseen: Vec<Unseen>, strict: bool) -> anyhow::Result<()> {
        for value in unseen {
            if strict && value.read_as.is_none() {
                let message = format!(
                    "column `{}`: expected a value of the training data, got `{}` in {}",
                    value.column,
                    value.value,
                    count(value.rows, "row")
                );
                return Err(usage(
                    message,
                    "correct the cells, or omit --strict to treat them as other or missing values",
                ));
            }
            let key = (value.column.clone(), value.value.clone());
            if let Some(known) = self.0.get_mut(&key) {
                known.rows += value.rows;
            } else if self.0.len() < MOST {
                self.0.insert(key, value);
            }
        }
        Ok(())
    }

    /// A line for each column, to standard error.
    pub fn warn(&self) {
        let mut by_column = BTreeMap::<&str, [Vec<&Unseen>; 2]>::new();
        for value in self.0.values() {
            by_column.entry(&value.column).or_default()[usize::from(value.read_as.is_some())].push(value);
        }
        for (column, [unseen, read]) in by_column {
            let line = |values: &[&Unseen], what: &str| {
                if values.is_empty() {
                    return;
                }
                let rows = count(values.iter().map(|value| value.rows).sum(), "row");
                let name = |value: &&Unseen| match &value.read_as {
                    Some(read_as) => format!("`{}` as `{read_as}`", value.value),
                    None => format!("`{}`", value.value),
                };
                let more = if values.len() > SHOWN { ", …" } else { "" };
                let names: Vec<String> = values.iter().take(SHOWN).map(name).collect();
                eprintln!("warning: column `{column}`: {rows} {what}: {}{more}", names.join(", "));
            };
            line(&unseen, "with a value that was not in the training data");
            line(&read, "with a code whose leading zeros were lost, read with them");
        }
    }

    pub fn json(&self) -> Value {
        let of = |value: &Unseen| json!({"column": value.column, "value": value.value, "rows": value.rows, "read_as": value.read_as});
        self.0.values().map(of).collect()
    }
}
