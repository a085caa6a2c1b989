//! `surefoot show`

use std::path::Path;

use anyhow::Context;
use surefoot::Model;
use surefoot::files::write_atomically;
use surefoot_report::words::in_words;
use surefoot_report::{Features, Names, activation_plots, diagram, output_names};
use surefoot_table::{Column, Encoding, Kind};

use crate::arguments::Show;
use crate::output::{Ending, count, keep_inputs, listed, print_line, usage};

/// The columns that are listed; of more the first.
const MOST_COLUMNS: usize = 40;

pub fn run(arguments: &Show) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    if let Some(path) = &arguments.activations {
        write(path, arguments, &activation_plots(&model.network)?.standalone())?;
    }
    if let Some(path) = &arguments.preferred_inputs {
        draw_features(&model.merged()?, &arguments.model, path)?;
    }
    if let Some(path) = &arguments.diagram {
        let names = Names { inputs: &model.input_columns, outputs: &output_names(&model) };
        let theta = &model.parameters.to_f64()[..model.network.parameter_count()]; // the first of an ensemble
        let drawing = diagram(&model.network, theta, &names);
        write(path, arguments, &drawing.standalone())?;
    }
    if arguments.preferred_inputs.is_some() || arguments.diagram.is_some() || arguments.activations.is_some() {
        return Ok(Ending::Success);
    }
    print_line(&model.network)?;
    let line = |name: &str, text: String| print_line(format_args!("{name:<15}{text}"));
    if model.members() > 1 {
        line("ensemble", format!("{} such networks, whose outputs are averaged", model.members()))?;
    }
    line("task", model.task.name().into())?;
    line("loss", format!("{}, weight decay {}", model.loss, model.weight_decay))?;
    if let Some(sparsity) = model.sparsity {
        line("sparsity", format!("mean activation {}, weight {}", sparsity.target, sparsity.weight))?;
    }
    line("precision", model.parameters.precision().into())?;
    let columns = Encoding::columns_of(&model);
    if columns.is_empty() && !model.input_columns.is_empty() {
        line("inputs", listed(&model.input_columns))?;
    }
    if model.is_autoencoder() {
        line("target", "the inputs".into())?;
    } else if !model.target_columns.is_empty() {
        line("target", listed(&model.target_columns))?;
    }
    if !model.classes.is_empty() {
        line("classes", listed(&model.classes))?;
    }
    let scaled = |scaling: &Option<_>| if scaling.is_some() { "scaled" } else { "as they are" };
    line("numbers", format!("inputs {}, targets {}", scaled(&model.input_scaling), scaled(&model.target_scaling)))?;
    if !columns.is_empty() {
        print_line(format_args!("columns        {} that become inputs", columns.len()))?;
    }
    let width = columns.iter().take(MOST_COLUMNS).map(|column| column.name.chars().count()).max().unwrap_or(0);
    for Column { name, kind } in columns.iter().take(MOST_COLUMNS) {
        let values = match kind {
            Kind::Number { .. } => String::new(),
            Kind::Binary { values, .. } => values.join(" or "),
            Kind::Category { categories, .. } => listed(categories),
        };
        let text = format!("  {name:width$}  {:9}{values}", kind.name());
        print_line(text.trim_end())?;
    }
    if columns.len() > MOST_COLUMNS {
        print_line(format_args!("  and {} more", columns.len() - MOST_COLUMNS))?;
    }
    if let Some(training) = model.training.as_object() {
        print_line("trained with")?;
        for (name, value) in training.iter().filter(|(_, value)| !value.is_null()) {
            print_line(format_args!("  {:<21}{}", name.replace('_', " "), in_words(value)))?;
        }
    }
    Ok(Ending::Success)
}

fn write(path: &Path, arguments: &Show, drawing: &str) -> anyhow::Result<()> {
    keep_inputs(path, &[&arguments.model])?;
    write_atomically(path, drawing.as_bytes())?;
    print_line(format_args!("drawing    {}", path.display()))
}

fn draw_features(model: &Model, model_path: &Path, path: &Path) -> anyhow::Result<()> {
    keep_inputs(path, &[model_path])?;
    let features = Features::new(model)?;
    let file = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => features.svg().into_bytes(),
        Some("png") => features.png().context("cannot draw the preferred inputs")?,
        _ => {
            return Err(usage("--preferred-inputs: expected FILE.png or FILE.svg", "the extension decides the format"));
        }
    };
    write_atomically(path, &file)?;
    let Features { count: tiles, tile: [rows, columns], .. } = features;
    let tiles = count(tiles, "tile");
    print_line(format_args!("{tiles} of {rows} × {columns} pixels in {}", path.display()))
}
