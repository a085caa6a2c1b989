//! The most fused multiply-adds that the cores do, in single precision: what the speeds are measured against.

use std::hint::black_box;
use std::time::Instant;

use surefoot::InstructionSet;

/// Sums kept apart: enough to hide the latency of the instruction, and as many as 16 registers hold beside its arguments.
const SUMS: usize = 12;
const REPEATS: usize = 20_000;

/// Billions of operations a second on so many threads of the pool, an addition and a multiplication each counting one;
/// takes some milliseconds.
pub fn gigaflops(threads: usize) -> f64 {
    let clock = Instant::now();
    rayon::broadcast(|_| black_box(chains()));
    operations() * threads as f64 / clock.elapsed().as_secs_f64() / 1e9
}

/// The same on the thread that asks.
pub fn gigaflops_of_this_thread() -> f64 {
    let clock = Instant::now();
    black_box(chains());
    operations() / clock.elapsed().as_secs_f64() / 1e9
}

/// Those of a thread.
fn operations() -> f64 {
    2.0 * (SUMS * lanes() * REPEATS * 4) as f64
}

/// Those of the set in use.
fn lanes() -> usize {
    match InstructionSet::current() {
        InstructionSet::Avx512 => 16,
        InstructionSet::Avx2 => 8,
        _ => 4,
    }
}

fn chains() -> f32 {
    match InstructionSet::current() {
        // SAFETY: `current` only names sets that the CPU has.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { chains_512() },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { chains_256() },
        _ => plain_chains::<4>(),
    }
}

#[inline(always)]
fn plain_chains<const LANES: usize>() -> f32 {
    let (a, b) = (black_box(0.999f32), black_box(0.001f32));
    let mut sums = [[0f32; LANES]; SUMS];
    for _ in 0..REPEATS * 4 {
        for sum in &mut sums {
            for x in sum {
                *x = x.mul_add(a, b);
            }
        }
    }
    sums.iter().flatten().sum()
}

#[cfg(target_arch = "x86_64")]
macro_rules! intrinsic_chains {
    ($name:ident, $features:literal, $set:ident, $fma:ident) => {
        #[target_feature(enable = $features)]
        unsafe fn $name() -> f32 {
            use std::arch::x86_64::*;
            let (a, b) = ($set(black_box(0.999)), $set(black_box(0.001)));
            let mut sums = [$set(0.0); SUMS];
            for _ in 0..REPEATS * 4 {
                for sum in &mut sums {
                    *sum = $fma(*sum, a, b);
                }
            }
            black_box(sums);
            0.0
        }
    };
}
#[cfg(target_arch = "x86_64")]
intrinsic_chains!(chains_512, "avx512f", _mm512_set1_ps, _mm512_fmadd_ps);
#[cfg(target_arch = "x86_64")]
intrinsic_chains!(chains_256, "avx2,fma", _mm256_set1_ps, _mm256_fmadd_ps);
