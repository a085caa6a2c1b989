//! The contract of docs/reproducibility.md: the same θ and history, bit for bit, over a grid of settings, threads and breaks.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::examples;
use rayon::ThreadPool;
use surefoot::{
    Activation, Adam, BatchSize, Dataset, GradientDescent, Lbfgs, Loss, Network, Observer, Optimizer, Problem, Purpose,
    Random, Scalar, Sparsity, StopReason, Trained, Training, TrainingState, draw_defaults,
};

const THREADS: [usize; 5] = [1, 2, 3, 4, 8];
/// More than one block of examples, and a last batch that is not full.
const ROWS: usize = 530;

/// All that decides a training, but the numbers.
#[derive(Clone, Copy, Debug)]
struct Setting {
    optimizer: Optimizer,
    loss: Loss,
    output: Activation,
    batch_size: BatchSize,
    is_weighted: bool,
    is_sparse: bool,
    validates: bool,
}

fn settings() -> Vec<Setting> {
    let descent = |momentum, nesterov| GradientDescent { learning_rate: 0.01, momentum, nesterov };
    let optimizers: [Optimizer; 5] = [
        descent(0.0, false).into(),
        descent(0.9, false).into(),
        descent(0.9, true).into(),
        Adam::default().into(),
        Lbfgs::default().into(),
    ];
    let losses = [
        (Loss::SquaredError, Activation::Tanh),
        (Loss::CrossEntropy, Activation::Sigmoid),
        (Loss::CrossEntropy, Activation::Softmax),
    ];
    let mut settings = Vec::new();
    for optimizer in optimizers {
        for (loss, output) in losses {
            for batch_size in [BatchSize::Rows(1), BatchSize::Rows(7), BatchSize::Rows(32), BatchSize::Full] {
                if matches!(optimizer, Optimizer::Lbfgs(_)) && batch_size != BatchSize::Full {
                    continue;
                }
                for bits in 0..8 {
                    let (is_weighted, is_sparse, validates) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                    settings.push(Setting { optimizer, loss, output, batch_size, is_weighted, is_sparse, validates });
                }
            }
        }
    }
    settings
}

/// Ends a training after a step.
struct After(u64);

impl<T: Scalar> Observer<T> for After {
    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        if state.steps() == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

struct Run<T> {
    network: Network,
    training: Training,
    loss: Loss,
    data: Dataset<T>,
    validation: Option<Dataset<T>>,
}

impl<T: Scalar> Run<T> {
    fn new(setting: Setting) -> Self {
        let Setting { optimizer, loss, output, batch_size, is_weighted, is_sparse, validates } = setting;
        let layers = [(24, Activation::Sigmoid), (9, Activation::Tanh), (5, output)];
        let data = |rows, seed| examples(40, 5, loss, output, is_weighted, rows, seed).cast().unwrap();
        let training = Training {
            optimizer,
            batch_size: Some(batch_size),
            epochs: 2,
            weight_decay: 1e-3,
            sparsity: is_sparse.then_some(Sparsity { target: 0.2, weight: 0.05 }),
            patience: usize::from(validates),
            ..Training::default()
        };
        let network = Network::new(40, &layers).unwrap();
        Run { network, training, loss, data: data(ROWS, 5), validation: validates.then(|| data(60, 6)) }
    }

    /// On this many threads, broken off after these steps and gone on with on those threads.
    fn fit(&self, threads: &ThreadPool, breaks: &[(u64, &ThreadPool)]) -> Trained<T> {
        let Run { network, training, loss, data, validation } = self;
        let start = draw_defaults(network, 2);
        let mut state =
            training.start(&Problem::new(network, *loss, data).with_validation(validation.as_ref()), start).unwrap();
        let mut threads = threads;
        for &(step, next) in breaks {
            let part = || {
                training.resume_with(
                    &Problem::new(network, *loss, data).with_validation(validation.as_ref()),
                    &mut state,
                    &mut After(step),
                )
            };
            assert_eq!(threads.install(part).unwrap(), StopReason::Observer);
            threads = next;
        }
        let rest =
            || training.resume(&Problem::new(network, *loss, data).with_validation(validation.as_ref()), &mut state);
        let reason = threads.install(rest).unwrap();
        state.into_trained(reason)
    }
}

fn the_grid_has_the_same_bits<T: Scalar>() {
    let pools = THREADS.map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    let mut random = Random::new(1, Purpose::Examples, 0);
    for setting in settings() {
        let run = Run::<T>::new(setting);
        let one = run.fit(&pools[0], &[]);
        assert!(one.steps > 1 && one.history.len() == 2, "{setting:?}");
        for (threads, pool) in THREADS.iter().zip(&pools).skip(1) {
            assert_eq!(one, run.fit(pool, &[]), "{threads} threads, {}, {setting:?}", T::NAME);
        }
        let step = 1 + random.below(one.steps as usize - 1) as u64;
        let (from, to) = (random.below(THREADS.len()), random.below(THREADS.len()));
        let broken = run.fit(&pools[from], &[(step, &pools[to])]);
        assert_eq!(one, broken, "broken off after step {step}, {}, {setting:?}", T::NAME);
    }
}

#[test]
fn a_grid_of_trainings_in_single_precision_has_the_same_bits_on_any_threads_and_after_a_break() {
    the_grid_has_the_same_bits::<f32>();
}

#[test]
fn a_grid_of_trainings_in_double_precision_has_the_same_bits_on_any_threads_and_after_a_break() {
    the_grid_has_the_same_bits::<f64>();
}

/// The bits of one small run of this version. Other bits are a change that the changelog has to name; then
/// `SUREFOOT_WRITE_GOLDEN=1 cargo test -p surefoot --test same_bits` writes the file anew.
#[test]
fn the_bits_of_a_small_run_are_those_of_the_golden_file() {
    let setting = Setting {
        optimizer: Adam::default().into(),
        loss: Loss::CrossEntropy,
        output: Activation::Softmax,
        batch_size: BatchSize::Rows(32),
        is_weighted: true,
        is_sparse: true,
        validates: true,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let trained = Run::<f32>::new(setting).fit(&pool, &[]);
    let mut lines = Vec::new();
    for epoch in &trained.history {
        let numbers = [Some(epoch.cost), epoch.validation_cost, epoch.validation_score, Some(epoch.learning_rate)];
        for (what, number) in ["cost", "validation cost", "validation score", "learning rate"].iter().zip(numbers) {
            let number = number.unwrap();
            lines.push(format!("epoch {} {what} {:016x} {number}", epoch.epoch, number.to_bits()));
        }
    }
    lines.extend(trained.parameters.iter().enumerate().map(|(i, x)| format!("parameter {i} {:08x} {x}", x.to_bits())));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/golden_run.txt");
    if std::env::var_os("SUREFOOT_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (found, expected) in lines.iter().zip(golden.lines()) {
        assert_eq!(found, expected, "other bits than those of this version: the changelog has to name it");
    }
    assert_eq!(lines.len(), golden.lines().count());
}
