//! The errors of a fit, with the names that its options have on the command line.

use surefoot_fit::{Error, Role};

use crate::output::{count, thousands, usage};

/// The flag of an option.
fn flag(option: &str) -> String {
    let name = match option {
        "pretraining" => "pretrain",
        "pretraining_epochs" => "pretrain-epochs",
        "pretraining_weight_decay" => "pretrain-weight-decay",
        "initialization" => "init",
        other => other,
    };
    format!("--{}", name.replace('_', "-"))
}

/// The error as the command tells it, with what to do about it.
pub fn refusal(error: Error) -> anyhow::Error {
    match error {
        Error::Config { message } => usage(message.trim_end(), "surefoot train DATA --print-config shows the format"),
        Error::Option { option, expected, got } => {
            let hint = match option {
                "label_smoothing" => "0.1 is usual, 0 is none",
                "precision" => "--device cpu trains in double precision",
                _ => "--help lists the ranges and defaults of all options",
            };
            usage(format!("{}: expected {expected}, got {got}", flag(option)), hint)
        }
        Error::Conflict { option, other } => {
            usage(format!("{} cannot be combined with {}", flag(option), flag(other)), "omit one of them")
        }
        Error::NotOfOptimizer { option, optimizer, instead } => {
            let flag = flag(option);
            let message = format!("{flag} does not apply to the optimizer {optimizer}");
            usage(message, format!("use --optimizer {instead}, or omit {flag}"))
        }
        Error::NeedsClasses { option, what } => {
            usage(format!("{what} needs classes, but the target is numeric"), format!("omit {}", flag(option)))
        }
        Error::TwoRoles { column, first, second } => {
            let is_target = second == Role::Target && matches!(first, Role::Numeric | Role::Categorical);
            let hint = if is_target { "--task says what the target is" } else { "omit one of them" };
            let (first, second) = (flag(first.option()), flag(second.option()));
            usage(format!("column `{column}` is named by both {first} and {second}"), hint)
        }
        Error::TooLarge { parameters } => {
            let message = format!("a network of {} parameters is too large", thousands(parameters as u64));
            usage(message, "use fewer units with --hidden")
        }
        Error::NoTargets { table } => usage(format!("{table} has no row with a target"), "choose another table"),
        Error::SmallFolds { folds, rows } => {
            let message = format!("--folds {folds} leaves {} for a fold, too few for R²", count(rows, "row"));
            usage(message, "use fewer folds")
        }
        Error::NotShared { batch, ranks } => {
            let message = format!(
                "a step of {} is too short to be shared by {ranks} processes: batches of at most 512 rows are computed by one of them",
                count(batch, "row")
            );
            let hint = "use --optimizer lbfgs or --batch-size 4096, train an --ensemble, or omit --distributed and train in one process";
            usage(message, hint)
        }
        Error::Rank { rank, message } => {
            usage(format!("rank {rank}: {message}"), "all processes need the same data and arguments")
        }
        Error::Context { doing, source } => refusal(*source).context(format!("cannot {doing}")),
        Error::Table(error) => error.into(),
        Error::Library(error) => error.into(),
        other => other.into(),
    }
}
