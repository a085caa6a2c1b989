//! The overall cost J(θ) and its gradient ∇J(θ): a mean over examples, as a sum over blocks, plus weight decay and
//! sparsity.

use std::sync::atomic::AtomicUsize;

use crate::backpropagation::{Strip, Wanted, is_shared, strips_for};
use crate::error::{Error, Result};
use crate::gradients::{Destination, Gradient, MatrixDestination, Mean, Sum, Update, sum_deltas, sum_gradients};
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::blocks::{BLOCK_ROWS, Partition};
use crate::numeric::panels::{PanelMut, Panels};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::numeric::sums::dot;
use crate::numeric::threads;
use crate::objective::{Objective, Segment};
use crate::optimizer::{FirstOrder, FirstOrderState};
use crate::sparsity::Sparsity;
use crate::view::{DatasetView, Examples, Rows};

/// J(θ) of a network over the examples of a data set.  (8)
///
/// ```text
///   J(θ) = 1/m Σᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λ/2 Σ W²  (+ β Σ KL(ρ‖ρ̂ⱼ), with [`Sparsity`])
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
    sparsity: Option<Sparsity>,
    data: DatasetView<'a, T>,
    slots: Vec<Slot<T>>,
    /// What [`Sparsity`] adds to the cost, and its derivative by the activation of each hidden unit, as of the last sum.
    penalty: f64,
    penalty_slopes: Vec<T>,
}

/// A partial sum over blocks, and the buffers to compute the next block.
struct Slot<T> {
    cost: f64,
    /// Σ wᵢ times the activity of each hidden unit, where sparsity asks for it.
    activities: Vec<f64>,
    gradient: Vec<T>,
    strips: Vec<Strip<T>>,
    /// The strips that the last block filled.
    used: usize,
    /// A buffer of the gradient's sums for each thread.
    buffers: Vec<Panels<T>>,
}

impl<'a, T: Scalar> Cost<'a, T> {
    /// The cost of this network over these examples, with weight decay λ.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns of the data are not the network's inputs and outputs; [`Error::Setting`]
    /// when λ is negative or not finite, or the loss does not go with the output activation; [`Error::Value`] for a
    /// target that the loss is not defined for.
    pub fn new(
        network: &'a Network,
        loss: Loss,
        weight_decay: f64,
        data: impl Into<DatasetView<'a, T>>,
    ) -> Result<Self> {
        let data = data.into();
        loss.check_output(network.output_activation())?;
        if !(weight_decay >= 0.0 && weight_decay.is_finite()) {
            let expected = "a finite number, at least 0".into();
            return Err(Error::Setting { setting: "weight decay", expected, got: weight_decay.to_string() });
        }
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
                return Err(Error::Value { what: "targets", row, column, expected, got });
            }
        }
        let (slots, penalty_slopes) = (Vec::new(), Vec::new());
        Ok(Cost { network, loss, weight_decay, sparsity: None, data, slots, penalty: 0.0, penalty_slopes })
    }

    /// With sparsity (P1) in the cost, or without. It takes the mean activations of a whole batch before any error term,
    /// so where a batch has several blocks they go through the hidden layers twice.
    ///
    /// # Errors
    /// What [`Sparsity::check`] refuses.
    pub fn with_sparsity(mut self, sparsity: Option<Sparsity>) -> Result<Self> {
        if let Some(sparsity) = sparsity {
            sparsity.check(self.network)?;
        }
        self.sparsity = sparsity;
        Ok(self)
    }

    /// The data that the mean is over.
    pub fn data(&self) -> DatasetView<'a, T> {
        self.data
    }

    /// Lets a batch of rows, by their numbers in the whole data set, go through the network, or all rows, in their order: J over the batch, and what knows its
    /// gradient. The rows of the `next` batch are fetched from memory meanwhile; it may be empty.
    ///
    /// ```text
    ///   J_B(θ) = Σ_{i∈B} wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) / (|B|·w̄) + λ/2 Σ W²        w̄ the mean weight of the whole data
    /// ```
    ///
    /// So a batch of all rows has the overall cost, and a batch whose weights are all 0 has a gradient of 0.
    ///
    /// # Panics
    /// When there is no row, a row is not in the data, or θ = `parameters` has not the network's length.
    pub fn of_batch<'b>(
        &'b mut self,
        parameters: &[T],
        rows: Option<&'b [usize]>,
        next: &[usize],
    ) -> (f64, Batch<'b, 'a, T>) {
        let rows = self.rows_of(rows);
        self.sum_blocks(parameters, rows, Rows::List(next), Wanted { losses: true, deltas: true });
        (self.sum(parameters, rows), Batch { rows, of: self })
    }

    /// The same without J, which a step of an optimizer does without.
    ///
    /// # Panics
    /// As [`of_batch`](Self::of_batch).
    pub fn gradient_of_batch<'b>(
        &'b mut self,
        parameters: &[T],
        rows: Option<&'b [usize]>,
        next: &[usize],
    ) -> Batch<'b, 'a, T> {
        let rows = self.rows_of(rows);
        self.sum_blocks(parameters, rows, Rows::List(next), Wanted { losses: false, deltas: true });
        Batch { rows, of: self }
    }

    /// The rows of a batch, or all.
    fn rows_of<'b>(&self, batch: Option<&'b [usize]>) -> Rows<'b>
    where
        'a: 'b,
    {
        batch.map_or(self.data.all().rows(), Rows::List)
    }

    /// Whether a batch of so many rows is worth more than one thread.
    pub(crate) fn is_shared(&self, rows: usize) -> bool {
        is_shared(rows, self.network)
    }

    /// J from the sums over these rows, which have been taken at the same θ.  (8)
    fn sum(&self, parameters: &[T], rows: Rows<'_>) -> f64 {
        self.slots[0].cost / self.total_weight(rows) + self.decay_term(parameters) + self.penalty // (8) (P1)
    }

    /// Σ over the blocks of these rows, left in the first slot, as far as wanted; of one block only the strips, without
    /// its gradient.
    fn sum_blocks(&mut self, parameters: &[T], rows: Rows<'_>, next: Rows<'_>, wanted: Wanted) {
        let Cost { network, loss, data, sparsity, .. } = *self;
        let partition = Partition::new(rows.len(), network.parameter_count());
        let one_block = partition.blocks() == 1;
        let gradients = wanted.deltas;
        let summed = gradients && !one_block;
        let all_layers = network.layers().len();
        self.prepare_slots(partition.slots(), if summed { network.parameter_count() } else { 0 });
        let most = most_strips(partition);
        let activities_first = sparsity.is_some() && gradients;
        if activities_first {
            // a single block goes forward for good
            self.sum_activities(parameters, rows, partition, if one_block { all_layers } else { all_layers - 1 });
        }
        let (slopes, is_forward_done) = (std::mem::take(&mut self.penalty_slopes), activities_first && one_block);
        partition.sum(
            &mut self.slots,
            |slot, block| {
                // after this block, the next of these rows or of the next batch
                let next = match rows.len() - block.end {
                    0 => next,
                    left => rows.part(block.end..block.end + left.min(block.len())),
                };
                let examples = data.examples(rows.part(block));
                slot.for_each_strip(network, loss, most, [examples, data.examples(next)], |strip, [examples, next]| {
                    if !is_forward_done {
                        strip.feedforward(network, all_layers, parameters, examples, next);
                    }
                    strip.losses_and_deltas(network, loss, parameters, examples, &slopes, wanted);
                    if sparsity.is_some() && !gradients {
                        strip.activities(network, examples);
                    }
                });
                if wanted.losses {
                    slot.add_losses();
                }
                if sparsity.is_some() && !gradients {
                    slot.add_activities(network);
                }
                if summed {
                    let sum = Sum { gradient: &mut slot.gradient };
                    slot.buffers.resize_with(threads::count().min(most), Panels::new);
                    sum_gradients(network, &slot.strips[..slot.used], examples, sum, &mut slot.buffers);
                }
            },
            |left, right| {
                left.cost += right.cost;
                add(&mut left.gradient, &right.gradient);
                if !gradients {
                    left.add_activities_of(right);
                }
            },
        );
        self.penalty_slopes = slopes;
        if !gradients {
            self.take_activities(rows);
        }
    }

    /// Lets the blocks of these rows go forward through the first `layers`, the hidden ones at least, and takes the mean
    /// activations of all: the error terms need them.
    fn sum_activities(&mut self, parameters: &[T], rows: Rows<'_>, partition: Partition, layers: usize) {
        let Cost { network, loss, data, .. } = *self;
        let most = most_strips(partition);
        partition.sum(
            &mut self.slots,
            |slot, block| {
                let examples = data.examples(rows.part(block));
                slot.for_each_strip(network, loss, most, [examples, examples.part(0..0)], |strip, [examples, next]| {
                    strip.feedforward(network, layers, parameters, examples, next);
                    strip.activities(network, examples);
                });
                slot.add_activities(network);
            },
            Slot::add_activities_of,
        );
        self.take_activities(rows);
    }

    /// The penalty and its slopes, from the sums of activities over these rows.  (P1) (P2)
    ///
    /// ```text
    ///   ∂/∂aⱼ⁽ⁱ⁾ = β KL′(ρ̂ⱼ) · wᵢ / Σᵢ wᵢ
    /// ```
    ///
    /// The slopes are without wᵢ, and times what a sum over these rows is [divided by](Self::total_weight).
    fn take_activities(&mut self, rows: Rows<'_>) {
        self.penalty = 0.0;
        self.penalty_slopes.clear();
        let Some(sparsity) = self.sparsity else { return };
        let weight: f64 = match self.data.examples(rows).weights() {
            Some(weight) => (0..rows.len()).map(|i| weight(i).to_f64()).sum(),
            None => rows.len() as f64,
        };
        if weight == 0.0 {
            return; // no example counts, so there is no mean to be kept
        }
        let back = self.total_weight(rows) / weight;
        for (l, layer) in self.network.hidden().iter().enumerate() {
            let share = layer.activation.activity().map_or(0.0, |(_, share)| share);
            for sum in &self.slots[0].activities[self.network.hidden_range(l)] {
                let mean = sum / weight;
                self.penalty += sparsity.cost(mean);
                self.penalty_slopes.push(T::from_f64(sparsity.slope(mean) * share * back));
            }
        }
    }

    /// Hands the gradient's sums over these rows to a destination over θ.
    fn hand_over(&mut self, rows: Rows<'_>, mut destination: impl Destination<T>) {
        let slot = &mut self.slots[0];
        if slot.gradient.is_empty() {
            slot.buffers.resize_with(threads::count(), Panels::new);
            let examples = self.data.examples(rows);
            sum_gradients(self.network, &slot.strips[..slot.used], examples, destination, &mut slot.buffers);
            return;
        }
        for (l, layer) in self.network.layers().iter().enumerate() {
            let (weights, biases) = (self.network.weight_range(l), self.network.bias_range(l));
            let shapes = [(weights, [layer.outputs, layer.inputs], true), (biases, [1, layer.outputs], false)];
            for (range, shape, decays) in shapes {
                let mut to = destination.matrix(range.clone(), shape, decays);
                let (width, numbers) = (shape[1], &mut slot.gradient[range]);
                vectorized(
                    #[inline(always)]
                    || to.take(0, 0, PanelMut { numbers, width, columns: width }),
                );
            }
        }
    }

    /// From sums over these rows to the gradient of J.
    fn mean(&self, rows: Rows<'_>) -> Mean<T> {
        Mean { share: T::from_f64(1.0 / self.total_weight(rows)), decay: T::from_f64(self.weight_decay) }
    }

    /// What a sum over these rows is divided by.
    fn total_weight(&self, rows: Rows<'_>) -> f64 {
        rows.len() as f64 * self.data.mean_weight()
    }

    /// λ/2 Σ W²: a sum of squares for each layer, and these in their order.
    fn decay_term(&self, parameters: &[T]) -> f64 {
        if self.weight_decay == 0.0 {
            return 0.0;
        }
        let weights = |l| &parameters[self.network.weight_range(l)];
        let squares = (0..self.network.layers().len()).fold(0.0, |sum, l| sum + dot(weights(l), weights(l)));
        0.5 * self.weight_decay * squares
    }

    /// Empties the first slots, making those that are missing; without a gradient theirs has no length.
    fn prepare_slots(&mut self, count: usize, length: usize) {
        let hidden_units = match self.sparsity {
            Some(_) => self.network.hidden().iter().map(|layer| layer.outputs).sum(),
            None => 0,
        };
        if self.slots.len() < count {
            self.slots.resize_with(count, Slot::new);
        }
        for slot in &mut self.slots[..count] {
            slot.cost = 0.0;
            slot.activities.clear();
            slot.activities.resize(hidden_units, 0.0);
            slot.gradient.clear();
            slot.gradient.resize(length, T::zero());
        }
    }
}

impl<T: Scalar> Slot<T> {
    fn new() -> Self {
        let (strips, gradient, activities, buffers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Slot { cost: 0.0, activities, gradient, strips, used: 0, buffers }
    }

    /// Deals the examples of a block out to strips, at most so many, beside as many of the examples that come next, and does
    /// the work for each strip.
    fn for_each_strip<'e>(
        &mut self,
        network: &Network,
        loss: Loss,
        most: usize,
        [examples, next]: [Examples<'e, T>; 2],
        work: impl Fn(&mut Strip<T>, [Examples<'e, T>; 2]) + Sync,
    ) {
        let rows = examples.len();
        let per_strip = rows.div_ceil(strips_for(rows, network).min(most)).next_multiple_of(16);
        self.used = rows.div_ceil(per_strip);
        if self.strips.len() < self.used {
            self.strips.resize_with(self.used, || Strip::new(network, Some(loss)));
        }
        threads::for_each(&mut self.strips[..self.used], &|i, strip| {
            let part = i * per_strip..rows.min((i + 1) * per_strip);
            let next_part = part.start.min(next.len())..part.end.min(next.len());
            work(strip, [examples.part(part), next.part(next_part)]);
        });
    }

    /// Adds the losses of the block that went through.
    fn add_losses(&mut self) {
        self.cost += self.strips[..self.used].iter().flat_map(Strip::losses).sum::<f64>();
    }

    /// Adds the activities that another slot has.
    fn add_activities_of(&mut self, other: &Slot<T>) {
        self.activities.iter_mut().zip(&other.activities).for_each(|(sum, other)| *sum += other);
    }

    /// Adds the activities of the block that went through.
    fn add_activities(&mut self, network: &Network) {
        for l in 0..network.hidden().len() {
            let sums = &mut self.activities[network.hidden_range(l)];
            sum_deltas(&self.strips[..self.used], l, |first, some| {
                sums[first..].iter_mut().zip(some).for_each(|(sum, some)| *sum += some.to_f64());
            });
        }
    }
}

/// One slot has all threads to itself; of several, each has one.
fn most_strips(partition: Partition) -> usize {
    if partition.slots() == 1 { usize::MAX } else { 1 }
}

/// A batch that has gone through the network, forward and back: the sum over its examples is still to be taken.
pub struct Batch<'b, 'a, T> {
    of: &'b mut Cost<'a, T>,
    rows: Rows<'b>,
}

impl<T: Scalar> Batch<'_, '_, T> {
    /// The gradient of J over the batch at the same θ = `parameters`, written over `gradient`.
    ///
    /// # Panics
    /// When a length is not that of θ.
    pub fn gradient(self, parameters: &[T], gradient: &mut [T]) {
        let mean = self.of.mean(self.rows);
        self.of.hand_over(self.rows, Gradient { mean, parameters, gradient });
    }

    /// Moves θ = `parameters` one step against the gradient of J over the batch, each part of it while its gradient is
    /// in cache: the same bits as [`gradient`](Self::gradient) and then [`FirstOrder::step`].
    ///
    /// Returns the first layer, from 0, that had a gradient that was not finite.
    ///
    /// # Panics
    /// When a length is not that of θ.
    pub fn step(
        self,
        optimizer: &FirstOrder,
        state: &mut FirstOrderState<T>,
        parameters: &mut [T],
        learning_rate: f64,
    ) -> Option<usize> {
        let mean = self.of.mean(self.rows);
        let not_finite = AtomicUsize::new(usize::MAX);
        let step = optimizer.begin(state, parameters, learning_rate);
        self.of.hand_over(self.rows, Update { mean, step, not_finite: &not_finite });
        let at = not_finite.into_inner();
        let network = self.of.network;
        (0..network.layers().len()).find(|&l| at < network.bias_range(l).end)
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
        let rows = self.data.all().rows();
        self.sum_blocks(parameters, rows, Rows::List(&[]), Wanted { losses: true, deltas: false });
        self.sum(parameters, rows)
    }

    fn cost_and_gradient(&mut self, parameters: &[T], gradient: &mut [T]) -> f64 {
        let (cost, batch) = self.of_batch(parameters, None, &[]);
        batch.gradient(parameters, gradient);
        cost
    }

    /// Some unit of some example with ReLU, leaky ReLU or SELU is on another side of 0 at the two points.
    fn has_kink_between(&mut self, one: &[T], other: &[T]) -> bool {
        if !self.network.layers().iter().any(|layer| layer.activation.has_kink()) {
            return false;
        }
        let (network, rows) = (self.network, self.data.rows());
        let examples = self.data.all();
        let mut points = [one, other].map(|parameters| (parameters, Strip::new(network, None)));
        (0..rows).step_by(BLOCK_ROWS).any(|start| {
            let some = examples.part(start..rows.min(start + BLOCK_ROWS));
            for (parameters, strip) in &mut points {
                strip.feedforward(network, network.layers().len(), parameters, some, some.part(0..0));
            }
            points[0].1.differs_in_sides(&points[1].1, network)
        })
    }

    fn segments(&self) -> Vec<Segment> {
        self.network.segments()
    }
}
