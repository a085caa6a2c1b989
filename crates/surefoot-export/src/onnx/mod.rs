//! ONNX: a graph from the raw columns of a table to classes and probabilities, or numbers.

mod encoding;
mod graph;
mod letters;
mod messages;
mod network;
mod outputs;

use prost::Message;
use surefoot::Model;

use self::graph::Graph;
use self::messages::{ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::error::{Error, Result};

/// The version of the operators, and of those for machine learning; ONNX Runtime has both since 1.12.
const OPSET: i64 = 17;
const OPSET_ML: i64 = 3;
/// The version of the messages.
const IR: i64 = 8;
/// Bytes that a message may have.
const MOST: usize = i32::MAX as usize;

/// # Errors
/// [`Error::Unfit`] for a column without a name, words for a missing cell with more letters than can be spelled in any case, or a
/// model beyond 2 GiB.
pub(crate) fn export(model: &Model) -> Result<Vec<u8>> {
    let metadata = model.metadata()?;
    let mut graph = Graph::default();
    let inputs = encoding::inputs(&mut graph, model)?;
    let scaled = network::scaled(&mut graph, model, &inputs);
    let outputs = network::outputs(&mut graph, model, &scaled)?;
    outputs::add(&mut graph, model, &outputs);
    let opset = |domain: &str, version| OperatorSetIdProto { domain: Some(domain.into()), version: Some(version) };
    let message = ModelProto {
        ir_version: Some(IR),
        opset_import: vec![opset("", OPSET), opset("ai.onnx.ml", OPSET_ML)],
        producer_name: Some("surefoot".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        doc_string: Some(format!("a network {} for {}", model.network.widths(), model.task.name())),
        graph: Some(graph.finish()),
        metadata_props: vec![StringStringEntryProto { key: Some("surefoot".into()), value: Some(metadata) }],
    };
    if message.encoded_len() > MOST {
        let hint = "export it as npz or C";
        return Err(Error::unfit(
            "the model",
            "at most 2 GiB as ONNX",
            format!("{} bytes", message.encoded_len()),
            hint,
        ));
    }
    Ok(message.encode_to_vec())
}
