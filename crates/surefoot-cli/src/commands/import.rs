//! `surefoot import`

use anyhow::Context;
use surefoot_export::Sequential;

use crate::arguments::Import;
use crate::output::{Ending, keep_inputs, print_line};

pub fn run(arguments: &Import) -> anyhow::Result<Ending> {
    keep_inputs(&arguments.out, &[&arguments.state])?;
    let bytes =
        std::fs::read(&arguments.state).with_context(|| format!("cannot read {}", arguments.state.display()))?;
    let model = Sequential::read(&bytes)
        .and_then(|state| state.into_model(&arguments.activations, &arguments.classes))
        .with_context(|| format!("cannot import {}", arguments.state.display()))?;
    model.save(&arguments.out)?;
    print_line(&model.network)?;
    print_line(format_args!("model    {}", arguments.out.display()))?;
    Ok(Ending::Success)
}
