//! Languages: source code by its grammar.
//!
//! Owns the grammars, each behind a feature of the build, and what it takes to give up on a file. What is cut where its
//! units say so is `chunk`'s business.

mod names;
mod roles;
mod table;
mod walk;

use std::{collections::HashMap, ops::ControlFlow};

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
        // Grammars' own scanners take it for the end.
        if syntax == Syntax::default() || text.contains(&0) {
            return None;
        }
        let loaded = self.loaded.entry(syntax.0).or_insert_with(|| Loaded::new(syntax.0));
        let loaded = loaded.as_mut()?;
        let tree = parse(&mut loaded.parser, text)?;
        Some(walk::outline(&tree, &loaded.roles, text))
    }
}

/// The parser asks every hundred steps whether to go on. Ordinary code takes up to STEPS of these per KiB.
const STEPS: usize = 64;

/// Parses within a number of steps, so that the same file always ends in the same way.
fn parse(parser: &mut Parser, text: &[u8]) -> Option<Tree> {
    let mut left = 1000 + (text.len() >> 10) * STEPS;
    let mut go_on = |_: &ParseState| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            ControlFlow::Continue(())
        }
        None => ControlFlow::Break(()),
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let mut read = |at: usize, _| text.get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    if tree.is_none() {
        parser.reset();
    }
    tree
}
