//! L-BFGS: on functions with known minima, against dense BFGS, against SciPy, and within a training.

use crate::common::{examples, parameters};
use ndarray::{Array1, Array2};
use serde_json::Value;
use surefoot::optimizer::{LbfgsState, LbfgsStop};
use surefoot::{
    Activation, BatchSize, Cost, Dataset, Lbfgs, Loss, Network, Objective, Problem, Schedule, Sparsity, StopReason,
    Training, draw_defaults,
};

/// A function with its gradient.
struct Function {
    dimension: usize,
    value: fn(&[f64], &mut [f64]) -> f64,
}

impl Objective<f64> for Function {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn cost(&mut self, x: &[f64]) -> f64 {
        (self.value)(x, &mut vec![0.0; x.len()])
    }
    fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (self.value)(x, gradient)
    }
}

fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
    a * a + 100.0 * b * b
}

fn beale(x: &[f64], g: &mut [f64]) -> f64 {
    let (x, y) = (x[0], x[1]);
    g.fill(0.0);
    let mut value = 0.0;
    for (c, power) in [(1.5, 1), (2.25, 2), (2.625, 3)] {
        let r = c - x + x * y.powi(power);
        value += r * r;
        g[0] += 2.0 * r * (y.powi(power) - 1.0);
        g[1] += 2.0 * r * x * f64::from(power) * y.powi(power - 1);
    }
    value
}

/// Its matrix of second derivatives is singular at the minimum.
fn powell(x: &[f64], g: &mut [f64]) -> f64 {
    let [a, b, c, d] = [x[0] + 10.0 * x[1], x[2] - x[3], x[1] - 2.0 * x[2], x[0] - x[3]];
    g[0] = 2.0 * a + 40.0 * d.powi(3);
    g[1] = 20.0 * a + 4.0 * c.powi(3);
    g[2] = 10.0 * b - 8.0 * c.powi(3);
    g[3] = -10.0 * b - 40.0 * d.powi(3);
    a * a + 5.0 * b * b + c.powi(4) + 10.0 * d.powi(4)
}

/// ½ Σ cᵢxᵢ² + Σ xᵢxᵢ₊₁/3 with c from 1 to 6.
fn quadratic(x: &[f64], g: &mut [f64]) -> f64 {
    let mut value = 0.0;
    g.fill(0.0);
    for i in 0..x.len() {
        let c = (i + 1) as f64;
        value += 0.5 * c * x[i] * x[i];
        g[i] += c * x[i];
        if i + 1 < x.len() {
            value += x[i] * x[i + 1] / 3.0;
            g[i] += x[i + 1] / 3.0;
            g[i + 1] += x[i] / 3.0;
        }
    }
    value
}

/// Iterates until it stops, and asserts at every step that the cost is lower and both Wolfe conditions hold.
fn minimize_watched(
    lbfgs: &Lbfgs,
    objective: &mut dyn Objective<f64>,
    x: &mut [f64],
    iterations: u64,
) -> LbfgsState<f64> {
    let mut state = LbfgsState::default();
    for _ in 0..iterations {
        let mut gradient = vec![0.0; x.len()];
        let cost = objective.cost_and_gradient(x, &mut gradient);
        let before = x.to_vec();
        if lbfgs.iterate(&mut state, objective, x).is_err() {
            assert_eq!(before, x);
            break;
        }
        let along = |gradient: &[f64]| (0..x.len()).map(|i| gradient[i] * (x[i] - before[i])).sum::<f64>();
        let (slope, slope_after) = (along(&gradient), along(&state.gradient));
        assert!(slope < 0.0 && state.cost < cost, "{slope}, {cost} to {}", state.cost);
        // θ is rounded, so the slopes along its step are too
        let rounding = 1e-9 * slope.abs() + 1e-300;
        assert!(state.cost <= cost + 1e-4 * slope + rounding, "{} {cost} {slope}", state.cost); // (O5)
        assert!(slope_after.abs() <= 0.9 * slope.abs() + rounding, "{slope_after} {slope}"); // (O6)
        let curvature: f64 =
            state.pairs.back().map_or(1.0, |pair| pair.s.iter().zip(&pair.y).map(|(s, y)| s * y).sum());
        assert!(curvature > 0.0);
        assert!(state.pairs.len() <= lbfgs.history);
    }
    state
}

const EXACT: Lbfgs = Lbfgs { history: 10, gradient_tolerance: 1e-9, cost_tolerance: 0.0 };

#[test]
fn the_minima_of_rosenbrock_beale_and_powell_are_reached() {
    for (name, function, start, minimum, apart, most) in [
        ("Rosenbrock", rosenbrock as fn(&[f64], &mut [f64]) -> f64, vec![-1.2, 1.0], vec![1.0, 1.0], 1e-8, 80),
        ("Beale", beale, vec![1.0, 1.0], vec![3.0, 0.5], 1e-8, 40),
        // near its minimum the function is flat as the fourth power
        ("Powell", powell, vec![3.0, -1.0, 0.0, 1.0], vec![0.0; 4], 1e-2, 120),
    ] {
        let mut x = start;
        let mut objective = Function { dimension: x.len(), value: function };
        let state = minimize_watched(&EXACT, &mut objective, &mut x, 1000);
        let far = x.iter().zip(&minimum).map(|(x, m)| (x - m).abs()).fold(0.0, f64::max);
        assert!(far < apart && state.cost < 1e-10, "{name}: {x:?}, cost {}", state.cost);
        assert!(state.evaluations <= most, "{name}: {} evaluations", state.evaluations);
    }
}

/// With all pairs kept, each direction is that of the inverse matrix H which BFGS builds from the scaled identity:
/// H := (I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ.
#[test]
fn directions_are_those_of_dense_bfgs() {
    let n = 6;
    let mut objective = Function { dimension: n, value: quadratic };
    let lbfgs = Lbfgs { history: 30, gradient_tolerance: 1e-10, cost_tolerance: 0.0 };
    let (mut state, mut x) = (LbfgsState::default(), (0..n).map(|i| 1.0 - 0.3 * i as f64).collect::<Vec<_>>());
    let mut compared = 0;
    loop {
        let (before, pairs, gradient) = (x.clone(), state.pairs.clone(), state.gradient.clone());
        match lbfgs.iterate(&mut state, &mut objective, &mut x) {
            Ok(()) => {}
            Err(stop) => {
                assert_eq!(stop, LbfgsStop::Converged);
                break;
            }
        }
        let Some(newest) = pairs.back() else { continue };
        let vector = |numbers: &[f64]| Array1::from(numbers.to_vec());
        let (s, y) = (vector(&newest.s), vector(&newest.y));
        let mut inverse = Array2::<f64>::eye(n) * (s.dot(&y) / y.dot(&y));
        for pair in &pairs {
            let (s, y) = (vector(&pair.s), vector(&pair.y));
            let rho = 1.0 / s.dot(&y);
            let outer = |a: &Array1<f64>, b: &Array1<f64>| Array2::from_shape_fn((n, n), |(i, j)| a[i] * b[j]);
            let left = Array2::<f64>::eye(n) - outer(&s, &y) * rho;
            inverse = left.dot(&inverse).dot(&left.t()) + outer(&s, &s) * rho;
        }
        let expected = -inverse.dot(&vector(&gradient)) * state.step_length;
        let size = expected.dot(&expected).sqrt();
        for i in 0..n {
            assert!((x[i] - before[i] - expected[i]).abs() < 1e-9 * size, "iteration {}", state.iterations);
        }
        compared += 1;
    }
    assert!(compared >= 5 && state.iterations <= 20, "{compared} compared, {} iterations", state.iterations);
    assert!(x.iter().all(|x| x.abs() < 1e-9));
}

fn small_network() -> (Network, Dataset<f64>) {
    let network = Network::new(5, &[(7, Activation::Tanh), (3, Activation::Softmax)]).unwrap();
    (network, examples(5, 3, Loss::CrossEntropy, Activation::Softmax, true, 40, 5))
}

#[test]
fn both_wolfe_conditions_hold_at_every_step_on_a_network() {
    let (network, data) = small_network();
    let mut cost = Cost::new(&network, Loss::CrossEntropy, 1e-3, &data).unwrap();
    let mut theta = parameters(network.parameter_count(), 0.8, 6);
    let state = minimize_watched(&Lbfgs::default(), &mut cost, &mut theta, 200);
    assert!(state.iterations >= 30 && state.pairs.len() == 10);
}

#[test]
fn a_copy_of_the_state_goes_on_with_the_same_bits() {
    let (network, data) = small_network();
    let mut cost = Cost::new(&network, Loss::CrossEntropy, 1e-3, &data).unwrap();
    let start = parameters(network.parameter_count(), 0.8, 6);
    let (mut state, mut theta) = (LbfgsState::default(), start);
    let lbfgs = Lbfgs::default();
    let mut saved = Vec::new();
    for _ in 0..25 {
        saved.push((state.clone(), theta.clone()));
        lbfgs.iterate(&mut state, &mut cost, &mut theta).unwrap();
    }
    for (at, (mut other_state, mut other)) in saved.into_iter().enumerate() {
        // another objective with buffers of its own
        let mut cost = Cost::new(&network, Loss::CrossEntropy, 1e-3, &data).unwrap();
        assert_eq!(lbfgs.minimize(&mut other_state, &mut cost, &mut other, 25 - at as u64), None);
        assert!(other == theta && other_state == state, "from iteration {at}");
    }
}

#[test]
fn what_cannot_go_on_says_why() {
    let lbfgs = Lbfgs::default();
    let stop = |value: fn(&[f64], &mut [f64]) -> f64, start: f64| {
        let (mut state, mut x) = (LbfgsState::default(), [start]);
        let stop = lbfgs.minimize(&mut state, &mut Function { dimension: 1, value }, &mut x, 1000);
        (stop, x[0])
    };
    let constant = |_: &[f64], g: &mut [f64]| {
        g[0] = 0.0;
        1.0
    };
    assert_eq!(stop(constant, 3.0), (Some(LbfgsStop::Converged), 3.0));
    let wrong_gradient = |x: &[f64], g: &mut [f64]| {
        g[0] = -2.0 * x[0];
        x[0] * x[0]
    };
    assert_eq!(stop(wrong_gradient, 3.0), (Some(LbfgsStop::LineSearch), 3.0));
    let nothing = |_: &[f64], g: &mut [f64]| {
        g[0] = 1.0;
        f64::NAN
    };
    assert_eq!(stop(nothing, 3.0), (Some(LbfgsStop::NotFinite), 3.0));
    let far_fall = |x: &[f64], g: &mut [f64]| {
        g[0] = if x[0] > 2.0 { f64::NAN } else { 2.0 * x[0] };
        if x[0] > 2.0 { f64::NAN } else { x[0] * x[0] }
    };
    let (reason, x) = stop(far_fall, 1.9);
    assert!(reason == Some(LbfgsStop::Converged) && x.abs() < 1e-5);
}

#[test]
fn an_epoch_of_training_is_an_iteration_on_any_number_of_threads() {
    let network = Network::new(97, &[(61, Activation::Tanh), (10, Activation::Softmax)]).unwrap();
    let inputs = Array2::from_shape_fn((1300, 97), |(i, j)| ((i * 31 + j * 17) % 23) as f32 / 11.0 - 1.0);
    let targets = Array2::from_shape_fn((1300, 10), |(i, k)| f32::from(u8::from(i * 7 % 10 == k)));
    let data = Dataset::new(inputs, targets).unwrap();
    let training = Training { optimizer: Lbfgs::default().into(), epochs: 12, ..Training::default() };
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let start: Vec<f32> = draw_defaults(&network, 1);
        pool.install(|| training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), start)).unwrap()
    };
    let one = fit(1);
    for threads in [2, 3, 8] {
        assert_eq!(one, fit(threads), "{threads} threads");
    }
    assert_eq!((one.stop_reason, one.steps, one.history.len()), (StopReason::Epochs, 12, 12));
    assert!(one.evaluations >= 13);
    assert!(one.history.windows(2).all(|pair| pair[1].cost < pair[0].cost));
    // the same as by hand
    let (mut cost, mut state) = (Cost::new(&network, Loss::CrossEntropy, 0.0, &data).unwrap(), LbfgsState::default());
    let mut theta: Vec<f32> = draw_defaults(&network, 1);
    Lbfgs::default().minimize(&mut state, &mut cost, &mut theta, 12);
    assert!(theta == one.parameters && state.cost == one.history[11].cost);
}

#[test]
fn training_tells_that_it_converged_and_refuses_what_does_not_go_together() {
    let (network, data) = small_network();
    let fit = |training: Training| {
        training.fit(&Problem::new(&network, Loss::CrossEntropy, &data), draw_defaults(&network, 1))
    };
    let lbfgs = || Training { optimizer: Lbfgs::default().into(), weight_decay: 0.1, ..Training::default() };
    let trained = fit(Training { epochs: 1000, ..lbfgs() }).unwrap();
    assert_eq!(trained.stop_reason, StopReason::Converged);
    assert!(trained.history.len() < 1000 && trained.best_epoch == trained.history.len());
    let message = |training| fit(training).unwrap_err().to_string();
    let rows = Training { batch_size: Some(BatchSize::Rows(8)), ..lbfgs() };
    assert!(message(rows).contains("batch size: expected full with L-BFGS"));
    assert!(message(Training { schedule: Schedule::Cosine, ..lbfgs() }).contains("schedule"));
    let none = Lbfgs { history: 0, ..Lbfgs::default() };
    assert!(message(Training { optimizer: none.into(), ..lbfgs() }).contains("history"));
    let negative = Lbfgs { cost_tolerance: -1.0, ..Lbfgs::default() };
    assert!(message(Training { optimizer: negative.into(), ..lbfgs() }).contains("cost tolerance"));
}

/// The numbers that `reference/lbfgs_twin.py` draws: SplitMix64, 53 bits of each.
fn split_mix(count: usize, mut state: u64) -> impl Iterator<Item = f64> {
    (0..count).map(move |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    })
}

/// W uniform in ±√(6/(inputs + outputs + 1)), b = 0.
fn twins_start(network: &Network, seed: u64) -> Vec<f64> {
    let mut theta = vec![0.0; network.parameter_count()];
    for (l, layer) in network.layers().iter().enumerate() {
        let weights = &mut theta[network.weight_range(l)];
        let r = (6.0 / (layer.inputs + layer.outputs + 1) as f64).sqrt();
        let draws = split_mix(weights.len(), 1000 * seed + l as u64);
        weights.iter_mut().zip(draws).for_each(|(weight, u)| *weight = r * (2.0 * u - 1.0));
    }
    theta
}

/// `reference/lbfgs.json` has SciPy's cost after 100 iterations from some starts, and its evaluations.
#[test]
fn the_costs_of_scipy_are_reached_with_about_as_many_evaluations() {
    let rows: Vec<Vec<f64>> = include_str!("../../../surefoot-table/data/digits.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let x = Array2::from_shape_fn((rows.len(), 64), |(i, j)| rows[i][j] / 16.0);
    let y = Array2::from_shape_fn((rows.len(), 10), |(i, k)| f64::from(u8::from(rows[i][64] == k as f64)));
    let (digits, same) = (Dataset::new(x.clone(), y).unwrap(), Dataset::new(x.clone(), x).unwrap());
    let twin: Vec<Value> = serde_json::from_str(include_str!("../reference/lbfgs.json")).unwrap();
    assert_eq!(twin.len(), 10);
    for run in &twin {
        let number = |name: &str| run[name].as_f64().unwrap();
        let sparse = run["network"] == "sparse autoencoder";
        let layers = match sparse {
            true => [(25, Activation::Sigmoid), (64, Activation::Sigmoid)],
            false => [(16, Activation::Tanh), (10, Activation::Softmax)],
        };
        let network = Network::new(64, &layers).unwrap();
        let (loss, data) = if sparse { (Loss::SquaredError, &same) } else { (Loss::CrossEntropy, &digits) };
        let sparsity = sparse.then_some(Sparsity { target: 0.05, weight: 3.0 });
        let mut cost = Cost::new(&network, loss, 1e-4, data).unwrap().with_sparsity(sparsity).unwrap();
        let mut theta = twins_start(&network, run["seed"].as_u64().unwrap());
        assert!((cost.cost(&theta) / number("cost_at_start") - 1.0).abs() < 1e-12, "{run}");
        let mut state = LbfgsState::default();
        while state.cost > number("cost") {
            EXACT.iterate(&mut state, &mut cost, &mut theta).unwrap();
        }
        let ratio = state.evaluations as f64 / number("evaluations");
        assert!(ratio <= 1.2, "{ratio} times as many evaluations as {run}");
    }
}
