//! The remote that a run claims and lands through: what it has, as last seen, and pushes to it.
//!
//! Owns which refs travel and how a refusal is told from a race. What the target becomes is `sync`'s business; verdicts on
//! code trees never leave this clone, for whoever may push could forge them.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use eyre::Result;

use crate::{
    engine::session::Session,
    fault::{Fault, Kind},
    git::{
        Repo,
        claims::{self, Claim},
        refs::{self, RefMove},
        remote::{Push, Remote, Sent, is_locked},
    },
    id::{CommitId, GoalId},
    quote,
};

/// Returns the arguments of a `git fetch` of `what` that leaves nothing else behind: no tags, no `FETCH_HEAD`.
pub fn fetch<'a>(remote: &'a str, what: &'a str) -> [&'a str; 7] {
    [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--",
        remote,
        what,
    ]
}

/// Most refs of one push: hosts limit them.
pub const MOST: usize = 5;

/// A remote and the branch that lands there.
pub struct Through {
    remote: Remote,
    branch: String,
    /// The commit of the branch there that what is worked on here continues.
    known: Mutex<Option<CommitId>>,
    behind: AtomicBool,
    /// Whether notes for other programs travel.
    tells: AtomicBool,
}

/// What a remote had when it was last looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// The target.
    pub target: Option<CommitId>,
    /// The records.
    pub notes: Option<CommitId>,
    /// The attempts.
    pub attempts: Option<CommitId>,
    /// Who wrote which lines.
    pub authorship: Option<CommitId>,
}

impl Through {
    /// Opens the remote `name` for goals that land on `branch`. Notes for other programs travel where `tells`.
    ///
    /// # Errors
    /// A fault where there is no remote of that name.
    pub fn open(session: &Session, repo: &Repo, name: &str, (branch, tells): (&str, bool)) -> Result<Self> {
        let Some(remote) = Remote::open(repo, &session.env, name) else {
            let fault = Fault::new(Kind::Config, format!("there is no remote `{name}`"));
            return Err(fault
                .hint("`git remote -v` lists them, `git remote add NAME URL` adds one")
                .into());
        };
        Ok(Self {
            remote,
            branch: branch.to_owned(),
            known: Mutex::default(),
            behind: AtomicBool::new(true),
            tells: AtomicBool::new(tells),
        })
    }

    /// Returns the remote's name.
    pub fn name(&self) -> &str {
        self.remote.name()
    }

    /// Returns the target's full name, there as here.
    pub fn target(&self) -> String {
        refs::branch_ref(&self.branch)
    }

    /// Brings what the remote has here, beside what is here; the attempts too where they are wanted.
    ///
    /// # Errors
    /// A fault where the remote cannot be reached.
    pub fn fetch(&self, repo: &Repo, attempts: bool) -> Result<Seen> {
        let here = |part: &str| self.remote.seen(part);
        // A pattern may match nothing; a name that is not there would be an error.
        let mut specs = vec![
            format!("+{}*:{}*", refs::NOTES, here("notes")),
            format!("^{}", refs::TESTED),
            format!("+{}*:{}", claims::CLAIMS, here("claims/*")),
        ];
        if self.tells() {
            specs.push(format!("+{0}*:{1}*", refs::AUTHORSHIP, here("authorship")));
            // What its own tools keep beside it stays there.
            specs.push(format!("^{}-*", refs::AUTHORSHIP));
        }
        if attempts {
            specs.push(format!("+{0}*:{1}*", refs::ATTEMPTS, here("attempts")));
        }
        let target = format!("+{}:{}", self.target(), here(&self.target()));
        let all: Vec<String> = specs.iter().cloned().chain([target]).collect();
        let fetched = self.remote.fetch(repo, &all).or_else(|error| {
            if !error.to_string().contains("couldn't find remote ref") {
                return Err(error);
            }
            self.remote.fetch(repo, &specs)?;
            let name = here(&self.target());
            match refs::read(repo, &name)? {
                Some(old) => refs::swap(repo, &[RefMove::Delete { name, old }]).map(|_| ()),
                None => Ok(()),
            }
        });
        fetched.map_err(|error| self.unreachable(&error.to_string()))?;
        self.seen(repo)
    }

    /// Returns what the remote had when it was last fetched from or pushed to.
    ///
    /// # Errors
    /// When refs cannot be read.
    pub fn seen(&self, repo: &Repo) -> Result<Seen> {
        let read = |part: &str| refs::read(repo, &self.remote.seen(part));
        Ok(Seen {
            target: read(&self.target())?,
            notes: read("notes")?,
            attempts: read("attempts")?,
            authorship: match self.tells() {
                true => read("authorship")?,
                false => None,
            },
        })
    }

    /// Returns the claims that the remote had, by key.
    ///
    /// # Errors
    /// When refs cannot be listed.
    pub fn claims(&self, repo: &Repo) -> Result<Vec<Claim>> {
        Ok(claims::all_below(repo, &self.remote.seen("claims/"))?)
    }

    /// Returns the claim that the remote had.
    ///
    /// # Errors
    /// When the ref cannot be read.
    pub fn claim(&self, repo: &Repo, goal: &GoalId) -> Result<Option<Claim>> {
        let key = goal.ref_part();
        let commit = refs::read(repo, &self.remote.seen(&format!("claims/{key}")))?;
        Ok(commit.map(|commit| claims::of_commit(repo, &key, commit)))
    }

    /// Pushes, and keeps what moved as seen.
    ///
    /// # Errors
    /// When git cannot be started, or refs cannot be written.
    pub fn push(&self, repo: &Repo, parts: &[Push], whole: bool) -> Result<Sent> {
        let sent = self.remote.push(repo, parts, whole)?;
        let stayed = |part: &Push| match &sent {
            Sent::Done => false,
            Sent::Refused(rows) => whole || rows.iter().any(|(name, _)| *name == part.name),
            Sent::Unknown(_) => true,
        };
        for part in parts.iter().filter(|part| !stayed(part)) {
            self.keep(repo, part)?;
        }
        Ok(sent)
    }

    /// Keeps what a ref there is now. Whoever else is at it in this clone has seen it too.
    fn keep(&self, repo: &Repo, part: &Push) -> Result<()> {
        let kept = match part.name.as_str() {
            refs::NOTES => "notes",
            refs::ATTEMPTS => "attempts",
            refs::AUTHORSHIP => "authorship",
            name => name.strip_prefix("refs/invisigoth/").unwrap_or(name),
        };
        let name = self.remote.seen(kept);
        let old = refs::read(repo, &name)?;
        let moved = match (old, part.new) {
            (old, Some(new)) if old != Some(new) => RefMove::Set {
                name,
                old,
                new,
                why: "invisigoth: pushed".into(),
            },
            (Some(old), None) => RefMove::Delete { name, old },
            _ => return Ok(()),
        };
        refs::swap(repo, &[moved])?;
        Ok(())
    }

    /// True where notes for other programs travel.
    pub fn tells(&self) -> bool {
        self.tells.load(Ordering::SeqCst)
    }

    /// From now on leaves out the notes for other programs, where they are all that was refused; false where they are not.
    pub fn leaves_out(&self, refused: &[(String, String)]) -> bool {
        let is_all = !refused.is_empty() && refused.iter().all(|(name, _)| name == refs::AUTHORSHIP);
        is_all && self.tells.swap(false, Ordering::SeqCst)
    }

    /// Demands of a push that the target there is still what is continued here.
    pub fn unmoved(&self) -> Option<Push> {
        let known = *self.lock();
        known.map(|known| Push {
            name: self.target(),
            old: Some(known),
            new: Some(known),
        })
    }

    /// Returns the commit of the target there that what is here continues.
    pub fn known(&self) -> Option<CommitId> {
        *self.lock()
    }

    /// Notes that what is here continues `known` there.
    pub fn continues(&self, known: Option<CommitId>) {
        *self.lock() = known;
        self.behind.store(false, Ordering::SeqCst);
    }

    /// True where the target moved there, and nobody has followed yet.
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::SeqCst)
    }

    /// Notes that the target moved there.
    pub fn fell_behind(&self) {
        self.behind.store(true, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Option<CommitId>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of a remote that does not answer, or of a lock here that keeps its answer from being taken in.
    pub fn unreachable(&self, why: &str) -> Fault {
        let name = self.name();
        if is_locked(why) {
            let fault = Fault::new(
                Kind::Busy,
                format!("nothing was fetched from `{name}`, for a lock is held here: {why}"),
            );
            return fault.hint("another git is at work in this clone; where none is, one was killed: remove that file");
        }
        Fault::new(Kind::Error, format!("remote `{name}` cannot be reached: {why}")).hint(format!(
            "`git ls-remote {}` shows what git says; nothing moved there or here",
            quote::quoted(name)
        ))
    }

    /// The fault of a host that does not take what it is given.
    pub fn refused(&self, rows: &[(String, String)]) -> Fault {
        let why: Vec<String> = rows.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let fault = Fault::new(
            Kind::Person,
            format!("remote `{}` does not take it: {}", self.name(), why.join("; ")),
        );
        fault.hint("a protected branch wants `land.via = \"host\"`; nothing moved there or here")
    }
}
