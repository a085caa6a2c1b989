//! The rows of a request, from JSON to inputs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use ndarray::Array2;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use surefoot_table::{Encoding, RowEncoder, Unseen, Value};

use crate::error::{Error, Result};

/// Whole numbers up to this are exact as `f64`; others keep their digits, as they may be codes.
const EXACT: u64 = 1 << 53;
/// Different unseen values that an answer names.
const MOST_UNSEEN: usize = 100;
/// The characters of a value that an error shows.
const SHOWN: usize = 60;
/// The columns that an error names.
const SHOWN_NAMES: usize = 8;

const VALUE: &str = "a text, a number, true, false or null";
const ROWS: &str = "a row, or an array of rows";

/// The rows of a request as the model sees them.
pub(crate) struct Rows {
    pub inputs: Array2<f64>,
    /// Values that the training data did not have.
    pub unseen: Vec<Unseen>,
}

impl Rows {
    /// Reads a row, or an array of rows. A row is a record with the columns as its fields, in any order and beside others, or an array of
    /// their values in the order of the encoding.
    ///
    /// # Errors
    /// [`Error::Body`] for what is no JSON of this shape; [`Error::Row`] for a row without a column, or with one of them twice;
    /// [`Error::Value`] for a value that is no number and has to be one.
    pub fn of_json(body: &[u8], encoding: &Encoding) -> Result<Self> {
        let names: Vec<&str> = encoding.columns.iter().map(|column| &*column.name).collect();
        let places = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let encoder = RowEncoder::new(encoding);
        let mut reading =
            Reading { names, places, encoder, inputs: Vec::new(), rows: 0, unseen: Vec::new(), failure: None };
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = json.deserialize_any(Body(&mut reading)).and_then(|()| json.end());
        let Reading { encoder, inputs, rows, unseen, failure, .. } = reading;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let wrong = |got: String| Error::Body { expected: ROWS, got };
        read.map_err(|error| wrong(error.to_string()))?;
        let inputs = Array2::from_shape_vec((rows, encoder.width()), inputs);
        Ok(Rows { inputs: inputs.map_err(|error| wrong(error.to_string()))?, unseen })
    }
}

/// Takes up more of the unseen values, the same ones together.
fn add_unseen(all: &mut Vec<Unseen>, more: Vec<Unseen>) {
    for value in more {
        let is_same = |known: &&mut Unseen| known.column == value.column && known.value == value.value;
        if let Some(known) = all.iter_mut().find(is_same) {
            known.rows += value.rows;
        } else if all.len() < MOST_UNSEEN {
            all.push(value);
        }
    }
}

/// What has been read so far.
struct Reading<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    encoder: RowEncoder<'a>,
    inputs: Vec<f64>,
    rows: usize,
    unseen: Vec<Unseen>,
    /// What is wrong with a row, which JSON's own errors cannot tell.
    failure: Option<Error>,
}

impl Reading<'_> {
    /// The place of a field among the columns, which mostly come in their order.
    fn place(&self, name: &str, expected: usize) -> Option<usize> {
        match self.names.get(expected) {
            Some(next) if *next == name => Some(expected),
            _ => self.places.get(name).copied(),
        }
    }

    /// Takes up a row.
    fn push(&mut self, values: &[Held<'_>]) -> Result<()> {
        self.rows += 1;
        let row: Vec<Value<'_>> = values.iter().map(Held::value).collect();
        let first = self.inputs.len();
        self.inputs.resize(first + self.encoder.width(), 0.0);
        let unseen = self.encoder.encode(&row, &mut self.inputs[first..]).map_err(|place| Error::Value {
            row: self.rows,
            column: self.names[place].into(),
            expected: "a finite number",
            got: values[place].to_string(),
        })?;
        add_unseen(&mut self.unseen, unseen);
        Ok(())
    }

    fn wrong_row(&self, expected: impl Into<String>, got: impl Into<String>) -> Error {
        Error::Row { row: self.rows + 1, expected: expected.into(), got: got.into() }
    }
}

/// The first few of these names, in words.
fn some_of(names: &[String]) -> String {
    match names.len().checked_sub(SHOWN_NAMES) {
        Some(more @ 1..) => format!("{} and {more} more", names[..SHOWN_NAMES].join(", ")),
        _ => names.join(", "),
    }
}

/// Keeps what is wrong with a row for later, and ends the reading.
fn fail<E: serde::de::Error>(failure: &mut Option<Error>, error: Error) -> E {
    *failure = Some(error);
    E::custom("a row")
}

/// A value, as it is held until its row is whole.
#[derive(Clone, Default)]
enum Held<'a> {
    #[default]
    Missing,
    Number(f64),
    Text(Cow<'a, str>),
}

impl Held<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Held::Missing => Value::Missing,
            Held::Number(number) => Value::Number(*number),
            Held::Text(text) => Value::Text(text),
        }
    }
}

impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Missing => f.write_str("null"),
            Held::Number(number) => write!(f, "{number}"),
            Held::Text(text) => match text.char_indices().nth(SHOWN) {
                Some((end, _)) => write!(f, "`{}…`", &text[..end]),
                None => write!(f, "`{text}`"),
            },
        }
    }
}

impl<'de> serde::Deserialize<'de> for Held<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Held<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(VALUE)
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Held<'de>, E> {
                Ok(Held::Text(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Held<'de>, E> {
                Ok(Held::Text(Cow::Owned(text.into())))
            }
            fn visit_bool<E>(self, value: bool) -> std::result::Result<Held<'de>, E> {
                Ok(Held::Text(if value { "true" } else { "false" }.into()))
            }
            fn visit_i64<E>(self, value: i64) -> std::result::Result<Held<'de>, E> {
                Ok(match value.unsigned_abs() <= EXACT {
                    true => Held::Number(value as f64),
                    false => Held::Text(value.to_string().into()),
                })
            }
            fn visit_u64<E>(self, value: u64) -> std::result::Result<Held<'de>, E> {
                Ok(match value <= EXACT {
                    true => Held::Number(value as f64),
                    false => Held::Text(value.to_string().into()),
                })
            }
            fn visit_f64<E>(self, value: f64) -> std::result::Result<Held<'de>, E> {
                Ok(Held::Number(value))
            }
            fn visit_unit<E>(self) -> std::result::Result<Held<'de>, E> {
                Ok(Held::Missing)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A whole body: a row, or an array of rows.
struct Body<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ROWS)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> std::result::Result<(), A::Error> {
        Row(self.0).visit_map(fields)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<(), A::Error> {
        while rows.next_element_seed(Row(self.0))?.is_some() {}
        Ok(())
    }
}

/// A row: a record, or an array of values.
struct Row<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: a record with the columns of the model, or an array of their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<(), A::Error> {
        let reading = self.0;
        let mut values: Vec<Option<Held<'de>>> = vec![None; reading.names.len()];
        let mut expected = 0;
        while let Some(name) = fields.next_key::<Name<'de>>()? {
            let Some(place) = reading.place(&name.0, expected) else {
                fields.next_value::<serde::de::IgnoredAny>()?;
                continue;
            };
            if values[place].replace(fields.next_value()?).is_some() {
                let error = reading.wrong_row("each column once", format!("`{}` twice", name.0));
                return Err(fail(&mut reading.failure, error));
            }
            expected = place + 1;
        }
        let absent = values.iter().zip(&reading.names).filter(|(value, _)| value.is_none());
        let absent: Vec<String> = absent.map(|(_, name)| format!("`{name}`")).collect();
        if !absent.is_empty() {
            let error = reading.wrong_row(format!("{} as fields", some_of(&absent)), "a record without");
            return Err(fail(&mut reading.failure, error));
        }
        let values: Vec<Held<'de>> = values.into_iter().flatten().collect();
        reading.push(&values).map_err(|error| fail(&mut reading.failure, error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> std::result::Result<(), A::Error> {
        let reading = self.0;
        let mut values = Vec::with_capacity(reading.names.len());
        while let Some(value) = cells.next_element::<Held<'de>>()? {
            values.push(value);
        }
        if values.len() != reading.names.len() {
            let expected = format!("{} values, one for each column", reading.names.len());
            let error = reading.wrong_row(expected, values.len().to_string());
            return Err(fail(&mut reading.failure, error));
        }
        reading.push(&values).map_err(|error| fail(&mut reading.failure, error))
    }
}

/// The name of a field.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use surefoot_table::{Roles, Table, Target};

    use super::*;

    fn encoding() -> Encoding {
        let table = "size;colour;open;price\n1,5;red;yes;10\n2,25;blue;no;11\n;red;no;13\n2,5;blue;yes;11\n";
        let table = Table::read("t", table.as_bytes()).unwrap();
        let target = Target::find(&table, None, &[], None).unwrap();
        let roles = Roles { categorical: vec!["colour"], ..Roles::default() };
        Encoding::learn(&table, &table.all_rows(), &target, &roles).unwrap().encoding
    }

    fn read(json: &str) -> Result<Rows> {
        Rows::of_json(json.as_bytes(), &encoding())
    }

    #[test]
    fn a_row_is_a_record_or_an_array_of_values() {
        let record = r#"{"colour": "red", "beside": [{"x": 1}], "open": true, "size": 2.25}"#;
        let expected = read(record).unwrap().inputs;
        assert_eq!(expected.nrows(), 1);
        for same in [
            format!("[{record}]"),
            r#"[[2.25, "red", "yes"]]"#.into(),
            r#"[["2,25", " red ", "TRUE"]]"#.into(),
            r#"{"size": 2.25, "c\u006flour": "r\u0065d", "open": "yes"}"#.into(),
        ] {
            assert_eq!(read(&same).unwrap().inputs, expected, "{same}");
        }
        let both = read(&format!("[{record}, [null, \"violet\", null], [null, \"violet\", \"yes\"]]")).unwrap();
        assert_eq!((both.inputs.nrows(), both.inputs.row(0)), (3, expected.row(0)));
        let unseen: Vec<_> = both.unseen.iter().map(|u| (&*u.column, &*u.value, u.rows)).collect();
        assert_eq!(unseen, [("colour", "violet", 2)]);
        assert_eq!(read("[]").unwrap().inputs.dim(), (0, expected.ncols()));
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_place() {
        for (json, expected) in [
            ("", "the body: expected a row, or an array of rows, got EOF"),
            ("[1]", "expected a row: a record with the columns of the model, or an array of their values at line 1"),
            ("7", "invalid type: integer `7`"),
            (r#"{"size": 1, "colour": "red", "open": 1} x"#, "trailing characters at line 1 column 41"),
            (
                r#"{"size": [1], "colour": "red", "open": 1}"#,
                "expected a text, a number, true, false or null at line 1",
            ),
            (r#"{"colour": "red"}"#, "row 1: expected `size`, `open` as fields, got a record without"),
            (r#"[[1, "red", 1], [1, "red"]]"#, "row 2: expected 3 values, one for each column, got 2"),
            (
                r#"{"size": 1, "size": 2, "colour": "red", "open": 1}"#,
                "row 1: expected each column once, got `size` twice",
            ),
            (r#"[[1, "red", 1], ["tall", "red", 1]]"#, "row 2, column `size`: expected a finite number, got `tall`"),
            (r#"[["1.5.2", "red", 1]]"#, "got `1.5.2`"),
            ("[[1e999, \"red\", 1]]", "number out of range"),
        ] {
            let error = read(json).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        let table = "id,y\n9007199254740993,1\n9007199254740995,2\n9007199254740993,3\n9007199254740995,4\n";
        let table = Table::read("t", table.as_bytes()).unwrap();
        let target = Target::find(&table, None, &[], None).unwrap();
        let roles = Roles { categorical: vec!["id"], ..Roles::default() };
        let encoding = Encoding::learn(&table, &table.all_rows(), &target, &roles).unwrap().encoding;
        let rows = Rows::of_json(b"[[9007199254740993], [9007199254740995]]", &encoding).unwrap();
        assert!(rows.unseen.is_empty() && rows.inputs.row(0) != rows.inputs.row(1));
    }
}
