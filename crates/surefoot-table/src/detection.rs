//! What a column of a table is, found from its cells.

use std::cmp::Reverse;
use std::collections::HashSet;

use surefoot::Scaling;

use crate::categories::categories_of;
use crate::column::Cells;
use crate::error::{FINITE, Reason, Result};
use crate::kind::{Excluded, Kind};
use crate::table::Table;

/// What the user says of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Number,
    Category,
}

/// What a cell is where nearly all others of its column are.
const NUMBER_LIKE_OTHERS: &str = "a finite number, like nearly all cells of this column, or an empty cell";
/// What a cell is in a column declared numeric.
const NUMBER_ASKED: &str = "a finite number, as the column is declared numeric, or an empty cell";

/// Categories with fewer training rows share one input.
const RARE: usize = 3;
/// The most categories of a column that have an input of their own: the most frequent.
const MAX_CATEGORIES: usize = 256;
/// In fewer rows nothing is taken for an identifier or a slip.
const MIN_ROWS_OF_IDENTIFIER: usize = 10;
/// A column is meant to be numbers when this share of its cells are, with more different ones than codes have.
const SHARE_OF_NUMBERS: f64 = 0.95;
const MAX_CODES: usize = 20;
/// Words that may mean something special between numbers, as `<0.1` or `none`; with more, numbers are codes among codes.
const MAX_MARKS: usize = 3;
/// Numbers are codes when at least one in so many has zeros in front.
const MOST_ROWS_A_CODE: usize = 100;
/// More different texts than this are no categories where most rows have one that is seen once.
const MAX_SINGLE_TEXTS: usize = 50;

/// The kind of a column by these rows, with the centre and scale of its first input; or why it is none.
pub(crate) type Found = std::result::Result<(Kind, (f64, f64)), Excluded>;

/// Finds what a column is: its kind by all rows of the table, so that it is the same whichever part is learned from; all
/// else by these rows.
///
/// # Errors
/// [`Error::Cell`](crate::Error::Cell) for a cell that is no number where nearly all others are, or where it has to be.
pub(crate) fn find_kind(table: &Table, rows: &[usize], column: usize, asked: Asked) -> Result<Found> {
    let cells = table.cells(column);
    let present = rows.iter().filter(|&&row| !cells.meaning(row).is_missing).count();
    let missing_indicator = present < rows.len();
    if present == 0 {
        return Ok(Err(Excluded::Empty));
    }
    let is_no_number = |&row: &usize| {
        let meaning = cells.meaning(row);
        meaning.number.is_none() && !meaning.is_missing
    };
    let not_a_number = (0..cells.len()).find(is_no_number);
    match (not_a_number, asked) {
        (Some(row), Asked::Number) => return Err(table.cell_error(row, column, Reason::TextInNumeric, NUMBER_ASKED)),
        (Some(row), _) if table.is_matrix() => return Err(table.cell_error(row, column, Reason::TextAsInput, FINITE)),
        (None, Asked::Nothing) if table.is_matrix() || !is_coded(cells) => {
            return Ok(number(table, rows, column, missing_indicator));
        }
        (None, Asked::Number) => {
            let (centre, scale) = Scaling::robust(&mut numbers(cells, rows.iter().copied()));
            return Ok(Ok((Kind::Number { fill: Some(centre), missing_indicator }, (centre, scale))));
        }
        (None, _) | (_, Asked::Category | Asked::Nothing) => {}
    }
    if let (Some(row), Asked::Nothing) = (not_a_number, asked) {
        check_slips(table, column, row)?;
    }
    Ok(category(&categories_of(cells, rows), present, missing_indicator, asked))
}

/// That text, first seen in this row, is not a slip in a column that is meant to be numbers: that has numbers nearly
/// everywhere, or mostly and beside them no more than a few words.
///
/// # Errors
/// [`Error::Cell`](crate::Error::Cell) with the row.
pub(crate) fn check_slips(table: &Table, column: usize, row: usize) -> Result<()> {
    let cells = table.cells(column);
    let numbers = numbers(cells, 0..cells.len());
    let present = (0..cells.len()).filter(|&row| !cells.meaning(row).is_missing).count();
    if present < MIN_ROWS_OF_IDENTIFIER || different(&numbers) <= MAX_CODES.min(numbers.len() / 2) {
        return Ok(());
    }
    let is_text = |&row: &usize| {
        let meaning = cells.meaning(row);
        meaning.number.is_none() && !meaning.is_missing
    };
    let words = cells.different((0..cells.len()).filter(is_text)).len();
    let texts = present - numbers.len();
    let is_nearly_all = texts == 1
        || numbers.len() as f64 >= SHARE_OF_NUMBERS * present as f64
        || words <= MAX_MARKS && numbers.len() > texts;
    if is_nearly_all {
        Err(table.cell_error(row, column, Reason::TextAmongNumbers, NUMBER_LIKE_OTHERS))
    } else {
        Ok(())
    }
}

/// The numbers in these rows; missing cells have none.
fn numbers(cells: &Cells, rows: impl Iterator<Item = usize>) -> Vec<f64> {
    rows.filter_map(|row| cells.meaning(row).number).collect()
}

/// Whether its numbers have zeros in front, as codes and telephone numbers do; of many not only a few.
fn is_coded(cells: &Cells) -> bool {
    let meanings = (0..cells.len()).map(|row| cells.meaning(row)).filter(|meaning| !meaning.is_missing);
    let (all, codes) = meanings.fold((0, 0), |(all, codes), meaning| (all + 1, codes + usize::from(meaning.is_code)));
    codes > 0 && codes * MOST_ROWS_A_CODE >= all
}

/// A column of numbers, unless they are the same or number the rows.
fn number(table: &Table, rows: &[usize], column: usize, missing_indicator: bool) -> Found {
    let cells = table.cells(column);
    let mut learned = numbers(cells, rows.iter().copied());
    let (centre, scale) = Scaling::robust(&mut learned); // sorted from here on
    if learned.first() == learned.last() && !missing_indicator {
        return Err(Excluded::Constant);
    }
    if !table.is_matrix() && is_numbering(cells, &table.columns()[column]) {
        return Err(Excluded::Identifier);
    }
    Ok((Kind::Number { fill: Some(centre), missing_indicator }, (centre, scale)))
}

/// Whether whole numbers that all differ count the rows from 0 or 1, in any order, or are called what identifiers are.
fn is_numbering(cells: &Cells, name: &str) -> bool {
    let are_whole = (0..cells.len()).all(|row| cells.meaning(row).number.is_none_or(|number| number.fract() == 0.0));
    if !are_whole {
        return false; // without sorting them
    }
    let mut sorted = numbers(cells, 0..cells.len());
    sorted.sort_unstable_by(f64::total_cmp);
    let [first, .., last] = sorted[..] else { return false };
    let all_differ = sorted.windows(2).all(|pair| pair[0] < pair[1]);
    if sorted.len() < MIN_ROWS_OF_IDENTIFIER || !all_differ {
        return false;
    }
    let counts = (first == 0.0 || first == 1.0) && last - first == (sorted.len() - 1) as f64;
    let mut words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let is_word = |word: String| ["id", "uuid", "guid", "index", "identifier"].contains(&&*word);
    let ends_in_id = name
        .strip_suffix("Id")
        .or_else(|| name.strip_suffix("ID"))
        .is_some_and(|rest| rest.ends_with(char::is_lowercase));
    counts || words.any(is_word) || ends_in_id
}

/// How many different numbers there are.
fn different(numbers: &[f64]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers.len()
}

/// A column of categories.
fn category(categories: &[(String, usize)], present: usize, missing_indicator: bool, asked: Asked) -> Found {
    let one_hot = (0.0, 1.0);
    if asked == Asked::Nothing {
        let single = categories.iter().filter(|(_, count)| *count == 1).count();
        if present >= MIN_ROWS_OF_IDENTIFIER && single == present {
            return Err(Excluded::Identifier);
        }
        if categories.len() > MAX_SINGLE_TEXTS && 2 * single > present {
            return Err(Excluded::FreeText);
        }
    }
    match categories {
        [_] if !missing_indicator => Err(Excluded::Constant),
        [(first, _), (second, _)] => {
            Ok((Kind::Binary { values: [first.clone(), second.clone()], missing_indicator }, (0.5, 0.5)))
        }
        _ => {
            let rare = if asked == Asked::Category { 1 } else { RARE };
            let mut by_count: Vec<&(String, usize)> = categories.iter().filter(|(_, count)| *count >= rare).collect();
            by_count.sort_by_key(|(_, count)| Reverse(*count)); // stable: of equals the first by name
            let frequent: HashSet<&String> = by_count.iter().take(MAX_CATEGORIES).map(|(name, _)| name).collect();
            let names = categories.iter().map(|(name, _)| name);
            let kept: Vec<String> = names.filter(|name| frequent.contains(name)).cloned().collect();
            let other = kept.len() < categories.len();
            if kept.is_empty() && !missing_indicator {
                return Err(Excluded::FreeText);
            }
            Ok((Kind::Category { categories: kept, other, missing_indicator }, one_hot))
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

    fn number(fill: f64, missing_indicator: bool) -> Tried {
        Ok(Kind::Number { fill: Some(fill), missing_indicator })
    }

    fn excluded(why: Excluded) -> Tried {
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
        let yes_no = |first: &str, second: &str, missing_indicator| {
            Ok(Kind::Binary { values: [first.to_string(), second.to_string()], missing_indicator })
        };
        assert_eq!(found(&["yes", "no", "yes"]), yes_no("no", "yes", false));
        assert_eq!(found(&["m", "f", "N/A"]), yes_no("f", "m", true));
        let cells: Vec<&str> = ["red", "green", "blue", "red", "green", "red", "green"].to_vec();
        let categories = vec!["green".to_string(), "red".to_string()];
        assert_eq!(
            found(&cells),
            Ok(Kind::Category { categories, other: true, missing_indicator: false }),
            "blue is rare"
        );
        let postcodes = ["0123", "0456", "0123", "0456", "0123", "0456"];
        assert_eq!(found(&postcodes), yes_no("0123", "0456", false), "zeros in front make a code");
        let one = Kind::Category { categories: vec!["a".into()], other: false, missing_indicator: true };
        assert_eq!(found(&["a", "", "a", "a"]), Ok(one), "there or not");
    }

    #[test]
    fn identifiers_are_left_out_and_measured_numbers_never() {
        let cells = |f: &dyn Fn(usize) -> String| (0..20).map(f).collect::<Vec<_>>();
        let of = |cells: &[String]| found(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(of(&cells(&|i| format!("name {i}"))), excluded(Excluded::Identifier));
        assert_eq!(of(&cells(&|i| (i * 7 % 20).to_string())), excluded(Excluded::Identifier), "0 to 19 in some order");
        assert_eq!(of(&cells(&|i| (i + 1).to_string())), excluded(Excluded::Identifier));
        assert!(of(&cells(&|i| (i * i).to_string())).is_ok(), "whole numbers that all differ may be measured");
        assert!(of(&cells(&|i| (i + 1990).to_string())).is_ok(), "so may years");
        assert!(of(&cells(&|i| format!("{i}.5"))).is_ok());
        let squares = cells(&|i| (i * i + 1000).to_string());
        let squares: Vec<&str> = squares.iter().map(String::as_str).collect();
        for name in ["id", "Customer ID", "customer_id", "customerId"] {
            assert_eq!(found_named(name, &squares, Asked::Nothing), excluded(Excluded::Identifier), "{name}");
            assert!(found_named(name, &squares, Asked::Number).is_ok(), "asked for");
        }
        assert!(found_named("width", &squares, Asked::Nothing).is_ok());
        let names = cells(&|i| format!("name {i}"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(found_named("x", &names, Asked::Category).is_ok(), "asked for");
        let texts: Vec<String> = (0..200).map(|i| format!("note {}", i.min(150))).collect();
        assert_eq!(of(&texts), excluded(Excluded::FreeText));
        let cities = (0..400).map(|i| if i < 300 { format!("city {}", i % 60) } else { format!("village {i}") });
        assert!(of(&cities.collect::<Vec<_>>()).is_ok(), "three quarters of the rows are in cities");
        for name in ["AMOUNT_PAID", "price no VAT", "COVID", "width"] {
            assert!(found_named(name, &squares, Asked::Nothing).is_ok(), "{name}");
        }
        let training: Vec<usize> = (0..20).filter(|row| row % 5 > 0).collect();
        let csv = format!("x,y\n{}", (0..20).map(|i| format!("{i},1\n")).collect::<String>());
        let table = Table::read("t", csv.as_bytes()).unwrap();
        let found = find_kind(&table, &training, 0, Asked::Nothing).unwrap();
        assert_eq!(found, Err(Excluded::Identifier), "they count all rows, if not those that are learned from");
    }

    #[test]
    fn columns_without_anything_to_learn_are_left_out() {
        assert_eq!(found(&["5", "5.0", "5"]), excluded(Excluded::Constant));
        assert_eq!(found(&["a", "a", "a"]), excluded(Excluded::Constant));
        assert_eq!(found(&["", "NA", "?"]), excluded(Excluded::Empty));
    }

    #[test]
    fn a_slip_among_numbers_is_an_error_and_a_code_among_codes_is_not() {
        let mut cells: Vec<String> = (0..60).map(|i| format!("{i}.5")).collect();
        cells[30] = "3o.5".into();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let error = found(&cells).unwrap_err();
        assert!(error.starts_with("t.csv, line 32, column `x`: expected a finite number") && error.ends_with("`3o.5`"));
        assert!(found_named("x", &cells, Asked::Category).is_ok());
        let mut few: Vec<&str> = ["1.5", "2.5", "3.25", "4.5", "5.5", "6.5", "7.5", "8.5", "9.5", "12..5"].to_vec();
        assert!(found(&few).unwrap_err().ends_with("`12..5`"));
        few[9] = "10.5";
        assert!(found(&few).is_ok());
        let missing_indicator: Vec<String> =
            (0..50).map(|i| if i % 6 == 0 { "<0.1".into() } else { format!("{i}.5") }).collect();
        let error = found(&missing_indicator.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_err();
        assert!(error.ends_with("`<0.1`"), "one word between numbers: {error}");
        let ticket = |i: usize| if i.is_multiple_of(4) { format!("A/{i}") } else { (i * 37).to_string() };
        let tickets: Vec<String> = (0..80).map(ticket).collect();
        let tickets: Vec<&str> = tickets.iter().map(String::as_str).collect();
        assert_eq!(found(&tickets), excluded(Excluded::Identifier), "numbers among other codes");
        let zeros: Vec<String> = (0..400).map(|i| if i == 7 { "000".into() } else { (i * i).to_string() }).collect();
        assert!(matches!(found(&zeros.iter().map(String::as_str).collect::<Vec<_>>()), Ok(Kind::Number { .. })));
        let people: Vec<String> = (0..30).map(|i| format!("{}.5 %", i % 13)).collect();
        assert!(matches!(found(&people.iter().map(String::as_str).collect::<Vec<_>>()), Ok(Kind::Number { .. })));
        let error = found_named("x", &["1", "a", "2"], Asked::Number).unwrap_err();
        assert!(error.contains("as the column is declared numeric") && error.contains("line 3"), "{error}");
        let codes: Vec<&str> = ["1", "2", "3", "4a"].repeat(10);
        assert!(matches!(found(&codes), Ok(Kind::Category { .. })));
    }
}
