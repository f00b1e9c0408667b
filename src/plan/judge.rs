//! Judging proposals: which become goals, and why the others do not.
//!
//! Owns the rules and their order: text, paths, evidence, likeness, needs, limits. Deterministic. Writes nothing; whether
//! a goal is `proposed` or `pending` is the caller's choice.
//!
//! Every piece of evidence must hold: a model that makes one up makes up the others. Limits come last, so that what is
//! refused for another reason takes no place.

use std::{collections::HashSet, io};

use serde::Serialize;

use crate::{
    goal::Goal,
    guard::Policy,
    id::GoalId,
    letters,
    path::{BadPath, RepoPath},
    plan::{
        Proposal, Reading, fields,
        near::{self, Index},
        needs::{self, Draft},
        quoted::Quoted,
        why::{Refused, Twin, Why},
    },
    snapshot::{Mode, Snapshot},
};

/// `created_by` of the goals that come of proposals.
pub const PLANNER: &str = "plan";
/// Longest description, in characters.
const MOST_DESCRIPTION: usize = 200;
/// Longest prompt, in characters.
const MOST_PROMPT: usize = 8_000;
/// Longest reason, and longest line of acceptance, in characters.
const MOST_SENTENCE: usize = 1_000;
/// Most lines of acceptance, files, needs and pieces of evidence, each.
const MOST_ITEMS: usize = 20;
/// Most labels, and the longest one in characters; what is more is left out.
const MOST_LABELS: (usize, usize) = (10, 40);

/// Every goal there is, with its id.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// In the backlog: pending, proposed or held.
    pub open: Vec<Goal>,
    /// Landed.
    pub landed: Vec<Goal>,
    /// In the backlog, and a person said no.
    pub rejected: Vec<Goal>,
}

/// What a plan may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// How many goals were asked for.
    pub count: usize,
    /// Most open goals with `created_by` `plan`, those of `Known` among them.
    pub max_open: usize,
    /// Which paths no reply may touch.
    pub policy: &'a Policy,
    /// When they are created, RFC 3339 in UTC; part of their ids.
    pub created_at: &'a str,
}

/// A need that was left out because nothing speaks for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeftOut {
    /// The goal.
    pub goal: GoalId,
    /// The goal that it does not wait for.
    pub need: GoalId,
}

/// What became of a reply.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Judged {
    /// Goals with ids, those that wait for fewest others first; `created_by` is `plan`.
    pub goals: Vec<Goal>,
    /// The other proposals, in the order of the reply; what could not be read first.
    pub refused: Vec<Refused>,
    /// Needs that were left out.
    pub left_out: Vec<LeftOut>,
    /// True where the reply ends in the middle of its list.
    pub cut: bool,
}

/// Judges what was read of a reply.
///
/// # Errors
/// When the code cannot be read.
pub fn judge(reading: Reading, known: &Known, code: &dyn Snapshot, limits: &Limits<'_>) -> io::Result<Judged> {
    let mut quoted = Quoted::new(code);
    let mut twins = Twins::new(known);
    let mut drafts = Vec::with_capacity(reading.proposals.len());
    for (nth, proposal) in reading.proposals.into_iter().enumerate() {
        let mut draft = Draft::new(&proposal);
        match goal(proposal, &mut quoted, limits)? {
            Ok(goal) => {
                draft.goal = goal;
                draft.fate = twins.judge(nth, &draft.goal);
            }
            Err(why) => draft.fate = Err(why),
        }
        if let Err(Why::Duplicate { twin, .. }) = &draft.fate {
            draft.stands_for = twins.stands_for(twin);
        }
        drafts.push(draft);
    }
    needs::settle(&mut drafts, known);
    let room = Room::of(known, limits);
    let kept = room.choose(&mut drafts);
    let ids = ids(&kept, &drafts, known, limits.created_at);
    let mut judged = Judged {
        cut: reading.cut,
        refused: reading.refused,
        ..Judged::default()
    };
    for nth in kept {
        if let (Some(draft), Some(id)) = (drafts.get(nth), ids.get(nth).cloned().flatten()) {
            judged.keep(draft, id, &ids);
        }
    }
    let refused = drafts.into_iter().filter_map(|draft| {
        let title = draft.title;
        draft.fate.err().map(|why| Refused { title, why })
    });
    judged.refused.extend(refused);
    Ok(judged)
}

impl Judged {
    fn keep(&mut self, draft: &Draft, id: GoalId, ids: &[Option<GoalId>]) {
        let id_of = |need: &needs::Need| match need {
            needs::Need::Proposal(nth) => ids.get(*nth).cloned().flatten(),
            needs::Need::Goal(id) => Some(id.clone()),
        };
        let left_out = draft
            .left_out
            .iter()
            .filter_map(id_of)
            .map(|need| LeftOut { goal: id.clone(), need });
        self.left_out.extend(left_out);
        let mut goal = draft.goal.clone();
        goal.dependencies = draft.needs.iter().filter_map(id_of).collect();
        goal.id = Some(id);
        self.goals.push(goal);
    }
}

/// Makes an id for each kept draft, by its place.
fn ids(kept: &[usize], drafts: &[Draft], known: &Known, created_at: &str) -> Vec<Option<GoalId>> {
    let all = [&known.open, &known.landed, &known.rejected].into_iter().flatten();
    let mut taken: HashSet<GoalId> = all.filter_map(|goal| goal.id.clone()).collect();
    let mut ids = vec![None; drafts.len()];
    for nth in kept {
        let (Some(draft), Some(place)) = (drafts.get(*nth), ids.get_mut(*nth)) else {
            continue;
        };
        let goal = &draft.goal;
        let mut free = (0..).map(|n| GoalId::fresh(&goal.description, &goal.prompt, created_at, n));
        *place = free.find(|id| taken.insert(id.clone()));
    }
    ids
}

/// How many goals there is room for.
struct Room {
    asked: usize,
    max_open: usize,
    left: usize,
}

impl Room {
    fn of(known: &Known, limits: &Limits<'_>) -> Self {
        let is_planned = |goal: &&Goal| goal.created_by.as_deref() == Some(PLANNER);
        let planned = known.open.iter().filter(is_planned).count();
        Self {
            asked: limits.count,
            max_open: limits.max_open,
            left: limits.max_open.saturating_sub(planned),
        }
    }

    /// Returns the drafts that stay, in the order of their goals: what waits for nothing first, then by priority, then as
    /// in the reply. So none stays whose need does not.
    fn choose(&self, drafts: &mut [Draft]) -> Vec<usize> {
        let good = drafts.iter().enumerate().filter(|(_, draft)| draft.fate.is_ok());
        let mut order: Vec<(usize, i64, usize)> = good
            .map(|(nth, draft)| (draft.depth, draft.goal.priority.saturating_neg(), nth))
            .collect();
        order.sort_unstable();
        let most = self.asked.min(self.left);
        for (rank, (_, _, nth)) in order.iter().enumerate().skip(most) {
            let why = if rank >= self.asked {
                Why::OverCount { most: self.asked }
            } else {
                Why::OverOpen { most: self.max_open }
            };
            drafts
                .get_mut(*nth)
                .into_iter()
                .for_each(|draft| draft.fate = Err(why.clone()));
        }
        order.into_iter().take(most).map(|(_, _, nth)| nth).collect()
    }
}

/// The goals that a proposal may be too like to.
struct Twins {
    index: Index,
    named: Vec<(Twin, Option<needs::Need>)>,
}

impl Twins {
    fn new(known: &Known) -> Self {
        let mut twins = Self {
            index: Index::default(),
            named: Vec::new(),
        };
        let mut add = |goals: &[Goal], twin: fn(GoalId) -> Twin| {
            for goal in goals {
                if let Some(id) = &goal.id {
                    let named = twin(id.clone());
                    let need = (!matches!(named, Twin::Rejected(_))).then(|| needs::Need::Goal(id.clone()));
                    twins.named.push((named, need));
                    twins.index.add(goal);
                }
            }
        };
        add(&known.open, Twin::Open);
        add(&known.landed, Twin::Landed);
        add(&known.rejected, Twin::Rejected);
        twins
    }

    /// Refuses what is too like to another one; the others are those that the next are compared with.
    fn judge(&mut self, nth: usize, goal: &Goal) -> Result<(), Why> {
        if let Some(found) = self.index.nearest(goal).filter(near::Near::is_duplicate) {
            let twin = self.named.get(found.nth).map(|(twin, _)| twin.clone());
            if let Some(twin) = twin {
                let percent = found.percent();
                return Err(Why::Duplicate { twin, percent });
            }
        }
        let title = fields::printable(&goal.description, 80);
        self.named
            .push((Twin::Earlier(title), Some(needs::Need::Proposal(nth))));
        self.index.add(goal);
        Ok(())
    }

    fn stands_for(&self, twin: &Twin) -> Option<needs::Need> {
        let row = self.named.iter().find(|(named, _)| named == twin);
        row.and_then(|(_, need)| need.clone())
    }
}

/// Makes a goal of a proposal that can stand by itself.
fn goal(proposal: Proposal, quoted: &mut Quoted<'_>, limits: &Limits<'_>) -> io::Result<Result<Goal, Why>> {
    if let Err(why) = text(&proposal) {
        return Ok(Err(why));
    }
    let mut named: Vec<String> = Vec::new();
    for file in proposal.filename.iter().chain(&proposal.files) {
        match path(file, quoted.code(), limits.policy)? {
            Ok(Some(path)) if !named.contains(&path) => named.push(path),
            Ok(_) => {}
            Err(why) => return Ok(Err(why)),
        }
    }
    if named.is_empty() {
        return Ok(Err(Why::NoFile));
    }
    let mut evidence: Vec<String> = Vec::new();
    for piece in &proposal.evidence {
        match quoted.find(piece)? {
            Ok(line) if !evidence.contains(&line) => evidence.push(line),
            Ok(_) => {}
            Err(why) => return Ok(Err(why)),
        }
    }
    let mut named = named.into_iter();
    let (most, longest) = MOST_LABELS;
    let labels = proposal.labels.into_iter().filter(|label| {
        let is_fit = |c: char| !c.is_control() && !letters::is_unseen(c);
        label.chars().count() <= longest && label.chars().all(is_fit)
    });
    Ok(Ok(Goal {
        description: proposal.description.trim().to_owned(),
        filename: named.next(),
        files: named.collect(),
        prompt: proposal.prompt.trim().to_owned(),
        acceptance: proposal.acceptance,
        priority: proposal.priority,
        labels: labels.take(most).collect(),
        created_at: Some(limits.created_at.to_owned()),
        created_by: Some(PLANNER.to_owned()),
        reason: Some(proposal.reason.trim().to_owned()),
        evidence,
        ..Goal::default()
    }))
}

/// Judges the words of a proposal.
fn text(proposal: &Proposal) -> Result<(), Why> {
    let is_blank = |text: &String| text.trim().is_empty();
    if !proposal.description.chars().any(char::is_alphanumeric) {
        return Err(Why::NoDescription);
    }
    if proposal.acceptance.iter().all(is_blank) {
        return Err(Why::NoAcceptance);
    }
    if is_blank(&proposal.reason) {
        return Err(Why::NoReason);
    }
    if proposal.evidence.is_empty() {
        return Err(Why::NoEvidence);
    }
    let lists = [
        ("acceptance", proposal.acceptance.len()),
        ("list of files", proposal.files.len()),
        ("list of needs", proposal.needs.len()),
        ("list of evidence", proposal.evidence.len()),
    ];
    for (field, size) in lists {
        short(field, size, MOST_ITEMS)?;
    }
    sentence("description", &proposal.description, MOST_DESCRIPTION, false)?;
    sentence("prompt", &proposal.prompt, MOST_PROMPT, true)?;
    sentence("reason", &proposal.reason, MOST_SENTENCE, true)?;
    for line in &proposal.acceptance {
        sentence("acceptance", line, MOST_SENTENCE, true)?;
    }
    Ok(())
}

fn short(field: &'static str, size: usize, most: usize) -> Result<(), Why> {
    if size > most {
        return Err(Why::TooLong { field, size, most });
    }
    Ok(())
}

fn sentence(field: &'static str, text: &str, most: usize, has_lines: bool) -> Result<(), Why> {
    short(field, text.chars().count(), most)?;
    let is_fit = |c: char| match c {
        '\n' | '\t' | '\r' => has_lines,
        c => !c.is_control() && !letters::is_unseen(c),
    };
    match text.chars().find(|c| !is_fit(*c)) {
        Some(c) => Err(Why::Unprintable {
            field,
            what: c.escape_default().to_string(),
        }),
        None => Ok(()),
    }
}

/// Judges one file that a goal names; a folder says nothing and is left out.
fn path(said: &str, code: &dyn Snapshot, policy: &Policy) -> io::Result<Result<Option<String>, Why>> {
    let trimmed = said.trim();
    let trimmed = trimmed.strip_prefix("./").unwrap_or(trimmed);
    let path = match RepoPath::parse(trimmed.strip_suffix('/').unwrap_or(trimmed)) {
        Ok(path) => path,
        Err(BadPath { path, why }) => {
            return Ok(Err(Why::BadPath {
                path: fields::printable(&path, 80),
                why: why.to_owned(),
            }));
        }
    };
    let bad = |why: &str| Why::BadPath {
        path: fields::printable(&path.to_string(), 80),
        why: why.to_owned(),
    };
    if path.as_str().is_some_and(|path| path.chars().any(letters::is_unseen)) {
        return Ok(Err(bad("it holds a character that is not seen")));
    }
    if let Some(why) = policy.denies(&path) {
        return Ok(Err(Why::DeniedPath {
            path: fields::printable(&path.to_string(), 80),
            why: why.to_owned(),
        }));
    }
    if code.is_folder(&path)? || trimmed.ends_with('/') {
        return Ok(Ok(None));
    }
    let entry = code.entry(&path)?;
    if entry.is_some_and(|entry| entry.mode == Mode::Submodule) {
        return Ok(Err(bad("it is a submodule, another repository")));
    }
    if entry.is_none() {
        for parent in path.parents() {
            if code.entry(&parent)?.is_some() {
                return Ok(Err(bad(&format!("{parent} is no folder"))));
            }
        }
    }
    Ok(Ok(Some(path.to_string())))
}

#[cfg(test)]
mod tests;
