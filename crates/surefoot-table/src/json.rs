//! JSON: an array of records, or a record in each line.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::builder::{Builder, Numbers};
use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::table::{Names, Table};

/// A record: its fields in their order, each as a cell.
struct Record(Vec<(String, Cell)>);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record, such as {\"name\": \"Ada\", \"age\": 36}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Record, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A value as the text of a cell, and whether it is a number.
struct Cell {
    text: String,
    is_number: bool,
}

impl Cell {
    fn number(number: impl ToString) -> Self {
        Cell { text: number.to_string(), is_number: true }
    }

    fn text(text: impl Into<String>) -> Self {
        Cell { text: text.into(), is_number: false }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Value;
        impl Visitor<'_> for Value {
            type Value = Cell;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false or null")
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Cell, E> {
                Ok(Cell::text(text.trim()))
            }
            fn visit_bool<E>(self, value: bool) -> std::result::Result<Cell, E> {
                Ok(Cell::text(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> std::result::Result<Cell, E> {
                Ok(Cell::number(value))
            }
            fn visit_u64<E>(self, value: u64) -> std::result::Result<Cell, E> {
                Ok(Cell::number(value))
            }
            fn visit_f64<E>(self, value: f64) -> std::result::Result<Cell, E> {
                Ok(Cell::number(value))
            }
            fn visit_unit<E>(self) -> std::result::Result<Cell, E> {
                Ok(Cell::text(""))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

/// Gives each record to a function, with the line that it begins in.
fn for_each(bytes: &[u8], mut take: impl FnMut(Record, u64)) -> serde_json::Result<()> {
    if !bytes.trim_ascii_start().starts_with(b"[") {
        let mut records = serde_json::Deserializer::from_slice(bytes).into_iter::<Record>();
        let (mut line, mut counted) = (1, 0);
        loop {
            let start = counted + bytes[counted..].len() - bytes[counted..].trim_ascii_start().len();
            line += newlines(&bytes[counted..start]);
            let Some(record) = records.next() else { return Ok(()) };
            take(record?, line);
            line += newlines(&bytes[start..records.byte_offset()]);
            counted = records.byte_offset();
        }
    }
    struct All<F>(F);
    impl<'de, F: FnMut(Record, u64)> Visitor<'de> for All<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of records")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut records: A) -> std::result::Result<(), A::Error> {
            let mut row = 0;
            while let Some(record) = records.next_element()? {
                row += 1;
                (self.0)(record, row);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.deserialize_seq(All(&mut take))?;
    reader.end()
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Reads all records. The columns are all fields, in the order in which they come first; a field that is not there is an empty
/// cell. In errors the line of a cell is that of its record, in an array its number.
///
/// # Errors
/// [`Error::Format`] for what is no JSON, has other values than texts, numbers, true, false and null, or no record.
pub(crate) fn read(file: &str, bytes: &[u8], told: Told) -> Result<Table> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = |error: serde_json::Error| {
        Error::format(file, Reason::Json, "an array of records, or a record in each line", error.to_string())
    };
    let (mut names, mut places) = (Vec::new(), HashMap::new());
    let mut numbers = Numbers::default();
    for_each(bytes, |Record(fields), _| {
        for (name, cell) in fields {
            let place = *places.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                names.len() - 1
            });
            numbers.see(place, cell.is_number, &cell.text);
        }
    })
    .map_err(wrong)?;
    if names.is_empty() {
        return Err(Error::format(file, Reason::Json, "records with fields", "none"));
    }
    let mut builder = Builder::new(Names::new(file, names.clone()), told).with_numbers(numbers);
    let mut cells = vec![String::new(); names.len()];
    for_each(bytes, |Record(fields), line| {
        cells.iter_mut().for_each(String::clear);
        for (name, cell) in fields {
            if let Some(&place) = places.get(&name) {
                cells[place] = cell.text;
            }
        }
        builder.push(cells.iter().map(String::as_str), line);
    })
    .map_err(wrong)?;
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table> {
        super::read("t.json", text.as_bytes(), Told::default())
    }

    #[test]
    fn records_are_rows_whose_fields_are_columns() {
        let lines =
            "{\"a\": 1.50, \"b\": \"x\"}\n{\"b\": null, \"c\": true}\n\n{\"a\": -2e3, \"c\": false, \"b\": \" y \"}\n";
        let array =
            format!("[{}]", lines.trim().lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(",\n"));
        for text in [lines, &array] {
            let table = read(text).unwrap();
            assert_eq!(table.columns(), ["a", "b", "c"]);
            assert_eq!([0, 1, 2].map(|row| table.number(row, 0)), [Some(1.5), None, Some(-2000.0)]);
            assert_eq!([0, 1, 2].map(|row| table.cell(row, 1).into_owned()), ["x", "", "y"]);
            assert_eq!([0, 1, 2].map(|row| table.cell(row, 2).into_owned()), ["", "true", "false"]);
        }
        let error = read(lines).unwrap().cell_error(2, 0, Reason::Weight, "x").to_string();
        assert!(error.contains("line 4, "), "{error}");
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        for (text, part) in [
            ("{\"a\": [1]}", "line 1 column 7"),
            ("{\"a\": 1}\n{\"a\": {\"b\": 2}}", "line 2"),
            ("[]", "none"),
            ("[1, 2]", "a record"),
            ("{\"a\": 1", "EOF"),
            ("[{\"a\": 1}] x", "trailing"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with("t.json: expected") && error.contains(part), "{text}: {error}");
        }
    }
}
