//! The contract of docs/gpu.md: what the GPU computes has the bits of the CPU, state by state, over a grid of settings.
//!
//! Without a GPU these tests need the emulator (`.ci/gpu` builds it and says where it is); without either they say so and pass, but where
//! `SUREFOOT_GPU_IS_THERE` is set.

mod common;

use common::{After, Setting, assert_same, gpu, settings};
use surefoot::{
    Activation, Adam, BatchSize, Dataset, GradientDescent, Lbfgs, Loss, Purpose, Random, Schedule, Sparsity, StopReason,
};

/// Every so many of the grid of `same_bits` of the library.
fn grid(stride: usize) {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::new(2, Purpose::Examples, 0);
    for setting in settings().into_iter().step_by(stride) {
        let run = setting.run();
        let cpu = run.fit(None, &[]);
        assert_same(&cpu, &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
        let step = 1 + random.below(cpu.steps() as usize - 1) as u64;
        let broken = run.fit(Some(&gpu), &[(step, None)]);
        assert_same(&cpu, &broken, &format!("from the GPU to the CPU after step {step}, {setting:?}"));
        let broken = run.fit(None, &[(step, Some(&gpu))]);
        assert_same(&cpu, &broken, &format!("from the CPU to the GPU after step {step}, {setting:?}"));
    }
}

#[test]
fn some_trainings_have_the_same_bits() {
    grid(23);
}

#[test]
#[ignore = "takes minutes"]
fn the_grid_of_trainings_has_the_same_bits() {
    grid(1);
}

/// Hidden layers of each kind, with outputs and losses of each kind.
#[test]
fn every_activation_and_loss_has_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let outputs = Activation::ALL.map(|output| (Loss::SquaredError, output)).into_iter().chain([
        (Loss::CrossEntropy, Activation::Sigmoid),
        (Loss::CrossEntropy, Activation::Softmax),
        (Loss::Poisson, Activation::Exp),
    ]);
    let hidden: Vec<Activation> =
        Activation::ALL.into_iter().filter(|activation| !activation.is_for_outputs()).collect();
    for (i, (loss, output)) in outputs.enumerate() {
        for (k, &activation) in hidden.iter().enumerate() {
            let layers = vec![(21, activation), (18, hidden[(i + k) % hidden.len()]), ([3, 1, 19][k % 3], output)];
            let setting = Setting {
                loss,
                output,
                layers,
                inputs: 13,
                rows: 75,
                batch_size: BatchSize::Rows(33),
                label_smoothing: if loss == Loss::CrossEntropy { 0.1 } else { 0.0 },
                is_weighted: k % 2 == 0,
                ..Setting::default()
            };
            let run = setting.run();
            assert_same(&run.fit(None, &[]), &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
        }
    }
}

/// Sums of more than one segment, batches of several blocks and leaves, all kinds of tiles.
#[test]
fn large_networks_and_batches_have_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let layers = |widths: &[usize], output| {
        let hidden = widths.iter().map(|&units| (units, Activation::Tanh));
        hidden.chain([(3, output)]).collect::<Vec<_>>()
    };
    for (inputs, widths, rows, batch_size, is_sparse) in [
        (300, vec![140, 270], 130, BatchSize::Rows(64), false),
        (600, vec![5], 40, BatchSize::Rows(40), true),
        (6, vec![9, 7], 1450, BatchSize::Rows(1250), true),
        (3, vec![], 16_000, BatchSize::Full, false),
        (3, vec![4], 16_000, BatchSize::Full, true),
    ] {
        let setting = Setting {
            layers: layers(&widths, Activation::Softmax),
            loss: Loss::CrossEntropy,
            output: Activation::Softmax,
            inputs,
            rows,
            batch_size,
            is_sparse,
            is_weighted: true,
            ..Setting::default()
        };
        let run = setting.run();
        assert_same(&run.fit(None, &[]), &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
    }
}

#[test]
fn every_optimizer_and_schedule_has_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    for (optimizer, schedule, rows) in [
        (Adam { ntp: true, ..adam }.into(), Schedule::CosineCycles, 16),
        (Adam { epsilon_hat: true, ..adam }.into(), Schedule::Cosine, 16),
        (GradientDescent::default().into(), Schedule::Step { every: 1, factor: 0.5 }, 600),
        (Lbfgs::default().into(), Schedule::Constant, 600),
    ] {
        let batch_size = if rows == 600 { BatchSize::Full } else { BatchSize::Rows(rows) };
        let setting = Setting { optimizer, schedule, rows: 600, batch_size, epochs: 3, ..Setting::default() };
        let run = setting.run();
        assert_same(&run.fit(None, &[]), &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
    }
}

/// A cost that is not finite ends the training before the same step, a gradient that is not after it.
#[test]
fn trainings_end_at_the_same_step() {
    let Some(gpu) = gpu() else { return };
    for (learning_rate, momentum) in [(1e4, 0.0), (3e2, 0.9), (1e30, 0.0), (1e36, 0.0)] {
        let optimizer = GradientDescent { learning_rate, momentum, nesterov: false }.into();
        let layers = vec![(7, Activation::Relu), (6, Activation::LeakyRelu), (2, Activation::Identity)];
        let setting =
            Setting { optimizer, layers, output: Activation::Identity, inputs: 5, epochs: 9, ..Setting::default() };
        let run = setting.run();
        let cpu = run.fit(None, &[]);
        assert!(matches!(cpu.stopped(), Some(StopReason::NotFinite { .. })), "{:?}", cpu.stopped());
        assert_same(&cpu, &run.fit(Some(&gpu), &[]), &format!("{setting:?}"));
    }
}

/// Costs in double precision that are finite, of gradients in single precision that are not.
#[test]
fn gradients_that_are_not_finite_end_a_training_after_their_step() {
    let Some(gpu) = gpu() else { return };
    for batch_size in [BatchSize::Rows(16), BatchSize::Full] {
        let layers = vec![(7, Activation::Relu), (2, Activation::Identity)];
        let output = Activation::Identity;
        let mut run = Setting { layers, output, inputs: 5, rows: 600, batch_size, ..Setting::default() }.run();
        let inputs = run.data.inputs().mapv(|x| 1e12 * x);
        run.data = Dataset::new(inputs, run.data.targets().mapv(|y| 1e30 * y)).unwrap();
        let cpu = run.fit(None, &[]);
        assert!(matches!(cpu.stopped(), Some(StopReason::NotFinite { layer: Some(_), .. })), "{:?}", cpu.stopped());
        assert_same(&cpu, &run.fit(Some(&gpu), &[]), &format!("{batch_size}"));
    }
}

/// An observer of steps sees the state after each of them.
#[test]
fn an_observer_sees_the_same_states() {
    let Some(gpu) = gpu() else { return };
    let setting = Setting { rows: 100, batch_size: BatchSize::Rows(16), ..Setting::default() };
    let run = setting.run();
    for step in 1..8 {
        let until = |device| run.part(run.start(), device, &mut After(step));
        assert_same(&until(None), &until(Some(&gpu)), &format!("after step {step}"));
    }
}

/// Weights that are all 0 in a batch, with sparsity.
#[test]
fn batches_that_do_not_count_have_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let sparsity = Some(Sparsity { target: 0.1, weight: 2.0 });
    let setting =
        Setting { is_weighted: true, is_sparse: true, batch_size: BatchSize::Rows(1), rows: 40, ..Setting::default() };
    let mut run = setting.run();
    run.training.sparsity = sparsity;
    run.data = run.data.clone().with_weights((0..40).map(|i| f32::from(u8::from(i % 3 == 0))).collect()).unwrap();
    assert_same(&run.fit(None, &[]), &run.fit(Some(&gpu), &[]), "weights of 0");
}
