//! What the attempts ref keeps of an attempt: `attempt.json`, and each answered call.
//!
//! Owns these formats and how a killed attempt is taken up again. Decides nothing.

use eyre::{Result, WrapErr as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    check::CheckRow,
    facts::Standing,
    git::{
        Repo,
        attempts::{self, Of},
        config, history, refs,
    },
    id::{CommitId, GoalId, TreeId},
    money::caps::OverBudget,
    quote,
    time::Moment,
    transcript::{Exchange, Usage},
};

const FILE: &str = "attempt.json";

/// `attempt.json`: what an attempt worked on and how it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The goal.
    pub goal: GoalId,
    /// Its row as the attempt saw it.
    pub row: Box<RawValue>,
    /// Its version.
    pub version: String,
    /// The commit worked on.
    pub base: CommitId,
    /// How it stands.
    pub standing: Standing,
    /// Why it failed, or why its candidate did not land; empty otherwise.
    pub reason: String,
    /// What its candidate met with, where it did not land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evicted: Option<Eviction>,
    /// The cap that stopped it, if one did: its goal's, where it pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<OverBudget>,
    /// Replies so far.
    pub rounds: u32,
    /// When it began, RFC 3339 UTC.
    pub started_at: String,
    /// The provider's kind.
    pub provider: String,
    /// Who worked, if not `edit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// The model that answered last.
    pub model: String,
    /// `llm.format` as it was: how replies were asked for, and so how they are read.
    #[serde(default)]
    pub format: String,
    /// What all calls took.
    pub usage: Usage,
    /// Hash of the first prompt.
    pub prompt_hash: String,
    /// The checks of the last round.
    pub checks: Vec<CheckRow>,
    /// The calls, from 0, whose edits do not count: they made things worse and were taken back, or a killed run had asked
    /// another question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<u32>,
    /// True where a secret was taken out of a reply, so that the replies as they are kept do not make the code again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The run of a test goal's own tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<CheckRow>,
    /// Tests that fail on the base and pass on the candidate, where that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_green: Option<usize>,
    /// What a reader should know besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The branch that was adopted, where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Adopted>,
}

/// What a candidate met with that did not land. Text in it went through the redactor.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Eviction {
    /// Git's text of what conflicts, with its markers; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// What the checks of the merged code printed; absent where they passed or did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// What landed between its base and the tip that it was judged on: the likeliest to have to do with it first.
    #[serde(default)]
    pub against: Vec<CommitId>,
}

/// A branch of somebody that answers a goal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Adopted {
    /// As a person named it.
    pub branch: String,
    /// Its newest commit.
    pub head: CommitId,
    /// True where its commits land as they are, `head` being the candidate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_is: bool,
}

/// What an attempt works on.
pub struct Begun {
    /// The goal.
    pub goal: GoalId,
    /// Its row as the attempt sees it.
    pub row: Box<RawValue>,
    /// Its version.
    pub version: String,
    /// The commit worked on.
    pub base: CommitId,
    /// When it began, RFC 3339 UTC.
    pub started_at: String,
}

impl Stored {
    /// Returns an attempt of which nothing has come yet. Nobody is known to work at it, nor what it takes.
    pub fn begun(begun: Begun) -> Self {
        Self {
            goal: begun.goal,
            row: begun.row,
            version: begun.version,
            base: begun.base,
            standing: Standing::Open,
            reason: String::new(),
            evicted: None,
            pause: None,
            rounds: 0,
            started_at: begun.started_at,
            provider: "unknown".to_owned(),
            executor: None,
            model: "unknown".to_owned(),
            format: String::new(),
            usage: Usage::default(),
            prompt_hash: String::new(),
            checks: Vec::new(),
            taken_back: Vec::new(),
            redacted: false,
            proof: None,
            red_green: None,
            remark: None,
            adopted: None,
        }
    }

    /// True where the candidate is the head of somebody's branch, of any number of commits without trailers of ours.
    pub fn is_as_is(&self) -> bool {
        self.adopted.as_ref().is_some_and(|adopted| adopted.as_is)
    }
}

/// Reads how attempt `number` at `goal` stands.
///
/// # Errors
/// When it cannot be read.
pub fn read(repo: &Repo, goal: &GoalId, number: u32) -> Result<Option<Stored>> {
    let text = attempts::read(repo, goal, number, FILE)?;
    text.map(|text| serde_json::from_slice(&text).wrap_err_with(|| format!("attempt {number} at {goal}")))
        .transpose()
}

/// Returns the newest attempt at a goal, with its number, where it adopted `commit` as it is; `part` stands for the goal in ref
/// names. Such a candidate has no trailers that say what it is.
///
/// # Errors
/// When it cannot be read.
pub fn as_is(repo: &Repo, part: &str, commit: CommitId) -> Result<Option<(u32, Stored)>> {
    let Some(number) = attempts::newest(repo)?.remove(part) else {
        return Ok(None);
    };
    // What stands for a goal in ref names stands for itself there.
    let found = match part.parse() {
        Ok(goal) => read(repo, &goal, number)?,
        Err(_) => None,
    };
    let is = |stored: &Stored| stored.is_as_is() && stored.adopted.as_ref().is_some_and(|by| by.head == commit);
    Ok(found.filter(is).map(|stored| (number, stored)))
}

/// Counts how many attempts at a goal were evicted one after the other, up to the newest that came to an end, as the goal is
/// worded in `version`; `newest` is the newest of all. A person who wants it tried again begins a new count.
///
/// # Errors
/// When one cannot be read.
pub fn evictions(repo: &Repo, (number, newest): (u32, &Stored), version: &str) -> Result<u32> {
    let is_one = |stored: &Stored| stored.standing == Standing::Evicted && stored.version == version;
    let mut count = u32::from(is_one(newest));
    let is_under_way = matches!(newest.standing, Standing::Open | Standing::Paused);
    if count == 0 && !is_under_way {
        return Ok(0);
    }
    for number in (1..number).rev() {
        if !read(repo, &newest.goal, number)?.is_some_and(|stored| is_one(&stored)) {
            break;
        }
        count += 1;
    }
    Ok(count)
}

/// Reads the answered calls of attempt `number` at a goal or a plan, in order.
///
/// # Errors
/// When one cannot be read.
pub fn calls<'a>(repo: &Repo, of: impl Into<Of<'a>>, number: u32) -> Result<Vec<Exchange>> {
    let of = of.into();
    let mut recorded = Vec::new();
    while let Some(text) = attempts::read(repo, of, number, &call_name(recorded.len()))? {
        recorded.push(serde_json::from_slice(&text).wrap_err("a recorded call")?);
    }
    Ok(recorded)
}

/// Says how the attempts of another clone are brought here.
pub fn how_to_fetch(repo: &Repo) -> String {
    let remote = config::remote(repo).unwrap_or_else(|| "REMOTE".to_owned());
    format!(
        "`git fetch {1} {0}:{0}` brings those of another clone",
        refs::ATTEMPTS,
        quote::quoted(&remote)
    )
}

/// Reads every attempt at every goal.
///
/// # Errors
/// When one cannot be read.
pub fn every(repo: &Repo) -> Result<Vec<Stored>> {
    let texts = attempts::every(repo, FILE)?;
    let read = |text: &Vec<u8>| serde_json::from_slice(text).wrap_err("an attempt");
    texts.iter().map(read).collect()
}

/// The attempt that begins, or is taken up again.
pub struct Resumed {
    /// Its number.
    pub number: u32,
    /// The commit that it worked on so far, where a cap stopped it between two answers.
    pub base: Option<CommitId>,
    /// What it was answered already, the next one last: those answers are paid for.
    pub recorded: Vec<Exchange>,
}

/// Returns the attempt that begins at `goal`, whose newest is `newest`: that one, where a killed run left it open or it
/// paused. One that `tip` has landed since it began is over, even where that was taken back: nobody wants the same again.
///
/// # Errors
/// When the attempts or history cannot be read.
pub fn resume(repo: &Repo, id: &GoalId, (version, tip): (&str, CommitId), newest: u32) -> Result<Resumed> {
    let mut open = read(repo, id, newest)?
        .filter(|stored| matches!(stored.standing, Standing::Open | Standing::Paused) && stored.version == version);
    if let Some(stored) = &open
        && history::has_landed(repo, tip, id, (newest, &stored.started_at))?
    {
        open = None;
    }
    let Some(open) = open else {
        return Ok(Resumed {
            number: newest + 1,
            base: None,
            recorded: Vec::new(),
        });
    };
    let mut recorded = calls(repo, id, newest)?;
    recorded.reverse();
    Ok(Resumed {
        number: newest,
        // One that was not stopped by a cap may have passed: what came of it was taken back, and is not wanted again.
        base: open.pause.filter(|_| !recorded.is_empty()).map(|_| open.base),
        recorded,
    })
}

/// Writes how attempt `number` stands, its newest calls with the number of the first, and the code it came to, if any.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn write(
    repo: &Repo,
    stored: &Stored,
    number: u32,
    (first, calls): (usize, &[Exchange]),
    (code, at): (Option<TreeId>, Moment),
) -> Result<()> {
    let mut files = vec![(FILE.to_owned(), serde_json::to_vec(stored)?)];
    for (at, call) in calls.iter().enumerate() {
        files.push((call_name(first + at), serde_json::to_vec(call)?));
    }
    Ok(attempts::save(repo, ((&stored.goal).into(), number), &files, code, at)?)
}

/// Marks the attempts, each with how it stands, as ones that a person wants to be followed by another; all or none.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn retry(repo: &Repo, attempts: Vec<(u32, Stored)>, at: Moment) -> Result<()> {
    let mut each = Vec::with_capacity(attempts.len());
    for (number, mut stored) in attempts {
        stored.standing = Standing::Retried;
        each.push((stored.goal.clone(), number, serde_json::to_vec(&stored)?));
    }
    Ok(attempts::save_each(repo, FILE, &each, ("retry", at))?)
}

/// Names the file of a call, from 0.
pub(crate) fn call_name(nth: usize) -> String {
    format!("{nth:03}.json")
}
