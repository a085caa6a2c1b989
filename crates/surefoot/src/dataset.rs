//! Examples: inputs, targets, and how much each counts.

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::{Error, FINITE, Result};
use crate::numeric::panels::LANES;
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::split::split_rows;
use crate::sum::sum_rows;

/// m examples (x⁽ⁱ⁾, y⁽ⁱ⁾), rows of two matrices of finite numbers, each with a weight that is 1 unless given.
///
/// * `inputs`  (m × s₁)
/// * `targets` (m × outputs)
/// * `weights` (m): at least 0, not all 0; the overall cost is a weighted mean
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<T> {
    inputs: Array2<T>,
    targets: Array2<T>,
    weights: Option<Vec<T>>,
    /// The mean of the weights, 1 without weights.
    mean_weight: f64,
}

impl<T: Scalar> Dataset<T> {
    /// Examples that all count alike.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are no rows or the numbers of rows differ; [`Error::Value`] with row and column
    /// of the first number that is not finite.
    pub fn new(inputs: Array2<T>, targets: Array2<T>) -> Result<Self> {
        if inputs.nrows() != targets.nrows() {
            return Err(shape("targets", format!("{} rows, as the inputs have", inputs.nrows()), targets.nrows()));
        }
        if inputs.is_empty() || targets.is_empty() {
            let got = format!("{} × {} and {} × {}", inputs.nrows(), inputs.ncols(), targets.nrows(), targets.ncols());
            return Err(shape("inputs and targets", "at least one row and column".into(), got));
        }
        let (inputs, targets) = (row_by_row(inputs), row_by_row(targets));
        check_finite("inputs", inputs.view())?;
        check_finite("targets", targets.view())?;
        Ok(Dataset { inputs, targets, weights: None, mean_weight: 1.0 })
    }

    /// The same examples with these weights.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each row; [`Error::Value`] when one is negative or not finite, or
    /// all are 0.
    pub fn with_weights(mut self, weights: Vec<T>) -> Result<Self> {
        if weights.len() != self.rows() {
            return Err(shape("weights", format!("{}, one for each row", self.rows()), weights.len()));
        }
        self.mean_weight = mean_weight(&weights)?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// m, the number of examples.
    pub fn rows(&self) -> usize {
        self.inputs.nrows()
    }

    /// X (m × s₁).
    pub fn inputs(&self) -> ArrayView2<'_, T> {
        self.inputs.view()
    }

    /// Y (m × outputs).
    pub fn targets(&self) -> ArrayView2<'_, T> {
        self.targets.view()
    }

    /// The weights of the examples, if they were given.
    pub fn weights(&self) -> Option<&[T]> {
        self.weights.as_deref()
    }

    /// The mean of the weights; 1 when none were given.
    pub fn mean_weight(&self) -> f64 {
        self.mean_weight
    }

    /// These rows, in this order; the weights come along.
    ///
    /// # Errors
    /// [`Error::Shape`] when `rows` is empty; [`Error::Value`] when all of their weights are 0.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        let part = Dataset::new(self.inputs.select(Axis(0), rows), self.targets.select(Axis(0), rows))?;
        match &self.weights {
            Some(weights) => part.with_weights(rows.iter().map(|&row| weights[row]).collect()),
            None => Ok(part),
        }
    }

    /// Two parts by a seeded shuffle of the rows: what is left, and `fraction` of the rows (rounded, at least one
    /// and at most all but one), as for a validation part.
    ///
    /// # Errors
    /// [`Error::Setting`] when `fraction` is not between 0 and 1; [`Error::Shape`] when there is only one row.
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let (rest, part) = split_rows(self.rows(), fraction, seed)?;
        Ok((self.select(&rest)?, self.select(&part)?))
    }

    /// The same examples in the other kind of number.
    ///
    /// # Errors
    /// [`Error::Value`] when a number is too large for the other kind.
    pub fn cast<U: Scalar>(&self) -> Result<Dataset<U>> {
        let cast = |x: &T| U::from_f64(x.to_f64());
        let other = Dataset::new(self.inputs.map(cast), self.targets.map(cast))?;
        match &self.weights {
            Some(weights) => other.with_weights(weights.iter().map(cast).collect()),
            None => Ok(other),
        }
    }
}

/// The matrix, which is copied only where it does not lie row by row already.
fn row_by_row<T: Scalar>(matrix: Array2<T>) -> Array2<T> {
    if matrix.is_standard_layout() { matrix } else { matrix.as_standard_layout().into_owned() }
}

/// The mean of weights.
///
/// # Errors
/// [`Error::Value`] when one is negative or not finite, or all are 0.
pub(crate) fn mean_weight<T: Scalar>(weights: &[T]) -> Result<f64> {
    check_weights(weights)?;
    let sum = sum_rows(weights.len(), |row| weights[row].to_f64());
    if sum == 0.0 {
        let expected = "at least one weight above 0";
        return Err(Error::Value { what: "weights", row: 0, column: 0, expected, got: 0.0 });
    }
    Ok(sum / weights.len() as f64)
}

/// That every weight is a finite number that is not negative.
pub(crate) fn check_weights<T: Scalar>(weights: &[T]) -> Result<()> {
    match weights.iter().position(|&w| !(w >= T::zero() && w.is_finite())) {
        None => Ok(()),
        Some(row) => {
            let (expected, got) = ("a finite number, at least 0", weights[row].to_f64());
            Err(Error::Value { what: "weights", row, column: 0, expected, got })
        }
    }
}

/// That every number is finite.
pub(crate) fn check_finite<T: Scalar>(what: &'static str, matrix: ArrayView2<'_, T>) -> Result<()> {
    // times 0 what is finite is 0, and so is a sum of it, whole vectors at a time; only where it is not, each number is looked at
    if let Some(numbers) = matrix.to_slice() {
        let is_finite = |some: &[T]| {
            let (vectors, rest) = some.as_chunks::<LANES>();
            let mut zeros = [T::zero(); LANES];
            vectors.iter().for_each(|vector| (0..LANES).for_each(|i| zeros[i] += vector[i] * T::zero()));
            zeros.iter().chain(rest).all(|x| x.is_finite())
        };
        if numbers.chunks(1 << 12).all(|some| {
            vectorized(
                #[inline(always)]
                || is_finite(some),
            )
        }) {
            return Ok(());
        }
    }
    match matrix.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some(((row, column), x)) => Err(Error::Value { what, row, column, expected: FINITE, got: x.to_f64() }),
    }
}

pub(crate) fn shape(what: &str, expected: String, got: impl ToString) -> Error {
    Error::Shape { what: what.into(), expected, got: got.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn three_rows() -> Dataset<f64> {
        Dataset::new(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], array![[0.0], [1.0], [0.0]]).unwrap()
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_with_their_place() {
        let error = Dataset::new(array![[1.0, 2.0], [3.0, f64::NAN]], array![[0.0], [1.0]]).unwrap_err();
        assert_eq!(error.to_string(), "inputs, row 1, column 1: expected a finite number, got NaN");
        let error = Dataset::new(array![[1.0]], array![[f64::INFINITY]]).unwrap_err();
        assert!(error.to_string().starts_with("targets, row 0, column 0"));
    }

    #[test]
    fn matrices_that_lie_row_by_row_are_not_copied() {
        let inputs = array![[1.0, 2.0], [3.0, 4.0]];
        let place = inputs.as_ptr();
        let data = Dataset::new(inputs, array![[0.0], [1.0]]).unwrap();
        assert_eq!(data.inputs().as_ptr(), place);
        let turned = Dataset::new(data.inputs().reversed_axes().to_owned(), array![[0.0], [1.0]]).unwrap();
        assert_eq!(turned.inputs(), array![[1.0, 3.0], [2.0, 4.0]]);
        assert!(turned.inputs().is_standard_layout());
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        assert!(Dataset::new(array![[1.0]], array![[1.0], [2.0]]).is_err());
        assert!(Dataset::<f64>::new(Array2::zeros((0, 2)), Array2::zeros((0, 1))).is_err());
        assert!(three_rows().with_weights(vec![1.0]).is_err());
        assert!(three_rows().with_weights(vec![1.0, -1.0, 1.0]).is_err());
        assert!(three_rows().with_weights(vec![0.0; 3]).is_err());
    }

    #[test]
    fn weights_come_along_with_their_rows() {
        let part = three_rows().with_weights(vec![1.0, 2.0, 3.0]).unwrap().select(&[2, 0]).unwrap();
        assert_eq!(part.weights().unwrap(), [3.0, 1.0]);
        assert_eq!(part.inputs()[[0, 1]], 6.0);
        assert_eq!(part.mean_weight(), 2.0);
    }

    #[test]
    fn a_cast_refuses_numbers_that_become_infinite() {
        let data = Dataset::new(array![[1e300]], array![[1.0]]).unwrap();
        assert!(data.cast::<f32>().is_err());
    }
}
