//! Gradient descent.

use serde::{Deserialize, Serialize};

use crate::mean::{Finite, Mean};
use crate::numeric::panels::LANES;
use crate::numeric::scalar::Scalar;

/// Gradient descent, as the notes have it; with momentum and Nesterov's look ahead if wanted.
///
/// Plain  (O1)
///
/// ```text
///   θ := θ − α ∇J(θ)
/// ```
///
/// With momentum μ, the velocity v from 0  (O2)
///
/// ```text
///   v := μ v + ∇J(θ)
///   θ := θ − α v
/// ```
///
/// With Nesterov's look ahead  (O3)
///
/// ```text
///   v := μ v + ∇J(θ)
///   θ := θ − α (∇J(θ) + μ v)
/// ```
///
/// This is the form that PyTorch documents for `torch.optim.SGD`: a change of α takes effect at once.
///
/// Source of (O3): Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep
/// learning*, 2013, rewritten for the gradient at θ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientDescent {
    /// α, above 0. Default 0.5, for the mean gradient of a full batch of standardised data.
    pub learning_rate: f64,
    /// μ, from 0 to 1, 1 excluded. Default 0, the notes' rule.
    pub momentum: f64,
    /// Whether to look ahead. Default no; it says something only with momentum.
    pub nesterov: bool,
}

impl Default for GradientDescent {
    fn default() -> Self {
        GradientDescent { learning_rate: 0.5, momentum: 0.0, nesterov: false }
    }
}

/// A step of gradient descent, with its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct GradientDescentStep<T> {
    alpha: T,
    momentum: T,
    nesterov: bool,
}

impl<T: Scalar> GradientDescentStep<T> {
    pub fn new(settings: &GradientDescent, learning_rate: f64) -> Self {
        let GradientDescent { momentum, nesterov, .. } = *settings;
        GradientDescentStep { alpha: T::from_f64(learning_rate), momentum: T::from_f64(momentum), nesterov }
    }

    /// Moves parameters against their gradient, which the mean makes of these sums; the velocity is empty without momentum.
    #[inline(always)]
    pub fn apply(&self, parameters: &mut [T], velocity: &mut [T], sums: &[T], mean: Mean<T>, finite: &mut Finite<T>) {
        let (parameters, parameters_rest) = parameters.as_chunks_mut::<LANES>();
        let (velocity, velocity_rest) = velocity.as_chunks_mut::<LANES>();
        let (sums, sums_rest) = sums.as_chunks::<LANES>();
        if self.momentum == T::zero() {
            for (theta, sums) in parameters.iter_mut().zip(sums) {
                let g = finite.seen(mean.of(*sums, theta));
                *theta = self.descended(*theta, g);
            }
            for (theta, &sum) in parameters_rest.iter_mut().zip(sums_rest) {
                let g = finite.seen(mean.of([sum], &[*theta]));
                [*theta] = self.descended([*theta], g);
            }
            return;
        }
        for ((theta, v), sums) in parameters.iter_mut().zip(velocity).zip(sums) {
            let g = finite.seen(mean.of(*sums, theta));
            [*theta, *v] = self.accelerated(*theta, *v, g);
        }
        for ((theta, v), &sum) in parameters_rest.iter_mut().zip(velocity_rest).zip(sums_rest) {
            let g = finite.seen(mean.of([sum], &[*theta]));
            [[*theta], [*v]] = self.accelerated([*theta], [*v], g);
        }
    }

    /// N parameters after a step against a direction.
    #[inline(always)]
    fn descended<const N: usize>(&self, mut theta: [T; N], direction: [T; N]) -> [T; N] {
        for i in 0..N {
            theta[i] = theta[i] - self.alpha * direction[i]; // (O1)
        }
        theta
    }

    /// N parameters and their velocities after a step with momentum.
    #[inline(always)]
    fn accelerated<const N: usize>(&self, theta: [T; N], mut v: [T; N], g: [T; N]) -> [[T; N]; 2] {
        let mut direction = g;
        for i in 0..N {
            v[i] = self.momentum * v[i] + g[i];
            direction[i] = if self.nesterov { g[i] + self.momentum * v[i] } else { v[i] };
        }
        [self.descended(theta, direction), v] // (O2) (O3)
    }
}

#[cfg(test)]
mod tests {
    use super::super::FirstOrder;
    use super::*;

    /// θ after each of three steps with α = 0.1 on J = θ², from θ = 1.
    fn three_steps(momentum: f64, nesterov: bool) -> Vec<f64> {
        let optimizer = FirstOrder::GradientDescent(GradientDescent { learning_rate: 0.1, momentum, nesterov });
        let (mut state, mut theta) = (optimizer.start(1), [1.0f64]);
        let step = |_| {
            let gradient = [2.0 * theta[0]];
            optimizer.step(&mut state, &mut theta, &gradient, &[], 0.1);
            theta[0]
        };
        (0..3).map(step).collect()
    }

    #[test]
    fn three_steps_as_worked_out_by_hand() {
        let near = |got: Vec<f64>, expected: [f64; 3]| {
            assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-15), "{got:?}");
        };
        near(three_steps(0.0, false), [0.8, 0.64, 0.512]);
        near(three_steps(0.9, false), [0.8, 0.46, 0.062]); // v = 2, 3.4, 3.98
        near(three_steps(0.9, true), [0.62, 0.2224, -0.108352]); // v = 2, 3.04, 3.1808
    }
}
