//! The product of matrices, with specified bits.
//!
//! Every element is a sum of chains of fused multiply-adds, each over a segment of inner indices in ascending order. The
//! first chain starts from a bias, from 0, or from what C holds; the others start from 0 and are added in their order:
//!
//! ```text
//!   c := chain(start, 0..256);   c := c + chain(0, 256..512);   c := c + chain(0, 512..768);   …
//!   chain(c, k..) = { for each k { c := fma(aₖ, bₖ, c) } }
//! ```
//!
//! Segments have [`SEGMENT`] inner indices where A lies row by row or column by column; a matrix in panels has one. So a
//! plain triple loop with `mul_add` is not an approximation of this kernel but equal to it, which the tests assert;
//! vector width, tiles, blocks and threads are free to choose. The left-hand matrix is read where it lies, by strides. The
//! columns of the right-hand one are the lanes of the vectors: it is in [`Panels`], or its rows lie
//! [apart](super::operands::Scattered).

#![allow(unsafe_code)] // pointers within tiles, each checked against its slice before the loops

use std::ops::Range;

use super::aligned::Aligned;
use super::operands::{Lhs, PIECES, Prefetching, Rhs, SEGMENT, Start};
use super::panels::{LANES, Panel, PanelMut, Panels};
use super::prefetch::PrefetchQueue;
use super::scalar::Scalar;
use super::simd::{Fused, InstructionSet, Vector, Vectors};

/// Rows that are multiplied at a time: whole tiles of 6 rows and of 8.
pub const TILE_ROWS: usize = 24;
/// Inner indices that a pass over the panels takes at a time, whole segments: a panel's part stays in the second cache.
const DEPTH: usize = 4 * SEGMENT;
/// Rows that a pass over the panels takes at a time: their part stays in the second cache.
const GROUP: usize = 3 * TILE_ROWS;

/// `C = start + A·B` for all panels: `a` (m × k), `b` (k × n), `c` (m × n). `packed` is a buffer. Meanwhile memory is asked
/// for what lies `ahead`.
pub fn multiply_panels<'a, T: Scalar + 'a>(
    a: Lhs<'_, T>,
    b: &Panels<T>,
    start: Start<'_, T>,
    c: &mut Panels<T>,
    packed: &mut Aligned<T>,
    ahead: &mut PrefetchQueue<impl Fn(usize) -> &'a [T]>,
) {
    c.resize(a.rows, b.columns());
    let parts = a.depth.div_ceil(DEPTH).max(1);
    let size = if parts == 1 { a.depth } else { a.depth.div_ceil(parts).next_multiple_of(SEGMENT) };
    let width = b.width();
    let at_once = if ahead.is_done() { GROUP } else { TILE_ROWS };
    ahead.cut(PIECES * parts * a.rows.div_ceil(TILE_ROWS) * b.count());
    for part in 0..parts {
        let depth = part * size..a.depth.min((part + 1) * size);
        for first in (0..a.rows).step_by(GROUP) {
            let rows = first..a.rows.min(first + GROUP);
            let start = match start {
                _ if part > 0 => Start::Added,
                start => start.part(rows.clone()),
            };
            let mut a = a.part(rows.clone(), depth.clone());
            if a.inner > 1 {
                // Wide steps from one inner index to the next would wear out the cache, panel after panel.
                packed.grow(GROUP * a.depth);
                for (k, to) in packed.chunks_exact_mut(GROUP).take(a.depth).enumerate() {
                    to[..a.rows].copy_from_slice(&a.numbers[k * a.inner..][..a.rows]);
                }
                a = Lhs { numbers: packed, inner: GROUP, next: SEGMENT * GROUP, ..a };
            }
            for p in 0..b.count() {
                let Panel { numbers, columns, .. } = b.panel(p);
                let b = Panel { numbers: &numbers[depth.start * width..depth.end * width], width, columns };
                let c = &mut c.panel_mut(p)[rows.start * width..rows.end * width];
                for first in (0..a.rows).step_by(at_once) {
                    let some = first..a.rows.min(first + at_once);
                    let (a, start) = (a.part(some.clone(), 0..a.depth), start.part(some.clone()));
                    let numbers = &mut c[some.start * width..some.end * width];
                    let c = PanelMut { numbers, width };
                    if ahead.is_done() {
                        multiply(a, b, start, c);
                    } else {
                        let pieces = std::array::from_fn(|_| ahead.next_piece());
                        multiply(a, Prefetching::new(b, pieces, a.depth), start, c);
                    }
                }
            }
        }
    }
}

/// `C = start + A·B`: `a` (m × k), `b` (k × n), `c` (m × n). Whole vectors of B are read, and of C written.
pub fn multiply<T: Scalar>(a: Lhs<'_, T>, b: impl Rhs<T>, start: Start<'_, T>, c: PanelMut<'_, T>) {
    if a.rows == 0 || b.columns() == 0 {
        return;
    }
    assert!(a.depth == 0 || a.last() < a.numbers.len());
    assert!(b.holds(a.depth, b.columns().next_multiple_of(LANES)) && b.columns() <= c.width);
    assert!(c.width.is_multiple_of(LANES) && c.numbers.len() >= a.rows * c.width);
    if let Start::Rows(numbers) = start {
        assert_eq!(numbers.len(), a.rows);
    }
    match InstructionSet::current() {
        // SAFETY: `current` only names sets that the CPU has; the lengths were just asserted.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512::multiply(a, b, start, c) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2::multiply(a, b, start, c) },
        #[cfg(target_arch = "aarch64")]
        InstructionSet::Neon => unsafe { neon::multiply(a, b, start, c) },
        _ => unsafe { multiply_by::<T::Portable, _, 4, 1>(a, b, start, c) },
    }
}

/// The loops of [`multiply`] with tiles of M rows and N vectors: some columns of a segment of B are read again and again, tile after
/// tile, from the first cache.
#[inline(always)]
unsafe fn multiply_by<V: Vector, R: Rhs<V::Scalar>, const M: usize, const N: usize>(
    a: Lhs<'_, V::Scalar>,
    b: R,
    start: Start<'_, V::Scalar>,
    mut c: PanelMut<'_, V::Scalar>,
) {
    let plain = b.plain();
    let length = if a.in_segments { SEGMENT } else { a.depth };
    for column in (0..b.columns()).step_by(N * V::LANES) {
        let vectors = (b.columns() - column).div_ceil(V::LANES).min(N);
        let (mut segment, mut start) = (0..a.depth.min(length), start);
        loop {
            let mut row = 0;
            while row < a.rows {
                macro_rules! of_rows {
                    ($m:expr) => {{
                        // SAFETY: tile by tile within the lengths that the caller asserted.
                        unsafe {
                            let (at, some) = ((row, column), segment.clone());
                            match vectors {
                                _ if vectors == N && R::PREFETCHES && at == (0, 0) => {
                                    tile::<V, R, { $m }, N>(a, b, some, at, start, &mut c);
                                }
                                _ if vectors == N => tile::<V, R::Plain, { $m }, N>(a, plain, some, at, start, &mut c),
                                2 => tile::<V, R::Plain, { $m }, 2>(a, plain, some, at, start, &mut c),
                                _ => tile::<V, R::Plain, { $m }, 1>(a, plain, some, at, start, &mut c),
                            }
                        }
                        row += $m;
                    }};
                }
                match a.rows - row {
                    left if left >= M => of_rows!(M),
                    4.. => of_rows!(4),
                    2.. => of_rows!(2),
                    _ => of_rows!(1),
                }
            }
            if segment.end >= a.depth {
                break;
            }
            (segment, start) = (segment.end..a.depth.min(segment.end + length), Start::Added);
        }
    }
}

/// M rows and N vectors of C, over a segment of inner indices.
#[inline(always)]
unsafe fn tile<V: Vector, R: Rhs<V::Scalar>, const M: usize, const N: usize>(
    a: Lhs<'_, V::Scalar>,
    b: R,
    segment: Range<usize>,
    at: (usize, usize),
    start: Start<'_, V::Scalar>,
    c: &mut PanelMut<'_, V::Scalar>,
) {
    // SAFETY: the caller's.
    unsafe {
        let c = (c.numbers.as_mut_ptr().add(at.0 * c.width + at.1), c.width);
        let zero = <V::Scalar as Fused>::ZERO;
        let zeros = Some((&raw const zero, 0));
        // each call of `chain` is compiled to loops of its own: one for what is written, one for what is added
        match start {
            Start::Added => chain::<V, R, M, N, true>(a, b, segment, at, zeros, c),
            start => {
                let start = match start {
                    Start::Sum => None,
                    Start::Rows(numbers) => Some((numbers.as_ptr().add(at.0), 1)),
                    Start::Zero | Start::Added => zeros,
                };
                chain::<V, R, M, N, false>(a, b, segment, at, start, c);
            }
        }
    }
}

/// The chains of fused multiply-adds of a tile at a row and column over a segment of inner indices, all in registers, from what C
/// holds or from `start`, whose step from row to row is 0 or 1. They are written to C, or added to what it holds.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // loops over registers
unsafe fn chain<V: Vector, R: Rhs<V::Scalar>, const M: usize, const N: usize, const ADDED: bool>(
    a: Lhs<'_, V::Scalar>,
    b: R,
    segment: Range<usize>,
    (row, column): (usize, usize),
    start: Option<(*const V::Scalar, usize)>,
    (c, c_width): (*mut V::Scalar, usize),
) {
    // SAFETY: `b` has `depth` rows with N vectors left in each from the column on, as C has in M rows; `a` has M rows.
    unsafe {
        // plain loops over arrays: `from_fn` is not always inlined, and what is not inlined has no vectors
        let zero = V::splat(<V::Scalar as Fused>::ZERO);
        let mut sums = [[zero; N]; M];
        let mut rows = [a.numbers.as_ptr(); M];
        for i in 0..M {
            rows[i] = rows[i].wrapping_add((row + i) * a.row + segment.start * a.inner);
            for j in 0..N {
                sums[i][j] = match start {
                    None => V::load(c.add(i * c_width + j * V::LANES)),
                    Some((start, step)) => V::splat(*start.add(i * step)),
                };
            }
        }
        let mut inner = segment.start;
        while inner < segment.end {
            let run = a.run.min(segment.end - inner);
            for k in 0..run {
                let from = b.row(inner + k).wrapping_add(column);
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
                b.prefetch_beside(inner + k);
            }
            inner += run;
            for row in &mut rows {
                *row = row.wrapping_add(a.next);
            }
        }
        for i in 0..M {
            for j in 0..N {
                let to = c.add(i * c_width + j * V::LANES);
                let sum = if ADDED { V::load(to).add(sums[i][j]) } else { sums[i][j] };
                sum.store(to);
            }
        }
    }
}

/// The loops as compiled for a path, with the tiles that fill its registers. A narrow matrix takes narrow vectors, whose
/// multiply-adds take half the time on some CPUs.
macro_rules! compiled_for {
    ($arch:literal, $module:ident, $vectors:ident, $narrow:ident, $features:literal, $m:literal, $n:literal) => {
        #[cfg(target_arch = $arch)]
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            pub unsafe fn multiply<T: Scalar>(a: Lhs<'_, T>, b: impl Rhs<T>, start: Start<'_, T>, c: PanelMut<'_, T>) {
                // SAFETY: the caller's.
                unsafe {
                    if b.columns() <= <<T as Vectors>::$narrow as Vector>::LANES {
                        multiply_by::<<T as Vectors>::$narrow, _, $m, 1>(a, b, start, c);
                    } else {
                        multiply_by::<<T as Vectors>::$vectors, _, $m, $n>(a, b, start, c);
                    }
                }
            }
        }
    };
}

compiled_for!("x86_64", avx512, Avx512, Avx2, "avx512f,avx512vl,avx512bw,avx512dq,fma", 8, 3);
compiled_for!("x86_64", avx2, Avx2, Avx2, "avx2,fma", 6, 2);
compiled_for!("aarch64", neon, Neon, Neon, "neon", 8, 3);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::operands::{Scattered, Starts};
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
        let triple_loop = |segment: usize, start: &dyn Fn(usize, usize) -> T| -> Vec<T> {
            let element = |at: usize| {
                let (i, j) = (at / n, at % n);
                let chain =
                    |start: T, inner: Range<usize>| inner.fold(start, |sum, p| a[i * k + p].mul_add(b[p * n + j], sum));
                let segments = (segment..k).step_by(segment);
                let first = chain(start(i, j), 0..k.min(segment));
                segments.fold(first, |sum, from| sum + chain(T::zero(), from..k.min(from + segment)))
            };
            (0..m * n).map(element).collect()
        };
        let (mut by_rows, mut right, mut c, mut packed) = (Panels::new(), Panels::new(), Panels::new(), Aligned::new());
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
        let from_rows = triple_loop(SEGMENT, &|i, _| start[i]);
        let mut ahead = PrefetchQueue::nothing();
        for left in [Lhs::rows(&a, m, k), Lhs::columns(&turned, m, k)] {
            multiply_panels(left, &right, Start::Rows(&start), &mut c, &mut packed, &mut ahead);
            same(&elements(&c), &from_rows, &what);
        }
        let so_far = elements(&c);
        let continued = triple_loop(usize::MAX, &|i, j| so_far[i * n + j]);
        for p in 0..right.count() {
            let c = PanelMut { numbers: c.panel_mut(p), width: right.width() };
            multiply(Lhs::panels(&by_rows, 0..m), right.panel(p), Start::Sum, c);
        }
        same(&elements(&c), &continued, &what);
        for p in 0..right.count() {
            let (upper, width) = (m / 2, right.width());
            let c = PanelMut { numbers: &mut c.panel_mut(p)[upper * width..], width };
            multiply(Lhs::panels(&by_rows, upper..m), right.panel(p), Start::Zero, c);
        }
        let from_zero = triple_loop(usize::MAX, &|_, _| T::zero());
        same(&elements(&c)[m / 2 * n..], &from_zero[m / 2 * n..], &what);
        // the rows of B backwards, with something between them
        let (between, mut apart) = (T::from_f64(f64::NAN), Vec::new());
        for p in (0..k).rev() {
            apart.push(between);
            apart.extend(&b[p * n..(p + 1) * n]);
        }
        apart.resize(apart.len() + n + LANES, between);
        let mut rows = Starts::default();
        rows.set((0..k).map(|p| 1 + (k - 1 - p) * (n + 1)));
        let width = n.next_multiple_of(LANES);
        let mut numbers = vec![T::zero(); m * width];
        let (scattered, c) = (Scattered { numbers: &apart, rows: &rows, columns: n }, &mut numbers);
        assert!(scattered.is_readable());
        let c = PanelMut { numbers: c, width };
        multiply(Lhs::panels(&by_rows, 0..m), scattered, Start::Zero, c);
        let elements: Vec<T> = (0..m * n).map(|at| numbers[at / n * width + at % n]).collect();
        same(&elements, &from_zero, &what);
    }

    #[test]
    fn products_equal_the_triple_loop_bit_by_bit_on_every_path() {
        InstructionSet::each(|_| {
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
            for (m, n, k) in [(9, 50, 256), (9, 50, 257), (100, 49, 520), (13, 200, 1030), (70, 97, 700)] {
                compare::<f32>(m, n, k, false);
                compare::<f64>(m, n, k, true);
            }
        });
    }
}
