//! A trained network with everything that a prediction needs.

use ndarray::{Array2, ArrayView2, Axis, concatenate};

use crate::activation::Activation;
use crate::cost::Cost;
use crate::dataset::{Dataset, check_finite};
use crate::ensemble::merge_ensemble;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::metrics::{Task, classes};
use crate::network::Network;
use crate::numeric::random::{Purpose, Random};
use crate::scaling::Scaling;
use crate::sparsity::Sparsity;

/// What a model file holds: network, θ, cost, and how numbers go in and come out.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The layers, of each network of an ensemble.
    pub network: Network,
    /// θ; of an ensemble those of its networks, one after the other.
    pub parameters: Parameters,
    /// The loss that it was trained for.
    pub loss: Loss,
    /// The λ that it was trained with.
    pub weight_decay: f64,
    /// The sparsity that it was trained with.
    pub sparsity: Option<Sparsity>,
    /// What it predicts.
    pub task: Task,
    /// Applied to inputs before the network; `None`: they go in as they are.
    pub input_scaling: Option<Scaling>,
    /// Reverted on outputs after the network, so that they have the targets' unit; `None`: they come out as they are.
    pub target_scaling: Option<Scaling>,
    /// The names of the inputs, or empty.
    pub input_columns: Vec<String>,
    /// The names of the target columns in the data, or empty.
    pub target_columns: Vec<String>,
    /// The names of the classes in the order of the outputs (two of them may share one output), or empty.
    pub classes: Vec<String>,
    /// How the columns of a table become the inputs, for whoever reads tables; `Null`: each input is a column of numbers.
    pub encoding: serde_json::Value,
    /// How it was trained, for people to read; `Null` when unknown.
    pub training: serde_json::Value,
}

/// θ in the precision that it was trained in.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameters {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl From<Vec<f32>> for Parameters {
    fn from(parameters: Vec<f32>) -> Self {
        Parameters::F32(parameters)
    }
}

impl From<Vec<f64>> for Parameters {
    fn from(parameters: Vec<f64>) -> Self {
        Parameters::F64(parameters)
    }
}

impl Parameters {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Parameters::F32(parameters) => parameters.len(),
            Parameters::F64(parameters) => parameters.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// θ in `f64`, each number exactly.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Parameters::F32(parameters) => parameters.iter().copied().map(f64::from).collect(),
            Parameters::F64(parameters) => parameters.clone(),
        }
    }

    /// `f32` or `f64`.
    pub fn precision(&self) -> &'static str {
        match self {
            Parameters::F32(_) => "f32",
            Parameters::F64(_) => "f64",
        }
    }
}

impl Model {
    /// A model without scaling and names; its task is classification where the loss is cross-entropy.
    ///
    /// # Errors
    /// [`Error::Shape`] when `parameters` is not one or several θ of the network; [`Error::Setting`] when the loss does not go with
    /// the output activation, or one softmax output, which is always 1, is to tell classes apart.
    pub fn new(network: Network, parameters: Parameters, loss: Loss, weight_decay: f64) -> Result<Self> {
        loss.check_output(network.output_activation())?;
        if loss == Loss::CrossEntropy && network.output_activation() == Activation::Softmax && network.outputs() == 1 {
            let (expected, got) = ("at least two with softmax and cross-entropy".into(), "1".into());
            return Err(Error::Setting { setting: "outputs", expected, got });
        }
        match &parameters {
            Parameters::F32(parameters) => network.member_count(parameters)?,
            Parameters::F64(parameters) => network.member_count(parameters)?,
        };
        let task = loss.task();
        Ok(Model {
            network,
            parameters,
            loss,
            weight_decay,
            sparsity: None,
            task,
            input_scaling: None,
            target_scaling: None,
            input_columns: Vec::new(),
            target_columns: Vec::new(),
            classes: Vec::new(),
            encoding: serde_json::Value::Null,
            training: serde_json::Value::Null,
        })
    }

    /// The networks whose outputs are averaged; 1 where it is no ensemble.
    pub fn members(&self) -> usize {
        self.parameters.len() / self.network.parameter_count()
    }

    /// The same model with one network, where it is an [ensemble](crate::merge_ensemble): for what knows single networks only.
    ///
    /// # Errors
    /// [`Error::Setting`] when the network would be longer than the address space.
    pub fn merged(&self) -> Result<Model> {
        let (network, parameters) = match &self.parameters {
            Parameters::F32(members) => {
                let (network, parameters) = merge_ensemble(&self.network, members)?;
                (network, parameters.into())
            }
            Parameters::F64(members) => {
                let (network, parameters) = merge_ensemble(&self.network, members)?;
                (network, parameters.into())
            }
        };
        Ok(Model { network, parameters, ..self.clone() })
    }

    /// h(x) for each row of `inputs` (m × s₁) in their own unit, as m × outputs in the targets' unit. The network is
    /// computed in the precision of θ. A row's outputs depend on no other row.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not the network's inputs; [`Error::Value`] for a number that is not
    /// finite, as it is or in the precision of θ, or an output that is not.
    pub fn predict(&self, inputs: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let inputs = self.scale_inputs(inputs)?;
        let outputs = match &self.parameters {
            Parameters::F64(parameters) => self.network.predict_ensemble(parameters, inputs.view())?,
            Parameters::F32(parameters) => {
                let inputs = inputs.mapv(|x| x as f32);
                check_finite("inputs, in single precision", inputs.view())?;
                self.network.predict_ensemble(parameters, inputs.view())?.mapv(f64::from)
            }
        };
        let outputs = match &self.target_scaling {
            Some(scaling) => scaling.revert(outputs.view()),
            None => outputs,
        };
        check_finite("outputs", outputs.view())?;
        Ok(outputs)
    }

    /// The activations of hidden layer `layer`, which is 1 for the first, for each row of `inputs` (m × s₁) in their own
    /// unit: m × units; of an ensemble those of its networks side by side.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and [`Error::Setting`] when there is no such hidden layer.
    pub fn encode(&self, inputs: ArrayView2<'_, f64>, layer: usize) -> Result<Array2<f64>> {
        let encoder = self.network.encoder(layer)?;
        let encode = |k: usize| {
            let range = k * self.network.parameter_count()..;
            let parameters: Parameters = match &self.parameters {
                Parameters::F64(parameters) => parameters[range][..encoder.parameter_count()].to_vec().into(),
                Parameters::F32(parameters) => parameters[range][..encoder.parameter_count()].to_vec().into(),
            };
            let model = Model::new(encoder.clone(), parameters, Loss::SquaredError, 0.0)?;
            Model { input_scaling: self.input_scaling.clone(), ..model }.predict(inputs)
        };
        let encoded = (0..self.members()).map(encode).collect::<Result<Vec<_>>>()?;
        let views: Vec<_> = encoded.iter().map(|part| part.view()).collect();
        concatenate(Axis(1), &views).map_err(|error| Error::Shape {
            what: "activations".into(),
            expected: "equal rows".into(),
            got: error.to_string(),
        })
    }

    /// The outputs, in the targets' unit, for activations of hidden layer `layer` (m × units), which is 1 for the first: the rest of
    /// the way after [`encode`](Self::encode).
    ///
    /// # Errors
    /// As [`encode`](Self::encode), and [`Error::Setting`] for an ensemble, whose networks have no layer in common.
    pub fn decode(&self, activations: ArrayView2<'_, f64>, layer: usize) -> Result<Array2<f64>> {
        if self.members() > 1 {
            let (expected, got) = ("a single network".into(), self.members().to_string());
            return Err(Error::Setting { setting: "networks", expected, got });
        }
        let encoder = self.network.encoder(layer)?;
        let rest = self.network.layers()[layer..].iter().map(|layer| (layer.outputs, layer.activation));
        let decoder = Network::new(encoder.outputs(), &rest.collect::<Vec<_>>())?;
        let start = encoder.parameter_count();
        let parameters: Parameters = match &self.parameters {
            Parameters::F64(parameters) => parameters[start..].to_vec().into(),
            Parameters::F32(parameters) => parameters[start..].to_vec().into(),
        };
        let model = Model::new(decoder, parameters, Loss::SquaredError, 0.0)?;
        Model { target_scaling: self.target_scaling.clone(), ..model }.predict(activations)
    }

    /// Examples in their own unit as the network and its cost see them.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and what [`Dataset::new`] refuses.
    pub fn examples(&self, inputs: ArrayView2<'_, f64>, targets: ArrayView2<'_, f64>) -> Result<Dataset<f64>> {
        self.check_columns("columns of the targets", targets.ncols(), self.network.outputs())?;
        let targets = match &self.target_scaling {
            Some(scaling) => scaling.apply(targets),
            None => targets.to_owned(),
        };
        Dataset::new(self.scale_inputs(inputs)?, targets)
    }

    /// The cost that its single network was trained on, over examples [as the network sees them](Self::examples).
    ///
    /// # Errors
    /// [`Error::Setting`] for an ensemble, which has no such cost unless it is [merged](Self::merged); what [`Cost::new`] and
    /// [`Cost::with_sparsity`] refuse.
    pub fn cost<'a>(&'a self, examples: &'a Dataset<f64>) -> Result<Cost<'a, f64>> {
        if self.members() > 1 {
            let (expected, got) = ("a single network: merge the ensemble first".into(), self.members().to_string());
            return Err(Error::Setting { setting: "networks", expected, got });
        }
        Cost::new(&self.network, self.loss, self.weight_decay, examples)?.with_sparsity(self.sparsity)
    }

    /// So many examples that the loss is defined for, as the network sees them: standard normal inputs, and targets that are
    /// random classes, or uniform in [0, 1). The same each time.
    ///
    /// # Errors
    /// What [`Dataset::new`] refuses: no rows.
    pub fn random_examples(&self, rows: usize) -> Result<Dataset<f64>> {
        let mut random = Random::new(0, Purpose::Examples, 0);
        let outputs = self.network.outputs();
        let inputs = Array2::from_shape_simple_fn((rows, self.network.inputs()), || random.normal());
        let mut targets = Array2::zeros((rows, outputs));
        for mut row in targets.outer_iter_mut() {
            match (self.loss, self.network.output_activation()) {
                (Loss::CrossEntropy, Activation::Softmax) => row[random.below(outputs)] = 1.0,
                (Loss::CrossEntropy, _) => row.iter_mut().for_each(|y| *y = random.below(2) as f64),
                (Loss::Poisson, _) => row.iter_mut().for_each(|y| *y = random.below(4) as f64),
                (Loss::SquaredError, _) => row.iter_mut().for_each(|y| *y = random.uniform()),
            }
        }
        Dataset::new(inputs, targets)
    }

    /// Whether it gives its inputs back: the target columns are the input columns.
    pub fn is_autoencoder(&self) -> bool {
        !self.input_columns.is_empty() && self.input_columns == self.target_columns
    }

    fn scale_inputs(&self, inputs: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        self.check_columns("columns of the inputs", inputs.ncols(), self.network.inputs())?;
        check_finite("inputs", inputs)?;
        let scaled = match &self.input_scaling {
            Some(scaling) => scaling.apply(inputs),
            None => inputs.to_owned(),
        };
        check_finite("scaled inputs", scaled.view())?;
        Ok(scaled)
    }

    fn check_columns(&self, what: &str, got: usize, expected: usize) -> Result<()> {
        if got == expected {
            return Ok(());
        }
        let expected = format!("{expected}, for the network {}", self.network.widths());
        Err(Error::Shape { what: what.into(), expected, got: got.to_string() })
    }

    /// How many classes the outputs tell apart: one output tells two.
    pub fn class_count(&self) -> usize {
        self.network.outputs().max(2)
    }

    /// The name of a class, which is its number when the model has no names.
    pub fn class_name(&self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// The class of each row of outputs, by its index.
    pub fn classify(&self, outputs: ArrayView2<'_, f64>) -> Vec<usize> {
        classes(outputs)
    }

    /// The probability of each class for each row of outputs (m × classes), each row summing to one: softmax as it is,
    /// one sigmoid output p as 1 − p and p, several as shares of their sum. `None` for outputs that are no probabilities.
    pub fn probabilities(&self, outputs: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
        match (self.task, self.network.output_activation()) {
            (Task::Classification, Activation::Softmax) => Some(outputs.to_owned()),
            (Task::Classification, Activation::Sigmoid) if outputs.ncols() == 1 => {
                concatenate(Axis(1), &[outputs.mapv(|p| 1.0 - p).view(), outputs]).ok()
            }
            (Task::Classification, Activation::Sigmoid) => {
                let mut shares = outputs.to_owned();
                for mut row in shares.axis_iter_mut(Axis(0)) {
                    let sum = row.sum().max(f64::MIN_POSITIVE);
                    row.mapv_inplace(|p| p / sum);
                }
                Some(shares)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn model(outputs: usize, activation: Activation, loss: Loss) -> Model {
        let network = Network::new(1, &[(outputs, activation)]).unwrap();
        let parameters = vec![1.0f64; network.parameter_count()];
        Model::new(network, parameters.into(), loss, 0.0).unwrap()
    }

    #[test]
    fn inputs_and_outputs_keep_the_unit_of_the_data() {
        let mut model = model(1, Activation::Identity, Loss::SquaredError); // h = x' + 1
        model.input_scaling = Some(Scaling { centre: vec![10.0], scale: vec![2.0], limit: None });
        model.target_scaling = Some(Scaling { centre: vec![100.0], scale: vec![5.0], limit: None });
        assert_eq!(model.predict(array![[14.0]].view()).unwrap(), array![[115.0]]);
        let examples = model.examples(array![[14.0]].view(), array![[115.0]].view()).unwrap();
        assert_eq!((examples.inputs()[[0, 0]], examples.targets()[[0, 0]]), (2.0, 3.0));
    }

    #[test]
    fn probabilities_sum_to_one_or_are_none() {
        let outputs = array![[0.2, 0.6]];
        let of = |activation, loss| model(2, activation, loss).probabilities(outputs.view());
        assert_eq!(of(Activation::Softmax, Loss::CrossEntropy).unwrap(), outputs);
        let shares = of(Activation::Sigmoid, Loss::CrossEntropy).unwrap();
        assert!((shares[[0, 0]] - 0.25).abs() < 1e-15 && (shares[[0, 1]] - 0.75).abs() < 1e-15);
        assert!(of(Activation::Tanh, Loss::SquaredError).is_none());
        let one = model(1, Activation::Sigmoid, Loss::CrossEntropy);
        assert_eq!(one.probabilities(array![[0.25]].view()).unwrap(), array![[0.75, 0.25]]);
    }

    #[test]
    fn what_is_encoded_and_decoded_is_predicted() {
        let layers = [(3, Activation::Tanh), (2, Activation::Sigmoid), (2, Activation::Identity)];
        let network = Network::new(2, &layers).unwrap();
        let theta: Vec<f64> = (0..network.parameter_count()).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut model = Model::new(network, theta.into(), Loss::SquaredError, 0.0).unwrap();
        model.input_scaling = Some(Scaling { centre: vec![1.0, 2.0], scale: vec![2.0, 0.5], limit: None });
        model.target_scaling = Some(Scaling { centre: vec![100.0, 0.0], scale: vec![5.0, 1.0], limit: None });
        let inputs = array![[0.3, -1.0], [2.0, 0.5]];
        for layer in [1, 2] {
            let codes = model.encode(inputs.view(), layer).unwrap();
            assert_eq!(model.decode(codes.view(), layer).unwrap(), model.predict(inputs.view()).unwrap());
        }
        assert!(model.decode(inputs.view(), 3).is_err());
    }

    #[test]
    fn numbers_too_large_for_the_precision_are_refused_with_their_place() {
        let network = Network::new(1, &[(1, Activation::Identity)]).unwrap();
        let model = Model::new(network, vec![1.0f32, 0.0].into(), Loss::SquaredError, 0.0).unwrap();
        let error = model.predict(array![[1.0], [1e300]].view()).unwrap_err().to_string();
        assert!(error.contains("row 1, column 0"), "{error}");
        assert!(model.predict(array![[1.0, 2.0]].view()).unwrap_err().to_string().contains("expected 1"));
    }
}
