//! A batch that has gone through the network: its gradient, or a step of an optimizer.

use std::sync::atomic::AtomicUsize;

use super::Cost;
use crate::gradients::{Gradient, Update};
use crate::numeric::scalar::Scalar;
use crate::optimizer::{FirstOrder, FirstOrderState};
use crate::sum::engine;
use crate::view::Rows;

/// A batch that has gone through the network, forward and back: the sum over its examples is still to be taken.
pub struct Pass<'b, 'a, T> {
    pub(super) of: &'b mut Cost<'a, T>,
    pub(super) rows: Rows<'b>,
}

impl<T: Scalar> Pass<'_, '_, T> {
    /// The gradient of J over the batch at the same θ = `parameters`, written over `gradient`.
    ///
    /// # Panics
    /// When a length is not that of θ.
    pub fn gradient(self, parameters: &[T], gradient: &mut [T]) {
        if !self.of.is_whole {
            return;
        }
        let (network, mean) = (self.of.network, self.of.mean(self.rows));
        let sums = self.of.gradient_sums(self.rows);
        engine().gradient(network, sums, Gradient { mean, parameters, gradient });
    }

    /// Moves θ = `parameters` one step against the gradient of J over the batch, each part of it while its gradient is
    /// in cache: the same bits as [`gradient`](Self::gradient) and then [`FirstOrder::step`].
    ///
    /// Returns the first layer, from 0, that had a gradient that was not finite.
    ///
    /// # Panics
    /// When a length is not that of θ.
    pub fn step(
        self,
        optimizer: &FirstOrder,
        state: &mut FirstOrderState<T>,
        parameters: &mut [T],
        learning_rate: f64,
    ) -> Option<usize> {
        if !self.of.is_whole {
            return None;
        }
        let (network, mean) = (self.of.network, self.of.mean(self.rows));
        let not_finite = AtomicUsize::new(usize::MAX);
        let step = optimizer.begin(state, parameters, learning_rate);
        let sums = self.of.gradient_sums(self.rows);
        engine().step(network, sums, Update { mean, step, not_finite: &not_finite });
        let at = not_finite.into_inner();
        (0..network.layers().len()).find(|&l| at < network.bias_range(l).end)
    }
}
