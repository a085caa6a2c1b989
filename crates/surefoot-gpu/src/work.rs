//! A task on the GPU: its steps and its sums.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use ndarray::{CowArray, Ix2};
use surefoot::optimizer::StepRule;
use surefoot::{
    Activation, Cancel, DeviceStep, DeviceSum, DeviceSums, DeviceTask, DeviceWork, Error, Loss, Result, StepsTaken,
};

use crate::driver::{Driver, Memory, Queue};
use crate::layout::{Launch, Layer, Numbers, Op, Status};
use crate::memory::{Examples, Room, Sizes};
use crate::plan::{Cut, Plan, Planner, Purpose};

/// What some steps are to take, in seconds: below the 50 ms after which somebody waits.
const PIECE: f64 = 0.04;
/// Steps of the first piece, whose time is not known.
const FIRST_PIECE: usize = 8;
/// Rows of a piece, whose numbers are uploaded.
const MOST_ROWS: usize = 1 << 22;

/// A task that the GPU has taken on.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    driver: &'a Arc<Driver>,
    queue: Queue,
    task: DeviceTask<'a, f32>,
    /// X and Y on the host, and the weights, where the GPU has not all of them.
    host: [CowArray<'a, f32, Ix2>; 2],
    host_weights: Option<Vec<f32>>,
    sizes: Sizes,
    examples: Examples,
    room: Room,
    state: [Memory<f32>; 3],
    /// By the rows of a batch, the chunk, and what for.
    plans: HashMap<(usize, usize, Purpose), Written>,
    numbers: Memory<Numbers>,
    rates: Memory<f32>,
    costs: Memory<f64>,
    status: Memory<Status>,
    /// What all launches have in common.
    common: Launch,
    /// Kept for the pointers in `common`.
    _kept: (Memory<Layer>, Memory<u32>),
    /// Steps of the next piece.
    piece: usize,
}

/// A plan that lies on the GPU.
#[derive(Debug)]
struct Written {
    ops: Memory<Op>,
    count: usize,
    /// Blocks of threads.
    blocks: usize,
}

impl<'a> Work<'a> {
    pub fn new(driver: &'a Arc<Driver>, task: DeviceTask<'a, f32>) -> Result<Self> {
        let sizes = Sizes::new(driver, &task)?;
        let queue = driver.queue()?;
        let network = task.network;
        let (mut layers, mut hidden, mut squares) = (Vec::new(), 0, 0);
        for (l, layer) in network.layers().iter().enumerate() {
            layers.push(Layer {
                inputs: size(layer.inputs)?,
                outputs: size(layer.outputs)?,
                activation: number_of(layer.activation)?,
                hidden,
                weights: network.weight_range(l).start as i64,
                squares,
                ..Layer::default()
            });
            squares += (layer.inputs * layer.outputs).div_ceil(4096) as i64;
            if l + 1 < network.layers().len() {
                hidden += size(layer.outputs)?;
            }
        }
        let room = Room::new(&queue, &task, &sizes, squares as usize, hidden as usize)?;
        for (l, layer) in layers.iter_mut().enumerate() {
            (layer.a, layer.delta) = (room.a[l].pointer(), room.delta[l].pointer());
        }
        let (x, y, weights) = (task.data.inputs(), task.data.targets(), task.data.weights());
        let examples = match sizes.is_resident {
            true => Examples {
                x: queue.filled(numbers_of(&x))?,
                y: queue.filled(numbers_of(&y))?,
                w: weights.as_ref().map(|weights| queue.filled(weights)).transpose()?,
                order: queue.memory(0)?,
            },
            false => Examples {
                x: queue.memory(sizes.rows * x.ncols())?,
                y: queue.memory(sizes.rows * y.ncols())?,
                w: weights.as_ref().map(|_| queue.memory(sizes.rows)).transpose()?,
                order: queue.memory(0)?,
            },
        };
        let lengths = [network.parameter_count(); 3];
        let [theta, first, second] = lengths.map(|length| queue.memory(length));
        let state = [theta?, first?, second?];
        let (layers, barrier) = (queue.filled(&layers)?, queue.filled(&[0, 0])?);
        let status = queue.memory(1)?;
        let smoothing = task.label_smoothing;
        let common = Launch {
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
            loss: match task.loss {
                Loss::SquaredError => 0,
                Loss::CrossEntropy => 1,
                Loss::Poisson => 2,
                other => return Err(unknown(other.name())),
            },
            smooths: (smoothing > 0.0).into(),
            hidden,
            ..Launch::default()
        };
        Ok(Work {
            driver,
            task,
            host: [x, y],
            host_weights: weights.filter(|_| !sizes.is_resident),
            sizes,
            examples,
            room,
            state,
            plans: HashMap::new(),
            numbers: queue.memory(0)?,
            rates: queue.memory(0)?,
            costs: queue.memory(0)?,
            status,
            common,
            _kept: (layers, barrier),
            piece: FIRST_PIECE,
            queue,
        })
    }

    /// Launches what is done for a chunk of a batch, once for each of so many steps.
    fn launch(&mut self, cut: &Cut, chunk: usize, purpose: Purpose, launch: Launch) -> Result<()> {
        let key = (cut.partition.rows(), chunk, purpose);
        if !self.plans.contains_key(&key) {
            let planner = Planner { network: self.task.network, blocks: self.driver.blocks() };
            let Plan { ops, blocks, .. } = planner.plan(cut, chunk, purpose);
            self.plans.insert(key, Written { ops: self.queue.filled(&ops)?, count: ops.len(), blocks });
        }
        let Written { ops, count, blocks } = &self.plans[&key];
        let partition = cut.partition;
        let launch = Launch {
            ops: ops.pointer(),
            op_count: size(*count)?,
            block_rows: size(partition.rows_of(0).len())?,
            blocks: size(partition.blocks())?,
            blocks_per_leaf: size(partition.blocks_of(0).len())?,
            ..launch
        };
        self.queue.launch(&launch, *blocks)
    }

    /// Has these examples where a launch finds them.
    fn bring(&mut self, places: Places<'_>, launch: &mut Launch) -> Result<()> {
        launch.first_row = 0;
        launch.order = 0;
        let Examples { x, y, w, order } = &mut self.examples;
        match (self.sizes.is_resident, places) {
            (true, Places::Range(range)) => launch.first_row = range.start as i64,
            (true, Places::Lists(lists)) => {
                let rows: Vec<u32> = lists.iter().flat_map(|rows| rows.iter().map(|&row| row as u32)).collect();
                self.queue.grow(order, rows.len())?;
                self.queue.write(&rows, order, 0)?;
                launch.order = order.pointer();
            }
            (false, places) => {
                let [inputs, targets] = &self.host;
                for (numbers, columns, to) in
                    [(numbers_of(inputs), inputs.ncols(), x), (numbers_of(targets), targets.ncols(), y)]
                {
                    let part = places.gathered(numbers, columns);
                    self.queue.write(&part, to, 0)?;
                }
                if let (Some(weights), Some(w)) = (&self.host_weights, w) {
                    self.queue.write(&places.gathered(weights, 1), w, 0)?;
                }
            }
        }
        Ok(())
    }

    /// Steps over batches of the same number of rows, the first of which has this number among those of the piece.
    fn alike(&mut self, first_step: usize, steps: &[DeviceStep<'_, f32>], mut launch: Launch) -> Result<()> {
        let rows = self.rows_of(&steps[0]);
        let cut = Cut::new(rows, self.sizes.most_leaves);
        let (decays, is_sparse) = (self.task.weight_decay > 0.0, self.task.sparsity.is_some());
        let step = Purpose::Step { decays, is_sparse };
        if cut.chunks() == 1 {
            let lists: Option<Vec<&[usize]>> = steps.iter().map(|step| step.rows).collect();
            self.bring(lists.as_deref().map_or(Places::Range(0..rows), Places::Lists), &mut launch)?;
            launch.first_step = size(first_step)?;
            launch.step_count = size(steps.len())?;
            launch.stride = if lists.is_some() { rows as i64 } else { 0 };
            return self.launch(&cut, 0, step, launch);
        }
        launch.step_count = 1;
        for (i, of_step) in steps.iter().enumerate() {
            launch.first_step = size(first_step + i)?;
            let activities = is_sparse.then_some(Purpose::Activities { of_step: true });
            for purpose in activities.into_iter().chain([step]) {
                for chunk in 0..cut.chunks() {
                    let part = cut.rows(chunk);
                    match of_step.rows {
                        Some(rows) => self.bring(Places::Lists(&[&rows[part]]), &mut launch)?,
                        None => self.bring(Places::Range(part), &mut launch)?,
                    }
                    self.launch(&cut, chunk, purpose, launch)?;
                }
            }
        }
        Ok(())
    }

    fn rows_of(&self, step: &DeviceStep<'_, f32>) -> usize {
        step.rows.map_or(self.task.data.rows(), <[usize]>::len)
    }

    /// How many of these steps are a piece.
    fn count(&self, steps: &[DeviceStep<'_, f32>]) -> usize {
        let rows = self.rows_of(&steps[0]).max(1);
        let most = if self.sizes.is_resident { MOST_ROWS } else { self.sizes.rows };
        steps.len().min(self.piece).min((most / rows).max(1))
    }

    /// The numbers of these steps, where the launches find them.
    fn bring_numbers(&mut self, steps: &[DeviceStep<'_, f32>]) -> Result<Launch> {
        let numbers: Vec<Numbers> = steps
            .iter()
            .map(|DeviceStep { weight, batch_weight, mean: [share, decay], numbers, .. }| Numbers {
                weight: *weight,
                batch_weight: *batch_weight,
                share: *share,
                decay: *decay,
                scale: numbers.scale,
                epsilon: numbers.epsilon,
            })
            .collect();
        let rates: Vec<f32> = steps.iter().flat_map(|step| step.numbers.rates.iter().flatten().copied()).collect();
        self.queue.grow(&mut self.numbers, numbers.len())?;
        self.queue.grow(&mut self.rates, rates.len())?;
        self.queue.grow(&mut self.costs, numbers.len())?;
        self.queue.write(&numbers, &mut self.numbers, 0)?;
        self.queue.write(&rates, &mut self.rates, 0)?;
        let status = Status { costs: 0, stopped: 0, layer: self.common.layer_count };
        self.queue.write(&[status], &mut self.status, 0)?;
        let launch = Launch {
            numbers: self.numbers.pointer(),
            rates: self.rates.pointer(),
            costs: self.costs.pointer(),
            has_slopes: self.task.sparsity.is_some().into(),
            ..self.common
        };
        Ok(match steps[0].numbers.rule {
            StepRule::Descent => launch,
            StepRule::Momentum(mu) => Launch { rule: 1, mu, ..launch },
            StepRule::Nesterov(mu) => Launch { rule: 2, mu, ..launch },
            StepRule::Adam([beta1, beta2, rest1, rest2]) => Launch { rule: 3, beta1, beta2, rest1, rest2, ..launch },
        })
    }
}

impl DeviceWork<f32> for Work<'_> {
    fn set_state(&mut self, state: [&[f32]; 3]) -> Result<()> {
        self.state.iter_mut().zip(state).try_for_each(|(to, numbers)| self.queue.write(numbers, to, 0))
    }

    fn state(&mut self, state: [&mut [f32]; 3]) -> Result<()> {
        self.state.iter().zip(state).try_for_each(|(from, numbers)| self.queue.read(from, numbers))
    }

    fn steps(&mut self, steps: &[DeviceStep<'_, f32>]) -> Result<StepsTaken> {
        if steps.is_empty() {
            return Ok(StepsTaken { costs: Vec::new(), layer: None });
        }
        let clock = Instant::now();
        let steps = &steps[..self.count(steps)];
        let launch = self.bring_numbers(steps)?;
        let mut first = 0;
        while first < steps.len() {
            let rows = self.rows_of(&steps[first]);
            let alike = steps[first..].iter().take_while(|step| self.rows_of(step) == rows).count();
            self.alike(first, &steps[first..first + alike], launch)?;
            first += alike;
        }
        let mut status = [Status::default()];
        self.queue.read(&self.status, &mut status)?;
        let mut costs = vec![0.0; usize::try_from(status[0].costs).unwrap_or(0).min(steps.len())];
        self.queue.read(&self.costs, &mut costs)?;
        let of_step = clock.elapsed().as_secs_f64() / steps.len() as f64;
        self.piece = ((PIECE / of_step) as usize).clamp(1, FIRST_PIECE * self.piece);
        let layer = usize::try_from(status[0].layer).ok().filter(|&layer| layer < self.task.network.layers().len());
        Ok(StepsTaken { costs, layer })
    }

    fn sum(
        &mut self,
        parameters: &[f32],
        asked: DeviceSum<'_, f32>,
        cancel: &Cancel,
    ) -> Result<Option<DeviceSums<f32>>> {
        self.queue.write(parameters, &mut self.state[0], 0)?;
        let hidden = self.common.hidden as usize;
        if !asked.slopes.is_empty() {
            self.queue.write(asked.slopes, &mut self.room.slopes, 0)?;
            self.queue.write(&[1.0], &mut self.room.penalties, hidden + 1)?;
        }
        let cut = Cut::new(self.task.data.rows(), self.sizes.most_leaves);
        let purpose = match (asked.losses || asked.outputs || asked.gradient, asked.activities) {
            (false, true) => Purpose::Activities { of_step: false },
            (_, activities) => Purpose::Sum { activities, gradient: asked.gradient },
        };
        let mut launch = Launch { step_count: 1, has_slopes: (!asked.slopes.is_empty()).into(), ..self.common };
        let mut sums = DeviceSums::default();
        for chunk in 0..cut.chunks() {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            let rows = cut.rows(chunk);
            self.bring(Places::Range(rows.clone()), &mut launch)?;
            self.launch(&cut, chunk, purpose, launch)?;
            if asked.losses {
                read_more(&self.queue, &self.room.losses, rows.len(), &mut sums.losses)?;
            }
            if let (true, Some(outputs)) = (asked.outputs, self.room.a.last()) {
                read_more(&self.queue, outputs, rows.len() * self.task.network.outputs(), &mut sums.outputs)?;
            }
        }
        if asked.activities {
            read_more(&self.queue, &self.room.activities, cut.partition.blocks() * hidden, &mut sums.activities)?;
        }
        if asked.gradient {
            read_more(&self.queue, &self.room.gradient, parameters.len(), &mut sums.gradient)?;
        }
        Ok(Some(sums))
    }
}

/// Reads so many numbers behind those that are there.
fn read_more<T: cudarc::driver::DeviceRepr + Clone + Default>(
    queue: &Queue,
    from: &Memory<T>,
    count: usize,
    to: &mut Vec<T>,
) -> Result<()> {
    let first = to.len();
    to.resize(first + count, T::default());
    queue.read(from, &mut to[first..])
}

/// Examples by their places in the data.
enum Places<'a> {
    /// Neighbours.
    Range(Range<usize>),
    /// One list after the other.
    Lists(&'a [&'a [usize]]),
}

impl Places<'_> {
    /// Their rows of a matrix with so many columns.
    fn gathered(&self, numbers: &[f32], columns: usize) -> Vec<f32> {
        match self {
            Places::Range(range) => numbers[range.start * columns..range.end * columns].to_vec(),
            Places::Lists(lists) => {
                let rows = lists.iter().flat_map(|rows| rows.iter());
                rows.flat_map(|row| &numbers[row * columns..][..columns]).copied().collect()
            }
        }
    }
}

/// The numbers of a matrix, which lies row by row.
fn numbers_of<'m>(matrix: &'m CowArray<'_, f32, Ix2>) -> &'m [f32] {
    matrix.as_slice().unwrap_or_default()
}

/// A number that the kernels have as a 32-bit integer.
fn size(number: usize) -> Result<i32> {
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
