//! The walk over a parsed file: one cursor, which looks into nothing that is a unit, and allocates nothing per node.

use tree_sitter::{Node, Tree};

use crate::context::{
    chunk::{Outline, Unit},
    lang::{
        names::{self, Test},
        roles::{CALL, DATA, FUNCTION, HOLDER, LEAD, NAMED, OPEN, Role, Roles, UNIT, VALUE, WIDE},
    },
};

/// Deeper nodes are not looked into.
const DEEPEST: usize = 200;

/// A unit of more lines is looked into.
const LONG: usize = 90;

/// What opens others begins a chunk if it has more lines.
const SHORT: usize = 25;

/// What is no unit is looked into if it has more lines.
const FEW: usize = 5;

struct Walk<'a> {
    roles: &'a Roles,
    text: &'a [u8],
    outline: Outline,
    /// First and last line of the comments and attributes just before.
    lead: Option<(usize, usize)>,
    /// How deep the outermost unit lies that was looked into.
    within: Option<usize>,
}

/// Returns the units and names of a file.
pub(super) fn outline(tree: &Tree, roles: &Roles, text: &[u8]) -> Outline {
    let mut walk = Walk {
        roles,
        text,
        outline: Outline::default(),
        lead: None,
        within: None,
    };
    let mut cursor = tree.walk();
    let mut depth = 0;
    if !cursor.goto_first_child() {
        return walk.outline;
    }
    loop {
        let node = cursor.node();
        let role = roles.get(node.kind_id());
        if role != 0 && walk.enters(node, role, depth) && depth < DEEPEST && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() || depth == 0 {
                return walk.outline;
            }
            depth -= 1;
        }
        if walk.within.is_some_and(|within| within >= depth) {
            walk.within = None;
        }
    }
}

/// Returns the first and last line of a node. One that ends before a line's first column ends on the line before.
fn rows(node: Node<'_>) -> (usize, usize) {
    let (start, end) = (node.start_position(), node.end_position());
    let last = match end.column {
        0 if end.row > start.row => end.row - 1,
        _ => end.row,
    };
    (start.row, last)
}

impl Walk<'_> {
    /// Notes what a node is, and says whether to look into it.
    fn enters(&mut self, node: Node<'_>, role: Role, depth: usize) -> bool {
        let (first, last) = rows(node);
        if role & LEAD != 0 {
            self.note_lead(first, last);
            return false;
        }
        let test = if role & CALL != 0 {
            names::test(node, self.roles, self.text)
        } else {
            None
        };
        if let Some(Test { name, suite }) = test {
            self.outline.names.push((first, name));
            return self.unit(first, last, if suite { FEW } else { LONG }, depth);
        }
        if self.is_unit(node, role) {
            let announced = role & DATA == 0;
            names::collect(node, announced, self.roles, self.text, &mut self.outline.names);
            return self.unit(first, last, LONG, depth);
        }
        if role & NAMED != 0 {
            names::collect(node, true, self.roles, self.text, &mut self.outline.names);
            self.opening(first, last);
        }
        role & OPEN != 0 || (role & (WIDE | VALUE | HOLDER) != 0 && last - first >= FEW)
    }

    fn note_lead(&mut self, first: usize, last: usize) {
        if self.outline.units.last().is_some_and(|unit| first <= unit.last) {
            return;
        }
        match &mut self.lead {
            Some((_, before)) if *before + 1 >= first => *before = last.max(*before),
            lead => *lead = Some((first, last)),
        }
    }

    /// Returns the line at which the comments of what begins with line `first` begin.
    fn led(&mut self, first: usize) -> usize {
        match self.lead.take() {
            Some((start, end)) if start <= first && end + 1 >= first => start,
            _ => first,
        }
    }

    fn is_unit(&self, node: Node<'_>, role: Role) -> bool {
        let holds = || {
            let fields = &self.roles.fields;
            names::held(node, fields, self.roles, 0).is_some_and(|held| self.roles.get(held.kind_id()) & FUNCTION != 0)
        };
        role & UNIT != 0 || (role & VALUE != 0 && self.within.is_none()) || (role & (VALUE | HOLDER) != 0 && holds())
    }

    /// Notes a unit, or, if it has more lines than `most`, that one begins, and says whether to look into it.
    fn unit(&mut self, first: usize, last: usize, most: usize, depth: usize) -> bool {
        if last - first < most {
            let first = self.led(first);
            self.outline.units.push(Unit {
                first,
                last,
                opens: false,
            });
            return false;
        }
        self.opening(first, last);
        self.within.get_or_insert(depth);
        true
    }

    /// Notes that something begins; if it is long, with a chunk of its own.
    fn opening(&mut self, first: usize, last: usize) {
        if last - first >= SHORT {
            self.outline.cuts.push(last + 1);
            let led = self.led(first);
            self.outline.units.push(Unit {
                first: led,
                last: first,
                opens: true,
            });
        }
    }
}
