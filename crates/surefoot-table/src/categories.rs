//! The different values of a column, with a name each.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::cell::{Meaning, category_of_number, is_code, truth};
use crate::column::{Cell, Cells, Mapped};

/// The categories of some rows of a column that are not missing, in ascending order, with the rows that each has. Where all are
/// numbers they go by their value, so that 1 and 1.0 are one category; where all are words for yes and no, by what they mean, the
/// ones for no first; else each is its text.
pub(crate) fn categories_of(cells: &Cells, rows: &[usize]) -> Vec<(String, usize)> {
    let different = cells.different(rows.iter().copied().filter(|&row| !cells.meaning(row).is_missing));
    let by_value: Option<Vec<(f64, String, usize)>> = different
        .iter()
        .map(|&(row, count)| {
            let meaning = cells.meaning(row);
            let number = meaning.plain_number().filter(|_| !meaning.is_code)?;
            Some((number, category_of_number(number)?, count))
        })
        .collect();
    if let Some(mut names) = by_value {
        names.sort_by(|(a, ..), (b, ..)| (a + 0.0).total_cmp(&(b + 0.0)));
        let mut counts: Vec<(String, usize)> = Vec::new();
        for (_, name, count) in names {
            match counts.last_mut() {
                Some((last, of_last)) if *last == name => *of_last += count,
                _ => counts.push((name, count)),
            }
        }
        return counts;
    }
    let named = different.into_iter().map(|(row, count)| (cells.text(row).into_owned(), count));
    let texts: BTreeMap<String, usize> = named.collect();
    by_truth(&texts).unwrap_or_else(|| texts.into_iter().collect())
}

/// The texts for no and those for yes, under the most frequent of each, if all are one or the other.
fn by_truth(texts: &BTreeMap<String, usize>) -> Option<Vec<(String, usize)>> {
    if !mean_yes_or_no(texts.keys().map(String::as_str)) {
        return None;
    }
    let of = |wanted: bool| {
        let alike = texts.iter().filter(move |(text, _)| truth(text) == Some(wanted));
        let name = alike.clone().rev().max_by_key(|(_, count)| **count)?.0.clone();
        Some((name, alike.map(|(_, count)| count).sum()))
    };
    Some(vec![of(false)?, of(true)?])
}

/// Whether these texts are words for yes and for no. A letter counts among its like only, since `f` and `n` may be two kinds.
fn mean_yes_or_no<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> bool {
    const FAMILIES: [&[&str]; 3] = [&["t", "f", "true", "false"], &["y", "n", "yes", "no"], &["j", "n", "ja", "nein"]];
    let truths = || texts.clone().map(truth);
    if texts.clone().count() > 32 || !truths().all(|truth| truth.is_some()) {
        return false;
    }
    let words: Vec<String> = texts.clone().map(str::to_lowercase).collect();
    let has_letters = words.iter().any(|word| word.chars().all(char::is_alphabetic) && word.len() == 1);
    let is_of_one = |family: &&[&str]| words.iter().all(|word| family.contains(&&**word));
    let are_alike = !has_letters || FAMILIES.iter().any(is_of_one);
    are_alike && truths().any(|truth| truth == Some(true)) && truths().any(|truth| truth == Some(false))
}

/// Spellings that are one category, and categories that differ in capitals only: a sentence for each kind of column that a
/// person should look at.
pub(crate) fn spellings(cells: &Cells, rows: &[usize]) -> Option<String> {
    let different = cells.different(rows.iter().copied().filter(|&row| !cells.meaning(row).is_missing));
    if different.len() > 1000 {
        return None;
    }
    let texts: Vec<String> = different.iter().map(|&(row, _)| cells.text(row).into_owned()).collect();
    let list = |texts: &[&String]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts.iter().take(6).map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
    };
    if mean_yes_or_no(texts.iter().map(String::as_str)) && !texts.iter().all(|text| text.parse::<f64>().is_ok()) {
        let of = |wanted| texts.iter().filter(move |text| truth(text) == Some(wanted)).collect::<Vec<_>>();
        let (no, yes) = (of(false), of(true));
        return (no.len() > 1 || yes.len() > 1)
            .then(|| format!("{} are read as one value, {} as the other", list(&no), list(&yes)));
    }
    let mut by_lower = HashMap::<String, Vec<&String>>::new();
    texts.iter().for_each(|text| by_lower.entry(text.to_lowercase()).or_default().push(text));
    let mut alike: Vec<_> = by_lower.into_values().filter(|texts| texts.len() > 1).collect();
    alike.sort();
    let first = alike.first()?;
    Some(format!("{} differ in capitals only, and are {} values", list(first), first.len()))
}

/// Finds categories by their names.
pub(crate) struct Categories<'a> {
    index: HashMap<&'a str, usize>,
    /// Then a cell is found by its value as well.
    are_numbers: bool,
    /// The places of no and yes, if that is what they are.
    by_truth: Option<[usize; 2]>,
    /// The digits of each, where they are codes with zeros in front; then a cell is found that lost its zeros.
    code_length: Option<usize>,
}

impl<'a> Categories<'a> {
    pub fn new(names: &'a [String]) -> Self {
        let is_number = |name: &String| {
            name.parse().is_ok_and(|number: f64| category_of_number(number).is_some_and(|text| text == *name))
        };
        let are_numbers = names.iter().all(is_number);
        let by_truth = match names {
            [first, second] if mean_yes_or_no([&**first, &**second].into_iter()) => {
                Some(if truth(second) == Some(true) { [0, 1] } else { [1, 0] })
            }
            _ => None,
        };
        let is_digits = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        let length = names.first().map_or(0, String::len);
        let are_codes = length > 1
            && names.iter().all(|name| name.len() == length && is_digits(name))
            && names.iter().any(|name| is_code(name));
        Categories {
            index: names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect(),
            are_numbers,
            by_truth,
            code_length: are_codes.then_some(length),
        }
    }

    /// Whether a cell is found by its number as well.
    pub fn are_numbers(&self) -> bool {
        self.are_numbers
    }

    /// The places of no and yes, if that is what they are.
    pub fn truths(&self) -> Option<[usize; 2]> {
        self.by_truth
    }

    /// The index of the category of a cell.
    pub fn find(&self, cells: &Cells, cell: Cell<'_>) -> Option<usize> {
        self.place(&cells.text_of(cell), || cells.meaning_of(cell))
    }

    /// The index of the category of a text with this meaning.
    pub fn place(&self, text: &str, meaning: impl FnOnce() -> Meaning) -> Option<usize> {
        if let Some(place) = self.index.get(text) {
            return Some(*place);
        }
        if self.are_numbers
            && let Some(name) = meaning().plain_number().and_then(category_of_number)
            && let Some(place) = self.index.get(&*name)
        {
            return Some(*place);
        }
        match self.by_truth {
            Some(places) => truth(text).map(|yes| places[usize::from(yes)]),
            None => self.index.get(&*self.with_zeros(text)?).copied(),
        }
    }

    /// The code whose zeros in front were lost, or that became a number such as `7.0`.
    pub fn with_zeros(&self, text: &str) -> Option<Cow<'a, str>> {
        let length = self.code_length?;
        let digits = text.strip_suffix(".0").unwrap_or(text);
        let is_changed = digits.len() < length || digits.len() == length && digits != text;
        if !is_changed || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(format!("{digits:0>length$}").into())
    }

    /// Whether there is a category of this name, to the letter.
    pub fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The index of the category of each cell of a column.
    pub fn of_cells<'c>(self, cells: &'c Cells) -> Mapped<'c, Option<usize>, impl Fn(Cell<'c>) -> Option<usize>> {
        Mapped::new(cells, move |cell| self.find(cells, cell))
    }
}
