//! The model file: safetensors, nothing executable. `docs/model-format.md` specifies it.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))] // the bytes are a stranger's

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::container::{Container, Tensor};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::metrics::Task;
use crate::model::{Model, Parameters};
use crate::network::Network;
use crate::numeric::scalar::Scalar;
use crate::objective::Segment;
use crate::scaling::Scaling;
use crate::sparsity::Sparsity;

/// The version of the format of one network, and of an ensemble; both are read.
const FORMAT: u64 = 1;
const ENSEMBLE_FORMAT: u64 = 2;
/// Networks of an ensemble at most: a file cannot ask for more.
const MOST_MEMBERS: usize = 10_000;
/// The metadata entry with the JSON object.
const ENTRY: &str = "surefoot";

/// The JSON object of the metadata. Keys that are not known are left alone.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    loss: String,
    #[serde(default)]
    weight_decay: f64,
    layers: Vec<LayerEntry>,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    members: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sparsity: Option<Sparsity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_scaling: Option<Scaling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_scaling: Option<Scaling>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    input_columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    target_columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    encoding: serde_json::Value,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    training: serde_json::Value,
}

fn one() -> usize {
    1
}

fn is_one(members: &usize) -> bool {
    *members == 1
}

#[derive(Serialize, Deserialize)]
struct LayerEntry {
    inputs: usize,
    outputs: usize,
    activation: String,
}

impl Model {
    /// Writes the model, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written; [`Error::ModelFile`] when a number is not finite: what could not
    /// be loaded is not written.
    #[cfg(feature = "files")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let file = Container { path: path.as_ref() };
        file.write(Some((ENTRY, self.json(file)?)), &tensors(&self.network, &self.parameters)?)
    }

    /// The bytes of the model's file.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when a number is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let file = Container { path: Path::new("model") };
        file.bytes(Some((ENTRY, self.json(file)?)), &tensors(&self.network, &self.parameters)?)
    }

    /// The JSON object that is in the metadata of the model's file: all of the model but θ. `docs/model-format.md` says what each key
    /// means.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when a number of θ is not finite.
    pub fn metadata(&self) -> Result<String> {
        self.json(Container { path: Path::new("model") })
    }

    /// What the metadata say, of a model that could be loaded.
    fn json(&self, file: Container<'_>) -> Result<String> {
        let reader = Reader { file };
        reader.check_entries_fit(self)?;
        if let Some(index) = self.parameters.to_f64().iter().position(|x| !x.is_finite()) {
            return Err(reader.error("parameters", "finite numbers", format!("another at {index}")));
        }
        let layers = self.network.layers().iter().map(|layer| LayerEntry {
            inputs: layer.inputs,
            outputs: layer.outputs,
            activation: layer.activation.name().into(),
        });
        let header = Header {
            format: if self.members() > 1 { ENSEMBLE_FORMAT } else { FORMAT },
            members: self.members(),
            loss: self.loss.name().into(),
            weight_decay: self.weight_decay,
            layers: layers.collect(),
            sparsity: self.sparsity,
            task: Some(self.task.name().into()),
            input_scaling: self.input_scaling.clone(),
            target_scaling: self.target_scaling.clone(),
            input_columns: self.input_columns.clone(),
            target_columns: self.target_columns.clone(),
            classes: self.classes.clone(),
            encoding: self.encoding.clone(),
            training: self.training.clone(),
        };
        serde_json::to_string(&header).map_err(|error| reader.error(ENTRY, "JSON", error))
    }

    /// Reads a model, as Surefoot or another program wrote it.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::ModelFile`] with the entry or tensor when it is no model
    /// of format 1 or 2: cut short, a tensor missing, extra or twice named, of a wrong shape or type or not finite, an
    /// unknown name of an activation or loss, or entries that do not fit each other.
    #[cfg(feature = "files")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let file = Container { path: path.as_ref() };
        let bytes = file.read()?;
        Reader { file }.model(&bytes)
    }

    /// Reads a model from the bytes of its file, such as `include_bytes!` puts into a program.
    ///
    /// # Errors
    /// [`Error::ModelFile`] with the entry or tensor when they are no model of format 1 or 2.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Reader { file: Container { path: Path::new("model") } }.model(bytes)
    }
}

impl Parameters {
    /// Writes a vector as long as θ as tensors under the names of the layers' weights and biases, without the metadata
    /// that makes a model: a gradient, for instance.
    ///
    /// # Errors
    /// [`Error::Shape`] when the vector is not as long as θ; [`Error::Io`] when the file cannot be written.
    #[cfg(feature = "files")]
    pub fn save(&self, path: impl AsRef<Path>, network: &Network) -> Result<()> {
        Container { path: path.as_ref() }.write(None, &tensors(network, self)?)
    }
}

fn tensors<'a>(network: &Network, values: &'a Parameters) -> Result<Vec<Tensor<'a>>> {
    let members = match values {
        Parameters::F32(values) => network.member_count(values)?,
        Parameters::F64(values) => network.member_count(values)?,
    };
    let mut end = 0;
    let tensor = |segment: Segment| {
        let range = end..end + segment.len();
        end = range.end;
        let (dtype, bytes): (_, Box<dyn Fn() -> Vec<u8> + 'a>) = match values {
            Parameters::F32(values) => (Dtype::F32, Box::new(move || bytes_of(values, range.clone()))),
            Parameters::F64(values) => (Dtype::F64, Box::new(move || bytes_of(values, range.clone()))),
        };
        Tensor { shape: shape(&segment), name: segment.name, dtype, bytes }
    };
    Ok(segments(network, members).into_iter().map(tensor).collect())
}

/// The tensors of a network, or of each network of an ensemble: `members.0.layers.0.weight`.
fn segments(network: &Network, members: usize) -> Vec<Segment> {
    let of = |k: usize| {
        let name = move |name: String| if members == 1 { name } else { format!("members.{k}.{name}") };
        network.segments().into_iter().map(move |segment| Segment { name: name(segment.name), ..segment })
    };
    (0..members).flat_map(of).collect()
}

fn bytes_of<T: Scalar>(values: &[T], range: Range<usize>) -> Vec<u8> {
    T::to_bytes(values.get(range).unwrap_or_default())
}

fn shape(segment: &Segment) -> Vec<usize> {
    std::iter::once(segment.rows).chain(segment.columns).collect()
}

/// Reads one file, and names it in every error.
struct Reader<'a> {
    file: Container<'a>,
}

impl Reader<'_> {
    fn error(&self, what: &str, expected: impl ToString, got: impl ToString) -> Error {
        self.file.error(what, expected, got)
    }

    fn model(&self, bytes: &[u8]) -> Result<Model> {
        let (header, tensors): (Header, _) = self.file.open(bytes, ENTRY, FORMAT..=ENSEMBLE_FORMAT)?;
        let network = self.network(&header.layers)?;
        if !(1..=MOST_MEMBERS).contains(&header.members) || (header.members > 1) != (header.format == ENSEMBLE_FORMAT) {
            let expected = format!("1, or in format {ENSEMBLE_FORMAT} up to {MOST_MEMBERS}");
            return Err(self.error("members", expected, header.members));
        }
        let parameters = self.parameters(&segments(&network, header.members), &tensors)?;
        let model = self.assemble(header, network, parameters)?;
        self.check_entries_fit(&model)?;
        Ok(model)
    }

    fn network(&self, entries: &[LayerEntry]) -> Result<Network> {
        let mut layers = Vec::new();
        let mut units = entries.first().map_or(0, |first| first.inputs);
        let inputs = units;
        for (l, entry) in entries.iter().enumerate() {
            if entry.inputs != units {
                return Err(self.error(
                    &format!("layers[{l}].inputs"),
                    format!("{units}, the units below"),
                    entry.inputs,
                ));
            }
            let activation: Activation = self.named(&format!("layers[{l}].activation"), &entry.activation)?;
            layers.push((entry.outputs, activation));
            units = entry.outputs;
        }
        Network::new(inputs, &layers).map_err(|error| self.error("layers", "a network", error))
    }

    fn named<N: std::str::FromStr<Err = Error>>(&self, what: &str, name: &str) -> Result<N> {
        name.parse().map_err(|error| match error {
            Error::Setting { expected, got, .. } => self.error(what, expected, got),
            other => other,
        })
    }

    fn parameters(&self, segments: &[Segment], tensors: &SafeTensors<'_>) -> Result<Parameters> {
        let expected: BTreeSet<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
        let found: BTreeSet<&str> = tensors.names().into_iter().collect();
        if let Some(name) = expected.difference(&found).next() {
            return Err(self.error(name, "a tensor of this name", "none"));
        }
        if let Some(name) = found.difference(&expected).next() {
            return Err(self.error(name, "no tensor but those of the layers", "an extra one"));
        }
        let mut found = Vec::new();
        for segment in segments {
            let view = tensors.tensor(&segment.name).map_err(|error| self.error(&segment.name, "a tensor", error))?;
            if view.shape() != shape(segment) {
                let (expected, got) = (format!("{:?}", shape(segment)), format!("{:?}", view.shape()));
                return Err(self.error(&format!("shape of {}", segment.name), expected, got));
            }
            found.push((segment, view));
        }
        let Some((segment, first)) = found.first() else { return Err(self.error("tensors", "some", "none")) };
        match first.dtype() {
            Dtype::F32 => self.numbers(Dtype::F32, &found, f32::from_le_bytes).map(Parameters::F32),
            Dtype::F64 => self.numbers(Dtype::F64, &found, f64::from_le_bytes).map(Parameters::F64),
            other => Err(self.error(&format!("type of {}", segment.name), "F32 or F64", format!("{other:?}"))),
        }
    }

    fn numbers<T: Scalar, const SIZE: usize>(
        &self,
        dtype: Dtype,
        found: &[(&Segment, TensorView<'_>)],
        read: fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>> {
        let mut numbers = Vec::new();
        for (segment, view) in found {
            if view.dtype() != dtype {
                let first = found.first().map_or("", |(segment, _)| &segment.name);
                let expected = format!("{dtype:?}, as {first} has");
                return Err(self.error(&format!("type of {}", segment.name), expected, format!("{:?}", view.dtype())));
            }
            for (offset, bytes) in view.data().as_chunks().0.iter().enumerate() {
                let number = read(*bytes);
                if !number.is_finite() {
                    return Err(self.error(&segment.place(offset), "a finite number", number));
                }
                numbers.push(number);
            }
        }
        Ok(numbers)
    }

    fn assemble(&self, header: Header, network: Network, parameters: Parameters) -> Result<Model> {
        let loss: Loss = self.named("loss", &header.loss)?;
        if !(header.weight_decay >= 0.0 && header.weight_decay.is_finite()) {
            return Err(self.error("weight_decay", "a number, at least 0", header.weight_decay));
        }
        let model = Model::new(network, parameters, loss, header.weight_decay)
            .map_err(|error| self.error("loss", "one that goes with the output activation", error))?;
        let task = match header.task.as_deref() {
            None => model.task,
            Some(name) => self.named("task", name)?,
        };
        Ok(Model {
            sparsity: header.sparsity,
            task,
            input_scaling: header.input_scaling,
            target_scaling: header.target_scaling,
            input_columns: header.input_columns,
            target_columns: header.target_columns,
            classes: header.classes,
            encoding: header.encoding,
            training: header.training,
            ..model
        })
    }

    /// That scalings and names have as many entries as there are columns.
    fn check_entries_fit(&self, model: &Model) -> Result<()> {
        let (inputs, outputs) = (model.network.inputs(), model.network.outputs());
        for (what, scaling, columns) in
            [("input_scaling", &model.input_scaling, inputs), ("target_scaling", &model.target_scaling, outputs)]
        {
            let Some(Scaling { centre, scale, limit }) = scaling else { continue };
            if centre.len() != columns || scale.len() != columns {
                return Err(self.error(
                    what,
                    format!("{columns} columns"),
                    format!("{} and {}", centre.len(), scale.len()),
                ));
            }
            if let Some(limit) = limit
                && (what == "target_scaling" || !(*limit > 0.0 && limit.is_finite()))
            {
                let expected = "no limit on targets, on inputs a finite number above 0";
                return Err(self.error(&format!("{what}.limit"), expected, limit));
            }
            let is_wrong =
                |&(_, (centre, scale)): &(_, (&f64, &f64))| !centre.is_finite() || !scale.is_finite() || *scale == 0.0;
            if let Some((column, (centre, scale))) = centre.iter().zip(scale).enumerate().find(is_wrong) {
                let got = format!("centre {centre} and scale {scale} in column {column}");
                return Err(self.error(what, "finite numbers, no scale of 0", got));
            }
        }
        if model.task == Task::Classification
            && outputs == 1
            && model.network.output_activation() == Activation::Softmax
        {
            return Err(self.error("task", "at least two softmax outputs for classes", "1"));
        }
        if let Some(Err(error)) = model.sparsity.map(|sparsity| sparsity.check(&model.network)) {
            return Err(self.error("sparsity", "one that the network can have", error));
        }
        let names = model.input_columns.len();
        if names != 0 && names != inputs {
            return Err(self.error("input_columns", inputs, names));
        }
        let classes = model.classes.len();
        if classes != 0 && classes != model.class_count() {
            return Err(self.error("classes", model.class_count(), classes));
        }
        Ok(())
    }
}
