//! Pretraining: each layer by itself, its gradient checked and its epochs shown as those of the whole network.

use anyhow::Context;
use serde_json::{Value, json};
use surefoot::{Dataset, Objective, Scalar, Stage, StopReason, pretrain};

use super::plan::{Plan, Pretraining};
use super::{check_gradient, talks};
use crate::arguments::Train;
use crate::output::{count, print_line, short};
use crate::progress::Progress;

/// Why there is no start for the fine-tuning.
pub enum Stopped {
    /// The gradient check, or a cost that is not finite, says no; it was said why.
    No,
    Failed(anyhow::Error),
}

impl From<surefoot::Error> for Stopped {
    fn from(error: surefoot::Error) -> Self {
        Stopped::Failed(error.into())
    }
}

impl From<anyhow::Error> for Stopped {
    fn from(error: anyhow::Error) -> Self {
        Stopped::Failed(error)
    }
}

/// θ after each layer has learned by itself, and the cost that each came to.
pub fn run<T: Scalar>(
    arguments: &Train,
    plan: &Plan,
    pretraining: &Pretraining,
    start: Vec<T>,
    data: &Dataset<T>,
) -> Result<(Vec<T>, Vec<f64>), Stopped> {
    let mut costs = Vec::new();
    let parameters = pretrain(&plan.network, plan.loss, start, data, arguments.seed, |stage| {
        let (parameters, cost) = learn(arguments, plan, pretraining, stage)?;
        costs.push(cost);
        Ok::<_, Stopped>(parameters)
    })?;
    Ok((parameters, costs))
}

fn learn<T: Scalar>(
    arguments: &Train,
    plan: &Plan,
    pretraining: &Pretraining,
    stage: &Stage<T>,
) -> Result<(Vec<T>, f64), Stopped> {
    let Stage { layer, network, loss, data, start } = stage;
    let hidden = layer + 1 < plan.network.layers().len();
    let (training, what) = match hidden {
        true => (&pretraining.hidden, "a sparse autoencoder"),
        false => (&pretraining.output, "the output layer"),
    };
    if talks(arguments) {
        let rows = count(data.rows(), "row");
        print_line(format_args!("\npretraining layer {layer}: {what}, {}, {rows}", network.widths()))?;
    }
    if !arguments.no_check && !check_gradient(arguments, training, network, *loss, start, data)? {
        return Err(Stopped::No);
    }
    let mut progress = Progress::new(training.epochs, Some(*layer), arguments.json, arguments.quiet);
    let trained = training
        .fit(network, *loss, start.clone(), data, None, &mut progress)
        .with_context(|| format!("cannot pretrain layer {layer}"))?;
    progress.finish();
    if let Some(failure) = progress.failure {
        return Err(failure.into());
    }
    if let StopReason::NotFinite { epoch, .. } = trained.stop_reason {
        eprintln!(
            "error: pretraining of layer {layer} stopped in epoch {epoch}, where the cost or its gradient was not finite"
        );
        eprintln!("hint: try a smaller --pretrain-weight-decay or --sparsity-weight, or another --init");
        return Err(Stopped::No);
    }
    let cost = training.cost(network, *loss, data)?.cost(&trained.parameters);
    if talks(arguments) {
        print_line(format_args!("cost {} after {}", short(Some(cost)), count(trained.history.len(), "iteration")))?;
    }
    Ok((trained.parameters, cost))
}

/// The settings, for the file of the model.
pub fn provenance(pretraining: &Pretraining, costs: &[f64]) -> Value {
    json!({
        "name": "sparse-autoencoder", "epochs": pretraining.hidden.epochs,
        "weight_decay": pretraining.hidden.weight_decay, "sparsity": pretraining.hidden.sparsity, "costs": costs,
    })
}
