//! What is learned from: tables, or matrices where they lie.

use surefoot::{DatasetView, Scalar, Task};
use surefoot_table::{Part, Roles, Source as File, Table, Target};

use crate::error::{Context, Error, Result};
use crate::options::{Holdout, Options, Role};

/// What is learned from.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// Tables, whose columns are encoded, scaled, or excluded.
    Tables(&'a Tables),
    /// Matrices of single precision, as they are: not copied, not scaled.
    F32(Matrices<'a, f32>),
    /// Matrices of double precision, in the same way.
    F64(Matrices<'a, f64>),
}

/// A table to learn from, with the tables that are held out, where these are given as such.
#[derive(Clone, Debug)]
pub struct Tables {
    /// To learn from.
    pub table: Table,
    /// To validate on.
    pub validation: Option<Table>,
    /// To test on.
    pub test: Option<Table>,
}

impl Tables {
    /// Reads the table `data` (a file, a folder, a built-in name, or `-`), and those that [`Options::validation`] and
    /// [`Options::test`] name.
    ///
    /// # Errors
    /// What reading refuses.
    pub fn read(data: &str, options: &Options) -> Result<Self> {
        Tables::read_from(File::new(data, Part::Training), options)
    }

    /// The same of a source with more to it, such as several files, or a cache. How files are read, which columns they may have, and the file
    /// of targets are as the options say.
    ///
    /// # Errors
    /// What reading refuses, and files with other columns.
    pub fn read_from(source: File<'_>, options: &Options) -> Result<Self> {
        let (reading, target_file) = (&options.reading, options.target_file.as_deref());
        let known: Vec<String> = options.roles().into_iter().flat_map(|(_, names)| names).map(String::from).collect();
        let table = File { target_file, reading, known: &known, ..source }.table()?;
        let table = match options.rows {
            Some(rows) => table.first(rows),
            None => table,
        };
        let held_out = |holdout: &Option<Holdout>, what: &str| match holdout {
            Some(Holdout::Table(file)) => {
                let table =
                    File { reading, known: table.columns(), cache: source.cache, ..File::new(file, Part::Test) }
                        .table();
                table.map(Some).context(|| format!("use the {what} data"))
            }
            _ => Ok(None),
        };
        let (validation, test) = (held_out(&options.validation, "validation")?, held_out(&options.test, "test")?);
        Ok(Tables { table, validation, test })
    }
}

/// Examples as the network sees them.
#[derive(Clone, Copy, Debug)]
pub struct Matrices<'a, T> {
    /// Whether the targets are classes (one column of 0 and 1, or one for each class) or numbers.
    pub task: Task,
    /// To learn from.
    pub data: DatasetView<'a, T>,
    /// To validate on.
    pub validation: Option<DatasetView<'a, T>>,
    /// To test on.
    pub test: Option<DatasetView<'a, T>>,
}

/// An input, in the precision of the training.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a, T> {
    Tables { tables: &'a Tables, target: Option<&'a Target> },
    Matrices(&'a Matrices<'a, T>),
}

/// What the rows are that can be learned from.
pub(crate) struct Rows {
    /// Their numbers.
    pub rows: Vec<usize>,
    /// The class of each row of the input.
    pub classes: Option<Vec<usize>>,
    /// The group of each row of the input.
    pub groups: Option<Vec<usize>>,
}

/// What is to be predicted; `None`: the inputs themselves.
pub(crate) fn find_target(tables: &Tables, options: &Options) -> Result<Option<Target>> {
    check_roles(options)?;
    if options.autoencoder {
        return Ok(None);
    }
    let roles = roles(options);
    let beside: Vec<&str> = roles.ignored.iter().chain(&roles.weight).chain(&roles.group).copied().collect();
    Ok(Some(Target::find(&tables.table, options.target.as_deref(), &beside, options.task)?))
}

/// What the options say of the columns of a table.
pub(crate) fn roles(options: &Options) -> Roles<'_> {
    fn names(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }
    Roles {
        numeric: names(&options.numeric),
        categorical: names(&options.categorical),
        ignored: names(&options.ignore),
        weight: options.sample_weight.as_deref(),
        group: options.group.as_deref(),
    }
}

/// That no column has two roles.
fn check_roles(options: &Options) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for (second, names) in options.roles() {
        for name in names {
            let first = *seen.entry(name).or_insert(second);
            // a group of numbers may be an input, too
            let may_be_both = second == Role::Group && matches!(first, Role::Numeric | Role::Categorical);
            if first != second && !may_be_both {
                return Err(Error::TwoRoles { column: name.into(), first, second });
            }
        }
    }
    Ok(())
}

impl<T: Scalar> Source<'_, T> {
    /// The rows that can be learned from.
    pub fn rows(&self, options: &Options) -> Result<Rows> {
        match self {
            Source::Tables { tables: Tables { table, .. }, target } => Ok(Rows {
                rows: target.map_or_else(|| table.all_rows(), |target| target.rows.clone()),
                classes: target.and_then(|target| target.classes(table)),
                groups: options.group.as_deref().map(|name| groups(table, name)).transpose()?,
            }),
            Source::Matrices(Matrices { task, data, .. }) => Ok(Rows {
                rows: (0..data.rows()).collect(),
                classes: (*task == Task::Classification).then(|| surefoot::metrics::classes(data.targets().view())),
                groups: None,
            }),
        }
    }

    /// Whether the validation examples are given as such.
    pub fn has_validation(&self) -> bool {
        match self {
            Source::Tables { tables, .. } => tables.validation.is_some(),
            Source::Matrices(matrices) => matrices.validation.is_some(),
        }
    }

    /// Whether the test examples are given as such.
    pub fn has_test(&self) -> bool {
        match self {
            Source::Tables { tables, .. } => tables.test.is_some(),
            Source::Matrices(matrices) => matrices.test.is_some(),
        }
    }
}

/// The rows with a target of a table that is held out as a whole.
pub(crate) fn rows_with_targets(table: &Table, target: Option<&Target>) -> Result<Vec<usize>> {
    let rows: Vec<usize> = match target {
        None => table.all_rows(),
        Some(target) => {
            let column = table.column(&target.name)?;
            (0..table.rows()).filter(|&row| !table.is_missing(row, column)).collect()
        }
    };
    match rows.is_empty() {
        true => Err(Error::NoTargets { table: table.file().into() }),
        false => Ok(rows),
    }
}

/// The group of each row, by the text of its cell; a missing cell is a group of its own.
fn groups(table: &Table, name: &str) -> Result<Vec<usize>> {
    let column = table.column(name)?;
    let mut numbers = std::collections::HashMap::new();
    let mut groups = 0;
    let number = |row| {
        groups += 1;
        match table.is_missing(row, column) {
            true => groups - 1,
            false => *numbers.entry(table.cell(row, column).into_owned()).or_insert(groups - 1),
        }
    };
    Ok((0..table.rows()).map(number).collect())
}
