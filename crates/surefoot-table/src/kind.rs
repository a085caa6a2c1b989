//! What a column of a table is: found from its cells.

use std::cmp::Reverse;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use surefoot::Scaling;

use crate::categories::categories_of;
use crate::cell::is_code;
use crate::error::{FINITE, NUMBER_ASKED, NUMBER_LIKE_OTHERS, Result};
use crate::table::Table;

/// How the cells of a column become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kind {
    /// A number, one input.
    Number {
        /// What stands for a missing cell; `None`: a cell has to be there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<f64>,
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
    /// One of two values: one input, 0 for the first, 1 for the second, ½ for missing and unseen ones.
    YesNo {
        /// The two, in ascending order.
        values: [String; 2],
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
    /// One of several values: one-hot, an input for each category.
    Category {
        /// Their names, in ascending order.
        categories: Vec<String>,
        /// One more input for rare and unseen ones; without it they are 0 everywhere.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other: bool,
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
}

/// Why a column is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Every cell differs: it names the row, and says nothing of other rows.
    Identifier,
    /// Text that hardly ever repeats.
    FreeText,
    /// All cells are equal.
    Constant,
    /// All cells are missing.
    Empty,
    /// It was asked to be.
    Ignored,
    /// It has the weights of the rows.
    Weight,
    /// It has the groups of the rows.
    Group,
}

impl LeftOut {
    /// The reason in a word or two.
    pub fn reason(self) -> &'static str {
        match self {
            LeftOut::Identifier => "identifier",
            LeftOut::FreeText => "text that hardly repeats",
            LeftOut::Constant => "constant",
            LeftOut::Empty => "empty",
            LeftOut::Ignored => "ignored",
            LeftOut::Weight => "weight",
            LeftOut::Group => "group",
        }
    }
}

/// What the user says of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Number,
    Category,
}

/// Categories with fewer training rows share one input.
const RARE: usize = 3;
/// The most categories of a column that have an input of their own: the most frequent.
const MAX_CATEGORIES: usize = 256;
/// In fewer rows nothing is taken for an identifier.
const MIN_ROWS_OF_IDENTIFIER: usize = 10;
/// A column is meant to be numbers when this share of its cells are, with more different ones than codes have.
const SHARE_OF_NUMBERS: f64 = 0.95;
const MAX_CODES: usize = 20;
/// More different texts than this, most of them seen once, are no categories.
const MAX_SINGLE_TEXTS: usize = 50;

impl Kind {
    /// The names of its inputs.
    pub fn inputs(&self, column: &str) -> Vec<String> {
        let mut names = match self {
            Kind::Number { .. } => vec![column.to_string()],
            Kind::YesNo { values: [_, second], .. } => vec![format!("{column}={second}")],
            Kind::Category { categories, other, .. } => {
                let mut names: Vec<String> = categories.iter().map(|name| format!("{column}={name}")).collect();
                names.extend(other.then(|| format!("{column}=(other)")));
                names
            }
        };
        names.extend(self.is_marked().then(|| format!("{column}=(missing)")));
        names
    }

    /// How many they are.
    pub fn width(&self) -> usize {
        usize::from(self.is_marked())
            + match self {
                Kind::Number { .. } | Kind::YesNo { .. } => 1,
                Kind::Category { categories, other, .. } => categories.len() + usize::from(*other),
            }
    }

    /// Whether an input says that the cell is missing.
    pub fn is_marked(&self) -> bool {
        match self {
            Kind::Number { marked, .. } | Kind::YesNo { marked, .. } | Kind::Category { marked, .. } => *marked,
        }
    }

    /// The kind in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Number { .. } => "number",
            Kind::YesNo { .. } => "yes/no",
            Kind::Category { .. } => "category",
        }
    }
}

/// The kind of a column by these rows, with the centre and scale of its first input; or why it is none.
pub(crate) type Found = std::result::Result<(Kind, (f64, f64)), LeftOut>;

/// Finds what a column is.
///
/// # Errors
/// [`Error::Cell`](crate::Error::Cell) for a cell that is no number where all others are, or where it has to be.
pub(crate) fn find_kind(table: &Table, rows: &[usize], column: usize, asked: Asked) -> Result<Found> {
    let (missing, present): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| table.is_missing(row, column));
    let marked = !missing.is_empty();
    if present.is_empty() && !table.is_matrix() {
        return Ok(Err(LeftOut::Empty));
    }
    let is_text = |row: usize| table.number(row, column).is_none();
    let is_coded = || present.iter().any(|&row| is_code(&table.cell(row, column)));
    let not_a_number = present.iter().copied().find(|&row| is_text(row));
    match (not_a_number, asked) {
        (Some(row), Asked::Number) => return Err(table.cell_error(row, column, NUMBER_ASKED)),
        (Some(row), _) if table.is_matrix() => return Err(table.cell_error(row, column, FINITE)),
        (None, Asked::Nothing) if table.is_matrix() || !is_coded() => {
            return Ok(number(table, &present, column, marked, true));
        }
        (None, Asked::Number) => return Ok(number(table, &present, column, marked, false)),
        (Some(row), Asked::Nothing) => {
            let numbers: Vec<f64> = present.iter().filter_map(|&row| table.number(row, column)).collect();
            let share = numbers.len() as f64 / present.len() as f64;
            if share >= SHARE_OF_NUMBERS && different(&numbers) > MAX_CODES {
                return Err(table.cell_error(row, column, NUMBER_LIKE_OTHERS));
            }
        }
        (None, _) | (_, Asked::Category) => {}
    }
    Ok(category(&categories_of(table, rows, column), present.len(), marked, asked))
}

/// A column of numbers.
fn number(table: &Table, present: &[usize], column: usize, marked: bool, look_closer: bool) -> Found {
    let mut numbers: Vec<f64> = present.iter().filter_map(|&row| table.number(row, column)).collect();
    let (centre, scale) = Scaling::robust(&mut numbers); // sorted from here on
    if look_closer && !table.is_matrix() {
        let is_constant = numbers.first() == numbers.last();
        if is_constant && !marked {
            return Err(LeftOut::Constant);
        }
        if is_numbering(&numbers, &table.columns()[column]) {
            return Err(LeftOut::Identifier);
        }
    }
    Ok((Kind::Number { fill: Some(centre), marked }, (centre, scale)))
}

/// Whether whole numbers that all differ count the rows from 0 or 1, in any order, or are called what identifiers are.
fn is_numbering(sorted: &[f64], name: &str) -> bool {
    let [first, .., last] = sorted else { return false };
    let all_differ = sorted.windows(2).all(|pair| pair[0] < pair[1]);
    if sorted.len() < MIN_ROWS_OF_IDENTIFIER || !all_differ || sorted.iter().any(|number| number.fract() != 0.0) {
        return false;
    }
    let counts = (*first == 0.0 || *first == 1.0) && last - first == (sorted.len() - 1) as f64;
    let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let is_word = |word: &String| ["id", "uuid", "key", "index", "no", "nr", "nummer", "identifier"].contains(&&**word);
    counts || words.iter().any(is_word) || name.ends_with("Id") || name.ends_with("ID")
}

/// How many different numbers there are.
fn different(numbers: &[f64]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers.len()
}

/// A column of categories.
fn category(categories: &[(String, usize)], present: usize, marked: bool, asked: Asked) -> Found {
    let one_hot = (0.0, 1.0);
    if asked == Asked::Nothing {
        let single = categories.iter().filter(|(_, count)| *count == 1).count();
        if present >= MIN_ROWS_OF_IDENTIFIER && single == present {
            return Err(LeftOut::Identifier);
        }
        if categories.len() > MAX_SINGLE_TEXTS && 2 * single > categories.len() {
            return Err(LeftOut::FreeText);
        }
    }
    match categories {
        [_] if !marked => Err(LeftOut::Constant),
        [(first, _), (second, _)] => Ok((Kind::YesNo { values: [first.clone(), second.clone()], marked }, (0.5, 0.5))),
        _ => {
            let mut by_count: Vec<&(String, usize)> = categories.iter().filter(|(_, count)| *count >= RARE).collect();
            by_count.sort_by_key(|(_, count)| Reverse(*count)); // stable: of equals the first by name
            let frequent: HashSet<&String> = by_count.iter().take(MAX_CATEGORIES).map(|(name, _)| name).collect();
            let names = categories.iter().map(|(name, _)| name);
            let kept: Vec<String> = names.filter(|name| frequent.contains(name)).cloned().collect();
            let other = kept.len() < categories.len();
            if kept.is_empty() && !marked {
                return Err(LeftOut::FreeText);
            }
            Ok((Kind::Category { categories: kept, other, marked }, one_hot))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tried = std::result::Result<Kind, String>;

    /// The kind of a column with these cells, or the error or the reason why it is left out.
    fn found(cells: &[&str]) -> Tried {
        found_named("x", cells, Asked::Nothing)
    }

    fn found_named(name: &str, cells: &[&str], asked: Asked) -> Tried {
        let csv = format!("{name},y\n{}", cells.iter().map(|cell| format!("{cell},1\n")).collect::<String>());
        let table = Table::read("t.csv", csv.as_bytes()).unwrap();
        let found = find_kind(&table, &table.all_rows(), 0, asked).map_err(|error| error.to_string())?;
        found.map(|(kind, _)| kind).map_err(|why| why.reason().into())
    }

    fn number(fill: f64, marked: bool) -> Tried {
        Ok(Kind::Number { fill: Some(fill), marked })
    }

    fn left_out(why: LeftOut) -> Tried {
        Err(why.reason().into())
    }

    #[test]
    fn numbers_are_numbers_with_their_median_for_missing_cells() {
        assert_eq!(found(&["1.5", "3", "7"]), number(3.0, false));
        assert_eq!(found(&["1.5", "", "NA", "7", "?"]), number(4.25, true));
        assert_eq!(found(&["0", "1", "1"]), number(1.0, false));
        assert_eq!(found(&["5", "5", "null"]), number(5.0, true), "that it is missing may say something");
    }

    #[test]
    fn texts_are_categories_or_yes_and_no() {
        let yes_no = |first: &str, second: &str, marked| {
            Ok(Kind::YesNo { values: [first.to_string(), second.to_string()], marked })
        };
        assert_eq!(found(&["yes", "no", "yes"]), yes_no("no", "yes", false));
        assert_eq!(found(&["m", "f", "N/A"]), yes_no("f", "m", true));
        let cells: Vec<&str> = ["red", "green", "blue", "red", "green", "red", "green"].to_vec();
        let categories = vec!["green".to_string(), "red".to_string()];
        assert_eq!(found(&cells), Ok(Kind::Category { categories, other: true, marked: false }), "blue is rare");
        let postcodes = ["0123", "0456", "0123", "0456", "0123", "0456"];
        assert_eq!(found(&postcodes), yes_no("0123", "0456", false), "zeros in front make a code");
        let one = Kind::Category { categories: vec!["a".into()], other: false, marked: true };
        assert_eq!(found(&["a", "", "a", "a"]), Ok(one), "there or not");
    }

    #[test]
    fn identifiers_are_left_out_and_measured_numbers_never() {
        let cells = |f: &dyn Fn(usize) -> String| (0..20).map(f).collect::<Vec<_>>();
        let of = |cells: &[String]| found(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(of(&cells(&|i| format!("name {i}"))), left_out(LeftOut::Identifier));
        assert_eq!(of(&cells(&|i| (i * 7 % 20).to_string())), left_out(LeftOut::Identifier), "0 to 19 in some order");
        assert_eq!(of(&cells(&|i| (i + 1).to_string())), left_out(LeftOut::Identifier));
        assert!(of(&cells(&|i| (i * i).to_string())).is_ok(), "whole numbers that all differ may be measured");
        assert!(of(&cells(&|i| (i + 1990).to_string())).is_ok(), "so may years");
        assert!(of(&cells(&|i| format!("{i}.5"))).is_ok());
        let squares = cells(&|i| (i * i + 1000).to_string());
        let squares: Vec<&str> = squares.iter().map(String::as_str).collect();
        for name in ["id", "Customer ID", "customer_id", "customerId"] {
            assert_eq!(found_named(name, &squares, Asked::Nothing), left_out(LeftOut::Identifier), "{name}");
            assert!(found_named(name, &squares, Asked::Number).is_ok(), "asked for");
        }
        assert!(found_named("width", &squares, Asked::Nothing).is_ok());
        let names = cells(&|i| format!("name {i}"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(found_named("x", &names, Asked::Category).is_err(), "each of these categories is rare");
        let texts: Vec<String> = (0..200).map(|i| format!("note {}", i.min(150))).collect();
        assert_eq!(of(&texts), left_out(LeftOut::FreeText));
    }

    #[test]
    fn columns_without_anything_to_learn_are_left_out() {
        assert_eq!(found(&["5", "5.0", "5"]), left_out(LeftOut::Constant));
        assert_eq!(found(&["a", "a", "a"]), left_out(LeftOut::Constant));
        assert_eq!(found(&["", "NA", "?"]), left_out(LeftOut::Empty));
    }

    #[test]
    fn a_slip_among_numbers_is_an_error_and_a_code_among_codes_is_not() {
        let mut cells: Vec<String> = (0..60).map(|i| format!("{i}.5")).collect();
        cells[30] = "3o.5".into();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let error = found(&cells).unwrap_err();
        assert!(error.starts_with("t.csv, line 32, column `x`: expected a finite number") && error.ends_with("`3o.5`"));
        assert!(matches!(found_named("x", &cells, Asked::Category), Err(why) if why == LeftOut::FreeText.reason()));
        let error = found_named("x", &["1", "a", "2"], Asked::Number).unwrap_err();
        assert!(error.contains("as --numeric says") && error.contains("line 3"), "{error}");
        let codes: Vec<&str> = ["1", "2", "3", "4a"].repeat(10);
        assert!(matches!(found(&codes), Ok(Kind::Category { .. })));
    }

    #[test]
    fn inputs_have_names_of_their_own() {
        let kind = Kind::Category { categories: vec!["a".into(), "b".into()], other: true, marked: true };
        assert_eq!(kind.inputs("x"), ["x=a", "x=b", "x=(other)", "x=(missing)"]);
        assert_eq!(kind.width(), 4);
        let kind = Kind::YesNo { values: ["no".into(), "yes".into()], marked: false };
        assert_eq!((kind.inputs("x"), kind.width()), (vec!["x=yes".to_string()], 1));
    }
}
