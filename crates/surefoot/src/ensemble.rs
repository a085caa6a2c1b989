//! Several networks as one.

use ndarray::s;

use crate::error::{Error, Result};
use crate::network::Network;
use crate::numeric::scalar::Scalar;

/// The network that averages the weighted sums of the output layer over `members`, which are each a θ of `network`, with its own
/// θ. It is exact: the hidden units of the members stand side by side, and no weight goes from one member to another.  (E1)
///
/// ```text
///   W⁽¹⁾ = [W₁⁽¹⁾; …; W_K⁽¹⁾],   W⁽ˡ⁾ = diag(W₁⁽ˡ⁾, …, W_K⁽ˡ⁾),   W⁽ⁿˡ⁻¹⁾ = 1/K [W₁⁽ⁿˡ⁻¹⁾ … W_K⁽ⁿˡ⁻¹⁾]
///   biases side by side, those of the outputs averaged:            z⁽ⁿˡ⁾ = 1/K Σₖ zₖ⁽ⁿˡ⁾
/// ```
///
/// So with identity outputs its prediction is the mean of theirs, with softmax or sigmoid outputs their geometric mean,
/// normalised. Networks that were trained from different starts on different parts of the data err in different ways, and
/// their average errs less than one of them.
///
/// Source: Hansen and Salamon, *Neural Network Ensembles*, 1990.
///
/// # Errors
/// [`Error::Setting`] without a member; [`Error::Shape`] when one is no θ of the network.
pub fn average<T: Scalar>(network: &Network, members: &[Vec<T>]) -> Result<(Network, Vec<T>)> {
    if members.is_empty() {
        return Err(Error::Setting { setting: "members", expected: "at least one".into(), got: "none".into() });
    }
    members.iter().try_for_each(|member| network.check_parameters(member))?;
    let (last, count) = (network.layers().len() - 1, members.len());
    let wide = |(l, layer): (usize, &crate::network::Layer)| {
        (if l == last { layer.outputs } else { count * layer.outputs }, layer.activation)
    };
    let layers: Vec<_> = network.layers().iter().enumerate().map(wide).collect();
    let whole = Network::new(network.inputs(), &layers)?;
    let mut parameters = vec![T::zero(); whole.parameter_count()];
    let share = T::from_f64(1.0 / count as f64);
    for l in 0..=last {
        for (k, member) in members.iter().enumerate() {
            let (weight, bias) = (network.weight(member, l), network.bias(member, l));
            let (rows, columns) = weight.dim();
            let first_row = if l == last { 0 } else { k * rows };
            let first_column = if l == 0 { 0 } else { k * columns };
            let factor = if l == last { share } else { T::one() };
            let mut to = whole.weight_mut(&mut parameters, l);
            let mut block = to.slice_mut(s![first_row..first_row + rows, first_column..first_column + columns]);
            block.zip_mut_with(&weight, |to, &w| *to += factor * w); // (E1)
            let biases = whole.bias_range(l).start + first_row;
            parameters[biases..biases + rows].iter_mut().zip(bias).for_each(|(to, &b)| *to += factor * b); // (E1)
        }
    }
    Ok((whole, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation::{Identity, Relu, Softmax, Tanh};
    use crate::initialization::draw_defaults;
    use ndarray::{Array2, array};

    fn inputs() -> Array2<f64> {
        array![[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
    }

    fn members(network: &Network) -> Vec<Vec<f64>> {
        (0..3).map(|seed| draw_defaults(network, seed)).collect()
    }

    #[test]
    fn it_predicts_the_mean_of_its_members() {
        for layers in [&[(4, Tanh), (5, Relu), (2, Identity)][..], &[(4, Tanh), (2, Identity)], &[(2, Identity)]] {
            let network = Network::new(3, layers).unwrap();
            let members = members(&network);
            let (whole, theta) = average(&network, &members).unwrap();
            let sum = members.iter().fold(Array2::<f64>::zeros((2, 2)), |sum, member| {
                sum + network.predict(member, inputs().view()).unwrap()
            });
            let mean = whole.predict(&theta, inputs().view()).unwrap();
            assert!((mean - sum / 3.0).iter().all(|x| x.abs() < 1e-15), "{}", whole.widths());
        }
    }

    #[test]
    fn of_probabilities_it_is_the_normalised_geometric_mean() {
        let network = Network::new(3, &[(4, Tanh), (3, Softmax)]).unwrap();
        let members = members(&network);
        let (whole, theta) = average(&network, &members).unwrap();
        assert_eq!(whole.widths(), "3-12-3");
        let product = members.iter().fold(Array2::<f64>::ones((2, 3)), |product, member| {
            product * network.predict(member, inputs().view()).unwrap()
        });
        let mut expected = product.mapv(f64::cbrt);
        expected.outer_iter_mut().for_each(|mut row| row /= row.sum());
        let found = whole.predict(&theta, inputs().view()).unwrap();
        assert!((found - expected).iter().all(|x| x.abs() < 1e-15));
    }

    #[test]
    fn one_member_stays_as_it_is_and_none_is_refused() {
        let network = Network::new(3, &[(4, Tanh), (1, Identity)]).unwrap();
        let one = &members(&network)[..1];
        assert_eq!(average(&network, one).unwrap(), (network.clone(), one[0].clone()));
        assert!(average::<f64>(&network, &[]).is_err() && average(&network, &[vec![0.0; 3]]).is_err());
    }
}
