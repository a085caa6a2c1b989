//! Several tables, one below the other, as one.

use std::borrow::Cow;

use crate::builder::settled;
use crate::column::{Cells, Growing};
use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::note::Note;
use crate::table::{Names, Table, short};

/// The cells after which a column reconsiders how it is kept.
const BLOCK: usize = 4096;
/// Names of columns that an error shows.
const SHOWN: usize = 8;

/// The rows of all tables in their order. Columns are found by their names, in any order; how each is read is settled by the cells of
/// all tables. `name` is what the whole is called; a row keeps the file and the line that it stands in. Columns go over one by one, so
/// that hardly more than one of them is in memory twice.
///
/// # Errors
/// [`Error::Columns`] for the first table that has other columns than the first one.
pub(crate) fn joined(name: &str, mut tables: Vec<Table>) -> Result<Table> {
    let Some((first, others)) = tables.split_first() else {
        return Err(Error::format(name, Reason::Format, "at least one table", "none"));
    };
    let mut places = vec![(0..first.columns().len()).collect::<Vec<_>>()];
    for other in others {
        places.push(places_of(first, other)?);
    }
    let names = Names::new(name, first.columns().to_vec());
    let (format, label) = (first.format().to_string(), first.label().map(String::from));
    let (told, is_matrix) = (told(&tables), tables.iter().all(Table::is_matrix));
    let mut lines = first.lines_of(first.file());
    others.iter().for_each(|other| lines.extend(&other.lines_of(other.file())));
    let mut notes = vec![Note::of_table(format!("{} files are read as one table, one below the other", tables.len()))];
    for note in tables.iter().flat_map(Table::notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let column = |column: usize| {
        let parts: Vec<Cells> =
            tables.iter_mut().zip(&places).map(|(table, places)| table.take_cells(places[column])).collect();
        Joined::new(&parts)
    };
    let columns = at_rest((0..names.columns.len()).map(column), &told);
    Ok(Table::new(names, columns, lines)
        .with_format(format)
        .with_label(label)
        .with_matrix(is_matrix)
        .with_told(told)
        .with_all_notes(notes))
}

/// A column of all tables.
enum Joined {
    /// What was never text.
    Numbers(Cells),
    /// Its cells tell how it and others are read.
    Texts(Growing),
}

impl Joined {
    fn new(parts: &[Cells]) -> Self {
        if let Some(numbers) = parts.iter().map(Cells::exact_numbers).collect::<Option<Vec<_>>>() {
            return Joined::Numbers(Cells::of_numbers(numbers.concat()));
        }
        let texts = below_each_other(parts);
        let are_numbers = parts.iter().all(|cells| cells.settled.are_numbers);
        Joined::Texts(if are_numbers { texts.of_numbers() } else { texts })
    }
}

fn at_rest(columns: impl Iterator<Item = Joined>, told: &Told) -> Vec<Cells> {
    let mut texts = Vec::new();
    let mut numbers = |column| match column {
        Joined::Numbers(cells) => Some(cells),
        Joined::Texts(growing) => {
            texts.push(growing);
            None
        }
    };
    let columns: Vec<Option<Cells>> = columns.map(&mut numbers).collect();
    let mut texts = settled(told, texts).into_iter();
    columns.into_iter().filter_map(|numbers| numbers.or_else(|| texts.next())).collect()
}

/// The texts of all parts as one column.
fn below_each_other(parts: &[Cells]) -> Growing {
    let mut texts = parts.iter().flat_map(|cells| (0..cells.len()).map(|row| cells.text(row)));
    let block: Vec<Cow<'_, str>> = texts.by_ref().take(BLOCK).collect();
    let mut column = Growing::new(|| block.iter());
    for (i, text) in texts.enumerate() {
        column.push(&text);
        if i % BLOCK == BLOCK - 1 {
            column.reconsider();
        }
    }
    column
}

/// What is known of the files beside their columns.
fn told(tables: &[Table]) -> Told {
    let mut told = tables[0].told().clone();
    told.semicolons = tables.iter().any(|table| table.told().semicolons);
    told
}

/// Where the other table has the columns of the first.
fn places_of(first: &Table, other: &Table) -> Result<Vec<usize>> {
    let names = |table: &Table| {
        let shown: Vec<_> = table.columns().iter().take(SHOWN).map(|name| format!("`{}`", short(name))).collect();
        let more = table.columns().len().saturating_sub(SHOWN);
        shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    if first.columns() == other.columns() {
        return Ok((0..first.columns().len()).collect()); // also where two have one name
    }
    let places: Option<Vec<usize>> = first.columns().iter().map(|name| other.column(name).ok()).collect();
    match places.filter(|places| places.len() == other.columns().len()) {
        Some(places) => Ok(places),
        None => {
            let expected = format!("the columns of {}: {}", first.file(), names(first));
            Err(Error::columns(other.file(), Reason::Columns, expected, names(other)))
        }
    }
}
