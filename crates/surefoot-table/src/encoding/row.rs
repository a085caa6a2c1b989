//! Rows that stand in no table, such as those of a request.

use super::{Encoding, Unseen};
use crate::cell::Meaning;
use crate::encoder::{OnError, Rule};
use crate::kind::Kind;
use crate::notation::Notation;

/// A value of a row that stands in no table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Missing,
    /// A number that was never written as text, so that no notation of numbers matters.
    Number(f64),
    /// A text as a cell has it: numbers in it are written as those that the encoding was learned from.
    Text(&'a str),
}

/// Encodes one row after the other. What a value becomes depends on no other row.
///
/// ```
/// use surefoot_table::{Encoding, Roles, RowEncoder, Table, Target, Value};
///
/// let table = Table::read("t", "size,colour,price\n1.5,red,10\n2,blue,11\n,red,13\n2,blue,11\n".as_bytes())?;
/// let target = Target::find(&table, None, &[], None)?;
/// let roles = Roles { categorical: vec!["colour"], ..Roles::default() };
/// let encoding = Encoding::learn(&table, &table.all_rows(), &target, &roles)?.encoding;
///
/// let encoder = RowEncoder::new(&encoding);
/// let mut inputs = vec![0.0; encoder.width()];
/// encoder.encode(&[Value::Number(3.0), Value::Text("blue")], &mut inputs).unwrap();
/// let as_a_table = Table::read("t", "size,colour\n3,blue\n".as_bytes())?;
/// assert_eq!(inputs, encoding.inputs(&as_a_table, &[0])?.row(0).to_vec());
/// # Ok::<(), surefoot_table::Error>(())
/// ```
pub struct RowEncoder<'a> {
    encoding: &'a Encoding,
    rules: Vec<Rule<'a>>,
    /// How categories are read.
    notation: Notation,
    width: usize,
}

impl<'a> RowEncoder<'a> {
    /// Of an encoding.
    pub fn new(encoding: &'a Encoding) -> Self {
        let rules: Vec<Rule<'a>> = encoding.columns.iter().map(|column| Rule::new(&column.kind)).collect();
        let width = encoding.columns.iter().map(|column| column.kind.width()).sum();
        let notation = Notation { missing: encoding.missing.clone(), ..Notation::default() };
        RowEncoder { encoding, rules, notation, width }
    }

    /// The inputs that a row has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Sets the inputs of a row, in the unit of the table: `row` has a value for each of [`Encoding::columns`], `inputs` as many
    /// numbers as [`width`](Self::width) says, which are 0 so far. Returns the values that the encoding does not know, as
    /// [`Encoding::unseen`].
    ///
    /// # Errors
    /// The place of the first column that has to be a finite number and has none.
    pub fn encode(&self, row: &[Value<'_>], inputs: &mut [f64]) -> std::result::Result<Vec<Unseen>, usize> {
        let (mut unseen, mut rest) = (Vec::new(), inputs);
        for (place, (rule, value)) in self.rules.iter().zip(row).enumerate() {
            let (of_column, after) = rest.split_at_mut(rule.kind.width().min(rest.len()));
            rest = after;
            let encoded = if let Kind::Number { notation, .. } = rule.kind {
                rule.encoded(meaning_of(*value, notation), None, OnError::Refuse)
            } else {
                let meaning = meaning_of(*value, &self.notation);
                let number;
                let text = match value {
                    Value::Missing => "",
                    Value::Text(text) => text.trim(),
                    Value::Number(x) => {
                        number = x.to_string();
                        &number
                    }
                };
                let category = rule.categories.place(text, || meaning);
                if !meaning.is_missing {
                    let column = &self.encoding.columns[place];
                    unseen.extend(Unseen::of(column, &rule.categories, text, category, 1));
                }
                rule.encoded(meaning, category, OnError::Refuse)
            };
            encoded.ok_or(place)?.set(rule.kind, of_column);
        }
        Ok(unseen)
    }
}

fn meaning_of(value: Value<'_>, notation: &Notation) -> Meaning {
    match value {
        Value::Missing => Meaning { is_missing: true, ..Meaning::default() },
        Value::Text(text) => Meaning::of(text.trim(), notation),
        Value::Number(x) if x.is_finite() && !notation.unit_is_required && notation.missing.is_none() => {
            Meaning::plain(x)
        }
        Value::Number(x) => Meaning::of(&x.to_string(), &Notation { decimal_comma: false, ..notation.clone() }),
    }
}
