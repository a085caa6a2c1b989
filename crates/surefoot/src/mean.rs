//! From sums over examples to the gradient of J, whole vectors at a time, because what takes it does so, too.

use crate::numeric::panels::LANES;
use crate::numeric::scalar::Scalar;

/// What makes the gradient of J of sums of gradients over examples.  (G1)
///
/// ```text
///   ∇J = Σ ∇J(W,b; x,y) · share + λθ
/// ```
#[derive(Clone, Copy)]
pub(crate) struct Mean<T> {
    /// 1/m, or what stands for it with weights.
    pub share: T,
    /// λ, 0 for biases.
    pub decay: T,
}

impl<T: Scalar> Mean<T> {
    /// Of what is the gradient already.
    pub fn of_gradient() -> Self {
        Mean { share: T::one(), decay: T::zero() }
    }

    /// That of parameters which decay or do not.
    pub fn decaying(self, decays: bool) -> Self {
        Mean { decay: if decays { self.decay } else { T::zero() }, ..self }
    }

    /// The gradient by some neighbouring parameters.
    #[inline(always)]
    pub fn of<const N: usize>(self, mut sums: [T; N], parameters: &[T; N]) -> [T; N] {
        for sum in &mut sums {
            *sum = *sum * self.share; // (G1)
        }
        if self.decay > T::zero() {
            for i in 0..N {
                sums[i] += self.decay * parameters[i]; // (G1)
            }
        }
        sums
    }

    /// Writes the gradient by neighbouring parameters down.
    #[inline(always)]
    pub fn write(self, sums: &[T], parameters: &[T], gradient: &mut [T]) {
        let (sums, sums_rest) = sums.as_chunks::<LANES>();
        let (parameters, parameters_rest) = parameters.as_chunks::<LANES>();
        let (gradient, gradient_rest) = gradient.as_chunks_mut::<LANES>();
        for ((g, sums), parameters) in gradient.iter_mut().zip(sums).zip(parameters) {
            *g = self.of(*sums, parameters);
        }
        for ((g, &sum), &parameter) in gradient_rest.iter_mut().zip(sums_rest).zip(parameters_rest) {
            [*g] = self.of([sum], &[parameter]);
        }
    }
}

/// Whether all numbers that were seen are finite: what they are times 0 adds up to 0 exactly then.
pub(crate) struct Finite<T>([T; LANES]);

impl<T: Scalar> Finite<T> {
    pub fn new() -> Self {
        Finite([T::zero(); LANES])
    }

    /// Up to 16 numbers more, which it gives back.
    #[inline(always)]
    pub fn seen<const N: usize>(&mut self, numbers: [T; N]) -> [T; N] {
        self.0.iter_mut().zip(numbers).for_each(|(zero, x)| *zero += x * T::zero());
        numbers
    }

    pub fn holds(&self) -> bool {
        self.0.iter().all(|&zero| zero == T::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_vector_counts() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..LANES {
                let mut numbers = [-f32::MAX; LANES];
                let mut finite = Finite::new();
                finite.seen(numbers);
                finite.seen([f32::MIN_POSITIVE]);
                assert!(finite.holds());
                numbers[at] = wrong;
                finite.seen(numbers);
                finite.seen([1.0]);
                assert!(!finite.holds(), "{wrong} at {at}");
            }
        }
    }
}
