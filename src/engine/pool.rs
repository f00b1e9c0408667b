//! The pool: the slots that the checks of one process run in, at most so many at a time.
//!
//! A slot is taken for one run of a gate and given back, so that a few warm slots serve many goals. What the queue asks for
//! goes before what a single goal asks for: a landing frees those who wait for it.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    engine::session::Session,
    git::Repo,
    settings::Settings,
    slot::{Slot, lease::Slots},
    snapshot::CodeTree,
    time::{Stop, Stopping},
};

/// How often who waits for a slot looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Returns how many code trees may be checked at a time.
pub fn check_jobs(settings: &Settings) -> usize {
    // Asked at each turn of the queue, and told from files of the system.
    static PROCESSORS: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));
    let asked = settings.check.jobs.and_then(|jobs| usize::try_from(jobs).ok());
    asked.unwrap_or_else(|| PROCESSORS.div_ceil(2))
}

/// Who wants a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// One goal.
    Goal,
    /// The queue.
    Queue,
}

/// The slots of one process.
pub struct Pool {
    root: PathBuf,
    repo_id: String,
    most: usize,
    held: Mutex<Held>,
    freed: Condvar,
    warned: AtomicBool,
}

#[derive(Default)]
struct Held {
    free: Vec<Slot>,
    taken: usize,
    urgent: usize,
}

/// A slot in use; it goes back to its pool when this is dropped.
pub struct Taken {
    slot: Option<Slot>,
    pool: Arc<Pool>,
}

impl Pool {
    /// Makes a pool of at most `most` slots; takes none yet.
    pub fn new(session: &Session, repo: &Repo, most: usize) -> Arc<Self> {
        Arc::new(Self {
            root: session.cache_root(repo),
            repo_id: session.repo_id(repo),
            most: most.max(1),
            held: Mutex::default(),
            freed: Condvar::new(),
            warned: AtomicBool::new(false),
        })
    }

    /// True for who asks first: what must be said once of all checks of this process.
    pub fn is_first(&self) -> bool {
        !self.warned.swap(true, Ordering::Relaxed)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot, one that holds `wanted` if there is one. Waits where all are in use.
    ///
    /// # Errors
    /// When a slot cannot be made ready; `Interrupted` where the run is to stop meanwhile.
    pub fn take(self: &Arc<Self>, wanted: CodeTree, urgency: Urgency, stop: &Stop) -> io::Result<Taken> {
        let mut held = self.held();
        let urgent = urgency == Urgency::Queue;
        held.urgent += usize::from(urgent);
        while held.taken >= self.most || (!urgent && held.urgent > 0) {
            let waited = self.freed.wait_timeout(held, LOOK_EVERY);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
            if stop.stopping() != Stopping::No {
                held.urgent -= usize::from(urgent);
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        held.urgent -= usize::from(urgent);
        held.taken += 1;
        let at = held.free.iter().position(|slot| slot.holds(wanted));
        let free = at.or_else(|| held.free.len().checked_sub(1));
        let slot = free.map(|at| held.free.swap_remove(at));
        drop(held);
        self.freed.notify_all();
        // What is taken is given back, also where making a slot fails.
        let mut taken = Taken {
            slot,
            pool: Arc::clone(self),
        };
        if taken.slot.is_none() {
            taken.slot = Some(Slots::open(&self.root, &self.repo_id)?.lease(Some(wanted))?);
        }
        Ok(taken)
    }
}

impl Taken {
    /// Returns the slot.
    ///
    /// # Errors
    /// Never in practice: a slot is there as long as this lives.
    pub fn slot(&mut self) -> io::Result<&mut Slot> {
        self.slot
            .as_mut()
            .ok_or_else(|| io::Error::other("the slot was given back"))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut held = self.pool.held();
        held.taken = held.taken.saturating_sub(1);
        held.free.extend(self.slot.take());
        drop(held);
        self.pool.freed.notify_all();
    }
}
