//! Operations on vectors as long as θ, element by element.

use super::scalar::Scalar;
use super::simd::vectorized;

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
    fn vectors_are_scaled_and_added() {
        let mut to = [1.0, -2.0, 3.0];
        add_scaled(&mut to, &[1.0, 1.0, -1.0], 2.0);
        assert_eq!(to, [3.0, 0.0, 1.0]);
        scale(&mut to, -2.0);
        assert_eq!((to, largest(&to), largest::<f32>(&[])), ([-6.0, -0.0, -2.0], 6.0, 0.0));
    }
}
