//! What is to be learned: the target column of a table, and what it means.

use surefoot::Task;

use crate::categories::{Categories, categories_of, spellings};
use crate::detection::{check_doubt, check_slips, is_coded};
use crate::error::{Error, Reason, Result};
use crate::notation::Notation;
use crate::table::{Table, short};

/// What the target columns mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One column of classes, with these names in the order of the network's outputs.
    Classes(Vec<String>),
    /// Columns of numbers, one for each output.
    Numbers,
}

/// The target of a table to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The name of its column.
    pub name: String,
    /// The place of that in the table.
    pub column: usize,
    /// What it means.
    pub targets: Targets,
    /// The rows that have a target; of the others nothing can be learned.
    pub rows: Vec<usize>,
    /// How its numbers are written.
    pub notation: Notation,
    /// What a person should know of it, in a sentence each.
    pub notes: Vec<String>,
}

/// Integers with at most so many different values are taken for classes.
const MAX_INTEGER_CLASSES: usize = 10;
/// So many different whole numbers are classes, whatever is absent between them.
const SURELY_CLASSES: usize = 5;
/// Whole numbers that may be absent between the first and the last class.
const MOST_ABSENT_CLASSES: usize = 1;
/// More classes than this have three rows each, or they were not meant to be classes.
const MANY_CLASSES: usize = 20;
/// What a table to learn from has.
pub(crate) const TARGETS: &str = "a target in some row";
/// What a target of regression has to be.
pub(crate) const NUMBER_TARGET: &str = "a finite number, as the task is regression";
/// The classes that an error names.
const SHOWN_CLASSES: usize = 20;

impl Target {
    /// Finds the target: the named column, else the one that is known to say what a row is, else the last that is not
    /// `beside` (of weights and groups). Without a task, text and codes (`014`) mean classes, and numbers mean regression, unless all
    /// are integers with at most 10 different values, some of which come twice; above 5 at most one may be absent between them. Classes are in ascending order: by number where all are numbers, else by
    /// text.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no such column, two have one name, no row with a target, only one class or number, or a class for each
    /// row; [`Error::Cell`] for a cell that is no number where the task is regression.
    pub fn find(table: &Table, name: Option<&str>, beside: &[&str], task: Option<Task>) -> Result<Self> {
        table.check_names()?;
        let last = || table.columns().iter().rev().map(String::as_str).find(|name| !beside.contains(name));
        let column = match name.or(table.label()).or_else(last) {
            Some(name) => table.column(name)?,
            None => 0,
        };
        let rows: Vec<usize> = (0..table.rows()).filter(|&row| !table.is_missing(row, column)).collect();
        let name = short(&table.columns()[column]).into_owned();
        let wrong = |reason, expected: String, got: String| Error::columns(table.file(), reason, expected, got);
        if rows.is_empty() {
            return Err(wrong(Reason::NoTarget, format!("{TARGETS} in column `{name}`"), "only missing cells".into()));
        }
        let cells = table.cells(column);
        let number = |row: usize| cells.meaning(row).number;
        // most numbers differ: nobody needs a name for each, unless they are classes
        let first = number(rows[0]);
        let differ = first.is_some() && rows.iter().any(|&row| number(row).is_some_and(|other| Some(other) != first));
        let mut categories = if differ { Vec::new() } else { categories_of(cells, &rows) };
        if let [(only, _)] = &categories[..] {
            let expected = format!("at least two different values in column `{name}`");
            return Err(wrong(Reason::ConstantTarget, expected, format!("`{}` in every row", short(only))));
        }
        let mut notes = Vec::new();
        let (task, asked) = match task {
            Some(task) => (task, true),
            None => (guess_task(table, &rows, column, &mut notes)?, false),
        };
        let targets = match task {
            Task::Regression => {
                if let Some(row) = rows.iter().find(|&&row| table.number(row, column).is_none()) {
                    return Err(table.cell_error(*row, column, Reason::TextAsTarget, NUMBER_TARGET));
                }
                check_doubt(table, column)?;
                notes.extend(cells.settled.notes.iter().cloned());
                Targets::Numbers
            }
            Task::Classification => {
                if differ {
                    categories = categories_of(cells, &rows);
                }
                notes.extend(spellings(cells, &rows));
                if categories.len() == rows.len() && categories.len() > MAX_INTEGER_CLASSES {
                    let expected = format!("at least two classes with several rows in column `{name}`");
                    return Err(wrong(Reason::Classes, expected, "a different class in every row".into()));
                }
                if !asked && categories.len() > MANY_CLASSES && 3 * categories.len() > rows.len() {
                    let expected = format!("several rows for each class in column `{name}`");
                    return Err(wrong(
                        Reason::ManyClasses,
                        expected,
                        format!("{} in {} rows", categories.len(), rows.len()),
                    ));
                }
                Targets::Classes(categories.into_iter().map(|(name, _)| name).collect())
            }
        };
        let notation = cells.settled.notation.clone();
        Ok(Target { name: table.columns()[column].clone(), column, targets, rows, notation, notes })
    }

    /// The class of each row of the table, 0 where none is; `None` for numbers.
    pub fn classes(&self, table: &Table) -> Option<Vec<usize>> {
        let Targets::Classes(names) = &self.targets else { return None };
        let classes = Categories::new(names).of_cells(table.cells(self.column));
        Some((0..table.rows()).map(|row| classes.get(row).unwrap_or(0)).collect())
    }
}

/// What the cells of a target say of the task: text and codes are classes, and so are whole numbers that are few, without a
/// gap between them.
///
/// # Errors
/// [`Error::Cell`] for a text where nearly all are numbers.
fn guess_task(table: &Table, rows: &[usize], column: usize, notes: &mut Vec<String>) -> Result<Task> {
    if let Some(row) = rows.iter().find(|&&row| table.number(row, column).is_none()) {
        check_slips(table, column, *row)?;
        return Ok(Task::Classification);
    }
    if is_coded(table.cells(column)) {
        notes.push("numbers are codes, so each is a class".into());
        return Ok(Task::Classification);
    }
    let mut numbers: Vec<f64> = rows.iter().filter_map(|&row| table.number(row, column)).collect();
    let are_whole = numbers.iter().all(|number| number.fract() == 0.0);
    if !are_whole {
        return Ok(Task::Regression); // without sorting them
    }
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.dedup();
    let are_few = numbers.len() <= MAX_INTEGER_CLASSES && (numbers.len() < rows.len() || rows.len() == 2);
    if !are_few {
        return Ok(Task::Regression);
    }
    let count = numbers.len();
    let span = numbers.last().unwrap_or(&0.0) - numbers.first().unwrap_or(&0.0) + 1.0;
    if count <= SURELY_CLASSES || span <= (count + MOST_ABSENT_CLASSES) as f64 {
        Ok(Task::Classification)
    } else {
        notes.push(format!(
            "its {count} different whole numbers are taken for numbers, as others are absent between them"
        ));
        Ok(Task::Regression)
    }
}

/// The error about a class that is not among the names.
pub(crate) fn unknown_class(table: &Table, row: usize, column: usize, names: &[String]) -> Error {
    let some: Vec<_> = names.iter().take(SHOWN_CLASSES).map(|name| short(name)).collect();
    let more = if names.len() > SHOWN_CLASSES { ", …" } else { "" };
    table.cell_error(row, column, Reason::UnknownClass, format!("one of the classes {}{more}", some.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(csv: &str) -> Table {
        Table::read("t.csv", csv.as_bytes()).unwrap()
    }

    fn targets_of(cells: &[&str]) -> Targets {
        let csv = format!("x,y\n{}", cells.iter().map(|cell| format!("0,{cell}\n")).collect::<String>());
        Target::find(&table(&csv), None, &[], None).unwrap().targets
    }

    fn classes(names: &[&str]) -> Targets {
        Targets::Classes(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_task_follows_from_the_target() {
        assert_eq!(targets_of(&["b", "a", "b"]), classes(&["a", "b"]));
        assert_eq!(targets_of(&["10", "9", "1.0", "1"]), classes(&["1", "9", "10"]));
        assert_eq!(targets_of(&["1", "x", "10"]), classes(&["1", "10", "x"]));
        assert_eq!(targets_of(&["007", "7", "abc", "1.0"]), classes(&["007", "1.0", "7", "abc"]));
        assert_eq!(targets_of(&["0", "-0", "1"]), classes(&["0", "1"]));
        assert_eq!(targets_of(&["0.5", "1"]), Targets::Numbers);
        let many: Vec<String> = (0..11).map(|i| i.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(targets_of(&many), Targets::Numbers);
        assert!(matches!(targets_of(&many[..10].repeat(2)), Targets::Classes(_)));
        assert_eq!(targets_of(&many[..10]), Targets::Numbers, "a price for each of ten houses");
    }

    #[test]
    fn rows_without_a_target_do_not_count() {
        let table = table("x,y\n1,a\n2,\n3,NaN\n4,b\n");
        let target = Target::find(&table, None, &[], None).unwrap();
        assert_eq!((target.rows.clone(), target.targets.clone()), (vec![0, 3], classes(&["a", "b"])));
        assert_eq!(target.classes(&table), Some(vec![0, 0, 0, 1]));
    }

    #[test]
    fn the_target_is_the_last_column_that_is_no_weight() {
        let table = table("x,y,w\n1,a,1\n2,b,1\n");
        assert_eq!(Target::find(&table, None, &["w"], None).unwrap().column, 1);
        assert_eq!(Target::find(&table, Some("x"), &["w"], None).unwrap().column, 0);
    }

    #[test]
    fn targets_that_cannot_be_learned_are_refused() {
        let refused = |csv: &str, target, task| Target::find(&table(csv), target, &[], task).unwrap_err();
        let message = |csv: &str, target, task| refused(csv, target, task).to_string();
        let same = "x,y\n1,2.5\n2,2.5\n";
        let reasons = [None, Some(Task::Classification)].map(|task| refused(same, None, task).reason());
        assert_eq!(reasons, [Reason::ConstantTarget, Reason::ConstantTarget]);
        assert_eq!(refused("x,y\n1,?\n", None, None).reason(), Reason::NoTarget);
        assert_eq!(refused("x,y\n1,a\n", Some("z"), None).reason(), Reason::UnknownColumn);
        assert_eq!(refused("x,y\n1,2\n2,b\n", None, Some(Task::Regression)).reason(), Reason::TextAsTarget);
        assert_eq!(
            message("x,y\n1,a\n2,a\n", None, None),
            "t.csv: expected at least two different values in column `y`, got `a` in every row"
        );
        assert_eq!(
            message("x,y\n1,2.5\n2,2.50\n", None, None),
            "t.csv: expected at least two different values in column `y`, got `2.5` in every row"
        );
        assert!(message("x,y\n1,?\n2,?\n", None, None).ends_with("got only missing cells"));
        let numbers = message("x,y\n1,2\n2,b\n", None, Some(Task::Regression));
        assert!(numbers.contains("line 3, column `y`: expected a finite number"), "{numbers}");
        let prices: String = (0..50).map(|i| if i == 9 { "1,n/k\n".into() } else { format!("1,{i}.5\n") }).collect();
        let slip = message(&format!("x,y\n{prices}"), None, None);
        assert!(slip.contains("line 11, column `y`") && slip.ends_with("got `n/k`"), "{slip}");
        let dates: String = (0..90).map(|i| format!("1,{}-{}-2026\n", i % 28, i % 12)).collect();
        let dates = message(&format!("x,y\n{dates}"), None, None);
        assert!(dates.contains("several rows for each class") && dates.ends_with("84 in 90 rows"), "{dates}");
        let ids: String = (0..11).map(|i| format!("1,id{i}\n")).collect();
        assert!(message(&format!("x,y\n{ids}"), None, None).ends_with("got a different class in every row"));
        assert!(message("x,y\n1,a\n", Some("z"), None).contains("a column `z`"));
    }
}
