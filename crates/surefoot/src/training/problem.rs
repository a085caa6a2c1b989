//! What is minimised, on which examples.

use crate::device::Device;
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::ranks::Ranks;
use crate::view::DatasetView;

/// A network with its loss, the examples that it is trained on, those that it is validated on, and who computes.
///
/// ```
/// use ndarray::array;
/// use surefoot::{Activation, Dataset, Loss, Network, Problem, Task};
///
/// let data = Dataset::new(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let network = Network::new(1, &[(1, Activation::Identity)])?;
/// let problem = Problem::new(&network, Loss::SquaredError, &data);
/// assert_eq!((problem.task, problem.data.rows()), (Task::Regression, 3));
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a, T> {
    /// The layers.
    pub network: &'a Network,
    /// The term of one example in the cost.
    pub loss: Loss,
    /// What the validation score is, accuracy or R². It follows from the loss ([`Loss::task`]); set it where classes are
    /// learned with squared error.
    pub task: Task,
    /// The training examples.
    pub data: DatasetView<'a, T>,
    /// The validation examples: nothing is learned from them, but their cost decides which parameters are kept.
    pub validation: Option<DatasetView<'a, T>>,
    /// The processes that train together, each with the same examples; `None`: this one alone. They change no bit.
    pub ranks: Option<&'a dyn Ranks>,
    /// What computes in the place of the CPU; `None`: the CPU. It changes no bit. With ranks the CPU computes.
    pub device: Option<&'a dyn Device<T>>,
}

impl<'a, T: Scalar> Problem<'a, T> {
    /// Training without a validation part. The shapes and the targets are checked when a training starts.
    pub fn new(network: &'a Network, loss: Loss, data: impl Into<DatasetView<'a, T>>) -> Self {
        Problem { network, loss, task: loss.task(), data: data.into(), validation: None, ranks: None, device: None }
    }

    /// The same with this validation part, or without one.
    #[must_use]
    pub fn with_validation(self, validation: Option<impl Into<DatasetView<'a, T>>>) -> Self {
        Problem { validation: validation.map(Into::into), ..self }
    }

    /// The same, trained by these processes together, or by this one alone. They share the rows of each sum that has more than one
    /// leaf ([`Training::leaves`](crate::Training::leaves)), and each of them computes everything else.
    #[must_use]
    pub fn with_ranks(self, ranks: Option<&'a dyn Ranks>) -> Self {
        Problem { ranks, ..self }
    }

    /// The same, computed by this device, or by the CPU.
    #[must_use]
    pub fn with_device(self, device: Option<&'a dyn Device<T>>) -> Self {
        Problem { device, ..self }
    }
}
