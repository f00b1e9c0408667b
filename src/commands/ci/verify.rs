//! `ci verify`: judges one pushed candidate, with annotations and a summary where GitHub Actions runs it. Lands nothing.

use eyre::Result;
use serde::Serialize;

use crate::{
    check::CheckRow,
    ci::actions::{Level, annotation, block, table},
    commands::{
        self,
        ci::{is_in_actions, summarise},
    },
    engine::{
        bringing,
        judging::{self, Point, Standing},
        recall, remote,
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, command, refs},
    id::{CommitId, GoalId},
};

/// Which commit.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A revision; HEAD where absent.
    pub rev: Option<String>,
    /// Bring what other clones know from here first, the commit too.
    pub remote: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The commit.
    pub commit: CommitId,
    /// The goal that it says it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// The branch that it would land on.
    pub target: String,
    /// True where it may land by itself.
    pub passed: bool,
    /// Each point.
    pub points: Vec<Point>,
    /// Checks of the merged code.
    pub checks: Vec<CheckRow>,
    /// Annotations for GitHub Actions.
    #[serde(skip)]
    pub annotations: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.ci-verify/1";

    fn kind(&self) -> Option<Kind> {
        if self.points.iter().any(|point| point.state == Standing::Failed) {
            Some(Kind::Error)
        } else {
            (!self.passed).then_some(Kind::Person)
        }
    }
}

/// Judges it.
///
/// # Errors
/// A fault for what names no commit, where no checks are configured, and where the target is red by itself.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    if let Some(remote) = &request.remote {
        bringing::bring(session, &repo, remote)?;
    }
    let commit = resolve(session, &repo, request)?;
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let found = judging::judge(session, &repo, (&target, &known), commit)?;
    let passes = |point: &Point| matches!(point.state, Standing::Ok | Standing::Warn);
    let mut outcome = Outcome {
        commit,
        goal: found.goal,
        target: target.branch,
        passed: found.points.iter().all(passes),
        points: found.points,
        checks: found.checks,
        annotations: Vec::new(),
    };
    if is_in_actions(session) {
        outcome.annotations = outcome.points.iter().filter_map(annotated).collect();
    }
    summarise(session, &summary(&outcome))?;
    Ok(outcome)
}

/// Resolves the commit; one that is not here is asked of the remote by its id.
fn resolve(session: &Session, repo: &Repo, request: &Request) -> Result<CommitId> {
    let named = request.rev.as_deref().unwrap_or("HEAD");
    let found = refs::resolve(repo, named);
    if let (Err(_), Some(remote), Ok(id)) = (&found, &request.remote, named.parse::<CommitId>()) {
        let id = id.to_string();
        let args = remote::fetch(remote, &id);
        // Where they have none either, that is what is said below.
        if command::stdout(&session.env, bringing::place(repo), &args).is_ok() {
            return Ok(refs::resolve(repo, named)?);
        }
    }
    found.map_err(|error| {
        let fault = Fault::new(Kind::Error, error.to_string());
        fault
            .hint("`git fetch` brings what a remote has; --remote NAME does so first")
            .into()
    })
}

fn annotated(point: &Point) -> Option<String> {
    let level = match point.state {
        Standing::Failed => Level::Error,
        Standing::Held | Standing::Warn => Level::Warning,
        Standing::Ok => return None,
    };
    let path = point.path.as_deref();
    let tail = point.output.as_deref().map(tail).unwrap_or_default();
    let fix = point.fix.as_ref().map(|fix| format!("\n{fix}")).unwrap_or_default();
    let message = format!("{}{fix}{tail}", point.detail);
    Some(annotation(
        level,
        path,
        &format!("invisigoth: {}", point.name),
        &message,
    ))
}

/// The last lines of what a check printed: an annotation holds few.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().rev().take(12).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    format!("\n{}", lines.join("\n"))
}

fn summary(outcome: &Outcome) -> String {
    let verdict = if outcome.passed {
        "may land"
    } else {
        "does not land by itself"
    };
    let goal = outcome
        .goal
        .as_ref()
        .map(|goal| format!(" for `{goal}`"))
        .unwrap_or_default();
    let head = format!("### Candidate {}{goal} {verdict}\n\n", outcome.commit.short());
    let rows: Vec<Vec<String>> = outcome
        .points
        .iter()
        .map(|point| {
            let about = point.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
            vec![
                point.state.word().to_owned(),
                point.name.to_owned(),
                format!("{about}{}", point.detail),
            ]
        })
        .collect();
    let outputs: String = outcome
        .points
        .iter()
        .filter_map(|point| point.output.as_deref())
        .map(block)
        .collect();
    let gap = if outputs.is_empty() { "" } else { "\n" };
    head + &table(&["", "point", "found"], &rows) + gap + &outputs
}
