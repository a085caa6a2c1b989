//! Fits a sum of waves from arrays in memory: checks the gradient, trains with a validation part, and saves the model.
//!
//! `cargo run --release -p surefoot --example train_and_save`

use std::ops::ControlFlow;

use ndarray::{Array2, Axis};
use surefoot::metrics::r_squared;
use surefoot::split::Held;
use surefoot::{
    Activation, Dataset, Epoch, Loss, Model, Network, Problem, Purpose, Random, Scaling, Split, Training, draw_defaults,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1,000 points of y = sin x₁ + ½ cos 2x₂, made up here
    let mut random = Random::new(7, Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((1000, 2), || 6.0 * random.uniform() - 3.0);
    let y = x.map_axis(Axis(1), |row| f64::sin(row[0]) + 0.5 * f64::cos(2.0 * row[1])).insert_axis(Axis(1));

    // a fifth of the rows is for validation: it decides when to stop and which parameters are kept
    let all: Vec<usize> = (0..1000).collect();
    let (learned, held) = Split { classes: None, groups: None, seed: 7 }.part(&all, 0.2, Held::Validation)?;

    // networks train best on standardized numbers; the model keeps the scaling, so that predictions have the unit of y
    let (inputs, targets) = (Scaling::standard(x.view()), Scaling::standard(y.view()));
    let examples = Dataset::new(inputs.apply(x.view()), targets.apply(y.view()))?;
    let (training_part, validation_part) = (examples.select(&learned)?, examples.select(&held)?);

    let network = Network::new(2, &[(32, Activation::Tanh), (32, Activation::Tanh), (1, Activation::Identity)])?;
    let start: Vec<f64> = draw_defaults(&network, 7);
    println!("{network}");

    let problem = Problem::new(&network, Loss::SquaredError, &training_part).with_validation(Some(&validation_part));
    let training = Training { epochs: 300, patience: 30, ..Training::default() };

    // `fit` runs this check too, and refuses to train with a wrong gradient; here we look at the result
    let report = training.check_gradient(&problem)?;
    println!("gradient check: {} coordinates, difference {:.1e}", report.total.checked, report.total.difference);

    // an observer may be a closure; `training.fit(&problem, start)` trains without one
    let trained = training.fit_with(&problem, start, &mut |epoch: &Epoch| {
        if epoch.epoch.is_multiple_of(100) {
            println!("epoch {}: cost {:.4}", epoch.epoch, epoch.cost);
        }
        ControlFlow::Continue(())
    })?;
    println!(
        "{} after {} epochs, best epoch {}",
        trained.stop_reason.name(),
        trained.history.len(),
        trained.best_epoch
    );

    // the model file holds everything that a prediction needs, and is read back bit for bit
    let mut model = Model::new(network, trained.parameters.into(), Loss::SquaredError, 0.0)?;
    (model.input_scaling, model.target_scaling) = (Some(inputs), Some(targets));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("waves.safetensors");
    model.save(&path)?;
    let loaded = Model::load(&path)?;
    assert_eq!(loaded, model);

    let predicted = loaded.predict(x.select(Axis(0), &held).view())?;
    println!("R² on the validation rows: {:.4}", r_squared(predicted.view(), y.select(Axis(0), &held).view()));
    println!("model file: {} bytes", std::fs::metadata(&path)?.len());
    Ok(())
}
