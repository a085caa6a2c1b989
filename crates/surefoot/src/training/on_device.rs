//! The batches of an epoch on a [device](crate::Device).

use super::observer::Observer;
use super::report::StopReason;
use super::run::{Completed, Run};
use super::shuffle::{shuffle, together};
use super::state::TrainingState;
use crate::cost::Cost;
use crate::device::StepsTaken;
use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::optimizer::FirstOrder;

/// Steps that a device is given at once, at most.
const AT_ONCE: usize = 1 << 12;

impl<T: Scalar> Run<'_, T> {
    /// A step for each batch that is left, some at a time: as many as the observer need not see and the device takes.
    pub(super) fn batches_on_device(
        &mut self,
        optimizer: &FirstOrder,
        epoch: usize,
        observer: &mut dyn Observer<T>,
    ) -> Result<Completed> {
        let batch_rows = self.training.batch_rows(self.order.len());
        let first_rate = self.learning_rate((epoch - 1) as f64);
        let Run { training, problem, cost, state, order, cancel, .. } = self;
        let (rows, is_all) = (order.len(), batch_rows >= order.len());
        if !is_all {
            shuffle(order, |place| place, training.seed, epoch, training.shuffle_window);
        }
        let (order, together) = (&order[..], together(rows, training.shuffle_window));
        let batches: Vec<&[usize]> = order.chunks(batch_rows).collect();
        let rate = |batch: usize| {
            let done = (epoch - 1) as f64 + (batch * batch_rows) as f64 / rows as f64;
            optimizer.learning_rate() * training.schedule.factor(done, training.epochs)
        };
        let mut read_to = state.batches * batch_rows / together * together;
        move_state(cost, state, true)?;
        while state.batches < batches.len() {
            let (first, steps_before) = (state.batches, state.steps());
            let is_unseen = |count: &usize| !observer.is_due(steps_before + *count as u64);
            let count = 1 + (1..batches.len() - first).take(AT_ONCE - 1).take_while(is_unseen).count();
            // the next window is read while this one is learned from
            while together < rows && read_to < rows.min((first + count) * batch_rows + together) {
                let window = &order[read_to..];
                problem.data.read_ahead(&problem.data.row_numbers(&window[..window.len().min(together)]));
                read_to += together;
            }
            let step = |i: usize| {
                let numbers = optimizer.numbers(steps_before + 1 + i as u64, rate(first + i), problem.network);
                cost.device_step((!is_all).then_some(batches[first + i]), numbers)
            };
            let steps: Vec<_> = (0..count).map(step).collect();
            let StepsTaken { costs, layer } = cost.steps_on_device(&steps)?;
            let last = costs.len().saturating_sub(1);
            for (i, batch_cost) in costs.into_iter().enumerate() {
                let layer = layer.filter(|_| i == last);
                let is_finite = batch_cost.is_finite();
                if is_finite && state.batches == 0 {
                    state.last_finite.clone_from(&state.parameters); // which are still those of the start of the epoch
                }
                if let (true, Some((_, memory))) = (is_finite, state.first_order()) {
                    memory.steps += 1;
                }
                if !is_finite || layer.is_some() {
                    move_state(cost, state, false)?;
                    let (step, learning_rate) = (state.steps() + u64::from(!is_finite), rate(state.batches));
                    return Ok(Err(StopReason::NotFinite { epoch, step, layer, learning_rate }));
                }
                state.cost_sum += batch_cost * batches[state.batches].len() as f64;
                state.batches += 1;
            }
            let (is_cancelled, is_due) = (cancel.is_cancelled(), observer.is_due(state.steps()));
            if is_cancelled || is_due || state.batches == batches.len() {
                move_state(cost, state, false)?;
            }
            if is_cancelled || is_due && observer.step(state).is_break() {
                return Ok(Err(StopReason::Observer));
            }
        }
        Ok(Ok((state.cost_sum / rows as f64, first_rate)))
    }
}

/// θ and the memory of the optimizer, to the device or back.
fn move_state<T: Scalar>(cost: &mut Cost<'_, T>, state: &mut TrainingState<T>, to_device: bool) -> Result<()> {
    match state.first_order() {
        Some((parameters, memory)) => cost.move_state(parameters, memory, to_device),
        None => Ok(()),
    }
}
