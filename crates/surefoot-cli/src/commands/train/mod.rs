//! `surefoot train`

mod plan;
mod pretraining;
mod summary;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use surefoot::{
    Dataset, GradientCheck, GradientReport, Loss, Model, Network, Objective, Parameters, Purpose, Random, Scalar,
    StopReason, Training, check_writable, draw_defaults,
};
use surefoot_table::Targets;

use super::check;
use crate::arguments::{Precision, Train, Validation};
use crate::output::{Outcome, count, keep_inputs, print, print_line, thousands, usage};
use crate::progress::Progress;
use plan::Plan;
use pretraining::Stopped;
use summary::{Pretrained, Scores, Summary};

/// Rows and coordinates that the gradient is checked on before training; fewer rows for networks so large that they
/// would take more than about a second.
const CHECKED_ROWS: usize = 100;
const LEAST_CHECKED_ROWS: usize = 5;
const CHECKED_ROWS_TIMES_PARAMETERS: usize = 10_000_000;
const CHECKED_COORDINATES: usize = 200;
const MAX_THREADS: usize = 1024;

pub fn run(arguments: &Train) -> anyhow::Result<Outcome> {
    let out = model_path(arguments)?;
    let plan = Plan::new(arguments)?;
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = arguments.threads {
        if !(1..=MAX_THREADS).contains(&threads) {
            let message = format!("--threads: expected 1 to {MAX_THREADS}, got {threads}");
            return Err(usage(message, "leave it out for one thread a processor"));
        }
        pool = pool.num_threads(threads);
    }
    let train = || match arguments.precision {
        Precision::F32 => train::<f32>(arguments, &plan, &out),
        Precision::F64 => train::<f64>(arguments, &plan, &out),
    };
    pool.build()?.install(train)
}

/// Where the model goes; that it can go there is seen before training, not after.
fn model_path(arguments: &Train) -> anyhow::Result<PathBuf> {
    let path = arguments.out.clone().unwrap_or_else(|| {
        let mut name = Path::new(&arguments.data).file_stem().unwrap_or_default().to_os_string();
        name.push(".safetensors");
        name.into()
    });
    let validation = match &arguments.validation {
        Some(Validation::Data(file)) => Path::new(file),
        _ => Path::new(&arguments.data),
    };
    let labels = arguments.target_file.as_ref().unwrap_or(&arguments.data);
    keep_inputs(&path, &[Path::new(&arguments.data), Path::new(labels), validation])?;
    check_writable(&path).context("the model will have no place")?;
    Ok(path)
}

fn train<T: Scalar>(arguments: &Train, plan: &Plan, out: &Path) -> anyhow::Result<Outcome>
where
    Parameters: From<Vec<T>>,
{
    let Plan { network, loss, training, task, .. } = plan;
    let data = plan.data.cast::<T>().context("cannot use the data in this precision; --precision f64 may")?;
    let validation = plan.validation.as_ref().map(Dataset::cast::<T>).transpose()?;
    let start: Vec<T> = match arguments.init {
        Some(initialization) => initialization.draw(network, arguments.seed),
        None => draw_defaults(network, arguments.seed),
    };
    if talks(arguments) {
        print(heading(arguments, plan))?;
    }
    if !arguments.no_check && !check_gradient(arguments, training, network, *loss, &start, &data)? {
        return Ok(Outcome::No);
    }
    let measure = |parameters: &[T], data: &Dataset<T>| -> surefoot::Result<Scores> {
        let cost = training.cost(network, *loss, data)?.cost(parameters);
        let outputs = network.predict(parameters, data.inputs())?;
        Ok(Scores { cost, score: task.score(outputs.view(), data.targets()) })
    };
    let measure_both = |parameters: &[T]| -> surefoot::Result<(Scores, Option<Scores>)> {
        Ok((measure(parameters, &data)?, validation.as_ref().map(|data| measure(parameters, data)).transpose()?))
    };

    let (start, pretrained) = match &plan.pretraining {
        None => (start, None),
        Some(settings) => match pretraining::run(arguments, plan, settings, start, &data) {
            Ok((start, costs)) => {
                let (training, validation) = measure_both(&start)?;
                let pretrained = Pretrained { costs, training, validation };
                if talks(arguments) {
                    print(pretrained.line(plan))?;
                }
                (start, Some(pretrained))
            }
            Err(Stopped::No) => return Ok(Outcome::No),
            Err(Stopped::Failed(error)) => return Err(error),
        },
    };

    if talks(arguments) {
        print("\n")?;
    }
    let mut progress = Progress::new(training.epochs, None, arguments.json, arguments.quiet);
    let clock = Instant::now();
    let trained = training
        .fit(network, *loss, start, &data, validation.as_ref(), &mut progress)
        .with_context(|| format!("cannot train on {}", plan.table.file()))?;
    let seconds = clock.elapsed().as_secs_f64();
    progress.finish();
    if let Some(failure) = progress.failure {
        return Err(failure);
    }

    let (on_training, on_validation) = measure_both(&trained.parameters)?;
    let summary = Summary {
        pretrained,
        stop_reason: trained.stop_reason,
        best_epoch: trained.best_epoch,
        epochs: trained.history.len(),
        steps: trained.steps,
        evaluations: trained.evaluations,
        seconds,
        training: on_training,
        validation: on_validation,
    };
    model(arguments, plan, trained.parameters.into(), &summary)?.save(out)?;
    if arguments.json {
        print_line(summary.json(plan, out))?;
    } else if talks(arguments) {
        print(summary.table(plan, out))?;
    }
    if !summary.training.cost.is_finite() || matches!(summary.stop_reason, StopReason::NotFinite { .. }) {
        eprintln!(
            "error: stopped {}\nhint: try a smaller --learning-rate or --weight-decay, or another --init",
            summary.stopped()
        );
        return Ok(Outcome::No);
    }
    Ok(Outcome::Done)
}

/// Whether the run tells people how it goes.
fn talks(arguments: &Train) -> bool {
    !arguments.quiet && !arguments.json
}

/// Whether the gradient of a cost is right at the start, on some rows of the training part and some coordinates; where it
/// is not, says so.
fn check_gradient<T: Scalar>(
    arguments: &Train,
    training: &Training,
    network: &Network,
    loss: Loss,
    start: &[T],
    data: &Dataset<T>,
) -> anyhow::Result<bool> {
    let affordable = CHECKED_ROWS_TIMES_PARAMETERS / network.parameter_count();
    let count = affordable.clamp(LEAST_CHECKED_ROWS, CHECKED_ROWS);
    let rows = Random::new(training.seed, Purpose::GradientCheck, 0).sample(data.rows(), count);
    let some = data.select(&rows)?.cast::<f64>()?;
    let mut cost = training.cost(network, loss, &some)?;
    let start: Vec<f64> = start.iter().map(|x| x.to_f64()).collect();
    let check = GradientCheck { sample: Some(CHECKED_COORDINATES), seed: training.seed, ..GradientCheck::default() };
    let report = check.run(&mut cost, &start)?;
    if report.total.wrong > 0 {
        eprint!("{}", check::table(&report));
        eprintln!("error: not trained, because the gradient is wrong\nhint: --no-check trains all the same");
        return Ok(false);
    }
    if talks(arguments) {
        print(check_line(&report))?;
    }
    Ok(true)
}

fn check_line(report: &GradientReport) -> String {
    let kinks = match report.total.kinks {
        0 => String::new(),
        kinks => format!(", {kinks} on kinks left out"),
    };
    let verdict = if report.passed() { "passed" } else { "both gradients are zero or too small to compare" };
    let (checked, all) = (thousands(report.total.checked as u64), thousands(report.parameters as u64));
    format!(
        "gradient check: {checked} of {all} coordinates, difference {:.1e}{kinks}: {verdict}\n",
        report.total.difference
    )
}

/// The data and the network.
fn heading(arguments: &Train, plan: &Plan) -> String {
    let column = &plan.encoding.target_columns[0];
    let target = match &plan.encoding.targets {
        Targets::Numbers if arguments.autoencoder => "which are the targets, too".into(),
        Targets::Classes(names) => format!("{} classes in column `{column}`", names.len()),
        Targets::Numbers => format!("numbers in column `{column}`"),
    };
    let guess = match plan.task_was_guessed_from_integers(arguments) {
        true => "\n(classes, because they are integers with few values; --task regression takes them as numbers)",
        false => "",
    };
    let inputs = count(plan.encoding.input_columns.len(), "input");
    let file = plan.table.file();
    format!("{file}: {}, {inputs}, {target}{guess}\n{}\n", count(plan.table.rows(), "row"), plan.network)
}

/// The model with all that a prediction needs, and how it came to be.
fn model(arguments: &Train, plan: &Plan, parameters: Parameters, summary: &Summary) -> surefoot::Result<Model> {
    let Plan { network, loss, training, encoding, .. } = plan;
    let mut model = Model::new(network.clone(), parameters, *loss, training.weight_decay)?;
    model.task = plan.task;
    model.sparsity = training.sparsity;
    model.input_scaling.clone_from(&plan.input_scaling);
    model.target_scaling.clone_from(&plan.target_scaling);
    model.input_columns.clone_from(&encoding.input_columns);
    model.target_columns.clone_from(&encoding.target_columns);
    if let Targets::Classes(names) = &encoding.targets {
        model.classes.clone_from(names);
    }
    model.training = summary.provenance(arguments, plan);
    Ok(model)
}
