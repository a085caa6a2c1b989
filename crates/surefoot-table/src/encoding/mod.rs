//! From the columns of a table to the inputs and targets of a network.

mod examples;
mod kept;
mod row;

use serde::{Deserialize, Serialize};
use surefoot::{Scaling, Threads};

pub use self::examples::Unseen;
pub use self::row::{RowEncoder, Value};
use crate::detection::{Asked, Scaled, find_kind};
use crate::error::{Error, Reason, Result};
use crate::kind::{Excluded, Kind};
use crate::notation::Notation;
use crate::note::Note;
use crate::table::{Table, short};
use crate::targets::{Target, Targets};

/// How the rows of a table become examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The columns that are inputs, in their order.
    pub columns: Vec<Column>,
    /// The names of the target columns.
    pub target_columns: Vec<String>,
    /// What the targets mean.
    pub targets: Targets,
    /// How the numbers of the target are written.
    pub target_notation: Notation,
    /// The words that mean that a cell is missing, where they are not the usual ones.
    pub missing: Option<Vec<String>>,
}

/// A column that is an input, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// How its cells become inputs.
    pub kind: Kind,
}

/// What the user says of columns; each is a name.
#[derive(Clone, Debug, Default)]
pub struct Roles<'a> {
    /// Those that are numbers.
    pub numeric: Vec<&'a str>,
    /// Those that are categories.
    pub categorical: Vec<&'a str>,
    /// Those that are left out.
    pub ignored: Vec<&'a str>,
    /// The one with the weights of the rows.
    pub weight: Option<&'a str>,
    /// The one with the groups of the rows.
    pub group: Option<&'a str>,
}

/// What was learned of the columns of a table.
#[derive(Clone, Debug)]
pub struct Learned {
    /// How they become inputs.
    pub encoding: Encoding,
    /// The centre and scale of each input, robust, with a smooth limit.
    pub scaling: Scaling,
    /// The columns that are no inputs, and why.
    pub excluded: Vec<(String, Excluded)>,
    /// What was settled of the columns where it could have been otherwise.
    pub notes: Vec<Note>,
}

/// Where outliers of scaled inputs are held back.
const LIMIT: f64 = 3.0;

impl Encoding {
    /// Learns from these rows what each column is, the target's apart: numbers, yes and no, categories, or nothing to learn
    /// from (identifiers, constants, what is empty). Whether a column has numbers or texts, or numbers the rows, is decided by all rows
    /// of the table, so that it is the same whichever part is learned from; all else by these.
    ///
    /// # Errors
    /// [`Error::Columns`] when a named column is not there or no input is left; [`Error::Cell`] for a cell that is no number
    /// in a column of numbers.
    pub fn learn(table: &Table, rows: &[usize], target: &Target, roles: &Roles<'_>) -> Result<Learned> {
        let named = [&roles.numeric, &roles.categorical, &roles.ignored];
        table.check_names()?;
        for name in named.into_iter().flatten().chain(&roles.weight).chain(&roles.group) {
            table.column(name)?;
        }
        let (mut columns, mut excluded, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        let (mut centre, mut scale) = (Vec::new(), Vec::new());
        let others = table.columns().iter().enumerate().filter(|&(place, _)| place != target.column);
        let mut others: Vec<_> = others.map(|(place, name)| (place, name, Err(Excluded::Ignored))).collect();
        Threads::for_each(&mut others, |_, (place, name, found)| {
            *found = role(roles, name).map(|asked| find_kind(table, rows, *place, asked));
        });
        for (_, name, found) in others {
            let found = match found {
                Ok(found) => found?,
                Err(why) => {
                    excluded.push((name.clone(), why));
                    continue;
                }
            };
            notes.extend(found.notes.into_iter().map(|note| Note::of_column(name, note)));
            match found.kind {
                Ok(Scaled { kind, first }) => {
                    // the first input of a number or of yes and no has a scale of its own, one-hot inputs are as they are
                    let inputs = std::iter::once(first).chain(std::iter::repeat((0.0, 1.0))).take(kind.width());
                    inputs.for_each(|(c, s)| {
                        centre.push(c);
                        scale.push(s);
                    });
                    columns.push(Column { name: name.clone(), kind });
                }
                Err(why) => excluded.push((name.clone(), why)),
            }
        }
        if columns.is_empty() {
            let got = match excluded.len() {
                0 => format!("{} column", table.columns().len()),
                1 => format!("`{}`, which is {}", short(&excluded[0].0), described(excluded[0].1)),
                others => format!("{others} columns that are {}", described(excluded[0].1)),
            };
            return Err(Error::columns(table.file(), Reason::NoInput, "an input column besides the target", got));
        }
        let target_columns = vec![table.columns()[target.column].clone()];
        notes.extend(target.notes.iter().map(|note| Note::of_column(&target.name, note.clone())));
        notes.extend(table.missing_note());
        let encoding = Encoding {
            columns,
            target_columns,
            targets: target.targets.clone(),
            target_notation: target.notation.clone(),
            missing: table.missing_words().cloned(),
        };
        Ok(Learned { encoding, scaling: Scaling { centre, scale, limit: Some(LIMIT) }, excluded, notes })
    }

    /// Each column but the target's as a number that has to be there.
    pub fn plain(table: &Table, target: &Target) -> Self {
        let columns = table.columns().iter().enumerate().filter(|&(place, _)| place != target.column);
        let names: Vec<String> = columns.map(|(_, name)| name.clone()).collect();
        let target_columns = vec![table.columns()[target.column].clone()];
        let (targets, target_notation) = (target.targets.clone(), target.notation.clone());
        let missing = table.missing_words().cloned();
        Encoding { columns: plain(table, &names), target_columns, targets, target_notation, missing }
    }

    /// The encoding of a table that an autoencoder learns from: all columns are inputs, and targets as well, but for one
    /// that is named, or the label of a built-in set, which is left out.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no such column, or no other.
    pub fn of_autoencoder(table: &Table, excluded: Option<&str>) -> Result<Self> {
        let excluded = match excluded.or(table.label()) {
            Some(name) => Some(table.column(name)?),
            None => None,
        };
        let columns = table.columns().iter().enumerate().filter(|&(i, _)| Some(i) != excluded);
        let names: Vec<String> = columns.map(|(_, name)| name.clone()).collect();
        if names.is_empty() {
            return Err(Error::columns(table.file(), Reason::NoInput, "an input column", "none"));
        }
        table.check_names()?;
        let missing = table.missing_words().cloned();
        let target_notation = Notation::default();
        Ok(Encoding {
            columns: plain(table, &names),
            target_columns: names,
            targets: Targets::Numbers,
            target_notation,
            missing,
        })
    }

    /// Whether the targets are the inputs.
    pub fn is_autoencoder(&self) -> bool {
        self.columns.iter().map(|column| &column.name).eq(&self.target_columns)
    }

    /// The names of the inputs.
    pub fn input_names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|column| column.kind.inputs(&column.name)).collect()
    }

    /// The inputs that each column has.
    pub fn input_groups(&self) -> Vec<Vec<usize>> {
        let mut next = 0;
        let group = |column: &Column| {
            let first = next;
            next += column.kind.width();
            (first..next).collect()
        };
        self.columns.iter().map(group).collect()
    }
}

impl Column {
    /// A number that has to be there, written in this way.
    fn number(name: &str, notation: Notation) -> Self {
        Column { name: name.into(), kind: Kind::Number { fill: None, missing_indicator: false, notation } }
    }
}

/// Columns of numbers that all have to be there.
fn plain(table: &Table, names: &[String]) -> Vec<Column> {
    let notation = |name: &String| table.column(name).map(|place| table.cells(place).settled.notation.clone());
    names.iter().map(|name| Column::number(name, notation(name).unwrap_or_default())).collect()
}

/// What the user says that a column is, or why it is no input.
pub(crate) fn role(roles: &Roles<'_>, name: &str) -> std::result::Result<Asked, Excluded> {
    let is_in = |names: &[&str]| names.contains(&name);
    match () {
        () if roles.weight == Some(name) => Err(Excluded::Weight),
        () if is_in(&roles.ignored) => Err(Excluded::Ignored),
        () if is_in(&roles.numeric) => Ok(Asked::Number),
        () if is_in(&roles.categorical) => Ok(Asked::Category),
        () if roles.group == Some(name) => Err(Excluded::Group),
        () => Ok(Asked::Nothing),
    }
}

/// What an excluded column is, in words.
fn described(why: Excluded) -> String {
    match why {
        Excluded::RowNumber => "a row number".into(),
        Excluded::Identifier => "an identifier".into(),
        other => other.reason().into(),
    }
}
