//! `pre-push`: records travel with the target, and a target without verdict stays here where settings say so.
//!
//! Moves no branch, forces nothing. That notes cannot travel never stops what a person pushes.

use eyre::Result;

use crate::{
    commands::hook::Request,
    engine::{
        checks::Checker,
        provenance, remote,
        session::{self, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{self, Repo, command, notes, refs, tree},
    id::{CommitId, Hash},
    settings::Settings,
    time::Moment,
};

/// Notes that travel.
struct Notes {
    name: &'static str,
    words: &'static str,
    /// What is said where they went along.
    went: Option<&'static str>,
    /// Where those of a remote are kept.
    part: &'static str,
    take_in: fn(&Repo, CommitId, Moment) -> git::Result<()>,
}

const RECORDS: Notes = Notes {
    name: refs::NOTES,
    words: "notes",
    went: Some("notes went along"),
    part: "notes",
    take_in: |repo, theirs, at| notes::take_in(repo, refs::NOTES, theirs, at),
};

const AUTHORSHIP: Notes = Notes {
    name: refs::AUTHORSHIP,
    words: "notes for other programs",
    went: None,
    part: "authorship",
    take_in: notes::authorship::take_in,
};

/// How often notes are joined with those of the remote, where others push theirs at the same time.
const TRIES: u32 = 3;

/// Looks at what is pushed, and pushes the notes where the target is among it. Returns what there is to say.
///
/// # Errors
/// A fault where `hooks.require_verdict` is set and the pushed commit has none.
pub fn before(session: &Session, repo: &Repo, request: &Request) -> Result<Vec<String>> {
    let Ok(target) = Target::read(session, repo) else {
        return Ok(Vec::new());
    };
    let Some(commit) = pushed(&request.stdin, &refs::branch_ref(&target.branch)) else {
        return Ok(Vec::new());
    };
    let settings = session.settings_at(repo, Some(commit))?.settings;
    if settings.hooks.require_verdict {
        require_verdict(session, repo, &settings, (&target.branch, commit))?;
    }
    let Some(remote) = request.args.first() else {
        return Ok(Vec::new());
    };
    let all = [Some(&RECORDS), provenance::is_told(&settings).then_some(&AUTHORSHIP)];
    let all: Vec<&Notes> = all.into_iter().flatten().collect();
    Ok(travel(session, repo, (remote, &all)).unwrap_or_else(|error| vec![format!("notes stay here: {error:#}")]))
}

/// Returns the commit that the remote's ref `name` is to get. git says `LOCAL-REF ID REMOTE-REF ID`, a line for each ref; the
/// id is zeros where the ref is to go.
fn pushed(stdin: &str, name: &str) -> Option<CommitId> {
    let line = stdin.lines().find(|line| line.split(' ').nth(2) == Some(name))?;
    let id = line.split(' ').nth(1)?;
    id.bytes().any(|byte| byte != b'0').then(|| id.parse().ok())?
}

fn require_verdict(
    session: &Session,
    repo: &Repo,
    settings: &Settings,
    (branch, commit): (&str, CommitId),
) -> Result<()> {
    let gate = session::gate(session, repo, settings)?;
    if gate.is_empty() {
        return Err(session::no_checks().into());
    }
    let code = tree::code_of_commit(repo, commit)?;
    if Checker::new(session, repo).recall(repo, code, &gate)?.is_some() {
        return Ok(());
    }
    let short = commit.short();
    let fault = Fault::new(
        Kind::Person,
        format!("{short} has no verdict, and hooks.require_verdict keeps `{branch}` without one here"),
    );
    let fault = fault.hint(format!("`git invisigoth check {short}`, then push again"));
    Err(fault.hint("`git push --no-verify` pushes it all the same").into())
}

/// Pushes `notes` to `remote`, united with those that it has. Returns what there is to say.
fn travel(session: &Session, repo: &Repo, (remote, notes): (&str, &[&Notes])) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for notes in notes {
        if refs::read(repo, notes.name)?.is_some() {
            left.push((*notes, String::new()));
        }
    }
    let mut said = Vec::new();
    for _ in 0..TRIES {
        if left.is_empty() {
            break;
        }
        let specs: Vec<String> = left.iter().map(|(notes, _)| format!("{0}:{0}", notes.name)).collect();
        let mut args = vec!["push", "--porcelain", "--no-verify", "--", remote];
        args.extend(specs.iter().map(String::as_str));
        let push = command::output(&session.env, repo.common_dir(), &args)?;
        let (told, heard) = (
            String::from_utf8_lossy(&push.stdout),
            String::from_utf8_lossy(&push.stderr),
        );
        let line = |spec: &String| told.lines().find(|line| line.contains(&format!("\t{spec}\t")));
        let answers: Vec<Option<&str>> = specs.iter().map(line).collect();
        let mut again = Vec::new();
        for ((notes, _), answer) in left.into_iter().zip(answers) {
            let why = match answer.and_then(|line| line.split_once('\t')) {
                Some(("!", why)) => why,
                Some((" " | "*", _)) => {
                    said.extend(notes.went.map(str::to_owned));
                    continue;
                }
                None if push.code != 0 => heard.lines().next().unwrap_or("git push failed"),
                Some(_) | None => continue,
            };
            match BEHIND.iter().any(|sign| why.contains(sign)) {
                true => match take_in(session, repo, (remote, notes))? {
                    None => again.push((notes, why.to_owned())),
                    Some(why) => said.push(format!("{} stay here: {why}", notes.words)),
                },
                false => said.push(format!("{} stay here: {why}", notes.words)),
            }
        }
        left = again;
    }
    let left = left
        .iter()
        .map(|(notes, why)| format!("{} stay here: {why}", notes.words));
    said.extend(left);
    Ok(said)
}

/// What git and hosts say where others pushed meanwhile.
const BEHIND: [&str; 4] = [
    "(fetch first)",
    "(non-fast-forward)",
    "(cannot lock ref",
    "(failed to update ref)",
];

/// Takes in the `notes` that `remote` has; says why where they cannot be had.
fn take_in(session: &Session, repo: &Repo, (remote, notes): (&str, &Notes)) -> Result<Option<String>> {
    let here = tracking(remote, notes.part);
    let fetch = format!("+{}:{here}", notes.name);
    let args = remote::fetch(remote, &fetch);
    let fetched = command::output(&session.env, repo.common_dir(), &args)?;
    if fetched.code != 0 {
        return Ok(Some(String::from_utf8_lossy(&fetched.stderr).trim().to_owned()));
    }
    if let Some(theirs) = refs::read(&repo.reopened()?, &here)? {
        (notes.take_in)(&repo.reopened()?, theirs, session.clock.now())?;
    }
    Ok(None)
}

/// Where a `part` of a remote is kept, a URL by its hash.
fn tracking(remote: &str, part: &str) -> String {
    let is_name = !remote.is_empty()
        && remote
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let place = if is_name {
        remote.to_owned()
    } else {
        Hash::of("remote", [remote.as_bytes()]).short(16)
    };
    format!("refs/invisigoth/remote/{place}/{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pushed_commit_is_that_of_the_remote_s_ref() {
        let (id, zero) = ("1".repeat(40), "0".repeat(40));
        let main = "refs/heads/main";
        for (stdin, found) in [
            (format!("refs/heads/x {id} {main} {zero}\n"), true),
            (
                format!("HEAD~1 {id} refs/heads/y {zero}\nHEAD {id} {main} {id}\n"),
                true,
            ),
            (format!("(delete) {zero} {main} {id}\n"), false),
            (format!("{main} {id} refs/heads/y {zero}\n"), false),
            ("\n".to_owned(), false),
            (format!("{main} what {main} {zero}\n"), false),
        ] {
            assert_eq!(pushed(&stdin, main).is_some(), found, "{stdin}");
        }
    }

    #[test]
    fn a_remote_s_notes_have_a_place_that_is_a_ref_name() {
        assert_eq!(tracking("origin", "notes"), "refs/invisigoth/remote/origin/notes");
        let of_url = tracking("https://example.com/a..b.git", "notes");
        assert!(of_url.len() == "refs/invisigoth/remote//notes".len() + 16, "{of_url}");
    }
}
