//! How good the predictions are.

use surefoot::Task;
use surefoot::metrics::{Confusion, classes, log_loss, mae, r_squared, rmse};

use surefoot_fit::{Judged, Scores};

use super::TrainingReport;
use crate::drawing::plot::{Axis, Scale, Series, extent, plot};
use crate::markup::html::{Column, Html, figure, html, table};
use crate::words::{short, thousands};

/// The classes of a confusion matrix; of more the most common confusions are listed.
const MOST_CLASSES: usize = 20;
/// The points of predicted against true numbers.
const MOST_POINTS: usize = 1000;

impl TrainingReport<'_> {
    pub(super) fn results(&self) -> Html {
        let results = match self.outcome.model.task {
            Task::Classification => self.confusion(),
            Task::Regression => self.predicted_and_true(),
        };
        self.scores() + results
    }

    fn scores(&self) -> Html {
        let row = |(part, rows, Scores { cost, score }): (&str, usize, Scores)| {
            vec![part.into(), thousands(rows as u64).into(), short(Some(cost)).into(), short(Some(score)).into()]
        };
        let rows: Vec<Vec<Html>> = self.parts().into_iter().map(row).collect();
        let columns =
            [Column::Text("part"), Column::Number("rows"), Column::Number("cost"), Column::Number(self.score_name())];
        let mut html = table(&columns, &rows);
        for warning in &self.outcome.warnings {
            html += html!("<p><strong>Warning:</strong> {}.</p>\n", warning);
        }
        html + html!("<p>Below: {}.</p>\n", self.judged_on())
    }

    fn confusion(&self) -> Html {
        let Judged { outputs, targets, .. } = &self.outcome.judged;
        let (predicted, truth) = (classes(outputs.view()), classes(targets.view()));
        let count = self.outcome.model.class_count();
        let confusion = Confusion::new(&predicted, &truth, count);
        let name = |class: usize| self.outcome.model.class_name(class);
        let mut html = Html::new();
        if let Some(probabilities) = self.outcome.model.probabilities(outputs.view()) {
            html += html!(
                "<p>Log loss of the probabilities: {} (nats).</p>\n",
                short(Some(log_loss(probabilities.view(), &truth)))
            );
        }
        if count <= MOST_CLASSES {
            html += html!(
                "<h3>Confusion matrix</h3>\n<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>true ↓ \
                 predicted →</th>"
            );
            (0..count).for_each(|class| html += html!("<th scope=\"col\" class=\"n\">{}</th>", name(class)));
            html += html!("<th class=\"n\">precision</th><th class=\"n\">recall</th></tr></thead><tbody>\n");
            for class in 0..count {
                html += html!("<tr><th scope=\"row\">{}</th>", name(class));
                let all: usize = confusion.counts[class].iter().sum();
                for (other, &n) in confusion.counts[class].iter().enumerate() {
                    let share = 100.0 * n as f64 / all.max(1) as f64;
                    let colour = if class == other { "--one" } else { "--two" };
                    let strength = if n == 0 { 0.0 } else { 8.0 + 0.5 * share };
                    html += html!(
                        "<td style=\"background:color-mix(in srgb,var({}) {}%,transparent)\">{}</td>",
                        colour,
                        format!("{strength:.0}"),
                        n
                    );
                }
                let (precision, recall) = (short(confusion.precision(class)), short(confusion.recall(class)));
                html += html!("<td>{}</td><td>{}</td></tr>\n", precision, recall);
            }
            html += html!(
                "</tbody></table></div>\n<p class=\"muted\">Rows are the true classes, columns what was predicted.</p>\n"
            );
            return html;
        }
        let mut confused: Vec<(usize, usize, usize)> = (0..count)
            .flat_map(|class| (0..count).map(move |other| (class, other)))
            .filter(|(class, other)| class != other)
            .map(|(class, other)| (confusion.counts[class][other], class, other))
            .filter(|(n, ..)| *n > 0)
            .collect();
        confused.sort_by(|one, other| other.cmp(one));
        let row = |&(n, class, other): &(usize, usize, usize)| {
            vec![name(class).into(), name(other).into(), n.to_string().into()]
        };
        let rows: Vec<Vec<Html>> = confused.iter().take(MOST_CLASSES).map(row).collect();
        html += html!("<h3>The most common confusions</h3>\n");
        html + table(&[Column::Text("true"), Column::Text("predicted"), Column::Number("rows")], &rows)
    }

    fn predicted_and_true(&self) -> Html {
        let (outputs, targets) = self.in_their_unit();
        let numbers = [
            ("R²", r_squared(outputs.view(), targets.view())),
            ("root mean squared error", rmse(outputs.view(), targets.view())),
            ("mean absolute error", mae(outputs.view(), targets.view())),
        ];
        let numbers: Vec<String> = numbers.iter().map(|(name, x)| format!("{name} {}", short(Some(*x)))).collect();
        let every = outputs.len().div_ceil(MOST_POINTS).max(1);
        let points: Vec<[f64; 2]> =
            targets.iter().zip(&outputs).step_by(every).map(|(&truth, &predicted)| [truth, predicted]).collect();
        let ends = extent(points.iter().flatten().copied());
        let name = match &self.encoding.target_columns[..] {
            [one] => one.as_str(),
            _ => "targets",
        };
        let (horizontal, vertical) = (format!("true {name}"), format!("predicted {name}"));
        let drawing = plot(
            "predicted against true",
            &format!("a point for each row: {vertical} against {horizontal}, with the line where both are equal"),
            Axis { name: &horizontal, scale: Scale::Linear },
            Axis { name: &vertical, scale: Scale::Linear },
            &[
                Series { name: "a row", class: "dot", points, is_line: false },
                Series { name: "equal", class: "arrow dash", points: vec![[ends.0; 2], [ends.1; 2]], is_line: true },
            ],
            None,
        );
        let shown = if every > 1 { format!(" One point in {every} is shown.") } else { String::new() };
        html!("<p>{}, in the unit of {}.</p>\n", numbers.join(", "), name)
            + figure(drawing.inline(), &format!("Predicted against true numbers.{shown}"), false)
    }
}
