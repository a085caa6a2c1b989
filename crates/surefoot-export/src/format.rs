//! The formats.

use surefoot::Model;

use crate::error::Result;
use crate::{c, json, npz, onnx, pytorch};

/// What a model can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A graph that takes the raw columns of a table, for ONNX Runtime and others.
    Onnx,
    /// A Python file that makes an `nn.Sequential` from the model file.
    PyTorch,
    /// NumPy's arrays, with the metadata as JSON.
    Npz,
    /// One file of C99 that needs no library.
    C,
    /// Everything as plain text.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [Format::Onnx, Format::PyTorch, Format::Npz, Format::C, Format::Json];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Onnx => "onnx",
            Format::PyTorch => "pytorch",
            Format::Npz => "npz",
            Format::C => "c",
            Format::Json => "json",
        }
    }

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Format::PyTorch => "py",
            other => other.name(),
        }
    }
}

/// The bytes of the file that a model is in a format.
///
/// * `model_file`: the name of the model's file, from which a Python file for PyTorch reads the weights
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) for what the format cannot say exactly; [`Error::Library`](crate::Error::Library) for a model
/// that could not be saved.
pub fn export(model: &Model, format: Format, model_file: &str) -> Result<Vec<u8>> {
    match format {
        Format::Onnx => onnx::export(model),
        Format::PyTorch => pytorch::export(model, model_file),
        Format::Npz => npz::export(model),
        Format::C => c::export(model),
        Format::Json => json::export(model),
    }
}
