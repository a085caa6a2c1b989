//! The instructions that the CPU at hand has, found at run time: a plain build reaches full speed.
//!
//! Every set gives the same bits. A product element is a chain of fused multiply-adds in a stated order, whichever
//! lane it falls into; a CPU without that instruction computes it in software.

#![allow(unsafe_code)] // the vector instructions, and calls into functions compiled for them

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result, by_name};

/// A set of instructions that there is code for; the choice changes the speed of a run and no bit of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum InstructionSet {
    /// What every CPU of the target has; where that is no fused multiply-add, it is computed in software.
    Portable = 1,
    /// 256-bit vectors and fused multiply-add.
    Avx2 = 2,
    /// 512-bit vectors.
    Avx512 = 3,
    /// 128-bit vectors and fused multiply-add, which every 64-bit ARM has.
    Neon = 4,
}

/// The set in use; 0 before the first look at the CPU.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// `portable`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self {
            InstructionSet::Portable => "portable",
            InstructionSet::Avx2 => "avx2",
            InstructionSet::Avx512 => "avx512",
            InstructionSet::Neon => "neon",
        }
    }

    /// All sets that this CPU has, the fastest last.
    pub fn available() -> Vec<InstructionSet> {
        let has = |path: &InstructionSet| match path {
            InstructionSet::Portable => true,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => false,
            InstructionSet::Neon => cfg!(target_arch = "aarch64"),
        };
        let all = [InstructionSet::Portable, InstructionSet::Neon, InstructionSet::Avx2, InstructionSet::Avx512];
        all.into_iter().filter(has).collect()
    }

    /// The set in use: the fastest that there is, unless another was [chosen](Self::choose).
    #[inline]
    pub fn current() -> InstructionSet {
        match CURRENT.load(Ordering::Relaxed) {
            1 => InstructionSet::Portable,
            2 => InstructionSet::Avx2,
            3 => InstructionSet::Avx512,
            4 => InstructionSet::Neon,
            _ => InstructionSet::find(),
        }
    }

    #[cold]
    fn find() -> InstructionSet {
        let best = InstructionSet::available().pop().unwrap_or(InstructionSet::Portable);
        CURRENT.store(best as u8, Ordering::Relaxed);
        best
    }

    /// Computes with this set from now on, in the whole process: to measure how fast a CPU would be that has no wider vectors.
    ///
    /// # Errors
    /// [`Error::Setting`] when this CPU does not have it.
    pub fn choose(self) -> Result<()> {
        let available = InstructionSet::available();
        if !available.contains(&self) {
            let names: Vec<_> = available.into_iter().map(InstructionSet::name).collect();
            let expected = format!("one that this CPU has: {}", names.join(", "));
            return Err(Error::Setting { setting: "instruction set", expected, got: self.to_string() });
        }
        CURRENT.store(self as u8, Ordering::Relaxed);
        Ok(())
    }

    /// Does some work with each set that the CPU has, the fastest last: for tests of the bits. Callers take turns, while other threads of
    /// the process may compute with the same set, which changes the speed of theirs and no bit.
    pub(crate) fn each<R>(work: impl FnMut(InstructionSet) -> R) -> Vec<R> {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let before = InstructionSet::current();
        let sets = InstructionSet::available().into_iter();
        let done = sets.inspect(|&set| CURRENT.store(set as u8, Ordering::Relaxed)).map(work).collect();
        CURRENT.store(before as u8, Ordering::Relaxed);
        done
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for InstructionSet {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let all = [InstructionSet::Portable, InstructionSet::Avx2, InstructionSet::Avx512, InstructionSet::Neon];
        by_name("instruction set", &all, InstructionSet::name, name)
    }
}

/// Runs plain loops as compiled for the set in use, so that the compiler's vectors are as wide as the CPU's. What is
/// compiled so is only what is inlined: the closure and all that it calls have to be `#[inline(always)]`.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    match InstructionSet::current() {
        // SAFETY: `current` only names sets that the CPU has.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { x86::vectorized_avx512(work) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { x86::vectorized_avx2(work) },
        _ => work(),
    }
}

/// Some numbers side by side, as one register holds them.
///
/// # Safety
/// All functions: the CPU has the instructions of the type. Loads and stores: as many numbers lie at the pointer.
pub unsafe trait Vector: Copy {
    type Scalar: Fused;
    /// How many numbers it holds.
    const LANES: usize;

    unsafe fn splat(x: Self::Scalar) -> Self;
    unsafe fn load(from: *const Self::Scalar) -> Self;
    unsafe fn store(self, to: *mut Self::Scalar);
    /// self · b + c, rounded once.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
}

/// A number that a vector in plain Rust is made of.
pub trait Fused: Copy + std::ops::Add<Output = Self> {
    const ZERO: Self;

    /// self · b + c, rounded once, by an instruction where every CPU of the target has one.
    fn fused(self, b: Self, c: Self) -> Self;
}

/// The vectors of a kind of number in each set.
pub trait Vectors: Copy {
    type Portable: Vector<Scalar = Self>;
    type Avx2: Vector<Scalar = Self>;
    type Avx512: Vector<Scalar = Self>;
    type Neon: Vector<Scalar = Self>;

    /// Writes eight rows of `length` numbers, which begin at `starts` of `from`, as columns of `to`, whose rows are `stride` apart.
    #[inline(always)]
    fn transpose_eight(from: &[Self], starts: [usize; EIGHT], length: usize, to: &mut [Self], stride: usize) {
        transpose_plainly(from, starts, 0..length, to, stride);
    }
}

/// Writes rows of `length` numbers as columns of `to`, whose rows are `stride` apart. The j-th of `count` begins at `start(j)`
/// of `from`; behind the last it is repeated, up to a whole eight.
#[inline(always)]
pub fn transpose<T: Vectors>(
    from: &[T],
    start: impl Fn(usize) -> usize,
    count: usize,
    length: usize,
    to: &mut [T],
    stride: usize,
) {
    for first in (0..count).step_by(EIGHT) {
        let mut starts = [0; EIGHT];
        for (i, at) in starts.iter_mut().enumerate() {
            *at = start((first + i).min(count - 1));
        }
        T::transpose_eight(from, starts, length, &mut to[first..], stride);
    }
}

/// The rows that are transposed at a time.
const EIGHT: usize = 8;

/// Some numbers of eight rows, in plain Rust.
#[inline(always)]
fn transpose_plainly<T: Copy>(from: &[T], starts: [usize; EIGHT], some: Range<usize>, to: &mut [T], stride: usize) {
    for i in some {
        for (to, start) in to[i * stride..][..EIGHT].iter_mut().zip(starts) {
            *to = from[start + i];
        }
    }
}

/// Four numbers in plain Rust, which the compiler may put into a register.
#[derive(Clone, Copy)]
pub struct Four<T>([T; 4]);

// SAFETY: plain Rust, which every CPU has.
unsafe impl<T: Fused> Vector for Four<T> {
    type Scalar = T;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Four([x; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: by the contract of the trait.
        Four(unsafe { from.cast::<[T; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: by the contract of the trait.
        unsafe { to.cast::<[T; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i].fused(b.0[i], c.0[i])))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Four(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

/// Vectors as the intrinsics of a CPU have them; the last of them, with its arguments, is a · b + c.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! implement_vector {
    ($vector:ident, $scalar:ident, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident,
     |$a:ident, $b:ident, $c:ident| $mul_add:expr) => {
        // SAFETY: the intrinsics do what the trait says, under its own conditions.
        unsafe impl Vector for $vector {
            type Scalar = $scalar;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(x: $scalar) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $scalar) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $scalar) {
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn mul_add(self, $b: Self, $c: Self) -> Self {
                let $a = self;
                unsafe { $mul_add }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                unsafe { $add(self, other) }
            }
        }
    };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod others {
    use super::{Four, Vectors};

    macro_rules! only_portable {
        ($($scalar:ident)*) => {$(
            impl Vectors for $scalar {
                type Portable = Four<$scalar>;
                type Avx2 = Four<$scalar>;
                type Avx512 = Four<$scalar>;
                type Neon = Four<$scalar>;
            }
        )*};
    }
    only_portable!(f32 f64);
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use std::arch::aarch64::*;

    use super::{Four, Vector, Vectors};

    macro_rules! vectors_of {
        ($scalar:ident, $vector:ident) => {
            impl Vectors for $scalar {
                type Portable = Four<$scalar>;
                type Avx2 = Four<$scalar>;
                type Avx512 = Four<$scalar>;
                type Neon = $vector;
            }
        };
    }

    implement_vector!(float32x4_t, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, |a, b, c| vfmaq_f32(c, a, b));
    implement_vector!(float64x2_t, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vaddq_f64, |a, b, c| vfmaq_f64(c, a, b));
    vectors_of!(f32, float32x4_t);
    vectors_of!(f64, float64x2_t);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{EIGHT, Four, InstructionSet, Vector, Vectors, transpose_plainly};

    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
    pub unsafe fn vectorized_avx512<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn vectorized_avx2<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    implement_vector!(__m256, f32, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, |a, b, c| {
        _mm256_fmadd_ps(a, b, c)
    });
    implement_vector!(__m256d, f64, 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_add_pd, |a, b, c| {
        _mm256_fmadd_pd(a, b, c)
    });
    implement_vector!(__m512, f32, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, |a, b, c| {
        _mm512_fmadd_ps(a, b, c)
    });
    implement_vector!(__m512d, f64, 8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_add_pd, |a, b, c| {
        _mm512_fmadd_pd(a, b, c)
    });

    /// The types of a number's vectors, and its transposition by `$transpose` where the set is not the portable one.
    macro_rules! vectors_of {
        ($scalar:ident, $avx2:ident, $avx512:ident, $transpose:ident) => {
            impl Vectors for $scalar {
                type Portable = Four<$scalar>;
                type Avx2 = $avx2;
                type Avx512 = $avx512;
                type Neon = Four<$scalar>;

                #[inline(always)]
                fn transpose_eight(
                    from: &[$scalar],
                    starts: [usize; EIGHT],
                    length: usize,
                    to: &mut [$scalar],
                    stride: usize,
                ) {
                    match InstructionSet::current() {
                        InstructionSet::Portable => transpose_plainly(from, starts, 0..length, to, stride),
                        // SAFETY: the other sets have AVX.
                        _ => unsafe { $transpose(from, starts, length, to, stride) },
                    }
                }
            }
        };
    }

    vectors_of!(f32, __m256, __m512, transpose_eight_f32);
    vectors_of!(f64, __m256d, __m512d, transpose_eight_f64);

    /// The transposition of eight rows, four numbers of each at a time: `$four` gives those at the pointers as four columns in vectors
    /// of `$lanes` numbers, which `$store` writes. It is a macro because closures between functions are not always inlined.
    macro_rules! transpose_by_fours {
        ($name:ident, $scalar:ident, $lanes:literal, $store:ident, |$rows:ident| $four:expr) => {
            #[inline]
            #[target_feature(enable = "avx")]
            fn $name(from: &[$scalar], starts: [usize; EIGHT], length: usize, to: &mut [$scalar], stride: usize) {
                if length == 0 {
                    return;
                }
                let last = starts.into_iter().fold(0, usize::max);
                assert!(last + length <= from.len() && to.len() >= (length - 1) * stride + EIGHT);
                // SAFETY: eight numbers of a row below `length`, as was asserted.
                let mut store = |row: usize, column: [_; EIGHT / $lanes]| unsafe {
                    for (n, part) in column.into_iter().enumerate() {
                        $store(to.as_mut_ptr().add(row * stride + n * $lanes), part);
                    }
                };
                let columns = |done: usize| {
                    let mut $rows = [from.as_ptr(); EIGHT];
                    for j in 0..EIGHT {
                        $rows[j] = $rows[j].wrapping_add(starts[j] + done);
                    }
                    $four
                };
                let whole = length / 4 * 4;
                for done in (0..whole).step_by(4) {
                    columns(done).into_iter().enumerate().for_each(|(j, column)| store(done + j, column));
                }
                if whole == length {
                    return;
                }
                if last + whole + 4 > from.len() {
                    // the last row ends too near the end of the numbers
                    transpose_plainly(from, starts, whole..length, to, stride);
                    return;
                }
                let rest = columns(whole).into_iter().enumerate().take(length - whole);
                rest.for_each(|(j, column)| store(whole + j, column));
            }
        };
    }

    transpose_by_fours!(transpose_eight_f32, f32, 8, _mm256_storeu_ps, |rows| {
        // the four numbers of two rows side by side
        let pair = |j: usize| {
            // SAFETY: four numbers can be read from each row.
            let (low, high) = unsafe { (_mm_loadu_ps(rows[j]), _mm_loadu_ps(rows[j + 4])) };
            _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high)
        };
        let (a, b, c, d) = (pair(0), pair(1), pair(2), pair(3));
        let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            [_mm256_shuffle_ps::<0x44>(ab_low, cd_low)],
            [_mm256_shuffle_ps::<0xee>(ab_low, cd_low)],
            [_mm256_shuffle_ps::<0x44>(ab_high, cd_high)],
            [_mm256_shuffle_ps::<0xee>(ab_high, cd_high)],
        ]
    });

    transpose_by_fours!(transpose_eight_f64, f64, 4, _mm256_storeu_pd, |rows| {
        // two numbers, from the `at`-th on, of rows j and j + 2 side by side
        let pair = |j: usize, at: usize| {
            // SAFETY: four numbers can be read from each row.
            let (low, high) = unsafe { (_mm_loadu_pd(rows[j].add(at)), _mm_loadu_pd(rows[j + 2].add(at))) };
            _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(low), high)
        };
        let (a, b, c, d) = (pair(0, 0), pair(1, 0), pair(4, 0), pair(5, 0));
        let (e, f, g, h) = (pair(0, 2), pair(1, 2), pair(4, 2), pair(5, 2));
        [
            [_mm256_unpacklo_pd(a, b), _mm256_unpacklo_pd(c, d)],
            [_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d)],
            [_mm256_unpacklo_pd(e, f), _mm256_unpacklo_pd(g, h)],
            [_mm256_unpackhi_pd(e, f), _mm256_unpackhi_pd(g, h)],
        ]
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_the_cpu_lacks_is_not_chosen() {
        let (lacking, name) = match cfg!(target_arch = "x86_64") {
            true => (InstructionSet::Neon, "neon"),
            false => (InstructionSet::Avx2, "avx2"),
        };
        let said = lacking.choose().unwrap_err().to_string();
        assert!(said.contains("one that this CPU has: portable") && said.ends_with(name), "{said}");
    }

    #[test]
    fn names_are_read_back() {
        for set in InstructionSet::available() {
            assert_eq!(set.to_string().parse::<InstructionSet>().unwrap(), set);
        }
        assert!("sse".parse::<InstructionSet>().is_err());
    }
}
