//! The explanation in a terminal.

use surefoot::trace::{Backward, Derivative};

use super::{Explanation, shown};
use crate::words::{count, short};

impl Explanation<'_> {
    /// In the terminal: every layer, J, and how far derivatives are from their numerical values.
    pub fn text(&self) -> String {
        let Explanation { model, trace, .. } = self;
        let cells: Vec<String> = self.cells().iter().map(|(name, cell)| format!("{name} {cell}")).collect();
        let shown_cells = match cells.len() > 12 {
            true => format!("{}, … ({} in all)", cells[..12].join(", "), cells.len()),
            false => cells.join(", "),
        };
        let mut text = format!("row {} of {}: {shown_cells}\n{}\n", self.row + 1, self.table.file(), model.network);
        let number = |x: f64| short(Some(x));
        for (l, layer) in model.network.layers().iter().enumerate() {
            let (units, _) = shown(&model.network, l);
            text += &format!(
                "\nlayer {} (L{} of the notes), {}: z = W·a + b (6), a = f(z) (7)",
                l + 1,
                l + 2,
                layer.activation
            );
            text += if trace.backward.is_some() { ", δ = ∂J/∂z\n" } else { "\n" };
            text += &format!("  {:>6}{:>13}{:>13}", "unit", "z", "a");
            text += if trace.backward.is_some() { "            δ\n" } else { "\n" };
            for i in 0..units {
                text += &format!("  {:>6}{:>13}{:>13}", i + 1, number(trace.z[l][i]), number(trace.a[l][i]));
                if let Some(Backward { delta, .. }) = &trace.backward {
                    text += &format!("{:>13}", number(delta[l][i]));
                }
                text += "\n";
            }
            if units < layer.outputs {
                text += &format!("  and {} more units\n", layer.outputs - units);
            }
        }
        text += &format!("\npredicted  {}\n", self.prediction);
        let Some(Backward { loss, .. }) = &trace.backward else {
            return text + "(no target in this row: J, δ and the gradient are not known)\n";
        };
        text += &format!("J(W,b;x,y) {}\n", number(*loss));
        if let Some((overall, rows)) = self.overall {
            text += &format!("J(W,b)     {} over {} (8)\n", number(overall), count(rows, "row"));
        }
        text += "\ngradient against (J(θ+ε) − J(θ−ε)) / 2ε\n";
        text += &format!("  {:<9}{:>16}{:>16}{:>11}\n", "", "gradient", "numerical", "difference");
        for (l, derivatives) in self.derivatives.iter().enumerate() {
            let (units, inputs) = shown(&model.network, l);
            for (name, at) in [(format!("W{}₁₁", raised(l + 1)), 0), (format!("b{}₁", raised(l + 1)), units * inputs)]
            {
                let Derivative { analytic, numeric } = &derivatives[at];
                text += &match numeric {
                    Some(numeric) => {
                        format!("  {name:<9}{analytic:>16.8e}{numeric:>16.8e}{:>11.1e}\n", (analytic - numeric).abs())
                    }
                    None => format!("  {name:<9}{analytic:>16.8e}{:>27}\n", "on a kink"),
                };
            }
        }
        text
    }
}

/// (l) as an index above the line.
fn raised(l: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = l.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect::<String>();
    format!("⁽{digits}⁾")
}
