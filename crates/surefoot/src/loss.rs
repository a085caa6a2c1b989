//! The loss of one example, J(W,b; x,y), and the error term δ with which going back starts.

use std::fmt;
use std::str::FromStr;

use crate::activation::Activation;
use crate::error::{Error, Result, by_name};
use crate::metrics::Task;
use crate::numeric::elementwise::double::ln_1p;
use crate::numeric::panels::{LANES, columns, columns_mut};
use crate::numeric::scalar::Scalar;

/// How far the outputs h = a⁽ⁿˡ⁾ of one example are from its targets y.
///
/// The value is computed from the weighted sums z of the output layer where that is what keeps it finite, the error
/// term δ = ∂J/∂z from the activations a, in which f′ has cancelled where it does; so |z| = 10⁴ is safe in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// Half the Poisson deviance, summed over outputs with the activation exp: of counts, or of rates.  (L5)
    ///
    /// ```text
    ///   J = Σₖ [yₖ ln(yₖ/aₖ) − yₖ + aₖ] = Σₖ [yₖ ln yₖ − yₖ(zₖ + 1) + aₖ]      0 ln 0 = 0
    ///   δ = a − y
    /// ```
    ///
    /// * `targets`: any numbers from 0 up
    ///
    /// Source: McCullagh and Nelder, *Generalized Linear Models*, 2nd edition 1989, §2.3.
    Poisson,
}

impl Loss {
    /// All of them.
    pub const ALL: [Loss; 3] = [Loss::SquaredError, Loss::CrossEntropy, Loss::Poisson];

    /// The name in model files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Loss::SquaredError => "squared-error",
            Loss::CrossEntropy => "cross-entropy",
            Loss::Poisson => "poisson",
        }
    }

    /// Whether this loss goes with these outputs.
    ///
    /// # Errors
    /// [`Error::Setting`] for cross-entropy of outputs that are neither sigmoid nor softmax, and for Poisson of outputs that are not
    /// exp.
    pub fn check_output(self, output: Activation) -> Result<()> {
        let expected = match (self, output) {
            (Loss::SquaredError, _)
            | (Loss::CrossEntropy, Activation::Sigmoid | Activation::Softmax)
            | (Loss::Poisson, Activation::Exp) => return Ok(()),
            (Loss::CrossEntropy, _) => "sigmoid or softmax with the loss cross-entropy",
            (Loss::Poisson, _) => "exp with the loss poisson",
        };
        Err(Error::Setting { setting: "output activation", expected: expected.into(), got: format!("`{output}`") })
    }

    /// What is usually learned with it: classes with cross-entropy, numbers with the others.
    pub fn task(self) -> Task {
        match self {
            Loss::CrossEntropy => Task::Classification,
            Loss::SquaredError | Loss::Poisson => Task::Regression,
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
        if self == Loss::Poisson {
            let negative = targets.iter().position(|&y| y < T::zero());
            return negative.map_or(Ok(()), |column| Err((column, "a number from 0 up, as the Poisson loss needs")));
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

    /// Whether it is computed from the weighted sums z of the output layer; else from its activations alone.
    pub(crate) fn is_of_sums(self) -> bool {
        matches!(self, Loss::CrossEntropy | Loss::Poisson)
    }

    /// J(W,b; x,y) of each example, written over `values`: from the weighted sums `z`, the activations `a` and the targets
    /// `y` of the output layer, of which `z` may be empty unless [it is needed](Self::is_of_sums). These lie row by row, a row an output, `examples` numbers each (a multiple of [`LANES`]),
    /// of which the first belong to the values. A logarithm of cross-entropy counts at most as `limit`.  (L6)
    #[inline(always)]
    pub(crate) fn values<T: Scalar>(
        self,
        output: Activation,
        [z, a, y]: [&[T]; 3],
        examples: usize,
        limit: f64,
        values: &mut [f64],
    ) {
        let limited = |term: f64| if term > limit { limit } else { term }; // (L6); NaN stays
        for (i, values) in values.chunks_mut(LANES).enumerate() {
            let (z, a, y) = (
                || columns(z, examples, i * LANES),
                || columns(a, examples, i * LANES),
                columns(y, examples, i * LANES),
            );
            let sums = match (self, output) {
                (Loss::SquaredError, _) => squares(a(), y),   // (L1)
                (Loss::Poisson, _) => deviances(z(), a(), y), // (L5)
                (Loss::CrossEntropy, Activation::Softmax) => {
                    let (top, log_others) = log_sum_exp(z(), a());
                    sum(
                        z(),
                        y,
                        #[inline(always)]
                        |i, z, y| y.to_f64() * limited((top[i] - z).to_f64() + log_others[i]), // (L3)
                    )
                }
                (Loss::CrossEntropy, _) => sum(
                    z(),
                    y,
                    #[inline(always)]
                    |_, z, y| {
                        let positive = if z > T::zero() { z } else { T::zero() };
                        limited((positive - z * y).to_f64() + ln_1p((-z.abs()).exp().to_f64())) // (L2)
                    },
                ),
            };
            values.copy_from_slice(&sums[..values.len()]);
        }
    }

    /// δ = ∂J/∂z of each example, written over `delta`: from the activations `a` and the targets `y` of the output layer,
    /// which lie as for the values.
    #[inline(always)]
    pub(crate) fn deltas<T: Scalar>(self, output: Activation, a: &[T], y: &[T], examples: usize, delta: &mut [T]) {
        for first in (0..examples).step_by(LANES) {
            let mut sums = [T::one(); LANES];
            if (self, output) == (Loss::CrossEntropy, Activation::Softmax) {
                sums.fill(T::zero());
                columns(y, examples, first).for_each(|y: &[T; LANES]| (0..LANES).for_each(|i| sums[i] += y[i]));
            }
            let rows = columns(a, examples, first).zip(columns(y, examples, first));
            for (delta, (a, y)) in columns_mut::<T, LANES>(delta, examples, first).zip(rows) {
                let (a, y): (&[T; LANES], &[T; LANES]) = (a, y);
                let mut row = sums; // not `delta` itself, which might overlap as far as the compiler knows
                for i in 0..LANES {
                    row[i] = a[i] * sums[i] - y[i]; // (L2) (L3) (L5)
                }
                *delta = row;
            }
        }
        if self == Loss::SquaredError {
            output.multiply_by_derivative(a, delta, examples); // (L1)
        }
    }
}

/// ½ Σₖ (aₖ − yₖ)² of each example, in `f64` and in the order of the outputs.
#[inline(always)]
fn squares<'a, T: Scalar>(
    a: impl Iterator<Item = &'a [T; LANES]>,
    y: impl Iterator<Item = &'a [T; LANES]>,
) -> [f64; LANES] {
    let mut sums = [0f64; LANES];
    for (a, y) in a.zip(y) {
        for i in 0..LANES {
            let difference = (a[i] - y[i]).to_f64();
            sums[i] = difference.mul_add(difference, sums[i]);
        }
    }
    for sum in &mut sums {
        *sum *= 0.5;
    }
    sums
}

/// Σₖ [yₖ ln yₖ − yₖ(zₖ + 1) + aₖ] of each example, in `f64` and in the order of the outputs.
#[inline(always)]
fn deviances<'a, T: Scalar>(
    z: impl Iterator<Item = &'a [T; LANES]>,
    a: impl Iterator<Item = &'a [T; LANES]>,
    y: impl Iterator<Item = &'a [T; LANES]>,
) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for ((z, a), y) in z.zip(a).zip(y) {
        for i in 0..LANES {
            let (z, a, y) = (z[i].to_f64(), a[i].to_f64(), y[i].to_f64());
            let least = if y > 0.0 { y * libm::log(y) } else { 0.0 };
            sums[i] += least - y * (z + 1.0) + a;
        }
    }
    sums
}

/// Σₖ f(i, zₖ, yₖ) of each example i, in `f64` and in the order of the outputs.
#[inline(always)]
fn sum<'a, T: Scalar>(
    z: impl Iterator<Item = &'a [T; LANES]>,
    y: impl Iterator<Item = &'a [T; LANES]>,
    f: impl Fn(usize, T, T) -> f64,
) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (z, y) in z.zip(y) {
        for i in 0..LANES {
            sums[i] += f(i, z[i], y[i]);
        }
    }
    sums
}

/// ln Σ exp(zⱼ) of the examples in two parts, the largest z and ln(1 + Σ of the others relative to it): added
/// one after the other to −zₖ they lose nothing where one class is almost sure. The exponentials are those that softmax
/// has taken for `a`.
#[inline(always)]
fn log_sum_exp<'a, T: Scalar>(
    z: impl Iterator<Item = &'a [T; LANES]>,
    a: impl Iterator<Item = &'a [T; LANES]>,
) -> ([T; LANES], [f64; LANES]) {
    let (mut top, mut top_share, mut others) =
        ([T::from_f64(f64::NEG_INFINITY); LANES], [T::zero(); LANES], [T::zero(); LANES]);
    for (z, a) in z.zip(a) {
        // the smaller of the two is one of the others; loop by loop, or there would be branches in place of vectors
        let (mut smaller, mut larger) = (*a, top_share);
        for i in 0..LANES {
            smaller[i] = if z[i] > top[i] { top_share[i] } else { a[i] };
        }
        for i in 0..LANES {
            larger[i] = if z[i] > top[i] { a[i] } else { top_share[i] };
        }
        for i in 0..LANES {
            top[i] = if z[i] > top[i] { z[i] } else { top[i] };
        }
        for i in 0..LANES {
            others[i] += smaller[i];
        }
        top_share = larger;
    }
    let mut logarithms = [0.0; LANES];
    for i in 0..LANES {
        logarithms[i] = ln_1p(others[i].to_f64() / top_share[i].to_f64());
    }
    (top, logarithms)
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

serde_as_text!(Loss);

#[cfg(test)]
mod tests {
    use super::*;

    /// Value and δ of one example, from z.
    fn at(loss: Loss, output: Activation, z: &[f64], y: &[f64]) -> (f64, Vec<f64>) {
        let wide = |numbers: &[f64]| numbers.iter().flat_map(|&x| [x; LANES]).collect::<Vec<_>>();
        let (z, y) = (wide(z), wide(y));
        let mut a = z.clone();
        output.apply(&mut a, LANES);
        let (mut value, mut delta) = ([f64::NAN], vec![f64::NAN; z.len()]);
        loss.deltas(output, &a, &y, LANES, &mut delta);
        loss.values(output, [&z, &a, &y], LANES, f64::INFINITY, &mut value);
        let delta = delta.into_iter().step_by(LANES).collect();
        (value[0], delta)
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
    fn poisson_is_half_the_deviance() {
        // twice 3 ln(3/2) − 3 + 2, and at y = 0 the mean alone
        let (value, delta) = at(Loss::Poisson, Activation::Exp, &[2f64.ln(), 2f64.ln()], &[3.0, 0.0]);
        assert!((value - (3.0 * 1.5f64.ln() - 1.0 + 2.0)).abs() < 1e-15, "{value}");
        assert!((delta[0] + 1.0).abs() < 1e-15 && (delta[1] - 2.0).abs() < 1e-15, "{delta:?}");
        assert!(Loss::Poisson.check_targets(Activation::Exp, &[0.0, 1e9]).is_ok());
        assert!(Loss::Poisson.check_targets(Activation::Exp, &[0.0, -1e-9]).is_err());
        assert!(Loss::Poisson.check_output(Activation::Identity).is_err());
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
