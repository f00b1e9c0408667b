//! `check`: runs set-up, lint and test on a commit's code tree, as a run would.

use eyre::Result;
use serde::Serialize;

use crate::{
    check::{CheckRow, Ran},
    commands,
    engine::{
        checks::{self, Checker},
        session::{self, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{
        Repo, history,
        refs::{self, Head},
        tree,
    },
    id::{CommitId, TreeId},
    settings::Settings,
    snapshot::CodeTree,
};

/// What to check.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A revision; HEAD where absent.
    pub rev: Option<String>,
}

/// What ran.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The command and how it ended.
    #[serde(flatten)]
    pub check: CheckRow,
    /// What it printed, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What to do about it, where it looks like the sandbox's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The commit.
    pub commit: CommitId,
    /// Its code tree.
    pub code_tree: TreeId,
    /// What fenced the commands in: `bwrap` or `none`.
    pub sandbox: &'static str,
    /// True where everything passed.
    pub passed: bool,
    /// Each command, in order; nothing follows the first that fails.
    pub checks: Vec<Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.check/1";

    fn kind(&self) -> Option<Kind> {
        (!self.passed).then_some(Kind::Error)
    }
}

/// Runs the checks; a stored verdict is not asked, but one that passed is stored.
///
/// # Errors
/// A fault for an unknown revision or where no checks are configured.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let commit = refs::resolve(&repo, request.rev.as_deref().unwrap_or("HEAD"))
        .map_err(|error| Fault::new(Kind::Error, error.to_string()).hint("`git log --oneline` lists commits"))?;
    let settings = settings(session, &repo, commit)?;
    let gate = session::gate(session, &repo, &settings)?;
    if gate.is_empty() {
        return Err(session::no_checks().into());
    }
    let code = tree::code_of_commit(&repo, commit)?;
    let mut checker = Checker::new(session, &repo);
    if let Some(own) = own_code(&repo)? {
        checker.trust(own);
    }
    let ran = checker.run(&repo, code, &gate, gate.commands.clone())?;
    let row = |ran: &Ran| Row {
        check: CheckRow::of(ran),
        output: (!ran.passed()).then(|| ran.output.as_str().to_owned()),
        hint: (!ran.passed())
            .then(|| checks::network_hint(&gate, ran.stage, ran.output.as_str()))
            .flatten(),
    };
    let outcome = Outcome {
        commit,
        code_tree: code.id,
        sandbox: gate.sandbox.word(),
        passed: ran.iter().all(Ran::passed),
        checks: ran.iter().map(row).collect(),
    };
    if outcome.passed {
        checker.believe(&repo, code, &gate, ran)?;
        checker.flush(&repo, None)?;
    }
    Ok(outcome)
}

/// Returns the settings as of `commit` where HEAD or the target has it. Somebody else's branch says neither what is run nor
/// what that may see: there the target's settings count, as they do when it lands.
fn settings(session: &Session, repo: &Repo, commit: CommitId) -> Result<Settings> {
    let tip = Target::read(session, repo).ok().map(|target| target.tip);
    for ours in head(repo).into_iter().chain(tip) {
        if history::contains(repo, ours, commit)? {
            return Ok(session.settings_at(repo, Some(commit))?.settings);
        }
    }
    Ok(session.settings_at(repo, tip)?.settings)
}

fn head(repo: &Repo) -> Option<CommitId> {
    match refs::head(repo) {
        Ok(Head::Branch(_, Some(head)) | Head::Detached(head)) => Some(head),
        _ => None,
    }
}

/// Returns the code at HEAD, which is the person's own, unless a candidate is checked out.
fn own_code(repo: &Repo) -> Result<Option<CodeTree>> {
    let Some(head) = head(repo) else { return Ok(None) };
    let entry = history::entry(repo, head)?;
    let is_candidate = entry.trailers("Goal").next().is_some() && entry.trailers("Settled").next().is_none();
    if is_candidate {
        return Ok(None);
    }
    Ok(Some(tree::code_of_commit(repo, head)?))
}
