//! One block of examples: the feedforward pass, the error terms δ, and the gradients they leave.
//!
//! Matrices are slices, row by row, one row an example; layer `l` counts from 0. The backward steps stand beside the
//! forward steps that they differentiate.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::blocks::BLOCK_ROWS;
use crate::numeric::matmul;
use crate::numeric::scalar::Scalar;

/// What one block keeps between the feedforward pass and going back, for up to [`BLOCK_ROWS`] examples.
pub(crate) struct Block<T> {
    /// a of each layer after the input, rows × outputs of the layer.
    activations: Vec<Vec<T>>,
    /// z of the output layer, from which the loss is computed.
    output_sums: Vec<T>,
    /// δ of the layer in hand, and of the one below it.
    delta: Vec<T>,
    delta_below: Vec<T>,
}

/// The examples of one block.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a, T> {
    /// rows × s₁
    pub inputs: &'a [T],
    /// rows × outputs
    pub targets: &'a [T],
    /// The weight of each row, where they do not all count 1.
    pub weights: Option<&'a [T]>,
}

impl<T: Scalar> Block<T> {
    pub fn new(network: &Network) -> Self {
        let of = |units: usize| vec![T::zero(); BLOCK_ROWS * units];
        let widest = network.layers().iter().map(|layer| layer.outputs).max().unwrap_or(0);
        Block {
            activations: network.layers().iter().map(|layer| of(layer.outputs)).collect(),
            output_sums: of(network.outputs()),
            delta: of(widest),
            delta_below: of(widest),
        }
    }

    /// Computes all activations from the `inputs` of some rows.  (6) (7)
    ///
    /// ```text
    ///   z⁽ˡ⁺¹⁾ = W⁽ˡ⁾ a⁽ˡ⁾ + b⁽ˡ⁾        a⁽¹⁾ = x
    ///   a⁽ˡ⁺¹⁾ = f(z⁽ˡ⁺¹⁾)
    /// ```
    pub fn feedforward(&mut self, network: &Network, parameters: &[T], inputs: &[T]) {
        let rows = inputs.len() / network.inputs();
        for (l, layer) in network.layers().iter().enumerate() {
            let (below, here) = self.activations.split_at_mut(l);
            let a = if l == 0 { inputs } else { &below[l - 1][..rows * layer.inputs] };
            let z = &mut here[0][..rows * layer.outputs];
            matmul::weighted_sums(a, &parameters[network.weight_range(l)], &parameters[network.bias_range(l)], z); // (6)
            if l + 1 == network.layers().len() {
                self.output_sums[..z.len()].copy_from_slice(z);
            }
            z.chunks_exact_mut(layer.outputs).for_each(|unit_row| layer.activation.apply(unit_row)); // (7)
        }
    }

    /// The outputs h of the rows that went through last, rows × outputs.
    pub fn outputs(&self, rows: usize, network: &Network) -> &[T] {
        &self.activations[network.layers().len() - 1][..rows * network.outputs()]
    }

    /// Σᵢ wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) of the rows that went through last.
    pub fn loss(&self, network: &Network, loss: Loss, examples: Examples<'_, T>) -> f64 {
        let (outputs, activation) = (network.outputs(), network.output_activation());
        let rows = examples.targets.chunks_exact(outputs);
        let z = self.output_sums.chunks_exact(outputs);
        let a = self.activations[network.layers().len() - 1].chunks_exact(outputs);
        let values = rows.zip(z).zip(a).map(|((y, z), a)| loss.value(activation, z, a, y));
        match examples.weights {
            Some(weights) => values.zip(weights).map(|(value, weight)| value * weight.to_f64()).sum(),
            None => values.sum(),
        }
    }

    /// Goes back through the layers, and adds Σᵢ wᵢ ∇J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) to `gradient`, which is laid out as θ.  (B1) (B2) (B3)
    ///
    /// ```text
    ///   δ⁽ⁿˡ⁾ = ∂J/∂z⁽ⁿˡ⁾, by the loss
    ///   δ⁽ˡ⁾  = ((W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾) • f′(z⁽ˡ⁾)        for l = nˡ−1, …, 2
    ///   ∇W⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ (a⁽ˡ⁾)ᵀ,   ∇b⁽ˡ⁾ = δ⁽ˡ⁺¹⁾
    /// ```
    pub fn backpropagate(
        &mut self,
        network: &Network,
        loss: Loss,
        parameters: &[T],
        examples: Examples<'_, T>,
        gradient: &mut [T],
    ) {
        let layers = network.layers();
        let rows = examples.inputs.len() / network.inputs();
        self.output_delta(network, loss, examples); // (B1)
        for (l, layer) in layers.iter().enumerate().rev() {
            let delta = &self.delta[..rows * layer.outputs];

            // forward: z = W·a + b, so W has the gradient δ·aᵀ and b the gradient δ  (B3)
            let a = if l == 0 { examples.inputs } else { &self.activations[l - 1][..rows * layer.inputs] };
            let (weight_gradient, bias_gradient) = gradient[network.weight_range(l).start..network.bias_range(l).end]
                .split_at_mut(layer.inputs * layer.outputs);
            matmul::add_gradients(delta, a, weight_gradient, bias_gradient);

            // forward: z = W·f(z below), so the layer below has the error term Wᵀ·δ • f′  (B2)
            if l > 0 {
                let below = &mut self.delta_below[..rows * layer.inputs];
                matmul::propagated_errors(delta, &parameters[network.weight_range(l)], layer.outputs, below);
                for (delta, a) in below.chunks_exact_mut(layer.inputs).zip(a.chunks_exact(layer.inputs)) {
                    layers[l - 1].activation.multiply_by_derivative(a, delta);
                }
                std::mem::swap(&mut self.delta, &mut self.delta_below);
            }
        }
    }

    /// δ of the output layer, each row times the weight of its example.  (B1)
    fn output_delta(&mut self, network: &Network, loss: Loss, examples: Examples<'_, T>) {
        let (outputs, activation) = (network.outputs(), network.output_activation());
        let a = self.activations[network.layers().len() - 1].chunks_exact(outputs);
        let rows = self.delta.chunks_exact_mut(outputs).zip(a).zip(examples.targets.chunks_exact(outputs));
        for (i, ((delta, a), y)) in rows.enumerate() {
            loss.delta(activation, a, y, delta); // (B1)
            if let Some(weights) = examples.weights {
                delta.iter_mut().for_each(|delta| *delta = *delta * weights[i]);
            }
        }
    }

    /// Whether some unit with a kink was on another side of it, for some example, when `other` went through.
    pub fn differs_in_sides(&self, other: &Block<T>, network: &Network, rows: usize) -> bool {
        let kinked = network.layers().iter().enumerate().filter(|(_, layer)| layer.activation.has_kink());
        // a > 0 exactly where z > 0, for every activation with a kink
        kinked.into_iter().any(|(l, layer)| {
            let pairs = self.activations[l].iter().zip(&other.activations[l]);
            pairs.take(rows * layer.outputs).any(|(&one, &two)| (one > T::zero()) != (two > T::zero()))
        })
    }
}

impl Network {
    /// h(x) for each row of `inputs` (m × s₁), as m × outputs: the feedforward pass, equations (6) and (7), over blocks
    /// of rows. A row's outputs depend on no other row.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not s₁ or `parameters` is not a θ of this network.
    pub fn predict<T: Scalar>(&self, parameters: &[T], inputs: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check_parameters(parameters)?;
        if inputs.ncols() != self.inputs() {
            return Err(Error::Shape {
                what: "columns of the inputs".into(),
                expected: format!("{}, the units of the input layer", self.inputs()),
                got: inputs.ncols().to_string(),
            });
        }
        let rows = inputs.nrows();
        let inputs = inputs.as_standard_layout();
        let inputs: &[T] = inputs.as_slice().unwrap_or_default();
        let mut outputs = vec![T::zero(); rows * self.outputs()];
        outputs
            .par_chunks_mut(BLOCK_ROWS * self.outputs())
            .zip(inputs.par_chunks(BLOCK_ROWS * self.inputs()))
            .for_each_init(
                || Block::new(self),
                |block, (outputs, inputs)| {
                    block.feedforward(self, parameters, inputs);
                    outputs.copy_from_slice(block.outputs(outputs.len() / self.outputs(), self));
                },
            );
        Ok(Array2::from_shape_vec((rows, self.outputs()), outputs).expect("one row of outputs for each row of inputs"))
    }
}
