//! The loss of one example, J(W,b; x,y), and the error term δ with which going back starts.

use std::fmt;
use std::str::FromStr;

use crate::activation::{Activation, by_name};
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;

/// How far the outputs h = a⁽ⁿˡ⁾ of one example are from its targets y.
///
/// The value is computed from the weighted sums z of the output layer where that is what keeps it finite, the error
/// term δ = ∂J/∂z from the activations a, in which f′ has cancelled where it does; so |z| = 10⁴ is safe in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Half the squared error, summed over outputs, with any output activation.  (L1)
    ///
    /// ```text
    ///   J = ½ ‖h − y‖²
    ///   δ = −(y − a) • f′(z)
    /// ```
    ///
    /// * `targets`: any finite numbers
    SquaredError,
    /// Cross-entropy, in nats: with sigmoid outputs each output is a yes or no of its own, with softmax outputs they
    /// are the classes of one question.
    ///
    /// Binary, summed over the sigmoid outputs.  (L2)
    ///
    /// ```text
    ///   J = −Σₖ [yₖ ln aₖ + (1 − yₖ) ln(1 − aₖ)] = Σₖ [max(zₖ, 0) − zₖyₖ + ln(1 + e^−|zₖ|)]
    ///   δ = a − y
    /// ```
    ///
    /// * `targets`: each in [0, 1]
    ///
    /// Over softmax outputs.  (L3)
    ///
    /// ```text
    ///   J = −Σₖ yₖ ln aₖ = Σₖ yₖ (ln Σⱼ exp(zⱼ) − zₖ)
    ///   δ = a·Σₖ yₖ − y
    /// ```
    ///
    /// * `targets`: each in [0, 1], those of an example sum to one (so δ = a − y)
    ///
    /// Source: Bishop, *Pattern Recognition and Machine Learning*, 2006, §4.3.2 and §4.3.4.
    CrossEntropy,
}

impl Loss {
    /// Both of them.
    pub const ALL: [Loss; 2] = [Loss::SquaredError, Loss::CrossEntropy];

    /// The name in model files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Loss::SquaredError => "squared-error",
            Loss::CrossEntropy => "cross-entropy",
        }
    }

    /// Whether this loss goes with these outputs.
    ///
    /// # Errors
    /// [`Error::Setting`] for cross-entropy of outputs that are neither sigmoid nor softmax.
    pub fn check_output(self, output: Activation) -> Result<()> {
        match (self, output) {
            (Loss::SquaredError, _) | (_, Activation::Sigmoid | Activation::Softmax) => Ok(()),
            (Loss::CrossEntropy, other) => Err(Error::Setting {
                setting: "output activation",
                expected: "sigmoid or softmax with the loss cross-entropy".into(),
                got: format!("`{other}`"),
            }),
        }
    }

    /// Whether these are targets that this loss is defined for, for the outputs of one example; the column and what
    /// was expected if not.
    pub fn check_targets<T: Scalar>(
        self,
        output: Activation,
        targets: &[T],
    ) -> std::result::Result<(), (usize, &'static str)> {
        if self == Loss::SquaredError {
            return Ok(());
        }
        if let Some(column) = targets.iter().position(|&y| !(y >= T::zero() && y <= T::one())) {
            return Err((column, "a number from 0 to 1, as cross-entropy needs"));
        }
        let sum: f64 = targets.iter().map(|y| y.to_f64()).sum();
        if output == Activation::Softmax && (sum - 1.0).abs() > 1e-5 {
            return Err((targets.len() - 1, "targets that sum to one over the columns, as softmax needs"));
        }
        Ok(())
    }

    /// J(W,b; x,y) of one example: from the weighted sums `z`, the activations `a` and the targets `y` of the output
    /// layer, each with one number an output.
    #[inline(always)]
    pub fn value<T: Scalar>(self, output: Activation, z: &[T], a: &[T], y: &[T]) -> f64 {
        match (self, output) {
            (Loss::SquaredError, _) => sum(a, y, |a, y| 0.5 * (a - y) * (a - y)), // (L1)
            (Loss::CrossEntropy, Activation::Softmax) => {
                let (top, log_others) = log_sum_exp(z, a);
                sum(z, y, |z, y| y * ((top - z) + log_others)) // (L3)
            }
            (Loss::CrossEntropy, _) => {
                sum(z, y, |z, y| z.max(0.0) - z * y + libm::log1p(libm::exp(-z.abs()))) // (L2)
            }
        }
    }

    /// δ = ∂J/∂z of one example, written over `delta`: from the activations `a` and the targets `y` of the output layer.
    #[inline(always)]
    pub fn delta<T: Scalar>(self, output: Activation, a: &[T], y: &[T], delta: &mut [T]) {
        let sum = match (self, output) {
            (Loss::CrossEntropy, Activation::Softmax) => y.iter().fold(T::zero(), |sum, &y| sum + y),
            _ => T::one(),
        };
        for ((delta, &a), &y) in delta.iter_mut().zip(a).zip(y) {
            *delta = a * sum - y; // (L2) (L3)
        }
        if self == Loss::SquaredError {
            output.multiply_by_derivative(a, delta, a.len()); // (L1)
        }
    }
}

/// Σₖ f(hₖ, yₖ) in `f64`: eight sums side by side, of every eighth output, then added in a tree.
#[inline(always)]
fn sum<T: Scalar>(outputs: &[T], targets: &[T], f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let ((eights, rest), (target_eights, target_rest)) = (outputs.as_chunks::<8>(), targets.as_chunks::<8>());
    for (h, y) in eights.iter().zip(target_eights) {
        (0..8).for_each(|i| sums[i] += f(h[i].to_f64(), y[i].to_f64()));
    }
    for ((sum, h), y) in sums.iter_mut().zip(rest).zip(target_rest) {
        *sum += f(h.to_f64(), y.to_f64());
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// ln Σ exp(zⱼ) in two parts, the largest z and ln(1 + Σ of the others relative to it): added one after the other to
/// −zₖ they lose nothing where one class is almost sure. The exponentials are those that softmax has taken for `a`.
#[inline(always)]
fn log_sum_exp<T: Scalar>(z: &[T], a: &[T]) -> (f64, f64) {
    let top = (1..z.len()).fold(0, |top, k| if z[k] > z[top] { k } else { top });
    let others = a.iter().enumerate().filter(|&(k, _)| k != top).fold(0.0, |sum, (_, a)| sum + a.to_f64());
    (z[top].to_f64(), libm::log1p(others / a[top].to_f64()))
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Loss {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        by_name("loss", &Loss::ALL, Loss::name, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value and δ of one example, from z.
    fn at(loss: Loss, output: Activation, z: &[f64], y: &[f64]) -> (f64, Vec<f64>) {
        let mut a = z.to_vec();
        output.apply(&mut a, z.len());
        let mut delta = vec![f64::NAN; z.len()];
        loss.delta(output, &a, y, &mut delta);
        (loss.value(output, z, &a, y), delta)
    }

    #[test]
    fn squared_error_is_half_the_sum_over_outputs() {
        let (value, delta) = at(Loss::SquaredError, Activation::Identity, &[1.0, 4.0], &[0.0, 1.0]);
        assert_eq!((value, delta), (5.0, vec![1.0, 3.0]));
    }

    #[test]
    fn cross_entropy_is_safe_far_out() {
        for sign in [1.0, -1.0] {
            let z = 1e4 * sign;
            let (value, delta) = at(Loss::CrossEntropy, Activation::Sigmoid, &[z, z], &[1.0, 0.0]);
            assert_eq!(value, 1e4);
            assert!(delta.iter().all(|d| d.is_finite()));
            let (value, delta) = at(Loss::CrossEntropy, Activation::Softmax, &[z, -z], &[0.0, 1.0]);
            assert_eq!(value, if sign > 0.0 { 2e4 } else { 0.0 });
            assert_eq!(delta, if sign > 0.0 { vec![1.0, -1.0] } else { vec![0.0, 0.0] });
        }
    }

    #[test]
    fn cross_entropy_keeps_its_precision_where_the_answer_is_sure() {
        let (value, _) = at(Loss::CrossEntropy, Activation::Softmax, &[40.0, 0.0], &[1.0, 0.0]);
        assert!((value / (-40f64).exp() - 1.0).abs() < 1e-12, "{value}");
        let (value, _) = at(Loss::CrossEntropy, Activation::Sigmoid, &[40.0], &[1.0]);
        assert!((value / (-40f64).exp() - 1.0).abs() < 1e-12, "{value}");
    }

    #[test]
    fn softmax_of_two_is_the_sigmoid_of_their_difference() {
        let (two, _) = at(Loss::CrossEntropy, Activation::Softmax, &[0.3, -1.1], &[1.0, 0.0]);
        let (one, _) = at(Loss::CrossEntropy, Activation::Sigmoid, &[1.4], &[1.0]);
        assert!((two - one).abs() < 1e-15);
    }

    #[test]
    fn targets_outside_of_the_loss_are_named() {
        let check = |output, y: &[f64]| Loss::CrossEntropy.check_targets(output, y).map_err(|(column, _)| column);
        assert_eq!(check(Activation::Sigmoid, &[0.0, 1.0]), Ok(()));
        assert_eq!(check(Activation::Sigmoid, &[0.0, 2.0]), Err(1));
        assert_eq!(check(Activation::Softmax, &[0.5, 0.5]), Ok(()));
        assert_eq!(check(Activation::Softmax, &[0.5, 0.4]), Err(1));
        assert!(Loss::CrossEntropy.check_output(Activation::Tanh).is_err());
        assert!(Loss::SquaredError.check_output(Activation::Softmax).is_ok());
    }
}
