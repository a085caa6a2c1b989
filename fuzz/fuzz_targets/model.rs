//! Any bytes as a model file: an error, or a model that predicts, is saved and read back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use surefoot::Model;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let inputs = vec![0.5; model.network.inputs()];
    let row = ndarray::ArrayView2::from_shape((1, inputs.len()), &inputs).unwrap();
    if let Ok(outputs) = model.predict(row) {
        model.classify(outputs.view());
        model.probabilities(outputs.view());
    }
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = folder.path().join("model");
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model);
});
