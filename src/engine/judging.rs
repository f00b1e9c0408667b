//! Judging: whether one commit may land as a candidate, said point by point. Lands nothing, takes no lock.
//!
//! Owns which points there are and their order. What a landing itself refuses is the same: path classes, merge and gate of
//! the target's head; here it is told before.

use eyre::Result;
use serde::Serialize;

use crate::{
    check::{Baseline, CheckRow, Failed, Gate, Verified},
    engine::{
        checks::Checker,
        recall::{self, Recalled},
        run,
        session::{self, Session},
        stored::{self, Stored},
        target::Target,
    },
    git::{
        Repo, attempts, branch, codetree,
        history::{self, LogEntry},
        merge::{self, Merge},
        refs, tree,
    },
    goal::Decision,
    guard::{self, Policy},
    id::{CommitId, GoalId},
    quote::quoted,
    settings::Settings,
    snapshot::{Change, CodeTree, Mode},
};

/// Most paths that are named.
const NAMED: usize = 10;
/// Trailers that a candidate has once each.
const ONCE: [&str; 3] = ["Goal", "Attempt", "Goal-Version"];
/// Trailers that only landings and what takes them back may have: believed, they would say what landed.
const NEVER: [&str; 4] = ["Landed", "Settled", "Undo", "Base"];

/// How a point stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// As it must be.
    Ok,
    /// A person should know.
    Warn,
    /// A person must approve it.
    Held,
    /// It cannot land like this.
    Failed,
}

impl Standing {
    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// One point.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// `commit`, `trailers`, `goal`, `paths`, `record`, `merge` or `checks`.
    pub name: &'static str,
    /// How it stands.
    pub state: Standing,
    /// What was found.
    pub detail: String,
    /// The file that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What a failed check printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What was found of a commit.
#[derive(Debug)]
pub struct Judgement {
    /// The goal that it says it answers.
    pub goal: Option<GoalId>,
    /// The points, in the order in which they were looked at.
    pub points: Vec<Point>,
    /// Checks of the merged code; empty where it did not come to them.
    pub checks: Vec<CheckRow>,
}

/// What its trailers say.
struct Said {
    goal: GoalId,
    attempt: u32,
    version: String,
}

struct Judge<'a> {
    session: &'a Session,
    repo: &'a Repo,
    target: &'a Target,
    known: &'a Recalled,
    settings: &'a Settings,
    head: CommitId,
    found: Judgement,
}

/// Judges `head` as a candidate for `target`, as the facts `known` of it stand.
///
/// # Errors
/// A fault where no checks are configured or the target is red; an error where the repository cannot be read.
pub fn judge(
    session: &Session,
    repo: &Repo,
    (target, known): (&Target, &Recalled),
    head: CommitId,
) -> Result<Judgement> {
    let settings = session.settings_at(repo, Some(target.tip))?.settings;
    let gate = session::gate(session, repo, &settings)?;
    if gate.is_empty() {
        return Err(session::no_checks().into());
    }
    let mut judge = Judge {
        session,
        repo,
        target,
        known,
        settings: &settings,
        head,
        found: Judgement {
            goal: None,
            points: Vec::new(),
            checks: Vec::new(),
        },
    };
    let entry = history::entry(repo, head)?;
    let as_is = judge.as_is()?;
    match &as_is {
        Some((number, stored)) => judge.adopted(*number, stored)?,
        None => judge.candidate(&entry)?,
    }
    if history::contains(repo, target.tip, head)? {
        return Ok(judge.found);
    }
    if let Some(code) = judge.merge(as_is.as_ref().map(|(_, stored)| stored))? {
        judge.checks(code, &gate)?;
    }
    Ok(judge.found)
}

impl Judge<'_> {
    fn add(&mut self, name: &'static str, state: Standing, detail: impl Into<String>) -> &mut Point {
        self.found.points.push(Point {
            name,
            state,
            detail: detail.into(),
            path: None,
            output: None,
            fix: None,
        });
        let last = self.found.points.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed just now")]
        &mut self.found.points[last]
    }

    /// Returns the attempt that adopted this commit as it is: such candidates have no trailers.
    fn as_is(&self) -> Result<Option<(u32, Stored)>> {
        let local = refs::below(self.repo, refs::CANDIDATES)?;
        let fetched = refs::below(self.repo, "refs/remotes/")?;
        let named = local.into_iter().chain(fetched).filter(|(_, id)| *id == self.head);
        for (name, _) in named {
            let Some((_, part)) = name.split_once("/invisigoth/") else {
                continue;
            };
            if let Some(found) = stored::as_is(self.repo, part, self.head)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn adopted(&mut self, number: u32, stored: &Stored) -> Result<()> {
        let count = branch::commits(self.repo, self.target.tip, self.head)?.len();
        let noun = if count == 1 { "commit" } else { "commits" };
        self.add("commit", Standing::Ok, format!("{count} {noun}, adopted as they are"));
        self.goal(&stored.goal, &stored.version);
        let detail = format!("attempt {number}, adopted from `{}`", adopted_from(stored));
        self.add("record", Standing::Ok, detail);
        Ok(())
    }

    fn candidate(&mut self, entry: &LogEntry) -> Result<()> {
        self.commit(entry)?;
        let Some(said) = self.trailers(entry) else {
            return Ok(());
        };
        self.goal(&said.goal, &said.version);
        self.record(entry, &said)
    }

    /// One commit on its base, the base being part of the target.
    fn commit(&mut self, entry: &LogEntry) -> Result<()> {
        let branch = self.target.branch.clone();
        let [base] = entry.parents.as_slice() else {
            let count = entry.parents.len();
            let detail = format!("it has {count} parents; a candidate is one commit on its base");
            self.add("commit", Standing::Failed, detail);
            return Ok(());
        };
        if history::contains(self.repo, self.target.tip, self.head)? {
            let detail = format!("it is part of `{branch}` already");
            self.add("commit", Standing::Failed, detail).fix = Some("git invisigoth ci verify invisigoth/GOAL".into());
        } else if history::contains(self.repo, self.target.tip, *base)? {
            let detail = format!("one commit on {} of `{branch}`", base.short());
            self.add("commit", Standing::Ok, detail);
        } else if !self.repo.has(*base) {
            let detail = format!("its base {} is not in this clone", base.short());
            self.add("commit", Standing::Failed, detail).fix = Some("git fetch --unshallow".into());
        } else {
            // Either more than one commit, or a base that people took out of the target.
            let count = branch::commits(self.repo, self.target.tip, self.head)?.len();
            let detail =
                format!("{count} commits that `{branch}` has not; a candidate is one, on a base that is part of it");
            self.add("commit", Standing::Failed, detail).fix =
                Some(format!("git rebase --onto {branch} {}", base.short()));
        }
        Ok(())
    }

    fn trailers(&mut self, entry: &LogEntry) -> Option<Said> {
        if let Some(key) = NEVER.iter().find(|key| entry.trailers(key).next().is_some()) {
            let detail = format!("`{key}:` says what landed; no candidate has it");
            self.add("trailers", Standing::Failed, detail);
            return None;
        }
        let values = ONCE.map(|key| entry.trailers(key).collect::<Vec<_>>());
        if let Some((key, found)) = ONCE.iter().zip(&values).find(|(_, found)| found.len() != 1) {
            let detail = match found.len() {
                0 => format!("`{key}:` is missing"),
                count => format!("`{key}:` is there {count} times"),
            };
            self.add("trailers", Standing::Failed, detail);
            return None;
        }
        let [goal, attempt, version] = values.map(|values| values.into_iter().next().unwrap_or_default());
        let (Ok(goal), Ok(attempt)) = (goal.parse::<GoalId>(), attempt.parse::<u32>()) else {
            self.add("trailers", Standing::Failed, "`Goal:` or `Attempt:` cannot be read");
            return None;
        };
        self.found.goal = Some(goal.clone());
        let by: Vec<String> = entry.trailers("Assisted-by").map(str::to_owned).collect();
        let said = Said {
            goal,
            attempt,
            version: version.to_owned(),
        };
        if by.is_empty() {
            // An adopted branch of a person names no model.
            let stored = stored::read(self.repo, &said.goal, attempt).ok().flatten();
            if stored.is_none_or(|stored| stored.adopted.is_none()) {
                self.add("trailers", Standing::Failed, "`Assisted-by:` is missing");
                return Some(said);
            }
        }
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(", by {}", by.join(", "))
        };
        self.add(
            "trailers",
            Standing::Ok,
            format!("goal {}, attempt {attempt}{by}", said.goal),
        );
        Some(said)
    }

    /// The goal is open, nobody decided against it, and it asks what it asked.
    fn goal(&mut self, id: &GoalId, version: &str) {
        self.found.goal = Some(id.clone());
        let facts = &self.known.facts;
        let Some(open) = facts.goals.get(id) else {
            let fault = run::not_open(facts, id);
            self.add("goal", Standing::Failed, fault.message).fix = fault.hints.into_iter().next();
            return;
        };
        let needs: Vec<&str> = open
            .needs
            .iter()
            .filter(|need| !facts.landed.contains(*need))
            .map(GoalId::as_str)
            .collect();
        let current = self.known.backlog.get(id).map(|goal| goal.version());
        let (state, detail, fix) = match open.decision {
            Decision::Proposed => (Standing::Held, "it is only proposed".into(), Some("approve")),
            Decision::Held => (Standing::Held, "it is held".into(), Some("release")),
            Decision::Rejected => (Standing::Failed, "it was rejected".into(), None),
            Decision::Pending if !needs.is_empty() => (
                Standing::Failed,
                format!("it needs {}, not landed yet", needs.join(", ")),
                None,
            ),
            Decision::Pending if current.as_deref() != Some(version) => (
                Standing::Failed,
                "it was reworded since; this answers the older wording".into(),
                Some("run"),
            ),
            Decision::Pending => (Standing::Ok, open.description.clone(), None),
        };
        self.add("goal", state, detail).fix = fix.map(|verb| format!("git invisigoth {verb} {}", quoted(id.as_str())));
    }

    /// What the attempts say of the same work.
    fn record(&mut self, entry: &LogEntry, said: &Said) -> Result<()> {
        let Some(stored) = stored::read(self.repo, &said.goal, said.attempt)? else {
            let detail = format!("attempt {} is not in this clone", said.attempt);
            self.add("record", Standing::Warn, detail).fix = Some(stored::how_to_fetch(self.repo));
            return Ok(());
        };
        if stored.version != said.version {
            let detail = format!("attempt {} answered another wording", said.attempt);
            self.add("record", Standing::Failed, detail);
            return Ok(());
        }
        // One that was made anew on another base has other code.
        let is_on_its_base = entry.parents == [stored.base];
        let kept = attempts::code(self.repo, &said.goal, said.attempt)?.filter(|_| is_on_its_base);
        if let Some(kept) = kept
            && codetree::strip(self.repo, kept)? != tree::code_of_commit(self.repo, self.head)?
        {
            let detail = format!("attempt {} came to other code than this commit has", said.attempt);
            self.add("record", Standing::Failed, detail);
            return Ok(());
        }
        let (rounds, model) = (stored.rounds, &stored.model);
        let rounds = if rounds == 1 {
            "1 round".to_owned()
        } else {
            format!("{rounds} rounds")
        };
        self.add(
            "record",
            Standing::Ok,
            format!("attempt {}, {rounds}, {model}", said.attempt),
        );
        Ok(())
    }

    /// Merges it onto the target; `None` where it does not fit or must not.
    fn merge(&mut self, as_is: Option<&Stored>) -> Result<Option<CodeTree>> {
        let (repo, tip) = (self.repo, self.target.tip);
        let entry = history::entry(repo, self.head)?;
        let base = entry.parents.first().copied();
        if as_is.is_none() && (entry.parents.len() != 1 || base.is_some_and(|base| !repo.has(base))) {
            return Ok(None);
        }
        let merged = match as_is {
            Some(_) => branch::onto(repo, tip, self.head)?,
            None => match merge::onto(repo, tip, &[self.head])? {
                Merge::Clean(code) => Ok(code),
                Merge::Conflict { paths, .. } => Err(paths),
            },
        };
        let code = match (&merged, as_is, base) {
            (Ok(merged), Some(_), _) => Some((tree::code_of_commit(repo, tip)?, *merged)),
            (_, None, Some(base)) => Some((
                tree::code_of_commit(repo, base)?,
                tree::code_of_commit(repo, self.head)?,
            )),
            _ => None,
        };
        let may = match code {
            Some((before, after)) => self.paths(before, after)?,
            None => true,
        };
        match merged {
            Ok(code) => {
                let detail = format!("fits onto {} of `{}`", tip.short(), self.target.branch);
                self.add("merge", Standing::Ok, detail);
                Ok(may.then_some(code))
            }
            Err(paths) => {
                for path in paths.iter().take(NAMED) {
                    let detail = format!("conflicts with what `{}` has there", self.target.branch);
                    self.add("merge", Standing::Failed, detail).path = Some(path.to_string());
                }
                Ok(None)
            }
        }
    }

    /// Judges what it changes by the path classes of the target's head; false where something is denied.
    fn paths(&mut self, before: CodeTree, after: CodeTree) -> Result<bool> {
        let mut changes = recall::changes(self.repo, before, after)?;
        let count = changes.len();
        let policy = Policy::new(&self.settings.paths, &self.settings.check);
        let base = tree::snapshot(self.repo, before);
        let is_submodule = |change: &Change| {
            matches!(
                change,
                Change::Write {
                    mode: Mode::Submodule,
                    ..
                }
            )
        };
        let submodules: Vec<_> = changes
            .iter()
            .filter(|(_, change)| is_submodule(change))
            .map(|(path, _)| path.clone())
            .collect();
        for path in submodules {
            changes.remove(&path);
            self.add("paths", Standing::Held, "it is a submodule").path = Some(path.to_string());
        }
        let (mut denied, mut is_held) = (0, false);
        loop {
            match guard::admit(changes.clone(), &base, &policy) {
                Err(no) if denied < NAMED => {
                    changes.remove(&no.path);
                    self.add("paths", Standing::Failed, no.why).path = Some(no.path.to_string());
                    denied += 1;
                }
                Err(_) => break,
                Ok(admitted) => {
                    for held in admitted.held().iter().take(NAMED) {
                        is_held = true;
                        self.add("paths", Standing::Held, held.why.clone()).path = Some(held.path.to_string());
                    }
                    break;
                }
            }
        }
        if denied == 0 && !is_held && count > 0 {
            let noun = if count == 1 { "file" } else { "files" };
            self.add("paths", Standing::Ok, format!("{count} {noun}, none held"));
        }
        if count == 0 {
            self.add("paths", Standing::Warn, "it changes no code");
        }
        Ok(denied == 0)
    }

    fn checks(&mut self, code: CodeTree, gate: &Gate) -> Result<()> {
        let mut checker = Checker::new(self.session, self.repo);
        let tip = tree::code_of_commit(self.repo, self.target.tip)?;
        checker.trust(tip);
        // Where it passes by itself, how the base does need not be known.
        let mut verdict = checker.judge(self.repo, code, gate, &Baseline::default())?;
        if verdict.is_err() {
            let baseline = checker.baseline(self.repo, tip, gate)?;
            if !baseline.red.is_empty() {
                verdict = checker.judge(self.repo, code, gate, &baseline)?;
            }
        }
        checker.flush(self.repo, None)?;
        match verdict {
            Ok(verified) => self.passed(&verified),
            Err(failed) => self.failed(&failed),
        }
        Ok(())
    }

    fn passed(&mut self, verified: &Verified) {
        self.found.checks = verified.checks().to_vec();
        let words = run::words(verified.checks(), None);
        self.add("checks", Standing::Ok, format!("on the merged code: {words}"));
    }

    fn failed(&mut self, failed: &Failed) {
        self.found.checks = failed.ran.iter().map(CheckRow::of).collect();
        let output = failed.culprit().map(|ran| ran.output.as_str().to_owned());
        let command = failed
            .culprit()
            .map(|ran| format!(" `{}`", ran.command))
            .unwrap_or_default();
        let named: Vec<&str> = failed.new_failures.iter().take(NAMED).map(String::as_str).collect();
        let named = if named.is_empty() {
            String::new()
        } else {
            format!(": {}", named.join(", "))
        };
        let detail = format!("on the merged code {}{command}{named}", failed.reason());
        self.add("checks", Standing::Failed, detail).output = output;
    }
}

fn adopted_from(stored: &Stored) -> &str {
    stored
        .adopted
        .as_ref()
        .map(|adopted| adopted.branch.as_str())
        .unwrap_or_default()
}
