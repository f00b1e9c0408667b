//! Objects that no ref may name yet: a `git gc --prune=now` of the person can take them away until one does.
//!
//! Owns the bytes of what this session wrote lately, so that what is about to be named by a ref can be found missing, and
//! be written again. Holds a bounded amount; of what is beyond it nothing is known here.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gix::objs::{CommitRef, Kind, TreeRefIter, Write as _};

use crate::{
    git::{Repo, objects, oid},
    id::Oid,
};

/// Most bytes that are kept.
const MOST: usize = 32 << 20;

/// What was written lately, shared by the handles of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    order: VecDeque<Oid>,
    objects: HashMap<Oid, (Kind, Vec<u8>)>,
}

impl Kept {
    fn forget(&mut self, id: Oid) {
        if let Some((_, bytes)) = self.objects.remove(&id) {
            self.bytes -= bytes.len();
        }
    }
}

impl Recent {
    /// Keeps what was just written.
    pub(crate) fn wrote(&self, id: Oid, kind: Kind, bytes: &[u8]) {
        if bytes.len() > MOST {
            return;
        }
        let mut kept = self.kept();
        kept.bytes += bytes.len();
        if let Some((_, old)) = kept.objects.insert(id, (kind, bytes.to_vec())) {
            kept.bytes -= old.len();
        }
        kept.order.push_back(id);
        while kept.bytes > MOST {
            let Some(oldest) = kept.order.pop_front() else { break };
            kept.forget(oldest);
        }
    }

    /// Writes again what is gone of `root` and of everything below it that was written lately.
    pub(crate) fn complete(&self, repo: &Repo, root: Oid) -> io::Result<()> {
        let below = self.below(repo, root);
        let loose = |id: &Oid| objects::loose_path(repo, *id).is_some_and(|path| path.exists());
        let not_loose = below.iter().copied().filter(|id| !loose(id));
        for id in objects::missing(repo, not_loose)? {
            let object = self.kept().objects.get(&id).cloned();
            if let Some((kind, bytes)) = object {
                let written = objects::Store(repo).write_buf(kind, &bytes);
                written.map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    /// Forgets `root` and what is below it: a ref names it now.
    pub(crate) fn named(&self, repo: &Repo, root: Oid) {
        let below = self.below(repo, root);
        let mut kept = self.kept();
        for id in &below {
            kept.forget(*id);
        }
        if !below.is_empty() {
            let Kept { order, objects, .. } = &mut *kept;
            order.retain(|id| objects.contains_key(id));
        }
    }

    fn below(&self, repo: &Repo, root: Oid) -> HashSet<Oid> {
        let hash = repo.gix.object_hash();
        let kept = self.kept();
        let (mut found, mut open) = (HashSet::new(), vec![root]);
        while let Some(id) = open.pop() {
            let Some((kind, bytes)) = kept.objects.get(&id) else {
                continue;
            };
            if !found.insert(id) {
                continue;
            }
            match kind {
                Kind::Tree => {
                    let entries = TreeRefIter::from_bytes(bytes, hash).filter_map(Result::ok);
                    open.extend(entries.map(|entry| oid(entry.oid)));
                }
                Kind::Commit => {
                    if let Ok(commit) = CommitRef::from_bytes(bytes, hash) {
                        open.push(oid(&commit.tree()));
                        open.extend(commit.parents().map(|parent| oid(&parent)));
                    }
                }
                Kind::Blob | Kind::Tag => {}
            }
        }
        found
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
