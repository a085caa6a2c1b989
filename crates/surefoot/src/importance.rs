//! Which inputs a network relies on.

use ndarray::{Array2, ArrayView2};

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::metrics::Task;
use crate::numeric::random::{Purpose, Random};
use crate::numeric::scalar::Scalar;

/// What the score loses when some inputs say nothing, because they are another row's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// The mean loss over the repetitions; about 0 for inputs that do not matter, below 0 by chance.
    pub mean: f64,
    /// The standard deviation of the losses; 0 for one repetition.
    pub spread: f64,
}

/// How the importance of inputs is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PermutationImportance {
    /// R, at least 1. Default 5, as scikit-learn's.
    pub repeats: usize,
    /// Decides the permutations. Default 0.
    pub seed: u64,
}

impl Default for PermutationImportance {
    fn default() -> Self {
        PermutationImportance { repeats: 5, seed: 0 }
    }
}

impl PermutationImportance {
    /// The permutation importance of each group of inputs on these examples.  (M8)
    ///
    /// ```text
    ///   importance = score(X) − 1/R Σᵣ score(X with the columns of the group permuted among the rows, the same way in all of them)
    /// ```
    ///
    /// The score is accuracy or R², by the task. Inputs that say the same stand in for each other, so each of them may seem to matter
    /// little. Where the examples are those that were learned from, what was learned by heart counts as important.
    ///
    /// * `groups`: for each answer the inputs that are permuted together, as those of one category
    /// * `predict`: the outputs for such inputs, of a network or an ensemble
    ///
    /// Source: Breiman, *Random Forests*, 2001, in the form of scikit-learn's `permutation_importance`.
    ///
    /// # Errors
    /// [`Error::Shape`] when a group has an input that is not there; [`Error::Setting`]
    /// without a repetition.
    pub fn run<T: Scalar>(
        &self,
        task: Task,
        examples: &Dataset<T>,
        groups: &[Vec<usize>],
        predict: impl Fn(ArrayView2<'_, T>) -> Result<Array2<T>>,
    ) -> Result<Vec<Importance>> {
        let PermutationImportance { repeats, seed } = *self;
        if repeats == 0 {
            return Err(Error::Setting { setting: "repeats", expected: "at least 1".into(), got: "0".into() });
        }
        let inputs = examples.inputs().ncols();
        if let Some(other) = groups.iter().flatten().find(|&&input| input >= inputs) {
            let (what, expected) = ("an input of a group".into(), format!("one below {inputs}"));
            return Err(Error::Shape { what, expected, got: other.to_string() });
        }
        let score =
            |inputs: ArrayView2<'_, T>| -> Result<f64> { Ok(task.score(predict(inputs)?.view(), examples.targets())) };
        let whole = score(examples.inputs())?;
        let mut permuted = examples.inputs().to_owned();
        let mut order: Vec<usize> = (0..examples.rows()).collect();
        let mut importances = Vec::new();
        for (g, group) in groups.iter().enumerate() {
            let mut losses = Vec::new();
            for repeat in 0..repeats {
                Random::new(seed, Purpose::Permutation, (g * repeats + repeat) as u32).shuffle(&mut order);
                for &input in group {
                    let inputs = examples.inputs();
                    let column = inputs.column(input);
                    permuted.column_mut(input).iter_mut().zip(&order).for_each(|(x, &row)| *x = column[row]);
                }
                losses.push(whole - score(permuted.view())?); // (M8)
            }
            for &input in group {
                permuted.column_mut(input).assign(&examples.inputs().column(input));
            }
            let mean = losses.iter().sum::<f64>() / repeats as f64;
            let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
            importances.push(Importance { mean, spread: (squares / repeats.saturating_sub(1).max(1) as f64).sqrt() });
        }
        Ok(importances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::network::Network;

    /// y = 2·x₀ + x₁, and x₂ does not matter.
    fn example() -> (Network, Vec<f64>, Dataset<f64>) {
        let network = Network::new(3, &[(1, Activation::Identity)]).unwrap();
        let mut random = Random::new(7, Purpose::Examples, 0);
        let inputs = Array2::from_shape_simple_fn((400, 3), || random.normal());
        let targets = Array2::from_shape_fn((400, 1), |(i, _)| 2.0 * inputs[[i, 0]] + inputs[[i, 1]]);
        (network, vec![2.0, 1.0, 0.0, 0.0], Dataset::new(inputs, targets).unwrap())
    }

    fn importance(
        repeats: usize,
        seed: u64,
        network: &Network,
        theta: &[f64],
        data: &Dataset<f64>,
        groups: &[Vec<usize>],
    ) -> Result<Vec<Importance>> {
        let predict = |inputs: ArrayView2<'_, f64>| network.predict(theta, inputs);
        PermutationImportance { repeats, seed }.run(Task::Regression, data, groups, predict)
    }

    #[test]
    fn what_the_target_is_made_of_matters_by_its_share() {
        let (network, theta, data) = example();
        let groups = [vec![0], vec![1], vec![2], vec![0, 1]];
        let found = importance(10, 1, &network, &theta, &data, &groups).unwrap();
        // a column xⱼ with weight w in another order loses 2w²·var(xⱼ)/var(y) of R²
        let variance = |x: ndarray::ArrayView1<'_, f64>| x.var(0.0);
        let of_target = variance(data.targets().column(0));
        let [first, second] =
            [(0, 4.0), (1, 1.0)].map(|(j, w)| 2.0 * w * variance(data.inputs().column(j)) / of_target);
        for (importance, expected) in found.iter().zip([first, second, 0.0, 2.0]) {
            assert!((importance.mean - expected).abs() < 0.05, "{found:?}, {expected}");
        }
        assert!(found[0].spread > 0.0 && found[2] == Importance { mean: 0.0, spread: 0.0 });
    }

    #[test]
    fn the_seed_decides() {
        let (network, theta, data) = example();
        let of = |seed| importance(2, seed, &network, &theta, &data, &[vec![0], vec![1]]).unwrap();
        assert!(of(1) == of(1) && of(1) != of(2));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let (network, theta, data) = example();
        let of = |group: usize, repeats| importance(repeats, 1, &network, &theta, &data, &[vec![group]]);
        assert!(of(3, 1).unwrap_err().to_string().contains("expected one below 3, got 3"));
        assert!(of(0, 0).unwrap_err().to_string().contains("at least 1"));
    }
}
