//! What is trained where nothing is said: the settings of a training follow from its optimizer.

use clap::ValueEnum;
use surefoot::{
    Activation, Adam, BatchSize, GradientDescent, Initialization, Lbfgs, Loss, Optimizer, Schedule, Sparsity, Task,
    Training,
};

use crate::arguments::{OptimizerChoice, Pretrain, Rates, Settings};
use crate::output::usage;

/// Networks that are averaged.
const MEMBERS: usize = 5;
/// The rows of the tables for which that is done unasked.
const MIN_ROWS_OF_MEMBERS: usize = 50;
const MAX_ROWS_OF_MEMBERS: usize = 20_000;
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

/// The settings of pretraining.
pub struct Pretraining {
    /// Of the autoencoder of each hidden layer.
    pub hidden: Training,
    /// Of the output layer.
    pub output: Training,
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

/// How many networks are trained on so many rows: several, where nothing is said of what they are like, the rows are enough to
/// be dealt out and not so many that one network errs as little.
pub fn member_count(settings: &Settings, rows: usize) -> usize {
    let is_described = settings.hidden.is_some()
        || settings.activation.is_some()
        || settings.output_activation.is_some()
        || settings.loss.is_some()
        || settings.init.is_some()
        || settings.optimizer != OptimizerChoice::Adam
        || settings.validation.is_some()
        || settings.autoencoder
        || settings.pretrain.is_some();
    let worth = (MIN_ROWS_OF_MEMBERS..=MAX_ROWS_OF_MEMBERS).contains(&rows);
    settings.members.unwrap_or(if worth && !is_described { MEMBERS } else { 1 })
}

/// The units of the hidden layers.
pub fn hidden_units(settings: &Settings) -> &[usize] {
    match &settings.hidden {
        Some(hidden) => hidden.0.as_slice(),
        None if is_plain_adam(settings) => &HIDDEN,
        None => &HIDDEN[..1],
    }
}

/// The activation of the hidden layers.
pub fn activation(settings: &Settings) -> Activation {
    match settings.activation {
        Some(activation) => activation,
        None if settings.autoencoder || settings.pretrain.is_some() => Activation::Sigmoid,
        None if is_plain_adam(settings) => Activation::Selu,
        None => Activation::Tanh,
    }
}

/// The initialization, where it does not follow from the activations. A rectifier that begins at 0 would stay there.
pub fn initialization(settings: &Settings) -> Option<Initialization> {
    let suits = is_by_width(settings) && settings.output_activation != Some(Activation::Relu);
    settings.init.or(suits.then_some(Initialization::Tangent))
}

/// ε of the targets that are learned from.
pub fn label_smoothing(settings: &Settings, classes: Option<usize>, loss: Loss) -> f64 {
    match settings.label_smoothing {
        Some(share) => share,
        None if is_by_width(settings) && classes.is_some() && loss == Loss::CrossEntropy => LABEL_SMOOTHING,
        None => 0.0,
    }
}

/// The activation of the output and the loss, each given or following from the other and the classes.
pub fn output_and_loss(settings: &Settings, classes: Option<usize>) -> (Activation, Loss) {
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
pub fn check_options(
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

/// The settings of the run. Those by width did best on the tables of benchmarks/TABLES.md that may be tuned on; Adam's other
/// learning rate of 0.002, 0.005 and 0.01 on digits; those of the other optimizers train digits and iris well, and were not
/// searched for.
pub fn training(settings: &Settings, task: Task, rows: usize, validates: bool) -> anyhow::Result<Training> {
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
pub fn pretraining(settings: &Settings, training: &Training) -> Pretraining {
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
