//! How good such a model is on rows that it did not see, and how much that varies.

use surefoot::{Scalar, StopReason, Task};

use crate::dealing::share_scores;
use crate::error::{Error, Result, Side};
use crate::input::{Rows, Source};
use crate::networks;
use crate::options::Options;
use crate::outcome::{Folds, Run, Scores};
use crate::parts::{HeldOut, Parts};
use crate::plan::Plan;
use crate::session::Session;

/// The parts of each fold, if they are of a size that a score says something of.
pub(crate) fn parts<T: Scalar>(
    options: &Options,
    source: &Source<'_, T>,
    rows: &Rows,
    parts: &Parts,
    task: Task,
) -> Result<Vec<Parts>> {
    let Some(folds) = options.folds else { return Ok(Vec::new()) };
    let parts = parts.folds(options, source, rows, folds)?;
    let rows_of = |parts: &Parts| match &parts.test {
        HeldOut::Rows(rows) => rows.len(),
        _ => 0,
    };
    let rows = parts.iter().map(rows_of).min().unwrap_or(0);
    match task == Task::Regression && rows < 2 {
        true => Err(Error::SmallFolds { folds, rows }),
        false => Ok(parts),
    }
}

/// Trains on all parts but one, for each of them. What is learned from data (categories, fills, scaling, when to stop) is
/// learned anew each time, without the part that is measured on; only the kind of a column is decided by all rows.
pub(crate) fn run<T: Scalar>(
    session: &Session<'_>,
    source: &Source<'_, T>,
    rows: &Rows,
    parts: &[Parts],
) -> Result<Option<Folds>> {
    if parts.is_empty() {
        return Ok(None);
    }
    let folds = parts.len();
    let fold = |i: usize| measure(session, source, rows, &parts[i], i);
    let tell = |(i, scores, rows): (usize, Scores, usize)| {
        session.tell(|events| events.fold(i + 1, folds, rows, &scores))?;
        Ok(scores.score)
    };
    let scores = match &session.ranks {
        None => (0..folds).map(|i| tell(fold(i)?)).collect::<Result<_>>()?,
        Some(ranks) => {
            let own = (ranks.rank()..folds).step_by(ranks.size()).map(fold).collect();
            share_scores(&**ranks, own)?.into_iter().map(tell).collect::<Result<_>>()?
        }
    };
    Ok(Some(Folds(scores)))
}

/// The scores of one fold, with its rows.
fn measure<T: Scalar>(
    session: &Session<'_>,
    source: &Source<'_, T>,
    rows: &Rows,
    parts: &Parts,
    fold: usize,
) -> Result<(usize, Scores, usize)> {
    let (plan, examples) = Plan::new(session.options, source, rows, parts)?;
    let mut nobody = (); // the trainings of folds are not shown one by one
    let mut alone = session.unseen(&mut nobody);
    let (parameters, runs) = match plan.is_ensemble() {
        true => {
            let trained = networks::train_ensemble(&mut alone, &plan, examples.training.view())?;
            (trained.parameters, trained.runs)
        }
        false => {
            let start = networks::start(&plan, plan.training.seed);
            let fitted = networks::train_one(&mut alone, &plan, &examples, start, None)?;
            (fitted.parameters, vec![fitted.run])
        }
    };
    diverged(&runs, Side::Fold(fold + 1))?;
    let test = examples.test.as_ref().unwrap_or(&examples.training); // a fold has a test part
    Ok((fold, Scores::new(&plan, &parameters, test.view(), None)?, test.view().rows()))
}

/// That every cost was finite.
pub(crate) fn diverged(runs: &[Run], of: Side) -> Result<()> {
    match runs.last().map(|run| run.stop_reason) {
        Some(StopReason::NotFinite { epoch, .. }) => Err(Error::Diverged { of, epoch }),
        _ => Ok(()),
    }
}
