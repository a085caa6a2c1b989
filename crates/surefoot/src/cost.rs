//! The overall cost J(θ) and its gradient ∇J(θ): a mean over examples, as a sum over blocks, plus weight decay.

use rayon::prelude::*;

use crate::backpropagation::{Examples, PackedWeights, Strip, add_gradients};
use crate::dataset::{Dataset, Rows};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::blocks::{BLOCK_ROWS, Partition};
use crate::numeric::matmul::Panels;
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::objective::{Objective, Segment};

/// J(θ) of a network over the examples of a data set.  (8)
///
/// ```text
///   J(θ) = 1/m Σᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λ/2 Σ W²
/// ```
///
/// With weights wᵢ the mean is weighted: Σᵢ wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) / Σᵢ wᵢ. Weight decay counts weights, not biases, and
/// λ is not divided by m. The cost is added up in `f64` in either precision.
///
/// Gradient:  (G1)
///
/// ```text
///   ∇W J = 1/m Σᵢ ∇W J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λW
///   ∇b J = 1/m Σᵢ ∇b J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾)
/// ```
///
/// It is an [`Objective`] over all examples; training takes it [over a batch](Cost::of_batch) of them. The bits depend
/// on θ, the examples and their order, and on no number of threads.
pub struct Cost<'a, T> {
    network: &'a Network,
    loss: Loss,
    weight_decay: f64,
    data: &'a Dataset<T>,
    weights: PackedWeights<T>,
    slots: Vec<Slot<T>>,
}

/// A partial sum over blocks, and the buffers to compute the next block.
struct Slot<T> {
    cost: f64,
    gradient: Vec<T>,
    strips: Vec<Strip<T>>,
    panels: Panels<T>,
}

impl<'a, T: Scalar> Cost<'a, T> {
    /// The cost of this network over these examples, with weight decay λ.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns of the data are not the network's inputs and outputs; [`Error::Setting`]
    /// when λ is negative or not finite, or the loss does not go with the output activation; [`Error::Value`] for a
    /// target that the loss is not defined for.
    pub fn new(network: &'a Network, loss: Loss, weight_decay: f64, data: &'a Dataset<T>) -> Result<Self> {
        loss.check_output(network.output_activation())?;
        if !(weight_decay >= 0.0 && weight_decay.is_finite()) {
            let expected = "a finite number, at least 0".into();
            return Err(Error::Setting { setting: "weight decay", expected, got: weight_decay.to_string() });
        }
        for (what, columns, units) in [
            ("columns of the inputs", data.inputs().ncols(), network.inputs()),
            ("columns of the targets", data.targets().ncols(), network.outputs()),
        ] {
            if columns != units {
                let expected = format!("{units}, for the network {}", network.widths());
                return Err(Error::Shape { what: what.into(), expected, got: columns.to_string() });
            }
        }
        for row in 0..data.rows() {
            let targets = data.target_row(row);
            if let Err((column, expected)) = loss.check_targets(network.output_activation(), targets) {
                let got = targets[column].to_f64();
                return Err(Error::Value { what: "targets", row, column, expected, got });
            }
        }
        let weights = PackedWeights::new(network);
        Ok(Cost { network, loss, weight_decay, data, weights, slots: Vec::new() })
    }

    /// The data that the mean is over.
    pub fn data(&self) -> &'a Dataset<T> {
        self.data
    }

    /// J over a batch of rows, and its gradient written over `gradient`.
    ///
    /// ```text
    ///   J_B(θ) = Σ_{i∈B} wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) / (|B|·w̄) + λ/2 Σ W²        w̄ the mean weight of the whole data
    /// ```
    ///
    /// So a batch of all rows has the overall cost, and a batch whose weights are all 0 has a gradient of 0.
    ///
    /// # Panics
    /// When a row is not in the data, or a length is not that of θ.
    pub fn of_batch(&mut self, parameters: &[T], rows: &[usize], gradient: &mut [T]) -> f64 {
        self.evaluate(parameters, Rows::List(rows), Some(gradient))
    }

    fn evaluate(&mut self, parameters: &[T], rows: Rows<'_>, gradient: Option<&mut [T]>) -> f64 {
        let Cost { network, loss, weight_decay, data, .. } = *self;
        let examples = Examples { data, rows };
        let partition = Partition::new(rows.len(), network.parameter_count());
        let length = if gradient.is_some() { network.parameter_count() } else { 0 };
        self.weights.pack(network, parameters, length > 0);
        self.prepare_slots(partition.slots(), length);
        let weights = &self.weights;
        // One slot has all threads to itself; of several, each has one.
        let strips =
            if partition.slots() == 1 { strips_for(rows.len().min(partition.block_rows()), network) } else { 1 };
        partition.sum(
            &mut self.slots,
            |slot, block| {
                let examples = Examples { rows: examples.rows.part(block), ..examples };
                slot.add_block(network, loss, parameters, weights, examples, strips);
            },
            |left, right| {
                left.cost += right.cost;
                add(&mut left.gradient, &right.gradient);
            },
        );
        let sum = &self.slots[0];
        let total_weight = rows.len() as f64 * data.mean_weight();
        if let Some(gradient) = gradient {
            let (mean, decay) = (T::from_f64(1.0 / total_weight), T::from_f64(weight_decay));
            let sums = &sum.gradient;
            vectorized(
                #[inline(always)]
                || {
                    for (gradient, &sum) in gradient.iter_mut().zip(sums) {
                        *gradient = sum * mean; // (G1)
                    }
                    if weight_decay > 0.0 {
                        for l in 0..network.layers().len() {
                            let weights = network.weight_range(l);
                            for (gradient, &weight) in gradient[weights.clone()].iter_mut().zip(&parameters[weights]) {
                                *gradient += decay * weight; // (G1)
                            }
                        }
                    }
                },
            );
        }
        sum.cost / total_weight + self.decay_term(parameters) // (8)
    }

    /// λ/2 Σ W², in f64, weights in the order of θ.
    fn decay_term(&self, parameters: &[T]) -> f64 {
        if self.weight_decay == 0.0 {
            return 0.0;
        }
        let weights = (0..self.network.layers().len()).flat_map(|l| &parameters[self.network.weight_range(l)]);
        0.5 * self.weight_decay * weights.map(|weight| weight.to_f64() * weight.to_f64()).sum::<f64>()
    }

    /// Empties the first slots, making those that are missing; without a gradient theirs has no length.
    fn prepare_slots(&mut self, count: usize, length: usize) {
        if self.slots.len() < count {
            let empty = || Slot { cost: 0.0, gradient: Vec::new(), strips: Vec::new(), panels: Panels::new() };
            self.slots.resize_with(count, empty);
        }
        for slot in &mut self.slots[..count] {
            slot.cost = 0.0;
            slot.gradient.clear();
            slot.gradient.resize(length, T::zero());
        }
    }
}

/// Multiply-adds below which a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 500_000;

/// How many strips to deal out a block's rows in: it changes no bit, so it may depend on the number of threads.
fn strips_for(rows: usize, network: &Network) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || rows * network.parameter_count() < WORTH_A_THREAD {
        1
    } else {
        (2 * threads).min(rows.div_ceil(8))
    }
}

impl<T: Scalar> Slot<T> {
    /// Adds the cost of a block, and its gradient where the slot has one.
    fn add_block(
        &mut self,
        network: &Network,
        loss: Loss,
        parameters: &[T],
        weights: &PackedWeights<T>,
        examples: Examples<'_, T>,
        strips: usize,
    ) {
        let Slot { cost, gradient, strips: buffers, panels } = self;
        let rows = examples.rows.len();
        let per_strip = rows.div_ceil(strips).next_multiple_of(if strips > 1 { 8 } else { 1 });
        let strips = rows.div_ceil(per_strip);
        let fits = buffers.first().is_some_and(|strip| strip.capacity() >= per_strip);
        if !fits || buffers.len() < strips {
            buffers.clear();
            buffers.resize_with(strips, || Strip::new(network, per_strip));
        }
        let buffers = &mut buffers[..strips];
        let pass = |(i, strip): (usize, &mut Strip<T>)| {
            let part = i * per_strip..rows.min((i + 1) * per_strip);
            let examples = Examples { rows: examples.rows.part(part), ..examples };
            strip.feedforward(network, parameters, weights, examples.rows.len(), |r| examples.input(r));
            strip.losses_and_deltas(network, loss, weights, examples, gradient.is_empty());
        };
        if strips > 1 {
            buffers.par_iter_mut().enumerate().for_each(pass);
        } else {
            buffers.iter_mut().enumerate().for_each(pass);
        }
        *cost += buffers.iter().flat_map(Strip::losses).sum::<f64>();
        if !gradient.is_empty() {
            add_gradients(network, buffers, examples, panels, gradient, strips > 1);
        }
    }
}

fn add<T: Scalar>(sum: &mut [T], other: &[T]) {
    vectorized(
        #[inline(always)]
        || sum.iter_mut().zip(other).for_each(|(sum, &other)| *sum += other),
    );
}

impl<T: Scalar> Objective<T> for Cost<'_, T> {
    fn dimension(&self) -> usize {
        self.network.parameter_count()
    }

    fn cost(&mut self, parameters: &[T]) -> f64 {
        self.evaluate(parameters, Rows::Range(0, self.data.rows()), None)
    }

    fn cost_and_gradient(&mut self, parameters: &[T], gradient: &mut [T]) -> f64 {
        self.evaluate(parameters, Rows::Range(0, self.data.rows()), Some(gradient))
    }

    /// Some unit of some example with ReLU, leaky ReLU or SELU is on another side of 0 at the two points.
    fn has_kink_between(&mut self, one: &[T], other: &[T]) -> bool {
        if !self.network.layers().iter().any(|layer| layer.activation.has_kink()) {
            return false;
        }
        let (network, data) = (self.network, self.data);
        let at = |parameters| {
            let mut weights = PackedWeights::new(network);
            weights.pack(network, parameters, false);
            (parameters, weights, Strip::new(network, BLOCK_ROWS.min(data.rows())))
        };
        let mut points = [at(one), at(other)];
        (0..data.rows()).step_by(BLOCK_ROWS).any(|start| {
            let rows = BLOCK_ROWS.min(data.rows() - start);
            for (parameters, weights, strip) in &mut points {
                strip.feedforward(network, parameters, weights, rows, |r| data.input_row(start + r));
            }
            points[0].2.differs_in_sides(&points[1].2, network)
        })
    }

    fn segments(&self) -> Vec<Segment> {
        self.network.segments()
    }
}
