//! How θ moves: optimizers over flat slices, and the schedule of their learning rate.

mod adam;
mod gradient_descent;
mod schedule;

pub use adam::Adam;
pub use gradient_descent::GradientDescent;
pub use schedule::Schedule;

use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;

/// One of the optimizers, with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// The notes' gradient descent, with momentum if wanted.
    GradientDescent(GradientDescent),
    /// Adam.
    Adam(Adam),
}

impl Optimizer {
    /// α before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Optimizer::GradientDescent(settings) => settings.learning_rate,
            Optimizer::Adam(settings) => settings.learning_rate,
        }
    }

    /// That all settings are in their ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn check(&self) -> Result<()> {
        let above_zero = ("a finite number above 0", f64::MIN_POSITIVE..f64::INFINITY);
        let share = ("a number from 0 to 1, 1 excluded", 0.0..1.0);
        let settings = match *self {
            Optimizer::GradientDescent(GradientDescent { learning_rate, momentum, .. }) => {
                vec![("learning rate", learning_rate, &above_zero), ("momentum", momentum, &share)]
            }
            Optimizer::Adam(Adam { learning_rate, beta1, beta2, epsilon }) => vec![
                ("learning rate", learning_rate, &above_zero),
                ("beta1", beta1, &share),
                ("beta2", beta2, &share),
                ("epsilon", epsilon, &above_zero),
            ],
        };
        match settings.into_iter().find(|(_, value, (_, range))| !range.contains(value)) {
            None => Ok(()),
            Some((setting, value, (expected, _))) => {
                Err(Error::Setting { setting, expected: (*expected).into(), got: value.to_string() })
            }
        }
    }

    /// The state before the first step, for a θ of this length.
    pub fn start<T: Scalar>(&self, length: usize) -> OptimizerState<T> {
        let zeros = |needed: bool| vec![T::zero(); if needed { length } else { 0 }];
        match self {
            Optimizer::GradientDescent(settings) => {
                OptimizerState { steps: 0, first: zeros(settings.momentum > 0.0), second: Vec::new() }
            }
            Optimizer::Adam(_) => OptimizerState { steps: 0, first: zeros(true), second: zeros(true) },
        }
    }

    /// Moves θ = `parameters` one step against `gradient`, with the learning rate of this step.
    pub fn step<T: Scalar>(
        &self,
        state: &mut OptimizerState<T>,
        parameters: &mut [T],
        gradient: &[T],
        learning_rate: f64,
    ) {
        state.steps += 1;
        match self {
            Optimizer::GradientDescent(settings) => vectorized(
                #[inline(always)]
                || settings.step(&mut state.first, parameters, gradient, learning_rate),
            ),
            Optimizer::Adam(settings) => vectorized(
                #[inline(always)]
                || settings.step(state, parameters, gradient, learning_rate),
            ),
        }
    }
}

/// What an optimizer remembers from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState<T> {
    /// Steps taken.
    pub steps: u64,
    /// Gradient descent: the velocity, empty without momentum. Adam: the first moments. As long as θ.
    pub first: Vec<T>,
    /// Adam: the second moments, as long as θ; else empty.
    pub second: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        let descent = GradientDescent::default();
        let adam = Adam::default();
        for (optimizer, setting) in [
            (Optimizer::GradientDescent(GradientDescent { learning_rate: 0.0, ..descent }), "learning rate"),
            (Optimizer::GradientDescent(GradientDescent { learning_rate: f64::NAN, ..descent }), "learning rate"),
            (Optimizer::GradientDescent(GradientDescent { momentum: 1.0, ..descent }), "momentum"),
            (Optimizer::Adam(Adam { learning_rate: f64::INFINITY, ..adam }), "learning rate"),
            (Optimizer::Adam(Adam { beta1: -0.1, ..adam }), "beta1"),
            (Optimizer::Adam(Adam { beta2: 1.0, ..adam }), "beta2"),
            (Optimizer::Adam(Adam { epsilon: 0.0, ..adam }), "epsilon"),
        ] {
            let message = optimizer.check().unwrap_err().to_string();
            assert!(message.starts_with(setting), "{message}");
        }
        assert!(Optimizer::Adam(adam).check().is_ok());
    }
}
