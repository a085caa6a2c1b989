//! What the text of a cell says.

/// Whether a cell has nothing: empty, or one of the words for it, in capitals or not.
pub(crate) fn is_missing(cell: &str) -> bool {
    const WORDS: [&str; 6] = ["", "NA", "N/A", "NaN", "null", "?"];
    cell.len() <= 4 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(cell))
}

/// The number in a cell, if it is a finite one; with a comma for the decimal point where the file separates by semicolons.
pub(crate) fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let finite = |number: &f64| number.is_finite();
    match cell.parse().ok().filter(finite) {
        None if decimal_comma && cell.matches(',').count() == 1 && !cell.contains('.') => {
            cell.replacen(',', ".", 1).parse().ok().filter(finite)
        }
        number => number,
    }
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
        for cell in ["", "NA", "na", "N/A", "NaN", "nan", "NULL", "null", "?"] {
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
        assert_eq!(["1,2,3", "1.234,5", "a,b"].map(|cell| number(cell, true)), [None; 3]);
    }

    #[test]
    fn zeros_in_front_make_a_code() {
        assert!(["007", "00", "-01"].map(is_code).iter().all(|is| *is));
        assert!(["0", "70", "0.5", "", "0x"].map(is_code).iter().all(|is| !is));
    }
}
