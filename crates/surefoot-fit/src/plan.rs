//! Everything that follows from the options and the data before training.

use std::borrow::Cow;

use ndarray::{Array2, Axis};
use surefoot::{Activation, Dataset, DatasetView, Loss, Model, Network, Parameters, Scalar, Scaling, Task, Training};
use surefoot_table::{Encoding, Excluded, Note, Table, Target, Targets};

use crate::class_weights::balanced;
use crate::error::{Context, Error, Result};
use crate::input::{Matrices, Rows, Source, Tables, roles, rows_with_targets};
use crate::options::{Options, Pretraining};
use crate::parts::{HeldOut, Parts};
use crate::recipe::{self, PretrainingPlan};

/// More parameters than this do not fit in the memory of any machine that we know of, with their moments.
const MAX_PARAMETERS: usize = 10_000_000_000;

/// What is trained, and how: all that is decided before the first step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// How the columns of a table become inputs and targets; `None` for matrices.
    pub encoding: Option<Encoding>,
    /// The columns that are excluded, and why.
    pub excluded: Vec<(String, Excluded)>,
    /// What was settled of tables and columns where it could have been otherwise.
    pub notes: Vec<Note>,
    /// The target column; `None` for matrices and autoencoders.
    pub target: Option<Target>,
    /// Whether the classes were taken from integers, which could be numbers, too.
    pub classes_are_integers: bool,
    /// What is predicted.
    pub task: Task,
    /// The layers, of each network of an ensemble.
    pub network: Network,
    /// The loss.
    pub loss: Loss,
    /// The settings of the run.
    pub training: Training,
    /// Those of pretraining.
    pub pretraining: Option<PretrainingPlan>,
    /// The initialization, where it does not follow from the activations.
    pub initialization: Option<surefoot::Initialization>,
    /// Applied to inputs.
    pub input_scaling: Option<Scaling>,
    /// Reverted on outputs.
    pub target_scaling: Option<Scaling>,
    /// Rows to learn from.
    pub rows: usize,
    /// Rows to validate on, 0 without; of an ensemble see [`members`](Self::members).
    pub validation_rows: usize,
    /// Rows to test on, 0 without.
    pub test_rows: usize,
    /// For each network of an ensemble its rows, by their places among the training rows; empty for one network.
    pub members: Vec<Member>,
}

/// The rows of one network of an ensemble.
#[derive(Clone, Debug)]
pub struct Member {
    /// Those that it learns from.
    pub training: Vec<usize>,
    /// Those that it is validated on.
    pub validation: Vec<usize>,
}

/// The examples of a plan, as the network sees them.
pub(crate) struct Examples<'a, T> {
    pub training: Part<'a, T>,
    pub validation: Option<Part<'a, T>>,
    pub test: Option<Part<'a, T>>,
}

/// Examples of our own, or where they lie.
pub(crate) enum Part<'a, T> {
    Owned(Dataset<T>),
    View(DatasetView<'a, T>),
}

impl<T: Scalar> Part<'_, T> {
    pub fn view(&self) -> DatasetView<'_, T> {
        match self {
            Part::Owned(data) => data.view(),
            Part::View(view) => *view,
        }
    }
}

impl Plan {
    /// Whether it is an ensemble that is trained.
    pub fn is_ensemble(&self) -> bool {
        !self.members.is_empty()
    }

    /// The model of this plan with these parameters: with all that a prediction needs, without how it was trained.
    ///
    /// # Errors
    /// What [`Model::new`] refuses: parameters that are not as many as the network has, or not finite.
    pub fn model(&self, parameters: Parameters) -> Result<Model> {
        let mut model = Model::new(self.network.clone(), parameters, self.loss, self.training.weight_decay)
            .context(|| "make a model".into())?;
        model.task = self.task;
        model.sparsity = self.training.sparsity;
        model.input_scaling.clone_from(&self.input_scaling);
        model.target_scaling.clone_from(&self.target_scaling);
        if let Some(encoding) = &self.encoding {
            model.input_columns = encoding.input_names();
            model.encoding = encoding.to_json();
            model.target_columns.clone_from(&encoding.target_columns);
            if let Targets::Classes(names) = &encoding.targets {
                model.classes.clone_from(names);
            }
        }
        Ok(model)
    }

    /// The plan of an ensemble of which only these networks were trained; of a single network as it is.
    pub(crate) fn of_members(self, kept: &[usize]) -> Self {
        let member = |&place: &usize| self.members.get(place).cloned();
        Plan { members: kept.iter().filter_map(member).collect(), ..self }
    }

    /// Whether the inputs are the targets.
    pub fn is_autoencoder(&self) -> bool {
        self.encoding.as_ref().is_some_and(Encoding::is_autoencoder)
    }

    /// The plan for these parts of an input, with its examples.
    pub(crate) fn new<'a, T: Scalar>(
        options: &Options,
        source: &Source<'a, T>,
        rows: &Rows,
        parts: &'a Parts,
    ) -> Result<(Plan, Examples<'a, T>)> {
        match source {
            Source::Tables { tables, target } => of_tables(options, tables, *target, rows, parts),
            Source::Matrices(matrices) => of_matrices(options, matrices, parts),
        }
    }
}

/// The network and how it is trained, from what is known of the data.
struct Layout {
    network: Network,
    loss: Loss,
    label_smoothing: f64,
}

impl Layout {
    fn new(options: &Options, inputs: usize, targets: usize, classes: Option<usize>) -> Result<Self> {
        let (output, loss) = recipe::output_and_loss(options, classes);
        let outputs = match classes {
            None => targets,
            Some(2) if output != Activation::Softmax => 1,
            Some(classes) => classes,
        };
        let label_smoothing = recipe::label_smoothing(options, classes, loss);
        recipe::check_targets(options, classes, output, loss, label_smoothing)?;
        let mut layers = recipe::hidden_layers(options);
        layers.push((outputs, output));
        let network = Network::new(inputs, &layers)?;
        match network.parameter_count() {
            parameters if parameters > MAX_PARAMETERS => Err(Error::TooLarge { parameters }),
            _ => Ok(Layout { network, loss, label_smoothing }),
        }
    }

    /// The whole plan. What the cost refuses of the examples is refused here, before anything is trained.
    fn plan<T: Scalar>(self, options: &Options, task: Task, parts: &Parts, examples: &Examples<'_, T>) -> Result<Plan> {
        let Layout { network, loss, label_smoothing } = self;
        let rows = |part: &Option<Part<'_, T>>| part.as_ref().map_or(0, |part| part.view().rows());
        let data = examples.training.view();
        let validates = examples.validation.is_some() || !parts.ensemble.is_empty();
        let networks = parts.ensemble.len().max(1);
        let training = Training {
            label_smoothing,
            ..recipe::training(options, task, (data.rows(), data.inputs_per_row()), networks, validates)?
        };
        training.check()?;
        training.cost(&network, loss, data)?;
        let pretraining =
            options.pretraining.map(|Pretraining::SparseAutoencoder| recipe::pretraining(options, &training));
        if let Some(pretraining) = &pretraining {
            pretraining.hidden.cost(&network, loss, data)?;
        }
        Ok(Plan {
            encoding: None,
            excluded: Vec::new(),
            notes: Vec::new(),
            target: None,
            classes_are_integers: false,
            task,
            network,
            loss,
            training,
            pretraining,
            initialization: recipe::initialization(options),
            input_scaling: None,
            target_scaling: None,
            rows: data.rows(),
            validation_rows: rows(&examples.validation),
            test_rows: rows(&examples.test),
            members: members(parts),
        })
    }
}

fn of_matrices<'a, T: Scalar>(
    options: &Options,
    matrices: &Matrices<'a, T>,
    parts: &'a Parts,
) -> Result<(Plan, Examples<'a, T>)> {
    let Matrices { task, data, validation, test } = *matrices;
    let classes = (task == Task::Classification).then(|| data.targets_per_row().max(2));
    let layout = Layout::new(options, data.inputs_per_row(), data.targets_per_row(), classes)?;
    let held_out = |part: &'a HeldOut, given: Option<DatasetView<'a, T>>| -> Result<Option<Part<'a, T>>> {
        match part {
            HeldOut::Nothing => Ok(None),
            HeldOut::Rows(rows) => Ok(Some(Part::View(data.rows_at(rows)?))),
            HeldOut::Given => Ok(given.map(Part::View)),
        }
    };
    let examples = Examples {
        training: Part::View(data.rows_at(&parts.training)?),
        validation: held_out(&parts.validation, validation)?,
        test: held_out(&parts.test, test)?,
    };
    Ok((layout.plan(options, task, parts, &examples)?, examples))
}

fn of_tables<'a, T: Scalar>(
    options: &Options,
    tables: &Tables,
    target: Option<&Target>,
    rows: &Rows,
    parts: &Parts,
) -> Result<(Plan, Examples<'a, T>)> {
    let table = &tables.table;
    let mut notes = table.notes().to_vec();
    let (encoding, scaling, excluded) = match target {
        None => (Encoding::of_autoencoder(table, options.target.as_deref())?, None, Vec::new()),
        Some(target) => {
            let learned = Encoding::learn(table, &parts.training, target, &roles(options))?;
            notes.extend(learned.notes);
            (learned.encoding, Some(learned.scaling), learned.excluded)
        }
    };
    let classes = match &encoding.targets {
        Targets::Classes(names) => Some(names.len()),
        Targets::Numbers => None,
    };
    let layout = Layout::new(options, encoding.input_names().len(), encoding.target_columns.len(), classes)?;
    let (outputs, output) = (layout.network.outputs(), layout.network.output_activation());
    // only the common scaling of an autoencoder, and that of numeric targets, look at all numbers before they are encoded
    let plain_inputs = || encoding.inputs(table, &parts.training);
    let plain_targets = || encoding.targets(table, &parts.training, outputs);
    let (input_scaling, target_scaling) = match (options.autoencoder, classes) {
        (true, _) => {
            let both = common_scaling_onto(output, &plain_inputs()?);
            (both.clone(), both)
        }
        (false, classes) => {
            let inputs = match options.pretraining {
                Some(_) => common_scaling_onto(layout.network.layers()[0].activation, &plain_inputs()?),
                None => scaling,
            };
            (inputs, if classes.is_none() { scaling_onto(output, &plain_targets()?) } else { None })
        }
    };
    let matrices = |table: &Table, rows: &[usize]| -> Result<(Array2<T>, Array2<T>)> {
        let inputs = encoding.inputs_as(table, rows, input_scaling.as_ref())?;
        Ok((inputs, encoding.targets_as(table, rows, outputs, target_scaling.as_ref())?))
    };
    let balance = match (options.class_weight, &rows.classes) {
        (Some(_), Some(classes)) => Some(balanced(classes, &parts.training)),
        _ => None,
    };
    let weighted = |numbers: (Array2<T>, Array2<T>), table: &Table, rows: &[usize], balance: Option<&Vec<f64>>| {
        let weights = weights(options, table, rows, target.zip(balance))?;
        let examples = Dataset::new(numbers.0, numbers.1)?;
        Ok::<_, Error>(Part::Owned(match weights {
            Some(weights) => examples.with_weights(weights.into_iter().map(T::from_f64).collect())?,
            None => examples,
        }))
    };
    let held_out = |part: &HeldOut, given: Option<&Table>, what: &str, balance| {
        let (table, rows) = match (part, given) {
            (HeldOut::Rows(rows), _) => (table, Cow::Borrowed(&rows[..])),
            (HeldOut::Given, Some(given)) => {
                let rows = rows_with_targets(given, target).context(|| format!("use the {what} data"))?;
                (given, rows.into())
            }
            _ => return Ok(None),
        };
        let numbers = matrices(table, &rows).context(|| format!("use the {what} data"))?;
        weighted(numbers, table, &rows, balance).context(|| format!("use the {what} part")).map(Some)
    };
    let training = matrices(table, &parts.training)?;
    let validation = held_out(&parts.validation, tables.validation.as_ref(), "validation", balance.as_ref())?;
    let test = held_out(&parts.test, tables.test.as_ref(), "test", None)?;
    let training =
        weighted(training, table, &parts.training, balance.as_ref()).context(|| "use the training part".into())?;
    let examples = Examples { training, validation, test };
    let task = if classes.is_some() { Task::Classification } else { Task::Regression };
    let classes_are_integers = match &encoding.targets {
        Targets::Classes(names) => {
            options.task.is_none() && names.iter().all(|name| name.parse().is_ok_and(|n: f64| n.to_string() == *name))
        }
        Targets::Numbers => false,
    };
    let plan = Plan {
        encoding: Some(encoding),
        excluded,
        notes,
        target: target.cloned(),
        classes_are_integers,
        input_scaling,
        target_scaling,
        ..layout.plan(options, task, parts, &examples)?
    };
    Ok((plan, examples))
}

/// The weights of the rows of a table: those of a column, times those of their classes. `None`: all count 1.
fn weights(
    options: &Options,
    table: &Table,
    rows: &[usize],
    balance: Option<(&Target, &Vec<f64>)>,
) -> Result<Option<Vec<f64>>> {
    let mut weights = match &options.sample_weight {
        Some(name) => Some(table.weights(table.column(name)?, rows)?),
        None => None,
    };
    if let Some((target, balance)) = balance {
        let target = Target { column: table.column(&target.name)?, ..target.clone() };
        let classes = target.classes(table).unwrap_or_default();
        let weights = weights.get_or_insert_with(|| vec![1.0; rows.len()]);
        weights.iter_mut().zip(rows).for_each(|(weight, &row)| *weight *= balance[classes[row]]);
    }
    Ok(weights)
}

/// The rows of each network of an ensemble, by their places among the training rows, which are ascending.
fn members(parts: &Parts) -> Vec<Member> {
    let of = |held_out: &Vec<usize>| {
        let is_held_out = |place: &usize| held_out.binary_search(&parts.training[*place]).is_ok();
        let (validation, training) = (0..parts.training.len()).partition(is_held_out);
        Member { training, validation }
    };
    parts.ensemble.iter().map(of).collect()
}

/// Numbers as targets, brought to where the output activation can reach them; counts stay as they are.
fn scaling_onto(output: Activation, targets: &Array2<f64>) -> Option<Scaling> {
    Some(match output {
        Activation::Exp => return None,
        Activation::Identity => Scaling::standard(targets.view()),
        Activation::Tanh => Scaling::range(targets.view(), -1.0, 1.0),
        _ => Scaling::range(targets.view(), 0.0, 1.0),
    })
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
