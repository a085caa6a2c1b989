//! `--members`: several networks, each stopped by another part of the rows, and averaged into one.

use std::borrow::Cow;
use std::time::Instant;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use surefoot::{Dataset, Epoch, Network, Purpose, Random, Scalar, StopReason, Training, average};

use super::checkpoints::Phase;
use super::plan::{Member, Plan};
use super::session::{Ended, Fitted, Problem, Run, Session};
use super::start;
use super::summary::Scores;

/// The average of the members.
pub struct Averaged<T> {
    pub network: Network,
    pub parameters: Vec<T>,
    /// How the training of each went.
    pub runs: Vec<Run>,
    /// Of all of them.
    pub seconds: f64,
    /// On all rows, each predicted by the network that had not learned from it.
    pub scores: Scores,
    /// These predictions.
    pub outputs: Array2<f64>,
}

/// What a checkpoint keeps of a member that was trained, beside its θ.
#[derive(Clone, Serialize, Deserialize)]
pub struct Done {
    stop_reason: StopReason,
    best_epoch: usize,
    steps: u64,
    evaluations: u64,
    seconds: f64,
    /// Cost, validation cost, validation score and learning rate of each epoch, those that are finite.
    history: Vec<[Option<f64>; 4]>,
}

impl Done {
    fn new(run: &Run) -> Self {
        let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
        let numbers = |epoch: &Epoch| {
            [Some(epoch.cost), epoch.validation_cost, epoch.validation_score, Some(epoch.learning_rate)].map(finite)
        };
        let Run { stop_reason, best_epoch, steps, evaluations, seconds, .. } = *run;
        Done {
            stop_reason,
            best_epoch,
            steps,
            evaluations,
            seconds,
            history: run.history.iter().map(numbers).collect(),
        }
    }

    /// As it was in the process that trained it.
    fn run(&self) -> Run {
        let epoch = |(i, numbers): (usize, &[Option<f64>; 4])| {
            let [cost, validation_cost, validation_score, learning_rate] = *numbers;
            let of = |number: Option<f64>| number.unwrap_or(f64::NAN);
            Epoch { epoch: i + 1, cost: of(cost), validation_cost, validation_score, learning_rate: of(learning_rate) }
        };
        let Done { stop_reason, best_epoch, steps, evaluations, seconds, .. } = *self;
        let history: Vec<Epoch> = self.history.iter().enumerate().map(epoch).collect();
        Run { stop_reason, best_epoch, steps, evaluations, seconds, epochs_before: history.len(), history }
    }
}

/// Trains the members: at the same time, or one after the other where a checkpoint is to know how far it is.
pub fn run<T: Scalar>(session: &mut Session<'_>, plan: &Plan, data: &Dataset<T>) -> Result<Averaged<T>, Ended> {
    let clock = Instant::now();
    let (learned, runs) = match session.checkpoints.is_some() {
        true => one_after_the_other(session, plan, data)?,
        false => at_the_same_time(session, plan, data)?,
    };
    let seconds = clock.elapsed().as_secs_f64();
    let members: Vec<Vec<T>> = learned.chunks(plan.network.parameter_count()).map(<[T]>::to_vec).collect();
    let (network, parameters) = average(&plan.network, &members)?;
    let (scores, outputs) = measure(plan, data, &members)?;
    Ok(Averaged { network, parameters, runs, seconds, scores, outputs })
}

/// θ of all members in a row, and how their trainings went.
type Learned<T> = (Vec<T>, Vec<Run>);

fn at_the_same_time<T: Scalar>(session: &Session<'_>, plan: &Plan, data: &Dataset<T>) -> Result<Learned<T>, Ended> {
    let seed_of = |k| seed_of(plan.training.seed, k);
    let count = plan.members.len();
    let trainings: Vec<Training> = (0..count).map(|k| Training { seed: seed_of(k), ..plan.training.clone() }).collect();
    let parts = plan.members.iter().map(|member| parts(plan, data, member)).collect::<surefoot::Result<Vec<_>>>()?;
    let mut problems = Vec::new();
    for (training, (learned, held)) in trainings.iter().zip(&parts) {
        let (network, loss) = (&plan.network, plan.loss);
        let start = start(&session.train.settings, network, training.seed);
        problems.push((Problem { training, network, loss, data: learned, validation: Some(held) }, start));
    }
    let fitted = session.fit_all(problems)?;
    let mut learned = (Vec::new(), Vec::new());
    for Fitted { parameters, run } in fitted {
        let is_finite = !matches!(run.stop_reason, StopReason::NotFinite { .. });
        learned.0.extend(parameters);
        learned.1.push(run);
        if !is_finite {
            break; // the average would not say what went wrong
        }
    }
    Ok(learned)
}

fn one_after_the_other<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    data: &Dataset<T>,
) -> Result<Learned<T>, Ended> {
    let mut done = match session.resumed.as_ref().map(|resumed| &resumed.phase) {
        Some(Phase::Member { done }) => done.clone(),
        _ => Vec::new(),
    };
    let mut learned: Vec<T> = match &session.resumed {
        Some(resumed) if !done.is_empty() => resumed.checkpoint.whole()?,
        _ => Vec::new(),
    };
    let mut runs: Vec<Run> = done.iter().map(Done::run).collect();
    for (k, member) in plan.members.iter().enumerate().skip(done.len()) {
        let training = Training { seed: seed_of(plan.training.seed, k), ..plan.training.clone() };
        let (examples, held) = parts(plan, data, member)?;
        let (network, loss) = (&plan.network, plan.loss);
        let problem = Problem { training: &training, network, loss, data: &examples, validation: Some(&held) };
        let start = start(&session.train.settings, network, training.seed);
        let Fitted { parameters, run } =
            session.fit(&problem, start, &learned, Phase::Member { done: done.clone() })?;
        learned.extend(parameters);
        done.push(Done::new(&run));
        let is_finite = !matches!(run.stop_reason, StopReason::NotFinite { .. });
        runs.push(run);
        if !is_finite {
            break; // as above
        }
    }
    Ok((learned, runs))
}

/// What a member learns from, and what it is stopped by.
pub fn parts<T: Scalar>(plan: &Plan, data: &Dataset<T>, member: &Member) -> surefoot::Result<(Dataset<T>, Dataset<T>)> {
    let learned = plan.smooth(Cow::Owned(data.select(&member.learned)?))?.into_owned();
    Ok((learned, data.select(&member.held)?))
}

/// The seed of a member, which decides its start and the order of its rows.
pub fn seed_of(seed: u64, member: usize) -> u64 {
    (Random::new(seed, Purpose::Members, member as u32).uniform() * (1u64 << 53) as f64) as u64
}

/// Cost and score over the rows that each network had not learned from, and the predictions there.
fn measure<T: Scalar>(plan: &Plan, data: &Dataset<T>, members: &[Vec<T>]) -> surefoot::Result<(Scores, Array2<f64>)> {
    let mut outputs = Array2::zeros((data.rows(), plan.network.outputs()));
    let (mut cost, mut weight) = (0.0, 0.0);
    for (parameters, Member { held, .. }) in members.iter().zip(&plan.members) {
        let held_back = data.select(held)?;
        let predicted = plan.network.predict(parameters, held_back.inputs())?;
        let of_these = held.len() as f64 * held_back.mean_weight();
        cost += Scores::new(plan, &plan.network, parameters, &held_back)?.cost * of_these;
        weight += of_these;
        for (&row, predicted) in held.iter().zip(predicted.outer_iter()) {
            outputs.row_mut(row).assign(&predicted.mapv(|h| h.to_f64()));
        }
    }
    let targets = data.targets().mapv(|y| y.to_f64());
    let score = plan.task.score(outputs.view(), targets.view());
    Ok((Scores { cost: cost / weight, score }, outputs))
}
