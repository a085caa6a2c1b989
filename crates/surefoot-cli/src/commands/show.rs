//! `surefoot show`

use surefoot::Model;

use super::features;
use crate::arguments::Show;
use crate::output::{Outcome, listed, print_line};

pub fn run(arguments: &Show) -> anyhow::Result<Outcome> {
    let model = Model::load(&arguments.model)?;
    if let Some(path) = &arguments.features {
        return features::draw(&model, &arguments.model, path);
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
