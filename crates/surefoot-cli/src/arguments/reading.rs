//! The arguments that say how a file is read.

use clap::Args;
use surefoot::Model;
use surefoot_table::{Decimal, Encoding, Part, Source};

/// A table for a model that is there.
#[derive(Args)]
pub struct Data {
    /// An IDX file with the target of each row of an IDX file
    #[arg(long, value_name = "LABELS.idx")]
    pub target_file: Option<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// How a table is read, where that is not to be detected.
#[derive(Args)]
#[command(next_help_heading = "How the file is read")]
pub struct Reading {
    /// Whether the first row of the table holds column names [default: detected]
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub header: Option<bool>,
    /// Skip this many lines before the table [default: comments and a title are detected]
    #[arg(long, value_name = "LINES")]
    pub skip: Option<usize>,
    /// The sheet of a workbook, by its name [default: the first visible one that holds a table]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// The separator of a text file's cells: a character, tab, or space for runs of spaces [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<char>,
    /// The encoding of a text file, such as windows-1252 or utf-16le [default: detected]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// The decimal sign: whether 1.234 is about one (point) or more than a thousand (comma) [default: by each column's numbers]
    #[arg(long, value_name = "point|comma", value_parser = decimal)]
    pub decimal: Option<Decimal>,
    /// The words that mark a missing cell, comma-separated, in place of the usual ones (NA, NaN, None, null, ?, -, …); an empty
    /// cell is always missing. With the word of a class left out, such as NA, that class is kept
    #[arg(long, value_name = "WORDS")]
    pub missing: Option<String>,
}

impl Reading {
    /// What is said here, over what was said before.
    pub fn over(&self, before: surefoot_table::Reading) -> surefoot_table::Reading {
        let words = |words: &String| words.split(',').map(|word| word.trim().to_string()).collect();
        surefoot_table::Reading {
            header: self.header.or(before.header),
            skip: self.skip.or(before.skip),
            sheet: self.sheet.clone().or(before.sheet),
            delimiter: self.delimiter.or(before.delimiter),
            encoding: self.encoding.clone().or(before.encoding),
            decimal: self.decimal.or(before.decimal),
            missing: self.missing.as_ref().map(words).or(before.missing),
        }
    }
}

/// A file to be read for a model, with what is known of it.
pub struct ForModel {
    target_file: Option<String>,
    reading: surefoot_table::Reading,
    known: Vec<String>,
}

impl Data {
    /// How files are read for a model: as said here, else as it was for the one that it was trained on.
    pub fn of(&self, model: &Model) -> ForModel {
        let (target_file, reading) = (self.target_file.clone(), self.reading.over(Encoding::reading_of(model)));
        ForModel { target_file, reading, known: Encoding::names_of(model) }
    }
}

impl ForModel {
    pub fn source<'a>(&'a self, data: &'a str, part: Part) -> Source<'a> {
        let (target_file, reading, known) = (self.target_file.as_deref(), &self.reading, &self.known[..]);
        Source { target_file, reading, known, ..Source::new(data, part) }
    }
}

/// The first of several files, and the others.
pub fn first_and_more(data: &[String]) -> (&str, &[String]) {
    data.split_first().map_or(("", &[]), |(first, more)| (first.as_str(), more))
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        ("space", ..) => Ok(' '),
        (_, Some(character), None) if character.is_ascii() && !character.is_ascii_alphanumeric() => Ok(character),
        _ => Err("expected one character that is no letter or digit, tab, or space".into()),
    }
}

fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "point" => Ok(Decimal::Point),
        "comma" => Ok(Decimal::Comma),
        _ => Err("expected point or comma".into()),
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}
