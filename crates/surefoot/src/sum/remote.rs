//! Sums over examples that lie on other machines: a request goes out, and bytes come back, with the sums of pieces of the examples.
//!
//! Whoever has a [`Piece`] takes its [`leaf_sum`](Piece::leaf_sum); [`add_sums`] adds what came of several pieces, in any grouping and
//! order. What is added to what is the tree of one machine, so the bits are those of one machine.

use std::fmt::Debug;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::balance::Balance;
use super::engine::engine;
use super::exchange::{Exchange, Shares};
use super::messages::{Asked, Request, Sums, SumsHeader, failed};
use super::partial_sum::PartialSum;
use super::partition::Partition;
use super::tree::Node;
use super::workspace::{BlockWorkspace, Work, check_examples};
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::numeric::threads;
use crate::view::{DatasetView, Rows};

/// Examples that lie on other machines, in [pieces](Piece) that together are all rows. A [`Cost`](crate::Cost) can be over them.
///
/// How requests and sums travel is the business of whoever implements this: with the tasks of a cluster, or the processes of a pool.
pub trait Remote: Debug + Send + Sync {
    /// m, the rows of all pieces.
    fn rows(&self) -> usize;

    /// The [`add_sums`] of every piece's [`leaf_sum`](Piece::leaf_sum) for this request.
    ///
    /// # Errors
    /// [`Error::Remote`] when it does not come.
    fn sum(&self, request: &[u8]) -> Result<Vec<u8>>;
}

/// The rows of so many pieces of a data set with so many rows; of fewer pieces where there are fewer leaves. A piece has whole leaves
/// of the sum, and about as many as the others.
///
/// ```
/// assert_eq!(surefoot::piece_rows(100_000, 2), [0..49_920, 49_920..100_000]);
/// assert_eq!(surefoot::piece_rows(500, 2), [0..500]);
/// ```
pub fn piece_rows(rows: usize, pieces: usize) -> Vec<Range<usize>> {
    let partition = Partition::new(rows);
    let leaves = partition.leaves();
    let even = Balance::new(pieces.clamp(1, leaves));
    let shares = even.shares(leaves).filter(|leaves| !leaves.is_empty());
    shares.map(|leaves| partition.rows_of_leaves(leaves)).collect()
}

/// Neighbouring rows of a data set, with their place in it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a, T> {
    data: DatasetView<'a, T>,
    partition: Partition,
    /// The first row, and the first leaf with the one after the last.
    first: usize,
    leaves: [usize; 2],
}

impl<'a, T: Scalar> Piece<'a, T> {
    /// These examples, which are those from row `first` on of a data set with `rows` rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are not whole leaves of the sum over all rows, as [`piece_rows`] has them, or not neighbours in memory.
    pub fn new(data: impl Into<DatasetView<'a, T>>, first: usize, rows: usize) -> Result<Self> {
        let data = data.into();
        let partition = Partition::new(rows);
        let wrong = |expected: &str, got: String| {
            Err(Error::Shape { what: "a piece of the examples".into(), expected: expected.into(), got })
        };
        if !matches!(data.all().rows(), Rows::Range(..)) {
            return wrong("rows that are neighbours in memory", "rows by their numbers".into());
        }
        let end = first + data.rows();
        match (partition.leaf_from(first), partition.leaf_from(end)) {
            (Some(start), Some(end)) => Ok(Piece { data, partition, first, leaves: [start, end] }),
            _ => wrong("whole leaves of the sum over all rows", format!("rows {first} to {end} of {rows}")),
        }
    }

    /// The same with these weights, one for each row, of which all may be 0 where those of other pieces are not.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one for each row, [`Error::Value`] when one is negative or not finite.
    pub fn with_weights(self, weights: &'a [T]) -> Result<Self> {
        Ok(Piece { data: self.data.with_weights_of_part(weights)?, ..self })
    }

    /// The digest of the numbers of each leaf, of which [`digest_of_leaves`](crate::digest_of_leaves) makes that of all rows.
    pub fn leaf_digests(&self) -> Vec<u64> {
        let rows = |leaf| self.rows_of(self.partition.rows_of_leaves(leaf..leaf + 1));
        self.leaves().map(|leaf| self.data.all().part(rows(leaf)).digest()).collect()
    }

    /// The sums that a request asks for, over the rows of this piece: bytes for [`add_sums`].
    ///
    /// It runs in the rayon pool that it is called from; the number of threads changes no bit.
    ///
    /// # Errors
    /// [`Error::Remote`] when the request is not one of this version of the library, of this precision, or for so many rows;
    /// what [`Cost::new`](crate::Cost::new) refuses of the examples, whose rows are counted over all pieces.
    pub fn leaf_sum(&self, request: &[u8]) -> Result<Vec<u8>> {
        let Request { header, network, parameters, penalty_slopes } = Request::<T>::of_bytes(request)?;
        if header.rows != self.partition.rows() {
            return Err(failed(format!(
                "expected a request for {} rows, got one for {}",
                self.partition.rows(),
                header.rows
            )));
        }
        let steps = header.steps();
        if header.checks {
            check_examples(&network, header.loss, &self.data, self.first)?;
        }
        let own = self.leaves();
        let shares = Shares::new(threads::count(), own.len(), || steps.lengths(&network).gradient);
        let work = Work {
            network: &network,
            loss: header.loss,
            label_smoothing: f64::from_bits(header.label_smoothing),
            data: self.data,
            parameters: &parameters,
            rows: self.data.all().rows(),
            next: Rows::List(&[]),
            penalty_slopes: &penalty_slopes,
            steps,
            threads: shares.threads,
        };
        let mut workers: Vec<BlockWorkspace<T>> = Vec::new();
        workers.resize_with(shares.workers, BlockWorkspace::new);
        let mut exchange = Exchange::new();
        let leaf = |worker: &mut BlockWorkspace<T>, leaf, sum: &mut PartialSum<T>| {
            for (i, block) in self.partition.blocks_of(leaf).enumerate() {
                let rows = self.rows_of(self.partition.rows_of(block));
                engine().add_block(worker, &work, rows, i == 0, sum);
            }
            true
        };
        exchange.add_leaves(self.partition.leaves(), own, &mut workers, leaf, PartialSum::add);
        let sums = Sums {
            header: SumsHeader::new::<T>(xxh3_64(request), self.partition.leaves(), steps.lengths(&network)),
            nodes: exchange.take_open(),
        };
        Ok(sums.to_bytes())
    }

    fn leaves(&self) -> Range<usize> {
        self.leaves[0]..self.leaves[1]
    }

    /// Rows of the whole data set, as they are counted here.
    fn rows_of(&self, rows: Range<usize>) -> Range<usize> {
        rows.start - self.first..rows.end - self.first
    }
}

/// Adds the sums of pieces, or what was added of them before, as far as they are neighbours. With all of the pieces it is the sum over
/// all rows.
///
/// # Errors
/// [`Error::Remote`] when there is none, they do not belong to the same request, or some rows come twice.
pub fn add_sums<B: AsRef<[u8]>>(sums: &[B]) -> Result<Vec<u8>> {
    let Some(first) = sums.first() else { return Err(failed("expected the sums of at least one piece, got none")) };
    match SumsHeader::of_bytes(&mut first.as_ref())?.precision {
        4 => Ok(Sums::<f32>::added(sums)?.to_bytes()),
        _ => Ok(Sums::<f64>::added(sums)?.to_bytes()),
    }
}

impl<T: Scalar> Asked<'_, T> {
    /// Writes the sum over all pieces over `total`.
    ///
    /// # Errors
    /// What the pieces refuse, and [`Error::Remote`] when another sum came than was asked for, or not of all rows.
    pub fn sum(&self, remote: &dyn Remote, total: &mut PartialSum<T>) -> Result<()> {
        let request = Request::bytes(self)?;
        let leaves = Partition::new(self.rows).leaves();
        let expected = SumsHeader::new::<T>(xxh3_64(&request), leaves, self.steps.lengths(self.network));
        let sums = Sums::<T>::added(&[remote.sum(&request)?])?;
        if sums.header != expected {
            return Err(failed("expected the sums for this request, got those for another"));
        }
        match <[_; 1]>::try_from(sums.nodes) {
            Ok([Node { sum, .. }]) => {
                *total = sum;
                Ok(())
            }
            Err(_) => Err(failed("the sums of some rows have not come")),
        }
    }
}
