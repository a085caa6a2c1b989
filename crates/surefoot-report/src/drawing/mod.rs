//! Drawings in SVG, and the pictures of features.

pub mod diagram;
pub mod features;
pub mod plot;
