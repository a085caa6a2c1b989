//! The machine room: numbers, products of matrices, sums, random draws.
//!
//! Nothing here knows what a network is. What the formulas promise about bits is kept here.

pub mod aligned;
pub mod elementwise;
pub mod engine;
pub mod grid;
pub mod matmul;
pub mod operands;
pub mod panels;
pub mod prefetch;
pub mod random;
pub mod scalar;
pub mod simd;
pub mod sums;
#[cfg(feature = "threads")]
pub mod threads;
#[cfg(not(feature = "threads"))]
#[path = "one_thread.rs"]
pub mod threads;
pub mod vector;

/// What [`selftest`](crate::selftest) gives on every CPU: another digest means that this version computes other bits.
pub const DIGEST_OF_BITS: u64 = 0x8d78_9c15_e309_3693;
