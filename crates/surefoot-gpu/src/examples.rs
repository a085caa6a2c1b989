//! The examples of a task: all of them on the GPU, or those that a launch needs.

use std::ops::Range;

use ndarray::{CowArray, Ix2};
use surefoot::{DatasetView, Result};

use crate::driver::{Memory, Queue};
use crate::layout::Launch;
use crate::memory::Sizes;

/// Examples on the GPU.
#[derive(Debug)]
pub(crate) struct Examples<'a> {
    pub x: Memory<f32>,
    pub y: Memory<f32>,
    pub w: Option<Memory<f32>>,
    /// Which of them, where they lie in another order.
    order: Memory<u32>,
    /// All of them, where the GPU has room for some only.
    host: Option<Host<'a>>,
}

/// X, Y and the weights where they lie.
#[derive(Debug)]
struct Host<'a> {
    x: CowArray<'a, f32, Ix2>,
    y: CowArray<'a, f32, Ix2>,
    w: Option<Vec<f32>>,
}

impl<'a> Examples<'a> {
    pub fn new(queue: &Queue, data: &DatasetView<'a, f32>, sizes: &Sizes) -> Result<Self> {
        let host = Host { x: data.inputs(), y: data.targets(), w: data.weights() };
        let order = queue.memory(0)?;
        if !sizes.is_resident {
            let (x, y) = (queue.memory(sizes.rows * host.x.ncols())?, queue.memory(sizes.rows * host.y.ncols())?);
            let w = host.w.as_ref().map(|_| queue.memory(sizes.rows)).transpose()?;
            return Ok(Examples { x, y, w, order, host: Some(host) });
        }
        let (x, y) = (queue.filled(numbers_of(&host.x))?, queue.filled(numbers_of(&host.y))?);
        let w = host.w.as_ref().map(|weights| queue.filled(weights)).transpose()?;
        Ok(Examples { x, y, w, order, host: None })
    }

    /// Has these examples where a launch finds them.
    pub fn bring(&mut self, queue: &Queue, places: &Places<'_>, launch: &mut Launch) -> Result<()> {
        (launch.first_row, launch.order) = (0, 0);
        match (&self.host, places) {
            (Some(Host { x, y, w }), places) => {
                queue.write(&places.gathered(numbers_of(x), x.ncols()), &mut self.x, 0)?;
                queue.write(&places.gathered(numbers_of(y), y.ncols()), &mut self.y, 0)?;
                if let (Some(weights), Some(to)) = (w, &mut self.w) {
                    queue.write(&places.gathered(weights, 1), to, 0)?;
                }
            }
            (None, Places::Range(range)) => launch.first_row = range.start as i64,
            (None, Places::Lists(lists)) => {
                let rows: Vec<u32> = lists.iter().flat_map(|rows| rows.iter().map(|&row| row as u32)).collect();
                queue.grow(&mut self.order, rows.len())?;
                queue.write(&rows, &mut self.order, 0)?;
                launch.order = self.order.pointer();
            }
        }
        Ok(())
    }
}

/// Examples by their places in the data.
pub(crate) enum Places<'a> {
    /// Neighbours.
    Range(Range<usize>),
    /// One list after the other.
    Lists(&'a [&'a [usize]]),
}

impl Places<'_> {
    /// Their rows of a matrix with so many columns.
    fn gathered(&self, numbers: &[f32], columns: usize) -> Vec<f32> {
        match self {
            Places::Range(range) => numbers[range.start * columns..range.end * columns].to_vec(),
            Places::Lists(lists) => {
                let rows = lists.iter().flat_map(|rows| rows.iter());
                rows.flat_map(|row| &numbers[row * columns..][..columns]).copied().collect()
            }
        }
    }
}

/// The numbers of a matrix, which lies row by row.
fn numbers_of<'m>(matrix: &'m CowArray<'_, f32, Ix2>) -> &'m [f32] {
    matrix.as_slice().unwrap_or_default()
}
