//! The activations of the hidden layers, as they are asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use surefoot::Activation;

/// One activation for all hidden layers, or one for each of them, from the first. As text: `tanh`, or `tanh,relu,sigmoid`; in TOML and
/// JSON `"tanh"`, or `["tanh", "relu", "sigmoid"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activations {
    /// One for all, however many there are.
    All(Activation),
    /// One for each.
    Each(Vec<Activation>),
}

impl Activations {
    /// That of a hidden layer, from 0.
    pub(crate) fn of_layer(&self, layer: usize) -> Option<Activation> {
        match self {
            Activations::All(activation) => Some(*activation),
            Activations::Each(each) => each.get(layer).copied(),
        }
    }
}

impl From<Activation> for Activations {
    fn from(activation: Activation) -> Self {
        Activations::All(activation)
    }
}

impl fmt::Display for Activations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Activations::All(activation) => activation.fmt(f),
            Activations::Each(each) => f.pad(&each.iter().map(|a| a.name()).collect::<Vec<_>>().join(",")),
        }
    }
}

impl FromStr for Activations {
    type Err = surefoot::Error;

    fn from_str(text: &str) -> Result<Self, surefoot::Error> {
        match text.contains(',') {
            true => text.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>().map(Activations::Each),
            false => text.parse().map(Activations::All),
        }
    }
}

impl Serialize for Activations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Activations::All(activation) => activation.serialize(serializer),
            Activations::Each(each) => each.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Activations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // names at first, as an untagged value says nothing of what it expected
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            All(String),
            Each(Vec<String>),
        }
        let read = match Written::deserialize(deserializer)? {
            Written::All(name) => name.parse().map(Activations::All),
            Written::Each(names) => {
                names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map(Activations::Each)
            }
        };
        read.map_err(serde::de::Error::custom)
    }
}
