//! Remotes: fetching, listing and pushing refs through the git program, with a result for each ref.
//!
//! Every move at a remote is a compare-and-swap. Owns how git is asked and what its answers mean; what is brought where, and
//! what a refusal comes to, is the engine's business.

use std::{path::Path, time::Duration};

use crate::{
    door::env::Env,
    git::{
        GitError, Repo, Result, command,
        locks::{self, Moving},
    },
    id::CommitId,
};

/// Longest time of one conversation. A host that says nothing for long is given up earlier, where git can tell.
const LIMIT: Duration = Duration::from_secs(300);

/// Settings beside those of every call: nothing else travels, nobody is asked, and a host that has gone silent is left.
const QUIETLY: [&str; 18] = [
    // Others of ours hold these for moments, and there may be many.
    "-c",
    "core.packedRefsTimeout=5000",
    "-c",
    "core.filesRefLockTimeout=2000",
    "-c",
    "push.followTags=false",
    "-c",
    "push.recurseSubmodules=no",
    "-c",
    "push.gpgSign=false",
    "-c",
    "maintenance.auto=false",
    "-c",
    "gc.auto=0",
    "-c",
    "http.lowSpeedLimit=1",
    "-c",
    "http.lowSpeedTime=60",
];

/// A remote of this repository, and how to speak to it.
#[derive(Clone)]
pub struct Remote {
    name: String,
    env: Env,
    limit: Duration,
}

/// One ref's part of a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// Its full name, there as here.
    pub name: String,
    /// What it must be there; `None`: not there.
    pub old: Option<CommitId>,
    /// What it becomes; `None`: it goes. The same as `old` only demands that it is so.
    pub new: Option<CommitId>,
}

/// How often it is fetched again where something was in the way for a moment.
const AGAIN: u32 = 3;

/// What came of a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// All refs are what they were to become.
    Done,
    /// These refs stayed as they were, and why, in git's or the host's words. Others may have moved, unless it was to be all or
    /// none.
    Refused(Vec<(String, String)>),
    /// Nobody knows: the host was not reached, or did not answer. Why.
    Unknown(String),
}

impl Remote {
    /// Names a remote; `None` where this repository has none of that name. A URL or a path is none.
    pub fn open(repo: &Repo, env: &Env, name: &str) -> Option<Self> {
        let names = repo.gix.remote_names();
        let is_there = names.iter().any(|known| known.as_ref() as &[u8] == name.as_bytes());
        is_there.then(|| Self {
            name: name.to_owned(),
            env: env.clone(),
            limit: LIMIT,
        })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the ref that keeps what its ref `part` was when it was last seen.
    pub fn seen(&self, part: &str) -> String {
        format!("refs/invisigoth/remote/{}/{part}", self.name)
    }

    /// Fetches `specs`, as git words them. A ref here whose pattern matches nothing there any more goes.
    ///
    /// # Errors
    /// When the remote cannot be reached, a lock is in the way, a ref named without a pattern is not there, or the limit is over.
    pub fn fetch(&self, repo: &Repo, specs: &[String]) -> Result<()> {
        let mut args = QUIETLY.to_vec();
        args.extend(["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head"]);
        args.extend(["--no-recurse-submodules", "--end-of-options", &self.name]);
        args.extend(specs.iter().map(String::as_str));
        let fetch = || {
            let _moving = Moving::begin(repo);
            command::output_within(&self.env, place(repo), &args, self.limit)
        };
        let mut done = fetch()?;
        for _ in 0..AGAIN {
            let said = words(&done.stderr);
            if done.code != 0 && is_locked(&said) {
                // The lock of packed refs is in the way, and whoever made it may be dead.
                locks::clear_among(repo, [])?;
            } else if done.code == 0 || !said.contains("not our ref") {
                break;
            }
            // Or a ref went there between being told and being asked for.
            done = fetch()?;
        }
        match done.code {
            0 => Ok(()),
            _ => Err(GitError::new(words(&done.stderr))),
        }
    }

    /// Pushes `parts`, each by compare-and-swap; all or none of them where `whole`.
    ///
    /// # Errors
    /// When git cannot be started. A refusal is no error.
    pub fn push(&self, repo: &Repo, parts: &[Push], whole: bool) -> Result<Sent> {
        if parts.is_empty() {
            return Ok(Sent::Done);
        }
        let lease = |part: &Push| {
            let old = part.old.map(|old| old.to_string()).unwrap_or_default();
            format!("--force-with-lease={}:{old}", part.name)
        };
        let spec = |part: &Push| {
            let new = part.new.map(|new| new.to_string()).unwrap_or_default();
            format!("{new}:{}", part.name)
        };
        let leases: Vec<String> = parts.iter().map(lease).collect();
        let specs: Vec<String> = parts.iter().map(spec).collect();
        let mut args = QUIETLY.to_vec();
        // With `--quiet` git would not say what became of a ref that moved.
        args.extend(["push", "--porcelain", "--no-progress", "--no-verify"]);
        args.extend(whole.then_some("--atomic"));
        args.extend(leases.iter().map(String::as_str));
        args.extend(["--end-of-options", &self.name]);
        args.extend(specs.iter().map(String::as_str));
        let _moving = Moving::begin(repo);
        match command::output_within(&self.env, place(repo), &args, self.limit) {
            Ok(done) => Ok(sent(parts, done.code, &done.stdout, &done.stderr)),
            Err(error) if command::is_overdue(&error) => Ok(Sent::Unknown(format!(
                "no answer within {} seconds",
                self.limit.as_secs()
            ))),
            Err(error) => Err(error),
        }
    }
}

/// True for words of git that name a lock in this clone which somebody holds.
pub fn is_locked(words: &str) -> bool {
    words.contains(".lock': File exists")
}

/// Where git finds relative paths to remotes, as its user means them.
fn place(repo: &Repo) -> &Path {
    repo.workdir().unwrap_or_else(|| repo.git_dir())
}

/// Reads what a push with `--porcelain` said: a line for each ref, of a flag, the refs and a summary.
fn sent(parts: &[Push], code: i32, stdout: &[u8], stderr: &[u8]) -> Sent {
    if code == 0 {
        return Sent::Done;
    }
    let text = String::from_utf8_lossy(stdout);
    let mut refused = Vec::new();
    for line in text.lines() {
        let Some((flag, rest)) = line.split_once('\t') else {
            continue;
        };
        let (refs, why) = rest.split_once('\t').unwrap_or((rest, ""));
        let name = refs.rsplit_once(':').map_or(refs, |(_, name)| name);
        if flag != "!" || parts.iter().all(|part| part.name != name) {
            continue;
        }
        if why.starts_with("[remote failure]") {
            return Sent::Unknown(why.to_owned());
        }
        refused.push((name.to_owned(), why.to_owned()));
    }
    if refused.is_empty() {
        return Sent::Unknown(words(stderr));
    }
    // What only goes with another is not why.
    let is_cause = |(_, why): &(String, String)| !why.contains("atomic");
    if refused.iter().any(is_cause) {
        refused.retain(is_cause);
    }
    Sent::Refused(refused)
}

/// Returns the lines of git's complaint that say something, without what a URL holds of names and passwords.
fn words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("hint:");
    let line = |line: &str| {
        let line = line.trim();
        let line = ["fatal: ", "error: "]
            .iter()
            .find_map(|prefix| line.strip_prefix(prefix))
            .unwrap_or(line);
        without_user(line)
    };
    let lines: Vec<String> = text.lines().filter(says).take(3).map(line).collect();
    match lines.as_slice() {
        [] => "git did not say why".to_owned(),
        lines => lines.join("; "),
    }
}

fn without_user(line: &str) -> String {
    let mut parts = line.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['/', '\'', '"', ' ']).unwrap_or(part.len());
        let (place, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        clean.push_str("://");
        clean.push_str(place);
        clean.push_str(rest);
    }
    clean
}

#[cfg(test)]
mod tests;
