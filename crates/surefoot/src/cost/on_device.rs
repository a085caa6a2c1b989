//! A cost that a [device](crate::Device) computes.

use super::Cost;
use crate::device::{Device, DeviceStep, DeviceSum, DeviceSums, DeviceTask, StepsTaken};
use crate::error::Result;
use crate::mean::Mean;
use crate::numeric::scalar::Scalar;
use crate::optimizer::{FirstOrderState, StepNumbers};
use crate::sum::{Partition, Steps, sum_blocks, sum_rows};
use crate::view::DatasetView;

impl<'a, T: Scalar> Cost<'a, T> {
    /// With a device that sums over all examples, gradients or not, and takes steps over batches of so many rows, if it takes that on.
    ///
    /// # Errors
    /// What the device refuses.
    pub(crate) fn with_device(
        mut self,
        device: Option<&'a dyn Device<T>>,
        batch: Option<usize>,
        gradient: bool,
    ) -> Result<Self> {
        if let (Some(device), Some(&data)) = (device, self.data.here()) {
            let Cost { network, loss, label_smoothing, limit, weight_decay, sparsity, .. } = self;
            let task =
                DeviceTask { network, loss, label_smoothing, limit, weight_decay, sparsity, data, batch, gradient };
            self.device = device.take(task)?;
        }
        Ok(self)
    }

    /// Whether a device computes.
    pub(crate) fn is_on_device(&self) -> bool {
        self.device.is_some()
    }

    /// Takes the device's θ and memory, or gives it those.
    pub(crate) fn move_state(
        &mut self,
        parameters: &mut [T],
        memory: &mut FirstOrderState<T>,
        to_device: bool,
    ) -> Result<()> {
        match (&mut self.device, to_device) {
            (Some(device), true) => device.set_state([parameters, &memory.first, &memory.second]),
            (Some(device), false) => device.state([parameters, &mut memory.first, &mut memory.second]),
            (None, _) => Ok(()),
        }
    }

    /// The step over a batch, as a device takes it; its rows are places in the data.
    pub(crate) fn device_step<'b>(&self, rows: Option<&'b [usize]>, numbers: StepNumbers<T>) -> DeviceStep<'b, T> {
        let all = self.rows_of(None);
        let count = rows.map_or(all.len(), <[usize]>::len);
        let (mean_weight, weights) = match self.data.here() {
            Some(data) => (data.mean_weight(), data.all().weights()),
            None => (1.0, None),
        };
        let batch_weight = match weights {
            Some(weight) => sum_rows(count, |i| weight(rows.map_or(i, |rows| rows[i])).to_f64()),
            None => count as f64,
        };
        let weight = count as f64 * mean_weight;
        let Mean { share, decay } = Mean { share: T::from_f64(1.0 / weight), decay: T::from_f64(self.weight_decay) };
        DeviceStep { rows, weight, batch_weight, mean: [share, decay], numbers }
    }

    /// The first of these steps, by the device.
    pub(crate) fn steps_on_device(&mut self, steps: &[DeviceStep<'_, T>]) -> Result<StepsTaken> {
        match &mut self.device {
            Some(device) => device.steps(steps),
            None => Ok(StepsTaken { costs: Vec::new(), layer: None }),
        }
    }

    /// The sums over all examples as far as asked for; they are whole unless the device fails or is cancelled.
    pub(super) fn sum_on_device(&mut self, data: DatasetView<'_, T>, parameters: &[T], steps: Steps) {
        let Cost { device, penalty_slopes: slopes, cancel, network, .. } = self;
        let scores = steps.outputs.scores;
        let asked = DeviceSum {
            losses: steps.outputs.losses,
            outputs: scores.is_some(),
            activities: steps.activities,
            gradient: steps.gradient,
            slopes,
        };
        let summed = device.as_mut().map_or(Ok(None), |device| device.sum(parameters, asked, cancel));
        let sums = match summed {
            Ok(sums) => sums,
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        };
        self.is_whole = sums.is_some();
        let Some(DeviceSums { losses, outputs, activities, gradient }) = sums else { return };
        let (rows, examples, total) = (data.rows(), data.all(), &mut self.total);
        total.cost = sum_rows(losses.len(), |i| losses[i]);
        total.weight = match examples.weights() {
            Some(weight) => sum_rows(rows, |i| weight(i).to_f64()),
            None => rows as f64,
        };
        let (lengths, count) = (steps.lengths(network), network.outputs());
        total.scores.clear();
        if let Some(task) = scores {
            let term = |k, i| task.score_term(k, count, |j| outputs[i * count + j], examples.target(i));
            total.scores.extend((0..lengths.scores).map(|k| sum_rows(rows, |i| term(k, i))));
        }
        let of_unit = |unit: usize| {
            sum_blocks(Partition::new(rows), |block: usize| activities[block * lengths.activities + unit].to_f64())
        };
        total.activities.clear();
        total.activities.extend((0..lengths.activities).map(of_unit));
        total.gradient = gradient;
    }
}
