//! Graph: goals and what they need, laid out as lanes and markers, a line per goal, as `git log --graph` draws commits.
//!
//! Pure and deterministic; linear in goals and dependencies but for the lanes of each line, which are few. Knows nodes by
//! number and writes no word about them. Below it `part` (which goals a drawing shows), `layered` (the same in two
//! dimensions: boxes in columns) and `picture` (that as SVG).

pub mod layered;
pub mod part;
pub mod picture;

/// Most lanes beside each other. What needs more is told in words.
const LANES: usize = 16;

/// The signs of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signs {
    /// A node that needs no other node.
    root: &'static str,
    /// A node that needs those whose lanes lead to it.
    node: &'static str,
    lane: &'static str,
    across: &'static str,
    /// A lane that goes on and leads to the node: at the left, between, at the right.
    tees: [&'static str; 3],
    /// A lane that ends at the node, likewise.
    ends: [&'static str; 3],
}

impl Signs {
    /// Lines and bullets.
    pub const UNICODE: Self = Self {
        root: "○",
        node: "●",
        lane: "│",
        across: "─",
        tees: ["├", "┼", "┤"],
        ends: ["╰", "┴", "╯"],
    };
    /// Where only ASCII can be shown.
    pub const ASCII: Self = Self {
        root: "o",
        node: "*",
        lane: "|",
        across: "-",
        tees: ["+", "+", "+"],
        ends: ["'", "'", "'"],
    };
}

/// One line of a drawing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The node that stands on it.
    pub node: usize,
    /// The lanes, the node's marker among them; no space at the end.
    pub lanes: String,
    /// Nodes that it needs and that no lane leads from.
    pub untold: Vec<usize>,
}

/// Draws nodes so that each stands below all that it needs. `needs[n]` are the nodes that node `n` needs; smaller numbers go
/// first where nothing else decides. Nodes that need each other in a circle come last, and no lane leads to them.
pub fn draw(needs: &[Vec<usize>], signs: Signs, most: usize) -> Vec<Line> {
    let wanted_by = wanted_by(needs);
    let mut lanes = Lanes {
        open: Vec::new(),
        left: wanted_by.iter().map(Vec::len).collect(),
        signs,
    };
    let order = order(needs, &wanted_by);
    order
        .into_iter()
        .take(most)
        .map(|node| lanes.place(node, needs))
        .collect()
}

/// Turns the edges round: returns, for each node, those that need it.
pub fn wanted_by(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut wanted_by = vec![Vec::new(); needs.len()];
    for (node, needed) in needs.iter().enumerate() {
        for need in needed {
            if let Some(wanted) = wanted_by.get_mut(*need) {
                wanted.push(node);
            }
        }
    }
    wanted_by
}

/// Orders nodes so that each comes after what it needs and as soon after it as can be, which keeps lanes short: of the nodes
/// that can come next, the one that became so last. Where all that is left is in a circle or needs one, the first of it goes on.
pub fn order(needs: &[Vec<usize>], wanted_by: &[Vec<usize>]) -> Vec<usize> {
    let known = |node: usize| {
        needs
            .get(node)
            .into_iter()
            .flatten()
            .filter(|need| **need < needs.len())
    };
    let mut missing: Vec<usize> = (0..needs.len()).map(|node| known(node).count()).collect();
    let mut next: Vec<usize> = roots(needs, wanted_by);
    next.reverse();
    let mut order = Vec::with_capacity(needs.len());
    let mut is_placed = vec![false; needs.len()];
    let mut others = 0..needs.len();
    while let Some(node) = next.pop().or_else(|| others.next()) {
        match is_placed.get_mut(node) {
            Some(placed) if !*placed => *placed = true,
            _ => continue,
        }
        order.push(node);
        for wanting in wanted_by.get(node).into_iter().flatten().rev() {
            if let Some(count) = missing.get_mut(*wanting) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    next.push(*wanting);
                }
            }
        }
    }
    order
}

/// Lists the nodes that need none, those of one goal's needs beside each other, and parts that nothing joins one after the
/// other, in the order of their first node.
fn roots(needs: &[Vec<usize>], wanted_by: &[Vec<usize>]) -> Vec<usize> {
    let parts = parts(needs, wanted_by);
    let mut sinks: Vec<usize> = (0..needs.len())
        .filter(|node| wanted_by.get(*node).is_none_or(Vec::is_empty))
        .collect();
    sinks.sort_by_key(|node| (parts.get(*node).copied(), *node));
    let mut is_seen = vec![false; needs.len()];
    let mut roots = Vec::new();
    let mut stack = Vec::new();
    for sink in sinks {
        stack.push(sink);
        while let Some(node) = stack.pop() {
            match is_seen.get_mut(node) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            let needed: Vec<usize> = needs.get(node).into_iter().flatten().copied().collect();
            if needed.iter().all(|need| *need >= needs.len()) {
                roots.push(node);
            }
            stack.extend(needed.into_iter().rev());
        }
    }
    roots
}

/// Returns, for each node, the smallest node of the part of the graph that it is in.
pub fn parts(needs: &[Vec<usize>], wanted_by: &[Vec<usize>]) -> Vec<usize> {
    let mut part = vec![usize::MAX; needs.len()];
    for first in 0..needs.len() {
        let mut stack = vec![first];
        while let Some(node) = stack.pop() {
            match part.get_mut(node) {
                Some(of) if *of == usize::MAX => *of = first,
                _ => continue,
            }
            let beside = needs.get(node).into_iter().chain(wanted_by.get(node));
            stack.extend(beside.flatten());
        }
    }
    part
}

/// The lanes between two lines: each leads from a node to those below that need it.
struct Lanes {
    open: Vec<Option<usize>>,
    /// How many of those that need a node are still to come.
    left: Vec<usize>,
    signs: Signs,
}

impl Lanes {
    fn place(&mut self, node: usize, needs: &[Vec<usize>]) -> Line {
        let needed: Vec<usize> = needs.get(node).cloned().unwrap_or_default();
        let needed: Vec<usize> = needed.into_iter().filter(|need| *need < needs.len()).collect();
        for need in &needed {
            if let Some(left) = self.left.get_mut(*need) {
                *left = left.saturating_sub(1);
            }
        }
        let comes = |lane: &Option<usize>| lane.is_some_and(|from| needed.contains(&from));
        let incoming: Vec<usize> = (0..self.open.len())
            .filter(|column| self.open.get(*column).is_some_and(comes))
            .collect();
        let ended: Vec<usize> = incoming
            .iter()
            .copied()
            .filter(|column| self.is_over(*column))
            .collect();
        let free = || self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        let column = ended.first().copied().unwrap_or_else(free);
        let lanes = self.cells(column, (&incoming, &ended), needed.is_empty());
        let untold = needed.iter().copied().filter(|need| !self.open.contains(&Some(*need)));
        let untold = untold.collect();
        for over in ended {
            self.set(over, None);
        }
        let goes_on = self.left.get(node).is_some_and(|left| *left > 0);
        self.set(column, goes_on.then_some(node));
        while self.open.last() == Some(&None) {
            self.open.pop();
        }
        Line { node, lanes, untold }
    }

    /// True where the lane leads to nobody further down.
    fn is_over(&self, column: usize) -> bool {
        let from = self.open.get(column).copied().flatten();
        from.and_then(|from| self.left.get(from)).is_some_and(|left| *left == 0)
    }

    fn set(&mut self, column: usize, from: Option<usize>) {
        if column >= LANES {
            return;
        }
        if column >= self.open.len() {
            self.open.resize(column + 1, None);
        }
        if let Some(lane) = self.open.get_mut(column) {
            *lane = from;
        }
    }

    fn cells(&self, column: usize, (incoming, ended): (&[usize], &[usize]), is_root: bool) -> String {
        let first = incoming.first().map_or(column, |first| column.min(*first));
        let last = incoming.last().map_or(column, |last| column.max(*last));
        let signs = self.signs;
        let mut text = String::new();
        for at in 0..self.open.len().max(column + 1) {
            let is_open = self.open.get(at).is_some_and(Option::is_some);
            let side = usize::from(at > first) + usize::from(at >= last && at > first);
            let pick = |of: [&'static str; 3]| of.get(side).copied().unwrap_or(signs.across);
            text.push_str(if at == column {
                if is_root { signs.root } else { signs.node }
            } else if ended.contains(&at) {
                pick(signs.ends)
            } else if incoming.contains(&at) {
                pick(signs.tees)
            } else if is_open {
                signs.lane
            } else if at > first && at < last {
                signs.across
            } else {
                " "
            });
            text.push_str(if at >= first && at < last { signs.across } else { " " });
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests;
