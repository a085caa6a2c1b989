//! Where a training is computed, if not on the CPU.

use std::fmt::Debug;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::loss::Loss;
use crate::network::Network;
use crate::optimizer::StepNumbers;
use crate::sparsity::Sparsity;
use crate::view::DatasetView;

/// Computes steps and sums over examples in the place of the CPU, with the bits of the CPU, as `surefoot-gpu` does. A
/// [`Problem`](crate::Problem) takes one.
///
/// What a training is does not change: the order of the examples, the learning rates and the end of the training stay with the library,
/// and a device follows `docs/math.md`, "Every sum and its order", to the last bit.
pub trait Device<T>: Debug + Send + Sync {
    /// Whether it may leave a task to the CPU.
    fn is_optional(&self) -> bool;

    /// Takes on the examples of a task; `None` leaves them to the CPU.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) when the device cannot do what it is there for.
    fn take<'a>(&'a self, task: DeviceTask<'a, T>) -> Result<Option<Box<dyn DeviceWork<T> + 'a>>>;
}

/// A cost over examples, as [`Cost`](crate::Cost) has it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceTask<'a, T> {
    /// The layers.
    pub network: &'a Network,
    /// The term of an example.
    pub loss: Loss,
    /// ε of (L4).
    pub label_smoothing: f64,
    /// What a logarithm of cross-entropy counts at most.  (L6)
    pub limit: f64,
    /// λ
    pub weight_decay: f64,
    /// The penalty of hidden units.
    pub sparsity: Option<Sparsity>,
    /// The examples.
    pub data: DatasetView<'a, T>,
    /// Rows of a step; `None` where only sums over all examples are asked for.
    pub batch: Option<usize>,
    /// Whether gradients are asked for, too.
    pub gradient: bool,
}

/// A task that a device has taken on. It keeps θ and what the optimizer remembers from step to step.
///
/// # Errors
/// Every method gives [`Error::Device`](crate::Error::Device) when the device fails.
pub trait DeviceWork<T>: Send {
    /// Takes θ, and the first and second memory of the optimizer, each as long as θ or empty.
    fn set_state(&mut self, state: [&[T]; 3]) -> Result<()>;

    /// Gives them back.
    fn state(&mut self, state: [&mut [T]; 3]) -> Result<()>;

    /// Takes the first of these steps, as many as it likes, at least one: no more than take about 50 ms. It ends before a step whose cost is not
    /// finite, and after one with a gradient that is not.
    fn steps(&mut self, steps: &[DeviceStep<'_, T>]) -> Result<StepsTaken>;

    /// Sums over all examples at θ = `parameters`; `None` when it was cancelled meanwhile.
    fn sum(&mut self, parameters: &[T], asked: DeviceSum<'_, T>, cancel: &Cancel) -> Result<Option<DeviceSums<T>>>;
}

/// A step over a batch.
#[derive(Clone, Debug)]
pub struct DeviceStep<'a, T> {
    /// The places of its examples in the data; `None` for all, in their order.
    pub rows: Option<&'a [usize]>,
    /// What the sum of its losses is divided by.
    pub weight: f64,
    /// The sum of the weights of its examples.
    pub batch_weight: f64,
    /// What a sum of gradients is multiplied by, then λ: both as (G1) rounds them.
    pub mean: [T; 2],
    /// What the optimizer does.
    pub numbers: StepNumbers<T>,
}

/// What became of some steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsTaken {
    /// J of each batch before its step. Where the last is not finite, its step was not taken.
    pub costs: Vec<f64>,
    /// The first layer with a gradient that was not finite in the last of these steps.
    pub layer: Option<usize>,
}

/// What is to be summed over all examples.
#[derive(Clone, Copy, Debug)]
pub struct DeviceSum<'a, T> {
    /// J(W,b; x,y) of each example.
    pub losses: bool,
    /// h of each example.
    pub outputs: bool,
    /// The activities of the hidden units.  (P1)
    pub activities: bool,
    /// The gradient.  (B3)
    pub gradient: bool,
    /// The slope of sparsity's penalty for each hidden unit, or nothing.  (P2)
    pub slopes: &'a [T],
}

/// What was summed, or is still to be summed in the order of the examples. What was not asked for is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceSums<T> {
    /// J(W,b; x,y) of each example, times its weight.
    pub losses: Vec<f64>,
    /// h of each example (m × outputs).
    pub outputs: Vec<T>,
    /// The weighted sum of the activity of each hidden unit over each block of examples (blocks × hidden units).
    pub activities: Vec<T>,
    /// Σᵢ wᵢ ∇J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾), in the order of θ.
    pub gradient: Vec<T>,
}
