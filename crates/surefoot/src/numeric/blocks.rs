//! The sum over blocks of examples: who computes a block is free, what is added to what is not.
//!
//! Rows are cut into blocks of neighbours; consecutive blocks share a slot. A slot adds its blocks up in their order; the
//! slots are then added in a binary tree of neighbours. All of this follows from the number of rows and parameters alone,
//! so any number of threads gives the same bits.

use std::ops::Range;

use super::panels::PANEL;
use super::threads;

/// Rows of a block: enough to keep the matrix products busy, few enough to keep activations in cache; whole panels.
pub const BLOCK_ROWS: usize = 5 * PANEL;
/// So many rows, as a mini-batch has at most, are one block.
const ONE_BLOCK: usize = 512;
/// Slots at most: the cores that one sum can fill.
const SLOTS: usize = 16;
/// Numbers that all slots hold together at most, unless one alone has more: what their memory may be.
const SLOT_NUMBERS: usize = 12_000_000;

/// How a sum over rows is made.
#[derive(Clone, Copy, Debug)]
pub struct Partition {
    rows: usize,
    blocks: usize,
    slots: usize,
}

impl Partition {
    /// The partition of so many rows, for partial sums of so many numbers.
    pub fn new(rows: usize, numbers: usize) -> Self {
        let blocks = if rows <= ONE_BLOCK { 1 } else { rows.div_ceil(BLOCK_ROWS) };
        let slots = SLOTS.min(SLOT_NUMBERS / numbers.max(1)).clamp(1, blocks);
        Partition { rows, blocks, slots }
    }

    /// How many slots the sum fills.
    pub fn slots(self) -> usize {
        self.slots
    }

    /// How many blocks there are.
    pub fn blocks(self) -> usize {
        self.blocks
    }

    /// The rows of a block, the last of which may have fewer.
    fn block_rows(self) -> usize {
        if self.blocks == 1 { self.rows } else { BLOCK_ROWS }
    }

    /// Fills the first slots with the sums of their blocks, then adds them up in the first one.
    ///
    /// `work` adds the block of these rows to a slot, which the caller has emptied; `add` adds the second slot to the first.
    pub fn sum<S: Send>(self, slots: &mut [S], work: impl Fn(&mut S, Range<usize>) + Sync, add: impl Fn(&mut S, &S)) {
        let Partition { rows, blocks, slots: used } = self;
        let size = self.block_rows();
        let fill = |index: usize, slot: &mut S| {
            for block in blocks * index / used..blocks * (index + 1) / used {
                work(slot, block * size..rows.min((block + 1) * size));
            }
        };
        let slots = &mut slots[..used];
        threads::for_each(slots, &fill);
        let mut stride = 1;
        while stride < used {
            for pair in slots.chunks_mut(2 * stride).filter(|pair| pair.len() > stride) {
                let (left, right) = pair.split_at_mut(stride);
                add(&mut left[0], &right[0]);
            }
            stride *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slot that writes down its sum as a formula, so that the order of additions can be read.
    fn formula(rows: usize, numbers: usize) -> String {
        let partition = Partition::new(rows, numbers);
        let mut slots = vec![String::new(); partition.slots()];
        partition.sum(
            &mut slots,
            |slot, block| slot.push_str(&format!("+{}..{}", block.start, block.end)),
            |left, right| *left = format!("({left} {right})"),
        );
        slots.swap_remove(0)
    }

    #[test]
    fn the_tree_follows_from_the_number_of_rows_and_parameters() {
        assert_eq!(formula(512, 1), "+0..512");
        assert_eq!(formula(600, 1), "((+0..240 +240..480) +480..600)");
        assert_eq!(formula(1200, 1), "(((+0..240 +240..480) (+480..720 +720..960)) +960..1200)");
        assert!(formula(240 * 33, 1).starts_with("((((+0..240+240..480 +480..720+720..960)"));
        // partial sums so large that there may be two, and only one
        assert_eq!(formula(960, 6_000_000), "(+0..240+240..480 +480..720+720..960)");
        assert_eq!(formula(960, 20_000_000), "+0..240+240..480+480..720+720..960");
    }

    #[test]
    fn every_row_is_in_one_block_for_any_number_of_threads() {
        for rows in [0, 1, 127, 128, 129, 513, 2000, 5000] {
            let on_threads = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| formula(rows, 1))
            };
            let text = on_threads(1);
            for threads in [2, 3, 8] {
                assert_eq!(text, on_threads(threads));
            }
            let covered: usize = text
                .split(['+', ' ', '(', ')'])
                .filter_map(|part| part.split_once(".."))
                .map(|(start, end)| end.parse::<usize>().unwrap() - start.parse::<usize>().unwrap())
                .sum();
            assert_eq!(covered, rows);
        }
    }
}
