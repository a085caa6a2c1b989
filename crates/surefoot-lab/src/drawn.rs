//! Which units of a network are drawn.

use std::ops::Range;

/// Units of a layer that are drawn at a time.
pub(crate) const DRAWN: usize = 64;

/// The first unit that is drawn of the inputs and of each layer, from 0; where nothing is said, the first of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawn(Vec<usize>);

impl Drawn {
    /// From numbers with commas between.
    pub fn new(text: &str) -> Self {
        Drawn(text.split(',').map(|first| first.parse().unwrap_or(0)).collect())
    }

    /// The units that are drawn of the inputs (0) or of a layer (from 1) with so many.
    pub fn of(&self, layer: usize, units: usize) -> Range<usize> {
        let first = self.0.get(layer).copied().unwrap_or(0).min(units.saturating_sub(1));
        first..units.min(first.saturating_add(DRAWN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_drawn_from_the_one_that_is_asked_for_within_the_layer() {
        let drawn = Drawn::new("0,64,x,18446744073709551615");
        assert_eq!([drawn.of(0, 10), drawn.of(0, 100), drawn.of(1, 100)], [0..10, 0..64, 64..100]);
        assert_eq!([drawn.of(2, 3), drawn.of(3, 1024), drawn.of(9, 1024)], [0..3, 1023..1024, 0..64]);
    }
}
