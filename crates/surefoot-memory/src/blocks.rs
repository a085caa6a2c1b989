//! Blocks of memory that lie in files.

#![allow(unsafe_code)] // maps of files

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::ptr;

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, fallocate, ftruncate, openat, unlinkat};
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::mm::{Advice, MapFlags, MremapFlags, ProtFlags, madvise, mmap, mremap, munmap};
use rustix::param::page_size;

/// The blocks that lie in files, by their addresses. Nothing here allocates a large block, or it would wait for itself.
pub(crate) struct Blocks {
    /// Where the files are.
    folder: Option<OwnedFd>,
    blocks: BTreeMap<usize, Block>,
    /// For the names of files, where a folder has only files with names.
    count: u64,
}

/// A file without a name that is mapped as a whole.
struct Block {
    file: OwnedFd,
    /// Whole pages.
    length: usize,
}

impl Blocks {
    pub const fn new() -> Self {
        Blocks { folder: None, blocks: BTreeMap::new(), count: 0 }
    }

    /// Has new files made in this folder.
    pub fn set_folder(&mut self, folder: OwnedFd) {
        self.folder = Some(folder);
    }

    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.blocks.values().map(|block| block.length as u64).sum()
    }

    /// A new block of zeros. What grows is written at its end: nothing around a page is read with it then, which would be
    /// zeros, megabytes of them where a system reads far ahead.
    pub fn add(&mut self, size: usize, grows: bool) -> Result<*mut u8> {
        let length = whole_pages(size)?;
        let file = self.new_file()?;
        reserve(&file, 0, length)?;
        // SAFETY: a new map at a place that the system chooses
        let block =
            unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &file, 0)? };
        self.blocks.insert(block as usize, Block { file, length });
        if grows {
            advise(block, length, Advice::Random);
        }
        Ok(block.cast())
    }

    /// Whether it is one of these blocks.
    pub fn has(&self, block: *mut u8) -> bool {
        self.blocks.contains_key(&(block as usize))
    }

    /// Gives a block another size; on an error it stays as it is. What is new is zeros.
    pub fn resize(&mut self, block: *mut u8, size: usize) -> Result<*mut u8> {
        let length = whole_pages(size)?;
        let Block { file, length: before } = self.blocks.get(&(block as usize)).ok_or(Errno::INVAL)?;
        let before = *before;
        if length > before {
            reserve(file, before, length)?;
        }
        // SAFETY: it is mapped with this length, and the caller gives the old address up for the new one
        let moved = unsafe { mremap(block.cast(), before, length, MremapFlags::MAYMOVE)? };
        if let Some(mut entry) = self.blocks.remove(&(block as usize)) {
            if length < before {
                let _ = ftruncate(&entry.file, length as u64); // what is left over takes room on the disk, no more
            }
            entry.length = length;
            self.blocks.insert(moved as usize, entry);
            // a vector that is cut to its length has its end
            advise(moved, length, if length > before { Advice::Random } else { Advice::Normal });
        }
        Ok(moved.cast())
    }

    /// Gives a block back, if it is one of these.
    pub fn remove(&mut self, block: *mut u8) -> bool {
        let Some(Block { length, .. }) = self.blocks.remove(&(block as usize)) else { return false };
        // SAFETY: it is mapped with this length, and nobody uses it any more
        let _ = unsafe { munmap(block.cast(), length) };
        true
    }

    /// Has the pages of all blocks leave the memory of the process. What was written is in the files, from where they come back.
    pub fn leave_memory(&self) {
        for (&block, Block { length, .. }) in &self.blocks {
            advise(block as *mut c_void, *length, Advice::LinuxDontNeed);
        }
    }

    /// A file that nobody else sees, and that is gone when it is closed.
    fn new_file(&mut self) -> Result<OwnedFd> {
        let folder = self.folder.as_ref().ok_or(Errno::NOENT)?;
        let (flags, mode) = (OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        match openat(folder, ".", flags | OFlags::TMPFILE, mode) {
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {}
            opened => return opened,
        }
        self.count += 1;
        let name = format!(".surefoot-{}-{}", std::process::id(), self.count);
        let file = openat(folder, &*name, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
        unlinkat(folder, &*name, AtFlags::empty())?;
        Ok(file)
    }
}

/// Says how the pages of a block are used, or, with `LinuxDontNeed`, that they are not at present: those of a shared map of a file are not lost.
fn advise(block: *mut c_void, length: usize, advice: Advice) {
    // SAFETY: it is mapped with this length, and none of these changes what is read from it
    let _ = unsafe { madvise(block, length, advice) }; // no more than advice
}

/// Makes room on the disk, so that writing to the block cannot fail; where a file system cannot say, it is made when it is written to.
fn reserve(file: &OwnedFd, from: usize, to: usize) -> Result<()> {
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), from as u64, (to - from) as u64)) {
        Err(Errno::OPNOTSUPP) => ftruncate(file, to as u64),
        reserved => reserved,
    }
}

fn whole_pages(size: usize) -> Result<usize> {
    size.checked_next_multiple_of(page_size()).ok_or(Errno::NOMEM)
}
