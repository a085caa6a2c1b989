//! `surefoot datasets`

use surefoot_table::BUILTIN;

use crate::output::{Ending, print_line};

pub fn run() -> anyhow::Result<Ending> {
    for builtin in BUILTIN {
        print_line(format_args!("{:<8}{}\n        source: {}", builtin.name, builtin.about, builtin.source))?;
    }
    Ok(Ending::Success)
}
