//! What a program gets from `fit`: from matrices as from tables, seen, ended and resumed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ndarray::{Array2, s};
use serde_json::{Value, json};
use surefoot::{Cancel, DatasetView, Epoch, GradientReport, Model, Parameters, Problem, Task};
use surefoot_fit::{
    Begin, Error, Events, Holdout, Input, JudgedOn, Matrices, Options, Outcome, Phase, Plan, Pretrained, Pretraining,
    Resume, Run, Scores, Snapshot, Tables, fit, resume,
};

fn options(toml: &str) -> Options {
    toml.parse().unwrap()
}

/// 150 rows of two inputs, and what follows from them.
fn numbers() -> (Array2<f64>, Array2<f64>) {
    let inputs = Array2::from_shape_fn((150, 2), |(i, j)| ((i * (37 + 11 * j)) % 101) as f64 / 50.0 - 1.0);
    let targets = Array2::from_shape_fn((150, 1), |(i, _)| inputs[[i, 0]] * inputs[[i, 1]] + 0.5 * inputs[[i, 0]]);
    (inputs, targets)
}

fn iris(options: &Options) -> Tables {
    Tables::read("iris", options).unwrap()
}

fn bits(model: &Model) -> Vec<u64> {
    model.parameters.to_f64().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn matrices_are_learned_as_they_are_to_the_bits_of_the_library() {
    let (inputs, targets) = numbers();
    let options = options("hidden = [8]\nvalidation = 0.0\nepochs = 40");
    let data = DatasetView::new(inputs.view(), targets.view()).unwrap();
    let matrices = Matrices { task: Task::Regression, data, validation: None, test: None };
    let outcome = fit(&options, Input::F64(matrices), &mut ()).unwrap();
    assert!(outcome.training.score > 0.9, "{:?}", outcome.training);
    let Outcome { model, plan, .. } = &outcome;
    assert!(model.input_scaling.is_none() && model.target_scaling.is_none() && plan.encoding.is_none());
    assert_eq!((outcome.judged.on, outcome.judged.targets.nrows(), plan.rows), (JudgedOn::Training, 150, 150));

    let start: Vec<f64> = plan.initialization.unwrap().draw(&plan.network, 0);
    let trained = plan.training.fit(&Problem::new(&plan.network, plan.loss, data), start).unwrap();
    assert!(model.parameters == Parameters::F64(trained.parameters), "the library trains to other bits");

    // in single precision, in which the matrices are
    let (inputs, targets) = (inputs.mapv(|x| x as f32), targets.mapv(|y| y as f32));
    let data = DatasetView::new(inputs.view(), targets.view()).unwrap();
    let matrices = Matrices { task: Task::Regression, data, validation: None, test: None };
    let single = fit(&options, Input::F32(matrices), &mut ()).unwrap();
    assert!(matches!(single.model.parameters, Parameters::F32(_)));
    assert!((single.training.score - outcome.training.score).abs() < 0.02, "{:?}", single.training);
}

#[test]
fn matrices_are_split_or_come_with_their_parts() {
    let (inputs, targets) = numbers();
    let classes = targets.mapv(|y| f64::from(u8::from(y > 0.0)));
    let view = |rows: std::ops::Range<usize>| {
        let rows = s![rows, ..];
        DatasetView::new(inputs.slice(rows), classes.slice(rows)).unwrap()
    };
    let (task, all) = (Task::Classification, view(0..150));
    let matrices = Matrices { task, data: all, validation: None, test: None };
    let split = fit(&options("hidden = [8]\ntest = 0.2"), Input::F64(matrices), &mut ()).unwrap();
    assert_eq!([split.plan.rows, split.plan.validation_rows, split.plan.test_rows], [96, 24, 30]);
    let given = Matrices { task, data: view(0..100), validation: Some(view(100..120)), test: Some(view(120..150)) };
    let given = fit(&options("hidden = [8]"), Input::F64(given), &mut ()).unwrap();
    assert_eq!([given.plan.rows, given.plan.validation_rows, given.plan.test_rows], [100, 20, 30]);
    let score =
        task.score(given.model.predict(view(120..150).inputs().view()).unwrap().view(), classes.slice(s![120.., ..]));
    assert_eq!(given.test.unwrap().score, score);
    let ensemble = fit(&options("ensemble = 3\nhidden = [8]\nepochs = 5"), Input::F64(matrices), &mut ()).unwrap();
    assert_eq!((ensemble.model.members(), ensemble.runs.len(), ensemble.judged.on), (3, 3, JudgedOn::OutOfFold));
}

#[test]
fn each_row_is_predicted_out_of_fold_by_the_network_that_did_not_train_on_it() {
    let (inputs, targets) = numbers();
    let data = DatasetView::new(inputs.view(), targets.view()).unwrap();
    let matrices = Matrices { task: Task::Regression, data, validation: None, test: None };
    let outcome = fit(&options("ensemble = 4\nhidden = [8]\nepochs = 10"), Input::F64(matrices), &mut ()).unwrap();
    let plan = &outcome.plan;
    let mut times = vec![0; plan.rows];
    let theta = outcome.model.parameters.to_f64();
    let mut expected = Array2::zeros((plan.rows, 1));
    for (member, theta) in plan.members.iter().zip(theta.chunks(plan.network.parameter_count())) {
        assert!(member.validation.iter().all(|row| !member.training.contains(row)));
        assert_eq!(member.training.len() + member.validation.len(), plan.rows);
        let predicted = plan.network.predict(theta, inputs.view()).unwrap();
        for &row in &member.validation {
            times[row] += 1;
            expected[[row, 0]] = predicted[[row, 0]];
        }
    }
    assert_eq!(times, vec![1; plan.rows]);
    assert_eq!(outcome.judged.outputs, expected);
    let score = Task::Regression.score(expected.view(), targets.view());
    assert_eq!(outcome.validation.unwrap().score, score);
}

/// Ends a fit where something of this name happens.
#[derive(Default)]
struct EndAt {
    what: &'static str,
    seen: Vec<&'static str>,
    keeps_checkpoints: bool,
}

impl EndAt {
    fn happened(&mut self, what: &'static str) -> ControlFlow<()> {
        self.seen.push(what);
        if self.what == what { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Events for EndAt {
    fn keeps_checkpoints(&self) -> bool {
        self.keeps_checkpoints
    }

    fn planned(&mut self, _: &Plan) -> ControlFlow<()> {
        self.happened("planned")
    }

    fn checked(&mut self, _: &GradientReport) -> ControlFlow<()> {
        self.happened("checked")
    }

    fn fold(&mut self, _: usize, _: usize, _: usize, _: &Scores) -> ControlFlow<()> {
        self.happened("fold")
    }

    fn layer(&mut self, _: usize, _: usize, _: &str, _: usize) -> ControlFlow<()> {
        self.happened("layer")
    }

    fn begin(&mut self, _: &Phase, _: &Begin) -> ControlFlow<()> {
        self.happened("begin")
    }

    fn epoch(&mut self, _: &Phase, _: &Epoch) -> ControlFlow<()> {
        self.happened("epoch")
    }

    fn step(&mut self, _: &Snapshot<'_>) -> ControlFlow<()> {
        self.happened("step")
    }

    fn end(&mut self, _: &Phase, _: &Run) -> ControlFlow<()> {
        self.happened("end")
    }

    fn layer_pretrained(&mut self, _: usize, _: f64, _: &Run) -> ControlFlow<()> {
        self.happened("layer pretrained")
    }

    fn pretrained(&mut self, _: &Plan, _: &Pretrained) -> ControlFlow<()> {
        self.happened("pretrained")
    }
}

#[test]
fn whoever_looks_on_ends_a_fit_at_any_event() {
    let folds = options("hidden = [3]\nepochs = 2\nfolds = 3");
    let pretraining = options("hidden = [3]\nepochs = 2\npretraining = \"sparse-autoencoder\"\npretraining_epochs = 2");
    let ensemble = options("ensemble = 2\nhidden = [3]\nepochs = 2");
    for (options, events) in [
        (&folds, &["planned", "checked", "fold", "begin", "epoch", "step", "end"][..]),
        (&pretraining, &["layer", "layer pretrained", "pretrained", "begin", "epoch", "step", "end"]),
        (&ensemble, &["begin", "epoch", "step", "end"]),
    ] {
        let tables = iris(options);
        for &what in events {
            let mut end = EndAt { what, keeps_checkpoints: true, ..EndAt::default() };
            let ended = fit(options, Input::Tables(&tables), &mut end);
            assert!(matches!(ended, Err(Error::Interrupted)), "{what}: {ended:?}");
            assert_eq!(end.seen.iter().filter(|&&seen| seen == what).count(), 1, "{what}: {:?}", end.seen);
            assert_eq!(end.seen.last(), Some(&what));
        }
    }
    // networks that are trained at the same time end, too
    let mut end = EndAt { what: "epoch", ..EndAt::default() };
    assert!(matches!(fit(&ensemble, Input::Tables(&iris(&ensemble)), &mut end), Err(Error::Interrupted)));
    assert!(!end.seen.contains(&"end") && !end.seen.contains(&"step"), "{:?}", end.seen);
}

/// Sets its flag where something of this name happens, and goes on by itself.
struct CancelAt {
    what: &'static str,
    flag: Cancel,
}

impl Events for CancelAt {
    fn cancel(&self) -> Option<Cancel> {
        Some(self.flag.clone())
    }

    fn checked(&mut self, _: &GradientReport) -> ControlFlow<()> {
        if self.what == "checked" {
            self.flag.cancel();
        }
        ControlFlow::Continue(())
    }

    fn fold(&mut self, _: usize, _: usize, _: usize, _: &Scores) -> ControlFlow<()> {
        panic!("a fold was trained to its end");
    }

    fn epoch(&mut self, _: &Phase, epoch: &Epoch) -> ControlFlow<()> {
        assert!(!self.flag.is_cancelled(), "an epoch was trained to its end");
        if self.what == "epoch" && epoch.epoch == 2 {
            self.flag.cancel();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_flag_ends_a_fit_and_its_folds() {
    for (toml, what) in [
        ("hidden = [3]\nepochs = 5", "epoch"),
        ("hidden = [3]\nepochs = 5", "checked"),
        ("hidden = [3]\nepochs = 5\nfolds = 3", "checked"),
    ] {
        let options = options(toml);
        let ended = fit(&options, Input::Tables(&iris(&options)), &mut CancelAt { what, flag: Cancel::new() });
        assert!(matches!(ended, Err(Error::Interrupted)), "{toml}: {ended:?}");
    }
}

/// Keeps a training in a file after every so many calls, and ends it there.
struct Keep {
    path: PathBuf,
    every: usize,
    calls: usize,
}

impl Events for Keep {
    fn keeps_checkpoints(&self) -> bool {
        true
    }

    fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        self.calls += 1;
        if self.calls < self.every {
            return ControlFlow::Continue(());
        }
        snapshot.save(&self.path, &json!({"calls": self.calls})).unwrap();
        ControlFlow::Break(())
    }
}

/// Ends the fit in the second epoch of the second network, on one thread, and keeps what was learned.
struct KeepsUnfinished(Cancel);

impl Events for KeepsUnfinished {
    fn keeps_unfinished(&self) -> bool {
        true
    }

    fn cancel(&self) -> Option<Cancel> {
        Some(self.0.clone())
    }

    fn epoch(&mut self, phase: &Phase, epoch: &Epoch) -> ControlFlow<()> {
        if matches!(phase, Phase::Member { member: 2, .. }) && epoch.epoch == 2 {
            self.0.cancel();
        }
        ControlFlow::Continue(())
    }
}

/// The cycles of 100 epochs end in the 7th, with the 20th, in the 47th and with the last.
#[test]
fn a_network_ends_after_a_cycle_that_gained_nothing() {
    let plain = options("");
    let tables = iris(&plain);
    let outcome = fit(&plain, Input::Tables(&tables), &mut ()).unwrap();
    let epochs: Vec<usize> = outcome.runs.iter().map(|run| run.history.len()).collect();
    assert!(epochs.iter().all(|epochs| [20, 47, 100].contains(epochs)), "{epochs:?}");
    assert!(epochs.iter().any(|&epochs| epochs < 100), "{epochs:?}");
    let patient = options("patience = 0");
    let outcome = fit(&patient, Input::Tables(&tables), &mut ()).unwrap();
    assert!(outcome.runs.iter().all(|run| run.history.len() == 100));
}

#[test]
fn what_was_learned_before_the_end_is_kept_where_it_is_wanted() {
    let options = options("ensemble = 3\nhidden = [8]\nepochs = 30");
    let tables = iris(&options);
    let threads = surefoot::Threads::new(1);
    let whole = threads.run(|| fit(&options, Input::Tables(&tables), &mut ())).unwrap().unwrap();
    let mut events = KeepsUnfinished(Cancel::new());
    let kept = threads.run(|| fit(&options, Input::Tables(&tables), &mut events)).unwrap().unwrap();
    let epochs: Vec<usize> = kept.runs.iter().map(|run| run.history.len()).collect();
    assert_eq!(epochs, [30, 2], "the third network had no epoch");
    let count = kept.plan.network.parameter_count();
    assert_eq!(bits(&kept.model), [&bits(&whole.model)[..count], &bits(&kept.model)[count..]].concat());
    let held_out: usize = kept.plan.members.iter().map(|member| member.validation.len()).sum();
    assert_eq!((kept.judged.outputs.nrows(), kept.judged.targets.nrows()), (held_out, held_out));
    assert!(held_out == 100 && kept.validation.unwrap().score > 0.3, "{:?}", kept.validation);
    assert!(matches!(fit(&options, Input::Tables(&tables), &mut KeepsUnfinished(events.0)), Err(Error::Interrupted)));
}

/// Fits, ended after every so many steps and resumed; and how many times.
fn in_pieces(options: &Options, tables: &Tables, every: usize, folder: &Path) -> (Outcome, usize) {
    let path = folder.join("c");
    let (mut pieces, mut kept) = (1, None::<Resume>);
    loop {
        let mut keep = Keep { path: path.clone(), every, calls: 0 };
        let fitted = match kept.take() {
            None => fit(options, Input::Tables(tables), &mut keep),
            Some(kept) => resume(options, Input::Tables(tables), &mut keep, kept),
        };
        match fitted {
            Ok(outcome) => return (outcome, pieces),
            Err(Error::Interrupted) => {
                let opened = Resume::open(&path).unwrap();
                assert_eq!(opened.note(), &json!({"calls": every}));
                (pieces, kept) = (pieces + 1, Some(opened));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_ensemble_in_pieces_has_the_bits_of_one_trained_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = options("ensemble = 3\nhidden = [6]\nepochs = 4\nseed = 5");
    let tables = iris(&options);
    let whole = fit(&options, Input::Tables(&tables), &mut ()).unwrap();
    // 100 rows in steps of 32: 16 steps a network
    for every in [2, 5, 17, 40] {
        let (outcome, pieces) = in_pieces(&options, &tables, every, folder.path());
        assert!(pieces > 1, "{every}");
        assert!(bits(&outcome.model) == bits(&whole.model), "after every {every} steps");
        let told = |outcome: &Outcome| -> Vec<Value> {
            let of =
                |run: &Run| json!([run.history, run.best_epoch, run.steps, run.evaluations, run.stop_reason.name()]);
            outcome.runs.iter().map(of).collect()
        };
        assert_eq!(told(&outcome), told(&whole));
        assert_eq!((outcome.validation, outcome.training), (whole.validation, whole.training));
        assert_eq!(outcome.model.training, whole.model.training);
    }
}

#[test]
fn an_ensemble_is_not_resumed_with_other_options_or_other_rows() {
    let folder = tempfile::tempdir().unwrap();
    let these = options("ensemble = 2\nhidden = [3]\nepochs = 2");
    let tables = iris(&these);
    for every in [3, 12] {
        // within the first network, and within the second
        let path = folder.path().join("c");
        let mut keep = Keep { path: path.clone(), every, calls: 0 };
        assert!(matches!(fit(&these, Input::Tables(&tables), &mut keep), Err(Error::Interrupted)));
        let refused = |options: &Options, tables: &Tables| {
            let resumed = resume(options, Input::Tables(tables), &mut (), Resume::open(&path).unwrap());
            matches!(resumed, Err(Error::Library(surefoot::Error::Resume { .. })))
        };
        let other = options("ensemble = 2\nhidden = [3]\nepochs = 2\nlearning_rate = 0.5");
        assert!(refused(&other, &tables), "another learning rate");
        let fewer = Tables { table: tables.table.clone().first(140), ..tables.clone() };
        assert!(refused(&these, &fewer), "fewer rows");
    }
}

#[test]
fn a_table_is_named_where_it_cannot_be_used() {
    let mut options = options("hidden = [3]\nepochs = 2");
    options.validation = Some(Holdout::Table("nowhere.csv".into()));
    let error = Tables::read("iris", &options).unwrap_err();
    assert_eq!(error.to_string(), "cannot use the validation data");
    options.validation = None;
    options.pretraining = Some(Pretraining::SparseAutoencoder);
    options.ensemble = Some(3);
    let error = fit(&options, Input::Tables(&iris(&options)), &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "ensemble cannot be combined with pretraining");
}
