//! The sum over examples: what is added to what follows from the number of rows alone; who computes it is free.
//!
//! Rows are cut into [blocks](Partition), consecutive blocks into leaves, and the leaves are added in a binary [`Tree`] of
//! neighbours. The [`engine`] computes a block in a [`BlockWorkspace`], its results are added to a [`PartialSum`], an [`Exchange`] brings
//! together the partial sums of threads, [`Across`] those of processes, and a [`Remote`] those of examples that lie elsewhere. `docs/math.md` lists the order of every sum.

mod across;
mod balance;
mod engine;
mod exchange;
mod messages;
mod partial_sum;
mod partition;
mod remote;
mod tree;
mod workspace;

pub(crate) use across::Across;
pub use across::{RankSums, digest_of_parameters};
pub(crate) use engine::{GradientSums, engine};
pub(crate) use exchange::{Exchange, Shares};
pub(crate) use messages::Asked;
pub(crate) use partial_sum::PartialSum;
pub use partition::Partition;
pub(crate) use partition::{BLOCK_ROWS, sum_blocks, sum_rows};
pub use remote::{Piece, Remote, add_sums, piece_rows};
pub(crate) use workspace::{BlockWorkspace, Steps, Work, check_examples};
