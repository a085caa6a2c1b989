//! `surefoot export`

use std::path::Path;

use anyhow::Context;
use surefoot::Model;
use surefoot::files::write_atomically;

use crate::arguments::Export;
use crate::output::{Ending, keep_inputs, print_line};

pub fn run(arguments: &Export) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?;
    let file_name = arguments.model.file_name().unwrap_or(arguments.model.as_os_str()).to_string_lossy();
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => Path::new(&*file_name).with_extension(arguments.to.extension()),
    };
    keep_inputs(&out, &[&arguments.model])?;
    let bytes = surefoot_export::export(&model, arguments.to, &file_name)
        .with_context(|| format!("cannot write {} as {}", arguments.model.display(), arguments.to.name()))?;
    write_atomically(&out, &bytes)?;
    print_line(format_args!("{}    {}", arguments.to.name(), out.display()))?;
    Ok(Ending::Success)
}
