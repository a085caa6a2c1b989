//! The notes' network, unit by unit and example by example, with plain loops and formulas of its own: the reference
//! that the vectorised form is compared with, and the place where faults are planted.

use surefoot::{Activation, Dataset, Loss, Network, Objective, Segment, Sparsity};

/// A mistake that people make in backpropagation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: the gradient is right.
    None,
    /// δ of hidden layers without f′.
    MissingDerivative,
    /// The gradient without λW.
    ForgottenDecay,
    /// λb added to the gradient of the biases.
    DecayedBias,
    /// The gradient of the mean over outputs, for a cost that sums over them.
    ScaledByOutputs,
    /// The derivative of the sparsity penalty added to δ after f′ in place of before.
    SparsityBesideDerivative,
    /// W⁽ˡ⁾ᵢⱼ in place of W⁽ˡ⁾ⱼᵢ when δ goes back.
    TransposedWeight,
}

/// The cost (8) of a network over examples.
pub struct Naive<'a> {
    pub network: &'a Network,
    pub loss: Loss,
    pub weight_decay: f64,
    pub sparsity: Option<Sparsity>,
    pub data: &'a Dataset<f64>,
    pub fault: Fault,
}

const SELU_SCALE: f64 = 1.0507009873554805;
const SELU_ALPHA: f64 = 1.6732632423543772;

/// f(zᵢ), for the unit i of a layer with sums z.
fn f(activation: Activation, z: &[f64], i: usize) -> f64 {
    let x = z[i];
    match activation {
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => 1.0 - 2.0 / ((2.0 * x).exp() + 1.0),
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu => x.max(0.01 * x),
        Activation::Selu => SELU_SCALE * if x > 0.0 { x } else { SELU_ALPHA * (x.exp() - 1.0) },
        Activation::Softmax => x.exp() / z.iter().map(|z| z.exp()).sum::<f64>(),
        Activation::Exp => x.exp(),
        other => panic!("a formula of {other} is missing here"),
    }
}

/// ∂aⱼ/∂zᵢ, from the sums z.
fn slope(activation: Activation, z: &[f64], j: usize, i: usize) -> f64 {
    let same = f64::from(u8::from(i == j));
    let x = z[i];
    match activation {
        Activation::Softmax => f(activation, z, j) * (same - f(activation, z, i)),
        _ if i != j => 0.0,
        Activation::Sigmoid => f(activation, z, i) * (1.0 - f(activation, z, i)),
        Activation::Tanh => 1.0 - f(activation, z, i).powi(2),
        Activation::Identity => 1.0,
        Activation::Relu => f64::from(u8::from(x > 0.0)),
        Activation::LeakyRelu => {
            if x > 0.0 {
                1.0
            } else {
                0.01
            }
        }
        Activation::Selu => SELU_SCALE * if x > 0.0 { 1.0 } else { SELU_ALPHA * x.exp() },
        Activation::Exp => x.exp(),
        other => panic!("a formula of {other} is missing here"),
    }
}

impl Naive<'_> {
    /// z and a of every layer after the input, for one example.  (2) (3) (4) (5)
    ///
    /// ```text
    ///   aᵢ⁽²⁾ = f(Wᵢ₁⁽¹⁾x₁ + Wᵢ₂⁽¹⁾x₂ + … + bᵢ⁽¹⁾)
    /// ```
    fn forward(&self, theta: &[f64], x: &[f64]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let (mut sums, mut activations) = (Vec::new(), Vec::new());
        let mut below = x.to_vec();
        for (l, layer) in self.network.layers().iter().enumerate() {
            let (weight, bias) = (self.network.weight(theta, l), self.network.bias(theta, l));
            let mut z = vec![0.0; layer.outputs];
            for i in 0..layer.outputs {
                for j in 0..layer.inputs {
                    z[i] += weight[[i, j]] * below[j]; // (2) (3) (4) (5)
                }
                z[i] += bias[i];
            }
            let a: Vec<f64> = (0..layer.outputs).map(|i| f(layer.activation, &z, i)).collect();
            below.clone_from(&a);
            sums.push(z);
            activations.push(a);
        }
        (sums, activations)
    }

    /// J(W,b; x,y) from the activations of the output.
    fn loss(&self, a: &[f64], y: &[f64]) -> f64 {
        let pairs = a.iter().zip(y);
        match (self.loss, self.network.output_activation()) {
            (Loss::SquaredError, _) => 0.5 * pairs.map(|(a, y)| (a - y).powi(2)).sum::<f64>(),
            (Loss::Poisson, _) => pairs.map(|(a, y)| y * (y / a).ln() - y + a).sum::<f64>(),
            (_, Activation::Softmax) => -pairs.map(|(a, y)| y * a.ln()).sum::<f64>(),
            _ => -pairs.map(|(a, y)| y * a.ln() + (1.0 - y) * (1.0 - a).ln()).sum::<f64>(),
        }
    }

    /// ∂J/∂a of the output unit k.
    fn loss_slope(&self, a: f64, y: f64) -> f64 {
        match (self.loss, self.network.output_activation()) {
            (Loss::SquaredError, _) => a - y,
            (Loss::Poisson, _) => 1.0 - y / a,
            (_, Activation::Softmax) => -y / a,
            _ => (1.0 - y) / (1.0 - a) - y / a,
        }
    }

    /// The δ sums of the notes for one example, whose partial derivatives are added to `gradient` times `share`.
    fn backward(&self, theta: &[f64], [x, y]: [&[f64]; 2], means: &[Vec<f64>], share: f64, gradient: &mut [f64]) {
        let layers = self.network.layers();
        let (sums, activations) = self.forward(theta, x);
        let top = layers.len() - 1;
        let output = layers[top].activation;
        // δᵢ⁽ⁿˡ⁾ = ∂J/∂zᵢ = Σⱼ ∂J/∂aⱼ ∂aⱼ/∂zᵢ
        let mut delta: Vec<f64> = (0..layers[top].outputs)
            .map(|i| {
                let by_unit = |j: usize| self.loss_slope(activations[top][j], y[j]) * slope(output, &sums[top], j, i);
                (0..layers[top].outputs).map(by_unit).sum()
            })
            .collect();
        for l in (0..layers.len()).rev() {
            let below = if l == 0 { x } else { &activations[l - 1] };
            let (weights, biases) = (self.network.weight_range(l), self.network.bias_range(l));
            for i in 0..layers[l].outputs {
                for j in 0..layers[l].inputs {
                    gradient[weights.start + i * layers[l].inputs + j] += share * below[j] * delta[i];
                }
                gradient[biases.start + i] += share * delta[i];
            }
            if l > 0 {
                let weight = self.network.weight(theta, l);
                let under = layers[l - 1].activation;
                // δᵢ⁽ˡ⁾ = (Σⱼ Wⱼᵢ⁽ˡ⁾ δⱼ⁽ˡ⁺¹⁾ + β(−ρ/ρ̂ᵢ + (1−ρ)/(1−ρ̂ᵢ))) f′(zᵢ⁽ˡ⁾)
                let back = |i: usize| {
                    let of =
                        |j: usize| if self.fault == Fault::TransposedWeight { weight[[i, j]] } else { weight[[j, i]] };
                    let sum: f64 = (0..layers[l].outputs).map(|j| of(j) * delta[j]).sum();
                    let slope =
                        if self.fault == Fault::MissingDerivative { 1.0 } else { slope(under, &sums[l - 1], i, i) };
                    let sparse = self.sparsity.map_or(0.0, |Sparsity { target, weight }| {
                        let mean = means[l - 1][i];
                        let half = if under == Activation::Tanh { 0.5 } else { 1.0 };
                        weight * half * (-target / mean + (1.0 - target) / (1.0 - mean))
                    });
                    match self.fault {
                        Fault::SparsityBesideDerivative => sum * slope + sparse,
                        _ => (sum + sparse) * slope,
                    }
                };
                delta = (0..layers[l].inputs).map(back).collect();
            }
        }
    }

    /// ρ̂ of each unit of each hidden layer.
    fn mean_activations(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let hidden = &self.network.layers()[..self.network.layers().len() - 1];
        let mut means: Vec<Vec<f64>> = hidden.iter().map(|layer| vec![0.0; layer.outputs]).collect();
        for (row, x) in self.data.inputs().outer_iter().enumerate() {
            let (_, activations) = self.forward(theta, &x.to_vec());
            let share = self.weight(row) / self.total_weight();
            for (l, layer) in hidden.iter().enumerate() {
                for (mean, a) in means[l].iter_mut().zip(&activations[l]) {
                    *mean += share * if layer.activation == Activation::Tanh { (1.0 + a) / 2.0 } else { *a };
                }
            }
        }
        means
    }

    fn total_weight(&self) -> f64 {
        (0..self.data.rows()).map(|row| self.weight(row)).sum()
    }

    fn weight(&self, row: usize) -> f64 {
        self.data.weights().map_or(1.0, |weights| weights[row])
    }
}

impl Objective<f64> for Naive<'_> {
    fn dimension(&self) -> usize {
        self.network.parameter_count()
    }

    fn cost(&mut self, theta: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (row, (x, y)) in self.data.inputs().outer_iter().zip(self.data.targets().outer_iter()).enumerate() {
            let (_, activations) = self.forward(theta, &x.to_vec());
            sum += self.weight(row) * self.loss(&activations[activations.len() - 1], &y.to_vec());
        }
        let squares: f64 =
            (0..self.network.layers().len()).flat_map(|l| &theta[self.network.weight_range(l)]).map(|w| w * w).sum();
        let divergence =
            |rho: f64, mean: f64| rho * (rho / mean).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - mean)).ln();
        let penalty = self.sparsity.map_or(0.0, |Sparsity { target, weight }| {
            weight * self.mean_activations(theta).concat().iter().map(|&mean| divergence(target, mean)).sum::<f64>()
        });
        sum / self.total_weight() + 0.5 * self.weight_decay * squares + penalty
    }

    fn cost_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let outputs = self.network.outputs() as f64;
        let means = if self.sparsity.is_some() { self.mean_activations(theta) } else { Vec::new() };
        let scale = if self.fault == Fault::ScaledByOutputs { 1.0 / outputs } else { 1.0 };
        for (row, (x, y)) in self.data.inputs().outer_iter().zip(self.data.targets().outer_iter()).enumerate() {
            let share = scale * self.weight(row) / self.total_weight();
            self.backward(theta, [&x.to_vec(), &y.to_vec()], &means, share, gradient);
        }
        for l in 0..self.network.layers().len() {
            let (weights, biases) = (self.network.weight_range(l), self.network.bias_range(l));
            if self.fault != Fault::ForgottenDecay {
                weights.for_each(|i| gradient[i] += self.weight_decay * theta[i]);
            }
            if self.fault == Fault::DecayedBias {
                biases.for_each(|i| gradient[i] += self.weight_decay * theta[i]);
            }
        }
        self.cost(theta)
    }

    fn segments(&self) -> Vec<Segment> {
        self.network.segments()
    }
}
