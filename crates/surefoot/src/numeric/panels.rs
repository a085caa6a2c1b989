//! Matrices cut into panels of columns, as the products read and write them.

use std::ops::Range;

use super::aligned::Aligned;
use super::scalar::Scalar;
use super::simd::{transpose, vectorized};

/// Columns of a panel: a multiple of the lanes of every instruction set, and as wide as the widest tile.
pub const PANEL: usize = 48;
/// A panel is as wide as whole vectors of every instruction set; loops over columns take so many at a time, too.
pub const LANES: usize = 16;

/// A matrix (height × columns) in panels of 48 columns, one after the other, each row by row. A matrix of fewer columns
/// has one narrower panel. Behind the last column there are numbers without meaning.
#[derive(Clone, Debug)]
pub struct Panels<T> {
    numbers: Aligned<T>,
    height: usize,
    columns: usize,
    /// The numbers from row to row of a panel.
    width: usize,
    /// How many panels there are.
    count: usize,
}

/// One panel: `columns` of its `width` numbers a row belong to the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a, T> {
    pub numbers: &'a [T],
    pub width: usize,
    pub columns: usize,
}

/// Some rows of a panel to be written, of so many numbers each.
pub struct PanelMut<'a, T> {
    pub numbers: &'a mut [T],
    pub width: usize,
}

impl<'a, T> Panel<'a, T> {
    /// Its rows, as far as they belong to the matrix.
    #[inline(always)]
    pub fn rows(self) -> impl Iterator<Item = &'a [T]> {
        rows(self.numbers, self.width).map(
            #[inline(always)]
            move |row| &row[..self.columns],
        )
    }

    /// Its rows from one on.
    pub fn below(self, row: usize) -> Self {
        Panel { numbers: &self.numbers[row * self.width..], ..self }
    }
}

impl<T: Scalar> Panels<T> {
    /// An empty matrix.
    pub fn new() -> Self {
        Panels { numbers: Aligned::new(), height: 0, columns: 0, width: LANES, count: 0 }
    }

    /// Makes it height × columns; what the elements are is open.
    pub fn resize(&mut self, height: usize, columns: usize) {
        if (height, columns) == (self.height, self.columns) {
            return; // as in nearly every step, where a division would be felt
        }
        (self.height, self.columns) = (height, columns);
        self.width = columns.clamp(1, PANEL).next_multiple_of(LANES);
        self.count = columns.div_ceil(self.width);
        self.numbers.grow(height * self.count * self.width);
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers from row to row of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many panels there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All numbers, panel after panel.
    pub fn numbers(&self) -> &[T] {
        &self.numbers[..self.height * self.count() * self.width()]
    }

    /// All numbers, panel after panel.
    pub fn numbers_mut(&mut self) -> &mut [T] {
        let length = self.height * self.count() * self.width();
        &mut self.numbers[..length]
    }

    /// The p-th panel.
    pub fn panel(&self, p: usize) -> Panel<'_, T> {
        let size = self.height * self.width();
        let columns = self.width().min(self.columns - p * self.width());
        Panel { numbers: &self.numbers[p * size..(p + 1) * size], width: self.width(), columns }
    }

    /// The numbers of the p-th panel.
    pub fn panel_mut(&mut self, p: usize) -> &mut [T] {
        let size = self.height * self.width();
        &mut self.numbers[p * size..(p + 1) * size]
    }

    /// Makes it the matrix of these rows, each of `columns` numbers.
    #[inline(always)]
    pub fn set_rows<'a>(&mut self, height: usize, columns: usize, row: impl Fn(usize) -> &'a [T])
    where
        T: 'a,
    {
        self.resize(height, columns);
        let width = self.width();
        let numbers = &mut self.numbers;
        vectorized(
            #[inline(always)]
            || {
                for r in 0..height {
                    for (p, from) in row(r).chunks(width).enumerate() {
                        copy(from, &mut numbers[(p * height + r) * width..][..width]);
                    }
                }
            },
        );
    }

    /// Makes it the matrix of columns of `height` numbers, the j-th of which begins at `start(j)` of `from`.
    #[inline(always)]
    pub fn set_columns(&mut self, height: usize, columns: usize, from: &[T], start: impl Fn(usize) -> usize) {
        self.resize(height, columns);
        let width = self.width();
        let numbers = &mut self.numbers;
        vectorized(
            #[inline(always)]
            || {
                for (p, first) in (0..columns).step_by(width).enumerate() {
                    let to = &mut numbers[p * height * width..][..height * width];
                    transpose(from, |j| start(first + j), width.min(columns - first), height, to, width);
                }
            },
        );
    }

    /// Writes the transpose of some rows of another matrix over its rows from `first` on. It has one panel, and as many
    /// columns as those are rows.
    pub fn set_transposed(&mut self, first: usize, other: &Panels<T>, rows: Range<usize>) {
        assert!(self.count() == 1 && self.columns == rows.len() && first + other.columns <= self.height);
        let width = self.width();
        let numbers = &mut self.numbers[first * width..];
        vectorized(
            #[inline(always)]
            || {
                for p in 0..other.count() {
                    let Panel { numbers: from, width: from_width, columns } = other.panel(p);
                    let to = &mut numbers[p * from_width * width..];
                    transpose(from, |j| (rows.start + j) * from_width, rows.len(), columns, to, width);
                }
            },
        );
    }
}

/// The rows of a matrix that lies row by row. Unlike `chunks_exact` it does not divide, which small steps would feel.
#[inline(always)]
pub fn rows<T>(mut numbers: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(
        #[inline(always)]
        move || {
            let (row, rest) = numbers.split_at_checked(width)?;
            numbers = rest;
            Some(row)
        },
    )
}

/// The same, to be written.
#[inline(always)]
pub fn rows_mut<T>(mut numbers: &mut [T], width: usize) -> impl Iterator<Item = &mut [T]> {
    std::iter::from_fn(
        #[inline(always)]
        move || {
            let (row, rest) = std::mem::take(&mut numbers).split_at_mut_checked(width)?;
            numbers = rest;
            Some(row)
        },
    )
}

/// The rows of N neighbouring columns, the first of which is `first`, of a matrix that lies row by row.
#[inline(always)]
pub fn columns<T, const N: usize>(numbers: &[T], width: usize, first: usize) -> impl Iterator<Item = &[T; N]> {
    rows(numbers, width).map_while(
        #[inline(always)]
        move |row| row[first..].first_chunk(),
    )
}

/// The same, to be written.
#[inline(always)]
pub fn columns_mut<T, const N: usize>(
    numbers: &mut [T],
    width: usize,
    first: usize,
) -> impl Iterator<Item = &mut [T; N]> {
    rows_mut(numbers, width).map_while(
        #[inline(always)]
        move |row| row[first..].first_chunk_mut(),
    )
}

/// Copies eight at a time, because a call to copy a few numbers takes longer than copying them.
#[inline(always)]
pub fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let (eights, rest) = from.as_chunks::<8>();
    let (to_eights, to_rest) = to[..from.len()].as_chunks_mut::<8>();
    to_eights.iter_mut().zip(eights).for_each(|(to, from)| *to = *from);
    to_rest.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::simd::InstructionSet;

    /// Element (i, j), found by the panel that column j is in.
    fn element<T: Scalar>(matrix: &Panels<T>, i: usize, j: usize) -> T {
        let panel = matrix.panel(j / matrix.width());
        panel.numbers[i * panel.width + j % panel.width]
    }

    #[test]
    fn rows_columns_and_transposes_are_where_they_belong() {
        InstructionSet::each(|_| {
            are_where_they_belong::<f32>();
            are_where_they_belong::<f64>();
        });
    }

    fn are_where_they_belong<T: Scalar>() {
        for height in [1, 7, 8, 9, 48, 100] {
            for columns in [1, 2, 15, 16, 17, 47, 48, 49, 96, 130] {
                let number = |i: usize, j: usize| T::from_f64((1000 * i + j) as f64);
                let rows: Vec<T> = (0..height * columns).map(|at| number(at / columns, at % columns)).collect();
                let turned: Vec<T> = (0..height * columns).map(|at| number(at % height, at / height)).collect();
                let (mut of_rows, mut of_columns, mut turned_back) = (Panels::new(), Panels::new(), Panels::new());
                of_rows.set_rows(height, columns, |i| &rows[i * columns..][..columns]);
                of_columns.set_columns(height, columns, &turned, |j| j * height);
                let middle = height.min(48) / 2..height.min(48);
                turned_back.resize(columns + 3, middle.len());
                turned_back.set_transposed(3, &of_rows, middle.clone());
                for i in 0..height {
                    for j in 0..columns {
                        assert_eq!(element(&of_rows, i, j), number(i, j));
                        assert_eq!(element(&of_columns, i, j), number(i, j));
                        if middle.contains(&i) {
                            assert_eq!(element(&turned_back, j + 3, i - middle.start), number(i, j));
                        }
                    }
                }
            }
        }
    }
}
