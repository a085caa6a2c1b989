//! Where the results go: nothing that is read from, and nothing else of value, is written over.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use surefoot::files::check_writable;
use surefoot_fit::{Holdout, Options};
use surefoot_report::is_page;
use surefoot_table::{Part, Source};

use crate::arguments::{Settings, first_and_more};
use crate::output::{keep_inputs, usage};

/// The places of what a training reads and writes.
pub struct Paths {
    /// What is read from.
    inputs: Vec<PathBuf>,
    pub model: PathBuf,
    /// `None`: none is wanted.
    pub report: Option<PathBuf>,
}

impl Paths {
    /// That the results can go there is seen before training, not after.
    pub fn new(settings: &Settings, options: &Options) -> anyhow::Result<Self> {
        let mut inputs: Vec<PathBuf> = settings.data.iter().map(PathBuf::from).collect();
        let folders = settings.data.iter().filter_map(|data| std::fs::read_dir(data).ok());
        inputs.extend(folders.flatten().filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>());
        let (data, more) = first_and_more(&settings.data);
        inputs.extend(Source { more, ..Source::new(data, Part::Training) }.files()?.into_iter().map(PathBuf::from));
        inputs.extend(settings.config.clone());
        inputs.extend(options.target_file.as_ref().map(PathBuf::from));
        for holdout in options.validation.iter().chain(&options.test) {
            if let Holdout::Table(file) = holdout {
                inputs.push(PathBuf::from(file));
            }
        }
        let mut paths = Paths { inputs, model: model(settings), report: None };
        paths.keep_inputs(&paths.model)?;
        check_writable(&paths.model).context("cannot write the model")?;
        paths.report = paths.report(settings)?;
        Ok(paths)
    }

    /// That a result does not take the place of what is read from.
    pub fn keep_inputs(&self, out: &Path) -> anyhow::Result<()> {
        keep_inputs(out, &self.inputs.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    }

    fn report(&self, settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
        const HINT: &str = "--report FILE.html names another file, --report none writes no report";
        let path = match &settings.report {
            Some(path) if path.as_os_str() == "none" => return Ok(None),
            Some(path) => path.clone(),
            None if self.model.extension().is_some_and(|extension| extension == "safetensors") => {
                self.model.with_extension("html")
            }
            None => {
                let mut name = self.model.as_os_str().to_os_string();
                name.push(".html");
                name.into()
            }
        };
        self.keep_inputs(&path)?;
        for (other, what) in [(Some(&*self.model), "model"), (settings.checkpoint.as_deref(), "checkpoint")] {
            let Some(other) = other else { continue };
            if std::path::absolute(&path)? == std::path::absolute(other)? {
                return Err(usage(format!("the report would overwrite the {what}, {}", other.display()), HINT));
            }
        }
        check_writable(&path).context("cannot write the report")?;
        if settings.report.is_none() && path.exists() && !is_report(&path) {
            return Err(usage(format!("{} exists and is not a report", path.display()), HINT));
        }
        Ok(Some(path))
    }
}

fn model(settings: &Settings) -> PathBuf {
    settings.out.clone().unwrap_or_else(|| {
        let mut name = match first_and_more(&settings.data).0 {
            "-" => "model".into(),
            // of a pattern the folder
            data if data.contains(['*', '?']) && !Path::new(data).exists() => {
                Path::new(data).parent().and_then(Path::file_stem).unwrap_or("model".as_ref()).to_os_string()
            }
            data => Path::new(data).file_stem().unwrap_or_default().to_os_string(),
        };
        name.push(".safetensors");
        name.into()
    })
}

/// Whether a file begins as our pages do.
fn is_report(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut start));
    read.is_ok() && is_page(&start)
}
