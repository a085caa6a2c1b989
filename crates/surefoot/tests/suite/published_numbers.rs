//! Costs and gradients that others computed.

use ndarray::Array2;
use serde_json::Value;
use surefoot::{Activation, Cost, Dataset, Loss, Network, Objective, draw_defaults};

/// A 5-3-5 sigmoid network, λ = 0, inputs as targets, every weight and bias equal to w, example j five times 0.1·j: the
/// costs that another implementation of the exercise published.
#[test]
fn the_5_3_5_network_has_its_published_costs() {
    let network = Network::new(5, &[(3, Activation::Sigmoid), (5, Activation::Sigmoid)]).unwrap();
    let x = Array2::from_shape_fn((5, 5), |(j, _)| 0.1 * (j + 1) as f64);
    let data = Dataset::new(x.clone(), x).unwrap();
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
    for (w, expected) in [(1.0, 1.190472606540), (0.0, 0.15), (-1.0, 0.048800332266)] {
        let value = cost.cost(&vec![w; network.parameter_count()]);
        assert!((value - expected).abs() < 6e-13, "w = {w}: {value}");
    }
    // and λ adds λ/2·ΣW² over the 30 weights, not over the 8 biases
    let mut decayed = Cost::new(&network, Loss::SquaredError, 0.3, &data).unwrap();
    let theta = vec![2.0; network.parameter_count()];
    assert!((decayed.cost(&theta) - cost.cost(&theta) - 0.15 * 30.0 * 4.0).abs() < 1e-12);
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// `reference/golden.json`, which `reference/twin.py` wrote.
#[test]
fn costs_and_gradients_are_those_of_the_numpy_twin() {
    let golden: Vec<Value> = serde_json::from_str(include_str!("../reference/golden.json")).unwrap();
    assert!(golden.len() >= 12);
    for (number, case) in golden.iter().enumerate() {
        let layers: Vec<(usize, Activation)> = case["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["outputs"].as_u64().unwrap() as usize, l["activation"].as_str().unwrap().parse().unwrap()))
            .collect();
        let inputs = case["layers"][0]["inputs"].as_u64().unwrap() as usize;
        let network = Network::new(inputs, &layers).unwrap();
        let mut data = Dataset::new(matrix(&case["inputs"]), matrix(&case["targets"])).unwrap();
        if !case["weights"].is_null() {
            data = data.with_weights(numbers(&case["weights"])).unwrap();
        }
        let loss: Loss = case["loss"].as_str().unwrap().parse().unwrap();
        let mut cost = Cost::new(&network, loss, case["weight_decay"].as_f64().unwrap(), &data).unwrap();
        let theta = numbers(&case["parameters"]);
        let mut gradient = vec![f64::NAN; theta.len()];
        let value = cost.cost_and_gradient(&theta, &mut gradient);
        let expected = case["cost"].as_f64().unwrap();
        assert!((value / expected - 1.0).abs() < 1e-12, "case {number}: cost {value}, twin {expected}");
        let expected = numbers(&case["gradient"]);
        let size = expected.iter().fold(0.0, |size: f64, g| size.max(g.abs()));
        for (i, (g, e)) in gradient.iter().zip(&expected).enumerate() {
            assert!((g - e).abs() <= 1e-12 * size, "case {number}, coordinate {i}: {g}, twin {e}");
        }
    }
}

/// In single precision the same cost to single precision.
#[test]
fn single_precision_agrees_with_double() {
    let network = Network::new(20, &[(30, Activation::Tanh), (5, Activation::Softmax)]).unwrap();
    let x = Array2::from_shape_fn((700, 20), |(i, j)| ((i * 7 + j * 13) % 11) as f64 / 5.0 - 1.0);
    let y = Array2::from_shape_fn((700, 5), |(i, k)| f64::from(u8::from(i % 5 == k)));
    let data = Dataset::new(x, y).unwrap();
    let single = data.cast::<f32>().unwrap();
    let (theta, theta_single) = (draw_defaults::<f64>(&network, 3), draw_defaults::<f32>(&network, 3));
    let mut cost = Cost::new(&network, Loss::CrossEntropy, 0.01, &data).unwrap();
    let mut cost_single = Cost::new(&network, Loss::CrossEntropy, 0.01, &single).unwrap();
    let (mut g, mut g_single) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
    let value = cost.cost_and_gradient(&theta, &mut g);
    let value_single = cost_single.cost_and_gradient(&theta_single, &mut g_single);
    assert!((value_single / value - 1.0).abs() < 1e-6, "{value_single} {value}");
    let size = g.iter().fold(0.0, |size: f64, g| size.max(g.abs()));
    assert!(g.iter().zip(&g_single).all(|(&g, &s)| (g - f64::from(s)).abs() < 2e-6 * size));
}
