//! eˣ, eˣ − 1 and tanh x in single precision, and ln(1 + x) in double, without a branch, so that the compiler turns them into
//! vectors. Their bits follow from the additions, multiplications, divisions and fused multiply-adds written here, so they
//! are the same on every CPU.
//!
//! The polynomials are those of the Cephes library for eˣ (S. L. Moshier, `expf.c`), of the Eigen library for tanh
//! (`generic_fast_tanh_float`), and of FreeBSD's `s_log1p.c` for ln(1 + x).

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
    let (e, n) = reduced(if low > 89.0 { 89.0 } else { low });
    // 2ⁿ in two factors, so that the result may be subnormal or infinite
    let half = n >> 1;
    (e + 1.0) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// eˣ − 1, within 2 units in the last place; −1 far below 0, infinite above 88.73, NaN for NaN.
///
/// ```text
///   eˣ − 1 = 2ⁿ·(r + r²·P(r)) + (2ⁿ − 1)        x, n, r and P as for eˣ
/// ```
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let low = if x < -18.0 { -18.0 } else { x };
    let (e, n) = reduced(if low > 89.0 { 89.0 } else { low });
    // in two factors again, and without them where n is 0: nothing is lost near 0
    let half = n >> 1;
    let (first, second) = (power_of_two(half), power_of_two(n.wrapping_sub(half)));
    let one = power_of_two(half.wrapping_sub(n));
    let all = e.mul_add(first, first - one) * second;
    if x == 0.0 { x } else { all }
}

/// eʳ − 1 and n with x = n·ln 2 + r, for x from −104 to 89.
#[inline(always)]
fn reduced(x: f32) -> (f32, i32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = 1.987_569_1e-4f32;
    let p = p.mul_add(r, 1.398_199_9e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    (p.mul_add(r * r, r), (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// tanh x, within 5 units in the last place; ±1 far out, NaN for NaN.
///
/// ```text
///   x·P(x²) / Q(x²),  P of degree 6 and Q of degree 3
/// ```
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let squared = x * x;
    let p = -2.760_768_5e-16f32;
    let p = p.mul_add(squared, 2.000_188e-13);
    let p = p.mul_add(squared, -8.604_672e-11);
    let p = p.mul_add(squared, 5.122_297e-8);
    let p = p.mul_add(squared, 1.485_722_4e-5);
    let p = p.mul_add(squared, 6.372_619_3e-4);
    let p = p.mul_add(squared, 4.893_524_6e-3);
    let q = 1.198_258_4e-6f32;
    let q = q.mul_add(squared, 1.185_347_1e-4);
    let q = q.mul_add(squared, 2.268_434_6e-3);
    let q = q.mul_add(squared, 4.893_525e-3);
    let near = x * (p / q); // in this order, for the smallest x
    if x.abs() > 7.905_311 { 1f32.copysign(x) } else { near }
}

/// ln(1 + x) for x ≥ 0, in double precision and without a branch, within 2 units in the last place.
///
/// ```text
///   1 + x = 2ᵏ·(1 + f), √½ ≤ 1 + f < √2      ln(1 + f) = f − (f²/2 − s·(f²/2 + R(s²)))  with s = f / (2 + f)
/// ```
#[inline(always)]
pub fn ln_1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    // what the sum lost, as a share of it; nothing where x is infinite or much larger than 1
    let lost = if sum < 1e16 { (x - (sum - 1.0)) / sum } else { 0.0 };
    let bits = sum.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = ((bits >> 52) as i64 - 1023) as f64;
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF) - 1.0;
    let s = f / (2.0 + f);
    let (z, half) = (s * s, 0.5 * f * f);
    let w = z * z;
    let even = w * w.mul_add(w.mul_add(0.153_138_376_992_093_73, 0.222_221_984_321_497_84), 0.399_999_999_994_094_2);
    let odd = w.mul_add(0.147_981_986_051_165_86, 0.181_835_721_616_180_5);
    let odd = z * w.mul_add(w.mul_add(odd, 0.285_714_287_436_623_9), 0.666_666_666_666_673_5);
    let ln = k * LN2_HIGH_64 - ((half - (s * (half + (even + odd)) + (k * LN2_LOW_64 + lost))) - f);
    if x < f64::INFINITY { ln } else { x }
}

/// The bits of √½, rounded down to what the higher word has.
const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
/// ln 2 in two parts, the first with so few bits that k · LN2_HIGH_64 is exact.
const LN2_HIGH_64: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW_64: f64 = 1.908_214_929_270_587_7e-10;

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
    fn errors_are_some_units_in_the_last_place() {
        let exp_error = worst(exp, libm::exp, -87.3, 88.7);
        let tanh_error = worst(tanh, libm::tanh, -10.0, 10.0).max(worst(tanh, libm::tanh, 1e-4, 1e-2));
        let near_zero = worst(exp_m1, libm::expm1, -2.0, 2.0).max(worst(exp_m1, libm::expm1, 1e-6, 1e-3));
        let exp_m1_error = worst(exp_m1, libm::expm1, -30.0, 88.7).max(near_zero);
        assert!(exp_error < 1.5 && tanh_error < 5.0 && exp_m1_error < 2.0, "{exp_error} {tanh_error} {exp_m1_error}");
    }

    #[test]
    fn ln_1p_keeps_its_relative_precision() {
        let mut x = 1e-300;
        while x < 1e300 {
            let exact = libm::log1p(x);
            assert!((ln_1p(x) - exact).abs() <= 4e-16 * exact, "{x}: {} {exact}", ln_1p(x));
            x *= 1.037;
        }
        assert_eq!((ln_1p(0.0), ln_1p(f64::INFINITY)), (0.0, f64::INFINITY));
        assert!(ln_1p(f64::NAN).is_nan());
    }

    #[test]
    fn ends_are_exact() {
        for (x, expected) in
            [(0.0, 1.0), (-1e4, 0.0), (1e4, f32::INFINITY), (f32::INFINITY, f32::INFINITY), (-f32::INFINITY, 0.0)]
        {
            assert_eq!(exp(x), expected, "exp {x}");
        }
        assert!((f64::from(exp(-100.0)) / libm::exp(-100.0) - 1.0).abs() < 0.02, "subnormal");
        for (x, expected) in [
            (0.0, 0.0),
            (-0.0, -0.0),
            (1e-40, 1e-40),
            (-1e-40, -1e-40),
            (-17.4, -1.0),
            (-1e4, -1.0),
            (-f32::INFINITY, -1.0),
            (1e4, f32::INFINITY),
            (f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(exp_m1(x).to_bits(), f32::to_bits(expected), "exp_m1 {x}");
        }
        for (x, expected) in [(0.0, 0.0), (-0.0, -0.0), (1e4, 1.0), (-1e4, -1.0), (f32::INFINITY, 1.0), (1e-40, 1e-40)]
        {
            assert_eq!(tanh(x).to_bits(), f32::to_bits(expected), "tanh {x}");
        }
        assert!(exp(f32::NAN).is_nan() && exp_m1(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }

    /// Vectors of any width, and the numbers at their ends, are as one number alone.
    #[test]
    fn every_path_gives_the_same_bits() {
        let numbers: Vec<f32> = (0..10_007).map(|i| (i as f32 - 5000.0) * 0.02).collect();
        let alone =
            |f: fn(f32) -> f32| -> Vec<u32> { numbers.iter().map(|&x| std::hint::black_box(f)(x).to_bits()).collect() };
        let (exps, tanhs, exp_m1s) = (alone(exp), alone(tanh), alone(exp_m1));
        let check = |path, what: &str, got: &[f32], expected: &[u32]| {
            assert!(got.iter().zip(expected).all(|(x, &bits)| x.to_bits() == bits), "{what} {path:?}");
        };
        for path in InstructionSet::available() {
            InstructionSet::force(path);
            for start in [0, 1, 5] {
                let (mut e, mut t, mut m) =
                    (numbers[start..].to_vec(), numbers[start..].to_vec(), numbers[start..].to_vec());
                vectorized(
                    #[inline(always)]
                    || e.iter_mut().for_each(|x| *x = exp(*x)),
                );
                vectorized(
                    #[inline(always)]
                    || t.iter_mut().for_each(|x| *x = tanh(*x)),
                );
                vectorized(
                    #[inline(always)]
                    || m.iter_mut().for_each(|x| *x = exp_m1(*x)),
                );
                check(path, "exp", &e, &exps[start..]);
                check(path, "tanh", &t, &tanhs[start..]);
                check(path, "exp_m1", &m, &exp_m1s[start..]);
            }
        }
    }
}
