//! The products of matrices, with specified bits.
//!
//! All matrices lie row by row. Every element is one chain of fused multiply-adds, from a start (a bias, 0, or the sum so
//! far), in ascending order of the inner index:
//!
//! ```text
//!   c := start;   for k in 0..K { c := fma(aₖ, bₖ, c) }
//! ```
//!
//! So a plain triple loop with `mul_add` is not an approximation of these kernels but equal to them, which the tests
//! assert; vector width, tiles, blocks and threads are free to choose. The right-hand matrix is packed into [`Panels`] first,
//! or read [as it lies](View::as_it_lies) where it is small.

#![allow(unsafe_code)] // pointers within tiles, each checked against its slice before the loops

use super::scalar::Scalar;
use super::simd::{InstructionSet, Vector, Vectors};

/// Columns of a panel: a multiple of the lanes of every instruction set, and as wide as the widest tile.
const PANEL: usize = 48;
/// Inner indices that a pass over the rows takes at a time: a panel's part stays in the first or second cache.
const DEPTH: usize = 256;
/// Rows that a pass over the panels takes at a time: they stay in the second cache.
const GROUP: usize = 64;
/// Rows of a tile.
pub const TILE_ROWS: usize = 8;

/// A matrix (k × n), packed into panels of 48 columns (fewer, in sixteens, where it has fewer), row by row, the last panel
/// filled up with zeros.
#[derive(Clone, Debug)]
pub struct Panels<T> {
    numbers: Vec<T>,
    k: usize,
    n: usize,
}

/// A matrix (k × n) as the products read it: panels of `width` columns one after the other, row by row.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    numbers: &'a [T],
    k: usize,
    n: usize,
    width: usize,
}

/// Numbers behind a matrix that is [read as it lies](View::as_it_lies): the last vector of its last row may reach there.
pub const SLACK: usize = 16;

impl<'a, T: Scalar> View<'a, T> {
    /// A matrix that lies row by row, as one panel: nothing is packed, which is best for small ones. The last vector of
    /// a row then reaches into the next row, whose numbers go nowhere; behind the last row there are [`SLACK`] more.
    pub fn as_it_lies(numbers: &'a [T], k: usize, n: usize) -> Self {
        assert!(numbers.len() >= k * n + SLACK);
        View { numbers, k, n, width: n }
    }
}

impl<T: Scalar> Panels<T> {
    /// The matrix that was packed last.
    pub fn view(&self) -> View<'_, T> {
        View { numbers: &self.numbers, k: self.k, n: self.n, width: Self::width(self.n) }
    }

    /// An empty one, to be packed.
    pub fn new() -> Self {
        Panels { numbers: Vec::new(), k: 0, n: 0 }
    }

    /// The columns of a panel: narrow matrices have a narrow one.
    fn width(n: usize) -> usize {
        if n >= PANEL { PANEL } else { n.max(1).next_multiple_of(16) }
    }

    fn reserve(&mut self, k: usize, n: usize) -> usize {
        let width = Self::width(n);
        (self.k, self.n) = (k, n);
        let length = n.div_ceil(width.max(1)) * width * k.max(1);
        if self.numbers.len() < length {
            self.numbers.resize(length, T::zero());
        }
        width
    }

    /// Packs k rows of n numbers, given by their index.
    pub fn pack_rows<'a>(&mut self, n: usize, k: usize, row: impl Fn(usize) -> &'a [T])
    where
        T: 'a,
    {
        let width = self.reserve(k, n);
        for (p, panel) in self.numbers.chunks_exact_mut(width * k.max(1)).take(n.div_ceil(width)).enumerate() {
            let columns = p * width..n.min((p + 1) * width);
            for (r, to) in panel.chunks_exact_mut(width).take(k).enumerate() {
                let from = &row(r)[columns.clone()];
                // eight at a time, because a call to copy a few numbers takes longer than copying them
                let (to_eights, to_rest) = to.as_chunks_mut::<8>();
                let (eights, rest) = from.as_chunks::<8>();
                to_eights.iter_mut().zip(eights).for_each(|(to, from)| *to = *from);
                if from.len() < width {
                    to_rest.fill(T::zero());
                    let mut last = [T::zero(); 8];
                    rest.iter().zip(&mut last).for_each(|(&from, to)| *to = from);
                    to_eights[eights.len()] = last;
                    to_eights[eights.len() + 1..].iter_mut().for_each(|to| *to = [T::zero(); 8]);
                }
            }
        }
    }

    /// Packs the transpose of `matrix` (n × k).
    pub fn pack_transposed(&mut self, matrix: &[T], k: usize) {
        let n = matrix.len() / k;
        let width = self.reserve(k, n);
        for (p, panel) in self.numbers.chunks_exact_mut(width * k).take(n.div_ceil(width)).enumerate() {
            let rows = &matrix[p * width * k..n.min((p + 1) * width) * k];
            let count = rows.len() / k;
            for j in (0..width).step_by(8) {
                let whole = if j + 8 <= count { k / 8 * 8 } else { 0 };
                // blocks of 8 × 8, which the compiler keeps in registers
                for i in (0..whole).step_by(8) {
                    let block: [[T; 8]; 8] = std::array::from_fn(|j_in| {
                        let row = &rows[(j + j_in) * k + i..][..8];
                        std::array::from_fn(|i_in| row[i_in])
                    });
                    for i_in in 0..8 {
                        let to = &mut panel[(i + i_in) * width + j..][..8];
                        (0..8).for_each(|j_in| to[j_in] = block[j_in][i_in]);
                    }
                }
                for i in whole..k {
                    for j in j..j + 8 {
                        panel[i * width + j] = if j < count { rows[j * k + i] } else { T::zero() };
                    }
                }
            }
        }
    }
}

/// `C = start + A·B` for some rows: `a` (rows × k) given by its rows, `b` packed (k × n), `c` (rows × n); the chains of
/// each row begin with the n numbers of `start`.
pub fn multiply<'a, T: Scalar + 'a>(rows: impl Fn(usize) -> &'a [T] + Copy, b: &Panels<T>, start: &[T], c: &mut [T]) {
    let count = c.len().checked_div(b.n).unwrap_or(0);
    if count == 0 {
        return;
    }
    assert_eq!(start.len(), b.n);
    let b = b.view();
    assert!((0..count).all(|r| rows(r).len() == b.k), "rows of A are as long as B is high");
    match InstructionSet::current() {
        // SAFETY: `current` only names sets that the CPU has; the lengths were just asserted.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512::multiply(rows, b, start, c, count) },
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2::multiply(rows, b, start, c, count) },
        _ => unsafe { multiply_by::<T::Portable, 4, 1>(rows, b, start, c, count) },
    }
}

/// `C += Aᵀ·B` for some columns of A: of `a` (k × m), given by its rows, the columns from `first` on (at most
/// [`TILE_ROWS`]) are multiplied by `b`, packed (k × n); `c` has a row of n numbers for each of them, from which the
/// chains of its elements start.
pub fn multiply_transposed<'a, T: Scalar + 'a>(
    rows: impl Fn(usize) -> &'a [T],
    first: usize,
    b: View<'_, T>,
    c: &mut [T],
) {
    let count = c.len().checked_div(b.n).unwrap_or(0);
    assert!(count <= TILE_ROWS);
    // The columns side by side, so that a tile reads them in one line.
    let mut columns = [T::zero(); TILE_ROWS * DEPTH];
    for from in (0..b.k).step_by(DEPTH) {
        let depth = DEPTH.min(b.k - from);
        for (k, to) in columns.as_chunks_mut::<TILE_ROWS>().0.iter_mut().take(depth).enumerate() {
            let from = &rows(from + k)[first..first + count];
            match from.first_chunk() {
                Some(all) => *to = *all,
                None => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
            }
        }
        match InstructionSet::current() {
            // SAFETY: as in `multiply`.
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => unsafe { avx512::multiply_transposed(&columns, from, depth, b, c, count) },
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => unsafe { avx2::multiply_transposed(&columns, from, depth, b, c, count) },
            _ => unsafe { multiply_transposed_by::<T::Portable, 4, 1>(&columns, from, depth, b, c, count) },
        }
    }
}

/// The loops of [`multiply`] with tiles of M rows and N vectors.
#[inline(always)]
unsafe fn multiply_by<'a, V: Vector, const M: usize, const N: usize>(
    rows: impl Fn(usize) -> &'a [V::Scalar] + Copy,
    b: View<'_, V::Scalar>,
    start: &[V::Scalar],
    c: &mut [V::Scalar],
    count: usize,
) where
    V::Scalar: 'a,
{
    let View { k, n, width, .. } = b;
    for group in (0..count).step_by(GROUP) {
        let end = count.min(group + GROUP);
        for p in 0..n.div_ceil(width) {
            let panel = &b.numbers[p * width * k..];
            for from in (0..k.max(1)).step_by(DEPTH) {
                let depth = DEPTH.min(k - from);
                for j in (0..width.min(n - p * width)).step_by(N * V::LANES) {
                    let column = p * width + j;
                    let mut r = group;
                    while r < end {
                        let tile = Tile { column, n, row: r, depth };
                        // SAFETY: tile by tile within the lengths that the caller asserted.
                        unsafe {
                            let b = panel.as_ptr().add(from * width + j);
                            macro_rules! of_rows {
                                ($m:expr) => {{
                                    let a: [*const V::Scalar; $m] =
                                        std::array::from_fn(|i| rows(r + i).as_ptr().add(from));
                                    let a = |i: usize, k: usize| a[i].add(k);
                                    match from {
                                        0 => tile.columns::<V, { $m }, N, true>(a, b, width, width - j, start, c),
                                        _ => tile.columns::<V, { $m }, N, false>(a, b, width, width - j, start, c),
                                    }
                                    r += $m;
                                }};
                            }
                            match end - r {
                                left if left >= M => of_rows!(M),
                                4.. => of_rows!(4),
                                2.. => of_rows!(2),
                                _ => of_rows!(1),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The loops of [`multiply_transposed`] over inner indices `from..from + depth`, with tiles of M rows and N vectors.
#[inline(always)]
unsafe fn multiply_transposed_by<V: Vector, const M: usize, const N: usize>(
    columns: &[V::Scalar],
    from: usize,
    depth: usize,
    b: View<'_, V::Scalar>,
    c: &mut [V::Scalar],
    count: usize,
) {
    let View { k, n, width, .. } = b;
    for p in 0..n.div_ceil(width) {
        let panel = &b.numbers[p * width * k..];
        for j in (0..width.min(n - p * width)).step_by(N * V::LANES) {
            let column = p * width + j;
            let mut r = 0;
            while r < count {
                let tile = Tile { column, n, row: r, depth };
                // SAFETY: as in `multiply_by`; `columns` has `depth` rows of TILE_ROWS numbers.
                unsafe {
                    let b = panel.as_ptr().add(from * width + j);
                    let a = columns.as_ptr().add(r);
                    macro_rules! of_rows {
                        ($m:expr) => {{
                            let a = |i: usize, k: usize| a.add(k * TILE_ROWS + i);
                            tile.columns::<V, { $m }, N, false>(a, b, width, width - j, &[], c);
                            r += $m;
                        }};
                    }
                    match count - r {
                        left if left >= M => of_rows!(M),
                        4.. => of_rows!(4),
                        2.. => of_rows!(2),
                        _ => of_rows!(1),
                    }
                }
            }
        }
    }
}

/// Where a tile lies in C, and what is added to it.
#[derive(Clone, Copy)]
struct Tile {
    column: usize,
    n: usize,
    row: usize,
    depth: usize,
}

impl Tile {
    /// Of N vectors, computes those that the panel (`left` columns from here) and C still have.
    #[inline(always)]
    unsafe fn columns<V: Vector, const M: usize, const N: usize, const START: bool>(
        self,
        a: impl Fn(usize, usize) -> *const V::Scalar + Copy,
        b: *const V::Scalar,
        width: usize,
        left: usize,
        start: &[V::Scalar],
        c: &mut [V::Scalar],
    ) {
        let vectors = left.min(self.n - self.column).div_ceil(V::LANES).min(N);
        // SAFETY: as the caller's.
        unsafe {
            match vectors {
                _ if vectors == N => self.compute::<V, M, N, START>(a, b, width, start, c),
                2 => self.compute::<V, M, 2, START>(a, b, width, start, c),
                _ => self.compute::<V, M, 1, START>(a, b, width, start, c),
            }
        }
    }

    /// The chain of fused multiply-adds of M × N vectors, all in registers, from `start` or from what C holds.
    #[inline(always)]
    unsafe fn compute<V: Vector, const M: usize, const N: usize, const START: bool>(
        self,
        a: impl Fn(usize, usize) -> *const V::Scalar + Copy,
        b: *const V::Scalar,
        width: usize,
        start: &[V::Scalar],
        c: &mut [V::Scalar],
    ) {
        // The last vector may reach beyond the columns of C.
        let whole = self.column + N * V::LANES <= self.n;
        let columns = |j: usize| self.column + j * V::LANES..(self.column + (j + 1) * V::LANES).min(self.n);
        // SAFETY: `b` has `depth` rows of `width` numbers with N vectors left in each, `a(i, k)` points into a row of A
        // for i < M and k < depth, and elements of C are reached through its slices.
        unsafe {
            let mut sums = [[V::splat(V::Scalar::from_f64(0.0)); N]; M];
            for (i, row) in sums.iter_mut().enumerate() {
                let line = if START { start } else { &c[(self.row + i) * self.n..(self.row + i + 1) * self.n] };
                for (j, sum) in row.iter_mut().enumerate() {
                    let from = &line[columns(j)];
                    *sum = match whole {
                        true => V::load(from.as_ptr()),
                        false => V::load_part(from.as_ptr(), from.len()),
                    };
                }
            }
            for k in 0..self.depth {
                let b: [V; N] = std::array::from_fn(|j| V::load(b.add(k * width + j * V::LANES)));
                for (i, row) in sums.iter_mut().enumerate() {
                    let a = V::splat(*a(i, k));
                    for (sum, &b) in row.iter_mut().zip(&b) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
            }
            for (i, row) in sums.iter().enumerate() {
                let line = &mut c[(self.row + i) * self.n..(self.row + i + 1) * self.n];
                for (j, sum) in row.iter().enumerate() {
                    let to = &mut line[columns(j)];
                    match whole {
                        true => sum.store(to.as_mut_ptr()),
                        false => sum.store_part(to.as_mut_ptr(), to.len()),
                    }
                }
            }
        }
    }
}

/// The loops as compiled for a path, with the tiles that fill its registers.
macro_rules! compiled_for {
    ($module:ident, $vectors:ident, $features:literal, $m:literal, $n:literal) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            pub unsafe fn multiply<'a, T: Scalar + 'a>(
                rows: impl Fn(usize) -> &'a [T] + Copy,
                b: View<'_, T>,
                start: &[T],
                c: &mut [T],
                count: usize,
            ) {
                // SAFETY: as the caller's.
                unsafe { multiply_by::<<T as Vectors>::$vectors, $m, $n>(rows, b, start, c, count) }
            }

            #[target_feature(enable = $features)]
            pub unsafe fn multiply_transposed<T: Scalar>(
                columns: &[T],
                from: usize,
                depth: usize,
                b: View<'_, T>,
                c: &mut [T],
                count: usize,
            ) {
                // SAFETY: as the caller's.
                unsafe { multiply_transposed_by::<<T as Vectors>::$vectors, $m, $n>(columns, from, depth, b, c, count) }
            }
        }
    };
}

compiled_for!(avx512, Avx512, "avx512f,avx512vl,avx512bw,avx512dq,fma", 8, 3);
compiled_for!(avx2, Avx2, "avx2,fma", 4, 3);

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

    /// Both products against the triple loop, bit by bit, with the instructions in use.
    fn compare<T: Scalar>(m: usize, n: usize, k: usize, wild: bool) {
        let what = format!("{m} × {n} × {k} {} {:?}", T::NAME, InstructionSet::current());
        let (a, b, start) = (draws::<T>(m * k, 1, wild), draws::<T>(k * n, 2, wild), draws::<T>(n, 3, wild));
        let mut expected = Vec::new();
        for i in 0..m {
            for j in 0..n {
                expected.push((0..k).fold(start[j], |sum, p| a[i * k + p].mul_add(b[p * n + j], sum)));
            }
        }
        let row = |r: usize| &a[r * k..(r + 1) * k];
        let mut panels = Panels::new();
        let started = |c: &mut Vec<T>| {
            c.clear();
            (0..m).for_each(|_| c.extend_from_slice(&start)); // every row starts from the same numbers
        };
        let mut c = vec![T::from_f64(f64::NAN); m * n];
        panels.pack_rows(n, k, |p| &b[p * n..(p + 1) * n]);
        multiply(row, &panels, &start, &mut c);
        same(&c, &expected, &what);
        if k > 0 && n > 0 {
            let transposed: Vec<T> = (0..n * k).map(|at| b[at % k * n + at / k]).collect();
            panels.pack_transposed(&transposed, k);
            c.fill(T::from_f64(f64::NAN));
            multiply(row, &panels, &start, &mut c);
            same(&c, &expected, &what);
        }
        if m > 0 {
            let a: Vec<T> = (0..k * m).map(|at| a[at % m * k + at / m]).collect();
            started(&mut c);
            let as_it_lies = [&b[..], &[T::from_f64(f64::NAN); SLACK]].concat();
            for view in
                [Some(panels.view()), (n > 0).then(|| View::as_it_lies(&as_it_lies, k, n))].into_iter().flatten()
            {
                started(&mut c);
                for first in (0..m).step_by(TILE_ROWS) {
                    let part = first * n..m.min(first + TILE_ROWS) * n;
                    multiply_transposed(|r| &a[r * m..(r + 1) * m], first, view, &mut c[part.clone()]);
                    same(&c[part.clone()], &expected[part], &what);
                }
            }
        }
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
            for (m, n, k) in [(100, 49, 520), (13, 200, 1030), (70, 97, 600)] {
                compare::<f32>(m, n, k, false);
                compare::<f64>(m, n, k, true);
            }
        }
    }
}
