//! What commands say: to standard output, and of errors.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use crate::hints;

/// How a command ended, when it was not by an error.
pub enum Outcome {
    /// Done.
    Done,
    /// The check or the training says no.
    No,
    /// A signal ended it, and a checkpoint was written.
    Interrupted,
}

/// An error about a wrong use of the command line, with what to do instead.
pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Usage { message: message.into(), hint: hint.into() }.into()
}

#[derive(Debug)]
struct Usage {
    message: String,
    hint: String,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Usage {}

/// What to do about an error, from the first in its chain that knows.
pub fn hint(error: &anyhow::Error) -> String {
    let known = error.chain().find_map(|cause| {
        if let Some(usage) = cause.downcast_ref::<Usage>() {
            return Some(usage.hint.clone());
        }
        let table = cause.downcast_ref::<surefoot_table::Error>().map(|error| hints::of_table(error.reason()));
        let library = cause.downcast_ref::<surefoot::Error>().and_then(surefoot::Error::hint);
        table.or(library).map(String::from)
    });
    known.unwrap_or_else(|| "--help after the command is its manual, with ranges and defaults".into())
}

/// Whether the reader of standard output has gone, as `head` does.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Writes text to standard output.
pub fn print(text: impl fmt::Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(visible(&text.to_string()).as_bytes())?;
    Ok(out.flush()?)
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

/// Writes a line to standard output.
pub fn print_line(text: impl fmt::Display) -> anyhow::Result<()> {
    print(format_args!("{text}\n"))
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

/// The names, shortened in the middle where there are many.
pub fn listed(names: &[String]) -> String {
    match names {
        [first, second, .., last] if names.len() > 12 => {
            format!("{first}, {second}, …, {last} ({} in all)", names.len())
        }
        _ => names.join(", "),
    }
}

/// That a result does not take the place of what it is made from.
pub fn keep_inputs(out: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    let same =
        |input: &&&Path| out.canonicalize().is_ok_and(|out| input.canonicalize().is_ok_and(|input| input == out));
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(input) => {
            let message = format!("{} would be replaced, and it is read from", input.display());
            Err(usage(message, "give the result another name"))
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
