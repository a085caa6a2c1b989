//! Numerical gradient checking of any [`Objective`].

use crate::error::{Error, Result};
pub use crate::gradient_report::{Comparison, Coordinate, GradientReport};
use crate::numeric::random::{Purpose, Random};
use crate::objective::{Objective, Segment};

/// How to compare the gradient that an objective claims with the numerical derivative of its cost, in `f64`.  (C1) (C2)
///
/// ```text
///   nᵢ = (J(θ + EPSILON·eᵢ) − J(θ − EPSILON·eᵢ)) / (2·EPSILON)
///   difference = ‖n − g‖ / ‖n + g‖                              g the claimed gradient
/// ```
///
/// Each nᵢ comes with the error that it can have: truncation, from a second difference with half the step (C3), and
/// rounding, from how precisely J is known (C4).
///
/// ```text
///   truncation = 4/3 · |n(EPSILON) − n(EPSILON/2)|
///   rounding   = noise / EPSILON,   noise = max(machine epsilon · |J|, ½·|J(θ+d) − 2J(θ) + J(θ−d)|), |dⱼ| = 2⁻⁴⁴·|θⱼ|
/// ```
///
/// A coordinate is wrong only where |nᵢ − gᵢ| is beyond both. Where the function bends too much for the step or has a
/// kink within it, smaller steps are tried, and the one with the least error counts; a coordinate with a kink in the
/// smallest step too is given up and counted apart.
///
/// ```
/// use surefoot::{GradientCheck, Objective};
///
/// struct Notes; // h(x) = x₁² + 3x₁x₂
/// impl Objective<f64> for Notes {
///     fn dimension(&self) -> usize { 2 }
///     fn cost(&mut self, x: &[f64]) -> f64 { x[0] * x[0] + 3.0 * x[0] * x[1] }
///     fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
///         gradient.copy_from_slice(&[2.0 * x[0] + 3.0 * x[1], 3.0 * x[0]]);
///         self.cost(x)
///     }
/// }
///
/// let report = GradientCheck::default().run(&mut Notes, &[4.0, 10.0])?;
/// assert!(report.passed());
/// # Ok::<(), surefoot::Error>(())
/// ```
///
/// Source of the two-sided difference and of EPSILON: the lecture notes. Truncation is Richardson's estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientCheck {
    /// EPSILON, above 0. The default 1e-4 balances truncation (∝ EPSILON²) and rounding (∝ 1/EPSILON) in `f64`.
    pub epsilon: f64,
    /// How many coordinates to compare, drawn evenly from each segment of θ; all of them by default.
    pub sample: Option<usize>,
    /// Decides which coordinates a sample takes. Default 0.
    pub seed: u64,
}

impl Default for GradientCheck {
    fn default() -> Self {
        GradientCheck { epsilon: 1e-4, sample: None, seed: 0 }
    }
}

/// Steps tried for a coordinate, each a tenth of the one before.
const STEPS: i32 = 4;
/// The least step as a share of |θᵢ|, which leaves 22 of 52 bits to the step.
const LEAST_STEP: f64 = 1.0 / (1u64 << 30) as f64;
/// |dⱼ| as a share of |θⱼ|: enough last bits to round differently, far too few to bend J.
const NEARBY: f64 = 1.0 / (1u64 << 44) as f64;
/// How much larger than estimated the truncation error and the rounding error may be.
const TRUNCATION_MARGIN: f64 = 2.0;
const ROUNDING_MARGIN: f64 = 8.0;
/// An error this small beside the derivative needs no smaller step.
const PRECISE: f64 = 1e-6;

impl GradientCheck {
    /// Compares at θ = `parameters`.
    ///
    /// # Errors
    /// [`Error::Setting`] when EPSILON is not above 0, or the sample is empty; [`Error::Shape`] when `parameters` has
    /// not the objective's dimension; [`Error::Cost`] when J(θ) is not finite.
    pub fn run(&self, objective: &mut impl Objective<f64>, parameters: &[f64]) -> Result<GradientReport> {
        self.check_settings(objective.dimension(), parameters.len())?;
        let mut gradient = vec![0.0; parameters.len()];
        let cost = objective.cost_and_gradient(parameters, &mut gradient);
        if !cost.is_finite() {
            return Err(Error::Cost { got: cost });
        }
        let noise = self.noise(objective, parameters, cost);

        let segments = objective.segments();
        let mut layers = vec![Comparison::default(); segments.iter().map(|s| s.layer + 1).max().unwrap_or(0)];
        let mut theta = parameters.to_vec();
        let mut start = 0;
        for (segment, chosen) in segments.iter().zip(self.choose(&segments)) {
            for offset in chosen {
                let index = start + offset;
                let compared = compare(objective, &mut theta, index, gradient[index], self.epsilon, noise);
                layers[segment.layer].add(compared.map(|c| Coordinate { place: segment.place(offset), ..c }));
            }
            start += segment.len();
        }
        let mut total = Comparison::default();
        layers.iter().for_each(|layer| total.merge(layer));
        Ok(GradientReport { cost, parameters: parameters.len(), epsilon: self.epsilon, total, layers, gradient })
    }

    /// The numerical derivatives by some coordinates of θ, each the two-sided difference with EPSILON as it is set; `None`
    /// where a kink lies within the step.  (C1)
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`Error::Setting`] for a coordinate that θ does not have.
    pub fn derivatives(
        &self,
        objective: &mut impl Objective<f64>,
        parameters: &[f64],
        coordinates: &[usize],
    ) -> Result<Vec<Option<f64>>> {
        self.check_settings(objective.dimension(), parameters.len())?;
        if let Some(index) = coordinates.iter().find(|&&index| index >= parameters.len()) {
            let expected = format!("less than {}, the dimension of the objective", parameters.len());
            return Err(Error::Setting { setting: "coordinate", expected, got: index.to_string() });
        }
        let mut theta = parameters.to_vec();
        let mut derivative = |&index: &usize| match kink_within(objective, &theta, index, self.epsilon) {
            true => None,
            false => Some(central_difference(objective, &mut theta, index, self.epsilon)), // (C1)
        };
        Ok(coordinates.iter().map(&mut derivative).collect())
    }

    fn check_settings(&self, dimension: usize, length: usize) -> Result<()> {
        let refuse =
            |setting, expected: &str, got: String| Err(Error::Setting { setting, expected: expected.into(), got });
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return refuse("epsilon", "a finite number above 0", self.epsilon.to_string());
        }
        if self.sample == Some(0) {
            return refuse("sample", "at least one coordinate", "0".into());
        }
        if length != dimension {
            let expected = format!("{dimension}, the dimension of the objective");
            return Err(Error::Shape { what: "parameters".into(), expected, got: length.to_string() });
        }
        Ok(())
    }

    /// The coordinates to compare within each segment: a sample is dealt out one by one to the segments that still
    /// have some, so that a short bias is looked at beside a large weight.
    fn choose(&self, segments: &[Segment]) -> Vec<Vec<usize>> {
        let total: usize = segments.iter().map(Segment::len).sum();
        let mut left = self.sample.unwrap_or(total).min(total);
        let mut counts = vec![0; segments.len()];
        while left > 0 {
            for (count, segment) in counts.iter_mut().zip(segments) {
                let step = (left / segments.len()).max(1).min(segment.len() - *count).min(left);
                *count += step;
                left -= step;
            }
        }
        let draw = |(i, (segment, &count)): (usize, (&Segment, &usize))| {
            Random::new(self.seed, Purpose::GradientCheck, 1 + i as u32).sample(segment.len(), count)
        };
        segments.iter().zip(&counts).enumerate().map(draw).collect()
    }

    /// How far J(θ) as computed may be from J(θ): machine epsilon of its size, or what is left of it in second
    /// differences so short that only rounding is left, which shows what is lost in the sums on the way.  (C4)
    fn noise(&self, objective: &mut impl Objective<f64>, parameters: &[f64], cost: f64) -> f64 {
        let mut random = Random::new(self.seed, Purpose::GradientCheck, 0);
        let mut second_difference = || {
            let d: Vec<f64> = parameters.iter().map(|theta| theta * [-NEARBY, NEARBY][random.below(2)]).collect();
            let mut at = |sign: f64| {
                let point: Vec<f64> = parameters.iter().zip(&d).map(|(theta, d)| theta + sign * d).collect();
                objective.cost(&point)
            };
            0.5 * (at(1.0) - 2.0 * cost + at(-1.0)).abs()
        };
        (0..8).map(|_| second_difference()).fold(f64::EPSILON * cost.abs(), f64::max) // (C4)
    }
}

/// The derivative by one coordinate, by the step with the least error; `None` when each step has a kink within.
fn compare(
    objective: &mut impl Objective<f64>,
    theta: &mut [f64],
    index: usize,
    analytic: f64,
    epsilon: f64,
    noise: f64,
) -> Option<Coordinate> {
    let mut best: Option<Coordinate> = None;
    for k in 0..STEPS {
        // at least some bits of a large θᵢ, so that the step is there at all
        let step = (epsilon * 0.1f64.powi(k)).max(theta[index].abs() * LEAST_STEP);
        if kink_within(objective, theta, index, step) {
            continue;
        }
        let numeric = central_difference(objective, theta, index, step);
        let halved = central_difference(objective, theta, index, 0.5 * step);
        let truncation = 4.0 / 3.0 * (numeric - halved).abs(); // (C3)
        let rounding = noise / step; // (C4)
        let error = TRUNCATION_MARGIN * truncation + ROUNDING_MARGIN * rounding;
        if best.as_ref().is_none_or(|best| error < best.error) {
            best = Some(Coordinate { index, place: String::new(), numeric, analytic, error });
        }
        let precise = error <= PRECISE * numeric.abs() || truncation <= rounding;
        if precise && best.as_ref().is_some_and(|best| !best.is_wrong()) {
            break;
        }
    }
    best
}

fn kink_within(objective: &mut impl Objective<f64>, theta: &[f64], index: usize, step: f64) -> bool {
    let moved = |by: f64| {
        let mut point = theta.to_vec();
        point[index] += by;
        point
    };
    objective.has_kink_between(&moved(-step), &moved(step))
}

/// nᵢ, with the step that θᵢ really makes, which rounding may change.  (C1)
fn central_difference(objective: &mut impl Objective<f64>, theta: &mut [f64], index: usize, step: f64) -> f64 {
    let centre = theta[index];
    let (plus, minus) = (centre + step, centre - step);
    theta[index] = plus;
    let cost_plus = objective.cost(theta);
    theta[index] = minus;
    let cost_minus = objective.cost(theta);
    theta[index] = centre;
    (cost_plus - cost_minus) / (plus - minus) // (C1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An objective from a function and its claimed gradient, with a kink at 0 of its first coordinate if so said.
    struct Function<F, G> {
        cost: F,
        gradient: G,
        dimension: usize,
        kink: bool,
    }

    impl<F: Fn(&[f64]) -> f64, G: Fn(&[f64]) -> Vec<f64>> Objective<f64> for Function<F, G> {
        fn dimension(&self) -> usize {
            self.dimension
        }
        fn cost(&mut self, x: &[f64]) -> f64 {
            (self.cost)(x)
        }
        fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.copy_from_slice(&(self.gradient)(x));
            (self.cost)(x)
        }
        fn has_kink_between(&mut self, one: &[f64], other: &[f64]) -> bool {
            self.kink && (one[0] > 0.0) != (other[0] > 0.0)
        }
    }

    fn check(
        x: &[f64],
        kink: bool,
        cost: impl Fn(&[f64]) -> f64,
        gradient: impl Fn(&[f64]) -> Vec<f64>,
    ) -> GradientReport {
        let mut objective = Function { cost, gradient, dimension: x.len(), kink };
        GradientCheck::default().run(&mut objective, x).unwrap()
    }

    #[test]
    fn the_example_of_the_exercise_gives_38_and_12() {
        let h = |x: &[f64]| x[0] * x[0] + 3.0 * x[0] * x[1];
        let report = check(&[4.0, 10.0], false, h, |x| vec![2.0 * x[0] + 3.0 * x[1], 3.0 * x[0]]);
        assert_eq!(report.gradient, [38.0, 12.0]);
        assert!(report.passed() && report.total.difference < 1e-10, "{report:?}");
        assert_eq!((report.total.checked, report.cost), (2, 136.0));
    }

    #[test]
    fn a_wrong_coordinate_is_named() {
        let report = check(&[4.0, 10.0], false, |x| x[0] * x[0] + 3.0 * x[0] * x[1], |_| vec![38.0, 12.001]);
        assert!(!report.passed());
        let worst = report.total.worst.unwrap();
        assert_eq!((worst.place.as_str(), report.total.wrong), ("x[1]", 1));
    }

    #[test]
    fn a_gradient_of_zero_everywhere_is_no_pass() {
        let report = check(&[1.0], false, |_| 7.0, |_| vec![0.0]);
        assert!(!report.passed());
        assert_eq!((report.total.wrong, report.total.significant, report.total.difference), (0, 0, 0.0));
    }

    #[test]
    fn a_kink_is_counted_apart_and_avoided_where_a_smaller_step_can() {
        let absolute = |x: &[f64]| x[0].abs() + x[1];
        let gradient = |x: &[f64]| vec![x[0].signum(), 1.0];
        let on_it = check(&[0.0, 1.0], true, absolute, gradient);
        assert_eq!((on_it.total.kinks, on_it.total.checked, on_it.passed()), (1, 1, true));
        let beside_it = check(&[3e-6, 1.0], true, absolute, gradient);
        assert_eq!((beside_it.total.kinks, beside_it.total.checked, beside_it.passed()), (0, 2, true));
    }

    #[test]
    fn large_values_raise_no_false_alarm_and_hide_no_fault() {
        // A jump far narrower than EPSILON on a cost of 10¹⁰: the numerical derivative is off, and knows it.
        let cost = |x: &[f64]| 1e10 * (1.0 + (1e5 * x[0]).tanh());
        let slope = |x: &[f64]| 1e15 * (1.0 - (1e5 * x[0]).tanh().powi(2));
        for x in [3e-6, 1e-5, 1e-3] {
            let right = check(&[x], false, cost, |x| vec![slope(x)]);
            assert_eq!(right.total.wrong, 0, "{x}: {:?}", right.total.worst);
        }
        let fault = check(&[3e-6], false, cost, |x| vec![1.1 * slope(x)]);
        assert_eq!(fault.total.wrong, 1, "{:?}", fault.total.worst);
    }

    #[test]
    fn a_gradient_that_is_not_a_number_is_wrong() {
        let report = check(&[1.0], false, |x| x[0], |_| vec![f64::NAN]);
        assert_eq!((report.total.wrong, report.total.difference), (1, f64::INFINITY));
    }

    #[test]
    fn very_large_parameters_and_gradients_raise_no_false_alarm() {
        for size in [1e13, 1e30] {
            let report = check(&[size, 1.0], false, |x| x[0] * 3.0 + x[1], |_| vec![3.0, 1.0]);
            assert_eq!(report.total.wrong, 0, "{size}: {:?}", report.total.worst);
        }
        let report = check(&[1.0, 2.0], false, |x| 1e200 * (x[0] + x[1]), |_| vec![1e200; 2]);
        assert!(report.passed() && report.total.difference < 1e-9, "{report:?}");
    }

    #[test]
    fn a_cost_that_is_not_finite_has_no_derivative() {
        let mut objective =
            Function { cost: |_: &[f64]| f64::INFINITY, gradient: |_: &[f64]| vec![0.0], dimension: 1, kink: false };
        let error = GradientCheck::default().run(&mut objective, &[1.0]).unwrap_err();
        assert!(matches!(error, Error::Cost { .. }), "{error}");
    }

    #[test]
    fn a_sample_takes_from_every_segment() {
        let segment = |name: &str, rows| Segment { layer: 0, name: name.into(), rows, columns: None };
        let segments = [segment("a", 1000), segment("b", 2), segment("c", 30)];
        for (sample, expected) in [(30, [18, 2, 10]), (2, [1, 1, 0]), (5000, [1000, 2, 30])] {
            let check = GradientCheck { sample: Some(sample), ..GradientCheck::default() };
            let counts: Vec<usize> = check.choose(&segments).iter().map(Vec::len).collect();
            assert_eq!(counts.iter().sum::<usize>(), sample.min(1032));
            if sample != 30 {
                assert_eq!(counts, expected);
            }
            assert!(counts[1] >= 1 && counts[0] >= counts[2]);
        }
    }

    #[test]
    fn impossible_settings_are_refused() {
        let mut objective =
            Function { cost: |_: &[f64]| 0.0, gradient: |_: &[f64]| vec![0.0], dimension: 1, kink: false };
        let mut run = |epsilon, sample, x: &[f64]| GradientCheck { epsilon, sample, seed: 0 }.run(&mut objective, x);
        assert!(run(0.0, None, &[1.0]).is_err());
        assert!(run(f64::NAN, None, &[1.0]).is_err());
        assert!(run(1e-4, Some(0), &[1.0]).is_err());
        assert!(run(1e-4, None, &[1.0, 2.0]).is_err());
    }
}
