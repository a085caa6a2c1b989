//! From options and data to a trained model: what `surefoot train` does, for any program.
//!
//! [`Options`] say what is wanted; what they leave open follows from the data by a recipe (`recipe.rs`), as one [`Plan`].
//! [`fit()`] checks the gradient, trains a network or an ensemble of them, cross-validates where that is asked for, and gives an
//! [`Outcome`]: a model that needs nothing else to predict, with its scores and its history. It prints nothing and exits
//! nowhere; whoever wants to see how it goes implements [`Events`].
//!
//! ```
//! use surefoot_fit::{Input, Options, Tables, fit};
//!
//! let mut options = Options::default();
//! options.hidden = Some(vec![8]);
//! options.epochs = Some(100);
//! let tables = Tables::read("iris", &options)?;
//! let outcome = fit(&options, Input::Tables(&tables), &mut ())?;
//! assert!(outcome.validation.is_some_and(|scores| scores.score > 0.8));
//! # Ok::<(), surefoot_fit::Error>(())
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod activations;
mod class_weights;
mod config;
mod cross_validation;
mod dealing;
mod error;
mod events;
mod fit;
mod importance;
mod input;
mod networks;
mod options;
mod outcome;
mod parts;
mod plan;
mod pretraining;
mod provenance;
mod recipe;
mod session;
mod warnings;

pub use activations::Activations;
pub use error::{Error, Result, Side};
pub use events::{Begin, Events, Phase, Resume, Snapshot};
pub use fit::{fit, resume};
pub use input::{Input, Matrices, Tables};
pub use options::{ClassWeight, Holdout, OptimizerKind, Options, Parametrization, Precision, Pretraining, Role};
pub use outcome::{Folds, Judged, JudgedOn, Outcome, Pretrained, Run, Scores};
pub use plan::{Member, Plan};
pub use recipe::PretrainingPlan;
