//! Adam.

use serde::{Deserialize, Serialize};

use crate::mean::{Finite, Mean};
use crate::numeric::panels::LANES;
use crate::numeric::scalar::Scalar;

/// Adam: each parameter has its own step, from running means of its gradient and of the gradient's square.  (O4)
///
/// ```text
///   m := β₁ m + (1 − β₁) g          v := β₂ v + (1 − β₂) g²          from 0, g = ∇J(θ)
///   θ := θ − α · m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t the step from 1
/// ```
///
/// In the neural tangent parametrization (`ntp`) the learning rate follows from the number of inputs of a layer, its fan-in, so
/// that one α serves layers of any width:  (O8)
///
/// ```text
///   α / √s for the weights of a unit with s inputs,   α / 10 for biases
/// ```
///
/// As Adam's steps do not depend on the size of gradients, this moves weights as those of z = W·a/√s + b move, the neural
/// tangent parametrization.
///
/// With ε̂ in place of ε the division is by √v̂ + ε̂/√(1 − β₂ᵗ), as in scikit-learn, which adds it to √v.  (O9)
///
/// ```text
///   θ := θ − α √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε̂)
/// ```
///
/// Source: Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, Algorithm 1, and for (O9) the end of section 2; of (O8) Holzmüller, Grinsztajn and
/// Steinwart, *Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data*, 2024, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// α, above 0: about how far a parameter moves in a step. Default 0.001, the paper's.
    pub learning_rate: f64,
    /// β₁, from 0 to 1, 1 excluded. Default 0.9, the paper's.
    pub beta1: f64,
    /// β₂, from 0 to 1, 1 excluded. Default 0.999, the paper's.
    pub beta2: f64,
    /// ε, above 0, keeps the division finite. Default 1e-8, the paper's. Not the gradient check's EPSILON.
    pub epsilon: f64,
    /// Whether the learning rates are those of the neural tangent parametrization, α/√fan-in a layer. Default no, the
    /// paper's.
    pub ntp: bool,
    /// Whether `epsilon` is ε̂ of (O9). Default no, as in the paper's Algorithm 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub epsilon_hat: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ntp: false, epsilon_hat: false }
    }
}

/// The part of α that biases have by width.
const BIAS_SHARE: f64 = 0.1;

/// The t-th step of Adam, with what all parameters share computed once.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdamStep<T> {
    pub beta1: T,
    pub beta2: T,
    pub rest1: T,
    pub rest2: T,
    /// In full precision, and what becomes of it in a part of θ.
    whole_alpha: f64,
    pub alpha: T,
    pub scale: T,
    pub epsilon: T,
    ntp: bool,
}

impl<T: Scalar> AdamStep<T> {
    pub fn new(settings: &Adam, t: u64, learning_rate: f64) -> Self {
        let (Adam { beta1, beta2, epsilon, ntp, epsilon_hat, .. }, t) = (*settings, t as f64);
        // α/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ), in f64
        let whole_alpha = learning_rate / (1.0 - libm::pow(beta1, t));
        let scale = 1.0 / libm::sqrt(1.0 - libm::pow(beta2, t));
        AdamStep {
            beta1: T::from_f64(beta1),
            beta2: T::from_f64(beta2),
            rest1: T::from_f64(1.0 - beta1),
            rest2: T::from_f64(1.0 - beta2),
            whole_alpha,
            alpha: T::from_f64(whole_alpha),
            scale: T::from_f64(scale),
            epsilon: T::from_f64(if epsilon_hat { epsilon * scale } else { epsilon }), // (O9)
            ntp,
        }
    }

    /// The step of weights with so many columns, or of biases.
    pub fn of_part(self, columns: Option<usize>) -> Self {
        if !self.ntp {
            return self;
        }
        let factor = columns.map_or(BIAS_SHARE, |columns| 1.0 / (columns as f64).sqrt()); // (O8)
        AdamStep { alpha: T::from_f64(self.whole_alpha * factor), ..self }
    }

    /// Moves parameters against their gradient, which the mean makes of these sums; sixteen at a time, as one vector, because the
    /// parts of θ that come are short.
    #[inline(always)]
    pub fn apply(
        &self,
        parameters: &mut [T],
        first: &mut [T],
        second: &mut [T],
        sums: &[T],
        mean: Mean<T>,
        finite: &mut Finite<T>,
    ) {
        let (parameters, parameters_rest) = parameters.as_chunks_mut::<LANES>();
        let (first, first_rest) = first.as_chunks_mut::<LANES>();
        let (second, second_rest) = second.as_chunks_mut::<LANES>();
        let (sums, sums_rest) = sums.as_chunks::<LANES>();
        for (((theta, m), v), sums) in parameters.iter_mut().zip(first).zip(second).zip(sums) {
            let g = finite.seen(mean.of(*sums, theta));
            [*theta, *m, *v] = self.moved(*theta, *m, *v, g);
        }
        for (((theta, m), v), &sum) in parameters_rest.iter_mut().zip(first_rest).zip(second_rest).zip(sums_rest) {
            let g = finite.seen(mean.of([sum], &[*theta]));
            [[*theta], [*m], [*v]] = self.moved([*theta], [*m], [*v], g);
        }
    }

    /// N parameters and their moments after the step.
    #[inline(always)]
    fn moved<const N: usize>(&self, mut theta: [T; N], mut m: [T; N], mut v: [T; N], g: [T; N]) -> [[T; N]; 3] {
        for i in 0..N {
            m[i] = self.beta1 * m[i] + self.rest1 * g[i];
        }
        for i in 0..N {
            v[i] = self.beta2 * v[i] + self.rest2 * (g[i] * g[i]);
        }
        for i in 0..N {
            theta[i] = theta[i] - self.alpha * m[i] / (v[i].sqrt() * self.scale + self.epsilon); // (O4)
        }
        [theta, m, v]
    }
}

#[cfg(test)]
mod tests {
    use super::super::FirstOrder;
    use super::*;
    use crate::activation::Activation;
    use crate::network::Network;

    #[test]
    fn two_steps_as_worked_out_by_hand() {
        let optimizer = FirstOrder::Adam(Adam { learning_rate: 0.1, ..Adam::default() });
        let (mut state, mut theta) = (optimizer.start(2), [1.0, -2.0]);
        // Step 1: m̂ = g and v̂ = g², so each θ moves by α, whatever the size of its gradient.
        optimizer.step(&mut state, &mut theta, &[3.0, -0.01], &[], 0.1);
        assert!((theta[0] - 0.9).abs() < 1e-9 && (theta[1] + 1.9).abs() < 1e-6, "{theta:?}");
        // Step 2 with g = 1: m = 0.27 + 0.1, m̂ = 0.37/0.19; v = 0.008991 + 0.001, v̂ = 0.009991/0.001999.
        optimizer.step(&mut state, &mut theta, &[1.0, 0.0], &[], 0.1);
        let expected = 0.9 - 0.1 * (0.37 / 0.19) / (0.009_991f64 / 0.001_999).sqrt();
        assert!((theta[0] - expected).abs() < 1e-8, "{theta:?}");
    }

    #[test]
    fn epsilon_hat_is_added_before_the_bias_is_corrected() {
        let optimizer = FirstOrder::Adam(Adam { epsilon: 0.5, epsilon_hat: true, ..Adam::default() });
        let (mut state, mut theta) = (optimizer.start(1), [0.0]);
        optimizer.step(&mut state, &mut theta, &[3.0], &[], 0.1);
        let (m, v, correction) = (0.1 * 3.0, 0.001 * 9.0, 0.001f64.sqrt() / 0.1);
        let expected: f64 = -0.1 * correction * m / (f64::sqrt(v) + 0.5); // (O9)
        assert!((theta[0] - expected).abs() < 1e-15, "{theta:?} {expected}");
    }

    #[test]
    fn in_the_neural_tangent_parametrization_each_part_has_its_rate() {
        let network = Network::new(4, &[(1, Activation::Tanh), (9, Activation::Identity)]).unwrap();
        let optimizer = FirstOrder::Adam(Adam { ntp: true, ..Adam::default() });
        let (mut state, mut theta) = (optimizer.start(23), [0.0f64; 23]);
        // the first step moves each θ by its own α
        optimizer.step(&mut state, &mut theta, &[1.0; 23], &network.segments(), 0.6);
        let near = |l: usize, weight: f64, bias: f64| {
            let moved = |range: std::ops::Range<usize>, by: f64| theta[range].iter().all(|x| (x + by).abs() < 1e-6);
            moved(network.weight_range(l), weight) && moved(network.bias_range(l), bias)
        };
        assert!(near(0, 0.3, 0.06) && near(1, 0.6, 0.06), "{theta:?}");
    }
}
