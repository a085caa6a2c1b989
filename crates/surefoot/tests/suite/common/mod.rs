//! What several tests need: made-up examples, and the notes' network unit by unit.
#![allow(dead_code)] // each test file uses its part

pub mod naive;
pub mod ranks;

use ndarray::Array2;
use surefoot::{Activation, Dataset, Loss, Purpose, Random};

/// Random examples that a loss and an output activation are defined for; with weights 0.5, 1, 1.5, 0.5, … if wanted.
pub fn examples(
    inputs: usize,
    outputs: usize,
    loss: Loss,
    output: Activation,
    weighted: bool,
    rows: usize,
    seed: u64,
) -> Dataset<f64> {
    let mut random = Random::new(seed, Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((rows, inputs), || random.normal());
    let mut y = Array2::from_shape_simple_fn((rows, outputs), || random.uniform());
    if (loss, output) == (Loss::CrossEntropy, Activation::Softmax) {
        for mut row in y.outer_iter_mut() {
            let sum = row.sum();
            row.mapv_inplace(|y| y / sum);
        }
    }
    let data = Dataset::new(x, y).unwrap();
    if !weighted {
        return data;
    }
    data.with_weights((0..rows).map(|row| 0.5 * (1 + row % 3) as f64).collect()).unwrap()
}

/// θ with every number uniform in ±`size`.
pub fn parameters(count: usize, size: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed, Purpose::Initialization, 0);
    (0..count).map(|_| size * (2.0 * random.uniform() - 1.0)).collect()
}

/// The loss with each output activation that it goes with.
pub fn losses_and_outputs() -> Vec<(Loss, Activation)> {
    let mut pairs: Vec<_> = Activation::ALL.iter().map(|&output| (Loss::SquaredError, output)).collect();
    pairs.extend([
        (Loss::CrossEntropy, Activation::Sigmoid),
        (Loss::CrossEntropy, Activation::Softmax),
        (Loss::Poisson, Activation::Exp),
    ]);
    pairs
}
