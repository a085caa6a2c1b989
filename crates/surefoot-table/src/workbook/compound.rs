//! The container of workbooks of Excel until 2003: a file system within a file.

use std::io::{Cursor, Error, ErrorKind, Read, Result, Write};

use cfb::{CompoundFile, Version};

use super::raw::columns_are_possible;

/// Where the workbook is, in Excel since 97 and before.
const WORKBOOK: [&str; 2] = ["/Workbook", "/Book"];
/// What a newer workbook with a password is in.
const LOCKED: &str = "/EncryptedPackage";

/// The workbook in a container.
pub fn workbook_of(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut container = CompoundFile::open(Cursor::new(bytes))?;
    if container.exists(LOCKED) {
        return Err(Error::other("a workbook with a password"));
    }
    let Some(path) = WORKBOOK.into_iter().find(|path| container.exists(path)) else {
        return Err(Error::new(ErrorKind::NotFound, "a document without a workbook"));
    };
    let mut workbook = Vec::new();
    container.open_stream(path)?.read_to_end(&mut workbook)?;
    Ok(workbook)
}

/// A container of the same workbook alone. That of a file may be made so that a reader follows its parts in a circle.
pub fn written_anew(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut container = CompoundFile::create_with_version(Version::V3, Cursor::new(Vec::new()))?;
    let workbook = workbook_of(bytes)?;
    if !columns_are_possible(&workbook) {
        return Err(Error::other("a sheet with more columns than there can be"));
    }
    container.create_stream(WORKBOOK[0])?.write_all(&workbook)?;
    container.flush()?;
    Ok(container.into_inner().into_inner())
}
