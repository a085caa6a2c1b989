//! How θ moves: optimizers over flat slices, and the schedule of their learning rate.

mod adam;
mod first_order;
mod gradient_descent;
mod lbfgs;
mod line_search;
mod numbers;
mod schedule;

pub use adam::Adam;
pub use first_order::{FirstOrder, FirstOrderState};
pub(crate) use first_order::{MatrixStep, Step};
pub use gradient_descent::GradientDescent;
pub use lbfgs::{CurvaturePair, Lbfgs, LbfgsState, LbfgsStop};
pub use numbers::{StepNumbers, StepRule};
pub use schedule::Schedule;

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// One of the optimizers, with its settings: `Adam::default().into()`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Optimizer {
    /// A step for each batch, against its gradient.
    FirstOrder(FirstOrder),
    /// An iteration for each pass over all examples.
    Lbfgs(Lbfgs),
}

impl Optimizer {
    /// That all settings are in their ranges.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the first that is not.
    pub fn check(&self) -> Result<()> {
        match self {
            Optimizer::FirstOrder(optimizer) => optimizer.check(),
            Optimizer::Lbfgs(optimizer) => optimizer.check(),
        }
    }
}

macro_rules! from {
    ($($type:ident => |$settings:ident| $optimizer:expr;)*) => {$(
        impl From<$type> for Optimizer {
            fn from($settings: $type) -> Self {
                $optimizer
            }
        }
    )*};
}

from! {
    GradientDescent => |settings| FirstOrder::GradientDescent(settings).into();
    Adam => |settings| FirstOrder::Adam(settings).into();
    FirstOrder => |settings| Optimizer::FirstOrder(settings);
    Lbfgs => |settings| Optimizer::Lbfgs(settings);
}
