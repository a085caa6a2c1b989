//! Sums in a stated order: 16 partial sums side by side, of long vectors in blocks of 4,096 terms with a binary tree over the blocks.
//!
//! A sum that is added up term by term starts from +0.0, unlike `Iterator::sum`, which starts from −0.0: the difference shows
//! where all terms are −0.0. Partial sums that are added to each other have no start.

use std::ops::Add;

use super::panels::LANES;
use super::scalar::Scalar;
use super::simd::vectorized;

/// Terms of a block.
const BLOCK: usize = 4096;

/// The sum of 16 numbers, in a binary tree: the i-th to the i+8th, those 8 in the same way, and so on.
#[inline(always)]
pub fn pairwise_sum<T: Add<Output = T> + Copy>([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [T; LANES]) -> T {
    (((a + i) + (e + m)) + ((c + k) + (g + o))) + (((b + j) + (f + n)) + ((d + l) + (h + p)))
}

/// The sum of the terms 0 to `count`: 16 partial sums from +0.0, the i-th of every 16th term from the i-th on, added by
/// [`pairwise_sum`].
#[inline(always)]
pub fn sum_in_lanes(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0f64; LANES];
    for i in 0..count {
        lanes[i % LANES] += term(i);
    }
    pairwise_sum(lanes)
}

/// Σ aᵢbᵢ in `f64`: blocks of 4,096 products, each in lanes as in [`sum_in_lanes`], where a product is added with one rounding; the
/// blocks in a binary tree of neighbours; +0.0 of no products.
///
/// # Panics
/// When the lengths differ.
pub fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    sum_of_blocks(a.len(), |first, count| {
        let ((a, a_rest), (b, b_rest)) =
            (a[first..][..count].as_chunks::<LANES>(), b[first..][..count].as_chunks::<LANES>());
        let mut lanes = [0f64; LANES];
        vectorized(
            #[inline(always)]
            || {
                for (a, b) in a.iter().zip(b) {
                    for i in 0..LANES {
                        lanes[i] = a[i].to_f64().mul_add(b[i].to_f64(), lanes[i]);
                    }
                }
                for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
                    *lane = a.to_f64().mul_add(b.to_f64(), *lane);
                }
            },
        );
        pairwise_sum(lanes)
    })
}

/// The sums of the blocks, each from its first term and the number of its terms, added in a binary tree of neighbours; +0.0 of
/// no terms.
fn sum_of_blocks(count: usize, block: impl Fn(usize, usize) -> f64) -> f64 {
    // as a counter carries: the i-th holds the sum of 2ⁱ blocks where the number of blocks so far has that bit
    let mut carries = [0f64; usize::BITS as usize];
    let blocks = count.div_ceil(BLOCK);
    for b in 0..blocks {
        let first = b * BLOCK;
        let mut sum = block(first, BLOCK.min(count - first));
        let level = b.trailing_ones() as usize;
        for &left in &carries[..level] {
            sum += left;
        }
        carries[level] = sum;
    }
    let whole = (0..carries.len()).filter(|&level| blocks >> level & 1 == 1).map(|level| carries[level]);
    whole.reduce(|right, left| left + right).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::{Purpose, Random};

    /// The order as the documentation has it, by other means.
    fn expected(terms: usize, add: &dyn Fn(f64, usize) -> f64) -> f64 {
        let block = |first: usize| {
            let end = terms.min(first + 4096);
            let lane = |i: usize| (first + i..end).step_by(16).fold(0.0, add);
            let mut lanes: Vec<f64> = (0..16).map(lane).collect();
            while lanes.len() > 1 {
                let half = lanes.len() / 2;
                lanes = (0..half).map(|i| lanes[i] + lanes[i + half]).collect();
            }
            lanes[0]
        };
        let mut sums: Vec<f64> = (0..terms).step_by(4096).map(block).collect();
        while sums.len() > 1 {
            sums =
                sums.chunks(2).map(|pair| pair.iter().copied().reduce(|left, right| left + right).unwrap()).collect();
        }
        sums.first().copied().unwrap_or(0.0)
    }

    #[test]
    fn sums_are_lanes_within_blocks_within_a_tree() {
        let mut random = Random::new(1, Purpose::Examples, 0);
        for length in [0, 1, 15, 16, 17, 100, 4095, 4096, 4097, 8192, 12_289, 20_481, 7 * 4096, 50_000] {
            let a: Vec<f32> = (0..length).map(|_| random.normal() as f32).collect();
            let b: Vec<f32> = (0..length).map(|_| random.normal() as f32).collect();
            let product = |sum: f64, i: usize| f64::from(a[i]).mul_add(f64::from(b[i]), sum);
            assert_eq!(dot(&a, &b).to_bits(), expected(length, &product).to_bits(), "{length}");
            if length <= 4096 {
                let term = |i: usize| f64::from(a[i]);
                let expected = expected(length, &|sum, i| sum + term(i));
                assert_eq!(sum_in_lanes(length, term).to_bits(), expected.to_bits(), "{length}");
            }
        }
    }

    #[test]
    fn sums_start_from_positive_zero() {
        assert_eq!(sum_in_lanes(3, |_| -0.0).to_bits(), 0f64.to_bits());
        assert_eq!(sum_in_lanes(0, |_| 1.0).to_bits(), 0f64.to_bits());
        assert_eq!(dot(&[-0.0f32], &[1.0]).to_bits(), 0f64.to_bits());
    }
}
