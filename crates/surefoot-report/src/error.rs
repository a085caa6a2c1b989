//! What cannot be drawn or explained.

/// Why a page or a drawing could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused the model or the example.
    #[error(transparent)]
    Library(#[from] surefoot::Error),
    /// The table does not have what the model needs.
    #[error(transparent)]
    Table(#[from] surefoot_table::Error),
    /// Activations of which none is a function of a single z, as softmax is not.
    #[error("softmax is not a function of a single z")]
    NoFunctionOfOneSum,
    /// Features can be drawn of pixels only.
    #[error("the {inputs} inputs are not the pixels of an image")]
    NotAnImage {
        /// How many inputs the network has.
        inputs: usize,
    },
    /// A picture too large for its format.
    #[error("a picture of {height} × {width} pixels cannot be written as PNG")]
    Picture {
        /// Its height in pixels.
        height: usize,
        /// Its width in pixels.
        width: usize,
        /// The encoder's reason.
        source: png::EncodingError,
    },
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the person who sees the error can do, where there is something to say.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Library(error) => error.hint(),
            Error::Table(_) => None, // its reason says what to do, in the words of each door
            Error::NoFunctionOfOneSum => Some("choose a model with other layers"),
            Error::NotAnImage { .. } => {
                Some("only for models whose inputs are named pixel_ROW_COLUMN, or whose number of inputs is a square")
            }
            Error::Picture { .. } => Some("SVG has no such limit"),
        }
    }
}
