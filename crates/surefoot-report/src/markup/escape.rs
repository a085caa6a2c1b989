//! Text that cannot become markup.

use crate::words::visible;

/// Text as HTML and SVG show it, within elements and within quoted attributes; control characters become visible.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_become_markup() {
        assert_eq!(escape("<b>&\"\u{1b}"), "&lt;b&gt;&amp;&quot;\\u{1b}");
    }
}
