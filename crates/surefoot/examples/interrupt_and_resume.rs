//! An observer interrupts a training in the middle of an epoch; resumed from its checkpoint, the training ends with the
//! same bits as one that was never interrupted.
//!
//! `cargo run --release -p surefoot --example interrupt_and_resume`

use std::ops::ControlFlow;
use std::path::PathBuf;

use ndarray::{Array2, Axis};
use serde_json::json;
use surefoot::{
    Activation, Checkpoint, Dataset, Loss, Network, Observer, Problem, Purpose, Random, StopReason, Training,
    TrainingState, draw_defaults,
};

/// Writes a checkpoint and ends the training after a number of steps, as a signal or a deadline would.
struct Interrupt {
    after: u64,
    path: PathBuf,
    /// An observer cannot return an error, so it keeps it for the caller.
    failure: Option<surefoot::Error>,
}

impl Observer<f32> for Interrupt {
    fn step(&mut self, state: &TrainingState<f32>) -> ControlFlow<()> {
        if state.steps() < self.after {
            return ControlFlow::Continue(());
        }
        // written atomically; the note holds whatever the program needs to find its data again
        self.failure = state.save(&self.path, &[], &json!({"data": "two rings"})).err();
        ControlFlow::Break(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // points of two classes: inside a ring or not
    let mut random = Random::new(3, Purpose::Examples, 0);
    let x = Array2::from_shape_simple_fn((600, 2), || (2.0 * random.uniform() - 1.0) as f32);
    let is_within = |r: f32| f32::from(u8::from((0.4..0.8).contains(&r)));
    let y = x.map_axis(Axis(1), |row| is_within(row[0].hypot(row[1]))).insert_axis(Axis(1));
    let data = Dataset::new(x, y)?;
    let network = Network::new(2, &[(24, Activation::Tanh), (24, Activation::Tanh), (1, Activation::Sigmoid)])?;
    let problem = Problem::new(&network, Loss::CrossEntropy, &data);
    let training = Training { epochs: 60, ..Training::default() };

    let whole = training.fit(&problem, draw_defaults(&network, 3))?;
    println!("in one go:    {} steps, cost {:.6}", whole.steps, whole.history[59].cost);

    // the same again up to step 500, in the middle of epoch 27
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rings.checkpoint");
    let mut interrupt = Interrupt { after: 500, path: path.clone(), failure: None };
    let mut state = training.start(&problem, draw_defaults(&network, 3))?;
    let reason = training.resume_with(&problem, &mut state, &mut interrupt)?;
    assert_eq!(reason, StopReason::Observer);
    interrupt.failure.map_or(Ok(()), Err)?;
    println!("interrupted:  {} steps, {} complete epochs", state.steps(), state.history().len());
    drop(state);

    // another process would start here, with the settings, the data and the file; other settings or data are refused
    let mut state = Checkpoint::open(&path)?.state::<f32>(&training)?;
    let reason = training.resume(&problem, &mut state)?;
    let resumed = state.into_trained(reason);
    println!("resumed:      {} steps, cost {:.6}", resumed.steps, resumed.history[59].cost);

    let bits = |theta: &[f32]| theta.iter().map(|w| w.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&resumed.parameters), bits(&whole.parameters));
    println!("the same bits in all {} parameters", whole.parameters.len());
    Ok(())
}
