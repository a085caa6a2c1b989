//! From the arguments of `train` and the table to what is trained on what.

use std::borrow::Cow;

use anyhow::Context;
use ndarray::{Array2, Axis};
use surefoot::{Activation, Dataset, Loss, Network, Scalar, Scaling, Task, Training};
use surefoot_table::{Encoding, Learned, LeftOut, Targets};

use super::data::{Data, Parts, Rows};
use super::recipe::{self, Pretraining};
use super::weights::Weights;
use crate::arguments::{Pretrain, Settings};
use crate::output::{thousands, usage};

/// More parameters than this do not fit in the memory of any machine that we know of, with their moments.
const MAX_PARAMETERS: usize = 10_000_000_000;

/// Everything that is decided before training.
pub struct Plan {
    pub encoding: Encoding,
    /// The columns that are no inputs, and why.
    pub left_out: Vec<(String, LeftOut)>,
    pub task: Task,
    pub network: Network,
    pub loss: Loss,
    pub training: Training,
    pub pretraining: Option<Pretraining>,
    pub input_scaling: Option<Scaling>,
    pub target_scaling: Option<Scaling>,
    pub data: Dataset<f64>,
    pub validation: Option<Dataset<f64>>,
    pub test: Option<Dataset<f64>>,
    /// Where several networks are trained: the rows of `data` for each.
    pub members: Vec<Member>,
    /// ε of the targets that are learned from.
    pub label_smoothing: f64,
}

/// What one of several networks is trained on, by the place in the training rows.
pub struct Member {
    pub learned: Vec<usize>,
    /// Stopped by, and measured on.
    pub held: Vec<usize>,
}

impl Plan {
    pub fn new(settings: &Settings, data: &Data, parts: &Parts<'_>) -> anyhow::Result<Plan> {
        let roles = data.roles(settings);
        let (encoding, scaling, left_out) = match &data.target {
            None => {
                let target = settings.target.as_deref();
                (Encoding::of_autoencoder(&data.table, target)?, None, Vec::new())
            }
            Some(target) => {
                let Learned { encoding, scaling, left_out } =
                    Encoding::learn(&data.table, &parts.training.rows, target, &roles)?;
                (encoding, Some(scaling), left_out)
            }
        };
        let classes = match &encoding.targets {
            Targets::Classes(names) => Some(names.len()),
            Targets::Numbers => None,
        };
        let (output, loss) = recipe::output_and_loss(settings, classes);
        let outputs = match classes {
            None => encoding.target_columns.len(),
            Some(2) if output != Activation::Softmax => 1,
            Some(classes) => classes,
        };
        let label_smoothing = recipe::label_smoothing(settings, classes, loss);
        recipe::check_options(settings, classes, output, loss, label_smoothing)?;
        let activation = recipe::activation(settings);
        let widths = recipe::hidden_units(settings);
        let hidden = widths.iter().map(|&units| (units, activation));
        let inputs = encoding.input_names().len();
        let network = Network::new(inputs, &hidden.chain([(outputs, output)]).collect::<Vec<_>>())?;
        if network.parameter_count() > MAX_PARAMETERS {
            let message = format!("a network of {} parameters", thousands(network.parameter_count() as u64));
            return Err(usage(message, "fewer units with --hidden"));
        }

        let matrices = |part: &Rows<'_>| -> anyhow::Result<(Array2<f64>, Array2<f64>)> {
            let Rows { table, rows } = part;
            Ok((encoding.inputs(table, rows)?, encoding.targets(table, rows, outputs)?))
        };
        let train = matrices(&parts.training)?;
        let (input_scaling, target_scaling) = match (settings.autoencoder, classes) {
            (true, _) => {
                let both = common_scaling_onto(output, &train.0);
                (both.clone(), both)
            }
            (false, classes) => {
                let inputs = match settings.pretrain {
                    Some(Pretrain::SparseAutoencoder) => common_scaling_onto(activation, &train.0),
                    None => scaling,
                };
                (inputs, classes.is_none().then(|| scaling_onto(output, &train.1)))
            }
        };
        let weights = Weights::new(settings, data, parts)?;
        let scaled = |(inputs, targets): (Array2<f64>, Array2<f64>), part: &Rows<'_>, what: &str| {
            let apply = |scaling: &Option<Scaling>, numbers: Array2<f64>| match scaling {
                Some(scaling) => scaling.apply(numbers.view()),
                None => numbers,
            };
            let context = || format!("cannot use the {what} part");
            let examples = Dataset::new(apply(&input_scaling, inputs), apply(&target_scaling, targets));
            match weights.of(part, what != "test")? {
                Some(weights) => examples.and_then(|examples| examples.with_weights(weights)).with_context(context),
                None => examples.with_context(context),
            }
        };
        let held = |part: &Option<Rows<'_>>, what: &str| {
            let Some(part) = part else { return Ok(None) };
            let matrices = matrices(part).with_context(|| format!("cannot use the {what} data"))?;
            scaled(matrices, part, what).map(Some)
        };
        let (validation, test) = (held(&parts.validation, "validation")?, held(&parts.test, "test")?);
        let examples = scaled(train, &parts.training, "training")?;
        let task = if classes.is_some() { Task::Classification } else { Task::Regression };
        let validates = validation.is_some() || !parts.members.is_empty();
        let training = recipe::training(settings, task, examples.rows(), validates)?;
        training.check()?;
        // what the cost refuses is said before anything is printed
        training.cost(&network, loss, &examples)?;
        let pretraining = settings.pretrain.map(|Pretrain::SparseAutoencoder| recipe::pretraining(settings, &training));
        if let Some(pretraining) = &pretraining {
            pretraining.hidden.cost(&network, loss, &examples)?;
        }
        Ok(Plan {
            encoding,
            left_out,
            task,
            network,
            loss,
            training,
            pretraining,
            input_scaling,
            target_scaling,
            data: examples,
            validation,
            test,
            members: members(parts),
            label_smoothing,
        })
    }

    /// The examples with the targets that are learned from: y' = (1 − ε) y + ε/K for classes, K = 2 for one output.
    pub fn smooth<'a, T: Scalar>(&self, examples: Cow<'a, Dataset<T>>) -> surefoot::Result<Cow<'a, Dataset<T>>> {
        let (share, classes) = (self.label_smoothing, self.network.outputs().max(2) as f64);
        if share == 0.0 {
            return Ok(examples);
        }
        let targets = examples.targets().mapv(|y| T::from_f64((1.0 - share) * y.to_f64() + share / classes));
        let smoothed = Dataset::new(examples.inputs().to_owned(), targets)?;
        Ok(Cow::Owned(match examples.weights() {
            Some(weights) => smoothed.with_weights(weights.to_vec())?,
            None => smoothed,
        }))
    }

    /// `integers with at most 10 values`, where the task was taken from numbers that may mean either.
    pub fn task_was_guessed_from_integers(&self, settings: &Settings) -> bool {
        let Targets::Classes(names) = &self.encoding.targets else { return false };
        settings.task.task().is_none() && names.iter().all(|name| name.parse::<f64>().is_ok())
    }
}

/// The rows for each of several networks, by their places among the training rows, which are ascending.
fn members(parts: &Parts<'_>) -> Vec<Member> {
    let rows = &parts.training.rows;
    let of = |held: &Vec<usize>| {
        let is_held = |place: &usize| held.binary_search(&rows[*place]).is_ok();
        let (held, learned) = (0..rows.len()).partition(is_held);
        Member { learned, held }
    };
    parts.members.iter().map(of).collect()
}

/// Numbers as targets, brought to where the output activation can reach them.
fn scaling_onto(output: Activation, targets: &Array2<f64>) -> Scaling {
    match output {
        Activation::Identity => Scaling::standard(targets.view()),
        Activation::Tanh => Scaling::range(targets.view(), -1.0, 1.0),
        _ => Scaling::range(targets.view(), 0.0, 1.0),
    }
}

/// For what is given back by an autoencoder the same scaling for all columns, which may be pixels of one image, where its
/// output activation is bounded; none where it reaches the numbers as they are.
fn common_scaling_onto(output: Activation, numbers: &Array2<f64>) -> Option<Scaling> {
    let (low, high) = match output {
        Activation::Identity => return Some(Scaling::standard(numbers.view())),
        Activation::Tanh => (-1.0, 1.0),
        _ => (0.0, 1.0),
    };
    if numbers.iter().all(|number| (low..=high).contains(number)) {
        return None;
    }
    let all = Scaling::range(numbers.flatten().insert_axis(Axis(1)).view(), low, high);
    let same = |number: &[f64]| vec![number[0]; numbers.ncols()];
    Some(Scaling { centre: same(&all.centre), scale: same(&all.scale), limit: None })
}
