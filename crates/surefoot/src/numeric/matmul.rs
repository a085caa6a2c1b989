//! The product of matrices, with specified bits.
//!
//! Every element is one chain of fused multiply-adds, from a start (a bias, 0, or the sum so far), in ascending order of
//! the inner index:
//!
//! ```text
//!   c := start;   for k in 0..K { c := fma(aₖ, bₖ, c) }
//! ```
//!
//! So a plain triple loop with `mul_add` is not an approximation of this kernel but equal to it, which the tests assert;
//! vector width, tiles, blocks and threads are free to choose. The left-hand matrix is read where it lies, by strides;
//! the right-hand one is in [`Panels`], whose columns are the lanes of the vectors.

#![allow(unsafe_code)] // pointers within tiles, each checked against its slice before the loops

use std::ops::Range;

use super::panels::{Panel, Panels};
use super::prefetch::{Ahead, prefetch_line};
use super::scalar::Scalar;
use super::simd::{InstructionSet, Vector, Vectors};

/// Rows of the tallest tile.
pub const TILE_ROWS: usize = 8;
/// Inner indices that a pass over the panels takes at a time: a panel's part stays in the second cache.
const DEPTH: usize = 1024;
/// Rows that a pass over the panels takes at a time: their part stays in the second cache.
const GROUP: usize = 64;

/// The left-hand matrix (rows × depth): element (i, k) lies at `i·row + k·inner`; where it lies in runs, k within the
/// n-th run of `run` inner indices counts from `n·next`.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a, T> {
    numbers: &'a [T],
    rows: usize,
    depth: usize,
    row: usize,
    inner: usize,
    run: usize,
    next: usize,
}

impl<'a, T: Scalar> Left<'a, T> {
    /// A matrix that lies row by row.
    pub fn rows(numbers: &'a [T], rows: usize, depth: usize) -> Self {
        Left { numbers, rows, depth, row: depth, inner: 1, run: depth, next: 0 }
    }

    /// The transpose of a matrix (depth × rows) that lies row by row.
    pub fn columns(numbers: &'a [T], rows: usize, depth: usize) -> Self {
        Left { numbers, rows, depth, row: 1, inner: rows, run: depth, next: 0 }
    }

    /// Some rows of a matrix in panels.
    pub fn panels(matrix: &'a Panels<T>, rows: Range<usize>) -> Self {
        let (width, next) = (matrix.width(), matrix.height() * matrix.width());
        let numbers = matrix.numbers().get(rows.start * width..).unwrap_or_default();
        Left { numbers, rows: rows.len(), depth: matrix.columns(), row: width, inner: 1, run: width, next }
    }

    /// Some rows and inner indices of a matrix in one run.
    fn part(self, rows: Range<usize>, depth: Range<usize>) -> Self {
        let numbers = &self.numbers[rows.start * self.row + depth.start * self.inner..];
        Left { numbers, rows: rows.len(), depth: depth.len(), run: depth.len(), ..self }
    }

    /// Where the last element lies.
    fn last(self) -> usize {
        let (k, run) = (self.depth.max(1) - 1, self.run.max(1));
        (self.rows - 1) * self.row + k / run * self.next + k % run * self.inner
    }
}

/// What the chains start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, T> {
    /// 0.
    Zero,
    /// A number for each row.
    Rows(&'a [T]),
    /// What C holds.
    Sum,
}

impl<T> Start<'_, T> {
    /// The start of some rows.
    fn part(self, rows: Range<usize>) -> Self {
        match self {
            Start::Rows(numbers) => Start::Rows(&numbers[rows]),
            other => other,
        }
    }
}

/// `C = start + A·B` for all panels: `a` (m × k), `b` (k × n), `c` (m × n). `packed` is a buffer. Meanwhile memory is asked
/// for what lies `ahead`.
pub fn multiply_panels<'a, T: Scalar + 'a>(
    a: Left<'_, T>,
    b: &Panels<T>,
    start: Start<'_, T>,
    c: &mut Panels<T>,
    packed: &mut Vec<T>,
    ahead: &mut Ahead<impl Fn(usize) -> &'a [T]>,
) {
    c.resize(a.rows, b.columns());
    let parts = a.depth.div_ceil(DEPTH).max(1);
    let size = a.depth.div_ceil(parts);
    let width = b.width();
    let at_once = if ahead.is_done() { GROUP } else { TILE_ROWS };
    ahead.cut(parts * a.rows.div_ceil(TILE_ROWS) * b.count());
    for part in 0..parts {
        let depth = part * size..a.depth.min((part + 1) * size);
        for first in (0..a.rows).step_by(GROUP) {
            let rows = first..a.rows.min(first + GROUP);
            let start = match start {
                _ if part > 0 => Start::Sum,
                start => start.part(rows.clone()),
            };
            let mut a = a.part(rows.clone(), depth.clone());
            if a.inner > 1 {
                // Wide steps from one inner index to the next would wear out the cache, panel after panel.
                packed.resize(packed.len().max(GROUP * a.depth), T::zero());
                for (k, to) in packed.chunks_exact_mut(GROUP).take(a.depth).enumerate() {
                    to[..a.rows].copy_from_slice(&a.numbers[k * a.inner..][..a.rows]);
                }
                a = Left { numbers: packed, inner: GROUP, ..a };
            }
            for p in 0..b.count() {
                let Panel { numbers, columns, .. } = b.panel(p);
                let b = Panel { numbers: &numbers[depth.start * width..depth.end * width], width, columns };
                let c = &mut c.panel_mut(p)[rows.start * width..rows.end * width];
                for first in (0..a.rows).step_by(at_once) {
                    let some = first..a.rows.min(first + at_once);
                    let (a, start) = (a.part(some.clone(), 0..a.depth), start.part(some.clone()));
                    let c = &mut c[some.start * width..some.end * width];
                    multiply_meanwhile(a, b, start, c, ahead.next_piece());
                }
            }
        }
    }
}

/// `C = start + A·B` for one panel: `a` (m × k), `b` (k × n), `c` (m × n), as wide as `b`. Whole vectors are written.
pub fn multiply<T: Scalar>(a: Left<'_, T>, b: Panel<'_, T>, start: Start<'_, T>, c: &mut [T]) {
    multiply_meanwhile(a, b, start, c, &[]);
}

/// [`multiply`], which meanwhile asks memory for these numbers.
fn multiply_meanwhile<T: Scalar>(a: Left<'_, T>, b: Panel<'_, T>, start: Start<'_, T>, c: &mut [T], soon: &[T]) {
    if a.rows == 0 || b.columns == 0 {
        return;
    }
    assert!(a.depth == 0 || (a.last() < a.numbers.len() && b.numbers.len() >= a.depth * b.width));
    assert!(b.columns <= b.width && b.width.is_multiple_of(16) && c.len() >= a.rows * b.width);
    if let Start::Rows(numbers) = start {
        assert_eq!(numbers.len(), a.rows);
    }
    match InstructionSet::current() {
        // SAFETY: `current` only names sets that the CPU has; the lengths were just asserted.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512::multiply(a, b, start, c, soon) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2::multiply(a, b, start, c, soon) },
        #[cfg(target_arch = "aarch64")]
        InstructionSet::Neon => unsafe { neon::multiply(a, b, start, c, soon) },
        _ => unsafe { multiply_by::<T::Portable, 4, 1>(a, b, start, c, soon) },
    }
}

/// The loops of [`multiply`] with tiles of M rows and N vectors.
#[inline(always)]
unsafe fn multiply_by<V: Vector, const M: usize, const N: usize>(
    a: Left<'_, V::Scalar>,
    b: Panel<'_, V::Scalar>,
    start: Start<'_, V::Scalar>,
    c: &mut [V::Scalar],
    mut soon: &[V::Scalar],
) {
    for column in (0..b.columns).step_by(N * V::LANES) {
        let vectors = (b.columns - column).div_ceil(V::LANES).min(N);
        let mut row = 0;
        while row < a.rows {
            macro_rules! of_rows {
                ($m:expr) => {{
                    // SAFETY: tile by tile within the lengths that the caller asserted.
                    unsafe {
                        match vectors {
                            _ if vectors == N => tile::<V, { $m }, N>(a, b, (row, column), start, c, soon),
                            2 => tile::<V, { $m }, 2>(a, b, (row, column), start, c, soon),
                            _ => tile::<V, { $m }, 1>(a, b, (row, column), start, c, soon),
                        }
                    }
                    row += $m;
                    soon = &[];
                }};
            }
            match a.rows - row {
                left if left >= M => of_rows!(M),
                4.. => of_rows!(4),
                2.. => of_rows!(2),
                _ => of_rows!(1),
            }
        }
    }
}

/// M rows and N vectors of C.
#[inline(always)]
unsafe fn tile<V: Vector, const M: usize, const N: usize>(
    a: Left<'_, V::Scalar>,
    b: Panel<'_, V::Scalar>,
    at: (usize, usize),
    start: Start<'_, V::Scalar>,
    c: &mut [V::Scalar],
    soon: &[V::Scalar],
) {
    // SAFETY: the caller's.
    unsafe {
        let c = c.as_mut_ptr().add(at.0 * b.width + at.1);
        let zero = V::Scalar::from_f64(0.0);
        match start {
            Start::Sum => chain::<V, M, N, true>(a, b, at, (&zero, 0), c, soon),
            Start::Zero => chain::<V, M, N, false>(a, b, at, (&zero, 0), c, soon),
            Start::Rows(numbers) => chain::<V, M, N, false>(a, b, at, (numbers.as_ptr().add(at.0), 1), c, soon),
        }
    }
}

/// The chains of fused multiply-adds of a tile at a row and column, all in registers, from what C holds or from `start`, whose step from row
/// to row is 0 or 1.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // loops over registers
unsafe fn chain<V: Vector, const M: usize, const N: usize, const SUM: bool>(
    a: Left<'_, V::Scalar>,
    b: Panel<'_, V::Scalar>,
    (row, column): (usize, usize),
    (start, start_step): (*const V::Scalar, usize),
    c: *mut V::Scalar,
    soon: &[V::Scalar],
) {
    // SAFETY: `b` has `depth` rows of `width` numbers with N vectors left in each, as C has in M rows; `a` has M rows.
    unsafe {
        // plain loops over arrays: `from_fn` is not always inlined, and what is not inlined has no vectors
        let zero = V::splat(V::Scalar::from_f64(0.0));
        let mut sums = [[zero; N]; M];
        let mut rows = [a.numbers.as_ptr(); M];
        for i in 0..M {
            rows[i] = rows[i].wrapping_add((row + i) * a.row);
            for j in 0..N {
                sums[i][j] = match SUM {
                    true => V::load(c.add(i * b.width + j * V::LANES)),
                    false => V::splat(*start.add(i * start_step)),
                };
            }
        }
        let mut from = b.numbers.as_ptr().wrapping_add(column);
        // one hint for each inner index, so that they do not wait for each other; where there is nothing to ask for,
        // for something that is there, because looking up an address that is not takes its time
        let soon_step = soon.len().div_ceil(a.depth.max(1));
        let mut soon = if soon.is_empty() { from } else { soon.as_ptr() };
        let mut left = a.depth;
        while left > 0 {
            let run = left.min(a.run);
            for k in 0..run {
                let mut b_row = [zero; N];
                for j in 0..N {
                    b_row[j] = V::load(from.add(j * V::LANES));
                }
                for i in 0..M {
                    let a = V::splat(*rows[i].add(k * a.inner));
                    for j in 0..N {
                        sums[i][j] = a.mul_add(b_row[j], sums[i][j]);
                    }
                }
                prefetch_line(soon);
                from = from.wrapping_add(b.width);
                soon = soon.wrapping_add(soon_step);
            }
            left -= run;
            for row in &mut rows {
                *row = row.wrapping_add(a.next);
            }
        }
        for (i, row) in sums.iter().enumerate() {
            for (j, sum) in row.iter().enumerate() {
                sum.store(c.add(i * b.width + j * V::LANES));
            }
        }
    }
}

/// The loops as compiled for a path, with the tiles that fill its registers.
macro_rules! compiled_for {
    ($arch:literal, $module:ident, $vectors:ident, $features:literal, $m:literal, $n:literal) => {
        #[cfg(target_arch = $arch)]
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            pub unsafe fn multiply<T: Scalar>(
                a: Left<'_, T>,
                b: Panel<'_, T>,
                start: Start<'_, T>,
                c: &mut [T],
                soon: &[T],
            ) {
                // SAFETY: the caller's.
                unsafe { multiply_by::<<T as Vectors>::$vectors, $m, $n>(a, b, start, c, soon) }
            }
        }
    };
}

compiled_for!("x86_64", avx512, Avx512, "avx512f,avx512vl,avx512bw,avx512dq,fma", 8, 3);
compiled_for!("x86_64", avx2, Avx2, "avx2,fma", 4, 3);
compiled_for!("aarch64", neon, Neon, "neon", 8, 3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::{Purpose, Random};

    /// Numbers of all sizes, some of them infinite, subnormal or zero when `wild`.
    fn draws<T: Scalar>(count: usize, seed: u64, wild: bool) -> Vec<T> {
        let mut random = Random::new(seed, Purpose::Examples, 0);
        let mut draw = || match random.below(12) {
            0 if wild => f64::INFINITY,
            1 if wild => 1e-310 * random.normal(),
            2 if wild => 1e-40 * random.normal(),
            3 if wild => 1e30 * random.normal(),
            4 if wild => 0.0,
            _ => random.normal(),
        };
        (0..count).map(|_| T::from_f64(draw())).collect()
    }

    fn same<T: Scalar>(got: &[T], expected: &[T], what: &str) {
        for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
            let bits = |x: T| x.to_f64().to_bits();
            assert!(
                bits(got) == bits(expected) || (got.to_f64().is_nan() && expected.to_f64().is_nan()),
                "{what}, element {i}: {got} {expected}"
            );
        }
    }

    /// The product against the triple loop, bit by bit, with the instructions in use: A by rows, by columns and in
    /// panels, from each start.
    fn compare<T: Scalar>(m: usize, n: usize, k: usize, wild: bool) {
        let what = format!("{m} × {n} × {k} {} {:?}", T::NAME, InstructionSet::current());
        let (a, b, start) = (draws::<T>(m * k, 1, wild), draws::<T>(k * n, 2, wild), draws::<T>(m, 3, wild));
        let triple_loop = |start: &dyn Fn(usize, usize) -> T| -> Vec<T> {
            let element = |at: usize| {
                let (i, j) = (at / n, at % n);
                (0..k).fold(start(i, j), |sum, p| a[i * k + p].mul_add(b[p * n + j], sum))
            };
            (0..m * n).map(element).collect()
        };
        let (mut by_rows, mut right, mut c, mut packed) = (Panels::new(), Panels::new(), Panels::new(), Vec::new());
        by_rows.set_rows(m, k, |i| &a[i * k..][..k]);
        right.set_rows(k, n, |p| &b[p * n..][..n]);
        let turned: Vec<T> = (0..k * m).map(|at| a[at % m * k + at / m]).collect();
        let elements = |c: &Panels<T>| -> Vec<T> {
            let element = |at: usize| {
                let (i, j) = (at / n, at % n);
                let panel = c.panel(j / c.width());
                panel.numbers[i * panel.width + j % panel.width]
            };
            (0..m * n).map(element).collect()
        };
        let from_rows = triple_loop(&|i, _| start[i]);
        let mut ahead = Ahead::nothing();
        for left in [Left::rows(&a, m, k), Left::columns(&turned, m, k)] {
            multiply_panels(left, &right, Start::Rows(&start), &mut c, &mut packed, &mut ahead);
            same(&elements(&c), &from_rows, &what);
        }
        let so_far = elements(&c);
        let continued = triple_loop(&|i, j| so_far[i * n + j]);
        for p in 0..right.count() {
            multiply(Left::panels(&by_rows, 0..m), right.panel(p), Start::Sum, c.panel_mut(p));
        }
        same(&elements(&c), &continued, &what);
        for p in 0..right.count() {
            let (upper, width) = (m / 2, right.width());
            multiply(
                Left::panels(&by_rows, upper..m),
                right.panel(p),
                Start::Zero,
                &mut c.panel_mut(p)[upper * width..],
            );
        }
        same(&elements(&c)[m / 2 * n..], &triple_loop(&|_, _| T::zero())[m / 2 * n..], &what);
    }

    #[test]
    fn products_equal_the_triple_loop_bit_by_bit_on_every_path() {
        for path in InstructionSet::available() {
            InstructionSet::force(path);
            for size in 0..=40 {
                for other in [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 40] {
                    for third in [0, 1, 5, 16, 40] {
                        for (m, n, k) in [(size, other, third), (third, size, other), (other, third, size)] {
                            compare::<f32>(m, n, k, size % 2 == 0);
                            compare::<f64>(m, n, k, size % 2 == 0);
                        }
                    }
                }
            }
            for (m, n, k) in [(100, 49, 520), (13, 200, 1030), (70, 97, 700)] {
                compare::<f32>(m, n, k, false);
                compare::<f64>(m, n, k, true);
            }
        }
    }
}
