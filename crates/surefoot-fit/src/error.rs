//! What can be wrong with options, data and their combination.

use surefoot::GradientReport;

use crate::options::{OptimizerKind, Role};

/// Every error of this crate. Options are named as the fields of [`Options`](crate::Options); a door puts its own names in their
/// place, and says what to do about them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of options that cannot be understood, or options that cannot be written as one.
    #[error("options: {message}")]
    Config {
        /// What is wrong, with its place.
        message: String,
    },
    /// An option out of its range.
    #[error("{option}: expected {expected}, got {got}")]
    Option {
        /// Its name.
        option: &'static str,
        /// Its range.
        expected: String,
        /// What came.
        got: String,
    },
    /// An option that excludes another.
    #[error("{option} cannot be combined with {other}")]
    Conflict {
        /// Its name.
        option: &'static str,
        /// The other's name.
        other: &'static str,
    },
    /// An option that the optimizer does not have.
    #[error("{option} does not apply to the optimizer {optimizer}")]
    NotOfOptimizer {
        /// Its name.
        option: &'static str,
        /// The optimizer that was asked for.
        optimizer: OptimizerKind,
        /// One that has it.
        instead: OptimizerKind,
    },
    /// An option that is for classes, where the target is numeric.
    #[error("{what} needs classes, but the target is numeric")]
    NeedsClasses {
        /// The option's name.
        option: &'static str,
        /// What needs them, in words.
        what: &'static str,
    },
    /// A column with two roles.
    #[error("column `{column}` is named by both {} and {}", first.option(), second.option())]
    TwoRoles {
        /// Its name.
        column: String,
        /// The role that was named first.
        first: Role,
        /// The other.
        second: Role,
    },
    /// A network that no machine can hold.
    #[error("a network of {parameters} parameters is too large")]
    TooLarge {
        /// The length of θ.
        parameters: usize,
    },
    /// A held-out table without targets.
    #[error("{table} has no row with a target")]
    NoTargets {
        /// The table.
        table: String,
    },
    /// Folds of which the score would say nothing.
    #[error("{folds} folds leave {rows} rows for a fold, which is too few for R²")]
    SmallFolds {
        /// Folds that were asked for.
        folds: usize,
        /// Rows of the smallest.
        rows: usize,
    },
    /// A training on the way whose cost was not finite.
    #[error("{} stopped in epoch {epoch}: the cost was not finite", of.name())]
    Diverged {
        /// Which one.
        of: Side,
        /// The epoch, from 1.
        epoch: usize,
    },
    /// A gradient that is not the derivative of its cost.
    #[error("not trained: the gradient is wrong")]
    Gradient {
        /// The comparison, layer by layer.
        report: Box<GradientReport>,
    },
    /// Whoever looks on ended the training. It can be resumed where it is kept.
    #[error("interrupted")]
    Interrupted,
    /// One network, of which several processes have nothing to share.
    #[error("batches of {batch} rows are one block, which {ranks} processes cannot share")]
    NotShared {
        /// The rows of a batch.
        batch: usize,
        /// The processes.
        ranks: usize,
    },
    /// Something that went wrong in another process, or differs there.
    #[error("rank {rank}: {message}")]
    Rank {
        /// The process, from 0.
        rank: usize,
        /// What it has to say.
        message: String,
    },
    /// Something that went wrong with a part of the data.
    #[error("cannot {doing}")]
    Context {
        /// What was tried, as a verb and its object.
        doing: String,
        /// What went wrong.
        source: Box<Error>,
    },
    /// Of reading or encoding a table.
    #[error(transparent)]
    Table(#[from] surefoot_table::Error),
    /// Of the library.
    #[error(transparent)]
    Library(#[from] surefoot::Error),
}

/// A training beside the main one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of a fold of the cross-validation, from 1.
    Fold(usize),
    /// The pretraining of a layer, from 1.
    Pretraining(usize),
}

impl Side {
    fn name(self) -> String {
        match self {
            Side::Fold(fold) => format!("the training of fold {fold}"),
            Side::Pretraining(layer) => format!("the pretraining of layer {layer}"),
        }
    }
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what was tried when something went wrong.
pub(crate) trait Context<T> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::Context { doing: doing(), source: Box::new(error.into()) })
    }
}
