//! `init`: makes a repository ready: settings with detected checks, the memory files, and git's own configuration. Commits
//! exactly its own files. Twice is as once.

use std::path::Path;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    backlog::close::{COMPLETED, HISTORY, PENDING},
    commands,
    detect::{self, Detected},
    door::fs,
    engine::{
        checks::Checker,
        recall,
        session::{self, SETTINGS_FILE, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{
        Repo, advance,
        codetree::MASTER_PROMPT as PROMPT_FILE,
        command, commit, notes, objects,
        refs::{self, RefMove, Swap},
        tree,
    },
    id::CommitId,
    layers::file,
};

/// The root prompt that a repository starts with.
const MASTER_PROMPT: &str = include_str!("../../templates/prompt/master_prompt.txt");
/// What `git config` gets, each once.
const CONFIG: [(&str, &str); 4] = [
    ("notes.displayRef", refs::NOTES),
    ("notes.rewriteRef", refs::NOTES),
    ("merge.invisigoth.name", "goals and records of git-invisigoth"),
    ("merge.invisigoth.driver", "git-invisigoth merge-driver %O %A %B %P"),
];
/// The line of `info/attributes` that names the driver.
const ATTRIBUTES: &str = "/memory/**/*.json merge=invisigoth";
/// The line that earlier versions wrote: it leaves out segments and the inbox.
const OLD_ATTRIBUTES: &str = "/memory/*.json merge=invisigoth";

/// How to set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// Write the files, and leave the commit to the user.
    pub no_commit: bool,
    /// Take back what an earlier `init` did.
    pub undo: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Files that were written, or taken away by `--undo`.
    pub files: Vec<String>,
    /// The commit that holds them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// What kind of project it is.
    pub detected: Vec<String>,
    /// The commands found: stage and text.
    pub checks: Vec<(&'static str, String)>,
    /// What to know about them.
    pub notes: Vec<String>,
    /// Whether the base passes them; absent where nothing was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// True for `--undo`.
    pub undone: bool,
}

/// How the base does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Everything passes.
    Green,
    /// Only these tests fail, and did before.
    KnownRed(Vec<String>),
    /// It fails; why.
    Red(String),
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.init/1";
}

/// Finds out what `init` would write, without writing it.
///
/// # Errors
/// As `run`.
pub fn detect(session: &Session) -> Result<Detected> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let snapshot = tree::snapshot(&repo, tree::code_of_commit(&repo, target.head)?);
    Ok(detect::detect(&snapshot))
}

/// Sets up, or takes it back. A checkout of another branch than the target gets no files: git would not switch over them.
///
/// # Errors
/// A fault where the repository has no commit, no identity, or a branch in the way; where files are to be left uncommitted
/// and there is no working tree.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    let repo = session.repo();
    session::ready_to_commit(&repo)?;
    let target = Target::read(session, &repo)?;
    if request.undo {
        return undo(session, &repo, &target);
    }
    let top = match request.no_commit {
        true => Some(repo.workdir().ok_or_else(nowhere)?),
        false => checkout(&repo, &target),
    };
    let detected = detect(session)?;
    let files = wanted(&repo, &target, top, &detected)?;
    if let Some(top) = top {
        write(top, &files)?;
    }
    let commits = !request.no_commit && !files.is_empty();
    let commit = commits.then(|| record(session, &repo, &target, &files)).transpose()?;
    notes::begin(&repo, refs::NOTES, session.clock.now())?;
    configure(session, &repo)?;
    let base = if request.no_commit {
        None
    } else {
        check_base(session, &repo)?
    };
    Ok(Outcome {
        files: files.into_iter().map(|(path, _)| path).collect(),
        commit,
        detected: detected.ecosystems.iter().map(ToString::to_string).collect(),
        checks: commands_of(&detected),
        notes: detected.notes,
        base,
        undone: false,
    })
}

fn write(top: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    for (path, content) in files {
        let full = top.join(path);
        full.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write_atomic(&full, content))
            .wrap_err_with(|| format!("writing {path}"))?;
    }
    Ok(())
}

/// The top of this checkout, where the target is checked out in it.
fn checkout<'r>(repo: &'r Repo, target: &Target) -> Option<&'r Path> {
    repo.workdir().filter(|_| recall::is_here(repo, target))
}

fn nowhere() -> Fault {
    let fault = Fault::new(Kind::Usage, "a bare repository has no working tree to leave files in");
    fault.hint("`git invisigoth init --yes` commits them")
}

fn commands_found(detected: &Detected) -> file::Commands {
    file::Commands {
        setup: detected.setup.clone(),
        lint: detected.lint.clone(),
        test: detected.test.clone(),
        test_file: detected.test_file.clone(),
    }
}

fn commands_of(detected: &Detected) -> Vec<(&'static str, String)> {
    let stage = |name: &'static str, list: &[String]| list.iter().map(|c| (name, c.clone())).collect::<Vec<_>>();
    let file: Vec<String> = detected.test_file.iter().cloned().collect();
    [
        stage("setup", &detected.setup),
        stage("lint", &detected.lint),
        stage("test", &detected.test),
        stage("test_file", &file),
    ]
    .concat()
}

/// Returns the files that neither the target nor the checkout at `top` has yet.
fn wanted(repo: &Repo, target: &Target, top: Option<&Path>, detected: &Detected) -> Result<Vec<(String, Vec<u8>)>> {
    let root = tree::of_commit(repo, target.head)?;
    let all = [
        (
            SETTINGS_FILE,
            file::project_file(&commands_found(detected)).into_bytes(),
        ),
        (PENDING, b"[]\n".to_vec()),
        (COMPLETED, b"[]\n".to_vec()),
        (HISTORY, b"[]\n".to_vec()),
        (PROMPT_FILE, MASTER_PROMPT.as_bytes().to_vec()),
    ];
    let mut files = Vec::new();
    for (path, content) in all {
        let on_disk = top.is_some_and(|top| std::fs::symlink_metadata(top.join(path)).is_ok());
        if !on_disk && tree::blob_at(repo, root, path)?.is_none() {
            files.push((path.to_owned(), content));
        }
    }
    Ok(files)
}

/// Commits exactly `files` on the target; where it is checked out here, their index entries follow.
fn record(session: &Session, repo: &Repo, target: &Target, files: &[(String, Vec<u8>)]) -> Result<CommitId> {
    let subject = "Set up git-invisigoth";
    let body = "Settings, backlog and records. Undo with `git invisigoth init --undo`.";
    let message = commit::Message {
        subject: subject.into(),
        body: body.into(),
        trailers: vec![("Settled", "init".to_owned())],
    };
    let head = tree::of_commit(repo, target.head)?;
    let root = tree::with_files(
        repo,
        head,
        files.iter().map(|(path, content)| (path.as_str(), Some(&**content))),
    )?;
    for (path, content) in files {
        stage(session, repo, target, path, content)?;
    }
    let made = commit::write(repo, root, &[target.head], &message, session.clock.now())?;
    move_branch(repo, target, made, subject)?;
    Ok(made)
}

fn stage(session: &Session, repo: &Repo, target: &Target, path: &str, content: &[u8]) -> Result<()> {
    if let Some(top) = checkout(repo, target) {
        advance::stage(&session.env, top, path, objects::write_blob(repo, content)?)?;
    }
    Ok(())
}

fn move_branch(repo: &Repo, target: &Target, made: CommitId, why: &str) -> Result<()> {
    let name = refs::branch_ref(&target.branch);
    let set = RefMove::Set {
        name,
        old: Some(target.head),
        new: made,
        why: why.to_owned(),
    };
    match refs::swap(repo, &[set])? {
        Swap::Done => Ok(()),
        Swap::Lost => Err(
            Fault::new(Kind::Busy, format!("branch `{}` moved meanwhile", target.branch))
                .hint("`git invisigoth init` again")
                .into(),
        ),
    }
}

fn configure(session: &Session, repo: &Repo) -> Result<()> {
    for (key, value) in CONFIG {
        let there = command::output(
            &session.env,
            repo.common_dir(),
            &["config", "--local", "--get-all", key],
        )?;
        if !String::from_utf8_lossy(&there.stdout).lines().any(|line| line == value) {
            command::stdout(
                &session.env,
                repo.common_dir(),
                &["config", "--local", "--add", key, value],
            )?;
        }
    }
    let attributes = repo.common_dir().join("info/attributes");
    fs::create_dir_all(&repo.common_dir().join("info"))?;
    let text = fs::read_text(&attributes)?.unwrap_or_default();
    if !text.lines().any(|line| line == ATTRIBUTES) {
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        fs::write_atomic(&attributes, format!("{text}{gap}{ATTRIBUTES}\n").as_bytes())?;
    }
    Ok(())
}

fn check_base(session: &Session, repo: &Repo) -> Result<Option<Base>> {
    let target = Target::read(session, repo)?;
    let gate = session::gate(session, repo, &session.settings_at(repo, Some(target.tip))?.settings)?;
    if gate.is_empty() {
        return Ok(None);
    }
    let code = tree::code_of_commit(repo, target.tip)?;
    let mut checker = Checker::new(session, repo);
    let base = match checker.baseline(repo, code, &gate) {
        Ok(baseline) if baseline.red.is_empty() => Base::Green,
        Ok(baseline) => Base::KnownRed(baseline.known_red.into_iter().collect()),
        Err(error) => Base::Red(why_red(error.downcast::<Fault>()?)),
    };
    checker.flush(repo, None)?;
    Ok(Some(base))
}

/// Words a red base with what may mend it; `check` is named anyway.
fn why_red(fault: Fault) -> String {
    let hints = fault.hints.into_iter().filter(|hint| hint.contains("check.network"));
    std::iter::once(fault.message)
        .chain(hints)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Takes away what `init` made, if nothing of the user's is in it.
fn undo(session: &Session, repo: &Repo, target: &Target) -> Result<Outcome> {
    let head = tree::of_commit(repo, target.head)?;
    let known = recall::read(session, repo, target)?;
    if !known.facts.goals.is_empty() || !known.facts.landed.is_empty() {
        let fault = Fault::new(
            Kind::Error,
            "the backlog holds goals or records; `init --undo` would drop them",
        );
        return Err(fault.hint("`git rm -r memory invisigoth.toml` if you mean it").into());
    }
    let all = [SETTINGS_FILE, PENDING, COMPLETED, HISTORY, PROMPT_FILE];
    let (top, mut gone) = (checkout(repo, target), Vec::new());
    for path in all {
        let Some(blob) = tree::blob_at(repo, head, path)? else {
            continue;
        };
        let on_disk = top.and_then(|top| std::fs::read(top.join(path)).ok());
        if on_disk.is_none_or(|content| objects::blob_id(repo, &content).is_ok_and(|id| id == blob)) {
            gone.push(path);
        }
    }
    let root = tree::with_files(repo, head, gone.iter().map(|path| (*path, None)))?;
    let subject = "Take back the set-up of git-invisigoth";
    let message = commit::Message {
        subject: subject.into(),
        ..commit::Message::default()
    };
    let made = commit::write(repo, root, &[target.head], &message, session.clock.now())?;
    move_branch(repo, target, made, subject)?;
    if let Some(top) = top {
        for path in &gone {
            command::stdout(
                &session.env,
                top,
                &["rm", "--quiet", "--force", "--ignore-unmatch", "--", path],
            )?;
        }
    }
    for (key, value) in CONFIG {
        command::output(
            &session.env,
            repo.common_dir(),
            &["config", "--local", "--fixed-value", "--unset-all", key, value],
        )?;
    }
    command::output(
        &session.env,
        repo.common_dir(),
        &["config", "--local", "--remove-section", "merge.invisigoth"],
    )?;
    let attributes = repo.common_dir().join("info/attributes");
    if let Some(text) = fs::read_text(&attributes)? {
        let kept: String = text
            .lines()
            .filter(|line| ![ATTRIBUTES, OLD_ATTRIBUTES].contains(line))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write_atomic(&attributes, kept.as_bytes())?;
    }
    Ok(Outcome {
        files: gone.into_iter().map(str::to_owned).collect(),
        commit: Some(made),
        detected: Vec::new(),
        checks: Vec::new(),
        notes: Vec::new(),
        base: None,
        undone: true,
    })
}
