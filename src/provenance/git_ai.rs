//! The Git AI standard 3.0.0 (`specs/git_ai_standard_v3.0.0.md` of github.com/git-ai-project/git-ai): a note on a commit says
//! which of its lines a model wrote.
//!
//! Owns the note's words, and how two notes on one commit become one: who spoke first keeps what was said, what is new is
//! added. What is not understood is left alone.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use crate::{
    path::RepoPath,
    provenance::{Ranges, TOOL, Work},
};

/// "MUST be `"authorship/3.0.0"`".
pub const SCHEMA: &str = "authorship/3.0.0";

/// "The divider `---` MUST appear on its own line with no leading or trailing whitespace."
const DIVIDER: &str = "---";

/// The maps of the metadata whose entries attestations name.
const MAPS: [&str; 3] = ["prompts", "humans", "sessions"];

/// Words the note on the commit of `work`.
///
/// "Files with no attestations MUST NOT be included"; "`prompts` REQUIRED" although only older tools fill it; "Session
/// records MUST NOT contain `messages`".
pub fn note(work: &Work) -> String {
    let key = format!("{}::{}", work.session(), work.trace());
    let mut text = String::new();
    for lines in work.files.iter().filter(|lines| !lines.ranges.is_empty()) {
        if let Some(name) = name(&lines.path) {
            let _ = write!(text, "{name}\n  {key} {}\n", said(&lines.ranges));
        }
    }
    let agent = json!({
        "tool": TOOL,
        "id": work.conversation(),
        "model": work.model.as_deref().unwrap_or("unknown"),
    });
    let about = json!({
        "goal": work.record.goal,
        "attempt": work.attempt.to_string(),
        "provider": work.record.provider,
    });
    let metadata = json!({
        "schema_version": SCHEMA,
        "base_commit_sha": work.commit,
        "prompts": {},
        "sessions": {
            work.session(): {
                "agent_id": agent,
                "human_author": work.human,
                "custom_attributes": about,
            },
        },
    });
    format!("{text}{DIVIDER}\n{metadata:#}\n")
}

/// Words a file's name. "File paths containing spaces, tabs, or newlines MUST be wrapped in double quotes"; quoted as well
/// are names that would read as something else. `None` where no quotes would help: a note is lines of UTF-8.
fn name(path: &RepoPath) -> Option<String> {
    let name = path.as_str().filter(|name| !name.contains(['\n', '\0']))?;
    let is_misread = name == DIVIDER || name.starts_with('"') && name.ends_with('"');
    Some(if is_misread || name.contains(char::is_whitespace) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    })
}

/// Words line ranges: "`1,2,19-222,300`", sorted, "MUST NOT contain spaces".
fn said(ranges: &[(u32, u32)]) -> String {
    let word = |(from, to): &(u32, u32)| {
        if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        }
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(",")
}

fn ranges(words: &str) -> Option<Ranges> {
    let range = |word: &str| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
        (from >= 1 && from <= to).then_some((from, to))
    };
    words.split(',').map(range).collect()
}

/// Keys, and the lines of each.
type Entries<'t> = Vec<(&'t str, Ranges)>;

/// A note that was read.
struct Read<'t> {
    /// Each file: its name, its line as it stands, and its entries as key and ranges.
    files: Vec<(&'t str, &'t str, Entries<'t>)>,
    metadata: Map<String, Value>,
}

impl<'t> Read<'t> {
    /// Reads a note; `None` where it is not of this standard.
    fn of(text: &'t str) -> Option<Self> {
        let mut files: Vec<(&str, &str, Vec<_>)> = Vec::new();
        let mut rest = text;
        loop {
            let (line, below) = rest.split_once('\n')?;
            rest = below;
            let line = line.trim_end();
            if line == DIVIDER {
                break;
            }
            if let Some(entry) = line.strip_prefix("  ") {
                let (key, words) = entry.split_once(' ')?;
                files.last_mut()?.2.push((key, ranges(words)?));
            } else if !line.is_empty() {
                let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
                files.push((quoted.unwrap_or(line), line, Vec::new()));
            }
        }
        let metadata: Map<String, Value> = serde_json::from_str(rest).ok()?;
        (metadata.get("schema_version")?.as_str()? == SCHEMA).then_some(Self { files, metadata })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (_, line, entries) in self.files.iter().filter(|(_, _, entries)| !entries.is_empty()) {
            let _ = writeln!(text, "{line}");
            for (key, ranges) in entries {
                let _ = writeln!(text, "  {key} {}", said(ranges));
            }
        }
        format!("{text}{DIVIDER}\n{:#}\n", Value::Object(self.metadata.clone()))
    }
}

/// Unites two notes on one commit: what `first` says of a line stands, and what `second` says besides is added, with all of its
/// sessions. `None` where `second` adds nothing, or one of them is not understood: then `first` stays as it is.
pub fn unite(first: &str, second: &str) -> Option<String> {
    let (mut all, more) = (Read::of(first)?, Read::of(second)?);
    let mut is_more = false;
    let mut taken: BTreeMap<&str, Ranges> = BTreeMap::new();
    for (name, _, entries) in &all.files {
        let ranges = entries.iter().flat_map(|(_, ranges)| ranges.iter().copied());
        taken.entry(name).or_default().extend(ranges);
    }
    for (name, line, entries) in more.files {
        let taken = taken.get(name).map(Vec::as_slice).unwrap_or_default();
        let left = entries.into_iter().map(|(key, ranges)| (key, without(&ranges, taken)));
        let left: Vec<_> = left.filter(|(_, ranges)| !ranges.is_empty()).collect();
        if left.is_empty() {
            continue;
        }
        is_more = true;
        match all.files.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, entries)) => entries.extend(left),
            None => all.files.push((name, line, left)),
        }
    }
    for map in MAPS {
        let Some(Value::Object(new)) = more.metadata.get(map).filter(|new| **new != json!({})) else {
            continue;
        };
        let there = all.metadata.entry(map).or_insert_with(|| json!({}));
        for (key, value) in new {
            let there = there.as_object_mut()?;
            if !there.contains_key(key) {
                there.insert(key.clone(), value.clone());
                is_more = true;
            }
        }
    }
    is_more.then(|| all.text())
}

/// Returns what of `ranges` is in none of `taken`.
fn without(ranges: &[(u32, u32)], taken: &[(u32, u32)]) -> Ranges {
    let mut left = ranges.to_vec();
    for (from, to) in taken {
        let cut = |(begin, end): (u32, u32)| {
            let before = (begin, end.min(from.saturating_sub(1)));
            let after = (begin.max(to.saturating_add(1)), end);
            let is_clear = end < *from || begin > *to;
            let parts = if is_clear {
                vec![(begin, end)]
            } else {
                vec![before, after]
            };
            parts.into_iter().filter(|(begin, end)| begin <= end)
        };
        left = left.into_iter().flat_map(cut).collect();
    }
    left
}
