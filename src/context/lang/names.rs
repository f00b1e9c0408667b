//! Names: what a node defines, and what a call that describes tests is called.

use std::num::NonZeroU16;

use tree_sitter::Node;

use crate::context::lang::roles::{Fields, NAMED, Roles, SPEC};

/// Longest name in characters; the rest of a longer one is cut off.
const LONGEST: usize = 80;

/// Names lie no deeper in what defines them.
const DEEPEST: usize = 8;

/// One declaration gives no more names.
const MOST: usize = 64;

/// A call that describes tests.
pub(super) struct Test {
    /// What it says of itself.
    pub(super) name: String,
    /// True if there are tests in it.
    pub(super) suite: bool,
}

const SUITES: &[&[u8]] = &[
    b"describe",
    b"context",
    b"suite",
    b"feature",
    b"shared_examples",
    b"fdescribe",
    b"xdescribe",
];
const TESTS: &[&[u8]] = &[b"it", b"test", b"specify", b"scenario", b"bench", b"fit", b"xit"];

fn field<'t>(node: Node<'t>, field: Option<NonZeroU16>) -> Option<Node<'t>> {
    node.child_by_field_id(field?.get())
}

/// Adds the names that a node defines, with its line. Functions that are only announced count if `announced`.
pub(super) fn collect(node: Node<'_>, announced: bool, roles: &Roles, text: &[u8], into: &mut Vec<(usize, String)>) {
    let mut search = Search {
        roles,
        text,
        announced,
        row: node.start_position().row,
        left: MOST,
        into,
    };
    search.of(node, 0);
}

struct Search<'a> {
    roles: &'a Roles,
    text: &'a [u8],
    announced: bool,
    row: usize,
    left: usize,
    into: &'a mut Vec<(usize, String)>,
}

impl Search<'_> {
    /// Searches below a node that defines something.
    fn of(&mut self, node: Node<'_>, depth: usize) {
        let fields = &self.roles.fields;
        if depth > DEEPEST {
            return;
        }
        if node.kind() == "function_declarator" && !self.announced {
            return;
        }
        if self.all(node, fields.name, depth) || self.all(node, fields.key, depth) {
            return;
        }
        if let Some(left) = field(node, fields.left) {
            return self.assigned(left);
        }
        // `struct point { … } origin;` defines both.
        let kind = field(node, fields.kind);
        if let Some(kind) = kind.filter(|kind| field(*kind, fields.body).is_some()) {
            self.of(kind, depth + 1);
        }
        if self.all(node, fields.declarator, depth) {
            return;
        }
        let mut cursor = node.walk();
        let mut any = false;
        for below in node.named_children(&mut cursor) {
            if self.left > 0 && self.roles.get(below.kind_id()) & SPEC != 0 {
                any = true;
                self.of(below, depth + 1);
            }
        }
        // `impl Trait for Type`.
        let opens = self.roles.get(node.kind_id()) & NAMED != 0 || depth > 0;
        if let Some(kind) = kind.filter(|_| opens && !any) {
            self.named(kind, depth);
        }
    }

    /// Takes all that a field holds, and says whether it holds something.
    fn all(&mut self, node: Node<'_>, field: Option<NonZeroU16>, depth: usize) -> bool {
        let mut any = false;
        if let Some(field) = field {
            for below in node.children_by_field_id(field, &mut node.walk()) {
                // Between names there are commas.
                if below.is_named() && self.left > 0 {
                    self.named(below, depth);
                }
                any = true;
            }
        }
        any
    }

    /// Takes a name, or searches in it, if it is made of others.
    fn named(&mut self, name: Node<'_>, depth: usize) {
        let fields = &self.roles.fields;
        let more = [fields.name, fields.declarator, fields.kind]
            .into_iter()
            .any(|id| field(name, id).is_some());
        if more || name.kind() == "function_declarator" {
            return self.of(name, depth + 1);
        }
        // Declarators without a field for it: `&x`, `(*f)`. Patterns take apart what has names elsewhere.
        match name.named_child(0) {
            Some(below) if name.kind().ends_with("declarator") && depth < DEEPEST => self.named(below, depth + 1),
            _ if name.kind().ends_with("pattern") => {}
            _ => self.take(name),
        }
    }

    /// Takes what is assigned to: `x`, the last of `a.b.x`.
    fn assigned(&mut self, left: Node<'_>) {
        let fields = &self.roles.fields;
        match field(left, fields.property) {
            Some(property) => self.take(property),
            None if left.named_child_count() == 0 => self.take(left),
            None => {}
        }
    }

    fn take(&mut self, name: Node<'_>) {
        let name = spoken(self.text.get(name.byte_range()).unwrap_or_default());
        if self.left > 0 && !name.is_empty() && !matches!(name.as_str(), "exports" | "_") {
            self.left -= 1;
            self.into.push((self.row, name));
        }
    }
}

/// Returns a name as text of one line without quotes around it.
fn spoken(bytes: &[u8]) -> String {
    let bytes = bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim().trim_matches(['"', '\'', '`']).trim_start_matches('$');
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Returns the value that a declaration, an assignment or a member holds.
pub(super) fn held<'t>(node: Node<'t>, fields: &Fields, roles: &Roles, depth: usize) -> Option<Node<'t>> {
    let value = field(node, fields.value).or_else(|| field(node, fields.right));
    if value.is_some() || depth > 2 {
        return value;
    }
    let spec = node
        .named_child(0)
        .filter(|below| roles.get(below.kind_id()) & SPEC != 0)?;
    held(spec, fields, roles, depth + 1)
}

/// Reads a call, or a statement that is one, as one that describes tests: `it("…", () => …)`, `describe "…" do`.
pub(super) fn test(node: Node<'_>, roles: &Roles, text: &[u8]) -> Option<Test> {
    let fields = &roles.fields;
    let call = match field(node, fields.method) {
        Some(_) => node,
        None => node.named_child(0)?,
    };
    let callee = field(call, fields.method).or_else(|| field(call, fields.function))?;
    let called = first_word(text.get(callee.byte_range())?);
    let suite = SUITES.contains(&called);
    if !suite && !TESTS.contains(&called) {
        return None;
    }
    let name = field(call, fields.arguments)?.named_child(0)?;
    Some(Test {
        name: spoken(text.get(name.byte_range())?),
        suite,
    })
}

fn first_word(text: &[u8]) -> &[u8] {
    let word = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    text.get(..word.count()).unwrap_or_default()
}
