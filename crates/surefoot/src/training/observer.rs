//! Who looks on while a training runs, and may end it.

use std::ops::ControlFlow;

use super::report::Epoch;
use super::state::TrainingState;
use crate::cancel::Cancel;

/// Sees each step and each epoch as it ends, and may end the training there: [`ControlFlow::Break`]. The library itself
/// never prints.
///
/// A closure `|epoch: &Epoch| …` is an observer of epochs.
pub trait Observer<T>: Send {
    /// Called after each epoch.
    fn epoch(&mut self, _epoch: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A flag that ends the training before its next block of examples, if there is one: sooner than any step where there are
    /// many examples. It is asked for once, before the first step.
    fn cancel(&self) -> Option<Cancel> {
        None
    }

    /// Whether [`step`](Self::step) is to be called after so many steps of the training. A [device](crate::Device) takes many steps at a
    /// time, and gives θ back where it is. Default: after each.
    fn is_due(&self, _steps: u64) -> bool {
        true
    }

    /// Called after each step, of which an epoch has one for each batch; before [`epoch`](Self::epoch), after the last.
    fn step(&mut self, _state: &TrainingState<T>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<T, F: FnMut(&Epoch) -> ControlFlow<()> + Send> Observer<T> for F {
    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        self(epoch)
    }

    fn is_due(&self, _steps: u64) -> bool {
        false
    }
}
