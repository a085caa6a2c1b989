//! One example on its way through a network and back, with everything the notes have a letter for.

use ndarray::Array2;

use crate::activation::Activation;
use crate::cost::Cost;
use crate::dataset::{Dataset, check_finite};
use crate::error::{Error, Result};
use crate::gradient_check::GradientCheck;
use crate::loss::Loss;
use crate::network::Network;
use crate::numeric::operands::SEGMENT;
use crate::numeric::panels::LANES;

/// The numbers of one example in double precision: the weighted sums and activations of every layer, computed in one
/// pass, and the error terms and the gradient where its target is known.  (6) (7)
///
/// ```text
///   z⁽ˡ⁺¹⁾ = W⁽ˡ⁾ a⁽ˡ⁾ + b⁽ˡ⁾        a⁽¹⁾ = x
///   a⁽ˡ⁺¹⁾ = f(z⁽ˡ⁺¹⁾)
/// ```
///
/// It exists to be looked at and is written as the formulas are, without blocks or vectors; its bits are nevertheless
/// those of [`Network::predict`] and [`Cost`], because the order of every sum is specified. Index `l` counts the layers
/// after the input from 0, as [`Network::layers`] does.
///
/// ```
/// use surefoot::{Activation, Loss, Network, Trace};
///
/// let network = Network::new(2, &[(1, Activation::Identity)])?;
/// let trace = Trace::new(&network, Loss::SquaredError, &[2.0, 3.0, 0.5], &[1.0, -1.0], Some(&[1.0]))?;
/// assert_eq!(trace.z[0], [-0.5]); // 2·1 + 3·(−1) + 0.5
/// assert_eq!(trace.backward.map(|backward| backward.gradient), Some(vec![-1.5, 1.5, -1.5]));
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// x, the example as the network sees it (s₁).
    pub x: Vec<f64>,
    /// z of each layer after the input.
    pub z: Vec<Vec<f64>>,
    /// a = f(z) of each layer after the input.
    pub a: Vec<Vec<f64>>,
    /// What goes back; `None` without a target.
    pub backward: Option<Backward>,
}

/// The way back of one example.  (B1) (B2) (B3)
///
/// ```text
///   δ⁽ⁿˡ⁾ = ∂J/∂z⁽ⁿˡ⁾, by the loss
///   δ⁽ˡ⁾  = (W⁽ˡ⁾)ᵀ δ⁽ˡ⁺¹⁾ • f′(z⁽ˡ⁾)
///   ∇W⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ (a⁽ˡ⁾)ᵀ        ∇b⁽ˡ⁾ = δ⁽ˡ⁺¹⁾
/// ```
///
/// Weight decay and sparsity belong to all examples and are not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Backward {
    /// y, the target as the network sees it.
    pub y: Vec<f64>,
    /// J(W,b; x,y).
    pub loss: f64,
    /// δ of each layer after the input.
    pub delta: Vec<Vec<f64>>,
    /// ∇J(W,b; x,y), in the order of θ.
    pub gradient: Vec<f64>,
}

/// A derivative by backpropagation beside its numerical value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Derivative {
    /// As backpropagation has it.
    pub analytic: f64,
    /// As a two-sided difference has it; `None` where a unit reaches its kink within the step, so that there is none.
    pub numeric: Option<f64>,
}

impl Trace {
    /// Follows `x` through the network with this θ, and back if its target `y` is given.
    ///
    /// # Errors
    /// [`Error::Shape`] when θ, `x` or `y` have another length than the network needs; [`Error::Value`] when a number of
    /// `x` or `y` is not finite, or a target is none that the loss is defined for; [`Error::Setting`] when the loss does
    /// not go with the output activation.
    pub fn new(network: &Network, loss: Loss, parameters: &[f64], x: &[f64], y: Option<&[f64]>) -> Result<Self> {
        network.check_parameters(parameters)?;
        check_example("inputs", x, network.inputs())?;
        let mut trace = Trace { x: x.to_vec(), z: Vec::new(), a: Vec::new(), backward: None };
        for (l, layer) in network.layers().iter().enumerate() {
            let (weight, bias) = (network.weight(parameters, l), network.bias(parameters, l));
            let below = trace.below(l);
            let sum = |i: usize| dot(bias[i], weight.row(i).iter().zip(below));
            let z: Vec<f64> = (0..layer.outputs).map(sum).collect(); // (6)
            let mut a = z.clone();
            layer.activation.apply(&mut a, 1); // (7)
            trace.z.push(z);
            trace.a.push(a);
        }
        if let Some(y) = y {
            check_example("targets", y, network.outputs())?;
            loss.check_output(network.output_activation())?;
            if let Err((column, expected)) = loss.check_targets(network.output_activation(), y) {
                return Err(Error::Value { what: "targets", row: 0, column, expected, got: y[column] });
            }
            trace.backward = Some(trace.back(network, loss, parameters, y));
        }
        Ok(trace)
    }

    /// What layer `l` (from 0) reads: x, or the activations of the layer below.
    ///
    /// # Panics
    /// When there is no layer `l`.
    pub fn below(&self, l: usize) -> &[f64] {
        if l == 0 { &self.x } else { &self.a[l - 1] }
    }

    /// f′(z) of each unit of layer `l` (from 0), from its activations; none for softmax, whose outputs depend on all of z.
    ///
    /// # Panics
    /// When there is no layer `l`.
    pub fn slopes(&self, network: &Network, l: usize) -> Vec<f64> {
        match network.layers()[l].activation {
            Activation::Softmax => Vec::new(),
            activation => times_derivative(activation, &self.a[l], &vec![1.0; self.a[l].len()]),
        }
    }

    fn back(&self, network: &Network, loss: Loss, parameters: &[f64], y: &[f64]) -> Backward {
        let layers = network.layers();
        let last = layers.len() - 1;
        let (output, panel_of_a, panel_of_y) = (layers[last].activation, panel(&self.a[last]), panel(y));
        let mut value = [0.0];
        let of_output = [&panel(&self.z[last])[..], &panel_of_a, &panel_of_y];
        loss.values(output, of_output, LANES, f64::INFINITY, &mut value);
        let mut panel_of_delta = vec![0.0; panel_of_a.len()];
        loss.deltas(output, &panel_of_a, &panel_of_y, LANES, &mut panel_of_delta); // (B1)
        let mut delta = vec![Vec::new(); layers.len()];
        delta[last] = example(&panel_of_delta);
        for l in (0..last).rev() {
            let weight = network.weight(parameters, l + 1);
            let sum = |j: usize| dot(0.0, weight.column(j).iter().zip(&delta[l + 1]));
            let sums: Vec<f64> = (0..layers[l].outputs).map(sum).collect(); // (B2)
            delta[l] = times_derivative(layers[l].activation, &self.a[l], &sums); // (B2)
        }
        let mut gradient = Vec::with_capacity(parameters.len());
        for (l, delta) in delta.iter().enumerate() {
            let below = self.below(l);
            gradient.extend(delta.iter().flat_map(|delta| below.iter().map(move |a| delta.mul_add(*a, 0.0)))); // (B3)
            gradient.extend(delta); // (B3)
        }
        Backward { y: y.to_vec(), loss: value[0], delta, gradient }
    }

    /// The derivatives of J(W,b; x,y) by some coordinates of θ, each beside its two-sided difference with the EPSILON of
    /// `check`.  (C1)
    ///
    /// Without a target there are none.
    ///
    /// # Errors
    /// As [`GradientCheck::derivatives`], and [`Error::Shape`] when `network` and θ are not those of the trace.
    pub fn derivatives(
        &self,
        network: &Network,
        loss: Loss,
        parameters: &[f64],
        coordinates: &[usize],
        check: &GradientCheck,
    ) -> Result<Vec<Derivative>> {
        let Some(Backward { y, gradient, .. }) = &self.backward else { return Ok(Vec::new()) };
        network.check_parameters(gradient)?;
        let one = Dataset::new(row(&self.x), row(y))?;
        let mut cost = Cost::new(network, loss, 0.0, &one)?;
        let numeric = check.derivatives(&mut cost, parameters, coordinates)?; // (C1)
        let beside = |(&i, numeric): (&usize, Option<f64>)| Derivative { analytic: gradient[i], numeric };
        Ok(coordinates.iter().zip(numeric).map(beside).collect())
    }
}

/// start + Σ wᵢ·aᵢ as the specification of products has it: a chain of fused multiply-adds for each segment of terms, the first from
/// the start and the others from 0, added in their order.
fn dot<'a>(start: f64, terms: impl Iterator<Item = (&'a f64, &'a f64)>) -> f64 {
    let (mut before, mut chain) = (None, start);
    for (i, (w, a)) in terms.enumerate() {
        if i > 0 && i.is_multiple_of(SEGMENT) {
            before = Some(before.map_or(chain, |sum: f64| sum + chain));
            chain = 0.0;
        }
        chain = w.mul_add(*a, chain);
    }
    before.map_or(chain, |sum| sum + chain)
}

/// δ := sums • f′, from the activations.
fn times_derivative(activation: Activation, a: &[f64], sums: &[f64]) -> Vec<f64> {
    let mut delta = panel(sums);
    activation.multiply_by_derivative(&panel(a), &mut delta, LANES);
    example(&delta)
}

/// One example as the first of a panel, as losses and derivatives read it.
fn panel(numbers: &[f64]) -> Vec<f64> {
    let mut panel = vec![0.0; numbers.len() * LANES];
    panel.iter_mut().step_by(LANES).zip(numbers).for_each(|(to, from)| *to = *from);
    panel
}

/// The first example of a panel.
fn example(panel: &[f64]) -> Vec<f64> {
    panel.iter().copied().step_by(LANES).collect()
}

fn row(numbers: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((1, numbers.len()), |(_, j)| numbers[j])
}

fn check_example(what: &'static str, numbers: &[f64], expected: usize) -> Result<()> {
    if numbers.len() != expected {
        let expected = format!("{expected}, the units of the network's layer");
        return Err(Error::Shape { what: format!("{what} of an example"), expected, got: numbers.len().to_string() });
    }
    check_finite(what, row(numbers).view())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_f_prime_and_softmax_has_none() {
        let network = Network::new(1, &[(1, Activation::Sigmoid), (2, Activation::Softmax)]).unwrap();
        let theta = [0.5, 0.1, 1.0, -1.0, 0.0, 0.0];
        let trace = Trace::new(&network, Loss::CrossEntropy, &theta, &[2.0], None).unwrap();
        let a = trace.a[0][0];
        assert_eq!(trace.slopes(&network, 0), [a * (1.0 - a)]);
        assert!(trace.slopes(&network, 1).is_empty());
    }
}
