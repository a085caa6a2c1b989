//! The cost over all examples as a function of θ, for the gradient check and for optimizers that search along a line.

use super::Cost;
use crate::backpropagation::Strip;
use crate::numeric::scalar::Scalar;
use crate::objective::{Objective, Segment};
use crate::sum::{BLOCK_ROWS, engine};

impl<T: Scalar> Objective<T> for Cost<'_, T> {
    fn dimension(&self) -> usize {
        self.network.parameter_count()
    }

    fn cost(&mut self, parameters: &[T]) -> f64 {
        let rows = self.rows_of(None);
        self.sum_rows(parameters, rows, self.outputs(true, false));
        self.cost_of(parameters, rows)
    }

    fn cost_and_gradient(&mut self, parameters: &[T], gradient: &mut [T]) -> f64 {
        let (cost, pass) = self.forward_backward(parameters, None);
        pass.gradient(parameters, gradient);
        cost
    }

    /// Some unit of some example with ReLU, leaky ReLU or SELU is on another side of 0 at the two points.
    fn has_kink_between(&mut self, one: &[T], other: &[T]) -> bool {
        if !self.network.layers().iter().any(|layer| layer.activation.has_kink()) {
            return false;
        }
        let Some(data) = self.data.here() else { return false };
        let (network, rows, examples) = (self.network, data.rows(), data.all());
        let mut points = [one, other].map(|parameters| (parameters, Strip::new(network, None)));
        (0..rows).step_by(BLOCK_ROWS).any(|start| {
            let some = examples.part(start..rows.min(start + BLOCK_ROWS));
            for (parameters, strip) in &mut points {
                engine().feedforward(strip, network, network.layers().len(), parameters, [some, some.part(0..0)]);
            }
            points[0].1.differs_in_sides(&points[1].1, network)
        })
    }

    fn segments(&self) -> Vec<Segment> {
        self.network.segments()
    }
}
