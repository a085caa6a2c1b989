//! How partial sums come together between the threads of a pool.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tree::{Node, Tree};
use crate::numeric::threads;

/// Numbers that all partial sums of a batch hold together at most, unless two alone have more: what their memory may be.
const NUMBERS: usize = 12_000_000;

/// How threads share a sum. It changes no bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// So many leaves are computed at a time,
    pub workers: usize,
    /// each by so many threads, which share the examples and the columns of a block.
    pub threads: usize,
}

impl Shares {
    /// That of so many threads over so many leaves, whose sums have so many numbers each: a worker for each thread, unless there are
    /// too few leaves for that, or their sums would take too much memory.
    pub fn new(threads: usize, leaves: usize, numbers: impl FnOnce() -> usize) -> Self {
        if leaves <= 1 {
            return Shares { workers: 1, threads }; // of a small step, which counts every instruction
        }
        let open = leaves.ilog2() as usize;
        let affordable = (NUMBERS / numbers().max(1)).saturating_sub(open);
        let workers = threads.min(leaves).min(affordable).max(1);
        Shares { workers, threads: threads.div_ceil(workers) }
    }
}

/// Adds leaves in their [`Tree`] as threads come to have them. Sums that are added are used again.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    state: Mutex<State<S>>,
}

#[derive(Debug)]
struct State<S> {
    tree: Tree<S>,
    unused: Vec<S>,
}

impl<S: Default + Send> Exchange<S> {
    pub fn new() -> Self {
        Exchange { state: Mutex::new(State { tree: Tree::new(1), unused: Vec::new() }) }
    }

    /// Writes the sum over all leaves over `total`, unless some leaf was given up; whether it did.
    ///
    /// `leaf` computes the sum of a leaf over what a sum happens to hold, and says whether it did; `add` adds the second to the first.
    /// Leaves are begun in their order, so besides one for each worker about as many sums are kept as the tree has levels;
    /// while a worker is held up, the others keep a sum on each level beside its leaf, until it goes on.
    pub fn sum<W: Send>(
        &mut self,
        leaves: usize,
        workers: &mut [W],
        total: &mut S,
        leaf: impl Fn(&mut W, usize, &mut S) -> bool + Sync,
        add: impl Fn(&mut S, &S) + Sync,
    ) -> bool {
        self.add_leaves(leaves, 0..leaves, workers, leaf, add);
        let mut state = self.state();
        let Some(root) = state.tree.take_root() else { return false };
        state.unused.push(std::mem::replace(total, root));
        true
    }

    /// Adds some of the leaves as far as they are neighbours; whether all of them were computed.
    pub fn add_leaves<W: Send>(
        &mut self,
        leaves: usize,
        own: Range<usize>,
        workers: &mut [W],
        leaf: impl Fn(&mut W, usize, &mut S) -> bool + Sync,
        add: impl Fn(&mut S, &S) + Sync,
    ) -> bool {
        let State { tree, unused } = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        unused.extend(tree.begin(leaves).map(|node| node.sum));
        let (next, is_whole) = (AtomicUsize::new(own.start), AtomicBool::new(true));
        threads::for_each(workers, &|_, worker| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= own.end {
                    return;
                }
                let mut sum = self.state().unused.pop().unwrap_or_default();
                if !leaf(worker, index, &mut sum) {
                    self.state().unused.push(sum);
                    is_whole.store(false, Ordering::Relaxed);
                    return;
                }
                let mut node = Node::leaf(index, sum);
                loop {
                    let Some([mut left, right]) = self.state().tree.place(node) else { break };
                    add(&mut left.sum, &right.sum);
                    self.state().unused.push(right.sum);
                    node = left.parent();
                }
            }
        });
        is_whole.into_inner()
    }

    /// Takes the sums over the largest subtrees of the leaves that were added, in the order of the leaves.
    pub fn take_open(&mut self) -> Vec<Node<S>> {
        self.state().tree.take_open()
    }

    /// Takes sums back, to be used again.
    pub fn give_back(&mut self, nodes: Vec<Node<S>>) {
        self.state().unused.extend(nodes.into_iter().map(|node| node.sum));
    }

    /// A panic of a worker is passed on, and what it left is not used.
    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sum::{BLOCK_ROWS, Partition};

    /// The sum over leaves, written down as a formula.
    fn formula(leaves: usize, workers: usize, exchange: &mut Exchange<String>) -> String {
        let mut total = String::from("none");
        let leaf = |_: &mut (), index: usize, sum: &mut String| {
            *sum = index.to_string();
            true
        };
        assert!(
            exchange.sum(leaves, &mut vec![(); workers], &mut total, leaf, |left, right| *left =
                format!("({left} {right})"))
        );
        total
    }

    #[test]
    fn any_number_of_workers_adds_the_same() {
        for threads in [1, 2, 3, 16, 64] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut exchange = Exchange::new();
                assert_eq!(formula(1, threads, &mut exchange), "0");
                assert_eq!(formula(3, threads, &mut exchange), "((0 1) 2)");
                assert_eq!(formula(7, threads, &mut exchange), "(((0 1) (2 3)) ((4 5) 6))");
                let one = formula(261, 1, &mut Exchange::new());
                for _ in 0..100 {
                    assert_eq!(formula(261, threads, &mut exchange), one);
                }
                // 9 levels beside the leaf of each worker, if the system holds them all up, and beside the next leaf
                let kept = exchange.state().unused.len();
                assert!(kept <= 9 * (threads + 1), "{kept} sums for 261 leaves on {threads} threads");
            });
        }
    }

    #[test]
    fn a_sum_that_was_given_up_leaves_the_total_alone_and_the_next_is_whole() {
        let (mut exchange, mut total) = (Exchange::new(), String::from("before"));
        let gives_up = |_: &mut (), index: usize, sum: &mut String| {
            *sum = index.to_string();
            index < 4
        };
        let join = |left: &mut String, right: &String| *left = format!("({left} {right})");
        assert!(!exchange.sum(7, &mut [(), ()], &mut total, gives_up, join));
        assert_eq!(total, "before");
        assert_eq!(formula(3, 2, &mut exchange), "((0 1) 2)");
    }

    /// What 64 threads and 256 ranks find to do, counted.
    #[test]
    fn many_threads_and_ranks_find_work() {
        for (rows, numbers) in
            [(60_000, 200_000), (10_000, 3_000), (1_000_000, 20_000_000), (600, 1_000), (100_000, 5_000_000)]
        {
            let leaves = Partition::new(rows).leaves();
            for threads in [1, 2, 3, 16, 64, 256] {
                let shares = Shares::new(threads, leaves, || numbers);
                assert!(shares.workers <= leaves && shares.workers * shares.threads >= threads, "{rows}: {shares:?}");
                // a tile of 48 columns or 16 rows for each thread that shares a block
                assert!(
                    shares.threads <= threads.div_ceil(leaves).max(threads * numbers / 2_000_000 + 1),
                    "{rows}: {shares:?}"
                );
                let held = (shares.workers + leaves.ilog2() as usize) * numbers;
                assert!(held <= NUMBERS || shares.workers == 1, "{rows}: {held} numbers");
            }
        }
        for ranks in [16, 64, 256] {
            let partition = Partition::new(ranks * 16 * BLOCK_ROWS);
            assert_eq!(partition.leaves(), ranks.max(64));
            let first = |rank| partition.leaves() * rank / ranks;
            assert!((0..ranks).all(|rank| first(rank) < first(rank + 1)), "{ranks} ranks each have a leaf");
        }
    }
}
