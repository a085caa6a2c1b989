//! The different values of a column, with a name each.

use std::collections::{BTreeMap, HashMap};

use crate::cell::category_of_number;
use crate::column::{Cell, Cells, Mapped};

/// The categories of some rows of a column that are not missing, in ascending order, with the rows that each has. Where all are
/// numbers they go by their value, so that 1 and 1.0 are one category; else each is its text.
pub(crate) fn categories_of(cells: &Cells, rows: &[usize]) -> Vec<(String, usize)> {
    let different = cells.different(rows.iter().copied().filter(|&row| !cells.meaning(row).is_missing));
    let by_value: Option<Vec<(f64, String, usize)>> = different
        .iter()
        .map(|&(row, count)| {
            let meaning = cells.meaning(row);
            let number = meaning.plain_number().filter(|_| !meaning.is_code)?;
            Some((number, category_of_number(number)?, count))
        })
        .collect();
    match by_value {
        Some(mut names) => {
            names.sort_by(|(a, ..), (b, ..)| (a + 0.0).total_cmp(&(b + 0.0)));
            let mut counts: Vec<(String, usize)> = Vec::new();
            for (_, name, count) in names {
                match counts.last_mut() {
                    Some((last, of_last)) if *last == name => *of_last += count,
                    _ => counts.push((name, count)),
                }
            }
            counts
        }
        None => {
            let named = different.into_iter().map(|(row, count)| (cells.text(row).into_owned(), count));
            named.collect::<BTreeMap<_, _>>().into_iter().collect()
        }
    }
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
    pub fn find(&self, cells: &Cells, cell: Cell<'_>) -> Option<usize> {
        let by_value = || {
            let number = cells.meaning_of(cell).plain_number().filter(|_| self.are_numbers)?;
            self.index.get(&*category_of_number(number)?)
        };
        self.index.get(&*cells.text_of(cell)).or_else(by_value).copied()
    }

    /// The index of the category of each cell of a column.
    pub fn of_cells<'c>(self, cells: &'c Cells) -> Mapped<'c, Option<usize>, impl Fn(Cell<'c>) -> Option<usize>> {
        Mapped::new(cells, move |cell| self.find(cells, cell))
    }
}
