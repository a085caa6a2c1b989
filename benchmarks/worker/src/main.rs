//! Surefoot's side of the benchmark: a process that reads commands and answers them, one JSON object a line.
//!
//! What is timed is what the library's users call: `Cost` and `FirstOrder` for steps, `Network::predict` and `Predictor`.

mod calibration;
mod exchange;
mod steps;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, s};
use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::optimizer::{FirstOrder, FirstOrderState};
use surefoot::{
    Adam, Cost, Dataset, GradientDescent, InstructionSet, Loss, Network, Objective, Predictor, Scalar, Threads,
};

use surefoot_table::Idx;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// `config.json` of a configuration's folder.
#[derive(Deserialize)]
struct Config {
    kind: String,
    layers: Vec<usize>,
    activations: Vec<String>,
    loss: String,
    weight_decay: f64,
    optimizer: Option<OptimizerConfig>,
    batch: Value,
    rows: usize,
    /// `f32` or `f64`.
    precision: String,
    /// The IDX file that has the inputs, if one does.
    images: Option<String>,
}

#[derive(Deserialize)]
struct OptimizerConfig {
    name: String,
    learning_rate: f64,
    #[serde(default)]
    beta1: f64,
    #[serde(default)]
    beta2: f64,
    #[serde(default)]
    epsilon: f64,
}

/// What a configuration needs, as its files have it.
struct Work<T> {
    config: Config,
    network: Network,
    loss: Loss,
    data: Dataset<T>,
    start: Vec<T>,
    order: Vec<usize>,
    optimizer: FirstOrder,
}

impl Config {
    fn read(folder: &Path) -> Result<Self, Error> {
        Ok(serde_json::from_slice(&fs::read(folder.join("config.json"))?)?)
    }
}

impl<T: Scalar> Work<T> {
    fn load(folder: &Path, config: Config) -> Result<Self, Error> {
        let mut layers = Vec::new();
        for (&units, name) in config.layers[1..].iter().zip(&config.activations) {
            layers.push((units, name.parse()?));
        }
        let network = Network::new(config.layers[0], &layers)?;
        let matrix = |name: &str, columns: usize| -> Result<Array2<T>, Error> {
            let numbers = floats(&folder.join(name))?;
            Ok(Array2::from_shape_vec((numbers.len() / columns, columns), numbers)?)
        };
        // images from their own file, by our own reader; the others read what NumPy made of it
        let inputs = match &config.images {
            Some(file) => {
                let scale = T::from_f64(255.0);
                Idx::open(file)?.matrix::<T>().slice(s![..config.rows, ..]).mapv(|pixel| pixel / scale)
            }
            None => matrix("inputs.f32", network.inputs())?,
        };
        let data = Dataset::new(inputs, matrix("targets.f32", network.outputs())?)?;
        let order = fs::read(folder.join("order.u32"))?;
        let order = order.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize).collect();
        let optimizer = match &config.optimizer {
            Some(OptimizerConfig { name, learning_rate, beta1, beta2, epsilon }) if name == "adam" => {
                FirstOrder::Adam(Adam {
                    learning_rate: *learning_rate,
                    beta1: *beta1,
                    beta2: *beta2,
                    epsilon: *epsilon,
                    ..Adam::default()
                })
            }
            other => FirstOrder::GradientDescent(GradientDescent {
                learning_rate: other.as_ref().map_or(1.0, |optimizer| optimizer.learning_rate),
                ..GradientDescent::default()
            }),
        };
        let (loss, start) = (config.loss.parse()?, floats(&folder.join("theta.f32"))?);
        Ok(Work { network, loss, data, start, order, optimizer, config })
    }
}

/// Numbers of a file, which is in single precision.
fn floats<T: Scalar>(path: &Path) -> Result<Vec<T>, Error> {
    let number = |bytes: &[u8; 4]| T::from_f64(f64::from(f32::from_le_bytes(*bytes)));
    Ok(fs::read(path)?.as_chunks().0.iter().map(number).collect())
}

/// Where the work has come to.
struct State<'a, T> {
    work: &'a Work<T>,
    cost: Cost<'a, T>,
    parameters: Vec<T>,
    gradient: Vec<T>,
    optimizer: FirstOrderState<T>,
    /// The row of `order` at which the next batch begins.
    position: usize,
    predictor: Predictor<'a, T>,
}

impl<'a, T: Scalar> State<'a, T> {
    fn new(work: &'a Work<T>) -> Result<Self, Error> {
        Ok(State {
            work,
            cost: Cost::new(&work.network, work.loss, work.config.weight_decay, &work.data)?,
            parameters: work.start.clone(),
            gradient: vec![T::zero(); work.start.len()],
            optimizer: work.optimizer.start(work.start.len()),
            position: 0,
            predictor: Predictor::new(&work.network, work.start.clone())?,
        })
    }

    fn reset(&mut self) {
        self.parameters.clone_from(&self.work.start);
        // in the same memory, as a run takes it once
        self.optimizer.steps = 0;
        self.optimizer.first.fill(T::zero());
        self.optimizer.second.fill(T::zero());
        self.position = 0;
    }

    /// One optimizer step, or one evaluation.
    fn step(&mut self) {
        let Work { config, order, optimizer, .. } = self.work;
        if config.kind == "evaluate" {
            self.cost.cost_and_gradient(&self.parameters, &mut self.gradient);
            return;
        }
        let (rows, next) = match config.batch.as_u64() {
            Some(batch) => {
                let rows = self.position..self.position + batch as usize;
                self.position = rows.end % order.len();
                (Some(&order[rows]), &order[self.position..self.position + batch as usize])
            }
            None => (None, &[][..]),
        };
        self.cost.prefetch(next);
        self.cost.backward(&self.parameters, rows).step(
            optimizer,
            &mut self.optimizer,
            &mut self.parameters,
            optimizer.learning_rate(),
        );
    }

    fn outputs(&self, rows: usize) -> Result<Array2<T>, Error> {
        Ok(self.work.network.predict(&self.parameters, self.work.data.inputs().slice(s![..rows, ..]))?)
    }

    /// The numbers that the work is about, which every peer computes too.
    fn result(&mut self) -> Result<Vec<T>, Error> {
        Ok(match self.work.config.kind.as_str() {
            "evaluate" => self.gradient.clone(),
            "predict" => self.outputs(self.work.config.rows)?.into_raw_vec_and_offset().0,
            _ => self.parameters.clone(),
        })
    }

    fn answer(&mut self, command: &Value) -> Result<Value, Error> {
        let number = |name: &str| command[name].as_u64().unwrap_or(1) as usize;
        Ok(match command["cmd"].as_str() {
            Some("reset") => {
                self.reset();
                json!({"ready": true})
            }
            Some("run") => {
                let clock = Instant::now();
                Threads::keep_awake(|| (0..number("steps")).for_each(|_| self.step()));
                json!({"seconds": clock.elapsed().as_secs_f64(), "steps": number("steps")})
            }
            Some("predict") => {
                let (rows, clock) = (number("rows"), Instant::now());
                for _ in 0..number("repeat") {
                    if rows == 1 {
                        let x = self.work.data.inputs().to_slice().map(|x| &x[..self.work.network.inputs()]);
                        std::hint::black_box(self.predictor.predict(x.unwrap_or_default())?);
                    } else {
                        std::hint::black_box(self.outputs(rows)?);
                    }
                }
                json!({"seconds": clock.elapsed().as_secs_f64()})
            }
            Some("state") => {
                let numbers = self.result()?;
                let norm = numbers.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt();
                let cost = match self.work.config.kind.as_str() {
                    "predict" => numbers.iter().map(|x| x.to_f64()).sum(),
                    _ => self.cost.cost(&self.parameters),
                };
                json!({"cost": cost, "norm": norm})
            }
            Some("digest") => {
                // FNV-1a over the bits
                let mix = |hash: u64, x: &T| (hash ^ x.to_f64().to_bits()).wrapping_mul(0x0100_0000_01b3);
                let digest = self.result()?.iter().fold(0xcbf2_9ce4_8422_2325, mix);
                json!({"digest": format!("{digest:016x}")})
            }
            _ => return Err(format!("unknown command {command}").into()),
        })
    }
}

type Lines<'a> = dyn Iterator<Item = std::io::Result<String>> + 'a;

fn say(answer: &Value) -> Result<(), Error> {
    println!("{answer}");
    Ok(std::io::stdout().flush()?)
}

/// Answers commands until the input ends; a `load` begins again with another configuration.
fn serve(lines: &mut Lines<'_>, threads: usize) -> Result<(), Error> {
    let mut folder = load_command(lines, threads, |_| Err("nothing is loaded".into()))?;
    while let Some(name) = folder {
        let path = Path::new(&name);
        let config = Config::read(path)?;
        folder = match &config.precision[..] {
            "f64" => serve_loaded(&Work::<f64>::load(path, config)?, lines, threads)?,
            _ => serve_loaded(&Work::<f32>::load(path, config)?, lines, threads)?,
        };
    }
    Ok(())
}

/// Answers commands about this work, until the next is to be loaded: the folder of that.
fn serve_loaded<T: Scalar>(work: &Work<T>, lines: &mut Lines<'_>, threads: usize) -> Result<Option<String>, Error> {
    let mut state = State::new(work)?;
    say(&json!({"ready": true}))?;
    load_command(lines, threads, |command| state.answer(command))
}

/// The folder of the next `load`; commands before it are answered so.
fn load_command(
    lines: &mut Lines<'_>,
    threads: usize,
    mut answer: impl FnMut(&Value) -> Result<Value, Error>,
) -> Result<Option<String>, Error> {
    for line in lines {
        let command: Value = serde_json::from_str(&line?)?;
        match command["cmd"].as_str() {
            Some("quit") => return Ok(None),
            Some("load") => return Ok(Some(command["folder"].as_str().unwrap_or_default().to_string())),
            Some("calibrate") => say(&json!({"gflops": calibration::gigaflops(threads)}))?,
            _ => say(&answer(&command)?)?,
        }
    }
    Ok(None)
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    let threads = match arguments[..] {
        ["--threads", threads] => threads.parse()?,
        ["--threads", threads, "--isa", set] => {
            set.parse::<InstructionSet>()?.choose()?;
            threads.parse()?
        }
        ["exchange"] => return exchange::run(),
        ["steps"] => return steps::compare(None),
        ["steps", "--against", other] => return steps::compare(Some(other)),
        ["steps", row, precision] => return steps::turn(row, precision),
        _ => {
            return Err(
                "usage: surefoot-bench --threads N [--isa SET] | steps [--against OTHER_BUILD] | exchange".into()
            );
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| serve(&mut std::io::stdin().lines(), threads))
}
