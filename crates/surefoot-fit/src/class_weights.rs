//! How much the rows of a class count.

/// For each class what its rows are multiplied by so that classes count alike: m/(K·mₖ), as scikit-learn's `balanced`; 0 for
/// a class without rows.
///
/// * `classes`: the class of each row of the input
/// * `rows`: those that are learned from
pub(crate) fn balanced(classes: &[usize], rows: &[usize]) -> Vec<f64> {
    let mut counts = vec![0.0; classes.iter().max().map_or(0, |last| last + 1)];
    rows.iter().for_each(|&row| counts[classes[row]] += 1.0);
    let all = rows.len() as f64 / counts.len() as f64;
    counts.into_iter().map(|count| if count > 0.0 { all / count } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_the_same_sum() {
        let classes = [0, 0, 0, 1, 2, 2];
        assert_eq!(balanced(&classes, &[0, 1, 2, 3, 4, 5]), [6.0 / 9.0, 2.0, 1.0]);
        assert_eq!(balanced(&classes, &[0, 1, 3]), [0.5, 1.0, 0.0], "a class that is not learned from");
    }
}
