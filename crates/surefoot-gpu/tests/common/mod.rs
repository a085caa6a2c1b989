//! Trainings on the CPU and on the GPU.

#![allow(dead_code)] // each test has its part of it

#[path = "../../../surefoot/tests/suite/grid.rs"]
mod grid;

use std::ops::ControlFlow;

use ndarray::Array2;
use surefoot::{
    Activation, Adam, BatchSize, Dataset, Device, Loss, Network, Observer, Optimizer, Problem, Purpose, Random,
    Schedule, Sparsity, StopReason, Training, TrainingState, draw_defaults,
};
use surefoot_gpu::Gpu;

/// The GPU or its emulator, if there is one.
pub fn gpu() -> Option<Gpu> {
    match Gpu::new() {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            assert!(std::env::var_os("SUREFOOT_GPU_IS_THERE").is_none(), "{error}");
            eprintln!("skipped: {error}; .ci/gpu runs this on an emulator");
            None
        }
    }
}

/// All that decides a training, but the numbers.
#[derive(Clone, Debug)]
pub struct Setting {
    pub optimizer: Optimizer,
    pub schedule: Schedule,
    pub loss: Loss,
    pub layers: Vec<(usize, Activation)>,
    pub output: Activation,
    pub inputs: usize,
    pub rows: usize,
    pub epochs: usize,
    pub batch_size: BatchSize,
    pub label_smoothing: f64,
    pub is_weighted: bool,
    pub is_sparse: bool,
    pub validates: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Setting {
            optimizer: Adam::default().into(),
            schedule: Schedule::Constant,
            loss: Loss::SquaredError,
            layers: vec![(12, Activation::Sigmoid), (9, Activation::Tanh), (5, Activation::Tanh)],
            output: Activation::Tanh,
            inputs: 11,
            rows: 70,
            epochs: 2,
            batch_size: BatchSize::Rows(32),
            label_smoothing: 0.0,
            is_weighted: false,
            is_sparse: false,
            validates: false,
        }
    }
}

/// The grid of the library's tests.
pub fn settings() -> Vec<Setting> {
    let of = |setting: grid::Setting| {
        let grid::Setting { optimizer, loss, output, batch_size, is_weighted, is_sparse, validates } = setting;
        let layers = vec![(24, Activation::Sigmoid), (9, Activation::Tanh), (5, output)];
        let all = Setting { optimizer, loss, layers, output, batch_size, ..Setting::default() };
        Setting { inputs: 40, rows: 530, is_weighted, is_sparse, validates, ..all }
    };
    grid::settings().into_iter().map(of).collect()
}

/// That two states are equal in every bit, but those of NaN.
pub fn assert_same(cpu: &TrainingState<f32>, gpu: &TrainingState<f32>, what: &str) {
    // 0 and −0 are equal, and NaN is not equal to itself; written down they are what they are
    assert!(format!("{cpu:?}") == format!("{gpu:?}"), "{what}:\nCPU {cpu:?}\nGPU {gpu:?}");
}

/// Ends a training after a step.
pub struct After(pub u64);

impl Observer<f32> for After {
    fn is_due(&self, steps: u64) -> bool {
        steps == self.0
    }

    fn step(&mut self, state: &TrainingState<f32>) -> ControlFlow<()> {
        if state.steps() == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Sees no step.
struct Nobody;

impl Observer<f32> for Nobody {
    fn is_due(&self, _steps: u64) -> bool {
        false
    }
}

pub struct Run {
    pub network: Network,
    pub training: Training,
    pub loss: Loss,
    pub data: Dataset<f32>,
    pub validation: Option<Dataset<f32>>,
}

impl Setting {
    pub fn run(&self) -> Run {
        let Setting { optimizer, schedule, batch_size, epochs, label_smoothing, .. } = *self;
        let sparsity = self.is_sparse.then_some(Sparsity { target: 0.2, weight: 0.05 });
        let training = Training {
            optimizer,
            schedule,
            batch_size: Some(batch_size),
            epochs,
            label_smoothing,
            weight_decay: 1e-3,
            sparsity,
            patience: usize::from(self.validates),
            gradient_check: false,
            ..Training::default()
        };
        let network = Network::new(self.inputs, &self.layers).unwrap();
        let (data, validation) = (self.data(self.rows, 5), self.validates.then(|| self.data(60, 6)));
        Run { network, training, loss: self.loss, data, validation }
    }

    fn data(&self, rows: usize, seed: u64) -> Dataset<f32> {
        let mut random = Random::new(seed, Purpose::Examples, 0);
        let outputs = self.layers.last().unwrap().0;
        let inputs = Array2::from_shape_fn((rows, self.inputs), |_| random.normal() as f32);
        let mut targets = Array2::from_shape_fn((rows, outputs), |_| random.uniform() as f32);
        if (self.loss, self.output) == (Loss::CrossEntropy, Activation::Softmax) {
            let classes: Vec<usize> = (0..rows).map(|_| random.below(outputs)).collect();
            targets = Array2::from_shape_fn((rows, outputs), |(i, k)| f32::from(u8::from(classes[i] == k)));
        }
        let data = Dataset::new(inputs, targets).unwrap();
        match self.is_weighted {
            true => data.with_weights((0..rows).map(|_| random.below(4) as f32 * 0.5 + 0.25).collect()).unwrap(),
            false => data,
        }
    }
}

impl Run {
    pub fn start(&self) -> TrainingState<f32> {
        self.training.start(&self.problem(None), draw_defaults(&self.network, 2)).unwrap()
    }

    fn problem<'a>(&'a self, gpu: Option<&'a Gpu>) -> Problem<'a, f32> {
        let problem = Problem::new(&self.network, self.loss, &self.data).with_validation(self.validation.as_ref());
        problem.with_device(gpu.map(|gpu| gpu as &dyn Device<f32>))
    }

    /// Goes on with a training until this observer ends it.
    pub fn part(
        &self,
        mut state: TrainingState<f32>,
        gpu: Option<&Gpu>,
        observer: &mut dyn Observer<f32>,
    ) -> TrainingState<f32> {
        self.training.resume_with(&self.problem(gpu), &mut state, observer).unwrap();
        state
    }

    /// The last state of a training that is broken off after some steps, and goes on there.
    pub fn fit(&self, gpu: Option<&Gpu>, breaks: &[(u64, Option<&Gpu>)]) -> TrainingState<f32> {
        let (mut state, mut gpu) = (self.start(), gpu);
        for &(step, next) in breaks {
            state = self.part(state, gpu, &mut After(step));
            gpu = next;
        }
        state = self.part(state, gpu, &mut Nobody);
        assert!(state.stopped().is_some_and(|reason| reason != StopReason::Observer));
        state
    }
}
