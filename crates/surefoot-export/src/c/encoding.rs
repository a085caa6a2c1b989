//! From the numbers and texts of a row to the inputs of the network.

use surefoot::Model;
use surefoot_table::{Column, Kind};

use super::literal::{comment, double, doubles, text};
use crate::columns::{Cells, Columns};
use crate::error::Result;

/// The part of a file that encodes.
pub struct Encoding {
    /// How many numbers and texts a row has.
    pub numbers: usize,
    pub texts: usize,
    /// What each of them is.
    pub comments: String,
    /// The function `encode`, which sets the inputs, and what it needs.
    pub code: String,
}

impl Encoding {
    pub fn of(model: &Model) -> Result<Self> {
        let columns = Columns::of(model)?;
        let inputs = model.network.inputs();
        let mut all = Encoding { numbers: 0, texts: 0, comments: String::new(), code: String::new() };
        let mut body = String::new();
        if columns.columns.is_empty() {
            all.numbers = inputs;
            for (i, name) in model.input_columns.iter().enumerate() {
                all.comments.push_str(&format!(" * numbers[{i}]  {}\n", comment(name)));
            }
            body = format!("    for (int i = 0; i < {inputs}; i++) inputs[i] = numbers[i];\n");
        }
        let mut first = 0;
        for Column { name, kind } in &columns.columns {
            let cells = Cells::from(kind);
            let (place, group) = match &cells {
                Cells::TextOf(_) => (&mut all.texts, "texts"),
                _ => (&mut all.numbers, "numbers"),
            };
            all.comments.push_str(&format!(" * {group}[{place}]  {}: {}\n", comment(name), kind.name()));
            body.push_str(&column(&mut all.code, *place, first, kind, &cells));
            *place += 1;
            first += kind.width();
        }
        if all.numbers > 0 && !columns.missing_numbers.is_empty() {
            let equal: Vec<_> = columns.missing_numbers.iter().map(|x| format!("x == {}", double(*x))).collect();
            let code = format!("\nstatic int is_absent(double x) {{ return x != x || {}; }}\n", equal.join(" || "));
            all.code.insert_str(0, &code);
        } else if all.numbers > 0 && !columns.columns.is_empty() {
            all.code.insert_str(0, "\nstatic int is_absent(double x) { return x != x; }\n");
        }
        if all.texts > 0 {
            let words: String = columns.missing.iter().map(|word| format!("    {},\n", text(word))).collect();
            let count = columns.missing.len();
            let code = format!(
                "
static const char *const missing[{count}] = {{
{words}}};

static int is_missing(const char *text) {{
    for (int i = 0; i < {count}; i++) if (is_same(missing[i], text, 1)) return 1;
    return 0;
}}
"
            );
            all.code.insert_str(0, &code);
        }
        let clear = format!("    for (int i = 0; i < {inputs}; i++) inputs[i] = 0.0;\n");
        let unused = if all.texts == 0 { "    (void)texts;\n" } else { "" };
        let also = if all.numbers == 0 { "    (void)numbers;\n" } else { "" };
        all.code.push_str(&format!(
            "\nstatic void encode(const double numbers[], const char *const texts[], double inputs[]) {{\n{unused}{also}{clear}{body}}}\n"
        ));
        Ok(all)
    }
}

/// What sets the inputs of a column, from `first` on. Tables of its values go to `code`.
fn column(code: &mut String, place: usize, first: usize, kind: &Kind, cells: &Cells) -> String {
    let width = kind.width();
    let indicator = match kind.has_missing_indicator() {
        true => format!("        if (is_none) inputs[{}] = 1.0;\n", first + width - 1),
        false => String::new(),
    };
    let (cell, value) = match cells {
        Cells::Number { fill } => {
            let fill = fill.unwrap_or(f64::NAN);
            return format!(
                "    {{
        double x = numbers[{place}];
        int is_none = is_absent(x);
        inputs[{first}] = is_none ? {} : x;
{indicator}    }}
",
                double(fill)
            );
        }
        Cells::NumberOf(values) => {
            code.push_str(&format!(
                "\nstatic const double values_{first}[{}] = {{\n{}}};\n",
                values.len(),
                doubles(values)
            ));
            let cell = format!("double x = numbers[{place}];\n        int is_none = is_absent(x), value = -1;");
            let search = format!("for (int i = 0; i < {}; i++) if (x == values_{first}[i]) value = i;", values.len());
            (cell, search)
        }
        Cells::TextOf(spellings) => {
            let mut rows: String = spellings
                .iter()
                .map(|spelling| {
                    format!(
                        "    {{{}, {}, {}}},\n",
                        text(&spelling.text),
                        i32::from(spelling.ignores_case),
                        spelling.value
                    )
                })
                .collect();
            if rows.is_empty() {
                rows.push_str("    {\"\", 0, -1},\n");
            }
            let count = spellings.len().max(1);
            code.push_str(&format!("\nstatic const struct spelling values_{first}[{count}] = {{\n{rows}}};\n"));
            let cell = format!(
                "const char *text = texts[{place}] ? texts[{place}] : \"\";\n        int is_none = is_missing(text), value;"
            );
            (cell, format!("value = find(values_{first}, {count}, text);"))
        }
    };
    let input = match kind {
        Kind::Category { categories, other, .. } => {
            let otherwise = match other {
                true => format!("\n        else if (!is_none) inputs[{}] = 1.0;", first + categories.len()),
                false => String::new(),
            };
            format!("if (!is_none && value >= 0) inputs[{first} + value] = 1.0;{otherwise}")
        }
        _ => format!("inputs[{first}] = value < 0 ? 0.5 : value;"),
    };
    let unused =
        if matches!(kind, Kind::Binary { .. }) && indicator.is_empty() { "        (void)is_none;\n" } else { "" };
    format!("    {{\n        {cell}\n        {value}\n        {input}\n{indicator}{unused}    }}\n")
}
