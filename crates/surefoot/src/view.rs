//! Examples where they lie: a view of a data set, or of some of its rows. Nothing is copied.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use xxhash_rust::xxh3::Xxh3;

use crate::dataset::{Dataset, check_finite, check_weights, mean_weight, shape};
use crate::error::Result;
use crate::numeric::operands::Starts;
use crate::numeric::scalar::Scalar;
use crate::sum::Partition;

/// Rows so near each other are read from disk together, with those between them.
const NEAR: usize = 64;

/// m examples (x⁽ⁱ⁾, y⁽ⁱ⁾) that lie in matrices of somebody else: all rows of them, or some rows in an order.
///
/// So several networks can be trained on different rows of one data set that is in memory once.
///
/// ```
/// use ndarray::array;
/// use surefoot::DatasetView;
///
/// let (inputs, targets) = (array![[0.0f32], [1.0], [2.0]], array![[1.0f32], [3.0], [5.0]]);
/// let data = DatasetView::new(inputs.view(), targets.view())?;
/// let some = data.rows_at(&[2, 0])?;
/// assert_eq!((data.rows(), some.rows()), (3, 2));
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DatasetView<'a, T> {
    examples: Examples<'a, T>,
    /// The mean of the weights of these rows, 1 without weights.
    mean_weight: f64,
}

impl<'a, T: Scalar> DatasetView<'a, T> {
    /// Examples that all count alike, from matrices that lie row by row (C order).
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when there are no rows, the numbers of rows differ, or a matrix does not lie row by row;
    /// [`Error::Value`](crate::Error::Value) with row and column of the first number that is not finite.
    pub fn new(inputs: ArrayView2<'a, T>, targets: ArrayView2<'a, T>) -> Result<Self> {
        if inputs.nrows() != targets.nrows() {
            return Err(shape("targets", format!("{} rows, as the inputs have", inputs.nrows()), targets.nrows()));
        }
        if inputs.is_empty() || targets.is_empty() {
            let got = format!("{} × {} and {} × {}", inputs.nrows(), inputs.ncols(), targets.nrows(), targets.ncols());
            return Err(shape("inputs and targets", "at least one row and column".into(), got));
        }
        check_finite("inputs", inputs)?;
        check_finite("targets", targets)?;
        let columns = (inputs.ncols(), targets.ncols());
        let flat = |what, matrix: ArrayView2<'a, T>| {
            let by_row = || shape(what, "a matrix that lies row by row (C order)".into(), "another order");
            matrix.to_slice().ok_or_else(by_row)
        };
        Ok(DatasetView::of(flat("inputs", inputs)?, flat("targets", targets)?, None, columns, 1.0))
    }

    /// The same examples with these weights, one for each row.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when there is not one for each row, or the view has some rows only; [`Error::Value`](crate::Error::Value) when one is
    /// negative or not finite, or all are 0.
    pub fn with_weights(self, weights: &'a [T]) -> Result<Self> {
        Ok(DatasetView { mean_weight: mean_weight(weights)?, ..self.with_weights_of_part(weights)? })
    }

    /// The same for examples that are a part of others: all of their weights may be 0.
    pub(crate) fn with_weights_of_part(self, weights: &'a [T]) -> Result<Self> {
        if weights.len() != self.rows() || !matches!(self.examples.rows, Rows::Range(0, _)) {
            return Err(shape("weights", format!("{}, one for each row", self.rows()), weights.len()));
        }
        check_weights(weights)?;
        Ok(DatasetView { examples: Examples { weights: Some(weights), ..self.examples }, ..self })
    }

    /// What `Dataset` has checked.
    pub(crate) fn of(
        inputs: &'a [T],
        targets: &'a [T],
        weights: Option<&'a [T]>,
        columns: (usize, usize),
        mean_weight: f64,
    ) -> Self {
        let rows = Rows::Range(0, inputs.len() / columns.0);
        DatasetView { examples: Examples { inputs, targets, weights, columns, rows }, mean_weight }
    }

    /// These rows, by their numbers in the whole data set, in this order.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when `rows` is empty or has a number that is too large; [`Error::Value`](crate::Error::Value) when all of their weights
    /// are 0.
    pub fn rows_at(&self, rows: &'a [usize]) -> Result<Self> {
        let all = self.examples.inputs.len() / self.examples.columns.0;
        if rows.is_empty() {
            return Err(shape("rows", "at least one".into(), "none"));
        }
        if let Some(row) = rows.iter().find(|&&row| row >= all) {
            return Err(shape("rows", format!("numbers below {all}"), row));
        }
        let examples = Examples { rows: Rows::List(rows), ..self.examples };
        let mean_weight = match examples.weights {
            Some(weights) => mean_weight(&rows.iter().map(|&row| weights[row]).collect::<Vec<_>>())?,
            None => 1.0,
        };
        Ok(DatasetView { examples, mean_weight })
    }

    /// m, the number of examples.
    pub fn rows(&self) -> usize {
        self.examples.len()
    }

    /// s₁, the columns of the inputs.
    pub fn inputs_per_row(&self) -> usize {
        self.examples.columns.0
    }

    /// The columns of the targets.
    pub fn targets_per_row(&self) -> usize {
        self.examples.columns.1
    }

    /// X (m × s₁): where it lies, or gathered where the rows lie apart.
    pub fn inputs(&self) -> CowArray<'a, T, Ix2> {
        self.examples.matrix(self.examples.inputs, self.examples.columns.0)
    }

    /// Y (m × outputs), in the same way.
    pub fn targets(&self) -> CowArray<'a, T, Ix2> {
        self.examples.matrix(self.examples.targets, self.examples.columns.1)
    }

    /// The mean of the weights; 1 when none were given.
    pub fn mean_weight(&self) -> f64 {
        self.mean_weight
    }

    /// The weight of each example, if they were given.
    pub fn weights(&self) -> Option<Vec<T>> {
        self.examples.weights().map(|weight| (0..self.rows()).map(weight).collect())
    }

    /// The numbers in the whole data set of the rows at these places of the view, as [`rows_at`](Self::rows_at) takes them.
    pub fn row_numbers(&self, places: &[usize]) -> Vec<usize> {
        places.iter().map(|&place| self.examples.rows.get(place)).collect()
    }

    /// A copy of the examples at these places of the view, in this order.
    ///
    /// # Errors
    /// As [`rows_at`](Self::rows_at).
    pub fn select(&self, places: &[usize]) -> Result<Dataset<T>> {
        if let Some(place) = places.iter().find(|&&place| place >= self.rows()) {
            return Err(shape("rows", format!("places below {}", self.rows()), place));
        }
        let rows = self.row_numbers(places);
        let some = Examples { rows: Rows::List(&rows), ..self.examples };
        let copy = Dataset::new(
            some.matrix(some.inputs, some.columns.0).into_owned(),
            some.matrix(some.targets, some.columns.1).into_owned(),
        )?;
        match some.weights() {
            Some(weight) => copy.with_weights((0..rows.len()).map(weight).collect()),
            None => Ok(copy),
        }
    }

    /// A digest (XXH3) of all numbers of these examples, their shape and their precision: equal digests tell that two machines, or two
    /// days, learn from the same numbers in the same order. It is [made of](digest_of_leaves) those of the leaves of a sum over them.
    pub fn digest(&self) -> u64 {
        let partition = Partition::new(self.rows());
        let leaf = |leaf| self.examples.part(partition.rows_of_leaves(leaf..leaf + 1)).digest();
        digest_of_leaves(self.rows(), &(0..partition.leaves()).map(leaf).collect::<Vec<_>>())
    }

    /// Has these rows of the whole data set, which are many and near each other, read from disk where they are not in memory.
    pub(crate) fn read_ahead(&self, rows: &[usize]) {
        let Examples { inputs, targets, weights, columns, .. } = self.examples;
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let ask = |numbers: &[T], columns: usize, rows: &Range<usize>| {
            surefoot_memory::read_ahead(&numbers[rows.start * columns..rows.end * columns]);
        };
        for near in rows.chunk_by(|row, next| next - row <= NEAR) {
            let rows = near[0]..near[near.len() - 1] + 1;
            ask(inputs, columns.0, &rows);
            ask(targets, columns.1, &rows);
            weights.iter().for_each(|weights| ask(weights, 1, &rows));
        }
    }

    /// The examples of the view.
    pub(crate) fn all(&self) -> Examples<'a, T> {
        self.examples
    }

    /// Some examples of the whole data set, by their numbers there.
    pub(crate) fn examples<'b>(&self, rows: Rows<'b>) -> Examples<'b, T>
    where
        'a: 'b,
    {
        Examples { rows, ..self.examples }
    }
}

/// The [digest](DatasetView::digest) of a data set with so many rows, from those of its leaves
/// ([`Piece::leaf_digests`](crate::Piece::leaf_digests)) in their order.
pub fn digest_of_leaves(rows: usize, leaves: &[u64]) -> u64 {
    let mut digest = Xxh3::new();
    digest.update(&(rows as u64).to_le_bytes());
    leaves.iter().for_each(|leaf| digest.update(&leaf.to_le_bytes()));
    digest.digest()
}

impl<T: Scalar> Dataset<T> {
    /// All examples, as a view: no number is copied.
    pub fn view(&self) -> DatasetView<'_, T> {
        DatasetView::of(
            self.inputs().to_slice().unwrap_or_default(), // standard layout since `new`
            self.targets().to_slice().unwrap_or_default(),
            Dataset::weights(self),
            (self.inputs().ncols(), self.targets().ncols()),
            self.mean_weight(),
        )
    }
}

impl<'a, T: Scalar> From<&'a Dataset<T>> for DatasetView<'a, T> {
    fn from(data: &'a Dataset<T>) -> Self {
        data.view()
    }
}

/// Some rows of a data set, as slices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examples<'a, T> {
    inputs: &'a [T],
    targets: &'a [T],
    weights: Option<&'a [T]>,
    /// Those of the inputs and of the targets.
    columns: (usize, usize),
    rows: Rows<'a>,
}

impl<'a, T: Scalar> Examples<'a, T> {
    /// Inputs of so many columns, row by row, without targets.
    pub fn of_inputs(inputs: &'a [T], columns: usize) -> Self {
        let rows = Rows::Range(0, inputs.len() / columns);
        Examples { inputs, targets: &[], weights: None, columns: (columns, 0), rows }
    }

    /// The rows of a matrix with so many columns: where they lie, or gathered.
    fn matrix(self, numbers: &'a [T], columns: usize) -> CowArray<'a, T, Ix2> {
        let shape = (self.len(), columns);
        let view = match self.rows {
            Rows::Range(..) => ArrayView2::from_shape(shape, self.rows.run(numbers, columns, 0)).map(CowArray::from),
            Rows::List(rows) => {
                let gathered = rows.iter().flat_map(|row| &numbers[row * columns..][..columns]).copied().collect();
                Array2::from_shape_vec(shape, gathered).map(CowArray::from)
            }
        };
        view.unwrap_or_else(|_| Array2::zeros(shape).into()) // the lengths agree since `new`
    }

    /// A digest (XXH3) of their numbers, their shape and their precision.
    pub fn digest(self) -> u64 {
        let mut digest = Xxh3::new();
        digest.update(T::NAME.as_bytes());
        let mut add = |length: usize, runs: &mut dyn Iterator<Item = &[T]>| {
            digest.update(&(length as u64).to_le_bytes());
            runs.for_each(|run| run.chunks(1024).for_each(|numbers| digest.update(&T::to_bytes(numbers))));
        };
        let (m, runs) = (self.len(), 0..self.runs());
        add(m * self.columns.0, &mut runs.clone().map(|run| self.input_run(run)));
        add(m * self.columns.1, &mut runs.map(|run| self.target_run(run)));
        let weights: Vec<T> = self.weights().map(|weight| (0..m).map(weight).collect()).unwrap_or_default();
        add(weights.len(), &mut std::iter::once(&weights[..]));
        digest.digest()
    }

    /// The rows that they are.
    pub fn rows(self) -> Rows<'a> {
        self.rows
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.rows.len()
    }

    /// Those from the i-th up to the j-th.
    pub fn part(self, part: Range<usize>) -> Self {
        Examples { rows: self.rows.part(part), ..self }
    }

    /// x of the i-th.
    #[inline(always)]
    pub fn input(self, i: usize) -> &'a [T] {
        &self.inputs[self.rows.get(i) * self.columns.0..][..self.columns.0]
    }

    /// The inputs of the whole data set, row by row.
    pub fn all_inputs(self) -> &'a [T] {
        self.inputs
    }

    /// The targets of the whole data set, row by row.
    pub fn all_targets(self) -> &'a [T] {
        self.targets
    }

    /// Where in them y of the i-th begins.
    #[inline(always)]
    pub fn target_start(self, i: usize) -> usize {
        self.rows.get(i) * self.columns.1
    }

    /// Where in all inputs x of each begins.
    pub fn set_input_starts(self, starts: &mut Starts) {
        match self.rows {
            Rows::Range(first, count) => starts.set((first..first + count).map(|row| row * self.columns.0)),
            Rows::List(rows) => starts.set(rows.iter().map(|row| row * self.columns.0)),
        }
    }

    /// y of the i-th.
    #[inline(always)]
    pub fn target(self, i: usize) -> &'a [T] {
        &self.targets[self.rows.get(i) * self.columns.1..][..self.columns.1]
    }

    /// How many runs their numbers lie in: one where they are neighbours, else one for each.
    pub fn runs(self) -> usize {
        match self.rows {
            Rows::Range(_, count) => count.min(1),
            Rows::List(rows) => rows.len(),
        }
    }

    /// The i-th run of inputs.
    pub fn input_run(self, i: usize) -> &'a [T] {
        self.rows.run(self.inputs, self.columns.0, i)
    }

    /// The i-th run of targets.
    pub fn target_run(self, i: usize) -> &'a [T] {
        self.rows.run(self.targets, self.columns.1, i)
    }

    /// How much each counts, if not all alike.
    pub fn weights(self) -> Option<impl Fn(usize) -> T + 'a> {
        self.weights.map(|weights| move |i| weights[self.rows.get(i)])
    }
}

/// Some rows of a data set, in the order in which they are added up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows<'a> {
    /// Neighbours: from the first on, so many.
    Range(usize, usize),
    /// By their indices.
    List(&'a [usize]),
}

impl<'a> Rows<'a> {
    pub fn len(self) -> usize {
        match self {
            Rows::Range(_, count) => count,
            Rows::List(rows) => rows.len(),
        }
    }

    /// The index of the i-th of them.
    #[inline(always)]
    pub fn get(self, i: usize) -> usize {
        match self {
            Rows::Range(first, _) => first + i,
            Rows::List(rows) => rows[i],
        }
    }

    /// The i-th run of a matrix with so many columns.
    fn run<T>(self, numbers: &[T], columns: usize, i: usize) -> &[T] {
        let (first, count) = match self {
            Rows::Range(first, count) => (first, count),
            Rows::List(rows) => (rows[i], 1),
        };
        &numbers[first * columns..(first + count) * columns]
    }

    /// Those from the i-th up to the j-th.
    pub fn part(self, part: Range<usize>) -> Rows<'a> {
        match self {
            Rows::Range(first, _) => Rows::Range(first + part.start, part.len()),
            Rows::List(rows) => Rows::List(&rows[part]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_view_of_some_rows_is_as_their_copy() {
        let data = Dataset::new(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[0.0], [1.0], [2.0]]).unwrap();
        let data = data.with_weights(vec![1.0, 2.0, 3.0]).unwrap();
        let (view, copy) = (data.view().rows_at(&[2, 0]).unwrap(), data.select(&[2, 0]).unwrap());
        assert_eq!(
            (view.inputs().into_owned(), view.targets().into_owned()),
            (copy.inputs().to_owned(), copy.targets().to_owned())
        );
        assert_eq!((view.mean_weight(), view.weights().as_deref()), (copy.mean_weight(), copy.weights()));
        assert_eq!(view.select(&[1]).unwrap(), data.select(&[0]).unwrap());
        assert!(data.view().rows_at(&[3]).is_err() && data.view().rows_at(&[]).is_err() && view.select(&[2]).is_err());
    }

    #[test]
    fn matrices_that_lie_column_by_column_are_refused_and_not_copied() {
        let inputs = array![[1.0, 2.0], [3.0, 4.0]];
        let error = DatasetView::new(inputs.t(), inputs.view()).unwrap_err().to_string();
        assert_eq!(error, "inputs: expected a matrix that lies row by row (C order), got another order");
        let view = DatasetView::new(inputs.view(), inputs.view()).unwrap();
        assert_eq!(view.inputs().as_ptr(), inputs.as_ptr());
    }
}
