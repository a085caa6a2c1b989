//! The arguments of each command. Their documentation is the manual that `--help` prints.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use surefoot::{Activation, BatchSize, Initialization, Loss, Schedule, Task};
use surefoot_table::{Part, Source};

/// Train, check and use fully-connected neural networks.
///
/// DATA is everywhere a table: a text file with commas, tabs, semicolons or bars (that is found out), `.npy`, `.npz`, IDX or
/// Parquet (where it was built with it), each packed with gzip or not; `-` for standard input; the name of a built-in data set
/// (`surefoot datasets`); or a folder with the four files of the MNIST family. Of such a folder the files that begin with
/// `train` are learned from, checked on and encoded, those that begin with `t10k` are predicted and evaluated; so are arrays
/// of an `.npz` that end in `_train` and `_test`.
/// Exit status: 0 done, 1 the gradient check or the training says no, 2 wrong use or wrong data, 130 interrupted, with a
/// checkpoint to go on from.
#[derive(Parser)]
#[command(name = "surefoot", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Train(Box<Train>),
    Predict(Predict),
    Evaluate(Evaluate),
    Explain(Explain),
    Encode(Encode),
    Check(Check),
    Show(Show),
    /// List the data sets that are built in.
    #[command(after_help = "Example:
  surefoot datasets")]
    Datasets,
}

/// Train a network on a table and write it as a model file.
///
/// What each column is, is found out, a validation part is set aside, the gradient is checked, and training goes on until the
/// validation cost no longer falls. The model file has all that a prediction needs.
#[derive(Args)]
#[command(allow_negative_numbers = true)]
#[command(after_help = "Examples:
  surefoot train digits
  surefoot train houses.csv --target price --hidden 64,32 --seed 7
  surefoot train iris --hidden 8 --activation sigmoid --loss squared-error --optimizer gradient-descent
  surefoot train patches --autoencoder --hidden 25 --sparsity 0.01 --optimizer lbfgs --epochs 400
  surefoot train digits --hidden 200,200 --pretrain sparse-autoencoder
  surefoot train /usr/share/datasets/fashion-mnist --hidden 100 --checkpoint fashion.checkpoint
  surefoot train --resume fashion.checkpoint")]
pub struct Train {
    #[command(flatten)]
    pub settings: Settings,
    /// Go on with a training that was interrupted, to the same bits as without the break. The checkpoint knows all
    /// else; its data must be as they were
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "Settings")]
    pub resume: Option<PathBuf>,
    /// Threads to compute with; they do not change the result [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object a line, for each epoch and at the end, and nothing else; of several networks that are trained at
    /// the same time the epochs come as they are done
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

/// All that decides what is trained, and how.
#[derive(Args)]
#[command(group = ArgGroup::new("sparse").args(["sparsity", "pretrain"]).multiple(true))]
pub struct Settings {
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    #[arg(required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub data: String,
    /// The column to predict [default: that of a built-in set or of labels, else the last]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// An IDX file with the target of each row of an IDX file [default: for …-images-idx3-ubyte the …-labels-idx1-ubyte
    /// beside it]
    #[arg(long, value_name = "LABELS.idx", conflicts_with = "target")]
    pub target_file: Option<String>,
    /// Whether the first line of a text file has the names of the columns [default: found out]
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub header: Option<bool>,
    /// Columns to take as numbers, separated by commas; where a cell is none, that is an error
    #[arg(long, value_name = "COLUMNS")]
    pub numeric: Vec<String>,
    /// Columns to take as categories
    #[arg(long, value_name = "COLUMNS")]
    pub categorical: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMNS")]
    pub ignore: Vec<String>,
    /// A column that says how much each row counts in the cost, at least 0; no input. Scores count rows alike
    #[arg(long, value_name = "COLUMN", conflicts_with = "autoencoder")]
    pub weight: Option<String>,
    /// A column whose equal values belong together, as rows of one patient: never on both sides of a split; no input. A row
    /// without a value belongs to no other
    #[arg(long, value_name = "COLUMN", conflicts_with = "autoencoder")]
    pub group: Option<String>,
    /// Take the first rows only
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub rows: Option<usize>,
    /// Learn to give the inputs back: all columns are inputs and targets, but that of --target, which is left out (the
    /// label of a built-in set by itself)
    #[arg(long, conflicts_with = "task")]
    pub autoencoder: bool,
    /// What to predict; auto: classes for text and for integers with at most 10 different values, else numbers
    #[arg(long, value_enum, default_value_t = TaskChoice::Auto)]
    pub task: TaskChoice,
    /// Networks that are trained, each stopped by another part of the rows, and averaged into one, which errs less than each
    /// [default: 5 where nothing is said of the network, the optimizer or the validation part and the table has 50 to 20000
    /// rows, and no fewer groups than that; else 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["validation", "autoencoder", "pretrain"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub members: Option<usize>,
    /// Units of each hidden layer, as 32,16; none: inputs straight to outputs [default: 64,64,64 with adam, else 64]
    #[arg(long, value_name = "UNITS")]
    pub hidden: Option<Hidden>,
    /// balanced: classes count alike, however many rows each has
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "autoencoder")]
    pub class_weight: Option<ClassWeight>,
    /// Activation of hidden layers: sigmoid, tanh, identity, relu, leaky-relu, selu [default: selu with adam, else tanh; sigmoid with --autoencoder or --pretrain]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// Activation of the output [default: softmax for classes, sigmoid for two classes or with squared error, identity for numbers]
    #[arg(long, value_name = "NAME")]
    pub output_activation: Option<Activation>,
    /// squared-error or cross-entropy [default: cross-entropy for classes, squared-error for numbers]
    #[arg(long, value_name = "NAME")]
    pub loss: Option<Loss>,
    /// λ: adds λ/2 times the sum of squared weights to the cost; not divided by the number of rows [default: 0 with adam by
    /// width, else 1e-4]
    #[arg(long, value_name = "λ")]
    pub weight_decay: Option<f64>,
    /// ρ, between 0 and 1: the mean activation that each hidden unit should have; hidden units are sigmoid or tanh. With
    /// --pretrain while it pretrains only [default: none; 0.1 with --pretrain]
    #[arg(long, value_name = "ρ")]
    pub sparsity: Option<f64>,
    /// β: what the sparsity weighs in the cost
    #[arg(long, value_name = "β", default_value_t = 3.0, requires = "sparse")]
    pub sparsity_weight: f64,
    /// Let each layer learn by itself first, from the first to the last, by lbfgs: each hidden layer as a sparse autoencoder
    /// of what it reads, the output layer the target from the last hidden layer. What follows is the fine-tuning
    #[arg(long, value_enum, value_name = "HOW")]
    pub pretrain: Option<Pretrain>,
    /// Iterations of pretraining, at most, for each layer
    #[arg(long, value_name = "N", default_value_t = 400, requires = "pretrain")]
    pub pretrain_epochs: usize,
    /// λ of the autoencoders of pretraining [default: that of --weight-decay]
    #[arg(long, value_name = "λ", requires = "pretrain")]
    pub pretrain_weight_decay: Option<f64>,
    /// gradient-descent: full batch, no momentum, as in the notes; sgd: batches of 32, momentum 0.9; adam: batches of 32;
    /// lbfgs: all rows in each iteration
    #[arg(long, value_enum, default_value_t = OptimizerChoice::Adam)]
    pub optimizer: OptimizerChoice,
    /// α [default: 0.5 for gradient-descent, 0.02 for sgd; for adam by width 0.03 for classes and 0.05 for numbers, else
    /// 0.005]
    #[arg(long, value_name = "α")]
    pub learning_rate: Option<f64>,
    /// What adam makes of α: by-width: α/√s for the weights of units with s inputs, α/10 for biases; alike: α everywhere
    /// [default: by-width, but alike with --autoencoder or --pretrain]
    #[arg(long, value_enum, value_name = "HOW")]
    pub rates: Option<Rates>,
    /// Steps that lbfgs remembers [default: 10]
    #[arg(long, value_name = "N")]
    pub history: Option<usize>,
    /// β₂ of adam [default: 0.95 by width, else 0.999]
    #[arg(long, value_name = "β₂")]
    pub beta2: Option<f64>,
    /// ε: the share of each target that is spread evenly over the classes while it is learned from [default: 0.1 with adam by
    /// width and cross-entropy, else 0]
    #[arg(long, value_name = "ε")]
    pub label_smoothing: Option<f64>,
    /// μ of gradient-descent or sgd, from 0 to 1
    #[arg(long, value_name = "μ")]
    pub momentum: Option<f64>,
    /// constant, cosine, cycles, or step:EVERY:FACTOR (every so many epochs times the factor) [default: cycles with adam by
    /// width, else constant]
    #[arg(long, value_name = "S")]
    pub schedule: Option<Schedule>,
    /// Rows a step, or full [default: full for gradient-descent and lbfgs, else 32]
    #[arg(long, value_name = "N|full")]
    pub batch_size: Option<Batch>,
    /// Passes over the data, at most; with lbfgs iterations [default: with adam by width 100, or 50 for more than 2000
    /// rows; else 200]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Epochs without a lower cost (on the validation part, or without one on the training part) until training stops; 0:
    /// never. The parameters with the lowest cost are kept [default: 20; 0 where the schedule is cosine or cycles, and for
    /// lbfgs without a validation part]
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
    /// Share of the rows to stop by, with the same share of each class, 0 for none, or a table [default: 0.2; none for tables
    /// of fewer than 10 rows and with --autoencoder; with --members each has a part of its own]
    #[arg(long, value_name = "SHARE|FILE")]
    pub validation: Option<Held>,
    /// Share of the rows to measure the result on, which nothing else looks at, or a table [default: none]
    #[arg(long, value_name = "SHARE|FILE")]
    pub test: Option<Held>,
    /// Before the training itself, train so many times, each time on all rows but one part, and measure on that part: how
    /// good such a network is, and how much that varies
    #[arg(long, value_name = "N", conflicts_with_all = ["checkpoint", "pretrain", "autoencoder"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..))]
    pub folds: Option<usize>,
    /// Start of the weights: normal, normal:ε, uniform:r, glorot, he, lecun, tangent [default: tangent with adam by width; else
    /// he for relu and leaky-relu, lecun for selu, else glorot]
    #[arg(long, value_name = "I")]
    pub init: Option<Initialization>,
    /// Decides the start, the order of the rows and the validation part
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Numbers to train with
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,
    /// Do not check the gradient before training
    #[arg(long)]
    pub no_check: bool,
    /// Where the model goes [default: the data's name with .safetensors, in this folder]
    #[arg(long, value_name = "MODEL")]
    pub out: Option<PathBuf>,
    /// Where the report goes, a page to look at, or none [default: beside the model, with .html]
    #[arg(long, value_name = "FILE.html|none")]
    pub report: Option<PathBuf>,
    /// Keep the training in this file while it goes on, so that --resume can go on with it after an interruption
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// How often: seconds as 30s, or steps as 100
    #[arg(long, value_name = "30s|100", default_value = "30s", requires = "checkpoint")]
    pub checkpoint_every: Every,
}

/// Predict a row of output for each row of a table.
///
/// Writes CSV with the header `prediction` (`prediction_COLUMN` for each of several targets): the class, or the number in the
/// unit of the target. Columns are found by the names that the model was trained with, in any order; others, the target too,
/// are ignored. A text file of any length is predicted piece by piece.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot predict iris.safetensors flowers.csv --probabilities --out species.csv")]
pub struct Predict {
    /// A model file
    pub model: PathBuf,
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    #[command(flatten)]
    pub reading: Reading,
    /// Where the CSV goes [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Add a column probability_CLASS for each class
    #[arg(long)]
    pub probabilities: bool,
}

/// Measure a model on a table that has the targets.
///
/// Prints the cost and the score (accuracy for classes, R² for numbers) with all other metrics: precision and recall
/// of each class, confusion matrix and log loss, or RMSE and MAE in the unit of the target.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot evaluate digits.safetensors digits --json")]
pub struct Evaluate {
    /// A model file
    pub model: PathBuf,
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    #[command(flatten)]
    pub reading: Reading,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
}

/// Show the notes' formulas with the numbers of one example.
///
/// For a row of a table every z, a and δ, the loss J, and the gradient of each layer beside its numerical derivative; large
/// layers are shortened. The page has them typeset, as equations (2) to (8).
#[derive(Args)]
#[command(after_help = "Example:
  surefoot explain iris.safetensors iris --row 3 --out explained.html")]
pub struct Explain {
    /// A model file
    pub model: PathBuf,
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    #[command(flatten)]
    pub reading: Reading,
    /// The row, from 1, without the header
    #[arg(long, value_name = "N")]
    pub row: usize,
    /// Where the page goes [default: none is written]
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
}

/// Write the hidden activations of a model for each row of a table.
///
/// Writes CSV with a column `unit_0`, `unit_1`, … for each unit of the layer; the columns of the table that are no inputs
/// follow as they are, so that a table with labels can be learned from.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot encode digits.safetensors digits --out encoded.csv")]
pub struct Encode {
    /// A model file
    pub model: PathBuf,
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    #[command(flatten)]
    pub reading: Reading,
    /// The hidden layer, from 1
    #[arg(long, value_name = "L", default_value_t = 1)]
    pub layer: usize,
    /// Where the CSV goes [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
}

/// Compare the gradient of a cost with its numerical derivative, in double precision.
///
/// Without arguments, of a new network on 200 rows of digits; with a model alone, of the model on random examples that
/// fit it; with a model and data, of that model's cost on that data. Exit status 1 when the gradient is wrong, or when
/// it is zero everywhere, so that nothing was compared.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot check digits.safetensors digits --sample 500")]
pub struct Check {
    /// A model file
    pub model: Option<PathBuf>,
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: Option<String>,
    #[command(flatten)]
    pub reading: Reading,
    /// EPSILON, the step to each side
    #[arg(long, value_name = "EPSILON", default_value_t = 1e-4)]
    pub epsilon: f64,
    /// Coordinates to compare, drawn from all [default: all; of more than 10000, 100 to 1000 by what
    /// they cost]
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// Write the gradient as F64 tensors with the names of the model's
    #[arg(long, value_name = "FILE.safetensors")]
    pub gradient: Option<PathBuf>,
    /// Check the bits instead: train a small fixed run with each instruction set that this CPU has, and compare the
    /// parameters with those that every CPU gives
    #[arg(long, conflicts_with_all = ["model", "sample", "gradient"])]
    pub bits: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
}

/// Show what is in a model file: the layers, columns and classes, and how it was trained.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot show digits.safetensors
  surefoot show iris.safetensors --diagram network.svg --activations functions.svg
  surefoot show patches.safetensors --features features.png")]
pub struct Show {
    /// A model file
    pub model: PathBuf,
    /// Draw what each unit of the first hidden layer answers to, the input of norm 1 that excites it most, as a tile: PNG,
    /// or SVG by the file's name. Inputs named as pixel_3_0, or in a square number, lie as in the image
    #[arg(long, value_name = "FILE.png|svg")]
    pub features: Option<PathBuf>,
    /// Draw the network: its layers, units and bias units, and the strength of its weights; large layers are shortened
    #[arg(long, value_name = "FILE.svg")]
    pub diagram: Option<PathBuf>,
    /// Plot the activation functions of its layers with their derivatives
    #[arg(long, value_name = "FILE.svg")]
    pub activations: Option<PathBuf>,
}

/// How a table is read.
#[derive(Args)]
pub struct Reading {
    /// An IDX file with the target of each row of an IDX file
    #[arg(long, value_name = "LABELS.idx")]
    pub target_file: Option<String>,
    /// Whether the first line of a text file has the names of the columns [default: found out]
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub header: Option<bool>,
}

impl Reading {
    /// `known`: names that its columns may have.
    pub fn source<'a>(&'a self, data: &'a str, part: Part, known: &'a [String]) -> Source<'a> {
        Source { target_file: self.target_file.as_deref(), header: self.header, known, ..Source::new(data, part) }
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskChoice {
    Auto,
    Classification,
    Regression,
}

impl TaskChoice {
    pub fn task(self) -> Option<Task> {
        match self {
            TaskChoice::Auto => None,
            TaskChoice::Classification => Some(Task::Classification),
            TaskChoice::Regression => Some(Task::Regression),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OptimizerChoice {
    GradientDescent,
    Sgd,
    Adam,
    Lbfgs,
}

/// What Adam makes of the learning rate.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rates {
    ByWidth,
    Alike,
}

/// How much the rows of a class count.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassWeight {
    Balanced,
}

/// How layers learn by themselves.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pretrain {
    SparseAutoencoder,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F64,
}

/// Units of the hidden layers.
#[derive(Clone)]
pub struct Hidden(pub Vec<usize>);

impl FromStr for Hidden {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Hidden(Vec::new()));
        }
        let units = text.split(',').map(|units| units.trim().parse().ok().filter(|&units| units > 0));
        units
            .collect::<Option<_>>()
            .map(Hidden)
            .ok_or_else(|| "expected whole numbers above 0 as 32,16, or none".into())
    }
}

/// Rows a step.
#[derive(Clone, Copy)]
pub struct Batch(pub BatchSize);

impl FromStr for Batch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("full", _) => Ok(Batch(BatchSize::Full)),
            (_, Ok(rows)) if rows > 0 => Ok(Batch(BatchSize::Rows(rows))),
            _ => Err("expected a whole number above 0, or full".into()),
        }
    }
}

/// What is held back.
#[derive(Clone)]
pub enum Held {
    Nothing,
    Share(f64),
    Data(String),
}

impl FromStr for Held {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Held::Nothing),
            Ok(share) if share > 0.0 && share < 1.0 => Ok(Held::Share(share)),
            Ok(_) => Err("expected a share from 0 to 1 (1 excluded), or a file".into()),
            Err(_) => Ok(Held::Data(text.into())),
        }
    }
}

/// How often a checkpoint is written.
#[derive(Clone, Copy)]
pub enum Every {
    Time(Duration),
    Steps(u64),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.strip_suffix('s').and_then(|number| number.parse().ok());
        match (seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()), text.parse()) {
            (Some(time), _) if !time.is_zero() => Ok(Every::Time(time)),
            (_, Ok(steps)) if steps > 0 => Ok(Every::Steps(steps)),
            _ => Err("expected seconds as 30s, or a whole number of steps above 0".into()),
        }
    }
}
