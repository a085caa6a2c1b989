//! The model file: what is written is read back, and what is no model is refused with its reason.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::common::parameters;
use serde_json::{Value, json};
use surefoot::{Activation, Error, Loss, Model, Network, Parameters, Scaling, Sparsity, Task};

/// A file in a folder that goes away with it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("m.safetensors")
    }

    /// The error of loading these bytes, without the file's name.
    fn error(&self, bytes: &[u8]) -> String {
        std::fs::write(self.path(), bytes).unwrap();
        let error = Model::load(self.path()).unwrap_err();
        assert!(matches!(error, Error::ModelFile { .. }) && error.hint().is_some());
        error.to_string().replace(&format!("{}: ", self.path().display()), "")
    }
}

/// A safetensors file built by hand: the header's entries in order, then the data.
#[derive(Clone)]
struct File {
    metadata: Option<Value>,
    tensors: Vec<(&'static str, Value, Vec<u8>)>,
}

fn zeros(dtype: &str, shape: &[usize]) -> (Value, Vec<u8>) {
    let size = if dtype == "F64" { 8 } else { 4 };
    (json!({"dtype": dtype, "shape": shape}), vec![0; shape.iter().product::<usize>() * size])
}

impl File {
    /// The least that another program has to write: a 2-3-1 network.
    fn minimal() -> Self {
        let tensor = |name, shape: &[usize]| {
            let (entry, data) = zeros("F32", shape);
            (name, entry, data)
        };
        let layers = json!([
            {"inputs": 2, "outputs": 3, "activation": "sigmoid"},
            {"inputs": 3, "outputs": 1, "activation": "sigmoid"},
        ]);
        File {
            metadata: Some(json!({"format": 1, "loss": "squared-error", "weight_decay": 0.0, "layers": layers})),
            tensors: vec![
                tensor("layers.0.weight", &[3, 2]),
                tensor("layers.0.bias", &[3]),
                tensor("layers.1.weight", &[1, 3]),
                tensor("layers.1.bias", &[1]),
            ],
        }
    }

    /// With one entry of the JSON object changed.
    fn with(mut self, pointer: &str, value: Value) -> Self {
        *self.metadata.as_mut().unwrap().pointer_mut(pointer).unwrap() = value;
        self
    }

    /// With an entry added to the JSON object.
    fn adding(mut self, key: &str, value: Value) -> Self {
        self.metadata.as_mut().unwrap()[key] = value;
        self
    }

    fn with_tensor(mut self, index: usize, dtype: &str, shape: &[usize]) -> Self {
        (self.tensors[index].1, self.tensors[index].2) = zeros(dtype, shape);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        if let Some(metadata) = &self.metadata {
            entries.push(format!("\"__metadata__\":{}", json!({"surefoot": metadata.to_string()})));
        }
        for (name, entry, bytes) in &self.tensors {
            let mut entry = entry.clone();
            entry["data_offsets"] = json!([data.len(), data.len() + bytes.len()]);
            entries.push(format!("\"{name}\":{entry}"));
            data.extend(bytes);
        }
        let header = format!("{{{}}}", entries.join(","));
        [(header.len() as u64).to_le_bytes().as_slice(), header.as_bytes(), &data].concat()
    }
}

fn full_model(parameters: impl Into<Parameters>) -> Model {
    let network = Network::new(2, &[(4, Activation::LeakyRelu), (3, Activation::Selu), (1, Activation::Tanh)]).unwrap();
    let mut model = Model::new(network, parameters.into(), Loss::SquaredError, 0.125).unwrap();
    model.task = Task::Classification;
    model.input_scaling =
        Some(Scaling { centre: vec![0.1, -1e-300], scale: vec![3.3333333333333335, 1e300], limit: None });
    model.target_scaling = Some(Scaling { centre: vec![1.0 / 3.0], scale: vec![0.7], limit: None });
    model.input_columns = vec!["größe".into(), "a \"b\", c".into()];
    model.target_columns = vec!["kind".into()];
    model.classes = vec!["no".into(), "yes".into()];
    model.training = json!({"seed": 7});
    model
}

#[test]
fn a_round_trip_keeps_every_bit_and_every_entry() {
    let folder = Folder::new();
    let count = 2 * 4 + 4 + 4 * 3 + 3 + 3 + 1;
    let mut numbers = parameters(count, 1.0, 1);
    (numbers[0], numbers[1], numbers[2]) = (5e-324, -0.0, f64::MAX);
    let entries = parameters(4000, 1e-3, 2);
    let single: Vec<f32> =
        numbers.iter().map(|&x| x as f32).map(|x| if x.is_finite() { x } else { f32::MAX }).collect();
    for mut model in [full_model(numbers), full_model(single)] {
        // many numbers in the metadata, which are text there and have to be read to their last bit
        model.training = json!(entries);
        model.save(folder.path()).unwrap();
        let loaded = Model::load(folder.path()).unwrap();
        assert_eq!(loaded, model);
        let bits = |model: &Model| model.parameters.to_f64().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&loaded), bits(&model));
        let bytes = model.to_bytes().unwrap();
        assert_eq!(bytes, std::fs::read(folder.path()).unwrap());
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
    }
}

#[test]
fn sparsity_is_kept_and_refused_where_the_network_cannot_have_it() {
    let folder = Folder::new();
    let sparse = |hidden, sparsity| {
        let network = Network::new(2, &[(3, hidden), (2, Activation::Sigmoid)]).unwrap();
        let theta = parameters(network.parameter_count(), 1.0, 1);
        let mut model = Model::new(network, theta.into(), Loss::SquaredError, 0.1).unwrap();
        model.sparsity = Some(sparsity);
        model
    };
    let sparsity = Sparsity { target: 0.1 + 0.2, weight: 1e-3 };
    let model = sparse(Activation::Tanh, sparsity);
    model.save(folder.path()).unwrap();
    assert_eq!(Model::load(folder.path()).unwrap(), model);
    for (model, message) in [
        (sparse(Activation::Relu, sparsity), "hidden units that are sigmoid or tanh"),
        (sparse(Activation::Tanh, Sparsity { target: 1.0, ..sparsity }), "between 0 and 1"),
    ] {
        assert!(model.save(folder.path()).unwrap_err().to_string().contains(message));
    }
}

#[test]
fn what_could_not_be_loaded_is_not_written() {
    let folder = Folder::new();
    let mut model = full_model(vec![f32::INFINITY; 31]);
    assert!(model.save(folder.path()).unwrap_err().to_string().contains("finite numbers, got another at 0"));
    model.parameters = vec![0.0f32; 31].into();
    model.input_scaling = Some(Scaling { centre: vec![0.0; 2], scale: vec![1.0, f64::INFINITY], limit: None });
    assert!(model.save(folder.path()).unwrap_err().to_string().contains("scale inf in column 1"));
    assert!(!folder.path().exists());
}

#[test]
fn equal_models_make_equal_files() {
    let folder = Folder::new();
    let bytes = || {
        full_model(parameters(31, 1.0, 1)).save(folder.path()).unwrap();
        std::fs::read(folder.path()).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn every_activation_and_loss_is_kept() {
    let folder = Folder::new();
    for (loss, output) in crate::common::losses_and_outputs() {
        let network = Network::new(2, &[(2, output)]).unwrap();
        let model = Model::new(network, vec![0.5f32; 6].into(), loss, 0.0).unwrap();
        model.save(folder.path()).unwrap();
        assert_eq!(Model::load(folder.path()).unwrap(), model);
    }
}

#[test]
fn the_least_that_another_program_writes_is_enough() {
    let folder = Folder::new();
    for dtype in ["F32", "F64"] {
        let mut file = File::minimal();
        for (_, entry, data) in &mut file.tensors {
            let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone()).unwrap();
            (*entry, *data) = zeros(dtype, &shape);
        }
        std::fs::write(folder.path(), file.adding("somebody_elses", json!([1])).bytes()).unwrap();
        let model = Model::load(folder.path()).unwrap();
        assert_eq!((model.network.widths().as_str(), model.task), ("2-3-1", Task::Regression));
        assert_eq!(model.predict(ndarray::array![[1.0, 2.0]].view()).unwrap(), ndarray::array![[0.5]]);
    }
}

#[test]
fn what_is_no_model_is_refused_with_its_reason() {
    let folder = Folder::new();
    let minimal = File::minimal;
    let without = |index: usize| {
        let mut file = minimal();
        file.tensors.remove(index);
        file
    };
    let mut extra = minimal();
    extra.tensors.push(("layers.2.bias", zeros("F32", &[1]).0, vec![0; 4]));
    let mut twice = minimal();
    twice.tensors.push(twice.tensors[1].clone());
    let mut infinite = minimal();
    infinite.tensors[2].2[8..12].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let one_softmax = minimal().with("/layers/1/activation", json!("softmax"));
    let no_metadata = File { metadata: None, ..minimal() };
    for (file, part) in [
        (without(1), "layers.0.bias: expected a tensor of this name, got none"),
        (extra, "layers.2.bias: expected no tensor but those of the layers, got an extra one"),
        (twice, "tensor names: expected each name once, got `layers.0.bias` twice"),
        (infinite, "layers.1.weight[0, 2]: expected a finite number, got inf"),
        (no_metadata, "metadata: expected an entry `surefoot`, got none"),
        (minimal().with_tensor(0, "F32", &[2, 3]), "shape of layers.0.weight: expected [3, 2], got [2, 3]"),
        (minimal().with_tensor(1, "F32", &[3, 1]), "shape of layers.0.bias: expected [3], got [3, 1]"),
        (minimal().with_tensor(0, "I32", &[3, 2]), "type of layers.0.weight: expected F32 or F64, got I32"),
        (minimal().with_tensor(3, "F64", &[1]), "type of layers.1.bias: expected F32, as layers.0.weight has, got F64"),
        (minimal().with("/format", json!(2)), "members: expected 1, or in format 2 up to 10000, got 1"),
        (minimal().with("/format", json!(3)), "format: expected 1 or 2, got 3"),
        (minimal().adding("members", json!(2)), "members: expected 1, or in format 2 up to 10000, got 2"),
        (minimal().with("/format", Value::Null), "format: expected 1 or 2, got null"),
        (minimal().with("/layers/0/activation", json!("swish")), "layers[0].activation: expected one of sigmoid, tanh"),
        (minimal().with("/layers/1/inputs", json!(4)), "layers[1].inputs: expected 3, the units below, got 4"),
        (
            minimal().with("/layers/0/activation", json!("softmax")),
            "layers: expected a network, got layers: expected softmax only",
        ),
        (minimal().with("/layers", json!([])), "layers: expected a network, got layers: expected at least one layer"),
        (
            minimal().with("/layers/0/outputs", json!(-1)),
            "surefoot: expected the keys of format 1 or 2, got invalid value",
        ),
        (
            minimal().with("/loss", json!("hinge")),
            "loss: expected one of squared-error, cross-entropy, poisson, got `hinge`",
        ),
        (minimal().with("/weight_decay", json!(-1.0)), "weight_decay: expected a number, at least 0, got -1"),
        (
            minimal().with("/loss", json!("cross-entropy")).with("/layers/1/activation", json!("tanh")),
            "loss: expected one that goes",
        ),
        (minimal().adding("task", json!("ranking")), "task: expected one of classification, regression, got `ranking`"),
        (one_softmax.clone().adding("task", json!("classification")), "task: expected at least two softmax outputs"),
        (one_softmax.with("/loss", json!("cross-entropy")), "loss: expected one that goes"),
        (
            minimal().adding("sparsity", json!({"target": 0, "weight": 1})),
            "sparsity: expected one that the network can have",
        ),
        (
            minimal().adding("sparsity", json!({"target": 0.1})),
            "surefoot: expected the keys of format 1 or 2, got missing field `weight`",
        ),
        (
            minimal().adding("sparsity", json!({"target": 0.1, "weight": 1, "x": 1})),
            "surefoot: expected the keys of format 1 or 2, got unknown field `x`",
        ),
        (minimal().adding("input_columns", json!(["a"])), "input_columns: expected 2, got 1"),
        (minimal().adding("classes", json!(["a"])), "classes: expected 2, got 1"),
        (
            minimal().adding("input_scaling", json!({"centre": [0.0], "scale": [1.0]})),
            "input_scaling: expected 2 columns",
        ),
        (
            minimal().adding("target_scaling", json!({"centre": [0.0], "scale": [0.0]})),
            "target_scaling: expected finite numbers",
        ),
    ] {
        let error = folder.error(&file.bytes());
        assert!(error.starts_with(part), "{error}\nexpected: {part}");
    }
}

#[test]
fn a_key_that_stands_twice_in_the_metadata_is_refused() {
    let text = String::from_utf8(File::minimal().adding("lozz", json!("cross-entropy")).bytes()).unwrap();
    let error = Folder::new().error(text.replace("lozz", "loss").as_bytes());
    assert!(error.starts_with("surefoot: expected each name once, got `loss` twice"), "{error}");
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let folder = Folder::new();
    let bytes = File::minimal().bytes();
    for length in 0..bytes.len() {
        let error = folder.error(&bytes[..length]);
        assert!(error.starts_with("file: expected safetensors"), "{length} bytes: {error}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(folder.error(&longer).starts_with("file: expected safetensors"));
}

#[test]
fn a_file_with_any_bit_of_its_header_changed_is_refused_or_a_model_that_holds() {
    let bytes = File::minimal().bytes();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (mut refused, mut read) = (0, 0);
    for bit in 0..8 * header {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match Model::from_bytes(&changed) {
            Err(_) => refused += 1,
            Ok(model) => {
                // a digit of λ, a letter of a key that nobody reads
                assert_eq!(model.predict(ndarray::array![[0.5, 1.0]].view()).unwrap().dim(), (1, 1), "bit {bit}");
                read += 1;
            }
        }
    }
    assert!(refused > 20 * read && read > 0, "{refused} refused, {read} read");
}

#[test]
fn tensors_that_overlap_or_leave_gaps_are_refused() {
    let folder = Folder::new();
    let text = |from: &str, to: &str| {
        let bytes = File::minimal().bytes();
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).expect("these offsets");
        let mut changed = bytes.clone();
        changed[at..at + from.len()].copy_from_slice(to.as_bytes());
        folder.error(&changed)
    };
    for (from, to) in [("[24,36]", "[20,32]"), ("[24,36]", "[28,40]"), ("[36,48]", "[36,99]"), ("[36,48]", "[48,36]")] {
        let error = text(from, to);
        assert!(error.starts_with("file: expected safetensors"), "{from} as {to}: {error}");
    }
}

#[test]
fn a_declared_size_takes_no_memory_before_it_is_checked() {
    let folder = Folder::new();
    let huge = 1usize << 30;
    let file = File::minimal().with("/layers/0/outputs", json!(huge)).with("/layers/1/inputs", json!(huge));
    assert!(folder.error(&file.bytes()).starts_with("shape of layers.0.weight"));
    let file = File::minimal().with("/layers/0/outputs", json!(u64::MAX)).with("/layers/1/inputs", json!(u64::MAX));
    assert!(folder.error(&file.bytes()).starts_with("layers: expected a network"));
    let mut header_bomb = u64::MAX.to_le_bytes().to_vec();
    header_bomb.extend([b'{'; 100]);
    assert!(folder.error(&header_bomb).starts_with("file: expected safetensors"));
}

#[test]
fn gradients_are_written_under_the_models_names() {
    let folder = Folder::new();
    let network = Network::new(2, &[(2, Activation::Tanh)]).unwrap();
    Parameters::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).save(folder.path(), &network).unwrap();
    let bytes = std::fs::read(folder.path()).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let named: BTreeMap<String, Vec<f64>> = tensors
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, view.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()))
        .collect();
    assert_eq!(named["layers.0.weight"], [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(named["layers.0.bias"], [5.0, 6.0]);
    assert!(Parameters::from(vec![1.0f64]).save(folder.path(), &network).is_err());
}
