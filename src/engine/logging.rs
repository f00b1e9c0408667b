//! Logging: where the journal of this process is, and how a session comes to keep one. Words no line.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    engine::session::Session,
    git::Repo,
    journal::{self, Both, Journal, Trouble, level::Wanted},
};

/// Returns the folder with the journals of this repository: below `XDG_STATE_HOME`, or beside our own files where nobody has
/// a home.
pub fn folder(session: &Session, repo: &Repo) -> PathBuf {
    let home = session.env.state_home();
    journal::folder(&home.unwrap_or_else(|| session.own_dir(repo)), &session.repo_id(repo))
}

/// From now on, all that `session` tells its face is kept in a journal too, as far as it is `wanted`. `verb` is the command;
/// `trouble` is told once where nothing can be written.
pub fn keep(session: &mut Session, verb: &str, wanted: Wanted, trouble: Box<Trouble>) -> Arc<Journal> {
    let repo = session.repo();
    let place = repo.workdir().unwrap_or(repo.common_dir()).display().to_string();
    let mut first = Map::new();
    let mut put = |key: &str, value: String| first.insert(key.to_owned(), Value::String(value));
    put("command", verb.to_owned());
    put("version", env!("CARGO_PKG_VERSION").to_owned());
    put("repository", place);
    let journal = Arc::new(Journal::new(
        folder(session, &repo),
        wanted,
        (session.redactor.clone(), Arc::clone(&session.clock)),
        first,
        trouble,
    ));
    session.sink = Arc::new(Both::new(Arc::clone(&session.sink), Arc::clone(&journal)));
    journal
}
