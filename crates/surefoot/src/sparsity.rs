//! The penalty on hidden units that are active more often, or less often, than they should be.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network::Network;

/// Adds to the cost how far the mean activation of each hidden unit is from a target: with a low one, each unit learns
/// to answer to few examples.  (P1)
///
/// ```text
///   β Σⱼ KL(ρ ‖ ρ̂ⱼ) = β Σⱼ ρ ln(ρ/ρ̂ⱼ) + (1−ρ) ln((1−ρ)/(1−ρ̂ⱼ))       ρ̂ⱼ = Σᵢ wᵢ aⱼ⁽ⁱ⁾ / Σᵢ wᵢ
/// ```
///
/// Over all hidden units of all hidden layers, and the examples of the batch. Units are sigmoid, or tanh, whose
/// activation counts as (1 + a)/2. It changes the error terms of the hidden layers:  (P2)
///
/// ```text
///   δ⁽ˡ⁾ = ((W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾ + β(−ρ/ρ̂ + (1−ρ)/(1−ρ̂))) • f′(z⁽ˡ⁾)
/// ```
///
/// Source: Ng, *Sparse autoencoder*, CS294A lecture notes, the section on autoencoders and sparsity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sparsity {
    /// ρ, between 0 and 1, both excluded: the share of activity that a unit should have.
    pub target: f64,
    /// β, finite and at least 0: what the penalty weighs beside the mean loss.
    pub weight: f64,
}

impl Sparsity {
    /// That the settings are in their ranges and the network has hidden units that they apply to.
    ///
    /// # Errors
    /// [`Error::Setting`] with what is not so.
    pub fn check(&self, network: &Network) -> Result<()> {
        let refuse =
            |setting, expected: &str, got: String| Err(Error::Setting { setting, expected: expected.into(), got });
        if !(self.target > 0.0 && self.target < 1.0) {
            return refuse("sparsity", "a number between 0 and 1, both excluded", self.target.to_string());
        }
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            return refuse("sparsity weight", "a finite number, at least 0", self.weight.to_string());
        }
        let expected = "hidden units that are sigmoid or tanh, whose activation has two bounds";
        if network.hidden().is_empty() {
            return refuse("sparsity", expected, "no hidden layer".into());
        }
        match network.hidden().iter().find(|layer| layer.activation.activity().is_none()) {
            Some(layer) => refuse("sparsity", expected, format!("`{}`", layer.activation)),
            None => Ok(()),
        }
    }

    /// β KL(ρ ‖ ρ̂) of one unit.
    pub(crate) fn cost(&self, mean: f64) -> f64 {
        let (rho, rest) = (self.target, 1.0 - self.target);
        self.weight * (rho * libm::log(rho / mean) + rest * libm::log(rest / (1.0 - mean))) // (P1)
    }

    /// Its derivative by ρ̂.
    pub(crate) fn slope(&self, mean: f64) -> f64 {
        self.weight * (-self.target / mean + (1.0 - self.target) / (1.0 - mean)) // (P2)
    }
}
