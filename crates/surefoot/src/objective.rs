//! Any function J(θ) with its gradient.

/// A differentiable function J(θ) of a flat vector θ, with the gradient that it claims to have.
///
/// The gradient check and the optimizers that search along a line take one, so they serve a network's
/// [`Cost`](crate::Cost) and a function of your own alike. The methods take `&mut self` so that an objective can keep
/// its buffers from call to call; equal θ must give equal results.
pub trait Objective<T> {
    /// The length of θ.
    fn dimension(&self) -> usize;

    /// J(θ).
    fn cost(&mut self, parameters: &[T]) -> f64;

    /// J(θ), and ∇J(θ) written over `gradient`, which has the length of θ.
    fn cost_and_gradient(&mut self, parameters: &[T], gradient: &mut [T]) -> f64;

    /// Whether the function has a kink (a jump of its derivative) between two points, so that a difference of J
    /// taken across says nothing about the gradient on either side. A smooth function has none.
    fn has_kink_between(&mut self, _one: &[T], _other: &[T]) -> bool {
        false
    }

    /// How θ is made up, in order and without gaps: the names that a report calls its coordinates by.
    fn segments(&self) -> Vec<Segment> {
        vec![Segment { layer: 0, name: "x".into(), rows: self.dimension(), columns: None }]
    }
}

/// A matrix or vector within θ, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The layer that it belongs to, from 0.
    pub layer: usize,
    /// Its name, as in the model file: `layers.0.weight`.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// Its columns; `None` for a vector.
    pub columns: Option<usize>,
}

impl Segment {
    /// How many coordinates of θ it has.
    pub fn len(&self) -> usize {
        self.rows * self.columns.unwrap_or(1)
    }

    /// Whether it has no coordinate.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of its coordinate at `offset` from its start: `layers.0.weight[3, 17]`, counted from 0.
    pub fn place(&self, offset: usize) -> String {
        match self.columns {
            Some(columns) => format!("{}[{}, {}]", self.name, offset / columns, offset % columns),
            None => format!("{}[{offset}]", self.name),
        }
    }
}
