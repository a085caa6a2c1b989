//! The gradient check before training: no training without it, unless it is switched off.

use super::problem::Problem;
use super::settings::Training;
use crate::error::{Error, Result};
use crate::gradient_check::GradientCheck;
use crate::gradient_report::GradientReport;
use crate::initialization::draw_defaults;
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;

/// Rows that the gradient is checked on; fewer for networks so large that they would take more than some tenths of a second.
const ROWS: usize = 30;
const FEWEST_ROWS: usize = 5;
const ROWS_TIMES_PARAMETERS: usize = 3_000_000;
/// Coordinates of θ that are compared.
const COORDINATES: usize = 200;

impl Training {
    /// Compares the gradient that training would follow with the numerical derivative of its cost: on up to 30 of the
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
        match self.gradient_check {
            true => refuse_wrong(self.check_gradient(problem)?),
            false => Ok(()),
        }
    }
}

fn refuse_wrong(report: GradientReport) -> Result<()> {
    match report.total.wrong {
        0 => Ok(()),
        _ => Err(Error::Gradient { report: Box::new(report) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::dataset::Dataset;
    use crate::loss::Loss;
    use crate::network::Network;
    use crate::objective::Objective;
    use ndarray::array;

    /// x², whose gradient is claimed to be x.
    struct Halved;
    impl Objective<f64> for Halved {
        fn dimension(&self) -> usize {
            1
        }
        fn cost(&mut self, x: &[f64]) -> f64 {
            x[0] * x[0]
        }
        fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient[0] = x[0];
            self.cost(x)
        }
    }

    #[test]
    fn a_wrong_gradient_is_refused_with_its_report() {
        let report = GradientCheck::default().run(&mut Halved, &[3.0]).unwrap();
        match refuse_wrong(report).unwrap_err() {
            Error::Gradient { report } => assert_eq!((report.total.wrong, report.total.checked), (1, 1)),
            other => panic!("{other}"),
        }
    }

    /// On these numbers the cost is not finite in the middle of the check, but training could begin.
    #[test]
    fn no_training_begins_without_the_check_unless_it_is_switched_off() {
        let data = Dataset::new(array![[1e200], [-1e200]], array![[0.0], [1.0]]).unwrap();
        let network = Network::new(1, &[(1, Activation::Identity)]).unwrap();
        let problem = Problem::new(&network, Loss::SquaredError, &data);
        let refused = Training::default().start(&problem, vec![0.0, 0.0]).unwrap_err();
        assert!(matches!(refused, Error::Cost { .. }), "{refused}");
        let unchecked = Training { gradient_check: false, ..Training::default() };
        assert!(unchecked.start(&problem, vec![0.0, 0.0]).is_ok());
    }
}
