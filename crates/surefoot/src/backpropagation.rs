//! Some rows of examples: the feedforward pass, the error terms δ, and the gradients they leave.
//!
//! Matrices are slices, row by row, one row an example; layer `l` counts from 0. The backward steps stand beside the
//! forward steps that they differentiate. Nothing of a row depends on the rows beside it, until the gradients sum over
//! them in ascending order; so rows may be dealt out to threads in any way.

use rayon::prelude::*;

use crate::dataset::{Dataset, Rows};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::matmul::{Panels, SLACK, TILE_ROWS, View, multiply, multiply_transposed};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;

/// The weights of θ, packed as the products read them.
pub(crate) struct PackedWeights<T> {
    /// Wᵀ of each layer, for z = W·a + b.
    forward: Vec<Panels<T>>,
    /// W of each layer, for Wᵀ·δ; that of the first layer stays empty.
    backward: Vec<Panels<T>>,
    /// As many zeros as the widest layer has units, from which Wᵀ·δ starts.
    zeros: Vec<T>,
}

impl<T: Scalar> PackedWeights<T> {
    pub fn new(network: &Network) -> Self {
        let panels = || network.layers().iter().map(|_| Panels::new()).collect();
        let widest = network.layers().iter().map(|layer| layer.inputs).max().unwrap_or(0);
        PackedWeights { forward: panels(), backward: panels(), zeros: vec![T::zero(); widest] }
    }

    /// Packs the weights of θ = `parameters`, those for going back only if wanted.
    pub fn pack(&mut self, network: &Network, parameters: &[T], backward: bool) {
        for (l, layer) in network.layers().iter().enumerate() {
            let weight = &parameters[network.weight_range(l)];
            self.forward[l].pack_transposed(weight, layer.inputs);
            if backward && l > 0 {
                self.backward[l]
                    .pack_rows(layer.inputs, layer.outputs, |o| &weight[o * layer.inputs..][..layer.inputs]);
            }
        }
    }
}

/// What some rows keep between the feedforward pass and the gradients.
pub(crate) struct Strip<T> {
    rows: usize,
    /// a of each layer after the input, rows × outputs of the layer.
    activations: Vec<Vec<T>>,
    /// δ of each layer after the input, the same shapes.
    deltas: Vec<Vec<T>>,
    /// z of the output layer, from which the loss is computed.
    output_sums: Vec<T>,
    /// J(W,b; x,y) of each row, times its weight.
    losses: Vec<f64>,
}

impl<T: Scalar> Strip<T> {
    /// Buffers for up to `capacity` rows.
    pub fn new(network: &Network, capacity: usize) -> Self {
        let of_layers =
            || network.layers().iter().map(|layer| vec![T::zero(); capacity * layer.outputs + SLACK]).collect();
        Strip {
            rows: 0,
            activations: of_layers(),
            deltas: of_layers(),
            output_sums: vec![T::zero(); capacity * network.outputs()],
            losses: vec![0.0; capacity],
        }
    }

    /// The rows that fit.
    pub fn capacity(&self) -> usize {
        self.losses.len()
    }

    /// a of a layer after the input.
    fn activation(&self, network: &Network, l: usize) -> &[T] {
        &self.activations[l][..self.rows * network.layers()[l].outputs]
    }

    /// The outputs h of the rows that went through last, rows × outputs.
    pub fn outputs(&self, network: &Network) -> &[T] {
        self.activation(network, network.layers().len() - 1)
    }

    /// J(W,b; x,y) of each row, times its weight, after [`losses_and_deltas`](Self::losses_and_deltas).
    pub fn losses(&self) -> &[f64] {
        &self.losses[..self.rows]
    }

    /// Computes all activations of `rows` inputs, given row by row.  (6) (7)
    ///
    /// ```text
    ///   z⁽ˡ⁺¹⁾ = W⁽ˡ⁾ a⁽ˡ⁾ + b⁽ˡ⁾        a⁽¹⁾ = x
    ///   a⁽ˡ⁺¹⁾ = f(z⁽ˡ⁺¹⁾)
    /// ```
    pub fn feedforward<'a>(
        &mut self,
        network: &Network,
        parameters: &[T],
        weights: &PackedWeights<T>,
        rows: usize,
        input: impl Fn(usize) -> &'a [T] + Copy,
    ) where
        T: 'a,
    {
        self.rows = rows;
        for (l, layer) in network.layers().iter().enumerate() {
            let (below, here) = self.activations.split_at_mut(l);
            let z = &mut here[0][..rows * layer.outputs];
            let bias = &parameters[network.bias_range(l)];
            match below.last() {
                None => multiply(input, &weights.forward[l], bias, z), // (6)
                Some(a) => multiply(|r| &a[r * layer.inputs..][..layer.inputs], &weights.forward[l], bias, z), // (6)
            }
            if l + 1 == network.layers().len() {
                self.output_sums[..z.len()].copy_from_slice(z);
            }
            vectorized(
                #[inline(always)]
                || layer.activation.apply(z, layer.outputs),
            ); // (7)
        }
    }

    /// Computes the loss of each row that went through last, and unless `only_losses` the error terms of all layers.  (B1) (B2)
    ///
    /// ```text
    ///   δ⁽ⁿˡ⁾ = ∂J/∂z⁽ⁿˡ⁾, by the loss
    ///   δ⁽ˡ⁾  = ((W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾) • f′(z⁽ˡ⁾)        for l = nˡ−1, …, 2
    /// ```
    pub fn losses_and_deltas(
        &mut self,
        network: &Network,
        loss: Loss,
        weights: &PackedWeights<T>,
        examples: Examples<'_, T>,
        only_losses: bool,
    ) {
        let top = network.layers().len() - 1;
        let (outputs, activation) = (network.outputs(), network.output_activation());
        let Strip { rows, activations, deltas, output_sums, losses } = self;
        let (a, deltas) = (&activations[top], &mut deltas[top]);
        vectorized(
            #[inline(always)]
            || {
                for (r, row_loss) in losses[..*rows].iter_mut().enumerate() {
                    let units = r * outputs..(r + 1) * outputs;
                    let (z, a, y) = (&output_sums[units.clone()], &a[units.clone()], examples.target(r));
                    let weight = examples.weight(r);
                    *row_loss = loss.value(activation, z, a, y) * weight.to_f64();
                    if !only_losses {
                        let delta = &mut deltas[units];
                        loss.delta(activation, a, y, delta); // (B1)
                        if examples.data.weights().is_some() {
                            delta.iter_mut().for_each(|delta| *delta = *delta * weight);
                        }
                    }
                }
            },
        );
        if only_losses {
            return;
        }
        // forward: z = W·f(z below), so the layer below has the error term Wᵀ·δ • f′
        for l in (1..=top).rev() {
            let (below, above) = self.deltas.split_at_mut(l);
            let layer = &network.layers()[l];
            let delta = &mut below[l - 1][..self.rows * layer.inputs];
            multiply(
                |r| &above[0][r * layer.outputs..][..layer.outputs],
                &weights.backward[l],
                &weights.zeros[..layer.inputs],
                delta,
            ); // (B2)
            let a = &self.activations[l - 1][..self.rows * layer.inputs];
            let activation = network.layers()[l - 1].activation;
            vectorized(
                #[inline(always)]
                || activation.multiply_by_derivative(a, delta, layer.inputs),
            ); // (B2)
        }
    }

    /// Whether some unit with a kink was on another side of it, for some row, when `other` went through.
    pub fn differs_in_sides(&self, other: &Strip<T>, network: &Network) -> bool {
        let mut kinked = network.layers().iter().enumerate().filter(|(_, layer)| layer.activation.has_kink());
        // a > 0 exactly where z > 0, for every activation with a kink
        kinked.any(|(l, _)| {
            let mut pairs = self.activation(network, l).iter().zip(other.activation(network, l));
            pairs.any(|(&one, &two)| (one > T::zero()) != (two > T::zero()))
        })
    }
}

/// Activations of so many numbers are multiplied where they lie; packing pays off for more.
const AS_IT_LIES: usize = 65_536;

/// Adds Σᵢ wᵢ ∇J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) over the rows of the strips, in their order, to `gradient`, which is laid out as θ.  (B3)
///
/// ```text
///   ∇W⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ (a⁽ˡ⁾)ᵀ,   ∇b⁽ˡ⁾ = δ⁽ˡ⁺¹⁾
/// ```
///
/// `panels` is a buffer. Threads share the units of a layer, never a sum.
pub(crate) fn add_gradients<T: Scalar>(
    network: &Network,
    strips: &[Strip<T>],
    examples: Examples<'_, T>,
    panels: &mut Panels<T>,
    gradient: &mut [T],
    parallel: bool,
) {
    let rows: usize = strips.iter().map(|strip| strip.rows).sum();
    let per_strip = strips[0].rows;
    for (l, layer) in network.layers().iter().enumerate() {
        // every strip but the last is full, so a row is found by a division
        let row_of = |matrices: fn(&Strip<T>) -> &Vec<Vec<T>>, l: usize, units: usize| {
            let first = &matrices(&strips[0])[l];
            #[inline(always)]
            move |r: usize| {
                let (matrix, r) = match r < per_strip {
                    true => (first, r), // most often there is one strip, and a division takes its time
                    false => (&matrices(&strips[r / per_strip])[l], r % per_strip),
                };
                &matrix[r * units..][..units]
            }
        };
        let delta = row_of(|strip| &strip.deltas, l, layer.outputs);

        // forward: z = W·a + b, so W has the gradient δ·aᵀ and b the gradient δ
        let a = match l.checked_sub(1) {
            Some(below) if strips.len() == 1 && rows * layer.inputs <= AS_IT_LIES => {
                View::as_it_lies(&strips[0].activations[below][..rows * layer.inputs + SLACK], rows, layer.inputs)
            }
            Some(below) => {
                panels.pack_rows(layer.inputs, rows, row_of(|strip| &strip.activations, below, layer.inputs));
                panels.view()
            }
            None => {
                panels.pack_rows(layer.inputs, rows, |r| examples.input(r));
                panels.view()
            }
        };
        let (weight_gradient, bias_gradient) = gradient[network.weight_range(l).start..network.bias_range(l).end]
            .split_at_mut(layer.inputs * layer.outputs);
        let tile = |(tile, gradient): (usize, &mut [T])| {
            multiply_transposed(delta, tile * TILE_ROWS, a, gradient); // (B3)
        };
        if parallel {
            weight_gradient.par_chunks_mut(TILE_ROWS * layer.inputs).enumerate().for_each(tile);
        } else {
            weight_gradient.chunks_mut(TILE_ROWS * layer.inputs).enumerate().for_each(tile);
        }
        vectorized(
            #[inline(always)]
            || {
                let (eights, rest) = bias_gradient.as_chunks_mut::<8>();
                let whole = 8 * eights.len();
                for (chunk, sums) in eights.iter_mut().enumerate() {
                    let mut chains = *sums; // in a register, over all rows
                    for r in 0..rows {
                        let delta = &delta(r)[8 * chunk..][..8];
                        (0..8).for_each(|i| chains[i] += delta[i]); // (B3)
                    }
                    *sums = chains;
                }
                for r in 0..rows {
                    rest.iter_mut().zip(&delta(r)[whole..]).for_each(|(sum, &delta)| *sum += delta); // (B3)
                }
            },
        );
    }
}

/// Some rows of a data set, in an order.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a, T> {
    pub data: &'a Dataset<T>,
    pub rows: Rows<'a>,
}

impl<'a, T: Scalar> Examples<'a, T> {
    pub fn input(self, i: usize) -> &'a [T] {
        self.data.input_row(self.rows.get(i))
    }

    fn target(self, i: usize) -> &'a [T] {
        self.data.target_row(self.rows.get(i))
    }

    fn weight(self, i: usize) -> T {
        self.data.weight(self.rows.get(i))
    }
}
