//! eˣ and tanh x in single precision, as polynomials without a branch, which the compiler turns into vectors. Their bits
//! follow from the additions, multiplications and fused multiply-adds written here, so they are the same on every CPU.
//!
//! The polynomials are those of the Cephes library (S. L. Moshier, `expf.c` and `tanhf.c`).

/// 1.5 · 2²³: added to a number below 2²², it leaves the nearest integer in the last bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first with so few bits that n · LN2_HIGH is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// eˣ, within 1.5 units in the last place; 0 below −104, infinite above 88.73, NaN for NaN.
///
/// ```text
///   x = n·ln 2 + r, |r| ≤ ½ ln 2        eˣ = 2ⁿ·(1 + r + r²·P(r))
/// ```
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let low = if x < -104.0 { -104.0 } else { x };
    let x = if low > 89.0 { 89.0 } else { low };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = 1.987_569_1e-4f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    let e = p.mul_add(r * r, r) + 1.0;
    // 2ⁿ in two factors, so that the result may be subnormal or infinite
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    e * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// tanh x, within 2 units in the last place; ±1 far out, NaN for NaN.
///
/// ```text
///   |x| < 0.625:  x + x³·Q(x²)           else:  ±(1 − 2 / (e²ˣ + 1))
/// ```
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let squared = x * x;
    let q = -5.704_988_7e-3f32;
    let q = q.mul_add(squared, 2.063_909e-2);
    let q = q.mul_add(squared, -5.373_971_6e-2);
    let q = q.mul_add(squared, 1.333_144_2e-1);
    let q = q.mul_add(squared, -3.333_328e-1);
    let near = (q * squared).mul_add(x, x).copysign(x);
    let size = x.abs();
    let far = (1.0 - 2.0 / (exp(size + size) + 1.0)).copysign(x);
    if size < 0.625 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::simd::{InstructionSet, vectorized};

    /// The largest error in units in the last place over many numbers.
    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let count = 200_000;
        let error = |i| {
            let x = from + (to - from) * i as f32 / count as f32;
            let (got, exact) = (f64::from(f(x)), exact(f64::from(x)));
            let unit = f64::from(f32::EPSILON) * 2f64.powi(exact.abs().log2().floor() as i32);
            (got - exact).abs() / unit
        };
        (0..=count).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_a_unit_or_two_in_the_last_place() {
        let exp_error = worst(exp, libm::exp, -87.3, 88.7);
        let tanh_error = worst(tanh, libm::tanh, -10.0, 10.0).max(worst(tanh, libm::tanh, 1e-4, 1e-2));
        assert!(exp_error < 1.5 && tanh_error < 2.0, "{exp_error} {tanh_error}");
    }

    #[test]
    fn ends_are_exact() {
        for (x, expected) in
            [(0.0, 1.0), (-1e4, 0.0), (1e4, f32::INFINITY), (f32::INFINITY, f32::INFINITY), (-f32::INFINITY, 0.0)]
        {
            assert_eq!(exp(x), expected, "exp {x}");
        }
        assert!((f64::from(exp(-100.0)) / libm::exp(-100.0) - 1.0).abs() < 0.02, "subnormal");
        for (x, expected) in [(0.0, 0.0), (-0.0, -0.0), (1e4, 1.0), (-1e4, -1.0), (f32::INFINITY, 1.0), (1e-40, 1e-40)]
        {
            assert_eq!(tanh(x).to_bits(), f32::to_bits(expected), "tanh {x}");
        }
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }

    /// Vectors of any width, and the numbers at their ends, are as one number alone.
    #[test]
    fn every_path_gives_the_same_bits() {
        let numbers: Vec<f32> = (0..10_007).map(|i| (i as f32 - 5000.0) * 0.02).collect();
        let bits =
            |f: fn(f32) -> f32| -> Vec<u32> { numbers.iter().map(|&x| std::hint::black_box(f)(x).to_bits()).collect() };
        let (exps, tanhs) = (bits(exp), bits(tanh));
        for path in InstructionSet::available() {
            InstructionSet::force(path);
            for start in [0, 1, 5] {
                let (mut e, mut t) = (numbers[start..].to_vec(), numbers[start..].to_vec());
                vectorized(
                    #[inline(always)]
                    || e.iter_mut().for_each(|x| *x = exp(*x)),
                );
                vectorized(
                    #[inline(always)]
                    || t.iter_mut().for_each(|x| *x = tanh(*x)),
                );
                assert!(e.iter().zip(&exps[start..]).all(|(x, &bits)| x.to_bits() == bits), "exp {path:?}");
                assert!(t.iter().zip(&tanhs[start..]).all(|(x, &bits)| x.to_bits() == bits), "tanh {path:?}");
            }
        }
    }
}
