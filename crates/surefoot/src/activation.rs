//! Activation functions f and their derivatives f′.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, by_name};
use crate::numeric::panels::{LANES, columns, columns_mut};
use crate::numeric::scalar::Scalar;

/// What a layer does with its weighted sums z: a = f(z), unit by unit (softmax: the units of an example together).
///
/// The derivative is written from the activation a, as the notes do, so that going back needs no z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// The logistic function, onto (0, 1).  (A1)
    ///
    /// ```text
    ///   f(z) = 1 / (1 + exp(−z))        f′ = a(1 − a)
    /// ```
    Sigmoid,
    /// The hyperbolic tangent, onto (−1, 1).  (A2)
    ///
    /// ```text
    ///   f(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)   f′ = 1 − a²
    /// ```
    Tanh,
    /// The weighted sum itself, for outputs that are any number.  (A3)
    ///
    /// ```text
    ///   f(z) = z                        f′ = 1
    /// ```
    Identity,
    /// The rectifier, with a kink at 0, where the derivative is taken as 0.  (A4)
    ///
    /// ```text
    ///   f(z) = max(z, 0)                f′ = 1 where a > 0, else 0
    /// ```
    Relu,
    /// The rectifier that lets 0.01 of negative sums through, so that no unit dies; kink at 0.  (A5)
    ///
    /// ```text
    ///   f(z) = z where z > 0, else 0.01·z        f′ = 1 where a > 0, else 0.01
    /// ```
    LeakyRelu,
    /// The scaled exponential linear unit, whose constants keep mean 0 and variance 1 from layer to layer; kink at 0.  (A6)
    ///
    /// ```text
    ///   f(z) = λz where z > 0, else λα(eᶻ − 1)   f′ = λ where a > 0, else a + λα
    ///   λ = 1.0507…, α = 1.6732…
    /// ```
    ///
    /// Source: Klambauer, Unterthiner, Mayr and Hochreiter, *Self-Normalizing Neural Networks*, 2017, equation (2); the constants by its equation (14).
    Selu,
    /// Shares that sum to one over the units of an example: an output for classes only.  (A7)
    ///
    /// ```text
    ///   f(z)ₖ = exp(zₖ) / Σⱼ exp(zⱼ)     ∂aₖ/∂zⱼ = aₖ([k = j] − aⱼ)
    /// ```
    Softmax,
    /// The exponential function, onto (0, ∞): an output for counts and rates only, the inverse of the logarithm that links them to
    /// the weighted sums. It overflows above z = 709 (`f32`: 88).  (A8)
    ///
    /// ```text
    ///   f(z) = exp(z)                   f′ = a
    /// ```
    Exp,
}

impl Activation {
    /// The slope of leaky ReLU below zero.
    pub const LEAK: f64 = 0.01;
    /// SELU's λ.
    pub const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
    /// SELU's λ·α, with α = 1.6732632423543772.
    pub const SELU_SCALE_ALPHA: f64 = Activation::SELU_SCALE * 1.673_263_242_354_377_2;

    /// All of them, in the order of their tags.
    pub const ALL: [Activation; 8] = [
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Selu,
        Activation::Softmax,
        Activation::Exp,
    ];

    /// The name in model files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Selu => "selu",
            Activation::Softmax => "softmax",
            Activation::Exp => "exp",
        }
    }

    /// Whether it is for outputs only.
    pub fn is_for_outputs(self) -> bool {
        matches!(self, Activation::Softmax | Activation::Exp)
    }

    /// Whether f has a kink, which is at z = 0 where it has one.
    pub fn has_kink(self) -> bool {
        matches!(self, Activation::Relu | Activation::LeakyRelu | Activation::Selu)
    }

    /// How an activation counts as activity between 0 and 1, as offset and share: activity = offset + share·a. Only of
    /// activations between two bounds.
    pub(crate) fn activity(self) -> Option<(f64, f64)> {
        match self {
            Activation::Sigmoid => Some((0.0, 1.0)),
            Activation::Tanh => Some((0.5, 0.5)),
            _ => None,
        }
    }

    /// a = f(z), in place, for a matrix of weighted sums that lies row by row: a row is a unit, a column one of `examples`.
    /// Any finite z is safe, but for [`Exp`](Self::Exp).
    #[inline(always)]
    pub(crate) fn apply<T: Scalar>(self, z: &mut [T], examples: usize) {
        match self {
            Activation::Sigmoid => each(z, sigmoid),                        // (A1)
            Activation::Tanh => each(z, T::tanh),                           // (A2)
            Activation::Identity => {}                                      // (A3)
            Activation::Relu => each(z, |z| positive_or(z, |_| T::zero())), // (A4)
            Activation::LeakyRelu => each(z, |z| positive_or(z, |z| T::from_f64(Activation::LEAK) * z)), // (A5)
            Activation::Selu => each(z, selu),                              // (A6)
            Activation::Softmax => softmax(z, examples),                    // (A7)
            Activation::Exp => each(z, T::exp),                             // (A8)
        }
    }

    /// `delta := delta • f′`, for units × examples whose activations are `a`: the step from ∂J/∂a to ∂J/∂z.
    ///
    /// For softmax, whose units hang together, f′ is a matrix and • its product with a column of `delta`; there the examples
    /// are a multiple of [`LANES`].
    #[inline(always)]
    pub(crate) fn multiply_by_derivative<T: Scalar>(self, a: &[T], delta: &mut [T], examples: usize) {
        match self {
            Activation::Sigmoid => times(delta, a, |a| a * (T::one() - a)), // (A1)
            Activation::Tanh => times(delta, a, |a| T::one() - a * a),      // (A2)
            Activation::Identity => {}                                      // (A3)
            Activation::Relu => times(delta, a, |a| if a > T::zero() { T::one() } else { T::zero() }), // (A4)
            Activation::LeakyRelu => {
                times(delta, a, |a| if a > T::zero() { T::one() } else { T::from_f64(Activation::LEAK) })
            } // (A5)
            Activation::Selu => times(delta, a, |a| {
                if a > T::zero() {
                    T::from_f64(Activation::SELU_SCALE)
                } else {
                    a + T::from_f64(Activation::SELU_SCALE_ALPHA)
                } // (A6)
            }),
            Activation::Exp => times(delta, a, |a| a), // (A8)
            Activation::Softmax => {
                // (A7): Σₖ δₖ aₖ([k = j] − aⱼ) = aⱼ(δⱼ − Σₖ δₖ aₖ)
                let is_wide = is_wide(a, examples);
                for first in (0..examples).step_by(LANES) {
                    let units = columns::<T, LANES>(a, examples, first).zip(columns(delta, examples, first));
                    let means = over_units(is_wide, units, T::zero(), products, plus);
                    for (a, delta) in columns(a, examples, first).zip(columns_mut(delta, examples, first)) {
                        let (a, delta): (&[T; LANES], &mut [T; LANES]) = (a, delta);
                        (0..LANES).for_each(|i| delta[i] = a[i] * (delta[i] - means[i]));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn each<T: Scalar>(z: &mut [T], f: impl Fn(T) -> T) {
    z.iter_mut().for_each(|z| *z = f(*z));
}

#[inline(always)]
fn times<T: Scalar>(delta: &mut [T], a: &[T], derivative: impl Fn(T) -> T) {
    delta.iter_mut().zip(a).for_each(|(delta, &a)| *delta = *delta * derivative(a));
}

/// z above the kink, else `otherwise`. NaN counts as above, so that a number that went wrong stays visible.
#[inline(always)]
fn positive_or<T: Scalar>(z: T, otherwise: impl Fn(T) -> T) -> T {
    if z <= T::zero() { otherwise(z) } else { z }
}

/// Only e^−|z| is taken, which cannot overflow; both tails keep their full relative precision.
#[inline(always)]
fn sigmoid<T: Scalar>(z: T) -> T {
    let e = (-z.abs()).exp();
    let numerator = if z < T::zero() { e } else { T::one() };
    numerator / (T::one() + e)
}

/// −0 belongs to the line, which keeps its sign.
#[inline(always)]
fn selu<T: Scalar>(z: T) -> T {
    if z >= T::zero() {
        T::from_f64(Activation::SELU_SCALE) * z
    } else {
        T::from_f64(Activation::SELU_SCALE_ALPHA) * z.exp_m1_of_negative()
    }
}

#[inline(always)]
fn softmax<T: Scalar>(z: &mut [T], examples: usize) {
    let whole = examples / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        softmax_of::<T, LANES>(z, examples, first);
    }
    for first in whole..examples {
        softmax_of::<T, 1>(z, examples, first);
    }
}

/// Softmax of N neighbouring examples. The largest z of each is subtracted first, so that no exponential overflows and
/// the largest is 1.
#[inline(always)]
fn softmax_of<T: Scalar, const N: usize>(z: &mut [T], examples: usize, first: usize) {
    let is_wide = is_wide(z, examples);
    let rows = columns::<T, N>(z, examples, first);
    let largest = over_units(is_wide, rows, T::from_f64(f64::NEG_INFINITY), numbers, larger);
    for z in columns_mut::<T, N>(z, examples, first) {
        for i in 0..N {
            z[i] = (z[i] - largest[i]).exp();
        }
    }
    let sums = over_units(is_wide, columns::<T, N>(z, examples, first), T::zero(), numbers, plus);
    for e in columns_mut::<T, N>(z, examples, first) {
        for i in 0..N {
            e[i] = e[i] / sums[i];
        }
    }
}

/// Whether a matrix with so many numbers a row, one row a unit, has more units than are joined one after the other.
#[inline(always)]
fn is_wide<T>(z: &[T], examples: usize) -> bool {
    z.len() > LANES * examples
}

/// The terms of all units joined, for N examples side by side, from a start on: one after the other, or of a wide layer in 16
/// lanes, the i-th of every 16th unit from the i-th on, which are then joined in a binary tree as by
/// [`pairwise_sum`](crate::numeric::sums::pairwise_sum).
#[inline(always)]
fn over_units<R, T: Copy, const N: usize>(
    is_wide: bool,
    units: impl Iterator<Item = R>,
    start: T,
    terms: impl Fn(R) -> [T; N],
    join: impl Fn(T, T) -> T,
) -> [T; N] {
    if !is_wide {
        let mut all = [start; N];
        for unit in units {
            all = joined(all, terms(unit), &join);
        }
        return all;
    }
    let mut lanes = [[start; N]; LANES];
    for (k, unit) in units.enumerate() {
        lanes[k % LANES] = joined(lanes[k % LANES], terms(unit), &join);
    }
    for half in [8, 4, 2, 1] {
        for k in 0..half {
            lanes[k] = joined(lanes[k], lanes[k + half], &join);
        }
    }
    lanes[0]
}

#[inline(always)]
fn joined<T: Copy, const N: usize>(mut so_far: [T; N], terms: [T; N], join: &impl Fn(T, T) -> T) -> [T; N] {
    for i in 0..N {
        so_far[i] = join(so_far[i], terms[i]);
    }
    so_far
}

#[inline(always)]
fn plus<T: Scalar>(a: T, b: T) -> T {
    a + b
}

#[inline(always)]
fn larger<T: Scalar>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

#[inline(always)]
fn numbers<T: Scalar, const N: usize>(numbers: &[T; N]) -> [T; N] {
    *numbers
}

#[inline(always)]
fn products<T: Scalar, const N: usize>((a, b): (&[T; N], &[T; N])) -> [T; N] {
    let mut products = *a;
    for i in 0..N {
        products[i] = a[i] * b[i];
    }
    products
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        by_name("activation", &Activation::ALL, Activation::name, name)
    }
}

serde_as_text!(Activation);

#[cfg(test)]
mod tests {
    use super::*;

    fn f<T: Scalar>(activation: Activation, z: f64) -> f64 {
        let mut z = [T::from_f64(z)];
        activation.apply(&mut z, 1);
        z[0].to_f64()
    }

    fn derivative(activation: Activation, z: f64) -> f64 {
        let (mut a, mut delta) = ([z], [1.0]);
        activation.apply(&mut a, 1);
        activation.multiply_by_derivative(&a, &mut delta, 1);
        delta[0]
    }

    #[test]
    fn sigmoid_and_tanh_are_finite_and_exact_in_the_tails() {
        for (z, sigmoid, tanh) in [(1e4, 1.0, 1.0), (-1e4, 0.0, -1.0), (0.0, 0.5, 0.0)] {
            assert_eq!(f::<f64>(Activation::Sigmoid, z), sigmoid);
            assert_eq!(f::<f32>(Activation::Sigmoid, z), sigmoid);
            assert_eq!(f::<f64>(Activation::Tanh, z), tanh);
            assert_eq!(f::<f32>(Activation::Tanh, z), tanh);
            assert!(derivative(Activation::Sigmoid, z).is_finite());
        }
        // e⁻⁷⁰⁰ to 17 digits: the lower tail keeps its relative precision instead of ending at 0 or infinity.
        assert!((f::<f64>(Activation::Sigmoid, -700.0) / 9.859_676_543_759_77e-305 - 1.0).abs() < 1e-13);
        assert!((f::<f32>(Activation::Sigmoid, -80.0) / 1.804_851_387_845_415e-35 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn tanh_is_a_rescaled_sigmoid() {
        for z in [-3.0, -0.1, 0.0, 0.7, 5.0] {
            let rescaled = 2.0 * f::<f64>(Activation::Sigmoid, 2.0 * z) - 1.0;
            assert!((f::<f64>(Activation::Tanh, z) - rescaled).abs() < 1e-15);
        }
    }

    #[test]
    fn derivatives_are_the_slopes() {
        for activation in Activation::ALL.into_iter().filter(|&a| a != Activation::Softmax) {
            for z in [-2.0, -0.3, 0.4, 1.7] {
                let h = 1e-5;
                let slope = (f::<f64>(activation, z + h) - f::<f64>(activation, z - h)) / (2.0 * h);
                assert!((derivative(activation, z) - slope).abs() < 1e-9, "{activation} at {z}");
            }
        }
    }

    /// Of 16 units in their order, of more in lanes; alone or beside others.
    #[test]
    fn softmax_joins_the_units_in_the_stated_order() {
        for units in [1, 2, 10, 16, 17, 40, 1000] {
            let z: Vec<f32> = (0..units).map(|k| ((k * 37 % 101) as f32 - 50.0) * 0.07).collect();
            let joined = |terms: &[f32], start: f32, join: fn(f32, f32) -> f32| {
                let chain =
                    |first: usize, step: usize| (first..units).step_by(step).fold(start, |sum, k| join(sum, terms[k]));
                if units <= 16 {
                    return chain(0, 1);
                }
                let mut lanes: Vec<f32> = (0..16).map(|i| chain(i, 16)).collect();
                while lanes.len() > 1 {
                    let half = lanes.len() / 2;
                    lanes = (0..half).map(|i| join(lanes[i], lanes[i + half])).collect();
                }
                lanes[0]
            };
            let largest = joined(&z, f32::NEG_INFINITY, f32::max);
            let e: Vec<f32> = z.iter().map(|z| Scalar::exp(z - largest)).collect();
            let sum = joined(&e, 0.0, |a, b| a + b);
            for examples in [1, 3, 48] {
                let mut beside: Vec<f32> = z.iter().flat_map(|&z| vec![z; examples]).collect();
                Activation::Softmax.apply(&mut beside, examples);
                for (row, e) in beside.chunks(examples).zip(&e) {
                    assert!(row.iter().all(|a| a.to_bits() == (e / sum).to_bits()), "{units} units of {examples}");
                }
            }
        }
    }

    #[test]
    fn softmax_sums_to_one_and_does_not_overflow() {
        let mut z = [1e4, -1e4, 1e4];
        Activation::Softmax.apply(&mut z, 1);
        assert_eq!(z, [0.5, 0.0, 0.5]);
    }

    #[test]
    fn selu_constants_are_the_fixed_point() {
        assert!((f::<f64>(Activation::Selu, 1.0) - 1.050_700_987_355_480_5).abs() < 1e-15);
        assert!((f::<f64>(Activation::Selu, -1e4) + 1.758_099_340_847_376_6).abs() < 1e-14);
    }

    #[test]
    fn names_are_read_back() {
        for activation in Activation::ALL {
            assert_eq!(activation.name().parse::<Activation>().unwrap(), activation);
        }
        let error = "sigmoyd".parse::<Activation>().unwrap_err().to_string();
        assert!(error.contains("sigmoid, tanh") && error.contains("`sigmoyd`"), "{error}");
    }
}
