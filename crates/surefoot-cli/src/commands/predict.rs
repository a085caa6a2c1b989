//! `surefoot predict`

use std::io;
use std::path::Path;

use anyhow::Context;
use ndarray::Array2;
use serde_json::json;
use surefoot::Model;
use surefoot::files::write_atomically_by;
use surefoot_table::{Chunks, Encoding, Part, Predictions, Table};

use super::unseen::AllUnseen;
use crate::arguments::{OnError, Predict};
use crate::output::{Ending, count, keep_inputs, print_line, thousands, usage};

/// Rows that are in memory at a time, of a text file.
const ROWS: usize = 4096;

pub fn run(arguments: &Predict) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    let file = arguments.table.of(&model);
    let mut chunks = file.source(&arguments.data, Part::Test).chunks()?;
    if arguments.on_error != OnError::Stop {
        chunks.take_damaged();
    }
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, Path::new(&arguments.data)])?;
    }
    let mut prediction = Prediction { model: &model, arguments, summary: Summary::default() };
    let Some(out) = &arguments.out else {
        prediction.write(&mut chunks, &mut io::stdout().lock())?;
        prediction.summary.tell(arguments)?;
        return Ok(Ending::Success);
    };
    // what goes wrong with the data is told as such, not as an error of writing
    let mut failure = None;
    let written = write_atomically_by(out, |file| {
        prediction.write(&mut chunks, file).map_err(|error| {
            failure = Some(error);
            io::Error::other("no prediction")
        })
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    written?;
    prediction.summary.tell(arguments)?;
    Ok(Ending::Success)
}

/// What was not as in the training data.
#[derive(Default)]
struct Summary {
    rows: usize,
    /// Rows that have no prediction.
    empty: usize,
    /// Cells that are no number and count as missing.
    as_missing: usize,
    /// The first row that could not be read.
    first: Option<String>,
    unseen: AllUnseen,
}

impl Summary {
    fn tell(&self, arguments: &Predict) -> anyhow::Result<()> {
        let Summary { rows, empty, as_missing, first, unseen } = self;
        if arguments.json {
            let line = json!({
                "rows": rows, "empty": empty, "cells_as_missing": as_missing, "first_error": first, "unseen": unseen.json(),
            });
            match arguments.out {
                Some(_) => print_line(line)?,
                None => eprintln!("{line}"),
            }
            return Ok(());
        }
        let first = first.as_ref().map_or(String::new(), |first| format!("; the first: {first}"));
        if *empty > 0 {
            eprintln!("warning: {} of {} without a prediction{first}", count(*empty, "row"), thousands(*rows as u64));
        } else if *as_missing > 0 {
            eprintln!("warning: {} read as missing{first}", count(*as_missing, "cell"));
        }
        unseen.warn();
        Ok(())
    }
}

struct Prediction<'a> {
    model: &'a Model,
    arguments: &'a Predict,
    summary: Summary,
}

impl Prediction<'_> {
    /// Writes the CSV: a header, then a row for each row of the table, piece by piece.
    fn write(&mut self, chunks: &mut Chunks, out: &mut dyn io::Write) -> anyhow::Result<()> {
        let (model, with_probabilities) = (self.model, self.arguments.probabilities);
        let mut writer = csv::Writer::from_writer(out);
        let mut is_first = true;
        while let Some(table) = chunks.next(ROWS)? {
            let encoding = Encoding::of_model(model, &table)?;
            let (rows, inputs) = self.inputs(&encoding, &table)?;
            self.summary.unseen.add(encoding.unseen(&table, &rows)?, self.arguments.strict)?;
            let outputs = model.predict(inputs.view()).with_context(|| format!("cannot predict {}", table.file()))?;
            let predictions = Predictions::new(model, outputs, with_probabilities).ok_or_else(no_probabilities)?;
            let header = predictions.columns();
            if is_first {
                writer.write_record(&header)?;
                is_first = false;
            }
            self.summary.rows += table.rows();
            self.summary.empty += table.rows() - rows.len();
            let mut next = 0;
            for row in 0..table.rows() {
                if rows.get(next) == Some(&row) {
                    writer.write_record(predictions.row(next).map(|value| value.to_string()))?;
                    next += 1;
                } else {
                    writer.write_record(vec![""; header.len()])?;
                }
            }
            writer.flush()?;
        }
        Ok(())
    }

    /// The rows that can be predicted, with their inputs.
    fn inputs(&mut self, encoding: &Encoding, table: &Table) -> anyhow::Result<(Vec<usize>, Array2<f64>)> {
        let all = table.all_rows();
        if self.arguments.on_error == OnError::Stop {
            let inputs = encoding.inputs(table, &all)?;
            return Ok((all, inputs));
        }
        let (damaged, unreadable) = (table.damaged(), encoding.unreadable(table, &all)?);
        let is_damaged = |row: usize| damaged.binary_search_by_key(&row, |(row, _)| *row).is_ok();
        let is_unreadable = |row: usize| unreadable.binary_search_by_key(&row, |(row, _)| *row).is_ok();
        if self.summary.first.is_none() {
            let of_row = damaged.first().map(|&row| (row.0, table.damaged_error(row)));
            let of_cell = unreadable.first().and_then(|&(row, _)| Some((row, encoding.inputs(table, &[row]).err()?)));
            let first = of_row.into_iter().chain(of_cell).min_by_key(|(row, _)| *row);
            self.summary.first = first.map(|(_, error)| error.to_string());
        }
        let as_missing = self.arguments.on_error == OnError::Missing;
        let can_be_predicted = |&row: &usize| {
            let can_be_read = || !is_unreadable(row) || as_missing && encoding.inputs_or_missing(table, &[row]).is_ok();
            !is_damaged(row) && can_be_read()
        };
        let rows: Vec<usize> = all.into_iter().filter(can_be_predicted).collect();
        let is_kept = |row: &usize| rows.binary_search(row).is_ok();
        self.summary.as_missing += unreadable.iter().filter(|(row, _)| is_kept(row)).count();
        let inputs = encoding.inputs_or_missing(table, &rows)?;
        Ok((rows, inputs))
    }
}

fn no_probabilities() -> anyhow::Error {
    usage(
        "the outputs of this model are not probabilities",
        "train for classes with the output activation softmax or sigmoid, or omit --probabilities",
    )
}
