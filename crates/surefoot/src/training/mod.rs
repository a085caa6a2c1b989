//! Training: epochs of batches, until the cost no longer falls.

mod check;
mod fit;
mod observer;
mod on_device;
mod problem;
mod report;
mod run;
mod settings;
mod shuffle;
mod state;

pub use observer::Observer;
pub use problem::Problem;
pub use report::{Epoch, StopReason, Trained};
pub use settings::{BatchSize, Training};
#[cfg(feature = "files")]
pub(crate) use state::{Monitor, Origin};
pub use state::{OptimizerState, TrainingState};
