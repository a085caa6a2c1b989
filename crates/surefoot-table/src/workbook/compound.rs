//! The container of workbooks of Excel until 2003: a file system within a file.

use std::io::{Cursor, Error, ErrorKind, Read, Result, Write};

use cfb::{CompoundFile, Version};

use super::raw::check_old_excel;

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
    check_old_excel(&workbook).map_err(Error::other)?;
    container.create_stream(WORKBOOK[0])?.write_all(&workbook)?;
    container.flush()?;
    Ok(container.into_inner().into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(stream: &str, bytes: &[u8]) -> Vec<u8> {
        let mut container = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
        container.create_stream(stream).unwrap().write_all(bytes).unwrap();
        container.into_inner().into_inner()
    }

    #[test]
    fn a_password_is_named_and_a_workbook_is_kept() {
        let refused = |stream: &str, bytes: &[u8]| written_anew(&container(stream, bytes)).unwrap_err().to_string();
        assert_eq!(refused("/EncryptedPackage", b"?"), "a workbook with a password");
        assert_eq!(refused("/WordDocument", b"?"), "a document without a workbook");
        // records: the beginning, a password, a cell in column 300
        let begin: &[u8] = &[0x09, 0x08, 2, 0, 0, 6];
        let (password, cell): (&[u8], &[u8]) = (&[0x2f, 0, 1, 0, 0], &[0x03, 0x02, 4, 0, 0, 0, 44, 1]);
        assert_eq!(refused("/Book", &[begin, password].concat()), "a workbook with a password");
        assert_eq!(refused("/Book", &[begin, cell].concat()), "a sheet with more columns than there can be");
        let anew = written_anew(&container("/Book", begin)).unwrap();
        assert_eq!(workbook_of(&anew).unwrap(), begin);
    }
}
