//! Pretraining: each layer by itself, with its gradient checked first.

use serde_json::{Value, json};
use surefoot::pretraining::{Stage, pretrain};
use surefoot::{DatasetView, Objective, Problem, Scalar};

use crate::cross_validation::diverged;
use crate::error::{Error, Result, Side};
use crate::events::Phase;
use crate::plan::Plan;
use crate::recipe::PretrainingPlan;
use crate::session::{Fitted, Session, device_of};

/// θ after each layer has learned by itself, and the cost that each came to.
pub(crate) fn run<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    settings: &PretrainingPlan,
    mut start: Vec<T>,
    data: DatasetView<'_, T>,
) -> Result<(Vec<T>, Vec<f64>)> {
    let mut costs = Vec::new();
    if let Some(resume) = &session.resume
        && let Phase::Pretraining { costs: before, .. } = resume.phase()
    {
        (start, costs) = (resume.checkpoint.learned()?, before.clone());
    }
    let done = costs.len();
    let parameters = pretrain(&plan.network, plan.loss, start, data, session.options.seed, |stage| {
        if stage.layer < done {
            return Ok(stage.start.clone()); // learned before the interruption
        }
        let (parameters, cost) = learn(session, plan, settings, stage, &costs)?;
        costs.push(cost);
        Ok::<_, Error>(parameters)
    })?;
    Ok((parameters, costs))
}

fn learn<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    settings: &PretrainingPlan,
    stage: &Stage<T>,
    costs: &[f64],
) -> Result<(Vec<T>, f64)> {
    let (layer, layers) = (stage.layer + 1, plan.network.layers().len());
    let training = if layer < layers { &settings.hidden } else { &settings.output };
    let (ranks, device) = (session.ranks.clone(), session.device.clone());
    let problem = Problem { task: plan.task, ranks: ranks.as_deref(), device: device_of(&device), ..stage.problem() };
    let (widths, rows) = (stage.network.widths(), stage.data.rows());
    session.tell(|events| events.layer(layer, layers, &widths, rows))?;
    session.check_gradient(training, &problem)?;
    let phase = Phase::Pretraining { layer, layers, costs: costs.to_vec() };
    let Fitted { parameters, run } = session.train(training, &problem, stage.start.clone(), &stage.whole, &phase)?;
    diverged(std::slice::from_ref(&run), Side::Pretraining(layer))?;
    let cost = training.cost(&stage.network, stage.loss, &stage.data)?.cost(&parameters);
    session.tell(|events| events.layer_pretrained(layer, cost, &run))?;
    Ok((parameters, cost))
}

/// The settings, for the file of the model.
pub(crate) fn provenance(settings: &PretrainingPlan, costs: &[f64]) -> Value {
    json!({
        "name": "sparse-autoencoder", "epochs": settings.hidden.epochs,
        "weight_decay": settings.hidden.weight_decay, "sparsity": settings.hidden.sparsity, "costs": costs,
    })
}
