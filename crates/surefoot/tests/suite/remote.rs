//! Examples that lie on other machines: their sums travel as bytes, and have the bits of one machine.

use std::ops::Range;
use std::sync::Mutex;

use crate::common::examples;
use surefoot::optimizer::LbfgsState;
use surefoot::{
    Activation, Cost, Dataset, Error, Lbfgs, Loss, Network, Objective, Piece, Remote, Result, Scalar, Sparsity,
    add_sums, digest_of_leaves, draw_defaults, piece_rows,
};

/// The pieces of a data set; what comes back may be tampered with.
#[derive(Debug)]
struct Pieces<T> {
    pieces: Vec<(Range<usize>, Dataset<T>)>,
    rows: usize,
    /// What of each sum is lost, or comes twice.
    fault: Fault,
    /// The sum of the last request, and how many there were.
    last: Mutex<(Vec<u8>, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// The sum of the first piece does not come.
    Missing,
    /// It comes twice.
    Twice,
    /// It is that of the request before.
    Late,
}

impl<T: Scalar> Pieces<T> {
    fn new(data: &Dataset<T>, count: usize) -> Self {
        let rows = data.inputs().nrows();
        let piece = |rows: Range<usize>| (rows.clone(), data.select(&rows.collect::<Vec<_>>()).unwrap());
        let pieces = piece_rows(rows, count).into_iter().map(piece).collect();
        Pieces { pieces, rows, fault: Fault::None, last: Mutex::default() }
    }
}

impl<T: Scalar> Remote for Pieces<T> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn sum(&self, request: &[u8]) -> Result<Vec<u8>> {
        let of_piece = |(rows, data): &(Range<usize>, Dataset<T>)| {
            Piece::new(data, rows.start, self.rows).and_then(|piece| piece.leaf_sum(request))
        };
        let mut sums = self.pieces.iter().map(of_piece).collect::<Result<Vec<_>>>()?;
        let mut last = self.last.lock().unwrap();
        last.1 += 1;
        match self.fault {
            Fault::None => {}
            Fault::Missing => drop(sums.remove(0)),
            Fault::Twice => sums.push(sums[0].clone()),
            Fault::Late if last.1 > 1 => return Ok(last.0.clone()),
            Fault::Late => {}
        }
        // the last first, and in groups of three
        sums.reverse();
        let groups = sums.chunks(3).map(add_sums).collect::<Result<Vec<_>>>()?;
        last.0 = add_sums(&groups)?;
        Ok(last.0.clone())
    }
}

struct Case<T> {
    network: Network,
    loss: Loss,
    data: Dataset<T>,
    sparsity: Option<Sparsity>,
}

impl<T: Scalar> Case<T> {
    fn new(rows: usize, bits: usize) -> Self {
        let (loss, output) =
            [(Loss::CrossEntropy, Activation::Softmax), (Loss::SquaredError, Activation::Tanh)][bits & 1];
        let network = Network::new(7, &[(9, Activation::Sigmoid), (5, Activation::Tanh), (4, output)]).unwrap();
        let data = examples(7, 4, loss, output, bits & 2 > 0, rows, 5).cast().unwrap();
        Case { network, loss, data, sparsity: (bits & 4 > 0).then_some(Sparsity { target: 0.2, weight: 0.05 }) }
    }

    fn here(&self) -> Cost<'_, T> {
        self.with(Cost::new(&self.network, self.loss, 1e-3, &self.data))
    }

    fn remote<'a>(&'a self, pieces: &'a Pieces<T>) -> Cost<'a, T> {
        self.with(Cost::remote(&self.network, self.loss, 1e-3, pieces))
    }

    fn with<'a>(&self, cost: Result<Cost<'a, T>>) -> Cost<'a, T> {
        let cost = cost.unwrap().with_least_probability(1e-7).with_label_smoothing(0.1).unwrap();
        cost.with_sparsity(self.sparsity).unwrap()
    }

    /// J, ∇J and where three iterations of L-BFGS lead.
    fn trained(&self, mut cost: Cost<'_, T>) -> (u64, Vec<T>, Vec<T>, LbfgsState<T>) {
        let mut theta = draw_defaults(&self.network, 2);
        let mut gradient = theta.clone();
        let alone = cost.cost(&theta).to_bits();
        assert_eq!(cost.cost_and_gradient(&theta, &mut gradient).to_bits(), alone);
        let mut state = LbfgsState::default();
        assert_eq!(Lbfgs::default().minimize(&mut state, &mut cost, &mut theta, 3), None);
        assert!(cost.take_failure().is_none());
        (alone, gradient, theta, state)
    }
}

fn any_number_of_pieces_has_the_same_bits<T: Scalar>() {
    for bits in 0..8 {
        // one block, few leaves, leaves of one and of two blocks
        for rows in [300, 700, 2_500, 20_000] {
            let case = Case::<T>::new(rows, bits);
            let expected = case.trained(case.here());
            for count in [1, 2, 3, 7] {
                let pieces = Pieces::new(&case.data, count);
                assert_eq!(pieces.pieces.len(), if rows == 300 { 1 } else { count.min(3 + rows / 2000 * 8) });
                assert!(expected == case.trained(case.remote(&pieces)), "{rows} rows, {count} pieces, {bits}");
            }
        }
    }
}

#[test]
fn remote_sums_have_the_bits_of_one_machine() {
    any_number_of_pieces_has_the_same_bits::<f32>();
    any_number_of_pieces_has_the_same_bits::<f64>();
}

#[test]
fn a_cost_per_weight_is_the_same_too() {
    let case = Case::<f64>::new(2_500, 2);
    let pieces = Pieces::new(&case.data, 3);
    let theta = draw_defaults(&case.network, 2);
    let [here, remote] =
        [case.here(), case.remote(&pieces)].map(|cost| cost.per_weight().cost_and_gradient(&theta, &mut theta.clone()));
    assert_eq!(here.to_bits(), remote.to_bits());
}

#[test]
fn sums_that_are_lost_come_twice_or_late_are_no_sums() {
    let case = Case::<f32>::new(2_500, 0);
    let theta = draw_defaults(&case.network, 2);
    let mut moved = theta.clone();
    moved[0] += 0.1;
    for (fault, message) in [
        (Fault::Missing, "the sums of some rows have not come"),
        (Fault::Twice, "the sums of some rows came twice"),
        (Fault::Late, "expected the sums for this request, got those for another"),
    ] {
        let pieces = Pieces { fault, ..Pieces::new(&case.data, 3) };
        let mut cost = case.remote(&pieces);
        let _ = cost.cost(&theta);
        assert!(cost.cost(&moved).is_nan(), "{fault:?}");
        let asked = pieces.last.lock().unwrap().1;
        assert!(cost.cost(&theta).is_nan(), "nothing is asked for after a failure");
        assert_eq!(pieces.last.lock().unwrap().1, asked);
        assert_eq!(cost.take_failure().unwrap().to_string(), message);
    }
}

/// A request as a remote cost makes it.
fn request(case: &Case<f32>) -> Vec<u8> {
    #[derive(Debug, Default)]
    struct Listens(Mutex<Vec<u8>>);
    impl Remote for Listens {
        fn rows(&self) -> usize {
            2_500
        }
        fn sum(&self, request: &[u8]) -> Result<Vec<u8>> {
            *self.0.lock().unwrap() = request.to_vec();
            Err(Error::Remote { what: "nobody is there".into() })
        }
    }
    let listens = Listens::default();
    let mut cost = Cost::<f32>::remote(&case.network, case.loss, 0.0, &listens).unwrap();
    assert!(cost.cost(&draw_defaults(&case.network, 2)).is_nan());
    assert_eq!(cost.take_failure().unwrap().to_string(), "nobody is there");
    drop(cost);
    listens.0.into_inner().unwrap()
}

#[test]
fn requests_of_others_and_broken_ones_are_refused() {
    let case = Case::<f32>::new(2_500, 0);
    let request = request(&case);
    let pieces = Pieces::new(&case.data, 2);
    let (rows, data) = &pieces.pieces[1];
    let piece = Piece::new(data, rows.start, 2_500).unwrap();
    let refused = |bytes: &[u8]| piece.leaf_sum(bytes).unwrap_err().to_string();
    piece.leaf_sum(&request).unwrap();

    for end in [0, 4, 8, 100, request.len() - 1] {
        assert_eq!(refused(&request[..end]), "expected a request for sums, got other bytes");
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from) && from.len() == to.len());
        let at = request.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
        [&request[..at], to.as_bytes(), &request[at + from.len()..]].concat()
    };
    let bits = surefoot::selftest::EXPECTED.to_string();
    let other = bits.replace(&bits[3..5], if &bits[3..5] == "17" { "18" } else { "17" });
    assert!(
        refused(&changed(&bits, &other)).starts_with("this machine has another version of surefoot than the client")
    );
    assert_eq!(
        refused(&changed("\"rows\":2500", "\"rows\":2400")),
        "expected a request for 2500 rows, got one for 2400"
    );
    assert_eq!(refused(&changed("f32", "f64")), "expected a request for numbers of f32, got f64");

    let sum = piece.leaf_sum(&request).unwrap();
    for broken in [&sum[..40], &sum[..60], &sum[..sum.len() - 1], b""] {
        assert_eq!(add_sums(&[broken]).unwrap_err().to_string(), "expected the sums of a piece, got other bytes");
    }
    assert_eq!(add_sums::<&[u8]>(&[]).unwrap_err().to_string(), "expected the sums of at least one piece, got none");
}

#[test]
fn wrong_targets_are_told_by_their_row_in_all_pieces() {
    let mut case = Case::<f64>::new(2_500, 0);
    let mut targets = case.data.targets().to_owned();
    targets[[2_000, 1]] = 3.0;
    case.data = Dataset::new(case.data.inputs().to_owned(), targets).unwrap();
    let pieces = Pieces::new(&case.data, 3);
    let mut cost = Cost::<f64>::remote(&case.network, case.loss, 0.0, &pieces).unwrap();
    assert!(cost.cost(&draw_defaults(&case.network, 2)).is_nan());
    let message = |error: Error| error.to_string();
    let here = Cost::new(&case.network, case.loss, 0.0, &case.data).unwrap_err();
    assert_eq!(message(cost.take_failure().unwrap()), message(here));
}

#[test]
fn a_piece_is_whole_leaves() {
    let data = Case::<f32>::new(2_500, 0).data;
    assert_eq!(piece_rows(2_500, 3), [0..720, 720..1_680, 1_680..2_500]);
    assert_eq!(piece_rows(2_500, 100).len(), 11);
    for (first, rows) in [(1, 2_501), (240, 2_741), (0, 2_501), (0, 600)] {
        let refused = Piece::new(&data, first, rows).unwrap_err();
        assert!(matches!(refused, Error::Shape { .. }), "{first} of {rows}: {refused}");
    }
    Piece::new(&data, 240, 2_740).unwrap();
    assert!(Piece::new(data.view().rows_at(&[0, 1]).unwrap(), 0, 2).is_err());
}

#[test]
fn the_digest_of_the_data_is_made_of_those_of_its_pieces() {
    for rows in [300, 2_500, 20_000] {
        let data = Case::<f32>::new(rows, 2).data;
        for count in [1, 2, 7] {
            let pieces = Pieces::new(&data, count);
            let leaves = |(range, data): &(Range<usize>, Dataset<f32>)| {
                Piece::new(data, range.start, rows).unwrap().leaf_digests()
            };
            let all: Vec<u64> = pieces.pieces.iter().flat_map(leaves).collect();
            assert_eq!(digest_of_leaves(rows, &all), data.view().digest());
        }
        let mut other = data.inputs().to_owned();
        other[[rows - 1, 6]] += 1e-3;
        let other = Dataset::new(other, data.targets().to_owned()).unwrap();
        let other = other.with_weights(data.weights().unwrap().to_vec()).unwrap();
        assert_ne!(other.view().digest(), data.view().digest());
    }
}
