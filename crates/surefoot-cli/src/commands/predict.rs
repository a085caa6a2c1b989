//! `surefoot predict`

use std::io;
use std::path::Path;

use anyhow::Context;
use ndarray::{Array2, ArrayView2};
use surefoot::files::write_atomically_by;
use surefoot::{Model, Task};
use surefoot_table::{Chunks, Encoding, Part};

use crate::arguments::Predict;
use crate::output::{Ending, keep_inputs, usage};

/// Rows that are in memory at a time, of a text file.
const ROWS: usize = 4096;

pub fn run(arguments: &Predict) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    let mut chunks = arguments.reading.source(&arguments.data, Part::Test, &Encoding::names_of(&model)).chunks()?;
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, Path::new(&arguments.data)])?;
    }
    let Some(out) = &arguments.out else {
        predict(&model, &mut chunks, arguments.probabilities, &mut io::stdout().lock())?;
        return Ok(Ending::Success);
    };
    // what goes wrong with the data is told as such, not as an error of writing
    let mut failure = None;
    let written = write_atomically_by(out, |file| {
        predict(&model, &mut chunks, arguments.probabilities, file).map_err(|error| {
            failure = Some(error);
            io::Error::other("no prediction")
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(written.map(|()| Ending::Success)?),
    }
}

/// Writes the CSV: a header, then a row for each row of the table, piece by piece.
fn predict(
    model: &Model,
    chunks: &mut Chunks,
    with_probabilities: bool,
    out: &mut dyn io::Write,
) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let mut is_first = true;
    while let Some(table) = chunks.next(ROWS)? {
        let inputs = Encoding::of_model(model, &table)?.inputs(&table, &table.all_rows())?;
        let outputs = model.predict(inputs.view()).with_context(|| format!("cannot predict {}", table.file()))?;
        let probabilities = match with_probabilities {
            true => Some(model.probabilities(outputs.view()).ok_or_else(no_probabilities)?),
            false => None,
        };
        if is_first {
            writer.write_record(header(model, with_probabilities))?;
            is_first = false;
        }
        write_rows(model, outputs.view(), probabilities.as_ref(), &mut writer)?;
        writer.flush()?;
    }
    Ok(())
}

fn write_rows(
    model: &Model,
    outputs: ArrayView2<'_, f64>,
    probabilities: Option<&Array2<f64>>,
    writer: &mut csv::Writer<impl io::Write>,
) -> anyhow::Result<()> {
    let classes = match model.task {
        Task::Classification => Some(model.classify(outputs)),
        Task::Regression => None,
    };
    for (row, numbers) in outputs.outer_iter().enumerate() {
        match &classes {
            Some(classes) => writer.write_field(model.class_name(classes[row]))?,
            None => numbers.iter().try_for_each(|number| writer.write_field(exact(*number)))?,
        }
        if let Some(probabilities) = probabilities {
            probabilities.row(row).iter().try_for_each(|p| writer.write_field(exact(*p)))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
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
        "the outputs of this model are not probabilities",
        "train for classes with the output activation softmax or sigmoid, or omit --probabilities",
    )
}
