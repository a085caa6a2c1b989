//! The state of an `nn.Sequential` of PyTorch, in a safetensors file.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))] // the bytes are a stranger's

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use surefoot::{Activation, Loss, Model, Network, Parameters};

use crate::error::{Error, Result};

/// Weights and biases of the `Linear` layers of an `nn.Sequential`, in their order.
///
/// ```text
///   0.weight (s₂ × s₁), 0.bias (s₂), 2.weight, 2.bias, …
/// ```
///
/// Numbers between are those of activations and of `Dropout`, which have no state.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    /// Units of the input layer, and of each layer above.
    units: Vec<usize>,
    /// W and b of each layer, one after the other, as in θ.
    parameters: Parameters,
}

/// The two tensors of a layer.
#[derive(Default)]
struct Layer<'a> {
    weight: Option<TensorView<'a>>,
    bias: Option<TensorView<'a>>,
}

impl Sequential {
    /// Reads the bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the tensor when it is no such state: another name, a layer without its weight, a shape that does not go
    /// with the layer below, numbers that are neither `F32` nor `F64`, or not finite.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| unfit("file", "safetensors", error.to_string()))?;
        let mut layers = BTreeMap::<usize, Layer<'_>>::new();
        for (name, tensor) in tensors.iter() {
            let (place, what) = name.split_once('.').unwrap_or((name, ""));
            let layer = place.parse().map(|place| layers.entry(place).or_default());
            match (layer, what) {
                (Ok(layer), "weight") => layer.weight = Some(tensor),
                (Ok(layer), "bias") => layer.bias = Some(tensor),
                _ => {
                    let expected = "tensors of Linear layers, such as `0.weight` and `0.bias`";
                    return Err(unfit("tensors", expected, format!("`{name}`")));
                }
            }
        }
        let first = layers.values().find_map(|layer| layer.weight.as_ref());
        let kind = first.map_or(Dtype::F32, TensorView::dtype);
        let mut units = Vec::new();
        let (mut singles, mut doubles) = (Vec::new(), Vec::new());
        for (place, layer) in &layers {
            let name = format!("{place}.weight");
            let weight = layer.weight.as_ref().ok_or_else(|| unfit(&name, "a weight beside the bias", "none"))?;
            let &[outputs, inputs] = weight.shape() else {
                return Err(unfit(&name, "a matrix, as of a Linear layer", format!("{:?}", weight.shape())));
            };
            match units.last() {
                None => units.push(inputs),
                Some(&below) if below == inputs => {}
                Some(below) => {
                    let expected = format!("{below} columns, the units below");
                    return Err(unfit(&name, expected, format!("{:?}", weight.shape())));
                }
            }
            units.push(outputs);
            let bias_name = format!("{place}.bias");
            if let Some(bias) = &layer.bias
                && bias.shape() != [outputs]
            {
                return Err(unfit(&bias_name, format!("[{outputs}]"), format!("{:?}", bias.shape())));
            }
            for (name, tensor) in [(&name, Some(weight)), (&bias_name, layer.bias.as_ref())] {
                let Some(tensor) = tensor else {
                    // Linear(…, bias=False)
                    match kind {
                        Dtype::F64 => doubles.extend(std::iter::repeat_n(0.0, outputs)),
                        _ => singles.extend(std::iter::repeat_n(0.0, outputs)),
                    }
                    continue;
                };
                if tensor.dtype() != kind {
                    return Err(unfit(name, format!("{kind:?}, as the first weight"), format!("{:?}", tensor.dtype())));
                }
                let is_finite = match kind {
                    Dtype::F32 => {
                        let numbers = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                        let start = singles.len();
                        singles.extend(numbers);
                        singles.iter().skip(start).all(|x| x.is_finite())
                    }
                    Dtype::F64 => {
                        let numbers = tensor.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
                        let start = doubles.len();
                        doubles.extend(numbers);
                        doubles.iter().skip(start).all(|x| x.is_finite())
                    }
                    other => return Err(unfit(name, "F32 or F64", format!("{other:?}"))),
                };
                if !is_finite {
                    return Err(unfit(name, "finite numbers", "another"));
                }
            }
        }
        if units.is_empty() {
            return Err(unfit("tensors", "at least one Linear layer", "none"));
        }
        let parameters = if kind == Dtype::F64 { Parameters::F64(doubles) } else { Parameters::F32(singles) };
        Ok(Sequential { units, parameters })
    }

    /// A model with an activation for each `Linear` layer. Outputs with softmax or sigmoid are classes, with cross-entropy as the
    /// loss; with exp the loss is Poisson's, else squared error. Inputs and targets are not scaled.
    ///
    /// * `classes`: the names of the classes in the order of the outputs, or none; one output tells two
    ///
    /// # Errors
    /// [`Error::Unfit`] when there are other numbers of activations or of classes; [`Error::Library`] for layers that no network has.
    pub fn into_model(self, activations: &[Activation], classes: &[String]) -> Result<Model> {
        let count = self.units.len() - 1;
        if activations.len() != count {
            let hint = "name one for each Linear layer, the output's too; identity where none follows";
            return Err(Error::unfit("activations", count.to_string(), activations.len().to_string(), hint));
        }
        let mut units = self.units.iter().copied();
        let inputs = units.next().unwrap_or_default();
        let layers: Vec<_> = units.zip(activations.iter().copied()).collect();
        let network = Network::new(inputs, &layers)?;
        let loss = match network.output_activation() {
            Activation::Softmax | Activation::Sigmoid => Loss::CrossEntropy,
            Activation::Exp => Loss::Poisson,
            _ => Loss::SquaredError,
        };
        let model = Model::new(network, self.parameters, loss, 0.0)?;
        let is_fitting = classes.is_empty() || loss == Loss::CrossEntropy && classes.len() == model.class_count();
        if !is_fitting {
            let hint = "outputs are classes with the activation softmax or sigmoid";
            let expected = if loss == Loss::CrossEntropy { model.class_count() } else { 0 };
            return Err(Error::unfit("names of classes", expected.to_string(), classes.len().to_string(), hint));
        }
        Ok(Model { classes: classes.to_vec(), ..model })
    }
}

fn unfit(place: &str, expected: impl Into<String>, got: impl Into<String>) -> Error {
    let hint = "save it with safetensors.torch.save_file(network.state_dict(), FILE), where network is an nn.Sequential of \
                Linear layers, activations and Dropout";
    Error::unfit(place, expected, got, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::serialize;

    /// A state of these tensors, each of so many halves.
    fn state(tensors: &[(&str, &[usize])]) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|(_, shape)| 0.5f32.to_le_bytes().repeat(shape.iter().product())).collect();
        let views = bytes.iter().zip(tensors).map(|(bytes, &(name, shape))| {
            (name.to_string(), TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
        });
        serialize(views, None).unwrap()
    }

    #[test]
    fn layers_are_read_in_the_order_of_their_numbers() {
        let bytes = state(&[("10.weight", &[2, 3]), ("10.bias", &[2]), ("2.weight", &[3, 4]), ("2.bias", &[3])]);
        let state = Sequential::read(&bytes).unwrap();
        let classes = ["no".to_string(), "yes".to_string()];
        let model = state.clone().into_model(&[Activation::Relu, Activation::Softmax], &classes).unwrap();
        assert_eq!((model.network.widths(), model.loss), ("4-3-2".to_string(), Loss::CrossEntropy));
        assert_eq!(model.parameters, Parameters::F32(vec![0.5; 3 * 4 + 3 + 2 * 3 + 2]));
        let refused = state.clone().into_model(&[Activation::Relu], &[]).unwrap_err().to_string();
        assert_eq!(refused, "activations: expected 2, got 1");
        let refused = state.into_model(&[Activation::Relu, Activation::Identity], &classes).unwrap_err().to_string();
        assert_eq!(refused, "names of classes: expected 0, got 2");
    }

    #[test]
    fn what_is_no_sequential_of_linear_layers_is_refused() {
        let refusal = |tensors: &[(&str, &[usize])]| Sequential::read(&state(tensors)).unwrap_err().to_string();
        assert_eq!(
            refusal(&[("conv.weight", &[2, 3])]),
            "tensors: expected tensors of Linear layers, such as `0.weight` and `0.bias`, got `conv.weight`"
        );
        assert_eq!(refusal(&[("0.bias", &[2])]), "0.weight: expected a weight beside the bias, got none");
        assert_eq!(refusal(&[("0.weight", &[2])]), "0.weight: expected a matrix, as of a Linear layer, got [2]");
        assert_eq!(
            refusal(&[("0.weight", &[2, 3]), ("1.weight", &[1, 3])]),
            "1.weight: expected 2 columns, the units below, got [1, 3]"
        );
        assert_eq!(refusal(&[("0.weight", &[2, 3]), ("0.bias", &[3])]), "0.bias: expected [2], got [3]");
        assert!(Sequential::read(b"no tensors").is_err());
    }

    #[test]
    fn a_layer_without_biases_has_zeros() {
        let state = Sequential::read(&state(&[("0.weight", &[2, 1])])).unwrap();
        assert_eq!(state.parameters, Parameters::F32(vec![0.5, 0.5, 0.0, 0.0]));
    }
}
