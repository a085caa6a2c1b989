//! What of a task lies in the memory of the GPU, and how much of it fits.

use surefoot::{DeviceTask, Error, Network, Result};

use crate::driver::{Driver, Memory, Queue};
use crate::plan::Cut;

/// The share of the free memory that is taken, in tenths; the rest is for a task beside it, as the validation part is.
const TENTHS: usize = 8;
/// What activations, error terms and sums of gradients have at most.
const MOST_ROOM: usize = 2 << 30;
/// Examples times parameters of a chunk, so that no launch takes long.
const MOST_WORK: usize = 100_000_000_000;
const HINT: &str = "smaller batches or a smaller network fit; --device cpu trains with the memory of the machine";

/// The sizes of a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Whether all examples lie on the GPU; else they come when they are needed.
    pub is_resident: bool,
    /// Examples that have room at a time, and leaves.
    pub rows: usize,
    pub leaves: usize,
    /// Leaves of a chunk, at most.
    pub most_leaves: usize,
    /// Sums of chunks that are open at a time.
    pub levels: usize,
}

impl Sizes {
    /// What fits beside what is on the GPU already.
    ///
    /// # Errors
    /// [`Error::Device`] when not even a leaf of examples fits.
    pub fn new(driver: &Driver, task: &DeviceTask<'_, f32>) -> Result<Self> {
        let free = driver.free()? / 10 * TENTHS;
        let parameters = task.network.parameter_count();
        let (rows, of_row) = (task.data.rows(), bytes_of_row(task.network));
        let of_example = 4 * (task.data.inputs_per_row() + task.data.targets_per_row() + 1);
        let batches = || task.batch.into_iter().chain([rows]);
        let most_levels = batches().map(|rows| Cut::new(rows, 1).levels()).max().unwrap_or(1);
        // θ and two memories of the optimizer; a gradient, a leaf of it, and its open sums
        let fixed = 4 * parameters * (3 + if task.gradient { 2 + most_levels } else { 0 });
        let leaf = batches().map(|rows| Cut::new(rows, 1).most_rows()).max().unwrap_or(0);
        let least = fixed + leaf * (of_row + of_example);
        if least > free {
            return Err(too_little(driver, task, fixed, of_row + of_example, [least, free]));
        }
        let is_resident = least + rows * (of_example + 4) <= free;
        let left = free - fixed - if is_resident { rows * (of_example + 4) } else { 0 };
        let of_row = of_row + if is_resident { 0 } else { of_example };
        let room = left.min(MOST_ROOM);
        let fitting = |rows: usize| {
            let leaf = Cut::new(rows, 1).most_rows();
            let of_gradient = if task.gradient { 4 * parameters } else { 0 };
            let by_memory = room / (leaf * of_row + of_gradient).max(1);
            by_memory.min(MOST_WORK / (leaf * parameters).max(1)).clamp(1, 64)
        };
        let most_leaves = batches().map(fitting).min().unwrap_or(1);
        let cuts = || batches().map(|rows| Cut::new(rows, most_leaves));
        Ok(Sizes {
            is_resident,
            rows: cuts().map(|cut| cut.most_rows()).max().unwrap_or(1),
            leaves: cuts().map(|cut| cut.most_leaves()).max().unwrap_or(1),
            most_leaves,
            levels: cuts().map(|cut| cut.levels()).max().unwrap_or(1),
        })
    }
}

/// Activations, error terms, weighted sums of the outputs and the loss of an example.
fn bytes_of_row(network: &Network) -> usize {
    let units: usize = network.layers().iter().map(|layer| layer.outputs).sum();
    4 * (2 * units + network.outputs()) + 8
}

/// How many hidden units there are.
pub(crate) fn hidden_of(network: &Network) -> usize {
    let units: usize = network.layers().iter().map(|layer| layer.outputs).sum();
    units - network.outputs()
}

fn too_little(
    driver: &Driver,
    task: &DeviceTask<'_, f32>,
    fixed: usize,
    of_row: usize,
    [least, free]: [usize; 2],
) -> Error {
    let megabytes = |bytes: usize| bytes.div_ceil(1 << 20);
    let fits = match free.saturating_sub(fixed) / of_row {
        0 => format!("the network {} alone needs {} MB", task.network.widths(), megabytes(fixed)),
        rows => format!("batches of up to {rows} rows would fit"),
    };
    let (name, least, free) = (driver.name(), megabytes(least), megabytes(free));
    let what = format!("out of memory on {name}: {least} MB are needed, {free} MB can be had; {fits}");
    Error::Device { what, hint: HINT }
}

/// Room for what is computed of examples, and for sums.
#[derive(Debug)]
pub(crate) struct Room {
    pub a: Vec<Memory<f32>>,
    pub delta: Vec<Memory<f32>>,
    pub z: Memory<f32>,
    pub losses: Memory<f64>,
    pub block_losses: Memory<f64>,
    pub activities: Memory<f32>,
    pub slopes: Memory<f32>,
    /// Of hidden units, their sum, and whether there is one.
    pub penalties: Memory<f64>,
    pub squares: Memory<f64>,
    pub sums: Memory<f32>,
    pub carries: Memory<f32>,
    pub gradient: Memory<f32>,
}

impl Room {
    pub fn new(queue: &Queue, task: &DeviceTask<'_, f32>, sizes: &Sizes) -> Result<Self> {
        let hidden = hidden_of(task.network);
        let squares = (0..task.network.layers().len()).map(|l| task.network.weight_range(l).len().div_ceil(4096)).sum();
        let matrices = || task.network.layers().iter().map(|layer| queue.memory(sizes.rows * layer.outputs));
        let blocks = task.batch.into_iter().chain([task.data.rows()]).map(|rows| Cut::new(rows, 1).partition.blocks());
        let (blocks, parameters) =
            (blocks.max().unwrap_or(1), if task.gradient { task.network.parameter_count() } else { 0 });
        Ok(Room {
            a: matrices().collect::<Result<_>>()?,
            delta: matrices().collect::<Result<_>>()?,
            z: queue.memory(sizes.rows * task.network.outputs())?,
            losses: queue.memory(sizes.rows)?,
            block_losses: queue.memory(blocks)?,
            activities: queue.memory(if task.sparsity.is_some() { blocks * hidden } else { 0 })?,
            slopes: queue.memory(hidden)?,
            penalties: queue.memory(hidden + 2)?,
            squares: queue.memory(squares)?,
            sums: queue.memory(sizes.leaves * parameters)?,
            carries: queue.memory(sizes.levels * parameters)?,
            gradient: queue.memory(parameters)?,
        })
    }
}
