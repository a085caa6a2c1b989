//! Surefoot's side of the benchmark: a process that reads commands and answers them, one JSON object a line.
//!
//! What is timed is what the library's users call: `Cost` and `FirstOrder` for steps, `Network::predict` and `Predictor`.

mod calibration;
mod steps;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, s};
use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::optimizer::{FirstOrder, FirstOrderState};
use surefoot::{Adam, Cost, Dataset, GradientDescent, Loss, Network, Objective, Predictor, Threads};

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
struct Work {
    config: Config,
    network: Network,
    loss: Loss,
    data: Dataset<f32>,
    start: Vec<f32>,
    order: Vec<usize>,
    optimizer: FirstOrder,
}

impl Work {
    fn load(folder: &Path) -> Result<Self, Error> {
        let config: Config = serde_json::from_slice(&fs::read(folder.join("config.json"))?)?;
        let mut layers = Vec::new();
        for (&units, name) in config.layers[1..].iter().zip(&config.activations) {
            layers.push((units, name.parse()?));
        }
        let network = Network::new(config.layers[0], &layers)?;
        let matrix = |name: &str, columns: usize| -> Result<Array2<f32>, Error> {
            let numbers = floats(&folder.join(name))?;
            Ok(Array2::from_shape_vec((numbers.len() / columns, columns), numbers)?)
        };
        // images from their own file, by our own reader; the others read what NumPy made of it
        let inputs = match &config.images {
            Some(file) => Idx::open(file)?.matrix::<f32>().slice(s![..config.rows, ..]).mapv(|pixel| pixel / 255.0),
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

fn floats(path: &Path) -> Result<Vec<f32>, Error> {
    Ok(fs::read(path)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Where the work has come to.
struct State<'a> {
    work: &'a Work,
    cost: Cost<'a, f32>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    optimizer: FirstOrderState<f32>,
    /// The row of `order` at which the next batch begins.
    position: usize,
    predictor: Predictor<'a, f32>,
}

impl<'a> State<'a> {
    fn new(work: &'a Work) -> Result<Self, Error> {
        Ok(State {
            work,
            cost: Cost::new(&work.network, work.loss, work.config.weight_decay, &work.data)?,
            parameters: work.start.clone(),
            gradient: vec![0.0; work.start.len()],
            optimizer: work.optimizer.start(work.start.len()),
            position: 0,
            predictor: Predictor::new(&work.network, work.start.clone())?,
        })
    }

    fn reset(&mut self) {
        self.parameters.clone_from(&self.work.start);
        // in the same memory, as a run takes it once
        self.optimizer.steps = 0;
        self.optimizer.first.fill(0.0);
        self.optimizer.second.fill(0.0);
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

    fn outputs(&self, rows: usize) -> Result<Array2<f32>, Error> {
        Ok(self.work.network.predict(&self.parameters, self.work.data.inputs().slice(s![..rows, ..]))?)
    }

    /// The numbers that the work is about, which every peer computes too.
    fn result(&mut self) -> Result<Vec<f32>, Error> {
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
                let norm = numbers.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
                let cost = match self.work.config.kind.as_str() {
                    "predict" => numbers.iter().map(|&x| f64::from(x)).sum(),
                    _ => self.cost.cost(&self.parameters),
                };
                json!({"cost": cost, "norm": norm})
            }
            Some("digest") => {
                // FNV-1a over the bits
                let mix = |hash: u64, x: &f32| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3);
                let digest = self.result()?.iter().fold(0xcbf2_9ce4_8422_2325, mix);
                json!({"digest": format!("{digest:016x}")})
            }
            _ => return Err(format!("unknown command {command}").into()),
        })
    }
}

/// Answers commands until the input ends; a `load` begins again with another configuration.
fn serve(lines: &mut impl Iterator<Item = std::io::Result<String>>, threads: usize) -> Result<(), Error> {
    let say = |answer: Value| -> Result<(), Error> {
        println!("{answer}");
        Ok(std::io::stdout().flush()?)
    };
    let mut loaded: Option<Work> = None;
    loop {
        let mut next = None;
        let work = loaded.take();
        let mut state = work.as_ref().map(State::new).transpose()?;
        if work.is_some() {
            say(json!({"ready": true}))?;
        }
        for line in lines.by_ref() {
            let command: Value = serde_json::from_str(&line?)?;
            match (command["cmd"].as_str(), &mut state) {
                (Some("quit"), _) => return Ok(()),
                (Some("calibrate"), _) => say(json!({"gflops": calibration::gigaflops(threads)}))?,
                (Some("load"), _) => {
                    next = Some(Work::load(Path::new(command["folder"].as_str().unwrap_or_default()))?);
                    break;
                }
                (_, Some(state)) => say(state.answer(&command)?)?,
                (_, None) => return Err("nothing is loaded".into()),
            }
        }
        match next {
            Some(work) => loaded = Some(work),
            None => return Ok(()),
        }
    }
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    let threads = match arguments[..] {
        ["--threads", threads] => threads.parse()?,
        ["steps"] => return steps::compare(None),
        ["steps", "--against", other] => return steps::compare(Some(other)),
        ["steps", row, precision] => return steps::turn(row, precision),
        _ => return Err("usage: surefoot-bench --threads N | steps [--against OTHER_BUILD]".into()),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| serve(&mut std::io::stdin().lines(), threads))
}
