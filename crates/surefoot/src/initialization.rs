//! The start of θ: small random values, so that no two units are alike.

use std::fmt;
use std::str::FromStr;

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::network::{Layer, Network};
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;

/// How parameters are drawn at the start, which breaks the symmetry between units: started at zero, the hidden units
/// of a layer would stay equal for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Initialization {
    /// Every weight and bias from a normal distribution near zero, as the notes do.  (I1)
    ///
    /// ```text
    ///   W, b ~ N(0, ε²)
    /// ```
    Normal {
        /// ε, above 0; the command line's `normal` is 0.01, small enough for every unit to begin where f is steep.
        deviation: f64,
    },
    /// Keeps the size of activations and of error terms alike, for sigmoid, tanh, softmax, exp and identity.  (I2)
    ///
    /// ```text
    ///   W ~ U(−r, r), r = √(6 / (inputs + outputs))        b = 0
    /// ```
    ///
    /// Source: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010, equation (16).
    Glorot,
    /// Keeps the size of activations through units that let half of the sums through, for ReLU and leaky ReLU.  (I3)
    ///
    /// ```text
    ///   W ~ N(0, 2 / inputs)                               b = 0
    /// ```
    ///
    /// Source: He, Zhang, Ren and Sun, *Delving Deep into Rectifiers*, 2015, equation (10).
    He,
    /// Gives weighted sums the variance of the inputs, for SELU.  (I4)
    ///
    /// ```text
    ///   W ~ N(0, 1 / inputs)                               b = 0
    /// ```
    ///
    /// Source: LeCun, Bottou, Orr and Müller, *Efficient BackProp*, 1998, §4.6.
    LeCun,
    /// For Adam in the [neural tangent parametrization](crate::Adam::ntp): weighted sums have the variance of the inputs, biases spread the units over the
    /// inputs' range, and the output layer begins at 0, so that the first outputs are alike for all examples.  (I6)
    ///
    /// ```text
    ///   W ~ N(0, 1 / inputs),   b ~ N(0, 1);   of the output layer W = 0, b = 0
    /// ```
    ///
    /// Source: Holzmüller, Grinsztajn and Steinwart, *Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    /// Data*, 2024, section 3, where the weights are not yet divided by √inputs.
    Ntp,
    /// Every weight from the same range: the exercise on sparse autoencoders takes √(6 / (inputs + outputs + 1)).  (I5)
    ///
    /// ```text
    ///   W ~ U(−r, r)                                       b = 0
    /// ```
    Uniform {
        /// r, above 0.
        range: f64,
    },
}

impl Initialization {
    /// The one that suits a layer with this activation.
    pub fn default_for(activation: Activation) -> Self {
        match activation {
            Activation::Relu | Activation::LeakyRelu => Initialization::He,
            Activation::Selu => Initialization::LeCun,
            _ => Initialization::Glorot,
        }
    }

    /// θ drawn from the seed's stream: layer by layer, each weight row by row, then the bias where it is random.
    /// The draws are in `f64`, so both precisions start from the same point.
    pub fn draw<T: Scalar>(self, network: &Network, seed: u64) -> Vec<T> {
        draw_each(network, Random::new(seed, Purpose::Initialization, 0), |_| self)
    }
}

/// θ drawn with each layer's [default](Initialization::default_for).
pub fn draw_defaults<T: Scalar>(network: &Network, seed: u64) -> Vec<T> {
    draw_each(network, Random::new(seed, Purpose::Initialization, 0), of_activation)
}

/// θ of the decoder that hidden layer `layer` (from 0) is pretrained with, drawn in the same way.
pub(crate) fn draw_decoder<T: Scalar>(decoder: &Network, seed: u64, layer: usize) -> Vec<T> {
    draw_each(decoder, Random::new(seed, Purpose::Decoder, layer as u32), of_activation)
}

fn of_activation(layer: &Layer) -> Initialization {
    Initialization::default_for(layer.activation)
}

fn draw_each<T: Scalar>(network: &Network, mut random: Random, of: impl Fn(&Layer) -> Initialization) -> Vec<T> {
    let mut parameters = vec![T::zero(); network.parameter_count()];
    for (l, layer) in network.layers().iter().enumerate() {
        let inputs = layer.inputs as f64;
        let mut draw = || match of(layer) {
            Initialization::Normal { deviation } => deviation * random.normal(), // (I1)
            Initialization::Glorot => (6.0 / (inputs + layer.outputs as f64)).sqrt() * (2.0 * random.uniform() - 1.0), // (I2)
            Initialization::He => (2.0 / inputs).sqrt() * random.normal(), // (I3)
            Initialization::LeCun => (1.0 / inputs).sqrt() * random.normal(), // (I4)
            Initialization::Uniform { range } => range * (2.0 * random.uniform() - 1.0), // (I5)
            Initialization::Ntp => (1.0 / inputs).sqrt() * random.normal(), // (I6)
        };
        let is_ntp = of(layer) == Initialization::Ntp;
        if is_ntp && l + 1 == network.layers().len() {
            continue; // (I6)
        }
        let random_bias = matches!(of(layer), Initialization::Normal { .. });
        let drawn = if random_bias { network.layer_range(l) } else { network.weight_range(l) };
        parameters[drawn].fill_with(|| T::from_f64(draw()));
        if is_ntp {
            parameters[network.bias_range(l)].fill_with(|| T::from_f64(random.normal())); // (I6)
        }
    }
    parameters
}

impl fmt::Display for Initialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Initialization::Normal { deviation } => write!(f, "normal:{deviation}"),
            Initialization::Glorot => f.write_str("glorot"),
            Initialization::He => f.write_str("he"),
            Initialization::LeCun => f.write_str("lecun"),
            Initialization::Ntp => f.write_str("ntp"),
            Initialization::Uniform { range } => write!(f, "uniform:{range}"),
        }
    }
}

/// Reads `normal` (ε = 0.01), `normal:ε`, `glorot`, `he`, `lecun`, `ntp` or `uniform:r`.
impl FromStr for Initialization {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let above_zero = |number: &str| number.parse().ok().filter(|&number| number > 0.0 && f64::is_finite(number));
        let found = match (text, text.split_once(':')) {
            ("glorot", _) => Some(Initialization::Glorot),
            ("he", _) => Some(Initialization::He),
            ("lecun", _) => Some(Initialization::LeCun),
            ("ntp" | "tangent", _) => Some(Initialization::Ntp),
            ("normal", _) => Some(Initialization::Normal { deviation: 0.01 }),
            (_, Some(("normal", number))) => above_zero(number).map(|deviation| Initialization::Normal { deviation }),
            (_, Some(("uniform", number))) => above_zero(number).map(|range| Initialization::Uniform { range }),
            _ => None,
        };
        found.ok_or_else(|| Error::Setting {
            setting: "initialization",
            expected: "normal, normal:ε or uniform:r with a number above 0, glorot, he, lecun or ntp".into(),
            got: format!("`{text}`"),
        })
    }
}

serde_as_text!(Initialization);

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network::new(300, &[(200, Activation::Relu), (100, Activation::Softmax)]).unwrap()
    }

    /// Standard deviation of the first weight and of the first bias.
    fn deviations(parameters: &[f64]) -> (f64, f64) {
        let deviation = |part: &[f64]| (part.iter().map(|x| x * x).sum::<f64>() / part.len() as f64).sqrt();
        (deviation(&parameters[network().weight_range(0)]), deviation(&parameters[network().bias_range(0)]))
    }

    #[test]
    fn each_has_its_deviation() {
        let cases = [
            (Initialization::Normal { deviation: 0.01 }, 0.01, 0.01),
            (Initialization::Glorot, (2.0f64 / 500.0).sqrt(), 0.0),
            (Initialization::He, (2.0f64 / 300.0).sqrt(), 0.0),
            (Initialization::LeCun, (1.0f64 / 300.0).sqrt(), 0.0),
            (Initialization::Ntp, (1.0f64 / 300.0).sqrt(), 1.0),
            (Initialization::Uniform { range: 0.3 }, 0.3 / 3f64.sqrt(), 0.0),
        ];
        for (initialization, of_weight, of_bias) in cases {
            let (weight, bias) = deviations(&initialization.draw(&network(), 1));
            assert!((weight / of_weight - 1.0).abs() < 0.02, "{initialization}: {weight}");
            assert!((bias - of_bias).abs() < 0.2 * of_bias + 1e-300, "{initialization}: {bias}");
        }
        let start: Vec<f64> = Initialization::Ntp.draw(&network(), 1);
        assert!(start[network().layer_range(1)].iter().all(|&x| x == 0.0), "the output layer begins at 0");
    }

    #[test]
    fn the_seed_decides_and_both_precisions_start_alike() {
        let draw = |seed| draw_defaults::<f64>(&network(), seed);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let single = draw_defaults::<f32>(&network(), 1);
        assert!(single.iter().zip(draw(1)).all(|(&a, b)| a == b as f32));
    }

    #[test]
    fn names_are_read_back() {
        for text in ["normal:0.5", "glorot", "he", "lecun", "ntp", "uniform:0.25"] {
            assert_eq!(text.parse::<Initialization>().unwrap().to_string(), text);
        }
        for text in ["normal:0", "normal:-1", "normal:inf", "normal:x", "uniform", "uniform:0", "xavier", ""] {
            assert!(text.parse::<Initialization>().is_err(), "{text}");
        }
    }
}
