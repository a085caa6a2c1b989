//! The encoding that a model file keeps.

use serde::{Deserialize, Serialize};
use surefoot::Model;

use super::{Column, Encoding, plain};
use crate::error::{Error, Reason, Result};
use crate::kind::Kind;
use crate::notation::Notation;
use crate::reading::Reading;
use crate::table::Table;
use crate::targets::Targets;

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

impl Encoding {
    /// The encoding that a model asks for. Columns are found by the names that the model has; where it has none, they
    /// are those of the table by their position: first the inputs, then the targets.
    ///
    /// # Errors
    /// [`Error::Format`] when what the model says of columns is not understood, or does not fit its network.
    pub fn of_model(model: &Model, table: &Table) -> Result<Self> {
        Encoding::kept_by(model, table.columns(), |names| plain(table, names))
    }

    /// The same for [rows without a table](super::RowEncoder). Where the model has no names its columns are called by their numbers,
    /// from 1.
    ///
    /// # Errors
    /// As [`of_model`](Self::of_model).
    pub fn of_rows(model: &Model) -> Result<Self> {
        let width = model.network.inputs() + model.network.outputs();
        let numbers: Vec<String> = (1..=width).map(|number| number.to_string()).collect();
        Encoding::kept_by(model, &numbers, |names| {
            names.iter().map(|name| Column::number(name, Notation::default())).collect()
        })
    }

    /// The encoding that a model asks for, with these columns where it has no names; `plain` makes numbers of columns.
    fn kept_by(model: &Model, columns: &[String], plain: impl FnOnce(&[String]) -> Vec<Column>) -> Result<Self> {
        let mut rest = columns.iter();
        let mut positions = |count| rest.by_ref().take(count).cloned().collect::<Vec<_>>();
        let or_positions =
            |names: &[String], positions: Vec<String>| if names.is_empty() { positions } else { names.to_vec() };
        let kept = match &model.encoding {
            serde_json::Value::Null => {
                let names = or_positions(&model.input_columns, positions(model.network.inputs()));
                Kept { columns: plain(&names), target: Notation::default(), missing: None }
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
