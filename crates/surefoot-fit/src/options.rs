//! What can be asked of a training: plain data, which every door fills in its own way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use surefoot::{Activation, BatchSize, Initialization, Loss, Schedule, Task};
use surefoot_table::Reading;

use crate::activations::Activations;

/// All that decides what is trained, and how. `None` leaves a choice to the recipe, which makes it from the
/// other options and the data.
///
/// Options are read from and written to TOML, which repeats a run exactly:
///
/// ```
/// use surefoot_fit::Options;
///
/// let options: Options = "target = \"price\"\nhidden = [32, 16]\nseed = 7".parse()?;
/// assert_eq!((options.seed, options.hidden.as_deref()), (7, Some(&[32, 16][..])));
/// assert_eq!(options.to_string().parse::<Options>()?, options);
/// # Ok::<(), surefoot_fit::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// The column to predict. Default: that of a built-in set or of labels, else the last. For an autoencoder the column
    /// that is excluded.
    pub target: Option<String>,
    /// An IDX file with the target of each row of an IDX file. Default: the labels beside the images.
    pub target_file: Option<String>,
    /// How files are read, where that is not to be found out.
    pub reading: Reading,
    /// Columns that are numeric, whatever their cells look like; a cell that is not a number is an error.
    pub numeric: Vec<String>,
    /// Columns that are categorical.
    pub categorical: Vec<String>,
    /// Columns that are excluded.
    pub ignore: Vec<String>,
    /// A column of sample weights, at least 0: how much each row counts in the cost. Not an input; scores are unweighted.
    pub sample_weight: Option<String>,
    /// A column whose equal values are never on both sides of a split. Not an input.
    pub group: Option<String>,
    /// Only the first rows, so many.
    pub rows: Option<usize>,
    /// Whether the inputs are the targets, too.
    pub autoencoder: bool,
    /// Classes or numbers. Default: classes for text and for integers with at most 10 different values, else numbers.
    pub task: Option<Task>,

    /// What decides which parameters are kept, and when to stop. Default: a fraction of 0.2 of the rows; none for fewer
    /// than 10 rows, for an autoencoder, and for an ensemble, whose networks have a part each.
    pub validation: Option<Holdout>,
    /// What the result is measured on, and nothing is decided by. Default: none.
    pub test: Option<Holdout>,
    /// Folds of a cross-validation before the training itself. Default: none.
    pub folds: Option<usize>,

    /// Networks that are trained on different parts of the rows, and whose outputs are averaged. Default: 5 where nothing is
    /// said of the network, the optimizer or the validation part and there are at least 15 rows, else 1.
    pub ensemble: Option<usize>,
    /// Units of each hidden layer. Default: three layers of 64 with Adam, else one.
    pub hidden: Option<Vec<usize>>,
    /// Of the hidden layers: one for all, or one for each. Default: SELU with Adam, else tanh; sigmoid for an autoencoder and with
    /// pretraining.
    pub activation: Option<Activations>,
    /// Of the output layer. Default: softmax for classes, sigmoid for two classes or with squared error, identity for
    /// numbers.
    pub output_activation: Option<Activation>,
    /// Default: cross-entropy for classes, squared error for numbers; Poisson where the output activation is exp.
    pub loss: Option<Loss>,
    /// How the weights start. Default: `ntp` with Adam in that parametrization, else by activation.
    pub initialization: Option<Initialization>,
    /// How much the rows of a class count. Default: all alike.
    pub class_weight: Option<ClassWeight>,
    /// λ of the overall cost. Default: 0 with Adam in the neural tangent parametrization, else 10⁻⁴.
    pub weight_decay: Option<f64>,
    /// ρ: the mean activation that each hidden unit should have. Default: none; 0.1 with pretraining.
    pub sparsity: Option<f64>,
    /// β: the weight of the sparsity penalty in the cost. Default 3.
    pub sparsity_weight: Option<f64>,
    /// Layers that are trained one by one before the whole network is. Default: none.
    pub pretraining: Option<Pretraining>,
    /// Iterations of pretraining for each layer, at most. Default 400.
    pub pretraining_epochs: Option<usize>,
    /// λ of the autoencoders of pretraining. Default: that of the training.
    pub pretraining_weight_decay: Option<f64>,

    /// Default: Adam.
    pub optimizer: OptimizerKind,
    /// α. Default: by optimizer and task.
    pub learning_rate: Option<f64>,
    /// What Adam makes of α. Default: neural tangent; standard for an autoencoder and with pretraining.
    pub parametrization: Option<Parametrization>,
    /// Steps that L-BFGS remembers. Default 10.
    pub history: Option<usize>,
    /// β₂ of Adam. Default: 0.95 in the neural tangent parametrization, else 0.999.
    pub beta2: Option<f64>,
    /// μ of gradient descent. Default: 0, with `sgd` 0.9.
    pub momentum: Option<f64>,
    /// ε: the fraction of each target that is spread evenly over the classes while they are learned. Default: 0.1 with Adam in
    /// the neural tangent parametrization and cross-entropy, else 0.
    pub label_smoothing: Option<f64>,
    /// Default: cosine cycles with Adam in the neural tangent parametrization, else constant.
    pub schedule: Option<Schedule>,
    /// Rows a step. Default: all for gradient descent and L-BFGS, else 32.
    pub batch_size: Option<BatchSize>,
    /// The rows that are shuffled among each other where a table has more. Default 1,000,000; of a table with more rows as many as have
    /// 8,388,608 inputs in all, but 61,440 to 1,000,000.
    pub shuffle_window: Option<usize>,
    /// Passes over the data, at most; with L-BFGS iterations. Default: with Adam in the neural tangent parametrization 100, for
    /// more than 2,000 rows 30 to 10 for each network of an ensemble (1,000,000 / rows) and 50 for a single one; else 200.
    pub epochs: Option<usize>,
    /// Epochs without a lower monitored cost until training stops; with cosine cycles, cycles that lowered it by less than 1 %.
    /// Default: 20; 1 with cosine cycles; 0 with half a cosine, and for cosine cycles and L-BFGS without a validation part.
    pub patience: Option<usize>,
    /// Decides the start, the order of the rows and the splits. Default 0.
    pub seed: u64,
    /// The numbers that are trained with. Default: single precision.
    pub precision: Precision,
    /// Skip the gradient check before training.
    pub no_check: bool,
    /// Measure what the score loses without each column, as a report shows. It changes no bit of the model.
    pub importance: bool,
}

impl Options {
    /// The column names that are given a role, in the order in which two roles of one column are told.
    pub(crate) fn roles(&self) -> [(Role, Vec<&str>); 6] {
        fn names(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        [
            (Role::Numeric, names(&self.numeric)),
            (Role::Categorical, names(&self.categorical)),
            (Role::Ignored, names(&self.ignore)),
            (Role::SampleWeight, self.sample_weight.as_deref().into_iter().collect()),
            (Role::Group, self.group.as_deref().into_iter().collect()),
            (Role::Target, self.target.as_deref().into_iter().collect()),
        ]
    }
}

/// What a column is named as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A numeric input.
    Numeric,
    /// A categorical input.
    Categorical,
    /// Excluded.
    Ignored,
    /// The sample weights.
    SampleWeight,
    /// The groups.
    Group,
    /// The target.
    Target,
}

impl Role {
    /// The option that gives it.
    pub fn option(self) -> &'static str {
        match self {
            Role::Numeric => "numeric",
            Role::Categorical => "categorical",
            Role::Ignored => "ignore",
            Role::SampleWeight => "sample_weight",
            Role::Group => "group",
            Role::Target => "target",
        }
    }
}

/// What is held out: some of the rows, or a table of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Holdout {
    /// Nothing.
    Nothing,
    /// A fraction of the rows, between 0 and 1.
    Fraction(f64),
    /// A table, named as the data is.
    Table(String),
}

impl FromStr for Holdout {
    /// What was expected.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(fraction) => Holdout::of_fraction(fraction),
            Err(_) => Ok(Holdout::Table(text.into())),
        }
    }
}

impl Holdout {
    fn of_fraction(fraction: f64) -> Result<Self, String> {
        match fraction {
            0.0 => Ok(Holdout::Nothing),
            fraction if fraction > 0.0 && fraction < 1.0 => Ok(Holdout::Fraction(fraction)),
            _ => Err(format!("expected a fraction from 0 to 1 (1 excluded), or a file, got {fraction}")),
        }
    }
}

impl Serialize for Holdout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Holdout::Nothing => serializer.serialize_f64(0.0),
            Holdout::Fraction(fraction) => serializer.serialize_f64(*fraction),
            Holdout::Table(table) => serializer.serialize_str(table),
        }
    }
}

impl<'de> Deserialize<'de> for Holdout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Fraction(f64),
            Table(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Fraction(fraction) => Holdout::of_fraction(fraction).map_err(serde::de::Error::custom),
            Written::Table(table) => Ok(Holdout::Table(table)),
        }
    }
}

macro_rules! choices {
    ($(#[$about:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// The name in options.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

choices! {
    /// An optimizer, with the batch size and the momentum that it is usually taken with.
    OptimizerKind {
        /// The notes' batch gradient descent: all rows a step, no momentum.
        GradientDescent = "gradient-descent",
        /// Gradient descent on batches of 32, with momentum 0.9.
        Sgd = "sgd",
        /// Adam, on batches of 32.
        Adam = "adam",
        /// L-BFGS, on all rows.
        Lbfgs = "lbfgs",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro takes no default")]
impl Default for OptimizerKind {
    fn default() -> Self {
        OptimizerKind::Adam
    }
}

choices! {
    /// What Adam makes of the learning rate α.
    Parametrization {
        /// The neural tangent parametrization: α/√fan-in for weights, α/10 for biases.
        Ntp = "ntp",
        /// α for every parameter.
        Standard = "standard",
    }
}

choices! {
    /// How much the rows of a class count.
    ClassWeight {
        /// Classes count alike, however many rows each has: m/(K·mₖ), as scikit-learn's `balanced`.
        Balanced = "balanced",
    }
}

choices! {
    /// How layers are trained one by one.
    Pretraining {
        /// Each hidden layer as a sparse autoencoder of what it reads.
        SparseAutoencoder = "sparse-autoencoder",
    }
}

choices! {
    /// The numbers that are trained with.
    Precision {
        /// Single precision.
        F32 = "f32",
        /// Double precision.
        F64 = "f64",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro takes no default")]
impl Default for Precision {
    fn default() -> Self {
        Precision::F32
    }
}
