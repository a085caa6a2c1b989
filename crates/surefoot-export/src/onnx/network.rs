//! The network in the precision of θ, (6) and (7).

use surefoot::{Activation, Model, Parameters};

use super::graph::{Attribute, Graph, Type};
use crate::error::{Error, Result};
use crate::layers::networks;

/// What is larger, in units of the limit of a scaling, is as good as infinite: its square still is a number.
const FAR: f64 = 1e150;

/// The precision of θ.
pub fn precision(model: &Model) -> Type {
    match model.parameters {
        Parameters::F32(_) => Type::Float,
        Parameters::F64(_) => Type::Double,
    }
}

/// The inputs scaled in double precision and rounded once; with them for each row 0, or NaN where `surefoot predict` refuses it
/// because a number is not finite.
pub struct Scaled {
    pub inputs: String,
    pub refusal: String,
}

pub fn scaled(graph: &mut Graph, model: &Model, inputs: &str) -> Scaled {
    let kind = precision(model);
    let mut scaled = inputs.to_string();
    if let Some(scaling) = &model.input_scaling {
        let centre = graph.numbers(Type::Double, &[1, scaling.columns()], scaling.centre.iter().copied());
        let scale = graph.numbers(Type::Double, &[1, scaling.columns()], scaling.scale.iter().copied());
        let centred = graph.node("Sub", &[inputs, &centre]);
        scaled = graph.node("Div", &[&centred, &scale]);
    }
    let mut refusal = nan_where_not_finite(graph, inputs);
    if let Some(limit) = model.input_scaling.as_ref().and_then(|scaling| scaling.limit) {
        // a scaled number that overflows is refused, too
        let overflow = nan_where_not_finite(graph, &scaled);
        refusal = graph.node("Add", &[&refusal, &overflow]);
        let [limit, low, high, one] = [(limit, 2), (-FAR, 0), (FAR, 0), (1.0, 2)]
            .map(|(x, dimensions)| graph.numbers(Type::Double, &[1, 1][..dimensions], [x]));
        let share = graph.node("Div", &[&scaled, &limit]);
        let share = graph.node("Clip", &[&share, &low, &high]);
        let squared = graph.node("Mul", &[&share, &share]);
        let sum = graph.node("Add", &[&squared, &one]);
        let root = graph.node("Sqrt", &[&sum]);
        let limited = graph.node("Div", &[&share, &root]);
        scaled = graph.node("Mul", &[&limited, &limit]); // (D5)
    }
    let refusal = graph.cast(&refusal, kind);
    let inputs = graph.cast(&scaled, kind);
    let overflow = nan_where_not_finite(graph, &inputs);
    let refusal = graph.node("Add", &[&refusal, &overflow]);
    Scaled { inputs, refusal }
}

/// For each row 0, or NaN where one of its numbers is not finite: x − x is NaN for these.
fn nan_where_not_finite(graph: &mut Graph, values: &str) -> String {
    let zeros = graph.node("Sub", &[values, values]);
    graph.row_sums(&zeros)
}

/// h(x) in the unit of the targets and the precision of θ, NaN where it is refused.
///
/// # Errors
/// [`Error::Unfit`] for an activation that ONNX has not.
pub fn outputs(graph: &mut Graph, model: &Model, scaled: &Scaled) -> Result<String> {
    let kind = precision(model);
    let layers = model.network.layers();
    let mut sum: Option<String> = None;
    for network in networks(model) {
        let mut a = scaled.inputs.clone();
        for ([weight, bias], l) in network.into_iter().zip(1..) {
            let w = graph.tensor(kind, &weight.shape, weight.numbers.to_le_bytes());
            let b = graph.tensor(kind, &bias.shape, bias.numbers.to_le_bytes());
            let z = graph.node_with("Gemm", &[&a, &w, &b], vec![Attribute::Int("transB", 1)]); // (6)
            a = if l < layers.len() { activation(graph, kind, layers[l - 1].activation, z)? } else { z };
        }
        sum = Some(match sum {
            Some(sum) => graph.node("Add", &[&sum, &a]),
            None => a,
        });
    }
    let mut z = sum.unwrap_or_default();
    if model.members() > 1 {
        let share = graph.numbers(kind, &[1, 1], [1.0 / model.members() as f64]);
        z = graph.node("Mul", &[&z, &share]); // (E1)
    }
    let h = activation(graph, kind, model.network.output_activation(), z)?;
    let h = match &model.target_scaling {
        Some(scaling) => {
            let centre = graph.numbers(Type::Double, &[1, scaling.columns()], scaling.centre.iter().copied());
            let scale = graph.numbers(Type::Double, &[1, scaling.columns()], scaling.scale.iter().copied());
            let h = graph.cast(&h, Type::Double);
            let h = graph.node("Mul", &[&h, &scale]);
            let h = graph.node("Add", &[&h, &centre]); // (D1)
            graph.cast(&h, kind)
        }
        None => h,
    };
    // behind the activation, since a runtime may lose a NaN in it
    Ok(graph.node("Add", &[&h, &scaled.refusal]))
}

/// a = f(z), (7).
fn activation(graph: &mut Graph, kind: Type, activation: Activation, z: String) -> Result<String> {
    Ok(match activation {
        Activation::Identity => z,
        Activation::Sigmoid => graph.node("Sigmoid", &[&z]),
        Activation::Tanh => graph.node("Tanh", &[&z]),
        Activation::Relu => graph.node("Relu", &[&z]),
        Activation::Exp => graph.node("Exp", &[&z]),
        Activation::Softmax => graph.node_with("Softmax", &[&z], vec![Attribute::Int("axis", 1)]),
        Activation::LeakyRelu => {
            let leak = graph.numbers(kind, &[1, 1], [Activation::LEAK]);
            let leaked = graph.node("Mul", &[&z, &leak]);
            graph.node("Max", &[&z, &leaked]) // (A5)
        }
        Activation::Selu => {
            let [zero, one, above, below] = [0.0, 1.0, Activation::SELU_SCALE, Activation::SELU_SCALE_ALPHA]
                .map(|x| graph.numbers(kind, &[1, 1], [x]));
            let positive = graph.node("Max", &[&z, &zero]);
            let positive = graph.node("Mul", &[&positive, &above]);
            let negative = graph.node("Min", &[&z, &zero]);
            let negative = graph.node("Exp", &[&negative]);
            let negative = graph.node("Sub", &[&negative, &one]);
            let negative = graph.node("Mul", &[&negative, &below]);
            graph.node("Add", &[&positive, &negative]) // (A6)
        }
        other => {
            let hint = "export it as npz or JSON";
            return Err(Error::unfit("an activation", "one that ONNX has", other.name(), hint));
        }
    })
}
