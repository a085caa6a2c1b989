//! The buffers of a block, and how it is computed on the CPU: feedforward pass, losses, error terms, gradients.

use std::ops::Range;

use super::partial_sum::{Lengths, PartialSum};
use crate::backpropagation::{Outputs, Strip, strips_for};
use crate::error::{Error, Result};
use crate::gradients::{GradientBuffer, Sum, sum_deltas, sum_gradients};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::panels::LANES;
use crate::numeric::scalar::Scalar;
use crate::numeric::sums::{pairwise_sum, sum_in_lanes};
use crate::numeric::threads;
use crate::view::{DatasetView, Examples, Rows};

/// What all blocks of a sum have in common.
pub(crate) struct Work<'a, T> {
    pub network: &'a Network,
    pub loss: Loss,
    /// ε
    pub label_smoothing: f64,
    pub data: DatasetView<'a, T>,
    /// θ
    pub parameters: &'a [T],
    /// What is summed over.
    pub rows: Rows<'a>,
    /// What comes after that, to be fetched from memory meanwhile.
    pub next: Rows<'a>,
    /// The derivative of sparsity's penalty by the mean activation of each hidden unit, or nothing.
    pub penalty_slopes: &'a [T],
    pub steps: Steps,
    /// Threads that share a block.
    pub threads: usize,
}

/// That the columns of these examples are the network's inputs and outputs, and their targets are some that the loss is defined for; rows
/// are counted from `first`.
pub(crate) fn check_examples<T: Scalar>(
    network: &Network,
    loss: Loss,
    data: &DatasetView<'_, T>,
    first: usize,
) -> Result<()> {
    for (what, columns, units) in [
        ("columns of the inputs", data.inputs_per_row(), network.inputs()),
        ("columns of the targets", data.targets_per_row(), network.outputs()),
    ] {
        if columns != units {
            let expected = format!("{units}, for the network {}", network.widths());
            return Err(Error::Shape { what: what.into(), expected, got: columns.to_string() });
        }
    }
    let examples = data.all();
    for row in 0..data.rows() {
        let targets = examples.target(row);
        if let Err((column, expected)) = loss.check_targets(network.output_activation(), targets) {
            let got = targets[column].to_f64();
            return Err(Error::Value { what: "targets", row: first + row, column, expected, got });
        }
    }
    Ok(())
}

/// What is done for each block, and so what a [`PartialSum`] has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// So many layers forward; 0 where the examples have gone through already.
    pub layers: usize,
    pub outputs: Outputs,
    pub activities: bool,
    /// Whether the gradient is summed; without it the error terms stay with the examples.
    pub gradient: bool,
}

impl Steps {
    /// The lengths of what is summed, 0 for what is not.
    pub fn lengths(&self, network: &Network) -> Lengths {
        let hidden = || network.hidden().iter().map(|layer| layer.outputs).sum();
        Lengths {
            activities: if self.activities { hidden() } else { 0 },
            scores: self.outputs.scores.map_or(0, |task| task.score_sums(network.outputs())),
            gradient: if self.gradient { network.parameter_count() } else { 0 },
        }
    }
}

/// The buffers to compute blocks in, one after the other.
pub(crate) struct BlockWorkspace<T> {
    strips: Vec<Strip<T>>,
    /// The strips that the last block filled.
    used: usize,
    /// A buffer of the gradient's sums for each thread.
    buffers: Vec<GradientBuffer<T>>,
}

impl<T: Scalar> BlockWorkspace<T> {
    pub fn new() -> Self {
        BlockWorkspace { strips: Vec::new(), used: 0, buffers: Vec::new() }
    }

    /// The examples that went through last, dealt out in their order.
    pub fn strips(&self) -> &[Strip<T>] {
        &self.strips[..self.used]
    }

    /// The same, with a buffer for each of so many threads.
    pub fn strips_and_buffers(&mut self, threads: usize) -> (&[Strip<T>], &mut [GradientBuffer<T>]) {
        if self.buffers.len() < threads {
            self.buffers.resize_with(threads, GradientBuffer::new);
        }
        (&self.strips[..self.used], &mut self.buffers[..threads])
    }

    /// Computes the block of these rows, and adds its sums to `sum`: over what it holds if the block is the first.
    pub fn add_block(&mut self, work: &Work<'_, T>, block: Range<usize>, is_first: bool, sum: &mut PartialSum<T>) {
        let Work { network, loss, parameters, data, rows, steps, .. } = *work;
        // after this block, the next of these rows or what comes after them
        let next = match rows.len() - block.end {
            0 => work.next,
            left => rows.part(block.end..block.end + left.min(block.len())),
        };
        let (examples, next) = (data.examples(rows.part(block)), data.examples(next));
        self.for_each_strip(work, [examples, next], |strip, [examples, next]| {
            if steps.layers > 0 {
                strip.feedforward(network, steps.layers, parameters, examples, next);
            }
            if steps.outputs.losses || steps.outputs.deltas {
                strip.set_targets(network, examples, work.label_smoothing);
                strip.losses_and_deltas(network, loss, parameters, examples, work.penalty_slopes, steps.outputs);
            }
            if steps.activities {
                strip.activities(network, examples);
            }
        });
        let lengths = || steps.lengths(network);
        let join = |sum: &mut f64, of_block: f64| *sum = if is_first { of_block } else { *sum + of_block };
        join(&mut sum.weight, weight(examples));
        join(&mut sum.cost, if steps.outputs.losses { self.cost() } else { 0.0 });
        if let Some(task) = steps.outputs.scores {
            sum.scores.resize(lengths().scores, 0.0);
            for (k, sum) in sum.scores.iter_mut().enumerate() {
                join(sum, self.score_sum(task, k, examples));
            }
        }
        if steps.activities {
            sum.activities.resize(lengths().activities, 0.0);
            for l in 0..network.hidden().len() {
                let sums = &mut sum.activities[network.hidden_range(l)];
                sum_deltas(self.strips(), l, |first, some| {
                    sums[first..].iter_mut().zip(some).for_each(|(sum, some)| join(sum, some.to_f64()));
                });
            }
        }
        if steps.gradient {
            sum.gradient.resize(lengths().gradient, T::zero());
            let (strips, buffers) = self.strips_and_buffers(work.threads);
            sum_gradients(network, strips, examples, Sum { gradient: &mut sum.gradient, is_first }, buffers);
        }
    }

    /// Deals the examples of a block out to strips beside as many of the examples that come next, and does the work for each.
    fn for_each_strip<'e>(
        &mut self,
        work: &Work<'_, T>,
        [examples, next]: [Examples<'e, T>; 2],
        of_strip: impl Fn(&mut Strip<T>, [Examples<'e, T>; 2]) + Sync,
    ) {
        let rows = examples.len();
        let per_strip = rows.div_ceil(strips_for(rows, work.network).min(work.threads)).next_multiple_of(LANES);
        self.used = rows.div_ceil(per_strip);
        if self.strips.len() < self.used {
            self.strips.resize_with(self.used, || Strip::new(work.network, Some(work.loss)));
        }
        threads::for_each(&mut self.strips[..self.used], &|i, strip| {
            let part = i * per_strip..rows.min((i + 1) * per_strip);
            let next_part = part.start.min(next.len())..part.end.min(next.len());
            of_strip(strip, [examples.part(part), next.part(next_part)]);
        });
    }

    /// The k-th sum of the score of the block, in lanes over its examples.
    fn score_sum(&self, task: Task, k: usize, examples: Examples<'_, T>) -> f64 {
        let (mut lanes, mut first) = ([0f64; LANES], 0);
        for strip in self.strips() {
            strip.add_score_terms(task, k, examples.part(first..first + strip.examples()), &mut lanes);
            first += strip.examples();
        }
        pairwise_sum(lanes)
    }

    /// The sum of the losses of the block, in lanes over its examples.
    fn cost(&self) -> f64 {
        let mut lanes = [0f64; LANES];
        // strips begin at multiples of the lanes
        for losses in self.strips().iter().map(Strip::losses) {
            let (whole, rest) = losses.as_chunks::<LANES>();
            for losses in whole {
                for i in 0..LANES {
                    lanes[i] += losses[i];
                }
            }
            lanes.iter_mut().zip(rest).for_each(|(lane, loss)| *lane += loss);
        }
        pairwise_sum(lanes)
    }
}

/// The sum of the weights of a block.
fn weight<T: Scalar>(examples: Examples<'_, T>) -> f64 {
    match examples.weights() {
        Some(weight) => sum_in_lanes(examples.len(), |i| weight(i).to_f64()),
        None => examples.len() as f64,
    }
}
