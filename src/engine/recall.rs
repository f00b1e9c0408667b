//! Recall: reads the facts from refs, the tip's memory files and trailers, once; afterwards `Facts::learn` keeps them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{
        Backlog,
        close::{COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, PENDING},
        deps::{self, DepFault},
        error::BacklogError,
        history as rows,
        inbox::Inbox,
    },
    engine::{
        claims, inbox,
        landed::{self, Landed},
        session::Session,
        stored::{self, Stored},
        target::Target,
    },
    facts::{AttemptFact, Candidate, Durations, Facts, Open, Standing},
    fault::{Fault, Kind},
    git::{Repo, attempts, diff, history, objects, refs, tree},
    goal::Decision,
    guard::{self, Policy},
    id::{CommitId, GoalId, TreeId},
    money::caps::{self, OverBudget},
    record::Record,
    settings::{Budget, Settings},
    snapshot::{Change, Changes, CodeTree, Mode},
};

/// The facts, and the backlog that they were read from.
pub struct Recalled {
    /// What state is computed from.
    pub facts: Facts,
    /// Where goals are read whole.
    pub backlog: Backlog,
    /// The same with what waiting results changed in it, where they did: for whoever works at goals, not for whoever writes
    /// the file.
    pub beside: Option<Backlog>,
    /// What people's commits say that the tip's memory files do not yet.
    pub landed: Landed,
    /// Goals of the backlog that stand in the target's inbox.
    pub inbox: Inbox,
    /// Goals in the inbox of a checkout of another branch: they are open once the target has them.
    pub drafts: Inbox,
}

/// Reads the facts about `target`, with the backlog as the working file words it where the target is checked out here.
///
/// # Errors
/// A fault with the place where the backlog is broken; an error where refs or objects cannot be read.
pub fn read(session: &Session, repo: &Repo, target: &Target) -> Result<Recalled> {
    let (backlog, inbox) = inbox::backlog(repo, target)?;
    let known = read_with(session, repo, target, backlog)?;
    Ok(Recalled { inbox, ..known })
}

/// As `read`, with the goals that the inbox of this checkout has where it is of another branch: for whoever words goals, not
/// for whoever works on them.
///
/// # Errors
/// As `read`; also where such a file is broken.
pub fn read_here(session: &Session, repo: &Repo, target: &Target) -> Result<Recalled> {
    let (backlog, inbox) = inbox::backlog(repo, target)?;
    let drafts = inbox::drafts(repo, target, &backlog)?;
    let backlog = drafts.folded(backlog).map_err(|error| backlog_fault(&error))?;
    let known = read_with(session, repo, target, backlog)?;
    Ok(Recalled { inbox, drafts, ..known })
}

/// As `read`, with a backlog that may not be written yet.
///
/// # Errors
/// As `read`.
pub fn read_with(session: &Session, repo: &Repo, target: &Target, backlog: Backlog) -> Result<Recalled> {
    let mut all = landed::landed(repo, target.tip)?;
    let landed = all.landed.clone();
    let rows = backlog.ids().iter();
    all.stale = rows.filter(|id| landed.contains(*id)).cloned().collect();
    let beside = goals_beside(repo, target, &backlog)?;
    let goals = open_goals(&backlog, &beside, &all)?;
    let beside = joined(&backlog, &beside)?;
    let worked = beside.as_ref().unwrap_or(&backlog);
    let settings = session.settings_at(repo, Some(target.tip))?.settings;
    let mut candidates = candidates(repo, target.tip, worked, &landed, &settings)?;
    let attempts = newest_attempts(repo, worked, &goals, &settings.budget)?;
    mind_evictions(&mut candidates, &attempts);
    let (running, claimed) = claims::running(session, repo)?;
    let facts = Facts {
        tip: Some(target.tip),
        goals,
        landed,
        candidates,
        attempts,
        running,
        claimed,
        durations: Durations::default(),
    };
    Ok(Recalled {
        facts,
        backlog,
        beside,
        landed: all,
        inbox: Inbox::default(),
        drafts: Inbox::default(),
    })
}

/// Words a broken backlog as a fault.
pub fn backlog_fault(error: &BacklogError) -> Fault {
    let (path, what) = match error {
        BacklogError::In { path, .. } => (path.as_str(), error.to_string()),
        _ => (PENDING, format!("{PENDING}: {error}")),
    };
    let fault = Fault::new(Kind::Error, what);
    if error.is_unmerged() {
        return fault.hint("`git invisigoth settle` merges both sides goal by goal; nothing was changed");
    }
    fault.hint(format!("mend {path}; nothing was changed"))
}

fn open_goals(backlog: &Backlog, beside: &Backlog, all: &Landed) -> Result<BTreeMap<GoalId, Open>> {
    let landed = &all.landed;
    let mut goals = BTreeMap::new();
    for from in [backlog, beside] {
        for (id, head) in from.heads().filter(|(id, _)| !landed.contains(*id)) {
            let needs: Result<Vec<GoalId>, _> = head.dependencies.iter().map(|need| need.parse()).collect();
            let open = Open {
                description: head.description.into_owned(),
                needs: needs.map_err(|bad| dependency_fault(backlog, Some(id), &bad))?,
                decision: head.status,
                reason: head.reason.map(std::borrow::Cow::into_owned),
                priority: head.priority,
                conflict: head.conflict,
            };
            goals.insert(id.clone(), open);
        }
    }
    let graph: Vec<(&GoalId, &[GoalId])> = goals.iter().map(|(id, open)| (id, open.needs.as_slice())).collect();
    let wrong = deps::check(&graph, landed);
    // A goal that people took back has no row until the next landing writes one; goals may still depend on it.
    let taken_back = |wrong: &DepFault| match wrong {
        DepFault::Unknown { dependency, .. } => all.reopened.iter().any(|back| back.goal == *dependency),
        DepFault::OnItself { .. } | DepFault::Cycle { .. } => false,
    };
    if let Some(wrong) = wrong.iter().find(|wrong| !taken_back(wrong)) {
        return Err(dependency_fault(backlog, wrong.goal(), wrong).into());
    }
    for back in &all.reopened {
        let held = || Open {
            decision: Decision::Held,
            reason: Some(landed::reverted(back.by)),
            ..Open::default()
        };
        let open = goals.entry(back.goal.clone()).or_insert_with(held);
        // A row that came back with the revert is nobody's decision to run it; one that was worded since is.
        if open.decision == Decision::Pending && backlog.raw(&back.goal) == back.row.as_deref() {
            (open.decision, open.reason) = (Decision::Held, Some(landed::reverted(back.by)));
        }
    }
    Ok(goals)
}

/// Returns the goals that waiting results changed in the backlog, such as one that was undone beside a checkout: its working
/// file cannot have them yet. One that a person reworded meanwhile is as that person says.
fn goals_beside(repo: &Repo, target: &Target, working: &Backlog) -> Result<Backlog> {
    let mut beside = Backlog::default();
    if !target.is_waiting() || !is_here(repo, target) {
        return Ok(beside);
    }
    let at = |commit| -> Result<Option<Backlog>> {
        let open = inbox::backlog_at(repo, tree::of_commit(repo, commit)?);
        Ok(open.ok().map(|(open, _)| open))
    };
    let (head, Some(tip)) = (at(target.head)?.unwrap_or_default(), at(target.tip)?) else {
        return Ok(beside);
    };
    for (id, row) in tip.rows() {
        let before = head.raw(id);
        if before != Some(row) && working.raw(id) == before {
            beside = beside.with(&[row]).map_err(|error| backlog_fault(&error))?;
        }
    }
    Ok(beside)
}

/// Returns `backlog` with the rows of `beside` in place of its own; `None` where there are none.
fn joined(backlog: &Backlog, beside: &Backlog) -> Result<Option<Backlog>> {
    if beside.is_empty() {
        return Ok(None);
    }
    let rows: Vec<&str> = beside.rows().map(|(_, row)| row).collect();
    let joined = backlog.without(beside.ids()).with(&rows);
    Ok(Some(joined.map_err(|error| backlog_fault(&error))?))
}

fn dependency_fault(backlog: &Backlog, goal: Option<&GoalId>, wrong: &dyn std::fmt::Display) -> Fault {
    let place = goal
        .and_then(|goal| backlog.place(goal))
        .map(|place| format!("{place}: "))
        .unwrap_or_default();
    Fault::new(Kind::Error, format!("{PENDING}: {place}{wrong}")).hint(format!("mend `dependencies` in {PENDING}"))
}

/// Returns where the backlog is edited by hand: in this worktree, where it has the target checked out.
pub fn backlog_file(repo: &Repo, target: &Target) -> Option<PathBuf> {
    let root = repo.workdir().filter(|_| is_here(repo, target))?;
    Some(root.join(PENDING))
}

/// True where this worktree has the target checked out.
pub fn is_here(repo: &Repo, target: &Target) -> bool {
    target
        .checkouts
        .iter()
        .any(|checkout| Some(checkout.workdir.as_path()) == repo.workdir())
}

/// Reads a memory file and its sealed segments, the segments first.
///
/// # Errors
/// When trees or blobs cannot be read.
pub fn memory_texts(repo: &Repo, root: TreeId, file: &str, folder: &str) -> Result<Vec<String>> {
    let names = tree::names_in(repo, root, folder)?
        .into_iter()
        .map(|name| format!("{folder}{name}"));
    let mut texts = Vec::new();
    for path in names.chain([file.to_owned()]) {
        if let Some(text) = tree::read_file(repo, root, &path)? {
            texts.push(String::from_utf8(text).wrap_err_with(|| format!("{path} is not UTF-8"))?);
        }
    }
    Ok(texts)
}

/// Reads every row of the history files of `tip`, in order of landing.
///
/// # Errors
/// When they cannot be read.
pub fn rows(repo: &Repo, tip: CommitId) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for text in memory_texts(repo, tree::of_commit(repo, tip)?, HISTORY, HISTORY_SEGMENTS)? {
        let rows = rows::rows(&text).map_err(|error| backlog_fault(&error.in_file(HISTORY)))?;
        all.extend(rows.into_iter().map(str::to_owned));
    }
    Ok(all)
}

/// Reads every record of the history files of `tip`, in order of landing.
///
/// # Errors
/// When they cannot be read.
pub fn records(repo: &Repo, tip: CommitId) -> Result<Vec<Record>> {
    let rows = rows(repo, tip)?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect())
}

/// Reads the row of a landed goal as the completed files keep it; `None` where no file of ours has it.
///
/// # Errors
/// When the completed files cannot be read.
pub fn landed_row(repo: &Repo, tip: CommitId, id: &GoalId) -> Result<Option<String>> {
    for text in memory_texts(repo, tree::of_commit(repo, tip)?, COMPLETED, COMPLETED_SEGMENTS)?
        .iter()
        .rev()
    {
        let rows = rows::rows(text).map_err(|error| backlog_fault(&error.in_file(COMPLETED)))?;
        let is = |row: &&str| serde_json::from_str::<Completed>(row).is_ok_and(|goal| goal.id == *id);
        if let Some(row) = rows.into_iter().rev().find(is) {
            return Ok(Some(row.to_owned()));
        }
    }
    Ok(None)
}

/// Reads the descriptions of landed goals.
///
/// # Errors
/// When the completed files cannot be read.
pub fn landed_descriptions(repo: &Repo, tip: CommitId) -> Result<BTreeMap<GoalId, String>> {
    let goals = landed_goals(repo, tip)?.into_iter();
    Ok(goals.map(|goal| (goal.id, goal.description)).collect())
}

/// A landed goal as the completed files keep it.
#[derive(Debug, serde::Deserialize)]
pub struct Completed {
    /// The goal.
    pub id: GoalId,
    /// What it was about.
    #[serde(default)]
    pub description: String,
    /// What it needed.
    #[serde(default, rename = "dependencies", deserialize_with = "goal_ids")]
    pub needs: Vec<GoalId>,
}

/// Reads landed goals in order of landing; one that was undone and landed again has a row each time.
///
/// # Errors
/// When the completed files cannot be read.
pub fn landed_goals(repo: &Repo, tip: CommitId) -> Result<Vec<Completed>> {
    let mut found = Vec::new();
    for text in memory_texts(repo, tree::of_commit(repo, tip)?, COMPLETED, COMPLETED_SEGMENTS)? {
        let rows = rows::rows(&text).map_err(|error| backlog_fault(&error.in_file(COMPLETED)))?;
        found.extend(rows.into_iter().filter_map(|row| serde_json::from_str(row).ok()));
    }
    Ok(found)
}

/// Reads the goal ids of a list; what is no id is of no use, and no reason to lose the rest of a row.
fn goal_ids<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<GoalId>, D::Error> {
    let ids = <serde_json::Value as serde::Deserialize>::deserialize(from)?;
    let ids = ids
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str);
    Ok(ids.filter_map(|id| id.parse().ok()).collect())
}

fn candidates(
    repo: &Repo,
    tip: CommitId,
    backlog: &Backlog,
    landed: &BTreeSet<GoalId>,
    settings: &Settings,
) -> Result<BTreeMap<GoalId, Candidate>> {
    let mut candidates = BTreeMap::new();
    for (name, commit) in refs::below(repo, refs::CANDIDATES)? {
        let entry = history::entry(repo, commit)?;
        let goal = entry.trailers("Goal").find_map(|goal| goal.parse::<GoalId>().ok());
        let Some(goal) = goal else {
            let part = name.trim_start_matches(refs::CANDIDATES);
            if let Some(found) = stored::as_is(repo, part, commit)?.filter(|(_, stored)| !landed.contains(&stored.goal))
            {
                let (goal, candidate) = candidate_as_is(repo, backlog, (commit, found), settings)?;
                candidates.insert(goal, candidate);
            }
            continue;
        };
        let Some(base) = entry.parents.first().copied().filter(|_| !landed.contains(&goal)) else {
            continue;
        };
        // In a shallow clone: nothing can be said of it, and nothing landed.
        if history::entry(repo, base).is_err() {
            continue;
        }
        // It was part of the target and was taken back: landing it again by itself is not what was meant.
        if history::contains(repo, tip, commit)? {
            continue;
        }
        let version = entry.trailers("Goal-Version").next();
        let current = version_of(backlog, &goal)?;
        let candidate = Candidate {
            commit,
            base,
            attempt: entry.trailers("Attempt").find_map(|n| n.parse().ok()).unwrap_or(1),
            held: classify(repo, commit, base, settings)?.why(),
            outdated: version.is_some() && version != current.as_deref(),
        };
        candidates.insert(goal, candidate);
    }
    Ok(candidates)
}

fn candidate_as_is(
    repo: &Repo,
    backlog: &Backlog,
    (commit, (attempt, stored)): (CommitId, (u32, Stored)),
    settings: &Settings,
) -> Result<(GoalId, Candidate)> {
    let candidate = Candidate {
        commit,
        base: stored.base,
        attempt,
        held: classify(repo, commit, stored.base, settings)?.why(),
        outdated: Some(stored.version) != version_of(backlog, &stored.goal)?,
    };
    Ok((stored.goal, candidate))
}

/// What the path classes say of a candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Class {
    /// It may land.
    Free,
    /// A person must approve it first; why.
    Held(String),
    /// It must not land; why.
    Denied(String),
}

impl Class {
    /// Returns why it does not land by itself, where it does not.
    fn why(self) -> Option<String> {
        match self {
            Self::Free => None,
            Self::Held(why) | Self::Denied(why) => Some(why),
        }
    }
}

/// Judges what differs between `base` and `commit` by the path classes given.
///
/// # Errors
/// As `classify_code`.
pub fn classify(repo: &Repo, commit: CommitId, base: CommitId, settings: &Settings) -> Result<Class> {
    let code = |commit| tree::code_of_commit(repo, commit);
    classify_code(repo, code(base)?, code(commit)?, settings)
}

/// Judges what differs between two code trees by the path classes given.
///
/// # Errors
/// When trees cannot be read.
pub fn classify_code(repo: &Repo, before: CodeTree, after: CodeTree, settings: &Settings) -> Result<Class> {
    let changes = changes(repo, before, after)?;
    let submodule = |change: &Change| matches!(change, Change::Write { mode, .. } if *mode == Mode::Submodule);
    if let Some((path, _)) = changes.iter().find(|(_, change)| submodule(change)) {
        // Only a person makes such a candidate.
        return Ok(Class::Held(format!("touches {path} (a submodule)")));
    }
    let policy = Policy::new(&settings.paths, &settings.check);
    Ok(match guard::admit(changes, &tree::snapshot(repo, before), &policy) {
        Ok(admitted) => admitted
            .held()
            .first()
            .map_or(Class::Free, |held| Class::Held(held_words(held))),
        Err(denied) => Class::Denied(denied.to_string()),
    })
}

/// Reads what differs between two code trees. A submodule has no content here.
///
/// # Errors
/// When trees cannot be read.
pub fn changes(repo: &Repo, before: CodeTree, after: CodeTree) -> Result<Changes> {
    let mut changes = Changes::new();
    for differs in diff::trees(repo, before.root, after.root)? {
        let change = match differs.new {
            Some(entry) => Change::Write {
                content: match entry.mode {
                    Mode::Submodule => Vec::new(),
                    Mode::File | Mode::Executable | Mode::Symlink => objects::read_blob(repo, entry.id)?,
                },
                mode: entry.mode,
            },
            None => Change::Delete,
        };
        changes.insert(differs.path, change);
    }
    Ok(changes)
}

/// Returns the goal's branch where its head is not a candidate of ours: a commit that a person put there would be lost.
///
/// # Errors
/// When the branch cannot be read.
pub fn commits_of_people(repo: &Repo, id: &GoalId) -> Result<Option<String>> {
    let name = refs::candidate_ref(id);
    let Some(head) = refs::read(repo, &name)? else {
        return Ok(None);
    };
    let ours = history::entry(repo, head)?
        .trailers("Goal")
        .any(|goal| goal == id.as_str());
    if ours || stored::as_is(repo, &id.ref_part(), head)?.is_some() {
        return Ok(None);
    }
    Ok(Some(name.trim_start_matches("refs/heads/").to_owned()))
}

/// Words why a change waits for a person.
pub fn held_words(held: &guard::Held) -> String {
    format!("touches {} ({})", held.path, held.why)
}

fn version_of(backlog: &Backlog, goal: &GoalId) -> Result<Option<String>> {
    Ok(backlog.get(goal).map(|goal| goal.version()))
}

fn newest_attempts(
    repo: &Repo,
    backlog: &Backlog,
    goals: &BTreeMap<GoalId, Open>,
    budget: &Budget,
) -> Result<BTreeMap<GoalId, AttemptFact>> {
    let newest = attempts::newest(repo)?;
    if newest.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut found = BTreeMap::new();
    for id in goals.keys() {
        let Some(number) = newest.get(&id.ref_part()) else {
            continue;
        };
        let Some(stored) = stored::read(repo, id, *number)? else {
            continue;
        };
        let version = version_of(backlog, id)?;
        let outdated = Some(stored.version.as_str()) != version.as_deref();
        let evictions = stored::evictions(repo, (*number, &stored), &version.unwrap_or_default())?;
        let (standing, reason) = match stored.pause.filter(|_| stored.standing == Standing::Paused) {
            Some(over) => paused(backlog, id, &over, budget),
            None => (stored.standing, stored.reason),
        };
        let fact = AttemptFact {
            number: *number,
            standing,
            reason,
            outdated,
            evictions,
        };
        found.insert(id.clone(), fact);
    }
    Ok(found)
}

/// A candidate whose attempt was evicted is only still there because a kill kept it from being deleted; one that could not
/// land and is not ours to make again waits for a person.
fn mind_evictions(candidates: &mut BTreeMap<GoalId, Candidate>, attempts: &BTreeMap<GoalId, AttemptFact>) {
    candidates.retain(|id, candidate| {
        let attempt = attempts.get(id).filter(|attempt| attempt.number == candidate.attempt);
        if let Some(attempt) =
            attempt.filter(|attempt| attempt.standing == Standing::Open && !attempt.reason.is_empty())
        {
            candidate.held.get_or_insert_with(|| attempt.reason.clone());
        }
        attempt.is_none_or(|attempt| attempt.standing != Standing::Evicted)
    });
}

/// A paused attempt stands open again where the cap was raised far enough.
fn paused(backlog: &Backlog, id: &GoalId, over: &OverBudget, budget: &Budget) -> (Standing, String) {
    let own = backlog.get(id).and_then(|goal| goal.budget_usd);
    match over.under(&caps::of_goal(budget, own)) {
        Some(over) => (Standing::Paused, pause_words(id, &over)),
        None => (Standing::Open, String::new()),
    }
}

/// Words why a goal pauses, and what makes it go on.
pub fn pause_words(id: &GoalId, over: &OverBudget) -> String {
    format!("{}; {}", over.words(), over.raise(Some(id)))
}
