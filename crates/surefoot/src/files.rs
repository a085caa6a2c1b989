//! Files that appear whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};

/// Writes a file so that at any moment the old one or the new one is there, whole: a temporary file beside it, flushed
/// to the disk, takes its name; then the folder is flushed.
///
/// What exists and is no regular file (`/dev/stdout`, a pipe) is written to directly.
///
/// # Errors
/// [`Error::Io`] with the system's reason; the file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically_by(path, |file| file.write_all(bytes))
}

/// As [`write_atomically`], of what `write` writes.
///
/// # Errors
/// [`Error::Io`] with the system's reason, or that of `write`.
pub fn write_atomically_by(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    write_beside(path, write).map_err(|error| write_error(path, error))
}

/// Takes away what processes that were killed while they wrote this file have left beside it.
///
/// Nobody else should be writing it: their unfinished file would go, too, and their write fail.
pub fn remove_leftovers(path: &Path) {
    let prefix = temporary_prefix(path);
    let Ok(entries) = folder_of(path).read_dir() else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            // what cannot be removed does no harm
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// That [`write_atomically`] can make its file beside this path, to be asked before long work.
///
/// # Errors
/// [`Error::Io`] with the system's reason.
pub fn check_writable(path: &Path) -> Result<()> {
    let check = || match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(std::io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Ok(()),
        _ => tempfile::tempfile_in(folder_of(path)).map(drop), // without a name, where the system knows such files
    };
    check().map_err(|error| write_error(path, error))
}

/// The system's reason without the name of the temporary file, which means nothing to anyone.
fn write_error(path: &Path, error: std::io::Error) -> Error {
    Error::Io { action: "write", path: path.into(), source: error.kind().into() }
}

fn write_beside(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return write(&mut File::options().write(true).open(path)?);
    }
    // A link is followed, so that the file behind it is replaced and the link stays.
    let path = &path.canonicalize().unwrap_or_else(|_| path.into());
    let mut file = temporary_file_beside(path)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the names of the temporary files of this file begin, short however long its own is.
fn temporary_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".surefoot-{:016x}-", xxh3_64(name.as_encoded_bytes()))
}

fn temporary_file_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let prefix = temporary_prefix(path);
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        // The permissions of an ordinary new file (the system takes the umask off), not those of a private one.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_atomically(&path, b"a long first text").unwrap();
        write_atomically(&path, b"short").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn leftovers_of_this_file_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let left = temporary_file_beside(&path).unwrap().keep().unwrap();
        let other = temporary_file_beside(&folder.path().join("other")).unwrap();
        remove_leftovers(&path);
        assert!(!left.1.exists() && other.path().exists());
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let error = write_atomically(Path::new("/no/such/folder/model"), b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot write /no/such/folder/model");
        assert!(check_writable(Path::new("/no/such/folder/model")).is_err());
        assert!(check_writable(Path::new("/")).is_err());
        let folder = tempfile::tempdir().unwrap();
        assert!(check_writable(&folder.path().join("model")).is_ok());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
