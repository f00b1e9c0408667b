//! What proposals need: whether there is such a goal, whether the waiting ends, and how long it is.
//!
//! Owns which needs are kept. A plan runs wide: goals that wait for each other are as slow as one. So a need between two
//! proposals is left out where nothing but the model's word speaks for it: both name files, none in common, and the
//! needing one never mentions the other's handle, file or a name of code in it. Left out wrongly, it costs one failed
//! attempt, and nothing wrong lands, because the merged code is checked; kept wrongly, it costs time on every run, and a
//! failure of the one stops the other. Where one of the two names no file, nothing is known and the need stays.
//! Needs of known goals always stay: a person can see those.
//!
//! `MOST_DEPTH`: who waits for the third goal in a row is planned against code that nobody has seen yet. The next plan
//! sees it, so what is deeper is refused now and can come again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque, hash_map::Entry};

use crate::{
    goal::Goal,
    id::GoalId,
    plan::{Proposal, fields, judge::Known, why::Why, words},
};

/// Most goals in a row: three that wait, and the one that they wait for.
pub const MOST_DEPTH: usize = 4;

/// What a need means.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Need {
    /// The proposal at this place of the reply.
    Proposal(usize),
    /// A known goal.
    Goal(GoalId),
}

/// A proposal while it is judged.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) handle: String,
    /// Needs as the reply words them.
    said: Vec<String>,
    /// The goal that it becomes, without id and dependencies.
    pub(crate) goal: Goal,
    pub(crate) fate: Result<(), Why>,
    /// What it is a duplicate of: needing the one is needing the other.
    pub(crate) stands_for: Option<Need>,
    pub(crate) needs: Vec<Need>,
    pub(crate) left_out: Vec<Need>,
    /// How many goals are done one after the other until it is.
    pub(crate) depth: usize,
}

impl Draft {
    pub(crate) fn new(proposal: &Proposal) -> Self {
        let title = if proposal.description.is_empty() {
            &proposal.handle
        } else {
            &proposal.description
        };
        Self {
            title: fields::printable(title, 80),
            handle: proposal.handle.clone(),
            said: proposal.needs.clone(),
            goal: Goal::default(),
            fate: Ok(()),
            stands_for: None,
            needs: Vec::new(),
            left_out: Vec::new(),
            depth: 1,
        }
    }
}

/// Settles what every draft needs, and refuses those that wait for what will never be, for themselves, or too long.
pub(crate) fn settle(drafts: &mut [Draft], known: &Known) {
    resolve(drafts, known);
    refuse_cycles(drafts);
    spread_refusals(drafts);
    leave_out(drafts);
    let depths = depths_of(&known.open);
    // What needs a goal that is too deep is deeper.
    measure(drafts, &depths);
}

/// Finds what the needs mean.
fn resolve(drafts: &mut [Draft], known: &Known) {
    let names = Names::of(drafts, known);
    for (nth, draft) in drafts.iter_mut().enumerate() {
        let mut needs = Vec::new();
        let mut fault = None;
        for said in &draft.said {
            match names.meaning(said) {
                Ok(need) if needs.contains(&need) => {}
                Ok(need) => needs.push(need),
                Err(why) => fault = fault.or(Some(why)),
            }
        }
        // A duplicate within the reply may stand for the very one that needs it.
        needs.retain(|need| *need != Need::Proposal(nth) || names.is_itself(&draft.said, nth));
        draft.needs = needs;
        if let (true, Some(why)) = (draft.fate.is_ok(), fault) {
            draft.fate = Err(why);
        }
    }
}

/// What needs may be called.
struct Names {
    handles: HashMap<String, usize>,
    loose: HashMap<String, usize>,
    goals: HashMap<String, Option<GoalId>>,
    stands_for: Vec<Option<Need>>,
    numbered: bool,
}

impl Names {
    fn of(drafts: &[Draft], known: &Known) -> Self {
        let mut names = Self {
            handles: HashMap::new(),
            loose: HashMap::new(),
            goals: HashMap::new(),
            stands_for: drafts.iter().map(|draft| draft.stands_for.clone()).collect(),
            numbered: drafts.iter().all(|draft| draft.handle.starts_with('#')),
        };
        for (nth, draft) in drafts.iter().enumerate() {
            names.handles.entry(draft.handle.clone()).or_insert(nth);
            names.loose.entry(fields::folded(&draft.handle)).or_insert(nth);
        }
        for (nth, draft) in drafts.iter().enumerate() {
            names.loose.entry(fields::folded(&draft.title)).or_insert(nth);
        }
        for goal in [&known.open, &known.landed].into_iter().flatten() {
            names.know(goal, goal.id.clone());
        }
        known.rejected.iter().for_each(|goal| names.know(goal, None));
        names
    }

    fn know(&mut self, goal: &Goal, means: Option<GoalId>) {
        if let Some(id) = &goal.id {
            self.goals.insert(id.as_str().to_owned(), means);
        }
    }

    fn meaning(&self, said: &str) -> Result<Need, Why> {
        let said = said.trim();
        match self.goals.get(said) {
            Some(Some(id)) => return Ok(Need::Goal(id.clone())),
            Some(None) => return Err(Why::RefusedNeed { need: said.to_owned() }),
            None => {}
        }
        let Some(nth) = self.proposal(said) else {
            let need = fields::printable(said, 80);
            return Err(Why::UnknownNeed { need });
        };
        let stands_for = self.stands_for.get(nth).cloned().flatten();
        Ok(stands_for.unwrap_or(Need::Proposal(nth)))
    }

    fn proposal(&self, said: &str) -> Option<usize> {
        let exact = self.handles.get(said).or_else(|| self.loose.get(&fields::folded(said)));
        if let Some(nth) = exact {
            return Some(*nth);
        }
        // `goal 2` and `#2`: by handle, or by place where the reply gives no handles.
        let number = said.trim_start_matches(|c: char| !c.is_ascii_digit());
        let is_number =
            !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) && said.len() - number.len() <= 6;
        let found = is_number.then(|| self.loose.get(number).copied()).flatten();
        found.or_else(|| {
            let place: usize = number.parse().ok().filter(|_| is_number && self.numbered)?;
            place.checked_sub(1).filter(|nth| *nth < self.stands_for.len())
        })
    }

    /// True where one of the needs names the draft itself, and not a duplicate of it.
    fn is_itself(&self, said: &[String], nth: usize) -> bool {
        said.iter().any(|said| self.proposal(said.trim()) == Some(nth))
    }
}

/// Returns the places that a draft needs.
fn places(draft: &Draft) -> impl Iterator<Item = usize> {
    draft.needs.iter().filter_map(|need| match need {
        Need::Proposal(nth) => Some(*nth),
        Need::Goal(_) => None,
    })
}

/// Refuses every draft on a cycle, and only those: each of them waits for itself.
fn refuse_cycles(drafts: &mut [Draft]) {
    let stuck = stuck(drafts);
    let mut faults = Vec::new();
    for (nth, draft) in drafts.iter().enumerate() {
        if draft.fate.is_err() {
            continue;
        }
        let Some(chain) = cycle_through(nth, drafts, &stuck) else {
            continue;
        };
        let titles = chain.iter().filter_map(|nth| drafts.get(*nth));
        let chain = titles.map(|draft| fields::printable(&draft.title, 40)).collect();
        faults.push((nth, Why::Cycle { chain }));
    }
    for (nth, why) in faults {
        drafts
            .get_mut(nth)
            .into_iter()
            .for_each(|draft| draft.fate = Err(why.clone()));
    }
}

/// Marks the drafts that are on a cycle or wait for one: what is left when those that wait for nothing are taken away again
/// and again.
fn stuck(drafts: &[Draft]) -> Vec<bool> {
    let mut left: Vec<bool> = drafts.iter().map(|draft| draft.fate.is_ok()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    let mut open: Vec<usize> = vec![0; drafts.len()];
    for (nth, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.fate.is_ok()) {
        for need in places(draft).filter(|need| left.get(*need) == Some(&true)) {
            needed_by.get_mut(need).into_iter().for_each(|by| by.push(nth));
            open.get_mut(nth).into_iter().for_each(|count| *count += 1);
        }
    }
    let mut free: Vec<usize> = (0..drafts.len()).filter(|nth| open.get(*nth) == Some(&0)).collect();
    while let Some(nth) = free.pop() {
        left.get_mut(nth).into_iter().for_each(|left| *left = false);
        for by in needed_by.get(nth).into_iter().flatten() {
            if let Some(count) = open.get_mut(*by) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(*by);
                }
            }
        }
    }
    left
}

/// Returns a shortest chain from a draft back to itself.
fn cycle_through(start: usize, drafts: &[Draft], stuck: &[bool]) -> Option<Vec<usize>> {
    if stuck.get(start) != Some(&true) {
        return None;
    }
    let mut from: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(nth) = queue.pop_front() {
        let needs = drafts.get(nth).into_iter().flat_map(places);
        for need in needs.filter(|need| stuck.get(*need) == Some(&true)) {
            if need == start {
                let mut chain = vec![start, nth];
                let mut at = nth;
                while at != start {
                    at = from.get(&at).copied()?;
                    chain.push(at);
                }
                chain.reverse();
                // A chain of one is the draft twice.
                if nth == start {
                    chain.pop();
                }
                return Some(chain);
            }
            if let Entry::Vacant(place) = from.entry(need) {
                place.insert(nth);
                queue.push_back(need);
            }
        }
    }
    None
}

/// Refuses whatever needs what is refused, as far as that goes.
fn spread_refusals(drafts: &mut [Draft]) {
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    for (nth, draft) in drafts.iter().enumerate() {
        for need in places(draft) {
            needed_by.get_mut(need).into_iter().for_each(|by| by.push(nth));
        }
    }
    let bad = drafts.iter().enumerate().filter(|(_, draft)| draft.fate.is_err());
    let mut queue: VecDeque<usize> = bad.map(|(nth, _)| nth).collect();
    while let Some(nth) = queue.pop_front() {
        let need = drafts.get(nth).map(|draft| draft.title.clone()).unwrap_or_default();
        for by in needed_by.get(nth).into_iter().flatten() {
            if let Some(draft) = drafts.get_mut(*by).filter(|draft| draft.fate.is_ok()) {
                draft.fate = Err(Why::RefusedNeed { need: need.clone() });
                queue.push_back(*by);
            }
        }
    }
}

/// Leaves out the needs that nothing speaks for.
fn leave_out(drafts: &mut [Draft]) {
    let marks: Vec<Marks> = drafts.iter().map(Marks::of).collect();
    for (nth, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| draft.fate.is_ok()) {
        let speaks_for = |need: &Need| match need {
            Need::Goal(_) => true,
            Need::Proposal(other) => match (marks.get(nth), marks.get(*other)) {
                (Some(needing), Some(needed)) => needing.speaks_for(needed),
                _ => true,
            },
        };
        let (kept, left_out) = std::mem::take(&mut draft.needs).into_iter().partition(speaks_for);
        draft.needs = kept;
        draft.left_out = left_out;
    }
}

/// What connects a draft to another one.
struct Marks {
    files: BTreeSet<String>,
    handle: String,
    /// Everything that it says, folded.
    words: HashSet<String>,
    /// Names of code, and stems of its files.
    names: HashSet<String>,
}

impl Marks {
    fn of(draft: &Draft) -> Self {
        let goal = &draft.goal;
        let files: BTreeSet<String> = goal.named_files().into_iter().map(str::to_owned).collect();
        let reason = goal.reason.as_deref().unwrap_or_default();
        let mut said = [goal.description.as_str(), goal.prompt.as_str(), reason].join("\n");
        for line in &goal.acceptance {
            said.push('\n');
            said.push_str(line);
        }
        let head = [goal.description.as_str(), goal.prompt.as_str()].join("\n");
        let mut names: HashSet<String> = words::code_names(&head).collect();
        names.extend(
            files
                .iter()
                .map(|file| words::stem_of_path(file))
                .filter(|stem| !words::is_common_stem(stem)),
        );
        Self {
            files,
            handle: draft.handle.to_lowercase(),
            words: words::raw(&said).collect(),
            names,
        }
    }

    fn speaks_for(&self, needed: &Self) -> bool {
        if self.files.is_empty() || needed.files.is_empty() {
            return true;
        }
        !self.files.is_disjoint(&needed.files)
            || self.words.contains(&needed.handle)
            || needed.names.iter().any(|name| self.words.contains(name))
    }
}

/// Returns how many open goals are done one after the other until each is; on a cycle, one.
fn depths_of(open: &[Goal]) -> HashMap<GoalId, usize> {
    let by_id: BTreeMap<&GoalId, &Goal> = open.iter().filter_map(|goal| Some((goal.id.as_ref()?, goal))).collect();
    let mut depths: HashMap<GoalId, usize> = HashMap::new();
    let mut on_path: HashSet<&GoalId> = HashSet::new();
    for root in by_id.keys() {
        let mut path = vec![*root];
        while let Some(id) = path.last().copied() {
            let needs = by_id.get(id).into_iter().flat_map(|goal| &goal.dependencies);
            let needs: Vec<&GoalId> = needs
                .filter_map(|need| by_id.get_key_value(need).map(|(id, _)| *id))
                .collect();
            on_path.insert(id);
            let next = needs
                .iter()
                .find(|need| !depths.contains_key(**need) && !on_path.contains(**need));
            match next {
                Some(next) if !depths.contains_key(id) => path.push(next),
                _ => {
                    let below = needs.iter().filter_map(|need| depths.get(*need)).max();
                    let depth = below.map_or(1, |depth| depth + 1);
                    depths.entry(id.clone()).or_insert(depth);
                    on_path.remove(id);
                    path.pop();
                }
            }
        }
    }
    depths
}

/// Measures how deep each draft is; there is no cycle left among those that are not refused.
fn measure(drafts: &mut [Draft], open: &HashMap<GoalId, usize>) {
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    let mut waits: Vec<usize> = vec![0; drafts.len()];
    let mut depth: Vec<usize> = vec![1; drafts.len()];
    for (nth, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.fate.is_ok()) {
        for need in &draft.needs {
            match need {
                Need::Proposal(other) => {
                    needed_by.get_mut(*other).into_iter().for_each(|by| by.push(nth));
                    waits.get_mut(nth).into_iter().for_each(|count| *count += 1);
                }
                Need::Goal(id) => raise(&mut depth, nth, open.get(id).map_or(0, |depth| *depth)),
            }
        }
    }
    let mut free: Vec<usize> = (0..drafts.len()).filter(|nth| waits.get(*nth) == Some(&0)).collect();
    while let Some(nth) = free.pop() {
        let below = depth.get(nth).copied().unwrap_or(1);
        for by in needed_by.get(nth).into_iter().flatten() {
            raise(&mut depth, *by, below);
            if let Some(count) = waits.get_mut(*by) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(*by);
                }
            }
        }
    }
    for (draft, depth) in drafts.iter_mut().zip(depth) {
        draft.depth = depth;
        if draft.fate.is_ok() && depth > MOST_DEPTH {
            draft.fate = Err(Why::TooDeep {
                depth: depth - 1,
                most: MOST_DEPTH - 1,
            });
        }
    }
}

fn raise(depth: &mut [usize], nth: usize, below: usize) {
    depth
        .get_mut(nth)
        .into_iter()
        .for_each(|depth| *depth = (*depth).max(below + 1));
}
