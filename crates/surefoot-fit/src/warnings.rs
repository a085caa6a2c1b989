//! What makes a score doubtful.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2};
use surefoot::{DatasetView, Scalar, Task, metrics};
use surefoot_table::{Encoding, Kind};

use crate::error::Result;
use crate::outcome::{Judged, JudgedOn};
use crate::plan::Plan;

/// Fewer rows than this do not measure a score well.
const FEW_ROWS: usize = 50;
/// A column predicts about as well as all together when it gives this share of what the score is above that of a constant prediction.
const NEARLY: f64 = 0.95;
/// Scores less than this above that of a constant prediction are not looked at.
const LEAST_GAIN: f64 = 0.2;
/// Rows that are looked at.
const ROWS: usize = 20_000;
/// Rows in a range of numbers, at least: the best of these widths counts, narrow ones for few rows, wide ones for noise.
const ROWS_A_RANGE: [usize; 3] = [1, 2, 5];
const LEAST_ROWS: usize = 20;
const MOST_RANGES: usize = 64;

/// What a person should know before trusting the score, in a sentence each.
pub(crate) fn of_score<T: Scalar>(plan: &Plan, data: DatasetView<'_, T>, judged: &Judged) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let rows = judged.outputs.nrows();
    let name = plan.task.score_name();
    if rows < FEW_ROWS && judged.on != JudgedOn::Training {
        let uncertain = match plan.task {
            Task::Classification => {
                let score = plan.task.score(judged.outputs.view(), judged.targets.view());
                let error = (score * (1.0 - score)).max(0.25 / rows as f64).sqrt() / (rows as f64).sqrt();
                format!("{name} is measured on {rows} rows only: its standard error is about {error:.2}")
            }
            Task::Regression => format!("{name} is measured on {rows} rows only, and may be far from that on new rows"),
        };
        warnings.push(format!("{uncertain}; a cross-validation would use every row"));
    }
    if let Some(encoding) = plan.encoding.as_ref().filter(|encoding| !encoding.is_autoencoder()) {
        let score = plan.task.score(judged.outputs.view(), judged.targets.view());
        for (column, alone) in dominant(plan.task, encoding, data, score)? {
            warnings.push(format!(
                "column `{column}` alone predicts about as well as all columns together ({name} {alone:.3} and {score:.3}): \
                 make sure that it is known before the target, and is not made from it"
            ));
        }
    }
    Ok(warnings)
}

/// The columns each of which alone predicts nearly as well as all together, with the score of each: learned from every other row by
/// ranges of its numbers or by its categories, measured on the rest.
fn dominant<T: Scalar>(
    task: Task,
    encoding: &Encoding,
    data: DatasetView<'_, T>,
    score: f64,
) -> Result<Vec<(String, f64)>> {
    let groups = encoding.input_groups();
    if groups.len() < 2 || data.rows() < LEAST_ROWS {
        return Ok(Vec::new());
    }
    let rows: Vec<usize> = (0..data.rows().min(ROWS)).collect();
    let some = data.rows_at(&rows)?;
    let (inputs, targets) = (some.inputs(), some.targets());
    let targets = match task {
        Task::Classification => Targets::Classes(metrics::classes(targets.view())),
        Task::Regression => Targets::Numbers(targets.column(0).iter().map(|y| y.to_f64()).collect()),
    };
    let constant = targets.score(|_| 0);
    if score - constant < LEAST_GAIN {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (column, group) in encoding.columns.iter().zip(groups) {
        let Some(&first) = group.first() else { continue };
        let places = match &column.kind {
            Kind::Category { .. } => vec![largest(inputs.slice(ndarray::s![.., first..first + group.len()]))],
            kind => ROWS_A_RANGE
                .map(|rows| {
                    let missing = kind.has_missing_indicator().then(|| inputs.column(first + 1));
                    ranges(inputs.column(first), missing, rows)
                })
                .to_vec(),
        };
        let alone = places.iter().map(|places| targets.score(|row| places[row])).fold(f64::MIN, f64::max);
        if alone - constant >= NEARLY * (score - constant) {
            found.push((column.name.clone(), alone));
        }
    }
    Ok(found)
}

/// The place of the largest of the inputs of each row.
fn largest<T: Scalar>(inputs: ArrayView2<'_, T>) -> Vec<usize> {
    let place = |row: ArrayView1<'_, T>| {
        let largest = row.iter().enumerate().max_by(|(_, one), (_, other)| one.to_f64().total_cmp(&other.to_f64()));
        largest.map_or(0, |(place, _)| place)
    };
    inputs.outer_iter().map(place).collect()
}

/// The range that each number is in, of ranges with about as many of the even rows, at least so many; missing ones have a range
/// of their own.
fn ranges<T: Scalar>(numbers: ArrayView1<'_, T>, missing: Option<ArrayView1<'_, T>>, rows: usize) -> Vec<usize> {
    let is_missing = |row: usize| missing.as_ref().is_some_and(|missing| missing[row] != T::zero());
    let mut sorted: Vec<f64> =
        (0..numbers.len()).step_by(2).filter(|&row| !is_missing(row)).map(|row| numbers[row].to_f64()).collect();
    sorted.sort_by(f64::total_cmp);
    let ranges = (sorted.len() / rows).clamp(1, MOST_RANGES);
    let mut bounds: Vec<f64> = (1..ranges).map(|range| sorted[range * sorted.len() / ranges]).collect();
    bounds.dedup();
    let place = |row: usize| match is_missing(row) {
        true => usize::MAX,
        false => bounds.partition_point(|bound| *bound <= numbers[row].to_f64()),
    };
    (0..numbers.len()).map(place).collect()
}

enum Targets {
    Classes(Vec<usize>),
    Numbers(Vec<f64>),
}

impl Targets {
    /// Accuracy or R² on the odd rows, where each is predicted as the even rows of its place are: their commonest class or mean.
    fn score(&self, place: impl Fn(usize) -> usize) -> f64 {
        match self {
            Targets::Classes(classes) => {
                let mut counts = HashMap::<usize, HashMap<usize, usize>>::new();
                let mut all = HashMap::<usize, usize>::new();
                for row in (0..classes.len()).step_by(2) {
                    *counts.entry(place(row)).or_default().entry(classes[row]).or_default() += 1;
                    *all.entry(classes[row]).or_default() += 1;
                }
                let commonest = |counts: &HashMap<usize, usize>| {
                    counts
                        .iter()
                        .max_by_key(|&(class, count)| (*count, std::cmp::Reverse(*class)))
                        .map(|(class, _)| *class)
                };
                let predicted: HashMap<usize, Option<usize>> =
                    counts.iter().map(|(place, counts)| (*place, commonest(counts))).collect();
                let rest = commonest(&all);
                let is_right = |row: &usize| *predicted.get(&place(*row)).unwrap_or(&rest) == Some(classes[*row]);
                let rows = classes.len() / 2;
                (1..classes.len()).step_by(2).filter(is_right).count() as f64 / rows.max(1) as f64
            }
            Targets::Numbers(numbers) => {
                let mut sums = HashMap::<usize, (f64, f64)>::new();
                let mut all = (0.0, 0.0);
                for row in (0..numbers.len()).step_by(2) {
                    let (sum, count) = sums.entry(place(row)).or_default();
                    (*sum, *count) = (*sum + numbers[row], *count + 1.0);
                    all = (all.0 + numbers[row], all.1 + 1.0);
                }
                let mean = all.0 / all.1;
                let predicted = |row: usize| sums.get(&place(row)).map_or(mean, |(sum, count)| sum / count);
                let odd = || (1..numbers.len()).step_by(2);
                let squares = |predicted: &dyn Fn(usize) -> f64| {
                    odd().map(|row| (numbers[row] - predicted(row)).powi(2)).sum::<f64>()
                };
                1.0 - squares(&predicted) / squares(&|_| mean).max(f64::MIN_POSITIVE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use surefoot::Dataset;
    use surefoot_table::{Roles, Table, Target};

    use super::*;

    /// The columns that alone give nearly the score of 1.
    fn dominant_of(csv: &str) -> Vec<String> {
        let table = Table::read("t", csv.as_bytes()).unwrap();
        let target = Target::find(&table, None, &[], None).unwrap();
        let rows = table.all_rows();
        let learned = Encoding::learn(&table, &rows, &target, &Roles::default()).unwrap();
        let outputs = match &target.targets {
            surefoot_table::Targets::Classes(names) => names.len(),
            surefoot_table::Targets::Numbers => 1,
        };
        let inputs = learned.encoding.inputs_as::<f64>(&table, &rows, Some(&learned.scaling)).unwrap();
        let data = Dataset::new(inputs, learned.encoding.targets(&table, &rows, outputs).unwrap()).unwrap();
        let task = if outputs > 1 { Task::Classification } else { Task::Regression };
        let found = dominant(task, &learned.encoding, data.view(), 1.0).unwrap();
        found.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_copy_of_the_target_in_any_form_is_seen() {
        let mixed = |i: usize| i.wrapping_mul(7919) % 101;
        let numbers = |f: &dyn Fn(usize) -> String| {
            let rows = (0..400).map(|i| format!("{}.5,{},{}\n", i * i * 31 % 89, f(mixed(i)), mixed(i)));
            format!("noise,x,y\n{}", rows.collect::<String>())
        };
        assert_eq!(dominant_of(&numbers(&|y| format!("{}.5", 3 * y))), ["x"]);
        assert!(dominant_of(&numbers(&|y| format!("{}.5", (y * 31) % 17))).is_empty());
        let classes = |f: &dyn Fn(usize) -> String| {
            let rows = (0..400).map(|i| format!("{}.5,{},{}\n", i * i * 31 % 89, f(i % 3), ["a", "b", "c"][i % 3]));
            format!("noise,x,y\n{}", rows.collect::<String>())
        };
        assert_eq!(dominant_of(&classes(&|class| ["u", "v", "w"][class].into())), ["x"]);
        assert!(dominant_of(&classes(&|class| ["u", "v", "v"][class].into())).is_empty());
    }
}
