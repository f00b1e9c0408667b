//! Looking, cheaply, whether people or other processes changed something that may be work: stamps of files each time, refs
//! only where stamps say that something moved. Reads no goal.

use std::{collections::BTreeMap, path::PathBuf};

use eyre::Result;

use crate::{
    backlog::close::PENDING,
    door::fs::{self, Stamp},
    engine::{orders, session::Session, target::Target},
    git::{
        Repo,
        refs::{self, CANDIDATES},
    },
    id::CommitId,
};

/// Refs of ours, and those among them that only say who is at work.
const OURS: &str = "refs/invisigoth/";
const CLAIMS: &str = "refs/invisigoth/claims/";

/// What can be seen from outside, at one time.
pub struct Look {
    repo: Repo,
    branch: String,
    /// What people write.
    files: Vec<PathBuf>,
    /// Where refs are written.
    folders: Vec<PathBuf>,
    seen: Seen,
    hints: Vec<Option<Stamp>>,
}

#[derive(PartialEq, Eq)]
struct Seen {
    files: Vec<Option<Stamp>>,
    refs: BTreeMap<String, CommitId>,
}

impl Look {
    /// Looks at the repository of `session`.
    ///
    /// # Errors
    /// When there is no target, or refs cannot be read.
    pub fn at(session: &Session) -> Result<Self> {
        let repo = session.repo();
        let branch = Target::read(session, &repo)?.branch;
        let common = repo.common_dir();
        let mut files = vec![repo.git_dir().join("HEAD"), orders::file(session, &repo)];
        files.extend(settings(session, &repo));
        if let Some(top) = repo.workdir() {
            let backlog = top.join(PENDING);
            files.extend([backlog.with_file_name("inbox"), backlog, top.join(".env")]);
        }
        let of_branch = common.join(refs::branch_ref(&branch));
        let mut folders: Vec<PathBuf> = ["packed-refs", CANDIDATES, OURS, "refs/invisigoth/landed"]
            .iter()
            .map(|name| common.join(name))
            .collect();
        folders.extend(of_branch.parent().map(PathBuf::from));
        let hints = stamps(files.iter().chain(&folders));
        let seen = Seen {
            files: stamps(files.iter()),
            refs: moved(&repo, &branch)?,
        };
        Ok(Self {
            repo,
            branch,
            files,
            folders,
            seen,
            hints,
        })
    }

    /// True where something changed since it was looked first. Unless it looks `closely`, only where stamps moved since the
    /// last time.
    ///
    /// # Errors
    /// When refs cannot be read.
    pub fn is_changed(&mut self, closely: bool) -> Result<bool> {
        let hints = stamps(self.files.iter().chain(&self.folders));
        if hints == self.hints && !closely {
            return Ok(false);
        }
        self.hints = hints;
        let now = Seen {
            files: stamps(self.files.iter()),
            refs: moved(&self.repo, &self.branch)?,
        };
        Ok(now != self.seen)
    }
}

/// Lists the files that settings are read from, but for the one that is tracked: it counts when it was committed.
pub fn settings(session: &Session, repo: &Repo) -> Vec<PathBuf> {
    let mut files = vec![repo.common_dir().join("config"), repo.git_dir().join("config.worktree")];
    if let Some(home) = session.env.config_home() {
        files.extend([home.join("invisigoth/config.toml"), home.join("git/config")]);
    }
    files.extend(
        session
            .env
            .get("HOME")
            .map(|home| PathBuf::from(home).join(".gitconfig")),
    );
    files
}

/// Returns the stamps of files, in order.
pub fn stamps<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Vec<Option<Stamp>> {
    files.map(|file| fs::stamp(file)).collect()
}

fn moved(repo: &Repo, branch: &str) -> Result<BTreeMap<String, CommitId>> {
    let mut all: BTreeMap<String, CommitId> = refs::below(repo, OURS)?.into_iter().collect();
    all.retain(|name, _| !name.starts_with(CLAIMS));
    all.extend(refs::below(repo, CANDIDATES)?);
    let name = refs::branch_ref(branch);
    let at = refs::read(repo, &name)?;
    all.extend(at.map(|at| (name, at)));
    Ok(all)
}
