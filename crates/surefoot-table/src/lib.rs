//! Tables in, matrices out: the readers of text, workbooks, JSON, Arrow, Parquet, NumPy and IDX files, the data sets that are built
//! in, how each column is written and what it is, and the encoding of a table's columns as inputs and targets of a network.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod archive;
mod arrow;
mod builder;
mod builtin;
mod cache;
mod categories;
mod cell;
mod column;
mod decoder;
mod detection;
mod dialect;
mod encoder;
mod encoding;
mod error;
mod format;
mod idx;
mod ipc;
mod joined;
mod json;
mod kind;
mod lines;
mod look;
mod notation;
mod note;
mod number;
mod numpy;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod paths;
mod predictions;
mod progress;
mod reading;
mod source;
mod spelling;
mod table;
mod targets;
mod text;
mod unpack;
mod workbook;

pub use builtin::{BUILTIN, Builtin};
pub use cache::{Cache, CacheUse};
pub use encoding::{Column, Encoding, Learned, Roles, RowEncoder, Unseen, Value};
pub use error::{Error, Reason, Result};
pub use idx::Idx;
pub use kind::{Excluded, Kind};
pub use look::{Look, LookedAt, Use};
pub use notation::{Decimal, MISSING, Notation};
pub use note::{Note, in_sentences};
pub use part::Part;
pub use predictions::{Predicted, Predictions, target_names};
pub use progress::Progress;
pub use reading::Reading;
pub use source::{Chunks, Source};
pub use spelling::{Spelling, Spellings};
pub use table::Table;
pub use targets::{Target, Targets};
