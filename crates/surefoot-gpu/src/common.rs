//! What all launches of a task have in common.

use surefoot::{Activation, DeviceTask, Error, Loss, Network, Result};

use crate::driver::{Memory, Queue};
use crate::examples::Examples;
use crate::layout::{Launch, Layer, Status};
use crate::memory::{Room, hidden_of};

/// The common part of launches, with the memory that only it names.
#[derive(Debug)]
pub(crate) struct Common {
    pub launch: Launch,
    pub status: Memory<Status>,
    _layers: Memory<Layer>,
    _barrier: Memory<u32>,
}

impl Common {
    pub fn new(
        queue: &Queue,
        task: &DeviceTask<'_, f32>,
        examples: &Examples<'_>,
        room: &Room,
        state: &[Memory<f32>; 3],
    ) -> Result<Self> {
        let (network, smoothing) = (task.network, task.label_smoothing);
        let layers = queue.filled(&layers_of(network, room)?)?;
        let (barrier, status) = (queue.filled(&[0, 0])?, queue.memory(1)?);
        let loss = match task.loss {
            Loss::SquaredError => 0,
            Loss::CrossEntropy => 1,
            Loss::Poisson => 2,
            other => return Err(unknown(other.name())),
        };
        let launch = Launch {
            layers: layers.pointer(),
            x: examples.x.pointer(),
            y: examples.y.pointer(),
            w: examples.w.as_ref().map_or(0, Memory::pointer),
            theta: state[0].pointer(),
            first: state[1].pointer(),
            second: state[2].pointer(),
            z: room.z.pointer(),
            sums: room.sums.pointer(),
            carries: room.carries.pointer(),
            gradient: room.gradient.pointer(),
            activities: room.activities.pointer(),
            slopes: room.slopes.pointer(),
            losses: room.losses.pointer(),
            block_losses: room.block_losses.pointer(),
            squares: room.squares.pointer(),
            penalties: room.penalties.pointer(),
            barrier: barrier.pointer(),
            status: status.pointer(),
            decay: task.weight_decay,
            limit: task.limit,
            rest: 1.0 - smoothing,
            smoothing: smoothing / network.outputs().max(2) as f64,
            sparsity: task.sparsity.map_or(0.0, |sparsity| sparsity.target),
            sparsity_weight: task.sparsity.map_or(0.0, |sparsity| sparsity.weight),
            parameters: network.parameter_count() as i64,
            layer_count: size(network.layers().len())?,
            loss,
            smooths: (smoothing > 0.0).into(),
            hidden: size(hidden_of(network))?,
            ..Launch::default()
        };
        Ok(Common { launch, status, _layers: layers, _barrier: barrier })
    }
}

fn layers_of(network: &Network, room: &Room) -> Result<Vec<Layer>> {
    let (mut hidden, mut squares) = (0, 0);
    let of = |(l, layer): (usize, &surefoot::Layer)| {
        let here = Layer {
            inputs: size(layer.inputs)?,
            outputs: size(layer.outputs)?,
            activation: number_of(layer.activation)?,
            hidden: size(hidden)?,
            weights: network.weight_range(l).start as i64,
            squares,
            a: room.a[l].pointer(),
            delta: room.delta[l].pointer(),
        };
        hidden += layer.outputs;
        squares += network.weight_range(l).len().div_ceil(4096) as i64;
        Ok(here)
    };
    network.layers().iter().enumerate().map(of).collect()
}

/// A number that the kernels have as a 32-bit integer.
pub(crate) fn size(number: usize) -> Result<i32> {
    i32::try_from(number).map_err(|_| Error::Device {
        what: format!("the GPU: expected at most {} rows or units, got {number}", i32::MAX),
        hint: "--device cpu has no such limit",
    })
}

/// Its number in `kernels/layers.cu`.
fn number_of(activation: Activation) -> Result<i32> {
    Ok(match activation {
        Activation::Sigmoid => 0,
        Activation::Tanh => 1,
        Activation::Identity => 2,
        Activation::Relu => 3,
        Activation::LeakyRelu => 4,
        Activation::Selu => 5,
        Activation::Softmax => 6,
        Activation::Exp => 7,
        other => return Err(unknown(other.name())),
    })
}

fn unknown(what: &str) -> Error {
    let what = format!("the GPU: `{what}` is not among what its kernels compute");
    Error::Device { what, hint: "--device cpu computes it" }
}
