//! Every gradient against the numerical derivative, and against the notes' sums unit by unit.

use crate::common::naive::{Fault, Naive};
use crate::common::{examples, losses_and_outputs, parameters};
use surefoot::{Activation, Cost, Dataset, GradientCheck, Loss, Network, Objective, Sparsity};

/// What a case of the matrix is checked with.
struct Case<'a> {
    name: String,
    network: &'a Network,
    loss: Loss,
    weight_decay: f64,
    sparsity: Option<Sparsity>,
    weighted: bool,
}

/// Each combination of hidden activation, loss with output, outputs, hidden layers, λ and sparsity, where units can be
/// sparse. Without hidden layers there is only one hidden activation.
fn each_case(mut visit: impl FnMut(Case<'_>)) {
    for hidden_layers in [0, 1, 2] {
        for hidden in Activation::ALL {
            if hidden.is_for_outputs() || (hidden_layers == 0 && hidden != Activation::Sigmoid) {
                continue;
            }
            let can_be_sparse = hidden_layers > 0 && matches!(hidden, Activation::Sigmoid | Activation::Tanh);
            for (loss, output) in losses_and_outputs() {
                for outputs in [1, 3] {
                    let mut layers = vec![(4, hidden); hidden_layers];
                    layers.push((outputs, output));
                    let network = Network::new(3, &layers).unwrap();
                    for weight_decay in [0.0, 0.1] {
                        for sparsity in [None, Some(Sparsity { target: 0.2, weight: 0.5 })] {
                            if sparsity.is_some() && !can_be_sparse {
                                continue;
                            }
                            for weighted in [false, true] {
                                let name = format!(
                                    "{hidden_layers} × {hidden}, {outputs} × {output}, {loss}, λ {weight_decay}, \
                                     {sparsity:?}, weighted {weighted}"
                                );
                                visit(Case { name, network: &network, loss, weight_decay, sparsity, weighted });
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_activation_loss_and_depth_agrees_with_the_numerical_gradient() {
    let (mut cases, mut empty) = (0, 0);
    each_case(|Case { name, network, loss, weight_decay, sparsity, weighted }| {
        let data = examples(3, network.outputs(), loss, network.output_activation(), weighted, 5, 11);
        let mut theta = parameters(network.parameter_count(), 0.8, 12);
        if network.output_activation().has_kink() {
            // above the kink of a rectified output, which could else be 0 for every example
            theta[network.bias_range(network.layers().len() - 1)].iter_mut().for_each(|b| *b += 2.0);
        }
        let mut cost = Cost::new(network, loss, weight_decay, &data).unwrap().with_sparsity(sparsity).unwrap();
        let report = GradientCheck::default().run(&mut cost, &theta).unwrap();
        // the squared error of exp bends more than others from step to step
        let bound = if network.output_activation() == Activation::Exp { 1e-7 } else { 1e-8 };
        assert!(report.total.difference < bound, "{name}: {}, {:?}", report.total.difference, report.total.worst);
        assert_eq!(report.total.checked + report.total.kinks, theta.len(), "{name}");
        cases += 1;
        // The one softmax output is always 1: without weight decay nothing depends on θ, and that is no pass.
        let constant = network.output_activation() == Activation::Softmax && network.outputs() == 1;
        if constant && weight_decay == 0.0 && sparsity.is_none() {
            assert!(!report.passed() && report.total.wrong == 0, "{name}");
            empty += 1;
        } else {
            assert!(report.passed(), "{name}: {:?}", report.total.worst);
        }
    });
    assert_eq!((cases, empty), (11 * 2 * 4 * (1 + 6 + 6 + 2 + 2), 2 * 2 * (1 + 6 + 6)));
}

#[test]
fn blocks_of_examples_agree_with_the_sums_unit_by_unit() {
    each_case(|Case { name, network, loss, weight_decay, sparsity, weighted }| {
        // more rows than a block has, so that blocks are added up too
        let data = examples(3, network.outputs(), loss, network.output_activation(), weighted, 530, 21);
        let theta = parameters(network.parameter_count(), 0.8, 22);
        let mut naive = Naive { network, loss, weight_decay, sparsity, data: &data, fault: Fault::None };
        let mut cost = Cost::new(network, loss, weight_decay, &data).unwrap().with_sparsity(sparsity).unwrap();
        let (mut expected, mut gradient) = (vec![0.0; theta.len()], vec![f64::NAN; theta.len()]);
        let (value, expected_value) =
            (cost.cost_and_gradient(&theta, &mut gradient), naive.cost_and_gradient(&theta, &mut expected));
        assert!((value - expected_value).abs() <= 1e-13 * expected_value.abs().max(1.0), "{name}");
        assert_eq!(cost.cost(&theta), value, "{name}: with and without gradient");
        let apart = gradient.iter().zip(&expected).map(|(g, e)| (g - e).abs()).fold(0.0, f64::max);
        let size = expected.iter().fold(1.0f64, |size, e| size.max(e.abs()));
        assert!(apart < 1e-13 * size, "{name}: {apart}");
    });
}

#[test]
fn planted_faults_are_caught_in_their_place() {
    // W can only be taken for its transpose where it is square, so the layers differ from fault to fault.
    for (fault, units, wrong_layers, part) in [
        (Fault::None, &[4, 4, 3][..], &[false, false, false][..], ""),
        (Fault::MissingDerivative, &[4, 4, 3], &[true, true, false], ""),
        (Fault::ForgottenDecay, &[4, 4, 3], &[true, true, true], "weight"),
        (Fault::DecayedBias, &[4, 4, 3], &[true, true, true], "bias"),
        (Fault::ScaledByOutputs, &[4, 4, 3], &[true, true, true], ""),
        (Fault::SparsityBesideDerivative, &[4, 4, 3], &[true, true, false], ""),
        (Fault::TransposedWeight, &[4, 4], &[true, false], ""),
    ] {
        let layers: Vec<_> = units.iter().map(|&units| (units, Activation::Sigmoid)).collect();
        let network = Network::new(5, &layers).unwrap();
        let loss = Loss::SquaredError;
        let data = examples(5, network.outputs(), loss, Activation::Sigmoid, true, 6, 31);
        let theta = parameters(network.parameter_count(), 0.8, 32);
        let sparsity = Some(Sparsity { target: 0.1, weight: 0.5 });
        let mut naive = Naive { network: &network, loss, weight_decay: 0.1, sparsity, data: &data, fault };
        let report = GradientCheck::default().run(&mut naive, &theta).unwrap();
        let wrong: Vec<bool> = report.layers.iter().map(|layer| layer.wrong > 0).collect();
        assert_eq!((report.passed(), &wrong[..]), (fault == Fault::None, wrong_layers), "{fault:?}");
        if fault != Fault::None {
            let worst = report.total.worst.unwrap();
            assert!(report.total.difference > 1e-3 && worst.is_wrong(), "{fault:?}: {worst:?}");
            assert!(worst.place.contains(part), "{fault:?}: {}", worst.place);
        }
    }
}

#[test]
fn many_rows_leave_something_to_check_beside_their_kinks() {
    let network =
        Network::new(3, &[(20, Activation::Relu), (20, Activation::Selu), (1, Activation::Identity)]).unwrap();
    let data = examples(3, 1, Loss::SquaredError, Activation::Identity, false, 8000, 51);
    let theta = parameters(network.parameter_count(), 0.8, 52);
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
    let check = GradientCheck { sample: Some(40), ..GradientCheck::default() };
    let report = check.run(&mut cost, &theta).unwrap();
    assert!(report.passed(), "{:?}", report.total.worst);
    assert!(report.total.checked >= 36, "{} of 40 checked, {} on kinks", report.total.checked, report.total.kinks);
    // With the first step alone, more than a quarter would have a kink within.
    let within = (0..theta.len()).filter(|&i| {
        let moved = |by: f64| {
            let mut point = theta.clone();
            point[i] += by;
            point
        };
        cost.has_kink_between(&moved(-1e-4), &moved(1e-4))
    });
    let within = within.count();
    assert!(within > theta.len() / 4, "{within} of {}", theta.len());
}

#[test]
fn a_unit_that_stands_on_its_kink_is_counted_apart() {
    let network = Network::new(2, &[(2, Activation::Relu), (1, Activation::Identity)]).unwrap();
    let data = examples(2, 1, Loss::SquaredError, Activation::Identity, false, 4, 61);
    // The first unit has no weights and no bias: z = 0 for every example.
    let mut theta = parameters(network.parameter_count(), 0.8, 62);
    theta[0..2].fill(0.0);
    theta[4] = 0.0;
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
    let report = GradientCheck::default().run(&mut cost, &theta).unwrap();
    assert!(report.passed());
    assert_eq!((report.total.kinks, report.layers[0].kinks), (3, 3));
}

#[test]
fn unscaled_data_raise_no_false_alarm_and_hide_no_fault() {
    for (size, hidden) in
        [(1e3, Activation::Sigmoid), (1e5, Activation::Tanh), (1e6, Activation::Relu), (1e6, Activation::Sigmoid)]
    {
        for (loss, output, outputs) in
            [(Loss::SquaredError, Activation::Identity, 2), (Loss::CrossEntropy, Activation::Softmax, 3)]
        {
            let network = Network::new(4, &[(5, hidden), (outputs, output)]).unwrap();
            let data = examples(4, outputs, loss, output, false, 30, 71);
            let inputs = data.inputs().mapv(|x| size * x);
            let targets =
                if loss == Loss::SquaredError { data.targets().mapv(|y| size * y) } else { data.targets().to_owned() };
            let data = surefoot::Dataset::new(inputs, targets).unwrap();
            let theta = parameters(network.parameter_count(), 0.8, 72);
            let mut cost = Cost::new(&network, loss, 0.01, &data).unwrap();
            let report = GradientCheck::default().run(&mut cost, &theta).unwrap();
            assert_eq!(report.total.wrong, 0, "{size} {hidden} {loss}: {:?}", report.total.worst);
            let mut scaled = ScaledByOutputs(cost, outputs as f64);
            let report = GradientCheck::default().run(&mut scaled, &theta).unwrap();
            assert!(report.total.wrong > 0, "{size} {hidden} {loss}");
        }
        if !hidden.has_kink() {
            // the naive objective knows no kinks, and takes logarithms of 0 where cross-entropy is sure
            let network = Network::new(4, &[(5, hidden), (2, Activation::Identity)]).unwrap();
            let data = examples(4, 2, Loss::SquaredError, Activation::Identity, false, 30, 71);
            let data =
                surefoot::Dataset::new(data.inputs().mapv(|x| size * x), data.targets().mapv(|y| size * y)).unwrap();
            let theta = parameters(network.parameter_count(), 0.8, 72);
            let (loss, fault) = (Loss::SquaredError, Fault::MissingDerivative);
            let mut naive = Naive { network: &network, loss, weight_decay: 0.01, sparsity: None, data: &data, fault };
            let report = GradientCheck::default().run(&mut naive, &theta).unwrap();
            assert!(report.cost.is_finite() && report.total.wrong > 0, "{size} {hidden}");
        }
    }
}

/// A cost whose gradient is divided by the number of outputs.
struct ScaledByOutputs<'a>(Cost<'a, f64>, f64);

impl Objective<f64> for ScaledByOutputs<'_> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn cost(&mut self, theta: &[f64]) -> f64 {
        self.0.cost(theta)
    }
    fn cost_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let cost = self.0.cost_and_gradient(theta, gradient);
        gradient.iter_mut().for_each(|g| *g /= self.1);
        cost
    }
    fn has_kink_between(&mut self, one: &[f64], other: &[f64]) -> bool {
        self.0.has_kink_between(one, other)
    }
}

/// Smoothed targets are those of a copy whose targets are smoothed, bit for bit; their gradient is right, and the naive one.
#[test]
fn smoothed_targets_are_as_a_smoothed_copy() {
    for (loss, output, outputs) in [
        (Loss::CrossEntropy, Activation::Softmax, 3),
        (Loss::CrossEntropy, Activation::Sigmoid, 1),
        (Loss::SquaredError, Activation::Sigmoid, 2),
    ] {
        for (rows, weighted) in [(5, true), (700, false)] {
            let network = Network::new(4, &[(5, Activation::Tanh), (outputs, output)]).unwrap();
            let data = examples(4, outputs, loss, output, weighted, rows, 81);
            let theta = parameters(network.parameter_count(), 0.8, 82);
            let epsilon = 0.1;
            let copy = data.targets().mapv(|y| (1.0 - epsilon) * y + epsilon / outputs.max(2) as f64);
            let copy = surefoot::Dataset::new(data.inputs().to_owned(), copy).unwrap();
            let copy = match data.weights() {
                Some(weights) => copy.with_weights(weights.to_vec()).unwrap(),
                None => copy,
            };
            let mut smoothed = Cost::new(&network, loss, 0.1, &data).unwrap().with_label_smoothing(epsilon).unwrap();
            let mut of_copy = Cost::new(&network, loss, 0.1, &copy).unwrap();
            let (mut gradient, mut expected) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            let cost = smoothed.cost_and_gradient(&theta, &mut gradient);
            assert_eq!(cost, of_copy.cost_and_gradient(&theta, &mut expected));
            assert_eq!(gradient, expected);
            let plain = Cost::new(&network, loss, 0.1, &data).unwrap().cost(&theta);
            assert_ne!(cost, plain, "{loss} {output}");
            if rows < 100 {
                assert!(GradientCheck::default().run(&mut smoothed, &theta).unwrap().passed());
                let (sparsity, fault) = (None, Fault::None);
                let mut naive = Naive { network: &network, loss, weight_decay: 0.1, sparsity, data: &copy, fault };
                assert!((naive.cost(&theta) - cost).abs() <= 1e-14 * cost, "{loss} {output}");
            }
        }
    }
    let network = Network::new(4, &[(2, Activation::Sigmoid)]).unwrap();
    let data = examples(4, 2, Loss::CrossEntropy, Activation::Sigmoid, false, 5, 83);
    for epsilon in [-0.1, 1.0, f64::NAN] {
        let cost = Cost::new(&network, Loss::CrossEntropy, 0.0, &data).unwrap();
        assert!(cost.with_label_smoothing(epsilon).unwrap_err().to_string().starts_with("label smoothing"));
    }
}

/// (8w): an example with the weight 2 is two examples, one with the weight 0 is none, in each batch; λ is divided by the weight, too.
#[test]
fn per_weight_an_example_counts_as_often_as_its_weight_says() {
    let network = Network::new(3, &[(4, Activation::Tanh), (2, Activation::Identity)]).unwrap();
    let theta = parameters(network.parameter_count(), 0.8, 91);
    let all = examples(3, 2, Loss::SquaredError, Activation::Identity, false, 6, 92);
    let weights = [2.0, 0.0, 1.0, 3.0, 0.0, 1.0];
    let repeated: Vec<usize> = (0..6).flat_map(|row| vec![row; weights[row] as usize]).collect();
    let (weighted, repeated) = (all.clone().with_weights(weights.to_vec()).unwrap(), all.select(&repeated).unwrap());
    let cost_and_gradient = |data: &Dataset<f64>, rows: Option<&[usize]>| {
        let mut cost = Cost::new(&network, Loss::SquaredError, 0.7, data).unwrap().per_weight();
        let mut gradient = vec![0.0; theta.len()];
        let (value, pass) = cost.forward_backward(&theta, rows);
        pass.gradient(&theta, &mut gradient);
        (value, gradient)
    };
    let near = |(one, of_one): (f64, Vec<f64>), (other, of_other): (f64, Vec<f64>)| {
        assert!((one - other).abs() < 1e-14, "{one} {other}");
        assert!(of_one.iter().zip(&of_other).all(|(a, b)| (a - b).abs() < 1e-14));
    };
    near(cost_and_gradient(&weighted, None), cost_and_gradient(&repeated, None));
    near(cost_and_gradient(&weighted, Some(&[0, 1, 2])), cost_and_gradient(&repeated, Some(&[0, 1, 2])));
    near(cost_and_gradient(&weighted, Some(&[1, 4])), (0.0, vec![0.0; theta.len()]));
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.7, &weighted).unwrap().per_weight();
    let undecayed = Cost::new(&network, Loss::SquaredError, 0.0, &weighted).unwrap().cost(&theta);
    let squares: f64 = (0..2).flat_map(|l| network.weight(&theta, l).into_iter().map(|w| w * w)).sum();
    assert!((cost.cost(&theta) - (undecayed + 0.35 * squares / 7.0)).abs() < 1e-14);
    assert!(GradientCheck::default().run(&mut cost, &theta).unwrap().passed());
}
