//! Pretraining: each layer by itself, its gradient checked and its epochs shown as those of the whole network.

use serde_json::{Value, json};
use surefoot::{Dataset, Objective, Scalar, Stage, StopReason, pretrain};

use super::checkpoints::Phase;
use super::plan::Plan;
use super::recipe::Pretraining;
use super::session::{Ended, Fitted, Problem, Session};
use crate::output::{count, short};

/// θ after each layer has learned by itself, and the cost that each came to.
pub fn run<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    pretraining: &Pretraining,
    mut start: Vec<T>,
    data: &Dataset<T>,
) -> Result<(Vec<T>, Vec<f64>), Ended> {
    let mut costs = Vec::new();
    if let Some(resumed) = &session.resumed
        && let Phase::Pretraining { costs: before, .. } = &resumed.phase
    {
        (start, costs) = (resumed.checkpoint.whole()?, before.clone());
    }
    let done = costs.len();
    let parameters = pretrain(&plan.network, plan.loss, start, data, session.train.settings.seed, |stage| {
        if stage.layer < done {
            return Ok(stage.start.clone()); // learned before the interruption
        }
        let (parameters, cost) = learn(session, plan, pretraining, stage, &costs)?;
        costs.push(cost);
        Ok::<_, Ended>(parameters)
    })?;
    Ok((parameters, costs))
}

fn learn<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    pretraining: &Pretraining,
    stage: &Stage<T>,
    costs: &[f64],
) -> Result<(Vec<T>, f64), Ended> {
    let Stage { layer, network, loss, data, whole, start } = stage;
    let hidden = layer + 1 < plan.network.layers().len();
    let (training, what) = match hidden {
        true => (&pretraining.hidden, "a sparse autoencoder"),
        false => (&pretraining.output, "the output layer"),
    };
    let rows = count(data.rows(), "row");
    session.say(format_args!("\npretraining layer {layer}: {what}, {}, {rows}\n", network.widths()))?;
    let problem = Problem { training, network, loss: *loss, data, validation: None };
    session.check_gradient(&problem)?;
    let phase = Phase::Pretraining { layer: *layer, costs: costs.to_vec() };
    let Fitted { parameters, run } = session.fit(&problem, start.clone(), whole, phase)?;
    if let StopReason::NotFinite { epoch, .. } = run.stop_reason {
        eprintln!("error: pretraining of layer {layer} stopped in epoch {epoch}, where the cost was not finite");
        eprintln!("hint: try a smaller --pretrain-weight-decay or --sparsity-weight, or another --init");
        return Err(Ended::No);
    }
    let cost = training.cost(network, *loss, data)?.cost(&parameters);
    let iterations = count(run.history.len(), "iteration");
    session.say(format_args!("cost {} after {iterations}\n", short(Some(cost))))?;
    Ok((parameters, cost))
}

/// The settings, for the file of the model.
pub fn provenance(pretraining: &Pretraining, costs: &[f64]) -> Value {
    json!({
        "name": "sparse-autoencoder", "epochs": pretraining.hidden.epochs,
        "weight_decay": pretraining.hidden.weight_decay, "sparsity": pretraining.hidden.sparsity, "costs": costs,
    })
}
