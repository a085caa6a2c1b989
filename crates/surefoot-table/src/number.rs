//! Numbers as people write them: `1,234.50`, `(12)`, `~5 kg`, `$2.50`, `1.5D+03`.

use std::borrow::Cow;

/// A cell that has a number in it, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written<'a> {
    pub sign: Sign,
    /// Digits with what separates them, and an exponent.
    pub digits: &'a str,
    /// The unit or the currency, before the number or after it; empty for none.
    pub unit: &'a str,
    /// Whether a footnote mark (`12*`) or a sign for about (`~12`) stands beside the number.
    pub is_marked: bool,
}

/// How a number is said to be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    None,
    Plus,
    Minus,
    /// `12.50-`
    Behind,
    /// `(12.50)`
    Parentheses,
}

/// What the separators of a number's digits tell of the decimal sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separators {
    /// A whole number without any, of so few digits that it would have no separator of thousands anyway.
    Short,
    /// A whole number without separators that has more than three digits.
    Long,
    /// It can be read with a decimal point only.
    Point,
    /// With a decimal comma only.
    Comma,
    /// `1.250`: the point separates decimals, or thousands.
    EitherPoint,
    /// `1,250`
    EitherComma,
}

/// Marks of footnotes.
const MARKS: &[char] = &['*', '†', '‡', '§', '¶', '¹', '⁽', '⁾'];
/// Signs and words for about.
const ABOUT: [&str; 6] = ["~", "≈", "≃", "ca.", "ca ", "approx."];
/// What separates thousands and is never a decimal sign.
const SPACES: &[char] = &[' ', '\u{a0}', '\u{2009}', '\u{202f}', '\'', '’', '_'];
/// Letters for a currency that stand before a number.
const CURRENCIES: [&str; 34] = [
    "usd", "us$", "eur", "gbp", "chf", "jpy", "cny", "rmb", "inr", "aud", "a$", "cad", "c$", "nzd", "sek", "nok",
    "dkk", "isk", "pln", "czk", "huf", "ron", "bgn", "rub", "try", "brl", "r$", "mxn", "zar", "krw", "rs", "rs.", "kr",
    "fr.",
];

impl<'a> Written<'a> {
    /// The parts of a cell, unless it is something else than one number.
    pub fn of(cell: &'a str) -> Option<Self> {
        let mut text = cell.trim();
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut is_marked = false;
        if let Some(rest) = ABOUT.iter().find_map(|about| strip_word(text, about)) {
            (text, is_marked) = (rest.trim_start(), true);
        }
        let mut sign = Sign::None;
        if let Some(within) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            (text, sign) = (within.trim(), Sign::Parentheses);
        }
        let take_sign = |text: &mut &'a str, sign: &mut Sign| {
            let found = match text.chars().next() {
                Some('-' | '\u{2212}') => Sign::Minus,
                Some('+') => Sign::Plus,
                _ => return true,
            };
            let is_first = *sign == Sign::None;
            *sign = found;
            *text = text.get(text.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default().trim_start();
            is_first
        };
        if !take_sign(&mut text, &mut sign) {
            return None;
        }
        let digit = text.find(|c: char| c.is_ascii_digit())?;
        // a point may stand before the first digit
        let start = if text[..digit].ends_with(['.', ',']) { digit - 1 } else { digit };
        let mut before = text[..start].trim_end();
        if !before.is_empty() {
            if let Some(rest) = before.strip_suffix(['-', '\u{2212}']) {
                if sign != Sign::None {
                    return None;
                }
                (before, sign) = (rest.trim_end(), Sign::Minus);
            }
            if !is_currency(before) {
                return None;
            }
        }
        let (digits, mut after) = split_digits(text.get(start..)?);
        if let Some(rest) = without_marks(after) {
            (after, is_marked) = (rest, true);
        }
        if let Some(rest) = after.strip_suffix(['-', '\u{2212}'])
            && rest.trim().is_empty()
            && sign == Sign::None
        {
            (after, sign) = ("", Sign::Behind);
        }
        let after = after.trim();
        let unit = match (before, after) {
            (unit, "") => unit,
            ("", unit) if is_unit(unit) => unit,
            _ => return None,
        };
        Some(Written { sign, digits, unit, is_marked })
    }

    /// What its separators tell; `None` where no decimal sign makes it a number.
    pub fn separators(&self) -> Option<Separators> {
        let digits = self.mantissa();
        let count = |separator| digits.matches(separator).count();
        Some(match (count(','), count('.')) {
            (0, 0) if digits.contains(SPACES) => is_grouped(digits, SPACES).then_some(Separators::Short)?,
            (0, 0) if digits.len() <= 3 => Separators::Short,
            (0, 0) => Separators::Long,
            (0, 1) if self.is_either('.') => Separators::EitherPoint,
            (1, 0) if self.is_either(',') => Separators::EitherComma,
            _ => {
                let (point, comma) = (self.number(false).is_some(), self.number(true).is_some());
                match (point, comma) {
                    (true, _) => Separators::Point,
                    (false, true) => Separators::Comma,
                    (false, false) => return None,
                }
            }
        })
    }

    /// Whether its only separator may separate thousands as well as decimals.
    fn is_either(&self, separator: char) -> bool {
        self.mantissa().len() == self.digits.len() && is_grouped(self.digits, &[separator])
    }

    /// The digits without an exponent.
    fn mantissa(&self) -> &'a str {
        let end = self.digits.find(['e', 'E', 'd', 'D']).unwrap_or(self.digits.len());
        &self.digits[..end]
    }

    /// The number with that decimal sign, finite or not, without regard to the unit.
    pub fn number(&self, decimal_comma: bool) -> Option<f64> {
        let mantissa = self.mantissa();
        let exponent = &self.digits[mantissa.len()..];
        let (point, separator) = if decimal_comma { (',', '.') } else { ('.', ',') };
        let (whole, fraction) = mantissa.split_once(point).unwrap_or((mantissa, ""));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let is_plain = whole.bytes().all(|byte| byte.is_ascii_digit());
        let whole: Cow<'_, str> = if is_plain {
            whole.into()
        } else if is_grouped(whole, &[separator]) || is_grouped(whole, SPACES) || separator == ',' && is_indian(whole) {
            whole.replace(|c: char| !c.is_ascii_digit(), "").into()
        } else {
            return None;
        };
        let exponent = exponent.replace(['D', 'd'], "e");
        let number: f64 = format!("{whole}.{fraction}{exponent}").parse().ok()?;
        Some(match self.sign {
            Sign::None | Sign::Plus => number,
            Sign::Minus | Sign::Behind | Sign::Parentheses => -number,
        })
    }
}

/// What follows a word for about, whatever its case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    start.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// Where the digits with their separators and exponent end: each separator is followed by a digit.
fn split_digits(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while let Some(next) = text[end..].chars().next() {
        let after = end + next.len_utf8();
        let is_in = match next {
            '0'..='9' => true,
            '.' | ',' => is_digit(after) || end > 0 && is_digit(end - 1) && !text[after..].starts_with(['.', ',']),
            _ if SPACES.contains(&next) => end > 0 && is_digit(after),
            _ => false,
        };
        if !is_in {
            break;
        }
        end = after;
    }
    // a comma or a point at the end belongs to the number where nothing follows but an exponent
    if let [b'e' | b'E' | b'd' | b'D', rest @ ..] = &bytes[end..] {
        let sign = usize::from(matches!(rest, [b'+' | b'-', ..]));
        let length = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_over = rest.get(sign + length).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if length > 0 && is_over {
            end += 1 + sign + length;
        }
    }
    text.split_at(end)
}

/// What is left of a text after a number without the marks of footnotes: `*`, `†`, `[2]`; `None` where there are none.
fn without_marks(after: &str) -> Option<&str> {
    let rest = after.trim_end_matches(|c: char| MARKS.contains(&c) || c.is_whitespace());
    let is_marked = rest.len() < after.trim_end().len();
    if let Some(start) = rest.rfind('[')
        && rest.ends_with(']')
        && rest.len() - start <= 5
    {
        return Some(&rest[..start]);
    }
    is_marked.then_some(rest)
}

/// Whether a text before a number is a currency: a sign, letters of a country with it, or a known word.
fn is_currency(text: &str) -> bool {
    is_currency_sign(text) || CURRENCIES.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_currency_sign(text: &str) -> bool {
    let mut chars = text.chars();
    matches!((chars.next(), chars.next()), (Some('$' | '¢' | '£' | '¥' | '฿' | '\u{20a0}'..='\u{20cf}'), None))
}

/// Whether a text after a number can be its unit: letters, signs such as `%` and `°`, powers (`m²`, `m2`).
fn is_unit(text: &str) -> bool {
    let is_sign = |c: char| "%‰°'\"′″/·^µΩ²³⁻¹.-".contains(c);
    let begins = text.chars().next().is_some_and(|c| c.is_alphabetic() || "%‰°'\"′″/µΩ".contains(c));
    let body = text.strip_suffix(['2', '3']).unwrap_or(text);
    let is_word =
        begins && text.chars().count() <= 20 && body.chars().all(|c| c.is_alphabetic() || is_sign(c) || c == ' ');
    is_word || is_currency_sign(text)
}

/// Whether a whole number has one of these separators at every thousand, always the same.
fn is_grouped(whole: &str, separators: &[char]) -> bool {
    let Some(separator) = whole.chars().find(|c| separators.contains(c)) else { return false };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    is_digits(first)
        && (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// Whether a whole number has commas as Indian numbers do: `12,34,567`.
fn is_indian(whole: &str) -> bool {
    let groups: Vec<&str> = whole.split(',').collect();
    let [first, middle @ .., last] = &groups[..] else { return false };
    is_digits(first)
        && (1..=2).contains(&first.len())
        && !first.starts_with('0')
        && middle.iter().all(|group| group.len() == 2 && is_digits(group))
        && last.len() == 3
        && is_digits(last)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(cell: &str, decimal_comma: bool) -> Option<(f64, &str)> {
        let written = Written::of(cell)?;
        Some((written.number(decimal_comma)?, written.unit))
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (cell, expected, unit) in [
            ("5", 5.0, ""),
            (" -1.5e3 ", -1500.0, ""),
            (".5", 0.5, ""),
            ("5.", 5.0, ""),
            ("+7", 7.0, ""),
            ("\u{2212}0.802", -0.802, ""),
            ("1.5D+03", 1500.0, ""),
            ("1,234", 1234.0, ""),
            ("-12,345,678.25", -12_345_678.25, ""),
            ("12,34,567", 1_234_567.0, ""),
            ("1 067", 1067.0, ""),
            ("1\u{a0}067.5", 1067.5, ""),
            ("180\u{2009}606", 180_606.0, ""),
            ("11_647", 11_647.0, ""),
            ("1'234.50", 1234.5, ""),
            ("$2.50", 2.5, "$"),
            ("-$2.50", -2.5, "$"),
            ("$-2.50", -2.5, "$"),
            ("€ 1,000", 1000.0, "€"),
            ("US$ 5", 5.0, "US$"),
            ("EUR 12.50", 12.5, "EUR"),
            ("12 EUR", 12.0, "EUR"),
            ("99%", 99.0, "%"),
            ("5 %", 5.0, "%"),
            ("574 kg", 574.0, "kg"),
            ("3 m²", 3.0, "m²"),
            ("3 km/h", 3.0, "km/h"),
            ("(574.00)", -574.0, ""),
            ("12.50-", -12.5, ""),
            ("574*", 574.0, ""),
            ("574 †", 574.0, ""),
            ("574[2]", 574.0, ""),
            ("~574", 574.0, ""),
            ("ca. 5 kg", 5.0, "kg"),
        ] {
            assert_eq!(number(cell, false), Some((expected, unit)), "{cell}");
        }
        for (cell, expected) in [
            ("1.234,5", 1234.5),
            ("1.000.000", 1e6),
            ("2,5 %", 2.5),
            ("1.250", 1250.0),
            ("€ 2.041,25", 2041.25),
            ("1\u{a0}806,1", 1806.1),
            ("0,5", 0.5),
        ] {
            assert_eq!(number(cell, true).map(|(number, _)| number), Some(expected), "{cell}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        for cell in [
            "",
            "$",
            "%",
            "x",
            "1,23",
            "0,500",
            "1,234,56",
            "2026-11-05",
            "12:30",
            "10-20",
            "1.2.3",
            "5%5",
            "A12",
            "Q1",
            "12A1",
            "1 2",
            "12 34",
            "<0.1",
            ">5",
            "5 $ 5",
            "--5",
            "-(5)",
            "1,2,3",
            "12;5",
            "3o.5",
            "12..5",
            "0x10",
            "+49 30 1234",
            "192.168.0.1",
        ] {
            assert_eq!(number(cell, false), None, "{cell}");
        }
        assert_eq!(number("12.5", true), None, "a point does not separate thousands here");
        assert_eq!(number("1,234,567", true), None);
    }

    #[test]
    fn separators_prove_the_decimal_sign_or_leave_it_open() {
        let separators = |cell: &str| Written::of(cell).and_then(|written| written.separators());
        for (cell, expected) in [
            ("574", Separators::Short),
            ("1 067", Separators::Short),
            ("1067", Separators::Long),
            ("0.900", Separators::Point),
            ("12.5", Separators::Point),
            ("1234.567", Separators::Point),
            ("1,234,567", Separators::Point),
            ("1,234.5", Separators::Point),
            ("12,34,567", Separators::Point),
            ("1.250e3", Separators::Point),
            ("0,900", Separators::Comma),
            ("1.234.567", Separators::Comma),
            ("1.234,5", Separators::Comma),
            ("1 806,1", Separators::Comma),
            ("1.250", Separators::EitherPoint),
            ("-11.647 kg", Separators::EitherPoint),
            ("1,250", Separators::EitherComma),
        ] {
            assert_eq!(separators(cell), Some(expected), "{cell}");
        }
        assert_eq!(separators("1,23,4"), None);
    }
}
