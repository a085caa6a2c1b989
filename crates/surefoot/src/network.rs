//! The network: layers of units, and the one flat θ that holds all of their parameters.

use std::fmt;
use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::objective::Segment;

/// One step of the feedforward pass, from s₁ = `inputs` units to s₂ = `outputs` units: z = W·a + b, then f(z).
///
/// Its parameters are views into θ, see [`Network::weight`] and [`Network::bias`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Units that it reads, the columns of W.
    pub inputs: usize,
    /// Units that it computes, the rows of W and the length of b.
    pub outputs: usize,
    /// Its f.
    pub activation: Activation,
}

impl Layer {
    /// The length of W and b together.
    pub fn parameter_count(&self) -> usize {
        self.outputs * self.inputs + self.outputs
    }
}

/// The shape of a feed-forward network: any number of layers, units and outputs.
///
/// It holds no parameters. They live in one flat vector θ: W⁽¹⁾ row by row, b⁽¹⁾, W⁽²⁾, b⁽²⁾, … (the layers count from
/// 0 in code and in model files, from 1 in the notes). So an optimizer is a few lines over slices, and the gradient
/// check a loop over θ.
///
/// ```
/// use surefoot::{Activation, Network};
///
/// let network = Network::new(3, &[(3, Activation::Sigmoid), (1, Activation::Sigmoid)])?;
/// assert_eq!(network.parameter_count(), 16);
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    layers: Vec<Layer>,
    /// Where each layer's weight begins in θ, and at the end the length of θ.
    offsets: Vec<usize>,
}

impl Network {
    /// A network that reads `inputs` numbers, with a pair of units and activation for each layer after the input.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no layer, a layer has no units, softmax is not the output, or θ would be
    /// longer than the address space.
    pub fn new(inputs: usize, layers: &[(usize, Activation)]) -> Result<Self> {
        let refuse =
            |expected: &str, got: String| Err(Error::Setting { setting: "layers", expected: expected.into(), got });
        if layers.is_empty() {
            return refuse("at least one layer after the input", "none".into());
        }
        let (mut built, mut offsets, mut units) = (Vec::new(), vec![0usize], inputs);
        for (l, &(outputs, activation)) in layers.iter().enumerate() {
            if units == 0 || outputs == 0 {
                return refuse(
                    "at least one unit in each layer",
                    format!("none in layer {}", l + usize::from(units > 0)),
                );
            }
            if activation.is_for_outputs() && l + 1 < layers.len() {
                return refuse(&format!("{activation} only as the output"), format!("{activation} in layer {}", l + 1));
            }
            let count = units.checked_mul(outputs).and_then(|weights| weights.checked_add(outputs));
            let end =
                count.and_then(|count| count.checked_add(offsets[l])).filter(|&end| end <= isize::MAX as usize / 8);
            let Some(end) = end else {
                return refuse("parameters that fit in memory", format!("a weight of {outputs} × {units}"));
            };
            offsets.push(end);
            built.push(Layer { inputs: units, outputs, activation });
            units = outputs;
        }
        Ok(Network { layers: built, offsets })
    }

    /// The layers after the input.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The hidden layers: all but the output layer.
    pub(crate) fn hidden(&self) -> &[Layer] {
        &self.layers[..self.layers.len() - 1]
    }

    /// Where the units of hidden layer `l` (from 0) are among all hidden units.
    pub(crate) fn hidden_range(&self, l: usize) -> Range<usize> {
        let start = self.layers[..l].iter().map(|layer| layer.outputs).sum();
        start..start + self.layers[l].outputs
    }

    /// s₁, the numbers that an example has.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// The units of the output layer.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// The activation of the output layer.
    pub fn output_activation(&self) -> Activation {
        self.layers[self.layers.len() - 1].activation
    }

    /// The length of θ.
    pub fn parameter_count(&self) -> usize {
        self.offsets[self.layers.len()]
    }

    /// Where W of layer `l` (from 0) lies in θ.
    pub fn weight_range(&self, l: usize) -> Range<usize> {
        let start = self.offsets[l];
        start..start + self.layers[l].inputs * self.layers[l].outputs
    }

    /// Where b of layer `l` (from 0) lies in θ.
    pub fn bias_range(&self, l: usize) -> Range<usize> {
        self.weight_range(l).end..self.offsets[l + 1]
    }

    /// Where both lie in θ.
    pub(crate) fn layer_range(&self, l: usize) -> Range<usize> {
        self.offsets[l]..self.offsets[l + 1]
    }

    /// W of layer `l` (from 0), outputs × inputs, as a view into θ.
    ///
    /// # Panics
    /// When there is no layer `l`, or `parameters` is not a θ of this network.
    #[cfg_attr(not(test), expect(clippy::expect_used, reason = "a range of this length is this matrix"))]
    pub fn weight<'a, T>(&self, parameters: &'a [T], l: usize) -> ArrayView2<'a, T> {
        let shape = (self.layers[l].outputs, self.layers[l].inputs);
        ArrayView2::from_shape(shape, &parameters[self.weight_range(l)]).expect("θ of this network")
    }

    /// The same, to be changed.
    #[cfg_attr(not(test), expect(clippy::expect_used, reason = "a range of this length is this matrix"))]
    pub(crate) fn weight_mut<'a, T>(&self, parameters: &'a mut [T], l: usize) -> ArrayViewMut2<'a, T> {
        let shape = (self.layers[l].outputs, self.layers[l].inputs);
        ArrayViewMut2::from_shape(shape, &mut parameters[self.weight_range(l)]).expect("θ of this network")
    }

    /// b of layer `l` (from 0), as a view into θ.
    ///
    /// # Panics
    /// As [`weight`](Self::weight).
    pub fn bias<'a, T>(&self, parameters: &'a [T], l: usize) -> ArrayView1<'a, T> {
        ArrayView1::from(&parameters[self.bias_range(l)])
    }

    /// The weights and biases within θ, in order, under their names in the model file.
    pub fn segments(&self) -> Vec<Segment> {
        let of_layer = |(layer, &Layer { inputs, outputs, .. }): (usize, &Layer)| {
            let name = |part| format!("layers.{layer}.{part}");
            [
                Segment { layer, name: name("weight"), rows: outputs, columns: Some(inputs) },
                Segment { layer, name: name("bias"), rows: outputs, columns: None },
            ]
        };
        self.layers.iter().enumerate().flat_map(of_layer).collect()
    }

    /// That this vector is a θ of this network, by its length.
    pub(crate) fn check_parameters<T>(&self, parameters: &[T]) -> Result<()> {
        if parameters.len() == self.parameter_count() {
            return Ok(());
        }
        Err(Error::Shape {
            what: "parameters".into(),
            expected: format!("{} for the network {}", self.parameter_count(), self.widths()),
            got: parameters.len().to_string(),
        })
    }

    /// The units of each layer, from the input on: `64-32-10`.
    pub fn widths(&self) -> String {
        let outputs = self.layers.iter().map(|layer| format!("-{}", layer.outputs));
        std::iter::once(self.inputs().to_string()).chain(outputs).collect()
    }
}

/// A table of the layers with their numbers of parameters.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {} with {} parameters", self.widths(), self.parameter_count())?;
        write!(
            f,
            "  {:<8}{:>8}{:>9}  {:<11}{:>9}{:>8}",
            "layer", "inputs", "outputs", "activation", "weights", "biases"
        )?;
        for (l, layer) in self.layers.iter().enumerate() {
            let Layer { inputs, outputs, activation } = layer;
            write!(f, "\n  {:<8}{inputs:>8}{outputs:>9}  {activation:<11}{:>9}{outputs:>8}", l + 1, inputs * outputs)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Network {
        Network::new(3, &[(2, Activation::Tanh), (4, Activation::Softmax)]).unwrap()
    }

    #[test]
    fn views_cover_theta_in_order() {
        let network = example();
        let theta: Vec<f64> = (0..network.parameter_count()).map(|i| i as f64).collect();
        assert_eq!(network.weight(&theta, 0)[[1, 2]], 5.0);
        assert_eq!(network.bias(&theta, 0).to_vec(), [6.0, 7.0]);
        assert_eq!(network.weight(&theta, 1)[[0, 0]], 8.0);
        assert_eq!(network.bias(&theta, 1).to_vec(), [16.0, 17.0, 18.0, 19.0]);
        let lengths: usize = network.segments().iter().map(Segment::len).sum();
        assert_eq!(lengths, theta.len());
        assert_eq!(network.segments()[2].place(5), "layers.1.weight[2, 1]");
    }

    #[test]
    fn impossible_layers_are_refused() {
        let message = |inputs, layers: &[_]| Network::new(inputs, layers).unwrap_err().to_string();
        assert!(message(3, &[]).contains("at least one layer"));
        assert!(message(0, &[(1, Activation::Tanh)]).contains("none in layer 0"));
        assert!(message(3, &[(2, Activation::Tanh), (0, Activation::Tanh)]).contains("none in layer 2"));
        assert!(message(3, &[(2, Activation::Softmax), (1, Activation::Tanh)]).contains("softmax in layer 1"));
        assert!(message(usize::MAX / 2, &[(usize::MAX / 2, Activation::Tanh)]).contains("fit in memory"));
    }

    #[test]
    fn display_shows_layers_and_parameter_counts() {
        let text = example().to_string();
        assert!(text.starts_with("network 3-2-4 with 20 parameters\n"), "{text}");
        assert!(text.contains("softmax            8       4"), "{text}");
    }
}
