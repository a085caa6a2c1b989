//! The command `surefoot`: trains, checks, evaluates and uses fully-connected neural networks.
//!
//! Exit status: 0 done, 1 the check or the training says no, 2 wrong use or wrong data, 130 interrupted.

mod arguments;
mod commands;
mod curve;
mod hints;
mod memory;
mod output;
mod progress;
mod refusals;
mod version;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use arguments::{Arguments, Command, Memory};
use commands::{
    check, completions, datasets, encode, evaluate, explain, export, import, lab, look, predict, serve, show, train,
};
use output::{Ending, hint, is_broken_pipe, visible};

fn main() -> ExitCode {
    let Arguments { command, memory } = arguments();
    let result = memory.keep(1).and_then(|()| run(command, &memory));
    memory.tell();
    match result {
        Ok(Ending::Success) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::from(1),
        Ok(Ending::Interrupted) => ExitCode::from(130),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", visible(&format!("{error:#}")));
            eprintln!("hint: {}", visible(&hint(&error)));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, memory: &Memory) -> anyhow::Result<Ending> {
    match command {
        Command::Look(arguments) => look::run(&arguments, memory),
        Command::Train(arguments) => train::run(*arguments, memory),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments, memory),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Encode(arguments) => encode::run(&arguments, memory),
        Command::Check(arguments) => check::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Datasets => datasets::run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => completions::man(&arguments),
    }
}

/// The arguments, where they are right.
fn arguments() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| {
        let of = |kind| matches!(error.get(kind), Some(ContextValue::String(name)) if name.starts_with("--resume"));
        // the same error in each process of a job, for which the first speaks
        if std::env::args().any(|argument| argument.starts_with("--distributed"))
            && surefoot_mpi::rank_of_environment().is_some_and(|rank| rank > 0)
        {
            std::process::exit(2);
        }
        if error.kind() == ErrorKind::ArgumentConflict && of(ContextKind::InvalidArg) {
            eprintln!("error: --resume takes its settings from the checkpoint");
            eprintln!("hint: with --resume only --threads, --device, --json and --quiet can be given");
            std::process::exit(2);
        }
        error.exit()
    })
}
