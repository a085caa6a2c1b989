//! The weights of a model, layer by layer.

use surefoot::{Model, Parameters};

/// A tensor of θ, row by row.
pub(crate) struct Tensor<'a> {
    /// Its name in the model file.
    pub name: String,
    /// Units, and for a weight the units below.
    pub shape: Vec<usize>,
    pub numbers: Numbers<'a>,
}

/// Numbers in the precision of θ.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl Numbers<'_> {
    pub fn to_le_bytes(self) -> Vec<u8> {
        match self {
            Numbers::F32(numbers) => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Numbers::F64(numbers) => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    }

    /// As `f64`, each exactly.
    pub fn to_f64(self) -> Vec<f64> {
        match self {
            Numbers::F32(numbers) => numbers.iter().copied().map(f64::from).collect(),
            Numbers::F64(numbers) => numbers.to_vec(),
        }
    }
}

/// Weight and bias of a layer.
pub(crate) type Pair<'a> = [Tensor<'a>; 2];

/// The layers of each network: of one, or of all of an ensemble.
pub(crate) fn networks(model: &Model) -> Vec<Vec<Pair<'_>>> {
    let (network, members) = (&model.network, model.members());
    let tensor = |member: usize, l: usize, what: &str| {
        let layer = &network.layers()[l];
        let (range, shape) = match what {
            "weight" => (network.weight_range(l), vec![layer.outputs, layer.inputs]),
            _ => (network.bias_range(l), vec![layer.outputs]),
        };
        let start = member * network.parameter_count();
        let range = start + range.start..start + range.end;
        let prefix = if members == 1 { String::new() } else { format!("members.{member}.") };
        let numbers = match &model.parameters {
            Parameters::F32(all) => Numbers::F32(&all[range]),
            Parameters::F64(all) => Numbers::F64(&all[range]),
        };
        Tensor { name: format!("{prefix}layers.{l}.{what}"), shape, numbers }
    };
    let layers = 0..network.layers().len();
    let of = |member| layers.clone().map(|l| ["weight", "bias"].map(|what| tensor(member, l, what))).collect();
    (0..members).map(of).collect()
}
