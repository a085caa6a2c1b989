//! The two kinds of number that a network computes with.

use std::fmt::{Debug, Display};
use std::ops::{AddAssign, Neg};

use super::simd::Vectors;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A floating-point number of the numeric core: `f32` or `f64`, and no other.
///
/// Training defaults to `f32`; the gradient check always runs in `f64`; costs are summed in `f64` for both.
/// `exp`, `exp_m1`, `ln_1p` and `tanh` are those of the pure-Rust `libm`, whose bits do not depend on the platform.
pub trait Scalar:
    sealed::Sealed + Vectors + ndarray::LinalgScalar + PartialOrd + Neg<Output = Self> + AddAssign + Debug + Display + Send + Sync
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this kind.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
    /// self · b + c, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1
    fn exp_m1(self) -> Self;
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
}

macro_rules! implement_scalar {
    ($type:ident, $exp:ident, $exp_m1:ident, $ln_1p:ident, $tanh:ident) => {
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
                $type::mul_add(self, b, c)
            }
            fn exp(self) -> Self {
                libm::$exp(self)
            }
            fn exp_m1(self) -> Self {
                libm::$exp_m1(self)
            }
            fn ln_1p(self) -> Self {
                libm::$ln_1p(self)
            }
            fn tanh(self) -> Self {
                libm::$tanh(self)
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
        }
    };
}

implement_scalar!(f32, expf, expm1f, log1pf, tanhf);
implement_scalar!(f64, exp, expm1, log1p, tanh);
