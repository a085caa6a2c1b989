//! Steps of θ that need no more than the gradient, part by part.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::adam::{Adam, AdamStep};
use super::gradient_descent::{GradientDescent, GradientDescentStep};
use crate::error::{Error, Result};
use crate::mean::{Finite, Mean};
use crate::numeric::grid::Grid;
use crate::numeric::panels::Panel;
use crate::numeric::prefetch::prefetch;
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::objective::Segment;

/// An optimizer that makes a step of each gradient, with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FirstOrder {
    /// The notes' gradient descent, with momentum if wanted.
    GradientDescent(GradientDescent),
    /// Adam.
    Adam(Adam),
}

impl FirstOrder {
    /// α before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            FirstOrder::GradientDescent(settings) => settings.learning_rate,
            FirstOrder::Adam(settings) => settings.learning_rate,
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
            FirstOrder::GradientDescent(GradientDescent { learning_rate, momentum, .. }) => {
                vec![("learning rate", learning_rate, &above_zero), ("momentum", momentum, &share)]
            }
            FirstOrder::Adam(Adam { learning_rate, beta1, beta2, epsilon, .. }) => vec![
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
    pub fn start<T: Scalar>(&self, length: usize) -> FirstOrderState<T> {
        let zeros = |needed: bool| vec![T::zero(); if needed { length } else { 0 }];
        match self {
            FirstOrder::GradientDescent(settings) => {
                FirstOrderState { steps: 0, first: zeros(settings.momentum > 0.0), second: Vec::new() }
            }
            FirstOrder::Adam(_) => FirstOrderState { steps: 0, first: zeros(true), second: zeros(true) },
        }
    }

    /// Moves θ = `parameters` one step against `gradient`, with the learning rate of this step. The `segments` are those that θ
    /// is made up of ([`Network::segments`](crate::Network::segments)); without any it is one, without columns.
    pub fn step<T: Scalar>(
        &self,
        state: &mut FirstOrderState<T>,
        parameters: &mut [T],
        gradient: &[T],
        segments: &[Segment],
        learning_rate: f64,
    ) {
        let mut step = self.begin(state, parameters, learning_rate);
        let whole = [Segment { layer: 0, name: String::new(), rows: gradient.len(), columns: None }];
        let mut first = 0;
        for segment in if segments.is_empty() { &whole } else { segments } {
            let range = first..first + segment.len();
            let (rows, columns) = segment.columns.map_or((1, segment.len()), |columns| (segment.rows, columns));
            let mut part = step.matrix(range.clone(), [rows, columns], segment.columns.is_some());
            first = range.end;
            let numbers = &gradient[range];
            vectorized(
                #[inline(always)]
                || {
                    let gradient = Panel { numbers, width: columns, columns };
                    part.apply(0, 0, gradient, Mean::of_gradient(), &mut Finite::new());
                },
            );
        }
    }

    /// Begins the next step, which then takes the gradient part by part.
    pub(crate) fn begin<'a, T: Scalar>(
        &self,
        state: &'a mut FirstOrderState<T>,
        parameters: &'a mut [T],
        learning_rate: f64,
    ) -> Step<'a, T> {
        state.steps += 1;
        let rule = match self {
            FirstOrder::GradientDescent(settings) => {
                Rule::GradientDescent(GradientDescentStep::new(settings, learning_rate))
            }
            FirstOrder::Adam(settings) => Rule::Adam(AdamStep::new(settings, state.steps, learning_rate)),
        };
        Step { rule, parameters, first: &mut state.first, second: &mut state.second }
    }
}

/// A step in progress over θ.
pub(crate) struct Step<'a, T> {
    rule: Rule<T>,
    parameters: &'a mut [T],
    first: &'a mut [T],
    second: &'a mut [T],
}

/// Its rule, with the numbers of the step.
#[derive(Clone, Copy)]
enum Rule<T> {
    GradientDescent(GradientDescentStep<T>),
    Adam(AdamStep<T>),
}

impl<T: Scalar> Step<'_, T> {
    /// The step of some parameters, as a matrix of so many rows and columns; weights or biases.
    pub fn matrix(&mut self, range: Range<usize>, shape: [usize; 2], are_weights: bool) -> MatrixStep<'_, T> {
        let rule = match self.rule {
            Rule::Adam(step) => Rule::Adam(step.of_part(are_weights.then_some(shape[1]))),
            rule => rule,
        };
        // the state is empty where the rule has no use for it
        let first = self.first.get_mut(range.clone()).unwrap_or_default();
        let second = self.second.get_mut(range.clone()).unwrap_or_default();
        let parameters = &mut self.parameters[range];
        let (parameters, first, second) =
            (Grid::new(parameters, shape), Grid::new(first, shape), Grid::new(second, shape));
        MatrixStep { rule, parameters, first, second }
    }
}

/// A step in progress over some columns of a part of θ.
pub(crate) struct MatrixStep<'a, T> {
    rule: Rule<T>,
    parameters: Grid<'a, T>,
    first: Grid<'a, T>,
    second: Grid<'a, T>,
}

impl<T: Scalar> MatrixStep<'_, T> {
    /// The columns before `at`, and those from it on.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        let MatrixStep { rule, parameters, first, second } = self;
        let (parameters, first, second) = (parameters.split_at(at), first.split_at(at), second.split_at(at));
        (
            MatrixStep { rule, parameters: parameters.0, first: first.0, second: second.0 },
            MatrixStep { rule, parameters: parameters.1, first: first.1, second: second.1 },
        )
    }

    /// Asks memory for so many parameters of a row, and what is remembered of them.
    #[inline(always)]
    pub fn prefetch(&self, row: usize, column: usize, count: usize) {
        for numbers in [&self.parameters, &self.first, &self.second] {
            prefetch(numbers.row_ref(row, column, count));
        }
    }

    /// Moves parameters of some rows and columns, the first of which are given, against their gradient, which the mean makes of
    /// these sums.
    #[inline(always)]
    pub fn apply(&mut self, row: usize, column: usize, sums: Panel<'_, T>, mean: Mean<T>, finite: &mut Finite<T>) {
        let MatrixStep { rule, parameters, first, second } = self;
        for (row, sums) in (row..).zip(sums.rows()) {
            let parameters = parameters.row(row, column, sums.len());
            let (first, second) = (first.row(row, column, sums.len()), second.row(row, column, sums.len()));
            match rule {
                Rule::GradientDescent(step) => step.apply(parameters, first, sums, mean, finite),
                Rule::Adam(step) => step.apply(parameters, first, second, sums, mean, finite),
            }
        }
    }
}

/// What such an optimizer remembers from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstOrderState<T> {
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
            (FirstOrder::GradientDescent(GradientDescent { learning_rate: 0.0, ..descent }), "learning rate"),
            (FirstOrder::GradientDescent(GradientDescent { learning_rate: f64::NAN, ..descent }), "learning rate"),
            (FirstOrder::GradientDescent(GradientDescent { momentum: 1.0, ..descent }), "momentum"),
            (FirstOrder::Adam(Adam { learning_rate: f64::INFINITY, ..adam }), "learning rate"),
            (FirstOrder::Adam(Adam { beta1: -0.1, ..adam }), "beta1"),
            (FirstOrder::Adam(Adam { beta2: 1.0, ..adam }), "beta2"),
            (FirstOrder::Adam(Adam { epsilon: 0.0, ..adam }), "epsilon"),
        ] {
            let message = optimizer.check().unwrap_err().to_string();
            assert!(message.starts_with(setting), "{message}");
        }
        assert!(FirstOrder::Adam(adam).check().is_ok());
    }
}
