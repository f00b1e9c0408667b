//! Dependencies between goals: what is wrong with them.
//!
//! Linear in goals and dependencies, without recursion: chains of 100,000 goals are ordinary. Knows no states.

use std::collections::{BTreeSet, HashMap};

use crate::{backlog::Backlog, id::GoalId};

/// A dependency that can never be met.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DepFault {
    /// No open goal and no landed one has this id.
    #[error("goal `{goal}` depends on `{dependency}`, which is no goal")]
    Unknown {
        /// The goal that says so.
        goal: GoalId,
        /// The id that nobody has.
        dependency: GoalId,
    },
    /// A goal that waits for itself.
    #[error("goal `{goal}` depends on itself")]
    OnItself {
        /// The goal.
        goal: GoalId,
    },
    /// Goals that wait for each other.
    #[error("goals depend on each other: {}", arrows(.goals))]
    Cycle {
        /// Each depends on the next one, the last on the first.
        goals: Vec<GoalId>,
    },
}

fn arrows(goals: &[GoalId]) -> String {
    let all: Vec<&str> = goals.iter().chain(goals.first()).map(GoalId::as_str).collect();
    all.join(" → ")
}

impl DepFault {
    /// Returns the goal whose row should be looked at first.
    pub fn goal(&self) -> Option<&GoalId> {
        match self {
            Self::Unknown { goal, .. } | Self::OnItself { goal } => Some(goal),
            Self::Cycle { goals } => goals.first(),
        }
    }
}

/// Open goals as a graph; nodes are numbered in the order given.
struct Graph<'a> {
    ids: Vec<&'a GoalId>,
    edges: Vec<Vec<usize>>,
    faults: Vec<DepFault>,
}

impl<'a> Graph<'a> {
    fn new(open: &[(&'a GoalId, &[GoalId])], landed: &BTreeSet<GoalId>) -> Self {
        let ids: Vec<&GoalId> = open.iter().map(|(id, _)| *id).collect();
        let numbers: HashMap<&GoalId, usize> = ids.iter().enumerate().map(|(nth, id)| (*id, nth)).collect();
        let mut graph = Self {
            ids,
            edges: Vec::with_capacity(open.len()),
            faults: Vec::new(),
        };
        for (id, needs) in open {
            let mut edges = Vec::with_capacity(needs.len());
            for dependency in *needs {
                match numbers.get(dependency) {
                    Some(_) if dependency == *id => graph.faults.push(DepFault::OnItself {
                        goal: dependency.clone(),
                    }),
                    Some(number) => edges.push(*number),
                    None if landed.contains(dependency) => {}
                    None => graph.faults.push(DepFault::Unknown {
                        goal: (*id).clone(),
                        dependency: dependency.clone(),
                    }),
                }
            }
            graph.edges.push(edges);
        }
        graph
    }

    fn edge(&self, node: usize, nth: usize) -> Option<usize> {
        self.edges.get(node)?.get(nth).copied()
    }

    /// Walks depth first from every node; names each cycle where it closes.
    fn cycles(&self) -> Vec<DepFault> {
        let mut marks = vec![Mark::New; self.ids.len()];
        let mut cycles = Vec::new();
        for root in 0..self.ids.len() {
            let mut path: Vec<(usize, usize)> = enter(&mut marks, root).map(|node| (node, 0)).into_iter().collect();
            while let Some((node, nth)) = path.last_mut() {
                let next = self.edge(*node, *nth);
                *nth += 1;
                match next.map(|to| (to, marks.get(to).copied())) {
                    Some((to, Some(Mark::New))) => path.extend(enter(&mut marks, to).map(|node| (node, 0))),
                    Some((to, Some(Mark::OnPath))) => cycles.push(self.cycle(&path, to)),
                    Some(_) => {}
                    None => {
                        marks.get_mut(*node).into_iter().for_each(|mark| *mark = Mark::Done);
                        path.pop();
                    }
                }
            }
        }
        cycles
    }

    fn cycle(&self, path: &[(usize, usize)], first: usize) -> DepFault {
        let nodes = path.iter().map(|(node, _)| *node).skip_while(|node| *node != first);
        let goals = nodes.filter_map(|node| self.ids.get(node).copied().cloned()).collect();
        DepFault::Cycle { goals }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Done,
}

fn enter(marks: &mut [Mark], node: usize) -> Option<usize> {
    let mark = marks.get_mut(node).filter(|mark| **mark == Mark::New)?;
    *mark = Mark::OnPath;
    Some(node)
}

/// Returns every dependency of the open goals, given with what they need, that can never be met.
pub fn check(open: &[(&GoalId, &[GoalId])], landed: &BTreeSet<GoalId>) -> Vec<DepFault> {
    let mut graph = Graph::new(open, landed);
    let cycles = graph.cycles();
    graph.faults.extend(cycles);
    graph.faults
}

/// Returns what `check` says of all goals of a backlog.
pub fn check_all(backlog: &Backlog, landed: &BTreeSet<GoalId>) -> Vec<DepFault> {
    let heads = backlog.heads();
    let needs: Vec<(&GoalId, Vec<GoalId>)> = heads
        .map(|(id, head)| {
            let needs = head.dependencies.iter();
            (id, needs.filter_map(|need| need.parse().ok()).collect())
        })
        .collect();
    let open: Vec<(&GoalId, &[GoalId])> = needs.iter().map(|(id, needs)| (*id, needs.as_slice())).collect();
    check(&open, landed)
}

#[cfg(test)]
mod tests;
