//! Start: a run, a plan, a landing or an undoing in the background, as a process that outlives whoever asked for it. What a
//! person types at a shell runs there instead: only faces without a terminal ask for this.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    door::{fs, spawn::detached::Detached},
    engine::{background, live, runs::By, session::Session},
    fault::{Fault, Kind},
    id::GoalId,
    quote::quoted,
};

/// How long it is waited whether it ends at once: without settings, or beside another run.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often it is looked at meanwhile.
const STEP: Duration = Duration::from_millis(25);
/// How many of its last lines are told where it ended.
const LINES: usize = 12;

/// What to start.
#[derive(Clone, Debug)]
pub enum What {
    /// `run`
    Run {
        /// Only these goals.
        ids: Vec<GoalId>,
        /// Whether to plan where nothing is ready.
        plan: bool,
    },
    /// `plan`
    Plan {
        /// What planned goals shall be about.
        brief: Option<String>,
        /// How many.
        count: Option<u32>,
    },
    /// `merge`
    Merge {
        /// Only these goals.
        ids: Vec<GoalId>,
    },
    /// `undo`
    Undo {
        /// The goals.
        ids: Vec<GoalId>,
        /// Also those that need them.
        cascade: bool,
        /// Why.
        why: Option<String>,
    },
}

/// What was started.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The command, as a shell reads it.
    pub command: String,
    /// The file with what it says.
    pub log: PathBuf,
    /// Its exit code, where it ended at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// What it said by then, the last lines.
    pub said: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.start/1";
}

impl What {
    /// Returns the words of the command line. What a person wrote stands behind an equals sign or `--`, so that it is never taken
    /// for an option.
    fn words(&self) -> Vec<String> {
        let ids = |ids: &[GoalId]| -> Vec<String> {
            let mark = (!ids.is_empty()).then(|| "--".to_owned());
            mark.into_iter()
                .chain(ids.iter().map(|id| id.as_str().to_owned()))
                .collect()
        };
        let some = |words: &[Option<String>]| -> Vec<String> { words.iter().flatten().cloned().collect() };
        let is = |is: bool, word: &str| is.then(|| word.to_owned());
        let (options, named) = match self {
            Self::Run { ids: named, plan } => (some(&[is(true, "run"), is(*plan, "--plan")]), ids(named)),
            Self::Plan { brief, count } => {
                let brief = brief.as_ref().map(|brief| format!("--brief={}", said(brief)));
                let count = count.map(|count| format!("--count={count}"));
                (some(&[is(true, "plan"), brief, count]), Vec::new())
            }
            Self::Merge { ids: named } => (some(&[is(true, "merge")]), ids(named)),
            Self::Undo {
                ids: named,
                cascade,
                why,
            } => {
                let why = why.as_ref().map(|why| format!("--why={why}"));
                (some(&[is(true, "undo"), is(*cascade, "--cascade"), why]), ids(named))
            }
        };
        [options, named].concat()
    }
}

/// `@FILE` and `-` mean something at a shell; nobody reads a file for whoever asks from elsewhere.
fn said(text: &str) -> String {
    match text.starts_with('@') || text == "-" {
        true => format!(" {text}"),
        false => text.to_owned(),
    }
}

/// Starts it, and tells what came of it if that is known at once.
///
/// # Errors
/// A fault where it ended at once with a failure, in its own words; an error where it could not be started.
pub fn run(session: &Session, what: &What, by: By) -> Result<Outcome> {
    let (repo, words) = (session.repo(), what.words());
    let (started, log) = background::begin(session, &repo, (by, "started"), &words)?;
    let code = settled(session, &started)?;
    started.leave();
    let said = match code {
        None => Vec::new(),
        Some(_) => last_lines(session, &log)?,
    };
    let command = typed(&words);
    match code {
        Some(code) if is_failure(code) => Err(failed(&command, code, &said).into()),
        code => Ok(Outcome {
            command,
            log,
            code,
            said,
        }),
    }
}

fn typed(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("git invisigoth {}", words.join(" "))
}

/// A goal that did not make it, nothing to do and a person who is asked are results.
fn is_failure(code: i32) -> bool {
    let fine = [Kind::Unfinished, Kind::Nothing, Kind::Person].map(Kind::exit_code);
    code != 0 && !fine.iter().any(|fine| i32::from(*fine) == code)
}

/// Waits until it has ended or is seen to work; returns its exit code in the first case.
fn settled(session: &Session, started: &Detached) -> Result<Option<i32>> {
    let repo = session.repo();
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        if let Some(code) = started.ended(STEP)? {
            return Ok(Some(code));
        }
        let live = live::read(session, &repo)?;
        if live
            .iter()
            .any(|doing| started.is(doing.pid) && !doing.under_way().is_empty())
        {
            return Ok(None);
        }
        waited += STEP;
    }
    Ok(None)
}

fn last_lines(session: &Session, log: &Path) -> Result<Vec<String>> {
    let text = fs::read(log).wrap_err_with(|| format!("reading {}", log.display()))?;
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    let text = session.redactor.clean(&text).into_string();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let skipped = lines.len().saturating_sub(LINES);
    Ok(lines.iter().skip(skipped).map(|line| (*line).to_owned()).collect())
}

/// Words the failure as the command did.
fn failed(command: &str, code: i32, said: &[String]) -> Fault {
    let kind = Kind::ALL.into_iter().find(|kind| i32::from(kind.exit_code()) == code);
    let with = |mark: &str| -> Vec<&str> { said.iter().filter_map(|line| line.strip_prefix(mark)).collect() };
    let why = with("error: ").join("; ");
    let why = if why.is_empty() {
        format!("`{command}` ended with {code}")
    } else {
        why
    };
    let fault = Fault::new(kind.unwrap_or(Kind::Error), why);
    with("hint: ").into_iter().fold(fault, Fault::hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_no_option() {
        let ids = || vec!["--help".parse().unwrap_or_else(|_| "a".parse().unwrap())];
        let words = |what: What| what.words().join(" ");
        assert_eq!(
            words(What::Run {
                ids: Vec::new(),
                plan: true
            }),
            "run --plan"
        );
        assert!(words(What::Merge { ids: ids() }).starts_with("merge -- "));
        let plan = |brief: &str| {
            words(What::Plan {
                brief: Some(brief.into()),
                count: Some(3),
            })
        };
        assert_eq!(plan("--yes"), "plan --brief=--yes --count=3");
        assert_eq!(plan("@/etc/passwd"), "plan --brief= @/etc/passwd --count=3");
        assert_eq!(plan("-"), "plan --brief= - --count=3");
        let brief = What::Plan {
            brief: Some("$(id)".into()),
            count: None,
        };
        assert_eq!(typed(&brief.words()), "git invisigoth plan '--brief=$(id)'");
        let undo = What::Undo {
            ids: ids(),
            cascade: true,
            why: Some("-x".into()),
        };
        assert!(words(undo).starts_with("undo --cascade --why=-x -- "));
    }
}
