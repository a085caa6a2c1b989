//! What can be chosen on the page: a part of the options, none of which names a file.

use serde::{Deserialize, Serialize};
use surefoot::{Activation, BatchSize, Initialization, Loss};
use surefoot_fit::{Activations, Holdout, OptimizerKind, Options, Parametrization};

use crate::error::{Error, Result};

/// Hidden layers, and units of each, at most: what a page can show and a machine trains beside others.
const MOST_LAYERS: usize = 8;
const MOST_UNITS: usize = 1024;
/// A training that nobody pauses ends after so many epochs.
const EPOCHS: usize = 100_000;

/// What was chosen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Choices {
    pub target: Option<String>,
    pub autoencoder: bool,
    pub hidden: Vec<usize>,
    pub activation: Option<Activations>,
    pub output_activation: Option<Activation>,
    pub loss: Option<Loss>,
    pub weight_decay: f64,
    pub sparsity: Option<f64>,
    pub optimizer: OptimizerKind,
    pub learning_rate: Option<f64>,
    pub batch_size: Option<BatchSize>,
    pub initialization: Option<Initialization>,
    pub validation: f64,
    pub seed: u64,
}

impl Choices {
    /// The options of one network whose epochs do not depend on how many there will be: with a constant learning rate, and without an
    /// early end.
    pub fn options(&self) -> Result<Options> {
        if self.hidden.len() > MOST_LAYERS {
            return Err(Error::request("hidden layers", format!("at most {MOST_LAYERS}"), self.hidden.len()));
        }
        if let Some(units) = self.hidden.iter().find(|units| !(1..=MOST_UNITS).contains(*units)) {
            return Err(Error::request("units of a layer", format!("1 to {MOST_UNITS}"), units));
        }
        if !(0.0..1.0).contains(&self.validation) {
            return Err(Error::request("validation", "0 or a fraction below 1", self.validation));
        }
        let mut options = Options::default();
        options.target.clone_from(&self.target);
        options.autoencoder = self.autoencoder;
        options.hidden = Some(self.hidden.clone());
        options.activation.clone_from(&self.activation);
        options.output_activation = self.output_activation;
        options.loss = self.loss;
        options.weight_decay = Some(self.weight_decay);
        options.sparsity = self.sparsity;
        options.optimizer = self.optimizer;
        options.learning_rate = self.learning_rate;
        options.parametrization = (self.optimizer == OptimizerKind::Adam).then_some(Parametrization::Standard);
        options.batch_size = self.batch_size;
        options.initialization = self.initialization;
        options.seed = self.seed;
        options.validation = match self.validation {
            _ if self.autoencoder => None,
            0.0 => Some(Holdout::Nothing),
            fraction => Some(Holdout::Fraction(fraction)),
        };
        options.patience = Some(0);
        options.epochs = Some(EPOCHS);
        Ok(options)
    }
}
