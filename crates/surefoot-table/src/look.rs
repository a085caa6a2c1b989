//! What was found in a table, before anything is learned from it.

use crate::detection::{Asked, find_kind};
use crate::encoding::{Roles, role};
use crate::error::{Error, Result};
use crate::kind::{Excluded, Kind};
use crate::note::Note;
use crate::table::Table;
use crate::targets::{Target, Targets};

/// What was found in a table.
#[derive(Debug)]
#[non_exhaustive]
pub struct Look {
    /// Each column, in its place.
    pub columns: Vec<LookedAt>,
    /// The target column, if there can be one; else why not.
    pub target: Result<Target>,
    /// What was settled where it could have been otherwise.
    pub notes: Vec<Note>,
}

/// A column that was looked at.
#[derive(Debug)]
#[non_exhaustive]
pub struct LookedAt {
    /// Its name.
    pub name: String,
    /// What it would be in a training.
    pub use_as: Use,
    /// Missing cells.
    pub missing: usize,
    /// Different values, missing ones apart.
    pub different: usize,
    /// The first few different values, as they are written.
    pub first: Vec<String>,
}

/// What a column would be in a training.
#[derive(Debug)]
#[non_exhaustive]
pub enum Use {
    /// An input of this kind.
    Input(Kind),
    /// The target.
    Target(Targets),
    /// Nothing, for this reason.
    Excluded(Excluded),
    /// What a training would refuse.
    Refused(Error),
}

/// Values of a column that are shown.
const SHOWN: usize = 4;

impl Look {
    /// Looks at a table: its target, unless named, is found as for a training.
    ///
    /// # Errors
    /// [`Error::Columns`] when the named target is not there, or a named column of the roles.
    pub fn at(table: &Table, target: Option<&str>, roles: &Roles<'_>) -> Result<Look> {
        if let Some(name) = target {
            table.column(name)?;
        }
        let named = [&roles.numeric, &roles.categorical, &roles.ignored];
        for name in named.into_iter().flatten().chain(&roles.weight).chain(&roles.group) {
            table.column(name)?;
        }
        let beside: Vec<&str> = roles.ignored.iter().chain(&roles.weight).chain(&roles.group).copied().collect();
        let target = Target::find(table, target, &beside, None);
        let mut notes = table.notes().to_vec();
        let rows = table.all_rows();
        let column = |(place, name): (usize, &String)| {
            let use_as = match (&target, role(roles, name)) {
                (Ok(target), _) if target.column == place => Use::Target(target.targets.clone()),
                (_, Err(why)) => Use::Excluded(why),
                (_, Ok(asked)) => input(table, &rows, place, asked, &mut notes),
            };
            let cells = table.cells(place);
            let is_present = |row: &usize| !cells.meaning(*row).is_missing;
            let different = cells.different(rows.iter().copied().filter(is_present));
            let mut first: Vec<usize> = different.iter().map(|&(row, _)| row).collect();
            first.sort_unstable();
            LookedAt {
                name: name.clone(),
                use_as,
                missing: rows.iter().filter(|row| !is_present(row)).count(),
                different: different.len(),
                first: first.iter().take(SHOWN).map(|&row| cells.text(row).into_owned()).collect(),
            }
        };
        let columns = table.columns().iter().enumerate().map(column).collect();
        if let Ok(target) = &target {
            notes.extend(target.notes.iter().map(|note| Note::of_column(&target.name, note.clone())));
        }
        notes.extend(table.missing_note());
        Ok(Look { columns, target, notes })
    }
}

fn input(table: &Table, rows: &[usize], place: usize, asked: Asked, notes: &mut Vec<Note>) -> Use {
    match find_kind(table, rows, place, asked) {
        Err(error) => Use::Refused(error),
        Ok(found) => {
            let name = &table.columns()[place];
            notes.extend(found.notes.into_iter().map(|note| Note::of_column(name, note)));
            found.kind.map_or_else(Use::Excluded, |found| Use::Input(found.kind))
        }
    }
}
