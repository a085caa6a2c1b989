//! How a training went, for people and for programs.

use std::io::IsTerminal;
use std::path::Path;

use serde_json::{Value, json};
use surefoot_fit::{Outcome, Plan, Pretrained, Scores};
use surefoot_report::words::{listed, stopped_after};
use surefoot_table::{Table, Targets, in_sentences};

use crate::curve;
use crate::output::{count, short, thousands};

/// The data and the network.
pub fn heading(table: &Table, plan: &Plan) -> String {
    let Some(encoding) = &plan.encoding else { return format!("{}\n", plan.network) };
    let columns = &encoding.columns;
    let column = &encoding.target_columns[0];
    let target = match &encoding.targets {
        Targets::Numbers if plan.is_autoencoder() => "which are also the targets".into(),
        Targets::Classes(names) => format!("{} classes in column `{column}`", names.len()),
        Targets::Numbers => format!("numbers in column `{column}`"),
    };
    let kind = |name: &str| columns.iter().filter(|column| column.kind.name() == name).count();
    let kinds = ["number", "yes/no", "category"].map(|name| (name, kind(name)));
    let kinds: Vec<String> = kinds.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    let inputs = plan.network.inputs();
    let inputs = match kinds.len() == 1 && inputs == columns.len() && kinds[0].ends_with("number") {
        true => count(inputs, "input"),
        false => format!("{} from {} ({})", count(inputs, "input"), count(columns.len(), "column"), kinds.join(", ")),
    };
    let mut text = format!("{}: {}, {inputs}, {target}\n", table.file(), count(table.rows(), "row"));
    if plan.classes_are_integers {
        text += "(classes, because the target has few distinct integers; --task regression treats them as numbers)\n";
    }
    let without_target = table.rows() - plan.target.as_ref().map_or(table.rows(), |target| target.rows.len());
    if without_target > 0 {
        text += &format!("excluded: {} without a target\n", count(without_target, "row"));
    }
    text += &excluded(plan);
    in_sentences(&plan.notes).iter().for_each(|note| text += &format!("note: {note}\n"));
    text += &format!("{}\n", plan.network);
    if plan.is_ensemble() {
        let (members, others) = (plan.members.len(), plan.members.len() - 1);
        text += &format!(
            "ensemble of {members} such networks: each trains on {others}/{members} of the rows and uses the remaining \
             1/{members} for early stopping; their outputs are averaged\n"
        );
    }
    text
}

/// The columns that are not inputs, by reason.
fn excluded(plan: &Plan) -> String {
    let mut reasons: Vec<&str> = plan.excluded.iter().map(|(_, why)| why.reason()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let line = |reason: &str| {
        let names: Vec<String> =
            plan.excluded.iter().filter(|(_, why)| why.reason() == reason).map(|(name, _)| name.clone()).collect();
        format!("excluded: {} ({reason})\n", listed(&names))
    };
    reasons.into_iter().map(line).collect()
}

/// The last line of `--json`.
pub fn json(outcome: &Outcome, out: &Path, report: Option<&Path>) -> Value {
    let score = |scores: &Option<Scores>| scores.map(|scores| scores.score);
    json!({
        "event": "done", "stop_reason": outcome.stop_reason().name(), "epochs": outcome.epochs(),
        "steps": outcome.steps(), "ensemble": outcome.runs.len(), "seconds": outcome.seconds,
        "examples_per_second": outcome.examples_per_second(),
        "cost": outcome.training.cost, "train_score": outcome.training.score,
        "validation_score": score(&outcome.validation), "test_score": score(&outcome.test),
        "folds": outcome.folds.as_ref().map(|folds| {
            json!({"scores": folds.0, "mean": folds.mean(), "spread": folds.spread()})
        }),
        "before_fine_tuning": outcome.pretrained.as_ref().map(before_fine_tuning),
        "notes": outcome.plan.notes, "warnings": outcome.warnings,
        "parameters": outcome.model.parameters.len(), "model": out.display().to_string(),
        "report": report.map(|path| path.display().to_string()),
    })
}

fn before_fine_tuning(pretrained: &Pretrained) -> Value {
    json!({
        "cost": pretrained.training.cost, "train_score": pretrained.training.score,
        "validation_score": pretrained.validation.map(|scores| scores.score),
    })
}

/// A small picture of the costs for a terminal; nothing where standard output is none.
pub fn curve(outcome: &Outcome) -> String {
    let Some(run) = outcome.runs.last().filter(|run| run.history.len() > 1 && std::io::stdout().is_terminal()) else {
        return String::new();
    };
    let costs: Vec<f64> = run.history.iter().map(|epoch| epoch.cost).collect();
    let validation: Vec<f64> = run.history.iter().filter_map(|epoch| epoch.validation_cost).collect();
    curve::curve(&costs, &validation) + "\n"
}

/// The table that ends a training.
pub fn table(outcome: &Outcome, out: &Path, report: Option<&Path>) -> String {
    let plan = &outcome.plan;
    let mut parts = vec![("training", plan.rows, Some(&outcome.training))];
    parts.push(match plan.is_ensemble() {
        false => ("validation", plan.validation_rows, outcome.validation.as_ref()),
        true => ("out-of-fold", plan.rows, outcome.validation.as_ref()),
    });
    parts.extend(outcome.test.as_ref().map(|scores| ("test", plan.test_rows, Some(scores))));
    let line = |name: &str, cells: Vec<String>| {
        cells.iter().fold(format!("{name:<10}"), |line, cell| format!("{line} {cell:>11}")) + "\n"
    };
    let numbers = |number: fn(&Scores) -> f64| parts.iter().map(|part| short(part.2.map(number))).collect();
    let speed = thousands(outcome.examples_per_second() as u64);
    let mut text = format!("stopped    {}\n", stopped_after(outcome));
    text += &format!("time       {:.2} s, {speed} examples per second\n\n", outcome.seconds);
    text += &line("part", parts.iter().map(|part| part.0.to_string()).collect());
    text += &line("rows", parts.iter().map(|part| thousands(part.1 as u64)).collect());
    text += &line("cost", numbers(|scores| scores.cost));
    text += &line(plan.task.score_name(), numbers(|scores| scores.score));
    if plan.is_ensemble() {
        text += "(out-of-fold: each row is predicted by the one network that did not train on it, though that network used it \
                 for early stopping; the ensemble is usually better)\n";
    }
    outcome.warnings.iter().for_each(|warning| text += &format!("warning: {warning}\n"));
    text += &format!("\nmodel      {}\n", out.display());
    text + &report.map_or(String::new(), |path| format!("report     {}\n", path.display()))
}
