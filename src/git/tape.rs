//! The attempts ref as a tape: recorded calls, found by key.
//!
//! Owns the order of answers to the same question: by goal, attempt and call. Keeps keys in memory, reads calls when they
//! are asked for.

use std::{collections::HashMap, io};

use crate::{
    git::{GitError, Repo, Result, Shared, attempts, objects},
    id::BlobId,
    transcript::{Exchange, Request, Tape},
};

/// All calls that the attempts ref held when it was opened.
pub struct AttemptsTape {
    shared: Shared,
    calls: Vec<BlobId>,
    by_key: HashMap<String, Vec<BlobId>>,
}

impl AttemptsTape {
    /// Opens the tape of a repository.
    ///
    /// # Errors
    /// When the ref or a record cannot be read.
    pub fn open(shared: Shared) -> Result<Self> {
        let repo = shared.repo();
        let calls = attempts::calls(&repo)?;
        let mut by_key: HashMap<String, Vec<BlobId>> = HashMap::new();
        for id in &calls {
            by_key.entry(read(&repo, *id)?.key()).or_default().push(*id);
        }
        Ok(Self { shared, calls, by_key })
    }

    /// True where nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

impl Tape for AttemptsTape {
    fn find(&self, key: &str) -> io::Result<Vec<Exchange>> {
        let repo = self.shared.repo();
        let found = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
        Ok(found.iter().map(|id| read(&repo, *id)).collect::<Result<_>>()?)
    }

    fn nearest(&self, request: &Request) -> io::Result<Option<Exchange>> {
        let repo = self.shared.repo();
        let mut best: Option<(usize, Exchange)> = None;
        for id in &self.calls {
            let call = read(&repo, *id)?;
            let likeness = request.likeness(&call.request);
            if best.as_ref().is_none_or(|(most, _)| likeness > *most) {
                best = Some((likeness, call));
            }
        }
        Ok(best.map(|(_, call)| call))
    }
}

fn read(repo: &Repo, id: BlobId) -> Result<Exchange> {
    let text = objects::read_blob(repo, id)?;
    serde_json::from_slice(&text).map_err(|error| GitError::of(format!("reading the recorded call {id}"), error))
}
