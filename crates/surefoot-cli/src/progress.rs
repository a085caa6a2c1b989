//! What is seen of a training in progress.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use surefoot::{Epoch, Task};

use crate::output::{count, print_line, short};

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
