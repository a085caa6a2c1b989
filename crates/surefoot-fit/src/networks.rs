//! The training of a plan's network, or of its ensemble: several networks from different starts on different parts of the
//! rows.

use std::time::Instant;

use ndarray::Array2;
use rayon::prelude::*;
use surefoot::{
    DatasetView, Objective, Problem, Purpose, Random, Scalar, StopReason, Threads, Training, draw_defaults,
};

use crate::error::{Error, Result};
use crate::events::Phase;
use crate::outcome::{Pretrained, Run, Scores};
use crate::plan::{Examples, Member, Part, Plan};
use crate::session::{Fitted, Session};

/// Networks that were trained: θ of all, one after the other, and how each went.
pub(crate) struct Trained<T> {
    pub parameters: Vec<T>,
    pub runs: Vec<Run>,
    /// Which networks of the plan they are.
    pub members: Vec<usize>,
    pub seconds: f64,
}

/// θ before training.
pub(crate) fn start<T: Scalar>(plan: &Plan, seed: u64) -> Vec<T> {
    match plan.initialization {
        Some(initialization) => initialization.draw(&plan.network, seed),
        None => draw_defaults(&plan.network, seed),
    }
}

/// What one network of an ensemble is trained on, and with what settings.
struct Task<T> {
    training: Training,
    start: Vec<T>,
    rows: Vec<usize>,
    validation: Vec<usize>,
}

impl<T: Scalar> Task<T> {
    fn new(plan: &Plan, data: DatasetView<'_, T>, k: usize, member: &Member) -> Self {
        let training = Training { seed: member_seed(plan.training.seed, k), ..plan.training.clone() };
        let start = start(plan, training.seed);
        let (rows, validation) = (data.row_numbers(&member.training), data.row_numbers(&member.validation));
        Task { training, start, rows, validation }
    }

    fn problem<'a>(&'a self, plan: &'a Plan, data: DatasetView<'a, T>) -> Result<Problem<'a, T>> {
        let validation = data.rows_at(&self.validation)?;
        Ok(Problem { task: plan.task, ..Problem::new(&plan.network, plan.loss, data.rows_at(&self.rows)?) }
            .with_validation(Some(validation)))
    }
}

/// The seed of a network of an ensemble, which decides its start and the order of its rows.
fn member_seed(seed: u64, member: usize) -> u64 {
    (Random::new(seed, Purpose::Ensemble, member as u32).uniform() * (1u64 << 53) as f64) as u64
}

/// Trains the network of a plan, which is one.
pub(crate) fn train_one<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    examples: &Examples<'_, T>,
    start: Vec<T>,
    pretrained: Option<Pretrained>,
) -> Result<Fitted<T>> {
    let problem = Problem { task: plan.task, ..Problem::new(&plan.network, plan.loss, examples.training.view()) }
        .with_validation(examples.validation.as_ref().map(Part::view));
    session.train(&plan.training, &problem, start, &[], &Phase::Training { pretrained })
}

/// Trains the networks of an ensemble: at the same time, or one after the other where a checkpoint is to know, or knows, how
/// far they are. Ends with the first whose cost was not finite: the mean would not say what went wrong.
pub(crate) fn train_ensemble<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
) -> Result<Trained<T>> {
    let clock = Instant::now();
    let fitted: Vec<(usize, Fitted<T>)> = match session.keeps_checkpoints || session.resume.is_some() {
        true => one_after_the_other(session, plan, data)?.into_iter().enumerate().collect(),
        false => at_the_same_time(session, plan, data)?,
    };
    let mut trained = Trained { parameters: Vec::new(), runs: Vec::new(), members: Vec::new(), seconds: 0.0 };
    for (member, Fitted { parameters, run }) in fitted {
        let is_finite = is_finite(&run);
        trained.members.push(member);
        trained.parameters.extend(parameters);
        trained.runs.push(run);
        if !is_finite {
            break;
        }
    }
    Ok(Trained { seconds: clock.elapsed().as_secs_f64(), ..trained })
}

fn is_finite(run: &Run) -> bool {
    !matches!(run.stop_reason, StopReason::NotFinite { .. })
}

/// Those of the networks that were trained, with their places.
fn at_the_same_time<T: Scalar>(
    session: &Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
) -> Result<Vec<(usize, Fitted<T>)>> {
    let members = plan.members.len();
    let fit = |(k, member): (usize, &Member)| {
        let task = Task::new(plan, data, k, member);
        let phase = Phase::Member { member: k + 1, members, done: Vec::new() };
        session.train_beside(&task.training, &task.problem(plan, data)?, task.start.clone(), &phase)
    };
    let fitted: Vec<Result<Fitted<T>>> = match Threads::here() {
        1 => plan.members.iter().enumerate().map(fit).collect(),
        _ => plan.members.par_iter().enumerate().map(fit).collect(),
    };
    let is_left_out =
        |fitted: &Result<Fitted<T>>| session.keeps_unfinished && matches!(fitted, Err(Error::Interrupted));
    if fitted.iter().all(is_left_out) {
        return Err(Error::Interrupted);
    }
    let kept = fitted.into_iter().enumerate().filter(|(_, fitted)| !is_left_out(fitted));
    kept.map(|(k, fitted)| Ok((k, fitted?))).collect()
}

fn one_after_the_other<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
) -> Result<Vec<Fitted<T>>> {
    let (mut learned, mut done): (Vec<T>, Vec<Run>) = match &session.resume {
        Some(resume) => match resume.phase() {
            Phase::Member { done, .. } if !done.is_empty() => (resume.checkpoint.learned()?, done.clone()),
            _ => Default::default(),
        },
        None => Default::default(),
    };
    let length = plan.network.parameter_count();
    let mut fitted: Vec<Fitted<T>> = learned
        .chunks(length)
        .zip(&done)
        .map(|(parameters, run)| {
            let run = Run { epochs_before: run.history.len(), ..run.clone() };
            Fitted { parameters: parameters.to_vec(), run }
        })
        .collect();
    let members = plan.members.len();
    for (k, member) in plan.members.iter().enumerate().skip(done.len()) {
        let task = Task::new(plan, data, k, member);
        let phase = Phase::Member { member: k + 1, members, done: done.clone() };
        let problem = task.problem(plan, data)?;
        let of_member = session.train(&task.training, &problem, task.start.clone(), &learned, &phase)?;
        learned.extend(&of_member.parameters);
        done.push(of_member.run.clone());
        let goes_on = is_finite(&of_member.run);
        fitted.push(of_member);
        if !goes_on {
            break;
        }
    }
    Ok(fitted)
}

/// Cost and score out-of-fold: over all training rows, each predicted by the one network that did not train on it; of networks that
/// were left out, without their rows. And these predictions, with the places of their rows.
pub(crate) fn out_of_fold<T: Scalar>(
    plan: &Plan,
    data: DatasetView<'_, T>,
    parameters: &[T],
) -> Result<(Scores, Array2<f64>, Vec<usize>)> {
    let mut places: Vec<usize> = plan.members.iter().flat_map(|member| &member.validation).copied().collect();
    places.sort_unstable();
    let mut outputs = Array2::zeros((places.len(), plan.network.outputs()));
    let (mut cost, mut weight) = (0.0, 0.0);
    for (theta, member) in parameters.chunks(plan.network.parameter_count()).zip(&plan.members) {
        let rows = data.row_numbers(&member.validation);
        let held_out = data.rows_at(&rows)?;
        let predicted = plan.network.predict(theta, held_out.inputs().view())?;
        let of_these = held_out.rows() as f64 * held_out.mean_weight();
        cost += plan.training.cost(&plan.network, plan.loss, held_out)?.cost(theta) * of_these;
        weight += of_these;
        for (place, predicted) in member.validation.iter().zip(predicted.outer_iter()) {
            outputs.row_mut(places.partition_point(|other| other < place)).assign(&predicted.mapv(|h| h.to_f64()));
        }
    }
    let targets = data.rows_at(&data.row_numbers(&places))?.targets().mapv(|y| y.to_f64());
    let score = plan.task.score(outputs.view(), targets.view());
    Ok((Scores { cost: cost / weight, score }, outputs, places))
}
