//! `surefoot train`: arguments become options; what a training is, is the business of `surefoot-fit`.

mod checkpoints;
mod device;
mod job;
mod paths;
mod summary;
mod watching;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use surefoot::files::{remove_leftovers, write_atomically};
use surefoot::{Model, Threads};
use surefoot_fit::{Error, Input, Options, Tables};
use surefoot_report::TrainingReport;
use surefoot_report::words::stopped_after;
use surefoot_table::{Part, Source};

use crate::arguments::{DeviceChoice, Memory, Settings, Train, first_and_more};
use crate::commands::check;
use crate::memory::tell_uses;
use crate::output::{Ending, print, print_line, usage};
use crate::progress::while_reading;
use crate::refusals::refusal;
use checkpoints::{Checkpoints, Resumed};
use job::Job;
use paths::Paths;
use watching::Watching;

const MAX_THREADS: usize = 1024;

pub fn run(train: Train, memory: &Memory) -> anyhow::Result<Ending> {
    let Some(distributed) = &train.distributed else { return fit(train, memory, None) };
    let job = Job::join(distributed)?;
    memory.keep(job.beside())?;
    let ending = fit(train, memory, Some(&job));
    job.end(ending)
}

/// In this process, perhaps with others.
fn fit(train: Train, memory: &Memory, job: Option<&Job>) -> anyhow::Result<Ending> {
    let (train, resumed) = begin_or_resume(train, job)?;
    let settings = &train.settings;
    let mut options = options(&train)?;
    if settings.print_config {
        print(options.to_toml().map_err(refusal)?)?;
        return Ok(Ending::Success);
    }
    if options.folds.is_some() && settings.checkpoint.is_some() {
        return Err(usage(
            "--folds cannot be combined with --checkpoint",
            "omit one of them; folds may be in the file of options",
        ));
    }
    if let Some(threads) = train.threads.filter(|threads| !(1..=MAX_THREADS).contains(threads)) {
        let message = format!("--threads: expected 1 to {MAX_THREADS}, got {threads}");
        return Err(usage(message, "omit it for one thread per processor"));
    }
    let device = device::of(train.device.unwrap_or(DeviceChoice::Cpu), job.is_some())?;
    if job.is_some() && settings.data == ["-"] {
        return Err(usage("standard input goes to one process", "write it to a file that all processes can read"));
    }
    let (data, more) = first_and_more(&settings.data);
    let (source, cache) = (Source { more, ..Source::new(data, Part::Training) }, memory.kept_tables());
    let count = train.threads.unwrap_or(job.map_or(0, Job::threads));
    let threads = Threads::new(count);
    if let Some(job) = job.filter(|job| !job.is_first()) {
        let mut options = options;
        let tables =
            job.all(Tables::read_from(Source { cache: cache.as_ref(), ..source }, &options).map_err(refusal))?;
        split_names(&mut options, &tables);
        let is_kept = settings.checkpoint.is_some() || resumed.is_some();
        return threads.run(|| job.follow(&options, &tables, resumed.map(|resumed| resumed.resume), is_kept))?;
    }
    // beyond a limit on the size of files, writing is to fail, not to end the process
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let paths = Paths::new(settings, &options)?;
    if resumed.is_some() {
        // what a kill left half written
        [Some(&paths.model), paths.report.as_ref()].into_iter().flatten().for_each(|path| remove_leftovers(path));
    }
    options.importance = paths.report.is_some();
    let is_quiet = train.quiet || train.json;
    let tables = while_reading(is_quiet, |progress| {
        let source = Source { progress: Some(progress), cache: cache.as_ref(), ..source };
        Tables::read_from(source, &options).map_err(refusal)
    });
    tell_uses(cache.as_ref(), is_quiet);
    let tables = match job {
        Some(job) => job.all(tables)?,
        None => tables?,
    };
    split_names(&mut options, &tables);
    let checkpoints = Checkpoints::new(&train, resumed.as_ref(), &paths)?;
    let mut watching = Watching::new(&train, &tables, checkpoints, device, job);
    if let Some(job) = job {
        watching.say(job.heading(count))?;
    }
    let fitted = threads.run(|| match resumed {
        None => surefoot_fit::fit(&options, Input::Tables(&tables), &mut watching),
        Some(resumed) => surefoot_fit::resume(&options, Input::Tables(&tables), &mut watching, resumed.resume),
    })?;
    if let Some(failure) = watching.failure.take() {
        return Err(failure);
    }
    let outcome = match fitted {
        Ok(outcome) => outcome,
        Err(Error::Interrupted) => {
            return match &mut watching.checkpoints {
                Some(checkpoints) => checkpoints.tell(train.json).map(|()| Ending::Interrupted),
                None => Ok(Ending::Interrupted),
            };
        }
        Err(Error::Gradient { report }) => {
            eprint!("{}", check::table(&report));
            eprintln!("error: not trained, because the gradient is wrong\nhint: --no-check trains anyway");
            return Ok(Ending::Failed);
        }
        Err(error @ Error::Diverged { .. }) => {
            eprintln!("error: {error}\nhint: try a smaller --learning-rate or weight decay, or another --init");
            return Ok(Ending::Failed);
        }
        Err(error) => return Err(refusal(error)),
    };
    save(&outcome.model, &paths.model, watching.checkpoints.as_ref())?;
    let report = paths.report.as_deref().filter(|path| {
        let command = watching.command();
        let report = TrainingReport::new(&tables.table, &outcome, &command);
        let written = report.map_or(Ok(()), |report| write_atomically(path, report.page().as_str().as_bytes()));
        if let Err(error) = &written {
            eprintln!("warning: no report: {:#}", anyhow::Error::msg(error.to_string())); // the model is there
        }
        written.is_ok()
    });
    if train.json {
        print_line(summary::json(&outcome, &paths.model, report))?;
    } else {
        watching.say(summary::curve(&outcome))?;
        watching.say(summary::table(&outcome, &paths.model, report))?;
    }
    if !outcome.is_finite() {
        eprintln!(
            "error: stopped {}\nhint: try a smaller --learning-rate or --weight-decay, or another --init",
            stopped_after(&outcome)
        );
        return Ok(Ending::Failed);
    }
    Ok(Ending::Success)
}

/// The command as it is given, or the one in the checkpoint that it names, if it is to be resumed.
fn begin_or_resume(mut train: Train, job: Option<&Job>) -> anyhow::Result<(Train, Option<Resumed>)> {
    if let Some(path) = train.resume.clone() {
        let (train, resumed) = checkpoints::resume(&path, &train)?;
        return Ok((train, Some(resumed)));
    }
    let Some(path) = train.settings.resume_or_start.take() else { return Ok((train, None)) };
    let is_there = job.map_or(Ok(path.exists()), |job| job.as_the_first(path.exists()))?;
    if is_there {
        let (begun, resumed) = checkpoints::resume(&path, &train)?;
        require_same(&train, &begun, &path)?;
        return Ok((begun, Some(resumed)));
    }
    train.settings.checkpoint = Some(path);
    Ok((train, None))
}

/// That a command that may have been begun is the one that was.
fn require_same(now: &Train, begun: &Train, path: &Path) -> anyhow::Result<()> {
    let of = |train: &Train| -> anyhow::Result<_> {
        let Settings { data, out, report, .. } = &train.settings;
        Ok((options(train)?.to_toml().map_err(refusal)?, data.clone(), out.clone(), report.clone()))
    };
    match of(now)? == of(begun)? {
        true => Ok(()),
        false => {
            let message = format!("{} was written by a command with other arguments", path.display());
            Err(usage(message, format!("surefoot train --resume {} goes on with those; or delete it", path.display())))
        }
    }
}

/// What the configuration file and the command line say.
fn options(train: &Train) -> anyhow::Result<Options> {
    let settings = &train.settings;
    let base = match &settings.config {
        None => Options::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            text.parse::<Options>().map_err(refusal).with_context(|| format!("cannot use {}", path.display()))?
        }
    };
    let mut options = settings.options(base);
    options.reading = train.reading.over(options.reading);
    Ok(options)
}

/// Names of columns may stand in one argument, with commas between them, unless there is a column of that very name.
fn split_names(options: &mut Options, tables: &Tables) {
    for names in [&mut options.numeric, &mut options.categorical, &mut options.ignore] {
        let split = |text: &String| match tables.table.column(text) {
            Ok(_) => vec![text.clone()],
            Err(_) => text.split(',').map(|name| name.trim().to_string()).collect(),
        };
        *names = names.iter().flat_map(split).collect();
    }
}

/// Writes the model; where that fails, the training is in its checkpoint, or the model goes elsewhere.
fn save(model: &Model, out: &Path, checkpoints: Option<&Checkpoints>) -> anyhow::Result<()> {
    let Err(error) = model.save(out) else { return Ok(()) };
    if let Some(checkpoints) = checkpoints.filter(|checkpoints| checkpoints.is_kept()) {
        let hint = format!("the training is finished and kept; write the model with\n  {}", checkpoints.command());
        return Err(usage(chain(&error.into()), hint));
    }
    let name = out.file_name().unwrap_or_default();
    let elsewhere = || -> anyhow::Result<PathBuf> {
        let path = tempfile::Builder::new().prefix("surefoot-").tempdir()?.keep().join(name);
        model.save(&path)?;
        Ok(path)
    };
    match elsewhere() {
        Ok(path) => Err(usage(chain(&error.into()), format!("the model is at {} instead", path.display()))),
        Err(other) => Err(usage(chain(&error.into()), format!("nor could it be written elsewhere: {}", chain(&other)))),
    }
}

/// An error with its causes.
fn chain(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
