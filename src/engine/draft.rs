//! A draft: what the replies of one attempt have made of its base so far.
//!
//! Owns how replies build on each other, so that an attempt and its replay go the same way. Asks nobody, writes nothing.

use std::io;

use crate::{
    edit::{self, refusal::Refusal},
    guard::{self, Admitted, Policy},
    path::RepoPath,
    reply::{self, Format},
    snapshot::{Change, Changes, CodeTree, Overlay, Snapshot, read_path},
};

/// The work of an attempt, reply by reply.
pub struct Draft {
    /// The code that the attempt began with.
    pub base_code: CodeTree,
    /// All that differs from it now. A reply that is refused leaves it as it was.
    pub total: Changes,
}

/// Why a reply cannot be used.
#[derive(Debug)]
pub struct Unusable {
    /// In one line, for people.
    pub why: String,
    /// What the model is told.
    pub message: String,
}

impl Unusable {
    /// Says the same to people and to the model.
    pub fn of(why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            message: why.clone(),
            why,
        }
    }
}

impl From<Refusal> for Unusable {
    fn from(refusal: Refusal) -> Self {
        Self {
            why: refusal.first_line(),
            message: refusal.to_string(),
        }
    }
}

impl Draft {
    /// Begins with nothing changed.
    pub fn new(base_code: CodeTree) -> Self {
        Self {
            base_code,
            total: Changes::new(),
        }
    }

    /// Takes in a reply that was asked for in `format`, and returns all changes against `base`, which is the code that the
    /// draft began with.
    ///
    /// # Errors
    /// The message for the next round; the draft is as it was.
    pub fn take(
        &mut self,
        (text, format): (&str, Format),
        base: &dyn Snapshot,
        policy: &Policy,
    ) -> Result<Admitted, Unusable> {
        let edits = reply::parse(text, format)?;
        let now = Overlay::new(base, &self.total);
        let changes = edit::apply(&now, &edits)?.changes;
        self.merge(changes, base, policy)
    }

    /// Takes `changes` to what the draft has come to, and returns all changes against `base`.
    ///
    /// # Errors
    /// As `take`.
    pub fn merge(&mut self, changes: Changes, base: &dyn Snapshot, policy: &Policy) -> Result<Admitted, Unusable> {
        let total = self.with(changes, base)?;
        if total.is_empty() {
            return Err(Unusable::of(
                "nothing differs from the base any more; send an edit that changes something",
            ));
        }
        if let Some(path) = blanked(base, &total).map_err(|error| Unusable::of(error.to_string()))? {
            return Err(Unusable::of(format!(
                "{path}: `{BLANK}` stands for a secret that is not shown; leave the lines that have it as they are"
            )));
        }
        let admitted = guard::admit(total.clone(), base, policy).map_err(|denied| Unusable {
            message: format!("{denied}\n\nNothing was applied. Send all blocks again, without this path."),
            why: denied.to_string(),
        })?;
        self.total = total;
        Ok(admitted)
    }

    /// Takes `changes` in that nobody has judged yet: what is in the folder of an executor between two turns.
    ///
    /// # Errors
    /// When the base cannot be read.
    pub fn fold(&mut self, changes: Changes, base: &dyn Snapshot) -> Result<(), Unusable> {
        self.total = self.with(changes, base)?;
        Ok(())
    }

    fn with(&self, changes: Changes, base: &dyn Snapshot) -> Result<Changes, Unusable> {
        let mut total = self.total.clone();
        total.extend(changes);
        drop_unchanged(base, &mut total).map_err(|error| Unusable::of(error.to_string()))?;
        Ok(total)
    }
}

/// What the redactor puts in the place of a secret.
const BLANK: &str = "[redacted]";

/// Returns the first path whose secrets a reply would write over with what it was shown in their place.
fn blanked(base: &dyn Snapshot, total: &Changes) -> io::Result<Option<RepoPath>> {
    let count = |content: &[u8]| String::from_utf8_lossy(content).matches(BLANK).count();
    for (path, change) in total {
        let Change::Write { content, .. } = change else {
            continue;
        };
        let there = count(content);
        if there > 0 && there > read_path(base, path)?.map_or(0, |old| count(&old)) {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// Takes out of `total` what is as in the base.
fn drop_unchanged(base: &dyn Snapshot, total: &mut Changes) -> io::Result<()> {
    let mut same = Vec::new();
    for (path, change) in total.iter() {
        let before = base.entry(path)?;
        let unchanged = match (change, before) {
            (Change::Delete, None) => true,
            (Change::Write { content, mode }, Some(entry)) => entry.mode == *mode && base.read(&entry.id)? == *content,
            _ => false,
        };
        if unchanged {
            same.push(path.clone());
        }
    }
    for path in same {
        total.remove(&path);
    }
    Ok(())
}
