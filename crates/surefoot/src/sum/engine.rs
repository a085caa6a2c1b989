//! What computes the blocks of a sum: today the CPU.
//!
//! The loops of an engine are compiled once, here, for each kind of number. Without this door every crate that trains would
//! compile them anew, as generic code is compiled where it is used: for minutes, and into each program twice.

use std::any::Any;
use std::ops::Range;

use super::partial_sum::PartialSum;
use super::workspace::{BlockWorkspace, Work};
use crate::backpropagation::Strip;
use crate::gradients::{Gradient, GradientSink, MatrixSink, Update, sum_gradients};
use crate::network::Network;
use crate::numeric::engine::HasEngine;
use crate::numeric::panels::Panel;
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::numeric::threads;
use crate::view::Examples;

/// Computes what is asked for, to the bits that are specified.
pub(crate) trait Engine<T>: Send + Sync {
    /// The activations of the first `layers`; meanwhile the inputs of the `next` examples are fetched.
    fn feedforward(
        &self,
        strip: &mut Strip<T>,
        network: &Network,
        layers: usize,
        parameters: &[T],
        examples: [Examples<'_, T>; 2],
    );

    /// Computes the block of these rows, and adds its sums to `sum`: over what it holds if the block is the first.
    fn add_block(
        &self,
        workspace: &mut BlockWorkspace<T>,
        work: &Work<'_, T>,
        block: Range<usize>,
        is_first: bool,
        sum: &mut PartialSum<T>,
    );

    /// Makes sums over examples the gradient of J.
    fn gradient(&self, network: &Network, sums: GradientSums<'_, T>, gradient: Gradient<'_, T>);

    /// Moves θ by sums over examples.
    fn step(&self, network: &Network, sums: GradientSums<'_, T>, update: Update<'_, T>);
}

/// The sums of gradients over the examples of a batch.
pub(crate) enum GradientSums<'a, T> {
    /// Still to be taken over the block that went through last.
    OfBlock(&'a mut BlockWorkspace<T>, Examples<'a, T>),
    /// In the order of θ.
    Taken(&'a mut [T]),
}

/// The engine for this kind of number.
#[cfg_attr(not(test), expect(clippy::expect_used, reason = "both kinds of number have theirs below"))]
pub(crate) fn engine<T: Scalar>() -> &'static dyn Engine<T> {
    T::engine().downcast_ref::<Compiled<T>>().expect("an engine of this number").0
}

/// An engine whose code is in this crate.
struct Compiled<T: 'static>(&'static dyn Engine<T>);

macro_rules! compiled_for {
    ($($number:ty),*) => {$(
        impl HasEngine for $number {
            fn engine() -> &'static (dyn Any + Send + Sync) {
                static ENGINE: Compiled<$number> = Compiled(&Cpu);
                &ENGINE
            }
        }
    )*};
}

compiled_for!(f32, f64);

/// The threads of this machine's CPU.
struct Cpu;

impl<T: Scalar> Engine<T> for Cpu {
    fn feedforward(
        &self,
        strip: &mut Strip<T>,
        network: &Network,
        layers: usize,
        parameters: &[T],
        [examples, next]: [Examples<'_, T>; 2],
    ) {
        strip.feedforward(network, layers, parameters, examples, next);
    }

    fn add_block(
        &self,
        workspace: &mut BlockWorkspace<T>,
        work: &Work<'_, T>,
        block: Range<usize>,
        is_first: bool,
        sum: &mut PartialSum<T>,
    ) {
        workspace.add_block(work, block, is_first, sum);
    }

    fn gradient(&self, network: &Network, sums: GradientSums<'_, T>, gradient: Gradient<'_, T>) {
        hand_over(network, sums, gradient);
    }

    fn step(&self, network: &Network, sums: GradientSums<'_, T>, update: Update<'_, T>) {
        hand_over(network, sums, update);
    }
}

/// Hands the sums of gradients to a sink over θ.
fn hand_over<T: Scalar>(network: &Network, sums: GradientSums<'_, T>, mut sink: impl GradientSink<T>) {
    let sums = match sums {
        GradientSums::OfBlock(workspace, examples) => {
            let (strips, buffers) = workspace.strips_and_buffers(threads::count());
            return sum_gradients(network, strips, examples, sink, buffers);
        }
        GradientSums::Taken(sums) => sums,
    };
    for (l, layer) in network.layers().iter().enumerate() {
        let (weights, biases) = (network.weight_range(l), network.bias_range(l));
        let shapes = [(weights, [layer.outputs, layer.inputs], true), (biases, [1, layer.outputs], false)];
        for (range, shape, decays) in shapes {
            let mut to = sink.matrix(range.clone(), shape, decays);
            let (width, numbers) = (shape[1], &mut sums[range]);
            vectorized(
                #[inline(always)]
                || to.accept(0, 0, Panel { numbers, width, columns: width }),
            );
        }
    }
}
