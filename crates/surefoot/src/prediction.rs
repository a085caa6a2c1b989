//! The feedforward pass alone: many rows at once, or row after row.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::backpropagation::{PackedWeights, Strip};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::numeric::blocks::BLOCK_ROWS;
use crate::numeric::scalar::Scalar;

impl Network {
    /// h(x) for each row of `inputs` (m × s₁), as m × outputs: the feedforward pass, equations (6) and (7), over blocks
    /// of rows. A row's outputs depend on no other row.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not s₁ or `parameters` is not a θ of this network.
    pub fn predict<T: Scalar>(&self, parameters: &[T], inputs: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check_parameters(parameters)?;
        self.check_inputs(inputs.ncols())?;
        let mut weights = PackedWeights::new(self);
        weights.pack(self, parameters, false);
        let rows = inputs.nrows();
        let inputs = inputs.as_standard_layout();
        let inputs: &[T] = inputs.as_slice().unwrap_or_default();
        let mut outputs = vec![T::zero(); rows * self.outputs()];
        outputs
            .par_chunks_mut(BLOCK_ROWS * self.outputs())
            .zip(inputs.par_chunks(BLOCK_ROWS * self.inputs()))
            .for_each_init(
                || Strip::new(self, BLOCK_ROWS.min(rows)),
                |strip, (outputs, inputs)| {
                    let input = |r: usize| &inputs[r * self.inputs()..][..self.inputs()];
                    strip.feedforward(self, parameters, &weights, outputs.len() / self.outputs(), input);
                    outputs.copy_from_slice(strip.outputs(self));
                },
            );
        Ok(Array2::from_shape_vec((rows, self.outputs()), outputs).expect("one row of outputs for each row of inputs"))
    }

    fn check_inputs(&self, got: usize) -> Result<()> {
        if got == self.inputs() {
            return Ok(());
        }
        let expected = format!("{}, the units of the input layer", self.inputs());
        Err(Error::Shape { what: "columns of the inputs".into(), expected, got: got.to_string() })
    }
}

/// A network made ready for one row after the other: the weights are packed once, and a prediction allocates nothing.
///
/// ```
/// use surefoot::{Activation, Network, Predictor, draw_defaults};
///
/// let network = Network::new(2, &[(3, Activation::Tanh), (1, Activation::Sigmoid)])?;
/// let mut predictor = Predictor::new(&network, draw_defaults::<f32>(&network, 1))?;
/// assert_eq!(predictor.predict(&[0.5, -1.0])?.len(), 1);
/// # Ok::<(), surefoot::Error>(())
/// ```
pub struct Predictor<'a, T> {
    network: &'a Network,
    parameters: Vec<T>,
    weights: PackedWeights<T>,
    strip: Strip<T>,
}

impl<'a, T: Scalar> Predictor<'a, T> {
    /// The network with this θ.
    ///
    /// # Errors
    /// [`Error::Shape`] when `parameters` is not a θ of the network.
    pub fn new(network: &'a Network, parameters: Vec<T>) -> Result<Self> {
        network.check_parameters(&parameters)?;
        let mut weights = PackedWeights::new(network);
        weights.pack(network, &parameters, false);
        Ok(Predictor { network, parameters, weights, strip: Strip::new(network, 1) })
    }

    /// h(x), the same bits as [`Network::predict`] has for this row.
    ///
    /// # Errors
    /// [`Error::Shape`] when x has not s₁ numbers.
    pub fn predict(&mut self, x: &[T]) -> Result<&[T]> {
        self.network.check_inputs(x.len())?;
        self.strip.feedforward(self.network, &self.parameters, &self.weights, 1, |_| x);
        Ok(self.strip.outputs(self.network))
    }
}
