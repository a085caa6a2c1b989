//! The learning rate over the course of training.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What the learning rate is multiplied by, t the epochs done so far (with the fraction of the present one) of T.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// The same rate throughout.
    Constant,
    /// A smaller rate after every so many epochs.  (S1)
    ///
    /// ```text
    ///   factor ^ ⌊t / every⌋
    /// ```
    Step {
        /// Epochs from step to step, at least 1.
        every: u32,
        /// Above 0, at most 1.
        factor: f64,
    },
    /// Half a cosine, from 1 down to 0 at the end, a little at each step.  (S2)
    ///
    /// ```text
    ///   ½ (1 + cos(π t / T))
    /// ```
    ///
    /// Source: Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, 2017, equation (5),
    /// with one period and a minimum of 0.
    Cosine,
    /// Four cosine waves, each twice as long as the one before, from 0 up to 1 and back.  (S3)
    ///
    /// ```text
    ///   ½ (1 − cos(2π log₂(1 + 15 t / T)))
    /// ```
    ///
    /// Source: Holzmüller, Grinsztajn and Steinwart, *Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    /// Data*, 2024, section 3, there called coslog₄.
    CosineCycles,
}

impl Schedule {
    /// The factor after `done` of `epochs` epochs.
    pub fn factor(&self, done: f64, epochs: usize) -> f64 {
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => libm::pow(factor, (done / f64::from(every)).floor()), // (S1)
            Schedule::CosineCycles => {
                0.5 * (1.0 - libm::cos(std::f64::consts::TAU * libm::log2(1.0 + 15.0 * done / epochs as f64))) // (S3)
            }
            Schedule::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done / epochs as f64)), // (S2)
        }
    }

    /// What patience counts: how much has passed, at the end of `epoch` of so many `epochs`, since the epoch of the last improvement, both
    /// counted from 1. That is epochs, and with cosine cycles whole cycles, as the cost rises while the rate does.
    pub(crate) fn passed_since(&self, last_improvement: usize, epoch: usize, epochs: usize) -> usize {
        match self {
            Schedule::CosineCycles => {
                let whole_cycles = |done: usize| libm::log2(1.0 + 15.0 * done as f64 / epochs as f64) as usize;
                // an epoch belongs to the cycle in which it begins, or to the last that ends in it
                let of_improvement = match last_improvement {
                    0 => 0,
                    last => (whole_cycles(last - 1) + 1).max(whole_cycles(last)),
                };
                whole_cycles(epoch).saturating_sub(of_improvement)
            }
            _ => epoch.saturating_sub(last_improvement),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => f.write_str("constant"),
            Schedule::Step { every, factor } => write!(f, "step:{every}:{factor}"),
            Schedule::Cosine => f.write_str("cosine"),
            Schedule::CosineCycles => f.write_str("cosine-cycles"),
        }
    }
}

/// Reads `constant`, `step:EVERY:FACTOR`, `cosine` or `cosine-cycles`.
impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "constant" => return Ok(Schedule::Constant),
            "cosine" => return Ok(Schedule::Cosine),
            "cosine-cycles" | "cycles" => return Ok(Schedule::CosineCycles),
            _ => {}
        }
        let step = text.strip_prefix("step:").and_then(|rest| rest.split_once(':'));
        match step.map(|(every, factor)| (every.parse(), factor.parse())) {
            Some((Ok(every), Ok(factor))) if every > 0 && factor > 0.0 && factor <= 1.0 => {
                Ok(Schedule::Step { every, factor })
            }
            _ => Err(Error::Setting {
                setting: "schedule",
                expected:
                    "constant, cosine, cosine-cycles, or step:EVERY:FACTOR with epochs and a factor above 0 and at most 1"
                        .into(),
                got: format!("`{text}`"),
            }),
        }
    }
}

serde_as_text!(Schedule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_at_the_turning_points() {
        let step = Schedule::Step { every: 10, factor: 0.5 };
        assert_eq!([0.0, 9.9, 10.0, 25.0].map(|t| step.factor(t, 30)), [1.0, 1.0, 0.5, 0.25]);
        let cosine = [0.0, 15.0, 30.0].map(|t| Schedule::Cosine.factor(t, 30));
        assert!(cosine[0] == 1.0 && (cosine[1] - 0.5).abs() < 1e-15 && cosine[2].abs() < 1e-15);
        // t/T where 1 + 15 t/T is 1, √2, 2, 2√2, 4, 16: the waves are at 0, 1, 0, 1, 0, 0
        let at = |size: f64| Schedule::CosineCycles.factor(30.0 * (size - 1.0) / 15.0, 30);
        for (size, factor) in [(1.0, 0.0), (2f64.sqrt(), 1.0), (2.0, 0.0), (8f64.sqrt(), 1.0), (4.0, 0.0), (16.0, 0.0)]
        {
            assert!((at(size) - factor).abs() < 1e-14, "{size}");
        }
        assert_eq!(Schedule::Constant.factor(7.0, 30), 1.0);
    }

    /// Of 100 epochs the cycles end in the 7th, with the 20th, in the 47th and with the last.
    #[test]
    fn patience_counts_epochs_or_whole_cycles() {
        let cycles = |last, epoch| Schedule::CosineCycles.passed_since(last, epoch, 100);
        for (last, epoch, passed) in [
            (1, 6, 0),
            (7, 19, 0),
            (7, 20, 1),
            (8, 20, 0),
            (8, 46, 0),
            (8, 47, 1),
            (20, 47, 1),
            (21, 47, 0),
            (7, 100, 3),
        ] {
            assert_eq!(cycles(last, epoch), passed, "{last} {epoch}");
        }
        assert_eq!(cycles(0, 7), 1);
        // of three epochs the first has two cycles
        assert_eq!(
            [(1, 1), (1, 2), (2, 2)].map(|(last, epoch)| Schedule::CosineCycles.passed_since(last, epoch, 3)),
            [0, 1, 0]
        );
        assert_eq!([Schedule::Constant, Schedule::Cosine].map(|schedule| schedule.passed_since(7, 20, 100)), [13, 13]);
    }

    #[test]
    fn names_are_read_back() {
        for text in ["constant", "cosine", "cosine-cycles", "step:30:0.1"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in ["step", "step:0:0.1", "step:5:0", "step:5:2", "step:5", "linear"] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }
}
