//! `surefoot evaluate`

use std::fmt::Write;

use anyhow::Context;
use serde_json::json;
use surefoot::metrics::{Confusion, accuracy, classes, log_loss, mae, r_squared, rmse};
use surefoot::{Model, Objective, Task};
use surefoot_table::{Encoding, Part};

use super::unseen::AllUnseen;
use crate::arguments::{Evaluate, Memory};
use crate::output::{Ending, count, print, print_line, short};
use crate::progress::read_watched;

pub fn run(arguments: &Evaluate, memory: &Memory) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    let table = read_watched(arguments.table.of(&model).source(&arguments.data, Part::Test), arguments.json, memory)?;
    let encoding = Encoding::of_model(&model, &table)?;
    let rows = encoding.rows_with_targets(&table)?;
    let inputs = encoding.inputs(&table, &rows)?;
    let mut unseen = AllUnseen::default();
    unseen.add(encoding.unseen(&table, &rows)?, arguments.strict)?;
    let targets = encoding.targets(&table, &rows, model.network.outputs())?;
    let evaluation = || -> surefoot::Result<_> {
        let (single, examples) = (model.merged()?, model.examples(inputs.view(), targets.view())?);
        let cost = single.cost(&examples)?.cost(&single.parameters.to_f64());
        Ok((cost, model.predict(inputs.view())?))
    };
    let (cost, outputs) = evaluation().with_context(|| format!("cannot evaluate {}", table.file()))?;
    let rows = rows.len();
    if rows < table.rows() {
        eprintln!("skipped {} without a target", count(table.rows() - rows, "row"));
    }
    if !arguments.json {
        unseen.warn();
    }
    match model.task {
        Task::Regression => {
            let [rmse, mae] = [rmse, mae].map(|metric| metric(outputs.view(), targets.view()));
            // of targets that are all alike, as of one row, R² has no value
            let varies = targets.columns().into_iter().any(|column| column.iter().any(|y| *y != column[0]));
            let r2 = varies.then(|| r_squared(outputs.view(), targets.view()));
            if arguments.json {
                print_line(
                    json!({"rows": rows, "cost": cost, "score": r2, "rmse": rmse, "mae": mae, "r2": r2, "unseen": unseen.json()}),
                )?;
            } else {
                let numbers = [("cost", Some(cost)), ("R²", r2), ("RMSE", Some(rmse)), ("MAE", Some(mae))];
                print(numbers.iter().fold(format!("{}\n", count(rows, "row")), |text, (name, number)| {
                    format!("{text}{name:<10}{}\n", short(*number))
                }))?;
                if r2.is_none() {
                    print("R² has no value, because all targets are equal\n")?;
                }
            }
        }
        Task::Classification => {
            let (predicted, truth) = (model.classify(outputs.view()), classes(targets.view()));
            let accuracy = accuracy(&predicted, &truth);
            let log_loss = model.probabilities(outputs.view()).map(|p| log_loss(p.view(), &truth));
            let confusion = Confusion::new(&predicted, &truth, model.class_count());
            let names: Vec<String> = (0..model.class_count()).map(|class| model.class_name(class)).collect();
            let [precision, recall] = [Confusion::precision, Confusion::recall]
                .map(|metric| (0..names.len()).map(|class| metric(&confusion, class)).collect::<Vec<_>>());
            if arguments.json {
                print_line(json!({
                    "rows": rows, "cost": cost, "score": accuracy, "accuracy": accuracy, "log_loss": log_loss,
                    "classes": names, "precision": precision, "recall": recall, "confusion": confusion.counts,
                    "unseen": unseen.json(),
                }))?;
            } else {
                let numbers = [("cost", Some(cost)), ("accuracy", Some(accuracy)), ("log loss", log_loss)];
                print(numbers.iter().fold(format!("{}\n", count(rows, "row")), |text, (name, number)| {
                    format!("{text}{name:<10}{}\n", short(*number))
                }))?;
                print(class_table(&names, &confusion, &precision, &recall))?;
            }
        }
    }
    Ok(Ending::Success)
}

/// Precision and recall of each class, and the confusion matrix: a row for each true class.
fn class_table(names: &[String], confusion: &Confusion, precision: &[Option<f64>], recall: &[Option<f64>]) -> String {
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("\n{:width$}  precision  recall   predicted as", "class");
    let columns = names.iter().fold(String::new(), |columns, name| format!("{columns} {name:>width$}"));
    let _ = writeln!(text, "\n{:width$}                     {columns}", "");
    for (class, name) in names.iter().enumerate() {
        let counts = confusion.counts[class].iter().fold(String::new(), |counts, n| format!("{counts} {n:>width$}"));
        let (precision, recall) = (short(precision[class]), short(recall[class]));
        let _ = writeln!(text, "{name:width$}  {precision:>9}  {recall:>6}   {counts}");
    }
    text
}
