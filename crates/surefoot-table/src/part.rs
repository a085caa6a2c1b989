//! The parts that some data sets come in.

use serde::{Deserialize, Serialize};

/// Which part of a data set is meant where there are two: in a folder of the MNIST family files that begin with `train` and
/// with `t10k`, in a `.npz` file arrays that end in `_train` and `_test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// To learn from.
    Training,
    /// To measure what was learned.
    Test,
}
