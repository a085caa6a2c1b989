//! Sparsity: published relations, batches, weights, threads, and what it refuses.

use crate::common::naive::{Fault, Naive};
use crate::common::{examples, parameters};
use ndarray::Array2;
use surefoot::{
    Activation, Adam, BatchSize, Cost, Dataset, GradientCheck, Lbfgs, Loss, Network, Objective, Optimizer, Problem,
    Sparsity, Training, draw_defaults,
};

/// ρ ln(ρ/ρ̂) + (1−ρ) ln((1−ρ)/(1−ρ̂))
fn divergence(rho: f64, mean: f64) -> f64 {
    rho * (rho / mean).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - mean)).ln()
}

/// The 5-3-5 network of `published_numbers.rs`, every parameter w, example j five times 0.1·j.
#[test]
fn the_cost_of_the_5_3_5_network_rises_by_the_divergence_of_its_hidden_units() {
    let network = Network::new(5, &[(3, Activation::Sigmoid), (5, Activation::Sigmoid)]).unwrap();
    let x = Array2::from_shape_fn((5, 5), |(j, _)| 0.1 * (j + 1) as f64);
    let data = Dataset::new(x.clone(), x).unwrap();
    let cost = |w: f64, weight_decay, sparsity| {
        let cost = Cost::new(&network, Loss::SquaredError, weight_decay, &data).unwrap();
        cost.with_sparsity(sparsity).unwrap().cost(&vec![w; network.parameter_count()])
    };
    for w in [1.0f64, 0.0, -1.0] {
        let active = |j: usize| 1.0 / (1.0 + (-(5.0 * 0.1 * j as f64 * w + w)).exp());
        let mean = (1..=5).map(active).sum::<f64>() / 5.0;
        for (rho, beta) in [(0.05, 3.0), (0.5, 1.0), (0.9, 0.1)] {
            let rise = cost(w, 0.0, Some(Sparsity { target: rho, weight: beta })) - cost(w, 0.0, None);
            assert!((rise - beta * 3.0 * divergence(rho, mean)).abs() < 1e-13, "w {w}, ρ {rho}: {rise}");
        }
        let rise = cost(w, 0.3, None) - cost(w, 0.0, None);
        assert!((rise - 0.15 * 30.0 * w * w).abs() < 1e-13);
    }
}

#[test]
fn the_gradient_of_a_20_10_20_network_agrees_with_the_check() {
    let network = Network::new(20, &[(10, Activation::Sigmoid), (20, Activation::Sigmoid)]).unwrap();
    let mut random = surefoot::Random::new(3, surefoot::Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((50, 20), || random.uniform());
    let data = Dataset::new(x.clone(), x).unwrap();
    let theta: Vec<f64> = draw_defaults(&network, 4);
    for (weight_decay, beta) in [(20.0, 0.0), (20.0, 20.0)] {
        let cost = Cost::new(&network, Loss::SquaredError, weight_decay, &data).unwrap();
        let mut cost = cost.with_sparsity(Some(Sparsity { target: 0.05, weight: beta })).unwrap();
        let report = GradientCheck::default().run(&mut cost, &theta).unwrap();
        assert!(report.passed() && report.total.checked == theta.len(), "{:?}", report.total);
        assert!(report.total.difference < 1e-9, "λ {weight_decay}, β {beta}: {}", report.total.difference);
    }
}

/// The activations on weighted batches, which are not all of the data.
#[test]
fn a_batch_has_the_mean_activations_of_its_own_rows() {
    let network = Network::new(4, &[(6, Activation::Tanh), (2, Activation::Identity)]).unwrap();
    let data = examples(4, 2, Loss::SquaredError, Activation::Identity, true, 700, 8);
    let theta = parameters(network.parameter_count(), 0.8, 9);
    let sparsity = Some(Sparsity { target: 0.3, weight: 2.0 });
    for rows in [(0..40).map(|i| 3 * i).collect::<Vec<usize>>(), (0..650).rev().collect()] {
        let weights = data.weights().unwrap();
        // the mean loss of a batch is over |B|·w̄ of all data; with these rows' weights made to have that sum it is a mean
        let total: f64 = rows.iter().map(|&row| weights[row]).sum();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let part = data.select(&rows).unwrap();
        let naive = |sparsity| {
            let mut gradient = vec![0.0; theta.len()];
            let loss = Loss::SquaredError;
            let mut naive =
                Naive { network: &network, loss, weight_decay: 0.0, sparsity, data: &part, fault: Fault::None };
            let cost = naive.cost_and_gradient(&theta, &mut gradient);
            (cost, gradient)
        };
        let ((plain, plain_gradient), (sparse, sparse_gradient)) = (naive(None), naive(sparsity));
        let back = total / (rows.len() as f64 * mean);
        let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap().with_sparsity(sparsity).unwrap();
        let mut gradient = vec![0.0; theta.len()];
        let (value, batch) = cost.forward_backward(&theta, Some(&rows));
        assert!((value - (plain * back + (sparse - plain))).abs() < 1e-12);
        batch.gradient(&theta, &mut gradient);
        for (i, g) in gradient.iter().enumerate() {
            let expected = plain_gradient[i] * back + (sparse_gradient[i] - plain_gradient[i]);
            assert!((g - expected).abs() < 1e-12, "{i}: {g} {expected}");
        }
    }
}

#[test]
fn a_batch_without_weight_has_no_penalty() {
    let network = Network::new(2, &[(3, Activation::Sigmoid), (1, Activation::Identity)]).unwrap();
    let data = examples(2, 1, Loss::SquaredError, Activation::Identity, false, 4, 8);
    let data = data.with_weights(vec![0.0, 0.0, 1.0, 1.0]).unwrap();
    let theta = parameters(network.parameter_count(), 0.8, 9);
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data)
        .unwrap()
        .with_sparsity(Some(Sparsity { target: 0.3, weight: 2.0 }))
        .unwrap();
    assert!(cost.forward_backward(&theta, None).0 > 0.0);
    let mut gradient = vec![f64::NAN; theta.len()];
    let (value, batch) = cost.forward_backward(&theta, Some(&[0, 1]));
    assert_eq!(value, 0.0);
    batch.gradient(&theta, &mut gradient);
    assert!(gradient.iter().all(|&g| g == 0.0));
}

#[test]
fn sparse_training_has_the_same_bits_on_any_number_of_threads() {
    let network = Network::new(97, &[(61, Activation::Sigmoid), (33, Activation::Tanh), (97, Activation::Sigmoid)]);
    let network = network.unwrap();
    let x = Array2::from_shape_fn((1300, 97), |(i, j)| ((i * 31 + j * 17) % 23) as f32 / 22.0);
    let data = Dataset::new(x.clone(), x).unwrap();
    let weights = (0..1300).map(|row| 0.5 + (row % 3) as f32).collect();
    let weighted = data.clone().with_weights(weights).unwrap();
    let settings: [(Optimizer, Option<BatchSize>); 3] = [
        (Lbfgs::default().into(), None),
        (Adam::default().into(), Some(BatchSize::Full)),
        (Adam::default().into(), Some(BatchSize::Rows(200))),
    ];
    for (optimizer, batch_size) in settings {
        for data in [&data, &weighted] {
            let sparsity = Some(Sparsity { target: 0.1, weight: 1.0 });
            let training = Training { optimizer, batch_size, sparsity, epochs: 3, ..Training::default() };
            let fit = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let start: Vec<f32> = draw_defaults(&network, 1);
                pool.install(|| training.fit(&Problem::new(&network, Loss::SquaredError, data), start)).unwrap()
            };
            let one = fit(1);
            assert!(one.history[2].cost < one.history[0].cost);
            for threads in [2, 3, 8] {
                assert_eq!(one, fit(threads), "{threads} threads, {optimizer:?}, {batch_size:?}");
            }
        }
    }
}

#[test]
fn it_makes_hidden_units_sparse() {
    let network = Network::new(6, &[(8, Activation::Sigmoid), (6, Activation::Sigmoid)]).unwrap();
    let mut random = surefoot::Random::new(3, surefoot::Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((200, 6), || random.uniform());
    let data = Dataset::new(x.clone(), x).unwrap();
    let sparsity = Some(Sparsity { target: 0.1, weight: 3.0 });
    let training = Training { optimizer: Lbfgs::default().into(), sparsity, epochs: 200, ..Training::default() };
    let trained =
        training.fit(&Problem::new(&network, Loss::SquaredError, &data), draw_defaults::<f64>(&network, 1)).unwrap();
    let hidden = Network::new(6, &[(8, Activation::Sigmoid)]).unwrap();
    let activations = hidden.predict(&trained.parameters[..hidden.parameter_count()], data.inputs()).unwrap();
    for mean in activations.columns().into_iter().map(|column| column.sum() / 200.0) {
        assert!((mean - 0.1).abs() < 0.01, "{mean}");
    }
}

#[test]
fn what_cannot_be_sparse_is_refused() {
    let with = |hidden: &[(usize, Activation)], target, weight| {
        let layers = [hidden, &[(1, Activation::Identity)]].concat();
        let network = Network::new(2, &layers).unwrap();
        let data = examples(2, 1, Loss::SquaredError, Activation::Identity, false, 4, 8);
        let cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
        cost.with_sparsity(Some(Sparsity { target, weight })).err().map(|error| error.to_string())
    };
    let sigmoid = &[(3, Activation::Sigmoid)][..];
    assert_eq!(with(sigmoid, 0.1, 1.0), None);
    for (hidden, target, weight, message) in [
        (sigmoid, 0.0, 1.0, "sparsity: expected a number between 0 and 1, both excluded, got 0"),
        (sigmoid, 1.0, 1.0, "got 1"),
        (sigmoid, f64::NAN, 1.0, "got NaN"),
        (sigmoid, 0.1, -1.0, "sparsity weight: expected a finite number, at least 0, got -1"),
        (
            &[(3, Activation::Relu)],
            0.1,
            1.0,
            "hidden units that are sigmoid or tanh, whose activation has two bounds, got `relu`",
        ),
        (&[], 0.1, 1.0, "got no hidden layer"),
    ] {
        let error = with(hidden, target, weight).unwrap();
        assert!(error.contains(message), "{error}");
    }
}
