//! Drawings. Their colours are classes, which the style of a page, or their own where they stand alone, gives for light and
//! dark. Written here, because plotting crates fix colours and leave out text alternatives.

use std::fmt::Write;

use super::escape::escape;
use super::html::Html;
use super::style::COLOURS;

/// A drawing of some size, with what it shows in words for those who do not see it.
pub struct Svg {
    pub(crate) width: f64,
    pub(crate) height: f64,
    title: String,
    description: String,
    body: String,
}

/// Where a text stands beside its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let (title, description) = (title.into(), description.into());
        Svg { width, height, title, description, body: String::new() }
    }

    pub(crate) fn line(&mut self, class: &'static str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let _ = write!(self.body, r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#);
    }

    /// A line of some width and opacity.
    pub(crate) fn stroke(
        &mut self,
        class: &'static str,
        [x1, y1]: [f64; 2],
        [x2, y2]: [f64; 2],
        [width, opacity]: [f64; 2],
    ) {
        let _ = write!(
            self.body,
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke-width="{width:.2}" stroke-opacity="{opacity:.2}"/>"#
        );
    }

    pub(crate) fn path(&mut self, class: &'static str, points: &[[f64; 2]]) {
        let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(self.body, r#"<polyline class="{class}" points="{}"/>"#, points.join(" "));
    }

    pub(crate) fn rectangle(&mut self, class: &'static str, [x, y]: [f64; 2], [width, height]: [f64; 2]) {
        let (width, height) = (width.max(0.0), height.max(0.0));
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }

    pub(crate) fn circle(&mut self, class: &'static str, [x, y]: [f64; 2], radius: f64) {
        let _ = write!(self.body, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#);
    }

    pub(crate) fn text(&mut self, class: &'static str, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let _ =
            write!(self.body, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }

    /// Upwards, for the name of an axis.
    pub(crate) fn vertical_text(&mut self, [x, y]: [f64; 2], text: &str) {
        let text = escape(text);
        let _ = write!(
            self.body,
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle">{text}</text>"#
        );
    }

    /// Puts another drawing below what is there.
    pub(crate) fn append(&mut self, other: &Svg) {
        let _ = write!(self.body, r#"<g transform="translate(0 {:.0})">{}</g>"#, self.height, other.body);
        self.height += other.height;
        self.width = self.width.max(other.width);
        self.description =
            [self.description.as_str(), other.description.as_str()].join("; ").trim_matches([';', ' ']).into();
    }

    /// As a part of a page, which has the colours.
    pub fn inline(&self) -> Html {
        Html::of_markup(self.written(""))
    }

    /// As a file of its own.
    pub fn standalone(&self) -> String {
        let style =
            format!("<style>{COLOURS}</style><rect width=\"100%\" height=\"100%\" style=\"fill:var(--paper)\"/>");
        self.written(&style) + "\n"
    }

    fn written(&self, style: &str) -> String {
        let Svg { width, height, title, description, body } = self;
        let (title, description) = (escape(title), escape(description));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" aria-label="{title}: {description}"><title>{title}</title><desc>{description}</desc>{style}{body}</svg>"#
        )
    }
}
