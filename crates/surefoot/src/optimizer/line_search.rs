//! The search along a line for a step that lowers the cost enough and comes near enough to its lowest point.

/// How much of the fall that the slope promises a step must bring: c₁ of (O5). Nocedal and Wright's value.
pub(crate) const SUFFICIENT: f64 = 1e-4;
/// To what share of itself the slope must go back: c₂ of (O6). Nocedal and Wright's value for quasi-Newton steps.
pub(crate) const CURVATURE: f64 = 0.9;
/// Evaluations in one search at most: the bracket at least halves or quadruples in two, so these span 10⁻⁴ to 10⁸.
const EVALUATIONS: usize = 25;

/// The cost along a line, φ(t) = J(θ + t·d), at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// t
    pub step: f64,
    /// φ(t)
    pub cost: f64,
    /// φ′(t) = ∇J(θ + t·d)·d
    pub slope: f64,
}

/// A point that satisfies the strong Wolfe conditions, or `None` when a number of evaluations found none.  (O5) (O6)
///
/// ```text
///   φ(t) ≤ φ(0) + c₁ t φ′(0)       |φ′(t)| ≤ c₂ |φ′(0)|
/// ```
///
/// `start` is φ at 0, where it falls; `first` the first step to be tried. Steps grow until a minimum lies between two
/// points, and then shrink the bracket between them, both by the minimum of the cubic through costs and slopes. A cost
/// that is not finite counts as too high. The point that is returned is the one that was evaluated last.
///
/// Source: Nocedal and Wright, *Numerical Optimization*, 2nd edition 2006, Algorithms 3.5 and 3.6 in one loop.
pub(super) fn strong_wolfe(start: Point, first: f64, mut at: impl FnMut(f64) -> Point) -> Option<Point> {
    // `low` has the lowest cost that fell enough; the minimum lies between it and `high`, or beyond it without one
    let (mut low, mut high, mut step) = (start, None::<Point>, first);
    for _ in 0..EVALUATIONS {
        let point = at(step);
        let falls_enough = point.cost <= start.cost + SUFFICIENT * point.step * start.slope; // (O5)
        if !falls_enough || point.cost >= low.cost {
            high = Some(point);
        } else if point.slope.abs() <= CURVATURE * start.slope.abs() {
            return Some(point); // (O6)
        } else {
            let to_high = high.map_or(1.0, |high| high.step - low.step);
            let before = std::mem::replace(&mut low, point);
            if point.slope * to_high >= 0.0 {
                high = Some(before);
            } else if high.is_none() {
                step = beyond(before, low);
                continue;
            }
        }
        step = high.map_or(step, |high| between(low, high));
    }
    None
}

/// Where to go on when the cost still falls at `last`: between 2.1 and 5 times as far as it is from `before`.
fn beyond(before: Point, last: Point) -> f64 {
    let length = last.step - before.step;
    let (least, most) = (last.step + 1.1 * length, last.step + 4.0 * length);
    match cubic_minimum(before, last) {
        Some(step) if step > last.step => step.clamp(least, most),
        _ => most,
    }
}

/// Where to look between two points: at the minimum of the cubic, but not too near to either.
fn between(low: Point, high: Point) -> f64 {
    let length = high.step - low.step;
    let share = match cubic_minimum(low, high) {
        Some(step) => ((step - low.step) / length).clamp(0.1, 0.9),
        None => 0.5,
    };
    low.step + share * length
}

/// The minimum of the cubic with the costs and slopes of two points, if it has one.
///
/// Source: Nocedal and Wright, equation (3.59).
fn cubic_minimum(a: Point, b: Point) -> Option<f64> {
    let length = b.step - a.step;
    let d1 = a.slope + b.slope - 3.0 * (a.cost - b.cost) / (a.step - b.step);
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt() * length.signum();
    let step = b.step - length * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    step.is_finite().then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches φ from 0 with a first step; what was found, and after how many evaluations.
    fn search(phi: impl Fn(f64) -> (f64, f64), first: f64) -> (Option<Point>, usize) {
        let mut evaluations = 0;
        let point = |step| {
            let (cost, slope) = phi(step);
            Point { step, cost, slope }
        };
        let found = strong_wolfe(point(0.0), first, |step| {
            evaluations += 1;
            point(step)
        });
        if let Some(found) = found {
            let (cost, slope) = phi(0.0);
            assert!(found.cost <= cost + SUFFICIENT * found.step * slope && found.cost < cost);
            assert!(found.slope.abs() <= CURVATURE * slope.abs());
        }
        (found, evaluations)
    }

    #[test]
    fn both_conditions_hold_from_a_first_step_far_too_short_to_one_far_too_long() {
        // Functions on which line searches are compared: Moré and Thuente 1994, (5.1), (5.2), and a parabola.
        let functions: [&dyn Fn(f64) -> (f64, f64); 3] = [
            &|t| (-t / (t * t + 2.0), (t * t - 2.0) / (t * t + 2.0).powi(2)),
            &|t: f64| {
                let s = t + 0.004;
                (s.powi(5) - 2.0 * s.powi(4), 5.0 * s.powi(4) - 8.0 * s.powi(3))
            },
            &|t| ((t - 3.0).powi(2), 2.0 * (t - 3.0)),
        ];
        for (i, phi) in functions.into_iter().enumerate() {
            for first in [1e-3, 1e-1, 1e1, 1e3] {
                let (found, evaluations) = search(phi, first);
                assert!(found.is_some() && evaluations <= 20, "function {i} from {first}: {found:?} in {evaluations}");
            }
        }
    }

    #[test]
    fn a_cost_that_is_not_finite_is_too_high() {
        for nothing in [f64::INFINITY, f64::NAN] {
            let (found, _) = search(|t| if t > 0.01 { (nothing, nothing) } else { (1.0 - t, -1.0 + 95.0 * t) }, 1.0);
            assert!(found.is_some_and(|point| point.step <= 0.01), "{found:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_and_one_without_a_fall_have_no_such_point() {
        assert_eq!(search(|t| (-t, -1.0), 1.0).0, None);
        assert_eq!(search(|t| (if t > 0.0 { 1.0 } else { 0.0 }, -1.0), 1.0).0, None);
    }
}
