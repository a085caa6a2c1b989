//! What is in a zip archive.

use std::io::Cursor;

use zip::ZipArchive;

use crate::error::{Error, Reason, Result};
use crate::unpack::unpacked_file;
use crate::workbook::Kind;

/// What is in a zip archive.
pub(crate) enum Content {
    /// `.npz`
    Arrays,
    Workbook(Kind),
    /// The only file in it, unpacked.
    File(Vec<u8>),
}

/// Names of files that are no data.
const BESIDE: [&str; 3] = ["__MACOSX/", ".DS_Store", "Thumbs.db"];

/// Finds it by the names of the files in it.
///
/// # Errors
/// [`Error::Format`] for an archive with several files that are none of these, or that is damaged.
pub(crate) fn content(file: &str, bytes: &[u8]) -> Result<Content> {
    let wrong = |expected: &str, got: String| Error::format(file, Reason::Archive, expected, got);
    let damaged = |error: &dyn ToString| wrong("an archive", error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let names = archive.file_names().map(|name| name.map(String::from)).collect::<std::result::Result<Vec<_>, _>>();
    let names = names.map_err(|error| damaged(&error))?;
    let has = |name: &str| names.iter().any(|other| other == name);
    let is_open_document = || has("content.xml") && has("mimetype");
    let kinds =
        [(has("xl/workbook.xml"), Kind::Xlsx), (has("xl/workbook.bin"), Kind::Xlsb), (is_open_document(), Kind::Ods)];
    if let Some((_, kind)) = kinds.into_iter().find(|(is, _)| *is) {
        return Ok(Content::Workbook(kind));
    }
    if has("word/document.xml") || has("ppt/presentation.xml") {
        return Err(wrong("a table", "a document of an office program".into()));
    }
    let is_data = |name: &&String| !name.ends_with('/') && !BESIDE.iter().any(|beside| name.contains(beside));
    let data: Vec<&String> = names.iter().filter(is_data).collect();
    if data.iter().any(|name| name.ends_with(".npy")) {
        return Ok(Content::Arrays);
    }
    let [name] = data[..] else {
        return Err(wrong("an archive with one file", format!("{} files", data.len())));
    };
    let mut entry = archive.by_name(name).map_err(|error| damaged(&error))?;
    Ok(Content::File(unpacked_file(&mut entry).map_err(|error| damaged(&error))?))
}
