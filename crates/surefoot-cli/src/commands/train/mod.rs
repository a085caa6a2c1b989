//! `surefoot train`

mod checkpoints;
mod data;
mod folds;
mod plan;
mod pretraining;
mod session;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use surefoot::{Dataset, Model, Network, Parameters, Scalar, StopReason, check_writable, draw_defaults};
use surefoot_table::{Encoding, Targets};

use crate::arguments::{Held, Precision, Settings, Train};
use crate::output::{Outcome, count, keep_inputs, listed, print_line, usage};
use checkpoints::Phase;
use data::Data;
use plan::Plan;
use session::{Ended, Fitted, Problem, Session};
use summary::{Pretrained, Scores, Summary};

const MAX_THREADS: usize = 1024;

pub fn run(train: Train) -> anyhow::Result<Outcome> {
    let (train, resumed) = match &train.resume {
        Some(path) => {
            let (train, resumed) = checkpoints::resume(path, &train)?;
            (train, Some(resumed))
        }
        None => (train, None),
    };
    let settings = &train.settings;
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = train.threads {
        if !(1..=MAX_THREADS).contains(&threads) {
            let message = format!("--threads: expected 1 to {MAX_THREADS}, got {threads}");
            return Err(usage(message, "leave it out for one thread a processor"));
        }
        pool = pool.num_threads(threads);
    }
    // beyond a limit on the size of files, writing is to fail, not to end the process
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let inputs = inputs(settings);
    let out = model_path(settings, &inputs)?;
    let data = Data::read(settings)?;
    let plan = Plan::new(settings, &data, &data.parts(settings)?)?;
    let mut session = Session::new(&train, resumed, &inputs, &out)?;
    let ended = pool.build()?.install(|| match settings.precision {
        Precision::F32 => fit::<f32>(&mut session, &data, &plan, &out),
        Precision::F64 => fit::<f64>(&mut session, &data, &plan, &out),
    });
    match ended {
        Ok(()) => Ok(Outcome::Done),
        Err(Ended::No) => Ok(Outcome::No),
        Err(Ended::Interrupted) => Ok(Outcome::Interrupted),
        Err(Ended::Failed(error)) => Err(error),
    }
}

/// What is read from, and not to be written over.
fn inputs(settings: &Settings) -> Vec<&Path> {
    let mut inputs = vec![Path::new(&settings.data)];
    inputs.extend(settings.target_file.as_ref().map(Path::new));
    for held in settings.validation.iter().chain(&settings.test) {
        if let Held::Data(file) = held {
            inputs.push(Path::new(file));
        }
    }
    inputs
}

/// Where the model goes; that it can go there is seen before training, not after.
fn model_path(settings: &Settings, inputs: &[&Path]) -> anyhow::Result<PathBuf> {
    let path = settings.out.clone().unwrap_or_else(|| {
        let mut name = match settings.data.as_str() {
            "-" => "model".into(),
            data => Path::new(data).file_stem().unwrap_or_default().to_os_string(),
        };
        name.push(".safetensors");
        name.into()
    });
    keep_inputs(&path, inputs)?;
    check_writable(&path).context("the model will have no place")?;
    Ok(path)
}

fn fit<T: Scalar>(session: &mut Session<'_>, tables: &Data, plan: &Plan, out: &Path) -> Result<(), Ended>
where
    Parameters: From<Vec<T>>,
{
    let settings = &session.train.settings;
    let Plan { network, loss, training, .. } = plan;
    let data = plan.data.cast::<T>().context("cannot use the data in this precision; --precision f64 may")?;
    let validation = plan.validation.as_ref().map(Dataset::cast::<T>).transpose()?;
    let test = plan.test.as_ref().map(Dataset::cast::<T>).transpose()?;
    let start = start::<T>(settings, network);
    let problem = Problem { training, network, loss: *loss, data: &data, validation: validation.as_ref() };
    let measure =
        |parameters: &[T], data: &Dataset<T>| -> surefoot::Result<Scores> { Scores::new(plan, parameters, data) };
    let measure_both = |parameters: &[T]| -> surefoot::Result<(Scores, Option<Scores>)> {
        Ok((measure(parameters, &data)?, validation.as_ref().map(|data| measure(parameters, data)).transpose()?))
    };

    session.say(heading(settings, tables, plan))?;
    session.check_gradient(&problem, &start)?;
    let folds = match settings.folds {
        Some(folds) => Some(folds::run::<T>(session, tables, folds)?),
        None => None,
    };
    let (start, pretrained) = match (&plan.pretraining, session.resumed.as_ref().map(|resumed| &resumed.phase)) {
        (None, _) => (start, None),
        (Some(_), Some(Phase::Training { pretrained })) => (start, pretrained.clone()), // it is behind us
        (Some(pretraining), _) => {
            let (start, costs) = pretraining::run(session, plan, pretraining, start, &data)?;
            let (training, validation) = measure_both(&start)?;
            let pretrained = Pretrained { costs, training, validation };
            session.say(pretrained.line(plan))?;
            (start, Some(pretrained))
        }
    };
    session.say("\n")?;
    let phase = Phase::Training { pretrained: pretrained.clone() };
    let Fitted { trained, epochs_before, seconds } = session.fit(&problem, start, &[], phase)?;
    let (on_training, on_validation) = measure_both(&trained.parameters)?;
    let summary = Summary {
        pretrained,
        stop_reason: trained.stop_reason,
        best_epoch: trained.best_epoch,
        epochs: trained.history.len(),
        epochs_before,
        steps: trained.steps,
        evaluations: trained.evaluations,
        seconds,
        training: on_training,
        validation: on_validation,
        test: test.as_ref().map(|data| measure(&trained.parameters, data)).transpose()?,
        folds,
    };
    save(session, &model(settings, tables, plan, trained.parameters.into(), &summary)?, out)?;
    if session.train.json {
        print_line(summary.json(plan, out))?;
    } else {
        session.say(summary.table(plan, out))?;
    }
    if !summary.training.cost.is_finite() || matches!(summary.stop_reason, StopReason::NotFinite { .. }) {
        eprintln!(
            "error: stopped {}\nhint: try a smaller --learning-rate or --weight-decay, or another --init",
            summary.stopped()
        );
        return Err(Ended::No);
    }
    Ok(())
}

/// θ before training.
fn start<T: Scalar>(settings: &Settings, network: &Network) -> Vec<T> {
    match settings.init {
        Some(initialization) => initialization.draw(network, settings.seed),
        None => draw_defaults(network, settings.seed),
    }
}

/// Writes the model; where that fails, the training is in its checkpoint, or the model goes elsewhere.
fn save(session: &Session<'_>, model: &Model, out: &Path) -> anyhow::Result<()> {
    let Err(error) = model.save(out) else { return Ok(()) };
    if let Some(checkpoints) = session.checkpoints.as_ref().filter(|checkpoints| checkpoints.is_kept()) {
        let hint = format!("the training is finished and kept; write the model with\n  {}", checkpoints.command());
        return Err(usage(chain(&error.into()), hint));
    }
    let name = out.file_name().unwrap_or_default();
    let elsewhere = || -> anyhow::Result<PathBuf> {
        let path = tempfile::Builder::new().prefix("surefoot-").tempdir()?.keep().join(name);
        model.save(&path)?;
        Ok(path)
    };
    match elsewhere() {
        Ok(path) => Err(usage(chain(&error.into()), format!("the model is at {} instead", path.display()))),
        Err(other) => Err(usage(chain(&error.into()), format!("nor could it be written elsewhere: {}", chain(&other)))),
    }
}

/// An error with its causes.
fn chain(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

/// The data and the network.
fn heading(settings: &Settings, tables: &Data, plan: &Plan) -> String {
    let Encoding { columns, target_columns, targets } = &plan.encoding;
    let column = &target_columns[0];
    let target = match targets {
        Targets::Numbers if settings.autoencoder => "which are the targets, too".into(),
        Targets::Classes(names) => format!("{} classes in column `{column}`", names.len()),
        Targets::Numbers => format!("numbers in column `{column}`"),
    };
    let kind = |name: &str| columns.iter().filter(|column| column.kind.name() == name).count();
    let kinds = [("number", kind("number")), ("yes/no", kind("yes/no")), ("category", kind("category"))];
    let kinds: Vec<String> = kinds.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    let inputs = plan.network.inputs();
    let inputs = match kinds.len() == 1 && inputs == columns.len() && kinds[0].ends_with("number") {
        true => count(inputs, "input"),
        false => format!("{} from {} ({})", count(inputs, "input"), count(columns.len(), "column"), kinds.join(", ")),
    };
    let table = &tables.table;
    let mut text = format!("{}: {}, {inputs}, {target}\n", table.file(), count(table.rows(), "row"));
    if plan.task_was_guessed_from_integers(settings) {
        text += "(classes, because they are integers with few values; --task regression takes them as numbers)\n";
    }
    let without_target = table.rows() - tables.rows().len();
    if without_target > 0 {
        text += &format!("left out: {} without a target\n", count(without_target, "row"));
    }
    text + &left_out(plan) + &format!("{}\n", plan.network)
}

/// The columns that are no inputs, by reason.
fn left_out(plan: &Plan) -> String {
    let mut reasons: Vec<&str> = plan.left_out.iter().map(|(_, why)| why.reason()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let line = |reason: &str| {
        let names: Vec<String> =
            plan.left_out.iter().filter(|(_, why)| why.reason() == reason).map(|(name, _)| name.clone()).collect();
        format!("left out: {} ({reason})\n", listed(&names))
    };
    reasons.into_iter().map(line).collect()
}

/// The model with all that a prediction needs, and how it came to be.
fn model(
    settings: &Settings,
    tables: &Data,
    plan: &Plan,
    parameters: Parameters,
    summary: &Summary,
) -> surefoot::Result<Model> {
    let Plan { network, loss, training, encoding, .. } = plan;
    let mut model = Model::new(network.clone(), parameters, *loss, training.weight_decay)?;
    model.task = plan.task;
    model.sparsity = training.sparsity;
    model.input_scaling.clone_from(&plan.input_scaling);
    model.target_scaling.clone_from(&plan.target_scaling);
    model.input_columns = encoding.input_names();
    model.encoding = encoding.to_json();
    model.target_columns.clone_from(&encoding.target_columns);
    if let Targets::Classes(names) = &encoding.targets {
        model.classes.clone_from(names);
    }
    model.training = summary.provenance(settings, tables, plan);
    Ok(model)
}
