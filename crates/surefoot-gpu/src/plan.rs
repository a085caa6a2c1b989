//! What a launch does for a batch: its ops, phase by phase, and which block of threads begins with which.

use std::ops::Range;

use surefoot::{Network, Partition};

use crate::layout::{Flag, Kind, Op};

/// The rows of a batch in chunks of leaves, each of them a subtree of the sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub partition: Partition,
    /// A power of two.
    leaves_per_chunk: usize,
}

impl Cut {
    /// So many rows, in chunks of at most `most` leaves.
    pub fn new(rows: usize, most: usize) -> Self {
        let partition = Partition::new(rows);
        let most = most.clamp(1, partition.leaves().next_power_of_two());
        Cut { partition, leaves_per_chunk: 1 << most.ilog2() }
    }

    pub fn chunks(&self) -> usize {
        self.partition.leaves().div_ceil(self.leaves_per_chunk)
    }

    pub fn leaves(&self, chunk: usize) -> Range<usize> {
        let first = chunk * self.leaves_per_chunk;
        first..self.partition.leaves().min(first + self.leaves_per_chunk)
    }

    pub fn rows(&self, chunk: usize) -> Range<usize> {
        self.partition.rows_of_leaves(self.leaves(chunk))
    }

    fn blocks(&self, chunk: usize) -> Range<usize> {
        let leaves = self.leaves(chunk);
        self.partition.blocks_of(leaves.start).start..self.partition.blocks_of(leaves.end - 1).end
    }

    /// Rows of the largest chunk.
    pub fn most_rows(&self) -> usize {
        self.rows(0).len()
    }

    /// Leaves of the largest chunk.
    pub fn most_leaves(&self) -> usize {
        self.leaves(0).len()
    }

    /// Sums of chunks that are open at a time.
    pub fn levels(&self) -> usize {
        1 + self.chunks().ilog2() as usize
    }
}

/// What is done for the rows of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// The activities of hidden units alone; a step's penalty with the last chunk.
    Activities { of_step: bool },
    /// A step with the last chunk, with what the cost has.
    Step { decays: bool, is_sparse: bool },
    /// What is summed over all examples.
    Sum { activities: bool, gradient: bool },
}

/// The ops of a launch.
#[derive(Debug)]
pub(crate) struct Plan {
    pub ops: Vec<Op>,
    /// Blocks of threads that have something to do at the same time.
    pub blocks: usize,
    /// The tiles of the phase in progress, and its first op.
    tiles: usize,
    first: usize,
}

/// Writes plans for a network on so many blocks of threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planner<'a> {
    pub network: &'a Network,
    pub blocks: usize,
}

impl Planner<'_> {
    /// The plan of a chunk of a batch.
    pub fn plan(&self, cut: &Cut, chunk: usize, purpose: Purpose) -> Plan {
        let (leaves, blocks) = (cut.leaves(chunk), cut.blocks(chunk));
        let (is_whole, is_last) = (cut.chunks() == 1, chunk + 1 == cut.chunks());
        let chunk = Op {
            rows: cut.rows(chunk).len() as i32,
            block: blocks.start as i32,
            blocks: blocks.len() as i32,
            leaves: leaves.len() as i32,
            chunk: chunk as i32,
            ..Op::default()
        };
        let mut plan = Plan { ops: Vec::new(), blocks: 1, tiles: 0, first: 0 };
        let last = self.network.layers().len() - 1;
        if matches!(purpose, Purpose::Step { decays: true, .. }) && is_last {
            (0..=last).for_each(|l| self.add(&mut plan, Kind::Squares, l, chunk));
        }
        let layers = if matches!(purpose, Purpose::Activities { .. }) { last } else { last + 1 };
        for l in 0..layers {
            self.add(&mut plan, Kind::Forward, l, chunk);
            plan.end();
        }
        let activities = |plan: &mut Plan| (0..last).for_each(|l| self.add(plan, Kind::Activities, l, chunk));
        match purpose {
            Purpose::Activities { of_step } => {
                activities(&mut plan);
                plan.end();
                if of_step && is_last {
                    self.add(&mut plan, Kind::Penalty, 0, chunk);
                    plan.end();
                }
            }
            Purpose::Sum { activities: wants_activities, gradient } => {
                if wants_activities {
                    activities(&mut plan);
                }
                self.add(&mut plan, Kind::Output, last, Op { flag: gradient.into(), ..chunk });
                plan.end();
                if gradient {
                    self.back(&mut plan, chunk);
                    self.gradient(&mut plan, chunk, true, if is_last { Flag::Write } else { Flag::Nothing });
                }
            }
            Purpose::Step { is_sparse, .. } => {
                plan.ops[0].checks = 1;
                let penalizes = is_sparse && is_whole;
                if penalizes {
                    activities(&mut plan);
                }
                self.add(&mut plan, Kind::Output, last, Op { flag: 1, ..chunk });
                plan.end();
                self.add(&mut plan, Kind::Losses, 0, chunk);
                if penalizes {
                    self.add(&mut plan, Kind::Penalty, 0, chunk);
                }
                if penalizes || plan.tiles > 1 {
                    plan.end();
                }
                if is_last {
                    // by the first block of threads, which has the losses where they are of one
                    plan.tiles = 0;
                    self.add(&mut plan, Kind::Cost, 0, chunk);
                }
                let after_cost = self.back(&mut plan, chunk);
                self.gradient(
                    &mut plan,
                    chunk,
                    cut.partition.leaves() > 1,
                    if is_last { Flag::Step } else { Flag::Nothing },
                );
                plan.ops[after_cost].checks = 1;
            }
        }
        plan
    }

    /// The error terms of the hidden layers; which op comes after the first of these phases.
    fn back(&self, plan: &mut Plan, chunk: Op) -> usize {
        let mut after_first = None;
        for l in (1..self.network.layers().len()).rev() {
            self.add(plan, Kind::Delta, l, chunk);
            plan.end();
            after_first.get_or_insert(plan.ops.len());
        }
        plan.end();
        after_first.unwrap_or(plan.ops.len())
    }

    /// The gradients of a chunk, leaf by leaf, and what becomes of them: at once, or after the leaves are added.
    fn gradient(&self, plan: &mut Plan, chunk: Op, adds: bool, flag: Flag) {
        let of_leaves = Op { flag: if adds { Flag::Nothing } else { flag } as i32, ..chunk };
        for kind in [Kind::Weights, Kind::Biases] {
            (0..self.network.layers().len()).for_each(|l| self.add(plan, kind, l, of_leaves));
        }
        plan.end();
        if adds {
            self.add(plan, Kind::Fold, 0, Op { flag: flag as i32, ..chunk });
            plan.end();
        }
    }

    /// One op more of the phase, and for a product which tiles: the largest that give every block of threads one.
    fn add(&self, plan: &mut Plan, kind: Kind, l: usize, op: Op) {
        let (layer, rows, blocks) = (&self.network.layers()[l], op.rows as usize, op.blocks as usize);
        let of_size = |[m, n]: [usize; 2], size: usize, times: usize| m.div_ceil(size) * n.div_ceil(size) * times;
        let product = |shape: [usize; 2], times: usize| {
            let is_fit =
                |&size: &usize| shape[0].min(shape[1]) > size / 2 && of_size(shape, size, times) >= self.blocks;
            let size = [128, 64].into_iter().find(is_fit).unwrap_or(16);
            (size, of_size(shape, size, times))
        };
        let leaves = op.leaves as usize;
        let (tile, tiles) = match kind {
            Kind::Forward => product([rows, layer.outputs], 1),
            Kind::Delta => product([rows, layer.inputs], 1),
            Kind::Weights => product([layer.outputs, layer.inputs], leaves),
            Kind::Biases => (0, layer.outputs.div_ceil(16) * leaves),
            Kind::Activities => (0, layer.outputs.div_ceil(16) * blocks),
            Kind::Output => (0, rows.div_ceil(32)),
            Kind::Losses => (0, blocks.div_ceil(16)),
            Kind::Squares => (0, (layer.inputs * layer.outputs).div_ceil(16 * 4096)),
            Kind::Fold => (0, self.network.parameter_count().div_ceil(256)),
            Kind::Penalty | Kind::Cost => (0, 1),
        };
        plan.ops.push(Op { kind: kind as i32, layer: l as i32, tile: tile as i32, shift: plan.tiles as i32, ..op });
        plan.tiles += tiles;
        plan.blocks = plan.blocks.max(plan.tiles);
    }
}

impl Plan {
    /// What follows needs the results.
    fn end(&mut self) {
        if self.first < self.ops.len() {
            (self.first, self.tiles) = (self.ops.len(), 0);
            if let Some(op) = self.ops.last_mut() {
                op.ends = 1;
            }
        }
    }
}
