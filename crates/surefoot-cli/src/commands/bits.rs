//! `surefoot check --bits`

use serde_json::json;
use surefoot::selftest;

use crate::output::{Ending, print_line};

pub fn run(as_json: bool) -> anyhow::Result<Ending> {
    let found = selftest::run()?;
    for selftest::Bits { instructions, digest } in &found {
        let (digest, passed) = (format!("{digest:016x}"), *digest == selftest::EXPECTED);
        if as_json {
            print_line(json!({"instructions": instructions, "digest": digest, "passed": passed}))?;
        } else {
            let verdict = if passed { "as expected" } else { "different bits" };
            print_line(format_args!("{instructions:<10}{digest}  {verdict}"))?;
        }
    }
    let all_equal = found.iter().all(|bits| bits.digest == selftest::EXPECTED);
    Ok(if all_equal { Ending::Success } else { Ending::Failed })
}
