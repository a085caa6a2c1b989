//! Any bytes as an IDX file, as they are or packed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use surefoot_table::Idx;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(idx) = Idx::read("fuzz.idx", bytes) {
        assert_eq!(idx.matrix::<f32>().len(), idx.shape().iter().product::<usize>());
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let path = format!("/dev/shm/surefoot-fuzz-{}", std::process::id());
        std::fs::write(&path, bytes).unwrap();
        if let Ok(idx) = Idx::open(&path) {
            idx.matrix::<f64>();
        }
    }
});
