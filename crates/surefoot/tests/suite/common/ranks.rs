//! Ranks as threads of one process, for tests.

use std::sync::{Arc, Barrier, Mutex};

use surefoot::{Error, Ranks, Threads};

/// One of several threads that take the place of processes.
#[derive(Clone, Debug)]
pub struct LocalRank {
    rank: usize,
    place: Arc<Place>,
    /// The bytes that this rank gave to others.
    sent: Arc<Mutex<usize>>,
}

/// Where they meet.
#[derive(Debug)]
struct Place {
    barrier: Barrier,
    given: Vec<Mutex<Vec<u8>>>,
}

impl LocalRank {
    pub fn sent(&self) -> usize {
        *self.sent.lock().unwrap()
    }

    /// Gives bytes, and looks at those of all.
    fn meet(&self, own: &[u8], look: impl FnOnce(&[Mutex<Vec<u8>>])) {
        *self.place.given[self.rank].lock().unwrap() = own.to_vec();
        self.place.barrier.wait();
        look(&self.place.given);
        self.place.barrier.wait();
    }
}

impl Ranks for LocalRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.place.given.len()
    }

    fn all_gather(&self, own: &[u8], lengths: &[usize], all: &mut Vec<u8>) -> Result<(), Error> {
        // a ring or a tree sends them once for each other rank at most
        *self.sent.lock().unwrap() += own.len() * (self.size() - 1);
        self.meet(own, |given| {
            *all = given.iter().flat_map(|bytes| bytes.lock().unwrap().clone()).collect();
            let got: Vec<usize> = given.iter().map(|bytes| bytes.lock().unwrap().len()).collect();
            assert_eq!(got, lengths);
        });
        Ok(())
    }

    fn all_to_all(&self, parts: &[u8], to: &[usize], from: &[usize], received: &mut Vec<u8>) -> Result<(), Error> {
        *self.sent.lock().unwrap() += parts.len() - to[self.rank];
        assert_eq!(parts.len(), to.iter().sum::<usize>());
        // each says first how long its parts are
        let mut message: Vec<u8> = to.iter().flat_map(|length| (*length as u64).to_le_bytes()).collect();
        message.extend(parts);
        self.meet(&message, |given| {
            received.clear();
            for (rank, message) in given.iter().enumerate() {
                let message = message.lock().unwrap();
                let (lengths, parts) = message.split_at(8 * self.size());
                let lengths: Vec<usize> =
                    lengths.as_chunks().0.iter().map(|length| u64::from_le_bytes(*length) as usize).collect();
                assert_eq!(lengths[self.rank], from[rank]);
                let start: usize = lengths[..self.rank].iter().sum();
                received.extend(&parts[start..start + lengths[self.rank]]);
            }
        });
        Ok(())
    }
}

/// What each of so many ranks comes to, in their order.
pub fn on_ranks<R: Send>(size: usize, run: impl Fn(&LocalRank) -> R + Sync) -> Vec<R> {
    let given = (0..size).map(|_| Mutex::default()).collect();
    let place = Arc::new(Place { barrier: Barrier::new(size), given });
    let run = &run;
    std::thread::scope(|scope| {
        let start = |rank| {
            let place = place.clone();
            // each with threads of its own, as a process has: it waits for the others
            scope.spawn(move || Threads::new(1).run(|| run(&LocalRank { rank, place, sent: Arc::default() })).unwrap())
        };
        let running: Vec<_> = (0..size).map(start).collect();
        running.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}
