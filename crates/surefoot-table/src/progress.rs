//! How far the reading of a source is.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How much of a [`Source`](crate::Source) was read so far: counters that another thread may look at meanwhile.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    bytes: AtomicU64,
    size: AtomicU64,
}

impl Progress {
    /// Rows that were read, to the nearest thousands.
    pub fn rows(&self) -> u64 {
        self.rows.load(Relaxed)
    }

    /// Bytes of files that were read; of a packed file those in the file.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The bytes of all files, 0 where it is not known: standard input, a built-in set.
    pub fn size(&self) -> u64 {
        self.size.load(Relaxed)
    }

    pub(crate) fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Takes up files of this size that are to be read.
    pub(crate) fn add_size(&self, bytes: u64) {
        self.size.fetch_add(bytes, Relaxed);
    }
}

/// Bytes that are counted as they are read.
pub(crate) struct Counted<R> {
    pub inner: R,
    pub progress: Arc<Progress>,
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.progress.add_bytes(read);
        Ok(read)
    }
}
