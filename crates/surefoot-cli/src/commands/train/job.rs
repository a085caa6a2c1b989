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
}

impl Job {
    pub fn join(distributed: &Distributed) -> anyhow::Result<Self> {
        let Distributed::Mpi(library) = distributed;
        let mpi = Mpi::start(library.as_deref()).map_err(|error| usage(error.to_string(), error.hint()))?;
        Ok(Job { mpi: Arc::new(mpi) })
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
        (processors / self.beside()).max(1)
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
