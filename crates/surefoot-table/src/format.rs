//! What a file is, by its first bytes; and by its name for people, where it is no table.

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
    /// An archive: arrays of NumPy, a workbook, or a packed file.
    Zip,
    /// A workbook of Excel before 2007.
    OldWorkbook,
    Idx,
    Npy,
    Parquet,
    ArrowFile,
    ArrowStream,
    /// An array of records, or a record in each line.
    Json,
    Text,
    /// None that is read: its name.
    Other(&'static str),
}

/// What a workbook is called.
pub(crate) const WORKBOOK: &str = "a workbook";
/// The bytes that tell.
pub(crate) const START: usize = 512;

impl Format {
    /// Of a file that begins with these bytes.
    pub fn of(start: &[u8]) -> Format {
        const BY_BYTES: [(&[u8], Format); 29] = [
            (&[0x1f, 0x8b], Format::Gzip),
            (b"BZh", Format::Bzip2),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Format::Xz),
            (&[0x28, 0xb5, 0x2f, 0xfd], Format::Zstandard),
            (b"PK\x03\x04", Format::Zip),
            (&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], Format::OldWorkbook),
            (b"\x93NUMPY", Format::Npy),
            (b"PAR1", Format::Parquet),
            (b"ARROW1", Format::ArrowFile),
            (&[0xff, 0xff, 0xff, 0xff], Format::ArrowStream),
            (b"FEA1", Format::Other("a Feather file of version 1")),
            (b"%PDF", Format::Other("a PDF document")),
            (b"SQLite format 3\0", Format::Other("an SQLite database")),
            (&[0x80, 2], Format::Other("a Python pickle")),
            (&[0x80, 3], Format::Other("a Python pickle")),
            (&[0x80, 4], Format::Other("a Python pickle")),
            (&[0x80, 5], Format::Other("a Python pickle")),
            (b"\x89HDF\r\n", Format::Other("an HDF5 file")),
            (b"\x89PNG", Format::Other("a PNG image")),
            (&[0xff, 0xd8, 0xff], Format::Other("a JPEG image")),
            (b"GIF8", Format::Other("a GIF image")),
            (b"7z\xbc\xaf\x27\x1c", Format::Other("a 7-Zip archive")),
            (b"Rar!", Format::Other("a RAR archive")),
            (b"RDX", Format::Other("an R data file")),
            (b"$FL2", Format::Other("an SPSS file")),
            (b"<stata_dta>", Format::Other("a Stata file")),
            (b"MATLAB 5.0", Format::Other("a MATLAB file")),
            (b"{\\rtf", Format::Other("an RTF document")),
            (b"Obj\x01", Format::Other("an Avro file")),
        ];
        if let Some((_, format)) = BY_BYTES.iter().find(|(bytes, _)| start.starts_with(bytes)) {
            return *format;
        }
        if matches!(start, [0, 0, ..]) {
            return Format::Idx;
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        let begins =
            |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()));
        let after = |byte: u8| text.strip_prefix(&[byte]).map(<[u8]>::trim_ascii_start);
        let is_record = |text: &[u8]| matches!(text.first(), Some(b'"' | b'}'));
        if begins("<!doctype html") || begins("<html") {
            Format::Other("a web page")
        } else if begins("<?xml") || begins("<!doctype") {
            Format::Other("an XML document")
        } else if is_arff(text) {
            Format::Other("an ARFF file of Weka")
        } else if after(b'{').is_some_and(is_record)
            || after(b'[')
                .and_then(|rest| rest.strip_prefix(b"{"))
                .is_some_and(|rest| is_record(rest.trim_ascii_start()))
            || after(b'[') == Some(b"]")
        {
            Format::Json
        } else {
            Format::Text
        }
    }
}

impl Format {
    /// For people, of what is read as a whole.
    pub fn name(self) -> &'static str {
        match self {
            Format::OldWorkbook => WORKBOOK,
            Format::Idx => "IDX",
            Format::Npy => "an array of NumPy",
            Format::Parquet => "Parquet",
            Format::ArrowFile | Format::ArrowStream => "Arrow",
            Format::Json => "JSON",
            Format::Other(name) => name,
            _ => "",
        }
    }
}

/// Whether comments with a percent sign are followed by the name of a relation.
fn is_arff(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with(b"%")).unwrap_or_default();
    line.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case(b"@relation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        for (start, format) in [
            (&b"a,b\n1,2\n"[..], Format::Text),
            (b"", Format::Text),
            (b"\x1f\x8b\x08", Format::Gzip),
            (b"{\"a\": 1}\n", Format::Json),
            (b"\xef\xbb\xbf [ {\"a\": 1}]", Format::Json),
            (b"[]", Format::Json),
            (b"{a},b\n", Format::Text),
            (b"[1, 2]\n", Format::Text),
            (b"%PDF-1.7", Format::Other("a PDF document")),
            (b"% comment\n\n@RELATION t\n", Format::Other("an ARFF file of Weka")),
            (b"<!DOCTYPE html>", Format::Other("a web page")),
            (&[0, 0, 8, 3], Format::Idx),
        ] {
            assert_eq!(Format::of(start), format, "{}", String::from_utf8_lossy(start));
        }
    }
}
