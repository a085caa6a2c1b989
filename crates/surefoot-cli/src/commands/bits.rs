//! `surefoot check --bits`

use std::ops::ControlFlow;

use serde_json::json;
use surefoot::{
    Activation, Adam, BatchSize, Dataset, Epoch, GradientDescent, InstructionSet, Lbfgs, Loss, Network, Observer,
    Scalar, Sparsity, Training, draw_defaults,
};
use surefoot_table::{Encoding, Part, Source, Target};

use crate::output::{Outcome, print_line};

/// The digest of [`digest`] in this version, on every CPU and for any number of threads. Another one means other bits
/// for everybody's runs: a change that the changelog has to name.
const EXPECTED: u64 = 0xf5bd_3fc2_f51d_e13f;

pub fn run(as_json: bool) -> anyhow::Result<Outcome> {
    let mut all_equal = true;
    for set in InstructionSet::available() {
        InstructionSet::force(set);
        let digest = digest()?;
        let equal = digest == EXPECTED;
        all_equal &= equal;
        let name = format!("{set:?}").to_lowercase();
        if as_json {
            let digest = format!("{digest:016x}");
            print_line(json!({"instructions": name, "digest": digest, "passed": equal}))?;
        } else {
            let verdict = if equal { "as expected" } else { "other bits" };
            print_line(format_args!("{name:<10}{digest:016x}  {verdict}"))?;
        }
    }
    Ok(if all_equal { Outcome::Done } else { Outcome::No })
}

/// A digest of the parameters and costs of five short runs on digits: both precisions, every activation, all losses and
/// optimizers, mini-batches and the full batch, sparsity.
fn digest() -> anyhow::Result<u64> {
    let table = Source::new("digits", Part::Training).table()?;
    let target = Target::find(&table, None, &[], None)?;
    let (encoding, rows) = (Encoding::plain(&table, &target), &target.rows);
    let data = Dataset::new(encoding.inputs(&table, rows)? / 16.0, encoding.targets(&table, rows, 10)?)?;
    let weights = (0..data.rows()).map(|row| 0.5 + (row % 3) as f64).collect();
    let weighted = data.clone().with_weights(weights)?;
    let adam = Training { optimizer: Adam::default().into(), epochs: 2, ..Training::default() };
    let descent = GradientDescent { learning_rate: 0.1, momentum: 0.9, nesterov: true };
    let full = Training {
        optimizer: descent.into(),
        batch_size: Some(BatchSize::Full),
        weight_decay: 0.01,
        epochs: 3,
        ..Training::default()
    };
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    use Activation::{Identity, LeakyRelu, Relu, Selu, Sigmoid, Softmax, Tanh};
    train(&[(33, Tanh), (17, Relu), (10, Softmax)], Loss::CrossEntropy, &adam, &data.cast::<f32>()?, &mut digest)?;
    train(&[(19, Sigmoid), (10, Sigmoid)], Loss::SquaredError, &full, &weighted.cast::<f32>()?, &mut digest)?;
    train(
        &[(9, Selu), (8, LeakyRelu), (7, Identity), (10, Sigmoid)],
        Loss::CrossEntropy,
        &full,
        &weighted,
        &mut digest,
    )?;
    train(&[(5, Tanh), (10, Softmax)], Loss::SquaredError, &adam, &data, &mut digest)?;
    let sparse = Training {
        optimizer: Lbfgs::default().into(),
        weight_decay: 1e-4,
        sparsity: Some(Sparsity { target: 0.05, weight: 3.0 }),
        epochs: 5,
        ..Training::default()
    };
    let autoencoder = Dataset::new(data.inputs().to_owned(), data.inputs().to_owned())?.cast::<f32>()?;
    train(&[(11, Sigmoid), (12, Tanh), (64, Sigmoid)], Loss::SquaredError, &sparse, &autoencoder, &mut digest)?;
    Ok(digest.0)
}

fn train<T: Scalar>(
    layers: &[(usize, Activation)],
    loss: Loss,
    training: &Training,
    data: &Dataset<T>,
    digest: &mut Digest,
) -> anyhow::Result<()> {
    let network = Network::new(64, layers)?;
    let trained = training.fit(&network, loss, draw_defaults(&network, 1), data, None, digest)?;
    trained.parameters.iter().for_each(|theta| digest.add(theta.to_f64()));
    Ok(())
}

/// FNV-1a over the bits of numbers.
struct Digest(u64);

impl Digest {
    fn add(&mut self, number: f64) {
        self.0 = (self.0 ^ number.to_bits()).wrapping_mul(0x0100_0000_01b3);
    }
}

/// Takes the cost of each epoch in.
impl<T> Observer<T> for Digest {
    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        self.add(epoch.cost);
        ControlFlow::Continue(())
    }
}
