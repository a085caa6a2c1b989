//! Tables in, matrices out: the readers of CSV, NumPy, IDX and Parquet files, the data sets that are built in, what each
//! column is, and the encoding of a table's
//! columns as inputs and targets of a network.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod arrow;
mod builder;
mod builtin;
mod categories;
mod cell;
mod column;
mod detection;
mod dialect;
mod encoder;
mod encoding;
mod error;
mod idx;
mod kind;
mod lines;
mod numpy;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod source;
mod table;
mod targets;
mod text;

pub use builtin::{BUILTIN, Builtin};
pub use encoding::{Column, Encoding, Learned, Roles};
pub use error::{Error, Reason, Result};
pub use idx::Idx;
pub use kind::{Excluded, Kind};
pub use part::Part;
pub use source::{Chunks, Source};
pub use table::Table;
pub use targets::{Target, Targets};
