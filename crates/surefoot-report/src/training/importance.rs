//! Which inputs matter.

use surefoot_fit::JudgedOn;

use super::TrainingReport;
use crate::drawing::plot::ranking;
use crate::markup::html::{Html, figure, html};

/// The inputs in the ranking.
const MOST_RANKED: usize = 25;

impl TrainingReport<'_> {
    pub(super) fn importance(&self) -> Html {
        let Some(columns) = &self.outcome.importance else {
            return html!("<p>Not measured: there are too many inputs, or the inputs are the targets.</p>\n");
        };
        let score = self.score_name();
        let rows: Vec<(String, f64, f64)> = columns
            .iter()
            .take(MOST_RANKED)
            .map(|(name, importance)| (name.clone(), importance.mean, importance.spread))
            .collect();
        let more = match columns.len().saturating_sub(MOST_RANKED) {
            0 => String::new(),
            n => format!(" {n} more columns matter less."),
        };
        let where_from = match self.outcome.judged.on {
            JudgedOn::Test => "the test part",
            JudgedOn::Validation => "the validation part",
            _ => "the training part",
        };
        let drawing = ranking(
            "which inputs matter",
            &format!("drop in {score} without each column, largest first"),
            &format!("drop in {score}"),
            &rows,
        );
        figure(
            drawing.inline(),
            &format!(
                "Permutation importance: how much the {score} on {where_from} drops when the cells of a column are shuffled among \
                 the rows (mean and standard deviation of several shuffles).{more} Redundant columns can stand in for each \
                 other, so each may seem unimportant."
            ),
            false,
        )
    }
}
