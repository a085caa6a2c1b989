//! Tables in, matrices out: the reader of CSV files, the data sets that are built in, and the encoding of a table's
//! columns as inputs and targets of a network.

mod builtin;
mod encoding;
mod error;
mod table;

pub use builtin::{BUILTIN, Builtin};
pub use encoding::{Encoding, Targets};
pub use error::{Error, Result};
pub use table::Table;
