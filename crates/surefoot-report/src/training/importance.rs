//! Which inputs matter.

use super::{Part, TrainingReport};
use crate::drawing::plot::ranking;
use crate::markup::html::{Html, figure, html};

/// The inputs in the ranking.
const MOST_RANKED: usize = 25;

impl TrainingReport<'_> {
    pub(super) fn importance(&self) -> Html {
        let Some(columns) = self.ranking else {
            return html!("<p>Not measured: for so many inputs it would take too long, or they are the targets.</p>\n");
        };
        let score = self.score_name();
        let rows: Vec<(String, f64, f64)> = columns
            .iter()
            .take(MOST_RANKED)
            .map(|(name, importance)| (name.clone(), importance.mean, importance.spread))
            .collect();
        let more = match columns.len().saturating_sub(MOST_RANKED) {
            0 => String::new(),
            n => format!(" {n} more matter less."),
        };
        let where_from = match self.predictions.part {
            Part::Test => "the test part",
            Part::Validation => "the validation part",
            _ => "the rows that were learned from",
        };
        let drawing = ranking(
            "which inputs matter",
            &format!("what the {score} loses without each column, the greatest first"),
            &format!("loss of {score}"),
            &rows,
        );
        figure(
            drawing.inline(),
            &format!(
                "How much {score} falls on {where_from} when the cells of a column are dealt out anew among the rows (mean and \
                 standard deviation of several times).{more} Columns that say the same stand in for each other."
            ),
            false,
        )
    }
}
