//! JSON: the metadata of the model file, and the weights of each network as nested lists.

use serde_json::{Value, json};
use surefoot::Model;

use crate::error::Result;
use crate::layers::{Tensor, networks};

/// The object of the metadata with a key `networks` more. A number is the shortest text of its value in double precision, so that
/// it reads back to the same bits in any language.
pub(crate) fn export(model: &Model) -> Result<Vec<u8>> {
    let mut document: Value = serde_json::from_str(&model.metadata()?)?;
    let networks = networks(model).into_iter().map(|layers| {
        layers.iter().map(|[weight, bias]| json!({ "weight": rows(weight), "bias": bias.numbers.to_f64() })).collect()
    });
    document["precision"] = model.parameters.precision().into();
    document["networks"] = Value::Array(networks.map(Value::Array).collect());
    let mut text = serde_json::to_vec(&document)?;
    text.push(b'\n');
    Ok(text)
}

fn rows(weight: &Tensor<'_>) -> Vec<Vec<f64>> {
    let numbers = weight.numbers.to_f64();
    numbers.chunks(weight.shape.last().copied().unwrap_or(1).max(1)).map(<[f64]>::to_vec).collect()
}
