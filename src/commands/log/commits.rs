//! `log --all`: every commit along the first parents of the target, ours and people's, the newest first, a page at a time.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{
        self,
        log::{self, Row},
    },
    engine::{
        hand_edits, landed,
        session::Session,
        target::{self, Target},
    },
    fault::{Fault, Kind},
    git::{
        Repo,
        commit::Author,
        history::{self, LogEntry},
        refs,
    },
    id::{CommitId, GoalId},
};

/// Most commits that are looked at for one page: of a long history little may match.
const LOOKED_AT: usize = 2_000;

/// Whose commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Whose {
    /// All.
    #[default]
    All,
    /// Those that landed or took back goals.
    Goals,
    /// Those of people.
    People,
}

/// Which commits.
#[derive(Clone, Debug)]
pub struct Request {
    /// At most so many.
    pub max: usize,
    /// Only what came before this commit; the newest where absent.
    pub before: Option<String>,
    /// Only those whose first line, author, goals or models hold this text, in whatever case.
    pub grep: Option<String>,
    /// Whose.
    pub whose: Whose,
}

/// What a commit is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It landed goals.
    Landing,
    /// It took goals back.
    Undo,
    /// It holds nothing but what is written down about goals.
    Record,
    /// A person made it.
    Person,
}

/// One commit.
#[derive(Debug, Serialize)]
pub struct Commit {
    /// The commit.
    pub commit: CommitId,
    /// What it is.
    pub what: What,
    /// Its first line.
    pub subject: String,
    /// Who made it: `Name <address>`.
    pub author: String,
    /// When it was committed, RFC 3339 UTC.
    pub at: String,
    /// The goals that it landed, with their records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub landed: Vec<Row>,
    /// The goals that it took back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub takes_back: Vec<GoalId>,
}

/// A page of commits.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The newest first.
    pub commits: Vec<Commit>,
    /// What to give as `before` for those that follow; absent where none do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<CommitId>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.log/1";
}

/// Lists them.
///
/// # Errors
/// A fault where `before` is no commit of the target; when history cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let mut from = match &request.before {
        None => Some(target.tip),
        Some(before) => parent(&repo, start(&repo, target.tip, before)?)?,
    };
    let (mut commits, mut seen, mut last) = (Vec::new(), 0, None);
    while let Some(at) = from.filter(|_| commits.len() < request.max && seen < LOOKED_AT) {
        // A page is rarely more than twice what is wanted.
        let entries = history::first_parents(&repo, at, request.max.min(LOOKED_AT - seen))?;
        from = None;
        for one in read(&repo, target.tip, &entries)? {
            seen += 1;
            (last, from) = (Some(one.commit), parent(&repo, one.commit)?);
            if is_wanted(&one, request) {
                commits.push(one);
            }
            if commits.len() == request.max {
                break;
            }
        }
    }
    Ok(Outcome {
        commits,
        next: last.filter(|_| from.is_some()),
    })
}

fn start(repo: &Repo, tip: CommitId, before: &str) -> Result<CommitId> {
    let fault = |what: &str| {
        let fault = Fault::new(Kind::Usage, format!("`{before}` {what}"));
        fault.hint("`git invisigoth log --all` begins with the newest")
    };
    // A range, or a search through messages, is no commit to go on from.
    let is_plain = before
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_./~^".contains(&byte));
    let found = is_plain.then(|| refs::resolve(repo, before).ok()).flatten();
    let found = found.ok_or_else(|| fault("names no commit here"))?;
    match history::contains(repo, tip, found)? {
        true => Ok(found),
        false => Err(fault("is no part of the branch that goals land on").into()),
    }
}

/// A shallow clone simply ends.
fn parent(repo: &Repo, commit: CommitId) -> Result<Option<CommitId>> {
    let two = history::first_parents(repo, commit, 2)?;
    Ok(two.get(1).map(|parent| parent.id))
}

fn read(repo: &Repo, tip: CommitId, entries: &[LogEntry]) -> Result<Vec<Commit>> {
    let members: Vec<Vec<(GoalId, CommitId)>> = entries.iter().map(target::members).collect();
    let mut rows = log::rows(repo, tip, members.iter().flatten().cloned().collect())?.into_iter();
    let mut commits = Vec::with_capacity(entries.len());
    for (entry, members) in entries.iter().zip(&members) {
        let takes_back = landed::of_commit(repo, entry).takes_back;
        commits.push(Commit {
            commit: entry.id,
            what: what(entry, !members.is_empty(), &takes_back),
            subject: entry.subject().to_owned(),
            author: Author::of(repo, entry.id).map_or_else(|_| String::new(), |author| author.words()),
            at: entry.at.rfc3339(),
            landed: rows.by_ref().take(members.len()).collect(),
            takes_back,
        });
    }
    Ok(commits)
}

fn what(entry: &LogEntry, lands: bool, takes_back: &[GoalId]) -> What {
    let is_record = entry.message.trim_end() == hand_edits::EDITS || entry.trailers("Settled").next().is_some();
    match () {
        () if lands => What::Landing,
        () if !takes_back.is_empty() => What::Undo,
        () if is_record => What::Record,
        () => What::Person,
    }
}

fn is_wanted(one: &Commit, request: &Request) -> bool {
    let is_theirs = match request.whose {
        Whose::All => true,
        Whose::Goals => matches!(one.what, What::Landing | What::Undo),
        Whose::People => one.what == What::Person,
    };
    let Some(text) = request.grep.as_ref().filter(|_| is_theirs) else {
        return is_theirs;
    };
    let text = text.to_lowercase();
    let has = |field: &str| field.to_lowercase().contains(&text);
    let of_goal = |row: &Row| {
        let model = row.record.as_ref().is_some_and(|record| has(&record.model));
        has(row.goal.as_str()) || has(&row.subject) || model
    };
    let goals = one.landed.iter().any(of_goal) || one.takes_back.iter().any(|goal| has(goal.as_str()));
    has(&one.subject) || has(&one.author) || goals
}
