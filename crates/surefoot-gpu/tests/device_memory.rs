//! Less memory than the examples need, as the emulator has it where `SUREFOOT_EMULATOR_MEMORY` says so: each test runs itself again with
//! that. On a GPU they are as the others.

mod common;

use std::process::Command;

use common::{Setting, assert_same, gpu};
use surefoot::{Activation, BatchSize, Device, Lbfgs, Loss, Problem, draw_defaults};

/// Runs an ignored test of this file in a process whose GPU has so many bytes.
fn with_memory(bytes: usize, test: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("SUREFOOT_EMULATOR_MEMORY", bytes.to_string());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// 16,000 rows of 13 numbers have 832,000 bytes.
fn streamed() -> Setting {
    let layers = vec![(7, Activation::Tanh), (4, Activation::Sigmoid), (3, Activation::Softmax)];
    let (loss, output) = (Loss::CrossEntropy, Activation::Softmax);
    Setting { layers, loss, output, inputs: 9, rows: 16_000, is_weighted: true, epochs: 1, ..Setting::default() }
}

#[test]
fn examples_that_do_not_fit_are_streamed() {
    with_memory(500_000, "streaming_gives_the_same_bits");
}

#[test]
#[ignore = "run by the test above"]
fn streaming_gives_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    for setting in [
        Setting { batch_size: BatchSize::Rows(500), validates: true, ..streamed() },
        Setting { batch_size: BatchSize::Rows(3000), is_sparse: true, ..streamed() },
        Setting { batch_size: BatchSize::Full, is_sparse: true, validates: true, ..streamed() },
        Setting { batch_size: BatchSize::Full, optimizer: Lbfgs::default().into(), epochs: 3, ..streamed() },
    ] {
        let run = setting.run();
        assert_same(&run.fit(None, &[]), &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
    }
}

#[test]
fn too_little_memory_is_an_error_that_says_what_would_fit() {
    with_memory(100_000, "what_does_not_fit_is_refused");
}

#[test]
#[ignore = "run by the test above"]
fn what_does_not_fit_is_refused() {
    let Some(gpu) = gpu().filter(|_| std::env::var_os("SUREFOOT_GPU_IS_THERE").is_some()) else { return };
    let refused = |units, batch| {
        let layers = vec![(units, Activation::Tanh), (3, Activation::Softmax)];
        let run = Setting { layers, batch_size: BatchSize::Rows(batch), ..streamed() }.run();
        let device: &dyn Device<f32> = &gpu;
        let problem = Problem::new(&run.network, run.loss, &run.data).with_device(Some(device));
        let fitted = run.training.fit(&problem, draw_defaults(&run.network, 1));
        fitted.err().map(|error| (error.to_string(), error.hint().unwrap()))
    };
    let (message, hint) = refused(100, 512).unwrap();
    assert!(message.contains("out of memory on ") && message.contains("rows would fit"), "{message}");
    assert!(hint.contains("smaller batches"), "{hint}");
    let (message, _) = refused(2000, 512).unwrap();
    assert!(message.contains("the network 9-2000-3 alone needs 2 MB"), "{message}");
}
