//! The three products of a layer, over rows of examples.
//!
//! All matrices are slices, row by row: A is rows × inputs, W outputs × inputs (as the notes write it), Z and Δ
//! rows × outputs. A row of Z is computed from the same row of A and from W alone: the product behind treats a row
//! alike however many stand beside it, which a test here asserts.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::scalar::Scalar;

/// `Z = A·Wᵀ + 1·bᵀ`: the weighted sums of a layer, for every row.
pub fn weighted_sums<T: Scalar>(a: &[T], weight: &[T], bias: &[T], z: &mut [T]) {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    for row in z.chunks_exact_mut(outputs) {
        row.copy_from_slice(bias);
    }
    let mut z = matrix_mut(z, outputs);
    general_mat_mul(T::one(), &matrix(a, inputs), &matrix(weight, inputs).t(), T::one(), &mut z);
}

/// `D = Δ·W`: what the layer's error terms say of its inputs, for every row.
pub fn propagated_errors<T: Scalar>(delta: &[T], weight: &[T], outputs: usize, d: &mut [T]) {
    let inputs = weight.len() / outputs;
    let mut d = matrix_mut(d, inputs);
    general_mat_mul(T::one(), &matrix(delta, outputs), &matrix(weight, inputs), T::zero(), &mut d);
}

/// `G += Δᵀ·A` and `g += Δᵀ·1`: the sums over rows of the gradients of weight and bias.
pub fn add_gradients<T: Scalar>(delta: &[T], a: &[T], weight_gradient: &mut [T], bias_gradient: &mut [T]) {
    let outputs = bias_gradient.len();
    let inputs = weight_gradient.len() / outputs;
    for row in delta.chunks_exact(outputs) {
        for (sum, &delta) in bias_gradient.iter_mut().zip(row) {
            *sum += delta;
        }
    }
    let mut gradient = matrix_mut(weight_gradient, inputs);
    general_mat_mul(T::one(), &matrix(delta, outputs).t(), &matrix(a, inputs), T::one(), &mut gradient);
}

fn matrix<T>(data: &[T], columns: usize) -> ArrayView2<'_, T> {
    let shape = (data.len() / columns, columns);
    ArrayView2::from_shape(shape, data).expect("a slice of whole rows")
}

fn matrix_mut<T>(data: &mut [T], columns: usize) -> ArrayViewMut2<'_, T> {
    let shape = (data.len() / columns, columns);
    ArrayViewMut2::from_shape(shape, data).expect("a slice of whole rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::{Purpose, Random};

    fn draws(count: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed, Purpose::Examples, 0);
        (0..count).map(|_| random.normal()).collect()
    }

    /// Every product against its triple loop.
    #[test]
    fn products_equal_their_sums() {
        for (rows, inputs, outputs) in [(1, 1, 1), (5, 3, 2), (17, 40, 9), (33, 9, 70)] {
            let (a, weight, bias) = (draws(rows * inputs, 1), draws(outputs * inputs, 2), draws(outputs, 3));
            let delta = draws(rows * outputs, 4);
            let (mut z, mut d) = (vec![f64::NAN; rows * outputs], vec![f64::NAN; rows * inputs]);
            let (mut gradient, mut bias_gradient) = (vec![1.0; outputs * inputs], vec![1.0; outputs]);
            weighted_sums(&a, &weight, &bias, &mut z);
            propagated_errors(&delta, &weight, outputs, &mut d);
            add_gradients(&delta, &a, &mut gradient, &mut bias_gradient);
            let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-11, "{got} {expected}");
            for r in 0..rows {
                for o in 0..outputs {
                    let sum: f64 = (0..inputs).map(|i| a[r * inputs + i] * weight[o * inputs + i]).sum();
                    near(z[r * outputs + o], sum + bias[o]);
                }
                for i in 0..inputs {
                    near(
                        d[r * inputs + i],
                        (0..outputs).map(|o| delta[r * outputs + o] * weight[o * inputs + i]).sum(),
                    );
                }
            }
            for o in 0..outputs {
                for i in 0..inputs {
                    let sum: f64 = (0..rows).map(|r| delta[r * outputs + o] * a[r * inputs + i]).sum();
                    near(gradient[o * inputs + i], 1.0 + sum);
                }
                near(bias_gradient[o], 1.0 + (0..rows).map(|r| delta[r * outputs + o]).sum::<f64>());
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        for (inputs, outputs) in [(1, 1), (4, 3), (64, 32), (300, 17), (784, 100)] {
            let rows = 37;
            let single: Vec<f32> = draws(rows * inputs, 1).iter().map(|&x| x as f32).collect();
            let weight: Vec<f32> = draws(outputs * inputs, 2).iter().map(|&x| x as f32).collect();
            let bias = vec![0.5; outputs];
            let mut together = vec![0.0; rows * outputs];
            weighted_sums(&single, &weight, &bias, &mut together);
            for count in [1, 2, 5, 8, 13] {
                let mut alone = vec![0.0; count * outputs];
                weighted_sums(&single[..count * inputs], &weight, &bias, &mut alone);
                assert_eq!(alone, together[..count * outputs], "{count} of {rows} rows, {inputs} → {outputs}");
            }
        }
    }
}
