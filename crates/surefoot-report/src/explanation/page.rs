//! The page of an example: the notes' formulas with the numbers of this network.

use surefoot::trace::{Backward, Derivative};
use surefoot::{Activation, Loss};

use super::{Explanation, shown};
use crate::drawing::diagram::{Names, diagram, output_names};
use crate::markup::formula::{formula, inline, number};
use crate::markup::html::{Column, Html, figure, html, page, table};
use crate::words::{count, thousands};

/// Terms of a sum that are written out; of more the first and the last.
const TERMS: usize = 4;

impl Explanation<'_> {
    /// The page of the example.
    pub fn page(&self) -> Html {
        let Explanation { model, row, table: data, .. } = self;
        let title = format!("Row {} of {} through the network {}", row + 1, data.file(), model.network.widths());
        let mut body = html!("<h1>{}</h1>\n", title);
        body += html!("<p class=\"lead\">Predicted: <strong>{}</strong></p>\n", self.prediction);
        body += self.example();
        body += self.feedforward();
        match &self.trace.backward {
            None => {
                body += html!(
                    "<h2>Going back</h2>\n<p>This row has no target, so its loss, its error terms and its gradient are not \
                     known.</p>\n"
                );
            }
            Some(backward) => {
                body += self.cost(backward);
                body += self.backpropagation(backward);
                body += self.gradients();
            }
        }
        page(&title, &body)
    }

    fn example(&self) -> Html {
        let Explanation { model, theta, trace, encoding, .. } = self;
        let inputs = encoding.input_names();
        let cells: Vec<Vec<Html>> =
            self.cells().iter().take(40).map(|(name, cell)| vec![Html::text(name), Html::text(cell)]).collect();
        let drawing = diagram(&model.network, theta, &Names { inputs: &inputs, outputs: &output_names(model) });
        let mut html = html!("<h2>The example</h2>\n");
        html += table(&[Column::Text("column"), Column::Text("cell")], &cells);
        html += html!("<p>The network reads numbers: columns are scaled, categories become an input each.</p>\n");
        let names: Vec<String> = (1..=trace.x.len()).map(|j| format!("x_{{{j}}}")).collect();
        html += formula(&format!("x={}", vector(&trace.x, 10)), "");
        let listed: Vec<Vec<Html>> = inputs
            .iter()
            .zip(&trace.x)
            .zip(&names)
            .take(12)
            .map(|((name, x), symbol)| vec![inline(symbol), Html::text(name), inline(&number(*x))])
            .collect();
        html += table(&[Column::Text("input"), Column::Text("from"), Column::Number("number")], &listed);
        if inputs.len() > 12 {
            html += html!("<p class=\"muted\">and {} more</p>\n", thousands(inputs.len() as u64 - 12));
        }
        html + figure(
            drawing.inline(),
            "The network: each circle is a unit, +1 the bias units; large layers are shortened.",
            true,
        )
    }

    fn feedforward(&self) -> Html {
        let Explanation { model, theta, trace, .. } = self;
        let mut html = html!("<h2>Feedforward</h2>\n<p>From the inputs on, layer by layer:</p>\n");
        html += formula(r"z^{(l+1)}=W^{(l)}a^{(l)}+b^{(l)}", "6");
        html += formula(r"a^{(l+1)}=f\left(z^{(l+1)}\right)", "7");
        let last = model.network.layers().len() - 1;
        for (l, layer) in model.network.layers().iter().enumerate() {
            html += html!(
                "<h3>Layer {} (L{} of the notes): {}, {}</h3>\n",
                l + 1,
                l + 2,
                count(layer.outputs, "unit"),
                layer.activation
            );
            html += formula(&format!("f(z)={}", definition(layer.activation)), "");
            let (weight, bias) = (model.network.weight(theta, l), model.network.bias(theta, l));
            for i in 0..layer.outputs.min(3) {
                let tag = match (l, last) {
                    (0, 1..) => ["2", "3", "4"][i],
                    _ if l == last && i == 0 => "5",
                    _ => "",
                };
                html += formula(&self.unit(l, i, weight.row(i).as_slice().unwrap_or_default(), bias[i]), tag);
            }
            html += formula(&format!("z^{{({})}}={}", l + 2, vector(&trace.z[l], 8)), "");
            html += formula(&format!("{}={}", layer_symbol(l, last), vector(&trace.a[l], 8)), "");
        }
        html
    }

    /// aᵢ = f(Wᵢ₁a₁ + … + bᵢ) in letters, then in numbers.
    fn unit(&self, l: usize, i: usize, weights: &[f64], bias: f64) -> String {
        let trace = &self.trace;
        let below = trace.below(l);
        let (row, up, down) = (i + 1, l + 2, l + 1);
        let input = |j: usize| match l {
            0 => format!("x_{{{}}}", j + 1),
            _ => format!("a_{{{}}}^{{({down})}}", j + 1),
        };
        let letters = sum(weights.len(), |j| format!("W_{{{row},{}}}^{{({down})}}{}", j + 1, input(j)));
        let numbers = sum(weights.len(), |j| format!("{}\\cdot {}", bracketed(weights[j]), bracketed(below[j])));
        let (z, a) = (trace.z[l][i], trace.a[l][i]);
        format!(
            r"\begin{{aligned}}a_{{{row}}}^{{({up})}}&=f\left({letters}+b_{{{row}}}^{{({down})}}\right)\\&=f\left({numbers}+{}\right)=f\left({}\right)={}\end{{aligned}}",
            bracketed(bias),
            number(z),
            number(a)
        )
    }

    fn cost(&self, backward: &Backward) -> Html {
        let Explanation { model, theta, trace, overall, .. } = self;
        let h = trace.a.last().map_or(&[][..], |a| a);
        let y = &backward.y;
        let mut html =
            html!("<h2>The cost</h2>\n<p>The target as the network sees it, and the loss of this example:</p>\n",);
        html += formula(&format!("y={}", vector(y, 10)), "");
        let loss = number(backward.loss);
        html += match (model.loss, model.network.output_activation()) {
            (Loss::SquaredError, _) => {
                let squares = sum(h.len(), |k| format!("({}-{})^2", number(h[k]), bracketed(y[k])));
                formula(
                    &format!(
                        r"J(W,b;x,y)=\tfrac12\left\|h_{{W,b}}(x)-y\right\|^2=\tfrac12\left({squares}\right)={loss}"
                    ),
                    "",
                )
            }
            (Loss::CrossEntropy, Activation::Softmax) => {
                let terms = sum(h.len(), |k| format!(r"{}\cdot\ln {}", number(y[k]), number(h[k])));
                formula(&format!(r"J(W,b;x,y)=-\sum_k y_k\ln a_k=-\left({terms}\right)={loss}"), "")
            }
            (Loss::Poisson, _) => {
                let term = |k: usize| {
                    let (y, a) = (number(y[k]), number(h[k]));
                    format!(r"{y}\cdot\ln\frac{{{y}}}{{{a}}}-{y}+{a}")
                };
                let terms = sum(h.len(), term);
                formula(&format!(r"J(W,b;x,y)=\sum_k\left(y_k\ln\frac{{y_k}}{{a_k}}-y_k+a_k\right)={terms}={loss}"), "")
            }
            (_, _) => formula(&format!(r"J(W,b;x,y)=-\sum_k\left(y_k\ln a_k+(1-y_k)\ln(1-a_k)\right)={loss}"), ""),
        };
        if let Some((cost, rows)) = overall {
            let squares: f64 = (0..model.network.layers().len())
                .flat_map(|l| model.network.weight(theta, l).iter().copied().collect::<Vec<_>>())
                .map(|w| w * w)
                .sum();
            html += html!("<p>Over all rows of the table that have a target, with weight decay:</p>\n");
            html += formula(
                r"J(W,b)=\left[\frac1m\sum_{i=1}^{m}J\left(W,b;x^{(i)},y^{(i)}\right)\right]+\frac\lambda2\sum_{l=1}^{n_l-1}\sum_{i=1}^{s_l}\sum_{j=1}^{s_{l+1}}\left(W_{ji}^{(l)}\right)^2",
                "8",
            );
            html += formula(
                &format!(
                    r"m={rows},\quad\lambda={},\quad\sum W^2={},\quad J(W,b)={}",
                    number(model.weight_decay),
                    number(squares),
                    number(*cost)
                ),
                "",
            );
            if model.sparsity.is_some() {
                html += html!(
                    "<p>J(W,b) has the sparsity penalty as well, which belongs to all rows and to none alone.</p>\n"
                );
            }
        }
        html
    }

    fn backpropagation(&self, backward: &Backward) -> Html {
        let Explanation { model, .. } = self;
        let layers = model.network.layers();
        let last = layers.len() - 1;
        let mut html = html!("<h2>Backpropagation</h2>\n<p>The error terms δ = ∂J/∂z, from the output back:</p>\n");
        html += match model.loss {
            Loss::SquaredError => {
                formula(r"\delta^{(n_l)}=-\left(y-a^{(n_l)}\right)\bullet f'\left(z^{(n_l)}\right)", "B1")
            }
            _ => formula(r"\delta^{(n_l)}=a^{(n_l)}-y", "B1"),
        };
        html += formula(&format!(r"\delta^{{({})}}={}", last + 2, vector(&backward.delta[last], 8)), "");
        if last > 0 {
            html += formula(
                r"\delta^{(l)}=\left(\left(W^{(l)}\right)^T\delta^{(l+1)}\right)\bullet f'\left(z^{(l)}\right)",
                "B2",
            );
        }
        for l in (0..last).rev() {
            html += formula(&format!("f'(z)={}", derivative(layers[l].activation)), "");
            html += formula(&format!(r"\delta^{{({})}}={}", l + 2, vector(&backward.delta[l], 8)), "");
        }
        html
    }

    fn gradients(&self) -> Html {
        let Explanation { model, derivatives, .. } = self;
        let mut html = html!("<h2>The gradient, and its numerical check</h2>\n");
        html += formula(
            r"\nabla_{W^{(l)}}J(W,b;x,y)=\delta^{(l+1)}\left(a^{(l)}\right)^T,\qquad\nabla_{b^{(l)}}J(W,b;x,y)=\delta^{(l+1)}",
            "B3",
        );
        html += html!(
            "<p>Beside each derivative stands {} with {}.</p>\n",
            inline(r"\frac{J(\theta+\epsilon e_i)-J(\theta-\epsilon e_i)}{2\epsilon}"),
            inline(&format!(r"\epsilon={}", self.epsilon))
        );
        for (l, derivatives) in derivatives.iter().enumerate() {
            let layer = model.network.layers()[l];
            let (units, inputs) = shown(&model.network, l);
            html += html!(
                "<h3>{} and {}</h3>\n",
                inline(&format!("W^{{({})}}", l + 1)),
                inline(&format!("b^{{({})}}", l + 1))
            );
            let names =
                (0..units).flat_map(|i| (0..inputs).map(move |j| format!("W_{{{},{}}}^{{({})}}", i + 1, j + 1, l + 1)));
            let names = names.chain((0..units).map(|i| format!("b_{{{}}}^{{({})}}", i + 1, l + 1)));
            let row = |(name, Derivative { analytic, numeric }): (String, &Derivative)| {
                let (numeric, difference) = match numeric {
                    Some(numeric) => (format!("{numeric:.9e}"), format!("{:.1e}", (analytic - numeric).abs())),
                    None => ("on a kink".into(), String::new()),
                };
                vec![
                    inline(&format!(r"\frac{{\partial J}}{{\partial {name}}}")),
                    format!("{analytic:.9e}").into(),
                    numeric.into(),
                    difference.into(),
                ]
            };
            let rows: Vec<Vec<Html>> = names.zip(derivatives).map(row).collect();
            let columns = [
                Column::Text("derivative"),
                Column::Number("backpropagation"),
                Column::Number("numerical"),
                Column::Number("difference"),
            ];
            html += table(&columns, &rows);
            let all = layer.outputs * (layer.inputs + 1);
            if all > derivatives.len() {
                html += html!(
                    "<p class=\"muted\">{} of {} derivatives of this layer</p>\n",
                    derivatives.len(),
                    thousands(all as u64)
                );
            }
        }
        html
    }
}

/// A sum of so many terms, the middle of which is left out where they are many.
fn sum(count: usize, term: impl Fn(usize) -> String) -> String {
    match count > TERMS {
        false => (0..count).map(term).collect::<Vec<_>>().join("+"),
        true => format!("{}+{}+\\cdots+{}", term(0), term(1), term(count - 1)),
    }
}

/// A number that may stand behind a sign.
fn bracketed(x: f64) -> String {
    if x < 0.0 { format!("({})", number(x)) } else { number(x) }
}

/// A column as a row transposed, shortened.
fn vector(numbers: &[f64], most: usize) -> String {
    let shown: Vec<String> = numbers.iter().take(most).map(|x| number(*x)).collect();
    let more = if numbers.len() > most { r",\;\ldots" } else { "" };
    format!(r"\left({}{more}\right)^T", shown.join(r",\;"))
}

fn layer_symbol(l: usize, last: usize) -> String {
    match l == last {
        true => format!("h_{{W,b}}(x)=a^{{({})}}", l + 2),
        false => format!("a^{{({})}}", l + 2),
    }
}

fn definition(activation: Activation) -> &'static str {
    match activation {
        Activation::Sigmoid => r"\frac{1}{1+e^{-z}}",
        Activation::Tanh => r"\frac{e^z-e^{-z}}{e^z+e^{-z}}",
        Activation::Identity => "z",
        Activation::Relu => r"\max(z,0)",
        Activation::LeakyRelu => r"z\text{ where }z>0,\text{ else }0.01\,z",
        Activation::Selu => r"1.0507\,z\text{ where }z>0,\text{ else }1.7581\,(e^z-1)",
        Activation::Softmax => r"\frac{e^{z_k}}{\sum_j e^{z_j}}",
        Activation::Exp => "e^z",
        _ => "f(z)",
    }
}

fn derivative(activation: Activation) -> &'static str {
    match activation {
        Activation::Sigmoid => "a(1-a)",
        Activation::Tanh => "1-a^2",
        Activation::Identity => "1",
        Activation::Relu => r"1\text{ where }a>0,\text{ else }0",
        Activation::LeakyRelu => r"1\text{ where }a>0,\text{ else }0.01",
        Activation::Selu => r"1.0507\text{ where }a>0,\text{ else }a+1.7581",
        Activation::Softmax => r"a_k([k=j]-a_j)",
        Activation::Exp => "a",
        _ => "f'(z)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_vectors_are_shortened() {
        let term = |j: usize| format!("t{j}");
        assert_eq!(sum(3, term), "t0+t1+t2");
        assert_eq!(sum(9, term), r"t0+t1+\cdots+t8");
        assert_eq!(vector(&[1.0, -2.0], 2), r"\left(1,\;-2\right)^T");
        assert!(vector(&[1.0; 9], 2).contains("ldots"));
        assert_eq!(bracketed(-1.5), "(-1.5)");
    }

    #[test]
    fn every_activation_has_its_formulas() {
        for activation in Activation::ALL {
            assert!(formula(definition(activation), "").as_str().contains("<math"), "{activation}");
            assert!(formula(derivative(activation), "").as_str().contains("<math"), "{activation}");
        }
    }
}
