//! Models that travel: as ONNX, as a Python file for PyTorch, as C99, as NumPy's arrays and as JSON; and the state of an
//! `nn.Sequential` of PyTorch as a model.
//!
//! Nothing is printed, and no file is written. What a format cannot say exactly is refused.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod c;
mod columns;
mod error;
mod format;
mod json;
mod layers;
mod npz;
mod onnx;
mod pytorch;
mod sequential;

pub use error::{Error, Result};
pub use format::{Format, export};
pub use sequential::Sequential;
