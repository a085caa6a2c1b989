//! The frame of a page, and its parts.

use std::fmt::Write;

use super::svg::COLOURS;

/// Text as HTML and SVG show it; control characters become visible.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in crate::output::visible(text).chars() {
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

const STYLE: &str = "\
html{background:var(--paper);color:var(--ink);color-scheme:light dark}
body{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.2rem;margin:2.5rem 0 .6rem;border-bottom:1px solid \
var(--faint);padding-bottom:.2rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}p{margin:.5rem 0;max-width:46rem}
.lead{font-size:1.15rem}.muted,figcaption{color:var(--muted);font-size:.9rem}
figure{margin:1rem 0}.scroll{overflow-x:auto}.fit svg{max-width:100%;height:auto}
.range{white-space:nowrap}.counts{display:inline-block;min-width:11rem}details{margin:.5rem 0}summary{cursor:pointer}\
.pair{display:flex;flex-wrap:wrap;gap:0 1.5rem}.pair figure{flex:1 1 24rem;min-width:0}
table{border-collapse:collapse;font-size:.92rem}th,td{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:1px solid var(--faint)}td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
table.matrix td{text-align:right;padding:.25rem .55rem;border:1px solid var(--paper);font-variant-numeric:tabular-nums}
table.matrix th{padding:.25rem .55rem;border:0}
pre{background:var(--wash);padding:.7rem .9rem;overflow-x:auto;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;\
overflow-wrap:anywhere}
code{font:13px ui-monospace,monospace}
.good{color:#15803d}.bad{color:#b91c1c}@media (prefers-color-scheme:dark){.good{color:#4ade80}.bad{color:#fca5a5}}
.formula{overflow-x:auto;padding:.35rem 0;display:flex;align-items:center;gap:1.2rem}.formula .tag{color:var(--muted);\
white-space:nowrap}math{font-size:1.12em}math[display=block]{display:block math;margin:0;text-align:left}\
mtd:nth-child(odd){text-align:right}mtd:nth-child(even){text-align:left}mtd{padding:.15em 0}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}figure,table,.formula{break-inside:avoid}\
.scroll{overflow:visible}}
";

/// By which a page is known to be one of ours.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"surefoot\">";

/// A whole page.
pub fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n{GENERATOR}\n<title>{title}</title>\n<style>\n{COLOURS}{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A column of a table.
pub enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table whose cells are HTML.
pub fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let class = |i: usize| match columns.get(i) {
        Some(Column::Number(_)) => " class=\"n\"",
        _ => "",
    };
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr>");
    for (i, column) in columns.iter().enumerate() {
        let (Column::Text(name) | Column::Number(name)) = column;
        let _ = write!(html, "<th scope=\"col\"{}>{name}</th>", class(i));
    }
    html += "</tr></thead><tbody>\n";
    for row in rows {
        html += "<tr>";
        for (i, cell) in row.iter().enumerate() {
            let _ = write!(html, "<td{}>{cell}</td>", class(i));
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

/// A drawing with its caption. One that may be wide keeps its size and scrolls; else it shrinks with the page.
pub fn figure(drawing: &str, caption: &str, is_wide: bool) -> String {
    let class = if is_wide { "scroll" } else { "fit" };
    format!("<figure><div class=\"{class}\">{drawing}</div><figcaption>{caption}</figcaption></figure>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_become_markup() {
        assert_eq!(escape("<b>&\"\u{1b}"), "&lt;b&gt;&amp;&quot;\\u{1b}");
        assert!(page("<script>", "").contains("<title>&lt;script&gt;</title>"));
    }
}
