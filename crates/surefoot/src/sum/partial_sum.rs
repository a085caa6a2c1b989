//! What a sum over examples has.

use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;

/// Sums over some examples: plain data, which can be added, sent and compared. What was not asked for is 0 or empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartialSum<T> {
    /// Σ wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾)
    pub cost: f64,
    /// Σ wᵢ
    pub weight: f64,
    /// Σ wᵢ times the activity of each hidden unit.
    pub activities: Vec<f64>,
    /// What a [score](crate::Task::score) is made of; not weighted.
    pub scores: Vec<f64>,
    /// Σ wᵢ ∇J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾), in the order of θ.
    pub gradient: Vec<T>,
}

impl<T: Scalar> PartialSum<T> {
    /// Adds the sums over the examples that follow.
    pub fn add(&mut self, right: &PartialSum<T>) {
        self.cost += right.cost;
        self.weight += right.weight;
        for (sums, right) in [(&mut self.activities, &right.activities), (&mut self.scores, &right.scores)] {
            sums.iter_mut().zip(right).for_each(|(sum, right)| *sum += right);
        }
        vectorized(
            #[inline(always)]
            || self.gradient.iter_mut().zip(&right.gradient).for_each(|(sum, &right)| *sum += right),
        );
    }
}

/// The sums over no examples.
impl<T> Default for PartialSum<T> {
    fn default() -> Self {
        PartialSum { cost: 0.0, weight: 0.0, activities: Vec::new(), scores: Vec::new(), gradient: Vec::new() }
    }
}
