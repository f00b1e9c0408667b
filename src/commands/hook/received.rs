//! `post-receive`: candidates that a push brought are checked and landed, as by `git invisigoth merge`.
//!
//! The landing is a process of its own, so that it goes on where the pusher goes away. The hook shows its lines for as long
//! as `hooks.wait` says, and leaves it to itself then. Decides nothing about what lands.

use std::{path::Path, time::Duration};

use eyre::Result;

use crate::{
    commands::{hook::background::BY, merge},
    door::{
        fs,
        spawn::detached::Detached,
        wait::{self, Stopwatch},
    },
    engine::{background, session::Session},
    fault::{Fault, Kind},
    git::{Repo, refs},
};

/// How often the hook looks for new lines.
const STEP: Duration = Duration::from_millis(50);
/// How long the landing waits for another command of this clone to end.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Has the candidates landed that were pushed, and says how it goes. Returns what there is to say at the end.
///
/// # Errors
/// When the landing cannot be started.
pub fn follow(session: &Session, repo: &Repo, stdin: &str) -> Result<Vec<String>> {
    if !brings_candidates(stdin) {
        return Ok(Vec::new());
    }
    let limit = session.settings(repo)?.hooks.wait;
    let (landing, log) = background::begin(session, repo, BY, &["hook", "received"])?;
    if shown(session, &landing, &log, limit)? {
        fs::remove_if_there(&log)?;
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "the landing goes on here; `git fetch` shows what came of it, and {} what it said",
        log.display()
    )])
}

/// git says `OLD NEW REF`, a line for each ref; the new id is zeros where the ref is gone.
fn brings_candidates(stdin: &str) -> bool {
    stdin.lines().any(|line| {
        let mut words = line.splitn(3, ' ').skip(1);
        let is_there = words.next().is_some_and(|new| new.bytes().any(|byte| byte != b'0'));
        is_there && words.next().is_some_and(|name| name.starts_with(refs::CANDIDATES))
    })
}

/// Says the lines of the log while they come; false where the landing has not ended within `limit`.
fn shown(session: &Session, landing: &Detached, log: &Path, limit: Duration) -> Result<bool> {
    let watch = Stopwatch::start();
    let mut said = 0;
    loop {
        let left = limit.saturating_sub(watch.elapsed());
        let has_ended = landing.ended(left.min(STEP))?.is_some();
        let text = fs::read(log)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let complete = text
            .split_inclusive('\n')
            .filter(|line| has_ended || line.ends_with('\n'));
        for line in complete.skip(said) {
            session.say(line.trim_end());
            said += 1;
        }
        if has_ended || left.is_zero() {
            return Ok(has_ended);
        }
    }
}

/// Lands all candidates that there are, when no other command of this clone is at work.
///
/// # Errors
/// As `merge`.
pub fn land(session: &Session) -> Result<merge::Outcome> {
    let watch = Stopwatch::start();
    loop {
        match merge::run(session, &merge::Request::default()) {
            Err(error) if is_busy(&error) && watch.elapsed() < PATIENCE => {
                if !wait::pause(Duration::from_millis(500), &session.stop) {
                    return Err(error);
                }
            }
            other => return other,
        }
    }
}

fn is_busy(error: &eyre::Report) -> bool {
    error
        .downcast_ref::<Fault>()
        .is_some_and(|fault| fault.kind == Kind::Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_candidates_that_are_there_count() {
        let (id, zero) = ("1".repeat(40), "0".repeat(40));
        for (line, counts) in [
            (format!("{zero} {id} refs/heads/invisigoth/x"), true),
            (format!("{id} {zero} refs/heads/invisigoth/x"), false),
            (format!("{zero} {id} refs/heads/main"), false),
            (format!("{zero} {id} refs/notes/invisigoth"), false),
            (String::new(), false),
        ] {
            assert_eq!(brings_candidates(&format!("\n{line}\n")), counts, "{line}");
        }
    }
}
