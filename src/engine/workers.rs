//! Workers: the threads of a run. Each goal in hand has one, and so has each check of the queue.
//!
//! Owns starting them and hearing of their ends; which goal is started and what lands is decided elsewhere.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{self, Receiver, Sender},
    thread::Scope,
    time::Duration,
};

use eyre::{Result, eyre};

use crate::{
    check::{Baseline, Failed, Gate, Verified},
    engine::{
        attempt::{self, Ended},
        pool::Urgency,
        worker::Worker,
    },
    id::{CommitId, GoalId},
    snapshot::CodeTree,
};

/// What a gate said of a code tree.
pub type Judged = std::result::Result<Verified, Box<Failed>>;

/// What a thread has to say at its end.
pub enum Note {
    /// An attempt ended.
    Ended(GoalId, Result<Ended>),
    /// A check of the queue ended.
    Judged {
        /// The batch that it was about.
        batch: u64,
        /// How many of its members were merged.
        prefix: usize,
        /// What came of it.
        verdict: Result<Judged>,
    },
}

/// The threads of a run, as long as the scope that they live in.
pub struct Workers<'scope, 'env, 's: 'scope> {
    scope: &'scope Scope<'scope, 'env>,
    sender: Sender<(Note, Option<Box<Worker<'s>>>)>,
    receiver: Receiver<(Note, Option<Box<Worker<'s>>>)>,
    /// Those whose goal ended: their indexes and caches are warm.
    idle: Vec<Box<Worker<'s>>>,
    busy: usize,
}

impl<'scope, 'env, 's: 'scope> Workers<'scope, 'env, 's> {
    /// Makes none yet.
    pub fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            scope,
            sender,
            receiver,
            idle: Vec::new(),
            busy: 0,
        }
    }

    /// Returns how many threads are at work.
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// Starts an attempt at `id` with what `lead` knows now, on the tip or on the candidate `on`.
    pub fn start(&mut self, lead: &Worker<'s>, id: &GoalId, on: Option<CommitId>) {
        let mut worker = self.idle.pop().unwrap_or_else(|| Box::new(lead.beside()));
        worker.take_up(id, lead, on);
        let (sender, id) = (self.sender.clone(), id.clone());
        self.busy += 1;
        self.scope.spawn(move || {
            let ended = caught(|| attempt::work(&mut worker, &id));
            // Nobody listens any more where the run broke off.
            let _ = sender.send((Note::Ended(id, ended), Some(worker)));
        });
    }

    /// Starts a check of `code`, the first `prefix` members of `batch` merged.
    pub fn check(
        &mut self,
        lead: &Worker<'s>,
        (batch, prefix): (u64, usize),
        code: CodeTree,
        (gate, baseline): (Gate, Baseline),
    ) {
        let (session, sender) = (lead.session, self.sender.clone());
        let mut checker = lead.checker.beside(Urgency::Queue);
        self.busy += 1;
        self.scope.spawn(move || {
            let verdict = caught(|| checker.judge(&session.repo(), code, &gate, &baseline));
            let note = Note::Judged { batch, prefix, verdict };
            let _ = sender.send((note, None));
        });
    }

    /// Returns what a thread has to say, if one has within `most`.
    pub fn hear(&mut self, most: Duration) -> Option<Note> {
        let (note, worker) = self.receiver.recv_timeout(most).ok()?;
        self.busy = self.busy.saturating_sub(1);
        self.idle.extend(worker);
        Some(note)
    }
}

/// A fault in one thread must be heard of, else the run would wait for it for ever.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(eyre!("a thread broke off; this is a bug")))
}
