//! Systems without the calls that this needs.

#![allow(unsafe_code)] // an allocator, which passes all on

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::path::{Path, PathBuf};

/// The system's allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocator;

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Keeps to no limit here.
///
/// # Errors
/// Always: [`io::ErrorKind::Unsupported`].
pub fn limit(_bytes: u64, _folder: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "a limit of memory is kept on Linux only"))
}

/// Where files would be.
pub fn folder() -> PathBuf {
    std::env::temp_dir()
}

/// The bytes that lie in files: none here.
pub fn in_files() -> u64 {
    0
}

/// Why a block that should have been in a file could not be in one: never here.
pub fn refused() -> Option<io::Error> {
    None
}

/// Asks for numbers that are read soon: none lie in files here.
pub fn read_ahead<T>(_numbers: &[T]) {}

/// The memory that this process may use, in bytes: not known here.
pub fn available() -> Option<u64> {
    None
}
