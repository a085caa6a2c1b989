//! eˣ, eˣ − 1, tanh x, and ln(1 + x) in double precision, without a branch, so that the compiler turns them into vectors. Their bits
//! follow from the additions, multiplications, divisions and fused multiply-adds written here, so they are the same on every CPU.

pub mod double;
pub mod single;

#[cfg(test)]
mod tests {
    use super::double::ln_1p;
    use crate::numeric::scalar::Scalar;
    use crate::numeric::simd::{InstructionSet, vectorized};

    /// The largest error over many numbers, in units in the last place, from what `libm` gives in double precision.
    fn worst<T: Scalar>(f: fn(T) -> T, exact: fn(f64) -> f64, from: f64, to: f64) -> f64 {
        let count = 200_000;
        let epsilon = if T::NAME == "f32" { f64::from(f32::EPSILON) } else { f64::EPSILON };
        let error = |i| {
            let x = T::from_f64(from + (to - from) * f64::from(i) / f64::from(count));
            let (got, exact) = (f(x).to_f64(), exact(x.to_f64()));
            (got - exact).abs() / (epsilon * 2f64.powi(exact.abs().log2().floor() as i32))
        };
        (0..=count).map(error).fold(0.0, f64::max)
    }

    /// In single precision they are what the documentation says; in double precision `libm` is wrong by up to 1 itself.
    #[test]
    fn errors_are_some_units_in_the_last_place() {
        let of_exp = [worst::<f32>(f32::exp, libm::exp, -87.3, 88.7), worst::<f64>(f64::exp, libm::exp, -708.0, 709.7)];
        assert!(of_exp[0] < 1.5 && of_exp[1] < 2.0, "{of_exp:?}");
        fn near_and_far<T: Scalar>(f: fn(T) -> T, exact: fn(f64) -> f64, low: f64, high: f64) -> f64 {
            let near = worst(f, exact, -2.0, 2.0).max(worst(f, exact, 1e-6, 1e-3));
            near.max(worst(f, exact, low, high))
        }
        let of_exp_m1 = [
            near_and_far::<f32>(Scalar::exp_m1, libm::expm1, -30.0, 88.7),
            near_and_far::<f64>(Scalar::exp_m1, libm::expm1, -60.0, 709.7),
        ];
        assert!(of_exp_m1[0] < 2.0 && of_exp_m1[1] < 3.0, "{of_exp_m1:?}");
        let of_tanh = [
            near_and_far::<f32>(Scalar::tanh, libm::tanh, -10.0, 10.0),
            near_and_far::<f64>(Scalar::tanh, libm::tanh, -25.0, 25.0),
        ];
        assert!(of_tanh[0] < 5.5 && of_tanh[1] < 4.0, "{of_tanh:?}");
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

    /// The bits of what f gives for these numbers.
    fn assert_exact<T: Scalar>(what: &str, f: fn(T) -> T, cases: &[(f64, f64)]) {
        for &(x, expected) in cases {
            let got = f(T::from_f64(x)).to_f64();
            assert_eq!(got.to_bits(), T::from_f64(expected).to_f64().to_bits(), "{what} {x} in {}: {got}", T::NAME);
        }
        assert!(f(T::from_f64(f64::NAN)).to_f64().is_nan(), "{what} of NaN");
    }

    fn ends_are_exact_in<T: Scalar>(tiny: f64) {
        let infinity = f64::INFINITY;
        let exp = [(0.0, 1.0), (-1e4, 0.0), (1e4, infinity), (infinity, infinity), (-infinity, 0.0)];
        assert_exact::<T>("exp", T::exp, &exp);
        let both = [(0.0, 0.0), (-0.0, -0.0), (tiny, tiny), (-tiny, -tiny), (-1e4, -1.0), (-infinity, -1.0)];
        assert_exact::<T>("exp_m1", T::exp_m1, &[&both[..], &[(1e4, infinity), (infinity, infinity)]].concat());
        assert_exact::<T>("tanh", T::tanh, &[&both[..], &[(1e4, 1.0), (infinity, 1.0)]].concat());
    }

    #[test]
    fn ends_are_exact() {
        ends_are_exact_in::<f32>(1e-40);
        ends_are_exact_in::<f64>(1e-310);
        let subnormal = [f64::from(Scalar::exp(-100f32)) / libm::exp(-100.0), Scalar::exp(-740f64) / libm::exp(-740.0)];
        assert!(subnormal.iter().all(|ratio| (ratio - 1.0).abs() < 0.02), "{subnormal:?}");
        assert_eq!((Scalar::exp_m1(-17.4f32), Scalar::exp_m1(-37.5f64)), (-1.0, -1.0));
    }

    fn of_negative_numbers_has_the_same_bits_in<T: Scalar>() {
        let same = |x: f64| {
            let x = T::from_f64(x);
            let bits = [x.exp_m1_of_negative(), x.exp_m1()].map(|y| y.to_f64().to_bits());
            assert!(bits[0] == bits[1] || x == T::zero(), "{x} in {}", T::NAME);
        };
        (1..200_000).for_each(|i| same(-3e-4 * f64::from(i)));
        (-340..3).for_each(|power| same(-1.2345 * 10f64.powi(power)));
        same(-f64::INFINITY);
        assert_eq!(T::from_f64(-0.0).exp_m1_of_negative().to_f64().to_bits(), 0);
        assert!(T::from_f64(f64::NAN).exp_m1_of_negative().to_f64().is_nan());
    }

    #[test]
    fn of_negative_numbers_has_the_same_bits() {
        of_negative_numbers_has_the_same_bits_in::<f32>();
        of_negative_numbers_has_the_same_bits_in::<f64>();
    }

    /// Vectors of any width, and the numbers at their ends, are as one number alone.
    fn every_path_gives_the_same_bits_in<T: Scalar>() {
        let numbers: Vec<T> = (0..10_007).map(|i| T::from_f64(f64::from(i - 5000) * 0.02)).collect();
        for (what, f) in [("exp", T::exp as fn(T) -> T), ("exp_m1", T::exp_m1), ("tanh", T::tanh)] {
            let alone: Vec<u64> = numbers.iter().map(|&x| std::hint::black_box(f)(x).to_f64().to_bits()).collect();
            InstructionSet::each(|path| {
                for start in [0, 1, 5] {
                    let mut got = numbers[start..].to_vec();
                    vectorized(
                        #[inline(always)]
                        || match what {
                            "exp" => got.iter_mut().for_each(|x| *x = x.exp()),
                            "exp_m1" => got.iter_mut().for_each(|x| *x = x.exp_m1()),
                            _ => got.iter_mut().for_each(|x| *x = x.tanh()),
                        },
                    );
                    let same = got.iter().zip(&alone[start..]).all(|(x, &bits)| x.to_f64().to_bits() == bits);
                    assert!(same, "{what} {path:?} {}", T::NAME);
                }
            });
        }
    }

    #[test]
    fn every_path_gives_the_same_bits() {
        every_path_gives_the_same_bits_in::<f32>();
        every_path_gives_the_same_bits_in::<f64>();
    }
}
