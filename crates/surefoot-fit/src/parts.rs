//! Which rows are learned from, validated on and tested on.

use surefoot::split::{Held, without};
use surefoot::{Scalar, Split};

use crate::error::{Context, Result};
use crate::input::{Rows, Source};
use crate::options::{Holdout, Options};
use crate::recipe;

/// Fewer rows than this are not split unless it is asked for: the part would say nothing.
const MIN_ROWS_TO_SPLIT: usize = 10;
/// The fraction of the rows to validate on.
const VALIDATION_FRACTION: f64 = 0.2;

/// Rows that are held out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HeldOut {
    /// None.
    Nothing,
    /// Of the input itself.
    Rows(Vec<usize>),
    /// All rows of a table, or matrix, of their own.
    Given,
}

/// The rows of each part.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub training: Vec<usize>,
    pub validation: HeldOut,
    pub test: HeldOut,
    /// Where an ensemble is trained: for each network the training rows that it does not learn from.
    pub ensemble: Vec<Vec<usize>>,
}

impl Parts {
    /// The parts of the training itself.
    pub fn new<T: Scalar>(options: &Options, source: &Source<'_, T>, rows: &Rows) -> Result<Self> {
        let given = || if source.has_test() { HeldOut::Given } else { HeldOut::Nothing };
        let (rest, test) = match &options.test {
            Some(Holdout::Fraction(fraction)) => {
                let (rest, part) = rows.split(options, &rows.rows, *fraction, Held::Test)?;
                (rest, HeldOut::Rows(part))
            }
            _ => (rows.rows.clone(), given()),
        };
        Parts::with_validation(options, source, rows, rest, test)
    }

    /// The parts of each training of a cross-validation, whose test part is a fold; the test part of the training itself
    /// stays apart here, too.
    pub fn folds<T: Scalar>(
        &self,
        options: &Options,
        source: &Source<'_, T>,
        rows: &Rows,
        folds: usize,
    ) -> Result<Vec<Self>> {
        let mut all = self.training.clone();
        if let HeldOut::Rows(validation) = &self.validation {
            all.extend(validation);
        }
        all.sort_unstable();
        let parts = rows.by(options).folds(&all, folds).context(|| "make the folds".into())?;
        let of_fold =
            |part: Vec<usize>| Parts::with_validation(options, source, rows, without(&all, &part), HeldOut::Rows(part));
        parts.into_iter().map(of_fold).collect()
    }

    fn with_validation<T: Scalar>(
        options: &Options,
        source: &Source<'_, T>,
        rows: &Rows,
        training: Vec<usize>,
        test: HeldOut,
    ) -> Result<Self> {
        let count = recipe::ensemble_size(options, training.len());
        if count > 1 {
            match (rows.by(options).folds(&training, count), options.ensemble) {
                (Ok(ensemble), _) => return Ok(Parts { training, validation: HeldOut::Nothing, test, ensemble }),
                (Err(error), Some(_)) => {
                    return Err(error).context(|| "make a part of the rows for each network of the ensemble".into());
                }
                (Err(_), None) => {} // too few groups: one network
            }
        }
        let ensemble = Vec::new();
        let fraction = match &options.validation {
            _ if source.has_validation() => None,
            Some(Holdout::Fraction(fraction)) => Some(*fraction),
            None if !options.autoencoder && training.len() >= MIN_ROWS_TO_SPLIT => Some(VALIDATION_FRACTION),
            _ => None,
        };
        let Some(fraction) = fraction else {
            let validation = if source.has_validation() { HeldOut::Given } else { HeldOut::Nothing };
            return Ok(Parts { training, validation, test, ensemble });
        };
        let (training, part) = rows.split(options, &training, fraction, Held::Validation)?;
        Ok(Parts { training, validation: HeldOut::Rows(part), test, ensemble })
    }
}

impl Rows {
    fn split(&self, options: &Options, rows: &[usize], fraction: f64, held: Held) -> Result<(Vec<usize>, Vec<usize>)> {
        let what = if held == Held::Test { "test" } else { "validation" };
        self.by(options).part(rows, fraction, held).context(|| format!("set rows aside for {what}"))
    }

    /// What holds rows together.
    fn by(&self, options: &Options) -> Split<'_> {
        Split { classes: self.classes.as_deref(), groups: self.groups.as_deref(), seed: options.seed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Tables, find_target};
    use surefoot_table::Table;

    const ROWS: usize = 120;

    /// Groups of five rows, and in each but the last one row of the rare class; the last row has no target.
    fn parts(options: &Options) -> Result<(Rows, Parts)> {
        let class = |row: usize| match row {
            119 => "",
            row if row.is_multiple_of(5) => "rare",
            _ => "common",
        };
        let row = |row: usize| format!("{}.5,{},{}\n", row * 37 % 101, row / 5, class(row));
        let text = format!("x,patient,y\n{}", (0..ROWS).map(row).collect::<String>());
        let table = Table::read("t.csv", text.as_bytes())?;
        let tables = Tables { table, validation: None, test: None };
        let target = find_target(&tables, options)?;
        let source: Source<'_, f64> = Source::Tables { tables: &tables, target: target.as_ref() };
        let rows = source.rows(options)?;
        let parts = Parts::new(options, &source, &rows)?;
        Ok((rows, parts))
    }

    /// The parts of each fold.
    fn folds(options: &Options, folds: usize) -> Vec<Parts> {
        let (rows, parts) = parts(options).unwrap();
        let tables = Tables { table: Table::read("t.csv", &b"x,y\n1,2\n"[..]).unwrap(), validation: None, test: None };
        let source: Source<'_, f64> = Source::Tables { tables: &tables, target: None };
        parts.folds(options, &source, &rows, folds).unwrap()
    }

    fn held_out(part: &HeldOut) -> Vec<usize> {
        match part {
            HeldOut::Rows(rows) => rows.clone(),
            HeldOut::Nothing | HeldOut::Given => Vec::new(),
        }
    }

    fn rare(rows: &[usize]) -> usize {
        rows.iter().filter(|row| row.is_multiple_of(5)).count()
    }

    fn patients(rows: &[usize]) -> Vec<usize> {
        let mut patients: Vec<usize> = rows.iter().map(|row| row / 5).collect();
        patients.dedup();
        patients
    }

    /// That each row with a target is in one of these parts, and in no other.
    fn assert_each_row_once(parts: &[&[usize]]) {
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..ROWS - 1).collect::<Vec<_>>());
    }

    #[test]
    fn each_row_is_in_one_part_and_parts_have_their_share_of_each_class() {
        for seed in 0..10 {
            let (validation, test) = (Some(Holdout::Fraction(0.2)), Some(Holdout::Fraction(0.25)));
            let (_, parts) = parts(&Options { validation, test, seed, ..Options::default() }).unwrap();
            let (validation, test) = (held_out(&parts.validation), held_out(&parts.test));
            assert_each_row_once(&[&parts.training, &validation, &test]);
            assert_eq!([parts.training.len(), validation.len(), test.len()], [71, 18, 30]);
            // a fifth of all rows is rare
            assert!((5..=7).contains(&rare(&test)) && (3..=4).contains(&rare(&validation)), "{test:?} {validation:?}");
        }
    }

    #[test]
    fn each_training_row_is_held_out_by_one_network_of_an_ensemble() {
        for (ensemble, count) in [(None, 5), (Some(4), 4)] {
            let test = Some(Holdout::Fraction(0.25));
            let (_, parts) = parts(&Options { ensemble, test, ..Options::default() }).unwrap();
            assert_eq!((parts.ensemble.len(), &parts.validation), (count, &HeldOut::Nothing));
            let mut all = parts.ensemble.concat();
            all.sort_unstable();
            assert_eq!(all, parts.training);
            let least = rare(&parts.training) / count;
            assert!(parts.ensemble.iter().all(|part| (least..=least + 1).contains(&rare(part))));
        }
    }

    #[test]
    fn a_group_is_on_one_side_of_every_split() {
        let is_apart = |one: &[usize], other: &[usize]| {
            let others = patients(other);
            !one.is_empty() && !other.is_empty() && patients(one).iter().all(|patient| !others.contains(patient))
        };
        for seed in 0..10 {
            let grouped = Options { group: Some("patient".into()), seed, ..Options::default() };
            let (validation, test) = (Some(Holdout::Fraction(0.2)), Some(Holdout::Fraction(0.25)));
            let (_, split) = parts(&Options { validation, test, ..grouped.clone() }).unwrap();
            let (validation, test) = (held_out(&split.validation), held_out(&split.test));
            assert_each_row_once(&[&split.training, &validation, &test]);
            assert!(is_apart(&split.training, &validation) && is_apart(&split.training, &test));
            assert!(is_apart(&validation, &test));
            let (_, ensemble) = parts(&grouped).unwrap();
            assert_eq!(ensemble.ensemble.len(), 5);
            for part in &ensemble.ensemble {
                assert!(is_apart(part, &without(&ensemble.training, part)));
            }
            for fold in folds(&grouped, 3) {
                assert!(is_apart(&held_out(&fold.test), &fold.training));
            }
        }
    }

    #[test]
    fn each_row_is_measured_in_one_fold_and_the_test_part_in_none() {
        let test = Some(Holdout::Fraction(0.25));
        for validation in [Some(Holdout::Fraction(0.2)), Some(Holdout::Nothing), None] {
            let options = Options { validation: validation.clone(), test: test.clone(), ..Options::default() };
            let apart = held_out(&parts(&options).unwrap().1.test);
            let folds = folds(&options, 4);
            let measured: Vec<Vec<usize>> = folds.iter().map(|fold| held_out(&fold.test)).collect();
            assert_each_row_once(&[&measured.concat(), &apart]);
            for fold in &folds {
                // what is not measured on is learned from, or decides when to stop
                assert_each_row_once(&[&fold.training, &held_out(&fold.validation), &held_out(&fold.test), &apart]);
                assert_eq!(fold.ensemble.is_empty(), validation.is_some());
                assert!((4..=5).contains(&rare(&held_out(&fold.test))), "{}", rare(&held_out(&fold.test)));
            }
        }
    }

    #[test]
    fn few_rows_are_not_split_unasked_and_too_few_groups_make_one_network() {
        let of = |options: Options| parts(&options).unwrap().1;
        let split = |rows| {
            let tables =
                Tables { table: Table::read("t.csv", &b"x,y\n1,2\n"[..]).unwrap(), validation: None, test: None };
            let source: Source<'_, f64> = Source::Tables { tables: &tables, target: None };
            let all = Rows { rows: (0..rows).collect(), classes: None, groups: None };
            held_out(&Parts::new(&Options::default(), &source, &all).unwrap().validation).len()
        };
        assert_eq!([9, 10, 14].map(split), [0, 2, 3]);
        // 24 patients are enough for 5 networks, not for 25
        let grouped = Options { group: Some("patient".into()), ..Options::default() };
        assert_eq!(of(Options { ensemble: Some(24), ..grouped.clone() }).ensemble.len(), 24);
        let error = parts(&Options { ensemble: Some(25), ..grouped }).err().unwrap();
        assert_eq!(error.to_string(), "cannot make a part of the rows for each network of the ensemble");
        let one_group = Options { group: Some("y".into()), target: Some("x".into()), ..Options::default() };
        let alone = of(one_group); // three groups: rare, common, and the row without
        assert!(alone.ensemble.is_empty() && alone.validation != HeldOut::Nothing);
    }
}
