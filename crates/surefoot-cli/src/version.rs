//! What `surefoot --version` says of this build on this machine.

use surefoot::{InstructionSet, selftest};

/// The version, with what decides what the program can do and which bits it gives.
pub fn long() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let all = [("gpu", cfg!(feature = "gpu")), ("parquet", cfg!(feature = "parquet"))];
        let there: Vec<&str> = all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect();
        let features = if there.is_empty() { "none".into() } else { there.join(", ") };
        format!(
            "{}\nfeatures: {features}\ninstruction set: {}\ndigest of bits: {:016x} (`surefoot check --bits` computes it)",
            env!("CARGO_PKG_VERSION"),
            InstructionSet::current().name(),
            selftest::EXPECTED,
        )
    });
    &TEXT
}
