//! Work shared between the threads of the rayon pool that a call comes from, without the pause that waking a thread takes.
//!
//! A thread of rayon's that finds nothing to do goes to sleep after some microseconds, and waking it takes longer than
//! most steps of training have. So the waiting here is done awake, for a while.

use std::cell::Cell;
use std::hint::spin_loop;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use crate::error::{Error, Result};

thread_local! {
    /// Whether this thread does its work alone, whatever pool there is.
    static IS_ALONE: Cell<bool> = const { Cell::new(false) };
}

/// The threads that share the work.
pub fn count() -> usize {
    if IS_ALONE.get() { 1 } else { rayon::current_num_threads() }
}

/// Does the work on this thread alone: no other is started, none is waited for.
fn alone<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_ALONE.set(self.0);
        }
    }
    let _restore = Restore(IS_ALONE.replace(true));
    work()
}

/// Does both, at the same time if a thread is free.
pub fn both(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if count() == 1 {
        a();
        b();
        return;
    }
    let b_is_done = AtomicBool::new(false);
    rayon::join(
        || {
            a();
            stay_awake_until(&b_is_done);
        },
        || {
            // also if it panics, or the other would wait for ever
            let _done = SetOnDrop(&b_is_done);
            b();
        },
    );
}

/// Does the work for each item, given its index, in as many threads as are free.
pub fn for_each<S: Send>(items: &mut [S], work: &(impl Fn(usize, &mut S) + Sync)) {
    fn from<S: Send>(first: usize, items: &mut [S], work: &(impl Fn(usize, &mut S) + Sync)) {
        match items {
            [] => {}
            [item] => work(first, item),
            _ => {
                let half = items.len().div_ceil(2);
                let (left, right) = items.split_at_mut(half);
                both(|| from(first, left, work), || from(first + half, right, work));
            }
        }
    }
    from(0, items, work);
}

/// Runs a loop of many short pieces of shared work with all threads of the pool kept awake while there is work for them.
pub fn keep_awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if count() == 1 {
        return work();
    }
    // within a scope the work runs in the pool; nobody waits for the others, who may have work of their own
    rayon::scope(|_| {
        let (own, is_done) = (rayon::current_thread_index(), Arc::new(AtomicBool::new(false)));
        let seen_by_others = Arc::clone(&is_done);
        rayon::spawn_broadcast(move |_| {
            if rayon::current_thread_index() != own {
                stay_awake_until(&seen_by_others);
            }
        });
        let _done = SetOnDrop(&is_done);
        work()
    })
}

/// Does the work for each piece of `size` items (the last may be shorter), given its index and what `new` makes once for several.
pub fn for_each_chunk<S: Send, W>(
    items: &mut [S],
    size: usize,
    new: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, usize, &mut [S]) + Sync + Send,
) {
    if count() == 1 {
        let mut own = new();
        return items.chunks_mut(size).enumerate().for_each(|(index, chunk)| work(&mut own, index, chunk));
    }
    items.par_chunks_mut(size).enumerate().for_each_init(new, |own, (index, chunk)| work(own, index, chunk));
}

/// A number of threads to work on. They are started when they are first needed, and end with this value.
///
/// What runs outside of any `Threads` uses the rayon pool that it is called from: the global one, unless the program has
/// others. No number of threads changes a bit of any result.
///
/// One thread is the one that asks: none is started.
///
/// A process that was forked while threads existed has none of them: work would wait for them for ever. Here it starts its own.
///
/// ```
/// use surefoot::{Activation, Dataset, Loss, Network, Problem, Threads, Training, draw_defaults};
/// # use ndarray::array;
/// # let data = Dataset::new(array![[0.0], [1.0]], array![[0.0], [1.0]])?;
/// # let network = Network::new(1, &[(3, Activation::Tanh), (1, Activation::Identity)])?;
/// let problem = Problem::new(&network, Loss::SquaredError, &data);
/// let trained = Threads::new(2).run(|| Training::default().fit(&problem, draw_defaults(&network, 1)))??;
/// # Ok::<(), surefoot::Error>(())
/// ```
#[derive(Debug)]
pub struct Threads {
    count: usize,
    pool: Mutex<Option<Pool>>,
}

/// Threads, and the process that they are of.
#[derive(Clone, Debug)]
struct Pool {
    process: u32,
    threads: Arc<ThreadPool>,
}

impl Threads {
    /// So many; for 0 as many as the processors that this process may use.
    pub fn new(count: usize) -> Self {
        let available = || std::thread::available_parallelism().map_or(1, NonZero::get);
        Threads { count: if count == 0 { available() } else { count }, pool: Mutex::new(None) }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many share the work that is done here.
    pub fn here() -> usize {
        count()
    }

    /// Does the work on these threads, and gives back what it gives.
    ///
    /// # Errors
    /// [`Error::Threads`] when the system does not start them.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R> {
        match self.count {
            1 => Ok(alone(work)),
            _ => Ok(self.pool()?.install(work)),
        }
    }

    /// Runs a loop of many short pieces of shared work, such as the steps of an epoch, with the threads kept awake while there
    /// is work for them. [`Training`](crate::Training) does so by itself; a loop of steps of one's own, with
    /// [`Cost::forward_backward`](crate::Cost::forward_backward), is faster within it.
    ///
    /// ```
    /// assert_eq!(surefoot::Threads::keep_awake(|| 6 * 7), 42);
    /// ```
    pub fn keep_awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        keep_awake(work)
    }

    /// Does the work for each item, given its place, on as many of the threads that this [runs](Self::run) on as are free; outside of any on
    /// this thread alone, so that none is started.
    ///
    /// ```
    /// let mut squares = [0; 5];
    /// surefoot::Threads::for_each(&mut squares, |place, square| *square = place * place);
    /// assert_eq!(squares, [0, 1, 4, 9, 16]);
    /// ```
    pub fn for_each<S: Send>(items: &mut [S], work: impl Fn(usize, &mut S) + Sync) {
        match rayon::current_thread_index() {
            Some(_) => for_each(items, &work),
            None => items.iter_mut().enumerate().for_each(|(place, item)| work(place, item)),
        }
    }

    fn pool(&self) -> Result<Arc<ThreadPool>> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if let Some(pool) = pool.as_ref().filter(|pool| pool.process == process) {
            return Ok(Arc::clone(&pool.threads));
        }
        let started = ThreadPoolBuilder::new().num_threads(self.count).build();
        let threads = started.map_err(|error| Error::Threads { count: self.count, reason: error.to_string() })?;
        let threads = Arc::new(threads);
        // what a process had before it was forked cannot be ended here
        std::mem::forget(pool.replace(Pool { process, threads: Arc::clone(&threads) }));
        Ok(threads)
    }
}

/// How long a thread waits awake at most: longer than any pause between two pieces of work, unless another process has
/// the processor that should do the next; then it would only take away the one that is left.
const AWAKE: Duration = Duration::from_micros(200);

/// Helps with other work until it is so, or until there was none for some time.
fn stay_awake_until(it_is_so: &AtomicBool) {
    let (mut idle, mut since) = (0u32, None);
    while !it_is_so.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(Yield::Executed) {
            (idle, since) = (0, None);
            continue;
        }
        idle += 1;
        if idle.is_multiple_of(64) && since.get_or_insert_with(Instant::now).elapsed() > AWAKE {
            return;
        }
        spin_loop();
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_on_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                keep_awake(|| {
                    for length in 0..20 {
                        let mut items = vec![0; length];
                        for_each(&mut items, &|i, item| *item += i + 1);
                        assert_eq!(items, (1..=length).collect::<Vec<_>>());
                    }
                });
            });
        }
    }

    #[test]
    fn one_thread_is_the_one_that_asks() {
        let here = std::thread::current().id();
        let threads = Threads::new(1);
        threads
            .run(|| {
                assert_eq!((std::thread::current().id(), count()), (here, 1));
                both(
                    || assert_eq!(std::thread::current().id(), here),
                    || assert_eq!(std::thread::current().id(), here),
                );
                for_each_chunk(&mut [0; 9], 2, || (), |(), _, _| assert_eq!(std::thread::current().id(), here));
            })
            .unwrap();
        assert_eq!(count(), rayon::current_num_threads(), "afterwards as before");
        assert!(threads.pool.lock().unwrap().is_none());
    }

    #[test]
    fn a_panic_is_passed_on() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let work = || pool.install(|| keep_awake(|| for_each(&mut [0; 8], &|i, _| assert!(i < 5, "as it should"))));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
    }
}
