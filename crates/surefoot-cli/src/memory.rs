//! How much memory a command takes: what is beyond it lies in files.

use std::io;

use surefoot_memory::{Allocator, available, folder, limit, refused};

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
            Err(error) if self.memory.is_some() || self.cache.is_some() => {
                let hint = match error.kind() {
                    io::ErrorKind::Unsupported => "omit --memory and --cache",
                    _ => "--memory takes a size such as 2G, --cache a folder on a disk with room for the tables",
                };
                Err(usage(format!("cannot keep to a limit of memory: {error}"), hint))
            }
            _ => Ok(()),
        }
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
