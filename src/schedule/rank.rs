//! Ranks: how long the work is that cannot end before a goal has, from here to the end of all that depends on it.
//!
//! Pure: durations are facts. Decides nothing; `schedule` and `schedule/queue` order by it.

use std::{collections::HashMap, time::Duration};

use crate::{
    facts::{Durations, Facts},
    goal::Decision,
    id::GoalId,
};

/// How long a goal takes where nothing is known: then the longest chain of goals goes first.
const UNKNOWN: Duration = Duration::from_secs(1);

/// The upward rank of each open goal: what it takes itself, and the longest chain of goals that wait for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ranks {
    of: HashMap<GoalId, Duration>,
}

impl Ranks {
    /// Computes the ranks of the open goals, in time linear in goals and dependencies. A goal that nobody means to do makes
    /// nothing urgent; members of a cycle count what is known of them.
    pub fn of_open(facts: &Facts) -> Self {
        let places: HashMap<&GoalId, usize> = facts.goals.keys().zip(0..).collect();
        // Nodes as plain numbers: most of the cost is looking names up, once per dependency.
        let mut nodes: Vec<Node> = facts
            .goals
            .iter()
            .map(|(id, open)| Node {
                takes: estimated(&facts.durations, id),
                is_wanted: open.decision == Decision::Pending,
                needs: open.needs.iter().filter_map(|need| places.get(need).copied()).collect(),
                ..Node::default()
            })
            .collect();
        let edges: Vec<usize> = nodes.iter().flat_map(|node| node.needs.iter().copied()).collect();
        for need in edges {
            if let Some(node) = nodes.get_mut(need) {
                node.open_dependents += 1;
            }
        }
        settle(&mut nodes);
        let of = facts.goals.keys().cloned().zip(nodes.iter().map(Node::rank)).collect();
        Self { of }
    }

    /// Returns the rank of a goal; nothing for one that is not open.
    pub fn of(&self, id: &GoalId) -> Duration {
        self.of.get(id).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Node {
    takes: Duration,
    is_wanted: bool,
    needs: Vec<usize>,
    /// Goals that need it and whose rank is not known yet.
    open_dependents: usize,
    /// The greatest rank of those whose is.
    after: Duration,
}

impl Node {
    fn rank(&self) -> Duration {
        self.takes.saturating_add(self.after)
    }
}

/// Hands ranks down from goals that nothing waits for to what they need.
fn settle(nodes: &mut [Node]) {
    let is_last = |(at, node): (usize, &Node)| (node.open_dependents == 0).then_some(at);
    let mut known: Vec<usize> = nodes.iter().enumerate().filter_map(is_last).collect();
    while let Some(at) = known.pop() {
        let Some(node) = nodes.get_mut(at) else { continue };
        let rank = if node.is_wanted { node.rank() } else { Duration::ZERO };
        for need in std::mem::take(&mut node.needs) {
            if let Some(node) = nodes.get_mut(need) {
                node.after = node.after.max(rank);
                node.open_dependents = node.open_dependents.saturating_sub(1);
                if node.open_dependents == 0 {
                    known.push(need);
                }
            }
        }
    }
}

/// Returns how long a goal probably takes: as long as it took before, else as others take.
pub fn estimated(durations: &Durations, id: &GoalId) -> Duration {
    let before = durations.of.get(id).copied();
    before
        .or(durations.typical)
        .unwrap_or(UNKNOWN)
        .max(Duration::from_millis(1))
}

/// Returns the median of `all`, the shortest first: what is typical where few take very long.
pub fn median(all: &[Duration]) -> Option<Duration> {
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Open;

    fn id(text: &str) -> GoalId {
        text.parse().unwrap()
    }

    fn facts(goals: &[(&str, &[&str])]) -> Facts {
        let open = |needs: &&[&str]| Open {
            needs: needs.iter().map(|need| id(need)).collect(),
            ..Open::default()
        };
        Facts {
            goals: goals.iter().map(|(name, needs)| (id(name), open(needs))).collect(),
            ..Facts::default()
        }
    }

    fn seconds(facts: &Facts, name: &str) -> u64 {
        Ranks::of_open(facts).of(&id(name)).as_secs()
    }

    #[test]
    fn a_rank_is_the_longest_way_to_the_end() {
        let mut facts = facts(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"]), ("e", &[])]);
        facts.durations.typical = Some(Duration::from_secs(10));
        facts.durations.of.insert(id("c"), Duration::from_secs(60));
        let ranks: Vec<u64> = ["a", "b", "c", "d", "e", "gone"]
            .map(|name| seconds(&facts, name))
            .to_vec();
        assert_eq!(ranks, [80, 20, 70, 10, 10, 0]);
        facts.goals.get_mut(&id("c")).unwrap().decision = Decision::Held;
        assert_eq!(seconds(&facts, "a"), 30, "nobody waits for what is held");
    }

    #[test]
    fn cycles_and_unknown_needs_do_no_harm() {
        let facts = facts(&[("a", &["b", "gone"]), ("b", &["a"]), ("c", &["c"]), ("d", &["a"])]);
        let ranks: Vec<u64> = ["a", "b", "c", "d"].map(|name| seconds(&facts, name)).to_vec();
        assert_eq!(ranks, [2, 1, 1, 1]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let goals: Vec<(GoalId, Open)> = (0..50_000)
            .map(|n| {
                let needs = (n > 0).then(|| id(&format!("g{:06}", n - 1))).into_iter().collect();
                (
                    id(&format!("g{n:06}")),
                    Open {
                        needs,
                        ..Open::default()
                    },
                )
            })
            .collect();
        let facts = Facts {
            goals: goals.into_iter().collect(),
            ..Facts::default()
        };
        assert_eq!(seconds(&facts, "g000000"), 50_000);
    }

    #[test]
    fn the_median_is_not_moved_by_one_that_hung() {
        assert_eq!(median(&[]), None);
        let all = [1, 3, 9000].map(Duration::from_secs);
        assert_eq!(median(&all), Some(Duration::from_secs(3)));
    }
}
