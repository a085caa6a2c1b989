//! One file a command.

pub mod bits;
pub mod check;
pub mod completions;
pub mod datasets;
pub mod encode;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod import;
pub mod lab;
pub mod look;
pub mod predict;
pub mod serve;
pub mod show;
pub mod train;
pub mod unseen;
