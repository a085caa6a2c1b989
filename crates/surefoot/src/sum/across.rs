//! How partial sums come together between processes: the same tree, a part of θ in each.

use std::cell::Cell;
use std::ops::Range;
use std::time::Instant;

use xxhash_rust::xxh3::Xxh3;

use super::balance::Balance;
use super::partial_sum::{Lengths, PartialSum};
use super::tree::{Node, Tree, subtrees};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::ranks::Ranks;

/// A gradient of fewer numbers travels whole, beside the other sums: then what counts is how often something is sent. Between two
/// processes it is no more bytes than by slices.
const SMALL: usize = 512;
const SMALL_OF_TWO: usize = 1 << 16;
/// The numbers of θ that are exchanged at a time, which bounds the memory for it and the length of a message.
const SEGMENT: usize = 1 << 22;
/// Numbers of a message before the sums: see [`Across::message`].
const HEAD: usize = 5;

/// The processes that share a sum.
pub(crate) struct Across<'a> {
    ranks: &'a dyn Ranks,
    /// The wish of this process to end, which all learn of with the next sum.
    pub wish: Cancel,
    /// Set in all processes after the same sum.
    pub agreed: Cancel,
    balance: Balance,
    /// When this process began its leaves.
    begun: Cell<Option<Instant>>,
    /// The sums so far.
    count: u64,
    /// What is sent and what comes, kept for the next time.
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl<'a> Across<'a> {
    pub fn new(ranks: &'a dyn Ranks, wish: Cancel, agreed: Cancel) -> Self {
        let (balance, begun) = (Balance::new(ranks.size()), Cell::new(None));
        Across { ranks, wish, agreed, balance, begun, count: 0, sent: Vec::new(), received: Vec::new() }
    }

    /// The leaves that this process computes in the next sum, which it begins now.
    pub fn share(&self, leaves: usize) -> Range<usize> {
        self.begun.set(Some(Instant::now()));
        self.balance.share(leaves, self.ranks.rank())
    }

    /// Adds what each process has of the leaves, and writes the sum over `total`, with the bits of one process; whether all were
    /// computed and nobody wishes to end. `own` has the largest subtrees within [`share`](Self::share), unless this process gave up.
    ///
    /// # Errors
    /// [`Error::Ranks`] when θ = `parameters` differs between the processes, which names those that have it wrong, or they have come apart.
    pub fn add<T: Scalar>(
        &mut self,
        leaves: usize,
        own: Option<&[Node<PartialSum<T>>]>,
        lengths: Lengths,
        parameters: &[T],
        total: &mut PartialSum<T>,
    ) -> Result<bool> {
        self.count += 1;
        let size = self.ranks.size();
        let handed_over: Vec<Vec<Node<()>>> =
            self.balance.shares(leaves).map(|share| subtrees(leaves, share)).collect();
        let small = if size == 2 { SMALL_OF_TWO } else { SMALL };
        let beside = if lengths.gradient < small { lengths.gradient } else { 0 };
        let beside_sums = Lengths { gradient: beside, ..lengths };
        let bytes_of = |nodes: usize| HEAD * 8 + nodes * PartialSum::<T>::bytes(beside_sums);
        let counts: Vec<usize> = handed_over.iter().map(|nodes| bytes_of(nodes.len())).collect();
        self.message(leaves, own, beside_sums, digest_of_parameters(parameters));
        self.sent.resize(counts[self.ranks.rank()], 0); // of one that gave up
        self.ranks.all_gather(&self.sent, &counts, &mut self.received)?;

        let (mut heads, mut tree) = (Vec::new(), Tree::new(leaves));
        let mut rest = &self.received[..];
        for (nodes, &count) in handed_over.iter().zip(&counts) {
            let mut message = rest.split_off(..count).unwrap_or_default();
            let head = take_numbers(&mut message, HEAD);
            heads.push(std::array::from_fn(|i| head[i]));
            for node in nodes {
                let sum = PartialSum::read(&mut message, beside_sums).unwrap_or_default(); // as long as `counts` says
                tree.add(node.with(sum), |left, right| left.add(&right));
            }
        }
        check(&heads)?;
        if heads.iter().any(|head| head[3] > 0) {
            self.agreed.cancel();
            return Ok(false);
        }
        self.balance.learn(leaves, &heads.iter().map(|head| head[4]).collect::<Vec<_>>());
        let Some(sum) = tree.take_root() else { return Err(apart("a part of a sum has not come")) };
        let gradient = std::mem::take(&mut total.gradient);
        *total = sum;
        if beside < lengths.gradient {
            total.gradient = gradient;
            total.gradient.resize(lengths.gradient, T::zero());
            self.add_gradients(leaves, own.unwrap_or_default(), &handed_over, &mut total.gradient)?;
        }
        Ok(true)
    }

    /// The gradient of all leaves: each process adds the tree over a slice of θ, which the others then have from it.
    fn add_gradients<T: Scalar>(
        &mut self,
        leaves: usize,
        own: &[Node<PartialSum<T>>],
        handed_over: &[Vec<Node<()>>],
        total: &mut [T],
    ) -> Result<()> {
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        for first in (0..total.len()).step_by(SEGMENT) {
            let segment = first..total.len().min(first + SEGMENT);
            let slice = |rank: usize| {
                let bound = |rank: usize| first + segment.len() * rank / size;
                bound(rank)..bound(rank + 1)
            };
            self.sent.clear();
            for rank in 0..size {
                own.iter().for_each(|node| T::write_bytes(&node.sum.gradient[slice(rank)], &mut self.sent));
            }
            let to: Vec<usize> = (0..size).map(|rank| own.len() * slice(rank).len() * size_of::<T>()).collect();
            let mine = slice(rank).len() * size_of::<T>();
            let from: Vec<usize> = handed_over.iter().map(|nodes| nodes.len() * mine).collect();
            self.ranks.all_to_all(&self.sent, &to, &from, &mut self.received)?;
            let (mut tree, mut rest) = (Tree::new(leaves), &self.received[..]);
            for node in handed_over.iter().flatten() {
                let numbers = T::from_bytes(rest.split_off(..mine).unwrap_or_default());
                tree.add(node.with(numbers), |left: &mut Vec<T>, right| {
                    left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
                });
            }
            let sum = tree.take_root().unwrap_or_default();
            let lengths: Vec<usize> = (0..size).map(|rank| slice(rank).len() * size_of::<T>()).collect();
            self.sent.clear();
            T::write_bytes(&sum, &mut self.sent);
            self.ranks.all_gather(&self.sent, &lengths, &mut self.received)?;
            if self.received.len() != segment.len() * size_of::<T>() {
                return Err(apart("a part of a sum has not come"));
            }
            T::read_bytes(&self.received, &mut total[segment]);
        }
        Ok(())
    }

    /// What every process tells the others: the number of the sum and of its leaves, the digest of θ, whether it wishes to end, the
    /// nanoseconds that its leaves took; and for each of its subtrees the sums, with so many numbers of each.
    fn message<T: Scalar>(
        &mut self,
        leaves: usize,
        own: Option<&[Node<PartialSum<T>>]>,
        lengths: Lengths,
        digest: u64,
    ) {
        let ends = own.is_none() || self.wish.is_cancelled();
        self.sent.clear();
        let nanoseconds = self.begun.take().map_or(0, |begun| begun.elapsed().as_nanos() as u64);
        let head = [self.count, leaves as u64, digest, ends.into(), nanoseconds];
        self.sent.extend(head.iter().flat_map(|number| number.to_le_bytes()));
        for Node { sum, .. } in own.unwrap_or_default() {
            sum.write(lengths, &mut self.sent);
        }
    }
}

/// Sums of numbers over processes, each of which has its own: in the tree of a training's sums, so that they have the same bits with
/// every MPI library, whose own reductions have none that are promised.
pub struct RankSums<'a, T> {
    across: Across<'a>,
    own: [Node<PartialSum<T>>; 1],
    total: PartialSum<T>,
}

impl<'a, T: Scalar> RankSums<'a, T> {
    /// Over these processes.
    pub fn new(ranks: &'a dyn Ranks) -> Self {
        let own = [Node::leaf(ranks.rank(), PartialSum::default())];
        RankSums { across: Across::new(ranks, Cancel::new(), Cancel::new()), own, total: PartialSum::default() }
    }

    /// The sums of these numbers and those of the other processes, which call this with as many.
    ///
    /// # Errors
    /// [`Error::Ranks`] when the processes have come apart.
    pub fn sum(&mut self, numbers: &mut [T]) -> Result<()> {
        let gradient = &mut self.own[0].sum.gradient;
        gradient.clear();
        gradient.extend_from_slice(numbers);
        let lengths = Lengths { activities: 0, scores: 0, gradient: numbers.len() };
        let size = self.across.ranks.size();
        self.across.add(size, Some(&self.own), lengths, &[], &mut self.total)?;
        numbers.copy_from_slice(&self.total.gradient);
        Ok(())
    }
}

/// That all processes have the same θ and are at the same sum.
fn check(heads: &[[u64; HEAD]]) -> Result<()> {
    if heads.iter().any(|head| head[..2] != heads[0][..2]) {
        return Err(apart("the processes are at different places of the training"));
    }
    let digests: Vec<u64> = heads.iter().map(|head| head[2]).collect();
    let count = |digest: u64| digests.iter().filter(|&&other| other == digest).count();
    let most = digests.iter().map(|&digest| count(digest)).max().unwrap_or(0);
    if most == digests.len() {
        return Ok(());
    }
    let is_majority = 2 * most > digests.len();
    let listed = |ranks: Vec<usize>| ranks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let ranks = |is_one: &dyn Fn(u64) -> bool| listed((0..digests.len()).filter(|&r| is_one(digests[r])).collect());
    let what = match is_majority {
        true => format!(
            "a process computes wrong: the parameters of rank {} differ from those of all others",
            ranks(&|digest| count(digest) < most)
        ),
        false => format!(
            "a process computes wrong: the parameters of ranks {} differ, and it is not known which are right",
            ranks(&|_| true)
        ),
    };
    Err(Error::Ranks { what })
}

fn apart(what: &str) -> Error {
    Error::Ranks { what: what.into() }
}

/// A digest of θ (XXH3), as the processes that compute together compare it with each sum: equal digests tell that two trainings came to
/// the same parameters.
pub fn digest_of_parameters<T: Scalar>(parameters: &[T]) -> u64 {
    let mut digest = Xxh3::new();
    parameters.chunks(1024).for_each(|numbers| digest.update(&T::to_bytes(numbers)));
    digest.digest()
}

/// The next numbers of 8 bytes.
fn take_numbers(message: &mut &[u8], count: usize) -> Vec<u64> {
    let bytes = message.split_off(..8 * count).unwrap_or_default();
    let mut numbers: Vec<u64> = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    numbers.resize(count, 0);
    numbers
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex};
    use std::time::Duration;

    use super::*;

    /// A thread in the place of a process.
    #[derive(Debug)]
    struct Thread<'a> {
        rank: usize,
        barrier: &'a Barrier,
        given: &'a [Mutex<Vec<u8>>],
    }

    impl Ranks for Thread<'_> {
        fn rank(&self) -> usize {
            self.rank
        }

        fn size(&self) -> usize {
            self.given.len()
        }

        fn all_gather(&self, own: &[u8], _: &[usize], all: &mut Vec<u8>) -> Result<()> {
            *self.given[self.rank].lock().unwrap() = own.to_vec();
            self.barrier.wait();
            *all = self.given.iter().flat_map(|bytes| bytes.lock().unwrap().clone()).collect();
            self.barrier.wait();
            Ok(())
        }

        fn all_to_all(&self, _: &[u8], _: &[usize], _: &[usize], _: &mut Vec<u8>) -> Result<()> {
            Err(apart("gradients as short as these travel whole"))
        }
    }

    fn of_leaf(leaf: usize) -> PartialSum<f32> {
        let number = |i: usize| ((leaf * 7919 + i * 104_729) % 1009) as f32 * 0.1;
        PartialSum { cost: number(9).into(), gradient: (0..3).map(number).collect(), ..PartialSum::default() }
    }

    /// The sums of each turn, and the leaves that this rank then has; each of its leaves takes so long.
    fn turns(ranks: &Thread<'_>, leaves: usize, each: Duration) -> (Vec<PartialSum<f32>>, usize) {
        let mut across = Across::new(ranks, Cancel::new(), Cancel::new());
        let mut turn = || {
            let mut own = Tree::new(leaves);
            for leaf in across.share(leaves) {
                std::thread::sleep(each);
                own.add(Node::leaf(leaf, of_leaf(leaf)), |left, right| left.add(&right));
            }
            let (lengths, mut total) = (Lengths { activities: 0, scores: 0, gradient: 3 }, PartialSum::default());
            assert!(across.add(leaves, Some(&own.take_open()), lengths, &[], &mut total).unwrap());
            total
        };
        let sums = (0..40).map(|_| turn()).collect();
        (sums, across.share(leaves).len())
    }

    #[test]
    fn a_slow_process_comes_to_have_fewer_leaves_and_the_sums_the_same_bits() {
        let leaves = 61;
        let (barrier, given) = (Barrier::new(2), [Mutex::default(), Mutex::default()]);
        let rank = |rank| Thread { rank, barrier: &barrier, given: &given };
        let [fast, slow] = std::thread::scope(|scope| {
            let run = |number, micros| scope.spawn(move || turns(&rank(number), leaves, Duration::from_micros(micros)));
            [run(0, 10), run(1, 200)].map(|thread| thread.join().unwrap())
        });
        let mut alone = Tree::new(leaves);
        (0..leaves).for_each(|leaf| alone.add(Node::leaf(leaf, of_leaf(leaf)), |left, right| left.add(&right)));
        let alone = alone.take_root().unwrap();
        assert!(fast.0.iter().chain(&slow.0).all(|sum| *sum == alone));
        assert_eq!(fast.1 + slow.1, leaves);
        assert!(slow.1 < leaves * 3 / 8, "{} leaves of {leaves}", slow.1);
    }

    #[test]
    fn a_process_that_computes_wrong_is_named() {
        let error = |digests: &[u64]| {
            let heads: Vec<_> = digests.iter().map(|&digest| [7, 64, digest, 0, 9]).collect();
            check(&heads).map_err(|error| error.to_string())
        };
        assert!(error(&[5, 5, 5]).is_ok());
        assert!(error(&[5, 5, 6]).unwrap_err().contains("parameters of rank 2 differ from those of all others"));
        assert!(error(&[5, 6]).unwrap_err().contains("ranks 0, 1 differ"));
        let heads = [[7, 64, 5, 0, 9], [8, 64, 5, 0, 9]];
        assert!(check(&heads).unwrap_err().to_string().contains("different places"));
    }
}
