//! The arguments of `surefoot train`, most of which `surefoot check` takes, too.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use surefoot::{Activation, BatchSize, Initialization, Loss, Schedule};
use surefoot_fit::{
    Activations, ClassWeight, Holdout, OptimizerKind, Options, Parametrization, Precision, Pretraining,
};

use super::reading::Reading;
use super::values::{
    DeviceChoice, Distributed, Every, Hidden, TaskChoice, batch_size, choices, holdout, parametrizations, tasks,
};

/// Train a network on a table and write it as a model file.
///
/// Column types are detected, a validation part is set aside, the gradient is checked, and training runs until the schedule
/// ends or the validation cost stops falling. The model file holds everything that a prediction needs.
#[derive(Args)]
#[command(allow_negative_numbers = true)]
#[command(after_help = "Examples:
  surefoot train digits
  surefoot train houses.csv --target price --hidden 64,32 --seed 7
  surefoot train january.csv february.csv march.csv --target price
  surefoot train iris --hidden 8 --activation sigmoid --loss squared-error --optimizer gradient-descent
  surefoot train patches --autoencoder --hidden 25 --sparsity 0.01 --optimizer lbfgs --epochs 400
  surefoot train digits --hidden 200,200 --pretrain sparse-autoencoder
  surefoot train /usr/share/datasets/fashion-mnist --hidden 100 --checkpoint fashion.checkpoint
  surefoot train --resume fashion.checkpoint
  mpirun -n 4 surefoot train houses.csv --target price --distributed mpi
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
    /// What computes the training: the CPU, the first NVIDIA GPU, or with auto that GPU where the network and its batches are large. It does not
    /// change the result, and a training that was interrupted on one can be resumed on another. A GPU computes in single precision
    /// [default: cpu]
    #[arg(long, value_name = "DEVICE", value_enum)]
    pub device: Option<DeviceChoice>,
    /// Train on the processes of an MPI job, which `mpirun` or `srun` has started; their number does not change the result. They share
    /// the rows of large batches, the networks of an ensemble, and the folds. The MPI library is the launcher's, unless one is named
    #[arg(long, value_name = "mpi[:LIBRARY]")]
    pub distributed: Option<Distributed>,
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
#[command(group = ArgGroup::new("kept").args(["checkpoint", "resume_or_start"]))]
#[command(group = ArgGroup::new("pretrains").args(["pretrain", "config"]).multiple(true))]
pub struct Settings {
    /// A table: a file or several, whose rows follow each other; a folder of files, or of the MNIST family; a built-in name; or - for
    /// standard input
    #[arg(required_unless_present = "resume", num_args = 1..)]
    pub data: Vec<String>,
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
    /// [default: 5 from 15 rows on, with at least that many groups, if no option describes the network, the optimizer or the
    /// validation part; else 1]
    #[arg(long, alias = "members", value_name = "N", conflicts_with_all = ["validation", "autoencoder", "pretrain"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100))]
    pub ensemble: Option<usize>,
    /// Units of each hidden layer, as 32,16; none: inputs connect directly to outputs [default: 64,64,64 with adam, else 64]
    #[arg(long, value_name = "UNITS")]
    pub hidden: Option<Hidden>,
    /// balanced: all classes count equally, however many rows each has
    #[arg(long, value_parser = choices(ClassWeight::ALL, ClassWeight::name), value_name = "HOW", conflicts_with = "autoencoder")]
    pub class_weight: Option<ClassWeight>,
    /// Activation of hidden layers: sigmoid, tanh, identity, relu, leaky-relu or selu for all of them, or one for each, as tanh,relu
    /// [default: selu with adam, else tanh; sigmoid with --autoencoder or --pretrain]
    #[arg(long, value_name = "NAMES")]
    pub activation: Option<Activations>,
    /// Activation of the output layer [default: softmax for classes, sigmoid for two classes or with squared error, exp with the loss poisson, identity for numbers]
    #[arg(long, value_name = "NAME")]
    pub output_activation: Option<Activation>,
    /// squared-error, cross-entropy, or poisson for counts [default: cross-entropy for classes, squared-error for numbers]
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
    /// Rows that are shuffled among each other, where the table has more: a table beyond memory is then read window by window, not
    /// row by row [default: 1000000; of tables with more rows as many as have 8388608 inputs in all, but 61440 to 1000000]
    #[arg(long, value_name = "ROWS")]
    pub shuffle_window: Option<usize>,
    /// Maximum number of epochs, or of lbfgs iterations [default: with adam and --parametrization ntp 100, for more than 2000
    /// rows 30 to 10 for each network of an ensemble (1,000,000 / rows) and 50 for a single one; else 200]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Early stopping: stop after N epochs without a lower validation cost (training cost if there is no validation part), with
    /// cosine-cycles after N cycles that lowered it by less than 1 %; 0: never. The parameters with the lowest cost are kept
    /// [default: 20; 1 with cosine-cycles; 0 with cosine, and for cosine-cycles and lbfgs without a validation part]
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
    #[arg(long, value_name = "N", conflicts_with_all = ["checkpoint", "resume_or_start", "pretrain", "autoencoder"], value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..))]
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
    /// Resume from this checkpoint if it is there, else start, and write it as --checkpoint does: the same command for the first run of a
    /// job and for every one after an interruption
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "checkpoint")]
    pub resume_or_start: Option<PathBuf>,
    /// How often a checkpoint is written: seconds as 30s, or steps as 100
    #[arg(long, value_name = "30s|100", default_value = "30s", requires = "kept")]
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
            shuffle_window => shuffle_window,
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
