//! Decimal numbers as they are written, so that a column of numbers need not keep their text.

use serde::{Deserialize, Serialize};

/// How a column writes its numbers: with the fewest digits that read back to the same number, and zeros up to at least so
/// many decimals. 0 decimals is what most programs write, 1 is Python's `2.0`, 2 is `%.2f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Style {
    pub decimals: usize,
    /// Whether the decimal point is a comma.
    pub comma: bool,
}

/// Decimal digits that differ as `f64` whenever they differ as text.
const EXACT_DIGITS: usize = 15;
/// The powers of ten that `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A sign, digits without zeros in front, and perhaps a point with digits behind it.
struct Decimal {
    is_negative: bool,
    /// All digits as one whole number, which counts only up to 19 of them.
    digits: u64,
    /// How many they are, without zeros in front where that decides whether they are more than [`EXACT_DIGITS`].
    significant: usize,
    decimals: usize,
    ends_in_zero: bool,
}

impl Style {
    /// The style of a column in which this is the number with the fewest decimals; `None` for what is not a plain decimal
    /// number.
    pub fn of(text: &str, comma: bool) -> Option<Style> {
        scan(text, comma).map(|decimal| Style { decimals: decimal.decimals, comma })
    }

    pub fn write(self, number: f64) -> String {
        let mut text = number.to_string();
        if self.decimals > 0 {
            let decimals = text.find('.').map(|point| text.len() - point - 1);
            if decimals.is_none() {
                text.push('.');
            }
            (decimals.unwrap_or(0)..self.decimals).for_each(|_| text.push('0'));
        }
        if self.comma { text.replace('.', ",") } else { text }
    }

    /// The number of a text that [`write`](Self::write) makes from it again, to the letter, and its decimals; else `None`.
    pub fn read(self, text: &str) -> Option<(f64, usize)> {
        let decimal = scan(text, self.comma)?;
        if decimal.decimals < self.decimals || decimal.decimals > self.decimals && decimal.ends_in_zero {
            return None;
        }
        if decimal.significant <= EXACT_DIGITS
            && let Some(power) = POWERS.get(decimal.decimals)
        {
            // the quotient of two exact numbers is rounded once, as reading the text is
            let number = decimal.digits as f64 / power;
            return Some((if decimal.is_negative { -number } else { number }, decimal.decimals));
        }
        let number = if self.comma { text.replacen(',', ".", 1).parse() } else { text.parse() };
        let number = number.ok().filter(|number: &f64| number.is_finite() && self.write(*number) == text)?;
        Some((number, decimal.decimals))
    }
}

fn scan(text: &str, comma: bool) -> Option<Decimal> {
    let bytes = text.as_bytes();
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let mut digits = 0u64;
    let mut take_digits = |bytes: &[u8]| {
        let mut count = 0;
        while let Some(byte) = bytes.get(count).filter(|byte| byte.is_ascii_digit()) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            count += 1;
        }
        count
    };
    let whole = take_digits(unsigned);
    let behind = match &unsigned[whole..] {
        [] => &[][..],
        [b'.', rest @ ..] if !comma => rest,
        [b',', rest @ ..] if comma => rest,
        _ => return None,
    };
    let decimals = take_digits(behind);
    let has_point = unsigned.len() > whole;
    let has_zeros_in_front = whole > 1 && unsigned.first() == Some(&b'0');
    if whole == 0 || has_zeros_in_front || decimals < behind.len() || has_point && decimals == 0 {
        return None;
    }
    let significant = match (whole + decimals, unsigned.first()) {
        (few @ ..=EXACT_DIGITS, _) => few, // zeros among them make no difference
        (_, Some(b'0')) => decimals - behind.iter().take_while(|byte| **byte == b'0').count(),
        (all, _) => all,
    };
    let (is_negative, ends_in_zero) = (unsigned.len() < bytes.len(), unsigned.last() == Some(&b'0'));
    Some(Decimal { is_negative, digits, significant, decimals, ends_in_zero })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_only_where_it_is_written_again_to_the_letter() {
        let read = |decimals, text: &str| Style { decimals, comma: false }.read(text).map(|(number, _)| number);
        for (decimals, text) in [
            (0, "0"),
            (0, "-0"),
            (0, "12"),
            (0, "1.5"),
            (0, "0.1"),
            (0, "123456789012345"),
            (0, "0.30000000000000004"),
            (1, "1.0"),
            (1, "-0.0"),
            (1, "2.25"),
            (2, "2.50"),
            (2, "100.00"),
            (6, "0.100000"),
            (3, "0.1234567890123456"),
        ] {
            let number = read(decimals, text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            assert_eq!(Style { decimals, comma: false }.write(number), text);
        }
        for (decimals, text) in [
            (0, ""),
            (0, "-"),
            (0, "1.50"),
            (0, "007"),
            (0, "+1"),
            (0, "1e5"),
            (0, ".5"),
            (0, "5."),
            (0, "1,5"),
            (0, "1.2.3"),
            (0, "12 km"),
            (0, "NaN"),
            (0, "0.300000000000000040"),
            (0, "12345678901234567891"),
            (1, "1"),
            (2, "1.5"),
            (2, "1.2500"),
            (0, "9007199254740993"),
        ] {
            assert_eq!(read(decimals, text), None, "{text}");
        }
        let comma = Style { decimals: 2, comma: true };
        assert_eq!(
            (comma.read("1,50"), comma.read("1.50"), comma.write(-0.5)),
            (Some((1.5, 2)), None, "-0,50".to_string())
        );
    }

    /// Over every digit count and place of the point, from a small generator.
    #[test]
    fn whatever_is_read_has_the_bits_of_the_standard_parser_and_its_text_back() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut read = 0;
        for _ in 0..200_000 {
            let digits = 1 + next(19);
            let mut text: String = (0..digits).map(|_| char::from(b'0' + next(10) as u8)).collect();
            text.insert(next(digits + 1) as usize, '.');
            let text = if next(2) == 0 { format!("0.{}", text.replace('.', "")) } else { text };
            let text = if next(2) == 0 { format!("-{text}") } else { text };
            let style = Style { decimals: next(6) as usize, comma: false };
            if let Some((number, _)) = style.read(&text) {
                assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
                assert_eq!(style.write(number), text);
                read += 1;
            }
        }
        assert!(read > 50_000, "{read}");
    }
}
