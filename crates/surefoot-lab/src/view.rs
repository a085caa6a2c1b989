//! What the page draws: the network at one moment.

use ndarray::s;
use serde::Serialize;
use serde_json::{Value, json};
use surefoot::{Activation, Model, Objective, Task};
use surefoot_report::Features;
use surefoot_table::Targets;

use crate::drawn::{DRAWN, Drawn};
use crate::error::Result;
use crate::forward;
use crate::gate::Permit;
use crate::plane::{bytes, heat};
use crate::session::{Moment, Session};

/// Weights of a layer that are drawn as lines: where there are more, the largest.
const LINES: usize = 256;
const BINS: usize = 24;
/// Examples that activations and the score are of.
const LOOKED_AT: usize = 100;
/// A slope of less than this share of the steepest is flat.
const FLAT: f64 = 0.02;
/// The steepest slope of sigmoid and tanh.
const STEEPEST: [(Activation, f64); 2] = [(Activation::Sigmoid, 0.25), (Activation::Tanh, 1.0)];

/// What does not change while a session lasts.
pub(crate) fn summary(session: &Session) -> Value {
    let Session { plan, data, tables, examples, .. } = session;
    let classes: &[String] = match plan.encoding.as_ref().map(|encoding| &encoding.targets) {
        Some(Targets::Classes(names)) => names,
        _ => &[],
    };
    let names = plan.encoding.as_ref().map(|encoding| encoding.input_names()).unwrap_or_default();
    let is_plane = plan.network.inputs() == 2;
    let points: Vec<[f64; 3]> = match is_plane {
        true => (0..examples.rows())
            .map(|row| {
                let (x, y) = (examples.inputs(), examples.targets());
                let class = match y.ncols() {
                    1 => y[[row, 0]],
                    _ => (0..y.ncols()).find(|&k| y[[row, k]] > 0.5).unwrap_or(0) as f64,
                };
                [x[[row, 0]], x[[row, 1]], class]
            })
            .collect(),
        false => Vec::new(),
    };
    let layers: Vec<Value> = plan
        .network
        .layers()
        .iter()
        .map(|layer| json!({"inputs": layer.inputs, "outputs": layer.outputs, "activation": layer.activation.name()}))
        .collect();
    json!({
        "name": data.name, "columns": tables.table.columns(), "rows": tables.table.rows(), "training_rows": plan.rows,
        "validation_rows": plan.validation_rows, "examples": examples.rows(), "inputs": names, "classes": classes,
        "target": plan.encoding.as_ref().map(|encoding| encoding.target_columns.join(", ")),
        "task": plan.task.name(), "loss": plan.loss.name(), "layers": layers, "weight_decay": plan.training.weight_decay,
        "parameters": plan.network.parameter_count(), "points": points,
        "steps_of_epoch": plan.rows.div_ceil(plan.training.batch_rows(plan.rows).max(1)),
        "excluded": plan.excluded.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "drawn": DRAWN, "lines": LINES, "autoencoder": plan.is_autoencoder(), "score_name": plan.task.score_name(),
    })
}

/// What the units of the first layer answer to, where the inputs are the pixels of an image of at least 4 × 4.
fn features(model: &Model) -> Option<Features> {
    Features::new(model).ok().filter(|features| features.tile.iter().all(|&side| side >= 4))
}

/// The network now, with the epochs since, and what of it is drawn.
pub(crate) fn now(session: &Session, since: usize, drawn: &Drawn) -> Result<Value> {
    let gate = session.gate();
    let (theta, head) = {
        let seen = gate.look();
        let state = match (&seen.ended, seen.permit()) {
            (Some(_), _) => "ended",
            (None, Permit::Pause) => "paused",
            _ => "running",
        };
        let ended = seen.ended.as_ref().map(|ended| match ended {
            Ok(reason) => reason.clone(),
            Err(error) => session.data.without_path(error),
        });
        let history: Vec<_> =
            seen.history.iter().skip(since).map(|e| [Some(e.cost), e.validation_cost, e.validation_score]).collect();
        let check = seen.check.as_ref().map(|check| check.passed());
        let head = json!({
            "state": state, "ended": ended, "epoch": seen.history.len(), "step": seen.steps, "since": since,
            "history": history, "checked": check,
        });
        (std::sync::Arc::clone(&seen.parameters), head)
    };
    let model = session.plan.model(surefoot::Parameters::F64(theta.to_vec()))?;
    let moment = Moment { model, theta };
    let mut all = head;
    let looked = looked_at(session, &moment)?;
    if let Value::Object(all) = &mut all {
        all.insert("lines".into(), lines(&moment, drawn));
        all.insert("look".into(), json!(looked.layers));
        all.insert("score".into(), json!(looked.score));
        all.insert("heat".into(), heat(session, &moment, drawn)?);
        all.insert("pictures".into(), pictures(&moment, drawn));
    }
    Ok(all)
}

/// The weights of each layer between units that are drawn, as unit, unit below and weight; of many the largest.
fn lines(moment: &Moment, drawn: &Drawn) -> Value {
    let network = &moment.model.network;
    let of_layer = |(l, layer): (usize, &surefoot::Layer)| {
        let weight = network.weight(&moment.theta, l);
        let (units, below) = (drawn.of(l + 1, layer.outputs), drawn.of(l, layer.inputs));
        let mut lines: Vec<(usize, usize, f32)> =
            units.flat_map(|i| below.clone().map(move |j| (i, j, weight[[i, j]] as f32))).collect();
        if lines.len() > LINES {
            lines.select_nth_unstable_by(LINES, |a, b| b.2.abs().total_cmp(&a.2.abs()));
            lines.truncate(LINES);
            lines.sort_unstable_by_key(|&(i, j, _)| (i, j));
        }
        lines
    };
    json!(network.layers().iter().enumerate().map(of_layer).collect::<Vec<_>>())
}

/// The preferred input of each drawn unit of the first layer, as bytes around 128, and the rows and columns of it.
fn pictures(moment: &Moment, drawn: &Drawn) -> Value {
    let Some(features) = features(&moment.model) else { return Value::Null };
    let tiles: Vec<String> = drawn.of(1, features.count).map(|unit| bytes(&features.pixels(unit), -1.0, 1.0)).collect();
    json!({"tile": features.tile, "units": tiles})
}

#[derive(Serialize)]
struct Histogram {
    low: f64,
    high: f64,
    bins: Vec<usize>,
}

impl Histogram {
    fn new(numbers: &[f64]) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &x in numbers {
            (low, high) = (low.min(x), high.max(x));
        }
        let mut bins = vec![0; BINS];
        for x in numbers {
            let at = ((x - low) / (high - low).max(1e-300) * BINS as f64) as usize;
            bins[at.min(BINS - 1)] += 1;
        }
        Histogram { low, high, bins }
    }
}

#[derive(Serialize)]
struct LookedAt {
    activations: Histogram,
    gradients: Histogram,
    /// Units whose f′ is almost 0 for nearly all examples, from 0.
    flat: Vec<usize>,
    /// Whether they are dead rather than saturated.
    is_dead: bool,
}

struct Looked {
    layers: Vec<LookedAt>,
    score: Option<f64>,
}

/// Activations and the score over the first examples, and the gradient of the cost.
fn looked_at(session: &Session, moment: &Moment) -> Result<Looked> {
    let network = &moment.model.network;
    let count = session.examples.rows().min(LOOKED_AT);
    let all = forward::activations(network, &moment.theta, session.examples.inputs().slice(s![..count, ..]))?;
    let mut gradient = vec![0.0; moment.theta.len()];
    moment.model.cost(&session.examples)?.cost_and_gradient(&moment.theta, &mut gradient);
    let of_layer = |(l, layer): (usize, &surefoot::Layer)| {
        let steepest = STEEPEST.iter().find(|(activation, _)| *activation == layer.activation);
        let limit = steepest.map_or(FLAT, |(_, slope)| FLAT * slope);
        let mut flat = vec![0; layer.outputs];
        let is_hidden = l + 1 < all.len();
        let slopes = if is_hidden { forward::slopes(network, l, &all) } else { Vec::new() };
        for slopes in slopes.chunks(layer.outputs) {
            flat.iter_mut().zip(slopes).for_each(|(flat, slope)| *flat += usize::from(slope.abs() <= limit));
        }
        let is_flat = |flat: &usize| is_hidden && flat * 20 >= count * 19;
        let weights = network.weight_range(l);
        LookedAt {
            activations: Histogram::new(all[l].as_slice().unwrap_or_default()),
            gradients: Histogram::new(&gradient[weights.start..weights.end]),
            flat: flat.iter().enumerate().filter(|(_, flat)| is_flat(flat)).map(|(unit, _)| unit).collect(),
            is_dead: layer.activation.has_kink(),
        }
    };
    let layers = network.layers().iter().enumerate().map(of_layer).collect();
    let targets = session.examples.targets();
    let score = all.last().map(|outputs| session.plan.task.score(outputs.view(), targets.slice(s![..count, ..])));
    let is_said = |score: &f64| session.plan.task == Task::Classification || score.is_finite();
    Ok(Looked { layers, score: score.filter(is_said) })
}
