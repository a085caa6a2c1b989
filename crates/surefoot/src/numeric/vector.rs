//! Sums over vectors as long as θ, in a stated order.

use std::ops::Add;

use super::panels::LANES;
use super::scalar::Scalar;
use super::simd::vectorized;

/// The sum of 16 numbers, in a binary tree: the i-th to the i+8th, those 8 in the same way, and so on.
#[inline(always)]
pub fn tree<T: Add<Output = T> + Copy>([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [T; LANES]) -> T {
    (((a + i) + (e + m)) + ((c + k) + (g + o))) + (((b + j) + (f + n)) + ((d + l) + (h + p)))
}

/// Σ aᵢbᵢ in `f64`: 16 partial sums, the i-th of every 16th product from the i-th on, which are then added in a
/// [`tree`].
///
/// # Panics
/// When the lengths differ.
pub fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut lanes = [0f64; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
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
    tree(lanes)
}

/// `to := from·by + to`, each element rounded once.
pub fn add_scaled<T: Scalar>(to: &mut [T], from: &[T], by: f64) {
    let by = T::from_f64(by);
    vectorized(
        #[inline(always)]
        || to.iter_mut().zip(from).for_each(|(to, &from)| *to = from.mul_add(by, *to)),
    );
}

/// `to := to·by`
pub fn scale<T: Scalar>(to: &mut [T], by: f64) {
    let by = T::from_f64(by);
    vectorized(
        #[inline(always)]
        || to.iter_mut().for_each(|to| *to = *to * by),
    );
}

/// max |aᵢ|, 0 of nothing; NaN does not count.
pub fn largest<T: Scalar>(a: &[T]) -> f64 {
    a.iter().fold(0.0, |largest: f64, a| largest.max(a.abs().to_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_product_is_its_lanes_in_a_tree() {
        for length in [0, 1, 15, 16, 17, 100] {
            let a: Vec<f32> = (0..length).map(|i| 0.1 * (i % 7) as f32 - 0.2).collect();
            let b: Vec<f32> = (0..length).map(|i| 0.3 - 0.01 * i as f32).collect();
            let lane =
                |i: usize| (i..length).step_by(16).fold(0.0, |sum, at| f64::from(a[at]).mul_add(f64::from(b[at]), sum));
            let mut lanes: Vec<f64> = (0..16).map(lane).collect();
            while lanes.len() > 1 {
                let half = lanes.len() / 2;
                lanes = (0..half).map(|i| lanes[i] + lanes[i + half]).collect();
            }
            assert_eq!(dot(&a, &b).to_bits(), lanes[0].to_bits(), "{length}");
        }
    }

    #[test]
    fn vectors_are_scaled_and_added() {
        let mut to = [1.0, -2.0, 3.0];
        add_scaled(&mut to, &[1.0, 1.0, -1.0], 2.0);
        assert_eq!(to, [3.0, 0.0, 1.0]);
        scale(&mut to, -2.0);
        assert_eq!((to, largest(&to), largest::<f32>(&[])), ([-6.0, -0.0, -2.0], 6.0, 0.0));
    }
}
