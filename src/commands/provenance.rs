//! `provenance`: which lines of landed commits a model wrote, in the words of other programs.

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    commands,
    engine::{
        provenance::{self, Known},
        recall, records,
        run::unknown_goal,
        session::Session,
        target::{Target, members},
    },
    fault::{Fault, Kind},
    git::{Repo, history, refs},
    id::{CommitId, GoalId},
    provenance::{Work, agent_trace, git_ai},
    quote::quoted,
    record::Record,
};

/// In whose words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Agent Trace: a JSON record per commit.
    AgentTrace,
    /// The Git AI standard: the note of each commit.
    GitAi,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Goals or commits; all that landed where there are none.
    pub of: Vec<String>,
    /// In whose words.
    pub format: Format,
}

/// One commit.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The goal.
    pub goal: GoalId,
    /// Its commit.
    pub commit: CommitId,
    /// The Agent Trace record, in that format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
    /// The note, in that format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is told.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// In whose words.
    pub format: Format,
    /// Each commit, the oldest first, or in the order in which they were named.
    pub commits: Vec<Told>,
    /// How many commits are left out, as this clone is shallow and does not show what they changed.
    #[serde(skip_serializing_if = "commands::is_zero")]
    pub left_out: usize,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.provenance/1";
}

/// Tells.
///
/// # Errors
/// A fault for what is no goal and no commit, has not landed, or is not our work; or when the repository cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let mut rows = recall::rows(&repo, target.tip)?;
    rows.extend(records::late_rows(&repo, target.tip)?);
    let records: Vec<Record> = rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect();
    let mut commits = Vec::new();
    let mut left_out = 0;
    if request.of.is_empty() {
        for record in &records {
            match provenance::known(&repo, record)? {
                Known::Work(work) => commits.push(told(request.format, &work)),
                Known::NotHere => left_out += 1,
                Known::NotOurs => {}
            }
        }
        if records.is_empty() {
            session.say("nothing has landed yet");
        }
    }
    for name in &request.of {
        for record in named(session, (&repo, &target), &records, name)? {
            commits.push(match provenance::known(&repo, record)? {
                Known::Work(work) => told(request.format, &work),
                Known::NotHere => return Err(not_here(record).into()),
                Known::NotOurs => return Err(not_ours(record).into()),
            });
        }
    }
    if left_out > 0 {
        let what = match left_out {
            1 => "1 commit is".to_owned(),
            more => format!("{more} commits are"),
        };
        session.say(format!(
            "{what} left out, as this clone is shallow: `git fetch --unshallow` brings all of history"
        ));
    }
    let format = request.format;
    Ok(Outcome {
        format,
        commits,
        left_out,
    })
}

fn told(format: Format, work: &Work) -> Told {
    Told {
        goal: work.record.goal.clone(),
        commit: work.commit,
        record: (format == Format::AgentTrace).then(|| agent_trace::record(work)),
        note: (format == Format::GitAi).then(|| git_ai::note(work)),
    }
}

/// Finds the records that `name` means: the newest of a goal, that of a commit, or those of a landing.
fn named<'r>(
    session: &Session,
    (repo, target): (&Repo, &Target),
    records: &'r [Record],
    name: &str,
) -> Result<Vec<&'r Record>> {
    let of_goal = |record: &&Record| record.goal.as_str() == name;
    if let Some(record) = records.iter().rev().find(of_goal) {
        return Ok(vec![record]);
    }
    let facts = recall::read_here(session, repo, target)?.facts;
    let goal: Option<GoalId> = name.parse().ok();
    if let Some(goal) = goal.as_ref().filter(|goal| facts.goals.contains_key(*goal)) {
        let fault = Fault::new(
            Kind::Error,
            format!("goal {goal} has not landed, so there is no commit of it"),
        );
        let id = quoted(goal.as_str());
        return Err(fault
            .hint(format!("`git invisigoth show {id}` says how it stands"))
            .into());
    }
    let Ok(commit) = refs::resolve(repo, name) else {
        let fault = match goal.map(|goal| unknown_goal(&facts, &goal)) {
            Some(fault) if fault.hints.iter().any(|hint| hint.starts_with("did you mean")) => fault,
            _ => Fault::new(Kind::Error, format!("`{name}` is neither a goal nor a commit here"))
                .hint("`git invisigoth log` lists what landed"),
        };
        return Err(fault.into());
    };
    let landed: Vec<CommitId> = members(&history::entry(repo, commit)?)
        .into_iter()
        .map(|(_, commit)| commit)
        .collect();
    let is_of = |record: &&Record| record.commit == commit || landed.contains(&record.commit);
    let found: Vec<&Record> = records.iter().filter(is_of).collect();
    if found.is_empty() {
        let fault = Fault::new(
            Kind::Error,
            format!(
                "commit {} landed no goal, so nothing is known of who wrote it",
                commit.short()
            ),
        );
        return Err(fault.hint("`git invisigoth log` lists what landed").into());
    }
    Ok(found)
}

fn not_here(record: &Record) -> Fault {
    let commit = record.commit.short();
    Fault::new(
        Kind::Error,
        format!("commit {commit} or what it was made on is not here: this clone is shallow"),
    )
    .hint("`git fetch --unshallow` brings all of history")
}

fn not_ours(record: &Record) -> Fault {
    let (goal, commit) = (&record.goal, record.commit.short());
    Fault::new(
        Kind::Error,
        format!("no model was asked for commit {commit} of goal {goal}: who wrote its lines is not known here"),
    )
    .hint(format!(
        "`git notes --ref=ai show {commit}` shows what their own tools said, if anything"
    ))
}
