//! Runs of training: what they promise.

use std::ops::ControlFlow;

use crate::common::{examples, parameters};
use ndarray::{Array2, array};
use surefoot::optimizer::FirstOrder;
use surefoot::{
    Activation, Adam, BatchSize, Cancel, Cost, Dataset, Epoch, GradientDescent, Loss, Network, Objective, Observer,
    Optimizer, Problem, Schedule, StopReason, Trained, Training, draw_defaults,
};

fn descent(learning_rate: f64, momentum: f64, nesterov: bool) -> Optimizer {
    GradientDescent { learning_rate, momentum, nesterov }.into()
}

fn three_classes(rows: usize) -> (Network, Dataset<f64>) {
    let network = Network::new(4, &[(6, Activation::Tanh), (3, Activation::Softmax)]).unwrap();
    let data = examples(4, 3, Loss::CrossEntropy, Activation::Softmax, true, rows, 1);
    (network, data)
}

/// What the notes warn of.
#[test]
fn started_at_zero_hidden_units_stay_equal_for_ever() {
    let (network, data) = three_classes(40);
    let training = Training { epochs: 50, ..Training::default() };
    let fit = |start| training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start).unwrap().parameters;
    let units_are_equal = |theta: &[f64]| {
        let (weight, bias) = (network.weight(theta, 0), network.bias(theta, 0));
        (1..6).all(|i| weight.row(i) == weight.row(0) && bias[i] == bias[0])
    };
    let from_zero = fit(vec![0.0; network.parameter_count()]);
    assert!(units_are_equal(&from_zero));
    // with weights that are equal but not zero they move, and stay equal all the same
    let from_half = fit(vec![0.5; network.parameter_count()]);
    assert!(units_are_equal(&from_half) && from_half[0] != 0.5);
    assert!(!units_are_equal(&fit(draw_defaults(&network, 1))));
}

#[test]
fn every_parameter_moves() {
    let (network, data) = three_classes(40);
    let start = parameters(network.parameter_count(), 0.5, 2);
    for optimizer in [descent(0.1, 0.0, false), descent(0.1, 0.9, true), Adam::default().into()] {
        let training = Training { optimizer, epochs: 1, ..Training::default() };
        let trained = training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start.clone()).unwrap();
        assert!(start.iter().zip(&trained.parameters).all(|(before, after)| before != after), "{optimizer:?}");
    }
}

/// With a network that always says 0 and targets yᵢ = √(2·2ⁱ) the loss of example i is 2ⁱ: the sum over an epoch, written
/// in binary, says how often each example was there.
#[test]
fn every_example_counts_once_an_epoch_the_last_partial_batch_too() {
    let rows = 23;
    let network = Network::new(1, &[(1, Activation::Identity)]).unwrap();
    let targets = Array2::from_shape_fn((rows, 1), |(i, _)| (2.0 * 2f64.powi(i as i32)).sqrt());
    let data = Dataset::new(Array2::ones((rows, 1)), targets).unwrap();
    for batch_size in [1, 2, 5, 7, 22, 23, 100].map(BatchSize::Rows).into_iter().chain([BatchSize::Full]) {
        // the rate is too small to move θ
        let training = Training {
            optimizer: descent(1e-300, 0.0, false),
            batch_size: Some(batch_size),
            epochs: 3,
            ..Training::default()
        };
        let trained = training.fit(&Problem::new(&network, Loss::SquaredError, &data), vec![0.0; 2]).unwrap();
        for epoch in &trained.history {
            let sum = epoch.cost * rows as f64;
            assert!((sum - (2f64.powi(rows as i32) - 1.0)).abs() < 0.01, "{batch_size:?}: {sum}");
        }
        let batches = match batch_size {
            BatchSize::Full => 1,
            BatchSize::Rows(size) => rows.div_ceil(size),
        };
        assert_eq!(trained.steps, 3 * batches as u64, "{batch_size:?}");
    }
}

/// One epoch of batches, step by step with the library's own gradient of each batch in its order.
#[test]
fn a_step_follows_the_mean_gradient_of_its_batch() {
    let (network, data) = three_classes(10);
    let start = parameters(network.parameter_count(), 0.5, 3);
    let fit = |batch_size| {
        let training = Training {
            optimizer: descent(0.1, 0.0, false),
            batch_size: Some(batch_size),
            epochs: 1,
            ..Training::default()
        };
        training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start.clone()).unwrap().parameters
    };
    let mut gradient = vec![0.0; start.len()];
    Cost::new(&network, Loss::CrossEntropy, 0.0, &data).unwrap().cost_and_gradient(&start, &mut gradient);
    let expected: Vec<f64> = start.iter().zip(&gradient).map(|(theta, g)| theta - 0.1 * g).collect();
    assert_eq!(fit(BatchSize::Full), expected);
    assert_eq!(fit(BatchSize::Rows(10)), expected);
    assert_ne!(fit(BatchSize::Rows(3)), expected);
}

#[test]
fn each_epoch_has_an_order_of_its_own() {
    let (network, data) = three_classes(10);
    let start = parameters(network.parameter_count(), 0.5, 3);
    let fit = |start, seed, epochs| {
        let (optimizer, batch_size) = (descent(0.1, 0.0, false), Some(BatchSize::Rows(1)));
        let training = Training { optimizer, batch_size, seed, epochs, ..Training::default() };
        training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start).unwrap().parameters
    };
    let first = fit(start.clone(), 1, 1);
    assert_ne!(first, fit(start.clone(), 2, 1), "another seed, another order");
    assert_eq!(first, fit(start.clone(), 1, 1));
    // twice the first epoch is not the first and the second
    assert_ne!(fit(first, 1, 1), fit(start, 1, 2));
}

#[test]
fn a_weight_of_two_counts_as_the_same_example_twice() {
    let network = Network::new(2, &[(3, Activation::Tanh), (1, Activation::Identity)]).unwrap();
    let once = Dataset::new(array![[1.0, 2.0], [0.5, -1.0]], array![[1.0], [2.0]]).unwrap();
    let twice = once.select(&[0, 1, 1]).unwrap();
    let once = once.with_weights(vec![1.0, 2.0]).unwrap();
    let theta = parameters(network.parameter_count(), 0.5, 4);
    let at = |data: &Dataset<f64>| {
        let mut gradient = vec![0.0; theta.len()];
        let cost = Cost::new(&network, Loss::SquaredError, 0.1, data).unwrap().cost_and_gradient(&theta, &mut gradient);
        [vec![cost], gradient].concat()
    };
    assert!(at(&once).iter().zip(at(&twice)).all(|(a, b)| (a - b).abs() < 1e-15));
}

#[test]
fn a_batch_without_weight_moves_nothing() {
    let (network, data) = three_classes(4);
    let data = data.with_weights(vec![0.0, 0.0, 0.0, 1.0]).unwrap();
    let theta = parameters(network.parameter_count(), 0.5, 5);
    let mut gradient = vec![f64::NAN; theta.len()];
    let mut cost = Cost::new(&network, Loss::CrossEntropy, 0.0, &data).unwrap();
    let (value, batch) = cost.forward_backward(&theta, Some(&[0, 2]));
    assert_eq!(value, 0.0);
    batch.gradient(&theta, &mut gradient);
    assert!(gradient.iter().all(|&g| g == 0.0));
}

/// Large enough for several threads, strips and tiles, in both the mini-batch's one block and the many of all rows.
#[test]
fn a_step_is_the_gradient_and_then_the_optimizers_step_bit_by_bit_on_any_number_of_threads() {
    let network =
        Network::new(97, &[(101, Activation::Relu), (33, Activation::Tanh), (10, Activation::Softmax)]).unwrap();
    let inputs = Array2::from_shape_fn((1300, 97), |(i, j)| ((i * 31 + j * 17) % 23) as f32 / 11.0 - 1.0);
    let targets = Array2::from_shape_fn((1300, 10), |(i, k)| f32::from(u8::from(i * 7 % 10 == k)));
    let weights = (0..1300).map(|i| 0.5 + (i % 4) as f32).collect();
    let data = Dataset::new(inputs, targets).unwrap().with_weights(weights).unwrap();
    let batch: Vec<usize> = (0..203).map(|i| i * 6).collect();
    let optimizers = [
        FirstOrder::Adam(Adam::default()),
        FirstOrder::Adam(Adam { ntp: true, ..Adam::default() }),
        FirstOrder::GradientDescent(GradientDescent { momentum: 0.9, nesterov: true, ..GradientDescent::default() }),
        FirstOrder::GradientDescent(GradientDescent::default()),
    ];
    for optimizer in optimizers {
        for rows in [Some(&batch[..]), None] {
            let run = |threads: usize, at_once: bool| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut cost = Cost::new(&network, Loss::CrossEntropy, 0.01, &data).unwrap();
                    let mut theta: Vec<f32> = draw_defaults(&network, 3);
                    let mut state = optimizer.start(theta.len());
                    let mut gradient = vec![f32::NAN; theta.len()];
                    for _ in 0..3 {
                        if at_once {
                            let batch = cost.backward(&theta, rows);
                            assert_eq!(batch.step(&optimizer, &mut state, &mut theta, 0.01), None);
                        } else {
                            let (_, batch) = cost.forward_backward(&theta, rows);
                            batch.gradient(&theta, &mut gradient);
                            optimizer.step(&mut state, &mut theta, &gradient, &network.segments(), 0.01);
                        }
                    }
                    theta.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                })
            };
            let expected = run(1, false);
            for threads in [1, 2, 3, 8] {
                assert!(run(threads, true) == expected, "{threads} threads, {optimizer:?}");
                assert!(run(threads, false) == expected, "{threads} threads, {optimizer:?}");
            }
        }
    }
}

#[test]
fn the_layer_whose_gradient_is_not_finite_is_named() {
    let network = Network::new(2, &[(3, Activation::Identity), (1, Activation::Identity)]).unwrap();
    let data = Dataset::new(array![[1e30f32, 1.0], [1.0, 2.0]], array![[0.0], [1.0]]).unwrap();
    // the cost is a sum in double precision and stays finite, but δ·x of the first layer does not
    let mut theta = vec![1e3f32; network.parameter_count()];
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
    let optimizer = FirstOrder::GradientDescent(GradientDescent::default());
    let mut state = optimizer.start(theta.len());
    for (rows, layer) in [(None, Some(0)), (Some(&[1][..]), None)] {
        let (value, batch) = cost.forward_backward(&theta, rows);
        assert!(value.is_finite());
        assert_eq!(batch.step(&optimizer, &mut state, &mut theta, 1e-30), layer);
        theta.fill(1.0);
    }
}

#[test]
fn a_training_that_explodes_names_the_step_its_layer_and_its_learning_rate() {
    let network = Network::new(2, &[(3, Activation::Identity), (1, Activation::Identity)]).unwrap();
    let data = Dataset::new(array![[1e30f32, 1.0], [1.0, 2.0]], array![[0.0], [1.0]]).unwrap();
    let (alpha, schedule) = (1e-30, Schedule::Cosine);
    let optimizer = GradientDescent { learning_rate: alpha, momentum: 0.0, nesterov: false }.into();
    let steps: Vec<u64> = (0..8)
        .map(|seed| {
            let batch_size = Some(BatchSize::Rows(1));
            let training = Training { optimizer, schedule, seed, batch_size, epochs: 1, ..Training::default() };
            let start = vec![1e3f32; network.parameter_count()];
            let trained = training.fit(&Problem::new(&network, Loss::SquaredError, &data), start).unwrap();
            let StopReason::NotFinite { epoch, step, layer, learning_rate } = trained.stop_reason else { panic!() };
            assert_eq!((epoch, layer), (1, Some(0)));
            assert_eq!(learning_rate, alpha * schedule.factor((step - 1) as f64 / 2.0, 1));
            step
        })
        .collect();
    assert!(steps.contains(&1) && steps.contains(&2), "{steps:?}"); // either row may come first
}

#[test]
fn early_stopping_restores_the_best_parameters() {
    let network = Network::new(4, &[(40, Activation::Tanh), (1, Activation::Identity)]).unwrap();
    // noise: what is learned of the training part only makes the validation part worse, sooner or later
    let data = examples(4, 1, Loss::SquaredError, Activation::Identity, false, 60, 6);
    let (train, validation) = data.split(0.5, 1).unwrap();
    let training = Training { patience: 15, epochs: 2000, ..Training::default() };
    let start = draw_defaults(&network, 7);
    let trained = training
        .fit(&Problem::new(&network, Loss::SquaredError, &train).with_validation(Some(&validation)), start)
        .unwrap();
    assert_eq!(trained.stop_reason, StopReason::Patience);
    let costs: Vec<f64> = trained.history.iter().map(|epoch| epoch.validation_cost.unwrap()).collect();
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(costs[trained.best_epoch - 1], least);
    assert!(costs[costs.len() - 1] > least);
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &validation).unwrap();
    assert_eq!(cost.cost(&trained.parameters), least);
}

#[test]
fn without_a_validation_part_patience_watches_the_training_cost() {
    let (network, data) = three_classes(20);
    // a rate of almost nothing: the cost does not fall by its ten-thousandth
    let training = Training { optimizer: descent(1e-12, 0.0, false), patience: 4, ..Training::default() };
    let start = parameters(network.parameter_count(), 0.5, 8);
    let trained = training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start.clone()).unwrap();
    assert_eq!((trained.stop_reason, trained.history.len()), (StopReason::Patience, 5));
    let never = Training { patience: 0, epochs: 30, ..training };
    let trained = never.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start).unwrap();
    assert_eq!((trained.stop_reason, trained.history.len()), (StopReason::Epochs, 30));
}

#[test]
fn a_cost_that_is_not_finite_stops_and_keeps_the_last_good_parameters() {
    let network = Network::new(2, &[(3, Activation::Relu), (1, Activation::Identity)]).unwrap();
    let data = examples(2, 1, Loss::SquaredError, Activation::Identity, false, 64, 9);
    let training = Training { optimizer: descent(1e6, 0.0, false), ..Training::default() };
    let start = draw_defaults(&network, 10);
    let trained = training.fit(&Problem::new(&network, Loss::SquaredError, &data), start).unwrap();
    let StopReason::NotFinite { step, learning_rate, .. } = trained.stop_reason else { panic!("{trained:?}") };
    assert!(step > 1 && learning_rate == 1e6);
    assert!(trained.parameters.iter().all(|theta| theta.is_finite()));
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
    assert!(cost.cost(&trained.parameters).is_finite());
}

#[test]
fn a_last_step_that_explodes_is_not_returned() {
    let (network, data) = three_classes(20);
    let data = data.cast::<f32>().unwrap();
    // one full batch: the only step goes too far, and no cost is computed after it
    let optimizer = descent(1e39, 0.0, false);
    let training = Training { optimizer, batch_size: Some(BatchSize::Full), epochs: 1, ..Training::default() };
    let start = draw_defaults::<f32>(&network, 10);
    let trained = training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start.clone()).unwrap();
    assert!(matches!(trained.stop_reason, StopReason::NotFinite { epoch: 1, step: 1, layer: Some(0), .. }));
    assert_eq!(trained.parameters, start);
    let infinite = vec![f32::INFINITY; start.len()];
    assert!(training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), infinite).is_err());
}

#[test]
fn an_observer_sees_each_epoch_and_can_stop() {
    struct Third(Vec<usize>);
    impl<T> Observer<T> for Third {
        fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
            self.0.push(epoch.epoch);
            if epoch.epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let (network, data) = three_classes(20);
    let mut observer = Third(Vec::new());
    let start = draw_defaults(&network, 11);
    let trained =
        Training::default().fit_with(&Problem::new(&network, Loss::CrossEntropy, &data), start, &mut observer).unwrap();
    assert_eq!((trained.stop_reason, observer.0), (StopReason::Observer, vec![1, 2, 3]));
}

#[test]
fn the_learning_rate_follows_its_schedule() {
    let (network, data) = three_classes(20);
    let schedule = Schedule::Step { every: 2, factor: 0.5 };
    let training = Training { optimizer: descent(0.8, 0.0, false), schedule, epochs: 5, ..Training::default() };
    let start = draw_defaults(&network, 12);
    let trained = training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start).unwrap();
    let rates: Vec<f64> = trained.history.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates, [0.8, 0.8, 0.4, 0.4, 0.2]);
}

/// 300 examples, so that a full batch has several blocks; f32, the precision of training.
#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let (network, data) = three_classes(300);
    let (train, validation) = data.cast::<f32>().unwrap().split(0.1, 1).unwrap();
    let fit = |threads, optimizer, batch_size| -> Trained<f32> {
        let training =
            Training { optimizer, batch_size: Some(batch_size), epochs: 5, patience: 3, ..Training::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let start = draw_defaults(&network, 13);
        let problem = Problem::new(&network, Loss::CrossEntropy, &train).with_validation(Some(&validation));
        pool.install(|| training.fit(&problem, start)).unwrap()
    };
    for optimizer in [descent(0.1, 0.0, false), descent(0.1, 0.9, false), Adam::default().into()] {
        for batch_size in [BatchSize::Rows(7), BatchSize::Rows(200), BatchSize::Full] {
            let one = fit(1, optimizer, batch_size);
            for threads in [2, 3, 8] {
                assert_eq!(
                    one,
                    fit(threads, optimizer, batch_size),
                    "{threads} threads, {optimizer:?}, {batch_size:?}"
                );
            }
        }
    }
}

#[test]
fn a_prediction_does_not_depend_on_the_other_rows() {
    let (network, data) = three_classes(300);
    let data = data.cast::<f32>().unwrap();
    let theta = draw_defaults(&network, 14);
    let all = network.predict(&theta, data.inputs()).unwrap();
    for row in [0, 1, 127, 128, 299] {
        let alone = network.predict(&theta, data.inputs().slice(ndarray::s![row..row + 1, ..])).unwrap();
        assert_eq!(alone.row(0), all.row(row));
    }
    assert_eq!(network.predict(&theta, Array2::zeros((0, 4)).view()).unwrap().dim(), (0, 3));
}

#[test]
fn what_does_not_fit_is_refused_before_training() {
    let (network, data) = three_classes(20);
    let start = || draw_defaults::<f64>(&network, 15);
    let refuse = |training: Training, loss, start: Vec<f64>, data: &Dataset<f64>| {
        training.fit(&Problem::new(&network, loss, data), start).unwrap_err().to_string()
    };
    let plain = Training::default;
    let wide = Dataset::new(Array2::zeros((5, 7)), Array2::from_elem((5, 3), 1.0 / 3.0)).unwrap();
    let outside = Dataset::new(Array2::zeros((2, 4)), array![[1.0, 0.0, 0.0], [2.0, -1.0, 0.0]]).unwrap();
    for (message, part) in [
        (refuse(plain(), Loss::CrossEntropy, vec![0.0; 3], &data), "parameters: expected 51"),
        (refuse(plain(), Loss::CrossEntropy, start(), &wide), "columns of the inputs: expected 4"),
        (
            refuse(plain(), Loss::CrossEntropy, start(), &outside),
            "targets, row 1, column 0: expected a number from 0 to 1",
        ),
        (
            refuse(Training { batch_size: Some(BatchSize::Rows(0)), ..plain() }, Loss::CrossEntropy, start(), &data),
            "batch size",
        ),
        (refuse(Training { weight_decay: -1.0, ..plain() }, Loss::CrossEntropy, start(), &data), "weight decay"),
        (refuse(Training { tolerance: 1.0, ..plain() }, Loss::CrossEntropy, start(), &data), "tolerance"),
        (
            refuse(Training { optimizer: descent(-1.0, 0.0, false), ..plain() }, Loss::CrossEntropy, start(), &data),
            "learning rate",
        ),
    ] {
        assert!(message.starts_with(part), "{message}");
    }
}

/// Cancelled from another thread, or by itself while it is summed: the pass ends, and nothing moves.
#[test]
fn a_cancelled_pass_has_no_cost_and_moves_nothing() {
    let network = Network::new(3, &[(4, Activation::Tanh), (2, Activation::Identity)]).unwrap();
    for rows in [40, 3000] {
        let data = examples(3, 2, Loss::SquaredError, Activation::Identity, false, rows, 8);
        let (theta, cancel) = (parameters(network.parameter_count(), 0.5, 9), Cancel::new());
        let mut cost = Cost::new(&network, Loss::SquaredError, 0.1, &data).unwrap().with_cancel(cancel.clone());
        let mut gradient = vec![7.0; theta.len()];
        assert!(cost.cost_and_gradient(&theta, &mut gradient).is_finite() && gradient.iter().all(|&g| g != 7.0));
        cancel.cancel();
        gradient.fill(7.0);
        assert!(cost.cost_and_gradient(&theta, &mut gradient).is_nan() && cost.cost(&theta).is_nan());
        assert!(gradient.iter().all(|&g| g == 7.0));
        let optimizer = FirstOrder::Adam(Adam::default());
        let (mut state, mut moved) = (optimizer.start(theta.len()), theta.clone());
        let before = state.clone();
        assert_eq!(cost.backward(&theta, None).step(&optimizer, &mut state, &mut moved, 0.1), None);
        assert_eq!((moved, state), (theta, before));
    }
}
