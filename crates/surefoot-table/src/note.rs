//! What was settled of a table where it could have been otherwise, for a person to know.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What was settled of a table, or of one of its columns, where it could have been otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The column; `None`: it is about the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What was settled, as a sentence without its end.
    pub text: String,
}

impl Note {
    pub(crate) fn of_table(text: impl Into<String>) -> Self {
        Note { column: None, text: text.into() }
    }

    pub(crate) fn of_column(column: &str, text: impl Into<String>) -> Self {
        Note { column: Some(column.into()), text: text.into() }
    }
}

/// A sentence for each thing that was settled, which names all columns of which it is true.
pub fn in_sentences(notes: &[Note]) -> Vec<String> {
    let (mut by_text, mut places) = (Vec::<(&str, Vec<&str>)>::new(), HashMap::new());
    for Note { column, text } in notes {
        let place = *places.entry((text, column.is_some())).or_insert_with(|| {
            by_text.push((text, Vec::new()));
            by_text.len() - 1
        });
        by_text[place].1.extend(column.as_deref());
    }
    let sentence = |(text, columns): (&str, Vec<&str>)| match &columns[..] {
        [] => text.to_string(),
        [column] => format!("column `{column}`: {text}"),
        columns => {
            let shown: Vec<String> = columns.iter().take(SHOWN).map(|column| format!("`{column}`")).collect();
            let more = columns.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("columns {}{more}: {text}", shown.join(", "))
        }
    };
    by_text.into_iter().map(sentence).collect()
}

/// Columns that a sentence names.
const SHOWN: usize = 6;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column `{column}`: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
