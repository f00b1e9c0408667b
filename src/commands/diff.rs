//! `diff`: what a goal changes: its candidate, the commit by which it landed, or what its newest attempt came to.
//!
//! As text it is git's own diff, with the person's pager and colours; this file only says of which two trees. Below it
//! `lines`: the same as data.

pub mod lines;

use std::path::Path;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        recall::{self, Recalled},
        run,
        session::Session,
        stored, taking,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, attempts, codetree, command, history, objects, tree},
    id::{CommitId, GoalId, TreeId},
    path::RepoPath,
    quote::quoted,
    schedule,
};

/// Whose changes are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The candidate's.
    Candidate,
    /// Those of the commit that landed.
    Landed,
    /// What an attempt came to that made no candidate.
    Attempt,
}

/// One path that differs.
#[derive(Debug, Serialize)]
pub struct File {
    /// Where.
    pub path: String,
    /// Where it was before, if that is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Lines that came; absent in a binary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    /// Lines that went; absent in a binary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// What changed in it, line by line; absent where only counts were asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub lines: Option<lines::Lines>,
}

/// What a goal changes.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    pub goal: GoalId,
    /// Whose changes they are.
    pub what: What,
    /// The commit that has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The attempt that made them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The commit they were made on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// The paths that differ, memory files left out.
    pub files: Vec<File>,
    #[serde(skip)]
    trees: (TreeId, TreeId),
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.diff/1";
}

/// As `run`, with the lines of every file; of a file too large to be shown among others only where it is `whole`.
///
/// # Errors
/// As `run`, and when contents cannot be read.
pub fn with_lines(session: &Session, id: &GoalId, whole: Option<&str>) -> Result<Outcome> {
    let mut outcome = run(session, id)?;
    lines::fill(&session.repo(), outcome.trees, &mut outcome.files, whole)?;
    Ok(outcome)
}

/// Returns git's own diff of one file, or of all, as text that git can apply.
///
/// # Errors
/// When git cannot show it.
pub fn patch(session: &Session, outcome: &Outcome, only: Option<&str>) -> Result<Vec<u8>> {
    let plain = ["diff", "--no-color", "--binary", "--no-ext-diff", "--no-textconv"];
    let paths: Vec<String> = outcome
        .files
        .iter()
        .filter(|file| only.is_none_or(|only| file.path == only))
        .flat_map(|file| file.from.iter().chain([&file.path]))
        .map(|path| format!(":(top,literal){path}"))
        .collect();
    if only.is_some() && paths.is_empty() {
        return Ok(Vec::new());
    }
    let paths = if only.is_some() { paths } else { Vec::new() };
    said(session, &session.repo(), outcome.trees, (&plain, &paths))
}

impl Outcome {
    /// Returns the tree that is compared: the one before the change, or the one after it.
    pub fn side(&self, old: bool) -> TreeId {
        if old { self.trees.0 } else { self.trees.1 }
    }
}

/// How to show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Paths and counts alone.
    pub stat: bool,
    /// With or without colours; as git is set up where absent.
    pub colour: Option<bool>,
    /// Without the person's pager.
    pub no_pager: bool,
}

/// Finds what goal `id` changes, and lists the files.
///
/// # Errors
/// A fault for an unknown goal and for one without changes, or when the repository cannot be read.
pub fn run(session: &Session, id: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let mut outcome = find(&repo, &known, target.tip, id)?;
    outcome.files = files(session, &repo, outcome.trees)?;
    Ok(outcome)
}

/// Shows the changes at the terminal, or wherever our standard output goes; false where whoever read it went away.
///
/// # Errors
/// When git cannot show them.
pub fn show(session: &Session, outcome: &Outcome, manner: Manner) -> Result<bool> {
    let mut args: Vec<&str> = manner.no_pager.then_some("--no-pager").into_iter().collect();
    args.push("diff");
    args.extend(manner.stat.then_some("--stat"));
    args.extend(
        manner
            .colour
            .map(|on| if on { "--color=always" } else { "--color=never" }),
    );
    git(&session.repo(), outcome.trees, (&args, &[]), |dir, args| {
        Ok(command::attached(&session.env, dir, args)?)
    })
}

fn find(repo: &Repo, known: &Recalled, tip: CommitId, id: &GoalId) -> Result<Outcome> {
    let facts = &known.facts;
    if let Some(candidate) = facts.candidates.get(id) {
        return of_commit(repo, (id, What::Candidate), candidate.commit, Some(candidate.attempt));
    }
    let Some((state, _)) = schedule::state(facts, id) else {
        return Err(run::unknown_goal(facts, id).into());
    };
    if facts.landed.contains(id) {
        let record = recall::records(repo, tip)?
            .into_iter()
            .rev()
            .find(|record| record.goal == *id);
        let by_people = known.landed.unsettled.iter().find(|(goal, _)| goal == id);
        let commit = by_people
            .map(|(_, commit)| *commit)
            .or(record.map(|record| record.commit));
        let gone = || Fault::new(Kind::Error, format!("nothing here says which commit landed goal {id}"));
        let commit = commit.ok_or_else(|| gone().hint("`git invisigoth rebuild` unites the records"))?;
        let whole = taking::whole(repo, tip, id, commit)?;
        return of_commit(repo, (id, What::Landed), whole, None);
    }
    let newest = facts.attempts.get(id).map_or(0, |attempt| attempt.number);
    for number in (1..=newest).rev() {
        let (Some(code), Some(stored)) = (attempts::code(repo, id, number)?, stored::read(repo, id, number)?) else {
            continue;
        };
        return Ok(Outcome {
            goal: id.clone(),
            what: What::Attempt,
            commit: None,
            attempt: Some(number),
            base: Some(stored.base),
            files: Vec::new(),
            trees: (tree::of_commit(repo, stored.base)?, code),
        });
    }
    let fault = Fault::new(
        Kind::Error,
        format!("goal {id} is {state}, and nothing was changed for it yet"),
    );
    let about = match newest {
        0 => "says why it is so",
        _ => "lists its attempts",
    };
    let id = quoted(id.as_str());
    Err(fault.hint(format!("`git invisigoth show {id}` {about}")).into())
}

fn of_commit(repo: &Repo, (id, what): (&GoalId, What), commit: CommitId, attempt: Option<u32>) -> Result<Outcome> {
    let base = history::parents(repo, commit)?.first().copied();
    let before = match base {
        Some(base) => tree::of_commit(repo, base)?,
        None => objects::write_empty_tree(repo)?,
    };
    Ok(Outcome {
        goal: id.clone(),
        what,
        commit: Some(commit),
        attempt,
        base,
        files: Vec::new(),
        trees: (before, tree::of_commit(repo, commit)?),
    })
}

fn files(session: &Session, repo: &Repo, trees: (TreeId, TreeId)) -> Result<Vec<File>> {
    let plain = ["diff", "--numstat", "-z", "-M", "--no-ext-diff", "--no-textconv"];
    let said = said(session, repo, trees, (&plain, &[]))?;
    let mut rows = said.split(|byte| *byte == 0);
    let mut files = Vec::new();
    while let Some(row) = rows.next() {
        files.extend(file(row, &mut rows));
    }
    Ok(files)
}

/// Reads `added TAB removed TAB path`; `-` stands for the lines of a binary file. Of a file that moved the path is empty, and
/// both follow.
fn file<'r>(row: &[u8], rest: &mut impl Iterator<Item = &'r [u8]>) -> Option<File> {
    let mut parts = row.splitn(3, |byte| *byte == b'\t');
    let mut number = || {
        let text = parts.next()?;
        Some(std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()))
    };
    let (added, removed) = (number()?, number()?);
    let named = |path: &[u8]| RepoPath::from_git(path).to_string();
    let (from, path) = match parts.next()? {
        b"" => (rest.next().map(named), named(rest.next()?)),
        path => (None, named(path)),
    };
    Some(File {
        path,
        from,
        added,
        removed,
        lines: None,
    })
}

/// Returns what `git` prints.
fn said(session: &Session, repo: &Repo, trees: (TreeId, TreeId), asked: (&[&str], &[String])) -> Result<Vec<u8>> {
    let said = git(repo, trees, asked, |dir, args| {
        Ok(command::output(&session.env, dir, args)?)
    })?;
    match said.code {
        0 => Ok(said.stdout),
        _ => Err(Fault::new(Kind::Error, String::from_utf8_lossy(&said.stderr).trim().to_owned()).into()),
    }
}

/// Runs `git ARGS OLD NEW -- PATHS`, memory files left out.
fn git<T>(
    repo: &Repo,
    (old, new): (TreeId, TreeId),
    (args, paths): (&[&str], &[String]),
    run: impl FnOnce(&Path, &[&str]) -> Result<T>,
) -> Result<T> {
    let (old, new) = (old.to_string(), new.to_string());
    let left_out: Vec<String> = codetree::reserved()
        .map(|path| format!(":(top,exclude){path}"))
        .collect();
    let mut args = args.to_vec();
    args.extend([old.as_str(), new.as_str(), "--"]);
    args.extend(paths.iter().map(String::as_str));
    args.extend(left_out.iter().map(String::as_str));
    run(repo.workdir().unwrap_or(repo.common_dir()), &args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::session;

    #[test]
    fn a_patch_that_git_cannot_make_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path());
        let gone: TreeId = "1".repeat(40).parse().unwrap();
        let outcome = Outcome {
            goal: "a".parse().unwrap(),
            what: What::Landed,
            commit: None,
            attempt: None,
            base: None,
            files: Vec::new(),
            trees: (gone, gone),
        };
        let error = patch(&session, &outcome, None).unwrap_err();
        assert!(error.to_string().contains("bad object"), "{error:#}");
    }
}
