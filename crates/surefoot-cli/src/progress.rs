//! What is seen of a training in progress.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use surefoot::{Epoch, Task};
use surefoot_table::{Progress as Reading, Source, Table};

use crate::arguments::Memory;
use crate::memory::tell_uses;
use crate::output::{count, print_line, short, thousands};

/// How long reading takes before it is said how far it is.
const SHORT: Duration = Duration::from_secs(2);
/// How often that is said in plain lines.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Reads tables, and says on standard error how far that is where it takes long: in a line that changes on a terminal, in one from time
/// to time elsewhere.
pub fn while_reading<T>(quiet: bool, read: impl FnOnce(&Arc<Reading>) -> T) -> T {
    let progress = Arc::new(Reading::default());
    if quiet {
        return read(&progress);
    }
    let (ends, end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let seen = progress.clone();
        scope.spawn(move || say_while_reading(&seen, &end));
        let table = read(&progress);
        drop(ends);
        table
    })
}

/// A table, read as [`while_reading`] has it, from the folder of the memory's files where it was kept there.
pub fn read_watched(source: Source<'_>, quiet: bool, memory: &Memory) -> surefoot_table::Result<Table> {
    let cache = memory.kept_tables();
    let table =
        while_reading(quiet, |progress| Source { progress: Some(progress), cache: cache.as_ref(), ..source }.table());
    tell_uses(cache.as_ref(), quiet);
    table
}

fn say_while_reading(progress: &Reading, end: &Receiver<()>) {
    let start = Instant::now();
    let goes_on = |time| matches!(end.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    if !goes_on(SHORT) {
        return;
    }
    let say = || read_so_far(progress.rows(), progress.bytes(), progress.size(), start.elapsed());
    if !std::io::stderr().is_terminal() {
        while goes_on(LINE_EVERY) {
            eprintln!("{}", say());
        }
        return;
    }
    let bar = ProgressBar::new_spinner();
    while goes_on(Duration::from_millis(200)) {
        bar.set_message(say());
        bar.tick();
    }
    bar.finish_and_clear();
}

/// `reading: 1,200,000 rows, 0.5 of 4.3 GB, 41 s left`
fn read_so_far(rows: u64, bytes: u64, size: u64, time: Duration) -> String {
    let gigabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e9);
    let rows = thousands(rows);
    match bytes {
        _ if size == 0 => format!("reading: {rows} rows, {} GB", gigabytes(bytes)),
        0 => format!("reading: 0 of {} GB", gigabytes(size)),
        _ if bytes >= size => format!("read: {rows} rows, {} GB; finding out what the columns are", gigabytes(size)),
        _ => {
            let left = time.as_secs_f64() * (size - bytes) as f64 / bytes.max(1) as f64;
            format!("reading: {rows} rows, {} of {} GB, {left:.0} s left", gigabytes(bytes), gigabytes(size))
        }
    }
}

/// Shows each epoch: as a bar on a terminal, as some plain lines elsewhere (both on standard error), as JSON lines on
/// standard output, or not at all.
pub struct Progress {
    how: How,
    size: Size,
    part: Part,
    start: Instant,
}

/// How long a training is.
#[derive(Clone, Copy)]
pub struct Size {
    /// At most.
    pub epochs: usize,
    /// Those that were done before.
    pub done: usize,
    pub rows: usize,
    /// Whether it may end earlier.
    pub may_stop: bool,
    pub task: Task,
}

/// What is trained.
#[derive(Clone, Copy)]
pub enum Part {
    Whole,
    /// A layer that is pretrained.
    Layer(usize),
    /// One of several networks, from 1.
    Member(usize, usize),
}

enum How {
    Bar(ProgressBar),
    Lines,
    Json,
    Nothing,
}

/// Plain lines are printed for the first and the last epoch, and every so many in between, to have about this many.
const LINES: usize = 20;

impl Progress {
    pub fn new(size: Size, part: Part, json: bool, quiet: bool) -> Self {
        let how = match (json, quiet, std::io::stderr().is_terminal()) {
            (true, _, _) => How::Json,
            (_, true, _) => How::Nothing,
            (_, _, true) => How::Bar(bar(size, part)),
            (_, _, false) => How::Lines,
        };
        Progress { how, size, part, start: Instant::now() }
    }

    /// For another network that is trained at the same time: a bar is the same one.
    pub fn beside(&self, part: Part) -> Self {
        let how = match &self.how {
            How::Bar(bar) => How::Bar(bar.clone()),
            How::Lines => How::Lines,
            How::Json => How::Json,
            How::Nothing => How::Nothing,
        };
        Progress { how, part, ..*self }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }

    /// Shows an epoch.
    pub fn epoch(&self, epoch: &Epoch) -> anyhow::Result<()> {
        let name = self.size.task.score_name();
        let scores = || match epoch.validation_score {
            Some(score) => format!("cost {}, validation {name} {}", short(Some(epoch.cost)), short(Some(score))),
            None => format!("cost {}", short(Some(epoch.cost))),
        };
        match &self.how {
            How::Bar(bar) => {
                bar.set_message(format!("{}, {}", count(self.size.rows, "row"), scores()));
                bar.inc(1);
            }
            How::Lines => self.line(epoch, &scores()),
            How::Json => print_line(self.json(epoch))?,
            How::Nothing => {}
        }
        Ok(())
    }

    fn line(&self, epoch: &Epoch, scores: &str) {
        let Size { epochs, .. } = self.size;
        let every = epochs.div_ceil(LINES);
        match self.part {
            // a line for each of several networks
            Part::Member(member, all) if epoch.epoch == epochs => {
                eprintln!("network {member} of {all}, epoch {epochs}: {scores}");
            }
            Part::Whole | Part::Layer(_)
                if epoch.epoch == 1 || epoch.epoch == epochs || epoch.epoch.is_multiple_of(every) =>
            {
                eprintln!("epoch {:>width$}: {scores}", epoch.epoch, width = epochs.to_string().len());
            }
            _ => {}
        }
    }

    fn json(&self, epoch: &Epoch) -> serde_json::Value {
        let seconds = self.start.elapsed().as_secs_f64();
        if let Part::Layer(layer) = self.part {
            return json!({
                "event": "pretraining", "layer": layer, "epoch": epoch.epoch, "cost": epoch.cost, "seconds": seconds,
            });
        }
        let mut line = json!({
            "event": "epoch", "epoch": epoch.epoch, "cost": epoch.cost, "validation_cost": epoch.validation_cost,
            "validation_score": epoch.validation_score, "seconds": seconds,
        });
        if let Part::Member(member, _) = self.part {
            line["member"] = json!(member);
        }
        line
    }
}

fn bar(size: Size, part: Part) -> ProgressBar {
    let (all, before, what) = match part {
        Part::Member(member, all) => (all * size.epochs, (member - 1) * size.epochs, format!("{all} networks, ")),
        Part::Whole => (size.epochs, 0, String::new()),
        Part::Layer(layer) => (size.epochs, 0, format!("layer {layer}, ")),
    };
    let most = if size.may_stop { "at most " } else { "" };
    let template = format!("{what}epoch {{pos}}/{{len}} {{bar:20}} {{msg}}, {most}{{eta}} left");
    let style = ProgressStyle::with_template(&template);
    let bar = ProgressBar::new(all as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position((before + size.done) as u64);
    bar.reset_eta(); // the time that is left follows from what is done here
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_how_much_was_read_and_how_long_the_rest_takes() {
        let said = |bytes, size| read_so_far(1_200_000, bytes, size, Duration::from_secs(10));
        assert_eq!(said(1_000_000_000, 4_000_000_000), "reading: 1,200,000 rows, 1.0 of 4.0 GB, 30 s left");
        assert_eq!(said(500_000_000, 0), "reading: 1,200,000 rows, 0.5 GB");
        assert_eq!(said(0, 4_000_000_000), "reading: 0 of 4.0 GB");
        let end = "read: 1,200,000 rows, 4.0 GB; finding out what the columns are";
        assert_eq!(said(4_000_000_000, 4_000_000_000), end);
    }
}
