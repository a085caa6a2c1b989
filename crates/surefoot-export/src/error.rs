//! What cannot be written or read.

/// Why a model could not be exported or imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused the model.
    #[error(transparent)]
    Library(#[from] surefoot::Error),
    /// Something that the format cannot say exactly, or a file that is not what it should be.
    #[error("{place}: expected {expected}, got {got}")]
    Unfit {
        /// The part of the model or of the file.
        place: String,
        /// What can be written or read.
        expected: String,
        /// What is there.
        got: String,
        /// What can be done.
        hint: &'static str,
    },
    /// The archive could not be made.
    #[error("cannot write the archive: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// An entry of the archive could not be made.
    #[error("cannot write an entry of the archive: {0}")]
    Entry(#[from] std::io::Error),
    /// The model could not be put as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn unfit(
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Error::Unfit { place: place.into(), expected: expected.into(), got: got.into(), hint }
    }

    /// What the person who sees the error can do, where there is something to say.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Library(error) => error.hint(),
            Error::Unfit { hint, .. } => Some(hint),
            Error::Archive(_) | Error::Entry(_) | Error::Json(_) => None,
        }
    }
}
