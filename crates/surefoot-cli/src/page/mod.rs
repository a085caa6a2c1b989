//! What people look at: pages of HTML that need nothing but themselves, and drawings in SVG.

pub mod diagram;
pub mod formula;
pub mod html;
pub mod plot;
pub mod svg;
