//! How much rows count: `--weight` and `--class-weight`.

use surefoot_table::Target;

use super::data::{Data, Parts, Rows};
use crate::arguments::{ClassWeight, Settings};

/// How much rows count.
pub struct Weights<'a> {
    column: Option<&'a str>,
    /// For each class what its rows are multiplied by, and the classes of the table's rows.
    balance: Option<(Vec<f64>, &'a Target)>,
}

impl<'a> Weights<'a> {
    pub fn new(settings: &'a Settings, data: &'a Data, parts: &Parts<'_>) -> anyhow::Result<Self> {
        let balance = match (settings.class_weight, &data.target) {
            (Some(ClassWeight::Balanced), Some(target)) => {
                let classes = target.classes(&data.table).unwrap_or_default();
                let mut counts = vec![0.0; classes.iter().max().map_or(0, |last| last + 1)];
                parts.training.rows.iter().for_each(|&row| counts[classes[row]] += 1.0);
                // m/(K mₖ), as scikit-learn's `balanced`
                let all = parts.training.rows.len() as f64 / counts.len() as f64;
                Some((counts.into_iter().map(|count| if count > 0.0 { all / count } else { 0.0 }).collect(), target))
            }
            _ => None,
        };
        Ok(Weights { column: settings.weight.as_deref(), balance })
    }

    /// Of the rows of a part; `None`: all count 1.
    pub fn of(&self, part: &Rows<'_>, is_balanced: bool) -> anyhow::Result<Option<Vec<f64>>> {
        let Rows { table, rows } = part;
        let mut weights = match self.column {
            Some(name) => Some(table.weights(table.column(name)?, rows)?),
            None => None,
        };
        if let Some((balance, target)) = self.balance.as_ref().filter(|_| is_balanced) {
            let column = Target { column: table.column(&target.name)?, ..(*target).clone() };
            let classes = column.classes(table).unwrap_or_default();
            let weights = weights.get_or_insert_with(|| vec![1.0; rows.len()]);
            weights.iter_mut().zip(rows).for_each(|(weight, &row)| *weight *= balance[classes[row]]);
        }
        Ok(weights)
    }
}
