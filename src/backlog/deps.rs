//! Dependencies between goals: what is wrong with them, and an order that respects them.
//!
//! Linear in goals and dependencies, without recursion: chains of 100,000 goals are ordinary. Knows no states.

use std::collections::{BTreeSet, HashMap};

use crate::{
    backlog::{
        Backlog,
        error::{Lines, Place},
    },
    goal::Goal,
    id::GoalId,
};

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
    fn new(open: &'a [(GoalId, Goal)], landed: &BTreeSet<GoalId>) -> Self {
        let ids: Vec<&GoalId> = open.iter().map(|(id, _)| id).collect();
        let numbers: HashMap<&GoalId, usize> = ids.iter().enumerate().map(|(nth, id)| (*id, nth)).collect();
        let mut graph = Self {
            ids,
            edges: Vec::with_capacity(open.len()),
            faults: Vec::new(),
        };
        for (id, goal) in open {
            let mut edges = Vec::with_capacity(goal.dependencies.len());
            for dependency in &goal.dependencies {
                match numbers.get(dependency) {
                    Some(_) if dependency == id => graph.faults.push(DepFault::OnItself { goal: id.clone() }),
                    Some(number) => edges.push(*number),
                    None if landed.contains(dependency) => {}
                    None => graph.faults.push(DepFault::Unknown {
                        goal: id.clone(),
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

    /// Walks depth first from every node and returns nodes with all their dependencies before them; names each cycle
    /// where it closes.
    fn walk(&self) -> (Vec<usize>, Vec<DepFault>) {
        let mut marks = vec![Mark::New; self.ids.len()];
        let (mut order, mut cycles) = (Vec::with_capacity(self.ids.len()), Vec::new());
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
                        order.push(*node);
                        path.pop();
                    }
                }
            }
        }
        (order, cycles)
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

/// Returns every dependency of the `open` goals that can never be met.
pub fn check(open: &[(GoalId, Goal)], landed: &BTreeSet<GoalId>) -> Vec<DepFault> {
    let mut graph = Graph::new(open, landed);
    let (_, cycles) = graph.walk();
    graph.faults.extend(cycles);
    graph.faults
}

/// As `check`, for a file: each fault with the place of the goal's row.
pub fn check_file(backlog: &Backlog, landed: &BTreeSet<GoalId>) -> Vec<(Place, DepFault)> {
    let open: Vec<(GoalId, Goal)> = backlog.goals().map(|(id, goal)| (id.clone(), goal)).collect();
    let lines = Lines::of(backlog.text());
    let start = |fault: &DepFault| fault.goal().and_then(|goal| backlog.start(goal)).unwrap_or_default();
    let faults = check(&open, landed).into_iter();
    faults.map(|fault| (lines.place(start(&fault)), fault)).collect()
}

/// Returns the open goals, each behind those that it depends on, else in the order given. Dependencies that can never
/// be met are left out of account.
pub fn order(open: &[(GoalId, Goal)]) -> Vec<&GoalId> {
    let graph = Graph::new(open, &BTreeSet::new());
    let (order, _) = graph.walk();
    order
        .into_iter()
        .filter_map(|node| graph.ids.get(node).copied())
        .collect()
}

/// Returns the goals that depend on `goal`, directly or through others, in the order given.
pub fn dependents<'a>(open: &'a [(GoalId, Goal)], goal: &GoalId) -> Vec<&'a GoalId> {
    let graph = Graph::new(open, &BTreeSet::from([goal.clone()]));
    let (order, _) = graph.walk();
    let mut reached = vec![false; graph.ids.len()];
    for node in order {
        let direct = open.get(node).is_some_and(|(_, open)| open.dependencies.contains(goal));
        let through = graph.edges.get(node).into_iter().flatten();
        let through = through.copied().any(|to| reached.get(to) == Some(&true));
        reached
            .get_mut(node)
            .into_iter()
            .for_each(|mark| *mark = direct || through);
    }
    let all = graph.ids.into_iter().zip(reached);
    all.filter_map(|(id, reached)| reached.then_some(id)).collect()
}

#[cfg(test)]
mod tests;
