//! The matrices of a product, as they lie in memory.

#![allow(unsafe_code)] // rows by pointers, which the product checks before its loops

use std::ops::Range;

use super::panels::{LANES, Panel, Panels};
use super::prefetch::prefetch_line;
use super::scalar::Scalar;

/// Inner indices of a chain of multiply-adds: products of more are sums of chains.
pub const SEGMENT: usize = 256;

/// The left-hand matrix (rows × depth): element (i, k) lies at `i·row + k·inner`, and where k is in the n-th run of `run`
/// inner indices, it counts from there, from `n·next` on.
#[derive(Clone, Copy, Debug)]
pub struct Lhs<'a, T> {
    pub numbers: &'a [T],
    pub rows: usize,
    pub depth: usize,
    pub row: usize,
    pub inner: usize,
    pub run: usize,
    pub next: usize,
    /// Whether each run is a segment, with a chain of its own.
    pub in_segments: bool,
}

impl<'a, T: Scalar> Lhs<'a, T> {
    /// A matrix that lies row by row.
    pub fn rows(numbers: &'a [T], rows: usize, depth: usize) -> Self {
        Lhs { numbers, rows, depth, row: depth, inner: 1, run: SEGMENT, next: SEGMENT, in_segments: true }
    }

    /// The transpose of a matrix (depth × rows) that lies row by row.
    pub fn columns(numbers: &'a [T], rows: usize, depth: usize) -> Self {
        Lhs { numbers, rows, depth, row: 1, inner: rows, run: SEGMENT, next: SEGMENT * rows, in_segments: true }
    }

    /// Some rows of a matrix in panels.
    pub fn panels(matrix: &'a Panels<T>, rows: Range<usize>) -> Self {
        let (width, next) = (matrix.width(), matrix.height() * matrix.width());
        let numbers = matrix.numbers().get(rows.start * width..).unwrap_or_default();
        Lhs {
            numbers,
            rows: rows.len(),
            depth: matrix.columns(),
            row: width,
            inner: 1,
            run: width,
            next,
            in_segments: false,
        }
    }

    /// Some rows and inner indices, from the beginning of a segment on, of a matrix that does not lie in panels.
    pub fn part(self, rows: Range<usize>, depth: Range<usize>) -> Self {
        let numbers = &self.numbers[rows.start * self.row + depth.start * self.inner..];
        Lhs { numbers, rows: rows.len(), depth: depth.len(), ..self }
    }

    /// Where the last element lies.
    pub fn last(self) -> usize {
        let k = self.depth.max(1) - 1;
        // a division is felt where the product is small
        let (run, within) = if k < self.run { (0, k) } else { (k / self.run, k % self.run) };
        (self.rows - 1) * self.row + run * self.next + within * self.inner
    }
}

/// The right-hand matrix (depth × columns), row by row, and what memory is asked for while its rows are read.
///
/// # Safety
/// So many numbers lie at [`row`](Self::row) as [`holds`](Self::holds) says there are.
pub unsafe trait Rhs<T>: Copy {
    fn columns(self) -> usize;
    /// Whether there are so many rows, and at each so many numbers, whether they belong to the matrix or not.
    fn holds(self, rows: usize, numbers: usize) -> bool;
    /// Where the k-th row begins.
    ///
    /// # Safety
    /// There are more than k rows.
    unsafe fn row(self, k: usize) -> *const T;
    /// Whether memory is asked for while the first tile reads the rows.
    const PREFETCHES: bool = false;
    /// Asks for something beside the k-th row: one hint for each, so that they do not wait for each other.
    ///
    /// # Safety
    /// As [`row`](Self::row).
    #[inline(always)]
    unsafe fn prefetch_beside(self, _k: usize) {}
    /// The matrix alone, as the other tiles read it.
    type Plain: Rhs<T>;
    fn plain(self) -> Self::Plain;
}

// SAFETY: rows of a panel are `width` numbers apart, and within its numbers.
unsafe impl<T: Scalar> Rhs<T> for Panel<'_, T> {
    fn columns(self) -> usize {
        self.columns
    }
    fn holds(self, rows: usize, numbers: usize) -> bool {
        numbers <= self.width && self.numbers.len() >= rows * self.width
    }
    #[inline(always)]
    unsafe fn row(self, k: usize) -> *const T {
        self.numbers.as_ptr().wrapping_add(k * self.width)
    }
    type Plain = Self;
    #[inline(always)]
    fn plain(self) -> Self {
        self
    }
}

/// A panel, beside which some pieces of memory are asked for in turn, at so many numbers each time.
#[derive(Clone, Copy)]
pub struct Prefetching<'a, T> {
    panel: Panel<'a, T>,
    pieces: [&'a [T]; PIECES],
    step: usize,
}

/// Pieces that a tile asks for.
pub const PIECES: usize = 4;

impl<'a, T> Prefetching<'a, T> {
    /// Where a piece is empty, the panel takes its place: it is there, and looking up an address that is not takes its time.
    pub fn new(panel: Panel<'a, T>, mut pieces: [&'a [T]; PIECES], depth: usize) -> Self {
        let step = pieces[0].len().div_ceil((depth / PIECES).max(1));
        for piece in pieces.iter_mut().filter(|piece| piece.is_empty()) {
            *piece = panel.numbers;
        }
        Prefetching { panel, pieces, step }
    }
}

// SAFETY: as of the panel.
unsafe impl<'a, T: Scalar> Rhs<T> for Prefetching<'a, T> {
    fn columns(self) -> usize {
        self.panel.columns
    }
    fn holds(self, rows: usize, numbers: usize) -> bool {
        self.panel.holds(rows, numbers)
    }
    #[inline(always)]
    unsafe fn row(self, k: usize) -> *const T {
        // SAFETY: the caller's.
        unsafe { self.panel.row(k) }
    }
    const PREFETCHES: bool = true;
    #[inline(always)]
    unsafe fn prefetch_beside(self, k: usize) {
        prefetch_line(self.pieces[k % PIECES].as_ptr().wrapping_add(k / PIECES * self.step));
    }
    type Plain = Panel<'a, T>;
    #[inline(always)]
    fn plain(self) -> Panel<'a, T> {
        self.panel
    }
}

/// Where rows begin that lie anywhere in a slice.
#[derive(Clone, Debug, Default)]
pub struct Starts {
    starts: Vec<usize>,
    last: usize,
}

impl Starts {
    pub fn as_slice(&self) -> &[usize] {
        &self.starts
    }

    pub fn set(&mut self, starts: impl Iterator<Item = usize>) {
        self.starts.clear();
        self.starts.extend(starts);
        self.last = self.starts.iter().copied().max().unwrap_or_default();
    }
}

/// Some columns of rows that lie apart.
#[derive(Clone, Copy)]
pub struct Scattered<'a, T> {
    /// From the first of the columns on.
    pub numbers: &'a [T],
    pub rows: &'a Starts,
    pub columns: usize,
}

impl<T: Scalar> Scattered<'_, T> {
    /// Whether whole vectors can be read from each row: the last may end too near the end of the numbers.
    pub fn is_readable(self) -> bool {
        self.holds(0, self.columns.next_multiple_of(LANES))
    }
}

// SAFETY: the last row has the numbers asked for, so the others have them too.
unsafe impl<T: Scalar> Rhs<T> for Scattered<'_, T> {
    fn columns(self) -> usize {
        self.columns
    }
    fn holds(self, rows: usize, numbers: usize) -> bool {
        rows <= self.rows.starts.len() && self.rows.last + numbers <= self.numbers.len()
    }
    #[inline(always)]
    unsafe fn row(self, k: usize) -> *const T {
        // SAFETY: there are more than k rows.
        self.numbers.as_ptr().wrapping_add(unsafe { *self.rows.starts.get_unchecked(k) })
    }
    type Plain = Self;
    #[inline(always)]
    fn plain(self) -> Self {
        self
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
    /// 0, and the result is added to what C holds.
    Added,
}

impl<T> Start<'_, T> {
    /// The start of some rows.
    pub fn part(self, rows: Range<usize>) -> Self {
        match self {
            Start::Rows(numbers) => Start::Rows(&numbers[rows]),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_too_near_the_end_are_not_read() {
        let mut rows = Starts::default();
        rows.set([16, 0].into_iter());
        for (length, readable) in [(31, false), (32, true)] {
            let numbers = vec![1f32; length];
            assert_eq!(Scattered { numbers: &numbers, rows: &rows, columns: 9 }.is_readable(), readable);
        }
    }
}
