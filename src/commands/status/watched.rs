//! Watched: the files whose change may mean another status. Looking at them costs a few system calls, however large the
//! backlog is. Reads none of them.

use std::path::PathBuf;

use eyre::Result;

use crate::{
    door::fs::{self, Stamp},
    engine::{
        live::{self, Doing},
        orders, recall,
        session::Session,
        spending,
        target::Target,
    },
    git::{claims::CLAIMS, refs},
};

/// What to look at.
pub struct Watched {
    paths: Vec<PathBuf>,
}

/// What was seen.
#[derive(PartialEq, Debug)]
pub struct Seen {
    stamps: Vec<Option<Stamp>>,
    runs: Vec<Doing>,
}

impl Watched {
    /// Lists the files: of live runs, orders, the ledger, the backlog, and the refs that goals move.
    ///
    /// # Errors
    /// As `Target::read`.
    pub fn of(session: &Session) -> Result<Self> {
        let repo = session.repo();
        let target = Target::read(session, &repo)?;
        let common = repo.common_dir();
        let named = [
            "HEAD".to_owned(),
            "packed-refs".to_owned(),
            refs::branch_ref(&target.branch),
            refs::landed_ref(&target.branch),
            refs::ATTEMPTS.to_owned(),
            refs::CANDIDATES.to_owned(),
            CLAIMS.to_owned(),
        ];
        let own = [
            live::folder(session, &repo),
            orders::file(session, &repo),
            spending::file(session, &repo),
            repo.git_dir().join("HEAD"),
        ];
        let named = named.into_iter().map(|name| common.join(name));
        let backlog = recall::backlog_file(&repo, &target);
        let inbox = backlog.as_ref().map(|path| path.with_file_name("inbox"));
        Ok(Self {
            paths: own.into_iter().chain(named).chain(backlog).chain(inbox).collect(),
        })
    }

    /// Looks at them.
    pub fn look(&self, session: &Session) -> Seen {
        let runs = live::read(session, &session.repo()).unwrap_or_default();
        Seen {
            stamps: self.paths.iter().map(|path| fs::stamp(path)).collect(),
            runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::session;

    #[test]
    fn a_claim_of_somebody_outside_of_runs_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        let claims = session.repo().common_dir().join(CLAIMS);
        std::fs::create_dir_all(&claims).unwrap();
        let watched = Watched::of(&session).unwrap();
        let seen = watched.look(&session);
        assert_eq!(watched.look(&session), seen);
        std::fs::write(claims.join("a"), "").unwrap();
        assert_ne!(watched.look(&session), seen);
    }
}
