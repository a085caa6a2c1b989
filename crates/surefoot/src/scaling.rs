//! Numbers brought to a scale that a network likes, and back.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Zip};
use serde::{Deserialize, Serialize};

use crate::sum::sum_rows;

/// For each column a centre and a scale, and for all of them a limit or none.  (D1) (D5)
///
/// ```text
///   x' = (x − centre) / scale        x = x'·scale + centre
///   with a limit L:                  x' / √(1 + (x'/L)²), which is almost x' near 0 and never beyond ±L
/// ```
///
/// Source of the limit: Holzmüller, Grinsztajn and Steinwart, *Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
/// Tabular Data*, 2024, section 3, with L = 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// What becomes 0, one number a column.
    pub centre: Vec<f64>,
    /// What becomes 1 above it, one number a column, not 0.
    pub scale: Vec<f64>,
    /// L, above 0: where outliers are held back smoothly; `None`: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
}

impl Scaling {
    /// Mean 0 and variance 1 in each column; a column with one value becomes 0.  (D2)
    ///
    /// ```text
    ///   centre = mean x,   scale = √(mean (x − centre)²)
    /// ```
    pub fn standard(matrix: ArrayView2<'_, f64>) -> Self {
        Scaling::by_column(matrix, |column| {
            let count = column.len().max(1) as f64;
            let mean = sum_rows(column.len(), |row| column[row] / count);
            // in units of the largest deviation, whose square could overflow or vanish
            let largest = column.iter().fold(0.0, |largest: f64, x| largest.max((x - mean).abs()));
            let deviation = |row: usize| (column[row] - mean) / largest;
            let variance = sum_rows(column.len(), |row| deviation(row) * deviation(row)) / count;
            (mean, largest * variance.sqrt()) // (D2)
        })
    }

    /// From `low` to `high` in each column; a column with one value becomes 0.  (D3)
    ///
    /// ```text
    ///   scale = (max x − min x) / (high − low),   centre = min x − low·scale
    /// ```
    pub fn range(matrix: ArrayView2<'_, f64>, low: f64, high: f64) -> Self {
        Scaling::by_column(matrix, |column| {
            let (least, most) = extremes(column);
            let scale = (most - least) / (high - low);
            (least - low * scale, scale) // (D3)
        })
    }

    /// Centre and scale of a column by numbers that outliers do not move: the median, and the distance of the quartiles; where
    /// half of the numbers are equal, half the distance of the extremes; of a column with one value 1.  (D4)
    ///
    /// ```text
    ///   centre = q½,   scale = q¾ − q¼, or (max x − min x)/2
    /// ```
    ///
    /// A quantile between two numbers is on the line between them. The numbers are put in another order by that. No number has to be there.
    pub fn robust(column: &mut [f64]) -> (f64, f64) {
        let [first, _, ..] = *column else { return (column.first().copied().unwrap_or(0.0), 1.0) };
        let extremes = column.iter().fold((first, first), |(least, most), &x| (f64::min(least, x), f64::max(most, x)));
        let [median, lower, upper] = [0.5, 0.25, 0.75].map(|share| quantile(column, share));
        let (quartiles, half) = (upper - lower, extremes.1 / 2.0 - extremes.0 / 2.0);
        let scale = [quartiles, half].into_iter().find(|scale| *scale > 0.0 && scale.is_finite());
        (median, scale.unwrap_or(1.0)) // (D4)
    }

    /// By a rule for columns that have more than one value; the others become 0, with their scale kept.
    fn by_column(matrix: ArrayView2<'_, f64>, rule: impl Fn(ArrayView1<'_, f64>) -> (f64, f64)) -> Self {
        let of = |column: ArrayView1<'_, f64>| {
            let (least, most) = extremes(column);
            if most > least { rule(column) } else { (least, 1.0) }
        };
        let (centre, scale) = matrix.axis_iter(Axis(1)).map(of).unzip();
        Scaling { centre, scale, limit: None }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.centre.len()
    }

    /// x' for every row.
    ///
    /// # Panics
    /// When the matrix has another number of columns.
    pub fn apply(&self, matrix: ArrayView2<'_, f64>) -> Array2<f64> {
        let limited = |x: f64| match self.limit {
            Some(limit) => x / libm::hypot(1.0, x / limit), // (D5), where no square overflows
            None => x,
        };
        self.each(matrix, |x, centre, scale| limited((x - centre) / scale)) // (D1)
    }

    /// x for every row, of a scaling without a limit.
    ///
    /// # Panics
    /// When the matrix has another number of columns.
    pub fn revert(&self, matrix: ArrayView2<'_, f64>) -> Array2<f64> {
        self.each(matrix, |x, centre, scale| x * scale + centre) // (D1)
    }

    fn each(&self, matrix: ArrayView2<'_, f64>, f: impl Fn(f64, f64, f64) -> f64) -> Array2<f64> {
        let (centre, scale) = (Array1::from(self.centre.clone()), Array1::from(self.scale.clone()));
        let mut result = matrix.to_owned();
        for row in result.axis_iter_mut(Axis(0)) {
            Zip::from(row).and(&centre).and(&scale).for_each(|x, &centre, &scale| *x = f(*x, centre, scale));
        }
        result
    }
}

/// A quantile of numbers, of which there is at least one; they are put in another order. It is selected, not sorted for.
fn quantile(numbers: &mut [f64], share: f64) -> f64 {
    let place = share * (numbers.len() - 1) as f64;
    let (_, &mut below, rest) = numbers.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let next = rest.iter().copied().min_by(f64::total_cmp);
    let above = next.filter(|_| place.fract() > 0.0).unwrap_or(below);
    below + (above * place.fract() - below * place.fract())
}

fn extremes(column: ArrayView1<'_, f64>) -> (f64, f64) {
    column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &x| (least.min(x), most.max(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn standard_columns_have_mean_zero_and_variance_one_and_come_back() {
        let matrix = array![[1.0, 7.0], [3.0, 7.0], [8.0, 7.0]];
        let scaling = Scaling::standard(matrix.view());
        let scaled = scaling.apply(matrix.view());
        assert!(scaled.column(0).sum().abs() < 1e-15);
        assert!((scaled.column(0).mapv(|x| x * x).sum() / 3.0 - 1.0).abs() < 1e-15);
        assert_eq!(scaled.column(1).to_vec(), [0.0; 3]);
        assert_eq!(scaling.revert(scaled.view()), matrix);
    }

    #[test]
    fn very_large_and_very_small_numbers_are_scaled_too() {
        for size in [1e-300, 1e300] {
            let matrix = array![[size], [3.0 * size]];
            let scaled = Scaling::standard(matrix.view()).apply(matrix.view());
            assert!((scaled[[0, 0]] + 1.0).abs() < 1e-12 && (scaled[[1, 0]] - 1.0).abs() < 1e-12, "{scaled}");
        }
    }

    #[test]
    fn quantiles_are_those_of_sorted_numbers() {
        let number = |i: usize| [2.5, -0.0, 0.0, 1e-310, -7.0, 1e300][i % 6] * (i * 7919 % 31) as f64;
        for count in 1..80 {
            let mut numbers: Vec<f64> = (0..count).map(number).collect();
            let mut sorted = numbers.clone();
            sorted.sort_by(f64::total_cmp);
            for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
                let place = share * (count - 1) as f64;
                let (below, above) = (sorted[place as usize], sorted[place.ceil() as usize]);
                let expected = below + (above * place.fract() - below * place.fract());
                assert_eq!(quantile(&mut numbers, share).to_bits(), expected.to_bits(), "{share} of {count}");
            }
        }
    }

    #[test]
    fn outliers_move_a_robust_scaling_little_and_are_held_back() {
        // the quartiles of NumPy's percentile
        assert_eq!(Scaling::robust(&mut [4.0, 1.0, 3.0, 2.0, 1000.0]), (3.0, 2.0));
        assert_eq!(Scaling::robust(&mut [0.0, 0.0, 0.0, 0.0, 8.0]), (0.0, 4.0));
        assert_eq!(Scaling::robust(&mut [4.0, 1.0, 3.0, 2.0]), (2.5, 1.5));
        assert_eq!(Scaling::robust(&mut [7.0, 7.0]), (7.0, 1.0));
        assert_eq!((Scaling::robust(&mut [7.0]), Scaling::robust(&mut [])), ((7.0, 1.0), (0.0, 1.0)));
        assert_eq!(Scaling::robust(&mut [-f64::MAX, f64::MAX, f64::MAX]).1, f64::MAX);
        let scaling = Scaling { centre: vec![3.0], scale: vec![2.0], limit: Some(3.0) };
        let scaled = scaling.apply(array![[3.0], [3.2], [1e200], [-1e200]].view());
        assert!(scaled[[0, 0]] == 0.0 && (scaled[[1, 0]] - 0.1).abs() < 1e-4);
        assert!((scaled[[2, 0]] - 3.0).abs() < 1e-12 && (scaled[[3, 0]] + 3.0).abs() < 1e-12, "{scaled}");
    }

    #[test]
    fn a_range_reaches_both_ends() {
        let matrix = array![[10.0, 5.0], [20.0, 5.0], [30.0, 5.0]];
        let scaled = Scaling::range(matrix.view(), -1.0, 1.0).apply(matrix.view());
        assert_eq!(scaled.column(0).to_vec(), [-1.0, 0.0, 1.0]);
        assert_eq!(scaled.column(1).to_vec(), [0.0; 3]);
    }
}
