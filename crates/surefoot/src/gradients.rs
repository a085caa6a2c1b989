//! The sums of gradients over examples, and where they go: a partial sum, the gradient of J, or at once a step of θ.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::backpropagation::{Strip, WORTH_A_THREAD};
use crate::mean::{Finite, Mean};
use crate::network::Network;
use crate::numeric::aligned::Aligned;
use crate::numeric::grid::Grid;
use crate::numeric::matmul::{TILE_ROWS, multiply};
use crate::numeric::operands::{Lhs, Scattered, Start};
use crate::numeric::panels::{LANES, PANEL, Panel, PanelMut, Panels, copy};
use crate::numeric::prefetch::{WORTH_PREFETCHING, prefetch};
use crate::numeric::scalar::Scalar;
use crate::numeric::simd::vectorized;
use crate::numeric::sums::pairwise_sum;
use crate::numeric::threads;
use crate::optimizer::{MatrixStep, Step};
use crate::view::Examples;

/// What takes sums of gradients, part by part of θ: it may add them up, or already move θ by them.
pub(crate) trait GradientSink<T>: Sized + Send {
    /// A part of it, a matrix that can be cut into columns.
    type Matrix<'m>: MatrixSink<T>
    where
        Self: 'm;

    /// The sink of some parameters, as a matrix of so many rows and columns; weights decay, biases do not.
    fn matrix(&mut self, range: Range<usize>, shape: [usize; 2], decays: bool) -> Self::Matrix<'_>;
}

/// What takes the sums of the gradients of a matrix of weights, or of a row of biases.
pub(crate) trait MatrixSink<T>: Sized + Send {
    /// The columns before `at`, and those from it on.
    fn split_at(self, at: usize) -> (Self, Self);
    /// That the sums of so many columns of a row will come soon.
    fn prefetch(&self, row: usize, column: usize, count: usize);
    /// Takes the sums of some rows and columns, the first of which are given. To be inlined, for the vectors.
    fn accept(&mut self, row: usize, column: usize, sums: Panel<'_, T>);
}

/// What a thread needs on the way from examples to sums of gradients.
pub(crate) struct GradientBuffer<T> {
    /// Some inputs of a layer, one row an example.
    inputs: Panels<T>,
    /// Sums that wait for their sink.
    tile: Aligned<T>,
}

impl<T: Scalar> GradientBuffer<T> {
    pub fn new() -> Self {
        GradientBuffer { inputs: Panels::new(), tile: Aligned::new() }
    }
}

/// Hands Σᵢ wᵢ ∇J(W,b; x⁽ⁱ⁾,y⁽ⁱ⁾), over the examples of the strips in their order, to its sink over θ.  (B3)
///
/// ```text
///   ∇W⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ (a⁽ˡ⁾)ᵀ,   ∇b⁽ˡ⁾ = δ⁽ˡ⁺¹⁾
/// ```
///
/// Threads, as many as there are `buffers`, share the inputs of a layer, never a sum.
pub(crate) fn sum_gradients<T: Scalar>(
    network: &Network,
    strips: &[Strip<T>],
    examples: Examples<'_, T>,
    mut sink: impl GradientSink<T>,
    buffers: &mut [GradientBuffer<T>],
) {
    for (l, layer) in network.layers().iter().enumerate() {
        // forward: z = W·a + b, so W has the gradient δ·aᵀ and b the gradient δ
        let work = layer.inputs * layer.outputs * examples.len();
        let threads = if work < WORTH_A_THREAD { 1 } else { buffers.len() };
        let weights = sink.matrix(network.weight_range(l), [layer.outputs, layer.inputs], true);
        sum_weight_gradients(strips, examples, l, 0..layer.inputs, weights, &mut buffers[..threads]);
        let mut biases = sink.matrix(network.bias_range(l), [1, layer.outputs], false);
        sum_deltas(
            strips,
            l,
            #[inline(always)]
            |first, numbers| {
                let count = numbers.len();
                biases.accept(0, first, Panel { numbers, width: count, columns: count });
            },
        );
    }
}

/// Units of the first layer for which copying the inputs is worth it: each tile of units reads them once, and reads a copy faster, as
/// its rows begin where lines do and lie close to each other.
const WORTH_A_COPY: usize = 48;

/// The gradients of the weights from some inputs of a layer.
fn sum_weight_gradients<T: Scalar>(
    strips: &[Strip<T>],
    examples: Examples<'_, T>,
    l: usize,
    inputs: Range<usize>,
    mut sink: impl MatrixSink<T>,
    buffers: &mut [GradientBuffer<T>],
) {
    if buffers.len() > 1 && inputs.len() > PANEL {
        let (left, right) = buffers.split_at_mut(buffers.len() / 2);
        let part = (inputs.len() * left.len() / (left.len() + right.len())).next_multiple_of(PANEL);
        let (to_left, to_right) = sink.split_at(part);
        let middle = inputs.start + part;
        threads::both(
            || sum_weight_gradients(strips, examples, l, inputs.start..middle, to_left, left),
            || sum_weight_gradients(strips, examples, l, middle..inputs.end, to_right, right),
        );
        return;
    }
    let units = strips[0].deltas[l].height();
    let GradientBuffer { inputs: a, tile } = &mut buffers[0];
    tile.grow(TILE_ROWS * PANEL);
    for first in inputs.clone().step_by(PANEL) {
        let columns = first..inputs.end.min(first + PANEL);
        // few units read the inputs where they lie, if they can be
        let x = |strip| scattered(strip, examples, columns.clone());
        let in_place = l == 0 && units < WORTH_A_COPY && strips.iter().all(|strip| x(strip).is_readable());
        if !in_place {
            set_examples(a, strips, examples, l, columns.clone());
        }
        let width = columns.len().next_multiple_of(LANES);
        for unit in (0..units).step_by(TILE_ROWS) {
            let rows = unit..units.min(unit + TILE_ROWS);
            if units * inputs.len() >= WORTH_PREFETCHING {
                rows.clone().for_each(|row| sink.prefetch(row, first - inputs.start, columns.len()));
            }
            let mut row = 0;
            for (i, strip) in strips.iter().enumerate() {
                let start = if i == 0 { Start::Zero } else { Start::Sum };
                let delta = Lhs::panels(&strip.deltas[l], rows.clone());
                let sums = PanelMut { numbers: tile, width };
                if in_place {
                    multiply(delta, x(strip), start, sums); // (B3)
                } else {
                    multiply(delta, a.panel(0).below(row), start, sums); // (B3)
                }
                row += strip.examples();
            }
            vectorized(
                #[inline(always)]
                || {
                    let numbers = &tile[..rows.len() * width];
                    let sums = Panel { numbers, width, columns: columns.len() };
                    sink.accept(unit, first - inputs.start, sums);
                },
            );
        }
    }
}

/// Some columns of the inputs of the examples in a strip, one row an example, where they lie.
fn scattered<'a, T: Scalar>(strip: &'a Strip<T>, examples: Examples<'a, T>, columns: Range<usize>) -> Scattered<'a, T> {
    let numbers = &examples.all_inputs()[columns.start..];
    Scattered { numbers, rows: &strip.starts, columns: columns.len() }
}

/// Writes some columns of a⁽ˡ⁾, one row an example, over a matrix.
fn set_examples<T: Scalar>(
    a: &mut Panels<T>,
    strips: &[Strip<T>],
    examples: Examples<'_, T>,
    l: usize,
    columns: Range<usize>,
) {
    if l == 0 {
        a.set_rows(examples.len(), columns.len(), |i| &examples.input(i)[columns.clone()]);
        return;
    }
    a.resize(examples.len(), columns.len());
    let mut row = 0;
    for strip in strips {
        a.set_transposed(row, &strip.activations[l], columns.clone());
        row += strip.examples();
    }
}

/// Hands the sums of δ over the examples of the strips to `take`, for some neighbouring units at a time, the first of which
/// is given: the gradients of a layer's biases.
pub(crate) fn sum_deltas<T: Scalar>(strips: &[Strip<T>], l: usize, mut take: impl FnMut(usize, &[T])) {
    let units = strips[0].deltas[l].height();
    for first in (0..units).step_by(PANEL) {
        let mut sums = [T::zero(); PANEL];
        let sums = &mut sums[..PANEL.min(units - first)];
        vectorized(
            #[inline(always)]
            || {
                let mut unit = first;
                // several at once, because each addition waits for the one before
                let (fours, rest) = sums.as_chunks_mut::<4>();
                for four in fours {
                    *four = sums_of_deltas(strips, l, unit);
                    unit += 4;
                }
                for one in rest.as_chunks_mut::<1>().0 {
                    *one = sums_of_deltas(strips, l, unit);
                    unit += 1;
                }
                take(first, sums);
            },
        );
    }
}

/// Σ δ of N units: 16 partial sums each over the examples, the i-th of every 16th from the i-th on, which are
/// then added in a tree.
#[inline(always)]
fn sums_of_deltas<T: Scalar, const N: usize>(strips: &[Strip<T>], l: usize, first: usize) -> [T; N] {
    let mut lanes = [[T::zero(); LANES]; N];
    for strip in strips {
        for p in 0..strip.deltas[l].count() {
            let panel = strip.deltas[l].panel(p);
            let rows = &panel.numbers[first * panel.width..][..N * panel.width];
            let whole = panel.columns / LANES * LANES;
            for from in (0..whole).step_by(LANES) {
                for unit in 0..N {
                    if let Some(deltas) = rows[unit * panel.width + from..].first_chunk::<LANES>() {
                        let mut sum = lanes[unit];
                        for i in 0..LANES {
                            sum[i] += deltas[i]; // (B3)
                        }
                        lanes[unit] = sum;
                    }
                }
            }
            for from in whole..panel.columns {
                for unit in 0..N {
                    lanes[unit][from - whole] += rows[unit * panel.width + from]; // (B3)
                }
            }
        }
    }
    let mut sums = [T::zero(); N];
    for (sum, lanes) in sums.iter_mut().zip(lanes) {
        *sum = pairwise_sum(lanes);
    }
    sums
}

/// Adds the sums up.
pub(crate) struct Sum<'a, T> {
    pub gradient: &'a mut [T],
    /// Whether they are the first, to be written over what is there.
    pub is_first: bool,
}

impl<T: Scalar> GradientSink<T> for Sum<'_, T> {
    type Matrix<'m>
        = MatrixSum<'m, T>
    where
        Self: 'm;

    fn matrix(&mut self, range: Range<usize>, shape: [usize; 2], _decays: bool) -> MatrixSum<'_, T> {
        MatrixSum { gradient: Grid::new(&mut self.gradient[range], shape), is_first: self.is_first }
    }
}

pub(crate) struct MatrixSum<'a, T> {
    gradient: Grid<'a, T>,
    is_first: bool,
}

impl<T: Scalar> MatrixSink<T> for MatrixSum<'_, T> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (left, right) = self.gradient.split_at(at);
        (MatrixSum { gradient: left, ..self }, MatrixSum { gradient: right, ..self })
    }

    fn prefetch(&self, row: usize, column: usize, count: usize) {
        prefetch(self.gradient.row_ref(row, column, count));
    }

    #[inline(always)]
    fn accept(&mut self, row: usize, column: usize, sums: Panel<'_, T>) {
        for (row, sums) in (row..).zip(sums.rows()) {
            let to = self.gradient.row(row, column, sums.len());
            if self.is_first {
                copy(sums, to);
            } else {
                to.iter_mut().zip(sums).for_each(|(to, &sum)| *to += sum);
            }
        }
    }
}

/// Writes the gradient down.
pub(crate) struct Gradient<'a, T> {
    pub mean: Mean<T>,
    pub parameters: &'a [T],
    pub gradient: &'a mut [T],
}

impl<'a, T: Scalar> GradientSink<T> for Gradient<'a, T> {
    type Matrix<'m>
        = MatrixGradient<'m, T>
    where
        Self: 'm;

    fn matrix(&mut self, range: Range<usize>, shape: [usize; 2], decays: bool) -> MatrixGradient<'_, T> {
        let (mean, columns) = (self.mean.decaying(decays), shape[1]);
        let (parameters, gradient) = (&self.parameters[range.clone()], Grid::new(&mut self.gradient[range], shape));
        MatrixGradient { mean, parameters, columns, first: 0, gradient }
    }
}

pub(crate) struct MatrixGradient<'a, T> {
    mean: Mean<T>,
    /// The whole matrix, row by row.
    parameters: &'a [T],
    columns: usize,
    /// The first column of the gradient's part.
    first: usize,
    gradient: Grid<'a, T>,
}

impl<T: Scalar> MatrixSink<T> for MatrixGradient<'_, T> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (left, right) = self.gradient.split_at(at);
        (MatrixGradient { gradient: left, ..self }, MatrixGradient { gradient: right, first: self.first + at, ..self })
    }

    fn prefetch(&self, row: usize, column: usize, count: usize) {
        prefetch(self.gradient.row_ref(row, column, count));
    }

    #[inline(always)]
    fn accept(&mut self, row: usize, column: usize, sums: Panel<'_, T>) {
        for (row, sums) in (row..).zip(sums.rows()) {
            let parameters = &self.parameters[row * self.columns + self.first + column..][..sums.len()];
            self.mean.write(sums, parameters, self.gradient.row(row, column, sums.len()));
        }
    }
}

/// Moves θ.
pub(crate) struct Update<'a, T> {
    pub mean: Mean<T>,
    pub step: Step<'a, T>,
    /// Where in θ the first matrix lies that had a gradient which was not finite.
    pub not_finite: &'a AtomicUsize,
}

impl<T: Scalar> GradientSink<T> for Update<'_, T> {
    type Matrix<'m>
        = MatrixUpdate<'m, T>
    where
        Self: 'm;

    fn matrix(&mut self, range: Range<usize>, shape: [usize; 2], decays: bool) -> MatrixUpdate<'_, T> {
        let (mean, first) = (self.mean.decaying(decays), range.start);
        MatrixUpdate { mean, step: self.step.matrix(range, shape, decays), first, not_finite: self.not_finite }
    }
}

pub(crate) struct MatrixUpdate<'a, T> {
    mean: Mean<T>,
    step: MatrixStep<'a, T>,
    /// Where in θ the matrix begins.
    first: usize,
    not_finite: &'a AtomicUsize,
}

impl<T: Scalar> MatrixSink<T> for MatrixUpdate<'_, T> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let (left, right) = self.step.split_at(at);
        (MatrixUpdate { step: left, ..self }, MatrixUpdate { step: right, ..self })
    }

    fn prefetch(&self, row: usize, column: usize, count: usize) {
        self.step.prefetch(row, column, count);
    }

    #[inline(always)]
    fn accept(&mut self, row: usize, column: usize, sums: Panel<'_, T>) {
        let mut finite = Finite::new();
        self.step.apply(row, column, sums, self.mean, &mut finite);
        if !finite.holds() {
            self.not_finite.fetch_min(self.first, Ordering::Relaxed);
        }
    }
}
