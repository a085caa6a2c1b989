//! L-BFGS.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::line_search::{Point, strong_wolfe};
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::numeric::sums::dot;
use crate::numeric::vector::{add_scaled, largest, scale};
use crate::objective::Objective;

/// L-BFGS: each iteration steps along −H·∇J(θ), where H stands for the inverse of the matrix of second derivatives and
/// follows from how the gradient changed in the last steps.  (O7)
///
/// ```text
///   sₖ = θₖ₊₁ − θₖ,   yₖ = ∇J(θₖ₊₁) − ∇J(θₖ)
///   q := ∇J;   newest to oldest:  aᵢ := sᵢ·q / yᵢ·sᵢ,   q := q − aᵢ yᵢ
///   q := (s·y / y·y) q of the newest;   oldest to newest:  q := q + (aᵢ − yᵢ·q / yᵢ·sᵢ) sᵢ
///   θ := θ − t q,   t by a search along the line for the strong Wolfe conditions (O5) (O6)
/// ```
///
/// It takes all examples in every iteration, and has no learning rate. Every step lowers the cost. A pair (s, y) whose
/// y·s is not above 0, as only rounding can bring about, is left out. Where no step is found along a line, the pairs are
/// forgotten and −∇J is tried. On any [`Objective`], [`minimize`](Self::minimize) does all iterations; within a
/// [`Training`](crate::Training), an epoch is one.
///
/// Source: Nocedal and Wright, *Numerical Optimization*, 2nd edition 2006, Algorithms 7.4 and 7.5.
///
/// ```
/// use surefoot::optimizer::LbfgsState;
/// use surefoot::{Lbfgs, Objective};
///
/// /// J(x) = (x₁ − 3)² + (x₂ + 1)²
/// struct Bowl;
/// impl Objective<f64> for Bowl {
///     fn dimension(&self) -> usize {
///         2
///     }
///     fn cost(&mut self, x: &[f64]) -> f64 {
///         (x[0] - 3.0).powi(2) + (x[1] + 1.0).powi(2)
///     }
///     fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
///         gradient.copy_from_slice(&[2.0 * (x[0] - 3.0), 2.0 * (x[1] + 1.0)]);
///         self.cost(x)
///     }
/// }
/// let mut x = [0.0, 0.0];
/// Lbfgs::default().minimize(&mut LbfgsState::default(), &mut Bowl, &mut x, 100);
/// assert!((x[0] - 3.0).abs() < 1e-5 && (x[1] + 1.0).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// Pairs (s, y) that are kept, at least 1. Default 10: more take memory and time in proportion, and seldom help.
    pub history: usize,
    /// It stops where no part of the gradient is larger: max |∇J|, at least 0. Default 10⁻⁵, as in minFunc and SciPy.
    pub gradient_tolerance: f64,
    /// It stops where a step lowered the cost by a smaller share of max(|J|, 1), at least 0. Default 10⁻⁹, as in minFunc.
    pub cost_tolerance: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs { history: 10, gradient_tolerance: 1e-5, cost_tolerance: 1e-9 }
    }
}

/// What L-BFGS remembers from iteration to iteration. With θ it is all that the next one depends on: a copy goes on with
/// the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct LbfgsState<T> {
    /// Iterations done, each of them a step that lowered the cost.
    pub iterations: u64,
    /// Evaluations of J and ∇J.
    pub evaluations: u64,
    /// J(θ); infinite before the first evaluation.
    pub cost: f64,
    /// By how much the last step lowered the cost, as a share of max(|J|, 1); infinite before the first.
    pub relative_decrease: f64,
    /// t of the last step.
    pub step_length: f64,
    /// ∇J(θ), empty before the first evaluation.
    pub gradient: Vec<T>,
    /// The last steps, the newest at the end.
    pub pairs: VecDeque<CurvaturePair<T>>,
}

/// Before the first iteration.
impl<T> Default for LbfgsState<T> {
    fn default() -> Self {
        LbfgsState {
            iterations: 0,
            evaluations: 0,
            cost: f64::INFINITY,
            relative_decrease: f64::INFINITY,
            step_length: 0.0,
            gradient: Vec::new(),
            pairs: VecDeque::new(),
        }
    }
}

/// A step and what it did to the gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvaturePair<T> {
    /// The step of θ.
    pub s: Vec<T>,
    /// The change of ∇J.
    pub y: Vec<T>,
}

/// Why L-BFGS goes no further. Each is a result, none an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LbfgsStop {
    /// The gradient, or the last fall of the cost, is within its tolerance.
    Converged,
    /// No step along the line lowered the cost as the conditions ask, not even against the gradient: often the lowest
    /// cost to rounding.
    LineSearch,
    /// The cost or the gradient at θ is not finite.
    NotFinite,
}

impl Lbfgs {
    /// That all settings are in their ranges.
    pub(super) fn check(&self) -> Result<()> {
        let refuse =
            |setting, expected: &str, got: String| Err(Error::Setting { setting, expected: expected.into(), got });
        if self.history == 0 {
            return refuse("history", "at least 1", "0".into());
        }
        for (setting, tolerance) in
            [("gradient tolerance", self.gradient_tolerance), ("cost tolerance", self.cost_tolerance)]
        {
            if !(tolerance >= 0.0 && tolerance.is_finite()) {
                return refuse(setting, "a finite number, at least 0", tolerance.to_string());
            }
        }
        Ok(())
    }

    /// Moves θ = `parameters` by one iteration; all of it stays as it was when it stops.
    ///
    /// # Errors
    /// The reason to stop, in the place of an error.
    pub fn iterate<T: Scalar>(
        &self,
        state: &mut LbfgsState<T>,
        objective: &mut dyn Objective<T>,
        parameters: &mut [T],
    ) -> std::result::Result<(), LbfgsStop> {
        if state.gradient.is_empty() {
            state.gradient = vec![T::zero(); parameters.len()];
            state.cost = objective.cost_and_gradient(parameters, &mut state.gradient);
            state.evaluations += 1;
        }
        if !state.cost.is_finite() || state.gradient.iter().any(|g| !g.is_finite()) {
            return Err(LbfgsStop::NotFinite);
        }
        if largest(&state.gradient) <= self.gradient_tolerance || state.relative_decrease <= self.cost_tolerance {
            return Err(LbfgsStop::Converged);
        }
        while !self.step(state, objective, parameters) {
            if state.pairs.is_empty() {
                return Err(LbfgsStop::LineSearch);
            }
            state.pairs.clear();
        }
        state.iterations += 1;
        Ok(())
    }

    /// Iterates until it stops, or so many iterations are done: then there is no reason.
    pub fn minimize<T: Scalar>(
        &self,
        state: &mut LbfgsState<T>,
        objective: &mut dyn Objective<T>,
        parameters: &mut [T],
        iterations: u64,
    ) -> Option<LbfgsStop> {
        (0..iterations).find_map(|_| self.iterate(state, objective, parameters).err())
    }

    /// One step along −H·∇J, if the search finds one.
    fn step<T: Scalar>(
        &self,
        state: &mut LbfgsState<T>,
        objective: &mut dyn Objective<T>,
        parameters: &mut [T],
    ) -> bool {
        let direction = direction(&state.gradient, &state.pairs);
        let start = Point { step: 0.0, cost: state.cost, slope: dot(&state.gradient, &direction) };
        if start.slope >= 0.0 {
            return false; // only by rounding
        }
        // Without pairs the length of the direction says nothing, so the first step has length 1.
        let first = if state.pairs.is_empty() { 1.0 / (-start.slope).sqrt() } else { 1.0 };
        let (mut moved, mut gradient) = (parameters.to_vec(), vec![T::zero(); parameters.len()]);
        let found = strong_wolfe(start, first, |step| {
            moved.copy_from_slice(parameters);
            add_scaled(&mut moved, &direction, step);
            state.evaluations += 1;
            let cost = objective.cost_and_gradient(&moved, &mut gradient);
            Point { step, cost, slope: dot(&gradient, &direction) }
        });
        let Some(found) = found else { return false };
        let difference = |new: &[T], old: &[T]| new.iter().zip(old).map(|(&new, &old)| new - old).collect::<Vec<T>>();
        let pair = CurvaturePair { s: difference(&moved, parameters), y: difference(&gradient, &state.gradient) };
        if dot(&pair.s, &pair.y) > f64::EPSILON * -start.slope * found.step {
            state.pairs.push_back(pair);
            let superfluous = state.pairs.len().saturating_sub(self.history);
            state.pairs.drain(..superfluous);
        }
        state.relative_decrease = (start.cost - found.cost) / start.cost.abs().max(found.cost.abs()).max(1.0);
        (state.cost, state.step_length, state.gradient) = (found.cost, found.step, gradient);
        parameters.copy_from_slice(&moved);
        true
    }
}

/// −H·∇J, by the two loops over the pairs.
fn direction<T: Scalar>(gradient: &[T], pairs: &VecDeque<CurvaturePair<T>>) -> Vec<T> {
    let mut q = gradient.to_vec();
    let mut shares = Vec::with_capacity(pairs.len());
    for CurvaturePair { s, y } in pairs.iter().rev() {
        let curvature = dot(s, y);
        let share = dot(s, &q) / curvature;
        add_scaled(&mut q, y, -share); // (O7)
        shares.push((share, curvature));
    }
    if let (Some(newest), Some((_, curvature))) = (pairs.back(), shares.first()) {
        scale(&mut q, curvature / dot(&newest.y, &newest.y)); // (O7)
    }
    for (CurvaturePair { s, y }, (share, curvature)) in pairs.iter().zip(shares.into_iter().rev()) {
        let back = dot(y, &q) / curvature;
        add_scaled(&mut q, s, share - back); // (O7)
    }
    scale(&mut q, -1.0);
    q
}
