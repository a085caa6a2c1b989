//! How much each column matters: what the score loses when its cells are dealt out anew.

use surefoot::{Dataset, Importance, Network, Purpose, Random, Scalar, permutation_importance};

use crate::commands::train::plan::Plan;

/// What the importance of inputs may cost, in rows × parameters, and for how many columns it is taken.
const AFFORDABLE: usize = 20_000_000_000;
const MOST_IMPORTANCES: usize = 300;
const IMPORTANCE_ROWS: usize = 2000;
const REPEATS: usize = 5;

/// What the score loses without each column, the greatest first; `None` where that would take too long.
pub type Ranking = Option<Vec<(String, Importance)>>;

/// The importance of the columns on these examples, or on some of them.
pub fn rank_columns<T: Scalar>(
    network: &Network,
    parameters: &[T],
    plan: &Plan,
    examples: &Dataset<T>,
) -> surefoot::Result<Ranking> {
    let groups = plan.encoding.input_groups();
    let each = network.parameter_count() * groups.len();
    let affordable = AFFORDABLE / each.max(1);
    if groups.len() > MOST_IMPORTANCES || affordable < 100 || plan.encoding.is_autoencoder() {
        return Ok(None);
    }
    let rows = examples.rows().min(IMPORTANCE_ROWS).min(affordable);
    let repeats = (affordable / rows).clamp(1, REPEATS);
    let seed = plan.training.seed;
    let sample = Random::new(seed, Purpose::Permutation, u32::MAX).sample(examples.rows(), rows);
    let some = examples.select(&sample)?;
    let found = permutation_importance(network, parameters, plan.task, &some, &groups, repeats, seed)?;
    let names = plan.encoding.columns.iter().map(|column| column.name.clone());
    let mut ranking: Vec<(String, Importance)> = names.zip(found).collect();
    ranking.sort_by(|(_, one), (_, other)| other.mean.total_cmp(&one.mean));
    Ok(Some(ranking))
}
