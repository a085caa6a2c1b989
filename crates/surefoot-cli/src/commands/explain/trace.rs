//! One example on its way through a network, with everything that the notes have a letter for.

use ndarray::{Array2, ArrayView2};
use surefoot::{Activation, Cost, Dataset, Loss, Model, Network, Objective};

/// EPSILON of the numerical derivatives.
pub const EPSILON: f64 = 1e-4;

/// The numbers of one example, all in double precision.
pub struct Trace {
    /// The example as the network sees it.
    pub x: Vec<f64>,
    /// z⁽ˡ⁾ and a⁽ˡ⁾ of the layers after the input.
    pub z: Vec<Vec<f64>>,
    pub a: Vec<Vec<f64>>,
    pub backward: Option<Backward>,
}

/// What goes back, where the target is known.
pub struct Backward {
    pub y: Vec<f64>,
    /// J(W,b; x,y).
    pub loss: f64,
    /// δ⁽ˡ⁾ of the layers after the input.
    pub delta: Vec<Vec<f64>>,
    /// ∇J(W,b; x,y) over θ.
    pub gradient: Vec<f64>,
}

/// A derivative beside its numerical value.
pub struct Compared {
    pub analytic: f64,
    /// `None` where a unit is within a step of its kink, where there is no derivative.
    pub numeric: Option<f64>,
}

impl Trace {
    /// The way of the inputs, and back where there are targets; both one row, as the network sees them.
    pub fn new(
        model: &Model,
        theta: &[f64],
        inputs: ArrayView2<'_, f64>,
        targets: Option<ArrayView2<'_, f64>>,
    ) -> surefoot::Result<Self> {
        let network = &model.network;
        let layers: Vec<(usize, Activation)> =
            network.layers().iter().map(|layer| (layer.outputs, layer.activation)).collect();
        let up_to = |l: usize, last: Activation| -> surefoot::Result<Vec<f64>> {
            let mut some = layers[..=l].to_vec();
            some[l].1 = last;
            let part = Network::new(network.inputs(), &some)?;
            Ok(part.predict(&theta[..part.parameter_count()], inputs)?.into_iter().collect())
        };
        let (mut z, mut a) = (Vec::new(), Vec::new());
        for (l, &(_, activation)) in layers.iter().enumerate() {
            z.push(up_to(l, Activation::Identity)?); // (6)
            a.push(up_to(l, activation)?); // (7)
        }
        let backward = match targets {
            None => None,
            Some(targets) => {
                let one = Dataset::new(inputs.to_owned(), targets.to_owned())?;
                let mut gradient = vec![0.0; network.parameter_count()];
                let loss = example_cost(network, model.loss, &one)?.cost_and_gradient(theta, &mut gradient);
                // ∇b⁽ˡ⁾ = δ⁽ˡ⁺¹⁾, by (B3)
                let delta = (0..layers.len()).map(|l| gradient[network.bias_range(l)].to_vec()).collect();
                Some(Backward { y: targets.iter().copied().collect(), loss, delta, gradient })
            }
        };
        Ok(Trace { x: inputs.iter().copied().collect(), z, a, backward })
    }

    /// The activations that layer `l` reads: x for the first.
    pub fn below(&self, l: usize) -> &[f64] {
        if l == 0 { &self.x } else { &self.a[l - 1] }
    }

    /// The derivatives of J(W,b; x,y) by some coordinates of θ, each beside the numerical one.  (C1)
    pub fn compare(&self, model: &Model, theta: &[f64], coordinates: &[usize]) -> surefoot::Result<Vec<Compared>> {
        let Some(Backward { y, gradient, .. }) = &self.backward else { return Ok(Vec::new()) };
        let row = |numbers: &[f64]| Array2::from_shape_fn((1, numbers.len()), |(_, j)| numbers[j]);
        let one = Dataset::new(row(&self.x), row(y))?;
        let mut cost = example_cost(&model.network, model.loss, &one)?;
        let [mut above, mut below] = [theta.to_vec(), theta.to_vec()];
        let mut compare = |&i: &usize| {
            (above[i], below[i]) = (theta[i] + EPSILON, theta[i] - EPSILON);
            let numeric = match cost.has_kink_between(&above, &below) {
                true => None,
                false => Some((cost.cost(&above) - cost.cost(&below)) / (2.0 * EPSILON)), // (C1)
            };
            (above[i], below[i]) = (theta[i], theta[i]);
            Compared { analytic: gradient[i], numeric }
        };
        Ok(coordinates.iter().map(&mut compare).collect())
    }
}

/// The cost of one example: J(W,b; x,y), without weight decay and sparsity.
fn example_cost<'a>(network: &'a Network, loss: Loss, one: &'a Dataset<f64>) -> surefoot::Result<Cost<'a, f64>> {
    Cost::new(network, loss, 0.0, one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// A network with one hidden unit, worked out by hand: z = 0.5·2 − 0.25·4 + 0.5 = 0.5, a = tanh 0.5;
    /// h = 2a + 0.25, J = ½(h − 1)², δ₃ = h − 1, δ₂ = 2(1 − a²)(h − 1).
    #[test]
    fn every_number_is_that_of_the_notes() {
        let network = Network::new(2, &[(1, Activation::Tanh), (1, Activation::Identity)]).unwrap();
        let theta = [0.5, -0.25, 0.5, 2.0, 0.25];
        let model = Model::new(network, theta.to_vec().into(), Loss::SquaredError, 0.1).unwrap();
        let (x, y) = (array![[2.0, 4.0]], array![[1.0]]);
        let trace = Trace::new(&model, &theta, x.view(), Some(y.view())).unwrap();
        let a = 0.5f64.tanh();
        let h = 2.0 * a + 0.25;
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        near(trace.z[0][0], 0.5);
        near(trace.a[0][0], a);
        near(trace.z[1][0], h);
        let backward = trace.backward.as_ref().unwrap();
        near(backward.loss, 0.5 * (h - 1.0).powi(2));
        near(backward.delta[1][0], h - 1.0);
        near(backward.delta[0][0], 2.0 * (1.0 - a * a) * (h - 1.0));
        near(backward.gradient[1], 4.0 * backward.delta[0][0]);
        for Compared { analytic, numeric } in trace.compare(&model, &theta, &[0, 1, 2, 3, 4]).unwrap() {
            assert!((analytic - numeric.unwrap()).abs() < 1e-6);
        }
        let forward = Trace::new(&model, &theta, x.view(), None).unwrap();
        assert!(forward.backward.is_none() && forward.compare(&model, &theta, &[0]).unwrap().is_empty());
    }

    #[test]
    fn on_a_kink_nothing_is_compared() {
        let network = Network::new(1, &[(1, Activation::Relu), (1, Activation::Identity)]).unwrap();
        let theta = [1.0, -1.0, 1.0, 0.0];
        let model = Model::new(network, theta.to_vec().into(), Loss::SquaredError, 0.0).unwrap();
        let trace = Trace::new(&model, &theta, array![[1.0]].view(), Some(array![[1.0]].view())).unwrap();
        let compared = trace.compare(&model, &theta, &[0, 3]).unwrap();
        assert!(compared[0].numeric.is_none() && compared[1].numeric.is_some());
    }
}
