//! A training that is broken off and goes on, in memory and through a file: the same bits, or a clear refusal.

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::common::examples;
use serde_json::{Value, json};
use surefoot::{
    Activation, Adam, BatchSize, Cancel, Checkpoint, Dataset, Error, GradientDescent, Initialization, Lbfgs, Loss,
    Network, Observer, Optimizer, Problem, Scalar, Schedule, Sparsity, StopReason, Trained, Training, TrainingState,
    draw_defaults,
};
use tempfile::TempDir;

/// Saves each state, and ends the training after so many steps.
struct Interrupt<'a> {
    path: &'a PathBuf,
    steps: usize,
}

impl<T: Scalar> Observer<T> for Interrupt<'_> {
    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        self.steps -= 1;
        if self.steps > 0 {
            return ControlFlow::Continue(());
        }
        state.save(self.path, &[], &Value::Null).unwrap();
        ControlFlow::Break(())
    }
}

struct Run<T> {
    network: Network,
    loss: Loss,
    training: Training,
    data: Dataset<T>,
    validation: Option<Dataset<T>>,
}

impl<T: Scalar> Run<T> {
    fn problem(&self) -> Problem<'_, T> {
        Problem::new(&self.network, self.loss, &self.data).with_validation(self.validation.as_ref())
    }

    fn start(&self) -> Vec<T> {
        draw_defaults(&self.network, 3)
    }

    fn at_one_go(&self) -> Trained<T> {
        let training = &self.training;
        training.fit(&self.problem(), self.start()).unwrap()
    }

    /// The same in parts of so many steps, each of which knows nothing but the file of the one before.
    fn in_parts(&self, steps: usize) -> (Trained<T>, usize) {
        let training = &self.training;
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("run.checkpoint");
        let first = training.start(&self.problem(), self.start()).unwrap();
        first.save(&path, &[], &Value::Null).unwrap();
        for parts in 1.. {
            let mut state = Checkpoint::open(&path).unwrap().state::<T>(training).unwrap();
            let mut interrupt = Interrupt { path: &path, steps };
            let reason = training.resume_with(&self.problem(), &mut state, &mut interrupt).unwrap();
            if reason != StopReason::Observer {
                return (state.into_trained(reason), parts);
            }
        }
        unreachable!()
    }
}

/// Every optimizer, with schedules, weights, sparsity, a validation part and patience among them.
fn runs<T: Scalar>() -> Vec<Run<T>> {
    let network = Network::new(3, &[(5, Activation::Sigmoid), (2, Activation::Softmax)]).unwrap();
    let loss = Loss::CrossEntropy;
    let data =
        |weighted, rows, seed| examples(3, 2, loss, Activation::Softmax, weighted, rows, seed).cast::<T>().unwrap();
    let descent = |momentum, nesterov| GradientDescent { learning_rate: 0.3, momentum, nesterov };
    let optimizers: [Optimizer; 5] = [
        descent(0.0, false).into(),
        descent(0.9, false).into(),
        descent(0.9, true).into(),
        Adam { learning_rate: 0.05, ..Adam::default() }.into(),
        Lbfgs { history: 3, ..Lbfgs::default() }.into(),
    ];
    let mut runs = Vec::new();
    for optimizer in optimizers {
        let is_lbfgs = matches!(optimizer, Optimizer::Lbfgs(_));
        for (i, batch_size) in [Some(BatchSize::Rows(7)), Some(BatchSize::Full), None].into_iter().enumerate() {
            let training = Training {
                optimizer,
                batch_size: if is_lbfgs { None } else { batch_size },
                epochs: 6,
                schedule: if is_lbfgs { Schedule::Constant } else { Schedule::Cosine },
                sparsity: (i == 1).then_some(Sparsity { target: 0.3, weight: 0.1 }),
                weight_decay: 1e-3,
                patience: if i == 0 { 0 } else { 2 },
                ..Training::default()
            };
            let validation = (i == 2).then(|| data(false, 9, 8));
            runs.push(Run { network: network.clone(), loss, training, data: data(i == 1, 25, 4), validation });
        }
    }
    runs
}

fn every_break_leads_to_the_same_bits<T: Scalar>() {
    for run in runs::<T>() {
        let expected = run.at_one_go();
        assert!(expected.history.len() > 1, "{:?}", run.training);
        for steps in [1, 2, 5] {
            let (found, parts) = run.in_parts(steps);
            assert_eq!(found, expected, "{steps} steps at a time, {:?}", run.training);
            assert!(parts as u64 >= expected.steps / steps as u64);
        }
    }
}

#[test]
fn a_training_broken_off_after_every_single_step_comes_to_the_same_bits() {
    every_break_leads_to_the_same_bits::<f32>();
    every_break_leads_to_the_same_bits::<f64>();
}

#[test]
fn a_break_at_the_end_of_an_epoch_does_not_lose_the_patience() {
    struct EachEpoch;
    impl<T> Observer<T> for EachEpoch {
        fn epoch(&mut self, _: &surefoot::Epoch) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    for mut run in runs::<f64>() {
        run.training.patience = 1;
        run.training.tolerance = 0.2; // so that it ends by patience
        let expected = run.at_one_go();
        let training = &run.training;
        let mut state = training.start(&run.problem(), run.start()).unwrap();
        let reason = loop {
            let reason = training.resume_with(&run.problem(), &mut state, &mut EachEpoch).unwrap();
            if reason != StopReason::Observer {
                break reason;
            }
        };
        assert_eq!(state.into_trained(reason), expected);
    }
}

/// Cancels, as another thread might, when so many steps are done.
struct CancelAfter {
    steps: u64,
    cancel: Cancel,
}

impl<T: Scalar> Observer<T> for CancelAfter {
    fn cancel(&self) -> Option<Cancel> {
        Some(self.cancel.clone())
    }

    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        if state.steps() == self.steps {
            self.cancel.cancel();
        }
        ControlFlow::Continue(())
    }
}

/// The pass in which it is cancelled is lost as a whole: that of a batch, of a search along a line, or over what is monitored.
#[test]
fn a_cancelled_training_is_resumed_to_the_same_bits() {
    for run in runs::<f64>() {
        let expected = run.at_one_go();
        for steps in 0..expected.steps {
            let mut state = run.training.start(&run.problem(), run.start()).unwrap();
            let mut observer = CancelAfter { steps, cancel: Cancel::new() };
            if steps == 0 {
                observer.cancel.cancel();
            }
            let reason = run.training.resume_with(&run.problem(), &mut state, &mut observer).unwrap();
            assert_eq!((reason, state.steps()), (StopReason::Observer, steps), "{:?}", run.training);
            let reason = run.training.resume(&run.problem(), &mut state).unwrap();
            assert_eq!(state.into_trained(reason), expected, "cancelled after {steps}, {:?}", run.training);
        }
    }
}

#[test]
fn a_training_that_has_ended_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.checkpoint");
    for run in runs::<f32>() {
        let training = &run.training;
        let mut state = training.start(&run.problem(), run.start()).unwrap();
        assert_eq!(state.stopped(), None);
        let reason = training.resume(&run.problem(), &mut state).unwrap();
        state.save(&path, &[], &Value::Null).unwrap();
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.stopped(), Some(reason));
        let mut again = checkpoint.state(training).unwrap();
        assert_eq!(again, state);
        let same = training.resume(&run.problem(), &mut again).unwrap();
        assert_eq!((same, again), (reason, state));
    }
}

#[test]
fn an_explosion_is_the_same_after_a_break() {
    let mut run = runs::<f64>().swap_remove(0);
    run.network = Network::new(3, &[(5, Activation::Relu), (2, Activation::Identity)]).unwrap();
    run.loss = Loss::SquaredError;
    run.training.optimizer = GradientDescent { learning_rate: 1e30, momentum: 0.0, nesterov: false }.into();
    let expected = run.at_one_go();
    assert!(matches!(expected.stop_reason, StopReason::NotFinite { .. }));
    for steps in [1, 2, 3] {
        assert_eq!(run.in_parts(steps).0, expected);
    }
}

/// A state in the middle of an epoch, in a file, and what it was made with.
fn a_file() -> (TempDir, PathBuf, Run<f32>, TrainingState<f32>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("run.checkpoint");
    let run = runs::<f32>().swap_remove(11); // Adam, with validation and patience
    let training = &run.training;
    let mut state = training.start(&run.problem(), run.start()).unwrap();
    let mut interrupt = Interrupt { path: &path, steps: 3 };
    training.resume_with(&run.problem(), &mut state, &mut interrupt).unwrap();
    state.save(&path, &[1.5, 2.5], &json!({"data": "made up", "∞": [1, null]})).unwrap();
    (folder, path, run, state)
}

#[test]
fn a_checkpoint_keeps_what_it_is_given() {
    let (_folder, path, run, state) = a_file();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.note(), &json!({"data": "made up", "∞": [1, null]}));
    assert_eq!((checkpoint.precision(), checkpoint.stopped()), ("f32", None));
    assert_eq!(checkpoint.learned::<f32>().unwrap(), [1.5, 2.5]);
    assert_eq!(checkpoint.state(&run.training).unwrap(), state);
    assert!(checkpoint.learned::<f64>().is_err() && checkpoint.state::<f64>(&run.training).is_err());
    // equal states make equal files
    let bytes = std::fs::read(&path).unwrap();
    state.save(&path, &[1.5, 2.5], &json!({"∞": [1, null], "data": "made up"})).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn another_run_than_the_one_that_began_is_refused() {
    let (_folder, path, run, _) = a_file();
    let refusal = |training: &Training, network: &Network, loss, data, validation| {
        let mut state = Checkpoint::open(&path).unwrap().state::<f32>(&run.training).unwrap();
        training
            .resume(&Problem::new(network, loss, data).with_validation(validation), &mut state)
            .unwrap_err()
            .to_string()
    };
    let Run { network, loss, training, data, validation } = &run;
    let validation = validation.as_ref();
    let longer = Training { epochs: 7, ..training.clone() };
    assert!(
        refusal(&longer, network, *loss, data, validation)
            .contains(&format!("expected epochs {}, got epochs 7", training.epochs))
    );
    let wider = Network::new(3, &[(6, Activation::Sigmoid), (2, Activation::Softmax)]).unwrap();
    assert!(refusal(training, &wider, *loss, data, validation).contains("got layers 3-6-2"));
    let tanh = Network::new(3, &[(5, Activation::Tanh), (2, Activation::Softmax)]).unwrap();
    assert!(refusal(training, &tanh, *loss, data, validation).contains("got activations tanh softmax"));
    assert!(refusal(training, network, Loss::SquaredError, data, validation).contains("got loss squared-error"));
    let mut inputs = data.inputs().to_owned();
    inputs[[24, 2]] = f32::from_bits(inputs[[24, 2]].to_bits() ^ 1);
    let changed = Dataset::new(inputs, data.targets().to_owned()).unwrap();
    assert!(
        refusal(training, network, *loss, &changed, validation)
            .contains("training examples: expected the same numbers")
    );
    let weighted = data.clone().with_weights(vec![1.0; 25]).unwrap();
    assert!(refusal(training, network, *loss, &weighted, validation).contains("training examples"));
    assert!(refusal(training, network, *loss, data, None).contains("validation examples"));
    assert!(refusal(training, network, *loss, data, Some(data)).contains("validation examples"));
    let by_lbfgs = Training { optimizer: Lbfgs::default().into(), schedule: Schedule::Constant, ..training.clone() };
    assert!(Checkpoint::open(&path).unwrap().state::<f32>(&by_lbfgs).is_err());
}

#[test]
fn a_file_cut_anywhere_or_with_any_bit_of_its_header_changed_is_refused() {
    let (_folder, path, run, state) = a_file();
    let bytes = std::fs::read(&path).unwrap();
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Checkpoint::open(&path)
    };
    for length in 0..bytes.len() {
        assert!(matches!(open(&bytes[..length]), Err(Error::ModelFile { .. })), "cut to {length} bytes");
    }
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (mut refused, mut same) = (0, 0);
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match open(&changed) {
            Err(_) => refused += 1,
            // white space of the header's end, or a letter's case in an escape, say nothing
            Ok(checkpoint) => {
                assert!(bit < 8 * header, "a changed number was taken");
                assert_eq!(checkpoint.state::<f32>(&run.training).unwrap(), state, "bit {bit}");
                same += 1;
            }
        }
    }
    assert!(refused > 100 * same, "{refused} refused, {same} with the same meaning");
}

#[test]
fn a_model_is_no_checkpoint_and_a_checkpoint_no_model() {
    let (_folder, path, ..) = a_file();
    let error = surefoot::Model::load(&path).unwrap_err().to_string();
    assert!(error.contains("an entry `surefoot`"), "{error}");
    let network = Network::new(1, &[(1, Activation::Tanh)]).unwrap();
    let theta: Vec<f32> = Initialization::Glorot.draw(&network, 1);
    surefoot::Model::new(network, theta.into(), Loss::SquaredError, 0.0).unwrap().save(&path).unwrap();
    let error = Checkpoint::open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("an entry `surefoot_checkpoint`"), "{error}");
    let missing = Checkpoint::open(path.with_extension("none")).map(|_| ()).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }));
}
