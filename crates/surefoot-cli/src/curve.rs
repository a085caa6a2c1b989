//! A small picture of costs in the terminal.

use crate::output::short;

const COLUMNS: usize = 60;
const ROWS: usize = 9;
const TRAINING: char = '·';
const VALIDATION: char = '•';

/// The costs of the epochs on the training part, and on the validation part where there is one, from the first epoch to the
/// last, on a logarithmic axis where they go over more than a decade. Numbers that are not finite are left out.
pub fn curve(costs: &[f64], validation: &[f64]) -> String {
    let all = || costs.iter().chain(validation).copied().filter(|cost| cost.is_finite());
    let (least, most) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), cost| (a.min(cost), b.max(cost)));
    if least >= most {
        return String::new(); // all equal, or none
    }
    let is_logarithmic = least > 0.0 && most / least > 10.0;
    let of = |cost: f64| if is_logarithmic { cost.ln() } else { cost };
    let mut grid = [[' '; COLUMNS]; ROWS];
    for (numbers, mark) in [(costs, TRAINING), (validation, VALIDATION)] {
        for (column, cell) in (0..COLUMNS).map(|column| (column, column * numbers.len() / COLUMNS)) {
            let Some(cost) = numbers.get(cell).filter(|cost| cost.is_finite()) else { continue };
            let share = (of(*cost) - of(least)) / (of(most) - of(least));
            grid[ROWS - 1 - (share * (ROWS - 1) as f64).round() as usize][column] = mark;
        }
    }
    let width = [least, most].map(|cost| short(Some(cost)).len()).into_iter().max().unwrap_or(0);
    let mut text = format!("{:width$}   {TRAINING} training", "cost");
    if !validation.is_empty() {
        text += &format!("   {VALIDATION} validation");
    }
    for (row, cells) in grid.iter().enumerate() {
        let label = match row {
            0 => short(Some(most)),
            row if row == ROWS - 1 => short(Some(least)),
            _ => String::new(),
        };
        let cells: String = cells.iter().collect();
        text += &format!("\n{label:>width$} │{}", cells.trim_end());
    }
    let last = costs.len().to_string();
    let gap = COLUMNS.saturating_sub(last.len() + 1);
    text + &format!("\n{:width$} └{}\n{:width$}  1{:gap$}{last} epochs\n", "", "─".repeat(COLUMNS), "", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_falls_from_the_upper_left_to_the_lower_right() {
        let costs: Vec<f64> = (0..100).map(|i| 10f64.powf(-f64::from(i) / 25.0)).collect();
        let text = curve(&costs, &[]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), ROWS + 3);
        assert!(lines[1].starts_with("  1.0000 │·") && lines[ROWS].starts_with("1.096e-4 │"), "{text}");
        let last = |line: &str| line.chars().filter(|c| *c != '│').collect::<String>().trim_end().len();
        assert!(last(lines[1]) < last(lines[ROWS]), "{text}");
        assert!(!text.contains(VALIDATION) && curve(&costs, &costs).contains(VALIDATION));
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert_eq!(curve(&[1.0, 1.0], &[]), "");
        assert_eq!(curve(&[f64::NAN, f64::INFINITY], &[]), "");
        assert!(curve(&[2.0, f64::INFINITY, 1.0], &[-1.0]).contains("-1.0000"));
    }
}
