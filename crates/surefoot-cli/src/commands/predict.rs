//! `surefoot predict`

use std::path::Path;

use anyhow::Context;
use ndarray::ArrayView2;
use surefoot::{Model, Task, write_atomically};
use surefoot_table::{Encoding, Part, Table};

use crate::arguments::Predict;
use crate::output::{Outcome, keep_inputs, print, usage};

pub fn run(arguments: &Predict) -> anyhow::Result<Outcome> {
    let model = Model::load(&arguments.model)?;
    let table = Table::open(&arguments.data, None, Part::Test)?;
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, Path::new(&arguments.data)])?;
    }
    let inputs = Encoding::of_model(&model, &table).inputs(&table)?;
    let outputs = model.predict(inputs.view()).with_context(|| format!("cannot predict {}", table.file()))?;
    let csv = predictions(&model, outputs.view(), arguments.probabilities)?;
    match &arguments.out {
        Some(path) => write_atomically(path, csv.as_bytes())?,
        None => print(csv)?,
    }
    Ok(Outcome::Done)
}

/// The CSV: one row for each row of outputs.
fn predictions(model: &Model, outputs: ArrayView2<'_, f64>, with_probabilities: bool) -> anyhow::Result<String> {
    let probabilities =
        with_probabilities.then(|| model.probabilities(outputs)).map(|shares| shares.ok_or_else(no_probabilities));
    let probabilities = probabilities.transpose()?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header(model, with_probabilities))?;
    let classes = match model.task {
        Task::Classification => Some(model.classify(outputs)),
        Task::Regression => None,
    };
    for (row, numbers) in outputs.outer_iter().enumerate() {
        match &classes {
            Some(classes) => writer.write_field(model.class_name(classes[row]))?,
            None => numbers.iter().try_for_each(|number| writer.write_field(exact(*number)))?,
        }
        if let Some(probabilities) = &probabilities {
            probabilities.row(row).iter().try_for_each(|p| writer.write_field(exact(*p)))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The shortest text that reads back to the same bits.
fn exact(number: f64) -> String {
    format!("{number:?}")
}

fn header(model: &Model, with_probabilities: bool) -> Vec<String> {
    let outputs = model.network.outputs();
    let mut header = match model.task {
        Task::Regression if outputs > 1 => {
            let name = |k: usize| model.target_columns.get(k).cloned().unwrap_or_else(|| k.to_string());
            (0..outputs).map(|k| format!("prediction_{}", name(k))).collect()
        }
        _ => vec!["prediction".to_string()],
    };
    if with_probabilities {
        header.extend((0..model.class_count()).map(|class| format!("probability_{}", model.class_name(class))));
    }
    header
}

fn no_probabilities() -> anyhow::Error {
    usage(
        "the outputs of this model are no probabilities",
        "train for classes with the output activation softmax or sigmoid, or leave --probabilities out",
    )
}
