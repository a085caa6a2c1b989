//! What the values of arguments mean.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use surefoot::{BatchSize, Task};
use surefoot_fit::{Holdout, Parametrization};

/// What to predict; `None`: that follows from the target.
#[derive(Clone, Copy)]
pub struct TaskChoice(pub Option<Task>);

pub fn tasks() -> impl TypedValueParser<Value = TaskChoice> {
    let of = |name: String| TaskChoice(name.parse().ok());
    PossibleValuesParser::new(["auto", Task::Classification.name(), Task::Regression.name()]).map(of)
}

/// A choice by its name.
pub fn choices<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let of = move |text: String| all.iter().copied().find(|&choice| name(choice) == text).unwrap_or(all[0]);
    PossibleValuesParser::new(all.iter().map(|&choice| name(choice))).map(of)
}

/// What computes a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DeviceChoice {
    Auto,
    Cpu,
    Gpu,
}

/// With the names that the choices had before.
pub fn parametrizations() -> impl TypedValueParser<Value = Parametrization> {
    let values = [PossibleValue::new("ntp").alias("by-width"), PossibleValue::new("standard").alias("alike")];
    let of = |name: String| match name.as_str() {
        "ntp" | "by-width" => Parametrization::Ntp,
        _ => Parametrization::Standard,
    };
    PossibleValuesParser::new(values).map(of)
}

pub fn batch_size(text: &str) -> Result<BatchSize, String> {
    text.parse().map_err(|_| "expected a whole number above 0, or full".into())
}

pub fn holdout(text: &str) -> Result<Holdout, String> {
    text.parse().map_err(|_| "expected a fraction from 0 to 1 (1 excluded), or a file".into())
}

/// Units of the hidden layers.
#[derive(Clone)]
pub struct Hidden(pub Vec<usize>);

impl FromStr for Hidden {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Hidden(Vec::new()));
        }
        let units = text.split(',').map(|units| units.trim().parse().ok().filter(|&units| units > 0));
        units
            .collect::<Option<_>>()
            .map(Hidden)
            .ok_or_else(|| "expected whole numbers above 0 as 32,16, or none".into())
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        let short = upper.strip_suffix("IB").or(upper.strip_suffix('B')).unwrap_or(&upper);
        let unit = "KMGT".chars().zip(1..).find_map(|(unit, power)| Some((short.strip_suffix(unit)?, power)));
        let (number, power) = unit.unwrap_or((short, 0));
        let bytes = number.parse::<f64>().map(|number| number * 1024f64.powi(power));
        match bytes {
            Ok(bytes) if bytes >= 0.0 && bytes < u64::MAX as f64 => Ok(Size(bytes as u64)),
            _ => Err("expected a size such as 512M or 2G (K, M, G, T are powers of 1024)".into()),
        }
    }
}

/// How often a checkpoint is written.
#[derive(Clone, Copy)]
pub enum Every {
    Time(Duration),
    Steps(u64),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.strip_suffix('s').and_then(|number| number.parse().ok());
        match (seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()), text.parse()) {
            (Some(time), _) if !time.is_zero() => Ok(Every::Time(time)),
            (_, Ok(steps)) if steps > 0 => Ok(Every::Steps(steps)),
            _ => Err("expected seconds as 30s, or a whole number of steps above 0".into()),
        }
    }
}

/// The processes that train together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distributed {
    /// Those of an MPI job, by this library or that of its launcher.
    Mpi(Option<PathBuf>),
}

impl FromStr for Distributed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "mpi" => Ok(Distributed::Mpi(None)),
            Some(("mpi", library)) if !library.is_empty() => Ok(Distributed::Mpi(Some(library.into()))),
            _ => Err("expected mpi, or mpi: and the path of an MPI library".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_1024() {
        for (text, bytes) in
            [("2G", 2u64 << 30), ("1.5m", 3 << 19), ("512MiB", 512 << 20), ("64kb", 64 << 10), ("7", 7)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "G", "2X", "-1G", "nan", "1e30T"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
