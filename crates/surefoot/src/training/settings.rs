//! How to train: the settings of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cost::Cost;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::optimizer::{Adam, Optimizer, Schedule};
use crate::sparsity::Sparsity;
use crate::sum::Partition;
use crate::view::DatasetView;

/// How to train: the settings of a run.
///
/// ```
/// use ndarray::array;
/// use surefoot::{Activation, Dataset, Loss, Network, Problem, Training, draw_defaults};
///
/// let data = Dataset::new(
///     array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
///     array![[0.0], [1.0], [1.0], [0.0]],
/// )?;
/// let network = Network::new(2, &[(8, Activation::Tanh), (1, Activation::Sigmoid)])?;
/// let problem = Problem::new(&network, Loss::CrossEntropy, &data);
/// let trained = Training { epochs: 500, ..Training::default() }.fit(&problem, draw_defaults(&network, 1))?;
/// let h = network.predict(&trained.parameters, data.inputs())?;
/// assert!(h[[0, 0]] < 0.5 && h[[1, 0]] > 0.5);
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// How θ moves. Default Adam with α = 0.005, which suits networks of tens to hundreds of units on scaled data.
    pub optimizer: Optimizer,
    /// What becomes of the learning rate. Default constant, as it must be for L-BFGS, which has none.
    pub schedule: Schedule,
    /// Passes over the data, at most; with L-BFGS iterations. Default 200.
    pub epochs: usize,
    /// Examples a step. Default `None`: 32, and with L-BFGS all, the only size that it takes.
    pub batch_size: Option<BatchSize>,
    /// The rows that are shuffled among each other, at least 1. Data of more rows are read in runs of 3,840 neighbours, in random order,
    /// and shuffled within windows of so many rows, so that data beyond memory need not be read row by row. Default 1,000,000.
    pub shuffle_window: usize,
    /// λ of the overall cost, at least 0. Default 0.
    pub weight_decay: f64,
    /// The penalty on the mean activations of hidden units, over each batch. Default none.
    pub sparsity: Option<Sparsity>,
    /// ε, at least 0 and below 1: the fraction of each target that is spread evenly over the classes in the training cost
    /// ([`Cost::with_label_smoothing`]); costs on validation examples are without. For classes only. Default 0.
    pub label_smoothing: f64,
    /// Epochs without a lower monitored cost before training stops, and with [`Schedule::CosineCycles`] whole cycles of the learning
    /// rate; 0 never stops early. Default 0.
    ///
    /// Monitored is the cost on the validation part; without one, and with a patience, the cost on all training examples
    /// after each epoch. While one is monitored, the parameters with the lowest are those that training returns.
    pub patience: usize,
    /// By what share of itself the monitored cost must fall to renew the patience, at least 0. Default 10⁻⁴.
    pub tolerance: f64,
    /// Decides the order of the examples, and what the gradient check looks at. Default 0.
    pub seed: u64,
    /// Whether the gradient is checked before the first step ([`check_gradient`](Self::check_gradient)): a sample, for at
    /// most about a second. It changes no bit of the training. Default yes.
    pub gradient_check: bool,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            optimizer: Adam { learning_rate: 0.005, ..Adam::default() }.into(),
            schedule: Schedule::Constant,
            epochs: 200,
            batch_size: None,
            shuffle_window: 1_000_000,
            weight_decay: 0.0,
            sparsity: None,
            label_smoothing: 0.0,
            patience: 0,
            tolerance: 1e-4,
            seed: 0,
            gradient_check: true,
        }
    }
}

/// How many examples each step takes. As text: `full`, or the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// All of them, in their order: batch gradient descent.
    Full,
    /// So many, in an order shuffled anew each epoch; the last batch of an epoch has what is left.
    Rows(usize),
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchSize::Full => f.pad("full"),
            BatchSize::Rows(rows) => fmt::Display::fmt(rows, f),
        }
    }
}

impl FromStr for BatchSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match (text, text.parse()) {
            ("full", _) => Ok(BatchSize::Full),
            (_, Ok(rows)) if rows > 0 => Ok(BatchSize::Rows(rows)),
            _ => {
                let expected = "a whole number above 0, or full".into();
                Err(Error::Setting { setting: "batch size", expected, got: format!("`{text}`") })
            }
        }
    }
}

/// A number, or `"full"`.
impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            BatchSize::Full => serializer.serialize_str("full"),
            BatchSize::Rows(rows) => serializer.serialize_u64(*rows as u64),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Rows(usize),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Rows(rows) => rows.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Examples a step, unless it is said how many.
const DEFAULT_BATCH: usize = 32;

impl Training {
    /// The leaves of the sum over a batch, where so many rows are learned from: 1 for up to 512 rows a batch. Threads share a leaf;
    /// [processes](crate::Ranks) take whole leaves, so that more of them than leaves find nothing to do, and of 1 leaf all but one.
    pub fn leaves(&self, rows: usize) -> usize {
        Partition::new(self.batch_rows(rows)).leaves()
    }

    /// The rows of a batch that is not the last of an epoch.
    pub fn batch_rows(&self, rows: usize) -> usize {
        let batch = match (self.batch_size, &self.optimizer) {
            (Some(BatchSize::Rows(rows)), _) => rows,
            (None, Optimizer::FirstOrder(_)) => DEFAULT_BATCH,
            (Some(BatchSize::Full), _) | (None, Optimizer::Lbfgs(_)) => rows,
        };
        batch.min(rows)
    }

    /// The cost that these settings minimise, without label smoothing.
    ///
    /// # Errors
    /// What [`Cost::new`] and [`Cost::with_sparsity`] refuse.
    pub fn cost<'a, T: Scalar>(
        &self,
        network: &'a Network,
        loss: Loss,
        data: impl Into<DatasetView<'a, T>>,
    ) -> Result<Cost<'a, T>> {
        Cost::new(network, loss, self.weight_decay, data)?.with_sparsity(self.sparsity)
    }

    /// The cost that is trained with.
    pub(crate) fn smoothed_cost<'a, T: Scalar>(
        &self,
        network: &'a Network,
        loss: Loss,
        data: DatasetView<'a, T>,
    ) -> Result<Cost<'a, T>> {
        self.cost(network, loss, data)?.with_label_smoothing(self.label_smoothing)
    }

    /// That the settings are in their ranges and go with each other.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn check(&self) -> Result<()> {
        self.optimizer.check()?;
        let refuse =
            |setting, expected: &str, got: String| Err(Error::Setting { setting, expected: expected.into(), got });
        if let (Optimizer::Lbfgs(_), Some(BatchSize::Rows(rows))) = (self.optimizer, self.batch_size) {
            return refuse("batch size", "full with L-BFGS, which takes all examples", rows.to_string());
        }
        if let (Optimizer::Lbfgs(_), true) = (self.optimizer, self.schedule != Schedule::Constant) {
            return refuse("schedule", "constant with L-BFGS, which has no learning rate", self.schedule.to_string());
        }
        if self.batch_size == Some(BatchSize::Rows(0)) {
            return refuse("batch size", "at least 1", "0".into());
        }
        if self.shuffle_window == 0 {
            return refuse("shuffle window", "at least 1 row", "0".into());
        }
        if !(self.tolerance >= 0.0 && self.tolerance < 1.0) {
            return refuse("tolerance", "a number from 0 to 1, 1 excluded", self.tolerance.to_string());
        }
        Ok(())
    }
}
