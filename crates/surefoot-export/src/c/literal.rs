//! Numbers and texts as C writes them.

use crate::layers::Numbers;

/// A number by its bits: `0x1.8p+1`.
pub fn double(x: f64) -> String {
    if x.is_nan() {
        return "(0.0 / 0.0)".into();
    }
    let bits = x.to_bits();
    let (sign, exponent, fraction) =
        (if x.is_sign_negative() { "-" } else { "" }, (bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
    let (whole, exponent) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
    if whole == 0 && fraction == 0 {
        return format!("{sign}0.0");
    }
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{sign}0x{whole}{point}{digits}p{exponent:+}")
}

/// The same of a number in single precision, whose bits are those of a double.
pub fn float(x: f32) -> String {
    format!("{}f", double(f64::from(x)))
}

/// Numbers in lines.
pub fn list(numbers: Numbers<'_>) -> String {
    let texts: Vec<String> = match numbers {
        Numbers::F32(numbers) => numbers.iter().copied().map(float).collect(),
        Numbers::F64(numbers) => numbers.iter().copied().map(double).collect(),
    };
    lines(&texts)
}

pub fn doubles(numbers: &[f64]) -> String {
    lines(&numbers.iter().copied().map(double).collect::<Vec<_>>())
}

fn lines(texts: &[String]) -> String {
    texts.chunks(6).map(|line| format!("    {},\n", line.join(", "))).collect()
}

/// A text as a literal, of which C sees ASCII alone.
pub fn text(text: &str) -> String {
    let mut literal = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => literal.extend(['\\', char::from(byte)]),
            b' '..=b'~' => literal.push(char::from(byte)),
            other => literal.push_str(&format!("\\{other:03o}")),
        }
    }
    literal.push('"');
    literal
}

/// A text within a comment, which it cannot end.
pub fn comment(text: &str) -> String {
    text.replace('*', "\u{2217}").replace("\\", "/").chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_bits_in_hexadecimal() {
        for (x, literal) in [
            (1.0, "0x1p+0"),
            (-1.5, "-0x1.8p+0"),
            (0.1, "0x1.999999999999ap-4"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
            (5e-324, "0x0.0000000000001p-1022"),
        ] {
            assert_eq!(double(x), literal);
        }
        assert_eq!(float(0.1), "0x1.99999ap-4f");
        assert_eq!(float(1e-45), "0x1p-149f");
    }

    #[test]
    fn texts_cannot_end_their_literal_or_comment() {
        assert_eq!(text("a\"b\\c\n??/ö1"), "\"a\\\"b\\\\c\\012\\?\\?/\\303\\2661\"");
        assert!(!comment("a */ b \\\n c").contains("*/") && !comment("x\\\n").contains(['\\', '\n']));
    }
}
