//! Which columns are inputs and which are targets, and what the targets mean.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::Array2;
use surefoot::{Model, Task};

use crate::error::{AN_INPUT, Error, NUMBER_TARGET, Result, TWO_CLASSES};
use crate::table::{Table, parse, short};

/// How the rows of a table become examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The names of the columns of numbers that are inputs, in the order of the network's inputs.
    pub input_columns: Vec<String>,
    /// The names of the target columns.
    pub target_columns: Vec<String>,
    /// What the targets mean.
    pub targets: Targets,
}

/// What the target columns mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One column of classes, with these names in the order of the network's outputs.
    Classes(Vec<String>),
    /// Columns of numbers, one for each output.
    Numbers,
}

/// Integers with at most so many different values are taken for classes.
const MAX_INTEGER_CLASSES: usize = 10;
/// The classes that an error names.
const SHOWN_CLASSES: usize = 20;

impl Encoding {
    /// Finds the encoding of a table to learn from: the target is the named column, or the last one; the others are
    /// inputs. Without a task, text means classes, and numbers mean regression, unless all are integers with at most
    /// 10 different values. Classes are in ascending order: by number where all are numbers, else by text.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no such column, no other column, only one class, or a class for each row;
    /// [`Error::Cell`] for a target that is empty, NaN or infinite.
    pub fn find(table: &Table, target: Option<&str>, task: Option<Task>) -> Result<Self> {
        let columns =
            |expected: &str, got: String| Error::Columns { file: table.file().into(), expected: expected.into(), got };
        let target = match target {
            Some(name) => table.column(name)?,
            None => table.columns().len().saturating_sub(1),
        };
        let input_columns: Vec<String> =
            table.columns().iter().enumerate().filter(|&(i, _)| i != target).map(|(_, name)| name.clone()).collect();
        if input_columns.is_empty() {
            return Err(columns(&format!("{AN_INPUT} beside the target"), format!("{} column", table.columns().len())));
        }
        // a cell that says NaN or infinity has no more of a class than of a number
        let nothing = |cell: Cow<'_, str>| cell.is_empty() || cell.parse().is_ok_and(|x: f64| !x.is_finite());
        if let Some(row) = table.cells(target).position(nothing) {
            return Err(table.cell_error(row, target, "a target"));
        }
        let target_columns = vec![table.columns()[target].clone()];
        let task = task.unwrap_or_else(|| guess_task(table, target));
        let targets = match task {
            Task::Regression => Targets::Numbers,
            Task::Classification => {
                let names = class_names(table, target);
                if names.len() < 2 {
                    let expected = format!("{TWO_CLASSES} in column `{}`", target_columns[0]);
                    return Err(columns(&expected, format!("`{}` in every row", short(&names.join("")))));
                }
                if names.len() == table.rows() && names.len() > MAX_INTEGER_CLASSES {
                    let expected = format!("{TWO_CLASSES} with several rows in column `{}`", target_columns[0]);
                    return Err(columns(&expected, "another class in every row".into()));
                }
                Targets::Classes(names)
            }
        };
        Ok(Encoding { input_columns, target_columns, targets })
    }

    /// The encoding of a table that an autoencoder learns from: all columns are inputs, and targets as well, but for one
    /// that is named, or the label of a built-in set, which is left out.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no such column, or no other.
    pub fn of_autoencoder(table: &Table, left_out: Option<&str>) -> Result<Self> {
        let left_out = match left_out.or(table.label()) {
            Some(name) => Some(table.column(name)?),
            None => None,
        };
        let columns = table.columns().iter().enumerate().filter(|&(i, _)| Some(i) != left_out);
        let input_columns: Vec<String> = columns.map(|(_, name)| name.clone()).collect();
        if input_columns.is_empty() {
            let (expected, got) = (AN_INPUT.into(), "none".into());
            return Err(Error::Columns { file: table.file().into(), expected, got });
        }
        Ok(Encoding { target_columns: input_columns.clone(), input_columns, targets: Targets::Numbers })
    }

    /// The encoding that a model asks for. Columns are found by the names that the model has; where it has none, they
    /// are those of the table by their position: first the inputs, then the targets.
    pub fn of_model(model: &Model, table: &Table) -> Self {
        let mut rest = table.columns().iter();
        let mut positions = |count| rest.by_ref().take(count).cloned().collect::<Vec<_>>();
        let or_positions =
            |names: &[String], positions: Vec<String>| if names.is_empty() { positions } else { names.to_vec() };
        let input_columns = or_positions(&model.input_columns, positions(model.network.inputs()));
        let target_count = if model.classes.is_empty() { model.network.outputs() } else { 1 };
        let target_columns = or_positions(&model.target_columns, positions(target_count));
        let targets = match model.classes.as_slice() {
            [] => Targets::Numbers,
            names => Targets::Classes(names.to_vec()),
        };
        Encoding { input_columns, target_columns, targets }
    }

    /// The inputs of every row.
    ///
    /// # Errors
    /// [`Error::Columns`] for a missing column, [`Error::Cell`] for a cell that is not a finite number.
    pub fn inputs(&self, table: &Table) -> Result<Array2<f64>> {
        table.numbers(&self.find_columns(table, &self.input_columns)?)
    }

    /// The targets of every row for a network with so many outputs: numbers as they are; classes as 1 for the class
    /// and 0 for the others, and for two classes on one output as 1 for the second.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Cell`] for a class that the encoding does not know.
    pub fn targets(&self, table: &Table, outputs: usize) -> Result<Array2<f64>> {
        let columns = self.find_columns(table, &self.target_columns)?;
        let needed = if self.targets == Targets::Numbers { outputs } else { 1 };
        if columns.len() != needed {
            let (expected, got) = (format!("target columns ({needed}) beside the inputs"), columns.len().to_string());
            return Err(Error::Columns { file: table.file().into(), expected, got });
        }
        match &self.targets {
            Targets::Numbers => table.numbers_expected(&columns, NUMBER_TARGET),
            Targets::Classes(names) => {
                let mut targets = Array2::zeros((table.rows(), outputs));
                for (row, class) in find_classes(table, columns[0], names)?.into_iter().enumerate() {
                    match outputs {
                        1 => targets[[row, 0]] = class as f64,
                        _ => targets[[row, class]] = 1.0,
                    }
                }
                Ok(targets)
            }
        }
    }

    fn find_columns(&self, table: &Table, names: &[String]) -> Result<Vec<usize>> {
        names.iter().map(|name| table.column(name)).collect()
    }
}

fn guess_task(table: &Table, target: usize) -> Task {
    let numbers: Option<Vec<f64>> = table.cells(target).map(|cell| cell.parse().ok()).collect();
    let Some(mut numbers) = numbers else { return Task::Classification };
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let integers = numbers.iter().all(|number| number.fract() == 0.0);
    if integers && numbers.len() <= MAX_INTEGER_CLASSES { Task::Classification } else { Task::Regression }
}

/// The value of a cell that stands for a class as a number: whole enough for its text to follow from its value.
fn class_number(cell: &str) -> Option<f64> {
    parse(cell).filter(|number| number.abs() < (1u64 << 53) as f64)
}

/// The classes in ascending order. Where all are numbers they go by their value, so that 1 and 1.0 are one class;
/// else each is its text.
fn class_names(table: &Table, target: usize) -> Vec<String> {
    let mut names: Vec<String> = match table.cells(target).map(|cell| class_number(&cell)).collect::<Option<Vec<f64>>>()
    {
        Some(mut numbers) => {
            numbers.sort_by(f64::total_cmp);
            numbers.iter().map(|number| (number + 0.0).to_string()).collect() // + 0.0 makes −0 to 0
        }
        None => {
            let mut texts: Vec<String> = table.cells(target).map(Cow::into_owned).collect();
            texts.sort();
            texts
        }
    };
    names.dedup();
    names
}

fn find_classes(table: &Table, column: usize, names: &[String]) -> Result<Vec<usize>> {
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(class, name)| (name.as_str(), class)).collect();
    let all_numbers = names.iter().all(|name| class_number(name).is_some());
    let find = |(row, cell): (usize, Cow<'_, str>)| {
        let by_value =
            || class_number(&cell).filter(|_| all_numbers).and_then(|x| index.get((x + 0.0).to_string().as_str()));
        let class = index.get(&*cell).or_else(by_value).copied();
        let shown = || {
            let some: Vec<_> = names.iter().take(SHOWN_CLASSES).map(|name| short(name)).collect();
            let more = if names.len() > SHOWN_CLASSES { ", …" } else { "" };
            format!("one of the classes {}{more}", some.join(", "))
        };
        class.ok_or_else(|| table.cell_error(row, column, shown()))
    };
    table.cells(column).enumerate().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn table(csv: &str) -> Table {
        Table::read("t.csv", csv.as_bytes()).unwrap()
    }

    fn targets_of(cells: &[&str]) -> Targets {
        let csv = format!("x,y\n{}", cells.iter().map(|cell| format!("0,{cell}\n")).collect::<String>());
        Encoding::find(&table(&csv), None, None).unwrap().targets
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
        assert!(matches!(targets_of(&many[..10]), Targets::Classes(_)));
    }

    #[test]
    fn classes_become_columns_of_zero_and_one() {
        let table = table("kind,x\nb,1\na,2\nc,3\n");
        let encoding = Encoding::find(&table, Some("kind"), None).unwrap();
        assert_eq!(encoding.input_columns, ["x"]);
        assert_eq!(encoding.inputs(&table).unwrap(), array![[1.0], [2.0], [3.0]]);
        let targets = encoding.targets(&table, 3).unwrap();
        assert_eq!(targets, array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
    }

    #[test]
    fn two_classes_fit_on_one_output() {
        let table = table("x,y\n1,yes\n2,no\n");
        let encoding = Encoding::find(&table, None, None).unwrap();
        assert_eq!(encoding.targets(&table, 1).unwrap(), array![[1.0], [0.0]]);
        assert_eq!(encoding.targets(&table, 2).unwrap(), array![[0.0, 1.0], [1.0, 0.0]]);
    }

    #[test]
    fn targets_that_cannot_be_learned_are_refused() {
        let message = |csv: &str, target| Encoding::find(&table(csv), target, None).unwrap_err().to_string();
        assert_eq!(
            message("x,y\n1,a\n2,a\n", None),
            "t.csv: expected at least two classes in column `y`, got `a` in every row"
        );
        assert_eq!(message("y\n1\n", None), "t.csv: expected an input column beside the target, got 1 column");
        assert_eq!(message("x,y\n1,a\n2,\n", None), "t.csv, line 3, column `y`: expected a target, got an empty cell");
        assert_eq!(message("x,y\n1,a\n2,NaN\n", None), "t.csv, line 3, column `y`: expected a target, got `NaN`");
        let ids: String = (0..11).map(|i| format!("1,id{i}\n")).collect();
        assert!(message(&format!("x,y\n{ids}"), None).ends_with("got another class in every row"));
        assert!(message("x,y\n1,a\n", Some("z")).contains("a column `z`"));
    }

    #[test]
    fn an_unknown_class_has_its_line() {
        let encoding = Encoding::find(&table("x,y\n1,a\n2,b\n"), None, None).unwrap();
        let error = encoding.targets(&table("x,y\n1,a\n2,q\n"), 1).unwrap_err().to_string();
        assert_eq!(error, "t.csv, line 3, column `y`: expected one of the classes a, b, got `q`");
    }
}
