//! The sums that the cost is made of: who computes them.

use super::{Cost, Data};
use crate::backpropagation::Outputs;
use crate::cancel::Cancel;
use crate::numeric::scalar::Scalar;
use crate::numeric::threads;
use crate::sum::{Asked, BlockWorkspace, GradientSums, PartialSum, Partition, Shares, Steps, Work, engine};
use crate::view::{DatasetView, Examples, Rows};

impl<'a, T: Scalar> Cost<'a, T> {
    /// The sums over these rows as far as asked for, the penalty among them. The gradient of a single block is not summed: what it
    /// is made of stays with the block.
    pub(super) fn sum_rows(&mut self, parameters: &[T], rows: Rows<'_>, outputs: Outputs) {
        let is_block = self.block(rows).is_some();
        let (all_layers, is_sparse) = (self.network.layers().len(), self.sparsity.is_some());
        // error terms need the mean activations of all examples; a single block goes forward for good
        let activities_first = is_sparse && outputs.deltas;
        if activities_first {
            let layers = if is_block { all_layers } else { all_layers - 1 };
            let outputs = self.outputs(false, false);
            self.sum_blocks(parameters, rows, &[], Steps { layers, outputs, activities: true, gradient: false });
            self.take_activities(rows);
        }
        let next = std::mem::take(&mut self.prefetched);
        let steps = Steps {
            layers: if activities_first && is_block { 0 } else { all_layers },
            outputs,
            activities: is_sparse && !activities_first,
            gradient: outputs.deltas && !is_block,
        };
        self.sum_blocks(parameters, rows, &next, steps);
        self.prefetched = next;
        self.prefetched.clear();
        if steps.activities {
            self.take_activities(rows);
        }
    }

    /// These steps for the blocks of these rows, and their sums.
    fn sum_blocks(&mut self, parameters: &[T], rows: Rows<'_>, next: &[usize], steps: Steps) {
        match self.data {
            Data::Here(data) if self.is_on_device() => self.sum_on_device(data, parameters, steps),
            Data::Here(data) => self.sum_here(data, parameters, rows, next, steps),
            Data::Remote { remote, are_checked } => {
                let Cost { network, loss, label_smoothing, ref penalty_slopes, .. } = *self;
                let (rows, checks) = (remote.rows(), !are_checked);
                let asked = Asked { network, loss, label_smoothing, rows, checks, parameters, penalty_slopes, steps };
                let may_ask = self.failure.is_none() && !self.cancel.is_cancelled();
                let asked = if may_ask { asked.sum(remote, &mut self.total).map(|()| true) } else { Ok(false) };
                self.is_whole = asked.unwrap_or_else(|failure| {
                    self.failure = Some(failure);
                    false
                });
                self.data = Data::Remote { remote, are_checked: are_checked || self.is_whole };
            }
        }
    }

    fn sum_here(&mut self, data: DatasetView<'_, T>, parameters: &[T], rows: Rows<'_>, next: &[usize], steps: Steps) {
        let Cost { network, loss, label_smoothing, ref penalty_slopes, ref cancel, .. } = *self;
        let partition = Partition::new(rows.len());
        let leaves = partition.leaves();
        let own = match &self.across {
            Some(across) if leaves > 1 => across.share(leaves),
            _ => 0..leaves,
        };
        let shares = Shares::new(threads::count(), own.len(), || steps.lengths(network).gradient);
        let (next, threads) = (Rows::List(next), shares.threads);
        let work =
            Work { network, loss, label_smoothing, data, parameters, rows, next, penalty_slopes, steps, threads };
        if self.workers.len() < shares.workers {
            self.workers.resize_with(shares.workers, BlockWorkspace::new);
        }
        let (workers, engine) = (&mut self.workers[..shares.workers], engine());
        let wish = self.across.as_ref().filter(|_| leaves > 1).map(|across| across.wish.clone());
        let leaf = |worker: &mut BlockWorkspace<T>, leaf, sum: &mut PartialSum<T>| {
            for (i, block) in partition.blocks_of(leaf).enumerate() {
                if cancel.is_cancelled() || wish.as_ref().is_some_and(Cancel::is_cancelled) {
                    return false;
                }
                engine.add_block(worker, &work, partition.rows_of(block), i == 0, sum);
            }
            true
        };
        self.is_whole = match (leaves, &mut self.across) {
            (1, _) => leaf(&mut workers[0], 0, &mut self.total),
            (_, None) => self.exchange.sum(leaves, workers, &mut self.total, leaf, PartialSum::add),
            (_, Some(across)) => {
                let is_whole = self.exchange.add_leaves(leaves, own, workers, leaf, PartialSum::add);
                let nodes = self.exchange.take_open();
                let mine = is_whole.then_some(&nodes[..]);
                let added = across.add(leaves, mine, steps.lengths(network), parameters, &mut self.total);
                self.exchange.give_back(nodes);
                added.unwrap_or_else(|failure| {
                    across.agreed.cancel();
                    self.failure = Some(failure);
                    false
                })
            }
        };
    }

    /// The penalty and its slopes, from the sums of activities over these rows.  (P1) (P2)
    ///
    /// ```text
    ///   ∂/∂aⱼ⁽ⁱ⁾ = β KL′(ρ̂ⱼ) · wᵢ / Σᵢ wᵢ
    /// ```
    ///
    /// The slopes are without wᵢ, and times what a sum over these rows is [divided by](Self::total_weight).
    fn take_activities(&mut self, rows: Rows<'_>) {
        self.penalty = 0.0;
        self.penalty_slopes.clear();
        let (Some(sparsity), true) = (self.sparsity, self.is_whole) else { return };
        let weight = self.total.weight;
        if weight == 0.0 {
            return; // no example counts, so there is no mean to be kept
        }
        let back = self.total_weight(rows) / weight;
        for (l, layer) in self.network.hidden().iter().enumerate() {
            let share = layer.activation.activity().map_or(0.0, |(_, share)| share);
            for sum in &self.total.activities[self.network.hidden_range(l)] {
                let mean = sum / weight;
                self.penalty += sparsity.cost(mean);
                self.penalty_slopes.push(T::from_f64(sparsity.slope(mean) * share * back));
            }
        }
    }

    /// The gradient's sums over these rows, which went through last.
    pub(super) fn gradient_sums<'b>(&'b mut self, rows: Rows<'b>) -> GradientSums<'b, T>
    where
        'a: 'b,
    {
        match self.block(rows) {
            Some(block) => GradientSums::OfBlock(&mut self.workers[0], block),
            None => GradientSums::Taken(&mut self.total.gradient),
        }
    }

    /// The examples at these rows, where they are here and a single block.
    fn block<'b>(&self, rows: Rows<'b>) -> Option<Examples<'b, T>>
    where
        'a: 'b,
    {
        match &self.data {
            Data::Here(data) if Partition::new(rows.len()).blocks() == 1 && !self.is_on_device() => {
                Some(data.examples(rows))
            }
            _ => None,
        }
    }
}
