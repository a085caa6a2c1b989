//! The gradient check before training: no training without it, unless it is switched off.

use super::problem::Problem;
use super::settings::Training;
use crate::error::{Error, Result};
use crate::gradient_check::GradientCheck;
use crate::gradient_report::GradientReport;
use crate::initialization::draw_defaults;
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;

/// Rows that the gradient is checked on; fewer for networks so large that they would take more than about a second.
const ROWS: usize = 100;
const FEWEST_ROWS: usize = 5;
const ROWS_TIMES_PARAMETERS: usize = 10_000_000;
/// Coordinates of θ that are compared.
const COORDINATES: usize = 200;

impl Training {
    /// Compares the gradient that training would follow with the numerical derivative of its cost: on up to 100 of the
    /// training examples and 200 coordinates of θ, drawn by the seed, in `f64`. At parameters drawn by each layer's
    /// [default](crate::Initialization::default_for), not at the start of the training: where a layer starts at 0, there
    /// would be nothing to compare below it.
    ///
    /// [`fit`](Self::fit) and [`start`](Self::start) do so by themselves.
    ///
    /// # Errors
    /// What [`Cost::new`](crate::Cost::new) refuses; [`Error::Cost`] when the cost is not finite.
    pub fn check_gradient<T: Scalar>(&self, problem: &Problem<'_, T>) -> Result<GradientReport> {
        let Problem { network, loss, data, .. } = *problem;
        let rows = (ROWS_TIMES_PARAMETERS / network.parameter_count().max(1)).clamp(FEWEST_ROWS, ROWS);
        let rows = Random::new(self.seed, Purpose::GradientCheck, 0).sample(data.rows(), rows);
        let some = data.select(&rows)?.cast::<f64>()?;
        let mut cost = self.smoothed_cost(network, loss, some.view())?;
        let parameters: Vec<f64> = draw_defaults(network, self.seed);
        let check = GradientCheck { sample: Some(COORDINATES), seed: self.seed, ..GradientCheck::default() };
        check.run(&mut cost, &parameters)
    }

    /// That the gradient is right, unless the check is switched off.
    pub(super) fn require_right_gradient<T: Scalar>(&self, problem: &Problem<'_, T>) -> Result<()> {
        if !self.gradient_check {
            return Ok(());
        }
        let report = self.check_gradient(problem)?;
        match report.total.wrong {
            0 => Ok(()),
            _ => Err(Error::Gradient { report: Box::new(report) }),
        }
    }
}
