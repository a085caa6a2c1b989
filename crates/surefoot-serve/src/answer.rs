//! What is predicted, as JSON or CSV.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use surefoot::Model;
use surefoot_table::{Predicted, Predictions, Unseen, target_names};

use crate::error::{Error, Result};

/// The header of CSV that says how many values the training data did not have.
const UNSEEN: HeaderName = HeaderName::from_static("x-surefoot-unseen");

/// The form of rows and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
}

/// What is predicted for the rows of a request.
pub(crate) struct Answer<'a> {
    pub model: &'a Model,
    pub predictions: Predictions<'a>,
    pub unseen: Vec<Unseen>,
}

impl Answer<'_> {
    pub fn response(&self, form: Form) -> Result<Response> {
        let failed = |error: std::io::Error| Error::Serve { source: error };
        match form {
            Form::Json => {
                let body = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
                Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
            }
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                let mut write = |record: Vec<String>| {
                    writer.write_record(record).map_err(|error| failed(std::io::Error::other(error)))
                };
                write(self.predictions.columns())?;
                for row in 0..self.predictions.rows() {
                    write(self.predictions.row(row).map(|value| value.to_string()).collect())?;
                }
                let body = writer.into_inner().map_err(|error| failed(error.into_error()))?;
                let unseen: usize = self.unseen.iter().map(|value| value.rows).sum();
                let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_string());
                Ok(([kind, (UNSEEN, unseen.to_string())], body).into_response())
            }
        }
    }
}

/// `{"predictions": [{"prediction": …, "probabilities": {…}}, …], "unseen": […]}`, the latter where there are some.
impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let rows: Vec<Row<'_>> = (0..self.predictions.rows()).map(|row| Row { answer: self, row }).collect();
        map.serialize_entry("predictions", &rows)?;
        if !self.unseen.is_empty() {
            let one = |value: &Unseen| {
                serde_json::json!({
                    "column": value.column, "value": value.value, "rows": value.rows, "read_as": value.read_as
                })
            };
            map.serialize_entry("unseen", &self.unseen.iter().map(one).collect::<Vec<Value>>())?;
        }
        map.end()
    }
}

struct Row<'a> {
    answer: &'a Answer<'a>,
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Answer { model, predictions, .. } = self.answer;
        let mut map = serializer.serialize_map(None)?;
        let mut predicted = predictions.predicted(self.row).map(value);
        match (predicted.next(), target_names(model)) {
            (Some(first), Some(names)) => {
                let all = names.into_iter().zip(std::iter::once(first).chain(predicted));
                map.serialize_entry("prediction", &Pairs(all.collect()))?;
            }
            (first, _) => map.serialize_entry("prediction", &first)?,
        }
        let probabilities: Vec<_> = predictions.probabilities(self.row).enumerate().collect();
        if !probabilities.is_empty() {
            let of_class = |(class, p): (usize, f64)| (model.class_name(class), Value::from(p));
            map.serialize_entry("probabilities", &Pairs(probabilities.into_iter().map(of_class).collect()))?;
        }
        map.end()
    }
}

fn value(predicted: Predicted) -> Value {
    match predicted {
        Predicted::Class(name) => name.into(),
        Predicted::Number(number) => number.into(),
    }
}

/// An object whose fields keep their order.
struct Pairs(Vec<(String, Value)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
