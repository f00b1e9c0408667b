//! Guard: which changes a reply may make. `admit` is the only maker of `Admitted`, the only thing `git/tree` writes.
//!
//! Three classes of paths. *Deny*: memory, settings, git's own, CI, agent and editor files; nothing lifts it. *Hold*:
//! build and test configuration, scripts that checks run, lock files, and weakening existing tests; a person decides, or
//! `paths.allow`. All else is allowed. A file that does not exist yet is judged like one that does. Judges changes only;
//! reads no reply.

pub(crate) mod classes;
pub(crate) mod patterns;
pub(crate) mod scripts;
mod tally;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::{
    edit::refusal::{Item, Reason, Refusal},
    path::{self, RepoPath},
    settings::{Check, Paths},
    snapshot::{Change, Changes, Mode, Snapshot, read_path},
};

/// What replies may touch: the built-in classes and the user's patterns.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    deny: Vec<String>,
    hold: Vec<String>,
    allow: Vec<String>,
    /// What the checks run.
    scripts: Vec<String>,
}

/// A change that nobody can approve.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Denied {
    /// The path.
    pub path: RepoPath,
    /// The rule, lower case, no full stop.
    pub why: String,
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Item::new(&denied.path.to_string(), Reason::Denied, denied.why).into()
    }
}

/// A change that waits for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The path.
    pub path: RepoPath,
    /// The rule, lower case, no full stop.
    pub why: String,
}

/// Changes that passed the guard. Only `admit` makes them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    changes: Changes,
    held: Vec<Held>,
}

impl Admitted {
    /// Returns the changes.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Returns what a person must approve before it lands; empty for most.
    pub fn held(&self) -> &[Held] {
        &self.held
    }
}

/// Counts the tests that `new` has and `old` has not, both contents of `path`, by the words that its language uses for
/// them, and by their names where those can be read.
pub fn tests_added(path: &RepoPath, old: &[u8], new: &[u8]) -> usize {
    let Some(path) = path.as_str().map(folded) else {
        return 0;
    };
    let more = tally::of(&path, new).tests.saturating_sub(tally::of(&path, old).tests);
    let (before, after) = (tally::names(&path, old), tally::names(&path, new));
    more.max(after.difference(&before).count())
}

/// What the classes say of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Deny(&'static str),
    Hold(&'static str),
    Allow,
}

impl Policy {
    /// Makes the policy from `[paths]` and from what the commands of `[check]` run. Patterns: `dir/` means everything below,
    /// `*` any run of characters, anything else the whole path; letter case does not count.
    pub fn new(paths: &Paths, check: &Check) -> Self {
        let patterns = |patterns: &[String]| {
            patterns
                .iter()
                .map(|pattern| folded(pattern.trim_start_matches("./")))
                .collect()
        };
        let commands = [&check.setup, &check.lint, &check.test].into_iter().flatten();
        let commands = commands.chain(&check.test_file);
        let scripts: Vec<String> = commands.flat_map(|command| scripts::of(command)).collect();
        Self {
            scripts: patterns(&scripts),
            deny: patterns(&paths.deny),
            hold: patterns(&paths.hold),
            allow: patterns(&paths.allow),
        }
    }

    /// Says why no reply may touch `path`, whatever a person approves.
    pub fn denies(&self, path: &RepoPath) -> Option<&'static str> {
        match self.class(path) {
            Class::Deny(why) => Some(why),
            Class::Hold(_) | Class::Allow => None,
        }
    }

    fn class(&self, path: &RepoPath) -> Class {
        let Some(text) = path.as_str() else {
            return Class::Deny("its name is not UTF-8, so no rule can be checked");
        };
        let path = folded(text);
        let says = |patterns: &[String]| patterns.iter().any(|pattern| patterns::matches(pattern, &path));
        if let Some(why) = classes::denied(&path) {
            return Class::Deny(why);
        }
        if says(&self.deny) {
            return Class::Deny("`paths.deny` says that no reply may touch it");
        }
        if says(&self.allow) {
            return Class::Allow;
        }
        if says(&self.hold) {
            return Class::Hold("`paths.hold` says that a person decides");
        }
        if self.scripts.contains(&path) {
            return Class::Hold("a command of `[check]` runs it");
        }
        classes::held(&path).map_or(Class::Allow, Class::Hold)
    }

    fn allows(&self, path: &RepoPath) -> bool {
        let path = path.as_str().map(folded).unwrap_or_default();
        self.allow.iter().any(|pattern| patterns::matches(pattern, &path))
    }
}

/// Folds every name of a path; the slashes stay.
fn folded(text: &str) -> String {
    let names: Vec<String> = text.split('/').map(path::fold).collect();
    names.join("/")
}

/// True for files that hold tests, by name or folder.
pub fn is_test_file(path: &RepoPath) -> bool {
    path.as_str().is_some_and(|path| classes::is_test(&folded(path)))
}

/// Judges `changes` to `base`.
///
/// # Errors
/// Returns the first change that no reply may make.
pub fn admit(changes: Changes, base: &dyn Snapshot, policy: &Policy) -> Result<Admitted, Denied> {
    let mut held = Vec::new();
    for (path, change) in &changes {
        let deny = |why: &str| Denied {
            path: path.clone(),
            why: why.to_owned(),
        };
        let class = policy.class(path);
        if let Class::Deny(why) = class {
            return Err(deny(why));
        }
        if let Some(why) = unfit(path, change, base, policy) {
            return Err(deny(&why));
        }
        let why = match class {
            Class::Hold(why) => Some(why.to_owned()),
            Class::Allow | Class::Deny(_) if policy.allows(path) => None,
            Class::Allow | Class::Deny(_) => weakened(path, change, base).map_err(|why| deny(&why))?,
        };
        held.extend(why.map(|why| Held {
            path: path.clone(),
            why,
        }));
    }
    refuse_twins(&changes, base)?;
    Ok(Admitted { changes, held })
}

/// Says what is wrong with a change whatever its path's class: other repositories, and links that lead out.
fn unfit(path: &RepoPath, change: &Change, base: &dyn Snapshot, policy: &Policy) -> Option<String> {
    match base.entry(path) {
        Err(error) => return Some(format!("cannot be read: {error}")),
        Ok(Some(entry)) if entry.mode == Mode::Submodule => {
            return Some("it is a submodule, another repository".to_owned());
        }
        Ok(_) => {}
    }
    match change {
        Change::Write {
            mode: Mode::Submodule, ..
        } => Some("a reply cannot make a submodule".to_owned()),
        Change::Write {
            content,
            mode: Mode::Symlink,
        } => {
            let Some(target) = link_target(path, content) else {
                return Some("the symlink leads out of the repository".to_owned());
            };
            match policy.class(&target) {
                Class::Deny(why) => Some(format!("the symlink leads to {target}: {why}")),
                Class::Hold(_) | Class::Allow => None,
            }
        }
        Change::Write { .. } | Change::Delete => None,
    }
}

/// Returns what a symlink at `link` points to, if that surely lies inside. `..` may stand in front only: behind a name,
/// which may itself be a symlink, nobody can tell where it leads.
fn link_target(link: &RepoPath, target: &[u8]) -> Option<RepoPath> {
    let mut folder: Vec<&[u8]> = link.names().collect();
    folder.pop();
    let target = target.strip_suffix(b"/").unwrap_or(target);
    let names: Vec<&[u8]> = target.split(|b| *b == b'/').filter(|name| *name != b".").collect();
    let ups = names.iter().take_while(|name| **name == b"..").count();
    folder.truncate(folder.len().checked_sub(ups)?);
    folder.extend(names.get(ups..)?);
    RepoPath::parse(folder.join(&b'/'))
        .ok()
        .filter(|_| !target.starts_with(b"/"))
}

/// Says how a change weakens existing tests.
fn weakened(path: &RepoPath, change: &Change, base: &dyn Snapshot) -> Result<Option<String>, String> {
    let folded = path.as_str().map(folded).unwrap_or_default();
    let Some(old) = read_path(base, path).map_err(|error| format!("cannot be read: {error}"))? else {
        return Ok(None);
    };
    let new: &[u8] = match change {
        Change::Write {
            content,
            mode: Mode::File | Mode::Executable,
        } => content,
        Change::Write { .. } | Change::Delete => b"",
    };
    let (before, after) = (tally::of(&folded, &old), tally::of(&folded, new));
    if *change == Change::Delete && (classes::is_test(&folded) || before.tests > 0) {
        return Ok(Some("it deletes a file of tests".to_owned()));
    }
    let kept = tally::names(&folded, new);
    let lost = || {
        tally::names(&folded, &old)
            .into_iter()
            .find(|name| !kept.contains(name))
    };
    let weaker = after.weaker_than(before);
    Ok(weaker.or_else(|| Some(format!("it has no test `{}` any more", lost()?))))
}

/// Refuses a new name that a file system without letter case would take for another one.
fn refuse_twins(changes: &Changes, base: &dyn Snapshot) -> Result<(), Denied> {
    let mut names: HashMap<String, RepoPath> = HashMap::new();
    for (path, change) in changes {
        let is_new = *change != Change::Delete && matches!(base.entry(path), Ok(None));
        let chain = std::iter::once(path.clone()).chain(path.parents());
        for name in chain.take_while(|_| is_new) {
            let other = names
                .entry(folded(name.as_str().unwrap_or_default()))
                .or_insert_with(|| name.clone());
            refuse_twin(path, &name, other)?;
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let listing = base.listing().map_err(|error| Denied {
        path: changes
            .keys()
            .next()
            .cloned()
            .unwrap_or_else(|| RepoPath::from_git(b".")),
        why: format!("cannot be told from other names: {error}"),
    })?;
    let mut folder: Option<RepoPath> = None;
    for (path, _) in listing
        .iter()
        .filter(|(path, _)| changes.get(path) != Some(&Change::Delete))
    {
        let parent = path.parents().next();
        let known = parent == folder;
        let above = path.parents().take_while(|_| !known);
        for name in std::iter::once(path.clone()).chain(above) {
            if let Some(new) = names.get(&folded(name.as_str().unwrap_or_default())) {
                refuse_twin(new, new, &name)?;
            }
        }
        folder = parent;
    }
    Ok(())
}

fn refuse_twin(path: &RepoPath, name: &RepoPath, other: &RepoPath) -> Result<(), Denied> {
    if name == other {
        return Ok(());
    }
    let why = format!("`{name}` and `{other}` are one name where letter case does not count");
    let path = path.clone();
    Err(Denied { path, why })
}
