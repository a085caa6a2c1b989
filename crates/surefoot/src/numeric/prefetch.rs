//! Hints to the CPU that memory will be read soon, so that it comes while something else is computed.

#![allow(unsafe_code)] // the hint; it reads nothing and cannot fault

/// Bytes that come at a time.
const LINE: usize = 64;

/// Numbers that come at a time.
pub const fn line_of<T>() -> usize {
    LINE / size_of::<T>()
}

/// Asks for the line of this address.
#[inline(always)]
pub fn prefetch_line<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Asks for these numbers.
#[inline(always)]
pub fn prefetch<T>(numbers: &[T]) {
    (0..numbers.len()).step_by(line_of::<T>()).for_each(|at| prefetch_line(&numbers[at]));
}

/// Rows that will be read next. Products ask for a piece of them in each tile, a line at a time: more at once would wait
/// for each other.
pub struct PrefetchQueue<F> {
    row: F,
    rows: usize,
    /// The next row, and where in it.
    at: (usize, usize),
    /// Numbers of a piece.
    piece: usize,
}

/// Fewer numbers than this are most likely in cache already.
pub const WORTH_PREFETCHING: usize = 8_192;

impl<'a, T: 'a> PrefetchQueue<fn(usize) -> &'a [T]> {
    /// No rows.
    pub fn nothing() -> Self {
        PrefetchQueue { row: |_| &[], rows: 0, at: (0, 0), piece: 0 }
    }
}

impl<'a, T: 'a, F: Fn(usize) -> &'a [T]> PrefetchQueue<F> {
    /// So many rows.
    pub fn new(row: F, rows: usize) -> Self {
        let is_worth_it = rows > 0 && rows * row(0).len() >= WORTH_PREFETCHING;
        PrefetchQueue { row, rows: if is_worth_it { rows } else { 0 }, at: (0, 0), piece: 0 }
    }

    /// Whether all has been asked for.
    pub fn is_done(&self) -> bool {
        self.at.0 >= self.rows
    }

    /// Cuts the rows into about so many pieces, each within a row.
    pub fn cut(&mut self, pieces: usize) {
        if !self.is_done() {
            let per_row = (pieces / self.rows).max(1);
            self.piece = (self.row)(0).len().div_ceil(per_row);
        }
    }

    /// The next piece, empty after the last.
    #[inline(always)]
    pub fn next_piece(&mut self) -> &'a [T] {
        if self.is_done() {
            return &[];
        }
        let (row, at) = self.at;
        let numbers = (self.row)(row);
        let end = numbers.len().min(at + self.piece);
        self.at = if end < numbers.len() { (row, end) } else { (row + 1, 0) };
        &numbers[at..end]
    }
}
