//! Languages: source code by its grammar.
//!
//! Owns the grammars, each behind a feature of the build, and what it takes to give up on a file. What is cut where its
//! units say so is `chunk`'s business.

mod names;
mod roles;
mod table;
mod walk;

use std::{cell::Cell, collections::HashMap, ops::ControlFlow};

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::context::{
    chunk::{Outline, Syntax},
    lang::{
        roles::Roles,
        table::{LANGUAGES, Language},
    },
};

/// Tells by a file's name in which language it is.
pub(in crate::context) fn syntax_of(name: &[u8]) -> Option<Syntax> {
    let name = std::str::from_utf8(name).ok()?;
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix).unwrap_or_default();
    let lower = suffix.to_ascii_lowercase();
    let is = |language: &&Language| language.names.contains(&name) || language.suffixes.contains(&suffix);
    let by_case = LANGUAGES.iter().find(is);
    let found = by_case.or_else(|| {
        LANGUAGES
            .iter()
            .find(|language| language.suffixes.contains(&lower.as_str()))
    });
    found.map(|language| Syntax(language.number))
}

/// One parser per language that was met.
#[derive(Default)]
pub(in crate::context) struct Parsers {
    loaded: HashMap<u8, Option<Loaded>>,
}

struct Loaded {
    parser: Parser,
    roles: Roles,
}

impl Loaded {
    fn new(number: u8) -> Option<Self> {
        let language = LANGUAGES.iter().find(|language| language.number == number)?;
        let grammar = (language.grammar)();
        let mut parser = Parser::new();
        parser.set_language(&grammar).ok()?;
        let roles = Roles::of(&grammar, language.kinds);
        Some(Self { parser, roles })
    }
}

impl Parsers {
    /// Returns what `text` is made of, unless nothing here can tell: no such grammar, or it takes too long.
    pub(in crate::context) fn outline(&mut self, syntax: Syntax, text: &[u8]) -> Option<Outline> {
        if !LANGUAGES.iter().any(|language| language.number == syntax.0) {
            return None;
        }
        // Grammars' own scanners take a zero for the end.
        if text.contains(&0) || is_deep(text) {
            return None;
        }
        let loaded = self.loaded.entry(syntax.0).or_insert_with(|| Loaded::new(syntax.0));
        let loaded = loaded.as_mut()?;
        let tree = parse(&mut loaded.parser, text)?;
        Some(walk::outline(&tree, &loaded.roles, text))
    }
}

/// Deeper brackets are not parsed: the parser frees what it holds of ambiguous code by recursion.
const DEEPEST: usize = 1000;

fn is_deep(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// What a KiB may take: steps, of which the parser reports every hundredth, and pieces that it reads, again if it looks
/// far ahead. Ordinary code takes up to 30; tables of numbers may take more, and are read by lines.
const WORK: usize = 40;

/// The work that the smallest file may take.
const LEAST: usize = 400;

/// The parser is handed so many bytes at once, so that looking far ahead is seen.
const PIECE: usize = 256;

/// Parses within an amount of work, not of time: the same file always ends in the same way.
fn parse(parser: &mut Parser, text: &[u8]) -> Option<Tree> {
    let left = Cell::new(LEAST + (text.len() >> 10) * WORK);
    let work = || match left.get().checked_sub(1) {
        Some(fewer) => {
            left.set(fewer);
            true
        }
        None => false,
    };
    let mut go_on = |_: &ParseState| match work() {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    let mut read = |at: usize, _| {
        let piece = text.get(at..).filter(|_| work()).unwrap_or_default();
        piece.get(..PIECE).unwrap_or(piece)
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    if tree.is_none() {
        parser.reset();
    }
    // Where nothing is left, the end that the parser saw was none.
    tree.filter(|_| left.get() > 0)
}
