//! Pretraining layer by layer: what each stage learns from what, where it goes in θ, and what is refused.

use crate::common::{examples, parameters};
use ndarray::Array2;
use surefoot::pretraining::{Stage, pretrain};
use surefoot::{
    Activation, Dataset, Error, Lbfgs, Loss, Network, Problem, Result, Sparsity, Trained, Training, draw_defaults,
};

fn network() -> Network {
    use Activation::{Sigmoid, Softmax, Tanh};
    Network::new(6, &[(5, Sigmoid), (4, Tanh), (3, Softmax)]).unwrap()
}

fn weighted() -> Dataset<f64> {
    examples(6, 3, Loss::CrossEntropy, Activation::Softmax, true, 70, 5)
}

/// The stages of a pretraining in which every layer's parameters become those that `found` says.
fn stages(data: &Dataset<f64>, start: &[f64], found: impl Fn(usize) -> f64) -> (Vec<Stage<f64>>, Vec<f64>) {
    let mut stages = Vec::new();
    let end = pretrain(&network(), Loss::CrossEntropy, start.to_vec(), data, 1, |stage| {
        stages.push(stage.clone());
        let own = stage.network.weight_range(0).len() + stage.network.bias_range(0).len();
        let learned = |i| if i < own { found(stage.layer) } else { f64::NAN }; // the decoder's are not to be kept
        Ok::<_, Error>((0..stage.network.parameter_count()).map(learned).collect())
    });
    (stages, end.unwrap())
}

#[test]
fn each_layer_learns_from_what_the_learned_layers_below_make_of_the_examples() {
    let (data, start) = (weighted(), parameters(network().parameter_count(), 0.5, 3));
    let (stages, end) = stages(&data, &start, |layer| 0.1 * (layer + 1) as f64);
    let widths: Vec<String> = stages.iter().map(|stage| stage.network.widths()).collect();
    assert_eq!(widths, ["6-5-6", "5-4-5", "4-3"]);
    let outputs: Vec<Activation> = stages.iter().map(|stage| stage.network.output_activation()).collect();
    assert_eq!(outputs, [Activation::Sigmoid, Activation::Sigmoid, Activation::Softmax]);
    let losses: Vec<Loss> = stages.iter().map(|stage| stage.loss).collect();
    assert_eq!(losses, [Loss::SquaredError, Loss::SquaredError, Loss::CrossEntropy]);

    // by hand: all parameters of the first layer are 0.1, those of the second 0.2
    let first = data.inputs().map_axis(ndarray::Axis(1), |x| 1.0 / (1.0 + (-0.1 * x.sum() - 0.1).exp()));
    let second = first.mapv(|a| (0.2 * 5.0 * a + 0.2).tanh());
    for (row, (&a, &b)) in first.iter().zip(&second).enumerate() {
        assert!(stages[1].data.inputs().row(row).iter().all(|x| (x - a).abs() < 1e-15));
        assert!(stages[2].data.inputs().row(row).iter().all(|x| (x - b).abs() < 1e-15));
    }
    assert_eq!(stages[0].data.inputs(), data.inputs());
    for stage in &stages[..2] {
        assert_eq!(stage.data.targets(), stage.data.inputs());
    }
    assert_eq!(stages[2].data.targets(), data.targets());
    assert!(stages.iter().all(|stage| stage.data.weights() == data.weights()));

    // each starts where θ has it, and ends there; its decoder starts by Glorot and goes
    let counts = [6 * 5 + 5, 5 * 4 + 4, 4 * 3 + 3];
    let mut offset = 0;
    for (layer, (stage, count)) in stages.iter().zip(counts).enumerate() {
        assert_eq!(stage.start[..count], start[offset..offset + count]);
        assert!(end[offset..offset + count].iter().all(|&theta| theta == 0.1 * (layer + 1) as f64));
        let decoder = &stage.start[count..];
        if layer < 2 {
            let (inputs, units) = (stage.network.inputs(), count / (stage.network.inputs() + 1));
            let range = (6.0 / (inputs + units) as f64).sqrt();
            let (weights, bias) = decoder.split_at(inputs * units);
            assert!(weights.iter().all(|w| w.abs() <= range) && weights.iter().any(|w| w.abs() > 0.5 * range));
            assert!(bias.len() == inputs && bias.iter().all(|&b| b == 0.0));
        } else {
            assert!(decoder.is_empty());
        }
        offset += count;
    }
    assert_eq!(offset, end.len());
}

/// Trains each stage as the exercise does.
fn fit(stage: &Stage<f32>) -> Result<Trained<f32>> {
    let sparsity = (stage.layer < 2).then_some(Sparsity { target: 0.2, weight: 0.5 });
    let training = Training {
        optimizer: Lbfgs::default().into(),
        epochs: 40,
        weight_decay: 1e-4,
        sparsity,
        ..Training::default()
    };
    training.fit(&Problem::new(&stage.network, stage.loss, &stage.data), stage.start.clone())
}

#[test]
fn pretraining_lowers_the_cost_and_has_the_same_bits_on_any_number_of_threads() {
    let x = Array2::from_shape_fn((900, 6), |(i, j)| ((i * (j + 3) + i / 7) % 11) as f32 / 10.0);
    let class = |i: usize| (x[[i, 0]] + x[[i, 1]] > 0.6) as usize + (x[[i, 2]] > 0.7) as usize;
    let y = Array2::from_shape_fn((900, 3), |(i, k)| f32::from(class(i) == k));
    let data = Dataset::new(x, y).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut falls = Vec::new();
        let start = draw_defaults(&network(), 2);
        let theta = pool.install(|| {
            pretrain(&network(), Loss::CrossEntropy, start, &data, 2, |stage| {
                let trained = fit(stage)?;
                falls.push((trained.history[0].cost, trained.history[trained.history.len() - 1].cost));
                Ok::<_, Error>(trained.parameters)
            })
        });
        (theta.unwrap(), falls)
    };
    let one = run(1);
    assert!(one.1.len() == 3 && one.1.iter().all(|(first, last)| last < first), "{:?}", one.1);
    for threads in [2, 3, 8] {
        assert_eq!(one, run(threads), "{threads} threads");
    }
}

#[test]
fn what_cannot_be_pretrained_is_refused_before_any_layer_learns() {
    let data = weighted();
    let refusal = |layers: &[(usize, Activation)], loss, count: Option<usize>| {
        let network = Network::new(6, layers).unwrap();
        let start = vec![0.1; count.unwrap_or(network.parameter_count())];
        let never = |_: &Stage<f64>| -> Result<Vec<f64>> { panic!("a layer learned") };
        pretrain(&network, loss, start, &data, 1, never).unwrap_err().to_string()
    };
    use Activation::{Identity, Relu, Sigmoid, Softmax};
    let entropy = Loss::CrossEntropy;
    assert!(refusal(&[(3, Softmax)], entropy, None).contains("no hidden layer"));
    assert!(refusal(&[(5, Sigmoid), (4, Relu), (3, Softmax)], entropy, None).contains("got `relu`"));
    assert!(refusal(&[(5, Sigmoid), (3, Softmax)], entropy, Some(1)).contains("parameters"));
    assert!(refusal(&[(5, Sigmoid), (2, Softmax)], entropy, None).contains("targets"));
    assert!(refusal(&[(5, Sigmoid), (3, Identity)], entropy, None).contains("identity"));
}

#[test]
fn an_error_of_a_stage_ends_it() {
    let start = draw_defaults(&network(), 1);
    let mut seen = Vec::new();
    let result = pretrain(&network(), Loss::CrossEntropy, start, &weighted(), 1, |stage| {
        seen.push(stage.layer);
        if stage.layer == 1 {
            Err(Error::Setting { setting: "stage", expected: "".into(), got: "".into() })
        } else {
            Ok(stage.start.clone())
        }
    });
    assert!(result.unwrap_err().to_string().contains("stage"));
    assert_eq!(seen, [0, 1]);
}
