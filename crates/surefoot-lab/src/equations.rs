//! The notes' equations with the numbers of a network on the page.

use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::{GradientCheck, Trace};
use surefoot_report::{formula_in_parts, number};

use crate::checks::{Fault, gradient};
use crate::error::{Error, Result};
use crate::session::Session;

/// Terms of a sum that are written out.
const TERMS: usize = 5;

/// What was clicked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clicked {
    /// The layer after the input, from 0.
    layer: usize,
    /// Its unit, from 0.
    unit: usize,
    /// The unit below that a weight comes from, from 0; `None` for the unit itself.
    from: Option<usize>,
    /// Whether it is the unit's bias.
    #[serde(default)]
    bias: bool,
    /// The example, from 0.
    example: usize,
    /// Whether the numerical derivative is wanted, too.
    #[serde(default)]
    numeric: bool,
    fault: Option<Fault>,
}

pub(crate) fn of(session: &Session, clicked: &Clicked) -> Result<Value> {
    let network = &session.plan.network;
    let Some(layer) = network.layers().get(clicked.layer) else {
        return Err(Error::request("layer", format!("below {}", network.layers().len()), clicked.layer));
    };
    if clicked.unit >= layer.outputs {
        return Err(Error::request("unit", format!("below {}", layer.outputs), clicked.unit));
    }
    if let Some(from) = clicked.from.filter(|&from| from >= layer.inputs) {
        return Err(Error::request("from", format!("below {}", layer.inputs), from));
    }
    let moment = session.moment()?;
    let (x, y) = session.example(clicked.example)?;
    let trace = Trace::new(network, moment.model.loss, &moment.theta, &x, Some(&y))?;
    let mut said = match clicked.from.is_some() || clicked.bias {
        true => of_parameter(session, clicked, &trace, &moment)?,
        false => of_unit(session, clicked, &trace, &moment.theta),
    };
    if let Value::Object(said) = &mut said {
        let (weight, bias) = (network.weight(&moment.theta, clicked.layer), network.bias(&moment.theta, clicked.layer));
        said.insert("weights".into(), json!(weight.row(clicked.unit).to_vec()));
        said.insert("bias".into(), json!(bias[clicked.unit]));
        said.insert("cells".into(), json!(session.cells(clicked.example)));
        said.insert("loss".into(), json!(trace.backward.as_ref().map(|backward| backward.loss)));
        said.insert("outputs".into(), json!(trace.a.last()));
    }
    Ok(said)
}

/// A sum of products with a few of its terms, each a part.
fn terms(products: impl Iterator<Item = (f64, f64)>, count: usize) -> Vec<String> {
    let shown = products.take(TERMS).enumerate();
    let mut terms: Vec<String> = shown
        .map(|(k, (w, a))| format!(r"{}{}\cdot {}", if k == 0 { "" } else { "+" }, bracketed(w), bracketed(a)))
        .collect();
    if count > TERMS {
        terms.push(r"+\cdots".into());
    }
    terms
}

/// Joins what stands before the first part and behind the last one to them.
fn between(before: &str, mut parts: Vec<String>, behind: &str) -> Vec<String> {
    if let Some(first) = parts.first_mut() {
        first.insert_str(0, before);
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(behind);
    }
    parts
}

fn bracketed(x: f64) -> String {
    if x < 0.0 { format!("({})", number(x)) } else { number(x) }
}

fn of_unit(session: &Session, clicked: &Clicked, trace: &Trace, theta: &[f64]) -> Value {
    let network = &session.plan.network;
    let (l, i) = (clicked.layer, clicked.unit);
    let (weight, bias) = (network.weight(theta, l), network.bias(theta, l));
    let row = weight.row(i);
    let (below, z, a) = (trace.below(l), trace.z[l][i], trace.a[l][i]);
    let (n, of, up) = (i + 1, l + 1, l + 2);
    let mut parts = vec![
        format!(r"z^{{({up})}}_{{{n}}}"),
        format!(r"=\sum_j W^{{({of})}}_{{{n}j}}a^{{({of})}}_j+b^{{({of})}}_{{{n}}}"),
    ];
    parts.extend(between("=", terms(row.iter().copied().zip(below.iter().copied()), row.len()), ""));
    parts.extend([format!("+{}", bracketed(bias[i])), format!("={}", number(z))]);
    let mut formulas = vec![
        formula_in_parts(&parts, "6"),
        formula_in_parts(
            &[
                format!(r"a^{{({up})}}_{{{n}}}"),
                format!(r"=f\left(z^{{({up})}}_{{{n}}}\right)"),
                format!("=f({})", number(z)),
                format!("={}", number(a)),
            ],
            "7",
        ),
    ];
    let slopes = trace.slopes(network, l);
    if let Some(slope) = slopes.get(i) {
        let f = format!(r"f'\left(z^{{({up})}}_{{{n}}}\right)");
        formulas.push(formula_in_parts(&[f, format!("=f'({})", number(z)), format!("={}", number(*slope))], ""));
    }
    if let Some(backward) = &trace.backward {
        let delta = number(backward.delta[l][i]);
        let is_output = l + 1 == network.layers().len();
        let mut parts = vec![format!(r"\delta^{{({up})}}_{{{n}}}")];
        match (is_output, slopes.get(i)) {
            (false, Some(slope)) => {
                let above = network.weight(theta, l + 1);
                let column = above.column(i);
                parts.push(format!(
                    r"=\left(\sum_j W^{{({up})}}_{{j{n}}}\delta^{{({})}}_j\right)f'\left(z^{{({up})}}_{{{n}}}\right)",
                    l + 3
                ));
                let terms = terms(column.iter().copied().zip(backward.delta[l + 1].iter().copied()), column.len());
                parts.extend(between("=(", terms, &format!(r")\cdot {}", bracketed(*slope))));
                parts.push(format!("={delta}"));
            }
            _ => parts.extend([
                format!(r"=\frac{{\partial J(W,b;x,y)}}{{\partial z^{{({up})}}_{{{n}}}}}"),
                format!("={delta}"),
                format!(r"\quad a={},", number(a)),
                format!(r"\; y={}", number(backward.y[i])),
            ]),
        }
        formulas.push(formula_in_parts(&parts, if is_output { "B1" } else { "B2" }));
    }
    let formulas: Vec<&str> = formulas.iter().map(|formula| formula.as_str()).collect();
    json!({
        "kind": "unit", "formulas": formulas, "z": z, "a": a, "slope": slopes.get(i),
        "delta": trace.backward.as_ref().map(|backward| backward.delta[l][i]),
    })
}

fn of_parameter(session: &Session, clicked: &Clicked, trace: &Trace, moment: &crate::session::Moment) -> Result<Value> {
    let network = &session.plan.network;
    let (l, i) = (clicked.layer, clicked.unit);
    let (n, up, of) = (i + 1, l + 2, l + 1);
    let index = match clicked.from {
        Some(j) => network.weight_range(l).start + i * network.layers()[l].inputs + j,
        None => network.bias_range(l).start + i,
    };
    let (cost, claimed) = gradient(session, moment, clicked.fault)?;
    let (theta, lambda, m) = (moment.theta[index], moment.model.weight_decay, session.examples.rows());
    let analytic = claimed[index];
    let delta = trace.backward.as_ref().map_or(0.0, |backward| backward.delta[l][i]);
    let name = match clicked.from {
        Some(j) => {
            format!("W^{{({of})}}_{{{n}{}}}", if n > 9 || j > 8 { format!(",{}", j + 1) } else { (j + 1).to_string() })
        }
        None => format!("b^{{({of})}}_{{{n}}}"),
    };
    let of_example = format!(r"\frac{{\partial J(W,b;x,y)}}{{\partial {name}}}");
    let mean = format!(
        r"\frac{{1}}{{{m}}}\sum_{{i=1}}^{{{m}}}\frac{{\partial J(W,b;x^{{(i)}},y^{{(i)}})}}{{\partial {name}}}"
    );
    let (of_all, value) = (format!(r"\frac{{\partial J(W,b)}}{{\partial {name}}}"), format!("={}", number(analytic)));
    let mut formulas = match clicked.from {
        Some(j) => {
            let a = trace.below(l)[j];
            let product = format!(r"=a^{{({of})}}_{{{}}}\,\delta^{{({up})}}_{{{n}}}", j + 1);
            let numbers = format!(r"={}\cdot {}", bracketed(a), bracketed(delta));
            let decay = format!(r"+{}\cdot {}", number(lambda), bracketed(theta));
            let parts = [
                of_all,
                format!(r"=\left[{mean}\right]"),
                format!(r"+\lambda {name}"),
                format!("={}", bracketed(analytic - lambda * theta)),
                decay,
                value,
            ];
            vec![
                formula_in_parts(&[of_example, product, numbers, format!("={}", number(a * delta))], "B3"),
                formula_in_parts(&parts, ""),
            ]
        }
        None => {
            let of_delta = format!(r"=\delta^{{({up})}}_{{{n}}}");
            vec![
                formula_in_parts(&[of_example, of_delta, format!("={}", number(delta))], "B3"),
                formula_in_parts(&[of_all, format!("={mean}"), value], ""),
            ]
        }
    };
    let mut numeric = None;
    if clicked.numeric {
        let mut objective = moment.model.cost(&session.examples)?;
        let derivatives = GradientCheck::default().derivatives(&mut objective, &moment.theta, &[index])?;
        numeric = derivatives.first().copied().flatten();
        let value = numeric.map_or_else(|| r"\text{a kink lies within the step}".into(), |n| format!("{n:.10}"));
        let quotient = r"\frac{J(\theta+\epsilon e)-J(\theta-\epsilon e)}{2\epsilon}".to_string();
        formulas.push(formula_in_parts(&[quotient, format!("={value},"), r"\quad\epsilon=10^{-4}".into()], "C1"));
    }
    let formulas: Vec<&str> = formulas.iter().map(|formula| formula.as_str()).collect();
    Ok(json!({
        "kind": "parameter", "formulas": formulas, "value": theta, "analytic": analytic, "numeric": numeric, "cost": cost,
        "examples": m,
    }))
}
