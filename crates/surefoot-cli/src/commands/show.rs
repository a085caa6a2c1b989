//! `surefoot show`

use std::path::Path;

use surefoot::{Activation, Model, write_atomically};

use super::features;
use crate::arguments::Show;
use crate::output::{Outcome, keep_inputs, listed, print_line, usage};
use crate::page::diagram::{Names, activation_plots, diagram};

pub fn run(arguments: &Show) -> anyhow::Result<Outcome> {
    let model = Model::load(&arguments.model)?;
    if let Some(path) = &arguments.features {
        features::draw(&model, &arguments.model, path)?;
    }
    if let Some(path) = &arguments.diagram {
        let outputs = if model.classes.is_empty() { &model.target_columns } else { &model.classes };
        let names = Names { inputs: &model.input_columns, outputs };
        let drawing = diagram(&model.network, &model.parameters.to_f64(), &names);
        write(path, arguments, &drawing.standalone())?;
    }
    if let Some(path) = &arguments.activations {
        let mut activations: Vec<Activation> = model.network.layers().iter().map(|layer| layer.activation).collect();
        activations.retain(|activation| *activation != Activation::Softmax);
        activations.sort_by_key(|activation| Activation::ALL.iter().position(|other| other == activation));
        activations.dedup();
        if activations.is_empty() {
            return Err(usage("softmax is no function of a single z", "take a model with other layers"));
        }
        write(path, arguments, &activation_plots(&activations)?.standalone())?;
    }
    if arguments.features.is_some() || arguments.diagram.is_some() || arguments.activations.is_some() {
        return Ok(Outcome::Done);
    }
    print_line(&model.network)?;
    let line = |name: &str, text: String| print_line(format_args!("{name:<15}{text}"));
    line("task", model.task.name().into())?;
    line("loss", format!("{}, weight decay {}", model.loss, model.weight_decay))?;
    if let Some(sparsity) = model.sparsity {
        line("sparsity", format!("mean activation {}, weight {}", sparsity.target, sparsity.weight))?;
    }
    line("precision", model.parameters.precision().into())?;
    for (name, columns) in
        [("inputs", &model.input_columns), ("target", &model.target_columns), ("classes", &model.classes)]
    {
        if name == "target" && model.is_autoencoder() {
            line(name, "the inputs".into())?;
        } else if !columns.is_empty() {
            line(name, listed(columns))?;
        }
    }
    let scaled = |scaling: &Option<_>| if scaling.is_some() { "scaled" } else { "as they are" };
    line("numbers", format!("inputs {}, targets {}", scaled(&model.input_scaling), scaled(&model.target_scaling)))?;
    if let Some(training) = model.training.as_object() {
        print_line("trained with")?;
        for (name, value) in training {
            let value = value.as_str().map_or_else(|| value.to_string(), String::from);
            print_line(format_args!("  {:<21}{value}", name.replace('_', " ")))?;
        }
    }
    Ok(Outcome::Done)
}

fn write(path: &Path, arguments: &Show, drawing: &str) -> anyhow::Result<()> {
    keep_inputs(path, &[&arguments.model])?;
    write_atomically(path, drawing.as_bytes())?;
    print_line(format_args!("drawing    {}", path.display()))
}
