//! Texts whose case does not matter, for tables of texts.

use crate::error::{Error, Result};

/// Spellings of one word that a table takes.
const MOST: u32 = 14;

/// A text with each of its ASCII letters small and capital.
///
/// # Errors
/// [`Error::Unfit`] when they are more than 2¹⁴, in the words of `place`.
pub fn with_all_cases(text: &str, place: &str) -> Result<Vec<String>> {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count() as u32;
    if letters > MOST {
        let expected = format!("at most {MOST} letters in `{text}`, each of which may be small or capital");
        return Err(Error::unfit(place, expected, letters.to_string(), "name shorter words with --missing"));
    }
    Ok(text.chars().fold(vec![String::new()], |begun, letter| {
        let (small, capital) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        let mut all: Vec<String> = begun.iter().map(|begin| format!("{begin}{small}")).collect();
        if small != capital {
            all.extend(begun.iter().map(|begin| format!("{begin}{capital}")));
        }
        all
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ascii_letter_is_small_and_capital() {
        assert_eq!(with_all_cases("aÖ1b", "x").unwrap(), ["aÖ1b", "AÖ1b", "aÖ1B", "AÖ1B"]);
        assert_eq!(with_all_cases("", "x").unwrap(), [""]);
    }

    #[test]
    fn words_of_many_letters_are_refused() {
        assert_eq!(with_all_cases("abcdefghijklmn", "x").unwrap().len(), 1 << 14);
        let refused = with_all_cases("not-available-here", "the words for a missing cell").unwrap_err().to_string();
        assert!(refused.starts_with("the words for a missing cell: expected at most 14 letters"), "{refused}");
    }
}
