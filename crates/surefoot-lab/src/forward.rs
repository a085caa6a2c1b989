//! Many examples on their way through a network, with the activations of every layer.

use ndarray::{Array2, ArrayView2};
use surefoot::{Network, Trace};

use crate::error::Result;

/// a of each layer after the input, for each row of `inputs`, to the bits of a [`Trace`].
pub(crate) fn activations(network: &Network, theta: &[f64], inputs: ArrayView2<'_, f64>) -> Result<Vec<Array2<f64>>> {
    let mut all: Vec<Array2<f64>> = Vec::new();
    for (l, layer) in network.layers().iter().enumerate() {
        let alone = Network::new(layer.inputs, &[(layer.outputs, layer.activation)])?;
        let theta = &theta[network.weight_range(l).start..network.bias_range(l).end];
        all.push(alone.predict(theta, all.last().map_or(inputs, |a| a.view()))?);
    }
    Ok(all)
}

/// f′ of each activation of layer `l`, row by row; none for softmax.
pub(crate) fn slopes(network: &Network, l: usize, activations: &[Array2<f64>]) -> Vec<f64> {
    let flat = |a: &Array2<f64>| a.iter().copied().collect();
    let trace = Trace { x: Vec::new(), z: Vec::new(), a: activations.iter().map(flat).collect(), backward: None };
    trace.slopes(network, l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use surefoot::{Activation, Loss, draw_defaults};

    #[test]
    fn activations_and_slopes_are_those_of_traces() {
        let layers = [(5, Activation::Selu), (300, Activation::Tanh), (3, Activation::Softmax)];
        let network = Network::new(2, &layers).unwrap();
        let theta: Vec<f64> = draw_defaults(&network, 1);
        let inputs = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (7 + j)) % 11) as f64 / 5.0 - 1.0);
        let all = activations(&network, &theta, inputs.view()).unwrap();
        let slopes: Vec<_> = (0..3).map(|l| slopes(&network, l, &all)).collect();
        for (row, x) in inputs.outer_iter().enumerate() {
            let trace = Trace::new(&network, Loss::CrossEntropy, &theta, &x.to_vec(), None).unwrap();
            for (l, a) in all.iter().enumerate() {
                assert_eq!(a.row(row).to_vec(), trace.a[l]);
                let units = network.layers()[l].outputs;
                let of_row = slopes[l].get(row * units..(row + 1) * units).unwrap_or_default();
                assert_eq!(of_row, trace.slopes(&network, l));
            }
        }
    }
}
