//! What is seen and kept of a fit on its way: lines for people, JSON for programs, checkpoints.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::json;
use surefoot::{Device, Epoch, GradientReport, Optimizer, Ranks, Task};
use surefoot_fit::{Begin, Events, Phase, Plan, Pretrained, Run, Scores, Snapshot, Tables};

use super::checkpoints::{Checkpoints, arguments_of_process, quoted};
use super::job::Job;
use super::summary::heading;
use crate::arguments::Train;
use crate::memory::in_files;
use crate::output::{count, print, print_line, short, thousands};
use crate::progress::{Part, Progress, Size};

pub struct Watching<'a> {
    train: &'a Train,
    tables: &'a Tables,
    pub checkpoints: Option<Checkpoints>,
    device: Option<Arc<dyn Device<f32>>>,
    /// The processes that train together, if there are others.
    job: Option<&'a Job>,
    /// What is trained, as it was planned.
    task: Task,
    folds: Vec<f64>,
    /// Of the networks that are trained, from the first on.
    progress: Vec<Option<Progress>>,
    /// Those that have ended, of an ensemble whose networks are trained at the same time.
    ended: usize,
    /// That standard output could not be written to, which ends the training.
    pub failure: Option<anyhow::Error>,
}

impl<'a> Watching<'a> {
    pub fn new(
        train: &'a Train,
        tables: &'a Tables,
        checkpoints: Option<Checkpoints>,
        device: Option<Arc<dyn Device<f32>>>,
        job: Option<&'a Job>,
    ) -> Self {
        Watching {
            train,
            tables,
            checkpoints,
            device,
            job,
            task: Task::Regression,
            folds: Vec::new(),
            progress: Vec::new(),
            ended: 0,
            failure: None,
        }
    }

    /// Says something to people.
    pub fn say(&self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        if self.train.quiet || self.train.json { Ok(()) } else { print(text) }
    }

    /// The command that started this training.
    pub fn command(&self) -> String {
        let arguments = match &self.checkpoints {
            Some(checkpoints) => checkpoints.arguments().to_vec(),
            None => arguments_of_process().iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        };
        arguments.iter().fold("surefoot train".into(), |command, argument| command + " " + &quoted(argument))
    }

    /// Ends the fit where something could not be said.
    fn unless_failed(&mut self, said: anyhow::Result<()>) -> ControlFlow<()> {
        match said {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }
}

/// The place of a training among those that are trained at the same time.
fn place(phase: &Phase) -> usize {
    match phase {
        Phase::Member { member, .. } => member - 1,
        _ => 0,
    }
}

impl Events for Watching<'_> {
    fn keeps_checkpoints(&self) -> bool {
        self.checkpoints.is_some()
    }

    fn ranks(&self) -> Option<Arc<dyn Ranks>> {
        self.job.map(Job::ranks)
    }

    fn device(&self) -> Option<Arc<dyn Device<f32>>> {
        self.device.clone()
    }

    fn is_due(&self, steps: u64) -> bool {
        self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.is_due(steps))
    }

    fn planned(&mut self, plan: &Plan) -> ControlFlow<()> {
        self.task = plan.task;
        let shares = self.job.map_or(String::new(), |job| job.shares(plan));
        let said = self.say(heading(&self.tables.table, plan) + &in_files() + &shares);
        self.unless_failed(said)
    }

    fn checked(&mut self, report: &GradientReport) -> ControlFlow<()> {
        let said = self.say(check_line(report));
        self.unless_failed(said)
    }

    fn fold(&mut self, fold: usize, folds: usize, rows: usize, scores: &Scores) -> ControlFlow<()> {
        let Scores { cost, score } = scores;
        self.folds.push(*score);
        let name = self.task.score_name();
        let mut said = match self.train.json {
            true => print_line(json!({"event": "fold", "fold": fold, "rows": rows, "cost": cost, "score": score})),
            false => {
                let (space, rows) = (if fold == 1 { "\n" } else { "" }, count(rows, "row"));
                self.say(format_args!("{space}fold {fold} of {folds}: {name} {} on {rows}\n", short(Some(*score))))
            }
        };
        if fold == folds {
            let all = surefoot_fit::Folds(std::mem::take(&mut self.folds));
            let (mean, spread) = (short(Some(all.mean())), short(Some(all.spread())));
            said = said.and_then(|()| {
                self.say(format_args!("{name} {mean} ± {spread} (mean and standard deviation over {folds} folds)\n"))
            });
        }
        self.unless_failed(said)
    }

    fn layer(&mut self, layer: usize, layers: usize, widths: &str, rows: usize) -> ControlFlow<()> {
        let what = if layer < layers { "as a sparse autoencoder" } else { "as the output layer" };
        let said = self.say(format_args!("\npretraining layer {layer} {what}: {widths}, {}\n", count(rows, "row")));
        self.unless_failed(said)
    }

    fn begin(&mut self, phase: &Phase, begin: &Begin) -> ControlFlow<()> {
        let is_first = !matches!(phase, Phase::Pretraining { .. }) && self.progress.iter().all(Option::is_none);
        let mut said = if is_first { self.say("\n") } else { Ok(()) };
        if begin.stopped.is_some() {
            said = said.and_then(|()| self.say("this training had already finished\n"));
        } else if begin.steps > 0 {
            let (steps, epoch) = (thousands(begin.steps), begin.epochs + 1);
            said = said.and_then(|()| self.say(format_args!("resuming after step {steps}, in epoch {epoch}\n")));
        }
        let training = &begin.training;
        let may_stop = training.patience > 0 || matches!(training.optimizer, Optimizer::Lbfgs(_));
        let size = Size { epochs: training.epochs, done: begin.epochs, rows: begin.rows, may_stop, task: self.task };
        let part = match phase {
            Phase::Pretraining { layer, .. } => Part::Layer(*layer),
            Phase::Member { member, members, .. } => Part::Member(*member, *members),
            _ => Part::Whole,
        };
        let place = place(phase);
        let beside = self.progress.iter().flatten().find(|_| self.checkpoints.is_none());
        let progress = match beside {
            Some(beside) if matches!(part, Part::Member(..)) => beside.beside(part),
            _ => Progress::new(size, part, self.train.json, self.train.quiet),
        };
        self.progress.resize_with(self.progress.len().max(place + 1), || None);
        self.progress[place] = Some(progress);
        self.unless_failed(said)
    }

    fn epoch(&mut self, phase: &Phase, epoch: &Epoch) -> ControlFlow<()> {
        let said = match self.progress.get(place(phase)) {
            Some(Some(progress)) => progress.epoch(epoch),
            _ => Ok(()),
        };
        self.unless_failed(said)
    }

    fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        match &mut self.checkpoints {
            Some(checkpoints) => checkpoints.step(snapshot),
            None => ControlFlow::Continue(()),
        }
    }

    fn end(&mut self, phase: &Phase, _run: &Run) -> ControlFlow<()> {
        // networks that are trained at the same time share a bar, which the last of them takes away
        let others = match phase {
            Phase::Member { members, .. } if self.checkpoints.is_none() => {
                self.ended += 1;
                members.div_ceil(self.job.map_or(1, |job| job.ranks().size())) - self.ended
            }
            _ => 0,
        };
        if let (0, Some(Some(progress))) = (others, self.progress.get(place(phase))) {
            progress.finish();
        }
        ControlFlow::Continue(())
    }

    fn layer_pretrained(&mut self, _layer: usize, cost: f64, run: &Run) -> ControlFlow<()> {
        self.progress.clear();
        let iterations = count(run.history.len(), "iteration");
        let said = self.say(format_args!("cost {} after {iterations}\n", short(Some(cost))));
        self.unless_failed(said)
    }

    fn pretrained(&mut self, plan: &Plan, pretrained: &Pretrained) -> ControlFlow<()> {
        let score = |scores: &Scores| short(Some(scores.score));
        let validation =
            pretrained.validation.as_ref().map_or(String::new(), |scores| format!(", validation {}", score(scores)));
        let (name, training) = (plan.task.score_name(), score(&pretrained.training));
        let said = self.say(format_args!("\n{name} before fine-tuning: training {training}{validation}\n"));
        self.unless_failed(said)
    }
}

fn check_line(report: &GradientReport) -> String {
    let kinks = match report.total.kinks {
        0 => String::new(),
        kinks => format!(", {kinks} skipped (non-differentiable point)"),
    };
    let verdict = if report.passed() { "passed" } else { "both gradients are zero or too small to compare" };
    let (checked, all) = (thousands(report.total.checked as u64), thousands(report.parameters as u64));
    format!(
        "gradient check: {checked} of {all} coordinates, difference {:.1e}{kinks}: {verdict}\n",
        report.total.difference
    )
}
