//! Numbers that begin where a line of the cache does, so that no vector of them lies across two lines.

#![allow(unsafe_code)] // pieces of numbers, seen as the numbers

use std::ops::{Deref, DerefMut};

use super::scalar::Scalar;

/// Numbers that are allocated together: one line in single precision, two in double.
const PIECE: usize = 16;

/// What begins where a line does.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct OnLine<A>(A);

/// A buffer of numbers that begins where a line does.
#[derive(Clone, Debug)]
pub struct Aligned<T> {
    pieces: Vec<OnLine<[T; PIECE]>>,
}

impl<T: Scalar> Aligned<T> {
    /// An empty buffer.
    pub fn new() -> Self {
        Aligned { pieces: Vec::new() }
    }

    /// Makes it hold so many numbers, if it holds fewer.
    pub fn grow(&mut self, length: usize) {
        if self.len() < length {
            self.pieces.resize(length.div_ceil(PIECE), OnLine([T::zero(); PIECE]));
        }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        const { assert!(size_of::<OnLine<[T; PIECE]>>() == PIECE * size_of::<T>()) }
        // SAFETY: the pieces are arrays of numbers, without a gap between them.
        unsafe { std::slice::from_raw_parts(self.pieces.as_ptr().cast(), self.pieces.len() * PIECE) }
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        const { assert!(size_of::<OnLine<[T; PIECE]>>() == PIECE * size_of::<T>()) }
        // SAFETY: as in `deref`.
        unsafe { std::slice::from_raw_parts_mut(self.pieces.as_mut_ptr().cast(), self.pieces.len() * PIECE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_where_a_line_does_and_keeps_what_it_holds() {
        for length in [1, 16, 17, 1000, 100_000] {
            let mut numbers = Aligned::<f32>::new();
            numbers.grow(1);
            numbers[0] = 7.0;
            numbers.grow(length);
            assert!(numbers.len() >= length && numbers[0] == 7.0);
            assert_eq!(numbers.as_ptr().addr() % 64, 0);
        }
    }
}
