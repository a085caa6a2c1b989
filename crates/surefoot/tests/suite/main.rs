//! The library as its users see it. One program for all, because each compiles the generic code of the library anew.

mod common;

mod checkpoints;
mod device;
mod gradients;
mod grid;
mod lbfgs;
mod model_files;
mod pretraining;
mod published_numbers;
mod ranks;
mod remote;
mod same_bits;
mod sparsity;
mod trace;
mod training;
