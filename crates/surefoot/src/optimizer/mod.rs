//! How θ moves: optimizers over flat slices, and the schedule of their learning rate.

mod adam;
mod gradient_descent;
mod schedule;

pub use adam::Adam;
use adam::AdamStep;
pub use gradient_descent::GradientDescent;
pub use schedule::Schedule;

use crate::error::{Error, Result};
use crate::numeric::prefetch::prefetch;
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
        let mut step = self.begin(state, parameters, learning_rate);
        vectorized(
            #[inline(always)]
            || step.apply(0, gradient),
        );
    }

    /// Begins the next step, which then takes the gradient part by part.
    pub(crate) fn begin<'a, T: Scalar>(
        &self,
        state: &'a mut OptimizerState<T>,
        parameters: &'a mut [T],
        learning_rate: f64,
    ) -> Step<'a, T> {
        state.steps += 1;
        let rule = match self {
            Optimizer::GradientDescent(settings) => Rule::GradientDescent(*settings, T::from_f64(learning_rate)),
            Optimizer::Adam(settings) => Rule::Adam(AdamStep::new(settings, state.steps, learning_rate)),
        };
        Step { rule, parameters, first: &mut state.first, second: &mut state.second }
    }
}

/// A step in progress, over θ or a part of it.
pub(crate) struct Step<'a, T> {
    rule: Rule<T>,
    parameters: &'a mut [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

/// An optimizer's rule, with the numbers of the step.
#[derive(Clone, Copy)]
enum Rule<T> {
    GradientDescent(GradientDescent, T),
    Adam(AdamStep<T>),
}

impl<T: Scalar> Step<'_, T> {
    /// The part of θ that it is over.
    #[inline(always)]
    pub fn parameters(&self) -> &[T] {
        self.parameters
    }

    /// Asks memory for so many parameters from `at` on, and what is remembered of them.
    #[inline(always)]
    pub fn expect(&self, at: usize, count: usize) {
        for numbers in [&*self.parameters, self.first, self.second] {
            prefetch(numbers.get(at..at + count).unwrap_or_default());
        }
    }

    /// Moves the parameters from `at` on against their gradient.
    #[inline(always)]
    pub fn apply(&mut self, at: usize, gradient: &[T]) {
        let range = at..at + gradient.len();
        let parameters = &mut self.parameters[range.clone()];
        // empty where the rule has no use for it
        let first = self.first.get_mut(range.clone()).unwrap_or_default();
        let second = self.second.get_mut(range).unwrap_or_default();
        match self.rule {
            Rule::GradientDescent(settings, alpha) => settings.apply(alpha, parameters, first, gradient),
            Rule::Adam(step) => step.apply(parameters, first, second, gradient),
        }
    }

    /// The step over the first `at` parameters, and over the rest.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        let of = |state: &[T]| at.min(state.len());
        let (parameters, first, second) = (self.parameters, self.first, self.second);
        let (firsts, seconds) = (of(first), of(second));
        let (parameters, first, second) =
            (parameters.split_at_mut(at), first.split_at_mut(firsts), second.split_at_mut(seconds));
        (
            Step { rule: self.rule, parameters: parameters.0, first: first.0, second: second.0 },
            Step { rule: self.rule, parameters: parameters.1, first: first.1, second: second.1 },
        )
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
