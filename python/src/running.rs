//! Work without the GIL, on a number of threads, that Ctrl-C ends.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use surefoot::{Cancel, Threads};

use crate::errors::of_library;

/// How long a signal waits at most.
const PATIENCE: Duration = Duration::from_millis(50);
/// Multiplications that take far less than a tenth of a second on one thread.
const SHORT: f64 = 2e8;
/// Multiplications that one thread does before another has been asked.
const TINY: f64 = 5e6;

/// The processors that this process may use.
#[pyfunction]
pub fn default_threads() -> usize {
    Threads::new(0).count()
}

/// Does the work, which ends soon once the flag is set. The signals of Python are looked at meanwhile, unless there are so few
/// multiplications that nobody waits for them; one that raises, such as Ctrl-C, sets the flag, and is raised after the
/// work has ended.
pub fn run<R: Send>(
    py: Python<'_>,
    threads: usize,
    multiplications: f64,
    cancel: &Cancel,
    work: impl FnOnce() -> R + Send,
) -> PyResult<R> {
    match run_and_keep(py, threads, multiplications, cancel, work)? {
        (_, Some(interrupt)) => Err(interrupt),
        (result, None) => Ok(result),
    }
}

/// The same, where the result is of use after an interrupt, too.
pub fn run_and_keep<R: Send>(
    py: Python<'_>,
    threads: usize,
    multiplications: f64,
    cancel: &Cancel,
    work: impl FnOnce() -> R + Send,
) -> PyResult<(R, Option<PyErr>)> {
    let threads = of_count(if multiplications < TINY { 1 } else { threads });
    let work = move || catch_unwind(AssertUnwindSafe(|| threads.run(work)));
    let (done, interrupt) = match multiplications < SHORT {
        true => (py.detach(work), None),
        false => watched(py, cancel, work),
    };
    match done {
        Ok(result) => Ok((result.map_err(of_library)?, interrupt)),
        Err(_) => Err(PyRuntimeError::new_err("surefoot failed inside; please report it")),
    }
}

/// Does the work on a thread beside this one, which may be the one that Python gives its signals to.
fn watched<R: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> thread::Result<R> + Send,
) -> (thread::Result<R>, Option<PyErr>) {
    let (is_done, this) = (AtomicBool::new(false), thread::current());
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            is_done.store(true, Ordering::Release);
            this.unpark();
            result
        });
        let mut interrupt = None;
        while !is_done.load(Ordering::Acquire) && !worker.is_finished() {
            py.detach(|| thread::park_timeout(PATIENCE));
            if interrupt.is_none()
                && let Err(error) = py.check_signals()
            {
                cancel.cancel();
                interrupt = Some(error);
            }
        }
        (py.detach(|| worker.join()).and_then(|result| result), interrupt)
    })
}

/// The threads for a number of them, which are kept: starting them takes longer than short work.
fn of_count(count: usize) -> Arc<Threads> {
    static KEPT: Mutex<Option<HashMap<usize, Arc<Threads>>>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_with(HashMap::new);
    Arc::clone(kept.entry(count).or_insert_with(|| Arc::new(Threads::new(count))))
}
