//! The sum over blocks of examples: who computes a block is free, what is added to what is not.
//!
//! `rows` examples are cut into blocks of [`BLOCK_ROWS`]; consecutive blocks share a slot, of which there are at
//! most [`SLOTS`]. A slot adds its blocks up in their order; the slots are then added in a binary tree of
//! neighbours. All of this follows from the number of rows alone, so any number of threads gives the same bits.

use std::ops::Range;

use rayon::prelude::*;

/// Examples of a block: enough to keep the matrix products busy, few enough to keep activations in cache.
pub const BLOCK_ROWS: usize = 128;

/// Partial sums at most: the cores that one sum can fill, and the memory that it takes.
pub const SLOTS: usize = 16;

/// How many slots the sum over `rows` examples fills.
pub fn slots_for(rows: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS).min(SLOTS)
}

/// Fills the first slots with the sums of their blocks, then adds them up in the first one.
///
/// `work` adds the block of these rows to a slot, which the caller has emptied; `add` adds the second slot to the first.
pub fn sum_over_blocks<S: Send>(
    rows: usize,
    slots: &mut [S],
    work: impl Fn(&mut S, Range<usize>) + Sync,
    add: impl Fn(&mut S, &S),
) {
    let blocks = rows.div_ceil(BLOCK_ROWS);
    let used = slots_for(rows);
    let fill = |(index, slot): (usize, &mut S)| {
        for block in blocks * index / used..blocks * (index + 1) / used {
            work(slot, block * BLOCK_ROWS..rows.min((block + 1) * BLOCK_ROWS));
        }
    };
    let slots = &mut slots[..used];
    if used == 1 {
        slots.iter_mut().enumerate().for_each(fill);
    } else {
        slots.par_iter_mut().enumerate().for_each(fill);
    }
    let mut stride = 1;
    while stride < used {
        for pair in slots.chunks_mut(2 * stride).filter(|pair| pair.len() > stride) {
            let (left, right) = pair.split_at_mut(stride);
            add(&mut left[0], &right[0]);
        }
        stride *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slot that writes down its sum as a formula, so that the order of additions can be read.
    fn formula(rows: usize) -> String {
        let mut slots = vec![String::new(); SLOTS];
        sum_over_blocks(
            rows,
            &mut slots,
            |slot, block| slot.push_str(&format!("+{}..{}", block.start, block.end)),
            |left, right| *left = format!("({left} {right})"),
        );
        slots.swap_remove(0)
    }

    #[test]
    fn the_tree_follows_from_the_number_of_rows() {
        assert_eq!(formula(1), "+0..1");
        assert_eq!(formula(300), "((+0..128 +128..256) +256..300)");
        assert_eq!(formula(640), "(((+0..128 +128..256) (+256..384 +384..512)) +512..640)");
        assert!(formula(128 * 33).starts_with("((((+0..128+128..256 +256..384+384..512)"));
    }

    #[test]
    fn every_row_is_in_one_block_for_any_number_of_threads() {
        for rows in [0, 1, 127, 128, 129, 2000, 5000] {
            let on_threads = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| formula(rows))
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
