//! What is trained where nothing is said: the defaults, which follow from the optimizer, the task and the rows.
//!
//! Those of Adam in the neural tangent parametrization did best on public tables (benchmarks/TABLES.md); the others are those
//! of the notes and their exercises.

use surefoot::{
    Activation, Adam, BatchSize, GradientDescent, Initialization, Lbfgs, Loss, Optimizer, Schedule, Sparsity, Task,
    Training,
};

use crate::activations::Activations;
use crate::error::{Error, Result};
use crate::options::{OptimizerKind, Options, Parametrization};

/// Networks of an ensemble.
const ENSEMBLE: usize = 5;
/// The rows from which on one is trained unasked: enough to be dealt out.
const MIN_ROWS_OF_ENSEMBLE: usize = 15;
/// Units of the hidden layers with Adam; the first of them is the only one otherwise.
const HIDDEN: [usize; 3] = [64, 64, 64];
/// ε where targets are smoothed unasked.
const LABEL_SMOOTHING: f64 = 0.1;
/// Epochs without a lower monitored cost until training stops.
const PATIENCE: usize = 20;
/// With cosine cycles: cycles that did not lower it by so much of itself.
const PATIENCE_IN_CYCLES: usize = 1;
const TOLERANCE_OF_CYCLES: f64 = 0.01;
/// Epochs in the neural tangent parametrization: for so many rows; of each network of an ensemble for more, as many as go through a
/// million rows, within bounds; of a network alone. And otherwise.
const EPOCHS_OF_FEW_ROWS: usize = 100;
const FEW_ROWS: usize = 2000;
const ROWS_OF_A_MEMBER: usize = 1_000_000;
const LEAST_EPOCHS_OF_A_MEMBER: usize = 10;
const MOST_EPOCHS_OF_A_MEMBER: usize = 30;
const EPOCHS_OF_ONE_NETWORK: usize = 50;
const EPOCHS: usize = 200;
/// Of tables too large to be shuffled as a whole: the inputs of all rows that are shuffled among each other, 32 MB of single precision, so
/// that two windows fit in little memory; and so many rows at least.
const NUMBERS_OF_A_WINDOW: usize = 1 << 23;
const LEAST_WINDOW: usize = 61_440;
/// λ where nothing else holds weights back.
const WEIGHT_DECAY: f64 = 1e-4;
/// β of a sparsity penalty, the exercise's.
const SPARSITY_WEIGHT: f64 = 3.0;
/// ρ of the autoencoders of pretraining, the exercise's.
const PRETRAINING_SPARSITY: f64 = 0.1;
/// Iterations for each layer that is pretrained.
const PRETRAINING_EPOCHS: usize = 400;

/// The settings of pretraining.
#[derive(Clone, Debug)]
pub struct PretrainingPlan {
    /// Of the autoencoder of each hidden layer.
    pub hidden: Training,
    /// Of the output layer.
    pub output: Training,
}

/// Whether Adam's learning rates are those of the neural tangent parametrization, with all that goes with it.
pub(crate) fn is_ntp(options: &Options) -> bool {
    let wanted = options.parametrization.map_or(is_plain_adam(options), |chosen| chosen == Parametrization::Ntp);
    options.optimizer == OptimizerKind::Adam && wanted
}

/// Whether a target is learned from inputs by Adam, and nothing else.
fn is_plain_adam(options: &Options) -> bool {
    options.optimizer == OptimizerKind::Adam && !options.autoencoder && options.pretraining.is_none()
}

/// How many networks are trained on so many rows.
pub(crate) fn ensemble_size(options: &Options, rows: usize) -> usize {
    let is_described = options.hidden.is_some()
        || options.activation.is_some()
        || options.output_activation.is_some()
        || options.loss.is_some()
        || options.initialization.is_some()
        || options.optimizer != OptimizerKind::Adam
        || options.validation.is_some()
        || options.autoencoder
        || options.pretraining.is_some();
    options.ensemble.unwrap_or(if rows >= MIN_ROWS_OF_ENSEMBLE && !is_described { ENSEMBLE } else { 1 })
}

/// The units of the hidden layers.
fn hidden_units(options: &Options) -> &[usize] {
    match &options.hidden {
        Some(hidden) => hidden,
        None if is_plain_adam(options) => &HIDDEN,
        None => &HIDDEN[..1],
    }
}

/// The units and the activation of each hidden layer.
pub(crate) fn hidden_layers(options: &Options) -> Vec<(usize, Activation)> {
    let of_layer = |layer| options.activation.as_ref().and_then(|activations| activations.of_layer(layer));
    let units = hidden_units(options).iter().enumerate();
    units.map(|(layer, &units)| (units, of_layer(layer).unwrap_or(activation(options)))).collect()
}

/// The activation of hidden layers of which nothing is said.
fn activation(options: &Options) -> Activation {
    if options.autoencoder || options.pretraining.is_some() {
        Activation::Sigmoid
    } else if is_plain_adam(options) {
        Activation::Selu
    } else {
        Activation::Tanh
    }
}

/// The initialization, where it does not follow from the activations. A rectifier that begins at 0 would stay there.
pub(crate) fn initialization(options: &Options) -> Option<Initialization> {
    let suits = is_ntp(options) && options.output_activation != Some(Activation::Relu);
    options.initialization.or(suits.then_some(Initialization::Ntp))
}

/// ε of the targets that are learned from.
pub(crate) fn label_smoothing(options: &Options, classes: Option<usize>, loss: Loss) -> f64 {
    match options.label_smoothing {
        Some(share) => share,
        None if is_ntp(options) && classes.is_some() && loss == Loss::CrossEntropy => LABEL_SMOOTHING,
        None => 0.0,
    }
}

/// The activation of the output and the loss, each given or following from the other and the classes.
pub(crate) fn output_and_loss(options: &Options, classes: Option<usize>) -> (Activation, Loss) {
    use Activation::{Exp, Identity, Sigmoid, Softmax};
    let of_loss = |loss| match (loss, classes) {
        (Loss::Poisson, _) => Exp,
        (Loss::SquaredError, None) => Identity,
        (Loss::CrossEntropy, Some(3..)) => Softmax,
        _ => Sigmoid,
    };
    match (options.output_activation, options.loss) {
        (Some(output), Some(loss)) => (output, loss),
        (None, None | Some(Loss::SquaredError)) if options.autoencoder => (Sigmoid, Loss::SquaredError),
        (None, Some(loss)) => (of_loss(loss), loss),
        (Some(output @ (Sigmoid | Softmax)), None) if classes.is_some() => (output, Loss::CrossEntropy),
        (Some(Exp), None) => (Exp, Loss::Poisson),
        (Some(output), None) => (output, Loss::SquaredError),
        (None, None) => {
            let loss = if classes.is_some() { Loss::CrossEntropy } else { Loss::SquaredError };
            (of_loss(loss), loss)
        }
    }
}

/// What does not go together, whatever the data.
pub(crate) fn check_combinations(options: &Options) -> Result<()> {
    let autoencoder = ("autoencoder", options.autoencoder);
    let pretraining = ("pretraining", options.pretraining.is_some());
    let ensemble = ("ensemble", options.ensemble.is_some());
    let folds = ("folds", options.folds.is_some());
    for [(option, is_given), (other, other_is_given)] in [
        [ensemble, ("validation", options.validation.is_some())],
        [ensemble, autoencoder],
        [ensemble, pretraining],
        [folds, autoencoder],
        [folds, pretraining],
        [("task", options.task.is_some()), autoencoder],
        [("class_weight", options.class_weight.is_some()), autoencoder],
        [("sample_weight", options.sample_weight.is_some()), autoencoder],
        [("group", options.group.is_some()), autoencoder],
        [("target_file", options.target_file.is_some()), ("target", options.target.is_some())],
    ] {
        if is_given && other_is_given {
            return Err(Error::Conflict { option, other });
        }
    }
    let at_least = |option, value: Option<usize>, least: usize| match value {
        Some(value) if value < least => {
            Err(Error::Option { option, expected: format!("at least {least}"), got: value.to_string() })
        }
        _ => Ok(()),
    };
    at_least("ensemble", options.ensemble, 1)?;
    at_least("rows", options.rows, 1)?;
    at_least("folds", options.folds, 2)?;
    if options.hidden.iter().flatten().any(|&units| units == 0) {
        let expected = "layers of at least 1 unit".into();
        return Err(Error::Option { option: "hidden", expected, got: "0".into() });
    }
    let layers = hidden_units(options).len();
    match &options.activation {
        Some(Activations::Each(each)) if each.len() != layers => {
            let expected = format!("one name, or one for each hidden layer, of which there are {layers}");
            let s = if each.len() == 1 { "" } else { "s" };
            Err(Error::Option { option: "activation", expected, got: format!("{} name{s}", each.len()) })
        }
        _ => Ok(()),
    }
}

/// What says something of the columns or the rows of a table, and nothing of matrices, which are taken as they are.
pub(crate) fn check_matrices(options: &Options) -> Result<()> {
    for (option, is_given) in [
        ("target", options.target.is_some()),
        ("numeric", !options.numeric.is_empty()),
        ("categorical", !options.categorical.is_empty()),
        ("ignore", !options.ignore.is_empty()),
        ("sample_weight", options.sample_weight.is_some()),
        ("group", options.group.is_some()),
        ("rows", options.rows.is_some()),
        ("class_weight", options.class_weight.is_some()),
        ("autoencoder", options.autoencoder),
        ("task", options.task.is_some()),
    ] {
        if is_given {
            return Err(Error::Conflict { option, other: "an input of matrices" });
        }
    }
    Ok(())
}

/// What does not go together with the targets.
pub(crate) fn check_targets(
    options: &Options,
    classes: Option<usize>,
    output: Activation,
    loss: Loss,
    smoothing: f64,
) -> Result<()> {
    let needs_classes = |option, what| Err(Error::NeedsClasses { option, what });
    if !(0.0..1.0).contains(&smoothing) {
        let expected = "a fraction from 0 to 1, 1 excluded".into();
        return Err(Error::Option { option: "label_smoothing", expected, got: smoothing.to_string() });
    }
    if classes.is_some() && loss == Loss::Poisson {
        let expected = "cross-entropy or squared-error for classes".into();
        return Err(Error::Option { option: "loss", expected, got: loss.to_string() });
    }
    if classes.is_none() {
        if output == Activation::Softmax {
            return needs_classes("output_activation", "softmax");
        }
        if loss == Loss::CrossEntropy {
            return needs_classes("loss", "the loss cross-entropy");
        }
        if smoothing > 0.0 {
            return needs_classes("label_smoothing", "label smoothing");
        }
        if options.class_weight.is_some() {
            return needs_classes("class_weight", "a class weight");
        }
    }
    Ok(loss.check_output(output)?)
}

/// The rows that are shuffled among each other, in a table of so many.
fn shuffle_window(rows: usize, inputs: usize) -> usize {
    let whole = Training::default().shuffle_window;
    if rows <= whole { whole } else { (NUMBERS_OF_A_WINDOW / inputs.max(1)).clamp(LEAST_WINDOW, whole) }
}

/// The settings of the run. Adam's other learning rate did best of 0.002, 0.005 and 0.01 on digits; those of the other
/// optimizers train digits and iris well, and were not searched for.
pub(crate) fn training(
    options: &Options,
    task: Task,
    (rows, inputs): (usize, usize),
    networks: usize,
    validates: bool,
) -> Result<Training> {
    use OptimizerKind::{Adam as ByAdam, GradientDescent as ByDescent, Lbfgs as ByLbfgs, Sgd as BySgd};
    for (option, is_given, optimizers, instead) in [
        ("momentum", options.momentum.is_some(), &[ByDescent, BySgd][..], BySgd),
        ("learning_rate", options.learning_rate.is_some(), &[ByDescent, BySgd, ByAdam], ByAdam),
        ("beta2", options.beta2.is_some(), &[ByAdam], ByAdam),
        ("parametrization", options.parametrization.is_some(), &[ByAdam], ByAdam),
        ("history", options.history.is_some(), &[ByLbfgs], ByLbfgs),
    ] {
        if is_given && !optimizers.contains(&options.optimizer) {
            return Err(Error::NotOfOptimizer { option, optimizer: options.optimizer, instead });
        }
    }
    let ntp = is_ntp(options);
    let descent = |momentum, learning_rate| GradientDescent {
        learning_rate: options.learning_rate.unwrap_or(learning_rate),
        momentum: options.momentum.unwrap_or(momentum),
        nesterov: false,
    };
    let (optimizer, batch_size): (Optimizer, _) = match options.optimizer {
        ByDescent => (descent(0.0, 0.5).into(), BatchSize::Full),
        BySgd => (descent(0.9, 0.02).into(), BatchSize::Rows(32)),
        ByAdam => {
            let (learning_rate, beta2) = match (ntp, task) {
                (true, Task::Classification) => (0.03, 0.95),
                (true, Task::Regression) => (0.05, 0.95),
                (false, _) => (0.005, Adam::default().beta2),
            };
            let learning_rate = options.learning_rate.unwrap_or(learning_rate);
            let beta2 = options.beta2.unwrap_or(beta2);
            (Adam { learning_rate, beta2, ntp, ..Adam::default() }.into(), BatchSize::Rows(32))
        }
        ByLbfgs => {
            let history = options.history.unwrap_or(Lbfgs::default().history);
            (Lbfgs { history, ..Lbfgs::default() }.into(), BatchSize::Full)
        }
    };
    let schedule = options.schedule.unwrap_or(if ntp { Schedule::CosineCycles } else { Schedule::Constant });
    let otherwise = Training::default().tolerance;
    let (patience, tolerance) = match schedule {
        // the last cycle is half of all epochs, and can be spared where the one before it gained nothing
        Schedule::CosineCycles if validates => (PATIENCE_IN_CYCLES, TOLERANCE_OF_CYCLES),
        // it ends where it should
        Schedule::CosineCycles | Schedule::Cosine => (0, otherwise),
        // without a validation part L-BFGS only ever lowers what would be monitored
        _ if options.optimizer == ByLbfgs && !validates => (0, otherwise),
        _ => (PATIENCE, otherwise),
    };
    Ok(Training {
        optimizer,
        schedule,
        epochs: options.epochs.unwrap_or(match ntp {
            true if rows <= FEW_ROWS => EPOCHS_OF_FEW_ROWS,
            true if networks > 1 => (ROWS_OF_A_MEMBER / rows).clamp(LEAST_EPOCHS_OF_A_MEMBER, MOST_EPOCHS_OF_A_MEMBER),
            true => EPOCHS_OF_ONE_NETWORK,
            false => EPOCHS,
        }),
        batch_size: Some(options.batch_size.unwrap_or(batch_size)),
        shuffle_window: options.shuffle_window.unwrap_or(shuffle_window(rows, inputs)),
        weight_decay: options.weight_decay.unwrap_or(if ntp { 0.0 } else { WEIGHT_DECAY }),
        sparsity: match options.pretraining {
            Some(_) => None, // that is for pretraining
            None => options.sparsity.map(|target| Sparsity { target, weight: sparsity_weight(options) }),
        },
        patience: options.patience.unwrap_or(patience),
        tolerance,
        seed: options.seed,
        gradient_check: false, // it is checked once, for all networks that are trained
        ..Training::default()
    })
}

fn sparsity_weight(options: &Options) -> f64 {
    options.sparsity_weight.unwrap_or(SPARSITY_WEIGHT)
}

/// The settings by which layers learn one by one. The exercise's λ, 3·10⁻³ for images of 784 pixels, leaves nothing of the
/// second layer on the 64 of digits; 10⁻⁴ did best there of 10⁻⁵ to 3·10⁻³ before fine-tuning.
pub(crate) fn pretraining(options: &Options, training: &Training) -> PretrainingPlan {
    let output = Training {
        optimizer: Lbfgs::default().into(),
        epochs: options.pretraining_epochs.unwrap_or(PRETRAINING_EPOCHS),
        weight_decay: training.weight_decay,
        label_smoothing: training.label_smoothing,
        gradient_check: false, // it is checked for each layer before
        ..Training::default()
    };
    let target = options.sparsity.unwrap_or(PRETRAINING_SPARSITY);
    let hidden = Training {
        weight_decay: options.pretraining_weight_decay.unwrap_or(training.weight_decay),
        sparsity: Some(Sparsity { target, weight: sparsity_weight(options) }),
        label_smoothing: 0.0,
        ..output.clone()
    };
    PretrainingPlan { hidden, output }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ensemble_is_trained_unasked_where_nothing_is_described_and_the_rows_suit() {
        let plain = Options::default();
        assert_eq!([14, 15, 1_000_000].map(|rows| ensemble_size(&plain, rows)), [1, 5, 5]);
        assert_eq!(ensemble_size(&Options { hidden: Some(vec![8]), ..plain.clone() }, 500), 1);
        assert_eq!(ensemble_size(&Options { hidden: Some(vec![8]), ensemble: Some(3), ..plain }, 10), 3);
    }

    #[test]
    fn output_and_loss_follow_from_each_other_and_the_classes() {
        use Activation::{Identity, Sigmoid, Softmax};
        use Loss::{CrossEntropy, SquaredError};
        let of = |output_activation, loss, classes| {
            output_and_loss(&Options { output_activation, loss, ..Options::default() }, classes)
        };
        assert_eq!(of(None, None, Some(3)), (Softmax, CrossEntropy));
        assert_eq!(of(None, None, Some(2)), (Sigmoid, CrossEntropy));
        assert_eq!(of(None, None, None), (Identity, SquaredError));
        assert_eq!(of(None, Some(SquaredError), Some(3)), (Sigmoid, SquaredError));
        assert_eq!(of(Some(Softmax), None, Some(2)), (Softmax, CrossEntropy));
    }

    #[test]
    fn epochs_and_patience_follow_from_the_rows_the_networks_and_the_schedule() {
        let of = |options: &Options, rows, networks, validates| {
            let training = training(options, Task::Regression, (rows, 1), networks, validates).unwrap();
            (training.epochs, training.patience, training.tolerance)
        };
        let plain = Options::default();
        assert_eq!(of(&plain, 2000, 5, true), (100, 1, 0.01));
        let of_members = [2001, 33_333, 50_000, 100_000, 10_000_000].map(|rows| of(&plain, rows, 5, true));
        assert_eq!(of_members, [30, 30, 20, 10, 10].map(|epochs| (epochs, 1, 0.01)));
        assert_eq!(of(&plain, 2001, 1, true), (50, 1, 0.01));
        assert_eq!(of(&plain, 2001, 1, false), (50, 0, 1e-4));
        let sgd = Options { optimizer: OptimizerKind::Sgd, ..plain.clone() };
        assert_eq!(of(&sgd, 2001, 1, true), (200, 20, 1e-4));
        let lbfgs = Options { optimizer: OptimizerKind::Lbfgs, ..plain };
        assert_eq!(of(&lbfgs, 2001, 1, false), (200, 0, 1e-4));
    }

    #[test]
    fn the_defaults_of_other_optimizers_are_those_of_the_notes() {
        let options = Options { optimizer: OptimizerKind::GradientDescent, ..Options::default() };
        let of_notes = training(&options, Task::Classification, (100, 1), 1, true).unwrap();
        assert_eq!((of_notes.batch_size, of_notes.epochs, of_notes.weight_decay), (Some(BatchSize::Full), 200, 1e-4));
        assert_eq!(hidden_layers(&options), [(64, Activation::Tanh)]);
        let refused =
            training(&Options { beta2: Some(0.9), ..options }, Task::Regression, (100, 1), 1, true).unwrap_err();
        assert_eq!(refused.to_string(), "beta2 does not apply to the optimizer gradient-descent");
    }

    #[test]
    fn an_activation_is_that_of_all_hidden_layers_or_each_has_its_own() {
        use Activation::{Relu, Selu, Sigmoid, Tanh};
        let of = |hidden: Option<&[usize]>, activation| {
            let options = Options { hidden: hidden.map(Vec::from), activation, ..Options::default() };
            check_combinations(&options).map(|()| hidden_layers(&options)).map_err(|error| error.to_string())
        };
        let each = || Some(Activations::Each(vec![Tanh, Relu, Sigmoid]));
        assert_eq!(of(Some(&[5, 4]), None).unwrap(), [(5, Selu), (4, Selu)]);
        assert_eq!(of(Some(&[5, 4]), Some(Relu.into())).unwrap(), [(5, Relu), (4, Relu)]);
        assert_eq!(of(Some(&[5, 4, 3]), each()).unwrap(), [(5, Tanh), (4, Relu), (3, Sigmoid)]);
        assert_eq!(of(None, each()).unwrap(), [(64, Tanh), (64, Relu), (64, Sigmoid)]);
        let refusal = "activation: expected one name, or one for each hidden layer, of which there are 2, got 3 names";
        assert_eq!(of(Some(&[5, 4]), each()).unwrap_err(), refusal);
        assert!(of(Some(&[]), each()).is_err() && of(Some(&[]), Some(Relu.into())).unwrap().is_empty());
    }

    #[test]
    fn only_tables_of_more_than_a_million_rows_are_shuffled_in_smaller_windows() {
        for (rows, inputs, window) in [
            (1_000_000, 10_000, 1_000_000),
            (1_000_001, 4, 1_000_000),
            (1_000_001, 64, 131_072),
            (1_000_000_000, 10_000, 61_440),
            (2_000_000, 0, 1_000_000),
        ] {
            assert_eq!(shuffle_window(rows, inputs), window, "{rows} rows of {inputs}");
        }
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        let refused = |options: Options| check_combinations(&options).unwrap_err().to_string();
        let both = Options { ensemble: Some(3), autoencoder: true, ..Options::default() };
        assert_eq!(refused(both), "ensemble cannot be combined with autoencoder");
        assert_eq!(refused(Options { folds: Some(1), ..Options::default() }), "folds: expected at least 2, got 1");
        check_combinations(&Options::default()).unwrap();
    }
}
