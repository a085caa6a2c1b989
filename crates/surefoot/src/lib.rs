//! Surefoot trains fully-connected neural networks: **right** (every gradient can be compared with the numerical
//! derivative of its cost), **same** (the same bits on any number of threads), **fast**.
//!
//! The library is the system of a set of lecture notes, and its files are their formulas, in the order of the data:
//!
//! [`Activation`] → [`Loss`] → [`Network`] → backpropagation ([`Network::predict`]) → [`Cost`] → [`GradientCheck`] →
//! [`Optimizer`] → [`Training`] → [`Model`]
//!
//! Every equation has a tag such as (6) or (L3), which stands in `docs/math.md`, in the documentation and at the line
//! that computes it.
//!
//! ```
//! use ndarray::array;
//! use surefoot::{Activation, Cost, Dataset, GradientCheck, Loss, Network, Problem, Training, draw_defaults};
//!
//! let data = Dataset::new(array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], array![[0.0], [1.0], [1.0], [0.0]])?;
//! let network = Network::new(2, &[(8, Activation::Tanh), (1, Activation::Sigmoid)])?;
//! let start = draw_defaults(&network, 1);
//!
//! let mut cost = Cost::new(&network, Loss::CrossEntropy, 0.0, &data)?;
//! assert!(GradientCheck::default().run(&mut cost, &start)?.passed());
//!
//! let training = Training { epochs: 500, ..Training::default() };
//! let trained = training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start)?;
//! let h = network.predict(&trained.parameters, data.inputs())?;
//! assert!(h[[0, 0]] < 0.1 && h[[1, 0]] > 0.9);
//! # Ok::<(), surefoot::Error>(())
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

/// Serde by `Display` and `FromStr`: one spelling on the command line, in settings files and in model files.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

mod activation;
mod backpropagation;
mod cancel;
#[cfg(feature = "files")]
mod checkpoint;
mod container;
pub mod cost;
mod dataset;
mod device;
mod ensemble;
mod error;
#[cfg(feature = "files")]
pub mod files;
pub mod gradient_check;
mod gradient_report;
mod gradients;
pub mod importance;
mod initialization;
mod loss;
mod mean;
pub mod metrics;
mod model;
mod model_file;
mod network;
mod numeric;
mod objective;
pub mod optimizer;
mod prediction;
pub mod pretraining;
mod ranks;
mod scaling;
pub mod selftest;
mod sparsity;
pub mod split;
mod sum;
pub mod trace;
pub mod training;
mod view;

pub use activation::Activation;
pub use cancel::Cancel;
#[cfg(feature = "files")]
pub use checkpoint::Checkpoint;
pub use cost::Cost;
pub use dataset::Dataset;
pub use device::{Device, DeviceStep, DeviceSum, DeviceSums, DeviceTask, DeviceWork, StepsTaken};
pub use ensemble::merge_ensemble;
pub use error::{Error, Result};
pub use gradient_check::{GradientCheck, GradientReport};
pub use importance::PermutationImportance;
pub use initialization::{Initialization, draw_defaults};
pub use loss::Loss;
pub use metrics::Task;
pub use model::{Model, Parameters};
pub use network::{Layer, Network};
pub use numeric::random::{Purpose, Random};
pub use numeric::scalar::Scalar;
pub use numeric::simd::InstructionSet;
#[cfg(feature = "threads")]
pub use numeric::threads::Threads;
pub use objective::{Objective, Segment};
pub use optimizer::{Adam, GradientDescent, Lbfgs, Optimizer, Schedule};
pub use prediction::Predictor;
pub use ranks::Ranks;
pub use scaling::Scaling;
pub use sparsity::Sparsity;
pub use split::Split;
pub use sum::{Partition, Piece, RankSums, Remote, add_sums, digest_of_parameters, piece_rows};
pub use trace::Trace;
pub use training::{BatchSize, Epoch, Observer, Problem, StopReason, Trained, Training, TrainingState};
pub use view::{DatasetView, digest_of_leaves};

/// The Rust of this crate's README is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
