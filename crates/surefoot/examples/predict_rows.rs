//! Prediction alone, embedded in a program: a model file is loaded once, then each row is predicted without an allocation,
//! with the same bits as when many rows are predicted together.
//!
//! `cargo run --release -p surefoot --example predict_rows [MODEL.safetensors]`

use std::time::Instant;

use ndarray::ArrayView2;
use surefoot::{Activation, Loss, Model, Network, Parameters, Predictor, Purpose, Random, Scaling, draw_defaults};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // your own model, or one made up here
    let folder = tempfile::tempdir()?;
    let path = std::env::args().nth(1).map_or_else(|| folder.path().join("model.safetensors"), Into::into);
    if std::env::args().nth(1).is_none() {
        made_up()?.save(&path)?;
    }
    let model = Model::load(&path)?;
    println!("{}", model.network);

    // the weights are packed once; θ may be in either precision
    let theta: Vec<f32> = match &model.parameters {
        Parameters::F32(theta) => theta.clone(),
        Parameters::F64(theta) => theta.iter().map(|&w| w as f32).collect(),
    };
    let mut predictor = Predictor::new(&model.network, theta)?;

    // inputs come in their own units and are scaled as for training, here into one buffer
    let inputs = model.network.inputs();
    let ones = Scaling { centre: vec![0.0; inputs], scale: vec![1.0; inputs], limit: None };
    let scaling = model.input_scaling.as_ref().unwrap_or(&ones);
    let mut scaled = vec![0f32; inputs];

    let mut random = Random::new(1, Purpose::Examples, 0);
    let rows: Vec<f64> = (0..10_000 * inputs).map(|_| random.normal()).collect();
    let mut counts = vec![0usize; model.class_count()];
    let clock = Instant::now();
    for row in rows.chunks_exact(inputs) {
        for (j, x) in row.iter().enumerate() {
            let x = (x - scaling.centre[j]) / scaling.scale[j];
            scaled[j] = scaling.limit.map_or(x, |limit| x / (1.0 + (x / limit).powi(2)).sqrt()) as f32;
        }
        let h = predictor.predict(&scaled)?;
        let class = match h {
            [p] => usize::from(*p > 0.5), // one output distinguishes two classes
            probabilities => (0..probabilities.len())
                .fold(0, |best, k| if probabilities[k] > probabilities[best] { k } else { best }),
        };
        counts[class] += 1;
    }
    let each = clock.elapsed().as_secs_f64() / 10_000.0;
    println!("10,000 rows one by one, {:.2} µs each", 1e6 * each);
    counts.iter().enumerate().for_each(|(class, n)| println!("  {:<12}{n:>6}", model.class_name(class)));

    // a row's prediction does not depend on other rows: the last row alone gives what it gives among all
    let alone = predictor.predict(&scaled)?.iter().map(|&h| f64::from(h)).collect::<Vec<_>>();
    let together = model.predict(ArrayView2::from_shape((10_000, inputs), &rows)?)?;
    println!("the last row, alone: {alone:.6?}; among all: {:.6?}", together.row(9_999).to_vec());
    Ok(())
}

/// Three classes from four numbers, untrained.
fn made_up() -> surefoot::Result<Model> {
    let network = Network::new(4, &[(64, Activation::Selu), (3, Activation::Softmax)])?;
    let theta: Vec<f32> = draw_defaults(&network, 1);
    let mut model = Model::new(network, theta.into(), Loss::CrossEntropy, 0.0)?;
    model.classes = ["setosa", "versicolor", "virginica"].map(String::from).into();
    model.input_scaling = Some(Scaling { centre: vec![0.5; 4], scale: vec![2.0; 4], limit: Some(3.0) });
    Ok(model)
}
