//! The feedforward pass alone: many rows at once, or row after row.

use ndarray::{Array2, ArrayView2};

use crate::backpropagation::Strip;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::numeric::matmul::multiply;
use crate::numeric::operands::{Lhs, Start};
use crate::numeric::panels::{PANEL, Panel, PanelMut, Panels, rows, rows_mut};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::numeric::threads;
use crate::sum::{BLOCK_ROWS, engine};
use crate::view::Examples;

impl Network {
    /// h(x) for each row of `inputs` (m × s₁), as m × outputs: the feedforward pass, equations (6) and (7), over blocks
    /// of rows. A row's outputs depend on no other row.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not s₁ or `parameters` is not a θ of this network.
    pub fn predict<T: Scalar>(&self, parameters: &[T], inputs: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check_parameters(parameters)?;
        self.check_inputs(inputs.ncols())?;
        let inputs = inputs.as_standard_layout();
        self.outputs_of(parameters, Examples::of_inputs(inputs.as_slice().unwrap_or_default(), self.inputs()))
    }

    /// The same for examples of a data set, wherever they lie; θ and the inputs have the lengths of this network.
    pub(crate) fn outputs_of<T: Scalar>(&self, parameters: &[T], all: Examples<'_, T>) -> Result<Array2<T>> {
        let m = all.len();
        let mut outputs = vec![T::zero(); m * self.outputs()];
        threads::for_each_chunk(
            &mut outputs,
            BLOCK_ROWS * self.outputs(),
            || (Strip::new(self, None), Panels::new()),
            |(strip, by_row), block, outputs| {
                let first = block * BLOCK_ROWS;
                let count = outputs.len() / self.outputs();
                let next = first + count;
                let (some, next) = (all.part(first..next), all.part(next..m.min(next + BLOCK_ROWS)));
                engine().feedforward(strip, self, self.layers().len(), parameters, [some, next]);
                for some in (0..self.outputs()).step_by(PANEL) {
                    let units = some..self.outputs().min(some + PANEL);
                    by_row.resize(count, units.len());
                    by_row.set_transposed(0, strip.outputs(), units.clone());
                    let Panel { numbers, width, columns } = by_row.panel(0);
                    for (to, from) in rows_mut(outputs, self.outputs()).zip(rows(numbers, width)) {
                        to[units.clone()].copy_from_slice(&from[..columns]);
                    }
                }
            },
        );
        let wrong = |error| Error::Shape { what: "outputs".into(), expected: format!("{m} rows"), got: error };
        Array2::from_shape_vec((m, self.outputs()), outputs).map_err(|error| wrong(error.to_string()))
    }

    /// The network up to hidden layer `layer`, which is 1 for the first: its outputs are that layer's activations, and its
    /// θ is the beginning of this network's.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such hidden layer.
    pub fn encoder(&self, layer: usize) -> Result<Network> {
        let hidden = self.hidden();
        if !(1..=hidden.len()).contains(&layer) {
            let expected = match hidden.len() {
                0 => "a network with a hidden layer".into(),
                1 => "1, the only hidden layer".into(),
                count => format!("a hidden layer from 1 to {count}"),
            };
            return Err(Error::Setting { setting: "layer", expected, got: layer.to_string() });
        }
        let layers: Vec<_> = hidden[..layer].iter().map(|layer| (layer.outputs, layer.activation)).collect();
        Network::new(self.inputs(), &layers)
    }

    /// What each unit of the first layer answers to (units × s₁): of all inputs with norm 1 the one that excites it
    /// most. Zeros for a unit without any weight.  (F1)
    ///
    /// ```text
    ///   xⱼ = Wᵢⱼ⁽¹⁾ / √(Σⱼ (Wᵢⱼ⁽¹⁾)²)
    /// ```
    ///
    /// Source: Ng, *Sparse autoencoder*, CS294A lecture notes, the section on visualizing a trained autoencoder.
    ///
    /// # Errors
    /// [`Error::Shape`] when `parameters` is not a θ of this network.
    pub fn preferred_inputs<T: Scalar>(&self, parameters: &[T]) -> Result<Array2<f64>> {
        self.check_parameters(parameters)?;
        let mut features = self.weight(parameters, 0).map(|weight| weight.to_f64());
        for mut unit in features.outer_iter_mut() {
            let norm = unit.iter().fold(0.0, |sum, weight| sum + weight * weight).sqrt();
            if norm > 0.0 {
                unit.mapv_inplace(|weight| weight / norm); // (F1)
            }
        }
        Ok(features)
    }

    pub(crate) fn check_inputs(&self, got: usize) -> Result<()> {
        if got == self.inputs() {
            return Ok(());
        }
        let expected = format!("{}, the units of the input layer", self.inputs());
        Err(Error::Shape { what: "columns of the inputs".into(), expected, got: got.to_string() })
    }
}

/// A network, or an ensemble, made ready for one row after the other: the weights are packed once, and a prediction allocates
/// nothing.
///
/// ```
/// use surefoot::{Activation, Network, Predictor, draw_defaults};
///
/// let network = Network::new(2, &[(3, Activation::Tanh), (1, Activation::Sigmoid)])?;
/// let mut predictor = Predictor::new(&network, draw_defaults::<f32>(&network, 1))?;
/// assert_eq!(predictor.predict(&[0.5, -1.0])?.len(), 1);
/// # Ok::<(), surefoot::Error>(())
/// ```
pub struct Predictor<'a, T> {
    network: &'a Network,
    /// θ of each member, one after the other.
    members: Vec<T>,
    /// Wᵀ of each layer of each member: with one example, the units are the lanes.
    weights: Vec<Vec<Panels<T>>>,
    /// x and the activations of each layer of the present member, in panels of units as the weights.
    activations: Vec<Vec<T>>,
    outputs: Vec<T>,
}

impl<'a, T: Scalar> Predictor<'a, T> {
    /// The network with this θ, or an ensemble of several θ, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] when `members` is not one or several θ of the network.
    pub fn new(network: &'a Network, members: Vec<T>) -> Result<Self> {
        network.member_count(&members)?;
        let transposed = |parameters: &[T], l: usize| {
            let (layer, mut transposed) = (&network.layers()[l], Panels::new());
            let weight = &parameters[network.weight_range(l)];
            transposed.set_columns(layer.inputs, layer.outputs, weight, |o| o * layer.inputs);
            transposed
        };
        let layers = network.layers().len();
        let of_member = |parameters: &[T]| (0..layers).map(|l| transposed(parameters, l)).collect();
        let weights: Vec<Vec<_>> = members.chunks(network.parameter_count()).map(of_member).collect();
        let units = |panels: &Panels<T>| vec![T::zero(); panels.count() * panels.width()];
        let activations =
            std::iter::once(vec![T::zero(); network.inputs()]).chain(weights[0].iter().map(units)).collect();
        Ok(Predictor { network, members, weights, activations, outputs: vec![T::zero(); network.outputs()] })
    }

    /// h(x), the same bits as [`Network::predict_ensemble`] has for this row.
    ///
    /// # Errors
    /// [`Error::Shape`] when x has not s₁ numbers.
    pub fn predict(&mut self, x: &[T]) -> Result<&[T]> {
        self.network.check_inputs(x.len())?;
        self.activations[0].copy_from_slice(x);
        for k in 0..self.weights.len() {
            self.weighted_sums_of_output(k);
            let z = &self.activations[self.network.layers().len()];
            match k {
                0 => self.outputs.copy_from_slice(&z[..self.network.outputs()]),
                _ => self.outputs.iter_mut().zip(z).for_each(|(sum, &z)| *sum += z),
            }
        }
        let share = T::from_f64(1.0 / self.weights.len() as f64);
        self.outputs.iter_mut().for_each(|z| *z = *z * share); // (E1)
        vectorized(
            #[inline(always)]
            || self.network.output_activation().apply(&mut self.outputs, 1), // (7)
        );
        Ok(&self.outputs)
    }

    /// The feedforward pass of a member up to z of its output layer.
    fn weighted_sums_of_output(&mut self, member: usize) {
        let (layers, weights) = (self.network.layers(), &self.weights[member]);
        let parameters = &self.members[member * self.network.parameter_count()..];
        for (l, layer) in layers.iter().enumerate() {
            let (below, here) = self.activations.split_at_mut(l + 1);
            let (a, z) = (&below[l][..layer.inputs], &mut here[0][..]);
            z[..layer.outputs].copy_from_slice(&parameters[self.network.bias_range(l)]);
            let width = weights[l].width();
            for (p, numbers) in rows_mut(z, width).enumerate() {
                let z = PanelMut { numbers, width };
                multiply(Lhs::rows(a, 1, layer.inputs), weights[l].panel(p), Start::Sum, z); // (6)
            }
            if l + 1 < layers.len() {
                vectorized(
                    #[inline(always)]
                    || layer.activation.apply(&mut z[..layer.outputs], 1), // (7)
                );
            }
        }
    }
}
