//! The grid of settings over which trainings have the same bits: on any number of threads, after a break, and on a GPU, whose tests take
//! this file as well (`surefoot-gpu/tests/common`).

use surefoot::{Activation, Adam, BatchSize, GradientDescent, Lbfgs, Loss, Optimizer};

/// All that decides a training, but the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub optimizer: Optimizer,
    pub loss: Loss,
    pub output: Activation,
    pub batch_size: BatchSize,
    pub is_weighted: bool,
    pub is_sparse: bool,
    pub validates: bool,
}

/// All of them.
pub fn settings() -> Vec<Setting> {
    let descent = |momentum, nesterov| GradientDescent { learning_rate: 0.01, momentum, nesterov };
    let optimizers: [Optimizer; 5] = [
        descent(0.0, false).into(),
        descent(0.9, false).into(),
        descent(0.9, true).into(),
        Adam::default().into(),
        Lbfgs::default().into(),
    ];
    let losses = [
        (Loss::SquaredError, Activation::Tanh),
        (Loss::CrossEntropy, Activation::Sigmoid),
        (Loss::CrossEntropy, Activation::Softmax),
    ];
    let mut settings = Vec::new();
    for optimizer in optimizers {
        for (loss, output) in losses {
            for batch_size in [BatchSize::Rows(1), BatchSize::Rows(7), BatchSize::Rows(32), BatchSize::Full] {
                if matches!(optimizer, Optimizer::Lbfgs(_)) && batch_size != BatchSize::Full {
                    continue;
                }
                for bits in 0..8 {
                    let (is_weighted, is_sparse, validates) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                    settings.push(Setting { optimizer, loss, output, batch_size, is_weighted, is_sparse, validates });
                }
            }
        }
    }
    settings
}
