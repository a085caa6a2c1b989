//! Which files are meant by a folder or a pattern.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use crate::error::{Error, Result};

/// The files of a table that lies in a folder, in the order of their names; none of a folder of the MNIST family.
pub(crate) fn of_folder(folder: &Path) -> Result<Vec<String>> {
    let is_of_mnist = |begin| packed_or_not(folder.join(format!("{begin}-images-idx3-ubyte"))).exists();
    if is_of_mnist("train") || is_of_mnist("t10k") {
        return Ok(Vec::new());
    }
    let io = |source| Error::Io { path: folder.into(), source };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).map_err(io)?;
        let is_hidden = name.to_string_lossy().starts_with(['.', '_']);
        if !is_hidden && path.is_file() {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The files that a pattern such as `parts/*.csv` stands for, in the order of their names; none where it is no pattern, or none match.
pub(crate) fn matching(pattern: &str) -> Result<Vec<String>> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(Vec::new());
    }
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let Ok(paths) = glob_with(pattern, options) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| Error::Io { path: error.path().into(), source: error.into() })?;
        if path.is_file() {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(files)
}

/// The file, or the one with `.gz` more where only that is there.
pub(crate) fn packed_or_not(path: PathBuf) -> PathBuf {
    let mut packed = path.clone().into_os_string();
    packed.push(".gz");
    if !path.exists() && Path::new(&packed).exists() { packed.into() } else { path }
}
