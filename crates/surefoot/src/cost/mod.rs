//! The overall cost J(θ) and its gradient ∇J(θ): a mean over examples, as a sum over blocks, plus weight decay and
//! sparsity.

mod objective;
mod on_device;
mod pass;
mod sums;

use std::fmt;

pub use self::pass::Pass;
use crate::backpropagation::{Outputs, is_shared};
use crate::cancel::Cancel;
use crate::device::DeviceWork;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::mean::Mean;
use crate::metrics::Scorer;
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::numeric::sums::dot;
use crate::ranks::Ranks;
use crate::sparsity::Sparsity;
use crate::sum::{Across, BlockWorkspace, Exchange, PartialSum, Remote, check_examples};
use crate::view::{DatasetView, Rows};

/// J(θ) of a network over the examples of a data set.  (8)
///
/// ```text
///   J(θ) = 1/m Σᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λ/2 Σ W²  (+ β Σ KL(ρ‖ρ̂ⱼ), with [`Sparsity`])
/// ```
///
/// With weights wᵢ the mean is weighted: Σᵢ wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) / Σᵢ wᵢ. Weight decay counts weights, not biases, and
/// λ is not divided by m. The cost is added up in `f64` in either precision.
///
/// Gradient:  (G1)
///
/// ```text
///   ∇W J = 1/m Σᵢ ∇W J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λW
///   ∇b J = 1/m Σᵢ ∇b J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾)
/// ```
///
/// It is an [`Objective`](crate::Objective) over all examples; training takes it [over a batch](Cost::forward_backward) of them.
/// The bits depend on θ, the examples and their order, and on no number of threads.
pub struct Cost<'a, T> {
    network: &'a Network,
    loss: Loss,
    weight_decay: f64,
    sparsity: Option<Sparsity>,
    /// ε
    label_smoothing: f64,
    /// What a logarithm of cross-entropy counts at most.
    limit: f64,
    /// Whether all of a batch's cost is divided by the weight of the batch.
    per_weight: bool,
    data: Data<'a, T>,
    cancel: Cancel,
    workers: Vec<BlockWorkspace<T>>,
    exchange: Exchange<PartialSum<T>>,
    /// The processes that share the sums, if there are others.
    across: Option<Across<'a>>,
    /// What sums over all examples in the place of the CPU.
    device: Option<Box<dyn DeviceWork<T> + 'a>>,
    /// Why they have come apart, or remote sums have not come.
    failure: Option<Error>,
    /// The sums of the last pass.
    total: PartialSum<T>,
    /// Whether it went through all blocks.
    is_whole: bool,
    /// The rows after those of the next pass.
    prefetched: Vec<usize>,
    /// What [`Sparsity`] adds to the cost, and its derivative by the activation of each hidden unit, as of the last sum.
    penalty: f64,
    penalty_slopes: Vec<T>,
}

/// What the mean is over.
enum Data<'a, T> {
    Here(DatasetView<'a, T>),
    Remote {
        remote: &'a dyn Remote,
        /// Whether their examples have been checked.
        are_checked: bool,
    },
}

impl<'a, T: Scalar> Data<'a, T> {
    fn rows(&self) -> usize {
        match self {
            Data::Here(data) => data.rows(),
            Data::Remote { remote, .. } => remote.rows(),
        }
    }

    /// The examples, if they are in the memory of this process.
    fn here(&self) -> Option<&DatasetView<'a, T>> {
        match self {
            Data::Here(data) => Some(data),
            Data::Remote { .. } => None,
        }
    }
}

impl<'a, T: Scalar> Cost<'a, T> {
    /// The cost of this network over these examples, with weight decay λ.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns of the data are not the network's inputs and outputs; [`Error::Setting`]
    /// when λ is negative or not finite, or the loss does not go with the output activation; [`Error::Value`] for a
    /// target that the loss is not defined for.
    pub fn new(
        network: &'a Network,
        loss: Loss,
        weight_decay: f64,
        data: impl Into<DatasetView<'a, T>>,
    ) -> Result<Self> {
        let data = data.into();
        check_examples(network, loss, &data, 0)?;
        Cost::over(network, loss, weight_decay, Data::Here(data))
    }

    /// The same over examples that lie on other machines: every sum over them is asked for, and has the bits of one machine.
    ///
    /// Where a sum does not come the cost is NaN, nothing is asked for any more, and [`take_failure`](Self::take_failure) says why. The
    /// cost is over all examples only: there are no batches, and no kinks are found.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use surefoot::{
    ///     Activation, Cost, Dataset, Loss, Network, Objective, Piece, Remote, Result, add_sums, draw_defaults, piece_rows,
    /// };
    ///
    /// /// Two pieces that are not far away.
    /// #[derive(Debug)]
    /// struct Pieces<'a>([Piece<'a, f32>; 2]);
    /// impl Remote for Pieces<'_> {
    ///     fn rows(&self) -> usize {
    ///         1000
    ///     }
    ///     fn sum(&self, request: &[u8]) -> Result<Vec<u8>> {
    ///         add_sums(&[self.0[0].leaf_sum(request)?, self.0[1].leaf_sum(request)?])
    ///     }
    /// }
    /// let inputs = Array2::from_shape_fn((1000, 3), |(i, j)| ((i * 7 + j * 3) % 11) as f32);
    /// let data = Dataset::new(inputs.clone(), inputs.map(|x| x.sqrt()))?;
    /// let rows = piece_rows(1000, 2);
    /// let parts = [0, 1].map(|i| data.select(&rows[i].clone().collect::<Vec<_>>()).unwrap());
    /// let pieces = Pieces([Piece::new(&parts[0], rows[0].start, 1000)?, Piece::new(&parts[1], rows[1].start, 1000)?]);
    ///
    /// let network = Network::new(3, &[(5, Activation::Tanh), (3, Activation::Identity)])?;
    /// let theta = draw_defaults(&network, 1);
    /// let cost = Cost::new(&network, Loss::SquaredError, 0.01, &data)?.cost(&theta);
    /// let remote = Cost::remote(&network, Loss::SquaredError, 0.01, &pieces)?.cost(&theta);
    /// assert_eq!(cost, remote);
    /// # Ok::<(), surefoot::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] as [`new`](Self::new); the examples are checked with the first sum.
    pub fn remote(network: &'a Network, loss: Loss, weight_decay: f64, remote: &'a dyn Remote) -> Result<Self> {
        Cost::over(network, loss, weight_decay, Data::Remote { remote, are_checked: false })
    }

    fn over(network: &'a Network, loss: Loss, weight_decay: f64, data: Data<'a, T>) -> Result<Self> {
        loss.check_output(network.output_activation())?;
        if !(weight_decay >= 0.0 && weight_decay.is_finite()) {
            let expected = "a finite number, at least 0".into();
            return Err(Error::Setting { setting: "weight decay", expected, got: weight_decay.to_string() });
        }
        Ok(Cost {
            network,
            loss,
            weight_decay,
            sparsity: None,
            label_smoothing: 0.0,
            limit: f64::INFINITY,
            per_weight: false,
            data,
            cancel: Cancel::new(),
            workers: Vec::new(),
            exchange: Exchange::new(),
            across: None,
            device: None,
            failure: None,
            total: PartialSum::default(),
            is_whole: true,
            prefetched: Vec::new(),
            penalty: 0.0,
            penalty_slopes: Vec::new(),
        })
    }

    /// With sparsity (P1) in the cost, or without. It takes the mean activations of a whole batch before any error term,
    /// so where a batch has several blocks they go through the hidden layers twice.
    ///
    /// # Errors
    /// What [`Sparsity::check`] refuses.
    pub fn with_sparsity(mut self, sparsity: Option<Sparsity>) -> Result<Self> {
        if let Some(sparsity) = sparsity {
            sparsity.check(self.network)?;
        }
        self.sparsity = sparsity;
        Ok(self)
    }

    /// With targets smoothed by ε, at least 0 and below 1; 0 for none. The data stay as they are.  (L4)
    ///
    /// ```text
    ///   y′ₖ = (1 − ε) yₖ + ε / max(K, 2)        K outputs, in f64
    /// ```
    ///
    /// Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, *Rethinking the Inception Architecture for Computer Vision*, 2016,
    /// section 7.
    ///
    /// # Errors
    /// [`Error::Setting`] when ε is not in its range.
    pub fn with_label_smoothing(mut self, epsilon: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&epsilon) {
            let expected = "a number from 0 to 1, 1 excluded".into();
            return Err(Error::Setting { setting: "label smoothing", expected, got: epsilon.to_string() });
        }
        self.label_smoothing = epsilon;
        Ok(self)
    }

    /// With probabilities that count as no smaller than p in the cross-entropy, as scikit-learn has it. It changes the cost of an
    /// example that is surely wrong, whose gradient then belongs to the cost without it.  (L6)
    ///
    /// ```text
    ///   −ln max(a, p)  in the place of  −ln a
    /// ```
    pub fn with_least_probability(mut self, p: f64) -> Self {
        self.limit = -libm::log(p);
        self
    }

    /// With the cost of a batch, weight decay and all, divided by the weight of the batch, as scikit-learn has it: there λ is
    /// `alpha`, and a smaller batch decays more.  (8w)
    ///
    /// ```text
    ///   J_B(θ) = [Σ_{i∈B} wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) + λ/2 Σ W²] / Σ_{i∈B} wᵢ
    /// ```
    ///
    /// So an example with the weight 2 counts like two examples, and one with the weight 0 like none. A batch whose weights are all 0
    /// has the cost 0 and a gradient of 0.
    pub fn per_weight(mut self) -> Self {
        self.per_weight = true;
        self
    }

    /// With a flag that is looked at before every block. Once it is set a pass ends soon: its cost is NaN, and
    /// [`Pass::step`] and [`Pass::gradient`] change nothing.
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// With processes that share each sum of more than one leaf. The wish of any of them to end sets `agreed` in all of them, after
    /// the same sum, which is then not used.
    pub(crate) fn with_ranks(mut self, ranks: Option<&'a dyn Ranks>, wish: Cancel, agreed: Cancel) -> Self {
        self.across = ranks.map(|ranks| Across::new(ranks, wish, agreed));
        self
    }

    /// Why a sum has not come of other machines or processes, if one has not.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Ends it for this reason.
    pub(crate) fn fail(&mut self, failure: Error) {
        self.failure = Some(failure);
    }

    /// m, the examples that the mean is over.
    pub fn rows(&self) -> usize {
        self.data.rows()
    }

    /// Lets a batch of rows, by their numbers in the whole data set, go through the network, or all rows, in their order: J over
    /// the batch, and what knows its gradient.
    ///
    /// ```text
    ///   J_B(θ) = Σ_{i∈B} wᵢ J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾) / (|B|·w̄) + λ/2 Σ W²        w̄ the mean weight of the whole data
    /// ```
    ///
    /// So a batch of all rows has the overall cost, and a batch whose weights are all 0 has a gradient of 0; in other units it is
    /// [per weight](Self::per_weight).
    ///
    /// # Panics
    /// When there is no row, a row is not in the data, or θ = `parameters` has not the network's length; for some rows of
    /// [remote](Self::remote) examples.
    pub fn forward_backward<'b>(&'b mut self, parameters: &[T], rows: Option<&'b [usize]>) -> (f64, Pass<'b, 'a, T>) {
        let rows = self.rows_of(rows);
        self.sum_rows(parameters, rows, self.outputs(true, true));
        (self.cost_of(parameters, rows), Pass { rows, of: self })
    }

    /// The same without J, which a step of an optimizer does without.
    ///
    /// # Panics
    /// As [`forward_backward`](Self::forward_backward).
    pub fn backward<'b>(&'b mut self, parameters: &[T], rows: Option<&'b [usize]>) -> Pass<'b, 'a, T> {
        let rows = self.rows_of(rows);
        self.sum_rows(parameters, rows, self.outputs(false, true));
        Pass { rows, of: self }
    }

    /// J and the score over all rows, in one pass.
    pub(crate) fn cost_and_score(&mut self, parameters: &[T], scorer: &Scorer) -> (f64, f64) {
        let rows = self.rows_of(None);
        self.sum_rows(parameters, rows, Outputs { scores: Some(scorer.task), ..self.outputs(true, false) });
        let score = if self.is_whole { scorer.score(&self.total.scores) } else { f64::NAN };
        (self.cost_of(parameters, rows), score)
    }

    /// Says which rows come after the next pass, so that they are fetched from memory during it. It changes no bit.
    pub fn prefetch(&mut self, rows: &[usize]) {
        self.prefetched.clear();
        self.prefetched.extend_from_slice(rows);
    }

    /// What is computed of the outputs.
    fn outputs(&self, losses: bool, deltas: bool) -> Outputs {
        Outputs { losses, deltas, limit: self.limit, scores: None }
    }

    /// The rows of a batch, or all.
    fn rows_of<'b>(&self, batch: Option<&'b [usize]>) -> Rows<'b>
    where
        'a: 'b,
    {
        assert!(batch.is_none() || self.data.here().is_some(), "remote examples have no batches");
        match (batch, &self.data) {
            (Some(rows), _) => Rows::List(rows),
            (None, Data::Here(data)) => data.all().rows(),
            (None, Data::Remote { remote, .. }) => Rows::Range(0, remote.rows()),
        }
    }

    /// Whether a batch of so many rows is worth more than one thread.
    pub(crate) fn is_shared(&self, rows: usize) -> bool {
        is_shared(rows, self.network)
    }

    /// J from the sums over these rows, which have been taken at the same θ.  (8)
    fn cost_of(&self, parameters: &[T], rows: Rows<'_>) -> f64 {
        if !self.is_whole {
            return f64::NAN;
        }
        match self.total_weight(rows) {
            0.0 => 0.0, // (8w), no example counts
            weight => self.total.cost / weight + self.decay_term(parameters, rows) + self.penalty, // (8) (8w) (P1)
        }
    }

    /// From sums over these rows to the gradient of J.
    fn mean(&self, rows: Rows<'_>) -> Mean<T> {
        match self.total_weight(rows) {
            0.0 => Mean { share: T::zero(), decay: T::zero() },
            weight => Mean { share: T::from_f64(1.0 / weight), decay: T::from_f64(self.decay(rows)) },
        }
    }

    /// What a sum over these rows is divided by.
    fn total_weight(&self, rows: Rows<'_>) -> f64 {
        match &self.data {
            _ if self.per_weight => self.total.weight,
            Data::Here(data) => rows.len() as f64 * data.mean_weight(),
            Data::Remote { remote, .. } => remote.rows() as f64 * (self.total.weight / remote.rows() as f64),
        }
    }

    /// What the weights decay by in the gradient over these rows.
    fn decay(&self, rows: Rows<'_>) -> f64 {
        if self.per_weight { self.weight_decay / self.total_weight(rows) } else { self.weight_decay }
    }

    /// λ/2 Σ W²: a sum of squares for each layer, and these in their order.
    fn decay_term(&self, parameters: &[T], rows: Rows<'_>) -> f64 {
        if self.weight_decay == 0.0 {
            return 0.0;
        }
        let weights = |l| &parameters[self.network.weight_range(l)];
        let squares = (0..self.network.layers().len()).fold(0.0, |sum, l| sum + dot(weights(l), weights(l)));
        0.5 * self.decay(rows) * squares
    }
}

impl<T> fmt::Debug for Cost<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { network, loss, weight_decay, sparsity, label_smoothing, .. } = self;
        f.debug_struct("Cost")
            .field("network", network)
            .field("loss", loss)
            .field("weight_decay", weight_decay)
            .field("sparsity", sparsity)
            .field("label_smoothing", label_smoothing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::dataset::Dataset;
    use crate::initialization::draw_defaults;
    use crate::metrics::Task;
    use crate::objective::Objective;
    use ndarray::Array2;

    /// 1,250 rows are six blocks in a tree of six leaves; 500 are one, which threads share where the network is large.
    #[test]
    fn one_pass_gives_the_cost_and_the_score_that_two_give() {
        let (classes, numbers) = (Task::Classification, Task::Regression);
        for (task, outputs, rows, hidden) in [
            (classes, 1, 1250, 5),
            (classes, 3, 1250, 5),
            (numbers, 2, 1250, 5),
            (classes, 3, 500, 700),
            (numbers, 2, 500, 700),
        ] {
            let inputs = Array2::from_shape_fn((rows, 2), |(i, j)| ((i * 31 + j * 17) % 101) as f32 / 101.0);
            let targets = match task {
                Task::Classification => {
                    Array2::from_shape_fn((rows, outputs), |(i, k)| f32::from(u8::from(i % (outputs + 1) == k)))
                }
                Task::Regression => Array2::from_shape_fn((rows, outputs), |(i, k)| ((i * (k + 7)) % 13) as f32 / 13.0),
            };
            let network = Network::new(2, &[(hidden, Activation::Tanh), (outputs, Activation::Sigmoid)]).unwrap();
            let data = Dataset::new(inputs, targets).unwrap();
            let weights = (0..rows).map(|i| (i % 3) as f32 + 0.5).collect();
            let data = data.with_weights(weights).unwrap();
            let theta = draw_defaults::<f32>(&network, 3);
            let mut cost = Cost::new(&network, Loss::SquaredError, 0.01, &data).unwrap();
            let predicted = network.predict(&theta, data.inputs()).unwrap();
            let expected = (cost.cost(&theta), task.score(predicted.view(), data.targets()));
            let scorer = Scorer::new(task, data.targets());
            for threads in [1, 2, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let got = pool.install(|| cost.cost_and_score(&theta, &scorer));
                assert_eq!(got.0.to_bits(), expected.0.to_bits());
                assert_eq!(got.1.to_bits(), expected.1.to_bits(), "{task} of {outputs} outputs");
            }
            assert!(expected.1 != 0.0 && expected.1 != 1.0);
        }
    }

    #[test]
    fn a_cancelled_pass_has_neither_cost_nor_score() {
        let data = Dataset::new(Array2::<f64>::zeros((3, 1)), Array2::zeros((3, 1))).unwrap();
        let network = Network::new(1, &[(1, Activation::Sigmoid)]).unwrap();
        let (cancel, scorer) = (Cancel::new(), Scorer::new(Task::Regression, data.targets()));
        let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap().with_cancel(cancel.clone());
        cancel.cancel();
        let (cost, score) = cost.cost_and_score(&[0.0, 0.0], &scorer);
        assert!(cost.is_nan() && score.is_nan());
    }
}
