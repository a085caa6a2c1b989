//! How the values of a column may be written, for programs that look its cells up without this crate.

use crate::categories::Categories;
use crate::cell::{NO, YES};
use crate::kind::Kind;

/// How a program without this crate finds the value of a cell of a yes/no column or of categories.
#[derive(Clone, Debug, PartialEq)]
pub enum Spellings {
    /// By its number, one for each value: all values are numbers, so that `1` and `1.0` are one.
    Numbers(Vec<f64>),
    /// By its text; of equal texts the first counts.
    Texts(Vec<Spelling>),
}

/// A text that means a value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The text of the cell, without spaces around it.
    pub text: String,
    /// Whether capital ASCII letters count as small ones.
    pub ignores_case: bool,
    /// The place of the value among those of the column.
    pub value: usize,
}

impl Kind {
    /// Every way to write the values of this column; `None` for a column of numbers, where it is the
    /// [`Notation`](crate::Notation) that says it.
    ///
    /// Categories are found by their text; yes and no by any word for them where the values are such words; codes (`007`) without
    /// their zeros in front, too.
    pub fn spellings(&self) -> Option<Spellings> {
        let names: &[String] = match self {
            Kind::Number { .. } => return None,
            Kind::Binary { values, .. } => values,
            Kind::Category { categories, .. } => categories,
        };
        let categories = Categories::new(names);
        if categories.are_numbers() && !names.is_empty() {
            return Some(Spellings::Numbers(names.iter().filter_map(|name| name.parse().ok()).collect()));
        }
        let exact = names.iter().enumerate().map(|(value, name)| (name.clone(), false, value));
        let words = categories.truths().into_iter().flat_map(|[no, yes]| {
            let of = |words: &'static [&'static str], value| {
                words.iter().flat_map(|word| cases_beyond_ascii(word)).map(move |text| (text, true, value))
            };
            of(&NO, no).chain(of(&YES, yes))
        });
        let shortened = names.iter().enumerate().flat_map(|(value, name)| {
            let zeros = name.len() - name.trim_start_matches('0').len();
            let without = (0..=zeros).flat_map(|count| [name[count..].to_string(), format!("{}.0", &name[count..])]);
            without
                .filter(|text| categories.with_zeros(text).as_deref() == Some(name))
                .map(move |text| (text, false, value))
        });
        let all = exact.chain(words).chain(shortened.collect::<Vec<_>>());
        Some(Spellings::Texts(all.map(|(text, ignores_case, value)| Spelling { text, ignores_case, value }).collect()))
    }
}

/// The word with each of its letters beyond ASCII small and capital.
fn cases_beyond_ascii(word: &str) -> Vec<String> {
    word.chars().fold(vec![String::new()], |begun, letter| {
        let forms = match letter.is_ascii() {
            true => vec![letter.to_string()],
            false => vec![letter.to_string(), letter.to_uppercase().to_string()],
        };
        begun.iter().flat_map(|begin| forms.iter().map(move |form| format!("{begin}{form}"))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    fn categories(names: &[&str]) -> Kind {
        let categories = names.iter().map(ToString::to_string).collect();
        Kind::Category { categories, other: true, missing_indicator: false }
    }

    fn texts(kind: &Kind) -> Vec<Spelling> {
        match kind.spellings() {
            Some(Spellings::Texts(texts)) => texts,
            other => panic!("{other:?}"),
        }
    }

    /// The place of the value that a program finds by the spellings.
    fn looked_up(spellings: &[Spelling], cell: &str) -> Option<usize> {
        let is = |spelling: &&Spelling| match spelling.ignores_case {
            true => spelling.text.eq_ignore_ascii_case(cell),
            false => spelling.text == cell,
        };
        spellings.iter().find(is).map(|spelling| spelling.value)
    }

    #[test]
    fn spellings_find_what_the_encoding_finds() {
        let cells = [
            "yes",
            "YES",
            "No",
            "sí",
            "SÍ",
            "sÍ",
            "SI",
            "NÃO",
            "nÃo",
            "não",
            "1",
            "0",
            "1.0",
            "true",
            "T",
            "Y",
            "ja",
            "maybe",
            "7",
            "07",
            "007",
            "7.0",
            "07.0",
            "007.0",
            "0",
            "00",
            "000",
            "0.0",
            "14",
            "014",
            "14.0",
            "a",
            "A",
            "ä",
            "Ä",
            "verdadero",
            "VERDADERO",
        ];
        let csv = format!("x\n{}\n", cells.join("\n"));
        let table = Table::read("t.csv", csv.as_bytes()).unwrap();
        let cells_of = table.cells(0);
        for names in [
            &["no", "yes"][..],
            &["ja", "nein"],
            &["n", "y"],
            &["000", "007", "014"],
            &["0007", "0014"],
            &["a", "ä"],
            &["7", "a"],
        ] {
            let kind = categories(names);
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let (spellings, exact) = (texts(&kind), Categories::new(&names));
            for row in 0..table.rows() {
                let cell = cells_of.text(row);
                let found = exact.find(cells_of, cells_of.cell(row));
                assert_eq!(looked_up(&spellings, &cell), found, "{cell} among {names:?}");
            }
        }
    }

    #[test]
    fn numbers_are_found_by_their_value() {
        assert_eq!(categories(&["1", "2.5"]).spellings(), Some(Spellings::Numbers(vec![1.0, 2.5])));
        let kind = Kind::Binary { values: ["0".into(), "1".into()], missing_indicator: false };
        assert_eq!(kind.spellings(), Some(Spellings::Numbers(vec![0.0, 1.0])));
        assert!(categories(&["1", "x"]).spellings().is_some_and(|spellings| matches!(spellings, Spellings::Texts(_))));
        let number = Kind::Number { fill: None, missing_indicator: false, notation: Default::default() };
        assert_eq!(number.spellings(), None);
    }
}
