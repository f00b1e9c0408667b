//! `replay`: proves that the recorded replies of landed goals make the code that was committed. Asks nobody.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        recall,
        replaying::{self, Replayed},
        run,
        session::Session,
        stored,
        target::{self, Target},
    },
    fault::{Fault, Kind},
    git::{Repo, history, refs},
    id::{CommitId, GoalId},
    quote::quoted,
};

/// Most paths that a row names.
const PATHS: usize = 5;

/// What to replay.
#[derive(Clone, Debug)]
pub struct Request {
    /// Commits, ranges and goals, as a person names them.
    pub specs: Vec<String>,
}

/// How a goal's replay ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The replies make the very same code.
    Same,
    /// They make other code, or none.
    Differs,
    /// Nothing could be proved.
    NotReplayable,
}

/// One goal.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// The commit that its work is.
    pub commit: CommitId,
    /// Its attempt, where the commit names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, where paths do not say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The first paths that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// What was proved.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// A goal each, in the order asked for, those of a range the newest first.
    pub goals: Vec<Row>,
    /// How many could be replayed.
    pub replayed: usize,
    /// How many of them differ.
    pub differ: usize,
    /// What to do where attempts are not in this clone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.replay/1";

    fn kind(&self) -> Option<Kind> {
        (self.differ > 0).then_some(Kind::Unfinished)
    }
}

/// Replays what `request` names.
///
/// # Errors
/// A fault for what is neither commit nor goal, and for a commit that landed none.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let mut members: Vec<(GoalId, CommitId)> = Vec::new();
    for spec in &request.specs {
        for member in named(session, &repo, spec)? {
            if !members.contains(&member) {
                members.push(member);
            }
        }
    }
    let mut goals = Vec::new();
    for (goal, commit) in members {
        let (attempt, replayed) = replaying::replay(session, &repo, &goal, commit)?;
        goals.push(row(goal, commit, attempt, replayed));
    }
    let count = |verdict| goals.iter().filter(|row: &&Row| row.verdict == verdict).count();
    let (replayed, differ) = (goals.len() - count(Verdict::NotReplayable), count(Verdict::Differs));
    let absent = refs::read(&repo, refs::ATTEMPTS)?.is_none();
    Ok(Outcome {
        hint: absent.then(|| stored::how_to_fetch(&repo)),
        goals,
        replayed,
        differ,
    })
}

/// Returns the goals that `spec` names, each with the commit that its work is.
fn named(session: &Session, repo: &Repo, spec: &str) -> Result<Vec<(GoalId, CommitId)>> {
    if let Some((from, to)) = spec.split_once("..") {
        let end = |name: &str| refs::resolve(repo, if name.is_empty() { "HEAD" } else { name });
        let commits = history::first_parents_since(repo, end(from)?, end(to)?)?;
        return Ok(commits.iter().flat_map(target::members).collect());
    }
    match refs::resolve(repo, spec) {
        Ok(commit) => {
            let members = target::members(&history::entry(repo, commit)?);
            if members.is_empty() {
                let fault = Fault::new(Kind::Error, format!("`{spec}` landed no goal"));
                return Err(fault.hint("`git invisigoth log` lists the commits that did").into());
            }
            Ok(members)
        }
        Err(error) => match spec.parse() {
            Ok(goal) => of_goal(session, repo, goal),
            Err(_) => Err(error.into()),
        },
    }
}

/// Returns the newest landing of a goal, else its candidate.
fn of_goal(session: &Session, repo: &Repo, goal: GoalId) -> Result<Vec<(GoalId, CommitId)>> {
    let target = Target::read(session, repo)?;
    let landings = history::landings(repo, target.tip, usize::MAX)?;
    let landed = landings
        .iter()
        .flat_map(target::members)
        .find(|(landed, _)| *landed == goal);
    if let Some(member) = landed {
        return Ok(vec![member]);
    }
    if let Some(candidate) = refs::read(repo, &refs::candidate_ref(&goal))? {
        return Ok(vec![(goal, candidate)]);
    }
    let known = recall::read(session, repo, &target)?;
    if known.facts.goals.contains_key(&goal) {
        let fault = Fault::new(Kind::Error, format!("goal {goal} has neither landed nor a candidate"));
        return Err(fault
            .hint(format!("`git invisigoth show {}`", quoted(goal.as_str())))
            .into());
    }
    Err(run::unknown_goal(&known.facts, &goal).into())
}

fn row(goal: GoalId, commit: CommitId, attempt: Option<u32>, replayed: Replayed) -> Row {
    let (verdict, why, paths) = match replayed {
        Replayed::Same => (Verdict::Same, String::new(), Vec::new()),
        Replayed::Differs { paths, why } => (Verdict::Differs, why, paths),
        Replayed::Not(why) => (Verdict::NotReplayable, why.to_string(), Vec::new()),
    };
    Row {
        goal,
        commit,
        attempt,
        verdict,
        why,
        paths: paths.iter().take(PATHS).map(ToString::to_string).collect(),
    }
}
