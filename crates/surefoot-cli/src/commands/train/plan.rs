//! From the arguments of `train` and the table to what is trained on what.

use anyhow::Context;
use ndarray::{Array2, Axis};
use surefoot::{
    Activation, Adam, BatchSize, Cost, Dataset, GradientDescent, Loss, Network, Optimizer, Scaling, Task, Training,
    split_rows,
};
use surefoot_table::{Encoding, Table, Targets};

use crate::arguments::{OptimizerChoice, Train, Validation};
use crate::output::{thousands, usage};

/// Tables with fewer rows are not split unless it is asked for: the part would say nothing.
const MIN_ROWS_TO_SPLIT: usize = 10;
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
    pub input_scaling: Scaling,
    pub target_scaling: Option<Scaling>,
    pub data: Dataset<f64>,
    pub validation: Option<Dataset<f64>>,
}

/// Inputs and targets, as they are in the table.
type Part = (Array2<f64>, Array2<f64>);

impl Plan {
    pub fn new(arguments: &Train) -> anyhow::Result<Plan> {
        let table = Table::open(&arguments.data)?;
        let encoding = Encoding::find(&table, arguments.target.as_deref(), arguments.task.task())?;
        let classes = match &encoding.targets {
            Targets::Classes(names) => Some(names.len()),
            Targets::Numbers => None,
        };
        let (output, loss) = output_and_loss(arguments, classes);
        let outputs = match classes {
            None => 1,
            Some(2) if output != Activation::Softmax => 1,
            Some(classes) => classes,
        };
        if outputs == 1 && output == Activation::Softmax {
            return Err(usage("softmax needs classes, and the target has numbers", "leave --output-activation out"));
        }
        if classes.is_none() && loss == Loss::CrossEntropy {
            return Err(usage("the loss cross-entropy needs classes, and the target has numbers", "leave --loss out"));
        }
        loss.check_output(output)?;
        let hidden = arguments.hidden.0.iter().map(|&units| (units, arguments.activation));
        let network =
            Network::new(encoding.input_columns.len(), &hidden.chain([(outputs, output)]).collect::<Vec<_>>())?;
        if network.parameter_count() > MAX_PARAMETERS {
            let message = format!("a network of {} parameters", thousands(network.parameter_count() as u64));
            return Err(usage(message, "fewer units with --hidden"));
        }

        let part = |table: &Table| -> anyhow::Result<Part> {
            Ok((encoding.inputs(table)?, encoding.targets(table, outputs)?))
        };
        let (train, validation) = split(arguments, &table, part)?;
        let input_scaling = Scaling::standard(train.0.view());
        let target_scaling = classes.is_none().then(|| scaling_onto(output, &train.1));
        let scaled = |(inputs, targets): Part, what: &str| {
            let targets =
                target_scaling.as_ref().map_or_else(|| targets.clone(), |scaling| scaling.apply(targets.view()));
            Dataset::new(input_scaling.apply(inputs.view()), targets)
                .with_context(|| format!("cannot use the {what} part"))
        };
        let data = scaled(train, "training")?;
        let validation = validation.map(|part| scaled(part, "validation")).transpose()?;
        let task = if classes.is_some() { Task::Classification } else { Task::Regression };
        let training = training(arguments, task)?;
        // what the cost refuses is said before anything is printed
        Cost::new(&network, loss, training.weight_decay, &data)?;
        Ok(Plan { table, task, network, loss, training, data, validation, input_scaling, target_scaling, encoding })
    }

    /// `integers with at most 10 values`, where the task was taken from numbers that may mean either.
    pub fn task_was_guessed_from_integers(&self, arguments: &Train) -> bool {
        let Targets::Classes(names) = &self.encoding.targets else { return false };
        arguments.task.task().is_none() && names.iter().all(|name| name.parse::<f64>().is_ok())
    }
}

/// The activation of the output and the loss, each given or following from the other and the classes.
fn output_and_loss(arguments: &Train, classes: Option<usize>) -> (Activation, Loss) {
    use Activation::{Identity, Sigmoid, Softmax};
    let of_loss = |loss| match (loss, classes) {
        (Loss::SquaredError, None) => Identity,
        (Loss::CrossEntropy, Some(3..)) => Softmax,
        _ => Sigmoid,
    };
    match (arguments.output_activation, arguments.loss) {
        (Some(output), Some(loss)) => (output, loss),
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
    arguments: &Train,
    table: &Table,
    part: impl Fn(&Table) -> anyhow::Result<Part>,
) -> anyhow::Result<(Part, Option<Part>)> {
    let (inputs, targets) = part(table)?;
    let share = match &arguments.validation {
        Some(Validation::Nothing) => return Ok(((inputs, targets), None)),
        Some(Validation::Data(file)) => {
            let validation = part(&Table::open(file)?).context("cannot use the validation data")?;
            return Ok(((inputs, targets), Some(validation)));
        }
        Some(Validation::Share(share)) => *share,
        None if table.rows() < MIN_ROWS_TO_SPLIT => return Ok(((inputs, targets), None)),
        None => VALIDATION_SHARE,
    };
    let (rest, taken) =
        split_rows(table.rows(), share, arguments.seed).context("cannot set rows aside for validation")?;
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

/// The settings of the run. Adam's learning rate did best of 0.002, 0.005 and 0.01 on digits over seeds 1 to 5; those of
/// the other optimizers train digits and iris well, and were not searched for.
fn training(arguments: &Train, task: Task) -> anyhow::Result<Training> {
    let descent = |momentum, learning_rate| {
        Optimizer::GradientDescent(GradientDescent {
            learning_rate: arguments.learning_rate.unwrap_or(learning_rate),
            momentum: arguments.momentum.unwrap_or(momentum),
            nesterov: false,
        })
    };
    let rows_32 = BatchSize::Rows(32);
    let (optimizer, batch_size) = match arguments.optimizer {
        OptimizerChoice::GradientDescent => (descent(0.0, 0.5), BatchSize::Full),
        OptimizerChoice::Sgd => (descent(0.9, 0.02), rows_32),
        OptimizerChoice::Adam if arguments.momentum.is_some() => {
            return Err(usage(
                "--momentum does not go with the optimizer adam",
                "take --optimizer sgd, or leave --momentum out",
            ));
        }
        OptimizerChoice::Adam => {
            let learning_rate = arguments.learning_rate.unwrap_or(0.005);
            (Optimizer::Adam(Adam { learning_rate, ..Adam::default() }), rows_32)
        }
    };
    optimizer.check()?;
    Ok(Training {
        optimizer,
        schedule: arguments.schedule,
        epochs: arguments.epochs,
        batch_size: arguments.batch_size.map_or(batch_size, |batch| batch.0),
        weight_decay: arguments.weight_decay,
        patience: arguments.patience,
        seed: arguments.seed,
        task,
        ..Training::default()
    })
}
