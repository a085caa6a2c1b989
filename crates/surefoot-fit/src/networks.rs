//! The training of a plan's network, or of its ensemble: several networks from different starts on different parts of the
//! rows.

use std::sync::Arc;
use std::time::Instant;

use ndarray::Array2;
use rayon::prelude::*;
use surefoot::{
    DatasetView, Device, Objective, Problem, Purpose, Random, Scalar, StopReason, Threads, Training, draw_defaults,
};

use crate::dealing::share_networks;
use crate::error::{Error, Result};
use crate::events::Phase;
use crate::outcome::{Pretrained, Run, Scores};
use crate::plan::{Examples, Member, Part, Plan};
use crate::session::{Fitted, Session, device_of};

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

    fn problem<'a>(
        &'a self,
        plan: &'a Plan,
        data: DatasetView<'a, T>,
        device: &'a Option<Arc<dyn Device<f32>>>,
    ) -> Result<Problem<'a, T>> {
        let validation = data.rows_at(&self.validation)?;
        Ok(Problem { task: plan.task, ..Problem::new(&plan.network, plan.loss, data.rows_at(&self.rows)?) }
            .with_validation(Some(validation))
            .with_device(device_of(device)))
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
    let (ranks, device) = (session.ranks.clone(), session.device.clone());
    let problem = Problem { task: plan.task, ..Problem::new(&plan.network, plan.loss, examples.training.view()) }
        .with_validation(examples.validation.as_ref().map(Part::view))
        .with_ranks(ranks.as_deref())
        .with_device(device_of(&device));
    session.train(&plan.training, &problem, start, &[], &Phase::Training { pretrained })
}

/// Trains the networks of an ensemble: at the same time, or in rounds where a checkpoint is to know, or knows, how far they are.
/// Ends with the first whose cost was not finite: the mean would not say what went wrong.
pub(crate) fn train_ensemble<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
) -> Result<Trained<T>> {
    let clock = Instant::now();
    let mut trained = Trained { parameters: Vec::new(), runs: Vec::new(), members: Vec::new(), seconds: 0.0 };
    for (member, Fitted { parameters, run }) in in_rounds(session, plan, data)? {
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

/// Those of the networks that were trained, with their places. In a round that is kept each process trains one network, the first
/// of them where its checkpoints are kept, so that a checkpoint has all networks before the one in training; else there is one round,
/// and the networks of a process are trained at the same time.
fn in_rounds<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
) -> Result<Vec<(usize, Fitted<T>)>> {
    let ranks = session.ranks.clone();
    let (rank, size) = ranks.as_ref().map_or((0, 1), |ranks| (ranks.rank(), ranks.size()));
    let is_kept = session.keeps_checkpoints || session.resume.is_some();
    let is_kept = ranks.as_ref().map_or(Ok(is_kept), |ranks| ranks.any(is_kept))?;
    let members = plan.members.len();
    let mut fitted: Vec<(usize, Fitted<T>)> = before(session, plan)?.into_iter().enumerate().collect();
    while fitted.len() < members && fitted.iter().all(|(_, network)| is_finite(&network.run)) {
        let first = fitted.len();
        let end = if is_kept { members.min(first + size) } else { members };
        let own: Vec<usize> = (first + rank..end).step_by(size).collect();
        let of_round = match is_kept && rank == 0 {
            true => the_first(session, plan, data, &fitted).map(|network| vec![(first, network)]),
            false => at_the_same_time(session, plan, data, &own),
        };
        fitted.extend(match &ranks {
            Some(ranks) => share_networks(&**ranks, of_round)?,
            None => of_round?,
        });
        if !is_kept {
            break; // networks that were interrupted may be left out
        }
    }
    Ok(fitted)
}

/// The networks that were trained before the checkpoint that is resumed.
fn before<T: Scalar>(session: &Session<'_>, plan: &Plan) -> Result<Vec<Fitted<T>>> {
    let Some((resume, Phase::Member { done, .. })) = session.resume.as_ref().map(|resume| (resume, resume.phase()))
    else {
        return Ok(Vec::new());
    };
    if done.is_empty() {
        return Ok(Vec::new());
    }
    let learned: Vec<T> = resume.checkpoint.learned()?;
    let of = |(parameters, run): (&[T], &Run)| {
        let run = Run { epochs_before: run.history.len(), ..run.clone() };
        Fitted { parameters: parameters.to_vec(), run }
    };
    Ok(learned.chunks(plan.network.parameter_count()).zip(done).map(of).collect())
}

/// The network after these, with checkpoints that have all of them.
fn the_first<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
    before: &[(usize, Fitted<T>)],
) -> Result<Fitted<T>> {
    let (k, members) = (before.len(), plan.members.len());
    let learned: Vec<T> = before.iter().flat_map(|(_, network)| &network.parameters).copied().collect();
    let done = before.iter().map(|(_, network)| network.run.clone()).collect();
    let task = Task::new(plan, data, k, &plan.members[k]);
    let phase = Phase::Member { member: k + 1, members, done };
    let device = session.device.clone();
    session.train(&task.training, &task.problem(plan, data, &device)?, task.start.clone(), &learned, &phase)
}

/// These of the networks, those apart that were interrupted where what is unfinished is kept.
fn at_the_same_time<T: Scalar>(
    session: &Session<'_>,
    plan: &Plan,
    data: DatasetView<'_, T>,
    own: &[usize],
) -> Result<Vec<(usize, Fitted<T>)>> {
    let members = plan.members.len();
    let fit = |&k: &usize| {
        let task = Task::new(plan, data, k, &plan.members[k]);
        let phase = Phase::Member { member: k + 1, members, done: Vec::new() };
        session.train_beside(&task.training, &task.problem(plan, data, &session.device)?, task.start.clone(), &phase)
    };
    let fitted: Vec<Result<Fitted<T>>> = match Threads::here() {
        1 => own.iter().map(fit).collect(),
        _ => own.par_iter().map(fit).collect(),
    };
    let is_left_out =
        |fitted: &Result<Fitted<T>>| session.keeps_unfinished && matches!(fitted, Err(Error::Interrupted));
    if !own.is_empty() && fitted.iter().all(is_left_out) {
        return Err(Error::Interrupted);
    }
    let kept = own.iter().zip(fitted).filter(|(_, fitted)| !is_left_out(fitted));
    kept.map(|(&k, fitted)| Ok((k, fitted?))).collect()
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
