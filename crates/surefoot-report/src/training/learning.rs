//! The network, the check of its gradient, and how it learned.

use surefoot::{Epoch, Loss};
use surefoot_fit::Outcome;

use super::TrainingReport;
use crate::drawing::diagram::{Names, diagram, output_names};
use crate::drawing::plot::{Axis, Mark, Scale, Series, plot};
use crate::markup::formula::inline;
use crate::markup::html::{Column, Html, figure, html, table};
use crate::words::{stopped_after, thousands};

impl TrainingReport<'_> {
    pub(super) fn network(&self) -> Html {
        let inputs = self.encoding.input_names();
        let Outcome { model, plan, .. } = self.outcome;
        let (network, outputs) = (&model.network, output_names(model));
        let mut html = Html::new();
        if plan.is_ensemble() {
            let count = plan.members.len();
            html += html!(
                "<p>An ensemble of {} networks {}: each was trained on a different {}/{} of the rows and used the remaining \
                 1/{} for early stopping; their outputs are averaged. The first of them is drawn here.</p>\n",
                count,
                network.widths(),
                count - 1,
                count,
                count
            );
        }
        let theta = &model.parameters.to_f64()[..network.parameter_count()];
        let drawing = diagram(network, theta, &Names { inputs: &inputs, outputs: &outputs });
        html += figure(
            drawing.inline(),
            "Each circle is a unit, +1 the bias units. The thicker a line, the stronger its weight among those of its layer; \
             blue is positive, orange negative.",
            true,
        );
        let row = |(l, layer): (usize, &surefoot::Layer)| {
            vec![
                (l + 1).to_string().into(),
                thousands(layer.inputs as u64).into(),
                thousands(layer.outputs as u64).into(),
                layer.activation.name().into(),
                thousands((layer.inputs * layer.outputs) as u64).into(),
                thousands(layer.outputs as u64).into(),
            ]
        };
        let rows: Vec<Vec<Html>> = network.layers().iter().enumerate().map(row).collect();
        let columns = [
            Column::Text("layer"),
            Column::Number("inputs"),
            Column::Number("units"),
            Column::Text("activation"),
            Column::Number("weights"),
            Column::Number("biases"),
        ];
        html + table(&columns, &rows)
            + html!("<p>{} parameters in total.</p>\n", thousands(model.parameters.len() as u64))
    }

    pub(super) fn gradient_check(&self) -> Html {
        let Some(check) = &self.outcome.check else {
            return html!("<p>Skipped, as requested.</p>\n");
        };
        let verdict = match check.passed() {
            true => html!("<strong class=\"good\">passed</strong>"),
            false => html!("<strong>both gradients are too small to compare</strong>"),
        };
        let mut html = html!(
            "<p>Before training, the gradient of backpropagation was compared with {} at random parameters: {}.</p>\n",
            inline(r"\frac{J(\theta+\epsilon e_i)-J(\theta-\epsilon e_i)}{2\epsilon}"),
            verdict
        );
        let row = |name: String, part: &surefoot::gradient_check::Comparison| {
            vec![
                name.into(),
                thousands(part.checked as u64).into(),
                thousands(part.kinks as u64).into(),
                thousands(part.wrong as u64).into(),
                format!("{:.1e}", part.difference).into(),
            ]
        };
        let mut rows: Vec<Vec<Html>> =
            check.layers.iter().enumerate().map(|(l, part)| row((l + 1).to_string(), part)).collect();
        rows.push(row("all".into(), &check.total));
        let columns = [
            Column::Text("layer"),
            Column::Number("compared"),
            Column::Number("non-differentiable"),
            Column::Number("wrong"),
            Column::Number("‖n − g‖ / ‖n + g‖"),
        ];
        html += table(&columns, &rows);
        html
    }

    pub(super) fn learning(&self) -> Html {
        let Outcome { model, plan, runs, .. } = self.outcome;
        let histories: Vec<&[Epoch]> = runs.iter().map(|run| &run.history[..]).collect();
        let curve = |number: &dyn Fn(&Epoch) -> Option<f64>| mean_curve(&histories, number);
        let cost = curve(&|epoch| Some(epoch.cost));
        let validation = curve(&|epoch| epoch.validation_cost);
        let score = curve(&|epoch| epoch.validation_score);
        let epochs = if plan.training.batch_size.is_some() { "epoch" } else { "iteration" };
        let mark = match &runs[..] {
            [run] if run.best_epoch > 0 && !validation.is_empty() => {
                Some(Mark { at: run.best_epoch as f64, name: "kept" })
            }
            _ => None,
        };
        let mut html = html!("<p>Stopped {}.</p>\n", stopped_after(self.outcome));
        let scale = Scale::fitting(cost.iter().chain(&validation).map(|[_, y]| *y));
        let mut series = vec![Series { name: "training", class: "one", points: cost, is_line: true }];
        if !validation.is_empty() {
            series.push(Series { name: "validation", class: "two dash", points: validation, is_line: true });
        }
        let loss = model.loss.to_string();
        let name = match model.loss {
            Loss::CrossEntropy => "cost (cross-entropy, nats)",
            Loss::SquaredError => "cost (half the squared error)",
            Loss::Poisson => "cost (half the Poisson deviance)",
            _ => "cost",
        };
        let drawing = plot(
            "cost by epoch",
            &format!("the cost ({loss}) on the training and the validation part after each epoch"),
            Axis { name: epochs, scale: Scale::Linear },
            Axis { name, scale },
            &series,
            mark,
        );
        html += html!("<div class=\"pair\">");
        let smoothed = match plan.training.label_smoothing > 0.0 {
            true => " The training cost is measured against smoothed labels, so it cannot reach 0.",
            false => "",
        };
        let averaged = if runs.len() > 1 { " Means over the networks of the ensemble." } else { "" };
        html += figure(drawing.inline(), &format!("The cost J(θ) by epoch.{averaged}{smoothed}"), false);
        if !score.is_empty() {
            let best = score.iter().map(|[_, y]| *y).fold(f64::NEG_INFINITY, f64::max);
            // a start far below 0 would hide the rest
            let points = score.into_iter().filter(|[_, y]| *y > best - 2.0).collect();
            let mark = match &runs[..] {
                [run] if run.best_epoch > 0 => Some(Mark { at: run.best_epoch as f64, name: "kept" }),
                _ => None,
            };
            let name = self.score_name();
            let drawing = plot(
                &format!("{name} by epoch"),
                &format!("the {name} on the validation part after each epoch"),
                Axis { name: epochs, scale: Scale::Linear },
                Axis { name, scale: Scale::Linear },
                &[Series { name: "validation", class: "two dash", points, is_line: true }],
                mark,
            );
            html += figure(drawing.inline(), &format!("The {name} on the validation part.{averaged}"), false);
        }
        html + html!("</div>\n")
    }
}

/// The mean over several histories, epoch by epoch, of those that have the number.
fn mean_curve(histories: &[&[Epoch]], number: &dyn Fn(&Epoch) -> Option<f64>) -> Vec<[f64; 2]> {
    let longest = histories.iter().map(|history| history.len()).max().unwrap_or(0);
    let at = |i: usize| {
        let numbers: Vec<f64> =
            histories.iter().filter_map(|history| number(history.get(i)?)).filter(|x| x.is_finite()).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        (!numbers.is_empty()).then_some([(i + 1) as f64, mean])
    };
    (0..longest).filter_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, cost: f64, score: Option<f64>) -> Epoch {
        Epoch { epoch, cost, validation_cost: None, validation_score: score, learning_rate: 0.1 }
    }

    #[test]
    fn curves_of_several_networks_are_averaged_where_they_have_numbers() {
        let one = [epoch(1, 1.0, Some(0.5)), epoch(2, 3.0, None)];
        let other = [epoch(1, 2.0, None)];
        let histories = [&one[..], &other[..]];
        assert_eq!(mean_curve(&histories, &|epoch| Some(epoch.cost)), [[1.0, 1.5], [2.0, 3.0]]);
        assert_eq!(mean_curve(&histories, &|epoch| epoch.validation_score), [[1.0, 0.5]]);
        assert!(mean_curve(&histories, &|epoch| epoch.validation_cost).is_empty());
    }
}
