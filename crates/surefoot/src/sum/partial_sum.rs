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

/// How long the parts of a [`PartialSum`] are, in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lengths {
    pub activities: usize,
    pub scores: usize,
    pub gradient: usize,
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

/// As bytes: cost, weight, activities, scores and gradient, one after the other, each number from its lowest byte on. Of each there are
/// as many as the lengths say: what was not asked for may be there of an earlier sum, and is left out.
impl<T: Scalar> PartialSum<T> {
    /// How many bytes they are.
    pub fn bytes(lengths: Lengths) -> usize {
        (2 + lengths.activities + lengths.scores) * 8 + lengths.gradient * size_of::<T>()
    }

    pub fn write(&self, lengths: Lengths, bytes: &mut Vec<u8>) {
        let numbers =
            [&[self.cost, self.weight], &self.activities[..lengths.activities], &self.scores[..lengths.scores]];
        bytes.extend(numbers.into_iter().flatten().flat_map(|number| number.to_le_bytes()));
        T::write_bytes(&self.gradient[..lengths.gradient], bytes);
    }

    /// The sums at the start of these bytes, which go on behind them.
    pub fn read(bytes: &mut &[u8], lengths: Lengths) -> Option<Self> {
        let mut numbers = |count: usize| {
            let numbers = bytes.split_off(..count.checked_mul(8)?)?.as_chunks().0;
            Some(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>())
        };
        let (of_all, activities, scores) = (numbers(2)?, numbers(lengths.activities)?, numbers(lengths.scores)?);
        let gradient = T::from_bytes(bytes.split_off(..lengths.gradient.checked_mul(size_of::<T>())?)?);
        Some(PartialSum { cost: of_all[0], weight: of_all[1], activities, scores, gradient })
    }
}

/// The sums over no examples.
impl<T> Default for PartialSum<T> {
    fn default() -> Self {
        PartialSum { cost: 0.0, weight: 0.0, activities: Vec::new(), scores: Vec::new(), gradient: Vec::new() }
    }
}
