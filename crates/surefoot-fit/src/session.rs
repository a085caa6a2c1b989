//! One fit on its way: its trainings one after the other, seen and kept.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use surefoot::{
    Cancel, Device, Epoch, GradientReport, Observer, Problem, Ranks, Scalar, StopReason, Trained, Training,
    TrainingState,
};

use crate::error::{Error, Result};
use crate::events::{Begin, Events, Kept, Phase, Resume, Snapshot};
use crate::options::Options;
use crate::outcome::Run;

/// A training that has ended: θ, and how it went.
pub(crate) struct Fitted<T> {
    pub parameters: Vec<T>,
    pub run: Run,
}

/// Who looks on, from any thread, and what is resumed.
pub(crate) struct Session<'a> {
    pub options: &'a Options,
    events: Mutex<&'a mut dyn Events>,
    cancel: Option<Cancel>,
    /// The processes that fit together, if there are others.
    pub ranks: Option<Arc<dyn Ranks>>,
    /// What computes in the place of the CPU.
    pub device: Option<Arc<dyn Device<f32>>>,
    pub resume: Option<Resume>,
    pub keeps_checkpoints: bool,
    pub keeps_unfinished: bool,
}

impl<'a> Session<'a> {
    pub fn new(options: &'a Options, events: &'a mut dyn Events, resume: Option<Resume>) -> Self {
        let (keeps_checkpoints, keeps_unfinished) = (events.keeps_checkpoints(), events.keeps_unfinished());
        let (cancel, ranks, device) = (events.cancel(), events.ranks(), events.device());
        let events = Mutex::new(events);
        Session { options, cancel, ranks, device, events, resume, keeps_checkpoints, keeps_unfinished }
    }

    /// A session within this one that nobody sees; what cancels this one cancels it, too.
    pub fn unseen<'b>(&self, nobody: &'b mut ()) -> Session<'b>
    where
        'a: 'b,
    {
        let (cancel, device) = (self.cancel.clone(), self.device.clone());
        Session { cancel, device, ..Session::new(self.options, nobody, None) }
    }

    /// Tells of something.
    pub fn tell(&self, what: impl FnOnce(&mut dyn Events) -> ControlFlow<()>) -> Result<()> {
        match self.told(what) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Interrupted),
        }
    }

    fn told(&self, what: impl FnOnce(&mut dyn Events) -> ControlFlow<()>) -> ControlFlow<()> {
        what(*self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compares the gradient with its numerical derivative, unless that is not wanted.
    pub fn check_gradient<T: Scalar>(
        &self,
        training: &Training,
        problem: &Problem<'_, T>,
    ) -> Result<Option<GradientReport>> {
        if self.options.no_check {
            return Ok(None);
        }
        let report = training.check_gradient(problem)?;
        if report.total.wrong > 0 {
            return Err(Error::Gradient { report: Box::new(report) });
        }
        self.tell(|events| events.checked(&report))?;
        Ok(Some(report))
    }

    /// Trains from this start, or from where the checkpoint is. `learned` is kept in checkpoints beside the state.
    pub fn train<T: Scalar>(
        &mut self,
        training: &Training,
        problem: &Problem<'_, T>,
        start: Vec<T>,
        learned: &[T],
        phase: &Phase,
    ) -> Result<Fitted<T>> {
        let state = match self.resume.take() {
            Some(resume) => resume.checkpoint.state(training)?,
            None => training.start(problem, start)?,
        };
        self.finish(training, problem, state, learned, phase)
    }

    /// Trains one of several networks that are trained at the same time.
    pub fn train_beside<T: Scalar>(
        &self,
        training: &Training,
        problem: &Problem<'_, T>,
        start: Vec<T>,
        phase: &Phase,
    ) -> Result<Fitted<T>> {
        self.finish(training, problem, training.start(problem, start)?, &[], phase)
    }

    fn finish<T: Scalar>(
        &self,
        training: &Training,
        problem: &Problem<'_, T>,
        mut state: TrainingState<T>,
        learned: &[T],
        phase: &Phase,
    ) -> Result<Fitted<T>> {
        let epochs_before = state.history().len();
        self.tell(|events| {
            let begin = Begin {
                training: training.clone(),
                widths: problem.network.widths(),
                rows: problem.data.rows(),
                epochs: epochs_before,
                steps: state.steps(),
                stopped: state.stopped(),
            };
            events.begin(phase, &begin)
        })?;
        let snapshot = |state: &TrainingState<T>, is_first, is_last| match self.keeps_checkpoints {
            true => {
                self.told(|events| events.step(&Snapshot { phase, state: &Kept { state, learned }, is_first, is_last }))
            }
            false => ControlFlow::Continue(()),
        };
        if state.steps() == 0 && state.stopped().is_none() && snapshot(&state, true, false).is_break() {
            return Err(Error::Interrupted);
        }
        let clock = Instant::now();
        let mut watcher = Watcher { session: self, phase, snapshot: &snapshot };
        let reason = training.resume_with(problem, &mut state, &mut watcher)?;
        let seconds = clock.elapsed().as_secs_f64();
        if reason == StopReason::Observer && problem.ranks.is_some() {
            // perhaps another process was asked to end
            let _ = snapshot(&state, false, true);
        }
        let is_kept = self.keeps_unfinished && !state.history().is_empty();
        if reason == StopReason::Observer && !is_kept || snapshot(&state, false, true).is_break() {
            return Err(Error::Interrupted);
        }
        let Trained { parameters, best_epoch, history, steps, evaluations, stop_reason, .. } =
            state.into_trained(reason);
        let run = Run { stop_reason, best_epoch, history, epochs_before, steps, evaluations, seconds };
        self.tell(|events| events.end(phase, &run))?;
        Ok(Fitted { parameters, run })
    }
}

/// Passes on what a training tells.
struct Watcher<'a, 'e, F> {
    session: &'a Session<'e>,
    phase: &'a Phase,
    snapshot: &'a F,
}

impl<T: Scalar, F: Fn(&TrainingState<T>, bool, bool) -> ControlFlow<()> + Sync> Observer<T> for Watcher<'_, '_, F> {
    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        self.session.told(|events| events.epoch(self.phase, epoch))
    }

    fn cancel(&self) -> Option<Cancel> {
        self.session.cancel.clone()
    }

    fn is_due(&self, steps: u64) -> bool {
        let events = || self.session.events.lock().unwrap_or_else(PoisonError::into_inner);
        self.session.keeps_checkpoints && events().is_due(steps)
    }

    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        (self.snapshot)(state, false, false)
    }
}

/// The device, where it computes with this kind of number.
pub(crate) fn device_of<T: Scalar>(device: &Option<Arc<dyn Device<f32>>>) -> Option<&dyn Device<T>> {
    let device: &dyn Any = device.as_ref()?;
    device.downcast_ref::<Arc<dyn Device<T>>>().map(|device| &**device)
}
