//! Work shared between the threads of the rayon pool that a call comes from, without the pause that waking a thread takes.
//!
//! A thread of rayon's that finds nothing to do goes to sleep after some microseconds, and waking it takes longer than
//! most steps of training have. So the waiting here is done awake, for a while.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// The threads that share the work.
pub fn count() -> usize {
    rayon::current_num_threads()
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

/// Runs a loop of many short pieces of shared work, such as the steps of an epoch, with all threads of the pool kept
/// awake while there is work for them. [`Training`](crate::Training) does so by itself; a loop of steps of one's own, with
/// [`Cost::backward`](crate::Cost::backward), is faster within it.
///
/// ```
/// assert_eq!(surefoot::keep_awake(|| 6 * 7), 42);
/// ```
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
    fn a_panic_is_passed_on() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let work = || pool.install(|| keep_awake(|| for_each(&mut [0; 8], &|i, _| assert!(i < 5, "as it should"))));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
    }
}
