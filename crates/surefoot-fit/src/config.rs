//! Options in a file: TOML.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::options::Options;

/// TOML.
impl FromStr for Options {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::Config { message: error.to_string() })
    }
}

/// TOML, of the options that are set.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.to_toml().map_err(|_| fmt::Error)?;
        f.write_str(&set)
    }
}

impl Options {
    /// The options that are set, as TOML.
    ///
    /// # Errors
    /// [`Error::Config`] for a seed beyond 2⁶³ − 1, which TOML has no integer for.
    pub fn to_toml(&self) -> Result<String> {
        let config = |error: toml::ser::Error| Error::Config { message: error.to_string() };
        let mut table = toml::Table::try_from(self).map_err(config)?;
        let default = toml::Table::try_from(Options::default()).map_err(config)?;
        table.retain(|name, value| default.get(name) != Some(value));
        toml::to_string(&table).map_err(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activations::Activations;
    use crate::options::Holdout;
    use surefoot::Activation;

    #[test]
    fn options_are_read_back_from_their_toml() {
        let text = "target = \"price\"\nnumeric = [\"a\", \"b\"]\ntask = \"regression\"\nvalidation = 0.25\n\
                    test = \"test.csv\"\nhidden = [32, 16]\nactivation = \"leaky-relu\"\n\
                    initialization = \"uniform:0.5\"\nclass_weight = \"balanced\"\noptimizer = \"sgd\"\n\
                    parametrization = \"ntp\"\nschedule = \"step:30:0.1\"\nbatch_size = 16\nseed = 7\n\
                    precision = \"f64\"\n";
        let options: Options = text.parse().unwrap();
        assert_eq!(options.validation, Some(Holdout::Fraction(0.25)));
        assert_eq!(options.to_string().parse::<Options>().unwrap(), options);
        assert_eq!(options.activation, Some(Activations::All(Activation::LeakyRelu)));
        let each: Options = "activation = [\"tanh\", \"relu\"]".parse().unwrap();
        assert_eq!(each.activation, Some(Activations::Each(vec![Activation::Tanh, Activation::Relu])));
        assert_eq!(each.to_string().parse::<Options>().unwrap(), each);
        assert_eq!(Options::default().to_string(), "");
    }

    #[test]
    fn what_is_unknown_or_out_of_range_is_named() {
        let message = |text: &str| text.parse::<Options>().unwrap_err().to_string();
        assert!(message("hiden = [3]").contains("unknown field `hiden`"), "{}", message("hiden = [3]"));
        assert!(message("optimizer = \"lion\"").contains("unknown variant `lion`"));
        assert!(message("validation = 1.5").contains("a fraction from 0 to 1"), "{}", message("validation = 1.5"));
        assert!(message("activation = \"swish\"").contains("one of sigmoid"));
        assert!(message("activation = [\"tanh\", \"swish\"]").contains("one of sigmoid"));
        assert!(message("seed =").contains("line 1"));
    }
}
