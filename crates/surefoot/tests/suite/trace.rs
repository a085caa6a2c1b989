//! The trace of one example: the numbers that the cost and the prediction are made of.

use crate::common::{examples, losses_and_outputs, parameters};
use ndarray::array;
use surefoot::trace::Derivative;
use surefoot::{Activation, Cost, Error, GradientCheck, Loss, Network, Objective, Predictor, Trace};

/// A network with one hidden unit, worked out by hand: z = 0.5·2 − 0.25·4 + 0.5 = 0.5, a = tanh 0.5;
/// h = 2a + 0.25, J = ½(h − 1)², δ₃ = h − 1, δ₂ = 2(1 − a²)(h − 1).
#[test]
fn every_number_is_that_of_the_notes() {
    let network = Network::new(2, &[(1, Activation::Tanh), (1, Activation::Identity)]).unwrap();
    let theta = [0.5, -0.25, 0.5, 2.0, 0.25];
    let (x, y) = ([2.0, 4.0], [1.0]);
    let trace = Trace::new(&network, Loss::SquaredError, &theta, &x, Some(&y)).unwrap();
    let a = 0.5f64.tanh();
    let h = 2.0 * a + 0.25;
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    near(trace.z[0][0], 0.5);
    near(trace.a[0][0], a);
    near(trace.z[1][0], h);
    let backward = trace.backward.as_ref().unwrap();
    near(backward.loss, 0.5 * (h - 1.0).powi(2));
    near(backward.delta[1][0], h - 1.0);
    near(backward.delta[0][0], 2.0 * (1.0 - a * a) * (h - 1.0));
    near(backward.gradient[1], 4.0 * backward.delta[0][0]);
    let check = GradientCheck::default();
    for Derivative { analytic, numeric } in
        trace.derivatives(&network, Loss::SquaredError, &theta, &[0, 1, 2, 3, 4], &check).unwrap()
    {
        assert!((analytic - numeric.unwrap()).abs() < 1e-6);
    }
    let forward = Trace::new(&network, Loss::SquaredError, &theta, &x, None).unwrap();
    assert!(forward.backward.is_none());
    assert!(forward.derivatives(&network, Loss::SquaredError, &theta, &[0], &check).unwrap().is_empty());
}

/// Wide enough that a layer has more inner indices than a segment of a product, and more units than a panel has columns.
#[test]
fn its_bits_are_those_of_the_prediction_and_the_cost() {
    for (loss, output) in losses_and_outputs() {
        for hidden in Activation::ALL.into_iter().filter(|activation| !activation.is_for_outputs()) {
            let network = Network::new(7, &[(300, hidden), (53, hidden), (19, output)]).unwrap();
            let theta = parameters(network.parameter_count(), 0.2, 5);
            let one = examples(7, 19, loss, output, false, 1, 6);
            let (x, y) = (one.inputs().row(0).to_vec(), one.targets().row(0).to_vec());
            let trace = Trace::new(&network, loss, &theta, &x, Some(&y)).unwrap();
            let name = format!("{loss}, {hidden}, {output}");
            let h = network.predict(&theta, one.inputs()).unwrap();
            assert_eq!(trace.a[2], h.row(0).to_vec(), "{name}");
            assert_eq!(trace.a[2], Predictor::new(&network, theta.clone()).unwrap().predict(&x).unwrap(), "{name}");
            for l in 1..=2 {
                let encoder = network.encoder(l).unwrap();
                let a = encoder.predict(&theta[..encoder.parameter_count()], one.inputs()).unwrap();
                assert_eq!(trace.a[l - 1], a.row(0).to_vec(), "{name}, layer {l}");
            }
            let mut gradient = vec![0.0; theta.len()];
            let cost = Cost::new(&network, loss, 0.0, &one).unwrap().cost_and_gradient(&theta, &mut gradient);
            let backward = trace.backward.unwrap();
            assert_eq!(backward.loss.to_bits(), cost.to_bits(), "{name}");
            assert!(backward.gradient == gradient, "{name}");
            for l in 0..3 {
                assert_eq!(backward.delta[l], gradient[network.bias_range(l)], "{name}: ∇b is δ");
            }
        }
    }
}

#[test]
fn beside_a_kink_there_is_no_numerical_derivative() {
    let network = Network::new(1, &[(1, Activation::Relu), (1, Activation::Identity)]).unwrap();
    let theta = [1.0, -1.0, 1.0, 0.0];
    let trace = Trace::new(&network, Loss::SquaredError, &theta, &[1.0], Some(&[1.0])).unwrap();
    let derivatives =
        trace.derivatives(&network, Loss::SquaredError, &theta, &[0, 3], &GradientCheck::default()).unwrap();
    assert!(derivatives[0].numeric.is_none() && derivatives[1].numeric.is_some());
}

#[test]
fn what_does_not_fit_the_network_is_refused() {
    let network = Network::new(2, &[(1, Activation::Sigmoid)]).unwrap();
    let theta = [0.0; 3];
    let refusal =
        |theta: &[f64], x: &[f64], y: &[f64]| Trace::new(&network, Loss::CrossEntropy, theta, x, Some(y)).unwrap_err();
    assert!(matches!(refusal(&theta[..2], &[0.0; 2], &[0.0]), Error::Shape { .. }));
    assert!(matches!(refusal(&theta, &[0.0; 3], &[0.0]), Error::Shape { .. }));
    assert!(matches!(refusal(&theta, &[0.0; 2], &[0.0; 2]), Error::Shape { .. }));
    assert!(matches!(refusal(&theta, &[0.0, f64::NAN], &[0.0]), Error::Value { what: "inputs", column: 1, .. }));
    assert!(matches!(refusal(&theta, &[0.0; 2], &[2.0]), Error::Value { what: "targets", .. }));
    let check = GradientCheck::default();
    let trace = Trace::new(&network, Loss::CrossEntropy, &theta, &[1.0; 2], Some(&[1.0])).unwrap();
    let beyond = trace.derivatives(&network, Loss::CrossEntropy, &theta, &[3], &check).unwrap_err();
    assert_eq!(beyond.to_string(), "coordinate: expected less than 3, the dimension of the objective, got 3");
    let other = Network::new(3, &[(1, Activation::Sigmoid)]).unwrap();
    assert!(trace.derivatives(&other, Loss::CrossEntropy, &[0.0; 4], &[0], &check).is_err());
}

#[test]
fn the_derivatives_of_the_exercise_are_38_and_12() {
    struct Notes; // h(x) = x₁² + 3x₁x₂
    impl Objective<f64> for Notes {
        fn dimension(&self) -> usize {
            2
        }
        fn cost(&mut self, x: &[f64]) -> f64 {
            x[0] * x[0] + 3.0 * x[0] * x[1]
        }
        fn cost_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.fill(0.0);
            self.cost(x)
        }
    }
    let at = array![4.0, 10.0];
    let found = GradientCheck::default().derivatives(&mut Notes, at.as_slice().unwrap(), &[1, 0]).unwrap();
    let near = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-6);
    near(found[0], 12.0);
    near(found[1], 38.0);
}
