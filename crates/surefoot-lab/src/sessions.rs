//! The sessions of a lab: few, so that memory is bounded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::session::Session;

/// Sessions at a time.
pub(crate) const MOST: usize = 20;

/// What every request is answered from.
pub(crate) struct State {
    pub sessions: Sessions,
    /// The table that the page offers, as the command was given it.
    pub given: Option<String>,
}

#[derive(Default)]
pub(crate) struct Sessions {
    all: Mutex<BTreeMap<u64, Arc<Session>>>,
    next: AtomicU64,
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session. Where there are as many as can be, the one that was idle for longest goes.
    pub fn add(&self, session: Session) -> Result<(u64, Arc<Session>)> {
        let mut all = self.all();
        if all.len() >= MOST {
            let oldest = all.iter().filter(|(_, session)| session.is_idle()).min_by_key(|(_, session)| session.used());
            match oldest.map(|(id, _)| *id) {
                Some(id) => all.remove(&id),
                None => return Err(Error::Full { most: MOST }),
            };
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(session);
        all.insert(id, Arc::clone(&session));
        Ok((id, session))
    }

    pub fn get(&self, id: u64) -> Result<Arc<Session>> {
        let session = self.all().get(&id).cloned().ok_or(Error::NoSession { id })?;
        session.touch();
        Ok(session)
    }

    pub fn remove(&self, id: u64) {
        self.all().remove(&id);
    }

    pub fn clear(&self) {
        self.all().clear();
    }
}
