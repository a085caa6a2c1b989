//! What people look at: the report of a training, the explanation of one example, and drawings of networks, activation
//! functions and features.
//!
//! Pages are HTML that needs nothing but itself: no script, no font, nothing that is loaded. Their text comes from tables
//! and models of strangers, so a page is an [`Html`], which only escaping makes of text. Drawings are SVG in the colours
//! of the reader's light or dark mode, with a description for those who do not see them.
//!
//! Nothing is printed, and no file is written.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod drawing;
mod error;
mod explanation;
mod markup;
mod training;
pub mod words;

pub use drawing::diagram::{Names, activation_plots, diagram, output_names};
pub use drawing::features::Features;
pub use error::{Error, Result};
pub use explanation::Explanation;
pub use markup::formula::{formula, formula_in_parts, number};
pub use markup::html::{Html, is_page};
pub use markup::svg::Svg;
pub use training::TrainingReport;
