//! How much memory a command takes: what is beyond it lies in files.

use std::io;

use surefoot_memory::{Allocator, available, folder, limit, refused};
use surefoot_table::{Cache, CacheUse};

use crate::arguments::Memory;
use crate::output::usage;

#[global_allocator]
static MEMORY: Allocator = Allocator;

impl Memory {
    /// Has this process keep to the memory that it was given: by default three quarters of what there is, divided by the processes of the same
    /// job on this machine.
    ///
    /// # Errors
    /// What was asked for and cannot be done; a default that cannot be kept is none.
    pub fn keep(&self, processes: usize) -> anyhow::Result<()> {
        let cache = self.cache.clone().unwrap_or_else(folder);
        let share = || available().map(|bytes| bytes / 4 * 3 / processes as u64);
        let Some(bytes) = self.memory.map(|size| size.0).or_else(share) else { return Ok(()) };
        match limit(bytes, &cache) {
            // tables are kept everywhere
            Err(error) if error.kind() == io::ErrorKind::Unsupported && self.memory.is_none() => Ok(()),
            Err(error) if self.memory.is_some() || self.cache.is_some() => {
                let hint = match error.kind() {
                    io::ErrorKind::Unsupported => "omit --memory",
                    _ => "--memory takes a size such as 2G, --cache a folder on a disk with room for the tables",
                };
                Err(usage(format!("cannot keep to a limit of memory: {error}"), hint))
            }
            _ => Ok(()),
        }
    }

    /// Where tables are kept as they were read, if a folder was named for it.
    pub fn kept_tables(&self) -> Option<Cache> {
        self.cache.as_ref().map(Cache::new)
    }

    /// Says where the limit was not kept.
    pub fn tell(&self) {
        if let Some(error) = refused() {
            let cache = self.cache.clone().unwrap_or_else(folder);
            eprintln!(
                "warning: more memory than the limit was used, as a file in {} could not grow: {error}",
                cache.display()
            );
        }
    }
}

/// How much lies in files, in a line; nothing where nothing does.
pub fn in_files() -> String {
    match surefoot_memory::in_files() {
        0 => String::new(),
        bytes => format!(
            "{:.1} GB of the data lie in temporary files, as they are beyond the memory to keep to\n",
            bytes as f64 / 1e9
        ),
    }
}

/// Says which tables were read from a cache, and which are kept in it now; what could not be kept is said in any case.
pub fn tell_uses(cache: Option<&Cache>, quiet: bool) {
    for used in cache.map(Cache::uses).unwrap_or_default() {
        match used {
            CacheUse::Read { data, file } if !quiet => {
                eprintln!("{data} was read from {}, as it has not changed since", file.display());
            }
            CacheUse::Written { data, file } if !quiet => {
                eprintln!("{data} is kept in {} for the next time", file.display());
            }
            CacheUse::NotWritten { data, file, reason } => {
                eprintln!(
                    "warning: {data} is not kept for the next time, as {} cannot be written: {reason}",
                    file.display()
                );
            }
            _ => {}
        }
    }
}
