//! What [`threads`](super::threads) does, in a build without them: one piece of work after the other.

/// The threads that share the work.
pub fn count() -> usize {
    1
}

/// Does the first, then the second.
pub fn both(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    a();
    b();
}

/// Does the work for each item, given its index.
pub fn for_each<S: Send>(items: &mut [S], work: &(impl Fn(usize, &mut S) + Sync)) {
    items.iter_mut().enumerate().for_each(|(index, item)| work(index, item));
}

/// Runs the work.
pub fn keep_awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    work()
}

/// Does the work for each piece of `size` items (the last may be shorter), given its index and what `new` makes once for all.
pub fn for_each_chunk<S: Send, W>(
    items: &mut [S],
    size: usize,
    new: impl Fn() -> W + Sync + Send,
    work: impl Fn(&mut W, usize, &mut [S]) + Sync + Send,
) {
    let mut own = new();
    items.chunks_mut(size).enumerate().for_each(|(index, chunk)| work(&mut own, index, chunk));
}
