//! `--folds`: how good such a network is on rows that it did not see, and how much that varies.

use std::borrow::Cow;

use serde_json::{Value, json};
use surefoot::{Dataset, Network, Scalar, StopReason, Training, average};
use surefoot_table::Targets;

use super::data::Data;
use super::members::{parts, seed_of};
use super::plan::Plan;
use super::session::{Ended, Session};
use super::start;
use super::summary::{Scores, score_name};
use crate::arguments::Settings;
use crate::output::{count, print_line, short, usage};

/// The score on each part, by a network that was trained on the others.
pub struct Folds(pub Vec<f64>);

impl Folds {
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The standard deviation of the scores, with one less than their number below the sum.
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / (self.0.len() - 1) as f64).sqrt()
    }

    pub fn json(&self) -> Value {
        json!({"scores": self.0, "mean": self.mean(), "spread": self.spread()})
    }
}

/// That there are such parts, and that a score says something of each.
pub fn check(settings: &Settings, data: &Data) -> anyhow::Result<()> {
    let Some(folds) = settings.folds else { return Ok(()) };
    let parts = data.folds(settings, folds)?;
    let least = parts.iter().filter_map(|part| Some(part.test.as_ref()?.rows.len())).min().unwrap_or(0);
    let is_of_numbers = data.target.as_ref().is_some_and(|target| target.targets == Targets::Numbers);
    match is_of_numbers && least < 2 {
        false => Ok(()),
        true => {
            let message =
                format!("--folds {folds} leaves {} for a fold, of which R² says nothing", count(least, "row"));
            Err(usage(message, "fewer folds"))
        }
    }
}

/// Trains on all parts but one, for each of them. What is learned from data (categories, fills, scaling, when to stop) is
/// learned anew each time, without the part that is measured on; only the kind of a column is decided by all rows.
pub fn run<T: Scalar>(session: &Session<'_>, data: &Data, folds: usize) -> Result<Folds, Ended> {
    let settings = &session.train.settings;
    let parts = data.folds(settings, folds)?;
    let (mut scores, mut name) = (Vec::new(), "score");
    session.say("\n")?;
    for (i, parts) in parts.iter().enumerate() {
        let plan = Plan::new(settings, data, parts)?;
        let [examples, validation, test] = [Some(&plan.data), plan.validation.as_ref(), plan.test.as_ref()]
            .map(|part| part.map(Dataset::cast::<T>).transpose());
        let (Some(examples), validation, Some(test)) = (examples?, validation?, test?) else { continue };
        let (network, parameters) = fit(session, &plan, &examples, validation.as_ref(), i + 1)?;
        let Scores { cost, score } = Scores::new(&plan, &network, &parameters, &test)?;
        name = score_name(plan.task);
        let (fold, rows) = (i + 1, test.rows());
        if session.train.json {
            print_line(json!({"event": "fold", "fold": fold, "rows": rows, "cost": cost, "score": score}))?;
        }
        session.say(format_args!(
            "fold {fold} of {folds}: {name} {} on {}\n",
            short(Some(score)),
            count(rows, "row")
        ))?;
        scores.push(score);
    }
    let scores = Folds(scores);
    let (mean, spread) = (short(Some(scores.mean())), short(Some(scores.spread())));
    session.say(format_args!("{name} {mean} ± {spread} (mean and standard deviation over {folds} folds)\n"))?;
    Ok(scores)
}

/// The network of a fold: one, or the average of several.
fn fit<T: Scalar>(
    session: &Session<'_>,
    plan: &Plan,
    examples: &Dataset<T>,
    validation: Option<&Dataset<T>>,
    fold: usize,
) -> Result<(Network, Vec<T>), Ended> {
    let train = |seed: u64, learned: &Dataset<T>, held: Option<&Dataset<T>>| -> Result<Vec<T>, Ended> {
        let start = start(&session.train.settings, &plan.network, seed);
        let training = Training { seed, ..plan.training.clone() };
        let trained = training.fit(&plan.network, plan.loss, start, learned, held, &mut ())?;
        if let StopReason::NotFinite { epoch, .. } = trained.stop_reason {
            eprintln!("error: in fold {fold} the cost was not finite, in epoch {epoch}");
            eprintln!("hint: try a smaller --learning-rate or --weight-decay, or another --init");
            return Err(Ended::No);
        }
        Ok(trained.parameters)
    };
    if plan.members.is_empty() {
        let learned = plan.smooth(Cow::Borrowed(examples))?;
        let parameters = train(plan.training.seed, &learned, validation)?;
        return Ok((plan.network.clone(), parameters));
    }
    let mut members = Vec::new();
    for (k, member) in plan.members.iter().enumerate() {
        let (learned, held) = parts(plan, examples, member)?;
        members.push(train(seed_of(plan.training.seed, k), &learned, Some(&held))?);
    }
    Ok(average(&plan.network, &members)?)
}
