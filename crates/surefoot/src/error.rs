//! What can be wrong with data, settings and files, as data.

use std::path::PathBuf;

use crate::gradient_report::GradientReport;

/// Every error of this library. Not converging is no error: see [`StopReason`](crate::StopReason).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes that do not fit each other.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// The matrix or vector.
        what: String,
        /// The shape that fits.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A number in the data that training cannot use: not finite, or outside of what the loss allows.
    #[error("{what}, row {row}, column {column}: expected {expected}, got {got}")]
    Value {
        /// Inputs, targets or weights.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// What would be accepted.
        expected: &'static str,
        /// The number that came.
        got: f64,
    },
    /// A setting out of its range, or two settings that exclude each other.
    #[error("{setting}: expected {expected}, got {got}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// Its range.
        expected: String,
        /// What came.
        got: String,
    },
    /// A cost that is not finite, so that it has no derivative to compare.
    #[error("the cost at these parameters: expected a finite number, got {got}")]
    Cost {
        /// The cost.
        got: f64,
    },
    /// A gradient that is not the derivative of its cost, so that nothing is trained with it.
    #[error(
        "the gradient is wrong in {} of {} coordinates that were compared with the numerical derivative",
        report.total.wrong, report.total.checked
    )]
    Gradient {
        /// The comparison, layer by layer.
        report: Box<GradientReport>,
    },
    /// A training that cannot be resumed, since something is not as it was when it began.
    #[error("cannot resume the training: {what}: expected {expected}, got {got}")]
    Resume {
        /// Settings, training examples or validation examples.
        what: &'static str,
        /// What they were.
        expected: String,
        /// What they are.
        got: String,
    },
    /// A model file or a checkpoint that cannot be understood.
    #[error("{}: {what}: expected {expected}, got {got}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// The tensor or the entry.
        what: String,
        /// What the format asks for.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// The operating system gave no threads.
    #[error("cannot start {count} threads: {reason}")]
    Threads {
        /// How many were asked for.
        count: usize,
        /// The system's reason.
        reason: String,
    },
    /// Processes that compute together have come apart.
    #[error("{what}")]
    Ranks {
        /// What happened, and which of them it is about.
        what: String,
    },
    /// Sums over examples that lie on other machines did not come, or were not those that were asked for.
    #[error("{what}")]
    Remote {
        /// What happened.
        what: String,
    },
    /// A device that cannot compute what it is there for.
    #[error("{what}")]
    Device {
        /// What happened.
        what: String,
        /// What can be done about it.
        hint: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: read, write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A result with this library's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What the person who sees the error can do, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Shape { .. } => None,
            Error::Value { expected, .. } if *expected == FINITE => {
                Some("remove the row, or put a number in its place")
            }
            Error::Value { what: "weights", .. } => Some("at least one training row needs a weight above 0"),
            Error::Value { .. } => Some("another loss or output activation may allow these targets"),
            Error::Setting { .. } => None,
            Error::Resume { .. } => Some("restore the data and settings, or start again without resuming"),
            Error::Gradient { .. } => Some("this is a bug in the program: please report it"),
            Error::Cost { .. } => Some("smaller parameters, inputs or weight decay keep the cost finite"),
            Error::Threads { .. } => Some("ask for fewer threads, or raise the limit on them"),
            Error::Ranks { .. } => {
                Some("the job cannot go on; resume it from its checkpoint, without a machine that is in doubt")
            }
            Error::Remote { .. } => Some("the same version of surefoot has to be on all machines"),
            Error::Device { hint, .. } => Some(hint),
            Error::ModelFile { .. } => Some("docs/model-format.md describes model files and checkpoints"),
            Error::Io { action: "write", .. } => Some("does the folder exist, and may you write there?"),
            Error::Io { .. } => Some("does the file exist, and may you read it?"),
        }
    }
}

/// What a number of the data has to be, at the least.
pub(crate) const FINITE: &str = "a finite number";

/// The item of this name, or an error that lists all names.
pub(crate) fn by_name<T: Copy>(
    setting: &'static str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
    name: &str,
) -> Result<T> {
    all.iter().copied().find(|&item| name_of(item) == name).ok_or_else(|| Error::Setting {
        setting,
        expected: format!("one of {}", all.iter().map(|&item| name_of(item)).collect::<Vec<_>>().join(", ")),
        got: format!("`{name}`"),
    })
}
