//! Layered: goals as boxes in columns, each to the right of all that it needs, and the lines between them. Parts that nothing
//! joins are laid out each by itself, and packed into rows.
//!
//! The way of Sugiyama: a layer for each node by its longest path, stand-ins where a line passes a layer, an order within
//! layers with few crossings (`sorted`), then heights that make lines straight (`settled`). Whole numbers only, so that a
//! graph has one drawing everywhere. Knows nodes by number; nodes in a circle are drawn too, some line of it backwards.

mod settled;
mod sorted;

use std::collections::BTreeMap;

use crate::graph::{order, parts, wanted_by};

/// How wide a box is.
pub const WIDTH: i64 = 232;
/// How high a box is.
pub const HEIGHT: i64 = 64;
/// What is between two columns.
const COLUMN_GAP: i64 = 56;
/// What is between two parts.
const PART_GAP: i64 = 24;
/// How many columns a row of parts may always take.
const COLUMNS: i64 = 4;
/// More stand-ins than that in one part, and its long lines go straight.
const STAND_INS: usize = 10_000;

/// A place, from the top left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Point {
    /// To the right.
    pub x: i64,
    /// Downwards.
    pub y: i64,
}

/// What leads from one node to those that need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The node where it begins, at the left.
    pub from: usize,
    /// True where the drawing is the other way round: what is at the right is needed too, in a circle.
    pub is_circle: bool,
    /// Its pieces, each from left to right.
    pub runs: Vec<(Point, Point)>,
}

/// A laid out graph.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drawing {
    /// How wide it is.
    pub width: i64,
    /// How high it is.
    pub height: i64,
    /// The top left of each node's box.
    pub places: Vec<Point>,
    /// The nodes in the order to read them: part by part, column by column, downwards.
    pub sequence: Vec<usize>,
    /// What leads where.
    pub lines: Vec<Line>,
}

/// Lays out nodes; `needs[n]` are the nodes that node `n` needs. What is no node is passed over.
pub fn draw(needs: &[Vec<usize>]) -> Drawing {
    let order = order(needs, &wanted_by(needs));
    let mut drawing = Drawing {
        places: vec![Point::default(); needs.len()],
        ..Drawing::default()
    };
    let mut packed: Vec<Laid> = split(needs, &order).iter().map(Laid::of).collect();
    // Goals that stand alone fill what is left.
    packed.sort_by_key(|laid| laid.items.nodes.len() == 1);
    let widest = packed.iter().map(|laid| laid.width).max().unwrap_or(0);
    let most = widest.max(COLUMNS * (WIDTH + COLUMN_GAP) - COLUMN_GAP);
    let (mut at, mut deepest) = (Point::default(), 0);
    for laid in &packed {
        if at.x > 0 && at.x + laid.width > most {
            at = Point {
                x: 0,
                y: at.y + deepest + PART_GAP,
            };
            deepest = 0;
        }
        drawing.add(laid, at);
        deepest = deepest.max(laid.height);
        at.x += laid.width + COLUMN_GAP;
    }
    drawing
}

impl Drawing {
    fn add(&mut self, laid: &Laid, at: Point) {
        let moved = |point: Point| Point {
            x: point.x + at.x,
            y: point.y + at.y,
        };
        for item in laid.items.layers.iter().flatten() {
            let Some(node) = laid.items.nodes.get(*item) else {
                continue;
            };
            if let Some(place) = self.places.get_mut(*node) {
                let left = laid.left(*item);
                *place = moved(Point {
                    y: left.y - HEIGHT / 2,
                    ..left
                });
                self.sequence.push(*node);
            }
        }
        for (nth, line) in laid.items.lines.iter().enumerate() {
            let runs = laid.runs(nth).into_iter().map(|(a, b)| (moved(a), moved(b)));
            self.lines.push(Line {
                runs: runs.collect(),
                ..line.clone()
            });
        }
        self.width = self.width.max(at.x + laid.width);
        self.height = self.height.max(at.y + laid.height);
    }
}

/// Nodes that are joined, in an order in which each comes after what it needs, and the edges between them from left to right.
struct Joined {
    nodes: Vec<usize>,
    edges: Vec<Edge>,
}

/// An edge between two places in `Joined::nodes`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: usize,
    is_circle: bool,
    to: usize,
}

fn split(needs: &[Vec<usize>], order: &[usize]) -> Vec<Joined> {
    let part = parts(needs, &wanted_by(needs));
    let mut joined: BTreeMap<usize, Joined> = BTreeMap::new();
    let mut place = vec![0; needs.len()];
    for node in order {
        let into = joined.entry(get(&part, *node)).or_insert_with(|| Joined {
            nodes: Vec::new(),
            edges: Vec::new(),
        });
        set(&mut place, *node, into.nodes.len());
        into.nodes.push(*node);
    }
    for (node, needed) in needs.iter().enumerate() {
        let Some(into) = joined.get_mut(&get(&part, node)) else {
            continue;
        };
        for need in needed.iter().filter(|need| **need < needs.len() && **need != node) {
            let (need, node) = (get(&place, *need), get(&place, node));
            into.edges.push(Edge {
                from: need.min(node),
                to: need.max(node),
                is_circle: need > node,
            });
        }
    }
    let tidied = joined.into_values().map(|mut joined| {
        joined.edges.sort_unstable();
        joined.edges.dedup();
        joined
    });
    tidied.collect()
}

/// What stands in layers: first the nodes of a part, then the stand-ins for lines that pass a layer.
struct Items {
    /// The node that an item is; none for a stand-in.
    nodes: Vec<usize>,
    /// Items by layer, from the top.
    layers: Vec<Vec<usize>>,
    /// The layer of each.
    layer: Vec<usize>,
    /// What each leads to, and what leads to it.
    right: Vec<Vec<usize>>,
    left: Vec<Vec<usize>>,
    /// The lines, still without places.
    lines: Vec<Line>,
    /// What joins two items, by line.
    joints: Vec<Vec<(usize, usize)>>,
}

impl Items {
    fn of(joined: &Joined) -> Self {
        let layer = layers(joined);
        let mut items = Self {
            nodes: joined.nodes.clone(),
            layers: Vec::new(),
            right: vec![Vec::new(); layer.len()],
            left: vec![Vec::new(); layer.len()],
            layer,
            lines: Vec::new(),
            joints: Vec::new(),
        };
        let by_line = joined
            .edges
            .chunk_by(|a, b| (a.from, a.is_circle) == (b.from, b.is_circle));
        let passed = |edges: &[Edge]| {
            let last = edges.iter().map(|edge| get(&items.layer, edge.to)).max().unwrap_or(0);
            let first = edges.first().map_or(0, |edge| get(&items.layer, edge.from));
            last.saturating_sub(first + 1)
        };
        let is_routed = by_line.clone().map(passed).sum::<usize>() <= STAND_INS;
        for edges in by_line {
            items.trunk(edges, is_routed);
        }
        for (item, layer) in items.layer.iter().enumerate() {
            if items.layers.len() <= *layer {
                items.layers.resize(layer + 1, Vec::new());
            }
            if let Some(items) = items.layers.get_mut(*layer) {
                items.push(item);
            }
        }
        items
    }

    /// Leads one line from a node to all that it goes to: they share its stand-ins.
    fn trunk(&mut self, edges: &[Edge], is_routed: bool) {
        let Some(Edge { from, is_circle, .. }) = edges.first().copied() else {
            return;
        };
        let first = get(&self.layer, from);
        let mut trunk = vec![from];
        let mut joints = Vec::new();
        let mut sorted: Vec<usize> = edges.iter().map(|edge| edge.to).collect();
        sorted.sort_by_key(|to| get(&self.layer, *to));
        for to in sorted {
            let before = get(&self.layer, to).saturating_sub(first + 1);
            while is_routed && trunk.len() <= before {
                let item = self.layer.len();
                self.layer.push(first + trunk.len());
                self.left.push(Vec::new());
                self.right.push(Vec::new());
                self.join(trunk.last().copied().unwrap_or(from), item, &mut joints);
                trunk.push(item);
            }
            let at = if is_routed { get(&trunk, before) } else { from };
            self.join(at, to, &mut joints);
        }
        self.lines.push(Line {
            from: get(&self.nodes, from),
            is_circle,
            runs: Vec::new(),
        });
        self.joints.push(joints);
    }

    fn join(&mut self, from: usize, to: usize, joints: &mut Vec<(usize, usize)>) {
        joints.push((from, to));
        if let (Some(right), Some(left)) = (self.right.get_mut(from), self.left.get_mut(to)) {
            right.push(to);
            left.push(from);
        }
    }

    fn is_node(&self, item: usize) -> bool {
        item < self.nodes.len()
    }
}

/// Gives each node the first layer in which it stands right of all that it needs; one that more nodes need than it needs
/// itself then goes as far right as they let it.
fn layers(joined: &Joined) -> Vec<usize> {
    let mut layer = vec![0_usize; joined.nodes.len()];
    let mut leads: Vec<Vec<usize>> = vec![Vec::new(); layer.len()];
    let mut needed = vec![0_usize; layer.len()];
    for edge in &joined.edges {
        if let (Some(leads), Some(needed)) = (leads.get_mut(edge.from), needed.get_mut(edge.to)) {
            leads.push(edge.to);
            *needed += 1;
        }
    }
    for (node, leads) in leads.iter().enumerate() {
        let after = get(&layer, node) + 1;
        for to in leads {
            let least = get(&layer, *to).max(after);
            set(&mut layer, *to, least);
        }
    }
    for (node, leads) in leads.iter().enumerate().rev() {
        let nearest = leads.iter().map(|to| get(&layer, *to)).min();
        if let Some(nearest) = nearest.filter(|_| get(&needed, node) < leads.len()) {
            set(&mut layer, node, nearest.saturating_sub(1));
        }
    }
    layer
}

/// A part with a place for each item.
struct Laid {
    items: Items,
    /// The middle of each item.
    middle: Vec<i64>,
    width: i64,
    height: i64,
}

impl Laid {
    fn of(joined: &Joined) -> Self {
        let mut items = Items::of(joined);
        sorted::sort(&mut items);
        let middle = settled::settle(&items);
        let nodes = middle.iter().take(items.nodes.len());
        let lines = middle.iter().skip(items.nodes.len());
        let bottom = nodes.map(|y| y + HEIGHT / 2).chain(lines.copied()).max();
        let columns = count(items.layers.len());
        Self {
            width: columns * (WIDTH + COLUMN_GAP) - COLUMN_GAP,
            height: bottom.unwrap_or(0),
            middle,
            items,
        }
    }

    /// Returns the middle of the left side of an item.
    fn left(&self, item: usize) -> Point {
        Point {
            x: count(get(&self.items.layer, item)) * (WIDTH + COLUMN_GAP),
            y: get(&self.middle, item),
        }
    }

    fn right(&self, item: usize) -> Point {
        let left = self.left(item);
        Point {
            x: left.x + WIDTH,
            ..left
        }
    }

    fn runs(&self, line: usize) -> Vec<(Point, Point)> {
        let mut runs = Vec::new();
        for (from, to) in self.items.joints.get(line).into_iter().flatten() {
            runs.push((self.right(*from), self.left(*to)));
            if !self.items.is_node(*to) {
                runs.push((self.left(*to), self.right(*to)));
            }
        }
        runs
    }
}

fn get<T: Copy + Default>(of: &[T], nth: usize) -> T {
    of.get(nth).copied().unwrap_or_default()
}

fn set<T>(of: &mut [T], nth: usize, value: T) {
    if let Some(place) = of.get_mut(nth) {
        *place = value;
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
