//! `surefoot encode`

use std::path::Path;

use anyhow::Context;
use surefoot::files::write_atomically;
use surefoot::{Model, Parameters};
use surefoot_table::{Encoding, Part};

use crate::arguments::{Encode, Memory};
use crate::output::{Ending, keep_inputs, print};
use crate::progress::read_watched;

pub fn run(arguments: &Encode, memory: &Memory) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    let table = read_watched(arguments.table.of(&model).source(&arguments.data, Part::Training), false, memory)?;
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, Path::new(&arguments.data)])?;
    }
    let encoding = Encoding::of_model(&model, &table)?;
    let inputs = encoding.inputs(&table, &table.all_rows())?;
    let activations =
        model.encode(inputs.view(), arguments.layer).with_context(|| format!("cannot encode {}", table.file()))?;
    // the shortest text that reads back to the same bits of the model's precision
    let exact = |a: f64| match model.parameters {
        Parameters::F32(_) => format!("{:?}", a as f32),
        Parameters::F64(_) => format!("{a:?}"),
    };
    let kept: Vec<usize> = (0..table.columns().len())
        .filter(|&i| encoding.columns.iter().all(|column| column.name != table.columns()[i]))
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let units = (0..activations.ncols()).map(|unit| format!("unit_{unit}"));
    writer.write_record(units.chain(kept.iter().map(|&column| table.columns()[column].clone())))?;
    for (row, activations) in activations.outer_iter().enumerate() {
        let others = kept.iter().map(|&column| table.cell(row, column).into_owned());
        writer.write_record(activations.iter().map(|&a| exact(a)).chain(others))?;
    }
    let csv = String::from_utf8(writer.into_inner()?)?;
    match &arguments.out {
        Some(path) => write_atomically(path, csv.as_bytes())?,
        None => print(csv)?,
    }
    Ok(Ending::Success)
}
