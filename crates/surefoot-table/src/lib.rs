//! Tables in, matrices out: the readers of CSV and IDX files, the data sets that are built in, and the encoding of a table's
//! columns as inputs and targets of a network.

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
