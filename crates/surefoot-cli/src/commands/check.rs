//! `surefoot check`

use std::path::Path;

use anyhow::Context;
use serde_json::json;
use surefoot::gradient_check::Comparison;
use surefoot::{
    Activation, Dataset, GradientCheck, GradientReport, Loss, Model, Network, Parameters, Purpose, Random,
    draw_defaults,
};
use surefoot_table::{BUILTIN, Encoding, Part, Source, Target};

use super::bits;
use crate::arguments::Check;
use crate::output::{Ending, keep_inputs, print, print_line, short, thousands, usage};

/// More coordinates than this are sampled, unless `--sample` says how many.
const ALL_UP_TO: usize = 10_000;
const DEFAULT_SAMPLE: usize = 1_000;
/// Of large networks on many rows fewer, so that it takes no more than about half a minute.
const LEAST_SAMPLE: usize = 100;
const ROWS_TIMES_PARAMETERS: usize = 50_000_000_000;
/// Rows of digits that the network without a model is checked on.
const DIGITS_ROWS: usize = 200;
/// Random examples for a model without data.
const RANDOM_ROWS: usize = 32;

pub fn run(arguments: &Check) -> anyhow::Result<Ending> {
    if arguments.bits {
        return bits::run(arguments.json);
    }
    if let Some(model) = &arguments.model {
        let name = model.to_string_lossy();
        if BUILTIN.iter().any(|builtin| name == builtin.name) && !model.exists() {
            return Err(usage(format!("`{name}` is not a model file"), "the first argument is MODEL, the second DATA"));
        }
        if let Some(gradient) = &arguments.gradient {
            let data = arguments.data.iter().map(Path::new);
            keep_inputs(gradient, &std::iter::once(model.as_path()).chain(data).collect::<Vec<_>>())?;
        }
    }
    let (model, data, what) = match (&arguments.model, &arguments.data) {
        (None, _) => network_on_digits()?,
        (Some(path), None) => {
            let model = Model::load(path)?.merged()?;
            let data = model.random_examples(RANDOM_ROWS)?;
            (model, data, format!("{RANDOM_ROWS} random examples"))
        }
        (Some(path), Some(data)) => {
            let model = Model::load(path)?.merged()?;
            let table = arguments.table.of(&model).source(data, Part::Training).table()?;
            let encoding = Encoding::of_model(&model, &table)?;
            let rows = encoding.rows_with_targets(&table)?;
            let inputs = encoding.inputs(&table, &rows)?;
            let targets = encoding.targets(&table, &rows, model.network.outputs())?;
            let examples = model.examples(inputs.view(), targets.view())?;
            (model, examples, format!("{} ({} rows)", table.file(), thousands(rows.len() as u64)))
        }
    };
    let parameters = model.parameters.to_f64();
    let affordable = ROWS_TIMES_PARAMETERS / (data.rows() * parameters.len()).max(1);
    let all_is_too_much = (parameters.len() > ALL_UP_TO).then_some(affordable.clamp(LEAST_SAMPLE, DEFAULT_SAMPLE));
    let check = GradientCheck { epsilon: arguments.epsilon, sample: arguments.sample.or(all_is_too_much), seed: 0 };
    let mut cost = model.cost(&data).with_context(|| format!("cannot check on {what}"))?;
    let report = check.run(&mut cost, &parameters)?;
    if let Some(path) = &arguments.gradient {
        Parameters::F64(report.gradient.clone()).save(path, &model.network)?;
    }
    if arguments.json {
        print_line(json!({
            "cost": report.cost, "parameters": report.parameters, "checked": report.total.checked,
            "kinks": report.total.kinks, "epsilon": report.epsilon, "difference": report.total.difference,
            "max_difference": report.total.max_difference, "passed": report.passed(),
        }))?;
    } else {
        print(format_args!("{}\ncost {} on {what}\n\n{}", model.network, short(Some(report.cost)), table(&report)))?;
    }
    Ok(if report.passed() { Ending::Success } else { Ending::Failed })
}

/// A new network for the digits, and some of its rows.
fn network_on_digits() -> anyhow::Result<(Model, Dataset<f64>, String)> {
    let table = Source::new("digits", Part::Training).table()?;
    let target = Target::find(&table, None, &[], None)?;
    let encoding = Encoding::plain(&table, &target);
    let network = Network::new(64, &[(32, Activation::Tanh), (10, Activation::Softmax)])?;
    let parameters = draw_defaults::<f64>(&network, 0);
    let model = Model::new(network, parameters.into(), Loss::CrossEntropy, 1e-4)?;
    let rows = Random::new(0, Purpose::GradientCheck, 0).sample(table.rows(), DIGITS_ROWS);
    let data = Dataset::new(encoding.inputs(&table, &rows)? / 16.0, encoding.targets(&table, &rows, 10)?)?;
    Ok((model, data, format!("digits ({DIGITS_ROWS} of its rows)")))
}

/// The comparison of each layer, and the verdict.
pub fn table(report: &GradientReport) -> String {
    let line = |name: &str, c: &Comparison| {
        let (difference, largest) = (format!("{:.2e}", c.difference), format!("{:.2e}", c.max_difference));
        format!("  {name:<7}{:>9}{:>9}{:>7}  {difference:>11}  {largest:>16}\n", c.checked, c.kinks, c.wrong)
    };
    let mut text = format!(
        "gradient check with EPSILON {}: numerical against analytic gradient\n  {:<7}{:>9}{:>9}{:>7}  {:>11}  {:>16}\n",
        report.epsilon, "layer", "checked", "skipped", "wrong", "difference", "max difference"
    );
    for (l, layer) in report.layers.iter().enumerate() {
        text += &line(&(l + 1).to_string(), layer);
    }
    text += &line("all", &report.total);
    if let Some(worst) = &report.total.worst {
        let (numeric, analytic) = (worst.numeric, worst.analytic);
        text += &format!("worst: {}, numerical {numeric:.9e}, analytic {analytic:.9e}\n", worst.place);
    }
    text + match (report.passed(), report.total.wrong) {
        (true, _) => "passed\n",
        (false, 0) => "not passed: both gradients are zero or too small to compare\n",
        (false, _) => "not passed: the gradient is wrong\n",
    }
}
