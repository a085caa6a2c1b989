//! What can be wrong with a request, or with serving.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened at.
    #[error("cannot listen at {host}:{port}")]
    Listen {
        /// The name or number of this machine.
        host: String,
        /// The port.
        port: u16,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Serving failed.
    #[error("cannot serve")]
    Serve {
        /// The system's reason.
        source: std::io::Error,
    },
    /// A body that is no JSON of rows.
    #[error("the body: expected {expected}, got {got}")]
    Body {
        /// What it has to be.
        expected: &'static str,
        /// What came, with its place.
        got: String,
    },
    /// A body that is larger than what is read.
    #[error("the body is larger than {most} bytes")]
    Large {
        /// The most that is read.
        most: usize,
    },
    /// What stands behind the question mark of an address.
    #[error("the query: expected probabilities=true or probabilities=false, got `{got}`")]
    Query {
        /// What came.
        got: String,
    },
    /// A row that is not one of the model's.
    #[error("row {row}: expected {expected}, got {got}")]
    Row {
        /// Its number, from 1.
        row: usize,
        /// What it has to be.
        expected: String,
        /// What came.
        got: String,
    },
    /// A value that cannot be used.
    #[error("row {row}, column `{column}`: expected {expected}, got {got}")]
    Value {
        /// The row's number, from 1.
        row: usize,
        /// The column's name.
        column: String,
        /// What it has to be.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// Values that the training data did not have, where they are refused.
    #[error("column `{column}`: expected a value of the training data, got `{value}`")]
    Unseen {
        /// The column's name.
        column: String,
        /// The first such value.
        value: String,
    },
    /// A header that says what this service cannot do.
    #[error("the header {header}: expected {expected}, got `{got}`")]
    Header {
        /// Its name.
        header: &'static str,
        /// What it can be.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// Probabilities of a model that has none.
    #[error("the outputs of this model are not probabilities")]
    NoProbabilities,
    /// The service is about to end.
    #[error("the service ends")]
    Ended,
    /// Of reading a table.
    #[error(transparent)]
    Table(#[from] surefoot_table::Error),
    /// Of the library.
    #[error(transparent)]
    Library(#[from] surefoot::Error),
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Error::Listen { .. } => "choose another with --host and --port; --port 0 takes any port that is free",
            Error::Body { .. } => {
                "send a row such as {\"size\": 3, \"kind\": \"a\"}, or an array of rows; GET /schema describes them"
            }
            Error::Large { .. } => "send the rows in several requests",
            Error::Query { .. } => "omit it, or see GET /schema",
            Error::Row { .. } => "GET /schema lists the columns; send null for a value that is missing",
            Error::Value { .. } => "correct the value; GET /schema says what each column takes",
            Error::Unseen { .. } => "correct the value, or start the service without --strict",
            Error::Header { header: "Content-Type", .. } => {
                "with curl: -H 'Content-Type: application/json' or -H 'Content-Type: text/csv'"
            }
            Error::Header { .. } => "omit it: the answer then is what the request is",
            Error::NoProbabilities => "omit probabilities=true",
            Error::Ended => "ask again: another service may have taken its place",
            Error::Library(error) => return error.hint(),
            Error::Serve { .. } | Error::Table(_) => return None,
        })
    }

    fn status(&self) -> StatusCode {
        match self {
            Error::Listen { .. } | Error::Serve { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Header { header: "Content-Type", .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Header { .. } => StatusCode::NOT_ACCEPTABLE,
            Error::Large { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Ended => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        refusal(self.status(), &self.to_string(), self.hint())
    }
}

/// An answer that says what is wrong.
pub(crate) fn refusal(status: StatusCode, message: &str, hint: Option<&str>) -> Response {
    let body = json!({"error": message, "hint": hint}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
