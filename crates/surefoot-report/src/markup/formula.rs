//! Typeset formulas: LaTeX in, MathML out, which browsers show by themselves. The LaTeX is made of this crate's own
//! strings and of numbers; no text of a file gets into a formula.

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, push_mathml};

use super::html::{Html, html};

/// A formula on a line of its own, with its number where it has one. What cannot be typeset stands as it is.
pub fn formula(latex: &str, tag: &str) -> Html {
    let tag = if tag.is_empty() { Html::new() } else { html!("<span class=\"tag\">({})</span>", tag) };
    html!("<div class=\"formula\">{}{}</div>\n", typeset(latex, DisplayMode::Block), tag)
}

/// The same of parts between which a line may be broken, as before `=` and `+`.
pub fn formula_in_parts(parts: &[String], tag: &str) -> Html {
    let tag = if tag.is_empty() { Html::new() } else { html!("<span class=\"tag\">({})</span>", tag) };
    let parts = parts.iter().fold(Html::new(), |all, part| all + html!("{} ", typeset(part, DisplayMode::Block)));
    html!("<div class=\"formula\"><div class=\"parts\">{}</div>{}</div>\n", parts, tag)
}

/// A formula within a text.
pub fn inline(latex: &str) -> Html {
    typeset(latex, DisplayMode::Inline)
}

fn typeset(latex: &str, display_mode: DisplayMode) -> Html {
    let storage = Storage::new();
    let events: Result<Vec<_>, _> = Parser::new(latex, &storage).collect();
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mathml = events.ok().and_then(|events| {
        let mut mathml = String::new();
        push_mathml(&mut mathml, events.into_iter().map(Ok::<_, std::fmt::Error>), config).ok()?;
        Some(Html::of_markup(mathml))
    });
    mathml.unwrap_or_else(|| html!("<code>{}</code>", latex))
}

/// A number within a formula: about four significant digits, in parentheses where it is negative and something stands
/// before it.
pub fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let exponent = x.abs().log10().floor();
    if !(-4.0..6.0).contains(&exponent) {
        let text = format!("{x:.2e}");
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!(r"{mantissa}\cdot 10^{{{power}}}");
    }
    let digits = (3.0 - exponent).clamp(0.0, 7.0) as usize;
    let text = format!("{x:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml() {
        let html = formula(r"a^{(2)}_{1}=f\left(W x\right)", "7");
        assert!(html.as_str().contains("<math") && html.as_str().contains("(7)"), "{html:?}");
        let parts = ["z=0.5", "+0.25", "=0.75"].map(String::from);
        let html = formula_in_parts(&parts, "6");
        assert_eq!((html.as_str().matches("<math").count(), html.as_str().matches("</math> ").count()), (3, 3));
        assert!(html.as_str().contains("(6)") && html.as_str().matches("<div").count() == 2, "{html:?}");
        assert!(inline("x_1").as_str().contains("<msub>"));
        assert!(inline(r"\nonsense{").as_str().contains("<code>"));
    }

    #[test]
    fn no_formula_can_become_other_markup() {
        for latex in [r"\text{<script>&}", "a<script>b&c", r"\mathrm{<script>}", r"\nonsense{<script>"] {
            let html = inline(latex);
            assert!(!html.as_str().contains("<script"), "{html:?}");
        }
    }

    #[test]
    fn numbers_have_about_four_digits() {
        let cases = [(0.0, "0"), (0.5, "0.5"), (-12.3456, "-12.35"), (1234.5, "1234"), (0.000_123_456, "0.0001235")];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
        assert_eq!(number(-1.5e-9), r"-1.50\cdot 10^{-9}");
        assert_eq!(number(2e7), r"2.00\cdot 10^{7}");
    }
}
