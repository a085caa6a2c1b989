//! The structures of `kernels/program.cu`.

#![allow(unsafe_code)] // plain numbers in C's order, which the GPU reads as they lie

use cudarc::driver::DeviceRepr;

/// A layer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layer {
    pub inputs: i32,
    pub outputs: i32,
    pub activation: i32,
    pub hidden: i32,
    pub weights: i64,
    pub squares: i64,
    pub a: u64,
    pub delta: u64,
}

/// What an op does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Forward,
    Output,
    Activities,
    Penalty,
    Losses,
    Squares,
    Cost,
    Delta,
    Weights,
    Biases,
    Fold,
}

/// What becomes of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Nothing,
    Write,
    Step,
}

/// A part of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Op {
    pub kind: i32,
    pub layer: i32,
    pub tile: i32,
    pub shift: i32,
    pub ends: i32,
    pub checks: i32,
    pub flag: i32,
    pub rows: i32,
    pub block: i32,
    pub blocks: i32,
    pub leaves: i32,
    pub chunk: i32,
}

/// The numbers of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    pub weight: f64,
    pub batch_weight: f64,
    pub share: f32,
    pub decay: f32,
    pub scale: f32,
    pub epsilon: f32,
}

/// How far steps came.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    pub costs: i32,
    pub stopped: i32,
    pub layer: i32,
}

/// All that a launch knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Launch {
    pub layers: u64,
    pub ops: u64,
    pub numbers: u64,
    pub rates: u64,
    pub order: u64,
    pub x: u64,
    pub y: u64,
    pub w: u64,
    pub theta: u64,
    pub first: u64,
    pub second: u64,
    pub z: u64,
    pub sums: u64,
    pub carries: u64,
    pub gradient: u64,
    pub activities: u64,
    pub slopes: u64,
    pub losses: u64,
    pub block_losses: u64,
    pub squares: u64,
    pub penalties: u64,
    pub costs: u64,
    pub barrier: u64,
    pub status: u64,
    pub decay: f64,
    pub limit: f64,
    pub rest: f64,
    pub smoothing: f64,
    pub sparsity: f64,
    pub sparsity_weight: f64,
    pub parameters: i64,
    pub first_row: i64,
    pub stride: i64,
    pub layer_count: i32,
    pub op_count: i32,
    pub first_step: i32,
    pub step_count: i32,
    pub loss: i32,
    pub smooths: i32,
    pub has_slopes: i32,
    pub hidden: i32,
    pub rule: i32,
    pub block_rows: i32,
    pub blocks: i32,
    pub blocks_per_leaf: i32,
    pub beta1: f32,
    pub beta2: f32,
    pub rest1: f32,
    pub rest2: f32,
    pub mu: f32,
}

// SAFETY: each is made of numbers alone, laid out as in C.
unsafe impl DeviceRepr for Layer {}
// SAFETY: as above.
unsafe impl DeviceRepr for Op {}
// SAFETY: as above.
unsafe impl DeviceRepr for Numbers {}
// SAFETY: as above.
unsafe impl DeviceRepr for Status {}
// SAFETY: as above.
unsafe impl DeviceRepr for Launch {}
