//! Part: which goals a drawing shows, and which of their needs it draws. What landed is counted, not shown, unless asked
//! for; a focus leaves one goal with all that it needs and all that need it.
//!
//! Pure. Takes any backlog, a damaged one too: needs that are nowhere and circles are told, not refused.

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    graph::{order, wanted_by},
    id::GoalId,
    schedule::State,
};

/// Up to so many goals a need is left out of the drawing where another one leads to the same goal anyway.
const REDUCED: usize = 4_000;

/// One goal of a backlog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The goal.
    pub id: GoalId,
    /// What it is about.
    pub description: String,
    /// Its state.
    pub state: State,
    /// All that it needs, landed or not.
    pub needs: Vec<GoalId>,
}

/// What to show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// Only this goal, all that it needs and all that need it.
    pub focus: Option<GoalId>,
    /// Landed goals too.
    pub landed: bool,
}

/// One goal that is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Shown {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// What it is about.
    pub description: String,
    /// What it needs of the goals that are shown.
    pub needs: Vec<GoalId>,
    /// How many more it needs that landed.
    pub landed: usize,
    /// What it needs and is open, but not shown here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<GoalId>,
    /// What it needs and is no open goal, nor did it land: rejected, or in no backlog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<GoalId>,
    /// The needs to draw, as places in `Part::goals`: without those that another need leads to.
    #[serde(skip)]
    pub lines: Vec<usize>,
}

/// What a drawing shows.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Part {
    /// The goals, in the order in which they were given.
    pub goals: Vec<Shown>,
    /// How many landed goals belong here and are not shown.
    pub landed: usize,
    /// How many other goals belong here and are not shown, because they are too many.
    pub more: usize,
}

impl Part {
    /// Returns the needs to draw, by node.
    pub fn lines(&self) -> Vec<Vec<usize>> {
        self.goals.iter().map(|shown| shown.lines.clone()).collect()
    }
}

/// Chooses what is shown of `all`, at most the first `most` that belong to it; `None` where there is no goal to focus on.
pub fn choose(all: &[Node], choice: &Choice, most: usize) -> Option<Part> {
    let numbers: HashMap<&GoalId, usize> = all.iter().zip(0..).map(|(node, nth)| (&node.id, nth)).collect();
    let needs: Vec<Vec<usize>> = all.iter().map(|node| known(node, &numbers)).collect();
    let focus = match &choice.focus {
        Some(id) => Some(*numbers.get(id)?),
        None => None,
    };
    let family = focus.map(|focus| family(focus, &needs));
    let is_near = |nth: usize| family.as_ref().is_none_or(|family| family.get(nth) == Some(&true));
    let mut part = Part::default();
    let mut shown: Vec<usize> = Vec::new();
    for (nth, node) in all.iter().enumerate().filter(|(nth, _)| is_near(*nth)) {
        let is_asked = focus == Some(nth);
        match node.state {
            State::Landed if !choice.landed && !is_asked => part.landed += 1,
            // What is decided against is no part of the plan.
            State::Rejected if family.is_none() => {}
            _ if shown.len() < most || is_asked => shown.push(nth),
            State::Landed => part.landed += 1,
            _ => part.more += 1,
        }
    }
    let places: HashMap<usize, usize> = shown.iter().copied().zip(0..).collect();
    let drawn = |nth: &usize| {
        let needed = needs.get(*nth).into_iter().flatten();
        needed.filter_map(|need| places.get(need).copied()).collect()
    };
    let lines = reduced(shown.iter().map(drawn).collect());
    for (nth, lines) in shown.iter().zip(lines) {
        if let Some(node) = all.get(*nth) {
            part.goals.push(show(node, lines, all, (&numbers, &places)));
        }
    }
    Some(part)
}

/// Returns what a goal needs and is known, each once, itself left out.
fn known(node: &Node, numbers: &HashMap<&GoalId, usize>) -> Vec<usize> {
    let mut known: Vec<usize> = Vec::with_capacity(node.needs.len());
    for need in node.needs.iter().filter(|need| **need != node.id) {
        known.extend(numbers.get(need));
    }
    known.sort_unstable();
    known.dedup();
    known
}

fn show(
    node: &Node,
    lines: Vec<usize>,
    all: &[Node],
    (numbers, places): (&HashMap<&GoalId, usize>, &HashMap<usize, usize>),
) -> Shown {
    let mut shown = Shown {
        goal: node.id.clone(),
        state: node.state,
        description: node.description.clone(),
        needs: Vec::new(),
        landed: 0,
        others: Vec::new(),
        lost: Vec::new(),
        lines,
    };
    let mut needed: Vec<&GoalId> = node.needs.iter().filter(|need| **need != node.id).collect();
    needed.sort_unstable();
    needed.dedup();
    for need in needed {
        let number = numbers.get(need).copied();
        let state = number.and_then(|nth| all.get(nth)).map(|node| node.state);
        if number.is_some_and(|nth| places.contains_key(&nth)) {
            shown.needs.push(need.clone());
            continue;
        }
        match state {
            Some(State::Landed) => shown.landed += 1,
            Some(State::Rejected) | None => shown.lost.push(need.clone()),
            Some(_) => shown.others.push(need.clone()),
        }
    }
    shown
}

/// Returns, for each node, whether `focus` is it, needs it or is needed by it, over any number of steps.
fn family(focus: usize, needs: &[Vec<usize>]) -> Vec<bool> {
    let mut is_near = vec![false; needs.len()];
    for edges in [needs, &wanted_by(needs)] {
        let mut is_seen = vec![false; needs.len()];
        let mut stack = vec![focus];
        while let Some(node) = stack.pop() {
            match is_seen.get_mut(node) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            stack.extend(edges.get(node).into_iter().flatten());
        }
        for (near, seen) in is_near.iter_mut().zip(is_seen) {
            *near |= seen;
        }
    }
    is_near
}

/// Leaves out each need that another need of the same node leads to. What is needed in a circle stays.
fn reduced(needs: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    if needs.len() > REDUCED {
        return needs;
    }
    let order = order(&needs, &wanted_by(&needs));
    let mut place = vec![0; needs.len()];
    for (nth, node) in order.iter().enumerate() {
        if let Some(place) = place.get_mut(*node) {
            *place = nth;
        }
    }
    let place = |node: usize| place.get(node).copied().unwrap_or(usize::MAX);
    // What each node needs over any number of steps, a bit a node.
    let mut reached: Vec<Bits> = vec![Bits::default(); needs.len()];
    let mut lines: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for node in order {
        let mut needed = needs.get(node).cloned().unwrap_or_default();
        needed.sort_unstable_by_key(|need| std::cmp::Reverse(place(*need)));
        let mut bits = Bits::default();
        let mut kept = Vec::new();
        for need in needed {
            if place(need) >= place(node) {
                kept.push(need);
            } else if !bits.has(need) {
                kept.push(need);
                bits.join(reached.get(need));
                bits.add(need);
            }
        }
        kept.sort_unstable();
        if let (Some(reached), Some(lines)) = (reached.get_mut(node), lines.get_mut(node)) {
            (*reached, *lines) = (bits, kept);
        }
    }
    lines
}

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, n: usize) -> bool {
        self.0.get(n / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    fn add(&mut self, n: usize) {
        self.0.resize(self.0.len().max(n / 64 + 1), 0);
        if let Some(word) = self.0.get_mut(n / 64) {
            *word |= 1 << (n % 64);
        }
    }

    fn join(&mut self, other: Option<&Self>) {
        let other = other.map(|bits| bits.0.as_slice()).unwrap_or_default();
        self.0.resize(self.0.len().max(other.len()), 0);
        for (word, theirs) in self.0.iter_mut().zip(other) {
            *word |= theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `a`, `b<a` (b needs a), `c!` (it landed), `d-` (rejected), apart by spaces.
    fn nodes(text: &str) -> Vec<Node> {
        let node = |word: &str| {
            let (id, needs) = word.split_once('<').unwrap_or((word, ""));
            let state = match id.chars().last().unwrap() {
                '!' => State::Landed,
                '-' => State::Rejected,
                _ => State::Ready,
            };
            Node {
                id: id.trim_end_matches(['!', '-']).parse().unwrap(),
                description: String::new(),
                state,
                needs: needs
                    .split(',')
                    .filter(|need| !need.is_empty())
                    .map(|need| need.parse().unwrap())
                    .collect(),
            }
        };
        text.split(' ').map(node).collect()
    }

    fn chosen(text: &str, focus: Option<&str>, landed: bool, most: usize) -> Option<String> {
        let focus = focus.map(|focus| focus.parse().unwrap());
        let part = choose(&nodes(text), &Choice { focus, landed }, most)?;
        let goal = |shown: &Shown| {
            let lines: Vec<&str> = shown.lines.iter().map(|at| part.goals[*at].goal.as_str()).collect();
            let lost: Vec<&str> = shown.lost.iter().map(GoalId::as_str).collect();
            let others = shown.others.iter().map(|id| format!("({id})")).collect::<String>();
            let goal = &shown.goal;
            format!("{goal}<{}{others}+{}?{}", lines.join(","), shown.landed, lost.join(","))
        };
        let goals: Vec<String> = part.goals.iter().map(goal).collect();
        Some(format!(
            "{} | {} landed, {} more",
            goals.join(" "),
            part.landed,
            part.more
        ))
    }

    #[test]
    fn what_landed_is_counted_and_what_is_nowhere_is_told() {
        let text = "a<x,y,no,z b<a,a,b x! y!<x w! z-";
        let shown = "a<+2?no,z b<a+0? | 3 landed, 0 more";
        assert_eq!(chosen(text, None, false, 9).unwrap(), shown);
        let shown = "a<y+0?no,z b<a+0? x<+0? y<x+0? w<+0? | 0 landed, 0 more";
        assert_eq!(chosen(text, None, true, 9).unwrap(), shown);
        let shown = "a<x+1?no,z b<a+0? x<+0? | 2 landed, 0 more";
        assert_eq!(chosen(text, None, true, 3).unwrap(), shown);
        assert_eq!(chosen(text, None, true, 1).unwrap(), "a<+2?no,z | 3 landed, 1 more");
    }

    #[test]
    fn a_focus_leaves_what_it_needs_and_what_needs_it() {
        let text = "a b<a c<b d<c side<a other<d";
        assert_eq!(
            chosen(text, Some("c"), false, 9).unwrap(),
            "a<+0? b<a+0? c<b+0? d<c+0? other<d+0? | 0 landed, 0 more"
        );
        let text = "a<x b<y x! y!";
        let beside = "a<+0? b<a(c)+0? | 0 landed, 0 more";
        assert_eq!(chosen("a b<a,c c", Some("a"), false, 9).unwrap(), beside);
        assert_eq!(chosen(text, Some("a"), false, 9).unwrap(), "a<+1? | 1 landed, 0 more");
        // It is shown although it landed.
        assert_eq!(
            chosen(text, Some("x"), false, 9).unwrap(),
            "a<x+0? x<+0? | 0 landed, 0 more"
        );
        assert_eq!(chosen(text, Some("no"), false, 9), None);
    }

    #[test]
    fn a_line_that_others_say_anyway_is_left_out_and_circles_stay() {
        let shown = "a<+0? b<a+0? c<b+0? d<c+0? | 0 landed, 0 more";
        assert_eq!(chosen("a b<a c<a,b d<a,b,c", None, false, 9).unwrap(), shown);
        let shown = "a<c+0? b<a+0? c<b+0? d<c+0? | 0 landed, 0 more";
        assert_eq!(chosen("a<c b<a c<b d<a,c", None, false, 9).unwrap(), shown);
    }
}
