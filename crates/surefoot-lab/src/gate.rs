//! Where a training waits between two steps until the page wants the next.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use surefoot::{Epoch, GradientReport};
use surefoot_fit::{Events, Phase, Plan, Snapshot};

use crate::error::Error;

/// How far a training may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Permit {
    /// Not a step.
    Pause,
    /// One step.
    Step,
    /// To the end of this epoch.
    Epoch,
    /// On and on; so many epochs a second, where it is not as fast as can be.
    Run(Option<f64>),
}

/// What is known of a training, and how far it may go.
#[derive(Default)]
pub(crate) struct Seen {
    permit: Option<Permit>,
    is_wanted: bool,
    is_left: bool,
    pub plan: Option<Plan>,
    pub check: Option<GradientReport>,
    /// θ after the last step that was looked at.
    pub parameters: Arc<Vec<f64>>,
    /// The step that it is of.
    pub steps: u64,
    pub history: Vec<Epoch>,
    /// What of the training is more than a session may have, if something is.
    pub too_large: Option<Error>,
    /// Why the training has ended, if it has.
    pub ended: Option<Result<String, String>>,
}

impl Seen {
    pub fn permit(&self) -> Permit {
        self.permit.unwrap_or(Permit::Pause)
    }

    /// Whether θ is there to be looked at.
    pub fn has_begun(&self) -> bool {
        !self.parameters.is_empty()
    }
}

/// The gate between a page and its training.
#[derive(Default)]
pub(crate) struct Gate {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// Parameters of a network, and numbers of the examples as the network sees them, at most, so that the memory of a session is bounded.
const MOST_PARAMETERS: usize = 1_000_000;
const MOST_NUMBERS: usize = 10_000_000;

/// What is more than a session may have.
fn too_large(plan: &Plan) -> Option<Error> {
    let Plan { network, .. } = plan;
    let of_example = network.inputs() + network.outputs();
    let numbers = (plan.rows + plan.validation_rows) * of_example;
    if network.parameter_count() > MOST_PARAMETERS {
        let expected = format!("at most {MOST_PARAMETERS} weights and biases (`surefoot train` takes more)");
        return Some(Error::request("network", expected, network.parameter_count()));
    }
    if numbers > MOST_NUMBERS {
        let expected = format!("at most {MOST_NUMBERS} numbers as the network sees them (`surefoot train` takes more)");
        return Some(Error::request("table", expected, format!("{numbers}, {of_example} of each row")));
    }
    None
}

/// How long a look waits for the step that is on the way.
const PATIENCE: Duration = Duration::from_millis(40);

impl Gate {
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, seen: MutexGuard<'a, Seen>) -> MutexGuard<'a, Seen> {
        self.changed.wait(seen).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the training has begun, or ended without.
    pub fn wait_for_start(&self) {
        let mut seen = self.seen();
        while !seen.has_begun() && seen.ended.is_none() {
            seen = self.wait(seen);
        }
    }

    /// Lets the training go so far. A step and an epoch are waited for, as long as they take.
    pub fn let_go(&self, permit: Permit) {
        let mut seen = self.seen();
        if seen.ended.is_some() {
            return;
        }
        seen.permit = Some(permit);
        self.changed.notify_all();
        let is_short = matches!(permit, Permit::Step | Permit::Epoch);
        while is_short && seen.permit() == permit && seen.ended.is_none() {
            seen = self.wait(seen);
        }
    }

    /// What is known now, with the θ of a step that is as new as a short wait allows.
    pub fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen();
        if !matches!(seen.permit(), Permit::Pause) && seen.ended.is_none() {
            seen.is_wanted = true;
            let until = Instant::now() + PATIENCE;
            while seen.is_wanted && seen.ended.is_none() {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                seen = self.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        seen
    }

    /// Ends the training before its next step.
    pub fn leave(&self) {
        self.seen().is_left = true;
        self.changed.notify_all();
    }

    pub fn end(&self, ended: Result<String, String>) {
        self.seen().ended = Some(ended);
        self.changed.notify_all();
    }

    /// Waits while the training is not to go on.
    fn pass<'a>(&'a self, mut seen: MutexGuard<'a, Seen>) -> ControlFlow<()> {
        self.changed.notify_all();
        while seen.permit() == Permit::Pause && !seen.is_left {
            seen = self.wait(seen);
        }
        if seen.is_left { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Holds a fit at its gate.
pub(crate) struct Keeper {
    pub gate: Arc<Gate>,
    next_epoch: Option<Instant>,
}

impl Keeper {
    pub fn new(gate: Arc<Gate>) -> Self {
        Keeper { gate, next_epoch: None }
    }

    /// Waits for the pace that was asked for.
    fn keep_pace<'a>(&mut self, mut seen: MutexGuard<'a, Seen>, gate: &'a Gate) -> MutexGuard<'a, Seen> {
        let Permit::Run(Some(pace)) = seen.permit() else {
            self.next_epoch = None;
            return seen;
        };
        let now = Instant::now();
        let next = self.next_epoch.filter(|next| *next > now).unwrap_or(now) + Duration::from_secs_f64(1.0 / pace);
        self.next_epoch = Some(next);
        while seen.permit() == Permit::Run(Some(pace)) && !seen.is_left {
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            seen = gate.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        seen
    }
}

impl Events for Keeper {
    fn keeps_checkpoints(&self) -> bool {
        true
    }

    fn planned(&mut self, plan: &Plan) -> ControlFlow<()> {
        let mut seen = self.gate.seen();
        seen.plan = Some(plan.clone());
        let too_large = too_large(plan);
        let is_too_large = too_large.is_some();
        seen.too_large = too_large;
        if is_too_large { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn checked(&mut self, report: &GradientReport) -> ControlFlow<()> {
        self.gate.seen().check = Some(report.clone());
        ControlFlow::Continue(())
    }

    fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        let mut seen = self.gate.seen();
        // after the last step of an epoch it waits when that epoch is told
        let of_epoch = seen.plan.as_ref().map_or(1, |plan| {
            let batch = plan.training.batch_rows(plan.rows).max(1);
            plan.rows.div_ceil(batch) as u64
        });
        let ends_epoch = !snapshot.is_first() && snapshot.steps().is_multiple_of(of_epoch);
        let is_looked_at =
            seen.is_wanted || !matches!(seen.permit(), Permit::Run(_)) || snapshot.is_last() || ends_epoch;
        if is_looked_at {
            seen.parameters = Arc::new(snapshot.parameters());
            seen.steps = snapshot.steps();
            seen.is_wanted = false;
        }
        if snapshot.is_last() {
            return ControlFlow::Continue(());
        }
        if ends_epoch && !seen.is_left {
            self.gate.changed.notify_all();
            return ControlFlow::Continue(());
        }
        if seen.permit() == Permit::Step && !snapshot.is_first() {
            seen.permit = Some(Permit::Pause);
        }
        self.gate.pass(seen)
    }

    fn epoch(&mut self, _phase: &Phase, epoch: &Epoch) -> ControlFlow<()> {
        let gate = Arc::clone(&self.gate);
        let mut seen = gate.seen();
        seen.history.push(*epoch);
        if matches!(seen.permit(), Permit::Step | Permit::Epoch) {
            seen.permit = Some(Permit::Pause);
        }
        let seen = self.keep_pace(seen, &gate);
        gate.pass(seen)
    }
}
