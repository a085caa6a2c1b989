//! The plane of two inputs: what each unit answers on it.

use std::ops::Range;

use ndarray::Array2;
use serde_json::{Value, json};
use surefoot::Activation;

use crate::drawn::Drawn;
use crate::error::Result;
use crate::forward;
use crate::session::{Moment, Session};

/// Points to a side of the plane.
const SIDE: usize = 28;
/// Units with maps of all points; with more, those of hidden layers have a fourth of them, each the mean of four.
const FINE: usize = 64;

/// The bounds of the plane that is drawn: those of the examples, with a margin.
fn bounds(session: &Session) -> [[f64; 2]; 2] {
    [0, 1].map(|column| {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &x in session.examples.inputs().column(column) {
            (low, high) = (low.min(x), high.max(x));
        }
        let margin = 0.15 * (high - low).max(1e-6);
        [low - margin, high + margin]
    })
}

/// The response of each drawn unit over the plane, as bytes in hexadecimal: row by row from the top.
pub(crate) fn heat(session: &Session, moment: &Moment, drawn: &Drawn) -> Result<Value> {
    let network = &moment.model.network;
    if network.inputs() != 2 {
        return Ok(Value::Null);
    }
    let [[left, right], [bottom, top]] = bounds(session);
    let at = |k: usize, from: f64, to: f64| from + (to - from) * (k as f64 + 0.5) / SIDE as f64;
    let units: Vec<_> = network.layers().iter().enumerate().map(|(l, layer)| drawn.of(l + 1, layer.outputs)).collect();
    let points = Array2::from_shape_fn((SIDE * SIDE, 2), |(k, axis)| match axis {
        0 => at(k % SIDE, left, right),
        _ => at(k / SIDE, top, bottom),
    });
    let all = forward::activations(network, &moment.theta, points.view())?;
    let of_layer = |(a, units): (&Array2<f64>, &Range<usize>)| -> Vec<Vec<f64>> {
        units.clone().map(|unit| a.column(unit).to_vec()).collect()
    };
    let maps: Vec<Vec<Vec<f64>>> = all.iter().zip(&units).map(of_layer).collect();
    let count: usize = units.iter().map(|units| units.len()).sum();
    let last = maps.len() - 1;
    let layers: Vec<Value> = maps
        .iter()
        .zip(network.layers())
        .enumerate()
        .map(|(l, (maps, layer))| {
            let (low, high) = range(layer.activation, maps);
            let is_fine = count <= FINE || l == last;
            let of_unit = |map: &Vec<f64>| bytes(&if is_fine { map.clone() } else { coarse(map) }, low, high);
            json!({"side": if is_fine { SIDE } else { SIDE / 2 }, "units": maps.iter().map(of_unit).collect::<Vec<_>>()})
        })
        .collect();
    Ok(json!({"bounds": [[left, right], [bottom, top]], "layers": layers}))
}

/// The means of four points each.
fn coarse(map: &[f64]) -> Vec<f64> {
    let of = |k: usize| {
        let first = 2 * (k / (SIDE / 2)) * SIDE + 2 * (k % (SIDE / 2));
        [first, first + 1, first + SIDE, first + SIDE + 1].iter().map(|&k| map[k] / 4.0).sum()
    };
    (0..map.len() / 4).map(of).collect()
}

/// Between which two values an activation is drawn.
fn range(activation: Activation, maps: &[Vec<f64>]) -> (f64, f64) {
    match activation {
        Activation::Sigmoid | Activation::Softmax => (0.0, 1.0),
        Activation::Tanh => (-1.0, 1.0),
        _ => {
            let most = maps.iter().flatten().fold(1e-9, |most: f64, a| most.max(a.abs()));
            (-most, most)
        }
    }
}

pub(crate) fn bytes(numbers: &[f64], low: f64, high: f64) -> String {
    let byte = |x: &f64| (((x - low) / (high - low)).clamp(0.0, 1.0) * 255.0).round() as u8;
    numbers.iter().map(|x| format!("{:02x}", byte(x))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_map_has_the_means_of_neighbours() {
        let map: Vec<f64> = (0..SIDE * SIDE).map(|k| (k / SIDE * 100 + k % SIDE) as f64).collect();
        let coarse = coarse(&map);
        assert_eq!((coarse.len(), coarse[0], coarse[1], coarse[SIDE / 2]), (SIDE * SIDE / 4, 50.5, 52.5, 250.5));
    }
}
