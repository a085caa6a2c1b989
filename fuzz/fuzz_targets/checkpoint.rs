//! Any bytes as a checkpoint, whose checksum is not asked for here: an error, or a state that can go on.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use surefoot::{Checkpoint, Scalar};
use surefoot_fuzz::{Run, runs};

fn resume<T: Scalar>(checkpoint: &Checkpoint, run: &Run<T>) {
    let _ = checkpoint.whole::<T>();
    if let Ok(mut state) = checkpoint.state::<T>(&run.training) {
        let _ = run.training.resume(&run.problem(), &mut state);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let path = format!("/dev/shm/surefoot-fuzz-{}", std::process::id());
    std::fs::write(&path, bytes).unwrap();
    if let Ok(checkpoint) = Checkpoint::open(Path::new(&path)) {
        runs::<f32>().iter().for_each(|run| resume(&checkpoint, run));
        runs::<f64>().iter().for_each(|run| resume(&checkpoint, run));
    }
});
