//! `--distributed`: a training on the processes of a job, of which the first speaks and writes for all.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use surefoot::Ranks;
use surefoot_fit::{Error, Events, Input, Options, Plan, Resume, Snapshot, Tables};
use surefoot_mpi::Mpi;

use crate::arguments::Distributed;
use crate::output::{Ending, count, hint, is_broken_pipe, usage, visible};
use crate::refusals::refusal;

/// How long the others wait for the first process when something went wrong: mostly it went wrong there, too, which is to say so.
const FIRST_SPEAKS: Duration = Duration::from_secs(2);

/// How long a launcher may take to read what was said.
const IS_READ: Duration = Duration::from_millis(200);

/// This process in its job.
pub struct Job {
    mpi: Arc<Mpi>,
    /// The processors that each process on this machine may run on, a bit each.
    allowed: Vec<Vec<u8>>,
}

impl Job {
    pub fn join(distributed: &Distributed) -> anyhow::Result<Self> {
        let Distributed::Mpi(library) = distributed;
        let mpi = Mpi::start(library.as_deref()).map_err(|error| usage(error.to_string(), error.hint()))?;
        let here = mpi.machines().get(mpi.rank());
        let all = mpi.gather(&allowed_processors())?.into_iter().zip(mpi.machines());
        let allowed = all.filter(|(_, machine)| Some(*machine) == here).map(|(allowed, _)| allowed).collect();
        Ok(Job { mpi: Arc::new(mpi), allowed })
    }

    /// Whether this is the process that speaks and writes.
    pub fn is_first(&self) -> bool {
        self.mpi.rank() == 0
    }

    pub fn ranks(&self) -> Arc<dyn Ranks> {
        self.mpi.clone()
    }

    /// The threads of this process, where it was not said how many: its part of the processors of its machine.
    pub fn threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        part_of(processors, &self.allowed)
    }

    /// The processes of this job on this machine.
    pub fn beside(&self) -> usize {
        self.mpi.beside()
    }

    /// What the first process knows, told to all.
    pub fn as_the_first(&self, own: bool) -> anyhow::Result<bool> {
        Ok(self.mpi.any(self.is_first() && own)?)
    }

    /// That all processes came so far; an error of any of them is one of all.
    pub fn all<T>(&self, own: anyhow::Result<T>) -> anyhow::Result<T> {
        let said = own.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
        let all = self.mpi.gather(said.as_bytes())?;
        let own = own?;
        match all.iter().position(|said| !said.is_empty()) {
            None => Ok(own),
            Some(rank) => {
                let (machine, said) = (&self.mpi.machines()[rank], String::from_utf8_lossy(&all[rank]));
                Err(usage(
                    format!("rank {rank} on {machine}: {said}"),
                    "every process reads the data: is it there on all machines?",
                ))
            }
        }
    }

    /// Who takes part, in a line.
    pub fn heading(&self, threads: usize) -> String {
        let mut machines = self.mpi.machines().to_vec();
        machines.sort_unstable();
        machines.dedup();
        let many = match machines.len() {
            1 => "1 machine".into(),
            machines => count(machines, "machine"),
        };
        let threads = count(threads, "thread");
        let processes = match self.mpi.size() {
            1 => "1 process".into(),
            size => format!("{size} processes"),
        };
        format!("{processes} on {many} ({}), {threads} each\n", self.mpi.version())
    }

    /// What the processes share, in a line.
    pub fn shares(&self, plan: &Plan) -> String {
        let size = self.mpi.size();
        let idle = |parts: usize| match size.saturating_sub(parts) {
            0 => String::new(),
            1 => "; 1 process has nothing to do".into(),
            idle => format!("; {idle} processes have nothing to do"),
        };
        match (plan.members.len(), plan.training.leaves(plan.rows)) {
            _ if size == 1 => String::new(),
            (0, 1) => format!("the folds are dealt out to the {size} processes\n"),
            (0, leaves) => {
                format!("the {leaves} leaves of a batch are shared by the {size} processes{}\n", idle(leaves))
            }
            (networks, _) => {
                format!("the {networks} networks are dealt out to the {size} processes{}\n", idle(networks))
            }
        }
    }

    /// The fit in a process that is not the first: it says nothing and writes nothing. With checkpoints it listens to signals, of which
    /// all processes then learn.
    pub fn follow(
        &self,
        options: &Options,
        tables: &Tables,
        resume: Option<Resume>,
        is_kept: bool,
    ) -> anyhow::Result<Ending> {
        let signal = Arc::new(AtomicBool::new(false));
        for kind in [SIGINT, SIGTERM].into_iter().filter(|_| is_kept) {
            signal_hook::flag::register_conditional_shutdown(kind, 130, Arc::clone(&signal))?;
            signal_hook::flag::register(kind, Arc::clone(&signal))?;
        }
        let mut following = Following { signal: is_kept.then_some(signal), ranks: self.ranks() };
        let outcome = match resume {
            None => surefoot_fit::fit(options, Input::Tables(tables), &mut following),
            Some(resume) => surefoot_fit::resume(options, Input::Tables(tables), &mut following, resume),
        };
        match outcome {
            Ok(outcome) if outcome.is_finite() => Ok(Ending::Success),
            Ok(_) | Err(Error::Gradient { .. } | Error::Diverged { .. }) => Ok(Ending::Failed),
            Err(Error::Interrupted) => Ok(Ending::Interrupted),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Ends the job. An error of one process ends all of them, as the others may wait for it.
    pub fn end(self, ending: anyhow::Result<Ending>) -> anyhow::Result<Ending> {
        let Err(error) = ending else { return ending };
        if is_broken_pipe(&error) {
            self.mpi.abort(2);
        }
        let whose = if self.is_first() {
            String::new()
        } else {
            std::thread::sleep(FIRST_SPEAKS);
            format!("rank {} on {}: ", self.mpi.rank(), self.mpi.machines()[self.mpi.rank()])
        };
        // in one piece, and before the job ends: what the launcher has not read by then is lost
        let said = format!("error: {whose}{error:#}\nhint: {}\n", hint(&error));
        eprint!("{}", visible(&said));
        std::thread::sleep(IS_READ);
        self.mpi.abort(2)
    }
}

/// The processors that this process may run on, a bit each; nothing where the system does not say.
fn allowed_processors() -> Vec<u8> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:")).unwrap_or_default();
    mask.chars().filter_map(|digit| digit.to_digit(16)?.try_into().ok()).collect()
}

/// How many of the processors that a process may use are its own, by those that it and the others on its machine may run on: where a
/// launcher binds each process to its own, as Slurm and Open MPI do, all of them; where nothing is bound, an even share.
fn part_of(processors: usize, allowed: &[Vec<u8>]) -> usize {
    let count = |mask: &[u8]| mask.iter().map(|bits| bits.count_ones() as usize).sum::<usize>();
    let longest = allowed.iter().map(Vec::len).max().unwrap_or(0);
    let together: Vec<u8> =
        (0..longest).map(|i| allowed.iter().filter_map(|mask| mask.get(i)).fold(0, |all, bits| all | bits)).collect();
    match allowed.iter().map(|mask| count(mask)).sum() {
        0 => processors / allowed.len().max(1),
        all => processors * count(&together) / all,
    }
    .max(1)
}

/// Sees a fit that another process speaks for.
struct Following {
    /// Set by a signal, where the fit is kept.
    signal: Option<Arc<AtomicBool>>,
    ranks: Arc<dyn Ranks>,
}

impl Events for Following {
    fn keeps_checkpoints(&self) -> bool {
        self.signal.is_some()
    }

    fn ranks(&self) -> Option<Arc<dyn Ranks>> {
        Some(self.ranks.clone())
    }

    fn step(&mut self, snapshot: &Snapshot<'_>) -> ControlFlow<()> {
        let is_interrupted = self.signal.as_ref().is_some_and(|signal| signal.load(Ordering::Relaxed));
        match is_interrupted && !snapshot.is_first() && !snapshot.is_last() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_processors_that_it_is_bound_to_or_an_even_share() {
        let [low, high, all] = [vec![0, 0xf], vec![0xf, 0], vec![0xf, 0xf]];
        assert_eq!(part_of(8, std::slice::from_ref(&all)), 8);
        assert_eq!(part_of(8, &[all.clone(), all.clone()]), 4, "nothing is bound");
        assert_eq!(part_of(4, &[low.clone(), high.clone()]), 4, "each has its own");
        assert_eq!(part_of(4, &[low.clone(), low.clone(), high.clone(), high]), 2, "two have one half");
        assert_eq!(part_of(2, &[low.clone(), low]), 1, "a container gives both of them two processors' time of four");
        assert_eq!(part_of(8, &[vec![], vec![]]), 4, "the system does not say");
        assert_eq!(part_of(1, &[all.clone(), all.clone(), all]), 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_says_which_processors_are_allowed() {
        let count: u32 = allowed_processors().iter().map(|bits| bits.count_ones()).sum();
        assert!(count as usize >= std::thread::available_parallelism().unwrap().get());
    }
}
