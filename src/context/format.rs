//! Formats: where texts that no grammar reads have their sections, and what these are called.
//!
//! Owns which file names stand for which format, and how a section's first line looks.

use crate::context::{
    chunk::{Outline, Syntax, Unit},
    lines::{Line, Lines, is_closing},
};

/// A format that is read line by line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::context) enum Format {
    /// Paragraphs.
    Plain,
    /// Sections below headings.
    Markdown,
    /// `[table]`; also INI.
    Tables,
    /// Keys in the first column.
    Yaml,
    /// Members of the outermost object.
    Json,
    /// Targets.
    Makefile,
    /// Statements.
    Sql,
    /// Stages.
    Dockerfile,
}

/// Formats by their numbers, names and endings of names.
const FORMATS: &[(Format, u8, &[&str], &[&str])] = &[
    (Format::Markdown, 64, &[], &["md", "markdown", "mdx", "mdc"]),
    (
        Format::Tables,
        65,
        &[
            "Pipfile",
            ".editorconfig",
            ".gitconfig",
            ".gitmodules",
            ".flake8",
            ".pylintrc",
            ".coveragerc",
        ],
        &["toml", "ini", "cfg", "conf", "desktop", "service"],
    ),
    (Format::Yaml, 66, &[".clang-format", ".clang-tidy"], &["yaml", "yml"]),
    (
        Format::Json,
        67,
        &[".babelrc", ".eslintrc", ".prettierrc"],
        &["json", "jsonc", "json5", "webmanifest"],
    ),
    (
        Format::Makefile,
        68,
        &["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile"],
        &["mk", "mak"],
    ),
    (Format::Sql, 69, &[], &["sql", "ddl", "psql"]),
    (
        Format::Dockerfile,
        70,
        &["Dockerfile", "Containerfile"],
        &["dockerfile"],
    ),
];

impl Format {
    /// Tells by a file's name in which format it is.
    pub(in crate::context) fn of(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase());
        let suffix = suffix.unwrap_or_default();
        let row = FORMATS
            .iter()
            .find(|(_, _, names, suffixes)| names.contains(&name) || suffixes.contains(&suffix.as_str()));
        // `Dockerfile.test`.
        let stem = name.split('.').next().unwrap_or_default();
        let row = row.or_else(|| {
            FORMATS
                .iter()
                .find(|(_, _, names, _)| !stem.is_empty() && names.contains(&stem))
        });
        row.map(|(format, ..)| *format)
    }

    /// Returns its number.
    pub(in crate::context) fn syntax(self) -> Syntax {
        let row = FORMATS.iter().find(|(format, ..)| *format == self);
        row.map(|(_, number, ..)| Syntax(*number)).unwrap_or_default()
    }

    /// Returns the format of a number; other numbers are plain.
    pub(in crate::context) fn from_syntax(syntax: Syntax) -> Self {
        let row = FORMATS.iter().find(|(_, number, ..)| *number == syntax.0);
        row.map_or(Self::Plain, |(format, ..)| *format)
    }
}

/// Where a section begins, and its name.
type Starts = Vec<(usize, String)>;

/// Returns the sections of a text.
pub(in crate::context) fn outline(format: Format, lines: &Lines<'_>) -> Outline {
    let (starts, comment): (Starts, &[&[u8]]) = match format {
        Format::Plain => (plain(lines), &[]),
        Format::Markdown => (markdown(lines), &[]),
        Format::Tables => (each(lines, table), &[b"#", b";"]),
        Format::Makefile => (each(lines, target), &[b"#", b".PHONY"]),
        Format::Dockerfile => (each(lines, stage), &[b"#"]),
        Format::Sql => (statements(lines), &[b"--"]),
        Format::Yaml => (keys(lines, yaml_key), &[b"#"]),
        Format::Json => (keys(lines, json_key), &[b"//"]),
    };
    let mut outline = Outline::default();
    let mut begun: Option<usize> = None;
    let mut end = |begun: Option<usize>, next: usize| {
        if let Some(first) = begun.filter(|first| *first < next) {
            let last = next - 1;
            outline.units.push(Unit {
                first,
                last,
                opens: false,
            });
        }
    };
    let mut names = Vec::new();
    for (line, name) in starts {
        let mut first = line;
        let floor = begun.map_or(0, |begun| begun + 1);
        while first > floor && above(lines, first, comment) {
            first -= 1;
        }
        end(begun, first);
        begun = Some(first);
        if !name.is_empty() {
            names.push((line, name));
        }
    }
    end(begun, lines.count());
    outline.names = names;
    outline
}

/// True if the line above is a comment on what begins with line `at`.
fn above(lines: &Lines<'_>, at: usize, comment: &[&[u8]]) -> bool {
    let line = at.checked_sub(1).and_then(|at| lines.get(at));
    line.is_some_and(|line| comment.iter().any(|mark| line.bytes.starts_with(mark)))
}

/// Makes a name of bytes.
fn name(bytes: &[u8]) -> String {
    const LONGEST: usize = 80;
    let text = String::from_utf8_lossy(bytes.get(..4 * LONGEST).unwrap_or(bytes)).into_owned();
    let text = text.trim().trim_matches(['"', '\'', '`']);
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Takes every line that `begins` gives a name.
fn each(lines: &Lines<'_>, begins: fn(Line<'_>) -> Option<String>) -> Starts {
    lines.all().filter_map(|(at, line)| Some((at, begins(line)?))).collect()
}

/// Paragraphs that begin in the first columns, and where indentation returns to the least.
fn plain(lines: &Lines<'_>) -> Starts {
    let text = || lines.all().filter(|(_, line)| !line.is_blank());
    let least = text().map(|(_, line)| line.indent()).min().unwrap_or_default();
    let mut before: Option<(usize, usize)> = None;
    let mut starts = Vec::new();
    for (at, line) in text() {
        let indent = line.indent();
        let after_blank = before.is_none_or(|(line, _)| line + 1 < at);
        let returns = before.is_some_and(|(_, deep)| deep > least);
        if indent == least && !is_closing(line) && (after_blank || returns) {
            starts.push((at, String::new()));
        }
        before = Some((at, indent));
    }
    starts
}

/// Headings with `#`, and underlined ones; none in fenced code.
fn markdown(lines: &Lines<'_>) -> Starts {
    let mut starts: Starts = Vec::new();
    let mut fence: Option<u8> = None;
    for (at, line) in lines.all() {
        let text = line.trimmed();
        let mark = text
            .first()
            .copied()
            .filter(|_| text.starts_with(b"```") || text.starts_with(b"~~~"));
        if mark.is_some() && (fence.is_none() || fence == mark) {
            fence = if fence.is_some() { None } else { mark };
            continue;
        }
        if fence.is_some() || line.indent() > 3 {
            continue;
        }
        let level = text.iter().take_while(|byte| **byte == b'#').count();
        let heading = text
            .get(level..)
            .filter(|rest| (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with(b" ")));
        if let Some(heading) = heading {
            let heading = heading.trim_ascii_end();
            let closed = heading.iter().rev().take_while(|byte| **byte == b'#').count();
            starts.push((at, name(heading.get(..heading.len() - closed).unwrap_or(heading))));
        } else if let Some(above) = underlined(lines, at, text) {
            starts.push((at - 1, name(above)));
        }
    }
    starts
}

/// Returns the line above if `text` underlines it as a heading.
fn underlined<'a>(lines: &Lines<'a>, at: usize, text: &[u8]) -> Option<&'a [u8]> {
    let mark = *text.first()?;
    if !matches!(mark, b'=' | b'-') || text.len() < 3 || text.iter().any(|byte| *byte != mark) {
        return None;
    }
    let line = |back: usize| at.checked_sub(back).and_then(|at| lines.get(at));
    let above = line(1)?.trimmed();
    let alone = line(2).is_none_or(Line::is_blank);
    let prose = above
        .first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    (alone && prose).then_some(above)
}

/// `[name]` and `[[name]]`.
fn table(line: Line<'_>) -> Option<String> {
    let text = line.bytes.trim_ascii_end().strip_prefix(b"[")?;
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let end = text.iter().position(|byte| *byte == b']')?;
    Some(name(text.get(..end)?))
}

/// `name: what it needs`.
fn target(line: Line<'_>) -> Option<String> {
    let first = *line.bytes.first()?;
    let at = line.bytes.iter().position(|byte| *byte == b':')?;
    let (names, rest) = line.bytes.split_at(at);
    let assigns = rest.starts_with(b":=") || rest.starts_with(b"::=") || names.contains(&b'=');
    let plain = !first.is_ascii_whitespace() && first != b'#' && !names.starts_with(b".PHONY");
    (plain && !assigns).then(|| name(names))
}

/// `FROM image AS name`.
fn stage(line: Line<'_>) -> Option<String> {
    let mut words = line
        .trimmed()
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let from = words.next().filter(|word| word.eq_ignore_ascii_case(b"from"));
    from?;
    words.find(|word| word.eq_ignore_ascii_case(b"as"));
    Some(name(words.next().unwrap_or_default()))
}

/// Statements begin in the first column after one that ended. A `CREATE` or `ALTER` names what it makes.
fn statements(lines: &Lines<'_>) -> Starts {
    let mut starts = Vec::new();
    let mut ended = true;
    for (at, line) in lines.all() {
        let text = line.trimmed();
        if text.is_empty() || text.starts_with(b"--") {
            continue;
        }
        let word = text.first().is_some_and(u8::is_ascii_alphabetic);
        if ended && word && line.indent() == 0 {
            starts.push((at, made(text)));
        }
        ended = text.ends_with(b";") || text == b"/" || text.eq_ignore_ascii_case(b"go");
    }
    starts
}

/// Returns what a statement makes or changes: `CREATE TABLE IF NOT EXISTS name (`.
fn made(text: &[u8]) -> String {
    const MAKES: &[&[u8]] = &[b"create", b"alter"];
    const KINDS: &[&[u8]] = &[
        b"table",
        b"view",
        b"function",
        b"procedure",
        b"index",
        b"trigger",
        b"type",
        b"schema",
        b"sequence",
        b"database",
        b"domain",
        b"extension",
        b"role",
        b"policy",
    ];
    const BETWEEN: &[&[u8]] = &[b"if", b"not", b"exists", b"only", b"concurrently"];
    let is = |word: &&[u8], all: &[&[u8]]| all.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut words = text
        .split(|byte| matches!(byte, b' ' | b'\t' | b'(' | b';'))
        .filter(|word| !word.is_empty());
    if !words.next().is_some_and(|word| is(&word, MAKES)) || !words.any(|word| is(&word, KINDS)) {
        return String::new();
    }
    words.find(|word| !is(word, BETWEEN)).map(name).unwrap_or_default()
}

/// Keys of the outermost level that has several; those of the one above it name what is in them, too.
fn keys(lines: &Lines<'_>, key: fn(Line<'_>) -> Option<&[u8]>) -> Starts {
    let found: Vec<(usize, usize, &[u8])> = lines
        .all()
        .filter_map(|(at, line)| Some((at, line.indent(), key(line)?)))
        .collect();
    let level = |above: Option<usize>| {
        let deeper = found.iter().map(|(_, indent, _)| *indent);
        deeper.filter(|indent| above.is_none_or(|above| *indent > above)).min()
    };
    let Some(outer) = level(None) else {
        return plain(lines);
    };
    let alone = found.iter().filter(|(_, indent, _)| *indent == outer).count() < 2;
    let inner = level(Some(outer)).filter(|_| alone);
    let of_level = found
        .iter()
        .filter(|(_, indent, _)| *indent == outer || Some(*indent) == inner);
    of_level.map(|(at, _, key)| (*at, name(key))).collect()
}

/// `key:`, `- item`.
fn yaml_key(line: Line<'_>) -> Option<&[u8]> {
    let text = line.trimmed();
    if text.starts_with(b"- ") {
        return Some(&[]);
    }
    if !text
        .first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\'' | b'_' | b'.' | b'$' | b'/'))
    {
        return None;
    }
    let at = text.iter().position(|byte| *byte == b':')?;
    let ends = text.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    text.get(..at).filter(|_| ends)
}

/// `"key":`, and `{` of an array's element.
fn json_key(line: Line<'_>) -> Option<&[u8]> {
    let text = line.trimmed();
    if text == b"{" || text == b"[" {
        return (line.indent() > 0).then_some(&[]);
    }
    let rest = text.strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let (key, rest) = rest.split_at(end);
    let rest = rest.get(1..)?.trim_ascii_start();
    rest.starts_with(b":").then_some(key)
}
