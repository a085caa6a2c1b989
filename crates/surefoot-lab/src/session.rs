//! One training: its data, its options, and the thread that it runs on.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use ndarray::Axis;
use surefoot::{Dataset, Model, Parameters};
use surefoot_fit::{Input, Options, Outcome, Plan, Tables, fit};

use crate::choices::Choices;
use crate::data::{Data, Wanted};
use crate::error::{Error, Result};
use crate::gate::{Gate, Keeper, Permit};

/// The examples that are looked at, at most: the first of the table.
const EXAMPLES: usize = 200;

pub(crate) struct Session {
    pub data: Data,
    pub options: Options,
    pub tables: Arc<Tables>,
    pub plan: Plan,
    /// The first examples, as the network sees them, and their rows in the table.
    pub examples: Dataset<f64>,
    pub rows: Vec<usize>,
    gate: Mutex<Arc<Gate>>,
    used: Mutex<Instant>,
}

/// A network at one step of its training.
pub(crate) struct Moment {
    pub model: Model,
    pub theta: Arc<Vec<f64>>,
}

impl Session {
    /// Reads the data, and begins a training that waits before its first step.
    pub fn new(wanted: Wanted, choices: &Choices, given: Option<&str>) -> Result<Self> {
        let options = choices.options()?;
        let data = Data::new(wanted, given)?;
        let tables = Arc::new(data.tables(&options).map_err(|error| without_path(&data, error))?);
        let (gate, plan) = begin(&options, &tables, &data)?;
        let of_examples = || -> Result<_> {
            let encoding = plan.encoding.as_ref().ok_or_else(|| Error::request("data", "a table", "a matrix"))?;
            let mut rows = encoding.rows_with_targets(&tables.table)?;
            rows.truncate(EXAMPLES);
            let inputs = encoding.inputs(&tables.table, &rows)?;
            let targets = encoding.targets(&tables.table, &rows, plan.network.outputs())?;
            let model = plan.model(Parameters::F64(vec![0.0; plan.network.parameter_count()]))?;
            Ok((model.examples(inputs.view(), targets.view())?, rows))
        };
        let (examples, rows) = match of_examples() {
            Ok(examples) => examples,
            Err(error) => {
                gate.leave();
                return Err(error);
            }
        };
        let gate = Mutex::new(gate);
        Ok(Session { data, options, tables, plan, examples, rows, gate, used: Mutex::new(Instant::now()) })
    }

    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the training, and begins it anew.
    pub fn reset(&self) -> Result<()> {
        let (gate, _) = begin(&self.options, &self.tables, &self.data)?;
        let old = std::mem::replace(&mut *self.gate.lock().unwrap_or_else(PoisonError::into_inner), gate);
        old.leave();
        Ok(())
    }

    pub fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_idle(&self) -> bool {
        let gate = self.gate();
        let seen = gate.seen();
        seen.permit() == Permit::Pause || seen.ended.is_some()
    }

    /// The network as it is now.
    pub fn moment(&self) -> Result<Moment> {
        let theta = Arc::clone(&self.gate().look().parameters);
        Ok(Moment { model: self.plan.model(Parameters::F64(theta.to_vec()))?, theta })
    }

    /// The whole epochs so far: those of a command that makes the same bits.
    pub fn epochs(&self) -> usize {
        self.gate().seen().history.len()
    }

    /// Trains the same again for so many epochs, as a command does.
    pub fn outcome(&self, epochs: usize) -> Result<Outcome> {
        let mut options = self.options.clone();
        options.epochs = Some(epochs);
        on_one_thread(|| fit(&options, Input::Tables(&self.tables), &mut ()))?
            .map_err(|error| without_path(&self.data, error.into()))
    }

    /// The inputs of an example in the table: name and text.
    pub fn cells(&self, example: usize) -> Vec<(String, String)> {
        let table = &self.tables.table;
        let Some(&row) = self.rows.get(example) else { return Vec::new() };
        let cell = |(column, name): (usize, &String)| (name.clone(), table.cell(row, column).into_owned());
        table.columns().iter().enumerate().map(cell).collect()
    }

    /// x and y of an example, as the network sees them.
    pub fn example(&self, example: usize) -> Result<(Vec<f64>, Vec<f64>)> {
        if example >= self.examples.rows() {
            let expected = format!("below {}", self.examples.rows());
            return Err(Error::request("example", expected, example));
        }
        let row = |matrix: ndarray::ArrayView2<'_, f64>| matrix.index_axis(Axis(0), example).to_vec();
        Ok((row(self.examples.inputs()), row(self.examples.targets())))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.gate().leave();
    }
}

/// Starts the thread of a training, and waits for its plan and its start.
fn begin(options: &Options, tables: &Arc<Tables>, data: &Data) -> Result<(Arc<Gate>, Plan)> {
    let gate = Arc::new(Gate::default());
    let (options, tables, kept) = (options.clone(), Arc::clone(tables), Arc::clone(&gate));
    let run = move || {
        let mut keeper = Keeper::new(Arc::clone(&kept));
        let fitted = on_one_thread(|| fit(&options, Input::Tables(&tables), &mut keeper));
        kept.end(match fitted {
            Ok(Ok(outcome)) => Ok(outcome.stop_reason().name().into()),
            Ok(Err(error)) => Err(told(error.into())),
            Err(error) => Err(told(error)),
        });
    };
    let started = thread::Builder::new().name("training".into()).spawn(run);
    started.map_err(|source| Error::Io { doing: "start a thread".into(), source })?;
    gate.wait_for_start();
    let (plan, ended, too_large) = {
        let mut seen = gate.seen();
        (seen.plan.clone(), seen.ended.clone(), seen.too_large.take())
    };
    if let Some(error) = too_large {
        return Err(error);
    }
    match (plan, ended) {
        (Some(plan), None) => Ok((gate, plan)),
        (_, ended) => {
            let got = ended.and_then(std::result::Result::err).unwrap_or_else(|| "none".into());
            Err(Error::request("training", "a training that can begin", data.without_path(&got)))
        }
    }
}

/// Runs in a pool of one thread: a training of the page takes one, and how many changes no bit.
fn on_one_thread<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool =
        pool.map_err(|error| Error::Io { doing: "start a thread".into(), source: std::io::Error::other(error) })?;
    Ok(pool.install(work))
}

/// An error with its causes, in one line.
fn told(error: Error) -> String {
    crate::error::chain(&error)
}

fn without_path(data: &Data, error: Error) -> Error {
    Error::request("data", "a table that can be learned from", data.without_path(&told(error)))
}
