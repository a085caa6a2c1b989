//! Sums over examples that lie on other machines: a request goes out, and bytes come back, with the sums of pieces of the examples.
//!
//! Whoever has a [`Piece`] takes its [`leaf_sum`](Piece::leaf_sum); [`add_sums`] adds what came of several pieces, in any grouping and
//! order. What is added to what is the tree of one machine, so the bits are those of one machine.

use std::fmt::Debug;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::balance::Balance;
use super::engine::engine;
use super::exchange::{Exchange, Shares};
use super::partial_sum::{Lengths, PartialSum};
use super::partition::Partition;
use super::tree::{Node, Tree};
use super::workspace::{BlockWorkspace, Steps, Work, check_examples};
use crate::activation::Activation;
use crate::backpropagation::Outputs;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::DIGEST_OF_BITS;
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
        let shares = Shares::new(threads::count(), own.len(), steps.lengths(&network).gradient);
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

/// What is asked of every piece.
pub(crate) struct Request<T> {
    header: Header,
    network: Network,
    /// θ
    parameters: Vec<T>,
    penalty_slopes: Vec<T>,
}

/// All but the numbers.
#[derive(Serialize, Deserialize)]
struct Header {
    /// The digest of bits of the client: another version may compute others.
    bits: u64,
    precision: String,
    rows: usize,
    /// Whether the examples are to be checked: they stay as they are.
    checks: bool,
    inputs: usize,
    layers: Vec<(usize, Activation)>,
    loss: Loss,
    /// The bits of ε, and of the limit of a logarithm, which may be infinite.
    label_smoothing: u64,
    limit: u64,
    forward: usize,
    losses: bool,
    deltas: bool,
    scores: Option<Task>,
    activities: bool,
    gradient: bool,
}

impl Header {
    fn steps(&self) -> Steps {
        let Header { losses, deltas, scores, .. } = *self;
        let outputs = Outputs { losses, deltas, limit: f64::from_bits(self.limit), scores };
        Steps { layers: self.forward, outputs, activities: self.activities, gradient: self.gradient }
    }
}

impl<T: Scalar> Request<T> {
    /// The bytes of a request for these steps of the work, whose data are those of all pieces.
    pub fn bytes(work: &Asked<'_, T>) -> Result<Vec<u8>> {
        let Asked { network, loss, label_smoothing, rows, checks, parameters, penalty_slopes, steps } = *work;
        let header = Header {
            bits: DIGEST_OF_BITS,
            precision: T::NAME.into(),
            rows,
            checks,
            inputs: network.inputs(),
            layers: network.layers().iter().map(|layer| (layer.outputs, layer.activation)).collect(),
            loss,
            label_smoothing: label_smoothing.to_bits(),
            limit: steps.outputs.limit.to_bits(),
            forward: steps.layers,
            losses: steps.outputs.losses,
            deltas: steps.outputs.deltas,
            scores: steps.outputs.scores,
            activities: steps.activities,
            gradient: steps.gradient,
        };
        let header = serde_json::to_vec(&header).map_err(|error| failed(error.to_string()))?;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(T::to_bytes(parameters));
        bytes.extend(T::to_bytes(penalty_slopes));
        Ok(bytes)
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = || failed("expected a request for sums, got other bytes");
        let mut rest = bytes;
        let length = rest.split_off(..8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let header = length.and_then(|length| rest.split_off(..usize::try_from(length).ok()?)).ok_or_else(broken)?;
        let header: Header = serde_json::from_slice(header).map_err(|_| broken())?;
        if header.bits != DIGEST_OF_BITS {
            let (expected, got) = (header.bits, DIGEST_OF_BITS);
            return Err(failed(format!(
                "this machine has another version of surefoot than the client: it computes other bits (digest {got:016x} instead of \
                 {expected:016x})"
            )));
        }
        if header.precision != T::NAME {
            return Err(failed(format!("expected a request for numbers of {}, got {}", T::NAME, header.precision)));
        }
        let network = Network::new(header.inputs, &header.layers)?;
        let parameters = rest.split_off(..network.parameter_count() * size_of::<T>()).ok_or_else(broken)?;
        let slopes = T::from_bytes(rest);
        let is_right = slopes.is_empty() || slopes.len() == hidden_units(&network);
        match is_right {
            true => Ok(Request { parameters: T::from_bytes(parameters), penalty_slopes: slopes, network, header }),
            false => Err(broken()),
        }
    }
}

/// The length of the penalty's slopes.
fn hidden_units(network: &Network) -> usize {
    network.hidden().iter().map(|layer| layer.outputs).sum()
}

/// What a cost asks of the examples of all pieces.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a, T> {
    pub network: &'a Network,
    pub loss: Loss,
    pub label_smoothing: f64,
    pub rows: usize,
    pub checks: bool,
    pub parameters: &'a [T],
    pub penalty_slopes: &'a [T],
    pub steps: Steps,
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

/// Sums over subtrees, as they travel.
struct Sums<T> {
    header: SumsHeader,
    nodes: Vec<Node<PartialSum<T>>>,
}

/// What has to be the same in all that are added.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SumsHeader {
    /// The digest of the request, θ included.
    request: u64,
    /// The bytes of a number.
    precision: u64,
    leaves: u64,
    lengths: Lengths,
}

impl SumsHeader {
    const BYTES: usize = 6 * 8;

    fn new<T>(request: u64, leaves: usize, lengths: Lengths) -> Self {
        SumsHeader { request, precision: size_of::<T>() as u64, leaves: leaves as u64, lengths }
    }

    fn to_bytes(self) -> Vec<u8> {
        let Lengths { activities, scores, gradient } = self.lengths;
        let lengths = [activities, scores, gradient].map(|length| length as u64);
        [&[self.request, self.precision, self.leaves], &lengths[..]]
            .concat()
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect()
    }

    fn of_bytes(bytes: &mut &[u8]) -> Result<Self> {
        let header = bytes.split_off(..Self::BYTES).map(|bytes| bytes.as_chunks().0);
        let Some(&[request, precision, leaves, activities, scores, gradient]) = header else { return Err(no_sums()) };
        let number = |bytes| u64::from_le_bytes(bytes);
        let length = |bytes| usize::try_from(number(bytes)).map_err(|_| no_sums());
        let lengths = Lengths { activities: length(activities)?, scores: length(scores)?, gradient: length(gradient)? };
        let precision = number(precision);
        match precision {
            4 | 8 => Ok(SumsHeader { request: number(request), precision, leaves: number(leaves), lengths }),
            _ => Err(no_sums()),
        }
    }
}

impl<T: Scalar> Sums<T> {
    /// The header, and for each subtree its level, its place and its sums.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_bytes();
        for node in &self.nodes {
            node.place().into_iter().for_each(|number| bytes.extend(number.to_le_bytes()));
            node.sum.write(self.header.lengths, &mut bytes);
        }
        bytes
    }

    fn of_bytes(bytes: &[u8], expected: &SumsHeader) -> Result<Self> {
        let mut rest = bytes;
        let header = SumsHeader::of_bytes(&mut rest)?;
        if header != *expected {
            return Err(failed("expected sums for one request, got those for another"));
        }
        let mut nodes = Vec::new();
        while !rest.is_empty() {
            let place = rest.split_off(..16).map(|bytes| bytes.as_chunks().0);
            let Some(&[level, index]) = place else { return Err(no_sums()) };
            let node = Node::at([level, index].map(u64::from_le_bytes), header.leaves).ok_or_else(no_sums)?;
            let sum = PartialSum::read(&mut rest, header.lengths).ok_or_else(no_sums)?;
            nodes.push(node.with(sum));
        }
        Ok(Sums { header, nodes })
    }

    /// What is left of these when neighbours are added.
    fn added<B: AsRef<[u8]>>(sums: &[B]) -> Result<Self> {
        let header = match sums.first() {
            Some(first) => SumsHeader::of_bytes(&mut first.as_ref())?,
            None => return Err(no_sums()),
        };
        let leaves = usize::try_from(header.leaves).map_err(|_| no_sums())?;
        let mut tree = Tree::new(leaves);
        for sums in sums {
            let Sums { nodes, .. } = Sums::<T>::of_bytes(sums.as_ref(), &header)?;
            nodes.into_iter().for_each(|node| tree.add(node, |left, right| left.add(&right)));
        }
        let nodes = tree.take_open();
        match nodes.windows(2).all(|pair| pair[0].range(leaves).end <= pair[1].range(leaves).start) {
            true => Ok(Sums { header, nodes }),
            false => Err(failed("the sums of some rows came twice")),
        }
    }
}

fn no_sums() -> Error {
    failed("expected the sums of a piece, got other bytes")
}

fn failed(what: impl Into<String>) -> Error {
    Error::Remote { what: what.into() }
}
