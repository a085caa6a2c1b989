//! Proof that this build, on this CPU, computes the bits of this version: any program can ask for it.

use std::ops::ControlFlow;

use ndarray::Array2;

use crate::activation::Activation;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::initialization::draw_defaults;
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::DIGEST_OF_BITS;
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::InstructionSet;
use crate::optimizer::{Adam, GradientDescent, Lbfgs};
use crate::sparsity::Sparsity;
use crate::training::{BatchSize, Epoch, Problem, Training};

/// The digest of this version, on every CPU and for any number of threads. Another one means other bits for everybody's
/// trainings: a change that the changelog has to name.
pub const EXPECTED: u64 = DIGEST_OF_BITS;

/// What an instruction set of this CPU computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    /// `portable`, `avx2`, …
    pub instructions: String,
    /// The digest of its trainings, which should be [`EXPECTED`].
    pub digest: u64,
}

/// Trains short runs with each instruction set that this CPU has: both precisions, every activation, all losses and
/// optimizers, mini-batches and the full batch, weights, sparsity. It takes about a second.
///
/// Other trainings in this process may meanwhile use another instruction set than the fastest, which changes none of their
/// bits.
///
/// # Errors
/// None that could be expected.
pub fn run() -> Result<Vec<Bits>> {
    let bits = |set: InstructionSet| Ok(Bits { instructions: set.to_string(), digest: digest()? });
    InstructionSet::each(bits).into_iter().collect()
}

/// Ten classes of points in 64 dimensions.
fn examples() -> Result<Dataset<f64>> {
    const ROWS: usize = 1797;
    let mut random = Random::new(0, Purpose::Examples, 0);
    let centres = Array2::from_shape_simple_fn((10, 64), || random.uniform());
    let (mut inputs, mut targets) = (Array2::zeros((ROWS, 64)), Array2::zeros((ROWS, 10)));
    for (mut x, mut y) in inputs.outer_iter_mut().zip(targets.outer_iter_mut()) {
        let class = random.below(10);
        x.zip_mut_with(&centres.row(class), |x, centre| *x = 0.5 * (centre + random.uniform()));
        y[class] = 1.0;
    }
    Dataset::new(inputs, targets)
}

fn digest() -> Result<u64> {
    use Activation::{Identity, LeakyRelu, Relu, Selu, Sigmoid, Softmax, Tanh};
    let data = examples()?;
    let weighted = data.clone().with_weights((0..data.rows()).map(|row| 0.5 + (row % 3) as f64).collect())?;
    let autoencoder = Dataset::new(data.inputs().to_owned(), data.inputs().to_owned())?;
    let adam = Training { optimizer: Adam::default().into(), epochs: 2, gradient_check: false, ..Training::default() };
    let full = Training {
        optimizer: GradientDescent { learning_rate: 0.1, momentum: 0.9, nesterov: true }.into(),
        batch_size: Some(BatchSize::Full),
        weight_decay: 0.01,
        epochs: 3,
        ..adam.clone()
    };
    let sparse = Training {
        optimizer: Lbfgs::default().into(),
        weight_decay: 1e-4,
        sparsity: Some(Sparsity { target: 0.05, weight: 3.0 }),
        epochs: 5,
        ..adam.clone()
    };
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    digest.train(&[(33, Tanh), (17, Relu), (10, Softmax)], Loss::CrossEntropy, &adam, &data.cast::<f32>()?)?;
    digest.train(&[(19, Sigmoid), (10, Sigmoid)], Loss::SquaredError, &full, &weighted.cast::<f32>()?)?;
    let layers = [(9, Selu), (8, LeakyRelu), (7, Identity), (10, Sigmoid)];
    digest.train(&layers, Loss::CrossEntropy, &full, &weighted)?;
    digest.train(&[(5, Tanh), (10, Softmax)], Loss::SquaredError, &adam, &data)?;
    let layers = [(11, Sigmoid), (12, Tanh), (64, Sigmoid)];
    digest.train(&layers, Loss::SquaredError, &sparse, &autoencoder.cast::<f32>()?)?;
    Ok(digest.0)
}

/// FNV-1a over the bits of numbers.
struct Digest(u64);

impl Digest {
    fn add(&mut self, number: f64) {
        self.0 = (self.0 ^ number.canonical().to_bits()).wrapping_mul(0x0100_0000_01b3);
    }

    /// Takes the cost of each epoch in, and θ at the end.
    fn train<T: Scalar>(
        &mut self,
        layers: &[(usize, Activation)],
        loss: Loss,
        training: &Training,
        data: &Dataset<T>,
    ) -> Result<()> {
        let network = Network::new(64, layers)?;
        let problem = Problem::new(&network, loss, data);
        let trained = training.fit_with(&problem, draw_defaults(&network, 1), &mut |epoch: &Epoch| {
            self.add(epoch.cost);
            ControlFlow::Continue(())
        })?;
        trained.parameters.iter().for_each(|theta| self.add(theta.to_f64()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other bits are a change that the changelog has to name; then `EXPECTED` is the digest that this shows.
    #[test]
    fn every_instruction_set_computes_the_bits_of_this_version() {
        for Bits { instructions, digest } in run().unwrap() {
            assert_eq!(format!("{digest:016x}"), format!("{EXPECTED:016x}"), "{instructions}");
        }
    }
}
