//! What travels between whoever wants a [sum](super::remote) and those who have the examples: requests, and sums of subtrees, as bytes.

use serde::{Deserialize, Serialize};

use super::partial_sum::{Lengths, PartialSum};
use super::tree::{Node, Tree};
use super::workspace::Steps;
use crate::activation::Activation;
use crate::backpropagation::Outputs;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::network::Network;
use crate::numeric::DIGEST_OF_BITS;
use crate::numeric::scalar::Scalar;

/// What is asked of every piece.
pub(super) struct Request<T> {
    pub header: Header,
    pub network: Network,
    /// θ
    pub parameters: Vec<T>,
    pub penalty_slopes: Vec<T>,
}

/// All but the numbers.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    /// The digest of bits of the client: another version may compute others.
    bits: u64,
    precision: String,
    pub rows: usize,
    /// Whether the examples are to be checked: they stay as they are.
    pub checks: bool,
    inputs: usize,
    layers: Vec<(usize, Activation)>,
    pub loss: Loss,
    /// The bits of ε, and of the limit of a logarithm, which may be infinite.
    pub label_smoothing: u64,
    limit: u64,
    forward: usize,
    losses: bool,
    deltas: bool,
    scores: Option<Task>,
    activities: bool,
    gradient: bool,
}

impl Header {
    pub fn steps(&self) -> Steps {
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
        T::write_bytes(parameters, &mut bytes);
        T::write_bytes(penalty_slopes, &mut bytes);
        Ok(bytes)
    }

    pub fn of_bytes(bytes: &[u8]) -> Result<Self> {
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

/// Sums over subtrees, as they travel.
pub(super) struct Sums<T> {
    pub header: SumsHeader,
    pub nodes: Vec<Node<PartialSum<T>>>,
}

/// What has to be the same in all that are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SumsHeader {
    /// The digest of the request, θ included.
    request: u64,
    /// The bytes of a number.
    pub precision: u64,
    leaves: u64,
    lengths: Lengths,
}

impl SumsHeader {
    const BYTES: usize = 6 * 8;

    pub fn new<T>(request: u64, leaves: usize, lengths: Lengths) -> Self {
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

    pub fn of_bytes(bytes: &mut &[u8]) -> Result<Self> {
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
    pub fn to_bytes(&self) -> Vec<u8> {
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
    pub fn added<B: AsRef<[u8]>>(sums: &[B]) -> Result<Self> {
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

pub(super) fn failed(what: impl Into<String>) -> Error {
    Error::Remote { what: what.into() }
}
