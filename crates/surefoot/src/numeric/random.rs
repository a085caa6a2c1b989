//! Random draws that are the same on every machine: ChaCha8 bits, and our own uniform, normal and shuffle on top.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a draw is for. Each purpose has its own stream of the seed's generator, so that drawing more for one
/// purpose changes nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The start of θ.
    Initialization = 0,
    /// The order of the examples in each epoch.
    Shuffle = 1,
    /// Which examples form the validation part.
    Split = 2,
    /// Which rows and coordinates a gradient check takes, and its random neighbours of θ.
    GradientCheck = 3,
    /// Examples made up to fit a network.
    Examples = 4,
    /// The start of the decoders that the layers of a stack are pretrained with.
    Decoder = 5,
    /// The rows that inputs are taken from to see what they matter.
    Permutation = 6,
    /// The seeds of the networks of an ensemble.
    Ensemble = 7,
}

/// A stream of random draws, named by a seed, a purpose and an index (the epoch for shuffles, the layer for decoders).
///
/// The key is the seed in its first eight bytes, little-endian, and zeros; the stream is purpose · 2³² + index.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `seed` for this purpose and index.
    pub fn new(seed: u64, purpose: Purpose, index: u32) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(((purpose as u64) << 32) | u64::from(index));
        Random(generator)
    }

    /// Uniform in [0, 1): the upper 53 bits of a draw, times 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal, N(0, 1), by the Box–Muller transform of two uniform draws.
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Uniform in 0..`bound`, without bias: draws beyond the last whole multiple of `bound` are thrown away.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let draw = self.0.next_u64();
            if draw < limit {
                return (draw % bound) as usize;
            }
        }
    }

    /// Puts the items in random order, every order equally likely (Fisher and Yates, from the last item down).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `count` different indices below `total`, ascending; all of them when there are not more.
    pub fn sample(&mut self, total: usize, count: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..total).collect();
        if count < total {
            self.shuffle(&mut indices);
            indices.truncate(count);
            indices.sort_unstable();
        }
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned_for_every_platform() {
        let mut random = Random::new(1, Purpose::Initialization, 0);
        let uniform = [random.uniform(), random.uniform()];
        let normal = random.normal();
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
        random.shuffle(&mut order);
        // as `tests/reference/random_draws.py` gives them, which computes ChaCha8 by itself
        assert_eq!(uniform, [0.381489413238261, 0.2949273257816749]);
        assert!((normal - 1.546660720360505).abs() < 1e-15);
        assert_eq!(order, [1, 3, 2, 4, 5, 6, 7, 0]);
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let first = |seed, purpose, index| Random::new(seed, purpose, index).0.next_u64();
        let base = first(1, Purpose::Shuffle, 0);
        assert_ne!(base, first(2, Purpose::Shuffle, 0));
        assert_ne!(base, first(1, Purpose::Split, 0));
        assert_ne!(base, first(1, Purpose::Shuffle, 1));
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut random = Random::new(7, Purpose::Initialization, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn a_sample_has_different_indices_in_ascending_order() {
        let sample = Random::new(3, Purpose::GradientCheck, 0).sample(50, 20);
        assert_eq!(sample.len(), 20);
        assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(sample.iter().all(|&index| index < 50));
    }
}
