//! The different values of a column, with a name each.

use std::collections::{BTreeMap, HashMap};

use crate::cell::{category_of_number, is_code};
use crate::table::Table;

/// The categories of some rows of a column that are not missing, in ascending order, with the rows that each has. Where all are
/// numbers they go by their value, so that 1 and 1.0 are one category; else each is its text.
pub(crate) fn categories_of(table: &Table, rows: &[usize], column: usize) -> Vec<(String, usize)> {
    let present = || rows.iter().copied().filter(|&row| !table.is_missing(row, column));
    let number = |row: usize| table.plain_number(row, column).filter(|_| !is_code(&table.cell(row, column)));
    let by_value: Option<Vec<(f64, String)>> = present()
        .map(|row| {
            let number = number(row)?;
            Some((number, category_of_number(number)?))
        })
        .collect();
    match by_value {
        Some(mut names) => {
            names.sort_by(|(a, _), (b, _)| (a + 0.0).total_cmp(&(b + 0.0)));
            counted(names.into_iter().map(|(_, name)| name))
        }
        None => {
            let mut counts = BTreeMap::new();
            present().for_each(|row| *counts.entry(table.cell(row, column).into_owned()).or_insert(0) += 1);
            counts.into_iter().collect()
        }
    }
}

/// Neighbours that are equal, with how many they are.
fn counted(names: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for name in names {
        match counts.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => counts.push((name, 1)),
        }
    }
    counts
}

/// Finds categories by their names.
pub(crate) struct Categories<'a> {
    index: HashMap<&'a str, usize>,
    /// Then a cell is found by its value as well.
    are_numbers: bool,
}

impl<'a> Categories<'a> {
    pub fn new(names: &'a [String]) -> Self {
        let is_number = |name: &String| {
            name.parse().is_ok_and(|number: f64| category_of_number(number).is_some_and(|text| text == *name))
        };
        Categories {
            index: names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect(),
            are_numbers: names.iter().all(is_number),
        }
    }

    /// The index of the category of a cell.
    pub fn find(&self, table: &Table, row: usize, column: usize) -> Option<usize> {
        let cell = table.cell(row, column);
        let by_value = || {
            let number = table.plain_number(row, column).filter(|_| self.are_numbers)?;
            self.index.get(&*category_of_number(number)?)
        };
        self.index.get(&*cell).or_else(by_value).copied()
    }
}
