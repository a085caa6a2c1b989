//! A task on the GPU: its steps and its sums.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use surefoot::optimizer::StepRule;
use surefoot::{Cancel, DeviceStep, DeviceSum, DeviceSums, DeviceTask, DeviceWork, Result, StepsTaken};

use crate::common::{Common, size};
use crate::driver::{Driver, Memory, Queue};
use crate::examples::{Examples, Places};
use crate::layout::{Launch, Numbers, Op, Status};
use crate::memory::{Room, Sizes};
use crate::plan::{Cut, Plan, Planner, Purpose};

/// What some steps are to take, in seconds: below the 50 ms after which somebody waits.
const PIECE: f64 = 0.04;
/// By how much a piece may be longer than the one before; the first is one step, whose time is not known.
const GROWTH: usize = 8;
/// Rows of a piece, whose numbers are uploaded.
const MOST_ROWS: usize = 1 << 22;

/// A task that the GPU has taken on.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    driver: &'a Arc<Driver>,
    queue: Queue,
    task: DeviceTask<'a, f32>,
    sizes: Sizes,
    examples: Examples<'a>,
    room: Room,
    state: [Memory<f32>; 3],
    /// By the rows of a batch, the chunk, and what for.
    plans: HashMap<(usize, usize, Purpose), Written>,
    numbers: Memory<Numbers>,
    rates: Memory<f32>,
    costs: Memory<f64>,
    common: Common,
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
        let room = Room::new(&queue, &task, &sizes)?;
        let examples = Examples::new(&queue, &task.data, &sizes)?;
        let [theta, first, second] = [task.network.parameter_count(); 3].map(|length| queue.memory(length));
        let state = [theta?, first?, second?];
        let common = Common::new(&queue, &task, &examples, &room, &state)?;
        let (numbers, rates, costs) = (queue.memory(0)?, queue.memory(0)?, queue.memory(0)?);
        let (plans, piece) = (HashMap::new(), 1);
        Ok(Work { driver, queue, task, sizes, examples, room, state, plans, numbers, rates, costs, common, piece })
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

    /// Steps over batches of the same number of rows, the first of which has this number among those of the piece.
    fn alike(&mut self, first_step: usize, steps: &[DeviceStep<'_, f32>], mut launch: Launch) -> Result<()> {
        let rows = self.rows_of(&steps[0]);
        let cut = Cut::new(rows, self.sizes.most_leaves);
        let (decays, is_sparse) = (self.task.weight_decay > 0.0, self.task.sparsity.is_some());
        let step = Purpose::Step { decays, is_sparse };
        if cut.chunks() == 1 {
            let lists: Option<Vec<&[usize]>> = steps.iter().map(|step| step.rows).collect();
            let places = lists.as_deref().map_or(Places::Range(0..rows), Places::Lists);
            self.examples.bring(&self.queue, &places, &mut launch)?;
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
                    let list = of_step.rows.map(|rows| [&rows[part.clone()]]);
                    let places = list.as_ref().map_or(Places::Range(part), |list| Places::Lists(list));
                    self.examples.bring(&self.queue, &places, &mut launch)?;
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
        let status = Status { costs: 0, stopped: 0, layer: self.common.launch.layer_count };
        self.queue.write(&[status], &mut self.common.status, 0)?;
        let launch = Launch {
            numbers: self.numbers.pointer(),
            rates: self.rates.pointer(),
            costs: self.costs.pointer(),
            has_slopes: self.task.sparsity.is_some().into(),
            ..self.common.launch
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
        self.queue.read(&self.common.status, &mut status)?;
        let mut costs = vec![0.0; usize::try_from(status[0].costs).unwrap_or(0).min(steps.len())];
        self.queue.read(&self.costs, &mut costs)?;
        let of_step = clock.elapsed().as_secs_f64() / steps.len() as f64;
        self.piece = ((PIECE / of_step) as usize).clamp(1, GROWTH * self.piece);
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
        let hidden = self.common.launch.hidden as usize;
        if !asked.slopes.is_empty() {
            self.queue.write(asked.slopes, &mut self.room.slopes, 0)?;
            self.queue.write(&[1.0], &mut self.room.penalties, hidden + 1)?;
        }
        let cut = Cut::new(self.task.data.rows(), self.sizes.most_leaves);
        let purpose = match (asked.losses || asked.outputs || asked.gradient, asked.activities) {
            (false, true) => Purpose::Activities { of_step: false },
            (_, activities) => Purpose::Sum { activities, gradient: asked.gradient },
        };
        let mut launch = Launch { step_count: 1, has_slopes: (!asked.slopes.is_empty()).into(), ..self.common.launch };
        let mut sums = DeviceSums::default();
        for chunk in 0..cut.chunks() {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            let rows = cut.rows(chunk);
            self.examples.bring(&self.queue, &Places::Range(rows.clone()), &mut launch)?;
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
