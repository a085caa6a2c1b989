//! The contract of docs/reproducibility.md between processes: the same θ and history on any number of them.

use std::ops::ControlFlow;

use crate::common::examples;
use crate::common::ranks::{LocalRank, on_ranks};
use surefoot::{
    Activation, Adam, BatchSize, Dataset, Error, GradientDescent, Lbfgs, Loss, Network, Observer, Optimizer, Problem,
    Ranks, Scalar, Sparsity, StopReason, Trained, Training, TrainingState, draw_defaults,
};

const SIZES: [usize; 5] = [1, 2, 3, 4, 7];
/// Eleven blocks, the last not full.
const ROWS: usize = 2_500;

struct Case<T> {
    network: Network,
    training: Training,
    loss: Loss,
    data: Dataset<T>,
    validation: Option<Dataset<T>>,
}

impl<T: Scalar> Case<T> {
    /// With so many hidden units, beyond 20 of which a gradient is shared by slices.
    fn new(optimizer: Optimizer, batch_size: BatchSize, hidden: usize, bits: usize) -> Self {
        let (is_weighted, is_sparse, validates) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
        let (loss, output) =
            [(Loss::CrossEntropy, Activation::Softmax), (Loss::SquaredError, Activation::Tanh)][bits & 1];
        let network = Network::new(20, &[(hidden, Activation::Sigmoid), (4, output)]).unwrap();
        let data = |rows, seed| examples(20, 4, loss, output, is_weighted, rows, seed).cast().unwrap();
        let training = Training {
            optimizer,
            batch_size: Some(batch_size),
            epochs: 3,
            weight_decay: 1e-3,
            sparsity: is_sparse.then_some(Sparsity { target: 0.2, weight: 0.05 }),
            patience: usize::from(validates),
            gradient_check: false,
            ..Training::default()
        };
        Case { network, training, loss, data: data(ROWS, 5), validation: validates.then(|| data(700, 6)) }
    }

    fn problem(&self) -> Problem<'_, T> {
        Problem::new(&self.network, self.loss, &self.data).with_validation(self.validation.as_ref())
    }

    fn start(&self) -> TrainingState<T> {
        self.training.start(&self.problem(), draw_defaults(&self.network, 2)).unwrap()
    }

    fn alone(&self) -> Trained<T> {
        self.training.fit(&self.problem(), draw_defaults(&self.network, 2)).unwrap()
    }
}

fn optimizers() -> Vec<(Optimizer, BatchSize)> {
    let descent = |momentum, nesterov| GradientDescent { learning_rate: 0.01, momentum, nesterov };
    vec![
        (descent(0.0, false).into(), BatchSize::Full),
        (descent(0.9, true).into(), BatchSize::Rows(1000)),
        (Adam::default().into(), BatchSize::Rows(1000)),
        (Adam::default().into(), BatchSize::Full),
        // every other batch is one block, which each rank computes
        (Adam::default().into(), BatchSize::Rows(2000)),
        (Lbfgs::default().into(), BatchSize::Full),
    ]
}

fn any_number_of_ranks_has_the_same_bits<T: Scalar>(sizes: &[usize]) {
    for (optimizer, batch_size) in optimizers() {
        for (hidden, bits) in [(6, 0), (6, 7), (40, 2), (40, 5), (40, 7)] {
            let case = Case::<T>::new(optimizer, batch_size, hidden, bits);
            let alone = case.alone();
            assert!(alone.steps > 1);
            for &size in sizes {
                let all = on_ranks(size, |rank| {
                    let problem = case.problem().with_ranks(Some(rank));
                    case.training.fit(&problem, draw_defaults(&case.network, 2)).unwrap()
                });
                for (rank, trained) in all.into_iter().enumerate() {
                    assert_eq!(
                        alone, trained,
                        "rank {rank} of {size}, {optimizer:?}, {batch_size:?}, {hidden}, {bits}"
                    );
                }
            }
        }
    }
}

#[test]
fn trainings_have_the_same_bits_on_any_number_of_ranks() {
    any_number_of_ranks_has_the_same_bits::<f32>(&SIZES);
    any_number_of_ranks_has_the_same_bits::<f64>(&SIZES[1..3]);
}

/// Wants to end after a step, on one rank alone.
struct After<'a>(u64, &'a LocalRank);

impl<T: Scalar> Observer<T> for After<'_> {
    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        match self.1.rank() == self.1.size() - 1 && state.steps() == self.0 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

#[test]
fn all_ranks_end_after_the_same_step_where_one_wishes_to_and_another_number_goes_on_to_the_same_bits() {
    for (optimizer, batch_size) in optimizers() {
        let case = Case::<f32>::new(optimizer, batch_size, 40, 6);
        let alone = case.alone();
        for size in [2, 3] {
            let states = on_ranks(size, |rank| {
                let mut state = case.start();
                let problem = case.problem().with_ranks(Some(rank));
                let reason = case.training.resume_with(&problem, &mut state, &mut After(1, rank)).unwrap();
                assert_eq!(reason, StopReason::Observer);
                state
            });
            // a batch that is one block tells nobody of a wish
            assert!(states.iter().all(|state| *state == states[0]) && states[0].steps() <= 2, "{optimizer:?}");
            for others in [1, 4] {
                let trained = on_ranks(others, |rank| {
                    let mut state = states[0].clone();
                    let reason = case.training.resume(&case.problem().with_ranks(Some(rank)), &mut state).unwrap();
                    state.into_trained(reason)
                });
                assert!(trained.iter().all(|trained| *trained == alone), "{optimizer:?}, {size} then {others} ranks");
            }
        }
    }
}

#[test]
fn a_rank_with_other_parameters_is_named_in_all_of_them() {
    let case = Case::<f32>::new(Lbfgs::default().into(), BatchSize::Full, 6, 0);
    let errors = on_ranks(3, |rank| {
        let mut start: Vec<f32> = draw_defaults(&case.network, 2);
        if rank.rank() == 1 {
            start[7] = f32::from_bits(start[7].to_bits() ^ 1);
        }
        case.training.fit(&case.problem().with_ranks(Some(rank)), start).unwrap_err()
    });
    for error in errors {
        assert!(matches!(&error, Error::Ranks { what } if what.contains("parameters of rank 1 differ")), "{error}");
    }
}

/// The volume of an evaluation: 4 P (q + 1) bytes and a little, where a rank hands over q subtrees.
#[test]
fn a_rank_sends_few_bytes() {
    for (size, subtrees) in [(2, 2), (3, 3), (4, 2), (7, 2)] {
        let case = Case::<f32>::new(GradientDescent::default().into(), BatchSize::Full, 500, 0);
        let parameters = case.network.parameter_count();
        let training = Training { epochs: 1, ..case.training.clone() };
        let sent = on_ranks(size, |rank| {
            training.fit(&case.problem().with_ranks(Some(rank)), draw_defaults(&case.network, 2)).unwrap();
            rank.sent()
        });
        let most = 4 * parameters * (subtrees + 1) + 4096;
        assert!(sent.iter().all(|&sent| sent <= most && sent > 4 * parameters / 2), "{size} ranks: {sent:?}, {most}");
    }
}

#[test]
fn an_evaluation_is_shared_and_has_the_bits_of_one_process() {
    let case = Case::<f32>::new(Adam::default().into(), BatchSize::Full, 8, 3);
    let theta = draw_defaults(&case.network, 3);
    let evaluate = |ranks: Option<&dyn Ranks>| case.training.evaluate(&case.problem().with_ranks(ranks), &theta);
    let alone = evaluate(None).unwrap();
    for size in SIZES {
        assert!(on_ranks(size, |rank| evaluate(Some(rank)).unwrap()).iter().all(|evaluated| *evaluated == alone));
    }
    let error = evaluate(Some(&Lost)).unwrap_err();
    assert!(error.to_string().contains("rank 1 is lost"), "{error}");
}

/// A process whose neighbour is lost.
#[derive(Debug)]
struct Lost;

impl Ranks for Lost {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        2
    }

    fn all_gather(&self, _: &[u8], _: &[usize], _: &mut Vec<u8>) -> surefoot::Result<()> {
        Err(Error::Ranks { what: "rank 1 is lost".into() })
    }

    fn all_to_all(&self, parts: &[u8], lengths: &[usize], _: &[usize], all: &mut Vec<u8>) -> surefoot::Result<()> {
        self.all_gather(parts, lengths, all)
    }
}
