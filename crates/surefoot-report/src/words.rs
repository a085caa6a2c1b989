//! Numbers, counts and names as people read them, in pages and in a terminal.

use std::borrow::Cow;

use serde_json::Value;
use surefoot::StopReason;
use surefoot_fit::{Outcome, Run};

/// A number to about five significant digits, `-` for one that is not there.
pub fn short(number: Option<f64>) -> String {
    match number {
        None => "-".into(),
        Some(0.0) => "0.0000".into(), // of either sign
        Some(x) if (1e-3..1e6).contains(&x.abs()) => {
            let digits = 4usize.saturating_sub(x.abs().max(1.0).log10() as usize);
            format!("{x:.digits$}")
        }
        Some(x) => format!("{x:.3e}"),
    }
}

/// A whole number with a comma every three digits.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 row`, `2 rows`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// The names, shortened in the middle where there are more than twelve.
pub fn listed(names: &[String]) -> String {
    match names {
        [first, second, .., last] if names.len() > 12 => {
            format!("{first}, {second}, …, {last} ({} in all)", names.len())
        }
        _ => names.join(", "),
    }
}

/// A name of at most so many characters.
pub fn shortened(name: &str, most: usize) -> String {
    match name.chars().count() > most {
        true => name.chars().take(most.saturating_sub(1)).collect::<String>() + "…",
        false => name.into(),
    }
}

/// Text in which the names of a stranger's file cannot move the cursor or colour the terminal: control characters but
/// line ends and tabs are written as Rust writes them.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if text.chars().all(is_harmless) {
        return text.into();
    }
    text.chars().map(|c| if is_harmless(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

/// A setting of a model's `training` as people read it.
pub fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(is) => if *is { "yes" } else { "no" }.into(),
        Value::Number(number) if number.is_f64() && number.as_f64().is_some_and(|x| x.to_string().len() > 8) => {
            short(number.as_f64())
        }
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let name = parts.get("name").map(in_words);
            let others = parts.iter().filter(|(name, value)| *name != "name" && !value.is_null());
            let others = others.map(|(name, value)| format!("{} {}", name.replace('_', " "), in_words(value)));
            name.into_iter().chain(others).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// When and why a training stopped, in words that go after "stopped".
pub fn stopped_after(outcome: &Outcome) -> String {
    let last = outcome.runs.last().filter(|run| matches!(run.stop_reason, StopReason::NotFinite { .. }));
    match (last, &outcome.runs[..]) {
        (Some(run), _) | (None, [run]) => stopped(run, outcome.validation.is_some()),
        (None, runs) => {
            let best: Vec<String> = runs.iter().map(|run| run.best_epoch.to_string()).collect();
            let lengths = runs.iter().map(|run| run.history.len());
            let (least, most) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
            let epochs = match least == most {
                true => format!("{} each", count(most, "epoch")),
                false => format!("{least} to {most} epochs"),
            };
            format!("after training {} networks for {epochs}; best epochs {} were kept", runs.len(), best.join(", "))
        }
    }
}

fn stopped(run: &Run, validates: bool) -> String {
    let epochs = run.history.len();
    let steps = match run.evaluations == run.steps {
        true => count(run.steps as usize, "step"),
        false => count(run.evaluations as usize, "evaluation"),
    };
    let after = format!("after {} ({steps})", count(epochs, "epoch"));
    let kept = format!("the parameters after epoch {} were kept", run.best_epoch);
    match run.stop_reason {
        StopReason::Epochs if run.best_epoch == epochs => format!("{after}, the maximum"),
        StopReason::Epochs => format!("{after}, the maximum; {kept}"),
        StopReason::Patience => {
            let monitored = if validates { "validation" } else { "training" };
            format!("{after}, because the {monitored} cost stopped falling; {kept}")
        }
        StopReason::Converged => {
            format!("{after}, because the gradient or the decrease in cost was within its tolerance")
        }
        StopReason::LineSearch => {
            format!("{after}, because no step along the search direction lowered the cost further")
        }
        StopReason::NotFinite { epoch, step, layer, learning_rate } => {
            let what = match layer {
                Some(layer) => format!("the gradient of layer {}", layer + 1),
                None => "the cost".into(),
            };
            format!(
                "in epoch {epoch}, step {step}, because {what} was not finite (learning rate {learning_rate}); \
                 the last parameters with a finite cost were kept"
            )
        }
        _ => format!("{after}, as requested"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(visible("a\tb\nλ"), "a\tb\nλ");
        assert_eq!(visible("a\u{1b}[2Jb\r\u{7f}\u{9b}"), "a\\u{1b}[2Jb\\r\\u{7f}\\u{9b}");
    }

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0.0000"),
            (-0.0, "0.0000"),
            (0.97493, "0.9749"),
            (12.3456, "12.346"),
            (123_456.7, "123457"),
            (1e-7, "1.000e-7"),
            (-999_999.9, "-1000000"),
            (1e6, "1.000e6"),
        ];
        for (number, text) in cases {
            assert_eq!(short(Some(number)), text);
        }
        assert_eq!(short(None), "-");
        assert_eq!([thousands(999), thousands(1_234_567)], ["999", "1,234,567"]);
        assert_eq!([count(1, "row"), count(4, "row")], ["1 row", "4 rows"]);
    }

    #[test]
    fn settings_read_as_words() {
        let optimizer = json!({"name": "adam", "learning_rate": 0.001, "by_width": true, "momentum": null});
        assert_eq!(in_words(&optimizer), "adam, by width yes, learning rate 0.001");
        assert_eq!(in_words(&json!([1, 0.123_456_789_1])), "1, 0.1235");
    }

    #[test]
    fn many_names_are_shortened() {
        let names: Vec<String> = (0..13).map(|i| format!("n{i}")).collect();
        assert_eq!(listed(&names), "n0, n1, …, n12 (13 in all)");
        assert_eq!(listed(&names[..2]), "n0, n1");
        assert_eq!([shortened("abcd", 3), shortened("abc", 3)], ["ab…", "abc"]);
    }
}
