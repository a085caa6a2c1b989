//! A Python file that makes an `nn.Sequential` of PyTorch from the model file.

use surefoot::{Activation, Model, Scaling};

use crate::columns::Columns;
use crate::error::{Error, Result};

/// The file that loads the weights: scaling, the layers, an ensemble's mean, and the targets' unit. The inputs are those of the
/// network, after the encoding of a table.
///
/// # Errors
/// [`Error::Unfit`] for an activation that PyTorch has not.
pub(crate) fn export(model: &Model, model_file: &str) -> Result<Vec<u8>> {
    Columns::of(model)?;
    let members = model.members();
    let layers = model.network.layers();
    let mut modules = Vec::new();
    let mut names = Vec::new();
    for (l, layer) in layers.iter().enumerate() {
        names.push((modules.len(), l));
        modules.push(format!("nn.Linear({}, {}, dtype={})", layer.inputs, layer.outputs, precision(model)));
        // the output activation of an ensemble follows the mean
        if members == 1 || l + 1 < layers.len() {
            modules.extend(module(layer.activation)?);
        }
    }
    let list = |items: &[String]| items.iter().map(|item| format!("        {item},\n")).collect::<String>();
    let pairs: Vec<String> = names.iter().map(|(place, l)| format!("{place}: {l}")).collect();
    let output = module(model.network.output_activation())?.unwrap_or_else(|| "nn.Identity()".into());
    let mut text = format!(
        "\"\"\"{network}, as a model of PyTorch, which reads its weights from {file}.

    model = load()
    model(inputs)

The inputs are a tensor (rows x {inputs}), in the order of `INPUTS` where they have names. Made by `surefoot export --to pytorch`.
\"\"\"

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

INPUTS = {input_names}
CLASSES = {classes}
# the number of each Linear layer in the Sequential, and its number in the model file
LAYERS = {{{pairs}}}


def sequential():
    \"\"\"The layers of a network.\"\"\"
    return nn.Sequential(
{modules}    )


def with_weights(tensors, prefix=\"\"):
    \"\"\"The layers with the weights and biases of the model file.\"\"\"
    network = sequential()
    network.load_state_dict(
        {{f\"{{place}}.{{name}}\": tensors[f\"{{prefix}}layers.{{layer}}.{{name}}\"] for place, layer in LAYERS.items() for name in (\"weight\", \"bias\")}}
    )
    return network.eval()


def load(file=Path(__file__).with_name({quoted_file})):
    \"\"\"The model of a file.\"\"\"
    tensors = load_file(file)
",
        network = document(&format!("A network {}", model.network.widths())),
        file = document(model_file),
        inputs = model.network.inputs(),
        input_names = texts(&model.input_columns),
        classes = texts(&model.classes),
        pairs = pairs.join(", "),
        modules = list(&modules),
        quoted_file = quoted(model_file),
    );
    let mut parts = Vec::new();
    if let Some(scaling) = &model.input_scaling {
        parts.push("ScaleInputs()".to_string());
        text.insert_str(text.find("def sequential").unwrap_or(0), &scale_inputs(scaling, precision(model)));
    } else {
        parts.push("Cast()".to_string());
        text.insert_str(text.find("def sequential").unwrap_or(0), &CAST.replace("PRECISION", precision(model)));
    }
    if members == 1 {
        parts.push("with_weights(tensors)".into());
    } else {
        text.insert_str(text.find("def sequential").unwrap_or(0), MEAN);
        let all = format!("with_weights(tensors, f\"members.{{k}}.\") for k in range({members})");
        parts.extend([format!("Mean([{all}])"), output]);
    }
    if layers.iter().any(|layer| layer.activation == Activation::Exp) {
        text.insert_str(text.find("def sequential").unwrap_or(0), EXP);
    }
    if let Some(scaling) = &model.target_scaling {
        parts.push("ScaleOutputs()".into());
        text.insert_str(text.find("def sequential").unwrap_or(0), &scale_outputs(scaling));
    }
    text.push_str(&format!("    return nn.Sequential({}).eval()\n", parts.join(", ")));
    Ok(text.into_bytes())
}

/// The inputs in the precision of the weights.
const CAST: &str = "class Cast(nn.Module):
    \"\"\"The inputs in the precision of the weights.\"\"\"

    def forward(self, inputs):
        return inputs.to(PRECISION)


";

/// An ensemble before its output activation.
const MEAN: &str = "class Mean(nn.Module):
    \"\"\"The mean of the weighted sums of several networks.\"\"\"

    def __init__(self, networks):
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, inputs):
        return sum(network(inputs) for network in self.networks) * (1 / len(self.networks))


";

/// An activation that PyTorch has as a function only.
const EXP: &str = "class Exp(nn.Module):
    \"\"\"The exponential function.\"\"\"

    def forward(self, sums):
        return sums.exp()


";

fn scale_inputs(scaling: &Scaling, precision: &str) -> String {
    let limited = match scaling.limit {
        Some(limit) => format!("\n        scaled = scaled / torch.hypot(torch.ones_like(scaled), scaled / {limit:?})"),
        None => String::new(),
    };
    format!(
        "class ScaleInputs(nn.Module):
    \"\"\"Inputs as the network sees them.\"\"\"

    def __init__(self):
        super().__init__()
        self.register_buffer(\"centre\", torch.tensor({}, dtype=torch.float64))
        self.register_buffer(\"scale\", torch.tensor({}, dtype=torch.float64))

    def forward(self, inputs):
        scaled = (inputs.double() - self.centre) / self.scale{limited}
        return scaled.to({precision})


",
        numbers(&scaling.centre),
        numbers(&scaling.scale),
    )
}

fn scale_outputs(scaling: &Scaling) -> String {
    format!(
        "class ScaleOutputs(nn.Module):
    \"\"\"Outputs in the unit of the targets.\"\"\"

    def __init__(self):
        super().__init__()
        self.register_buffer(\"centre\", torch.tensor({}, dtype=torch.float64))
        self.register_buffer(\"scale\", torch.tensor({}, dtype=torch.float64))

    def forward(self, outputs):
        return outputs.double() * self.scale + self.centre


",
        numbers(&scaling.centre),
        numbers(&scaling.scale),
    )
}

/// The module of an activation; none for identity.
fn module(activation: Activation) -> Result<Option<String>> {
    Ok(Some(match activation {
        Activation::Identity => return Ok(None),
        Activation::Sigmoid => "nn.Sigmoid()".into(),
        Activation::Tanh => "nn.Tanh()".into(),
        Activation::Relu => "nn.ReLU()".into(),
        Activation::LeakyRelu => format!("nn.LeakyReLU({:?})", Activation::LEAK),
        Activation::Selu => "nn.SELU()".into(),
        Activation::Softmax => "nn.Softmax(dim=1)".into(),
        Activation::Exp => "Exp()".into(),
        other => {
            let hint = "export it as npz or JSON";
            return Err(Error::unfit("an activation", "one that PyTorch has", other.name(), hint));
        }
    }))
}

fn precision(model: &Model) -> &'static str {
    match model.parameters.precision() {
        "f64" => "torch.float64",
        _ => "torch.float32",
    }
}

fn numbers(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|x| format!("{x:?}")).collect();
    format!("[{}]", numbers.join(", "))
}

fn texts(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as a literal of Python, which JSON's is where nothing is beyond ASCII, or escaped.
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => literal.extend(['\\', letter]),
            ' '..='~' => literal.push(letter),
            other => literal.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    literal.push('"');
    literal
}

/// A text within the documentation of the file.
fn document(text: &str) -> String {
    text.replace(['\\', '"'], "'").chars().filter(|letter| !letter.is_control()).collect()
}
