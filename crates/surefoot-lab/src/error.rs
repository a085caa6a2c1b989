//! What can be wrong with a request.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A part of a request that cannot be used.
    #[error("{what}: expected {expected}, got {got}")]
    Request {
        /// The part.
        what: &'static str,
        /// What it has to be.
        expected: String,
        /// What came.
        got: String,
    },
    /// No such session: it never was, was ended, or made room for a newer one.
    #[error("there is no session {id}")]
    NoSession {
        /// Its number.
        id: u64,
    },
    /// Every session is training, so that none can make room.
    #[error("all {most} sessions are training")]
    Full {
        /// How many there can be.
        most: usize,
    },
    /// Of a file or a socket.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried, as a verb and its object.
        doing: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Of listening or serving.
    #[error(transparent)]
    Serve(#[from] surefoot_serve::Error),
    /// Of the training.
    #[error(transparent)]
    Fit(#[from] surefoot_fit::Error),
    /// Of reading or encoding a table.
    #[error(transparent)]
    Table(#[from] surefoot_table::Error),
    /// Of the library.
    #[error(transparent)]
    Library(#[from] surefoot::Error),
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn request(what: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Error::Request { what, expected: expected.into(), got: got.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Error::NoSession { .. } => StatusCode::NOT_FOUND,
            Error::Full { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Error::Io { .. } | Error::Serve(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::NoSession { .. } => Some("load the data again: the page keeps its settings"),
            Error::Full { .. } => Some("pause one of them, or close its page"),
            Error::Serve(error) => error.hint(),
            Error::Library(error) => error.hint(),
            _ => None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let message = chain(&self);
        (self.status(), Json(json!({"error": message, "hint": self.hint()}))).into_response()
    }
}

/// The error with what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        cause = error.source();
    }
    text
}
