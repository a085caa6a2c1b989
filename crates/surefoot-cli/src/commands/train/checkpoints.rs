//! `--checkpoint` and `--resume`: the training in a file, every so often and when a signal asks it to end.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use serde::{Deserialize, Serialize};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use surefoot::Checkpoint;
use surefoot::files::{check_writable, remove_leftovers};
use surefoot_fit::{Resume, Snapshot};

use super::paths::Paths;
use crate::arguments::{Arguments, Command, Every, Train};
use crate::output::{print_line, usage};
use crate::refusals::refusal;

/// What a checkpoint has of the command beside the training.
#[derive(Serialize, Deserialize)]
struct Note {
    program: String,
    /// The arguments of the command that began, in the folder where it did.
    arguments: Vec<String>,
    folder: PathBuf,
}

/// A command to resume.
pub struct Resumed {
    pub resume: Resume,
    /// Where its checkpoint is.
    path: PathBuf,
    arguments: Vec<String>,
}

/// The command in this checkpoint, with what may be given anew, and its place in the training. From here on the present
/// folder is that of the command, so that it finds its data.
pub fn resume(path: &Path, anew: &Train) -> anyhow::Result<(Train, Resumed)> {
    let path = std::path::absolute(path)?;
    let resume = Resume::open(&path).map_err(refusal)?;
    let note = Note::deserialize(resume.note())
        .with_context(|| format!("{} was not written by this command", path.display()))?;
    let arguments = ["surefoot", "train"].into_iter().map(String::from).chain(note.arguments.iter().cloned());
    let Command::Train(mut train) = Arguments::try_parse_from(arguments)
        .with_context(|| {
            format!("{} was written by {}, whose arguments this version does not know", path.display(), note.program)
        })?
        .command
    else {
        return Err(usage(format!("{} holds no training", path.display()), "choose another checkpoint"));
    };
    (train.threads, train.json, train.quiet) = (anew.threads.or(train.threads), anew.json, anew.quiet);
    train.device = anew.device.or(train.device);
    train.distributed = anew.distributed.clone();
    std::env::set_current_dir(&note.folder).with_context(|| {
        format!("cannot change to {}, the folder where the training was started", note.folder.display())
    })?;
    Ok((*train, Resumed { resume, path, arguments: note.arguments }))
}

/// Writes the training into its file.
pub struct Checkpoints {
    path: PathBuf,
    every: Every,
    arguments: Vec<String>,
    folder: PathBuf,
    last: Instant,
    /// The last try failed.
    is_failing: bool,
    /// Set by a signal.
    signal: Arc<AtomicBool>,
    /// Why the last checkpoint, which a signal asked for, could not be written.
    failure: Option<anyhow::Error>,
}

impl Checkpoints {
    /// As the command wants them, none if it does not; signals are listened to from here on.
    pub fn new(train: &Train, resumed: Option<&Resumed>, paths: &Paths) -> anyhow::Result<Option<Self>> {
        let (path, arguments) = match (resumed, &train.settings.checkpoint) {
            (Some(resumed), _) => (resumed.path.clone(), resumed.arguments.clone()),
            (None, Some(path)) => {
                if std::path::absolute(path)? == std::path::absolute(&paths.model)? {
                    let message = format!("--checkpoint and --out are the same file, {}", path.display());
                    return Err(usage(message, "choose another name for one of them"));
                }
                paths.keep_inputs(path)?;
                keep_what_is_there(path)?;
                (path.clone(), own_arguments()?)
            }
            (None, None) => return Ok(None),
        };
        if resumed.is_none() {
            check_writable(&path).context("cannot write the checkpoint")?;
        }
        remove_leftovers(&path);
        let signal = Arc::new(AtomicBool::new(false));
        for kind in [SIGINT, SIGTERM] {
            // the second one ends the process at once
            signal_hook::flag::register_conditional_shutdown(kind, 130, Arc::clone(&signal))?;
            signal_hook::flag::register(kind, Arc::clone(&signal))?;
        }
        Ok(Some(Checkpoints {
            path,
            every: train.settings.checkpoint_every,
            arguments,
            folder: std::env::current_dir()?,
            last: Instant::now(),
            is_failing: false,
            signal,
            failure: None,
        }))
    }

    /// Whether [`step`](Self::step) has something to do after so many steps.
    pub fn is_due(&self, steps: u64) -> bool {
        let is_time = match self.every {
            Every::Time(time) => self.last.elapsed() >= time,
            Every::Steps(every) => steps.is_multiple_of(every),
        };
        is_time || self.is_interrupted()
    }

    /// Writes the state where it is time to, or where a signal has come; then the training is to end.
    pub fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        if self.is_interrupted() && !snapshot.is_first() && !snapshot.is_last() {
            self.failure = self.write(snapshot).err();
            return ControlFlow::Break(());
        }
        if snapshot.is_first() || snapshot.is_last() || self.is_due(snapshot.steps()) {
            self.save(snapshot);
        }
        ControlFlow::Continue(())
    }

    /// Writes the state; where that fails, it says so, and the next time may go better.
    fn save(&mut self, snapshot: &Snapshot<'_>) {
        let was_failing = self.is_failing;
        match (self.write(snapshot), was_failing) {
            (Ok(()), true) => eprintln!("checkpoints can be written again: {}", self.path.display()),
            (Err(error), false) => {
                eprintln!("warning: cannot write the checkpoint: {error:#}; training continues, and will try again");
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
    }

    fn write(&mut self, snapshot: &Snapshot<'_>) -> anyhow::Result<()> {
        let note = Note {
            program: concat!("surefoot ", env!("CARGO_PKG_VERSION")).into(),
            arguments: self.arguments.clone(),
            folder: self.folder.clone(),
        };
        let written = snapshot.save(&self.path, &json!(note));
        (self.last, self.is_failing) = (Instant::now(), written.is_err());
        written.map_err(refusal)
    }

    /// Whether a signal has come.
    fn is_interrupted(&self) -> bool {
        self.signal.load(Ordering::Relaxed)
    }

    /// Tells how to resume after an interruption.
    pub fn tell(&mut self, json: bool) -> anyhow::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure.context("interrupted, and the last checkpoint could not be written"));
        }
        let command = self.command();
        if json {
            return print_line(json!({"event": "interrupted", "checkpoint": self.path, "resume": command}));
        }
        eprintln!("interrupted; resume with\n  {command}");
        Ok(())
    }

    /// Whether the last state that was to be written was.
    pub fn is_kept(&self) -> bool {
        !self.is_failing
    }

    /// The command that resumes.
    pub fn command(&self) -> String {
        format!("surefoot train --resume {}", quoted(&self.path.to_string_lossy()))
    }

    /// The arguments of the command that began.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// An argument as a shell takes it.
pub fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=@%:,".contains(c);
    match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.into(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

/// That no training that could be resumed, and no other file, is overwritten.
fn keep_what_is_there(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    match Checkpoint::open(path) {
        Ok(checkpoint) if checkpoint.stopped().is_some() => Ok(()),
        Ok(_) => {
            let message = format!("{} holds an unfinished training", path.display());
            Err(usage(message, format!("resume it with surefoot train --resume {}, or delete it", path.display())))
        }
        Err(_) => {
            let message = format!("{} exists and is not a checkpoint", path.display());
            Err(usage(message, "choose another name for --checkpoint"))
        }
    }
}

/// The arguments of this process without `train`: those after it, and then the options that stood before it, which may stand anywhere.
pub fn arguments_of_process() -> Vec<OsString> {
    let mut before: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = 0;
    while let Some(argument) = before.get(command).filter(|argument| argument.to_string_lossy().starts_with("--")) {
        command += if argument.to_string_lossy().contains('=') { 1 } else { 2 }; // all that may stand there have a value
    }
    let mut arguments = before.split_off((command + 1).min(before.len()));
    before.truncate(command);
    arguments.extend(before);
    arguments
}

/// The same, to be kept.
fn own_arguments() -> anyhow::Result<Vec<String>> {
    let text = |argument: OsString| {
        let refuse = |argument: OsString| {
            let message = format!("{} is not UTF-8, and cannot be kept in a checkpoint", argument.display());
            usage(message, "rename the file, or omit --checkpoint")
        };
        argument.into_string().map_err(refuse)
    };
    arguments_of_process().into_iter().map(text).collect()
}
