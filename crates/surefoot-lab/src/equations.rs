//! The notes' equations with the numbers of a network on the page.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::{GradientCheck, Trace};
use surefoot_report::{formula, number};

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
        said.insert("cells".into(), json!(session.cells(clicked.example)));
        said.insert("loss".into(), json!(trace.backward.as_ref().map(|backward| backward.loss)));
        said.insert("outputs".into(), json!(trace.a.last()));
    }
    Ok(said)
}

/// A sum of products with a few of its terms.
fn sum(products: impl Iterator<Item = (f64, f64)>, count: usize) -> String {
    let mut text = String::new();
    for (k, (w, a)) in products.take(TERMS).enumerate() {
        let plus = if k == 0 { "" } else { " + " };
        let bracket = |x: f64| if x < 0.0 { format!("({})", number(x)) } else { number(x) };
        // writing to a string does not fail
        let _ = write!(text, r"{plus}{}\cdot {}", bracket(w), bracket(a));
    }
    if count > TERMS {
        text += r" + \cdots";
    }
    text
}

fn of_unit(session: &Session, clicked: &Clicked, trace: &Trace, theta: &[f64]) -> Value {
    let network = &session.plan.network;
    let (l, i) = (clicked.layer, clicked.unit);
    let (weight, bias) = (network.weight(theta, l), network.bias(theta, l));
    let row = weight.row(i);
    let (below, z, a) = (trace.below(l), trace.z[l][i], trace.a[l][i]);
    let (n, up) = (i + 1, l + 2);
    let terms = sum(row.iter().copied().zip(below.iter().copied()), row.len());
    let mut formulas = vec![
        formula(
            &format!(
                r"z^{{({up})}}_{{{n}}}=\sum_j W^{{({})}}_{{{n}j}}a^{{({})}}_j+b^{{({})}}_{{{n}}}={terms}+{}={}",
                l + 1,
                l + 1,
                l + 1,
                bracketed(bias[i]),
                number(z)
            ),
            "6",
        ),
        formula(
            &format!(r"a^{{({up})}}_{{{n}}}=f\left(z^{{({up})}}_{{{n}}}\right)=f({})={}", number(z), number(a)),
            "7",
        ),
    ];
    let slopes = trace.slopes(network, l);
    if let Some(slope) = slopes.get(i) {
        formulas
            .push(formula(&format!(r"f'\left(z^{{({up})}}_{{{n}}}\right)=f'({})={}", number(z), number(*slope)), ""));
    }
    if let Some(backward) = &trace.backward {
        let delta = number(backward.delta[l][i]);
        let is_output = l + 1 == network.layers().len();
        let text = match (is_output, slopes.get(i)) {
            (false, Some(slope)) => {
                let above = network.weight(theta, l + 1);
                let column = above.column(i);
                let terms = sum(column.iter().copied().zip(backward.delta[l + 1].iter().copied()), column.len());
                format!(
                    r"\delta^{{({up})}}_{{{n}}}=\left(\sum_j W^{{({up})}}_{{j{n}}}\delta^{{({})}}_j\right)f'\left(z^{{({up})}}_{{{n}}}\right)=\left({terms}\right)\cdot {}={delta}",
                    l + 3,
                    bracketed(*slope)
                )
            }
            _ => format!(
                r"\delta^{{({up})}}_{{{n}}}=\frac{{\partial J(W,b;x,y)}}{{\partial z^{{({up})}}_{{{n}}}}}={delta}\qquad a={},\; y={}",
                number(a),
                number(backward.y[i])
            ),
        };
        formulas.push(formula(&text, if is_output { "B1" } else { "B2" }));
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
    let mut formulas = Vec::new();
    match clicked.from {
        Some(j) => {
            let a = trace.below(l)[j];
            formulas.push(formula(
                &format!(
                    r"\frac{{\partial J(W,b;x,y)}}{{\partial {name}}}=a^{{({of})}}_{{{}}}\,\delta^{{({up})}}_{{{n}}}={}\cdot {}={}",
                    j + 1,
                    bracketed(a),
                    bracketed(delta),
                    number(a * delta)
                ),
                "B3",
            ));
            formulas.push(formula(
                &format!(
                    r"\frac{{\partial J(W,b)}}{{\partial {name}}}=\left[\frac{{1}}{{{m}}}\sum_{{i=1}}^{{{m}}}\frac{{\partial J(W,b;x^{{(i)}},y^{{(i)}})}}{{\partial {name}}}\right]+\lambda {name}={}+{}\cdot {}={}",
                    bracketed(analytic - lambda * theta),
                    number(lambda),
                    bracketed(theta),
                    number(analytic)
                ),
                "",
            ));
        }
        None => {
            formulas.push(formula(
                &format!(
                    r"\frac{{\partial J(W,b;x,y)}}{{\partial {name}}}=\delta^{{({up})}}_{{{n}}}={}",
                    number(delta)
                ),
                "B3",
            ));
            formulas.push(formula(
                &format!(
                    r"\frac{{\partial J(W,b)}}{{\partial {name}}}=\frac{{1}}{{{m}}}\sum_{{i=1}}^{{{m}}}\frac{{\partial J(W,b;x^{{(i)}},y^{{(i)}})}}{{\partial {name}}}={}",
                    number(analytic)
                ),
                "",
            ));
        }
    }
    let mut numeric = None;
    if clicked.numeric {
        let mut objective = moment.model.cost(&session.examples)?;
        let derivatives = GradientCheck::default().derivatives(&mut objective, &moment.theta, &[index])?;
        numeric = derivatives.first().copied().flatten();
        let value = numeric.map_or_else(|| r"\text{a kink lies within the step}".into(), |n| format!("{n:.10}"));
        formulas.push(formula(
            &format!(
                r"\frac{{J(\theta+\epsilon e)-J(\theta-\epsilon e)}}{{2\epsilon}}={value},\qquad \epsilon=10^{{-4}}"
            ),
            "C1",
        ));
    }
    let formulas: Vec<&str> = formulas.iter().map(|formula| formula.as_str()).collect();
    Ok(json!({
        "kind": "parameter", "formulas": formulas, "value": theta, "analytic": analytic, "numeric": numeric, "cost": cost,
        "examples": m,
    }))
}

fn bracketed(x: f64) -> String {
    if x < 0.0 { format!("({})", number(x)) } else { number(x) }
}
