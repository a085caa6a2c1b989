//! What the text of a cell says.

use crate::notation::Notation;
use crate::number::Written;

/// What the text of a cell says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Meaning {
    /// The finite number in it.
    pub number: Option<f64>,
    /// Whether it has nothing but that number, without a unit, separators of thousands or marks.
    pub is_plain: bool,
    pub is_missing: bool,
    /// Whether it has digits that are a code: with zeros in front, or more than a number holds.
    pub is_code: bool,
    /// Whether it has a number that is not finite.
    pub is_infinite: bool,
}

impl Meaning {
    pub fn of(cell: &str, notation: &Notation) -> Self {
        if notation.is_missing(cell) {
            return Meaning { is_missing: true, ..Meaning::default() };
        }
        let plain = plain_number(cell, notation);
        let number = plain.or_else(|| notation.number(&Written::of(cell)?));
        Meaning {
            number: number.filter(|number| number.is_finite()),
            is_plain: plain.is_some(),
            is_missing: false,
            is_code: is_code(cell),
            is_infinite: number.is_some_and(|number| !number.is_finite()),
        }
    }

    /// Of a finite number, written plainly.
    pub fn plain(number: f64) -> Self {
        Meaning { number: Some(number), is_plain: true, ..Meaning::default() }
    }

    /// The number in a cell that has nothing else.
    pub fn plain_number(self) -> Option<f64> {
        self.number.filter(|_| self.is_plain)
    }

    /// Whether it is a text: neither a number nor missing.
    pub fn is_text(self) -> bool {
        self.number.is_none() && !self.is_missing
    }
}

/// The number in a cell that has nothing else, no separators of thousands either; it may be infinite.
fn plain_number(cell: &str, notation: &Notation) -> Option<f64> {
    if notation.unit_is_required {
        return None;
    }
    if !notation.decimal_comma {
        return cell.parse().ok();
    }
    // a point separates thousands here
    match cell.bytes().filter(|byte| matches!(byte, b',' | b'.')).count() {
        0 => cell.parse().ok(),
        1 if cell.contains(',') => cell.replacen(',', ".", 1).parse().ok(),
        _ => None,
    }
}

/// The words for yes, in small letters.
pub(crate) const YES: [&str; 16] =
    ["true", "t", "yes", "y", "on", "1", "1.0", "ja", "j", "oui", "sí", "si", "sim", "wahr", "vrai", "verdadero"];
/// The words for no.
pub(crate) const NO: [&str; 14] =
    ["false", "f", "no", "n", "off", "0", "0.0", "nein", "non", "nee", "não", "falsch", "faux", "falso"];

/// What a word for yes or no means.
pub(crate) fn truth(cell: &str) -> Option<bool> {
    if cell.is_empty() || cell.len() > 9 {
        return None;
    }
    let word = cell.to_lowercase();
    if YES.contains(&&*word) { Some(true) } else { NO.contains(&&*word).then_some(false) }
}

/// A name for a number that is a category: whole enough for its text to follow from its value, so that 1 and 1.0 are one. Not
/// of a number with zeros in front, which is a code.
pub(crate) fn category_of_number(number: f64) -> Option<String> {
    (number.abs() < (1u64 << 53) as f64).then(|| (number + 0.0).to_string()) // + 0.0 makes −0 to 0
}

/// Whether a text of digits is a code: with zeros in front, as postal codes have; of more digits than a number keeps apart; or with
/// an E between them, as in `12E1`, which no program writes for 120.
pub(crate) fn is_code(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell).as_bytes();
    let [first, second, ..] = digits else { return false };
    if !first.is_ascii_digit() {
        return false;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        let loses_digits = || digits.len() >= 16 && cell.parse().is_ok_and(|number: f64| number.to_string() != cell);
        return *first == b'0' || loses_digits();
    }
    let is_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match digits.iter().position(|byte| *byte == b'E') {
        Some(place) => second.is_ascii_digit() && is_digits(&digits[..place]) && is_digits(&digits[place + 1..]),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::MISSING;

    fn meaning(cell: &str) -> Meaning {
        Meaning::of(cell, &Notation::default())
    }

    #[test]
    fn words_for_nothing_are_missing() {
        for cell in MISSING.into_iter().chain(["na", "nan", "NULL", "#n/a n/a", "none"]) {
            assert!(meaning(cell).is_missing, "{cell}");
        }
        for cell in ["0", "no", "nano", "--x", "unknown", "x.", "-1"] {
            assert!(!meaning(cell).is_missing, "{cell}");
        }
        let told = Notation { missing: Some(vec!["-999".into()]), ..Notation::default() };
        assert!(Meaning::of("-999", &told).is_missing && Meaning::of("", &told).is_missing);
        assert!(!Meaning::of("NA", &told).is_missing, "it may be a class then");
    }

    #[test]
    fn numbers_are_read_by_the_notation_of_their_column() {
        let number = |cell: &str, notation: &Notation| Meaning::of(cell, notation).number;
        let point = Notation::default();
        let comma = Notation { decimal_comma: true, ..Notation::default() };
        for (cell, by_point, by_comma) in [
            ("1.5", Some(1.5), None),
            ("1,5", None, Some(1.5)),
            ("1.250", Some(1.25), Some(1250.0)),
            ("1,250", Some(1250.0), Some(1.25)),
            ("1.234,5", None, Some(1234.5)),
            ("7", Some(7.0), Some(7.0)),
            ("1e3", Some(1000.0), Some(1000.0)),
        ] {
            assert_eq!((number(cell, &point), number(cell, &comma)), (by_point, by_comma), "{cell}");
        }
        let kg = Notation { unit: Some("kg".into()), ..Notation::default() };
        assert_eq!(["5 kg", "5", "5 lb", "5%"].map(|cell| number(cell, &kg)), [Some(5.0), Some(5.0), None, None]);
        let percent = Notation { unit: Some("%".into()), unit_is_required: true, ..Notation::default() };
        assert_eq!(["5%", "0.05"].map(|cell| number(cell, &percent)), [Some(5.0), None]);
        let fraction = Notation { unit: Some("%".into()), percent_is_fraction: true, ..Notation::default() };
        assert_eq!(["5%", "0.05"].map(|cell| number(cell, &fraction)), [Some(0.05), Some(0.05)]);
        for cell in ["inf", "-Infinity", "1e999"] {
            assert!(meaning(cell).is_infinite && meaning(cell).number.is_none(), "{cell}");
        }
        assert!(!Meaning::of("5 kg", &kg).is_plain && meaning("5").is_plain);
    }

    #[test]
    fn digits_that_are_no_number_make_a_code() {
        for cell in ["007", "00", "-01", "9007199254740993", "12345678901234567890", "12E1"] {
            assert!(is_code(cell), "{cell}");
        }
        for cell in [
            "0",
            "70",
            "0.5",
            "",
            "0x",
            "12e1",
            "1e5",
            "1.2E1",
            "12e-1",
            "9007199254740992",
            "100000000000000000000",
            "E1",
            "12E",
        ] {
            assert!(!is_code(cell), "{cell}");
        }
    }

    #[test]
    fn words_for_yes_and_no_mean_one_thing_each() {
        for (yes, no) in [("True", "FALSE"), ("yes", "No"), ("Y", "n"), ("1", "0"), ("ja", "Nein"), ("SÍ", "no")] {
            assert_eq!((truth(yes), truth(no)), (Some(true), Some(false)), "{yes}, {no}");
        }
        assert_eq!(["maybe", "", "2", "male"].map(truth), [None; 4]);
    }
}
