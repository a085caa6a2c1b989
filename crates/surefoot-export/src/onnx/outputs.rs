//! What a graph gives: the name of the class with probabilities, or numbers.

use surefoot::{Activation, Model, Task};

use super::graph::{Attribute, Graph, Type};
use super::network::precision;

/// * classification: `label` (rows), empty where `surefoot predict` refuses the row, and `probabilities` (rows × classes), or
///   `outputs` where the outputs are none
/// * regression: `prediction` (rows × outputs)
pub fn add(graph: &mut Graph, model: &Model, outputs: &str) {
    let (kind, count) = (precision(model), model.network.outputs());
    if model.task == Task::Regression {
        graph.output("prediction", outputs, kind, Some(count));
        return;
    }
    let label = label(graph, model, outputs);
    graph.output("label", &label, Type::Text, None);
    match (model.network.output_activation(), count) {
        (Activation::Sigmoid, 1) => {
            let one = graph.numbers(kind, &[1, 1], [1.0]);
            let other = graph.node("Sub", &[&one, outputs]);
            let both = graph.node_with("Concat", &[&other, outputs], vec![Attribute::Int("axis", 1)]);
            graph.output("probabilities", &both, kind, Some(2));
        }
        (Activation::Sigmoid, _) => {
            let double = graph.cast(outputs, Type::Double);
            let sum = graph.row_sums(&double);
            let least = graph.numbers(Type::Double, &[1, 1], [f64::MIN_POSITIVE]);
            let sum = graph.node("Max", &[&sum, &least]);
            let shares = graph.node("Div", &[&double, &sum]);
            let shares = graph.cast(&shares, kind);
            graph.output("probabilities", &shares, kind, Some(count));
        }
        (Activation::Softmax, _) => graph.output("probabilities", outputs, kind, Some(count)),
        _ => graph.output("outputs", outputs, kind, Some(count)),
    }
}

/// The name of the class, (rows).
fn label(graph: &mut Graph, model: &Model, outputs: &str) -> String {
    let axis = graph.integers(&[1]);
    let class = if model.network.outputs() == 1 {
        let half = graph.numbers(precision(model), &[1, 1], [0.5]);
        let is_second = graph.node("GreaterOrEqual", &[outputs, &half]);
        let class = graph.cast(&is_second, Type::Int64);
        graph.node("Squeeze", &[&class, &axis])
    } else {
        let attributes = vec![Attribute::Int("axis", 1), Attribute::Int("keepdims", 0)];
        graph.node_with("ArgMax", &[outputs], attributes)
    };
    let names = graph.texts((0..model.class_count()).map(|class| model.class_name(class)));
    let name = graph.node_with("Gather", &[&names, &class], vec![Attribute::Int("axis", 0)]);
    let nothing = graph.texts(std::iter::once(String::new()));
    let sums = graph.node_with("ReduceSum", &[outputs, &axis], vec![Attribute::Int("keepdims", 0)]);
    let is_refused = graph.node("IsNaN", &[&sums]);
    graph.node("Where", &[&is_refused, &nothing, &name])
}
