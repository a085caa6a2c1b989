//! `surefoot look`

use serde_json::{Value, json};
use surefoot_table::{Kind, Look, LookedAt, Part, Roles, Source, Table, Targets, Use, in_sentences};

use crate::arguments::{self, Memory, first_and_more};
use crate::output::{Ending, count, print, print_line};
use crate::progress::read_watched;

/// The columns that are listed; of more the first.
const MOST_COLUMNS: usize = 40;
/// The characters of a value, and of a name, that are shown.
const SHOWN: usize = 16;
const SHOWN_NAME: usize = 28;

pub fn run(arguments: &arguments::Look, memory: &Memory) -> anyhow::Result<Ending> {
    let reading = arguments.reading.over(surefoot_table::Reading::default());
    let known: Vec<String> = arguments.target.iter().cloned().collect();
    let (first, more) = first_and_more(&arguments.data);
    let source = Source { more, reading: &reading, known: &known, ..Source::new(first, Part::Training) };
    let table = read_watched(source, arguments.json, memory)?;
    let look = Look::at(&table, arguments.target.as_deref(), &Roles::default())?;
    match arguments.json {
        true => print_line(as_json(&table, &look))?,
        false => print(as_text(&table, &look))?,
    }
    Ok(Ending::Success)
}

fn as_text(table: &Table, look: &Look) -> String {
    let (rows, columns) = (count(table.rows(), "row"), count(table.columns().len(), "column"));
    let format = if table.format().is_empty() { "built in" } else { table.format() };
    let mut text = format!("{}: {format}, {rows}, {columns}\n", table.file());
    let short = |text: &str, length: usize| match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    };
    let heading = ["column", "used as", "missing", "different", "first values"].map(String::from);
    let row = |column: &LookedAt| {
        let first: Vec<String> = column.first.iter().map(|value| short(value, SHOWN)).collect();
        let more = if column.different > first.len() { ", …" } else { "" };
        [
            short(&column.name, SHOWN_NAME),
            used_as(&column.use_as),
            if column.missing == 0 { String::new() } else { column.missing.to_string() },
            column.different.to_string(),
            first.join(", ") + more,
        ]
    };
    let lines: Vec<[String; 5]> =
        std::iter::once(heading).chain(look.columns.iter().take(MOST_COLUMNS).map(row)).collect();
    let width = |place: usize| lines.iter().map(|line| line[place].chars().count()).max().unwrap_or(0);
    let [name, used, missing, different] = [width(0), width(1), width(2), width(3)];
    text += "\n";
    for [a, b, c, d, e] in &lines {
        text += format!("{a:name$}  {b:used$}  {c:>missing$}  {d:>different$}  {e}").trim_end();
        text += "\n";
    }
    if look.columns.len() > MOST_COLUMNS {
        text += &format!("and {} more; --json lists all\n", look.columns.len() - MOST_COLUMNS);
    }
    text += "\n";
    for note in in_sentences(&look.notes) {
        text += &format!("note: {note}\n");
    }
    for error in refused(look) {
        text += &format!("would be refused: {error}\n");
    }
    text
}

fn used_as(use_as: &Use) -> String {
    match use_as {
        Use::Input(Kind::Number { notation, .. }) => match (&notation.unit, notation.decimal_comma) {
            (Some(unit), _) => format!("number ({unit})"),
            (None, true) => "number (decimal comma)".into(),
            (None, false) => "number".into(),
        },
        Use::Input(kind) => kind.name().into(),
        Use::Target(Targets::Classes(names)) => format!("target, {} classes", names.len()),
        Use::Target(Targets::Numbers) => "target, numbers".into(),
        Use::Excluded(why) => format!("excluded: {}", why.reason().split(':').next().unwrap_or_default()),
        _ => "refused".into(),
    }
}

/// What a training would refuse, as a command says it.
fn refused(look: &Look) -> Vec<String> {
    let columns = look.columns.iter().filter_map(|column| match &column.use_as {
        Use::Refused(error) => Some(error),
        _ => None,
    });
    columns
        .chain(look.target.as_ref().err())
        .map(|error| format!("{error} ({})", crate::hints::of_table(error.reason())))
        .collect()
}

fn as_json(table: &Table, look: &Look) -> Value {
    let column = |column: &LookedAt| {
        let (role, kind, why) = match &column.use_as {
            Use::Input(kind) => ("input", Some(kind.name().to_string()), None),
            Use::Target(Targets::Classes(names)) => ("target", Some(format!("{} classes", names.len())), None),
            Use::Target(Targets::Numbers) => ("target", Some("numbers".into()), None),
            Use::Excluded(why) => ("excluded", None, Some(why.reason().to_string())),
            Use::Refused(error) => ("refused", None, Some(error.to_string())),
            _ => ("", None, None),
        };
        let notation = match &column.use_as {
            Use::Input(Kind::Number { notation, .. }) if !notation.is_default() => Some(notation),
            _ => None,
        };
        json!({
            "name": column.name, "role": role, "kind": kind, "why": why, "missing": column.missing,
            "different": column.different, "first": column.first, "notation": notation,
        })
    };
    json!({
        "file": table.file(), "format": table.format(), "rows": table.rows(),
        "columns": look.columns.iter().map(column).collect::<Vec<_>>(),
        "notes": look.notes, "refused": refused(look),
    })
}
