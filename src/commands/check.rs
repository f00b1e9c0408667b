//! `check`: runs set-up, lint and test on a commit's code tree, as a run would.

use eyre::Result;
use serde::Serialize;

use crate::{
    check::{CheckRow, Ran},
    commands,
    engine::{
        checks::Checker,
        session::{self, Session},
        worker,
    },
    fault::Kind,
    git::{refs, tree},
    id::{CommitId, TreeId},
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
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The commit.
    pub commit: CommitId,
    /// Its code tree.
    pub code_tree: TreeId,
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

/// Runs the checks; a stored verdict is not asked.
///
/// # Errors
/// A fault for an unknown revision or where no checks are configured.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let commit = refs::resolve(&repo, request.rev.as_deref().unwrap_or("HEAD"))?;
    let settings = session.settings_at(&repo, Some(commit))?.settings;
    let gate = session::gate(&settings);
    if gate.is_empty() {
        return Err(worker::no_checks().into());
    }
    let code = tree::code_of_commit(&repo, commit)?;
    let ran = Checker::new(session, &repo).run(&repo, code, &gate, gate.commands.clone())?;
    let row = |ran: &Ran| Row {
        check: CheckRow::of(ran),
        output: (!ran.passed()).then(|| ran.output.as_str().to_owned()),
    };
    Ok(Outcome {
        commit,
        code_tree: code.id,
        passed: ran.iter().all(Ran::passed),
        checks: ran.iter().map(row).collect(),
    })
}
