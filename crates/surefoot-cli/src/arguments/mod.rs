//! The arguments of each command. Their documentation is the manual that `--help` prints.

mod reading;
mod train;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use surefoot::Activation;
use surefoot_export::Format;

pub use self::reading::{Data, Reading, first_and_more};
pub use self::train::{Settings, Train};
pub use self::values::{DeviceChoice, Distributed, Every, Size};

/// Train, check and use fully-connected neural networks.
///
/// DATA is always a table: a text file whose columns are separated by commas, tabs, semicolons, bars or spaces (detected
/// automatically), a workbook of Excel or OpenDocument, JSON records, Parquet, Arrow, `.npy`, `.npz` or IDX, packed (gzip, bzip2,
/// xz, Zstandard, a zip archive with one file) or not; `-` for standard input; the name of a built-in data set (`surefoot datasets`); a folder of such files, or a pattern such as
/// `parts/*.csv`, whose rows follow each other in the order of the files' names; or a folder with the four files of the MNIST family. Of such a folder, `train`,
/// `check` and `encode` read the files that begin with `train`, `predict` and `evaluate` those that begin with `t10k`; the same
/// holds for arrays of an `.npz` that end in `_train` and `_test`.
/// Exit status: 0 success; 1 the gradient check failed or training diverged; 2 wrong usage or bad data; 130 interrupted, with
/// a checkpoint to resume from.
#[derive(Parser)]
#[command(name = "surefoot", version, long_version = crate::version::long(), max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub memory: Memory,
}

/// How much memory a command takes. It changes no bit of a result.
#[derive(Args)]
#[command(next_help_heading = "Memory")]
pub struct Memory {
    /// Keep to about this much memory, such as 2G: larger tables lie in temporary files, which are gone when the command ends
    /// [default: three quarters of what the machine, container or job has]
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<Size>,
    /// A folder for those files, on a disk with room for the tables. Where it is given, tables are also kept in it as they were read, and
    /// read from there as long as their files have not changed [default: the folder for temporary files, or /var/tmp where that is in
    /// memory; nothing is kept]
    #[arg(long, global = true, value_name = "DIR")]
    pub cache: Option<PathBuf>,
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
    Export(Export),
    Import(Import),
    Lab(Lab),
    Serve(Serve),
    /// List the built-in data sets.
    #[command(after_help = "Example:
  surefoot datasets")]
    Datasets,
    Completions(Completions),
    Man(ManPages),
}

/// Open a page in the browser to learn and play with: build a network, train it step by step, and see every number.
///
/// The page is served by this program, on this machine alone; nothing is loaded from elsewhere. It can train on built-in sets, toy sets,
/// a CSV that is dropped on it, and DATA. Its address has a token, without which nothing is answered. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "Examples:
  surefoot lab
  surefoot lab houses.csv --port 8080 --no-browser")]
pub struct Lab {
    /// A table that the page offers: a file, a folder, or a built-in name
    pub data: Option<String>,
    /// The address to listen at; with another than this machine's own, others can reach the page if they have the token
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// The port [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Only print the address
    #[arg(long)]
    pub no_browser: bool,
}

/// Answer requests for predictions over HTTP, until Ctrl-C.
///
/// POST /predict takes rows as JSON (Content-Type: application/json; a record such as {"size": 3, "kind": "a"}, or an array of them) or
/// CSV (Content-Type: text/csv), and answers in the same form with what `surefoot predict` writes; ?probabilities=true adds the
/// probability of each class. GET /schema describes all of it as OpenAPI, GET /health says that it can be asked. Requests that wait are predicted together. At
/// the end those on the way are answered.
#[derive(Args)]
#[command(after_help = "Examples:
  surefoot serve iris.safetensors
  curl 127.0.0.1:8080/predict -H 'Content-Type: text/csv' --data-binary @flowers.csv")]
pub struct Serve {
    /// A model file
    pub model: PathBuf,
    /// The address to listen at; with another than this machine's own, whoever reaches it is answered
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// The port; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Refuse rows with values that the training data did not have
    #[arg(long)]
    pub strict: bool,
}

/// Print a script by which a shell completes commands, options and their values.
#[derive(Args)]
#[command(after_help = "Examples:
  source <(surefoot completions bash)
  surefoot completions zsh > ~/.zfunc/_surefoot
  surefoot completions fish > ~/.config/fish/completions/surefoot.fish
  surefoot completions powershell >> $PROFILE")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Write the manual pages: surefoot.1, and one for each command, such as surefoot-train.1.
///
/// Prints the path of each.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot man ~/.local/share/man/man1 && man surefoot-train")]
pub struct ManPages {
    /// Where they go; the folder is made where there is none
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
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
    /// A table: a file or several, whose rows follow each other; a folder of files, or of the MNIST family; a built-in name; or - for
    /// standard input
    #[arg(required = true, num_args = 1..)]
    pub data: Vec<String>,
    /// Column to predict [default: that of a built-in set or of labels, else the last column]
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reading: Reading,
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
    /// A table: a file, a folder of files or of the MNIST family, a built-in name, or - for standard input
    pub data: String,
    /// Where the CSV goes [default: standard output]
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
    /// Add a column probability_CLASS for each class
    #[arg(long)]
    pub probabilities: bool,
    /// What to do with a row that cannot be read
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnError::Stop)]
    pub on_error: OnError,
    /// Refuse a category that was not in the training data, instead of a warning
    #[arg(long)]
    pub strict: bool,
    /// Print a summary as one JSON object: on standard output with --out, else on standard error
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub table: Data,
}

/// What to do with a row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// End with an error that says where
    Stop,
    /// Leave its line in the output empty
    Skip,
    /// Treat the cell that is not a number as missing
    Missing,
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
    /// A table: a file, a folder of files or of the MNIST family, a built-in name, or - for standard input
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
    /// A table: a file, a folder of files or of the MNIST family, a built-in name, or - for standard input
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
    /// A table: a file, a folder of files or of the MNIST family, a built-in name, or - for standard input
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
    /// A table: a file, a folder of files or of the MNIST family, a built-in name, or - for standard input
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

/// Write a model for another program.
///
/// onnx: a graph that takes the raw columns of a table, for ONNX Runtime and others. pytorch: a Python file that makes an
/// nn.Sequential from the model file. npz: NumPy's arrays. c: one file of C99 that needs no library and gives the bits of `surefoot
/// predict`. json: everything as plain text.
#[derive(Args)]
#[command(after_help = "Examples:
  surefoot export houses.safetensors --to onnx
  surefoot export digits.safetensors --to c --out digits.c")]
pub struct Export {
    /// A model file
    pub model: PathBuf,
    /// The format
    #[arg(long, value_name = "FORMAT", value_parser = values::choices(&Format::ALL, Format::name))]
    pub to: Format,
    /// Where it goes [default: the name of the model file with the extension of the format, in the current folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Make a model of the state of a PyTorch nn.Sequential.
///
/// The state is what `safetensors.torch.save_file(network.state_dict(), FILE)` writes: `0.weight`, `0.bias`, `2.weight`, and so on.
/// Its activations are not in it, so they are told here. Layers of Dropout do nothing when a model predicts, and have no state.
#[derive(Args)]
#[command(after_help = "Example:
  surefoot import state.safetensors --activations relu,relu,softmax --out model.safetensors")]
pub struct Import {
    /// A safetensors file with the state
    pub state: PathBuf,
    /// The activation of each Linear layer, the output's too: sigmoid, tanh, identity, relu, leaky-relu, selu, softmax or exp.
    /// softmax and sigmoid outputs are classes, others are numbers
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    pub activations: Vec<Activation>,
    /// The names of the classes, in the order of the outputs
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub classes: Vec<String>,
    /// The model file
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
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
