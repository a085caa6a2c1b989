//! What is seen of a training in progress.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use surefoot::Epoch;

use crate::output::{print_line, short};

/// Shows each epoch: as a bar on a terminal, as some plain lines elsewhere (both on standard error), as JSON lines on
/// standard output, or not at all.
pub struct Progress {
    how: How,
    epochs: usize,
    /// The layer that is pretrained.
    layer: Option<usize>,
    start: Instant,
    /// That standard output could not be written to, which ends the training.
    pub failure: Option<anyhow::Error>,
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
    /// For so many epochs, of which some were done before.
    pub fn new(epochs: usize, done: usize, layer: Option<usize>, json: bool, quiet: bool) -> Self {
        let how = match (json, quiet, std::io::stderr().is_terminal()) {
            (true, _, _) => How::Json,
            (_, true, _) => How::Nothing,
            (_, _, true) => How::Bar(bar(epochs, done)),
            (_, _, false) => How::Lines,
        };
        Progress { how, epochs, layer, start: Instant::now(), failure: None }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }

    /// Shows an epoch; to end, where it cannot.
    pub fn epoch(&mut self, epoch: &Epoch) -> ControlFlow<()> {
        let scores = || match epoch.validation_score {
            Some(score) => format!("cost {}, validation score {}", short(Some(epoch.cost)), short(Some(score))),
            None => format!("cost {}", short(Some(epoch.cost))),
        };
        match &self.how {
            How::Bar(bar) => {
                bar.set_message(scores());
                bar.set_position(epoch.epoch as u64);
            }
            How::Lines => {
                let every = self.epochs.div_ceil(LINES);
                if epoch.epoch == 1 || epoch.epoch == self.epochs || epoch.epoch.is_multiple_of(every) {
                    eprintln!("epoch {:>width$}: {}", epoch.epoch, scores(), width = self.epochs.to_string().len());
                }
            }
            How::Json => {
                let seconds = self.start.elapsed().as_secs_f64();
                let line = match self.layer {
                    Some(layer) => json!({
                        "event": "pretraining", "layer": layer, "epoch": epoch.epoch, "cost": epoch.cost, "seconds": seconds,
                    }),
                    None => json!({
                        "event": "epoch", "epoch": epoch.epoch, "cost": epoch.cost,
                        "validation_cost": epoch.validation_cost, "validation_score": epoch.validation_score,
                        "seconds": seconds,
                    }),
                };
                if let Err(error) = print_line(line) {
                    self.failure = Some(error);
                    return ControlFlow::Break(());
                }
            }
            How::Nothing => {}
        }
        ControlFlow::Continue(())
    }
}

fn bar(epochs: usize, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("epoch {pos}/{len} {bar:24} {msg}, at most {eta} left");
    let bar = ProgressBar::new(epochs as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(done as u64);
    bar.reset_eta(); // the time that is left follows from what is done here
    bar
}
