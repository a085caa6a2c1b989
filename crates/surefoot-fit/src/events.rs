//! What happens during a fit, for whoever shows it, keeps it, or ends it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use surefoot::{Cancel, Checkpoint, Device, Epoch, GradientReport, Ranks, Scalar, StopReason, Training, TrainingState};

use crate::error::Result;
use crate::outcome::{Pretrained, Run, Scores};
use crate::plan::Plan;

/// Sees a fit as it goes. Every method has a default that does nothing; whatever returns [`ControlFlow::Break`] ends the fit
/// with [`Error::Interrupted`](crate::Error::Interrupted).
///
/// The networks of an ensemble are trained at the same time, unless [`keeps_checkpoints`](Self::keeps_checkpoints): their
/// epochs then come as they are done, in no fixed order.
pub trait Events: Send {
    /// Whether [`step`](Self::step) is to be called, so that the training can be kept; then the networks of an ensemble are
    /// trained one after the other.
    fn keeps_checkpoints(&self) -> bool {
        false
    }

    /// Whether a fit that is ended during the training of its networks gives what they have learned so far. Networks of an ensemble
    /// without a whole epoch are left out; where all are, and before that training, it ends with
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    fn keeps_unfinished(&self) -> bool {
        false
    }

    /// A flag that ends the fit before its next block of examples, if there is one; it is asked for once. Where a training is
    /// kept, it ends by [`step`](Self::step) better, which still writes its checkpoint.
    fn cancel(&self) -> Option<Cancel> {
        None
    }

    /// The processes that fit together, each of them by the same call with the same options and input; `None`: this one alone. They
    /// share the rows of large batches, the networks of an ensemble and the folds of a cross-validation, and all come to the same
    /// outcome. It is asked for once.
    ///
    /// Each process sees the trainings that it takes part in; a checkpoint that rank 0 keeps is one of the whole fit.
    fn ranks(&self) -> Option<Arc<dyn Ranks>> {
        None
    }

    /// What computes trainings in single precision in the place of the CPU; `None`: the CPU. It changes no bit, and it is asked for once. Where
    /// there are ranks the CPU computes.
    fn device(&self) -> Option<Arc<dyn Device<f32>>> {
        None
    }

    /// Whether [`step`](Self::step) is to be called after so many steps of a training; a device takes many steps at a time, and gives the
    /// parameters back where it is. Default: after each.
    fn is_due(&self, _steps: u64) -> bool {
        true
    }

    /// Everything is decided, nothing is trained.
    fn planned(&mut self, _plan: &Plan) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The gradient was compared with its numerical derivative, and is not wrong.
    fn checked(&mut self, _report: &GradientReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A fold of the cross-validation, from 1, of so many, was measured on so many rows.
    fn fold(&mut self, _fold: usize, _folds: usize, _rows: usize, _scores: &Scores) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A layer, from 1, of so many, will be pretrained by this network (its widths, as `64-32-64`) on so many rows.
    fn layer(&mut self, _layer: usize, _layers: usize, _widths: &str, _rows: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A training begins, or is resumed.
    fn begin(&mut self, _phase: &Phase, _begin: &Begin) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// An epoch is done.
    fn epoch(&mut self, _phase: &Phase, _epoch: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A step is done, a training has begun, or it has ended.
    fn step(&mut self, _snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A training has ended.
    fn end(&mut self, _phase: &Phase, _run: &Run) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// A layer is pretrained, from 1, and its own training came to this cost.
    fn layer_pretrained(&mut self, _layer: usize, _cost: f64, _run: &Run) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// All layers are pretrained, and the whole network reaches this.
    fn pretrained(&mut self, _plan: &Plan, _pretrained: &Pretrained) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Sees nothing.
impl Events for () {}

/// How a training begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Begin {
    /// Its settings.
    pub training: Training,
    /// The layers, as `64-32-10`.
    pub widths: String,
    /// Examples that it learns from.
    pub rows: usize,
    /// Epochs that were done before.
    pub epochs: usize,
    /// Steps that were done before.
    pub steps: u64,
    /// Why it had ended, if it had.
    pub stopped: Option<StopReason>,
}

/// Which training of a fit it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Phase {
    /// The pretraining of a layer, from 1, of so many, after those below came to these costs.
    Pretraining {
        /// The layer.
        layer: usize,
        /// All layers.
        layers: usize,
        /// The costs of those below.
        costs: Vec<f64>,
    },
    /// The training of the whole network.
    Training {
        /// What pretraining gave, if there was any.
        pretrained: Option<Pretrained>,
    },
    /// The training of a network of an ensemble, from 1, of so many.
    Member {
        /// The network.
        member: usize,
        /// All networks.
        members: usize,
        /// How the trainings before it went, where they are one after the other.
        done: Vec<Run>,
    },
}

/// A training in progress, to be kept.
pub struct Snapshot<'a> {
    pub(crate) phase: &'a Phase,
    pub(crate) state: &'a dyn Saved,
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

impl Snapshot<'_> {
    /// Which training it is.
    pub fn phase(&self) -> &Phase {
        self.phase
    }

    /// Updates of θ so far.
    pub fn steps(&self) -> u64 {
        self.state.steps()
    }

    /// Whether the training has just begun.
    pub fn is_first(&self) -> bool {
        self.is_first
    }

    /// Whether it has ended.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// θ as it is now, each number exactly. While there is a monitored cost, [`Outcome::model`](crate::Outcome::model) has the θ with the
    /// lowest, which may be an earlier one.
    pub fn parameters(&self) -> Vec<f64> {
        self.state.parameters()
    }

    /// Writes a checkpoint, whole or not at all, with a note of the caller's.
    ///
    /// # Errors
    /// When it cannot be written; an older one is then as it was.
    pub fn save(&self, path: &Path, note: &Value) -> Result<()> {
        Ok(self.state.save(path, &json!({"phase": self.phase, "note": note}))?)
    }
}

/// A state of either precision.
pub(crate) trait Saved {
    fn steps(&self) -> u64;
    fn parameters(&self) -> Vec<f64>;
    fn save(&self, path: &Path, note: &Value) -> surefoot::Result<()>;
}

/// A state, and what was learned before it: θ of the whole network while a layer is pretrained, those of the networks before
/// it in an ensemble.
pub(crate) struct Kept<'a, T> {
    pub state: &'a TrainingState<T>,
    pub learned: &'a [T],
}

impl<T: Scalar> Saved for Kept<'_, T> {
    fn steps(&self) -> u64 {
        self.state.steps()
    }

    fn parameters(&self) -> Vec<f64> {
        self.state.parameters().iter().map(|parameter| parameter.to_f64()).collect()
    }

    fn save(&self, path: &Path, note: &Value) -> surefoot::Result<()> {
        self.state.save(path, self.learned, note)
    }
}

/// A fit to go on with.
pub struct Resume {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) phase: Phase,
    note: Value,
}

impl Resume {
    /// Reads a checkpoint that [`Snapshot::save`] wrote.
    ///
    /// # Errors
    /// When it cannot be read, is no checkpoint or not that of a fit.
    pub fn open(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Note {
            phase: Phase,
            note: Value,
        }
        let checkpoint = Checkpoint::open(path)?;
        let Note { phase, note } =
            Note::deserialize(checkpoint.note()).map_err(|error| surefoot::Error::ModelFile {
                path: path.into(),
                what: "note".into(),
                expected: "that of a fit".into(),
                got: error.to_string(),
            })?;
        Ok(Resume { checkpoint, phase, note })
    }

    /// The note that it was saved with.
    pub fn note(&self) -> &Value {
        &self.note
    }

    /// Which training it is in.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Why the training of its phase has ended, if it has.
    pub fn stopped(&self) -> Option<StopReason> {
        self.checkpoint.stopped()
    }
}
