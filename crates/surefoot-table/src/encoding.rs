//! From the columns of a table to the inputs and targets of a network.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use surefoot::{Model, Scalar, Scaling};

use crate::categories::Categories;
use crate::detection::{Asked, Scaled, find_kind};
use crate::encoder::{Encoder, OnError, filled};
use crate::error::{Error, FINITE, Reason, Result};
use crate::kind::{Excluded, Kind};
use crate::notation::Notation;
use crate::note::Note;
use crate::reading::Reading;
use crate::table::{Table, short};
use crate::targets::{NUMBER_TARGET, TARGETS, Target, Targets, unknown_class};

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

/// How an encoding with more than columns is kept in a model.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Notation::is_default")]
    target: Notation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<String>>,
}

/// A value of a column that the encoding does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// The rows that have it.
    pub rows: usize,
    /// The category that it was read as, where it seems to have lost the zeros in front; else it has none.
    pub read_as: Option<String>,
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
        for (place, name) in table.columns().iter().enumerate().filter(|&(place, _)| place != target.column) {
            let asked = match role(roles, name) {
                Ok(asked) => asked,
                Err(why) => {
                    excluded.push((name.clone(), why));
                    continue;
                }
            };
            let found = find_kind(table, rows, place, asked)?;
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

    /// The encoding that a model asks for. Columns are found by the names that the model has; where it has none, they
    /// are those of the table by their position: first the inputs, then the targets.
    ///
    /// # Errors
    /// [`Error::Format`] when what the model says of columns is not understood, or does not fit its network.
    pub fn of_model(model: &Model, table: &Table) -> Result<Self> {
        let mut rest = table.columns().iter();
        let mut positions = |count| rest.by_ref().take(count).cloned().collect::<Vec<_>>();
        let or_positions =
            |names: &[String], positions: Vec<String>| if names.is_empty() { positions } else { names.to_vec() };
        let kept = match &model.encoding {
            serde_json::Value::Null => {
                let names = or_positions(&model.input_columns, positions(model.network.inputs()));
                Kept { columns: plain(table, &names), target: Notation::default(), missing: None }
            }
            encoding => {
                let wrong = |got: String| {
                    Error::format("the model", Reason::Format, "an encoding of columns for its inputs", got)
                };
                let kept = kept(encoding).map_err(|error| wrong(error.to_string()))?;
                let inputs: usize = kept.columns.iter().map(|column| column.kind.width()).sum();
                if inputs != model.network.inputs() {
                    return Err(wrong(format!("{inputs} inputs for a network with {}", model.network.inputs())));
                }
                kept
            }
        };
        let target_count = if model.classes.is_empty() { model.network.outputs() } else { 1 };
        let target_columns = or_positions(&model.target_columns, positions(target_count));
        let targets = match model.classes.as_slice() {
            [] => Targets::Numbers,
            names => Targets::Classes(names.to_vec()),
        };
        let Kept { columns, target: target_notation, missing } = kept;
        Ok(Encoding { columns, target_columns, targets, target_notation, missing })
    }

    /// The columns that a model encodes; none where its inputs are columns of numbers.
    pub fn columns_of(model: &Model) -> Vec<Column> {
        kept(&model.encoding).map_or_else(|_| Vec::new(), |kept| kept.columns)
    }

    /// How tables for a model are to be read, as far as it knows.
    pub fn reading_of(model: &Model) -> Reading {
        let missing = kept(&model.encoding).ok().and_then(|kept| kept.missing);
        Reading { missing, ..Reading::default() }
    }

    /// The names that the columns of a model's tables have, as far as it knows them.
    pub fn names_of(model: &Model) -> Vec<String> {
        let columns = Encoding::columns_of(model);
        let inputs: Vec<String> = match columns.is_empty() {
            true => model.input_columns.clone(),
            false => columns.into_iter().map(|column| column.name).collect(),
        };
        inputs.into_iter().chain(model.target_columns.iter().cloned()).collect()
    }

    /// For the metadata of a model.
    pub fn to_json(&self) -> serde_json::Value {
        if self.target_notation.is_default() && self.missing.is_none() {
            return serde_json::json!(self.columns);
        }
        let (columns, target) = (self.columns.clone(), self.target_notation.clone());
        serde_json::json!(Kept { columns, target, missing: self.missing.clone() })
    }

    /// The values of yes/no columns and of categories in these rows that were not there when the encoding was learned, in the order
    /// of the columns.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns.
    pub fn unseen(&self, table: &Table, rows: &[usize]) -> Result<Vec<Unseen>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let mut unseen = Vec::new();
        for (column, place) in self.columns.iter().zip(places) {
            let names: &[String] = match &column.kind {
                Kind::Number { .. } => continue,
                Kind::Binary { values, .. } => values,
                Kind::Category { categories, .. } => categories,
            };
            let (cells, categories) = (table.cells(place), Categories::new(names));
            let present = rows.iter().copied().filter(|&row| !cells.meaning(row).is_missing);
            for (row, rows) in cells.different(present) {
                let (value, found) = (cells.text(row), categories.find(cells, cells.cell(row)));
                let read_as = found.filter(|_| categories.with_zeros(&value).is_some() && !categories.has(&value));
                if found.is_none() || read_as.is_some() {
                    let read_as = read_as.map(|place| names[place].clone());
                    let value = short(&value).into_owned();
                    unseen.push(Unseen { column: column.name.clone(), value, rows, read_as });
                }
            }
        }
        Ok(unseen)
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

    /// The cells of these rows that have no number where one has to be, by row and place of the column.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns.
    pub fn unreadable(&self, table: &Table, rows: &[usize]) -> Result<Vec<(usize, usize)>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let mut found = Vec::new();
        for (column, place) in self.columns.iter().zip(places) {
            if let Kind::Number { .. } = &column.kind {
                let encoder = Encoder::new(&column.kind, table.cells(place), OnError::Refuse);
                let mut inputs = vec![0.0; encoder.width];
                found.extend(
                    rows.iter().filter(|&&row| encoder.encode(row, &mut inputs).is_none()).map(|&row| (row, place)),
                );
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The inputs of these rows, in the unit of the table, where a cell that has no number counts as missing.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), where a column had no missing cells to learn from: it has nothing to put in their place.
    pub fn inputs_or_missing(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        self.encoded(table, rows, None, OnError::Missing)
    }

    /// The inputs of these rows, in the unit of the table.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, [`Error::Cell`] for a cell that is no number where it has to be one.
    pub fn inputs(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        self.inputs_as(table, rows, None)
    }

    /// The inputs of these rows in the precision of training, scaled where a scaling is given: each number is scaled as
    /// `f64` and rounded once, and no matrix of `f64` is made on the way.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Columns`] when the scaling is not one of so many inputs.
    pub fn inputs_as<T: Scalar>(&self, table: &Table, rows: &[usize], scaling: Option<&Scaling>) -> Result<Array2<T>> {
        self.encoded(table, rows, scaling, OnError::Refuse)
    }

    fn encoded<T: Scalar>(
        &self,
        table: &Table,
        rows: &[usize],
        scaling: Option<&Scaling>,
        on_error: OnError,
    ) -> Result<Array2<T>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let kinds = self.columns.iter().map(|column| &column.kind);
        let encoders: Vec<_> =
            kinds.zip(&places).map(|(kind, &place)| Encoder::new(kind, table.cells(place), on_error)).collect();
        let width = self.columns.iter().map(|column| column.kind.width()).sum();
        let inputs = filled(table, rows, width, scaling, |row, inputs| {
            let mut first = 0;
            for encoder in &encoders {
                encoder.encode(row, &mut inputs[first..first + encoder.width])?;
                first += encoder.width;
            }
            Some(())
        });
        inputs?.map_err(|_| {
            // of several wrong cells the first of the first column is told
            let mut all = encoders.iter().zip(&places).flat_map(|(encoder, &column)| {
                let mut inputs = vec![0.0; encoder.width];
                rows.iter()
                    .filter(move |&&row| encoder.encode(row, &mut inputs).is_none())
                    .map(move |&row| (row, column))
            });
            let (row, column) = all.next().unwrap_or_default();
            table.cell_error(row, column, Reason::TextAsInput, FINITE)
        })
    }

    /// The targets of these rows for a network with so many outputs: numbers as they are; classes as 1 for the class
    /// and 0 for the others, and for two classes on one output as 1 for the second.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Cell`] for a class that the encoding does not know.
    pub fn targets(&self, table: &Table, rows: &[usize], outputs: usize) -> Result<Array2<f64>> {
        self.targets_as(table, rows, outputs, None)
    }

    /// The targets of these rows in the precision of training, scaled where a scaling is given, as
    /// [`inputs_as`](Self::inputs_as) does.
    ///
    /// # Errors
    /// As [`targets`](Self::targets), and [`Error::Columns`] when the scaling is not one of so many outputs.
    pub fn targets_as<T: Scalar>(
        &self,
        table: &Table,
        rows: &[usize],
        outputs: usize,
        scaling: Option<&Scaling>,
    ) -> Result<Array2<T>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let needed = if self.targets == Targets::Numbers { outputs } else { 1 };
        if columns.len() != needed {
            let (expected, got) = (format!("target columns ({needed}) besides the inputs"), columns.len().to_string());
            return Err(Error::columns(table.file(), Reason::Columns, expected, got));
        }
        match &self.targets {
            Targets::Numbers => {
                let targets = filled(table, rows, outputs, scaling, |row, targets| {
                    for (target, &column) in targets.iter_mut().zip(&columns) {
                        *target = self.target_number(table, row, column)?;
                    }
                    Some(())
                });
                targets?.map_err(|row| {
                    let wrong = columns.iter().find(|&&column| self.target_number(table, row, column).is_none());
                    table.cell_error(row, wrong.copied().unwrap_or_default(), Reason::TextAsTarget, NUMBER_TARGET)
                })
            }
            Targets::Classes(names) => {
                let classes = Categories::new(names).of_cells(table.cells(columns[0]));
                let targets = filled(table, rows, outputs, scaling, |row, targets| {
                    match (classes.get(row)?, targets) {
                        (class, [target]) => *target = class as f64,
                        (class, targets) => targets[class] = 1.0,
                    }
                    Some(())
                });
                targets?.map_err(|row| unknown_class(table, row, columns[0], names))
            }
        }
    }

    /// The rows that have all targets.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, or when there is no such row.
    pub fn rows_with_targets(&self, table: &Table) -> Result<Vec<usize>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let is_there = |&row: &usize| columns.iter().all(|&column| !table.is_missing(row, column));
        let rows: Vec<usize> = (0..table.rows()).filter(is_there).collect();
        if rows.is_empty() {
            let expected = format!("{TARGETS} in column `{}`", short(&self.target_columns[0]));
            return Err(Error::columns(table.file(), Reason::NoTarget, expected, "only missing cells"));
        }
        Ok(rows)
    }

    /// The number of a target, as numbers were written where the encoding was learned.
    fn target_number(&self, table: &Table, row: usize, column: usize) -> Option<f64> {
        let cells = table.cells(column);
        cells.meaning_by(cells.cell(row), &self.target_notation).number
    }

    fn find_columns<'a>(&self, table: &Table, names: impl Iterator<Item = &'a String>) -> Result<Vec<usize>> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names {
            match table.column(name) {
                Ok(place) => found.push(place),
                Err(error) => missing.push((name, error)),
            }
        }
        match &mut missing[..] {
            [] => Ok(found),
            [_] => Err(missing.swap_remove(0).1),
            several => {
                let shown: Vec<_> = several.iter().take(8).map(|(name, _)| format!("`{}`", short(name))).collect();
                let more = if several.len() > 8 { format!(" and {} more", several.len() - 8) } else { String::new() };
                let expected = format!("the columns {}{more}", shown.join(", "));
                let got: Vec<_> = table.columns().iter().take(8).map(|name| format!("`{}`", short(name))).collect();
                let more = if table.columns().len() > 8 { ", …" } else { "" };
                let got = format!("{}{more}", got.join(", "));
                Err(Error::columns(table.file(), Reason::UnknownColumn, expected, got))
            }
        }
    }
}

/// Columns of numbers that all have to be there.
fn plain(table: &Table, names: &[String]) -> Vec<Column> {
    let number = |name: &String| {
        let notation = table.column(name).map(|place| table.cells(place).settled.notation.clone());
        let kind = Kind::Number { fill: None, missing_indicator: false, notation: notation.unwrap_or_default() };
        Column { name: name.clone(), kind }
    };
    names.iter().map(number).collect()
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

/// What a model says of columns: a list of them, or with more.
fn kept(encoding: &serde_json::Value) -> serde_json::Result<Kept> {
    let mut kept = if encoding.is_object() {
        Kept::deserialize(encoding)?
    } else {
        Kept { columns: Vec::deserialize(encoding)?, target: Notation::default(), missing: None }
    };
    let notations = kept.columns.iter_mut().filter_map(|column| match &mut column.kind {
        Kind::Number { notation, .. } => Some(notation),
        Kind::Binary { .. } | Kind::Category { .. } => None,
    });
    notations.chain([&mut kept.target]).for_each(|notation| notation.missing.clone_from(&kept.missing));
    Ok(kept)
}

/// What an excluded column is, in words.
fn described(why: Excluded) -> String {
    match why {
        Excluded::RowNumber => "a row number".into(),
        Excluded::Identifier => "an identifier".into(),
        other => other.reason().into(),
    }
}
