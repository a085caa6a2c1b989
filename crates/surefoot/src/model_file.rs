//! The model file: safetensors, nothing executable. `docs/model-format.md` specifies it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::loss::Loss;
use crate::metrics::Task;
use crate::model::{Model, Parameters};
use crate::network::Network;
use crate::objective::Segment;
use crate::scaling::Scaling;
use crate::sparsity::Sparsity;

/// The version of the format that is written, and the only one that is read.
const FORMAT: u64 = 1;
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
    training: serde_json::Value,
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
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let reader = Reader { path: path.as_ref() };
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
            format: FORMAT,
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
            training: self.training.clone(),
        };
        let json = serde_json::to_string(&header).map_err(|error| file_error(path.as_ref(), ENTRY, "JSON", error))?;
        write_tensors(path.as_ref(), &self.network, &self.parameters, Some(json))
    }

    /// Reads a model, as Surefoot or another program wrote it.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::ModelFile`] with the entry or tensor when it is no model
    /// of format 1: cut short, a tensor missing, extra or twice named, of a wrong shape or type or not finite, an
    /// unknown name of an activation or loss, or entries that do not fit each other.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })?;
        Reader { path }.model(&bytes)
    }
}

/// Writes a vector as long as θ as tensors under the names of the layers' weights and biases, without the metadata
/// that makes a model: a gradient, for instance.
///
/// # Errors
/// [`Error::Shape`] when the vector is not as long as θ; [`Error::Io`] when the file cannot be written.
pub fn save_tensors(path: &Path, network: &Network, values: &Parameters) -> Result<()> {
    write_tensors(path, network, values, None)
}

fn write_tensors(path: &Path, network: &Network, values: &Parameters, entry: Option<String>) -> Result<()> {
    let (dtype, bytes): (_, Vec<u8>) = match values {
        Parameters::F32(values) => (Dtype::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Parameters::F64(values) => (Dtype::F64, values.iter().flat_map(|x| x.to_le_bytes()).collect()),
    };
    let size = dtype.bitsize() / 8;
    let mut start = 0;
    let mut tensors = Vec::new();
    for segment in network.segments() {
        let end = start + segment.len() * size;
        let data = bytes.get(start..end).unwrap_or_default();
        let view = TensorView::new(dtype, shape(&segment), data)
            .map_err(|error| file_error(path, &segment.name, "a vector as long as θ", error))?;
        tensors.push((segment.name, view));
        start = end;
    }
    let metadata = entry.map(|entry| HashMap::from([(ENTRY.to_string(), entry)]));
    let file =
        safetensors::serialize(tensors, metadata).map_err(|error| file_error(path, "tensors", "safetensors", error))?;
    write_atomically(path, &file)
}

fn shape(segment: &Segment) -> Vec<usize> {
    std::iter::once(segment.rows).chain(segment.columns).collect()
}

fn file_error(path: &Path, what: &str, expected: impl ToString, got: impl ToString) -> Error {
    Error::ModelFile { path: path.into(), what: what.into(), expected: expected.to_string(), got: got.to_string() }
}

/// Reads one file, and names it in every error.
struct Reader<'a> {
    path: &'a Path,
}

impl Reader<'_> {
    fn error(&self, what: &str, expected: impl ToString, got: impl ToString) -> Error {
        file_error(self.path, what, expected, got)
    }

    fn model(&self, bytes: &[u8]) -> Result<Model> {
        self.check_names_are_unique(bytes)?;
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|error| self.error("file", "safetensors", error))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| self.error("file", "safetensors", error))?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
        let entry = entry.ok_or_else(|| self.error("metadata", format!("an entry `{ENTRY}`"), "none"))?;
        let header = self.header(entry)?;
        let network = self.network(&header.layers)?;
        let parameters = self.parameters(&network, &tensors)?;
        let model = self.assemble(header, network, parameters)?;
        self.check_entries_fit(&model)?;
        Ok(model)
    }

    /// The container's own reader keeps the last of two equal names; here they are an error. What else may be wrong
    /// with the header is left to that reader.
    fn check_names_are_unique(&self, bytes: &[u8]) -> Result<()> {
        let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
        let json = bytes.get(8..length.saturating_add(8)).unwrap_or_default();
        self.refuse_repeated_key("tensor names", serde_json::from_slice(json))
    }

    fn refuse_repeated_key(&self, what: &str, found: serde_json::Result<RepeatedKey>) -> Result<()> {
        match found {
            Ok(RepeatedKey(Some(name))) => Err(self.error(what, "each name once", format!("`{name}` twice"))),
            _ => Ok(()),
        }
    }

    fn header(&self, entry: &str) -> Result<Header> {
        // The version first: another one may have other keys.
        let value: serde_json::Value =
            serde_json::from_str(entry).map_err(|error| self.error(ENTRY, "a JSON object", error))?;
        self.refuse_repeated_key(ENTRY, serde_json::from_str(entry))?;
        match value.get("format") {
            Some(format) if format.as_u64() == Some(FORMAT) => {}
            Some(other) => return Err(self.error("format", FORMAT, other)),
            None => return Err(self.error("format", FORMAT, "none")),
        }
        serde_json::from_value(value).map_err(|error| self.error(ENTRY, "the keys of format 1", error))
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

    fn parameters(&self, network: &Network, tensors: &SafeTensors<'_>) -> Result<Parameters> {
        let segments = network.segments();
        let expected: BTreeSet<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
        let found: BTreeSet<&str> = tensors.names().into_iter().collect();
        if let Some(name) = expected.difference(&found).next() {
            return Err(self.error(name, "a tensor of this name", "none"));
        }
        if let Some(name) = found.difference(&expected).next() {
            return Err(self.error(name, "no tensor but those of the layers", "an extra one"));
        }
        let mut views = Vec::new();
        for segment in &segments {
            let view = tensors.tensor(&segment.name).map_err(|error| self.error(&segment.name, "a tensor", error))?;
            if view.shape() != shape(segment) {
                let (expected, got) = (format!("{:?}", shape(segment)), format!("{:?}", view.shape()));
                return Err(self.error(&format!("shape of {}", segment.name), expected, got));
            }
            views.push(view);
        }
        match views[0].dtype() {
            Dtype::F32 => self.numbers(&segments, &views, f32::from_le_bytes, f32::is_finite).map(Parameters::F32),
            Dtype::F64 => self.numbers(&segments, &views, f64::from_le_bytes, f64::is_finite).map(Parameters::F64),
            other => Err(self.error(&format!("type of {}", segments[0].name), "F32 or F64", format!("{other:?}"))),
        }
    }

    fn numbers<T: Copy + ToString, const SIZE: usize>(
        &self,
        segments: &[Segment],
        views: &[TensorView<'_>],
        read: fn([u8; SIZE]) -> T,
        is_finite: fn(T) -> bool,
    ) -> Result<Vec<T>> {
        let mut numbers = Vec::new();
        for (segment, view) in segments.iter().zip(views) {
            if view.dtype() != views[0].dtype() {
                let expected = format!("{:?}, as {} has", views[0].dtype(), segments[0].name);
                return Err(self.error(&format!("type of {}", segment.name), expected, format!("{:?}", view.dtype())));
            }
            for (offset, bytes) in view.data().as_chunks().0.iter().enumerate() {
                let number = read(*bytes);
                if !is_finite(number) {
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
            Some("classification") => Task::Classification,
            Some("regression") => Task::Regression,
            Some(other) => return Err(self.error("task", "classification or regression", other)),
        };
        Ok(Model {
            sparsity: header.sparsity,
            task,
            input_scaling: header.input_scaling,
            target_scaling: header.target_scaling,
            input_columns: header.input_columns,
            target_columns: header.target_columns,
            classes: header.classes,
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
            let Some(Scaling { centre, scale }) = scaling else { continue };
            if centre.len() != columns || scale.len() != columns {
                return Err(self.error(
                    what,
                    format!("{columns} columns"),
                    format!("{} and {}", centre.len(), scale.len()),
                ));
            }
            if let Some(column) =
                (0..columns).find(|&i| !centre[i].is_finite() || !scale[i].is_finite() || scale[i] == 0.0)
            {
                let got = format!("centre {} and scale {} in column {column}", centre[column], scale[column]);
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

/// The first key that an object has twice, in a JSON value or within it.
struct RepeatedKey(Option<String>);

impl<'de> Deserialize<'de> for RepeatedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = RepeatedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<RepeatedKey, M::Error> {
                let (mut seen, mut repeated) = (BTreeSet::new(), None);
                while let Some((key, RepeatedKey(within))) = map.next_entry::<String, _>()? {
                    repeated = repeated.or(within).or(seen.replace(key));
                }
                Ok(RepeatedKey(repeated))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> std::result::Result<RepeatedKey, S::Error> {
                let mut repeated = None;
                while let Some(RepeatedKey(within)) = items.next_element()? {
                    repeated = repeated.or(within);
                }
                Ok(RepeatedKey(repeated))
            }

            fn visit_bool<E>(self, _: bool) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_i64<E>(self, _: i64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_u64<E>(self, _: u64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_f64<E>(self, _: f64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_str<E>(self, _: &str) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_unit<E>(self) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
        }
        deserializer.deserialize_any(Keys)
    }
}
