//! What a session learns from: a built-in set, a set to play with, a table that was sent, or that of the command line.

use std::path::Path;

use serde::Deserialize;
use surefoot_fit::{Options, Tables};
use surefoot_table::BUILTIN;
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::toys::Toy;

const MOST_ROWS: usize = 5000;

/// What is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Wanted {
    /// A built-in set, by its name.
    Builtin(String),
    /// A set to play with.
    Toy { toy: Toy, rows: usize, noise: f64, seed: u64 },
    /// A table that was sent, as text.
    Csv { name: String, text: String },
    /// The table of the command line.
    Given,
}

/// Where a session's table lies. Its folder is removed with it.
pub(crate) struct Data {
    /// How the command line names it.
    pub name: String,
    /// Where it is read from.
    path: String,
    folder: Option<TempDir>,
}

impl Data {
    pub fn new(wanted: Wanted, given: Option<&str>) -> Result<Self> {
        match wanted {
            Wanted::Builtin(name) => match BUILTIN.iter().find(|builtin| builtin.name == name) {
                Some(builtin) => Ok(Data { name: builtin.name.into(), path: builtin.name.into(), folder: None }),
                None => Err(Error::request("data", "the name of a built-in set", name)),
            },
            Wanted::Toy { toy, rows, noise, seed } => {
                if !(4..=MOST_ROWS).contains(&rows) {
                    return Err(Error::request("rows", format!("4 to {MOST_ROWS}"), rows));
                }
                if !(0.0..=2.0).contains(&noise) {
                    return Err(Error::request("noise", "0 to 2", noise));
                }
                Data::written(toy.file().into(), &toy.csv(rows, noise, seed))
            }
            Wanted::Csv { name, text } => Data::written(plain_name(&name), &text),
            Wanted::Given => match given {
                Some(given) => Ok(Data { name: given.into(), path: given.into(), folder: None }),
                None => Err(Error::request("data", "a table on the command line", "none")),
            },
        }
    }

    fn written(name: String, text: &str) -> Result<Self> {
        let io = |source| Error::Io { doing: "keep a table".into(), source };
        let folder = tempfile::tempdir().map_err(io)?;
        let path = folder.path().join(&name);
        std::fs::write(&path, text).map_err(io)?;
        Ok(Data { name, path: path.to_string_lossy().into_owned(), folder: Some(folder) })
    }

    pub fn tables(&self, options: &Options) -> Result<Tables> {
        Ok(Tables::read(&self.path, options)?)
    }

    /// The text of a table that was made or sent, which has to be kept beside a model to make it again.
    pub fn text(&self) -> Option<std::io::Result<Vec<u8>>> {
        self.folder.as_ref().map(|_| std::fs::read(&self.path))
    }

    /// A text of ours without the folder that the table lies in.
    pub fn without_path(&self, text: &str) -> String {
        match &self.folder {
            Some(folder) => text.replace(&format!("{}/", folder.path().display()), ""),
            None => text.into(),
        }
    }
}

/// The last part of a file's name, of letters, digits, `_`, `-` and `.`, so that it is one word in a shell and no path.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String =
        last.chars().map(|c| if c.is_alphanumeric() || "_-.".contains(c) { c } else { '-' }).take(80).collect();
    let plain = plain.trim_start_matches(['.', '-']);
    match Path::new(plain).file_stem() {
        Some(_) => plain.into(),
        None => "data.csv".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_that_were_sent_are_one_word_and_no_path() {
        let cases = [
            ("../../etc/passwd", "passwd"),
            ("Häuser 2024.csv", "Häuser-2024.csv"),
            ("C:\\a\\집.csv", "집.csv"),
            ("--out=x;rm", "out-x-rm"),
            ("", "data.csv"),
            ("..", "data.csv"),
        ];
        for (name, plain) in cases {
            assert_eq!(plain_name(name), plain, "{name}");
        }
    }

    #[test]
    fn only_built_in_names_are_read_by_name() {
        let refused = Data::new(Wanted::Builtin("/etc/passwd".into()), None);
        assert!(matches!(refused, Err(Error::Request { .. })));
        assert!(Data::new(Wanted::Given, None).is_err());
    }
}
