//! What commands say: to standard output, and of errors.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

pub use surefoot_report::words::{count, listed, short, thousands, visible};

use crate::hints;

/// How a command ended, when it was not by an error.
pub enum Ending {
    /// As it should.
    Success,
    /// The gradient check failed, or training diverged.
    Failed,
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
        let report = cause.downcast_ref::<surefoot_report::Error>().and_then(|error| match error {
            surefoot_report::Error::Table(error) => Some(hints::of_table(error.reason())),
            error => error.hint(),
        });
        let export = cause.downcast_ref::<surefoot_export::Error>().and_then(surefoot_export::Error::hint);
        let serve = match cause.downcast_ref::<surefoot_lab::Error>() {
            Some(error) => error.hint(),
            None => cause.downcast_ref::<surefoot_serve::Error>().and_then(surefoot_serve::Error::hint),
        };
        table.or(library).or(report).or(export).or(serve).map(String::from)
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

/// Writes a line to standard output.
pub fn print_line(text: impl fmt::Display) -> anyhow::Result<()> {
    print(format_args!("{text}\n"))
}

/// That a result does not take the place of what it is made from.
pub fn keep_inputs(out: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    let same =
        |input: &&&Path| out.canonicalize().is_ok_and(|out| input.canonicalize().is_ok_and(|input| input == out));
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(input) => {
            let message = format!("refusing to overwrite the input file {}", input.display());
            Err(usage(message, "choose another name for the result"))
        }
    }
}
