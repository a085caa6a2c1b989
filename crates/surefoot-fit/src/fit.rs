//! The whole of a fit, from top to bottom.

use ndarray::Array2;
use surefoot::{DatasetView, Model, Parameters, Problem, Scalar};

use crate::error::{Error, Result};
use crate::events::{Events, Phase, Resume};
use crate::input::{Input, Source, find_target};
use crate::networks::{self, Trained};
use crate::options::{Options, Precision};
use crate::outcome::{Judged, JudgedOn, Outcome, Pretrained, Scores};
use crate::parts::Parts;
use crate::plan::{Examples, Part, Plan};
use crate::provenance::Provenance;
use crate::session::{Fitted, Session, device_of};
use crate::{cross_validation, dealing, importance, pretraining, recipe, warnings};

/// Trains what the options ask for, on this input.
///
/// It runs in the rayon pool that it is called from; the number of threads changes no bit.
///
/// # Errors
/// Options that are out of their range or exclude each other, data that cannot be used, a gradient that is wrong
/// ([`Error::Gradient`](crate::Error::Gradient)), and [`Error::Interrupted`](crate::Error::Interrupted) when `events` end it.
/// A training whose cost was not finite is an outcome, whose [`is_finite`](Outcome::is_finite) is false.
pub fn fit(options: &Options, input: Input<'_>, events: &mut dyn Events) -> Result<Outcome> {
    start(options, input, events, None)
}

/// Goes on from a checkpoint, with the options and the input of the fit that wrote it, to the same bits as without the break.
///
/// # Errors
/// As [`fit`], and when options or data are not those of the checkpoint.
pub fn resume(options: &Options, input: Input<'_>, events: &mut dyn Events, resume: Resume) -> Result<Outcome> {
    start(options, input, events, Some(resume))
}

fn start(options: &Options, input: Input<'_>, events: &mut dyn Events, resume: Option<Resume>) -> Result<Outcome> {
    recipe::check_combinations(options)?;
    if !matches!(input, Input::Tables(_)) {
        recipe::check_matrices(options)?;
    }
    match input {
        Input::Tables(tables) => {
            let target = find_target(tables, options)?;
            let target = target.as_ref();
            match options.precision {
                Precision::F32 => run::<f32>(options, &Source::Tables { tables, target }, events, resume),
                Precision::F64 => run::<f64>(options, &Source::Tables { tables, target }, events, resume),
            }
        }
        Input::F32(matrices) => run::<f32>(options, &Source::Matrices(&matrices), events, resume),
        Input::F64(matrices) => run::<f64>(options, &Source::Matrices(&matrices), events, resume),
    }
}

fn run<T: Scalar>(
    options: &Options,
    source: &Source<'_, T>,
    events: &mut dyn Events,
    resume: Option<Resume>,
) -> Result<Outcome>
where
    Parameters: From<Vec<T>>,
{
    let rows = source.rows(options)?;
    let parts = Parts::new(options, source, &rows)?;
    let (plan, examples) = Plan::new(options, source, &rows, &parts)?;
    let fold_parts = cross_validation::parts(options, source, &rows, &parts, plan.task)?;
    let mut session = Session::new(options, events, resume);
    let data = examples.training.view();
    let is_required = session.device.as_ref().is_some_and(|device| !device.is_optional());
    if is_required && device_of::<T>(&session.device).is_none() {
        let (expected, got) = ("f32, which a GPU computes with".into(), T::NAME.into());
        return Err(Error::Option { option: "precision", expected, got });
    }
    if let Some(ranks) = &session.ranks {
        dealing::check(&**ranks, options, &plan, fold_parts.len(), &data)?;
    }
    session.tell(|events| events.planned(&plan))?;
    let problem = Problem { task: plan.task, ..Problem::new(&plan.network, plan.loss, data) };
    let check = session.check_gradient(&plan.training, &problem)?;
    let folds = cross_validation::run(&session, source, &rows, &fold_parts)?;

    let (trained, pretrained) = match plan.is_ensemble() {
        true => (networks::train_ensemble(&mut session, &plan, data)?, None),
        false => one(&mut session, &plan, &examples)?,
    };
    let Trained { parameters, runs, members, seconds } = trained;
    let plan = plan.of_members(&members);
    let ranks = session.ranks.as_deref();
    let scores = |data: DatasetView<'_, T>| Scores::new(&plan, &parameters, data, ranks);
    let of_part = |part: &Option<Part<'_, T>>| part.as_ref().map(|part| scores(part.view())).transpose();
    let outputs = |data: DatasetView<'_, T>| -> Result<Array2<f64>> {
        Ok(plan.network.predict_ensemble(&parameters, data.inputs().view())?.mapv(|h| h.to_f64()))
    };
    let training = scores(data)?;
    let test = of_part(&examples.test)?;
    let (validation, held_out) = match plan.is_ensemble() {
        true => {
            let (scores, outputs, places) = networks::out_of_fold(&plan, data, &parameters)?;
            let rows = data.row_numbers(&places);
            (Some(scores), Some(Judged::new(JudgedOn::OutOfFold, data.rows_at(&rows)?, outputs)))
        }
        false => (of_part(&examples.validation)?, None),
    };
    let judged = match (&examples.test, held_out, &examples.validation) {
        (Some(test), ..) => Judged::new(JudgedOn::Test, test.view(), outputs(test.view())?),
        (None, Some(held_out), _) => held_out,
        (None, None, Some(part)) => Judged::new(JudgedOn::Validation, part.view(), outputs(part.view())?),
        (None, None, None) => Judged::new(JudgedOn::Training, data, outputs(data)?),
    };
    let importance = match options.importance {
        true => {
            let shown = examples.test.as_ref().or(examples.validation.as_ref()).unwrap_or(&examples.training);
            importance::of_columns(&plan, &parameters, shown.view())?
        }
        false => None,
    };
    let warnings = warnings::of_score(&plan, data, &judged)?;
    let provenance =
        Provenance { options, plan: &plan, runs: &runs, pretrained: pretrained.as_ref(), training, validation };
    let model = Model { training: provenance.json(), ..plan.model(parameters.into())? };
    let outcome = Outcome {
        model,
        check,
        runs,
        seconds,
        pretrained,
        training,
        validation,
        test,
        folds,
        judged,
        warnings,
        importance,
        plan: plan.clone(),
    };
    Ok(outcome)
}

/// Trains one network, after its layers where they are pretrained.
fn one<T: Scalar>(
    session: &mut Session<'_>,
    plan: &Plan,
    examples: &Examples<'_, T>,
) -> Result<(Trained<T>, Option<Pretrained>)> {
    let start = networks::start(plan, plan.training.seed);
    let (start, pretrained) = match (&plan.pretraining, session.resume.as_ref().map(Resume::phase)) {
        (None, _) => (start, None),
        (Some(_), Some(Phase::Training { pretrained })) => (start, pretrained.clone()), // it is behind us
        (Some(settings), _) => {
            let data = examples.training.view();
            let (start, costs) = pretraining::run(session, plan, settings, start, data)?;
            let validation = examples.validation.as_ref();
            let ranks = session.ranks.as_deref();
            let scores = |data: DatasetView<'_, T>| Scores::new(plan, &start, data, ranks);
            let validation = validation.map(|part| scores(part.view())).transpose()?;
            let pretrained = Pretrained { costs, training: scores(data)?, validation };
            session.tell(|events| events.pretrained(plan, &pretrained))?;
            (start, Some(pretrained))
        }
    };
    let Fitted { parameters, run } = networks::train_one(session, plan, examples, start, pretrained.clone())?;
    Ok((Trained { parameters, seconds: run.seconds, runs: vec![run], members: Vec::new() }, pretrained))
}
