//! From the arguments of `train` and the table to what is trained on what.

use anyhow::Context;
use clap::ValueEnum;
use ndarray::{Array2, Axis};
use surefoot::{
    Activation, Adam, BatchSize, Dataset, GradientDescent, Lbfgs, Loss, Network, Optimizer, Scalar, Scaling, Schedule,
    Sparsity, Task, Training,
};
use surefoot_table::{Encoding, Learned, LeftOut, Target, Targets};

use super::data::{Data, Parts, Rows};
use crate::arguments::{ClassWeight, OptimizerChoice, Pretrain, Rates, Settings};
use crate::output::{thousands, usage};

/// Units of the hidden layers with Adam; the first of them is the only one otherwise.
const HIDDEN: [usize; 3] = [64, 64, 64];
/// ε where targets are smoothed unasked.
const LABEL_SMOOTHING: f64 = 0.1;
/// Epochs without a lower watched cost until training stops.
const PATIENCE: usize = 20;
/// Epochs by width, for tables of so many rows and for larger ones; and otherwise.
const EPOCHS_OF_FEW_ROWS: usize = 100;
const FEW_ROWS: usize = 2000;
const EPOCHS_OF_MANY_ROWS: usize = 50;
const EPOCHS: usize = 200;
/// λ where nothing else holds weights back.
const WEIGHT_DECAY: f64 = 1e-4;
/// ρ of the autoencoders of pretraining.
const PRETRAINING_SPARSITY: f64 = 0.1;
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

/// The settings of pretraining.
pub struct Pretraining {
    /// Of the autoencoder of each hidden layer.
    pub hidden: Training,
    /// Of the output layer.
    pub output: Training,
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
        let (output, loss) = output_and_loss(settings, classes);
        let outputs = match classes {
            None => encoding.target_columns.len(),
            Some(2) if output != Activation::Softmax => 1,
            Some(classes) => classes,
        };
        let label_smoothing = match settings.label_smoothing {
            Some(share) => share,
            None if is_by_width(settings) && classes.is_some() && loss == Loss::CrossEntropy => LABEL_SMOOTHING,
            None => 0.0,
        };
        check_options(settings, classes, output, loss, label_smoothing)?;
        let activation = match settings.activation {
            Some(activation) => activation,
            None if settings.autoencoder || settings.pretrain.is_some() => Activation::Sigmoid,
            None if is_plain_adam(settings) => Activation::Selu,
            None => Activation::Tanh,
        };
        let widths = match &settings.hidden {
            Some(hidden) => hidden.0.as_slice(),
            None if is_plain_adam(settings) => &HIDDEN,
            None => &HIDDEN[..1],
        };
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
        let training = training(settings, task, examples.rows(), validates)?;
        training.check()?;
        // what the cost refuses is said before anything is printed
        training.cost(&network, loss, &examples)?;
        let pretraining = settings.pretrain.map(|Pretrain::SparseAutoencoder| pretraining(settings, &training));
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
    pub fn smooth<T: Scalar>(&self, examples: &Dataset<T>) -> surefoot::Result<Dataset<T>> {
        let (share, classes) = (self.label_smoothing, self.network.outputs().max(2) as f64);
        if share == 0.0 {
            return Ok(examples.clone());
        }
        let targets = examples.targets().mapv(|y| T::from_f64((1.0 - share) * y.to_f64() + share / classes));
        let smoothed = Dataset::new(examples.inputs().to_owned(), targets)?;
        match examples.weights() {
            Some(weights) => smoothed.with_weights(weights.to_vec()),
            None => Ok(smoothed),
        }
    }

    /// `integers with at most 10 values`, where the task was taken from numbers that may mean either.
    pub fn task_was_guessed_from_integers(&self, settings: &Settings) -> bool {
        let Targets::Classes(names) = &self.encoding.targets else { return false };
        settings.task.task().is_none() && names.iter().all(|name| name.parse::<f64>().is_ok())
    }
}

/// The activation of the output and the loss, each given or following from the other and the classes.
fn output_and_loss(settings: &Settings, classes: Option<usize>) -> (Activation, Loss) {
    use Activation::{Identity, Sigmoid, Softmax};
    let of_loss = |loss| match (loss, classes) {
        (Loss::SquaredError, None) => Identity,
        (Loss::CrossEntropy, Some(3..)) => Softmax,
        _ => Sigmoid,
    };
    match (settings.output_activation, settings.loss) {
        (Some(output), Some(loss)) => (output, loss),
        (None, None | Some(Loss::SquaredError)) if settings.autoencoder => (Sigmoid, Loss::SquaredError),
        (None, Some(loss)) => (of_loss(loss), loss),
        (Some(output @ (Sigmoid | Softmax)), None) if classes.is_some() => (output, Loss::CrossEntropy),
        (Some(output), None) => (output, Loss::SquaredError),
        (None, None) => {
            let loss = if classes.is_some() { Loss::CrossEntropy } else { Loss::SquaredError };
            (of_loss(loss), loss)
        }
    }
}

/// What does not go together with the targets.
fn check_options(
    settings: &Settings,
    classes: Option<usize>,
    output: Activation,
    loss: Loss,
    smoothing: f64,
) -> anyhow::Result<()> {
    let needs_classes = |what: &str, option: &str| {
        usage(format!("{what} needs classes, and the target has numbers"), format!("leave {option} out"))
    };
    if !(0.0..1.0).contains(&smoothing) {
        let message = format!("--label-smoothing: expected a share from 0 to 1, 1 excluded, got {smoothing}");
        return Err(usage(message, "0.1 is usual, 0 none"));
    }
    if classes.is_none() {
        if output == Activation::Softmax {
            return Err(needs_classes("softmax", "--output-activation"));
        }
        if loss == Loss::CrossEntropy {
            return Err(needs_classes("the loss cross-entropy", "--loss"));
        }
        if smoothing > 0.0 {
            return Err(needs_classes("--label-smoothing", "it"));
        }
        if settings.class_weight.is_some() {
            return Err(needs_classes("--class-weight", "it"));
        }
    }
    Ok(loss.check_output(output)?)
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

/// Whether Adam takes its learning rate by width, with all that goes with it: the settings that did best on public tables
/// (benchmarks/TABLES.md). The others are those of the notes and their exercises.
pub fn is_by_width(settings: &Settings) -> bool {
    let wanted = settings.rates.map_or(is_plain_adam(settings), |rates| rates == Rates::ByWidth);
    settings.optimizer == OptimizerChoice::Adam && wanted
}

/// Whether a target is learned from inputs by Adam, and nothing else.
fn is_plain_adam(settings: &Settings) -> bool {
    settings.optimizer == OptimizerChoice::Adam && !settings.autoencoder && settings.pretrain.is_none()
}

/// How much rows count.
struct Weights<'a> {
    column: Option<&'a str>,
    /// For each class what its rows are multiplied by, and the classes of the table's rows.
    balance: Option<(Vec<f64>, &'a Target)>,
}

impl<'a> Weights<'a> {
    fn new(settings: &'a Settings, data: &'a Data, parts: &Parts<'_>) -> anyhow::Result<Self> {
        let balance = match (settings.class_weight, &data.target) {
            (Some(ClassWeight::Balanced), Some(target)) => {
                let classes = target.classes(&data.table).unwrap_or_default();
                let mut counts = vec![0.0; classes.iter().max().map_or(0, |last| last + 1)];
                parts.training.rows.iter().for_each(|&row| counts[classes[row]] += 1.0);
                // m/(K mₖ), as scikit-learn's `balanced`
                let all = parts.training.rows.len() as f64 / counts.len() as f64;
                Some((counts.into_iter().map(|count| if count > 0.0 { all / count } else { 0.0 }).collect(), target))
            }
            _ => None,
        };
        Ok(Weights { column: settings.weight.as_deref(), balance })
    }

    /// Of the rows of a part; `None`: all count 1.
    fn of(&self, part: &Rows<'_>, is_balanced: bool) -> anyhow::Result<Option<Vec<f64>>> {
        let Rows { table, rows } = part;
        let mut weights = match self.column {
            Some(name) => Some(table.weights(table.column(name)?, rows)?),
            None => None,
        };
        if let Some((balance, target)) = self.balance.as_ref().filter(|_| is_balanced) {
            let column = Target { column: table.column(&target.name)?, ..(*target).clone() };
            let classes = column.classes(table).unwrap_or_default();
            let weights = weights.get_or_insert_with(|| vec![1.0; rows.len()]);
            weights.iter_mut().zip(rows).for_each(|(weight, &row)| *weight *= balance[classes[row]]);
        }
        Ok(weights)
    }
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

/// The settings of the run. Those by width did best on the tables of benchmarks/TABLES.md that may be tuned on; Adam's other
/// learning rate of 0.002, 0.005 and 0.01 on digits; those of the other optimizers train digits and iris well, and were not
/// searched for.
fn training(settings: &Settings, task: Task, rows: usize, validates: bool) -> anyhow::Result<Training> {
    use OptimizerChoice::{Adam as ByAdam, GradientDescent as ByDescent, Lbfgs as ByLbfgs, Sgd as BySgd};
    let refuse = |option: &str, given: bool, optimizers: &[OptimizerChoice], instead: &str| {
        if given && !optimizers.contains(&settings.optimizer) {
            let optimizer = settings.optimizer.to_possible_value();
            let optimizer = optimizer.as_ref().map_or("", |value| value.get_name());
            let message = format!("{option} does not go with the optimizer {optimizer}");
            return Err(usage(message, format!("take --optimizer {instead}, or leave {option} out")));
        }
        Ok(())
    };
    refuse("--momentum", settings.momentum.is_some(), &[ByDescent, BySgd], "sgd")?;
    refuse("--learning-rate", settings.learning_rate.is_some(), &[ByDescent, BySgd, ByAdam], "adam")?;
    refuse("--beta2", settings.beta2.is_some(), &[ByAdam], "adam")?;
    refuse("--rates", settings.rates.is_some(), &[ByAdam], "adam")?;
    refuse("--history", settings.history.is_some(), &[ByLbfgs], "lbfgs")?;
    let by_width = is_by_width(settings);
    let descent = |momentum, learning_rate| GradientDescent {
        learning_rate: settings.learning_rate.unwrap_or(learning_rate),
        momentum: settings.momentum.unwrap_or(momentum),
        nesterov: false,
    };
    let (optimizer, batch_size): (Optimizer, _) = match settings.optimizer {
        ByDescent => (descent(0.0, 0.5).into(), BatchSize::Full),
        BySgd => (descent(0.9, 0.02).into(), BatchSize::Rows(32)),
        ByAdam => {
            let (learning_rate, beta2) = match (by_width, task) {
                (true, Task::Classification) => (0.03, 0.95),
                (true, Task::Regression) => (0.05, 0.95),
                (false, _) => (0.005, Adam::default().beta2),
            };
            let learning_rate = settings.learning_rate.unwrap_or(learning_rate);
            let beta2 = settings.beta2.unwrap_or(beta2);
            (Adam { learning_rate, beta2, by_width, ..Adam::default() }.into(), BatchSize::Rows(32))
        }
        ByLbfgs => {
            let history = settings.history.unwrap_or(Lbfgs::default().history);
            (Lbfgs { history, ..Lbfgs::default() }.into(), BatchSize::Full)
        }
    };
    let schedule = settings.schedule.unwrap_or(if by_width { Schedule::Cycles } else { Schedule::Constant });
    // such schedules end where they should; without a validation part L-BFGS only ever lowers what would be watched
    let has_end = matches!(schedule, Schedule::Cycles | Schedule::Cosine);
    let patience = if has_end || settings.optimizer == ByLbfgs && !validates { 0 } else { PATIENCE };
    Ok(Training {
        optimizer,
        schedule,
        epochs: settings.epochs.unwrap_or(match (by_width, rows) {
            (true, ..=FEW_ROWS) => EPOCHS_OF_FEW_ROWS,
            (true, _) => EPOCHS_OF_MANY_ROWS,
            (false, _) => EPOCHS,
        }),
        batch_size: Some(settings.batch_size.map_or(batch_size, |batch| batch.0)),
        weight_decay: settings.weight_decay.unwrap_or(if by_width { 0.0 } else { WEIGHT_DECAY }),
        sparsity: match settings.pretrain {
            Some(Pretrain::SparseAutoencoder) => None, // that is for pretraining
            None => settings.sparsity.map(|target| Sparsity { target, weight: settings.sparsity_weight }),
        },
        patience: settings.patience.unwrap_or(patience),
        seed: settings.seed,
        task,
        ..Training::default()
    })
}

/// The settings by which layers learn by themselves. ρ is the exercise's. Its λ, 3·10⁻³ for images of 784 pixels, leaves
/// nothing of the second layer on the 64 of digits; 10⁻⁴ did best there of 10⁻⁵ to 3·10⁻³ before fine-tuning.
fn pretraining(settings: &Settings, training: &Training) -> Pretraining {
    let output = Training {
        optimizer: Lbfgs::default().into(),
        epochs: settings.pretrain_epochs,
        weight_decay: training.weight_decay,
        task: training.task,
        ..Training::default()
    };
    let target = settings.sparsity.unwrap_or(PRETRAINING_SPARSITY);
    let hidden = Training {
        weight_decay: settings.pretrain_weight_decay.unwrap_or(training.weight_decay),
        sparsity: Some(Sparsity { target, weight: settings.sparsity_weight }),
        ..output.clone()
    };
    Pretraining { hidden, output }
}
