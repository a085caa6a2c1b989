//! The gradient check on the page, and faults that are planted to see it fail.

use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::{Cost, GradientCheck, Objective, Segment, Trace};

use crate::error::{Error, Result};
use crate::session::{Moment, Session};

/// A mistake that people make when they write backpropagation themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// δ⁽ˡ⁾ = (W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾ in hidden layers.
    ForgetSlope,
    /// ∂J/∂b with + λ b.
    DecayBias,
    /// ∂J/∂W without + λ W.
    DropDecay,
}

/// Coordinates that a check on the page compares, at most.
const COORDINATES: usize = 400;

/// The gradient of the cost over the session's examples, with a fault where one is planted.
pub(crate) fn gradient(session: &Session, moment: &Moment, fault: Option<Fault>) -> Result<(f64, Vec<f64>)> {
    let (model, theta) = (&moment.model, &moment.theta);
    let mut cost = model.cost(&session.examples)?;
    let mut gradient = vec![0.0; theta.len()];
    let value = cost.cost_and_gradient(theta, &mut gradient);
    let network = &model.network;
    match fault {
        None => {}
        Some(Fault::ForgetSlope) => {
            // the part that goes through the loss is replaced; decay and sparsity stay
            let share = 1.0 / session.examples.rows() as f64;
            for example in 0..session.examples.rows() {
                let (x, y) = session.example(example)?;
                let trace = Trace::new(network, model.loss, theta, &x, Some(&y))?;
                let wrong = without_slopes(session, moment, &trace);
                let right = trace.backward.as_ref().map_or(&[][..], |backward| &backward.gradient);
                for ((sum, wrong), right) in gradient.iter_mut().zip(wrong).zip(right) {
                    *sum += share * (wrong - right);
                }
            }
        }
        Some(Fault::DecayBias) => {
            for l in 0..network.layers().len() {
                network.bias_range(l).for_each(|i| gradient[i] += model.weight_decay * theta[i]);
            }
        }
        Some(Fault::DropDecay) => {
            for l in 0..network.layers().len() {
                network.weight_range(l).for_each(|i| gradient[i] -= model.weight_decay * theta[i]);
            }
        }
    }
    Ok((value, gradient))
}

/// The way back of one example where f′ of hidden layers is forgotten.
fn without_slopes(session: &Session, moment: &Moment, trace: &Trace) -> Vec<f64> {
    let network = &session.plan.network;
    let last = network.layers().len() - 1;
    let mut delta = vec![Vec::new(); last + 1];
    delta[last] = trace.backward.as_ref().map(|backward| backward.delta[last].clone()).unwrap_or_default();
    for l in (0..last).rev() {
        let weight = network.weight(&moment.theta, l + 1);
        delta[l] =
            weight.columns().into_iter().map(|w| w.iter().zip(&delta[l + 1]).map(|(w, d)| w * d).sum()).collect();
    }
    let mut gradient = Vec::with_capacity(moment.theta.len());
    for (l, delta) in delta.iter().enumerate() {
        gradient.extend(delta.iter().flat_map(|delta| trace.below(l).iter().map(move |a| delta * a)));
        gradient.extend(delta);
    }
    gradient
}

/// A cost with a gradient that someone claims.
struct Claimed<'a> {
    cost: Cost<'a, f64>,
    gradient: &'a [f64],
}

impl Objective<f64> for Claimed<'_> {
    fn dimension(&self) -> usize {
        self.cost.dimension()
    }

    fn cost(&mut self, parameters: &[f64]) -> f64 {
        self.cost.cost(parameters)
    }

    fn cost_and_gradient(&mut self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(self.gradient);
        self.cost.cost(parameters)
    }

    fn has_kink_between(&mut self, one: &[f64], other: &[f64]) -> bool {
        self.cost.has_kink_between(one, other)
    }

    fn segments(&self) -> Vec<Segment> {
        self.cost.segments()
    }
}

/// The whole check, by layer.
pub(crate) fn check(session: &Session, fault: Option<Fault>) -> Result<Value> {
    let moment = session.moment()?;
    if matches!(fault, Some(Fault::DecayBias | Fault::DropDecay)) && moment.model.weight_decay == 0.0 {
        return Err(Error::request("fault", "λ above 0, as this fault is about λ", "λ = 0"));
    }
    let (_, gradient) = gradient(session, &moment, fault)?;
    let mut claimed = Claimed { cost: moment.model.cost(&session.examples)?, gradient: &gradient };
    let check = GradientCheck { sample: Some(COORDINATES), ..GradientCheck::default() };
    let report = check.run(&mut claimed, &moment.theta)?;
    let layers: Vec<Value> = report
        .layers
        .iter()
        .map(|layer| {
            let worst = layer
                .worst
                .as_ref()
                .map(|worst| json!({"place": worst.place, "analytic": worst.analytic, "numeric": worst.numeric}));
            json!({
                "checked": layer.checked, "kinks": layer.kinks, "wrong": layer.wrong, "difference": layer.difference,
                "worst": worst,
            })
        })
        .collect();
    let is_hidden = fault == Some(Fault::DecayBias) && report.passed();
    Ok(json!({
        "passed": report.passed(), "cost": report.cost, "parameters": report.parameters, "epsilon": report.epsilon,
        "checked": report.total.checked, "wrong": report.total.wrong, "difference": report.total.difference, "layers": layers,
        "examples": session.examples.rows(),
        "note": is_hidden.then_some("every bias is still 0, so that decaying it changes nothing: train a step first"),
    }))
}
