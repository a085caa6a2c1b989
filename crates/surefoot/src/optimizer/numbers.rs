//! A step of an optimizer in numbers, for what computes it elsewhere.

use super::adam::AdamStep;
use super::first_order::FirstOrder;
use crate::network::Network;
use crate::numeric::scalar::Scalar;

/// What a step does to each parameter: its rule, and the numbers of it that all parameters of a part of θ share.
#[derive(Clone, Debug, PartialEq)]
pub struct StepNumbers<T> {
    /// What stays the same from step to step.
    pub rule: StepRule<T>,
    /// α of the weights and of the biases of each layer.
    pub rates: Vec<[T; 2]>,
    /// Adam: 1/√(1 − β₂ᵗ).
    pub scale: T,
    /// Adam: ε.
    pub epsilon: T,
}

/// How a parameter moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepRule<T> {
    /// (O1)
    Descent,
    /// (O2), with μ.
    Momentum(T),
    /// (O3), with μ.
    Nesterov(T),
    /// (O4), with β₁, β₂, 1 − β₁ and 1 − β₂.
    Adam([T; 4]),
}

impl FirstOrder {
    /// The numbers of step t, from 1, with this learning rate.
    pub fn numbers<T: Scalar>(&self, t: u64, learning_rate: f64, network: &Network) -> StepNumbers<T> {
        match self {
            FirstOrder::GradientDescent(settings) => {
                let mu = T::from_f64(settings.momentum);
                let rule = match (settings.momentum == 0.0, settings.nesterov) {
                    (true, _) => StepRule::Descent,
                    (false, false) => StepRule::Momentum(mu),
                    (false, true) => StepRule::Nesterov(mu),
                };
                let rates = vec![[T::from_f64(learning_rate); 2]; network.layers().len()];
                StepNumbers { rule, rates, scale: T::zero(), epsilon: T::zero() }
            }
            FirstOrder::Adam(settings) => {
                let step = AdamStep::<T>::new(settings, t, learning_rate);
                let AdamStep { beta1, beta2, rest1, rest2, scale, epsilon, .. } = step;
                let rate = |columns| step.of_part(columns).alpha;
                let rates = network.layers().iter().map(|layer| [rate(Some(layer.inputs)), rate(None)]).collect();
                StepNumbers { rule: StepRule::Adam([beta1, beta2, rest1, rest2]), rates, scale, epsilon }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Adam, GradientDescent};
    use super::*;
    use crate::activation::Activation;

    /// A parameter and its memory after a step by the numbers alone.
    fn moved([theta, m, v]: [f32; 3], g: f32, alpha: f32, numbers: &StepNumbers<f32>) -> [f32; 3] {
        match numbers.rule {
            StepRule::Descent => [theta - alpha * g, m, v],
            StepRule::Momentum(mu) => [theta - alpha * (mu * m + g), mu * m + g, v],
            StepRule::Nesterov(mu) => [theta - alpha * (g + mu * (mu * m + g)), mu * m + g, v],
            StepRule::Adam([beta1, beta2, rest1, rest2]) => {
                let (m, v) = (beta1 * m + rest1 * g, beta2 * v + rest2 * (g * g));
                [theta - alpha * m / (v.sqrt() * numbers.scale + numbers.epsilon), m, v]
            }
        }
    }

    #[test]
    fn a_step_by_its_numbers_has_the_bits_of_a_step() {
        let network = Network::new(4, &[(3, Activation::Tanh), (2, Activation::Identity)]).unwrap();
        let descent = |momentum, nesterov| GradientDescent { learning_rate: 0.1, momentum, nesterov };
        let adam = |ntp, epsilon_hat| FirstOrder::Adam(Adam { ntp, epsilon_hat, epsilon: 1e-3, ..Adam::default() });
        for optimizer in [
            FirstOrder::GradientDescent(descent(0.0, false)),
            FirstOrder::GradientDescent(descent(0.9, false)),
            FirstOrder::GradientDescent(descent(0.9, true)),
            adam(false, false),
            adam(true, false),
            adam(false, true),
        ] {
            let mut theta: Vec<f32> = (0..network.parameter_count()).map(|i| (i as f32 * 0.7).sin()).collect();
            let (mut state, mut expected) = (optimizer.start(theta.len()), theta.clone());
            let mut memory = vec![[0f32; 2]; theta.len()];
            for t in 1..4 {
                let (rate, gradient) = (0.03 / t as f64, theta.iter().map(|x| x * x - 0.3).collect::<Vec<f32>>());
                let numbers = optimizer.numbers(t, rate, &network);
                for l in 0..network.layers().len() {
                    for (part, range) in [network.weight_range(l), network.bias_range(l)].into_iter().enumerate() {
                        for i in range {
                            let before = [expected[i], memory[i][0], memory[i][1]];
                            let after = moved(before, gradient[i], numbers.rates[l][part], &numbers);
                            (expected[i], memory[i]) = (after[0], [after[1], after[2]]);
                        }
                    }
                }
                optimizer.step(&mut state, &mut theta, &gradient, &network.segments(), rate);
                assert_eq!(theta, expected, "{optimizer:?}, step {t}");
            }
        }
    }
}
