//! Greedy pretraining: each layer learns by itself, from the first to the last, before the whole network does.

use crate::cost::Cost;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::initialization::draw_decoder;
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::training::Problem;
use crate::view::DatasetView;

/// What one layer learns by itself, on what the layers below it make of the examples.
#[derive(Clone, Debug)]
pub struct Stage<T> {
    /// The layer of the whole network, from 0.
    pub layer: usize,
    /// For a hidden layer an autoencoder, whose first layer it is; for the output layer that layer alone.
    pub network: Network,
    /// Half the squared error for an autoencoder, for the output layer that of the whole network.
    pub loss: Loss,
    /// The activations of the layer below, which are the targets of an autoencoder, too; the output layer has the targets
    /// of the examples.
    pub data: Dataset<T>,
    /// θ of the whole network, as far as the layers below have learned.
    pub whole: Vec<T>,
    /// W and b of the layer as they are there, and a decoder drawn by its [default](crate::Initialization::default_for).
    pub start: Vec<T>,
}

/// θ for the fine-tuning: first each hidden layer becomes the first half of an autoencoder of what it reads, then the
/// output layer learns the targets from the last hidden layer.  (T1)
///
/// ```text
///   W⁽ˡ⁾, b⁽ˡ⁾, V, c = argmin J,      h(a) = g(V f(W⁽ˡ⁾ a + b⁽ˡ⁾) + c),      y = a = a⁽ˡ⁾
/// ```
///
/// `fit` trains each [`Stage`] and returns its θ. So the cost J and its optimizer are the caller's: for sparse autoencoders as
/// in the exercise L-BFGS, weight decay and [`Sparsity`](crate::Sparsity). The decoder's g is the activation of the layer
/// that it gives back; for the inputs it is that of the first hidden layer, whose range they should be in. `seed` decides
/// how decoders start.
///
/// ```
/// use ndarray::Array2;
/// use surefoot::pretraining::pretrain;
/// use surefoot::{Activation, Dataset, Lbfgs, Loss, Network, Problem, Sparsity, Training, draw_defaults};
///
/// let inputs = Array2::from_shape_fn((40, 6), |(i, j)| ((i * (j + 3)) % 7) as f64 / 7.0);
/// let targets = Array2::from_shape_fn((40, 1), |(i, _)| (i % 2) as f64);
/// let data = Dataset::new(inputs, targets)?;
/// let network = Network::new(6, &[(5, Activation::Sigmoid), (4, Activation::Sigmoid), (1, Activation::Sigmoid)])?;
/// let alone = Training { optimizer: Lbfgs::default().into(), epochs: 50, weight_decay: 3e-3, ..Training::default() };
/// let sparse = Training { sparsity: Some(Sparsity { target: 0.1, weight: 3.0 }), ..alone.clone() };
/// let start = pretrain(&network, Loss::CrossEntropy, draw_defaults(&network, 1), &data, 1, |stage| {
///     let training = if stage.layer < 2 { &sparse } else { &alone };
///     Ok(training.fit(&stage.problem(), stage.start.clone())?.parameters)
/// })?;
/// let trained = alone.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start)?;
/// # Ok::<(), surefoot::Error>(())
/// ```
///
/// Source: UFLDL tutorial, *Stacked Autoencoders*, the section on training.
///
/// # Errors
/// [`Error::Setting`] when there is no hidden layer, or one that is not sigmoid or tanh, whose activations an autoencoder
/// could not give back; what [`Dataset::new`] and [[`Cost::new`]](crate::Cost::new) refuse; and what `fit` returns.
///
/// # Panics
/// When `fit` returns fewer parameters than the layer has.
pub fn pretrain<'a, T: Scalar, E: From<Error>>(
    network: &Network,
    loss: Loss,
    mut parameters: Vec<T>,
    data: impl Into<DatasetView<'a, T>>,
    seed: u64,
    mut fit: impl FnMut(&Stage<T>) -> std::result::Result<Vec<T>, E>,
) -> std::result::Result<Vec<T>, E> {
    let data = data.into();
    check(network)?;
    network.check_parameters(&parameters)?;
    Cost::new(network, loss, 0.0, data)?; // what it refuses is refused before any layer learns
    for layer in 0..network.layers().len() {
        let stage = Stage::new(network, loss, &parameters, &data, seed, layer)?;
        let found = fit(&stage)?;
        let own = &mut parameters[network.layer_range(layer)];
        own.copy_from_slice(&found[..own.len()]); // (T1)
    }
    Ok(parameters)
}

/// That each hidden layer can be an autoencoder's.
fn check(network: &Network) -> Result<()> {
    let refuse = |got: String| {
        let expected = "hidden layers that are sigmoid or tanh, whose activations have two bounds".into();
        Err(Error::Setting { setting: "pretraining", expected, got })
    };
    match network.hidden().iter().find(|layer| layer.activation.activity().is_none()) {
        Some(layer) => refuse(format!("`{}`", layer.activation)),
        None if network.hidden().is_empty() => refuse("no hidden layer".into()),
        None => Ok(()),
    }
}

impl<T: Scalar> Stage<T> {
    /// What the layer's own training minimises.
    pub fn problem(&self) -> Problem<'_, T> {
        Problem::new(&self.network, self.loss, &self.data)
    }

    fn new(
        network: &Network,
        loss: Loss,
        theta: &[T],
        data: &DatasetView<'_, T>,
        seed: u64,
        layer: usize,
    ) -> Result<Self> {
        let (this, own) = (network.layers()[layer], network.layer_range(layer));
        let below = match layer {
            0 => data.inputs().into_owned(),
            _ => {
                let encoder = network.encoder(layer)?;
                encoder.outputs_of(&theta[..encoder.parameter_count()], data.all())?
            }
        };
        let mut layers = vec![(this.outputs, this.activation)];
        let (mut loss, mut start) = (loss, theta[own].to_vec());
        let targets = if layer < network.hidden().len() {
            let back = (this.inputs, network.layers()[layer.saturating_sub(1)].activation);
            layers.push(back);
            loss = Loss::SquaredError;
            start.extend(draw_decoder::<T>(&Network::new(this.outputs, &[back])?, seed, layer));
            below.clone()
        } else {
            data.targets().into_owned()
        };
        let own_data = Dataset::new(below, targets)?;
        let data = match data.weights() {
            Some(weights) => own_data.with_weights(weights)?,
            None => own_data,
        };
        Ok(Stage { layer, network: Network::new(this.inputs, &layers)?, loss, data, whole: theta.to_vec(), start })
    }
}
