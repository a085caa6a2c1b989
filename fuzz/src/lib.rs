//! The trainings whose checkpoints are fuzzed.

use ndarray::Array2;
use surefoot::{
    Activation, Adam, Dataset, GradientDescent, Lbfgs, Loss, Network, Optimizer, Problem, Scalar, Training,
};

pub struct Run<T> {
    pub network: Network,
    pub loss: Loss,
    pub training: Training,
    pub data: Dataset<T>,
}

/// One for each optimizer.
pub fn runs<T: Scalar>() -> Vec<Run<T>> {
    let optimizers: [Optimizer; 3] = [
        Adam::default().into(),
        GradientDescent { learning_rate: 0.1, momentum: 0.9, nesterov: true }.into(),
        Lbfgs { history: 2, ..Lbfgs::default() }.into(),
    ];
    let number = |(i, j): (usize, usize)| T::from_f64((i * 3 + j) as f64 / 10.0);
    let run = |optimizer| Run {
        network: Network::new(2, &[(2, Activation::Tanh), (1, Activation::Sigmoid)]).unwrap(),
        loss: Loss::SquaredError,
        training: Training { optimizer, epochs: 4, patience: 2, ..Training::default() },
        data: Dataset::new(Array2::from_shape_fn((3, 2), number), Array2::from_shape_fn((3, 1), number)).unwrap(),
    };
    optimizers.into_iter().map(run).collect()
}

impl<T: Scalar> Run<T> {
    /// What is minimised.
    pub fn problem(&self) -> Problem<'_, T> {
        Problem::new(&self.network, self.loss, &self.data)
    }
}
