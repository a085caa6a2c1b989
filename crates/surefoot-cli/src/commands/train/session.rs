//! One `surefoot train` on its way: what it says, and where it is kept.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use surefoot::{
    Dataset, Epoch, GradientCheck, GradientReport, Loss, Network, Observer, Optimizer, Purpose, Random, Scalar,
    StopReason, Trained, Training, TrainingState, draw_defaults,
};

use super::checkpoints::{Checkpoints, Phase, Resumed, quoted};
use crate::arguments::Train;
use crate::commands::check;
use crate::output::{print, thousands};
use crate::progress::{Part, Progress, Size};

/// Rows and coordinates that the gradient is checked on before training; fewer rows for networks so large that they
/// would take more than about a second.
const CHECKED_ROWS: usize = 100;
const LEAST_CHECKED_ROWS: usize = 5;
const CHECKED_ROWS_TIMES_PARAMETERS: usize = 10_000_000;
const CHECKED_COORDINATES: usize = 200;

/// Why a command ends without a model.
pub enum Ended {
    /// The gradient check, or a cost that is not finite, says no; it was said why.
    No,
    /// By a signal; the training is in its checkpoint.
    Interrupted,
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Ended {
    fn from(error: E) -> Self {
        Ended::Failed(error.into())
    }
}

/// What is to be minimised.
pub struct Problem<'a, T> {
    pub training: &'a Training,
    pub network: &'a Network,
    pub loss: Loss,
    pub data: &'a Dataset<T>,
    pub validation: Option<&'a Dataset<T>>,
}

/// A training that has ended: θ, and how it went.
pub struct Fitted<T> {
    pub parameters: Vec<T>,
    pub run: Run,
}

/// How a training went.
pub struct Run {
    pub stop_reason: StopReason,
    /// The epoch whose parameters were kept.
    pub best_epoch: usize,
    pub history: Vec<Epoch>,
    /// The epochs that were done before this process.
    pub epochs_before: usize,
    pub steps: u64,
    pub evaluations: u64,
    /// Of the epochs of this process, with their validation passes, and nothing else.
    pub seconds: f64,
}

impl<T> Fitted<T> {
    fn new(trained: Trained<T>, epochs_before: usize, seconds: f64) -> Self {
        let Trained { parameters, best_epoch, history, steps, evaluations, stop_reason } = trained;
        let run = Run { stop_reason, best_epoch, history, epochs_before, steps, evaluations, seconds };
        Fitted { parameters, run }
    }
}

fn size(training: &Training, rows: usize, done: usize) -> Size {
    let may_stop = training.patience > 0 || matches!(training.optimizer, Optimizer::Lbfgs(_));
    Size { epochs: training.epochs, done, rows, may_stop, task: training.task }
}

pub struct Session<'a> {
    pub train: &'a Train,
    pub checkpoints: Option<Checkpoints>,
    pub resumed: Option<Resumed>,
    /// The networks that are averaged; 0: it is one.
    pub members: usize,
}

impl<'a> Session<'a> {
    /// With the number of networks that are averaged, what is read from, and where the model goes.
    pub fn new(
        train: &'a Train,
        members: usize,
        resumed: Option<Resumed>,
        inputs: &[&Path],
        out: &Path,
    ) -> anyhow::Result<Self> {
        let checkpoints = Checkpoints::new(train, resumed.as_ref(), inputs, out)?;
        Ok(Session { train, checkpoints, resumed, members })
    }

    /// Says something to people.
    pub fn say(&self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.train.quiet || self.train.json { Ok(()) } else { print(text) }
    }

    /// The command that began this training.
    pub fn command(&self) -> String {
        let arguments = match &self.checkpoints {
            Some(checkpoints) => checkpoints.arguments().to_vec(),
            None => std::env::args_os().skip(2).map(|argument| argument.to_string_lossy().into_owned()).collect(),
        };
        arguments.iter().fold("surefoot train".into(), |command, argument| command + " " + &quoted(argument))
    }

    /// Trains from this start, or from where the checkpoint is in this phase. `whole` is θ of the whole network while a
    /// layer is pretrained.
    pub fn fit<T: Scalar>(
        &mut self,
        problem: &Problem<'_, T>,
        start: Vec<T>,
        whole: &[T],
        phase: Phase,
    ) -> Result<Fitted<T>, Ended> {
        let Problem { training, network, loss, data, validation } = problem;
        let mut state = match self.resumed.take() {
            Some(resumed) => resumed.checkpoint.state(training)?,
            None => training.start(network, *loss, start, data, *validation)?,
        };
        let (epochs_before, steps) = (state.history().len(), thousands(state.steps()));
        if state.stopped().is_some() {
            self.say("the training had ended\n")?;
        } else if state.steps() > 0 {
            self.say(format_args!("going on after step {steps}, in epoch {}\n", epochs_before + 1))?;
        } else if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.save(&state, whole, &phase);
        }
        let part = match &phase {
            Phase::Pretraining { layer, .. } => Part::Layer(*layer),
            Phase::Training { .. } => Part::Whole,
            Phase::Member { done } => Part::Member(done.len() + 1, self.members),
        };
        let size = size(training, data.rows(), epochs_before);
        let progress = Progress::new(size, part, self.train.json, self.train.quiet);
        let mut watcher = Watcher { progress, checkpoints: self.checkpoints.as_mut(), whole, phase: &phase };
        let clock = Instant::now();
        let reason = training.go_on(network, *loss, &mut state, data, *validation, &mut watcher)?;
        let seconds = clock.elapsed().as_secs_f64();
        watcher.progress.finish();
        if let Some(failure) = watcher.progress.failure {
            return Err(failure.into());
        }
        if let Some(checkpoints) = &mut self.checkpoints {
            if reason == StopReason::Observer {
                checkpoints.tell(self.train.json)?;
                return Err(Ended::Interrupted);
            }
            checkpoints.save(&state, whole, &phase);
        }
        Ok(Fitted::new(state.into_trained(reason), epochs_before, seconds))
    }

    /// Trains networks at the same time, each from its start, as they would be trained one after the other. No checkpoint is
    /// written.
    pub fn fit_all<T: Scalar>(&self, problems: Vec<(Problem<'_, T>, Vec<T>)>) -> Result<Vec<Fitted<T>>, Ended> {
        let Some((Problem { training, data, .. }, _)) = problems.first() else { return Ok(Vec::new()) };
        let size = size(training, data.rows(), 0);
        let progresses = Progress::of_members(size, problems.len(), self.train.json, self.train.quiet);
        let fit = |((problem, start), progress): ((Problem<'_, T>, Vec<T>), Progress)| {
            let Problem { training, network, loss, data, validation } = problem;
            let mut watcher =
                Watcher { progress, checkpoints: None, whole: &[], phase: &Phase::Member { done: Vec::new() } };
            let clock = Instant::now();
            let trained = training.fit(network, loss, start, data, validation, &mut watcher)?;
            match watcher.progress.failure {
                Some(failure) => Err(failure.into()),
                None => Ok(Fitted::new(trained, 0, clock.elapsed().as_secs_f64())),
            }
        };
        let fitted: Vec<Result<Fitted<T>, Ended>> = problems.into_par_iter().zip(progresses).map(fit).collect();
        fitted.into_iter().collect()
    }

    /// Checks the gradient on some rows and some coordinates, unless that is not wanted; at random parameters, since where a
    /// layer begins at 0 there is nothing to compare below it.
    pub fn check_gradient<T: Scalar>(&self, problem: &Problem<'_, T>) -> Result<Option<GradientReport>, Ended> {
        let Problem { training, network, loss, data, .. } = problem;
        if self.train.settings.no_check {
            return Ok(None);
        }
        let affordable = CHECKED_ROWS_TIMES_PARAMETERS / network.parameter_count();
        let count = affordable.clamp(LEAST_CHECKED_ROWS, CHECKED_ROWS);
        let rows = Random::new(training.seed, Purpose::GradientCheck, 0).sample(data.rows(), count);
        let some = data.select(&rows)?.cast::<f64>()?;
        let mut cost = training.cost(network, *loss, &some)?;
        let parameters: Vec<f64> = draw_defaults(network, training.seed);
        let sample = Some(CHECKED_COORDINATES);
        let report =
            GradientCheck { sample, seed: training.seed, ..GradientCheck::default() }.run(&mut cost, &parameters)?;
        if report.total.wrong > 0 {
            eprint!("{}", check::table(&report));
            eprintln!("error: not trained, because the gradient is wrong\nhint: --no-check trains all the same");
            return Err(Ended::No);
        }
        self.say(check_line(&report))?;
        Ok(Some(report))
    }
}

fn check_line(report: &GradientReport) -> String {
    let kinks = match report.total.kinks {
        0 => String::new(),
        kinks => format!(", {kinks} on kinks left out"),
    };
    let verdict = if report.passed() { "passed" } else { "both gradients are zero or too small to compare" };
    let (checked, all) = (thousands(report.total.checked as u64), thousands(report.parameters as u64));
    format!(
        "gradient check: {checked} of {all} coordinates, difference {:.1e}{kinks}: {verdict}\n",
        report.total.difference
    )
}

/// Shows epochs and keeps steps.
struct Watcher<'a, T> {
    progress: Progress,
    checkpoints: Option<&'a mut Checkpoints>,
    whole: &'a [T],
    phase: &'a Phase,
}

impl<T: Scalar> Observer<T> for Watcher<'_, T> {
    fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        self.progress.epoch(epoch)
    }

    fn step(&mut self, state: &TrainingState<T>) -> ControlFlow<()> {
        match &mut self.checkpoints {
            Some(checkpoints) => checkpoints.after_step(state, self.whole, self.phase),
            None => ControlFlow::Continue(()),
        }
    }
}
