//! Which leaves each process computes, and which are in each piece.

use std::ops::Range;

/// A bound is away from the share that is wanted by at most half of so large a part of an even one, or by one leaf,
const PARTS: usize = 16;
/// and with fewer leaves than so many a rank not at all.
const FEW: usize = 4;
/// With so many leaves a rank, a leaf is little enough that shares can follow times.
const MANY: usize = 8;
/// Times are looked at after so many sums.
const SUMS: usize = 16;
/// The weight of a rank whose speed is the mean.
const MEAN: usize = 1 << 16;

/// The leaves of each process: even shares at first, which then follow the times that they took. A machine that is slower, or has
/// other work, so holds up the others less; no bit depends on it.
///
/// It follows from what all processes have sent to all, so that it is the same in all of them.
#[derive(Debug)]
pub(super) struct Balance {
    /// The share of each rank, as a part of their sum.
    weights: Vec<usize>,
    /// The leaves of each rank and its nanoseconds, since times were last looked at.
    spent: Vec<[u64; 2]>,
    /// The sums since then.
    sums: usize,
}

impl Balance {
    /// Even shares for so many ranks.
    pub fn new(size: usize) -> Self {
        Balance { weights: vec![MEAN; size], spent: vec![[0; 2]; size], sums: 0 }
    }

    /// The leaves of a rank, of which none may be left. A bound is the number near the wanted one that has the largest power of two as
    /// its factor, so that few subtrees make up a share.
    pub fn share(&self, leaves: usize, rank: usize) -> Range<usize> {
        let size = self.weights.len();
        let is_weighted = leaves >= MANY * size;
        let before = |rank: usize| if is_weighted { self.weights[..rank].iter().sum() } else { rank };
        let all = before(size);
        let bound = |rank: usize| {
            let (wanted, rest) = (leaves * before(rank) / all, leaves * before(rank) % all);
            if leaves < FEW * size {
                return wanted;
            }
            let near = leaves / (2 * PARTS * size);
            let (low, high) =
                (wanted - near.min(wanted), (wanted + usize::from(rest > 0)).max(wanted + near).min(leaves));
            let aligned = |power: u32| high >> power << power;
            (0..usize::BITS).rev().map(aligned).find(|&bound| bound >= low && bound > 0).unwrap_or(wanted)
        };
        match rank {
            0 => 0..if size == 1 { leaves } else { bound(1) },
            rank if rank + 1 == size => bound(rank)..leaves,
            rank => bound(rank)..bound(rank + 1),
        }
    }

    /// The leaves of each rank.
    pub fn shares(&self, leaves: usize) -> impl Iterator<Item = Range<usize>> {
        (0..self.weights.len()).map(move |rank| self.share(leaves, rank))
    }

    /// Takes the nanoseconds that each rank has spent on its leaves of a sum. Every 16 sums the shares come to be as the speeds were,
    /// but at least a quarter of an even one, where the slowest rank took a quarter longer than the mean.
    pub fn learn(&mut self, leaves: usize, nanoseconds: &[u64]) {
        let size = self.weights.len();
        if leaves < MANY * size {
            return;
        }
        for (rank, &time) in nanoseconds.iter().enumerate() {
            let share = self.share(leaves, rank).len() as u64;
            let [leaves, spent] = &mut self.spent[rank];
            (*leaves, *spent) = (*leaves + share, spent.saturating_add(time));
        }
        self.sums += 1;
        if self.sums < SUMS {
            return;
        }
        self.sums = 0;
        let spent = std::mem::replace(&mut self.spent, vec![[0; 2]; size]);
        let times = || spent.iter().map(|&[_, time]| u128::from(time));
        if 4 * size as u128 * times().max().unwrap_or(0) <= 5 * times().sum::<u128>() {
            return;
        }
        let speeds = || spent.iter().map(|&[leaves, time]| (u128::from(leaves) << 40) / u128::from(time.max(1)));
        let mean = (speeds().sum::<u128>() / size as u128).max(1);
        let weight = |speed: u128| usize::try_from(speed * MEAN as u128 / mean).unwrap_or(MEAN).max(MEAN / 4);
        self.weights = speeds().map(weight).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sum::tree::subtrees;

    const CASES: [usize; 7] = [2, 3, 64, 100, 261, 5000, 260_417];
    const SIZES: [usize; 7] = [1, 2, 3, 4, 7, 64, 256];

    fn shares(balance: &Balance, leaves: usize) -> Vec<Range<usize>> {
        balance.shares(leaves).collect()
    }

    fn is_whole(shares: &[Range<usize>], leaves: usize) -> bool {
        let meet = shares.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].start <= pair[0].end);
        meet && shares[0].start == 0 && shares[shares.len() - 1].end == leaves
    }

    /// What a rank takes for its leaves, where one of `slow` takes so many times as long as another.
    fn learn(balance: &mut Balance, leaves: usize, slow: impl Fn(usize) -> u64) {
        for _ in 0..SUMS {
            let times: Vec<u64> = shares(balance, leaves)
                .iter()
                .enumerate()
                .map(|(rank, own)| own.len() as u64 * 1000 * slow(rank))
                .collect();
            balance.learn(leaves, &times);
        }
    }

    #[test]
    fn every_leaf_is_one_rank_s_and_shares_are_even() {
        for leaves in CASES {
            for size in SIZES {
                let shares = shares(&Balance::new(size), leaves);
                assert!(is_whole(&shares, leaves), "{leaves} {size}: {shares:?}");
                let longest = shares.iter().map(Range::len).max().unwrap();
                assert!(longest <= leaves.div_ceil(size) * 17 / 16 + 1, "{leaves} {size}: {longest}");
            }
        }
    }

    /// A rank sends 4 P (q + 1) bytes for q subtrees: two or three where ranks are a power of two.
    #[test]
    fn few_subtrees_are_handed_over() {
        for (leaves, size, most) in [(63, 2, 1), (64, 4, 1), (128, 8, 1), (261, 2, 2), (5000, 4, 5), (260_417, 256, 5)]
        {
            let counts: Vec<_> =
                shares(&Balance::new(size), leaves).into_iter().map(|share| subtrees(leaves, share).len()).collect();
            assert!(counts.iter().max().unwrap() <= &most, "{leaves} {size}: {counts:?}");
        }
    }

    #[test]
    fn a_slow_rank_comes_to_have_fewer_leaves() {
        for (leaves, size) in [(63, 2), (63, 7), (64, 4), (261, 3), (5000, 4), (260_417, 256)] {
            let mut balance = Balance::new(size);
            let before = shares(&balance, leaves);
            let slow = |rank| if rank == 1 { 3 } else { 1 };
            (0..4).for_each(|_| learn(&mut balance, leaves, slow));
            let after = shares(&balance, leaves);
            assert!(is_whole(&after, leaves), "{leaves} {size}: {after:?}");
            let slowest =
                |shares: &[Range<usize>]| shares.iter().enumerate().map(|(r, own)| own.len() as u64 * slow(r)).max();
            assert!(slowest(&after) < slowest(&before).map(|time| time * 3 / 4), "{leaves} {size}: {after:?}");
            // and an even share again, when it is no longer slow
            (0..4).for_each(|_| learn(&mut balance, leaves, |_| 1));
            let again = shares(&balance, leaves);
            let longest = again.iter().map(Range::len).max().unwrap();
            assert!(longest <= leaves.div_ceil(size) * 5 / 4 + 1, "{leaves} {size}: {again:?}");
        }
    }

    #[test]
    fn shares_stay_where_times_are_about_even_or_leaves_few() {
        let mut balance = Balance::new(4);
        (0..4).for_each(|_| balance.learn(64, &[100, 110, 90, 120]));
        learn(&mut balance, 31, |rank| 1 + rank as u64);
        assert_eq!(shares(&balance, 64), shares(&Balance::new(4), 64));
        // a rank that took no time, or for ever, has a quarter of an even share at least
        (0..SUMS).for_each(|_| balance.learn(64, &[0, u64::MAX, 1, 1]));
        let extreme = shares(&balance, 64);
        assert!(is_whole(&extreme, 64) && extreme.iter().all(|own| !own.is_empty()), "{extreme:?}");
    }
}
