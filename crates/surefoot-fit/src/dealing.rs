//! Trainings that are dealt out to processes: each of them trains some, and all come to have the results.

use serde::{Deserialize, Serialize};
use surefoot::{DatasetView, Ranks, Scalar};

use crate::error::{Error, Result};
use crate::options::Options;
use crate::outcome::{Run, Scores};
use crate::plan::Plan;
use crate::session::Fitted;

/// A result that travels: its place among the trainings, and what is told of it beside its numbers.
#[derive(Serialize, Deserialize)]
struct Dealt {
    place: usize,
    run: Option<Run>,
    /// The bytes of its numbers.
    length: usize,
}

/// What a process has to say of its part.
#[derive(Serialize, Deserialize)]
enum Told {
    Trained(Vec<Dealt>),
    Interrupted,
    Failed(String),
}

/// The networks that each process has trained, in the order of their places.
///
/// # Errors
/// The error of this process, else that of the first other one that has one.
pub(crate) fn share_networks<T: Scalar>(
    ranks: &dyn Ranks,
    own: Result<Vec<(usize, Fitted<T>)>>,
) -> Result<Vec<(usize, Fitted<T>)>> {
    let own = own.map(|fitted| {
        let of = |(place, Fitted { parameters, run }): (usize, Fitted<T>)| (place, Some(run), T::to_bytes(&parameters));
        fitted.into_iter().map(of).collect()
    });
    let fitted = |(place, run, numbers): (usize, Option<Run>, Vec<u8>)| {
        Some((place, Fitted { parameters: T::from_bytes(&numbers), run: run? }))
    };
    Ok(share(ranks, own)?.into_iter().filter_map(fitted).collect())
}

/// The scores of the folds that each process has measured, with their rows, in the order of the folds.
///
/// # Errors
/// As [`share_networks`].
pub(crate) fn share_scores(
    ranks: &dyn Ranks,
    own: Result<Vec<(usize, Scores, usize)>>,
) -> Result<Vec<(usize, Scores, usize)>> {
    let own = own.map(|scores| {
        let of = |(fold, Scores { cost, score }, rows)| (fold, None, f64::to_bytes(&[cost, score, rows as f64]));
        scores.into_iter().map(of).collect()
    });
    let scores = |(fold, _, numbers): (usize, Option<Run>, Vec<u8>)| match f64::from_bytes(&numbers)[..] {
        [cost, score, rows] => Some((fold, Scores { cost, score }, rows as usize)),
        _ => None,
    };
    Ok(share(ranks, own)?.into_iter().filter_map(scores).collect())
}

type Parts = Vec<(usize, Option<Run>, Vec<u8>)>;

fn share(ranks: &dyn Ranks, own: Result<Parts>) -> Result<Parts> {
    let (told, numbers) = match &own {
        Ok(parts) => {
            let dealt = |(place, run, numbers): &(usize, Option<Run>, Vec<u8>)| Dealt {
                place: *place,
                run: run.clone(),
                length: numbers.len(),
            };
            let numbers = parts.iter().flat_map(|(.., numbers)| numbers).copied().collect();
            (Told::Trained(parts.iter().map(dealt).collect()), numbers)
        }
        Err(Error::Interrupted) => (Told::Interrupted, Vec::new()),
        Err(error) => (Told::Failed(told(error)), Vec::new()),
    };
    let head = serde_json::to_vec(&told).unwrap_or_default();
    let heads = ranks.gather(&head)?;
    let numbers = ranks.gather(&numbers)?;
    own?;
    let mut parts = Parts::new();
    for (rank, (head, numbers)) in heads.iter().zip(numbers).enumerate() {
        match serde_json::from_slice(head) {
            Ok(Told::Trained(dealt)) => {
                let mut rest = &numbers[..];
                for Dealt { place, run, length } in dealt {
                    parts.push((place, run, rest.split_off(..length).unwrap_or_default().to_vec()));
                }
            }
            Ok(Told::Interrupted) => return Err(Error::Interrupted),
            Ok(Told::Failed(message)) => return Err(Error::Rank { rank, message }),
            Err(error) => return Err(Error::Rank { rank, message: error.to_string() }),
        }
    }
    parts.sort_by_key(|(place, ..)| *place);
    Ok(parts)
}

/// An error with its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// That all processes have the same options and data, and that there is something to share.
///
/// # Errors
/// [`Error::Rank`] for one that has others than the first; [`Error::NotShared`] for one network in small batches.
pub(crate) fn check<T: Scalar>(
    ranks: &dyn Ranks,
    options: &Options,
    plan: &Plan,
    folds: usize,
    data: &DatasetView<'_, T>,
) -> Result<()> {
    // importance belongs to the report, which one of them writes
    let options = Options { importance: false, ..options.clone() };
    let own = format!("{} {:016x} {}", env!("CARGO_PKG_VERSION"), data.digest(), options.to_toml()?);
    let all = ranks.gather(own.as_bytes())?;
    if let Some((rank, other)) = all.iter().enumerate().find(|(_, other)| **other != all[0]) {
        return Err(Error::Rank { rank, message: differs(other, &all[0]) });
    }
    let batch = plan.training.batch_rows(plan.rows);
    match plan.is_ensemble() || folds > 0 || plan.training.leaves(plan.rows) > 1 || ranks.size() == 1 {
        true => Ok(()),
        false => Err(Error::NotShared { batch, ranks: ranks.size() }),
    }
}

/// How what a process has (version, digest of the data, options) differs from what the first one has.
fn differs(other: &[u8], first: &[u8]) -> String {
    let (other, first) = (String::from_utf8_lossy(other), String::from_utf8_lossy(first));
    let parts = other.splitn(3, ' ').zip(first.splitn(3, ' '));
    let names = ["another version of the program", "other data", "other options"];
    match names.iter().zip(parts).find(|(_, (other, first))| other != first) {
        Some((name, (other, first))) if *name != names[2] => format!("{name} than rank 0 ({other}, and {first} there)"),
        _ => format!("{} than rank 0", names[2]),
    }
}
