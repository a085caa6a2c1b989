//! How the cells of a column are to be read: settled by what all of them have, kept in the model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Reason;
use crate::number::{Separators, Sign, Written};

/// How the numbers of a column are written, and what stands for a missing cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notation {
    /// Whether `1,5` is one and a half, and `1.500` is one and a half thousand. Default: the other way round.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decimal_comma: bool,
    /// The unit or currency that numbers have, such as `kg`. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether a number without its unit is no number: where all have a percent sign, 0.5 may be meant as half.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unit_is_required: bool,
    /// Whether `12 %` is 0.12, since other cells are fractions; else it is 12.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub percent_is_fraction: bool,
    /// The words that mean that a cell is missing, in capitals or not, beside an empty cell. `None`: the usual ones. An
    /// [`Encoding`](crate::Encoding) keeps them once for all columns.
    #[serde(skip)]
    pub missing: Option<Vec<String>>,
}

/// The words that mean that a cell is missing, in capitals or not: those that spreadsheets, databases, pandas and R write.
pub const MISSING: [&str; 32] = [
    "", "NA", "N/A", "n.a.", "NaN", "-NaN", "None", "null", "(null)", "<NA>", "?", "-", "–", "—", ".", "#N/A", "#NA",
    "#N/A N/A", "#N/D", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "1.#IND", "-1.#IND", "1.#QNAN",
    "-1.#QNAN", "\\N", "k. A.", "k.A.",
];

/// The bytes of the longest of them.
const LONGEST_MISSING: usize = "#N/A N/A".len();

/// Whether a cell has nothing: empty, or one of the words for it.
pub(crate) fn is_missing(cell: &str) -> bool {
    cell.len() <= LONGEST_MISSING && MISSING.iter().any(|word| word.eq_ignore_ascii_case(cell))
}

impl Notation {
    /// Whether it says nothing that is not so by default.
    pub fn is_default(&self) -> bool {
        *self == Notation::default()
    }

    pub(crate) fn is_missing(&self, cell: &str) -> bool {
        match &self.missing {
            None => is_missing(cell),
            Some(words) => cell.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(cell)),
        }
    }

    /// The number of a cell that was taken apart, in the unit of the column.
    pub(crate) fn number(&self, written: &Written<'_>) -> Option<f64> {
        let factor = match (&self.unit, written.unit) {
            (_, "") if !self.unit_is_required => 1.0,
            (_, "%") if self.percent_is_fraction => 0.01,
            (Some(unit), other) if unit == other => 1.0,
            _ => return None,
        };
        written.number(self.decimal_comma).map(|number| if factor == 1.0 { number } else { number * factor })
    }
}

/// How decimals are written, where the caller says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decimal {
    /// `1.5`
    Point,
    /// `1,5`
    Comma,
}

/// What the cells of a column tell of how its numbers are written. Each different text counts once where a column has few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    counts: Counts,
    /// The units of numbers, the first few of them, with the cells that have each.
    units: BTreeMap<String, usize>,
    /// A cell that can be read with either decimal sign.
    either: Option<String>,
    /// A negative number in parentheses or with the minus behind it.
    unusual_minus: Option<String>,
    /// The smallest and the largest number without a unit, as far as that matters beside a percent sign.
    bare_range: Option<[f64; 2]>,
    /// Whether they were numbers and no texts.
    are_numbers: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    zero: usize,
    /// Whole numbers of at most three digits.
    short: usize,
    /// Whole numbers of more digits, without separators.
    long: usize,
    /// With a point or a comma that can only be decimal, or with separators of thousands beside it.
    point: usize,
    comma: usize,
    /// With a single separator in front of three digits, which may be either.
    either_point: usize,
    either_comma: usize,
    /// With a minus in front.
    minus: usize,
    /// With parentheses, or a minus behind.
    unusual_minus: usize,
    marked: usize,
    /// With a unit.
    with_unit: usize,
}

/// The units that are told apart.
const UNITS: usize = 4;
/// So many numbers with three digits behind a separator, beside whole numbers below 1,000 and none above: it separates thousands.
const GROUPED: usize = 20;

impl Evidence {
    /// Of cells that were numbers and no texts.
    pub fn of_numbers() -> Self {
        Evidence { are_numbers: true, ..Evidence::default() }
    }

    /// Looks at a cell that is no plain number.
    pub fn look(&mut self, cell: &str) {
        let Some(written) = Written::of(cell) else { return };
        let Some(separators) = written.separators() else { return };
        let counts = &mut self.counts;
        match separators {
            Separators::Short if written.number(false) == Some(0.0) => counts.zero += 1,
            Separators::Short => counts.short += 1,
            Separators::Long => counts.long += 1,
            Separators::Point => counts.point += 1,
            Separators::Comma => counts.comma += 1,
            Separators::EitherPoint => counts.either_point += 1,
            Separators::EitherComma => counts.either_comma += 1,
        }
        if matches!(separators, Separators::EitherPoint | Separators::EitherComma) && self.either.is_none() {
            self.either = Some(cell.into());
        }
        match written.sign {
            Sign::Minus => counts.minus += 1,
            Sign::Behind | Sign::Parentheses => {
                counts.unusual_minus += 1;
                self.unusual_minus.get_or_insert_with(|| cell.into());
            }
            Sign::None | Sign::Plus => {}
        }
        counts.marked += usize::from(written.is_marked);
        if written.unit.is_empty() {
            if let Some(number) = written.number(separators == Separators::Comma) {
                self.widen(number);
            }
        } else {
            counts.with_unit += 1;
            if let Some(count) = self.units.get_mut(written.unit) {
                *count += 1;
            } else if self.units.len() < UNITS {
                self.units.insert(written.unit.into(), 1);
            }
        }
    }

    /// The same of a plain decimal number, of which the number and its decimals are known already.
    pub fn look_at_plain(&mut self, cell: &str, number: f64, decimals: usize, comma: bool) {
        let counts = &mut self.counts;
        let whole = cell.len() - usize::from(number.is_sign_negative()) - if decimals > 0 { decimals + 1 } else { 0 };
        let is_either = decimals == 3 && whole <= 3 && number.abs() >= 1.0;
        match (decimals, is_either, comma) {
            (0, ..) if number == 0.0 => counts.zero += 1,
            (0, ..) if whole <= 3 => counts.short += 1,
            (0, ..) => counts.long += 1,
            (_, true, false) => counts.either_point += 1,
            (_, true, true) => counts.either_comma += 1,
            (_, false, false) => counts.point += 1,
            (_, false, true) => counts.comma += 1,
        }
        counts.minus += usize::from(number < 0.0);
        self.widen(number);
        if is_either && self.either.is_none() {
            self.either = Some(cell.into());
        }
    }

    fn widen(&mut self, number: f64) {
        let [low, high] = self.bare_range.unwrap_or([number; 2]);
        self.bare_range = Some([low.min(number), high.max(number)]);
    }

    /// What the column alone proves of its decimal sign, if it does.
    fn proof(&self) -> Option<Decimal> {
        let Counts { point, comma, .. } = self.counts;
        // a slip does not turn the others
        match (point, comma) {
            (0, 0) => None,
            (point, comma) if point >= comma => Some(Decimal::Point),
            _ => Some(Decimal::Comma),
        }
    }

    /// The decimal sign that its whole numbers tell. Where those below 1,000 have no separator and those above always have one,
    /// it separates thousands, so the decimal sign is the other one; where those above have none, the separator is decimal.
    fn by_whole_numbers(&self) -> Option<Decimal> {
        let Counts { short, long, either_point, either_comma, .. } = self.counts;
        match (either_point, either_comma) {
            (0, 0) => None,
            (point, 0) if short > 0 && long == 0 && point >= GROUPED => Some(Decimal::Comma),
            (0, comma) if short > 0 && long == 0 && comma >= GROUPED => Some(Decimal::Point),
            (0, _) if long > 0 => Some(Decimal::Comma),
            (_, 0) if long > 0 => Some(Decimal::Point),
            _ => None,
        }
    }
}

/// What was settled of a column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub notation: Notation,
    /// Whether its cells were numbers and no texts: their decimal sign is a point in every notation.
    pub are_numbers: bool,
    /// What nothing in the file tells.
    pub doubt: Option<Doubt>,
    /// What a person should know, in a sentence each.
    pub notes: Vec<String>,
}

/// A cell that has two readings, of which nothing in the file tells which is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    /// What the readings differ in.
    pub reason: Reason,
    pub cell: String,
    pub readings: [String; 2],
}

/// What is known of a file beside its columns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Whether semicolons separate cells, as where commas are decimal.
    pub semicolons: bool,
    pub decimal: Option<Decimal>,
    pub missing: Option<Vec<String>>,
}

/// Settles how each column is read: as the caller says; else by its own cells; else by those of the other columns; else by what
/// is usual where commas or tabs separate cells.
pub(crate) fn settle<'a>(told: &Told, evidence: impl Iterator<Item = &'a Evidence> + Clone) -> Vec<Settled> {
    let proofs: Vec<Decimal> = evidence.clone().filter_map(|evidence| evidence.proof()).collect();
    let of_others = match proofs.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => Some(*first),
        _ => None,
    };
    evidence.map(|evidence| settle_column(told, evidence, of_others)).collect()
}

fn settle_column(told: &Told, evidence: &Evidence, of_others: Option<Decimal>) -> Settled {
    let counts = evidence.counts;
    let mut settled = Settled::default();
    settled.notation.missing = told.missing.clone();
    settled.are_numbers = evidence.are_numbers;
    if evidence.are_numbers {
        return settled;
    }
    let own = told.decimal.or(evidence.proof());
    let by_whole_numbers = evidence.by_whole_numbers();
    let by_points = (counts.either_comma == 0 && !told.semicolons).then_some(Decimal::Point);
    let decimal = own.or(by_whole_numbers).or(of_others).or(by_points);
    settled.notation.decimal_comma = decimal == Some(Decimal::Comma);
    if own.is_none()
        && let Some(cell) = &evidence.either
    {
        let reading =
            |comma| Written::of(cell).and_then(|written| written.number(comma)).unwrap_or(f64::NAN).to_string();
        if decimal.is_none() {
            let readings = [reading(false), reading(true)];
            settled.doubt = Some(Doubt { reason: Reason::DecimalSign, cell: cell.clone(), readings });
        } else if decimal != by_points || by_whole_numbers.is_some() {
            let number = reading(settled.notation.decimal_comma);
            let why = if by_whole_numbers.is_some() { "this column" } else { "the other columns" };
            settled.notes.push(format!("`{cell}` is read as {number}, by {why}"));
        }
    }
    if settled.notation.decimal_comma && counts.comma > 0 {
        settled.notes.push("numbers have a decimal comma".into());
    }
    settle_unit(evidence, &mut settled);
    if counts.unusual_minus > 0
        && let Some(cell) = &evidence.unusual_minus
    {
        let read = Written::of(cell).and_then(|written| settled.notation.number(&written));
        let number = read.unwrap_or(f64::NAN);
        if counts.minus > 0 {
            let readings = [number.to_string(), (-number).to_string()];
            settled.doubt.get_or_insert(Doubt { reason: Reason::MinusSign, cell: cell.clone(), readings });
        } else {
            settled.notes.push(format!("`{cell}` is read as {number}"));
        }
    }
    if counts.marked > 0 {
        let cells = if counts.marked == 1 { "1 number is".into() } else { format!("{} numbers are", counts.marked) };
        settled.notes.push(format!("{cells} read without the mark beside it"));
    }
    settled
}

/// The unit of a column, if its numbers have one and the same.
fn settle_unit(evidence: &Evidence, settled: &mut Settled) {
    let counts = evidence.counts;
    let mut units = evidence.units.keys();
    let (Some(unit), None) = (units.next(), units.next()) else { return };
    let numbers = counts.zero
        + counts.short
        + counts.long
        + counts.point
        + counts.comma
        + counts.either_point
        + counts.either_comma;
    let bare = numbers - counts.with_unit;
    if unit.starts_with(char::is_alphabetic) && bare > counts.with_unit {
        return; // letters behind a few numbers make codes of them
    }
    match (unit.as_str(), evidence.bare_range) {
        ("%", Some([low, high])) if bare > 0 => {
            let is_fraction = -1.0 <= low && high <= 1.0;
            let is_percent = high > 1.0 || low < -1.0;
            // zeros and ones alone may be either
            let is_clear = is_percent || counts.point + counts.comma + counts.either_point + counts.either_comma > 0;
            if is_clear {
                settled.notation.percent_is_fraction = is_fraction;
                let as_what = if is_fraction { "`1%` is read as 0.01" } else { "`%` is left out" };
                settled.notes.push(format!("{bare} of {numbers} numbers have no percent sign: {as_what}"));
            } else {
                let readings = ["100 %".to_string(), "1 %".to_string()];
                settled.doubt = Some(Doubt { reason: Reason::PercentSign, cell: "1".into(), readings });
            }
        }
        (_, _) if bare == 0 => settled.notes.push(format!("numbers have the unit `{unit}`")),
        _ => {
            settled
                .notes
                .push(format!("{bare} of {numbers} numbers are without the unit `{unit}`, and read as if they had it"));
        }
    }
    settled.notation.unit_is_required = unit == "%" && bare == 0;
    settled.notation.unit = Some(unit.clone());
}
