//! What a column of a table is, found from its cells.

use std::cmp::Reverse;
use std::collections::HashSet;

use surefoot::Scaling;

use crate::categories::{categories_of, spellings};
use crate::column::Cells;
use crate::error::{Error, FINITE, Reason, Result};
use crate::kind::{Excluded, Kind};
use crate::table::{Table, short};

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

/// The kind of a column, or why it is none; and what a person should know of it, in a sentence each.
pub(crate) struct Found {
    pub kind: std::result::Result<Scaled, Excluded>,
    pub notes: Vec<String>,
}

/// A kind, with the centre and scale of its first input.
#[derive(Debug, PartialEq)]
pub(crate) struct Scaled {
    pub kind: Kind,
    pub first: (f64, f64),
}

/// Finds what a column is: its kind by all rows of the table, so that it is the same whichever part is learned from; all
/// else by these rows.
///
/// # Errors
/// [`Error::Cell`] for a cell that is no number where nearly all others are, or where it has to be; [`Error::Ambiguous`] for a
/// number that can be read in two ways.
pub(crate) fn find_kind(table: &Table, rows: &[usize], column: usize, asked: Asked) -> Result<Found> {
    let cells = table.cells(column);
    let found = |kind, notes| Ok(Found { kind, notes });
    let are_plain = cells.plain_numbers().is_some();
    let present = match are_plain {
        true => rows.len(),
        false => rows.iter().filter(|&&row| !cells.meaning(row).is_missing).count(),
    };
    let missing_indicator = present < rows.len();
    if present == 0 {
        return found(Err(Excluded::Empty), Vec::new());
    }
    let not_a_number = if are_plain { None } else { (0..cells.len()).find(|&row| cells.meaning(row).is_text()) };
    match (not_a_number, asked) {
        (Some(row), Asked::Number) => return Err(table.cell_error(row, column, Reason::TextInNumeric, NUMBER_ASKED)),
        (Some(row), _) if table.is_matrix() => return Err(table.cell_error(row, column, Reason::TextAsInput, FINITE)),
        (None, Asked::Nothing) if table.is_matrix() || !is_coded(cells) => {
            check_doubt(table, column)?;
            return found(number(table, rows, column, missing_indicator), cells.settled.notes.clone());
        }
        (None, Asked::Number) => {
            check_doubt(table, column)?;
            let (centre, scale) = Scaling::robust(&mut numbers(cells, rows.iter().copied()));
            let kind = number_kind(cells, centre, missing_indicator);
            return found(Ok(Scaled { kind, first: (centre, scale) }), cells.settled.notes.clone());
        }
        (None, _) | (_, Asked::Category | Asked::Nothing) => {}
    }
    if let (Some(row), Asked::Nothing) = (not_a_number, asked) {
        check_slips(table, column, row)?;
    }
    let kind = category(&categories_of(cells, rows), present, missing_indicator, asked);
    let mut notes: Vec<String> = spellings(cells, rows).into_iter().collect();
    if let (Some(row), Err(Excluded::FreeText | Excluded::Identifier)) = (not_a_number, &kind) {
        let all = (0..cells.len()).filter(|&row| !cells.meaning(row).is_missing).count();
        let numbers = (0..cells.len()).filter(|&row| cells.meaning(row).number.is_some()).count();
        if 2 * numbers > all {
            let cell = table.cell(row, column).into_owned();
            notes.push(format!("{numbers} of {all} cells are numbers, others are not, such as `{}`", short(&cell)));
        }
    }
    found(kind, notes)
}

/// That nothing about the numbers of a column is open.
///
/// # Errors
/// [`Error::Ambiguous`] with the readings.
pub(crate) fn check_doubt(table: &Table, column: usize) -> Result<()> {
    let Some(doubt) = &table.cells(column).settled.doubt else { return Ok(()) };
    Err(Error::Ambiguous {
        file: table.file().into(),
        column: short(&table.columns()[column]).into_owned(),
        reason: doubt.reason,
        cell: short(&doubt.cell).into_owned(),
        readings: Box::new(doubt.readings.clone()),
    })
}

/// That text, first seen in this row, is not a slip in a column that is meant to be numbers: that has numbers nearly
/// everywhere, or mostly and beside them no more than a few words.
///
/// # Errors
/// [`Error::Cell`] with the row.
pub(crate) fn check_slips(table: &Table, column: usize, row: usize) -> Result<()> {
    let cells = table.cells(column);
    let numbers = numbers(cells, 0..cells.len());
    let present = (0..cells.len()).filter(|&row| !cells.meaning(row).is_missing).count();
    if let Some(row) = (0..cells.len()).find(|&row| cells.meaning(row).is_infinite)
        && 2 * numbers.len() > present
    {
        return Err(table.cell_error(row, column, Reason::Infinite, FINITE));
    }
    if present < MIN_ROWS_OF_IDENTIFIER || different(&numbers) <= MAX_CODES.min(numbers.len() / 2) {
        return Ok(());
    }
    let words = cells.different((0..cells.len()).filter(|&row| cells.meaning(row).is_text())).len();
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
    if let Some(numbers) = cells.plain_numbers() {
        return rows.map(|row| numbers[row]).collect();
    }
    rows.filter_map(|row| cells.meaning(row).number).collect()
}

/// Whether its numbers are codes: with zeros in front, as telephone numbers have, or of more digits than a number holds; of many
/// not only a few.
pub(crate) fn is_coded(cells: &Cells) -> bool {
    if cells.plain_numbers().is_some() {
        return false;
    }
    let meanings = (0..cells.len()).map(|row| cells.meaning(row)).filter(|meaning| !meaning.is_missing);
    let (all, codes) = meanings.fold((0, 0), |(all, codes), meaning| (all + 1, codes + usize::from(meaning.is_code)));
    codes > 0 && codes * MOST_ROWS_A_CODE >= all
}

fn number_kind(cells: &Cells, fill: f64, missing_indicator: bool) -> Kind {
    Kind::Number { fill: Some(fill), missing_indicator, notation: cells.settled.notation.clone() }
}

/// A column of numbers, unless they are the same or number the rows.
fn number(
    table: &Table,
    rows: &[usize],
    column: usize,
    missing_indicator: bool,
) -> std::result::Result<Scaled, Excluded> {
    let cells = table.cells(column);
    let mut learned = numbers(cells, rows.iter().copied());
    let (centre, scale) = Scaling::robust(&mut learned);
    if learned.iter().all(|x| *x == learned[0]) && !missing_indicator {
        return Err(Excluded::Constant);
    }
    if !table.is_matrix()
        && let Some(excluded) = numbering(cells, &table.columns()[column], column == 0)
    {
        return Err(excluded);
    }
    Ok(Scaled { kind: number_kind(cells, centre, missing_indicator), first: (centre, scale) })
}

/// What names of columns mean row numbers, whatever the values: those that pandas, R and databases write.
const ROW_NUMBERS: [&str; 15] = [
    "...1",
    "index",
    "rowid",
    "row_id",
    "row id",
    "rowname",
    "row_names",
    "row.names",
    "rownames",
    "rownum",
    "row_number",
    "row number",
    "level_0",
    "#",
    "__index_level_0__",
];
/// What may mean it: the values have to look like it, too.
const COUNTS: [&str; 16] = [
    "x",
    "x1",
    "v1",
    "no",
    "no.",
    "nr",
    "nr.",
    "num",
    "number",
    "obs",
    "observation",
    "seq",
    "record",
    "case",
    "key",
    "row",
];
/// Row numbers of a part of a file: at least one in so many is there.
const MOST_GAPS: f64 = 2.0;
/// The same where the name says that they may be.
const MOST_GAPS_NAMED: f64 = 10.0;

/// Whether whole numbers number the rows: they count from 0 or 1, in any order; or all differ, and the name says so, or name
/// and values together do. `is_first`: it is the first column, where row numbers mostly are.
fn numbering(cells: &Cells, name: &str, is_first: bool) -> Option<Excluded> {
    let is_whole = |number: f64| number.fract() == 0.0;
    let are_whole = match cells.plain_numbers() {
        Some(numbers) => numbers.iter().all(|&number| is_whole(number)),
        None => (0..cells.len()).all(|row| cells.meaning(row).number.is_none_or(is_whole)),
    };
    if !are_whole {
        return None; // without sorting them
    }
    let mut sorted = numbers(cells, 0..cells.len());
    sorted.sort_unstable_by(f64::total_cmp);
    let [first, .., last] = sorted[..] else { return None };
    let count = sorted.len();
    sorted.dedup();
    let all_differ = sorted.len() == count;
    if count < MIN_ROWS_OF_IDENTIFIER || 2 * sorted.len() < count || first < 0.0 {
        return None;
    }
    let lower = name.trim().to_lowercase();
    let is_nameless = is_first && lower.trim_end_matches('_') == "column_1";
    let is_called_row_number = is_nameless || ROW_NUMBERS.contains(&&*lower) || lower.starts_with("unnamed: ");
    if is_called_row_number {
        return Some(Excluded::RowNumber);
    }
    if !all_differ {
        return None;
    }
    let span = last - first + 1.0;
    let is_dense = |most_gaps: f64| span <= most_gaps * count as f64 && first <= 1.0 + 0.05 * span;
    let counts = (first == 0.0 || first == 1.0) && span == count as f64;
    // a part of the rows leaves gaps here and there, measurements at a fixed step do not
    let has_one_step = sorted.windows(2).all(|pair| pair[1] - pair[0] == sorted[1] - first);
    let has_gaps = |most_gaps| !has_one_step && is_dense(most_gaps);
    if counts || is_first && has_gaps(MOST_GAPS) || COUNTS.contains(&&*lower) && has_gaps(MOST_GAPS_NAMED) {
        return Some(Excluded::RowNumber);
    }
    is_called_identifier(name).then_some(Excluded::Identifier)
}

/// Whether a name says that a column identifies its rows: with a word such as `id`, or ending in `Id`.
fn is_called_identifier(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let ends_in_id = name
        .strip_suffix("Id")
        .or_else(|| name.strip_suffix("ID"))
        .is_some_and(|rest| rest.ends_with(char::is_lowercase));
    words.any(|word| ["id", "uuid", "guid", "identifier"].contains(&&*word)) || ends_in_id
}

/// How many different numbers there are.
fn different(numbers: &[f64]) -> usize {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers.len()
}

/// A column of categories.
fn category(
    categories: &[(String, usize)],
    present: usize,
    missing_indicator: bool,
    asked: Asked,
) -> std::result::Result<Scaled, Excluded> {
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
            let kind = Kind::Binary { values: [first.clone(), second.clone()], missing_indicator };
            Ok(Scaled { kind, first: (0.5, 0.5) })
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
            Ok(Scaled { kind: Kind::Category { categories: kept, other, missing_indicator }, first: one_hot })
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
        found.kind.map(|found| found.kind).map_err(|why| why.reason().into())
    }

    fn number(fill: f64, missing_indicator: bool) -> Tried {
        Ok(Kind::Number { fill: Some(fill), missing_indicator, notation: crate::notation::Notation::default() })
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
        assert_eq!(of(&cells(&|i| (i * 7 % 20).to_string())), excluded(Excluded::RowNumber), "0 to 19 in some order");
        assert_eq!(of(&cells(&|i| (i + 1).to_string())), excluded(Excluded::RowNumber));
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
        let found = find_kind(&table, &training, 0, Asked::Nothing).unwrap().kind;
        assert_eq!(found, Err(Excluded::RowNumber), "they count all rows, if not those that are learned from");
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
