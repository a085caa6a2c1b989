//! Packed files: gzip, bzip2, xz, Zstandard, and archives with one file.

use std::io::{self, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use zip::read::ZipFile;

use crate::format::Format;
use crate::idx::{LARGEST_RATIO, SMALL};

/// Memory that an xz file may ask for, in KiB.
const XZ_MEMORY: u32 = 1 << 18;

/// The bytes that are packed in others, unless the format is none that packs; of a file of this size only so many.
pub(crate) fn unpacked<'a>(format: Format, bytes: Box<dyn Read + 'a>, size: u64) -> io::Result<Box<dyn Read + 'a>> {
    let left = SMALL.saturating_add(LARGEST_RATIO.saturating_mul(size));
    let bytes: Box<dyn Read + 'a> = match format {
        Format::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(bytes))),
        Format::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
        Format::Xz => Box::new(XzReader::new_mem_limit(BufReader::new(bytes), true, XZ_MEMORY)),
        Format::Zstandard => Box::new(StreamingDecoder::new(bytes).map_err(io::Error::other)?),
        _ => return Ok(bytes),
    };
    Ok(Box::new(Limited { bytes, left }))
}

/// Unpacked bytes, of which there may be only so many.
struct Limited<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {LARGEST_RATIO} times its size, as no table does"))
        })?;
        Ok(read)
    }
}

/// A file of an archive.
///
/// # Errors
/// When it unpacks to far more than its size, or cannot be unpacked.
pub(crate) fn unpacked_file<R: Read>(file: &mut ZipFile<'_, R>) -> io::Result<Vec<u8>> {
    let most = SMALL + LARGEST_RATIO * file.compressed_size();
    let mut unpacked = Vec::new();
    file.take(most + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > most {
        return Err(io::Error::other(format!("one that unpacks to more than {LARGEST_RATIO} times its size")));
    }
    Ok(unpacked)
}
