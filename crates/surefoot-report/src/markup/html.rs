//! HTML as a type, the frame of a page, and its parts.

use std::fmt;
use std::ops::{Add, AddAssign};

use super::escape::escape;
use super::style::{COLOURS, STYLE};

/// HTML that may stand in a page as it is.
///
/// Text becomes HTML by being escaped, and in no other way: no public function takes markup from a string.
///
/// ```
/// use surefoot_report::Html;
///
/// assert_eq!(Html::text("a < b").as_str(), "a &lt; b");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Nothing.
    pub fn new() -> Self {
        Html::default()
    }

    /// A text, escaped.
    pub fn text(text: &str) -> Self {
        Html(escape(text))
    }

    /// What a browser reads.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Markup that was made in this folder.
    pub(super) fn of_markup(markup: String) -> Self {
        Html(markup)
    }

    /// What [`html!`] expands to.
    pub(crate) fn of_template(template: &'static str, parts: &[&dyn Part]) -> Self {
        let mut html = String::with_capacity(template.len());
        let mut parts = parts.iter();
        for (i, between) in template.split("{}").enumerate() {
            if i > 0
                && let Some(part) = parts.next()
            {
                part.write(&mut html);
            }
            html.push_str(between);
        }
        Html(html)
    }
}

impl From<&str> for Html {
    fn from(text: &str) -> Self {
        Html::text(text)
    }
}

impl From<String> for Html {
    fn from(text: String) -> Self {
        Html::text(&text)
    }
}

impl Add for Html {
    type Output = Html;

    fn add(mut self, other: Self) -> Html {
        self += other;
        self
    }
}

impl AddAssign for Html {
    fn add_assign(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }
}

/// What stands in a place of a template: HTML as it is, and everything that has a text escaped.
pub(crate) trait Part {
    fn write(&self, html: &mut String);
}

impl Part for Html {
    fn write(&self, html: &mut String) {
        html.push_str(&self.0);
    }
}

/// [`Html`] itself must not be `Display`, or it would be escaped twice; the compiler sees to that.
impl<T: fmt::Display> Part for T {
    fn write(&self, html: &mut String) {
        html.push_str(&escape(&self.to_string()));
    }
}

/// The places `{}` of a template. Other braces, such as those around a name, are none of a template.
pub(crate) const fn places(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut count, mut i) = (0, 0);
    while i < bytes.len() {
        if bytes[i] == b'{' {
            assert!(i + 1 < bytes.len() && bytes[i + 1] == b'}', "a place of a template is {{}}");
            count += 1;
            i += 1;
        } else {
            assert!(bytes[i] != b'}', "a place of a template is {{}}");
        }
        i += 1;
    }
    count
}

/// HTML from a template, which is a literal of the program, and one [`Part`] for each of its places `{}`. That there are as
/// many is seen when the program is compiled.
macro_rules! html {
    ($template:literal $(, $part:expr)* $(,)?) => {{
        const { assert!($crate::markup::html::places($template) == <[&str]>::len(&[$(stringify!($part)),*])) };
        $crate::markup::html::Html::of_template($template, &[$(&$part as &dyn $crate::markup::html::Part),*])
    }};
}
pub(crate) use html;

/// By which a page is known to be one of ours.
const GENERATOR: &str = "<meta name=\"generator\" content=\"surefoot\">";

/// Whether a file that begins so (its first 1024 bytes are enough) is a page of this crate.
pub fn is_page(beginning: &[u8]) -> bool {
    String::from_utf8_lossy(beginning).contains(GENERATOR)
}

/// A whole page.
pub(crate) fn page(title: &str, body: &Html) -> Html {
    let (title, body) = (escape(title), body.as_str());
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n{GENERATOR}\n<title>{title}</title>\n<style>\n{COLOURS}{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ))
}

/// A column of a table.
pub(crate) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Html>]) -> Html {
    let cell = |i: usize| match columns.get(i) {
        Some(Column::Number(_)) => html!(" class=\"n\""),
        _ => Html::new(),
    };
    let mut html = html!("<div class=\"scroll\"><table><thead><tr>");
    for (i, column) in columns.iter().enumerate() {
        let (Column::Text(name) | Column::Number(name)) = column;
        html += html!("<th scope=\"col\"{}>{}</th>", cell(i), name);
    }
    html += html!("</tr></thead><tbody>\n");
    for row in rows {
        html += html!("<tr>");
        for (i, content) in row.iter().enumerate() {
            html += html!("<td{}>{}</td>", cell(i), *content);
        }
        html += html!("</tr>\n");
    }
    html += html!("</tbody></table></div>\n");
    html
}

/// A drawing with its caption. One that may be wide keeps its size and scrolls; else it shrinks with the page.
pub(crate) fn figure(drawing: Html, caption: &str, is_wide: bool) -> Html {
    let class = if is_wide { "scroll" } else { "fit" };
    html!("<figure><div class=\"{}\">{}</div><figcaption>{}</figcaption></figure>\n", class, drawing, caption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_wherever_it_enters() {
        let text = "<script>";
        for html in [
            Html::text(text),
            text.into(),
            String::from(text).into(),
            html!("{}", text),
            html!("{}", String::from(text)),
        ] {
            assert_eq!(html.as_str(), "&lt;script&gt;");
        }
        assert!(page(text, &Html::new()).as_str().contains("<title>&lt;script&gt;</title>"));
        assert!(figure(Html::new(), text, false).as_str().contains("<figcaption>&lt;script&gt;<"));
        let cell = table(&[Column::Text("a")], &[vec![text.into()]]);
        assert!(cell.as_str().contains("<td>&lt;script&gt;</td>"));
    }

    #[test]
    fn a_template_keeps_its_markup_and_the_html_in_its_places() {
        let strong = html!("<strong>{}</strong>", "a & b");
        assert_eq!(html!("<p>{} of {}</p>", strong, 3).as_str(), "<p><strong>a &amp; b</strong> of 3</p>");
        assert_eq!((places("{}<p>{}"), places("<p>")), (2, 0));
    }

    #[test]
    #[should_panic(expected = "a place of a template is {}")]
    fn a_name_between_braces_is_no_place() {
        places("<p>{name}</p>");
    }

    #[test]
    fn our_pages_are_known_by_their_beginning() {
        let page = page("t", &Html::new());
        assert!(is_page(&page.as_str().as_bytes()[..512]) && !is_page(b"<p>my own page"));
    }
}
