//! Reads JUnit XML: a tolerant scan for test cases and what is in them, not an XML parser.

use crate::{
    check::{Counts, Tests},
    verdict::{Outcome, Tally},
};

/// Reads a report; `None` where there is no suite or the outermost one is not closed.
pub(crate) fn read(xml: &str) -> Option<Tests> {
    let mut tally = Tally::default();
    let mut depth = 0usize;
    let mut closed = false;
    let mut case: Option<(String, Outcome)> = None;
    for tag in tags(xml) {
        match (tag.name, tag.kind) {
            ("testsuite" | "testsuites", Kind::Open) => depth += 1,
            ("testsuite" | "testsuites", Kind::Empty) => closed |= depth == 0,
            ("testsuite" | "testsuites", Kind::Close) => {
                depth = depth.checked_sub(1)?;
                closed |= depth == 0;
            }
            ("testcase", Kind::Open) => case = Some((tag.identity(), tag.outcome())),
            ("testcase", Kind::Empty) => tally.add_new(&tag.identity(), tag.outcome()),
            ("testcase", Kind::Close) => {
                let (name, outcome) = case.take()?;
                tally.add_new(&name, outcome);
            }
            ("failure" | "error", Kind::Open | Kind::Empty) => match &mut case {
                Some((_, outcome)) => *outcome = Outcome::Failed,
                None => tally.add("a whole suite", Outcome::Failed),
            },
            ("skipped", Kind::Open | Kind::Empty) => {
                if let Some((_, outcome)) = &mut case {
                    *outcome = Outcome::Skipped.max(*outcome);
                }
            }
            _ => {}
        }
    }
    (closed && depth == 0 && case.is_none()).then(|| tally.finish(Counts::default()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Empty,
}

struct Tag<'a> {
    name: &'a str,
    kind: Kind,
    attributes: &'a str,
}

impl Tag<'_> {
    fn identity(&self) -> String {
        let name = attribute(self.attributes, "name").unwrap_or_default();
        match attribute(self.attributes, "classname").filter(|class| !class.is_empty()) {
            Some(class) => format!("{class}::{name}"),
            None => name,
        }
    }

    /// GoogleTest says `status="notrun"` of what it did not run.
    fn outcome(&self) -> Outcome {
        match attribute(self.attributes, "status").as_deref() {
            Some("notrun" | "skipped" | "disabled") => Outcome::Skipped,
            _ => Outcome::Passed,
        }
    }
}

/// Lists the tags of `xml`. Comments, character data, declarations and text are passed over.
fn tags(xml: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        let skipped = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>"), ("!", ">")]
            .iter()
            .find_map(|(open, end)| Some((after.strip_prefix(open)?, *end)));
        if let Some((inside, end)) = skipped {
            rest = inside.split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        let Some((inside, beyond)) = split_tag(after) else {
            break;
        };
        rest = beyond;
        let (inside, kind) = match (inside.strip_prefix('/'), inside.strip_suffix('/')) {
            (Some(inside), _) => (inside, Kind::Close),
            (None, Some(inside)) => (inside, Kind::Empty),
            (None, None) => (inside, Kind::Open),
        };
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        found.push(Tag { name, kind, attributes });
    }
    found
}

/// Splits at the `>` that ends a tag: not one inside quotes.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let end = text.char_indices().find(|(_, c)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '\'') {
                quote = Some(*c);
            }
            *c == '>'
        }
    })?;
    Some((text.get(..end.0)?, text.get(end.0 + 1..)?))
}

/// Returns the value of an attribute, entities decoded.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, beyond) = after.strip_prefix(quote)?.split_once(quote)?;
        if name.trim() == wanted {
            return Some(decoded(value));
        }
        rest = beyond;
    }
}

fn decoded(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after
            .split_once(';')
            .and_then(|(name, beyond)| Some((entity(name)?, beyond)));
        match entity {
            Some((c, beyond)) => {
                out.push(c);
                rest = beyond;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
