//! What the text of a cell says.

/// What the text of a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meaning {
    /// The finite number in it.
    pub number: Option<f64>,
    /// Whether it has nothing but that number.
    pub is_plain: bool,
    pub is_missing: bool,
    /// Whether it has digits with zeros in front.
    pub is_code: bool,
}

impl Meaning {
    pub fn of(cell: &str, decimal_comma: bool) -> Self {
        let plain = plain_number(cell, decimal_comma);
        let number = plain.or_else(|| number_for_people(cell, decimal_comma));
        Meaning { number, is_plain: plain.is_some(), is_missing: is_missing(cell), is_code: is_code(cell) }
    }

    /// Of a finite number, written plainly.
    pub fn plain(number: f64) -> Self {
        Meaning { number: Some(number), is_plain: true, is_missing: false, is_code: false }
    }

    /// The number in a cell that has nothing else.
    pub fn plain_number(self) -> Option<f64> {
        self.number.filter(|_| self.is_plain)
    }
}

/// Whether a cell has nothing: empty, or one of the words for it, in capitals or not; those that spreadsheets and databases
/// write are among them.
pub(crate) fn is_missing(cell: &str) -> bool {
    const WORDS: [&str; 14] = [
        "", "NA", "N/A", "NaN", "null", "?", "#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "\\N",
    ];
    cell.len() <= 7 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(cell))
}

/// The number in a cell, if it is a finite one; with a comma for the decimal point where that is how the file writes them. It
/// may be written for people: with separators of thousands (`1,234.50`, or `1.234,50` with a decimal comma), a percent sign or a
/// currency (`5 %` is 5, `$2.50` is 2.5).
pub(crate) fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    plain_number(cell, decimal_comma).or_else(|| number_for_people(cell, decimal_comma))
}

fn number_for_people(cell: &str, decimal_comma: bool) -> Option<f64> {
    let bare = bare(cell);
    let (separator, point) = if decimal_comma { ('.', ',') } else { (',', '.') };
    let (whole, fraction) = bare.split_once(point).unwrap_or((bare, ""));
    match is_grouped(whole, separator) && is_digits(fraction) {
        true => format!("{}.{fraction}", whole.replace(separator, "")).parse().ok(),
        false if bare.len() < cell.len() => plain_number(bare, decimal_comma),
        false => None,
    }
}

/// The number in a cell that has nothing else, no separators of thousands either.
fn plain_number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let finite = |number: &f64| number.is_finite();
    if decimal_comma && is_grouped(cell, '.') {
        return None;
    }
    match cell.parse().ok().filter(finite) {
        None if decimal_comma && cell.matches(',').count() == 1 && !cell.contains('.') => {
            cell.replacen(',', ".", 1).parse().ok().filter(finite)
        }
        number => number,
    }
}

/// Whether these cells write numbers with a decimal comma: some can be read only so, or some can and none can be read only with
/// a decimal point.
pub(crate) fn have_decimal_comma<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let (mut comma, mut point, mut either) = (false, false, false);
    for cell in cells {
        let bare = bare(cell);
        let digits = bare.strip_prefix('-').unwrap_or(bare);
        if !digits.starts_with(|c: char| c.is_ascii_digit())
            || !digits.chars().all(|c| c.is_ascii_digit() || ",.".contains(c))
        {
            continue;
        }
        match (digits.matches(',').count(), digits.matches('.').count()) {
            (0, 1) => point |= !is_grouped(digits, '.'),
            (0, _) => {}
            (1, 0) if is_grouped(digits, ',') => either = true,
            (1, 0) => comma = true,
            (_, 0) => point |= is_grouped(digits, ','),
            _ if digits.rfind(',') > digits.rfind('.') => comma = true,
            _ => point = true,
        }
    }
    comma || either && !point
}

/// Without a currency, a percent sign, and spaces.
fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| "$€£¥%".contains(c) || c.is_whitespace())
}

/// Whether a whole number is written with a separator at every thousand.
fn is_grouped(whole: &str, separator: char) -> bool {
    let mut groups = whole.strip_prefix('-').unwrap_or(whole).split(separator);
    let begins = groups
        .next()
        .is_some_and(|first| is_digits(first) && (1..=3).contains(&first.len()) && !first.starts_with('0'));
    let mut others = groups.peekable();
    begins && others.peek().is_some() && others.all(|group| group.len() == 3 && is_digits(group))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name for a number that is a category: whole enough for its text to follow from its value, so that 1 and 1.0 are one. Not
/// of a number with zeros in front, which is a code.
pub(crate) fn category_of_number(number: f64) -> Option<String> {
    (number.abs() < (1u64 << 53) as f64).then(|| (number + 0.0).to_string()) // + 0.0 makes −0 to 0
}

/// Whether a text of digits has zeros in front, as codes and phone numbers do.
pub(crate) fn is_code(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_missing() {
        for cell in ["", "NA", "na", "N/A", "NaN", "nan", "NULL", "null", "?", "#N/A", "\\N"] {
            assert!(is_missing(cell), "{cell}");
        }
        for cell in ["0", "no", "none", "-", "nano"] {
            assert!(!is_missing(cell), "{cell}");
        }
    }

    #[test]
    fn numbers_are_finite_and_may_have_a_comma_beside_semicolons() {
        assert_eq!(
            ["1.5", "-2e3", "+7", ".5"].map(|cell| number(cell, false)),
            [Some(1.5), Some(-2e3), Some(7.0), Some(0.5)]
        );
        assert_eq!(["inf", "1e999", "1,5", "x", "1 2"].map(|cell| number(cell, false)), [None; 5]);
        assert_eq!(number("1,5", true), Some(1.5));
        assert_eq!(["1,2,3", "a,b"].map(|cell| number(cell, true)), [None; 2]);
    }

    #[test]
    fn numbers_may_be_written_for_people() {
        let cells = ["1,234", "-12,345,678.25", "$2.50", "5 %", "€ 1,000", "99%"];
        let numbers = [1234.0, -12_345_678.25, 2.5, 5.0, 1000.0, 99.0];
        assert_eq!(cells.map(|cell| number(cell, false)), numbers.map(Some));
        let cells = ["1,23", "12,34,567", "0,500", "1,234,56", "2026-11-05", "$", "%", "1,234x", "5%5", "inf%"];
        assert_eq!(cells.map(|cell| number(cell, false)), [None; 10]);
        let cells = ["1.234,5", "1.000.000", "2,5 %", "1.250", "€ 2.041,25", "12.5"];
        assert_eq!(cells.map(|cell| number(cell, true)), [1234.5, 1e6, 2.5, 1250.0, 2041.25, 12.5].map(Some));
        assert_eq!(plain_number("5 %", false), None);
    }

    #[test]
    fn a_comma_is_decimal_where_some_number_says_so() {
        let comma = |cells: &[&str]| have_decimal_comma(cells.iter().copied());
        assert!(comma(&["1.250", "950,5"]) && comma(&["2.041,25"]) && comma(&["0,500"]) && comma(&["1,250", "x"]));
        assert!(!comma(&["1.250", "950"]) && !comma(&["1,250", "950.5"]) && !comma(&["$1,250.50", "$950"]));
        assert!(!comma(&["1,234,567"]) && !comma(&["a,b", "5, 6", "2026-11-05"]) && !comma(&[]));
    }

    #[test]
    fn zeros_in_front_make_a_code() {
        assert!(["007", "00", "-01"].map(is_code).iter().all(|is| *is));
        assert!(["0", "70", "0.5", "", "0x"].map(is_code).iter().all(|is| !is));
    }
}
