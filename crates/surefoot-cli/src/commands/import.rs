//! `surefoot import`

use anyhow::Context;
use surefoot_export::Sequential;

use crate::arguments::Import;
use crate::output::{Ending, keep_inputs, print_line, usage};

pub fn run(arguments: &Import) -> anyhow::Result<Ending> {
    keep_inputs(&arguments.out, &[&arguments.state])?;
    if arguments.state.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        let message = format!("{}: expected a regular file", arguments.state.display());
        return Err(usage(message, "save the state with safetensors.torch.save_file"));
    }
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
