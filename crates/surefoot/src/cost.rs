//! The overall cost J(θ) and its gradient ∇J(θ): a mean over examples, as a sum over blocks, plus weight decay.

use std::ops::Range;

use crate::backpropagation::{Block, Examples};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::blocks::{BLOCK_ROWS, slots_for, sum_over_blocks};
use crate::numeric::scalar::Scalar;
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
    slots: Vec<Slot<T>>,
}

/// A partial sum over blocks, and the buffers to compute the next block.
struct Slot<T> {
    cost: f64,
    gradient: Vec<T>,
    block: Block<T>,
    inputs: Vec<T>,
    targets: Vec<T>,
    weights: Vec<T>,
}

/// The examples of a sum.
#[derive(Clone, Copy)]
enum Rows<'a> {
    All(usize),
    Batch(&'a [usize]),
}

impl Rows<'_> {
    fn len(self) -> usize {
        match self {
            Rows::All(count) => count,
            Rows::Batch(rows) => rows.len(),
        }
    }
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
            let targets = data.target_rows(row..row + 1);
            if let Err((column, expected)) = loss.check_targets(network.output_activation(), targets) {
                let got = targets[column].to_f64();
                return Err(Error::Value { what: "targets", row, column, expected, got });
            }
        }
        Ok(Cost { network, loss, weight_decay, data, slots: Vec::new() })
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
        self.evaluate(parameters, Rows::Batch(rows), Some(gradient))
    }

    fn evaluate(&mut self, parameters: &[T], rows: Rows<'_>, gradient: Option<&mut [T]>) -> f64 {
        let Cost { network, loss, weight_decay, data, .. } = *self;
        self.prepare_slots(slots_for(rows.len()), gradient.is_some());
        sum_over_blocks(
            rows.len(),
            &mut self.slots,
            |Slot { cost, gradient, block, inputs, targets, weights }, of_block| {
                let examples = gather(data, rows, of_block, [inputs, targets, weights]);
                block.feedforward(network, parameters, examples.inputs);
                *cost += block.loss(network, loss, examples);
                if !gradient.is_empty() {
                    block.backpropagate(network, loss, parameters, examples, gradient);
                }
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
            for (gradient, &sum) in gradient.iter_mut().zip(&sum.gradient) {
                *gradient = sum * mean; // (G1)
            }
            for l in 0..network.layers().len() {
                let weights = network.weight_range(l);
                for (gradient, &weight) in gradient[weights.clone()].iter_mut().zip(&parameters[weights]) {
                    *gradient += decay * weight; // (G1)
                }
            }
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
    fn prepare_slots(&mut self, count: usize, with_gradient: bool) {
        let (network, length) = (self.network, if with_gradient { self.network.parameter_count() } else { 0 });
        if self.slots.len() < count {
            self.slots.resize_with(count, || Slot {
                cost: 0.0,
                gradient: Vec::new(),
                block: Block::new(network),
                inputs: Vec::with_capacity(BLOCK_ROWS * network.inputs()),
                targets: Vec::with_capacity(BLOCK_ROWS * network.outputs()),
                weights: Vec::with_capacity(BLOCK_ROWS),
            });
        }
        for slot in &mut self.slots[..count] {
            slot.cost = 0.0;
            slot.gradient.clear();
            slot.gradient.resize(length, T::zero());
        }
    }
}

/// The examples of a block: a view of the data where their rows lie together, else copied into the buffers.
fn gather<'a, T: Scalar>(
    data: &'a Dataset<T>,
    rows: Rows<'_>,
    block: Range<usize>,
    [inputs, targets, weights]: [&'a mut Vec<T>; 3],
) -> Examples<'a, T> {
    match rows {
        Rows::All(_) => Examples {
            inputs: data.input_rows(block.clone()),
            targets: data.target_rows(block.clone()),
            weights: data.weights().map(|weights| &weights[block]),
        },
        Rows::Batch(batch) => {
            inputs.clear();
            targets.clear();
            weights.clear();
            for &row in &batch[block] {
                inputs.extend_from_slice(data.input_rows(row..row + 1));
                targets.extend_from_slice(data.target_rows(row..row + 1));
                weights.push(data.weight(row));
            }
            Examples { inputs, targets, weights: data.weights().is_some().then_some(weights) }
        }
    }
}

fn add<T: Scalar>(sum: &mut [T], other: &[T]) {
    for (sum, &other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

impl<T: Scalar> Objective<T> for Cost<'_, T> {
    fn dimension(&self) -> usize {
        self.network.parameter_count()
    }

    fn cost(&mut self, parameters: &[T]) -> f64 {
        self.evaluate(parameters, Rows::All(self.data.rows()), None)
    }

    fn cost_and_gradient(&mut self, parameters: &[T], gradient: &mut [T]) -> f64 {
        self.evaluate(parameters, Rows::All(self.data.rows()), Some(gradient))
    }

    /// Some unit of some example with ReLU, leaky ReLU or SELU is on another side of 0 at the two points.
    fn has_kink_between(&mut self, one: &[T], other: &[T]) -> bool {
        if !self.network.layers().iter().any(|layer| layer.activation.has_kink()) {
            return false;
        }
        let (network, data) = (self.network, self.data);
        self.prepare_slots(2, false);
        let [first, second, ..] = &mut self.slots[..] else { return false };
        (0..data.rows()).step_by(BLOCK_ROWS).any(|start| {
            let rows = start..data.rows().min(start + BLOCK_ROWS);
            first.block.feedforward(network, one, data.input_rows(rows.clone()));
            second.block.feedforward(network, other, data.input_rows(rows.clone()));
            first.block.differs_in_sides(&second.block, network, rows.len())
        })
    }

    fn segments(&self) -> Vec<Segment> {
        self.network.segments()
    }
}
