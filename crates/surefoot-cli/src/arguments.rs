//! The arguments of each command. Their documentation is the manual that `--help` prints.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand};
use surefoot::{Activation, BatchSize, Initialization, Loss, Model, Schedule, Task};
use surefoot_fit::{ClassWeight, Holdout, OptimizerKind, Options, Parametrization, Precision, Pretraining};
use surefoot_table::{Decimal, Encoding, Part, Source};

/// Train, check and use fully-connected neural networks.
///
/// DATA is always a table: a text file whose columns are separated by commas, tabs, semicolons, bars or spaces (detected
/// automatically), a workbook of Excel or OpenDocument, JSON records, Parquet, Arrow, `.npy`, `.npz` or IDX, packed (gzip, bzip2,
/// xz, Zstandard, a zip archive with one file) or not; `-` for standard input; the name of a built-in data set (`surefoot datasets`); or a folder with the four files of the MNIST family. Of such a folder, `train`,
/// `check` and `encode` read the files that begin with `train`, `predict` and `evaluate` those that begin with `t10k`; the same
/// holds for arrays of an `.npz` that end in `_train` and `_test`.
/// Exit status: 0 success; 1 the gradient check failed or training diverged; 2 wrong usage or bad data; 130 interrupted, with
/// a checkpoint to resume from.
#[derive(Parser)]
#[command(name = "surefoot", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Look(Look),
    Train(Box<Train>),
    Predict(Predict),
    Evaluate(Evaluate),
    Explain(Explain),
    Encode(Encode),
    Check(Check),
    Show(Show),
    /// List the built-in data sets.
    #[command(after_help = "Example:
  surefoot datasets")]
    Datasets,
}

/// Look at a table before training: what was detected, and what a training would make of each column.
///
/// Shows the format, the columns with their kinds, missing cells and first values, and whatever was settled where it could have
/// been otherwise. Nothing is trained or written.
#[derive(Args)]
#[command(after_help = "Examples:
  surefoot look houses.csv
  surefoot look book.xlsx --sheet prices --target price --json")]
pub struct Look {
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    /// Column to predict [default: that of a built-in set or of labels, else the last column]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// Train a network on a table and write it as a model file.
///
/// Column types are detected, a validation part is set aside, the gradient is checked, and training runs until the schedule
/// ends or the validation cost stops falling. The model file holds everything that a prediction needs.
#[derive(Args)]
#[command(allow_negative_numbers = true)]
#[command(after_help = "Examples:
  surefoot train digits
  surefoot train houses.csv --target price --hidden 64,32 --seed 7
  surefoot train iris --hidden 8 --activation sigmoid --loss squared-error --optimizer gradient-descent
  surefoot train patches --autoencoder --hidden 25 --sparsity 0.01 --optimizer lbfgs --epochs 400
  surefoot train digits --hidden 200,200 --pretrain sparse-autoencoder
  surefoot train /usr/share/datasets/fashion-mnist --hidden 100 --checkpoint fashion.checkpoint
  surefoot train --resume fashion.checkpoint
  surefoot train houses.csv --target price --print-config > run.toml
  surefoot train houses.csv --config run.toml")]
pub struct Train {
    #[command(flatten)]
    pub settings: Settings,
    /// Resume an interrupted training; the result has the same bits as an uninterrupted one. All settings come from the
    /// checkpoint, and the data must be unchanged
    #[arg(long, value_name = "CHECKPOINT", conflicts_with_all = ["Settings", "Reading"])]
    pub resume: Option<PathBuf>,
    /// Number of threads; it does not change the result [default: one per processor]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object per line, for each epoch and at the end, and nothing else. The networks of an ensemble train at
    /// the same time, and their epochs are printed as they finish
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// All that decides what is trained, and how.
#[derive(Args)]
#[command(group = ArgGroup::new("sparse").args(["sparsity", "pretrain", "config"]).multiple(true))]
#[command(group = ArgGroup::new("pretrains").args(["pretrain", "config"]).multiple(true))]
pub struct Settings {
    /// A table: a file, a folder of the MNIST family, a built-in name, or - for standard input
    #[arg(required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub data: String,
    /// Read options from a TOML file, as --print-config writes it; options on the command line take precedence
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Print the options as TOML, and do not train
    #[arg(long)]
    pub print_config: bool,
    /// Column to predict [default: that of a built-in set or of labels, else the last column]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// IDX file with the target of each row of an IDX file [default: for …-images-idx3-ubyte the …-labels-idx1-ubyte
    /// beside it]
    #[arg(long, value_name = "LABELS.idx", conflicts_with = "target")]
    pub target_file: Option<String>,
    /// Treat these columns as numeric (comma-separated); a cell that is not a number is an error
    #[arg(long, value_name = "COLUMNS")]
    pub numeric: Vec<String>,
    /// Treat these columns as categorical
    #[arg(long, value_name = "COLUMNS")]
    pub categorical: Vec<String>,
    /// Exclude these columns
    #[arg(long, value_name = "COLUMNS")]
    pub ignore: Vec<String>,
    /// Column of non-negative sample weights. Not used as an input; scores are unweighted
    #[arg(long, alias = "weight", value_name = "COLUMN", conflicts_with = "autoencoder")]
    pub sample_weight: Option<String>,
    /// Column that names groups of rows, such as one patient's: a group is never on both sides of a split. Not used as an
    /// input; a row with a missing value is a group of its own
    #[arg(long, value_name = "COLUMN", conflicts_with = "autoencoder")]
    pub group: Option<String>,
    /// Use the first N rows only
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub rows: Option<usize>,
    /// Train an autoencoder: every column is input and target, except that of --target, which is excluded (as is the label of
    /// a built-in set)
    #[arg(long, conflicts_with = "task")]
    pub autoencoder: bool,
    /// What to predict; auto: classes for text and for integers with at most 10 different values, else numbers [default: auto]
    #[arg(long, value_parser = tasks())]
    pub task: Option<TaskChoice>,
    /// Train an ensemble of N networks, each with a different part of the rows for early stopping, and average their outputs
    /// [default: 5 for a table of 50 to 20000 rows, with at least that many groups, if no option describes the network, the
    /// optimizer or the validation part; else 1]
    #[arg(long, alias = "members", value_name = "N", conflicts_with_all = ["validation", "autoencoder", "pretrain"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub ensemble: Option<usize>,
    /// Units of each hidden layer, as 32,16; none: inputs connect directly to outputs [default: 64,64,64 with adam, else 64]
    #[arg(long, value_name = "UNITS")]
    pub hidden: Option<Hidden>,
    /// balanced: all classes count equally, however many rows each has
    #[arg(long, value_parser = choices(ClassWeight::ALL, ClassWeight::name), value_name = "HOW", conflicts_with = "autoencoder")]
    pub class_weight: Option<ClassWeight>,
    /// Activation of hidden layers: sigmoid, tanh, identity, relu, leaky-relu, selu [default: selu with adam, else tanh; sigmoid with --autoencoder or --pretrain]
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// Activation of the output layer [default: softmax for classes, sigmoid for two classes or with squared error, identity for numbers]
    #[arg(long, value_name = "NAME")]
    pub output_activation: Option<Activation>,
    /// squared-error or cross-entropy [default: cross-entropy for classes, squared-error for numbers]
    #[arg(long, value_name = "NAME")]
    pub loss: Option<Loss>,
    /// Weight decay: adds λ/2 times the sum of squared weights to the cost; not divided by the number of rows [default: 0 with
    /// adam and --parametrization ntp, else 1e-4]
    #[arg(long, value_name = "λ")]
    pub weight_decay: Option<f64>,
    /// Target mean activation of each hidden unit, between 0 and 1; hidden layers must be sigmoid or tanh. With --pretrain it
    /// applies to pretraining only [default: none; 0.1 with --pretrain]
    #[arg(long, value_name = "ρ")]
    pub sparsity: Option<f64>,
    /// Weight of the sparsity penalty in the cost [default: 3]
    #[arg(long, value_name = "β", requires = "sparse")]
    pub sparsity_weight: Option<f64>,
    /// Train the layers one by one first, with lbfgs: each hidden layer as a sparse autoencoder of its inputs, then the output
    /// layer on the last hidden layer. The training that follows is the fine-tuning
    #[arg(long, value_parser = choices(Pretraining::ALL, Pretraining::name), value_name = "HOW")]
    pub pretrain: Option<Pretraining>,
    /// Maximum number of pretraining iterations per layer [default: 400]
    #[arg(long, value_name = "N", requires = "pretrains")]
    pub pretrain_epochs: Option<usize>,
    /// Weight decay of the pretraining autoencoders [default: that of --weight-decay]
    #[arg(long, value_name = "λ", requires = "pretrains")]
    pub pretrain_weight_decay: Option<f64>,
    /// gradient-descent: full batch, no momentum, as in the notes; sgd: batches of 32, momentum 0.9; adam: batches of 32;
    /// lbfgs: all rows in each iteration [default: adam]
    #[arg(long, value_parser = choices(OptimizerKind::ALL, OptimizerKind::name))]
    pub optimizer: Option<OptimizerKind>,
    /// Learning rate [default: 0.5 for gradient-descent, 0.02 for sgd; for adam with --parametrization ntp 0.03 for classes and
    /// 0.05 for numbers, else 0.005]
    #[arg(long, value_name = "α")]
    pub learning_rate: Option<f64>,
    /// Learning rates of adam. ntp (neural tangent parametrization): α/√fan-in for weights, α/10 for biases; standard: α for
    /// every parameter [default: ntp, but standard with --autoencoder or --pretrain]
    #[arg(long, alias = "rates", value_parser = parametrizations(), value_name = "HOW")]
    pub parametrization: Option<Parametrization>,
    /// Number of steps that lbfgs remembers [default: 10]
    #[arg(long, value_name = "N")]
    pub history: Option<usize>,
    /// β₂ of adam [default: 0.95 with --parametrization ntp, else 0.999]
    #[arg(long, value_name = "β₂")]
    pub beta2: Option<f64>,
    /// Label smoothing: fraction of each target that is spread evenly over the classes during training [default: 0.1 with
    /// adam, --parametrization ntp and cross-entropy, else 0]
    #[arg(long, value_name = "ε")]
    pub label_smoothing: Option<f64>,
    /// Momentum of gradient-descent or sgd, from 0 to 1
    #[arg(long, value_name = "μ")]
    pub momentum: Option<f64>,
    /// Learning rate schedule: constant, cosine, cosine-cycles, or step:EVERY:FACTOR (multiply by FACTOR after every EVERY
    /// epochs) [default: cosine-cycles with adam and --parametrization ntp, else constant]
    #[arg(long, value_name = "S")]
    pub schedule: Option<Schedule>,
    /// Rows per step, or full [default: full for gradient-descent and lbfgs, else 32]
    #[arg(long, value_name = "N|full", value_parser = batch_size)]
    pub batch_size: Option<BatchSize>,
    /// Maximum number of epochs, or of lbfgs iterations [default: with adam and --parametrization ntp 100, or 50 for more than
    /// 2000 rows; else 200]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Early stopping: stop after N epochs without a lower validation cost (training cost if there is no validation part); 0:
    /// never. The parameters with the lowest cost are kept [default: 20; 0 with the schedules cosine and cosine-cycles, and for
    /// lbfgs without a validation part]
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
    /// Validation part: a fraction of the rows, stratified by class, 0 for none, or a table [default: 0.2; none for tables of
    /// fewer than 10 rows and with --autoencoder; each network of an ensemble has its own]
    #[arg(long, value_name = "FRACTION|FILE", value_parser = holdout)]
    pub validation: Option<Holdout>,
    /// Test part, used only to measure the result: a fraction of the rows, or a table [default: none]
    #[arg(long, value_name = "FRACTION|FILE", value_parser = holdout)]
    pub test: Option<Holdout>,
    /// Cross-validate with N folds before the training itself: train on all folds but one and measure on that one, N times
    #[arg(long, value_name = "N", conflicts_with_all = ["checkpoint", "pretrain", "autoencoder"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..))]
    pub folds: Option<usize>,
    /// Initialization of the weights: normal, normal:ε, uniform:r, glorot, he, lecun, ntp [default: ntp with adam and
    /// --parametrization ntp; else he for relu and leaky-relu, lecun for selu, else glorot]
    #[arg(long, value_name = "I")]
    pub init: Option<Initialization>,
    /// Random seed: decides the initial weights, the order of the rows and the splits [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Floating-point precision of the training [default: f32]
    #[arg(long, value_parser = choices(Precision::ALL, Precision::name))]
    pub precision: Option<Precision>,
    /// Skip the gradient check before training
    #[arg(long)]
    pub no_check: bool,
    /// Model file to write [default: the data's name with .safetensors, in the current folder]
    #[arg(long, value_name = "MODEL")]
    pub out: Option<PathBuf>,
    /// HTML report to write, or none [default: beside the model, with .html]
    #[arg(long, value_name = "FILE.html|none")]
    pub report: Option<PathBuf>,
    /// Keep the training in this file as it runs, so that --resume can continue it after an interruption
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// How often a checkpoint is written: seconds as 30s, or steps as 100
    #[arg(long, value_name = "30s|100", default_value = "30s", requires = "checkpoint")]
    pub checkpoint_every: Every,
}

impl Settings {
    /// The options: those of the configuration file, with those of the command line in their place.
    pub fn options(&self, mut options: Options) -> Options {
        macro_rules! take {
            ($($from:ident => $to:ident),* $(,)?) => {$(
                if self.$from.is_some() {
                    options.$to.clone_from(&self.$from);
                }
            )*};
        }
        take! {
            target => target, target_file => target_file, sample_weight => sample_weight,
            group => group, rows => rows, ensemble => ensemble, class_weight => class_weight, activation => activation,
            output_activation => output_activation, loss => loss, weight_decay => weight_decay, sparsity => sparsity,
            sparsity_weight => sparsity_weight, pretrain => pretraining, pretrain_epochs => pretraining_epochs,
            pretrain_weight_decay => pretraining_weight_decay, learning_rate => learning_rate,
            parametrization => parametrization, history => history, beta2 => beta2,
            label_smoothing => label_smoothing, momentum => momentum, schedule => schedule, batch_size => batch_size,
            epochs => epochs, patience => patience, validation => validation, test => test, folds => folds,
            init => initialization,
        }
        for (from, to) in [
            (&self.numeric, &mut options.numeric),
            (&self.categorical, &mut options.categorical),
            (&self.ignore, &mut options.ignore),
        ] {
            if !from.is_empty() {
                to.clone_from(from);
            }
        }
        if let Some(Hidden(hidden)) = &self.hidden {
            options.hidden = Some(hidden.clone());
        }
        if let Some(TaskChoice(task)) = self.task {
            options.task = task;
        }
        options.autoencoder |= self.autoencoder;
        options.no_check |= self.no_check;
        options.optimizer = self.optimizer.unwrap_or(options.optimizer);
        options.seed = self.seed.unwrap_or(options.seed);
        options.precision = self.precision.unwrap_or(options.precision);
        options
    }
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
    /// Where the CSV goes [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Add a column probability_CLASS for each class
    #[arg(long)]
    pub probabilities: bool,
    /// What to do with a row that cannot be read: stop with an error, skip it (its line in the output is empty), or treat
    /// the cell that is no number as missing
    #[arg(long, value_name = "stop|skip|missing", default_value = "stop", value_parser = PossibleValuesParser::new(["stop", "skip", "missing"]))]
    pub on_error: String,
    /// Refuse a category that was not in the training data, instead of a warning
    #[arg(long)]
    pub strict: bool,
    /// Print a summary as one JSON object: on standard output with --out, else on standard error
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub table: Data,
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
    /// Refuse a category that was not in the training data, instead of a warning
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub table: Data,
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
    /// The row, from 1, without the header
    #[arg(long, value_name = "N")]
    pub row: usize,
    /// Where the page goes [default: none is written]
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub table: Data,
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
    /// The hidden layer, from 1
    #[arg(long, value_name = "L", default_value_t = 1)]
    pub layer: usize,
    /// Where the CSV goes [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub table: Data,
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
    #[command(flatten)]
    pub table: Data,
}

/// Show what is in a model file: the layers, columns and classes, and how it was trained.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot show digits.safetensors
  surefoot show iris.safetensors --diagram network.svg --activations functions.svg
  surefoot show patches.safetensors --preferred-inputs features.png")]
pub struct Show {
    /// A model file
    pub model: PathBuf,
    /// Draw the preferred input of each unit of the first hidden layer, the input of norm 1 that activates it most, as a tile;
    /// PNG or SVG by the extension. Inputs named like pixel_3_0, or a square number of them, are arranged as in the image
    #[arg(long, alias = "features", value_name = "FILE.png|svg")]
    pub preferred_inputs: Option<PathBuf>,
    /// Draw the network: its layers, units and bias units, and the strength of its weights; large layers are shortened
    #[arg(long, value_name = "FILE.svg")]
    pub diagram: Option<PathBuf>,
    /// Plot the activation functions of its layers with their derivatives
    #[arg(long, value_name = "FILE.svg")]
    pub activations: Option<PathBuf>,
}

/// A table for a model that is there.
#[derive(Args)]
pub struct Data {
    /// An IDX file with the target of each row of an IDX file
    #[arg(long, value_name = "LABELS.idx")]
    pub target_file: Option<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// How a table is read, where that is not to be detected.
#[derive(Args)]
#[command(next_help_heading = "How the file is read")]
pub struct Reading {
    /// Whether the first row of the table holds column names [default: detected]
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    pub header: Option<bool>,
    /// Skip this many lines before the table [default: comments and a title are detected]
    #[arg(long, value_name = "LINES")]
    pub skip: Option<usize>,
    /// The sheet of a workbook, by its name [default: the first visible one that holds a table]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// The separator of a text file's cells: a character, tab, or space for runs of spaces [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub delimiter: Option<char>,
    /// The encoding of a text file, such as windows-1252 or utf-16le [default: detected]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// The decimal sign: whether 1.234 is about one (point) or more than a thousand (comma) [default: by each column's numbers]
    #[arg(long, value_name = "point|comma", value_parser = decimal)]
    pub decimal: Option<Decimal>,
    /// The words that mark a missing cell, comma-separated, in place of the usual ones (NA, NaN, None, null, ?, -, …); an empty
    /// cell is always missing. With the word of a class left out, such as NA, that class is kept
    #[arg(long, value_name = "WORDS")]
    pub missing: Option<String>,
}

impl Reading {
    /// What is said here, over what was said before.
    pub fn over(&self, before: surefoot_table::Reading) -> surefoot_table::Reading {
        let words = |words: &String| words.split(',').map(|word| word.trim().to_string()).collect();
        surefoot_table::Reading {
            header: self.header.or(before.header),
            skip: self.skip.or(before.skip),
            sheet: self.sheet.clone().or(before.sheet),
            delimiter: self.delimiter.or(before.delimiter),
            encoding: self.encoding.clone().or(before.encoding),
            decimal: self.decimal.or(before.decimal),
            missing: self.missing.as_ref().map(words).or(before.missing),
        }
    }
}

/// A file to be read for a model, with what is known of it.
pub struct ForModel {
    target_file: Option<String>,
    reading: surefoot_table::Reading,
    known: Vec<String>,
}

impl Data {
    /// How files are read for a model: as said here, else as it was for the one that it was trained on.
    pub fn of(&self, model: &Model) -> ForModel {
        let (target_file, reading) = (self.target_file.clone(), self.reading.over(Encoding::reading_of(model)));
        ForModel { target_file, reading, known: Encoding::names_of(model) }
    }
}

impl ForModel {
    pub fn source<'a>(&'a self, data: &'a str, part: Part) -> Source<'a> {
        let (target_file, reading, known) = (self.target_file.as_deref(), &self.reading, &self.known[..]);
        Source { target_file, reading, known, ..Source::new(data, part) }
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        ("space", ..) => Ok(' '),
        (_, Some(character), None) if character.is_ascii() && !character.is_ascii_alphanumeric() => Ok(character),
        _ => Err("expected one character that is no letter or digit, tab, or space".into()),
    }
}

fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "point" => Ok(Decimal::Point),
        "comma" => Ok(Decimal::Comma),
        _ => Err("expected point or comma".into()),
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}

/// What to predict; `None`: that follows from the target.
#[derive(Clone, Copy)]
pub struct TaskChoice(pub Option<Task>);

fn tasks() -> impl TypedValueParser<Value = TaskChoice> {
    let of = |name: String| TaskChoice(name.parse().ok());
    PossibleValuesParser::new(["auto", Task::Classification.name(), Task::Regression.name()]).map(of)
}

/// A choice by its name.
fn choices<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let of = move |text: String| all.iter().copied().find(|&choice| name(choice) == text).unwrap_or(all[0]);
    PossibleValuesParser::new(all.iter().map(|&choice| name(choice))).map(of)
}

/// With the names that the choices had before.
fn parametrizations() -> impl TypedValueParser<Value = Parametrization> {
    let values = [PossibleValue::new("ntp").alias("by-width"), PossibleValue::new("standard").alias("alike")];
    let of = |name: String| match name.as_str() {
        "ntp" | "by-width" => Parametrization::Ntp,
        _ => Parametrization::Standard,
    };
    PossibleValuesParser::new(values).map(of)
}

fn batch_size(text: &str) -> Result<BatchSize, String> {
    text.parse().map_err(|_| "expected a whole number above 0, or full".into())
}

fn holdout(text: &str) -> Result<Holdout, String> {
    text.parse().map_err(|_| "expected a fraction from 0 to 1 (1 excluded), or a file".into())
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
