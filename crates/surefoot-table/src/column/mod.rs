//! The cells of one column, typed: numbers, codes of a dictionary, or text.

mod cells;
mod decimal;
mod dictionary;
mod growing;
mod kept;
mod mapped;

pub(crate) use cells::{Cell, Cells};
pub(crate) use growing::Growing;
pub(crate) use kept::{Kept, Restored};
pub(crate) use mapped::Mapped;
