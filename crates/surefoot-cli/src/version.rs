//! What `surefoot --version` says of this build on this machine.

use surefoot::{InstructionSet, selftest};

/// The version, with what decides what the program can do and which bits it gives.
pub fn long() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let features = if cfg!(feature = "parquet") { "parquet" } else { "none" };
        format!(
            "{}\nfeatures: {features}\ninstruction set: {}\ndigest of bits: {:016x} (`surefoot check --bits` computes it)",
            env!("CARGO_PKG_VERSION"),
            InstructionSet::current().name(),
            selftest::EXPECTED,
        )
    });
    &TEXT
}
