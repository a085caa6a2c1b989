//! From the arguments of `train` and the table to what is trained on what.

use anyhow::Context;
use clap::ValueEnum;
use ndarray::{Array2, Axis};
use surefoot::{
    Activation, Adam, BatchSize, Dataset, GradientDescent, Lbfgs, Loss, Network, Optimizer, Scaling, Sparsity, Task,
    Training, split_rows,
};
use surefoot_table::{Encoding, Part, Table, Targets};

use crate::arguments::{OptimizerChoice, Pretrain, Settings, Validation};
use crate::output::{thousands, usage};

/// Tables with fewer rows are not split unless it is asked for: the part would say nothing.
const MIN_ROWS_TO_SPLIT: usize = 10;
/// Epochs without a lower watched cost until training stops.
const PATIENCE: usize = 20;
/// ρ of the autoencoders of pretraining.
const PRETRAINING_SPARSITY: f64 = 0.1;
/// The share of the rows to validate on.
const VALIDATION_SHARE: f64 = 0.2;
/// More parameters than this do not fit in the memory of any machine that we know of, with their moments.
const MAX_PARAMETERS: usize = 10_000_000_000;

/// Everything that is decided before training.
pub struct Plan {
    pub table: Table,
    pub encoding: Encoding,
    pub task: Task,
    pub network: Network,
    pub loss: Loss,
    pub training: Training,
    pub pretraining: Option<Pretraining>,
    pub input_scaling: Option<Scaling>,
    pub target_scaling: Option<Scaling>,
    pub data: Dataset<f64>,
    pub validation: Option<Dataset<f64>>,
}

/// The settings of pretraining.
pub struct Pretraining {
    /// Of the autoencoder of each hidden layer.
    pub hidden: Training,
    /// Of the output layer.
    pub output: Training,
}

/// Inputs and targets, as they are in the table.
type Matrices = (Array2<f64>, Array2<f64>);

impl Plan {
    pub fn new(settings: &Settings) -> anyhow::Result<Plan> {
        let table = Table::open(&settings.data, settings.target_file.as_deref(), Part::Training)?;
        let table = match settings.rows {
            Some(rows) => table.first(rows),
            None => table,
        };
        let target = settings.target.as_deref();
        let encoding = match settings.autoencoder {
            true => Encoding::of_autoencoder(&table, target)?,
            false => Encoding::find(&table, target, settings.task.task())?,
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
        if classes.is_none() && output == Activation::Softmax {
            return Err(usage("softmax needs classes, and the target has numbers", "leave --output-activation out"));
        }
        if classes.is_none() && loss == Loss::CrossEntropy {
            return Err(usage("the loss cross-entropy needs classes, and the target has numbers", "leave --loss out"));
        }
        loss.check_output(output)?;
        let activation = match settings.activation {
            Some(activation) => activation,
            None if settings.autoencoder || settings.pretrain.is_some() => Activation::Sigmoid,
            None => Activation::Tanh,
        };
        let hidden = settings.hidden.0.iter().map(|&units| (units, activation));
        let network =
            Network::new(encoding.input_columns.len(), &hidden.chain([(outputs, output)]).collect::<Vec<_>>())?;
        if network.parameter_count() > MAX_PARAMETERS {
            let message = format!("a network of {} parameters", thousands(network.parameter_count() as u64));
            return Err(usage(message, "fewer units with --hidden"));
        }

        let part = |table: &Table| -> anyhow::Result<Matrices> {
            Ok((encoding.inputs(table)?, encoding.targets(table, outputs)?))
        };
        let (train, validation) = split(settings, &table, part)?;
        let (input_scaling, target_scaling) = match (settings.autoencoder, classes) {
            (true, _) => {
                let both = common_scaling_onto(output, &train.0);
                (both.clone(), both)
            }
            (false, classes) => {
                let inputs = match settings.pretrain {
                    Some(Pretrain::SparseAutoencoder) => common_scaling_onto(activation, &train.0),
                    None => Some(Scaling::standard(train.0.view())),
                };
                (inputs, classes.is_none().then(|| scaling_onto(output, &train.1)))
            }
        };
        let scaled = |(inputs, targets): Matrices, what: &str| {
            let apply = |scaling: &Option<Scaling>, numbers: Array2<f64>| match scaling {
                Some(scaling) => scaling.apply(numbers.view()),
                None => numbers,
            };
            Dataset::new(apply(&input_scaling, inputs), apply(&target_scaling, targets))
                .with_context(|| format!("cannot use the {what} part"))
        };
        let data = scaled(train, "training")?;
        let validation = validation.map(|part| scaled(part, "validation")).transpose()?;
        let task = if classes.is_some() { Task::Classification } else { Task::Regression };
        let training = training(settings, task, validation.is_some())?;
        training.check()?;
        // what the cost refuses is said before anything is printed
        training.cost(&network, loss, &data)?;
        let pretraining = settings.pretrain.map(|Pretrain::SparseAutoencoder| pretraining(settings, &training));
        if let Some(pretraining) = &pretraining {
            pretraining.hidden.cost(&network, loss, &data)?;
        }
        Ok(Plan {
            table,
            task,
            network,
            loss,
            training,
            pretraining,
            data,
            validation,
            input_scaling,
            target_scaling,
            encoding,
        })
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

/// The rows to train on and those to validate on.
fn split(
    settings: &Settings,
    table: &Table,
    part: impl Fn(&Table) -> anyhow::Result<Matrices>,
) -> anyhow::Result<(Matrices, Option<Matrices>)> {
    let (inputs, targets) = part(table)?;
    let share = match &settings.validation {
        Some(Validation::Nothing) => return Ok(((inputs, targets), None)),
        Some(Validation::Data(file)) => {
            let validation = part(&Table::open(file, None, Part::Test)?).context("cannot use the validation data")?;
            return Ok(((inputs, targets), Some(validation)));
        }
        Some(Validation::Share(share)) => *share,
        None if settings.autoencoder || table.rows() < MIN_ROWS_TO_SPLIT => return Ok(((inputs, targets), None)),
        None => VALIDATION_SHARE,
    };
    let (rest, taken) =
        split_rows(table.rows(), share, settings.seed).context("cannot set rows aside for validation")?;
    let select = |rows: &[usize]| (inputs.select(Axis(0), rows), targets.select(Axis(0), rows));
    Ok((select(&rest), Some(select(&taken))))
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
    Some(Scaling { centre: same(&all.centre), scale: same(&all.scale) })
}

/// The settings of the run. Adam's learning rate did best of 0.002, 0.005 and 0.01 on digits over seeds 1 to 5; those of
/// the other optimizers train digits and iris well, and were not searched for.
fn training(settings: &Settings, task: Task, validates: bool) -> anyhow::Result<Training> {
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
    refuse("--history", settings.history.is_some(), &[ByLbfgs], "lbfgs")?;
    let descent = |momentum, learning_rate| GradientDescent {
        learning_rate: settings.learning_rate.unwrap_or(learning_rate),
        momentum: settings.momentum.unwrap_or(momentum),
        nesterov: false,
    };
    let (optimizer, batch_size): (Optimizer, _) = match settings.optimizer {
        ByDescent => (descent(0.0, 0.5).into(), BatchSize::Full),
        BySgd => (descent(0.9, 0.02).into(), BatchSize::Rows(32)),
        ByAdam => {
            let learning_rate = settings.learning_rate.unwrap_or(0.005);
            (Adam { learning_rate, ..Adam::default() }.into(), BatchSize::Rows(32))
        }
        ByLbfgs => {
            let history = settings.history.unwrap_or(Lbfgs::default().history);
            (Lbfgs { history, ..Lbfgs::default() }.into(), BatchSize::Full)
        }
    };
    // without a validation part L-BFGS only ever lowers what would be watched
    let patience = if settings.optimizer == ByLbfgs && !validates { 0 } else { PATIENCE };
    Ok(Training {
        optimizer,
        schedule: settings.schedule,
        epochs: settings.epochs,
        batch_size: Some(settings.batch_size.map_or(batch_size, |batch| batch.0)),
        weight_decay: settings.weight_decay,
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
