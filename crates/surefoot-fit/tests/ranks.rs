//! A fit on several processes comes to the model of one: networks and folds are dealt out, rows are shared.

#[path = "../../surefoot/tests/suite/common/ranks.rs"]
#[allow(dead_code)]
mod local;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use local::{LocalRank, on_ranks};
use serde_json::json;
use surefoot::Ranks;
use surefoot_fit::{Error, Events, Input, Options, Outcome, Result, Resume, Snapshot, Tables, fit, resume};

/// Sees a fit on a rank; where it is to be kept, the first writes it, and one of them ends it after so many steps.
struct On<'a> {
    rank: LocalRank,
    kept: Option<&'a Path>,
    ends: Option<(usize, u64)>,
    folds: usize,
}

impl<'a> On<'a> {
    fn new(rank: &LocalRank) -> Self {
        On { rank: rank.clone(), kept: None, ends: None, folds: 0 }
    }
}

impl Events for On<'_> {
    fn ranks(&self) -> Option<Arc<dyn Ranks>> {
        Some(Arc::new(self.rank.clone()))
    }

    fn keeps_checkpoints(&self) -> bool {
        self.kept.is_some()
    }

    fn fold(&mut self, fold: usize, _: usize, _: usize, _: &surefoot_fit::Scores) -> ControlFlow<()> {
        self.folds += 1;
        assert_eq!(self.folds, fold);
        ControlFlow::Continue(())
    }

    fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        if let (Some(path), 0) = (self.kept, self.rank.rank()) {
            snapshot.save(path, &json!(null)).unwrap();
        }
        match self.ends {
            Some((rank, steps)) if rank == self.rank.rank() && snapshot.steps() == steps && !snapshot.is_last() => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Ensembles, folds, rows in large batches, and pretraining.
const RUNS: [(&str, &str); 6] = [
    ("iris", "epochs = 12"),
    ("iris", "epochs = 6\nensemble = 7\nhidden = [8]\nfolds = 3"),
    ("digits", "optimizer = \"lbfgs\"\nhidden = [12]\nepochs = 8\ntest = 0.2"),
    ("digits", "optimizer = \"lbfgs\"\nhidden = [12]\nepochs = 4\nfolds = 3"),
    ("digits", "batch_size = 600\nhidden = [10]\nepochs = 4\nprecision = \"f64\"\nclass_weight = \"balanced\""),
    (
        "digits",
        "optimizer = \"lbfgs\"\nhidden = [10, 8]\nepochs = 4\npretraining = \"sparse-autoencoder\"\npretraining_epochs = 4",
    ),
];

fn model(outcome: &Outcome) -> Vec<u8> {
    outcome.model.to_bytes().unwrap()
}

#[test]
fn any_number_of_processes_comes_to_the_model_of_one() {
    for (data, toml) in RUNS {
        let options: Options = toml.parse().unwrap();
        let tables = Tables::read(data, &options).unwrap();
        let input = || Input::Tables(&tables);
        let alone = fit(&options, input(), &mut ()).unwrap();
        for size in [1, 2, 3] {
            let outcomes = on_ranks(size, |rank| fit(&options, input(), &mut On::new(rank)).unwrap());
            for outcome in outcomes {
                assert!(model(&outcome) == model(&alone), "{size} ranks, {data}, {toml}");
                let folds = |outcome: &Outcome| outcome.folds.as_ref().map(|folds| folds.0.clone());
                assert_eq!(folds(&outcome), folds(&alone));
                assert_eq!((outcome.steps(), outcome.test), (alone.steps(), alone.test));
            }
        }
    }
}

#[test]
fn a_fit_that_is_interrupted_goes_on_with_another_number_of_processes_to_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    for (data, toml) in [RUNS[0], RUNS[2], RUNS[4], RUNS[5]] {
        let options: Options = toml.parse().unwrap();
        let tables = Tables::read(data, &options).unwrap();
        let input = || Input::Tables(&tables);
        let alone = fit(&options, input(), &mut ()).unwrap();
        let path = folder.path().join("checkpoint");
        for (ender, others) in [(0, 3), (1, 1), (1, 2)] {
            let ended = on_ranks(2, |rank| {
                fit(&options, input(), &mut On { kept: Some(&path), ends: Some((ender, 2)), ..On::new(rank) })
            });
            for result in ended {
                assert!(matches!(result, Err(Error::Interrupted)), "{data}, {toml}");
            }
            let outcomes = on_ranks(others, |rank| {
                resume(&options, input(), &mut On { kept: Some(&path), ..On::new(rank) }, Resume::open(&path).unwrap())
            });
            for outcome in outcomes {
                assert!(model(&outcome.unwrap()) == model(&alone), "{ender}, {others} ranks, {data}, {toml}");
            }
        }
    }
}

fn errors(size: usize, fit: impl Fn(&LocalRank) -> Result<Outcome> + Sync) -> Vec<String> {
    on_ranks(size, |rank| fit(rank).err().map_or(String::new(), |error| error.to_string()))
}

#[test]
fn processes_that_have_nothing_to_share_or_not_the_same_are_refused() {
    let small: Options = "hidden = [8]".parse().unwrap();
    let tables = Tables::read("iris", &small).unwrap();
    let refused = errors(3, |rank| fit(&small, Input::Tables(&tables), &mut On::new(rank)));
    assert_eq!(refused, ["batches of 32 rows are one block, which 3 processes cannot share"; 3]);
    let one = errors(1, |rank| fit(&small, Input::Tables(&tables), &mut On::new(rank)));
    assert_eq!(one, [""], "one process shares nothing");

    let other_options = errors(3, |rank| {
        let seed = u64::from(rank.rank() == 2);
        let options: Options = format!("seed = {seed}\nepochs = 5").parse().unwrap();
        fit(&options, Input::Tables(&tables), &mut On::new(rank))
    });
    assert_eq!(other_options, ["rank 2: other options than rank 0"; 3]);
    let other_data = errors(2, |rank| {
        let some: Options = format!("rows = {}", 140 + rank.rank()).parse().unwrap();
        let tables = Tables::read("iris", &some).unwrap();
        fit(&"epochs = 5".parse().unwrap(), Input::Tables(&tables), &mut On::new(rank))
    });
    assert!(other_data.iter().all(|error| error.starts_with("rank 1: other data than rank 0 (")), "{other_data:?}");
}
