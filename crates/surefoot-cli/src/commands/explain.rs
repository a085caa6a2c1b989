//! `surefoot explain`

use anyhow::Context;
use surefoot::Model;
use surefoot::files::write_atomically;
use surefoot_report::Explanation;
use surefoot_table::{Encoding, Part};

use crate::arguments::Explain;
use crate::output::{Ending, count, keep_inputs, print, usage};

pub fn run(arguments: &Explain) -> anyhow::Result<Ending> {
    let model = Model::load(&arguments.model)?.merged()?;
    let table = arguments.table.of(&model).source(&arguments.data, Part::Test).table()?;
    let encoding = Encoding::of_model(&model, &table)?;
    if let Some(out) = &arguments.out {
        keep_inputs(out, &[&arguments.model, std::path::Path::new(&arguments.data)])?;
    }
    let Some(row) = arguments.row.checked_sub(1).filter(|&row| row < table.rows()) else {
        let message = format!("--row {}: {} has {}", arguments.row, table.file(), count(table.rows(), "row"));
        return Err(usage(message, "rows count from 1, without the header"));
    };
    let explanation = Explanation::new(&model, &table, &encoding, row)
        .with_context(|| format!("cannot explain row {} of {}", arguments.row, table.file()))?;
    print(explanation.text())?;
    if let Some(out) = &arguments.out {
        write_atomically(out, explanation.page().as_str().as_bytes())?;
        print(format_args!("\npage       {}\n", out.display()))?;
    }
    Ok(Ending::Success)
}
