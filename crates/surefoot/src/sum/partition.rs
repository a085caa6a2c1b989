//! Which rows are added to which.

use std::ops::Range;

use super::tree::{Node, Tree};
use crate::numeric::panels::PANEL;
use crate::numeric::sums::sum_in_lanes;

/// Rows of a block: enough to keep the matrix products busy, few enough to keep activations in cache; whole panels.
pub(crate) const BLOCK_ROWS: usize = 5 * PANEL;
/// So many rows, as a mini-batch has at most, are one block.
const ONE_BLOCK: usize = 512;
/// Leaves to aim at, before leaves get longer; with more rows than [`MOST_BLOCKS`] allow there are more.
const LEAVES: usize = 64;
/// Blocks of the longest leaf.
const MOST_BLOCKS: usize = 16;

/// How a sum over rows is made: by their number alone.
///
/// Up to 512 rows are one block, more are cut into blocks of 240. A leaf is g consecutive blocks, added in their order; g is the
/// least power of two that leaves at most 64 leaves, at most 16. The leaves are added in a binary tree of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    rows: usize,
    blocks: usize,
    blocks_per_leaf: usize,
}

impl Partition {
    /// The partition of so many rows.
    pub fn new(rows: usize) -> Self {
        let blocks = if rows <= ONE_BLOCK { 1 } else { rows.div_ceil(BLOCK_ROWS) };
        let blocks_per_leaf = blocks.div_ceil(LEAVES).next_power_of_two().min(MOST_BLOCKS);
        Partition { rows, blocks, blocks_per_leaf }
    }

    /// How many blocks there are, at least one.
    pub fn blocks(self) -> usize {
        self.blocks
    }

    /// How many leaves there are, at least one.
    pub fn leaves(self) -> usize {
        self.blocks.div_ceil(self.blocks_per_leaf)
    }

    /// The blocks of a leaf, in the order in which they are added.
    pub fn blocks_of(self, leaf: usize) -> Range<usize> {
        let first = leaf * self.blocks_per_leaf;
        first..self.blocks.min(first + self.blocks_per_leaf)
    }

    /// The rows of neighbouring leaves.
    pub fn rows_of_leaves(self, leaves: Range<usize>) -> Range<usize> {
        let first_row = |leaf: usize| self.rows.min(leaf * self.blocks_per_leaf * BLOCK_ROWS);
        match self.blocks {
            1 => 0..self.rows,
            _ => first_row(leaves.start)..first_row(leaves.end),
        }
    }

    /// The leaf that begins at this row; the number of leaves for the end of the rows.
    pub fn leaf_from(self, row: usize) -> Option<usize> {
        let leaf = row.div_ceil(self.blocks_per_leaf * BLOCK_ROWS);
        match row {
            row if row == self.rows => Some(self.leaves()),
            row => (row == 0 || self.blocks > 1 && self.rows_of_leaves(leaf..leaf + 1).start == row).then_some(leaf),
        }
    }

    /// How many rows there are.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// The rows of a block; the last block may have fewer.
    pub fn rows_of(self, block: usize) -> Range<usize> {
        let size = if self.blocks == 1 { self.rows } else { BLOCK_ROWS };
        block * size..self.rows.min((block + 1) * size)
    }
}

/// The sum of a term of each row: 16 lanes within a block, then as the [`Partition`] of the rows has it.
pub(crate) fn sum_rows(rows: usize, term: impl Fn(usize) -> f64) -> f64 {
    let partition = Partition::new(rows);
    sum_blocks(partition, |block| {
        let rows = partition.rows_of(block);
        sum_in_lanes(rows.len(), |i| term(rows.start + i))
    })
}

/// The sum of what each block has.
pub(crate) fn sum_blocks(partition: Partition, of_block: impl Fn(usize) -> f64) -> f64 {
    let mut tree = Tree::new(partition.leaves());
    for leaf in 0..partition.leaves() {
        let sum = partition.blocks_of(leaf).map(&of_block).reduce(|sum, block| sum + block);
        tree.add(Node::leaf(leaf, sum.unwrap_or_default()), |left, right| *left += right);
    }
    tree.take_root().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum over rows, written down as a formula: blocks of a leaf in brackets, nodes of the tree in parentheses.
    fn formula(rows: usize) -> String {
        let partition = Partition::new(rows);
        let mut tree = Tree::new(partition.leaves());
        for leaf in 0..partition.leaves() {
            let rows = |block| format!("{}..{}", partition.rows_of(block).start, partition.rows_of(block).end);
            let blocks: Vec<String> = partition.blocks_of(leaf).map(rows).collect();
            tree.add(Node::leaf(leaf, format!("[{}]", blocks.join("+"))), |left, right| {
                *left = format!("({left} {right})")
            });
        }
        tree.take_root().unwrap()
    }

    #[test]
    fn the_order_follows_from_the_number_of_rows() {
        assert_eq!(formula(0), "[0..0]");
        assert_eq!(formula(512), "[0..512]");
        assert_eq!(formula(600), "(([0..240] [240..480]) [480..600])");
        assert_eq!(formula(1200), "((([0..240] [240..480]) ([480..720] [720..960])) [960..1200])");
        assert_eq!(formula(1440).matches('(').count(), 5);
        assert!(formula(1440).ends_with(" ([960..1200] [1200..1440]))"));
        assert!(formula(240 * 65).ends_with(" [15360..15600])"), "65 blocks are 32 leaves of two and one of one");
        assert!(formula(240 * 65).contains("([0..240+240..480] [480..720+720..960])"));
    }

    #[test]
    fn leaves_are_neither_many_nor_long() {
        for (blocks, leaves, longest) in [
            (3, 3, 1),
            (64, 64, 1),
            (65, 33, 2),
            (250, 63, 4),
            (257, 33, 8),
            (1024, 64, 16),
            (4096, 256, 16),
            (4167, 261, 16),
        ] {
            let partition = Partition::new(blocks * BLOCK_ROWS);
            assert_eq!((partition.blocks(), partition.leaves()), (blocks, leaves));
            assert_eq!(partition.blocks_of(0).len(), longest);
        }
    }

    #[test]
    fn every_row_is_in_one_block_and_every_block_in_one_leaf() {
        for rows in [0, 1, 240, 512, 513, 2000, 15_361, 60_000, 983_041, 5_000_000] {
            let partition = Partition::new(rows);
            let mut next = 0;
            for block in (0..partition.leaves()).flat_map(|leaf| partition.blocks_of(leaf)) {
                let rows = partition.rows_of(block);
                assert_eq!(rows.start, next);
                next = rows.end;
            }
            assert_eq!(next, rows);
        }
    }

    #[test]
    fn a_term_of_each_row_is_summed_in_that_order() {
        let term = |row: usize| ((row * 7919) % 1009) as f64 * 0.1;
        let of_block = |rows: Range<usize>| sum_in_lanes(rows.len(), |i| term(rows.start + i));
        let blocks = [of_block(0..240), of_block(240..480), of_block(480..600)];
        assert_eq!(sum_rows(600, term).to_bits(), ((blocks[0] + blocks[1]) + blocks[2]).to_bits());
        assert_ne!(
            sum_rows(600, term).to_bits(),
            (blocks[0] + (blocks[1] + blocks[2])).to_bits(),
            "the order can be seen"
        );
        assert_eq!(sum_rows(0, term), 0.0);
    }
}
