//! Tables in, matrices out: the readers of CSV and IDX files, the data sets that are built in, and the encoding of a table's
//! columns as inputs and targets of a network.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod builtin;
mod encoding;
mod error;
mod idx;
mod table;

pub use builtin::{BUILTIN, Builtin};
pub use encoding::{Encoding, Targets};
pub use error::{Error, Result};
pub use idx::Idx;
pub use table::{Part, Table};
