//! The two kinds of number that a network computes with.

use std::fmt::{Debug, Display};
use std::ops::{AddAssign, Neg};

use super::elementwise::{double, single};
use super::engine::HasEngine;
use super::simd::{Fused, Vectors};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A floating-point number of the numeric core: `f32` or `f64`, and no other.
///
/// Training defaults to `f32`; the gradient check always runs in `f64`; costs are summed in `f64` for both.
/// `exp`, `exp_m1` and `tanh` are our own; all others are those of the pure-Rust `libm`. One thing depends on the
/// platform: on an x86-64 CPU without fused multiply-add (before 2013) functions of single elements call the C library's `fma`,
/// which has to round once, as IEEE 754 demands; products of matrices do not.
pub trait Scalar:
    sealed::Sealed
    + HasEngine
    + Vectors
    + ndarray::LinalgScalar
    + PartialOrd
    + Neg<Output = Self>
    + AddAssign
    + Debug
    + Display
    + Send
    + Sync
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this kind.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
    /// self · b + c, rounded once: by the CPU's instruction where the code around it is compiled for one.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The same without that instruction, in plain Rust.
    fn software_mul_add(self, b: Self, c: Self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn exp_m1(self) -> Self;
    /// eˣ − 1 for x ≤ 0, with fewer operations; +0 for −0
    fn exp_m1_of_negative(self) -> Self;
    /// ln(1 + x)
    fn ln_1p(self) -> Self;
    /// tanh x
    fn tanh(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The same number; NaN is one value, whatever made it, so that what is written or hashed does not depend on the CPU.
    fn canonical(self) -> Self;
    /// Appends the numbers one after the other, each from its lowest byte on; NaN is one value.
    fn write_bytes(numbers: &[Self], bytes: &mut Vec<u8>);
    /// Reads numbers over these, as many as there are, or as whole ones in the bytes.
    fn read_bytes(bytes: &[u8], numbers: &mut [Self]);
    /// The numbers as [`write_bytes`](Self::write_bytes) has them.
    fn to_bytes(numbers: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size_of_val(numbers));
        Self::write_bytes(numbers, &mut bytes);
        bytes
    }
    /// The numbers that these bytes were made of; bytes beyond the last whole number are left out.
    fn from_bytes(bytes: &[u8]) -> Vec<Self> {
        let mut numbers = vec![Self::zero(); bytes.len() / size_of::<Self>()];
        Self::read_bytes(bytes, &mut numbers);
        numbers
    }
}

macro_rules! implement_scalar {
    ($type:ident, $elementwise:ident, $fma:path, $ln_1p:path) => {
        impl Scalar for $type {
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                // on other targets no code is compiled for the instruction, and the platform's function would be called
                match cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_feature = "fma")) {
                    true => $type::mul_add(self, b, c),
                    false => $fma(self, b, c),
                }
            }
            #[inline]
            fn software_mul_add(self, b: Self, c: Self) -> Self {
                $fma(self, b, c)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $elementwise::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                $elementwise::exp_m1(self)
            }
            #[inline(always)]
            fn exp_m1_of_negative(self) -> Self {
                $elementwise::exp_m1_of_negative(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $elementwise::tanh(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            fn canonical(self) -> Self {
                if self.is_nan() { $type::NAN } else { self }
            }
            fn write_bytes(numbers: &[Self], bytes: &mut Vec<u8>) {
                let before = bytes.len();
                bytes.resize(before + size_of_val(numbers), 0);
                let to = bytes[before..].as_chunks_mut().0.iter_mut();
                to.zip(numbers).for_each(|(to, x)| *to = x.canonical().to_le_bytes());
            }
            fn read_bytes(bytes: &[u8], numbers: &mut [Self]) {
                let from = bytes.as_chunks().0.iter();
                numbers.iter_mut().zip(from).for_each(|(x, from)| *x = $type::from_le_bytes(*from));
            }
        }

        impl Fused for $type {
            const ZERO: Self = 0.0;

            #[inline(always)]
            fn fused(self, b: Self, c: Self) -> Self {
                match cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                    true => $type::mul_add(self, b, c),
                    false => $fma(self, b, c),
                }
            }
        }
    };
}

implement_scalar!(f32, single, libm::fmaf, libm::log1pf);
implement_scalar!(f64, double, libm::fma, libm::log1p);

#[cfg(test)]
mod tests {
    use super::*;

    /// Products that a second rounding would lose; the last but two ends just below the middle of two numbers, on which double
    /// precision would round it.
    #[test]
    fn fused_multiply_adds_round_once_with_and_without_the_instruction() {
        let (ulp, small) = (f32::EPSILON, 1.0 / 65_536.0);
        for (a, b, c, exact) in [
            (1.0 + ulp, 1.0 + ulp, -1.0 - 2.0 * ulp, ulp * ulp),
            (1.0 + ulp, 1.0 - ulp, -1.0, -ulp * ulp),
            (16_777_215.0, 16_777_215.0, -281_474_943_156_224.0, 1.0),
            ((1.0 - small) * 16.0 * small, (1.0 + small) * 16.0 * small, 1.0 + ulp, 1.0 + ulp),
            (0.0, -1.0, -0.0, -0.0),
            (0.0, 0.0, -0.0, 0.0),
        ] {
            let bits = [a.mul_add(b, c), Scalar::mul_add(a, b, c), a.software_mul_add(b, c)].map(f32::to_bits);
            assert_eq!(bits, [f32::to_bits(exact); 3], "{a} {b} {c}");
        }
        let (a, c) = (1.0 + f64::EPSILON, -1.0 - 2.0 * f64::EPSILON);
        for got in [Scalar::mul_add(a, a, c), a.software_mul_add(a, c)] {
            assert_eq!(got, f64::EPSILON * f64::EPSILON);
        }
    }

    #[test]
    fn nan_is_written_as_one_value() {
        let made = [
            f32::NAN,
            -f32::NAN,
            f32::from_bits(0x7fff_ffff),
            f32::from_bits(0xffc0_1234),
            f32::INFINITY - f32::INFINITY,
        ];
        assert!(f32::to_bytes(&made).as_chunks::<4>().0.iter().all(|bytes| *bytes == 0x7fc0_0000u32.to_le_bytes()));
        let made = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff8_0000_0000_0001)];
        assert!(f64::to_bytes(&made).as_chunks::<8>().0.iter().all(|bytes| *bytes == (0x7ff8u64 << 48).to_le_bytes()));
        assert_eq!(f32::to_bytes(&[-0.0, 1e-40]), [[0, 0, 0, 0x80], 1e-40f32.to_le_bytes()].concat());
    }
}
