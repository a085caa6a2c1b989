//! Adam.

use super::OptimizerState;
use crate::numeric::scalar::Scalar;

/// Adam: each parameter has its own step, from running means of its gradient and of the gradient's square.  (O4)
///
/// ```text
///   m := β₁ m + (1 − β₁) g          v := β₂ v + (1 − β₂) g²          from 0, g = ∇J(θ)
///   θ := θ − α · m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t the step from 1
/// ```
///
/// Source: Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, Algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// α, above 0: about how far a parameter moves in a step. Default 0.001, the paper's.
    pub learning_rate: f64,
    /// β₁, from 0 to 1, 1 excluded. Default 0.9, the paper's.
    pub beta1: f64,
    /// β₂, from 0 to 1, 1 excluded. Default 0.999, the paper's.
    pub beta2: f64,
    /// ε, above 0, keeps the division finite. Default 1e-8, the paper's. Not the gradient check's EPSILON.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adam {
    /// One step; `state` counts it already.
    #[inline(always)]
    pub(super) fn step<T: Scalar>(
        &self,
        state: &mut OptimizerState<T>,
        parameters: &mut [T],
        gradient: &[T],
        learning_rate: f64,
    ) {
        let t = state.steps as f64;
        let (beta1, beta2) = (T::from_f64(self.beta1), T::from_f64(self.beta2));
        let (rest1, rest2) = (T::from_f64(1.0 - self.beta1), T::from_f64(1.0 - self.beta2));
        // α/(1 − β₁ᵗ) and 1/√(1 − β₂ᵗ) once a step, in f64
        let alpha = T::from_f64(learning_rate / (1.0 - libm::pow(self.beta1, t)));
        let scale = T::from_f64(1.0 / libm::sqrt(1.0 - libm::pow(self.beta2, t)));
        let epsilon = T::from_f64(self.epsilon);
        let moments = state.first.iter_mut().zip(&mut state.second);
        for ((theta, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * (g * g);
            *theta = *theta - alpha * *m / (v.sqrt() * scale + epsilon); // (O4)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Optimizer;
    use super::*;

    #[test]
    fn two_steps_as_worked_out_by_hand() {
        let optimizer = Optimizer::Adam(Adam { learning_rate: 0.1, ..Adam::default() });
        let (mut state, mut theta) = (optimizer.start(2), [1.0, -2.0]);
        // Step 1: m̂ = g and v̂ = g², so each θ moves by α, whatever the size of its gradient.
        optimizer.step(&mut state, &mut theta, &[3.0, -0.01], 0.1);
        assert!((theta[0] - 0.9).abs() < 1e-9 && (theta[1] + 1.9).abs() < 1e-6, "{theta:?}");
        // Step 2 with g = 1: m = 0.27 + 0.1, m̂ = 0.37/0.19; v = 0.008991 + 0.001, v̂ = 0.009991/0.001999.
        optimizer.step(&mut state, &mut theta, &[1.0, 0.0], 0.1);
        let expected = 0.9 - 0.1 * (0.37 / 0.19) / (0.009_991f64 / 0.001_999).sqrt();
        assert!((theta[0] - expected).abs() < 1e-8, "{theta:?}");
    }
}
