//! A matrix that lies row by row, cut into columns that different threads may write.

#![allow(unsafe_code)] // a pointer in place of a slice, because columns of a row-by-row matrix lie apart

use std::marker::PhantomData;

/// Some columns of a matrix, to be written. A matrix may be of no columns.
pub struct Grid<'a, T> {
    start: *mut T,
    rows: usize,
    columns: usize,
    /// Numbers from row to row.
    stride: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: it is the only way to its elements, as a `&mut [T]` would be.
unsafe impl<T: Send> Send for Grid<'_, T> {}

impl<'a, T> Grid<'a, T> {
    /// The matrix of these rows and columns that the numbers are; of no columns where there are no numbers.
    ///
    /// # Panics
    /// When the numbers are others.
    pub fn new(numbers: &'a mut [T], [rows, columns]: [usize; 2]) -> Self {
        let columns = if numbers.is_empty() { 0 } else { columns };
        assert_eq!(numbers.len(), rows * columns);
        Grid { start: numbers.as_mut_ptr(), rows, columns, stride: columns, owner: PhantomData }
    }

    /// The columns before `at`, and those from it on; all where there are fewer.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        let at = at.min(self.columns);
        let Grid { start, rows, columns, stride, owner } = self;
        // the element behind the last one of a row is at most that behind the numbers
        let second = start.wrapping_add(at);
        (
            Grid { start, rows, columns: at, stride, owner },
            Grid { start: second, rows, columns: columns - at, stride, owner },
        )
    }

    /// So many columns of a row from `column` on; nothing of a matrix without columns.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline(always)]
    pub fn row(&mut self, row: usize, column: usize, count: usize) -> &mut [T] {
        if self.columns == 0 {
            return &mut [];
        }
        assert!(row < self.rows && column + count <= self.columns);
        // SAFETY: within the columns of this grid, which no other reaches.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride + column), count) }
    }

    /// The same, to be read.
    #[inline(always)]
    pub fn row_ref(&self, row: usize, column: usize, count: usize) -> &[T] {
        if self.columns == 0 {
            return &[];
        }
        assert!(row < self.rows && column + count <= self.columns);
        // SAFETY: as in `row`.
        unsafe { std::slice::from_raw_parts(self.start.add(row * self.stride + column), count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_written_apart_by_threads() {
        let mut numbers = vec![0; 3 * 5];
        let (mut left, mut right) = Grid::new(&mut numbers, [3, 5]).split_at(2);
        std::thread::scope(|threads| {
            threads.spawn(|| (0..3).for_each(|i| left.row(i, 0, 2).fill(10 * i + 1)));
            threads.spawn(|| (0..3).for_each(|i| right.row(i, 1, 2).fill(10 * i + 2)));
        });
        assert_eq!(right.row_ref(2, 0, 3), [0, 22, 22]);
        assert_eq!(numbers, [1, 1, 0, 2, 2, 11, 11, 0, 12, 12, 21, 21, 0, 22, 22]);
        let (mut none, mut rest) = Grid::<i32>::new(&mut [], [3, 5]).split_at(2);
        assert!(none.row(1, 0, 2).is_empty() && rest.row(2, 0, 2).is_empty());
    }

    #[test]
    #[should_panic]
    fn columns_beyond_the_grid_are_refused() {
        let mut numbers = vec![0; 6];
        let (mut left, _) = Grid::new(&mut numbers, [2, 3]).split_at(1);
        left.row(0, 0, 2);
    }
}
