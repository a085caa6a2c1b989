//! The allocator, and the limit that it keeps to.

#![allow(unsafe_code)] // an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fstatfs, open};
use rustix::mm::{Advice, madvise};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::blocks::Blocks;
use crate::resident::Statistics;

/// Blocks of this size and more may lie in files, and are counted.
const LARGE: usize = 1 << 20;
/// Of the limit so much at most, and never more than half, is left to small blocks and to the pages of files that are in use.
const REST: u64 = 512 << 20;
/// The smallest limit: a program takes tens of megabytes in small blocks.
const LEAST: u64 = 32 << 20;
/// How often it is looked at what is in memory.
const EVERY: Duration = Duration::from_millis(10);
/// How often the system's allocator is asked for what it keeps, at most: it looks through all that it has.
const TRIM_EVERY: Duration = Duration::from_secs(1);
/// What `statfs` calls file systems that are in memory: tmpfs and ramfs.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// In bytes; no limit at first.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);
/// The bytes of large blocks in memory.
static HELD: AtomicU64 = AtomicU64::new(0);
static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks::new());
/// How many there are, so that nobody waits for none.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The last error for which a block could not be in a file; 0 without.
static REFUSED: AtomicI32 = AtomicI32::new(0);

/// The system's allocator, but for large blocks beyond the [`limit`], which lie in files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocator;

/// Keeps the memory of this process to about so many bytes from now on: blocks of a megabyte and more that would exceed it lie in files
/// without names in `folder`. The pages of those leave memory again when it is used up. A program needs some memory in small blocks, which
/// are not limited.
///
/// A child process that is forked without another program shares the blocks in files with its parent.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for less than 32 MiB or a folder that is in memory itself (tmpfs); what opening the folder refuses.
pub fn limit(bytes: u64, folder: &Path) -> io::Result<()> {
    let wrong = |message: String| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    if bytes < LEAST {
        return wrong(format!("expected at least {} MiB of memory, got {bytes} bytes", LEAST >> 20));
    }
    if is_in_memory(folder)? {
        return wrong(format!("{} is in memory itself (tmpfs)", folder.display()));
    }
    blocks().set_folder(open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
    // a file for each block
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
    LIMIT.store(bytes, Relaxed);
    static WATCH: Once = Once::new();
    let statistics = Statistics::open()?;
    WATCH.call_once(|| {
        let name = std::thread::Builder::new().name("memory".into());
        let _ = name.spawn(move || watch(&statistics)); // without it the system alone decides what stays in memory
    });
    Ok(())
}

/// A folder for large temporary files: `TMPDIR` or `/tmp`, or `/var/tmp` where that is in memory.
pub fn folder() -> PathBuf {
    let usual = std::env::temp_dir();
    if is_in_memory(&usual).unwrap_or(true) { "/var/tmp".into() } else { usual }
}

/// The bytes of all blocks that lie in files now.
pub fn in_files() -> u64 {
    blocks().bytes()
}

/// Why a block that should have been in a file is in memory: the disk is full, as a rule.
pub fn refused() -> Option<io::Error> {
    Some(REFUSED.load(Relaxed)).filter(|&error| error != 0).map(io::Error::from_raw_os_error)
}

/// Asks for these numbers, which are read soon, where they lie in a file and are not in memory. It changes nothing.
pub fn read_ahead<T>(numbers: &[T]) {
    if COUNT.load(Relaxed) > 0 {
        let (start, length) = (numbers.as_ptr() as usize, size_of_val(numbers));
        let before = start % rustix::param::page_size();
        // SAFETY: it changes nothing, wherever it is
        let _ = unsafe { madvise((start - before) as *mut _, before + length, Advice::WillNeed) }; // no more than advice
    }
}

fn is_in_memory(folder: &Path) -> io::Result<bool> {
    let kind = fstatfs(open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)?.f_type;
    #[allow(clippy::unnecessary_cast, reason = "another type on other processors")]
    Ok(IN_MEMORY.contains(&(kind as i64)))
}

fn blocks() -> MutexGuard<'static, Blocks> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part of a limit that is not for large blocks in memory.
fn rest(limit: u64) -> u64 {
    REST.min(limit / 2)
}

/// Whether so many bytes more would be too many.
fn is_beyond(more: usize, less: usize) -> bool {
    let limit = LIMIT.load(Relaxed);
    limit < u64::MAX && (HELD.load(Relaxed) + more as u64).saturating_sub(less as u64) > limit - rest(limit)
}

/// Has pages of files leave the memory of the process where it comes near the limit, and what was given up and is kept by the system's
/// allocator: that would be taken from the pages of files that are in use.
fn watch(statistics: &Statistics) {
    let begin = statistics.now().map_or(0, |now| now.of_files); // the program itself
    let mut trimmed = Instant::now();
    loop {
        let is_needed = COUNT.load(Relaxed) > 0;
        std::thread::sleep(if is_needed { EVERY } else { 10 * EVERY });
        if !is_needed {
            continue;
        }
        let limit = LIMIT.load(Relaxed);
        let Some(now) = statistics.now() else { return };
        if now.all <= limit - rest(limit) / 2 {
            continue;
        }
        // files have a quarter of the rest in any case: what is in use would come back at once, and be sent away again
        if now.of_files > begin + rest(limit) / 4 {
            blocks().leave_memory();
        }
        let uncounted = (now.all - now.of_files).saturating_sub(HELD.load(Relaxed));
        if uncounted > rest(limit) / 8 && trimmed.elapsed() > TRIM_EVERY {
            trim();
            trimmed = Instant::now();
        }
    }
}

/// Gives back to the system what its allocator keeps of small blocks that were given up.
#[cfg(target_env = "gnu")]
fn trim() {
    // SAFETY: it may be called at any time, from any thread
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators decide for themselves.
#[cfg(not(target_env = "gnu"))]
fn trim() {}

/// A block of zeros in a file, which may have grown to this size and grow further.
fn in_file(layout: Layout, grows: bool) -> Option<*mut u8> {
    if layout.align() > rustix::param::page_size() {
        return None;
    }
    match blocks().add(layout.size(), grows) {
        Ok(block) => {
            COUNT.fetch_add(1, Relaxed);
            Some(block)
        }
        Err(error) => {
            REFUSED.store(error.raw_os_error(), Relaxed);
            None
        }
    }
}

/// How much of a block in memory is counted.
fn counted(size: usize) -> u64 {
    if size >= LARGE { size as u64 } else { 0 }
}

/// A block of the system's allocator, counted.
///
/// # Safety
/// As `GlobalAlloc::alloc`.
unsafe fn in_memory(layout: Layout, is_zeroed: bool) -> *mut u8 {
    // SAFETY: the caller's
    let block = unsafe { if is_zeroed { System.alloc_zeroed(layout) } else { System.alloc(layout) } };
    if !block.is_null() {
        HELD.fetch_add(counted(layout.size()), Relaxed);
    }
    block
}

/// # Safety
/// As `GlobalAlloc::dealloc`, of a block of the system's allocator.
unsafe fn leave_in_memory(block: *mut u8, layout: Layout) {
    HELD.fetch_sub(counted(layout.size()), Relaxed);
    // SAFETY: the caller's
    unsafe { System.dealloc(block, layout) }
}

/// Takes a block out of its file, if it is in one.
fn leave_file(block: *mut u8) -> bool {
    let was = COUNT.load(Relaxed) > 0 && blocks().remove(block);
    COUNT.fetch_sub(usize::from(was), Relaxed);
    was
}

// SAFETY: each block is the system allocator's, or a map of its own, which begins at a page; which of them it is does not change while
// it lives, but where `realloc` copies it. Nothing panics, and what is allocated within is small, so that it does not come back here.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let large = layout.size() >= LARGE && is_beyond(layout.size(), 0);
        match large.then(|| in_file(layout, false)).flatten() {
            Some(block) => block,
            // SAFETY: the caller's
            None => unsafe { in_memory(layout, false) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let large = layout.size() >= LARGE && is_beyond(layout.size(), 0);
        match large.then(|| in_file(layout, false)).flatten() {
            Some(block) => block,
            // SAFETY: the caller's
            None => unsafe { in_memory(layout, true) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() < LARGE || !leave_file(block) {
            // SAFETY: the caller's
            unsafe { leave_in_memory(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller says that it is a layout with this size
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let is_in_file = layout.size() >= LARGE && COUNT.load(Relaxed) > 0 && blocks().has(block);
        if is_in_file && size >= LARGE {
            let resized = blocks().resize(block, size);
            match resized {
                Ok(block) => return block,
                Err(error) => REFUSED.store(error.raw_os_error(), Relaxed),
            }
        }
        let moved = match is_in_file {
            // SAFETY: the caller's
            true => unsafe { in_memory(new, false) },
            false => {
                let beyond = size >= LARGE && is_beyond(size, counted(layout.size()) as usize);
                match beyond.then(|| in_file(new, size > layout.size())).flatten() {
                    Some(block) => block,
                    None => {
                        // SAFETY: a block of the system's allocator, with the layout that the caller says
                        let block = unsafe { System.realloc(block, layout, size) };
                        if !block.is_null() {
                            HELD.fetch_add(counted(size), Relaxed);
                            HELD.fetch_sub(counted(layout.size()), Relaxed);
                        }
                        return block;
                    }
                }
            }
        };
        if !moved.is_null() {
            // SAFETY: two blocks of at least this length, of which one is new; the old one is given up
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}
