//! Which rows are learned from, validated on and tested on.

use surefoot::{Held, Scalar, Split, without};

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
