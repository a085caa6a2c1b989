//! `surefoot train`

mod checkpoints;
mod data;
mod folds;
mod members;
mod plan;
mod pretraining;
mod recipe;
mod report;
mod session;
mod summary;
mod weights;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use ndarray::Array2;
use surefoot::{Dataset, Model, Network, Parameters, Scalar, check_writable, draw_defaults, remove_leftovers};
use surefoot_table::{Encoding, Targets};

use crate::arguments::{Held, Precision, Settings, Train};
use crate::output::{Outcome, count, keep_inputs, listed, print_line, usage};
use checkpoints::Phase;
use data::Data;
use members::Averaged;
use plan::Plan;
use report::{Measured, Report};
use session::{Ended, Fitted, Problem, Run, Session};
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
    let report = report::path(settings, &inputs, &out)?;
    if resumed.is_some() {
        // what a kill left half written
        [Some(&out), report.as_ref()].into_iter().flatten().for_each(|path| remove_leftovers(path));
    }
    let data = Data::read(settings)?;
    let plan = Plan::new(settings, &data, &data.parts(settings)?)?;
    folds::check(settings, &data)?;
    let mut session = Session::new(&train, plan.members.len(), resumed, &inputs, &out)?;
    let ended = pool.build()?.install(|| match settings.precision {
        Precision::F32 => fit::<f32>(&mut session, &data, &plan, &out, report.as_deref()),
        Precision::F64 => fit::<f64>(&mut session, &data, &plan, &out, report.as_deref()),
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

fn fit<T: Scalar>(
    session: &mut Session<'_>,
    tables: &Data,
    plan: &Plan,
    out: &Path,
    mut report: Option<&Path>,
) -> Result<(), Ended>
where
    Parameters: From<Vec<T>>,
{
    let settings = &session.train.settings;
    let data = plan.data.cast::<T>().context("cannot use the data in this precision; --precision f64 may")?;
    let validation = plan.validation.as_ref().map(Dataset::cast::<T>).transpose()?;
    let test = plan.test.as_ref().map(Dataset::cast::<T>).transpose()?;
    let learned = plan.smooth(Cow::Borrowed(&data))?;
    let Plan { network, loss, training, .. } = plan;
    let problem = Problem { training, network, loss: *loss, data: &learned, validation: validation.as_ref() };

    session.say(heading(settings, tables, plan))?;
    let check = session.check_gradient(&problem)?;
    let folds = match settings.folds {
        Some(folds) => Some(folds::run::<T>(session, tables, folds)?),
        None => None,
    };
    let Fit { network, parameters, runs, seconds, pretrained, held } = match plan.members.is_empty() {
        true => one(session, plan, &problem, &data)?,
        false => {
            session.say("\n")?;
            let Averaged { network, parameters, runs, seconds, scores, outputs } = members::run(session, plan, &data)?;
            Fit { network, parameters, runs, seconds, pretrained: None, held: Some((scores, outputs)) }
        }
    };
    let measure = |data: &Dataset<T>| Scores::new(plan, &network, &parameters, data);
    let summary = Summary {
        pretrained,
        runs,
        seconds,
        training: measure(&data)?,
        validation: held.as_ref().map(|(scores, _)| scores.clone()),
        test: test.as_ref().map(measure).transpose()?,
        folds,
    };
    let model = model(settings, tables, plan, network.clone(), parameters.clone().into(), &summary)?;
    save(session, &model, out)?;
    if let Some(path) = report {
        let outputs = |part: &Dataset<T>| network.predict(&parameters, part.inputs());
        let measured = match (&test, held) {
            (Some(test), _) => Measured::new("test", test, outputs(test)?.mapv(|h| h.to_f64())),
            (None, Some((_, held))) => match &validation {
                Some(validation) => Measured::new("validation", validation, held),
                None => Measured::new("held back", &data, held),
            },
            (None, None) => Measured::new("training", &data, outputs(&data)?.mapv(|h| h.to_f64())),
        };
        let shown = test.as_ref().or(validation.as_ref()).unwrap_or(&data);
        let ranking = report::rank_columns(&network, &parameters, plan, shown)?;
        let command = session.command();
        let page = Report { tables, plan, model: &model, summary: &summary, check, measured, ranking, command };
        if let Err(error) = page.write(path) {
            eprintln!("warning: no report: {error:#}"); // the model is there
            report = None;
        }
    }
    if session.train.json {
        print_line(summary.json(plan, &network, out, report))?;
    } else {
        session.say(summary.curve())?;
        session.say(summary.table(plan, out, report))?;
    }
    if !summary.is_finite() {
        eprintln!(
            "error: stopped {}\nhint: try a smaller --learning-rate or --weight-decay, or another --init",
            summary.stopped()
        );
        return Err(Ended::No);
    }
    Ok(())
}

/// What was trained.
struct Fit<T> {
    network: Network,
    parameters: Vec<T>,
    runs: Vec<Run>,
    /// Of the epochs of this process, with their validation passes.
    seconds: f64,
    pretrained: Option<Pretrained>,
    /// Scores on rows that were not learned from, and the predictions there.
    held: Option<(Scores, Array2<f64>)>,
}

/// Trains one network, after its layers where they are pretrained.
fn one<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    problem: &Problem<'_, T>,
    data: &Dataset<T>,
) -> Result<Fit<T>, Ended> {
    let Problem { network, validation, .. } = problem;
    let measure = |parameters: &[T], data| Scores::new(plan, network, parameters, data);
    let start = start::<T>(&session.train.settings, network, plan.training.seed);
    let (start, pretrained) = match (&plan.pretraining, session.resumed.as_ref().map(|resumed| &resumed.phase)) {
        (None, _) => (start, None),
        (Some(_), Some(Phase::Training { pretrained })) => (start, pretrained.clone()), // it is behind us
        (Some(pretraining), _) => {
            let (start, costs) = pretraining::run(session, plan, pretraining, start, problem.data)?;
            let validation = validation.map(|data| measure(&start, data)).transpose()?;
            let pretrained = Pretrained { costs, training: measure(&start, data)?, validation };
            session.say(pretrained.line(plan))?;
            (start, Some(pretrained))
        }
    };
    session.say("\n")?;
    let phase = Phase::Training { pretrained: pretrained.clone() };
    let Fitted { parameters, run } = session.fit(problem, start, &[], phase)?;
    let held = match validation {
        None => None,
        Some(validation) => {
            let outputs = network.predict(&parameters, validation.inputs())?.mapv(|h| h.to_f64());
            Some((measure(&parameters, validation)?, outputs))
        }
    };
    Ok(Fit { network: (*network).clone(), parameters, seconds: run.seconds, runs: vec![run], pretrained, held })
}

/// θ before training.
fn start<T: Scalar>(settings: &Settings, network: &Network, seed: u64) -> Vec<T> {
    match recipe::initialization(settings) {
        Some(initialization) => initialization.draw(network, seed),
        None => draw_defaults(network, seed),
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
    text += &left_out(plan);
    text += &format!("{}\n", plan.network);
    if !plan.members.is_empty() {
        let (members, others) = (plan.members.len(), plan.members.len() - 1);
        text += &format!(
            "{members} of them, each learned from {others}/{members} of the rows and stopped by the others, are averaged into one\n"
        );
    }
    text
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
    network: Network,
    parameters: Parameters,
    summary: &Summary,
) -> surefoot::Result<Model> {
    let Plan { loss, training, encoding, .. } = plan;
    let mut model = Model::new(network, parameters, *loss, training.weight_decay)?;
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
