//! The columns of the table, and what became of each.

use std::collections::HashMap;

use surefoot::Scaling;
use surefoot_table::{Kind, Table, Targets, in_sentences};

use super::TrainingReport;
use crate::drawing::plot::{bars, histogram};
use crate::markup::html::{Column, Html, html, table};
use crate::words::{count, short, shortened, thousands};

/// The columns that the page lists; of more the first. Those after some are folded away.
const MOST_COLUMNS: usize = 200;
const OPEN_COLUMNS: usize = 20;

impl TrainingReport<'_> {
    pub(super) fn data(&self) -> Html {
        let (data, plan) = (self.table, &self.outcome.plan);
        let target = &plan.target;
        let mut html = html!(
            "<p>{} with {} in {}: {} for training",
            count(data.rows(), "row"),
            count(data.columns().len(), "column"),
            data.file(),
            thousands(plan.rows as u64)
        );
        for (name, rows) in [("validation", plan.validation_rows), ("test", plan.test_rows)] {
            if rows > 0 {
                html += html!(", {} for {}", thousands(rows as u64), name);
            }
        }
        if let Some(target) = target
            && target.rows.len() < data.rows()
        {
            html += html!("; {} without a target excluded", count(data.rows() - target.rows.len(), "row"));
        }
        html += html!(".</p>\n");
        for note in in_sentences(&plan.notes) {
            html += html!("<p class=\"muted\">Note: {}.</p>\n", with_code(&note));
        }
        let kinds: HashMap<&str, &Kind> =
            self.encoding.columns.iter().map(|column| (column.name.as_str(), &column.kind)).collect();
        let excluded: HashMap<&str, &str> =
            plan.excluded.iter().map(|(name, why)| (name.as_str(), why.reason())).collect();
        let row = |(place, name): (usize, &String)| {
            let is_target = target.as_ref().is_some_and(|target| target.column == place);
            let (role, kind) = match (is_target, kinds.get(name.as_str()), excluded.get(name.as_str())) {
                (true, ..) => (Html::text("target"), self.target_kind()),
                (_, Some(kind), _) => (inputs_of(kind).into(), kind.name().into()),
                (_, _, Some(why)) => (html!("<span class=\"muted\">excluded: {}</span>", why), String::new()),
                _ => (html!("<span class=\"muted\">excluded</span>"), String::new()),
            };
            let values = Values::of(data, place);
            let missing = match values.missing {
                0 => String::new(),
                n => format!("{} ({:.1} %)", thousands(n as u64), 100.0 * n as f64 / data.rows() as f64),
            };
            vec![Html::text(name), role, kind.into(), missing.into(), values.in_words(), values.drawing(name)]
        };
        let mut rows: Vec<Vec<Html>> = data.columns().iter().enumerate().take(MOST_COLUMNS).map(row).collect();
        let columns = [
            Column::Text("column"),
            Column::Text("used as"),
            Column::Text("kind"),
            Column::Number("missing"),
            Column::Text("minimum … median … maximum, or most common values"),
            Column::Text("how often"),
        ];
        let rest = rows.split_off(rows.len().min(OPEN_COLUMNS));
        html += table(&columns, &rows);
        if !rest.is_empty() {
            html += html!("<details><summary>{} more</summary>\n", count(rest.len(), "column"));
            html += table(&columns, &rest);
            html += html!("</details>\n");
        }
        if data.columns().len() > MOST_COLUMNS {
            html += html!("<p class=\"muted\">and {} more</p>\n", data.columns().len() - MOST_COLUMNS);
        }
        html
    }

    fn target_kind(&self) -> String {
        match &self.encoding.targets {
            Targets::Classes(names) => format!("{} classes", names.len()),
            Targets::Numbers => "number".into(),
        }
    }
}

/// A sentence whose names and cells, which stand in backticks, are set as code.
fn with_code(text: &str) -> Html {
    let parts = text.split('`').enumerate();
    parts.fold(Html::new(), |html, (place, part)| match place % 2 {
        0 => html + Html::text(part),
        _ => html + html!("<code>{}</code>", part),
    })
}

/// How many inputs a column has.
fn inputs_of(kind: &Kind) -> String {
    match kind.width() {
        1 => "input".into(),
        n => format!("{n} inputs"),
    }
}

/// What is in a column.
struct Values {
    missing: usize,
    /// None where some cell has a text.
    numbers: Vec<f64>,
    /// The least, the median and the greatest of them.
    range: Option<[f64; 3]>,
    /// Where not all are numbers: each value with its rows, the commonest first.
    counts: Vec<(String, usize)>,
}

impl Values {
    fn of(table: &Table, column: usize) -> Self {
        let mut numbers: Vec<f64> = (0..table.rows()).filter_map(|row| table.number(row, column)).collect();
        let is_present = |row: &usize| !table.is_missing(*row, column);
        let present =
            if numbers.len() == table.rows() { numbers.len() } else { (0..table.rows()).filter(is_present).count() };
        let mut counts = HashMap::new();
        if numbers.len() < present {
            numbers.clear();
            (0..table.rows())
                .filter(is_present)
                .for_each(|row| *counts.entry(table.cell(row, column)).or_insert(0) += 1);
        }
        let (median, _) = Scaling::robust(&mut numbers);
        let range = numbers.iter().fold(None, |range: Option<[f64; 3]>, &x| match range {
            None => Some([x, median, x]),
            Some([least, _, most]) => Some([f64::min(least, x), median, f64::max(most, x)]),
        });
        let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(cell, n)| (cell.into_owned(), n)).collect();
        counts.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
        Values { missing: table.rows() - present, numbers, range, counts }
    }

    fn in_words(&self) -> Html {
        if let Some(range) = self.range {
            let [low, median, high] = range.map(compact);
            return match range[0] == range[2] {
                true => low.into(),
                false => html!("<span class=\"range\">{} … <strong>{}</strong> … {}</span>", low, median, high),
            };
        }
        let shown: Vec<String> =
            self.counts.iter().take(3).map(|(cell, n)| format!("{} ({n})", shortened(cell, 24))).collect();
        let more = match self.counts.len().saturating_sub(3) {
            0 => String::new(),
            n => format!(", {n} more"),
        };
        match shown.is_empty() {
            true => Html::new(),
            false => html!("<span class=\"counts\">{}{}</span>", shown.join(", "), more),
        }
    }

    fn drawing(&self, name: &str) -> Html {
        let title = format!("values of {name}");
        match (&self.numbers[..], &self.counts[..]) {
            ([], []) => Html::new(),
            ([], counts) => {
                let counts: Vec<usize> = counts.iter().take(24).map(|(_, n)| *n).collect();
                bars(&counts, &title, "how often the most common values occur").inline()
            }
            (numbers, _) => histogram(numbers, &title).inline(),
        }
    }
}

/// A number as a table of columns shows it.
fn compact(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < 1e7 { format!("{x}") } else { short(Some(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_in_a_few_words() {
        let table = Table::read("t", &b"a,b,c\n1,x,\n2.5,y,NA\n10,x,5\n,<b>,6\n"[..]).unwrap();
        let words = |column| Values::of(&table, column).in_words().as_str().to_string();
        assert_eq!(words(0), "<span class=\"range\">1 … <strong>2.5000</strong> … 10</span>");
        assert_eq!(words(1), "<span class=\"counts\">x (2), &lt;b&gt; (1), y (1)</span>");
        assert!(
            words(2).contains("<strong>5.5000</strong>") && Values::of(&table, 2).missing == 2,
            "of two the middle"
        );
    }
}
