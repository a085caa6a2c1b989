//! Several tables, one below the other, as one.

use std::borrow::Cow;

use crate::builder::{Builder, settled};
use crate::column::{Cells, Growing};
use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::note::Note;
use crate::table::{Names, Table};
use crate::text::Rows;

/// The cells after which a column reconsiders how it is kept.
const BLOCK: usize = 4096;

/// Text files, one below the other, whose rows go into one table as they are read.
pub(crate) struct TextFiles {
    first: String,
    builder: Builder,
    format: String,
    notes: Vec<String>,
}

impl TextFiles {
    /// All rows of the first file.
    ///
    /// # Errors
    /// As [`Rows::table`].
    pub fn new(rows: &mut Rows<'_>) -> Result<Self> {
        let mut builder = Builder::new(rows.names().clone(), rows.told().clone());
        builder.begin_file(&rows.names().file, rows.told());
        rows.fill(&mut builder, usize::MAX, None)?;
        Ok(TextFiles { first: rows.names().file.clone(), builder, format: rows.format(), notes: rows.take_notes() })
    }

    /// All rows of the next file.
    ///
    /// # Errors
    /// [`Error::Columns`] when it has other columns; as [`Rows::table`].
    pub fn add(&mut self, rows: &mut Rows<'_>) -> Result<()> {
        let (names, other) = (self.builder.names(), rows.names());
        let places = (names.columns != other.columns).then(|| names.places_in(&self.first, other)).transpose()?;
        self.builder.begin_file(&rows.names().file, rows.told());
        rows.fill(&mut self.builder, usize::MAX, places.as_deref())?;
        self.notes.extend(rows.take_notes());
        Ok(())
    }

    pub fn finish(self) -> Table {
        self.builder.finish().with_format(self.format).with_notes(self.notes)
    }
}

/// The rows of all tables in their order, which are those of so many files. Columns are found by their names, in any order; how each is
/// read is settled by the cells of all tables. `name` is what the whole is called; a row keeps the file and the line that it stands in.
/// Columns go over one by one, so that hardly more than one of them is in memory twice.
///
/// # Errors
/// [`Error::Columns`] for the first table that has other columns than the first one.
pub(crate) fn joined(name: &str, files: usize, mut tables: Vec<Table>) -> Result<Table> {
    let Some((first, others)) = tables.split_first() else {
        return Err(Error::format(name, Reason::Format, "at least one table", "none"));
    };
    let mut places = vec![(0..first.columns().len()).collect::<Vec<_>>()];
    for other in others {
        places.push(first.names().places_in(first.file(), other.names())?);
    }
    let names = Names::new(name, first.columns().to_vec());
    let (format, label) = (first.format().to_string(), first.label().map(String::from));
    let (told, is_matrix) = (told(&tables), tables.iter().all(Table::is_matrix));
    let mut lines = first.lines_of(first.file());
    others.iter().for_each(|other| lines.extend(&other.lines_of(other.file())));
    let mut notes = vec![Note::of_table(format!("{files} files are read as one table, one below the other"))];
    for note in tables.iter().flat_map(Table::notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let width = names.columns.len();
    let columns = match places.len() {
        1 => (0..width).map(|column| tables[0].take_cells(column)).collect(),
        _ => {
            let column = |column: usize| {
                let parts: Vec<Cells> =
                    tables.iter_mut().zip(&places).map(|(table, places)| table.take_cells(places[column])).collect();
                Joined::new(&parts)
            };
            at_rest((0..width).map(column), &told)
        }
    };
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
