//! `verify`: compares what landed with what must be there, offline, on any clone. Writes nothing.

use eyre::Result;
use serde::Serialize;

use crate::{
    audit::{Divergence, Finding, What},
    check::{Ran, Tests},
    commands,
    engine::{
        audit::{self, Audit, Counts, Scope},
        checks::Checker,
        session::{self, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, history, refs, tree},
    id::CommitId,
};

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `A..B`, or a revision with all that it holds; all of the target where absent.
    pub range: Option<String>,
    /// Whether the gate of each landing is run again.
    pub rerun: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// How much was looked at.
    #[serde(flatten)]
    pub counts: Counts,
    /// Landings whose gate was run again; absent without `--rerun`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun: Option<usize>,
    /// The first commit that diverges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<CommitId>,
    /// What diverges, the oldest commit first.
    pub findings: Vec<Finding>,
    /// What cannot be told in this clone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// What to type so that more can be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.verify/1";

    fn kind(&self) -> Option<Kind> {
        (!self.findings.is_empty()).then_some(Kind::Unfinished)
    }
}

/// Looks at what `request` names.
///
/// # Errors
/// A fault for what names no commit, and where no target can be told; with `rerun`, where a gate cannot be run at all.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo().as_stored();
    let scope = scope(session, &repo, request.range.as_deref())?;
    let mut audit = audit::audit(session, &scope)?;
    let rerun = match request.rerun {
        true => Some(rerun(session, &repo, &scope, &mut audit)?),
        false => None,
    };
    Ok(Outcome {
        counts: audit.counts,
        rerun,
        first: audit.findings.first().map(|finding| finding.commit),
        findings: audit.findings,
        remarks: audit.remarks,
        hints: audit.hints,
    })
}

fn scope(session: &Session, repo: &Repo, range: Option<&str>) -> Result<Scope> {
    let Some(range) = range else {
        let target = Target::read(session, repo)?;
        return Ok(Scope {
            from: None,
            tip: target.tip,
            branch: Some(target.branch),
        });
    };
    let end = |name: &str| {
        refs::resolve(repo, name)
            .map_err(|error| Fault::new(Kind::Error, error.to_string()).hint("`git invisigoth log` lists what landed"))
    };
    let (from, tip) = match range.split_once("..") {
        Some((_, to)) if to.starts_with('.') => {
            let fault = Fault::new(Kind::Usage, "`A...B` has two sides, and a history has one");
            return Err(fault.hint("`git invisigoth verify A..B`").into());
        }
        Some((from, to)) => {
            let head = |name: &str| end(if name.is_empty() { "HEAD" } else { name });
            (Some(head(from)?), head(to)?)
        }
        None => (None, end(range)?),
    };
    Ok(Scope {
        from,
        tip,
        branch: None,
    })
}

/// Runs the gate of each landing on its code, the oldest first, and stops at the first that is red.
fn rerun(session: &Session, repo: &Repo, scope: &Scope, audit: &mut Audit) -> Result<usize> {
    let mut checker = Checker::new(session, repo);
    checker.trust(tree::code_of_commit(repo, scope.tip)?);
    let mut count = 0;
    for landing in &audit.landings {
        let parent = history::parents(repo, landing.commit)?.first().copied();
        let Some(parent) = parent.filter(|parent| repo.has(*parent)) else {
            continue;
        };
        let settings = session.settings_at(repo, Some(parent))?.settings;
        let gate = session::gate(session, repo, &settings)?;
        if gate.is_empty() {
            continue;
        }
        let code = tree::code_of_commit(repo, landing.commit)?;
        let ran = checker.run_through(repo, code, &gate)?;
        count += 1;
        if let Some(red) = ran
            .iter()
            .find(|ran| !ran.passed() && !is_known(ran, landing.known_red))
        {
            let first = red.output.as_str().lines().next().unwrap_or_default();
            let found = format!("exit {}: {first}", red.exit());
            let divergence = Divergence::new(What::Gate, format!("`{}` passes", red.command), found);
            audit
                .findings
                .push(Finding::at(landing.commit, Some(&landing.goal), divergence));
            break;
        }
    }
    audit.sort();
    Ok(count)
}

/// True where a command fails with no more tests than were red at the base already.
fn is_known(ran: &Ran, known_red: usize) -> bool {
    let failed = ran.tests.as_ref().map_or(0, |tests| tests.failed.len());
    let unnamed = ran.tests.as_ref().is_some_and(Tests::has_unnamed_failures);
    failed > 0 && failed <= known_red && !unnamed
}
