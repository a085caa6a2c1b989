//! The languages of pages: HTML, SVG and MathML. Only the files of this folder write markup from strings, each of which
//! it knows; what comes from outside goes through [`escape`](escape::escape).

mod escape;
pub mod formula;
pub mod html;
mod style;
pub mod svg;
