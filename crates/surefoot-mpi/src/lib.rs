//! The processes of an MPI job, which train together with the bits of one process.
//!
//! [`Mpi::start`] opens the MPI library that the launcher belongs to and joins the job; the result is a [`surefoot::Ranks`], which a
//! `surefoot::Problem` takes. Without that call no library is loaded.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod calls;
mod launcher;

use std::ffi::c_int;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use surefoot::{Error as Failure, Ranks};

use self::calls::{Calls, Opened};
use self::launcher::Launcher;

/// Why a job cannot be joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The process was not started by a launcher that is known.
    #[error("MPI: expected to be started by mpirun, mpiexec or srun, but nothing in the environment says so")]
    NoLauncher,
    /// No library could be opened.
    #[error("MPI: no library for {launcher} could be opened: {reason}")]
    NoLibrary {
        /// What has started this process.
        launcher: &'static str,
        /// Why the first that was tried could not.
        reason: String,
    },
    /// The library does not know the processes that the launcher has started, so it belongs to another launcher.
    #[error("MPI: {launcher} has started {expected} processes, but {version} knows {got}: they do not belong together")]
    OtherLauncher {
        /// What has started this process.
        launcher: &'static str,
        /// The processes that it started.
        expected: usize,
        /// The processes that the library knows.
        got: usize,
        /// The library.
        version: String,
    },
    /// The library allows calls from its first thread only.
    #[error("MPI: {version} was built without support for threads (MPI_THREAD_SERIALIZED)")]
    NoThreads {
        /// The library.
        version: String,
    },
}

impl Error {
    /// What the person who sees the error can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::NoLauncher => {
                "start it as `mpirun -n 4 surefoot …` or `srun --mpi=pmix surefoot …` (pmi2 with MPICH), or omit --distributed"
            }
            Error::NoLibrary { .. } => {
                "install the MPI library that the launcher belongs to, or name it: --distributed mpi:/path/to/libmpi.so"
            }
            Error::OtherLauncher { .. } => {
                "use the mpirun of that library, or name another: --distributed mpi:/path/to/libmpi.so"
            }
            Error::NoThreads { .. } => "use another build of it",
        }
    }
}

/// The number of this process in its job, from 0, by the environment alone; `None` where nothing says that it is in one.
pub fn rank_of_environment() -> Option<usize> {
    Launcher::find(|name| std::env::var(name).ok()).map(|launcher| launcher.rank)
}

/// This process in its job. Dropping it ends MPI, for which all processes wait for each other.
pub struct Mpi {
    /// Called by one thread at a time.
    calls: Mutex<Box<dyn Calls>>,
    version: String,
    rank: usize,
    size: usize,
    machines: Vec<String>,
}

impl Mpi {
    /// Joins the job that this process was started in, by this library or by that of its launcher. Once in a process.
    ///
    /// # Errors
    /// When there is no launcher or no library for it, or they do not belong together.
    pub fn start(library: Option<&Path>) -> Result<Mpi, Error> {
        let launcher = Launcher::find(|name| std::env::var(name).ok()).ok_or(Error::NoLauncher)?;
        let libraries = match library {
            Some(path) => vec![PathBuf::from(path)],
            None => launcher.libraries.iter().map(PathBuf::from).collect(),
        };
        let mut opened = libraries.iter().map(|path| calls::open(path));
        let first = opened.next().unwrap_or_else(|| Err("none is named".into()));
        let Opened { calls, version } = first
            .or_else(|reason| opened.find_map(Result::ok).ok_or(reason))
            .map_err(|reason| Error::NoLibrary { launcher: launcher.name, reason })?;
        let may_change_threads = calls.init();
        let (rank, size) = (calls.rank(), calls.size());
        let mut mpi = Mpi { calls: Mutex::new(calls), version, rank, size, machines: Vec::new() };
        let version = || mpi.version.clone();
        if size != launcher.size {
            let (launcher, expected) = (launcher.name, launcher.size);
            return Err(Error::OtherLauncher { launcher, expected, got: size, version: version() });
        }
        if !may_change_threads {
            return Err(Error::NoThreads { version: version() });
        }
        let machine = mpi.calls().machine();
        let machines = mpi.gather(machine.as_bytes()).unwrap_or_default();
        mpi.machines = machines.iter().map(|name| String::from_utf8_lossy(name).into()).collect();
        Ok(mpi)
    }

    /// The library, as `Open MPI v4.1.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The machine of each process.
    pub fn machines(&self) -> &[String] {
        &self.machines
    }

    /// The processes on this machine.
    pub fn beside(&self) -> usize {
        let here = self.machines.get(self.rank);
        self.machines.iter().filter(|machine| Some(*machine) == here).count().max(1)
    }

    /// Ends all processes of the job, with this status.
    pub fn abort(&self, status: u8) -> ! {
        self.calls().abort(status.into());
        std::process::exit(status.into())
    }

    /// MPI's own sum of each number over the processes, whose order is the library's: for comparisons.
    pub fn all_reduce(&self, numbers: &mut [f32]) {
        self.calls().all_reduce(numbers);
    }

    fn calls(&self) -> MutexGuard<'_, Box<dyn Calls>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        self.calls().finalize();
    }
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mpi { version, rank, size, .. } = self;
        f.debug_struct("Mpi").field("version", version).field("rank", rank).field("size", size).finish_non_exhaustive()
    }
}

/// The numbers of bytes as MPI takes them, with the places where they begin.
fn counts(lengths: &[usize]) -> Result<[Vec<c_int>; 2], Failure> {
    let too_long = |_| Failure::Ranks { what: "a message between processes is longer than 2 GiB".into() };
    let (mut counts, mut starts, mut next) = (Vec::new(), Vec::new(), 0);
    for &length in lengths {
        counts.push(c_int::try_from(length).map_err(too_long)?);
        starts.push(c_int::try_from(next).map_err(too_long)?);
        next += length;
    }
    c_int::try_from(next).map_err(too_long)?;
    Ok([counts, starts])
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(&self, own: &[u8], lengths: &[usize], all: &mut Vec<u8>) -> Result<(), Failure> {
        let [counts, starts] = counts(lengths)?;
        all.resize(lengths.iter().sum(), 0);
        self.calls().all_gather(own, &counts, &starts, all);
        Ok(())
    }

    fn all_to_all(&self, parts: &[u8], to: &[usize], from: &[usize], received: &mut Vec<u8>) -> Result<(), Failure> {
        let ([to, to_starts], [from, from_starts]) = (counts(to)?, counts(from)?);
        received.resize(from.iter().map(|&count| count as usize).sum(), 0);
        self.calls().all_to_all(parts, [&to, &to_starts], [&from, &from_starts], received);
        Ok(())
    }
}
