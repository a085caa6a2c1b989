//! Learns a sum of waves from numbers in memory: checks the gradient, trains, and keeps the model in a file.
//!
//! `cargo run --release -p surefoot --example train_and_save`

use ndarray::{Array2, Axis};
use surefoot::metrics::r_squared;
use surefoot::{
    Activation, Cost, Dataset, GradientCheck, Held, Loss, Model, Network, Purpose, Random, Scaling, Split, Training,
    draw_defaults,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1,000 points of y = sin x₁ + ½ cos 2x₂, without a file
    let mut random = Random::new(7, Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((1000, 2), || 6.0 * random.uniform() - 3.0);
    let y = x.map_axis(Axis(1), |row| f64::sin(row[0]) + 0.5 * f64::cos(2.0 * row[1])).insert_axis(Axis(1));

    // a fifth of the rows decides when to stop
    let all: Vec<usize> = (0..1000).collect();
    let (learned, held) = Split { classes: None, groups: None, seed: 7 }.part(&all, 0.2, Held::Validation)?;

    // networks learn best from numbers around 0; the model keeps the scaling, so that predictions have the unit of y
    let (inputs, targets) = (Scaling::standard(x.view()), Scaling::standard(y.view()));
    let examples = Dataset::new(inputs.apply(x.view()), targets.apply(y.view()))?;
    let (training_part, validation_part) = (examples.select(&learned)?, examples.select(&held)?);

    let network = Network::new(2, &[(32, Activation::Tanh), (32, Activation::Tanh), (1, Activation::Identity)])?;
    let start: Vec<f64> = draw_defaults(&network, 7);
    println!("{network}");

    // is the gradient right? each coordinate of a sample beside its two-sided difference
    let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &training_part)?;
    let report = GradientCheck { sample: Some(200), ..GradientCheck::default() }.run(&mut cost, &start)?;
    let verdict = if report.passed() { "right" } else { "wrong" };
    println!("gradient: {verdict}, {} coordinates apart by {:.1e}", report.total.checked, report.total.difference);

    let training = Training { epochs: 300, patience: 30, task: surefoot::Task::Regression, ..Training::default() };
    let trained = training.fit(&network, Loss::SquaredError, start, &training_part, Some(&validation_part), &mut ())?;
    println!("{} after {} epochs, best {}", trained.stop_reason.name(), trained.history.len(), trained.best_epoch);

    // the model has everything that a prediction needs, and comes back bit for bit
    let mut model = Model::new(network, trained.parameters.into(), Loss::SquaredError, 0.0)?;
    (model.input_scaling, model.target_scaling) = (Some(inputs), Some(targets));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("waves.safetensors");
    model.save(&path)?;
    let loaded = Model::load(&path)?;
    assert_eq!(loaded, model);

    let predicted = loaded.predict(x.select(Axis(0), &held).view())?;
    println!("R² on rows not learned from: {:.4}", r_squared(predicted.view(), y.select(Axis(0), &held).view()));
    println!("model file: {} bytes", std::fs::metadata(&path)?.len());
    Ok(())
}
