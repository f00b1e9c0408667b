//! The git host lands: a candidate becomes a pull request there, and people, or the host's own queue, merge it.
//!
//! Owns pushing the candidate's branch and opening the request by `gh`, or saying where it is opened by hand. What the host
//! merged is found by its trailers, which is `settle`'s.

use std::time::Duration;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    ci::request::{self, Text},
    door::spawn::{self, Captured},
    engine::{
        bringing, eviction, land,
        recall::{self, Class},
        remote,
        stored::Stored,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{
        command, config,
        history::{self, LogEntry},
        refs, tree,
    },
    id::{CommitId, GoalId},
    money::dollars,
    quote::quoted,
};

/// Longest time of one call of `gh`.
const LIMIT: Duration = Duration::from_secs(120);
/// The host's own program.
const PROGRAM: &str = "gh";
/// Trailers of ours that a request repeats.
const TRAILERS: [&str; 5] = ["Goal", "Attempt", "Goal-Version", "Assisted-by", land::CO_AUTHOR];

/// A candidate at the host.
#[derive(Clone, Debug, Serialize)]
pub struct Proposed {
    /// The goal.
    pub goal: GoalId,
    /// Its candidate.
    pub commit: CommitId,
    /// The branch there.
    pub branch: String,
    /// The remote.
    pub remote: String,
    /// True where the branch there was not at this commit before.
    pub pushed: bool,
    /// The request; absent where a person has to open it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where or how a person opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

impl Proposed {
    /// Says it in a line.
    pub fn words(&self) -> String {
        match (&self.url, &self.by_hand) {
            (Some(url), _) => format!("waits at the host: {url}"),
            (None, Some(how)) => format!("waits at the host; {how}"),
            (None, None) => "waits at the host".to_owned(),
        }
    }
}

/// Has the host land a candidate, to be called where it would land here; or returns the fault of this one, which says nothing about the others.
///
/// # Errors
/// A fault where there is no host to propose anything to.
pub fn offer(worker: &Worker<'_>, id: &GoalId, candidate: CommitId) -> Result<Result<Proposed, Fault>> {
    match propose(worker, id, candidate) {
        Ok(proposed) => Ok(Ok(proposed)),
        Err(error) => match error.downcast::<Fault>()? {
            fault if fault.kind == Kind::Config => Err(fault.into()),
            fault => Ok(Err(fault)),
        },
    }
}

/// Pushes a candidate's branch and opens a pull request for it; one that is open already is brought up to date. It does not
/// matter how often this is asked for. A fault where there is no remote, it refuses the branch, others have commits on it, or
/// nobody may land this.
fn propose(worker: &Worker<'_>, id: &GoalId, candidate: CommitId) -> Result<Proposed> {
    let repo = &worker.repo;
    let entry = history::entry(repo, candidate)?;
    let number = entry.trailers("Attempt").find_map(|n| n.parse().ok());
    let known = worker.facts.candidates.get(id).map(|known| known.attempt);
    let stored = land::stored_for(repo, id, candidate, number.or(known).unwrap_or(1))?;
    let class = recall::classify_code(
        repo,
        tree::code_of_commit(repo, stored.base)?,
        tree::code_of_commit(repo, candidate)?,
        &worker.settings,
    )?;
    let held = match class {
        Class::Denied(why) => {
            let fault = Fault::new(Kind::Person, format!("the candidate of goal {id} cannot land: {why}"));
            return Err(fault
                .hint(format!("`git invisigoth diff {}`", quoted(id.as_str())))
                .into());
        }
        Class::Held(why) => Some(why),
        Class::Free => None,
    };
    let remote = remote(worker)?;
    let name = refs::candidate_ref(id);
    let (pushed, said) = push(worker, (&remote, &name), id, candidate)?;
    let text = text(worker, &entry, &stored, held);
    let mut proposed = Proposed {
        goal: id.clone(),
        commit: candidate,
        branch: name.trim_start_matches("refs/heads/").to_owned(),
        remote,
        pushed,
        url: None,
        by_hand: None,
    };
    match open(worker, &proposed, &text) {
        Ok(Some(url)) => proposed.url = Some(url),
        Ok(None) => proposed.by_hand = Some(by_hand(worker, &proposed, &said)),
        Err(error) => {
            let why = worker.session.redactor.clean(&format!("{error:#}")).into_string();
            proposed.by_hand = Some(format!("{why}; {}", by_hand(worker, &proposed, &said)));
        }
    }
    Ok(proposed)
}

fn remote(worker: &Worker<'_>) -> Result<String> {
    let named = worker.settings.sync.remote.clone();
    named.or_else(|| config::remote(&worker.repo)).ok_or_else(|| {
        let fault = Fault::new(
            Kind::Config,
            "`land.via` is `host`, and this clone has no remote to push to",
        );
        fault
            .hint("`git remote add origin URL`, or `git invisigoth config set land.via invisigoth`")
            .into()
    })
}

/// Brings the branch there to the candidate; returns whether that was needed, and what the server said.
fn push(worker: &Worker<'_>, (remote, name): (&str, &str), id: &GoalId, candidate: CommitId) -> Result<(bool, String)> {
    let listed = git(worker, &["ls-remote", "--refs", "--quiet", "--", remote, name])?;
    // Git also lists what only ends like it.
    let mut lines = listed.stdout.lines().filter_map(|line| line.split_once('\t'));
    let there = lines.find(|(_, other)| *other == name).map_or("", |(there, _)| there);
    if there == candidate.to_string() {
        return Ok((false, String::new()));
    }
    if !there.is_empty() && !is_ours(worker, remote, there, id)? {
        let short = name.trim_start_matches("refs/heads/");
        let fault = Fault::new(
            Kind::Person,
            format!("`{short}` of `{remote}` has commits of somebody else"),
        );
        return Err(fault
            .hint(format!(
                "`git fetch {} {}`, then `git invisigoth adopt FETCH_HEAD --goal {}`",
                quoted(remote),
                quoted(short),
                quoted(id.as_str())
            ))
            .into());
    }
    // Only from what was seen: whoever pushed meanwhile was first.
    let lease = format!("--force-with-lease={name}:{there}");
    let what = format!("{candidate}:{name}");
    let pushed = git(worker, &["push", &lease, "--", remote, &what])?;
    Ok((true, pushed.stderr))
}

/// True where the branch there is an earlier candidate of the same goal, as it was made.
fn is_ours(worker: &Worker<'_>, remote: &str, there: &str, id: &GoalId) -> Result<bool> {
    let Ok(commit) = there.parse::<CommitId>() else {
        return Ok(false);
    };
    if !worker.repo.has(commit) {
        git(worker, &remote::fetch(remote, there))?;
    }
    let entry = history::entry(&worker.repo, commit)?;
    let names_it = entry.trailers("Goal").any(|goal| goal == id.as_str());
    if !names_it || entry.parents.len() != 1 {
        return Ok(false);
    }
    let number = entry.trailers("Attempt").find_map(|number| number.parse().ok());
    let number = number.unwrap_or(1);
    let stored = land::stored_for(&worker.repo, id, commit, number)?;
    // Somebody who amends it leaves its message as it was.
    eviction::is_as_made(&worker.repo, &stored, (commit, number))
}

struct Said {
    stdout: String,
    stderr: String,
}

fn git(worker: &Worker<'_>, args: &[&str]) -> Result<Said> {
    let session = worker.session;
    let done = command::output(&session.env, bringing::place(&worker.repo), args)?;
    let stderr = session.redactor.clean_bytes(&done.stderr).into_string();
    if done.code != 0 {
        let what = args.first().copied().unwrap_or_default();
        return Err(Fault::new(Kind::Error, format!("git {what}: {}", stderr.trim()))
            .hint("`git remote --verbose` lists the remotes")
            .into());
    }
    Ok(Said {
        stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
        stderr,
    })
}

fn text(worker: &Worker<'_>, entry: &LogEntry, stored: &Stored, held: Option<String>) -> Text {
    let clean = |text: &str| worker.session.redactor.clean(text).into_string();
    let goal = worker.backlog.get(&stored.goal);
    let description = goal.map(|goal| goal.request().to_owned()).unwrap_or_default();
    let cost = stored
        .usage
        .cost_usd
        .map(|usd| format!(", {}", dollars(Some(usd))))
        .unwrap_or_default();
    let rounds = match stored.rounds {
        1 => "1 round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let mut facts = vec![
        format!("goal {}", stored.goal),
        format!("by {}, {rounds}{cost}", stored.model),
        format!("its checks passed on {}", stored.base.short()),
    ];
    facts.extend(held.map(|why| format!("**look at this**: it {why}")));
    let of_commit = TRAILERS
        .iter()
        .flat_map(|key| entry.trailers(key).map(move |value| format!("{key}: {value}")));
    let mut trailers: Vec<String> = of_commit.collect();
    if entry.trailers("Goal").next().is_none() {
        trailers.insert(0, format!("Goal: {}", stored.goal));
        trailers.insert(1, format!("Goal-Version: {}", stored.version));
    }
    Text {
        title: clean(entry.subject()),
        description: clean(&description),
        facts: facts.iter().map(|fact| clean(fact)).collect(),
        trailers,
    }
}

/// Opens a request, or brings the open one up to date; `None` where the host's program is not there.
fn open(worker: &Worker<'_>, proposed: &Proposed, text: &Text) -> Result<Option<String>> {
    let mut env = worker.session.env.for_people();
    if spawn::find(PROGRAM.as_ref(), &env).is_err() {
        return Ok(None);
    }
    env.extend([
        ("GH_PROMPT_DISABLED".into(), "1".into()),
        ("NO_COLOR".into(), "1".into()),
    ]);
    let dir = bringing::place(&worker.repo);
    let gh = |args: &[&str], stdin: &str| -> Result<String> {
        let done = spawn::run_captured(PROGRAM, args, dir, &env, stdin.as_bytes(), Some(LIMIT))
            .wrap_err_with(|| format!("running {PROGRAM}"))?;
        said(&done, args)
    };
    let (head, base) = (proposed.branch.as_str(), worker.target.branch.as_str());
    let listed = gh(
        &[
            "pr", "list", "--head", head, "--base", base, "--state", "open", "--json", "url",
        ],
        "",
    )?;
    let listed: serde_json::Value = serde_json::from_str(&listed).wrap_err("what `gh pr list` said")?;
    let body = text.body();
    if let Some(url) = listed.pointer("/0/url").and_then(serde_json::Value::as_str) {
        if proposed.pushed {
            gh(&["pr", "edit", url, "--title", &text.title, "--body-file", "-"], &body)?;
        }
        return Ok(Some(url.to_owned()));
    }
    let made = gh(
        &[
            "pr",
            "create",
            "--head",
            head,
            "--base",
            base,
            "--title",
            &text.title,
            "--body-file",
            "-",
        ],
        &body,
    )?;
    Ok(made
        .split_whitespace()
        .rev()
        .find(|word| word.contains("://"))
        .map(str::to_owned))
}

fn said(done: &Captured, args: &[&str]) -> Result<String> {
    if done.code == 0 {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&done.stderr);
    let why = stderr
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing");
    let what: Vec<&str> = args.iter().take(2).copied().collect();
    Err(eyre::eyre!("{PROGRAM} {}: {}", what.join(" "), why.trim()))
}

fn by_hand(worker: &Worker<'_>, proposed: &Proposed, said: &str) -> String {
    match request::address(said) {
        Some(url) => format!("open a pull request: {url}"),
        None => format!(
            "open a pull request from `{}` onto `{}` of `{}`",
            proposed.branch, worker.target.branch, proposed.remote
        ),
    }
}
