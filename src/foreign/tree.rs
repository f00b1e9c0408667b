//! Parts and wholes: an item with parts is no goal, its parts are. What needs the whole needs every part of it, and each
//! part needs what the whole needs.

use std::collections::{HashMap, HashSet};

use crate::foreign::{ForeignError, Item, Standing};

/// Most dependencies that one import may make, so that wholes that need wholes do not fill the memory.
pub const MAX_NEEDS: usize = 1_000_000;

/// The items as a forest, by their numbers.
pub(crate) struct Tree<'a> {
    items: &'a [Item],
    numbers: HashMap<&'a str, usize>,
    parents: Vec<Option<usize>>,
    parts: Vec<Vec<usize>>,
}

/// What an item waits for.
#[derive(Default)]
pub(crate) struct Needs {
    /// Open items that are goals, by number, each once.
    pub(crate) open: Vec<usize>,
    /// Items that are done there, by number.
    pub(crate) closed: Vec<usize>,
    /// Why it can never start, as things are.
    pub(crate) never: Vec<String>,
}

impl<'a> Tree<'a> {
    /// # Errors
    /// Where items are parts of each other.
    pub(crate) fn new(items: &'a [Item]) -> Result<Self, ForeignError> {
        let numbers: HashMap<&str, usize> = items
            .iter()
            .enumerate()
            .map(|(at, item)| (item.origin.as_str(), at))
            .collect();
        let parent = |item: &Item| numbers.get(item.parent.as_deref()?).copied();
        let parents: Vec<Option<usize>> = items.iter().map(parent).collect();
        let mut parts = vec![Vec::new(); items.len()];
        for (at, parent) in parents.iter().enumerate() {
            if let Some(all) = parent.and_then(|parent| parts.get_mut(parent)) {
                all.push(at);
            }
        }
        let tree = Self {
            items,
            numbers,
            parents,
            parts,
        };
        tree.acyclic()?;
        Ok(tree)
    }

    fn acyclic(&self) -> Result<(), ForeignError> {
        let mut fine = vec![false; self.items.len()];
        for start in 0..self.items.len() {
            let mut path: Vec<usize> = Vec::new();
            let mut on_path = HashSet::new();
            let mut at = Some(start);
            while let Some(node) = at.filter(|node| fine.get(*node) == Some(&false)) {
                if !on_path.insert(node) {
                    let names = path
                        .iter()
                        .skip_while(|other| **other != node)
                        .filter_map(|at| self.items.get(*at));
                    let names: Vec<&str> = names.map(|item| item.origin.as_str()).collect();
                    return Err(ForeignError::Cycle(format!(
                        "items are parts of each other: {}",
                        names.join(", ")
                    )));
                }
                path.push(node);
                at = self.parents.get(node).copied().flatten();
            }
            for node in path {
                fine.get_mut(node).into_iter().for_each(|fine| *fine = true);
            }
        }
        Ok(())
    }

    /// True where the item has parts.
    pub(crate) fn is_whole(&self, at: usize) -> bool {
        self.parts.get(at).is_some_and(|parts| !parts.is_empty())
    }

    /// Returns what the item is a part of, the nearest first.
    pub(crate) fn above(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parents.get(at).copied().flatten(), |at| {
            self.parents.get(*at).copied().flatten()
        })
    }

    /// Returns why what the item is a part of waits.
    pub(crate) fn held_above(&self, at: usize) -> Option<String> {
        let above = self.above(at).filter_map(|at| self.items.get(at));
        let mut held = above.filter_map(|item| match &item.standing {
            Standing::Held(why) => Some(format!("part of {}: {why}", item.origin)),
            _ => None,
        });
        held.next()
    }

    /// Returns what item `at` waits for, directly and as a part. `budget` is what is left of `MAX_NEEDS`.
    ///
    /// # Errors
    /// Where there is too much of it.
    pub(crate) fn needs(&self, at: usize, budget: &mut usize) -> Result<Needs, ForeignError> {
        let mut found = Needs::default();
        let mut seen = HashSet::new();
        let above: Vec<usize> = self.above(at).collect();
        for (nth, holder) in std::iter::once(at).chain(above.iter().copied()).enumerate() {
            for need in self.items.get(holder).map_or(&[][..], |item| &item.needs) {
                let Some(on) = self.numbers.get(need.as_str()).copied() else {
                    found.never.push(format!("needs {need}, which is not there"));
                    continue;
                };
                // A whole that waits for its own parts, or a part for its whole, says nothing about other parts.
                let own = on == at || above.contains(&on) || (nth > 0 && self.above(on).any(|over| over == holder));
                if !own && seen.insert(on) {
                    self.expand(on, at, budget, &mut found)?;
                }
            }
        }
        found.open.sort_unstable();
        found.open.dedup();
        Ok(found)
    }

    fn expand(&self, on: usize, at: usize, budget: &mut usize, found: &mut Needs) -> Result<(), ForeignError> {
        let mut waiting = vec![on];
        while let Some(node) = waiting.pop() {
            *budget = budget.checked_sub(1).ok_or(ForeignError::TooManyNeeds)?;
            let Some(item) = self.items.get(node).filter(|_| node != at) else {
                continue;
            };
            match &item.standing {
                Standing::Open | Standing::Held(_) if self.is_whole(node) => {
                    waiting.extend(self.parts.get(node).into_iter().flatten());
                }
                Standing::Open | Standing::Held(_) => found.open.push(node),
                Standing::Closed => found.closed.push(node),
                // A part that was given up is no part any more.
                Standing::Rejected if node != on => {}
                Standing::Rejected => found.never.push(format!("needs {}, which was given up", item.origin)),
                Standing::NoWork => found.never.push(format!("needs {}, which is no work", item.origin)),
            }
        }
        Ok(())
    }
}
