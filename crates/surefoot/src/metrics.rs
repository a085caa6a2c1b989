//! How good predictions are: for classes and for numbers.

use std::fmt;
use std::str::FromStr;

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::error::{Error, Result, by_name};
use crate::numeric::scalar::Scalar;
use crate::sum::sum_rows;

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// One of some classes.
    Classification,
    /// Numbers.
    Regression,
}

impl Task {
    /// `classification` or `regression`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        }
    }

    /// The name of its score: `accuracy` or `R²`.
    pub fn score_name(self) -> &'static str {
        match self {
            Task::Classification => "accuracy",
            Task::Regression => "R²",
        }
    }

    /// The score of outputs (m × K) against targets (m × K): accuracy for classes, R² for numbers.
    pub fn score<T: Scalar>(self, outputs: ArrayView2<'_, T>, targets: ArrayView2<'_, T>) -> f64 {
        match self {
            Task::Classification => accuracy(&classes(outputs), &classes(targets)),
            Task::Regression => r_squared(outputs, targets),
        }
    }

    /// Of how many sums over examples the score of K outputs is made.
    pub(crate) fn score_sums(self, outputs: usize) -> usize {
        match self {
            Task::Classification => 1,
            Task::Regression => outputs,
        }
    }

    /// What an example with K outputs h adds to the k-th of these sums: 1 where its class is right, or the squared residual
    /// of its k-th output.
    #[inline(always)]
    pub(crate) fn score_term<T: Scalar>(self, k: usize, outputs: usize, h: impl Fn(usize) -> T, y: &[T]) -> f64 {
        match self {
            Task::Classification => f64::from(u8::from(class(outputs, h) == class(outputs, |k| y[k]))),
            Task::Regression => square(h(k).to_f64() - y[k].to_f64()),
        }
    }
}

/// Makes a score of sums over the same examples, time after time: what follows from the targets alone is computed once.
#[derive(Clone, Debug)]
pub(crate) struct Scorer {
    pub task: Task,
    rows: usize,
    /// Σᵢ (yᵢ − ȳ)² of each output, for R².
    variances: Vec<f64>,
}

impl Scorer {
    /// Against these targets (m × K).
    pub fn new<T: Scalar>(task: Task, targets: ArrayView2<'_, T>) -> Self {
        let variances = match task {
            Task::Classification => Vec::new(),
            Task::Regression => targets.axis_iter(Axis(1)).map(variance).collect(),
        };
        Scorer { task, rows: targets.nrows(), variances }
    }

    /// The score, the same number as [`Task::score`], from its [sums](Task::score_sums).  (M1) (M7)
    pub fn score(&self, sums: &[f64]) -> f64 {
        match self.task {
            Task::Classification => sums[0] / self.rows.max(1) as f64,
            Task::Regression => {
                mean(sums.iter().zip(&self.variances).map(|(&residual, &variance)| explained(residual, variance)))
            }
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        by_name("task", &[Task::Classification, Task::Regression], Task::name, name)
    }
}

serde_as_text!(Task);

/// The class that each row names, from 0: with several columns the one with the largest number (the first of equal
/// ones), with one column class 1 where it is at least ½.
pub fn classes<T: Scalar>(outputs: ArrayView2<'_, T>) -> Vec<usize> {
    outputs.axis_iter(Axis(0)).map(|row| class(row.len(), |k| row[k])).collect()
}

#[inline(always)]
fn class<T: Scalar>(outputs: usize, h: impl Fn(usize) -> T) -> usize {
    if outputs == 1 {
        return usize::from(h(0) >= T::from_f64(0.5));
    }
    (1..outputs).fold(0, |best, k| if h(k) > h(best) { k } else { best })
}

/// The share of rows whose class is right; 0 without rows.  (M1)
///
/// ```text
///   accuracy = #{i : predictedᵢ = trueᵢ} / m
/// ```
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> f64 {
    let right = predicted.iter().zip(truth).filter(|(p, t)| p == t).count();
    right as f64 / truth.len().max(1) as f64 // (M1)
}

/// How often each class was taken for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// `counts[t][p]`: rows of class t that were predicted as p.
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Counts rows of `classes` classes.
    ///
    /// # Panics
    /// When a class is not below `classes`.
    pub fn new(predicted: &[usize], truth: &[usize], classes: usize) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (&p, &t) in predicted.iter().zip(truth) {
            counts[t][p] += 1;
        }
        Confusion { counts }
    }

    /// Of the rows predicted as this class, the share that is of it; `None` when none was.  (M2)
    ///
    /// ```text
    ///   precisionₖ = countsₖₖ / Σₜ countsₜₖ
    /// ```
    pub fn precision(&self, class: usize) -> Option<f64> {
        self.share(class, self.counts.iter().map(|row| row[class]).sum()) // (M2)
    }

    /// Of the rows of this class, the share that was predicted as it; `None` when there is none.  (M3)
    ///
    /// ```text
    ///   recallₖ = countsₖₖ / Σₚ countsₖₚ
    /// ```
    pub fn recall(&self, class: usize) -> Option<f64> {
        self.share(class, self.counts[class].iter().sum()) // (M3)
    }

    fn share(&self, class: usize, of: usize) -> Option<f64> {
        (of > 0).then(|| self.counts[class][class] as f64 / of as f64)
    }
}

/// The mean negative logarithm of the probability given to the true class, in nats; probabilities (m × K, K ≥ 2) below
/// 10⁻¹⁵ count as that.  (M4)
///
/// ```text
///   log loss = −1/m Σᵢ ln pᵢ,ₜᵣᵤₑ
/// ```
pub fn log_loss(probabilities: ArrayView2<'_, f64>, truth: &[usize]) -> f64 {
    let sum = sum_rows(truth.len(), |row| -libm::log(probabilities[[row, truth[row]]].clamp(1e-15, 1.0)));
    sum / truth.len().max(1) as f64 // (M4)
}

/// The root of the mean squared error over all rows and columns.  (M5)
///
/// ```text
///   RMSE = √(1/(mK) Σᵢₖ (hᵢₖ − yᵢₖ)²)        [unit of y]
/// ```
pub fn rmse<T: Scalar>(outputs: ArrayView2<'_, T>, targets: ArrayView2<'_, T>) -> f64 {
    mean_residual(outputs, targets, |error| error * error).sqrt() // (M5)
}

/// The mean absolute error over all rows and columns.  (M6)
///
/// ```text
///   MAE = 1/(mK) Σᵢₖ |hᵢₖ − yᵢₖ|             [unit of y]
/// ```
pub fn mae<T: Scalar>(outputs: ArrayView2<'_, T>, targets: ArrayView2<'_, T>) -> f64 {
    mean_residual(outputs, targets, f64::abs) // (M6)
}

/// The share of the targets' variance that the outputs explain: 1 is perfect, 0 as good as the mean; the mean over
/// columns.  (M7)
///
/// ```text
///   R² = 1 − Σᵢ (hᵢ − yᵢ)² / Σᵢ (yᵢ − ȳ)²
/// ```
///
/// A column without variance counts 1 where all outputs are right, else 0. What is 0 but for rounding is 0.
pub fn r_squared<T: Scalar>(outputs: ArrayView2<'_, T>, targets: ArrayView2<'_, T>) -> f64 {
    let of_column = |(h, y): (ArrayView1<'_, T>, ArrayView1<'_, T>)| {
        let residual = sum_rows(targets.nrows(), |row| square(h[row].to_f64() - y[row].to_f64()));
        explained(residual, variance(y))
    };
    mean(outputs.axis_iter(Axis(1)).zip(targets.axis_iter(Axis(1))).map(of_column))
}

/// Σᵢ (yᵢ − ȳ)² of a column.
fn variance<T: Scalar>(y: ArrayView1<'_, T>) -> f64 {
    let rows = y.len();
    let centre = sum_rows(rows, |row| y[row].to_f64()) / rows.max(1) as f64;
    sum_rows(rows, |row| square(centre - y[row].to_f64()))
}

/// R² of a column from the sums Σᵢ (hᵢ − yᵢ)² and Σᵢ (yᵢ − ȳ)².
fn explained(residual: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        let r_squared = 1.0 - residual / variance; // (M7)
        if r_squared.abs() < ROUNDING { 0.0 } else { r_squared }
    } else {
        f64::from(u8::from(residual == 0.0))
    }
}

/// R² of outputs that are the mean of the targets is 0 up to this.
const ROUNDING: f64 = 1e-12;

fn square(difference: f64) -> f64 {
    difference * difference
}

/// The mean over columns, in their order.
fn mean(scores: impl ExactSizeIterator<Item = f64>) -> f64 {
    let columns = scores.len();
    scores.fold(0.0, |sum, score| sum + score) / columns.max(1) as f64
}

/// The mean over rows and columns of a term of the residuals h − y: over the columns of a row in their order.
fn mean_residual<T: Scalar>(outputs: ArrayView2<'_, T>, targets: ArrayView2<'_, T>, term: impl Fn(f64) -> f64) -> f64 {
    let of_row = |row: usize| {
        let errors = outputs.row(row).into_iter().zip(targets.row(row)).map(|(h, y)| h.to_f64() - y.to_f64());
        errors.fold(0.0, |sum, error| sum + term(error))
    };
    sum_rows(targets.nrows(), of_row) / targets.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn classes_are_read_from_one_or_several_columns() {
        assert_eq!(classes(array![[0.2], [0.5], [0.9]].view()), [0, 1, 1]);
        assert_eq!(classes(array![[0.1, 0.6, 0.3], [0.4, 0.4, 0.2]].view()), [1, 0]);
    }

    #[test]
    fn confusion_gives_precision_and_recall() {
        let (predicted, truth) = ([0, 1, 1, 1, 0], [0, 1, 0, 1, 1]);
        let confusion = Confusion::new(&predicted, &truth, 3);
        assert_eq!(confusion.counts, [[1, 1, 0], [1, 2, 0], [0, 0, 0]]);
        assert_eq!(confusion.precision(1), Some(2.0 / 3.0));
        assert_eq!(confusion.recall(0), Some(0.5));
        assert_eq!((confusion.precision(2), confusion.recall(2)), (None, None));
        assert_eq!(accuracy(&predicted, &truth), 0.6);
    }

    #[test]
    fn log_loss_is_in_nats_and_finite() {
        let probabilities = array![[0.25, 0.75], [1.0, 0.0]];
        assert!((log_loss(probabilities.view(), &[0, 0]) - 4f64.ln() / 2.0).abs() < 1e-15);
        assert!(log_loss(probabilities.view(), &[0, 1]) < 20.0);
    }

    #[test]
    fn errors_of_numbers() {
        let (h, y) = (array![[1.0], [2.0], [3.0]], array![[1.0], [2.0], [6.0]]);
        assert!((rmse(h.view(), y.view()) - 3f64.sqrt()).abs() < 1e-15);
        assert_eq!(mae(h.view(), y.view()), 1.0);
        assert!((r_squared(h.view(), y.view()) - (1.0 - 9.0 / 14.0)).abs() < 1e-15);
        assert_eq!(r_squared(array![[1.0], [1.0]].view(), array![[1.0], [1.0]].view()), 1.0);
        assert_eq!(r_squared(array![[1.0], [2.0]].view(), array![[1.0], [1.0]].view()), 0.0);
    }
}
