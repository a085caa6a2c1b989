//! Which rows are learned from, and which are held back to measure what was learned.

use crate::error::{Error, Result};
use crate::numeric::random::{Purpose, Random};

/// What holds rows together when some are held back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Split<'a> {
    /// The class of each row: every part gets its share of each class (stratified). Default none.
    pub classes: Option<&'a [usize]>,
    /// The group of each row: a group is never on both sides. Classes are not looked at then. Default none.
    pub groups: Option<&'a [usize]>,
    /// Decides the draws. Default 0.
    pub seed: u64,
}

/// The streams of draws: a test part is drawn before the validation part, folds beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A part to stop by and to choose settings by.
    Validation = 0,
    /// A part that nothing is decided by.
    Test = 1,
    /// The parts of a cross-validation.
    Folds = 2,
}

impl Split<'_> {
    /// Of these rows those that stay, and those held back: about `fraction` of them, at least one and at most all but one,
    /// both ascending. Of a class with one row that row stays.
    ///
    /// # Errors
    /// [`Error::Setting`] when `fraction` is not between 0 and 1; [`Error::Shape`] when there is one row, or one group.
    pub fn part(&self, rows: &[usize], fraction: f64, held: Held) -> Result<(Vec<usize>, Vec<usize>)> {
        if !(fraction > 0.0 && fraction < 1.0) {
            let expected = "a fraction between 0 and 1, both excluded".into();
            let setting = if held == Held::Test { "test" } else { "validation" };
            return Err(Error::Setting { setting, expected, got: fraction.to_string() });
        }
        check(rows.len(), 2, "rows to split")?;
        let count = ((rows.len() as f64 * fraction).round() as usize).clamp(1, rows.len() - 1);
        let mut random = Random::new(self.seed, Purpose::Split, held as u32);
        let mut part: Vec<usize> = match (self.groups, self.classes) {
            (Some(groups), _) => {
                let mut groups = shuffled_by(rows, groups, &mut random);
                check(groups.len(), 2, "groups to split")?;
                random.shuffle(&mut groups);
                groups.pop(); // one group stays, whatever its size
                let smallest = groups.iter().min_by_key(|group| group.len()).cloned().unwrap_or_default();
                let mut taken = 0;
                let is_wanted = |group: &Vec<usize>| {
                    // each that brings the count nearer than leaving it out
                    let is = (taken + group.len()).abs_diff(count) < count.saturating_sub(taken);
                    taken += if is { group.len() } else { 0 };
                    is
                };
                let part: Vec<usize> = groups.into_iter().filter(is_wanted).flatten().collect();
                if part.is_empty() { smallest } else { part }
            }
            (None, Some(classes)) => {
                let classes = shuffled_by(rows, classes, &mut random);
                let several: Vec<usize> = classes.into_iter().filter(|rows| rows.len() > 1).flatten().collect();
                // evenly along the rows class by class, so that each class gives its share
                let every = count as f64 / several.len().max(1) as f64;
                let taken = |i: usize| (i as f64 * every + 0.5).floor();
                (0..several.len()).filter(|&i| taken(i + 1) > taken(i)).map(|i| several[i]).collect()
            }
            (None, None) => random.sample(rows.len(), count).into_iter().map(|i| rows[i]).collect(),
        };
        if part.is_empty() || part.len() == rows.len() {
            part = random.sample(rows.len(), count).into_iter().map(|i| rows[i]).collect(); // classes of one row each
        }
        part.sort_unstable();
        Ok((without(rows, &part), part))
    }

    /// The parts of a cross-validation: each row is in one of the `folds`, which are about equal in size; ascending.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2 folds; [`Error::Shape`] when there are fewer rows, or groups, than folds.
    pub fn folds(&self, rows: &[usize], folds: usize) -> Result<Vec<Vec<usize>>> {
        if folds < 2 {
            return Err(Error::Setting { setting: "folds", expected: "at least 2".into(), got: folds.to_string() });
        }
        let mut random = Random::new(self.seed, Purpose::Split, Held::Folds as u32);
        let mut parts = vec![Vec::new(); folds];
        match self.groups {
            Some(groups) => {
                let mut groups = shuffled_by(rows, groups, &mut random);
                check(groups.len(), folds, "groups to split")?;
                groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
                for group in groups {
                    if let Some(smallest) = parts.iter_mut().min_by_key(|part| part.len()) {
                        smallest.extend(group);
                    }
                }
            }
            None => {
                check(rows.len(), folds, "rows to split")?;
                let one_class = vec![0; rows.iter().max().map_or(0, |last| last + 1)];
                let by_class = shuffled_by(rows, self.classes.unwrap_or(&one_class), &mut random);
                for (i, row) in by_class.into_iter().flatten().enumerate() {
                    parts[i % folds].push(row);
                }
            }
        }
        parts.iter_mut().for_each(|part| part.sort_unstable());
        Ok(parts)
    }
}

/// The rows of `0..rows` that stay, and `fraction` of them that are held back to validate on; both ascending.
///
/// # Errors
/// As [`Split::part`].
pub(crate) fn split_rows(rows: usize, fraction: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    let rows: Vec<usize> = (0..rows).collect();
    Split { seed, ..Split::default() }.part(&rows, fraction, Held::Validation)
}

/// Those rows that are not in a part, which is ascending.
pub fn without(rows: &[usize], part: &[usize]) -> Vec<usize> {
    rows.iter().copied().filter(|row| part.binary_search(row).is_err()).collect()
}

/// The rows of each kind (class or group), in random order, kind after kind.
fn shuffled_by(rows: &[usize], kinds: &[usize], random: &mut Random) -> Vec<Vec<usize>> {
    let mut by_kind = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    rows.iter().for_each(|&row| by_kind.entry(kinds[row]).or_default().push(row));
    let mut by_kind: Vec<Vec<usize>> = by_kind.into_values().collect();
    by_kind.iter_mut().for_each(|rows| random.shuffle(rows));
    by_kind
}

fn check(count: usize, least: usize, what: &str) -> Result<()> {
    match count < least {
        true => Err(Error::Shape { what: what.into(), expected: format!("at least {least}"), got: count.to_string() }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(part: &[usize], classes: &[usize]) -> [usize; 3] {
        [0, 1, 2].map(|class| part.iter().filter(|&&row| classes[row] == class).count())
    }

    #[test]
    fn a_split_has_every_row_once() {
        for (rows, fraction, expected) in [(10, 0.2, 2), (3, 0.01, 1), (3, 0.99, 2), (2, 0.5, 1)] {
            let (rest, part) = split_rows(rows, fraction, 1).unwrap();
            assert_eq!(part.len(), expected);
            let mut all = [rest, part].concat();
            all.sort_unstable();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
        }
        assert!(split_rows(1, 0.5, 1).is_err());
        assert!(split_rows(10, 0.0, 1).is_err());
        assert!(split_rows(10, f64::NAN, 1).is_err());
    }

    #[test]
    fn every_part_has_its_share_of_each_class() {
        let classes: Vec<usize> = (0..200).map(|row| usize::from(row >= 100) + usize::from(row >= 180)).collect();
        let rows: Vec<usize> = (0..200).collect();
        for seed in 0..20 {
            let split = Split { classes: Some(&classes), seed, ..Split::default() };
            let (rest, part) = split.part(&rows, 0.2, Held::Validation).unwrap();
            assert_eq!(counts(&part, &classes), [20, 16, 4], "{seed}");
            assert_eq!(counts(&rest, &classes), [80, 64, 16]);
            for fold in split.folds(&rows, 5).unwrap() {
                assert_eq!(counts(&fold, &classes), [20, 16, 4]);
            }
        }
    }

    #[test]
    fn the_only_row_of_a_class_stays() {
        let classes = [0, 0, 0, 0, 1];
        for seed in 0..20 {
            let split = Split { classes: Some(&classes), seed, ..Split::default() };
            let (rest, _) = split.part(&[0, 1, 2, 3, 4], 0.5, Held::Test).unwrap();
            assert!(rest.contains(&4));
        }
    }

    #[test]
    fn a_group_is_on_one_side() {
        let groups: Vec<usize> = (0..100).map(|row| row * row % 11).collect();
        let rows: Vec<usize> = (0..100).collect();
        let is_apart = |part: &[usize], rest: &[usize]| {
            part.iter().all(|&row| rest.iter().all(|&other| groups[row] != groups[other]))
        };
        for seed in 0..20 {
            let split = Split { groups: Some(&groups), seed, ..Split::default() };
            let (rest, part) = split.part(&rows, 0.3, Held::Validation).unwrap();
            assert!(is_apart(&part, &rest) && rest.len() + part.len() == 100 && (15..=45).contains(&part.len()));
            let folds = split.folds(&rows, 3).unwrap();
            assert!(folds.iter().all(|fold| is_apart(fold, &without(&rows, fold))));
            assert_eq!(folds.iter().map(Vec::len).sum::<usize>(), 100);
        }
        // a group of 90 and five of 2: never 90 rows where 20 are wanted
        let giant: Vec<usize> = (0..100).map(|row| if row < 90 { 0 } else { row / 2 }).collect();
        for seed in 0..20 {
            let split = Split { groups: Some(&giant), seed, ..Split::default() };
            assert!(split.part(&rows, 0.2, Held::Validation).unwrap().1.len() <= 10);
        }
        let one = [0; 5];
        assert!(Split { groups: Some(&one), ..Split::default() }.part(&[0, 1], 0.5, Held::Test).is_err());
        assert!(Split { groups: Some(&one), ..Split::default() }.folds(&[0, 1], 2).is_err());
    }

    #[test]
    fn folds_are_as_equal_as_they_can_be() {
        let folds = Split::default().folds(&[3, 5, 7, 9, 11, 13, 15], 3).unwrap();
        assert_eq!(folds.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 2]);
        assert!(Split::default().folds(&[1, 2], 3).is_err() && Split::default().folds(&[1, 2], 1).is_err());
    }
}
