//! From the raw columns of a table to the inputs of the network.

use surefoot::Model;
use surefoot_table::{Column, Kind};

use super::graph::{Attribute, Graph, Type};
use super::letters::with_all_cases;
use crate::columns::{Cells, Columns};
use crate::error::{Error, Result};

/// The inputs of the network in double precision, (rows × s₁).
pub fn inputs(graph: &mut Graph, model: &Model) -> Result<String> {
    let columns = Columns::of(model)?;
    if columns.columns.is_empty() {
        return Ok(graph.input("X", Type::Double, model.network.inputs()));
    }
    // first all inputs of the graph, in the order of the columns, whose names are then taken
    let mut values = Vec::new();
    for Column { name, kind } in &columns.columns {
        if name.is_empty() {
            let hint = "give the column a name in the table, and train again";
            return Err(Error::unfit("a column", "a name, which an input of ONNX needs", "none", hint));
        }
        let cells = Cells::from(kind);
        let of = if let Cells::TextOf(_) = cells { Type::Text } else { Type::Double };
        values.push((graph.input(name, of, 1), kind, cells));
    }
    let texts: Vec<&str> = values.iter().filter(|(.., cells)| is_text(cells)).map(|(name, ..)| name.as_str()).collect();
    let mut missing_texts = MissingTexts::new(graph, &columns, &texts)?;
    let mut inputs = Vec::new();
    for (name, kind, cells) in &values {
        let is_missing = match cells {
            Cells::TextOf(_) => missing_texts.next(graph),
            _ => missing_number(graph, name, &columns.missing_numbers),
        };
        let places = match cells {
            Cells::Number { fill } => {
                // a number that is missing and has to be there makes the whole row NaN
                let fill = graph.numbers(Type::Double, &[1, 1], [fill.unwrap_or(f64::NAN)]);
                let is_missing = graph.node_with("Cast", &[&is_missing], vec![Attribute::Int("to", BOOL)]);
                inputs.push(graph.node("Where", &[&is_missing, &fill, name]));
                None
            }
            Cells::NumberOf(values) => {
                let is_category = matches!(kind, Kind::Category { .. });
                let absent = |x: &f64| if is_category && columns.missing_numbers.contains(x) { f64::NAN } else { *x };
                let values = graph.numbers(Type::Double, &[1, values.len()], values.iter().map(absent));
                Some(graph.node("Equal", &[name, &values]))
            }
            Cells::TextOf(spellings) => {
                let mut keys = Vec::new();
                for spelling in spellings {
                    let all = match spelling.ignores_case {
                        true => with_all_cases(&spelling.text, name)?,
                        false => vec![spelling.text.clone()],
                    };
                    let is_free = |text: &String| !matches!(kind, Kind::Category { .. }) || !columns.is_missing(text);
                    keys.extend(all.into_iter().filter(is_free).map(|text| (text, spelling.value as i64)));
                }
                let place = look_up(graph, name, keys, -1);
                let count = match kind {
                    Kind::Category { categories, .. } => categories.len(),
                    _ => 2,
                };
                let places: Vec<i64> = (0..count as i64).collect();
                let places = graph.integers(&places);
                Some(graph.node("Equal", &[&place, &places]))
            }
        };
        if let Some(places) = places {
            let one_hot = graph.cast(&places, Type::Double);
            match kind {
                Kind::Category { other, .. } => {
                    inputs.push(one_hot.clone());
                    if *other {
                        let known = graph.row_sums(&one_hot);
                        let known = graph.node("Add", &[&known, &is_missing]);
                        let one = graph.numbers(Type::Double, &[1, 1], [1.0]);
                        inputs.push(graph.node("Sub", &[&one, &known]));
                    }
                }
                _ => {
                    // ½ − ½ for the first value, ½ + ½ for the second
                    let (half, signs) = (
                        graph.numbers(Type::Double, &[1, 1], [0.5]),
                        graph.numbers(Type::Double, &[1, 2], [-0.5, 0.5]),
                    );
                    let signed = graph.node("Mul", &[&one_hot, &signs]);
                    let sum = graph.row_sums(&signed);
                    inputs.push(graph.node("Add", &[&sum, &half]));
                }
            }
        }
        if kind.has_missing_indicator() {
            inputs.push(is_missing);
        }
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(graph.node_with("Concat", &inputs, vec![Attribute::Int("axis", 1)]))
}

/// The type of truths.
const BOOL: i64 = 9;

fn is_text(cells: &Cells) -> bool {
    matches!(cells, Cells::TextOf(_))
}

/// Whether a number is missing, as 1 or 0 in double precision: NaN, or one of those that mean it.
fn missing_number(graph: &mut Graph, name: &str, missing: &[f64]) -> String {
    let nan = graph.node("IsNaN", &[name]);
    let nan = graph.cast(&nan, Type::Double);
    if missing.is_empty() {
        return nan;
    }
    let mut different: Vec<f64> = missing.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    let words = graph.numbers(Type::Double, &[1, different.len()], different);
    let equal = graph.node("Equal", &[name, &words]);
    let equal = graph.cast(&equal, Type::Double);
    let equal = graph.row_sums(&equal);
    graph.node("Add", &[&nan, &equal])
}

/// Which texts of all columns are missing: one table of the words for it serves all.
struct MissingTexts {
    /// (rows × columns of texts), 1 or 0 in double precision; none without such columns.
    all: Option<String>,
    column: i64,
}

impl MissingTexts {
    fn new(graph: &mut Graph, columns: &Columns, texts: &[&str]) -> Result<Self> {
        if texts.is_empty() {
            return Ok(MissingTexts { all: None, column: 0 });
        }
        let mut words = Vec::new();
        for word in &columns.missing {
            words.extend(with_all_cases(word, "the words for a missing cell")?.into_iter().map(|text| (text, 1)));
        }
        let texts = graph.node_with("Concat", texts, vec![Attribute::Int("axis", 1)]);
        let all = look_up(graph, &texts, words, 0);
        Ok(MissingTexts { all: Some(graph.cast(&all, Type::Double)), column: 0 })
    }

    /// The next column, (rows × 1).
    fn next(&mut self, graph: &mut Graph) -> String {
        let column = graph.integers(&[self.column]);
        self.column += 1;
        let all = self.all.clone().unwrap_or_default();
        graph.node_with("Gather", &[&all, &column], vec![Attribute::Int("axis", 1)])
    }
}

/// The integer that stands for each text; of equal texts the first counts.
fn look_up(graph: &mut Graph, texts: &str, mut table: Vec<(String, i64)>, otherwise: i64) -> String {
    let mut seen = std::collections::BTreeSet::new();
    table.retain(|(text, _)| seen.insert(text.clone()));
    if table.is_empty() {
        // a table has to have something: a text that no cell has
        table.push(("\u{0}".into(), otherwise));
    }
    let (texts_of, values) = table.into_iter().unzip();
    let attributes = vec![
        Attribute::Texts("keys_strings", texts_of),
        Attribute::Ints("values_int64s", values),
        Attribute::Int("default_int64", otherwise),
    ];
    graph.node_with("LabelEncoder", &[texts], attributes)
}
