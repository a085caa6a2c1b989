//! Which columns matter.

use surefoot::importance::Importance;
use surefoot::{DatasetView, PermutationImportance, Purpose, Random, Scalar};

use crate::error::Result;
use crate::plan::Plan;

/// What the importance of columns may cost, in rows × parameters, and for how many columns it is taken.
const AFFORDABLE: usize = 20_000_000_000;
const MOST_COLUMNS: usize = 300;
const ROWS: usize = 2000;
const LEAST_ROWS: usize = 100;

/// What the score loses on these examples, or on some of them, without each column, the greatest first; `None` where that
/// would take too long.
pub(crate) fn of_columns<T: Scalar>(
    plan: &Plan,
    parameters: &[T],
    examples: DatasetView<'_, T>,
) -> Result<Option<Vec<(String, Importance)>>> {
    let Some(encoding) = plan.encoding.as_ref().filter(|encoding| !encoding.is_autoencoder()) else { return Ok(None) };
    let groups = encoding.input_groups();
    let affordable = AFFORDABLE / (parameters.len() * groups.len()).max(1);
    if groups.len() > MOST_COLUMNS || affordable < LEAST_ROWS {
        return Ok(None);
    }
    let rows = examples.rows().min(ROWS).min(affordable);
    let repeats = (affordable / rows).clamp(1, PermutationImportance::default().repeats);
    let seed = plan.training.seed;
    let sample = Random::new(seed, Purpose::Permutation, u32::MAX).sample(examples.rows(), rows);
    let some = examples.select(&sample)?;
    let predict = |inputs: ndarray::ArrayView2<'_, T>| plan.network.predict_ensemble(parameters, inputs);
    let found = PermutationImportance { repeats, seed }.run(plan.task, &some, &groups, predict)?;
    let names = encoding.columns.iter().map(|column| column.name.clone());
    let mut ranking: Vec<(String, Importance)> = names.zip(found).collect();
    ranking.sort_by(|(_, one), (_, other)| other.mean.total_cmp(&one.mean));
    Ok(Some(ranking))
}
