//! Some examples: the feedforward pass, and the error terms δ.
//!
//! Matrices lie with one row a unit and one column an example, so that examples are the lanes of the vectors and θ is
//! read as it lies; layer `l` counts from 0. The backward steps stand beside the forward steps that they differentiate.
//! Nothing of an example depends on those beside it, until the gradients sum over them in ascending order; so examples
//! may be dealt out to threads in any way.

use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::aligned::Aligned;
use crate::numeric::matmul::multiply_panels;
use crate::numeric::operands::{Lhs, Start, Starts};
use crate::numeric::panels::{LANES, PANEL, Panels, rows, rows_mut};
use crate::numeric::prefetch::PrefetchQueue;
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::numeric::threads;
use crate::view::Examples;

/// What some examples keep between the feedforward pass and the [gradients](crate::gradients).
pub(crate) struct Strip<T> {
    /// x, then a of each layer (units × examples).
    pub activations: Vec<Panels<T>>,
    /// Where x of each example begins in the data.
    pub starts: Starts,
    /// δ of each layer after the input (units × examples).
    pub deltas: Vec<Panels<T>>,
    /// z of the output layer, kept where a [loss is computed from it](Loss::is_of_sums).
    output_sums: Option<Panels<T>>,
    targets: Panels<T>,
    /// J(W,b; x,y) of each example, times its weight.
    losses: Vec<f64>,
    /// A buffer of the products.
    packed: Aligned<T>,
}

/// What of some examples is computed after the feedforward pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outputs {
    /// J(W,b; x,y) of each.
    pub losses: bool,
    /// What a term of cross-entropy counts at most, as if its probability were no smaller.  (L6)
    pub limit: f64,
    /// The error terms of all layers.
    pub deltas: bool,
    /// What the score of this task is made of.
    pub scores: Option<Task>,
}

impl<T: Scalar> Strip<T> {
    /// Buffers, which grow with the examples that go through; for a `loss`, if it will be asked for.
    pub fn new(network: &Network, loss: Option<Loss>) -> Self {
        let layers = network.layers().len();
        let matrices = |count| vec![Panels::new(); count];
        Strip {
            activations: matrices(layers + 1),
            starts: Starts::default(),
            deltas: matrices(layers),
            output_sums: loss.filter(|loss| loss.is_of_sums()).map(|_| Panels::new()),
            targets: Panels::new(),
            losses: Vec::new(),
            packed: Aligned::new(),
        }
    }

    /// The outputs h of the examples that went through last (outputs × examples).
    pub fn outputs(&self) -> &Panels<T> {
        &self.activations[self.activations.len() - 1]
    }

    /// J(W,b; x,y) of each example, times its weight, after [`losses_and_deltas`](Self::losses_and_deltas).
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// How many examples went through last.
    pub fn examples(&self) -> usize {
        self.activations[0].columns()
    }

    /// Computes the activations of the first `layers` for the examples. Meanwhile the inputs of the `next` are fetched, by the
    /// first layer, and the targets of these by the others.
    /// (6) (7)
    ///
    /// ```text
    ///   z⁽ˡ⁺¹⁾ = W⁽ˡ⁾ a⁽ˡ⁾ + b⁽ˡ⁾        a⁽¹⁾ = x
    ///   a⁽ˡ⁺¹⁾ = f(z⁽ˡ⁺¹⁾)
    /// ```
    pub fn feedforward(
        &mut self,
        network: &Network,
        layers: usize,
        parameters: &[T],
        examples: Examples<'_, T>,
        next: Examples<'_, T>,
    ) {
        let count = examples.len();
        let mut next_inputs = PrefetchQueue::new(|run| next.input_run(run), next.runs());
        let mut targets = PrefetchQueue::new(|run| examples.target_run(run), examples.runs());
        examples.set_input_starts(&mut self.starts);
        let starts = self.starts.as_slice();
        self.activations[0].set_columns(network.inputs(), count, examples.all_inputs(), |i| starts[i]);
        for (l, layer) in network.layers()[..layers].iter().enumerate() {
            let (below, here) = self.activations.split_at_mut(l + 1);
            let (a, z) = (&below[l], &mut here[0]);
            let weight = Lhs::rows(&parameters[network.weight_range(l)], layer.outputs, layer.inputs);
            let bias = Start::Rows(&parameters[network.bias_range(l)]);
            let packed = &mut self.packed;
            match l {
                0 => multiply_panels(weight, a, bias, z, packed, &mut next_inputs), // (6)
                _ => multiply_panels(weight, a, bias, z, packed, &mut targets),     // (6)
            }
            if l + 1 == network.layers().len()
                && let Some(sums) = &mut self.output_sums
            {
                sums.resize(layer.outputs, count);
                sums.numbers_mut().copy_from_slice(z.numbers());
            }
            let width = z.width();
            vectorized(
                #[inline(always)]
                || {
                    for p in 0..z.count() {
                        layer.activation.apply(z.panel_mut(p), width); // (7)
                    }
                },
            );
        }
    }

    /// Writes wᵢ times the activity of each hidden unit, for each example that went through last, where its error term
    /// will stand: the mean of these is ρ̂.  (P1)
    pub fn activities(&mut self, network: &Network, examples: Examples<'_, T>) {
        for (l, layer) in network.hidden().iter().enumerate() {
            let (a, activities) = (&self.activations[l + 1], &mut self.deltas[l]);
            activities.resize(layer.outputs, a.columns());
            let (offset, share) = layer.activation.activity().unwrap_or_default();
            let (offset, share, width) = (T::from_f64(offset), T::from_f64(share), a.width());
            for p in 0..a.count() {
                let (a, weights) = (a.panel(p), weights_of_panel(examples, p * width));
                let activities = activities.panel_mut(p);
                vectorized(
                    #[inline(always)]
                    || {
                        for (to, a) in rows_mut(activities, width).zip(rows(a.numbers, width)) {
                            for ((to, &a), &weight) in to.iter_mut().zip(a).zip(&weights) {
                                *to = a.mul_add(share, offset) * weight; // (P1)
                            }
                        }
                    },
                );
            }
        }
    }

    /// Takes the targets of the examples that went through last, smoothed by ε = `label_smoothing`.  (L4)
    ///
    /// ```text
    ///   y′ₖ = (1 − ε) yₖ + ε / max(K, 2)        K outputs
    /// ```
    pub fn set_targets(&mut self, network: &Network, examples: Examples<'_, T>, label_smoothing: f64) {
        let count = self.examples();
        self.targets.set_columns(network.outputs(), count, examples.all_targets(), |i| examples.target_start(i));
        if label_smoothing > 0.0 {
            let (rest, share) = (1.0 - label_smoothing, label_smoothing / network.outputs().max(2) as f64);
            let targets = self.targets.numbers_mut();
            vectorized(
                #[inline(always)]
                || targets.iter_mut().for_each(|y| *y = T::from_f64(rest * y.to_f64() + share)), // (L4)
            );
        }
    }

    /// Computes what is asked for of the examples that went through last, whose targets have been [set](Self::set_targets).
    /// `sparsity` has for each hidden unit the derivative of its penalty by its mean activation, or nothing.  (B1) (B2) (P2)
    ///
    /// ```text
    ///   δ⁽ⁿˡ⁾ = ∂J/∂z⁽ⁿˡ⁾, by the loss
    ///   δ⁽ˡ⁾  = ((W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾ + ∂(β Σ KL)/∂ρ̂) • f′(z⁽ˡ⁾)        for l = nˡ−1, …, 2
    /// ```
    pub fn losses_and_deltas(
        &mut self,
        network: &Network,
        loss: Loss,
        parameters: &[T],
        examples: Examples<'_, T>,
        sparsity: &[T],
        outputs: Outputs,
    ) {
        self.losses.resize(self.examples(), 0.0);
        self.output_losses_and_deltas(network, loss, examples, outputs);
        if !outputs.deltas {
            return;
        }
        // forward: z = W·f(z below), so the layer below has the error term Wᵀ·δ • f′
        for l in (1..network.layers().len()).rev() {
            let layer = &network.layers()[l];
            let (below, above) = self.deltas.split_at_mut(l);
            let delta = &mut below[l - 1];
            let weight = Lhs::columns(&parameters[network.weight_range(l)], layer.inputs, layer.outputs);
            let nothing = &mut PrefetchQueue::nothing();
            multiply_panels(weight, &above[0], Start::Zero, delta, &mut self.packed, nothing); // (B2)
            let (activation, width) = (network.layers()[l - 1].activation, delta.width());
            let (a, sparsity) = (&self.activations[l], sparsity.get(network.hidden_range(l - 1)).unwrap_or_default());
            for p in 0..a.count() {
                let (a, delta) = (a.panel(p).numbers, delta.panel_mut(p));
                if !sparsity.is_empty() {
                    add_sparsity(delta, sparsity, &weights_of_panel(examples, p * width)[..width]);
                }
                vectorized(
                    #[inline(always)]
                    || activation.multiply_by_derivative(a, delta, width), // (B2)
                );
            }
        }
    }

    /// The loss, and the error terms of the output layer, as far as asked for.
    fn output_losses_and_deltas(&mut self, network: &Network, loss: Loss, examples: Examples<'_, T>, outputs: Outputs) {
        let (a, activation) = (&self.activations[self.activations.len() - 1], network.output_activation());
        let Some(deltas) = self.deltas.last_mut() else { return };
        deltas.resize(network.outputs(), a.columns());
        let width = a.width();
        for (p, losses) in self.losses.chunks_mut(width).enumerate() {
            let z = self.output_sums.as_ref().map_or(&[][..], |sums| sums.panel(p).numbers);
            let (a, y) = (a.panel(p).numbers, self.targets.panel(p).numbers);
            let delta = deltas.panel_mut(p);
            vectorized(
                #[inline(always)]
                || {
                    if outputs.losses {
                        loss.values(activation, [z, a, y], width, outputs.limit, losses);
                    }
                    if outputs.deltas {
                        loss.deltas(activation, a, y, width, delta); // (B1)
                    }
                    if examples.weights().is_none() {
                        return;
                    }
                    let weights = weights_of_panel(examples, p * width);
                    if outputs.losses {
                        losses.iter_mut().zip(&weights).for_each(|(loss, weight)| *loss *= weight.to_f64());
                    }
                    if outputs.deltas {
                        for delta in rows_mut(delta, width) {
                            delta.iter_mut().zip(&weights).for_each(|(delta, &weight)| *delta = *delta * weight);
                        }
                    }
                },
            );
        }
    }

    /// Adds what each example that went through last adds to the k-th sum of a score, by lanes.
    pub fn add_score_terms(&self, task: Task, k: usize, examples: Examples<'_, T>, lanes: &mut [f64; LANES]) {
        let (h, mut example) = (self.outputs(), 0);
        for p in 0..h.count() {
            let panel = h.panel(p);
            for i in 0..panel.columns {
                let h_of = |k: usize| panel.numbers[k * panel.width + i];
                // panels are whole lanes wide
                lanes[i % LANES] += task.score_term(k, h.height(), h_of, examples.target(example));
                example += 1;
            }
        }
    }

    /// Whether some unit with a kink was on another side of it, for some example, when `other` went through.
    pub fn differs_in_sides(&self, other: &Strip<T>, network: &Network) -> bool {
        let mut kinked = network.layers().iter().enumerate().filter(|(_, layer)| layer.activation.has_kink());
        // a > 0 exactly where z > 0, for every activation with a kink
        let on_other_sides = |(one, two): (&T, &T)| (*one > T::zero()) != (*two > T::zero());
        kinked.any(|(l, _)| {
            let (one, two) = (&self.activations[l + 1], &other.activations[l + 1]);
            (0..one.count()).any(|p| {
                let (one, two) = (one.panel(p), two.panel(p));
                let mut both = rows(one.numbers, one.width).zip(rows(two.numbers, two.width));
                both.any(|(row, other)| row[..one.columns].iter().zip(other).any(on_other_sides))
            })
        })
    }
}

/// The weights of the examples in a panel, the first of which is given.
fn weights_of_panel<T: Scalar>(examples: Examples<'_, T>, first: usize) -> [T; PANEL] {
    let mut weights = [T::one(); PANEL];
    if let Some(weight) = examples.weights() {
        let some = weights.iter_mut().take(examples.len() - first);
        some.enumerate().for_each(|(i, to)| *to = weight(first + i));
    }
    weights
}

/// Adds to ∂J/∂a of each unit and example what the unit's mean activation adds to the cost.
fn add_sparsity<T: Scalar>(delta: &mut [T], sparsity: &[T], weights: &[T]) {
    vectorized(
        #[inline(always)]
        || {
            for (delta, &slope) in rows_mut(delta, weights.len()).zip(sparsity) {
                delta.iter_mut().zip(weights).for_each(|(delta, &weight)| *delta = slope.mul_add(weight, *delta)); // (P2)
            }
        },
    );
}

/// Multiply-adds below which a second thread costs more than it saves.
pub(crate) const WORTH_A_THREAD: usize = 500_000;

/// Whether so many examples are worth more than one thread.
pub(crate) fn is_shared(examples: usize, network: &Network) -> bool {
    threads::count() > 1 && examples * network.parameter_count() >= WORTH_A_THREAD
}

/// How many strips to deal so many examples out in: it changes no bit, so it may depend on the number of threads.
pub(crate) fn strips_for(examples: usize, network: &Network) -> usize {
    if is_shared(examples, network) { threads::count().min(examples / 16).max(1) } else { 1 }
}
