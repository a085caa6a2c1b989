//! The contract of docs/reproducibility.md: the same θ and history, bit for bit, over a grid of settings, threads and breaks.

use std::ops::ControlFlow;
use std::path::Path;

use crate::common::examples;
use crate::grid::{Setting, settings};
use rayon::ThreadPool;
use surefoot::{
    Activation, Adam, BatchSize, Cost, Dataset, Loss, Network, Objective, Observer, Problem, Purpose, Random, Scalar,
    Sparsity, StopReason, Trained, Training, TrainingState, draw_defaults,
};

/// More threads than there are leaves, and a number that divides nothing.
const THREADS: [usize; 6] = [1, 2, 3, 16, 64, 256];
/// More than one block of examples, and a last batch that is not full.
const ROWS: usize = 530;

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
    fn problem(&self) -> Problem<'_, T> {
        Problem::new(&self.network, self.loss, &self.data).with_validation(self.validation.as_ref())
    }

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
            gradient_check: false, // it changes no bit, and would take most of the time
            ..Training::default()
        };
        let network = Network::new(40, &layers).unwrap();
        Run { network, training, loss, data: data(ROWS, 5), validation: validates.then(|| data(60, 6)) }
    }

    /// On this many threads, broken off after these steps and gone on with on those threads.
    fn fit(&self, threads: &ThreadPool, breaks: &[(u64, &ThreadPool)]) -> Trained<T> {
        let Run { network, training, .. } = self;
        let start = draw_defaults(network, 2);
        let mut state = training.start(&self.problem(), start).unwrap();
        let mut threads = threads;
        for &(step, next) in breaks {
            let part = || training.resume_with(&self.problem(), &mut state, &mut After(step));
            assert_eq!(threads.install(part).unwrap(), StopReason::Observer);
            threads = next;
        }
        let rest = || training.resume(&self.problem(), &mut state);
        let reason = threads.install(rest).unwrap();
        state.into_trained(reason)
    }
}

/// Every `stride`-th setting of the grid, on these threads, and broken off once.
fn the_grid_has_the_same_bits<T: Scalar>(threads: &[usize], stride: usize) {
    let pool = |&threads: &usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let pools: Vec<ThreadPool> = threads.iter().map(pool).collect();
    let mut random = Random::new(1, Purpose::Examples, 0);
    for setting in settings().into_iter().step_by(stride) {
        let run = Run::<T>::new(setting);
        let one = run.fit(&pools[0], &[]);
        assert!(one.steps > 1 && one.history.len() == 2, "{setting:?}");
        for (threads, pool) in threads.iter().zip(&pools).skip(1) {
            assert_eq!(one, run.fit(pool, &[]), "{threads} threads, {}, {setting:?}", T::NAME);
        }
        let step = 1 + random.below(one.steps as usize - 1) as u64;
        let (from, to) = (random.below(pools.len()), random.below(pools.len()));
        let broken = run.fit(&pools[from], &[(step, &pools[to])]);
        assert_eq!(one, broken, "broken off after step {step}, {}, {setting:?}", T::NAME);
    }
}

/// A twentieth of the grid, among it every optimizer, loss and batch size.
#[test]
fn some_trainings_have_the_same_bits_on_any_threads_and_after_a_break() {
    the_grid_has_the_same_bits::<f32>(&THREADS[..4], 19);
    the_grid_has_the_same_bits::<f64>(&THREADS[..2], 37);
}

/// All of it takes minutes: `cargo test -p surefoot --test suite same_bits -- --ignored`, as `.ci/run` does.
#[test]
#[ignore = "takes minutes"]
fn the_grid_of_trainings_has_the_same_bits_on_any_threads_and_after_a_break() {
    the_grid_has_the_same_bits::<f32>(&[1, 2, 3, 4, 8], 1);
    the_grid_has_the_same_bits::<f64>(&[1, 2, 3, 4, 8], 1);
}

/// J and ∇J over many leaves, with weights and sparsity: also of θ so long that few sums are kept at a time.
#[test]
fn sums_over_many_rows_have_the_same_bits_on_1_to_256_threads() {
    for (rows, units, inputs) in [(16_000, 6, 5), (1_300, 2_100, 1_100)] {
        let layers = [(units, Activation::Sigmoid), (3, Activation::Softmax)];
        let network = Network::new(inputs, &layers).unwrap();
        let data = examples(inputs, 3, Loss::CrossEntropy, Activation::Softmax, true, rows, 9).cast::<f32>().unwrap();
        let theta: Vec<f32> = draw_defaults(&network, 4);
        let sums = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let sparsity = Some(Sparsity { target: 0.2, weight: 0.05 });
                let cost = Cost::new(&network, Loss::CrossEntropy, 1e-3, &data).unwrap();
                let mut cost = cost.with_sparsity(sparsity).unwrap().with_label_smoothing(0.1).unwrap();
                let mut gradient = vec![0.0; theta.len()];
                let value = cost.cost_and_gradient(&theta, &mut gradient);
                let alone = cost.cost(&theta);
                assert_eq!(value.to_bits(), alone.to_bits(), "with and without the gradient");
                (value.to_bits(), gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>())
            })
        };
        let one = sums(1);
        let threads = if units > 1000 { &THREADS[1..4] } else { &THREADS[1..] };
        for &threads in threads {
            assert!(one == sums(threads), "{threads} threads, {rows} rows");
        }
    }
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
