//! Replaying: applies the recorded replies of an attempt again, offline, and compares the code with what was committed.
//!
//! Goes the way of an attempt: the same draft, guard and tree. Asks nobody, checks nothing, moves no ref.

use eyre::Result;

use crate::{
    engine::{
        draft::Draft,
        session::Session,
        stored::{self, Stored},
    },
    git::{Repo, diff, history, merge, tree},
    guard::{Admitted, Policy},
    id::{CommitId, GoalId},
    path::RepoPath,
    reply::{Format, family},
    snapshot::CodeTree,
    transcript::Exchange,
};

/// What replaying a goal's commit came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// The code is identical.
    Same,
    /// It is not: where, or why there is none to compare.
    Differs {
        /// Paths that differ, sorted.
        paths: Vec<RepoPath>,
        /// Why no code came of it; empty where paths say it all.
        why: String,
    },
    /// It cannot be replayed, and why.
    Not(Unfit),
}

/// Why nothing can be replayed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// The commit is no attempt's.
    #[error("the commit names no attempt")]
    NoAttempt,
    /// Another clone has the attempt.
    #[error("attempt {0} is not in this clone")]
    NotHere(u32),
    /// There is nothing that the work began with.
    #[error("the commit has no parent")]
    NoParent,
    /// Another executor than `edit` did the work.
    #[error("executor `{0}` leaves no replies that can be applied again")]
    Executor(String),
    /// It is the branch of others.
    #[error("it was adopted from `{0}`: nobody was asked")]
    Adopted(String),
    /// The attempt has no calls.
    #[error("no reply is recorded")]
    NoReply,
    /// A reply is not as it came.
    #[error("a secret was taken out of reply {0}")]
    Secret(usize),
}

impl Unfit {
    /// Returns it in a word or two, for sums.
    pub fn word(&self) -> &str {
        match self {
            Self::NoAttempt => "no attempt",
            Self::NotHere(_) => "attempt not in this clone",
            Self::NoParent => "no parent",
            Self::Executor(name) => name.split(':').next().unwrap_or(name),
            Self::Adopted(_) => "adopted",
            Self::NoReply => "no reply",
            Self::Secret(_) => "secret taken out",
        }
    }
}

/// Replays the attempt that `commit` is the work of. Returns its number too, where the commit names one.
///
/// # Errors
/// When the repository cannot be read.
pub fn replay(session: &Session, repo: &Repo, goal: &GoalId, commit: CommitId) -> Result<(Option<u32>, Replayed)> {
    let entry = history::entry(repo, commit)?;
    let number = entry.trailers("Attempt").find_map(|number| number.parse().ok());
    let Some(number) = number else {
        return Ok((None, Replayed::Not(Unfit::NoAttempt)));
    };
    let replayed = match (stored::read(repo, goal, number)?, entry.parents.first()) {
        (None, _) => Replayed::Not(Unfit::NotHere(number)),
        (_, None) => Replayed::Not(Unfit::NoParent),
        (Some(stored), Some(parent)) => {
            let calls = stored::calls(repo, goal, number)?;
            match unfit(&stored, &calls) {
                Some(why) => Replayed::Not(why),
                None => compare(session, repo, (*parent, commit), &stored, &kept(&stored, &calls))?,
            }
        }
    };
    Ok((Some(number), replayed))
}

fn unfit(stored: &Stored, calls: &[Exchange]) -> Option<Unfit> {
    if let Some(adopted) = &stored.adopted {
        return Some(Unfit::Adopted(adopted.branch.clone()));
    }
    if let Some(other) = &stored.executor {
        return Some(Unfit::Executor(other.clone()));
    }
    if calls.is_empty() {
        return Some(Unfit::NoReply);
    }
    let mut all = calls.iter().enumerate();
    let (redacted, _) = all.find(|(at, call)| call.redacted && !is_taken_back(stored, *at))?;
    Some(Unfit::Secret(redacted + 1))
}

fn compare(
    session: &Session,
    repo: &Repo,
    (parent, commit): (CommitId, CommitId),
    stored: &Stored,
    calls: &[&Exchange],
) -> Result<Replayed> {
    // A candidate whose base left the target was made anew on another parent; the replies still answer the old one.
    let base = if repo.has(stored.base) { stored.base } else { parent };
    let settings = session.settings_at(repo, Some(base))?.settings;
    let policy = Policy::new(&settings.paths, &settings.check);
    let mut draft = Draft::new(tree::code_of_commit(repo, base)?);
    let setting = stored.format.parse().unwrap_or_default();
    let admitted = match take_all(repo, &mut draft, (calls, setting), &policy) {
        Ok(admitted) => admitted,
        Err(why) => {
            return Ok(Replayed::Differs {
                paths: Vec::new(),
                why: format!("no recorded reply can be applied: {why}"),
            });
        }
    };
    let made = tree::write(repo, draft.base_code, &admitted)?;
    let carried = merge::three_way(repo, draft.base_code, tree::code_of_commit(repo, parent)?, made)?;
    let was = tree::code_of_commit(repo, commit)?;
    Ok(match carried {
        Ok(made) => verdict(repo, was, made)?,
        Err(paths) => Replayed::Differs {
            paths,
            why: "it conflicts with the commit's parent".to_owned(),
        },
    })
}

/// Takes in every reply, as the attempt did: one that is refused changes nothing. Returns what the last good one made.
fn take_all(
    repo: &Repo,
    draft: &mut Draft,
    (calls, setting): (&[&Exchange], Format),
    policy: &Policy,
) -> std::result::Result<Admitted, String> {
    let base = tree::snapshot(repo, draft.base_code);
    let mut last = Err("each was cut, or taken back".to_owned());
    for call in calls {
        let format = family::asked(&call.request.model, setting).format;
        match (draft.take((&call.reply, format), &base, policy), &last) {
            (Ok(admitted), _) => last = Ok(admitted),
            (Err(unusable), Err(_)) => last = Err(unusable.why),
            (Err(_), Ok(_)) => {}
        }
    }
    last
}

/// Returns the calls whose edits stayed: none that was cut, none that was taken back because it made things worse.
fn kept<'a>(stored: &Stored, calls: &'a [Exchange]) -> Vec<&'a Exchange> {
    let all = calls.iter().enumerate();
    all.filter(|(at, call)| !call.is_cut() && !is_taken_back(stored, *at))
        .map(|(_, call)| call)
        .collect()
}

fn is_taken_back(stored: &Stored, at: usize) -> bool {
    stored.taken_back.iter().any(|call| usize::try_from(*call) == Ok(at))
}

fn verdict(repo: &Repo, was: CodeTree, made: CodeTree) -> Result<Replayed> {
    if was == made {
        return Ok(Replayed::Same);
    }
    let differences = diff::trees(repo, was.root, made.root)?;
    Ok(Replayed::Differs {
        paths: differences.into_iter().map(|differs| differs.path).collect(),
        why: String::new(),
    })
}
