//! Several networks of the same layers whose outputs are averaged.

use ndarray::{Array2, ArrayView2, s};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::network::{Layer, Network};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::view::Examples;

impl Network {
    /// h(x) of an ensemble for each row of `inputs` (m × s₁), as m × outputs: the output activation of the mean of the
    /// members' weighted sums.  (E1)
    ///
    /// ```text
    ///   z⁽ⁿˡ⁾ = 1/K Σₖ zₖ⁽ⁿˡ⁾          h = f(z⁽ⁿˡ⁾)
    /// ```
    ///
    /// So with identity outputs it is the mean of the members' predictions, with softmax or sigmoid outputs their geometric
    /// mean, normalised. Networks that were trained from different starts on different parts of the data err in different
    /// ways, and their mean errs less than one of them. A row's outputs depend on no other row.
    ///
    /// * `members`: K vectors θ of this network, one after the other
    ///
    /// Source: Hansen and Salamon, *Neural Network Ensembles*, 1990.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns are not s₁, or `members` is not one or several θ of this network.
    pub fn predict_ensemble<T: Scalar>(&self, members: &[T], inputs: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let count = self.member_count(members)?;
        if count == 1 {
            return self.predict(members, inputs);
        }
        self.check_inputs(inputs.ncols())?;
        let inputs = inputs.as_standard_layout();
        let examples = Examples::of_inputs(inputs.as_slice().unwrap_or_default(), self.inputs());
        let sums = self.of_layers(|_, layer| (layer.outputs, layer.activation), Activation::Identity)?;
        let mut z = Array2::zeros((self.outputs(), examples.len())); // examples are the lanes
        for (k, member) in members.chunks(self.parameter_count()).enumerate() {
            let of_member = sums.outputs_of(member, examples)?;
            match k {
                0 => z.assign(&of_member.t()),
                _ => z += &of_member.t(),
            }
        }
        let share = T::from_f64(1.0 / count as f64);
        z.mapv_inplace(|z| z * share); // (E1)
        let m = examples.len();
        if let Some(z) = z.as_slice_mut() {
            vectorized(
                #[inline(always)]
                || self.output_activation().apply(z, m), // (7)
            );
        }
        Ok(z.reversed_axes().as_standard_layout().into_owned())
    }

    /// How many θ of this network there are in `members`, one after the other.
    pub(crate) fn member_count<T>(&self, members: &[T]) -> Result<usize> {
        let (length, one) = (members.len(), self.parameter_count());
        if length > 0 && length.is_multiple_of(one) {
            return Ok(length / one);
        }
        let expected = format!("{one} for the network {}, or a multiple for an ensemble", self.widths());
        Err(Error::Shape { what: "parameters".into(), expected, got: length.to_string() })
    }

    /// The same layers with other units, and this activation of the output.
    fn of_layers(&self, of: impl Fn(usize, &Layer) -> (usize, Activation), output: Activation) -> Result<Network> {
        let mut layers: Vec<_> = self.layers().iter().enumerate().map(|(l, layer)| of(l, layer)).collect();
        if let Some(last) = layers.last_mut() {
            last.1 = output;
        }
        Network::new(self.inputs(), &layers)
    }
}

/// One network that predicts what an ensemble does, with its θ, for programs that know single networks only: the hidden units
/// of the members stand side by side, and no weight goes from one member to another.  (E2)
///
/// ```text
///   W⁽¹⁾ = [W₁⁽¹⁾; …; W_K⁽¹⁾],   W⁽ˡ⁾ = diag(W₁⁽ˡ⁾, …, W_K⁽ˡ⁾),   W⁽ⁿˡ⁻¹⁾ = 1/K [W₁⁽ⁿˡ⁻¹⁾ … W_K⁽ⁿˡ⁻¹⁾]
///   biases side by side, those of the outputs averaged
/// ```
///
/// It has K times the weights of the ensemble, most of them 0, in every layer but the first and the last.
///
/// * `members`: K vectors θ of the network, one after the other
///
/// # Errors
/// [`Error::Shape`] when `members` is not one or several θ of the network.
pub fn merge_ensemble<T: Scalar>(network: &Network, members: &[T]) -> Result<(Network, Vec<T>)> {
    let (last, count) = (network.layers().len() - 1, network.member_count(members)?);
    let wide = |l, layer: &Layer| (if l == last { layer.outputs } else { count * layer.outputs }, layer.activation);
    let whole = network.of_layers(wide, network.output_activation())?;
    let mut parameters = vec![T::zero(); whole.parameter_count()];
    let share = T::from_f64(1.0 / count as f64);
    for l in 0..=last {
        for (k, member) in members.chunks(network.parameter_count()).enumerate() {
            let (weight, bias) = (network.weight(member, l), network.bias(member, l));
            let (rows, columns) = weight.dim();
            let first_row = if l == last { 0 } else { k * rows };
            let first_column = if l == 0 { 0 } else { k * columns };
            let factor = if l == last { share } else { T::one() };
            let mut to = whole.weight_mut(&mut parameters, l);
            let mut block = to.slice_mut(s![first_row..first_row + rows, first_column..first_column + columns]);
            block.zip_mut_with(&weight, |to, &w| *to += factor * w); // (E2)
            let biases = whole.bias_range(l).start + first_row;
            parameters[biases..biases + rows].iter_mut().zip(bias).for_each(|(to, &b)| *to += factor * b); // (E2)
        }
    }
    Ok((whole, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation::{Identity, Relu, Sigmoid, Softmax, Tanh};
    use crate::initialization::draw_defaults;
    use crate::prediction::Predictor;
    use ndarray::array;

    fn inputs() -> Array2<f64> {
        array![[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
    }

    /// Three, one after the other.
    fn members(network: &Network) -> Vec<f64> {
        (0..3).flat_map(|seed| draw_defaults::<f64>(network, seed)).collect()
    }

    /// What each predicts.
    fn predictions(network: &Network, members: &[f64]) -> Vec<Array2<f64>> {
        let of = |member: &[f64]| network.predict(member, inputs().view()).unwrap();
        members.chunks(network.parameter_count()).map(of).collect()
    }

    #[test]
    fn it_predicts_the_mean_of_its_members() {
        for layers in [&[(4, Tanh), (5, Relu), (2, Identity)][..], &[(4, Tanh), (2, Identity)], &[(2, Identity)]] {
            let network = Network::new(3, layers).unwrap();
            let members = members(&network);
            let sum = predictions(&network, &members).iter().fold(Array2::<f64>::zeros((2, 2)), |sum, one| sum + one);
            let mean = network.predict_ensemble(&members, inputs().view()).unwrap();
            assert!((mean - sum / 3.0).iter().all(|x| x.abs() < 1e-15), "{}", network.widths());
        }
    }

    #[test]
    fn of_probabilities_it_is_the_normalised_geometric_mean() {
        let network = Network::new(3, &[(4, Tanh), (3, Softmax)]).unwrap();
        let members = members(&network);
        let one = Array2::<f64>::ones((2, 3));
        let mut expected =
            predictions(&network, &members).iter().fold(one, |product, one| product * one).mapv(f64::cbrt);
        expected.outer_iter_mut().for_each(|mut row| row /= row.sum());
        let found = network.predict_ensemble(&members, inputs().view()).unwrap();
        assert!((found - expected).iter().all(|x| x.abs() < 1e-15));
    }

    #[test]
    fn merged_it_predicts_the_same() {
        for layers in [&[(4, Tanh), (5, Relu), (3, Softmax)][..], &[(4, Tanh), (1, Sigmoid)], &[(2, Identity)]] {
            let network = Network::new(3, layers).unwrap();
            let members = members(&network);
            let (whole, theta) = merge_ensemble(&network, &members).unwrap();
            let merged = whole.predict(&theta, inputs().view()).unwrap();
            let apart = network.predict_ensemble(&members, inputs().view()).unwrap();
            assert!((merged - apart).iter().all(|x| x.abs() < 1e-15), "{}", whole.widths());
        }
        let network = Network::new(3, &[(4, Tanh), (5, Relu), (3, Softmax)]).unwrap();
        assert_eq!(merge_ensemble(&network, &members(&network)).unwrap().0.widths(), "3-12-15-3");
    }

    #[test]
    fn a_row_depends_on_no_other() {
        let network = Network::new(3, &[(4, Tanh), (17, Softmax)]).unwrap();
        let members: Vec<f32> = (0..3).flat_map(|seed| draw_defaults::<f32>(&network, seed)).collect();
        let many = Array2::from_shape_fn((53, 3), |(i, j)| ((i * 3 + j) as f32).sin());
        let all = network.predict_ensemble(&members, many.view()).unwrap();
        let mut predictor = Predictor::new(&network, members.clone()).unwrap();
        for i in 0..53 {
            let alone = network.predict_ensemble(&members, many.slice(s![i..=i, ..])).unwrap();
            assert_eq!(alone.row(0), all.row(i));
            assert_eq!(predictor.predict(many.row(i).as_slice().unwrap()).unwrap(), all.row(i).as_slice().unwrap());
        }
    }

    #[test]
    fn one_member_stays_as_it_is_and_what_is_no_ensemble_is_refused() {
        let network = Network::new(3, &[(4, Tanh), (1, Identity)]).unwrap();
        let all = members(&network);
        let one = &all[..network.parameter_count()];
        assert_eq!(merge_ensemble(&network, one).unwrap(), (network.clone(), one.to_vec()));
        let alone = network.predict(one, inputs().view()).unwrap();
        assert_eq!(network.predict_ensemble(one, inputs().view()).unwrap(), alone);
        for wrong in [&all[..0], &all[..3]] {
            assert!(merge_ensemble(&network, wrong).is_err());
            assert!(network.predict_ensemble(wrong, inputs().view()).is_err());
        }
    }
}
