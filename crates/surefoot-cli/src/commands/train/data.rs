//! What `train` reads, and which rows are learned from, stopped by and measured on.

use anyhow::Context;
use surefoot::{Held as Draw, Split, without};
use surefoot_table::{Part, Roles, Source, Table, Target};

use super::recipe;
use crate::arguments::{Held, Settings};
use crate::output::usage;

/// Tables with fewer rows are not split unless it is asked for: the part would say nothing.
const MIN_ROWS_TO_SPLIT: usize = 10;
/// The share of the rows to validate on.
const VALIDATION_SHARE: f64 = 0.2;

/// The tables, and what is to be learned of them.
pub struct Data {
    pub table: Table,
    /// What is to be predicted; `None`: the inputs themselves.
    pub target: Option<Target>,
    validation: Option<Table>,
    test: Option<Table>,
}

/// Some rows of a table.
pub struct Rows<'a> {
    pub table: &'a Table,
    pub rows: Vec<usize>,
}

/// The rows that are learned from, and those that are held back.
pub struct Parts<'a> {
    pub training: Rows<'a>,
    pub validation: Option<Rows<'a>>,
    pub test: Option<Rows<'a>>,
    /// Where several networks are trained: for each the training rows that it does not learn from.
    pub members: Vec<Vec<usize>>,
}

impl Data {
    pub fn read(settings: &Settings) -> anyhow::Result<Self> {
        let header = settings.header;
        let target_file = settings.target_file.as_deref();
        let table = Source { target_file, header, ..Source::new(&settings.data, Part::Training) };
        let table = table.table()?;
        let table = match settings.rows {
            Some(rows) => table.first(rows),
            None => table,
        };
        let roles = roles(settings, &table);
        check_roles(settings, &roles)?;
        let beside: Vec<&str> = roles.ignored.iter().chain(&roles.weight).chain(&roles.group).copied().collect();
        let target = match settings.autoencoder {
            true => None,
            false => Some(Target::find(&table, settings.target.as_deref(), &beside, settings.task.task())?),
        };
        let held = |held: &Option<Held>, what: &str| match held {
            Some(Held::Data(file)) => {
                let table = Source { header, known: table.columns(), ..Source::new(file, Part::Test) }.table();
                table.map(Some).with_context(|| format!("cannot use the {what} data"))
            }
            _ => Ok(None),
        };
        Ok(Data {
            validation: held(&settings.validation, "validation")?,
            test: held(&settings.test, "test")?,
            table,
            target,
        })
    }

    /// What the settings say of the columns.
    pub fn roles<'a>(&self, settings: &'a Settings) -> Roles<'a> {
        roles(settings, &self.table)
    }

    /// The rows that can be learned from.
    pub fn rows(&self) -> Vec<usize> {
        self.target.as_ref().map_or_else(|| self.table.all_rows(), |target| target.rows.clone())
    }

    /// The parts of the training itself.
    pub fn parts(&self, settings: &Settings) -> anyhow::Result<Parts<'_>> {
        let (rows, test) = match &settings.test {
            Some(Held::Share(share)) => {
                let (rest, test) = self.split(settings, &self.rows(), *share, Draw::Test)?;
                (rest, Some(Rows { table: &self.table, rows: test }))
            }
            _ => (self.rows(), self.held(self.test.as_ref()).context("cannot use the test data")?),
        };
        self.with_validation(settings, rows, test)
    }

    /// The parts of each training of a cross-validation.
    pub fn folds(&self, settings: &Settings, folds: usize) -> anyhow::Result<Vec<Parts<'_>>> {
        let rows = self.parts(settings)?; // the test part stays apart here, too
        let mut rows = [rows.training.rows, self.validation_rows(rows.validation)].concat();
        rows.sort_unstable();
        let parts = self.with_split(settings, |split| split.folds(&rows, folds))?;
        let of_fold = |part: Vec<usize>| {
            let rest = without(&rows, &part);
            self.with_validation(settings, rest, Some(Rows { table: &self.table, rows: part }))
        };
        parts.context("cannot make the folds")?.into_iter().map(of_fold).collect()
    }

    /// The rows of a validation part that is of the table itself.
    fn validation_rows(&self, part: Option<Rows<'_>>) -> Vec<usize> {
        part.filter(|part| std::ptr::eq(part.table, &self.table)).map_or_else(Vec::new, |part| part.rows)
    }

    fn with_validation<'a>(
        &'a self,
        settings: &Settings,
        rows: Vec<usize>,
        test: Option<Rows<'a>>,
    ) -> anyhow::Result<Parts<'a>> {
        let table = &self.table;
        let count = recipe::member_count(settings, rows.len());
        if count > 1 {
            match (self.with_split(settings, |split| split.folds(&rows, count))?, settings.members) {
                (Ok(members), _) => {
                    return Ok(Parts { training: Rows { table, rows }, validation: None, test, members });
                }
                (Err(error), Some(_)) => return Err(error).context("cannot make parts for the members"),
                (Err(_), None) => {} // too few groups: one network
            }
        }
        let members = Vec::new();
        let share = match &settings.validation {
            Some(Held::Share(share)) => Some(*share),
            None if !settings.autoencoder && rows.len() >= MIN_ROWS_TO_SPLIT => Some(VALIDATION_SHARE),
            _ => None,
        };
        let Some(share) = share else {
            let validation = self.held(self.validation.as_ref()).context("cannot use the validation data")?;
            return Ok(Parts { training: Rows { table, rows }, validation, test, members });
        };
        let (rest, part) = self.split(settings, &rows, share, Draw::Validation)?;
        Ok(Parts { training: Rows { table, rows: rest }, validation: Some(Rows { table, rows: part }), test, members })
    }

    fn split(
        &self,
        settings: &Settings,
        rows: &[usize],
        share: f64,
        draw: Draw,
    ) -> anyhow::Result<(Vec<usize>, Vec<usize>)> {
        let what = if draw == Draw::Test { "test" } else { "validation" };
        let parts = self.with_split(settings, |split| split.part(rows, share, draw))?;
        parts.with_context(|| format!("cannot set rows aside for {what}"))
    }

    /// Does something with what holds rows together.
    fn with_split<T>(&self, settings: &Settings, f: impl FnOnce(Split<'_>) -> T) -> anyhow::Result<T> {
        let classes = self.target.as_ref().and_then(|target| target.classes(&self.table));
        let groups = match &settings.group {
            Some(name) => Some(self.groups(name)?),
            None => None,
        };
        Ok(f(Split { classes: classes.as_deref(), groups: groups.as_deref(), seed: settings.seed }))
    }

    /// The group of each row, by the text of its cell.
    fn groups(&self, name: &str) -> anyhow::Result<Vec<usize>> {
        let column = self.table.column(name)?;
        let mut numbers = std::collections::HashMap::new();
        let mut groups = 0;
        let number = |row| {
            groups += 1;
            match self.table.is_missing(row, column) {
                true => groups - 1, // a group of its own
                false => *numbers.entry(self.table.cell(row, column).into_owned()).or_insert(groups - 1),
            }
        };
        Ok((0..self.table.rows()).map(number).collect())
    }

    /// The rows of a table that is held back as a whole.
    fn held<'a>(&self, table: Option<&'a Table>) -> anyhow::Result<Option<Rows<'a>>> {
        let Some(table) = table else { return Ok(None) };
        let rows = match &self.target {
            None => table.all_rows(),
            Some(target) => {
                let column = table.column(&self.table.columns()[target.column])?;
                (0..table.rows()).filter(|&row| !table.is_missing(row, column)).collect()
            }
        };
        match rows.is_empty() {
            true => Err(usage(format!("{} has no row with a target", table.file()), "give it another table")),
            false => Ok(Some(Rows { table, rows })),
        }
    }
}

/// What the settings say of the columns of a table.
fn roles<'a>(settings: &'a Settings, table: &Table) -> Roles<'a> {
    // a name as it is, or several with commas between them
    let names = |given: &'a [String]| -> Vec<&'a str> {
        let split = |text: &'a String| match table.column(text) {
            Ok(_) => vec![text.as_str()],
            Err(_) => text.split(',').map(str::trim).collect(),
        };
        given.iter().flat_map(split).collect()
    };
    Roles {
        numeric: names(&settings.numeric),
        categorical: names(&settings.categorical),
        ignored: names(&settings.ignore),
        weight: settings.weight.as_deref(),
        group: settings.group.as_deref(),
    }
}

/// That no column is said to be two things.
fn check_roles(settings: &Settings, roles: &Roles<'_>) -> anyhow::Result<()> {
    let said = [
        ("--numeric", roles.numeric.clone()),
        ("--categorical", roles.categorical.clone()),
        ("--ignore", roles.ignored.clone()),
        ("--weight", roles.weight.into_iter().collect()),
        ("--group", roles.group.into_iter().collect()),
        ("--target", settings.target.as_deref().into_iter().collect()),
    ];
    let mut seen = std::collections::HashMap::new();
    for (option, names) in &said {
        for name in names {
            let earlier = *seen.entry(name).or_insert(option);
            // a group of numbers may be an input, too
            let may_be_both = *option == "--group" && ["--numeric", "--categorical"].contains(earlier);
            if earlier != option && !may_be_both {
                let is_target = *option == "--target" && ["--numeric", "--categorical"].contains(earlier);
                let hint = if is_target { "--task says what the target is" } else { "leave one of them out" };
                return Err(usage(format!("column `{name}` is named by {earlier} and by {option}"), hint));
            }
        }
    }
    Ok(())
}
