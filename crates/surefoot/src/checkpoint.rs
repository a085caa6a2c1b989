//! A training in a file, so that it survives its process. `docs/model-format.md` specifies it.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))] // the bytes are a stranger's

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use crate::container::{Container, Tensor};
use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::optimizer::{CurvaturePair, FirstOrderState, LbfgsState};
use crate::training::{Epoch, Monitor, OptimizerState, Origin, StopReason, Training, TrainingState};

/// The version of the format that is written, and the only one that is read.
const FORMAT: u64 = 2;
/// The metadata entry with the JSON object.
const ENTRY: &str = "surefoot_checkpoint";
/// The tensors.
const PARAMETERS: &str = "parameters";
const LAST_FINITE: &str = "last_finite";
const BEST: &str = "best";
const LEARNED: &str = "learned";
const FIRST: &str = "first";
const SECOND: &str = "second";
const GRADIENT: &str = "gradient";
const STEPS: &str = "steps";
const CHANGES: &str = "changes";
const HISTORY: &str = "history";
const NAMES: [&str; 10] = [PARAMETERS, LAST_FINITE, BEST, LEARNED, FIRST, SECOND, GRADIENT, STEPS, CHANGES, HISTORY];
/// More than any training does, and so few that counting on does not overflow.
const MOST_STEPS: u64 = 1 << 53;
/// The numbers that the file has of each epoch.
const EPOCH_NUMBERS: usize = 4;

/// The JSON object of the metadata: all but the vectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u64,
    checksum: Option<u64>,
    precision: String,
    settings: String,
    data: u64,
    validation: Option<u64>,
    batches: usize,
    #[serde(with = "null_if_infinite")]
    cost_sum: f64,
    steps: u64,
    lbfgs: Option<LbfgsEntry>,
    monitor: Option<MonitorEntry>,
    stopped: Option<StopReason>,
    note: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LbfgsEntry {
    evaluations: u64,
    #[serde(with = "null_if_infinite")]
    cost: f64,
    #[serde(with = "null_if_infinite", rename = "fall")]
    relative_decrease: f64,
    step_length: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct MonitorEntry {
    #[serde(with = "null_if_infinite")]
    best_cost: f64,
    best_epoch: usize,
    last_improvement: usize,
    #[serde(with = "null_if_infinite")]
    last_improvement_cost: f64,
}

/// JSON has no infinity.
mod null_if_infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*number).filter(|number| number.is_finite()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

impl<T: Scalar> TrainingState<T> {
    /// Writes the state, whole or not at all, with a checksum. Beside it the file keeps `note`, whatever the caller
    /// needs to find data and settings again, and `learned`, what was learned before this training: θ of the whole network while one of its layers is
    /// [pretrained](crate::pretraining::pretrain), or those of the networks before it in an ensemble; else empty.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written; the old one is then as it was.
    pub fn save(&self, path: impl AsRef<Path>, learned: &[T], note: &Value) -> Result<()> {
        let file = Container { path: path.as_ref() };
        let tensors = self.tensors(learned);
        let mut header = self.header(note);
        header.checksum =
            Some(checksum(&header, tensors.iter().map(|tensor| (&tensor.name[..], (tensor.bytes)().into()))));
        let json = serde_json::to_string(&header).map_err(|error| file.error(ENTRY, "JSON", error))?;
        file.write(Some((ENTRY, json)), &tensors)
    }

    fn header(&self, note: &Value) -> Header {
        let Origin { settings, data, validation } = self.origin.clone();
        let lbfgs = match &self.optimizer {
            OptimizerState::FirstOrder(..) => None,
            OptimizerState::Lbfgs(_, state) => Some(LbfgsEntry {
                evaluations: state.evaluations,
                cost: state.cost,
                relative_decrease: state.relative_decrease,
                step_length: state.step_length,
            }),
        };
        let monitor = self.monitor.as_ref().map(|monitor| MonitorEntry {
            best_cost: monitor.best_cost,
            best_epoch: monitor.best_epoch,
            last_improvement: monitor.last_improvement,
            last_improvement_cost: monitor.last_improvement_cost,
        });
        Header {
            format: FORMAT,
            checksum: None,
            precision: T::NAME.into(),
            settings,
            data,
            validation,
            batches: self.batches,
            cost_sum: self.cost_sum,
            steps: self.steps(),
            lbfgs,
            monitor,
            stopped: self.stopped,
            note: note.clone(),
        }
    }

    /// The vectors that are not empty, by name.
    fn tensors<'a>(&'a self, learned: &'a [T]) -> Vec<Tensor<'a>> {
        let dtype = if T::NAME == "f32" { Dtype::F32 } else { Dtype::F64 };
        let mut tensors = Vec::new();
        let mut add = |name: &str, rows: Vec<&'a [T]>| {
            let columns = rows.first().map_or(0, |row| row.len());
            if columns > 0 {
                let shape = if rows.len() == 1 { vec![columns] } else { vec![rows.len(), columns] };
                let bytes = Box::new(move || rows.iter().flat_map(|row| T::to_bytes(row)).collect());
                tensors.push(Tensor { name: name.into(), dtype, shape, bytes });
            }
        };
        add(PARAMETERS, vec![&self.parameters]);
        add(LAST_FINITE, vec![&self.last_finite]);
        add(LEARNED, vec![learned]);
        if let Some(monitor) = &self.monitor {
            add(BEST, vec![&monitor.best]);
        }
        match &self.optimizer {
            OptimizerState::FirstOrder(_, state) => {
                add(FIRST, vec![&state.first]);
                add(SECOND, vec![&state.second]);
            }
            OptimizerState::Lbfgs(_, state) => {
                add(GRADIENT, vec![&state.gradient]);
                add(STEPS, state.pairs.iter().map(|pair| &pair.s[..]).collect());
                add(CHANGES, state.pairs.iter().map(|pair| &pair.y[..]).collect());
            }
        }
        if !self.history.is_empty() {
            let numbers = |epoch: &Epoch| {
                let or_nan = |number: Option<f64>| number.unwrap_or(f64::NAN);
                [epoch.cost, or_nan(epoch.validation_cost), or_nan(epoch.validation_score), epoch.learning_rate]
            };
            tensors.push(Tensor {
                name: HISTORY.into(),
                dtype: Dtype::F64,
                shape: vec![self.history.len(), EPOCH_NUMBERS],
                bytes: Box::new(move || f64::to_bytes(&self.history.iter().flat_map(numbers).collect::<Vec<_>>())),
            });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors
    }
}

/// The digest (XXH3) of the header without its checksum, and of each tensor's name, length and bytes, by name.
fn checksum<'a>(header: &Header, tensors: impl Iterator<Item = (&'a str, Cow<'a, [u8]>)>) -> u64 {
    let mut sum = Xxh3::new();
    let header = Header { checksum: None, ..header.clone() };
    sum.update(&serde_json::to_vec(&header).unwrap_or_default());
    for (name, bytes) in tensors {
        sum.update(name.as_bytes());
        sum.update(&(bytes.len() as u64).to_le_bytes());
        sum.update(&bytes);
    }
    sum.digest()
}

/// A checkpoint as it was read, whole and with the right checksum.
///
/// ```
/// use ndarray::array;
/// use serde_json::json;
/// use surefoot::{Activation, Checkpoint, Dataset, Loss, Network, Problem, Training, draw_defaults};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("run.checkpoint");
/// let data = Dataset::new(array![[0.0], [1.0]], array![[1.0], [3.0]])?;
/// let network = Network::new(1, &[(1, Activation::Identity)])?;
/// let problem = Problem::new(&network, Loss::SquaredError, &data);
/// let training = Training { epochs: 3, ..Training::default() };
/// let state = training.start(&problem, draw_defaults::<f64>(&network, 1))?;
/// state.save(&path, &[], &json!({"data": "two rows"}))?;
///
/// let checkpoint = Checkpoint::open(&path)?;
/// assert_eq!(checkpoint.note()["data"], "two rows");
/// let mut state = checkpoint.state::<f64>(&training)?;
/// training.resume(&problem, &mut state)?;
/// # Ok::<(), surefoot::Error>(())
/// ```
pub struct Checkpoint {
    path: PathBuf,
    bytes: Vec<u8>,
    header: Header,
}

impl Checkpoint {
    /// Reads a checkpoint that [`TrainingState::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::ModelFile`] when it is no checkpoint of format 2, cut short
    /// or changed since it was written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let file = Container { path: path.as_ref() };
        let bytes = file.read()?;
        let (header, tensors): (Header, _) = file.open(&bytes, ENTRY, FORMAT..=FORMAT)?;
        let mut names = tensors.names();
        names.sort_unstable();
        if let Some(name) = names.iter().find(|name| !NAMES.contains(name)) {
            return Err(file.error(name, "no tensor but those of a checkpoint", "an extra one"));
        }
        let all = names.iter().filter_map(|name| Some((*name, tensors.tensor(name).ok()?.data().into())));
        let found = checksum(&header, all);
        // a fuzzer is to come past this, to what a file with the right checksum could still do
        if header.checksum != Some(found) && !cfg!(fuzzing) {
            let expected = header.checksum.map_or("one".into(), |checksum| format!("{checksum:016x}"));
            return Err(file.error("checksum", expected, format!("{found:016x}: the file was changed")));
        }
        Ok(Checkpoint { path: path.as_ref().into(), bytes, header })
    }

    /// What [`TrainingState::save`] was given to keep.
    pub fn note(&self) -> &Value {
        &self.header.note
    }

    /// `f32` or `f64`.
    pub fn precision(&self) -> &str {
        &self.header.precision
    }

    /// Why the training has ended, if it has.
    pub fn stopped(&self) -> Option<StopReason> {
        self.header.stopped
    }

    /// What was learned before this training, as [`TrainingState::save`] was given it.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when the checkpoint has the other precision.
    pub fn learned<T: Scalar>(&self) -> Result<Vec<T>> {
        self.rows(LEARNED, None).map(|mut rows| rows.pop().unwrap_or_default())
    }

    /// The state, with the settings of the training that made it.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when the checkpoint has the other precision, or cannot be of these settings. That it is
    /// theirs is seen to by [`Training::resume`].
    pub fn state<T: Scalar>(&self, training: &Training) -> Result<TrainingState<T>> {
        let parameters = self.rows::<T>(PARAMETERS, None)?.pop().unwrap_or_default();
        let length = parameters.len();
        let vector = |name| self.rows::<T>(name, Some(length)).map(|mut rows| rows.pop().unwrap_or_default());
        let Header { settings, data, validation, batches, cost_sum, steps, lbfgs, monitor, stopped, .. } = &self.header;
        for count in [*steps, lbfgs.as_ref().map_or(0, |lbfgs| lbfgs.evaluations)] {
            if count > MOST_STEPS {
                return Err(self.error("steps and evaluations", format!("at most {MOST_STEPS}"), count));
            }
        }
        let mut optimizer = OptimizerState::new(&training.optimizer, length);
        let other = |what: &str| self.error(what, format!("what {:?} needs", training.optimizer), "something else");
        match (&mut optimizer, lbfgs) {
            (OptimizerState::FirstOrder(_, state), None) => {
                let (first, second) = (vector(FIRST)?, vector(SECOND)?);
                if (first.len(), second.len()) != (state.first.len(), state.second.len()) {
                    return Err(other("first, second"));
                }
                *state = FirstOrderState { steps: *steps, first, second };
            }
            (OptimizerState::Lbfgs(settings, state), Some(entry)) => {
                let (steps_of, changes) = (self.rows(STEPS, Some(length))?, self.rows(CHANGES, Some(length))?);
                if steps_of.len() != changes.len() || steps_of.len() > settings.history {
                    return Err(other("steps, changes"));
                }
                let pairs = steps_of.into_iter().zip(changes).map(|(s, y)| CurvaturePair { s, y });
                *state = LbfgsState {
                    iterations: *steps,
                    evaluations: entry.evaluations,
                    cost: entry.cost,
                    relative_decrease: entry.relative_decrease,
                    step_length: entry.step_length,
                    gradient: vector(GRADIENT)?,
                    pairs: pairs.collect(),
                };
            }
            _ => return Err(other("optimizer")),
        }
        let monitor = match monitor {
            None => None,
            Some(MonitorEntry { best_cost, best_epoch, last_improvement, last_improvement_cost }) => Some(Monitor {
                best_cost: *best_cost,
                best: self.required(BEST, vector(BEST)?)?,
                best_epoch: *best_epoch,
                last_improvement: *last_improvement,
                last_improvement_cost: *last_improvement_cost,
            }),
        };
        Ok(TrainingState {
            origin: Origin { settings: settings.clone(), data: *data, validation: *validation },
            last_finite: self.required(LAST_FINITE, vector(LAST_FINITE)?)?,
            parameters: self.required(PARAMETERS, parameters)?,
            optimizer,
            history: self.history()?,
            batches: *batches,
            cost_sum: *cost_sum,
            monitor,
            stopped: *stopped,
        })
    }

    fn history(&self) -> Result<Vec<Epoch>> {
        let or_none = |number: f64| Some(number).filter(|number| !number.is_nan());
        let epoch = |(i, numbers): (usize, Vec<f64>)| match numbers[..] {
            [cost, validation_cost, validation_score, learning_rate] => Some(Epoch {
                epoch: i + 1,
                cost,
                validation_cost: or_none(validation_cost),
                validation_score: or_none(validation_score),
                learning_rate,
            }),
            _ => None,
        };
        Ok(self.rows(HISTORY, Some(EPOCH_NUMBERS))?.into_iter().enumerate().filter_map(epoch).collect())
    }

    /// The rows of a tensor, of this length if it is known; none where there is no such tensor.
    fn rows<U: Scalar>(&self, name: &str, length: Option<usize>) -> Result<Vec<Vec<U>>> {
        let tensors =
            SafeTensors::deserialize(&self.bytes).map_err(|error| self.error("file", "safetensors", error))?;
        let Ok(tensor) = tensors.tensor(name) else { return Ok(Vec::new()) };
        let dtype = if U::NAME == "f32" { Dtype::F32 } else { Dtype::F64 };
        if tensor.dtype() != dtype {
            let got = format!("{:?}", tensor.dtype());
            return Err(self.error(&format!("type of {name}"), format!("{dtype:?}"), got));
        }
        let columns = match (tensor.shape(), length) {
            ([columns] | [_, columns], None) if *columns > 0 => *columns,
            ([columns] | [_, columns], Some(length)) if *columns == length && length > 0 => length,
            (shape, _) => {
                let expected = length.map_or("one row or several".into(), |length| format!("rows of {length}"));
                return Err(self.error(&format!("shape of {name}"), expected, format!("{shape:?}")));
            }
        };
        Ok(U::from_bytes(tensor.data()).chunks(columns).map(<[U]>::to_vec).collect())
    }

    fn required<U>(&self, name: &str, vector: Vec<U>) -> Result<Vec<U>> {
        if vector.is_empty() { Err(self.error(name, "a tensor of this name", "none")) } else { Ok(vector) }
    }

    fn error(&self, what: &str, expected: impl ToString, got: impl ToString) -> Error {
        Container { path: &self.path }.error(what, expected, got)
    }
}
