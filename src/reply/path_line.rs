//! Paths as models write them: on a line above a block, or in the info string of a fence.
//!
//! Owns what counts as naming a file. Whether it is a fit path is `RepoPath`'s and the applier's business: an unfit one
//! is returned too, so that it is refused and not overlooked.

/// Labels before a path, lower case.
const LABELS: [&str; 10] = [
    "file:",
    "filename:",
    "file name:",
    "path:",
    "file path:",
    "filepath:",
    "new file:",
    "updated file:",
    "modified file:",
    "create file:",
];
/// Remarks after a path, lower case.
const REMARKS: [&str; 7] = [
    "(new file)",
    "(new)",
    "(modified)",
    "(updated)",
    "(created)",
    "(empty file)",
    "(full file)",
];
/// Files that are known without an extension, as they are spelled: `Build` is a heading, `BUILD` a file.
const KNOWN: [&str; 25] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "Dockerfile",
    "Containerfile",
    "LICENSE",
    "LICENCE",
    "COPYING",
    "NOTICE",
    "README",
    "CHANGELOG",
    "AUTHORS",
    "CONTRIBUTORS",
    "CODEOWNERS",
    "Gemfile",
    "Rakefile",
    "Procfile",
    "Vagrantfile",
    "Justfile",
    "justfile",
    "Jenkinsfile",
    "Pipfile",
    "BUILD",
    "WORKSPACE",
    "VERSION",
];
/// Programs that a line in backquotes starts with when it is a command.
const COMMANDS: [&str; 22] = [
    "python", "python3", "node", "cargo", "npm", "npx", "yarn", "pnpm", "pip", "bash", "sh", "git", "make", "go",
    "cat", "ls", "cd", "mkdir", "touch", "rm", "pytest", "uv",
];
/// Longest line that may name a path, in bytes; too long a path is refused, not overlooked.
const LONGEST: usize = 1 << 16;

/// How much a line's form says that it is a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A heading, or a line that ends with a colon: only what has an extension.
    Weak,
    Bare,
    /// In backquotes or quotes: may hold spaces.
    Quoted,
    /// After a label such as `File:`: any name.
    Labelled,
}

/// Returns the path that `line` names, if the line names a path and nothing else: `path`, `**path**`, `` `path` ``,
/// `# path`, `### path`, `path:`, `File: path`, also as a list item and with `(new file)` behind it.
pub(crate) fn of_line(line: &str) -> Option<String> {
    let line = line.trim().replace("**", "");
    if line.is_empty() || line.len() > LONGEST {
        return None;
    }
    let mut form = Form::Bare;
    let mut text = without_bullet(line.trim());
    if let Some(heading) = text.strip_prefix('#').or_else(|| text.strip_prefix("//")) {
        text = without_bullet(heading.trim_start_matches('#').strip_prefix(' ')?.trim());
        form = Form::Weak;
    }
    if let Some(labelled) = without_label(text).or_else(|| in_tag(text)) {
        text = labelled;
        form = Form::Labelled;
    }
    text = without_remark(text);
    if let Some(short) = text.strip_suffix(':') {
        text = without_remark(short.trim_end());
        form = if form == Form::Labelled { form } else { Form::Weak };
    }
    if let Some(inner) = unquoted(text) {
        text = inner;
        form = if form == Form::Labelled { form } else { Form::Quoted };
    }
    names_a_file(text, form).then(|| text.to_owned())
}

/// Returns the path in a fence's info string: `python path=src/x.py` (also `file=`, `filename=`, `title=`),
/// `python:src/x.py`, `src/x.py`, `python src/x.py`.
pub(crate) fn of_info(info: &str) -> Option<String> {
    if let Some(value) = ["path=", "file=", "filename=", "title="]
        .iter()
        .find_map(|key| value_of(info, key))
    {
        return Some(value);
    }
    info.split_whitespace().take(2).find_map(|word| {
        let after_language = word.split_once(':').map(|(_, path)| path);
        let in_info = |path: &str| names_a_file(path, Form::Bare) && (path.contains('/') || has_extension(path));
        [Some(word), after_language]
            .into_iter()
            .flatten()
            .find(|path| !path.contains([':', '{', '}', '[']) && in_info(path))
            .map(str::to_owned)
    })
}

fn value_of(info: &str, key: &str) -> Option<String> {
    let (before, rest) = info.split_once(key)?;
    if before
        .chars()
        .next_back()
        .is_some_and(|c| !matches!(c, ' ' | '\t' | '{'))
    {
        return None;
    }
    let mut chars = rest.chars();
    let value: String = match chars.next()? {
        quote @ ('"' | '\'') => chars.take_while(|c| *c != quote).collect(),
        first => std::iter::once(first)
            .chain(chars.take_while(|c| !c.is_whitespace() && *c != '}'))
            .collect(),
    };
    (!value.trim().is_empty()).then_some(value)
}

fn without_bullet(text: &str) -> &str {
    let numbered = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let after_number =
        (numbered.len() < text.len()).then(|| numbered.strip_prefix(". ").or(numbered.strip_prefix(") ")));
    let after_mark = || ["- ", "* ", "+ "].iter().find_map(|mark| text.strip_prefix(mark));
    after_number.flatten().or_else(after_mark).unwrap_or(text).trim()
}

fn without_label(text: &str) -> Option<&str> {
    LABELS.iter().find_map(|label| {
        let (start, rest) = text.split_at_checked(label.len())?;
        start.eq_ignore_ascii_case(label).then(|| rest.trim())
    })
}

/// Returns the path of `<path>src/x.py</path>` and `<file path="src/x.py">`.
fn in_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?.strip_suffix('>')?;
    let named = ["path", "file", "file_path", "filepath", "filename"]
        .iter()
        .find_map(|tag| {
            let inside = inner.strip_prefix(tag)?.strip_prefix('>')?;
            inside.strip_suffix(tag)?.strip_suffix("</")
        });
    let with_key = || {
        ["path=", "name="]
            .iter()
            .find_map(|key| unquoted(inner.strip_prefix("file ")?.strip_prefix(key)?))
    };
    named
        .or_else(with_key)
        .map(str::trim)
        .filter(|path| !path.is_empty() && !path.contains(['<', '>']))
}

fn without_remark(text: &str) -> &str {
    let remark = REMARKS.iter().find_map(|remark| {
        let (rest, end) = text.split_at_checked(text.len().checked_sub(remark.len())?)?;
        end.eq_ignore_ascii_case(remark).then(|| rest.trim_end())
    });
    remark.or_else(|| without_lines(text)).unwrap_or(text)
}

/// Drops ` (lines 3–9 of 40)`, as prompts head the parts of a file.
fn without_lines(text: &str) -> Option<&str> {
    let (path, remark) = text.rsplit_once(" (line")?;
    let remark = remark.strip_suffix(')')?;
    let words = |c: char| c.is_ascii_digit() || c.is_whitespace() || "s-–of".contains(c);
    (remark.contains(|c: char| c.is_ascii_digit()) && remark.chars().all(words)).then(|| path.trim_end())
}

/// Returns what stands between one pair of quotes; `None` without quotes.
pub(crate) fn unquoted(text: &str) -> Option<&str> {
    ['`', '"', '\''].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.is_empty() && !inner.contains(*quote)).then_some(inner)
    })
}

fn names_a_file(text: &str, form: Form) -> bool {
    if text.is_empty() || text.contains("://") || text.contains('`') {
        return false;
    }
    if text.contains(char::is_whitespace) {
        return matches!(form, Form::Quoted | Form::Labelled) && has_extension(text) && !is_command(text);
    }
    if form == Form::Labelled {
        return true;
    }
    if text.contains(['<', '>', '|', '?', '*', '"', '=', ';', ',']) {
        return false;
    }
    let name = text.rsplit('/').next().unwrap_or(text);
    let is_dotfile = name
        .strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let has_folder = text.contains(['/', '\\']) && !name.is_empty();
    has_extension(text) || is_dotfile || KNOWN.contains(&name) || (has_folder && form != Form::Weak)
}

fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    COMMANDS.contains(&first) || first.starts_with("./")
}

/// True where the last name ends with `.` and one to twelve letters and digits, at least one of them a letter.
fn has_extension(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    name.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty()
            && (1..=12).contains(&end.len())
            && end.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            && end.chars().any(|c| c.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_path_line_is_read() {
        for line in [
            "src/x.py",
            "**src/x.py**",
            "`src/x.py`",
            "# src/x.py",
            "### `src/x.py`",
            "src/x.py:",
            "File: src/x.py",
            "**File:** `src/x.py`",
            "**`src/x.py`**:",
            "1. src/x.py",
            "- `src/x.py` (new file)",
            "`src/x.py` (lines 3–9 of 40)",
            "src/x.py (line 3 of 40):",
            "  src/x.py  ",
            "// src/x.py",
            "### 2. `src/x.py`",
            "<path>src/x.py</path>",
            "<file path=\"src/x.py\">",
        ] {
            assert_eq!(of_line(line).as_deref(), Some("src/x.py"), "{line}");
        }
        for (line, path) in [
            ("Makefile", "Makefile"),
            (".env", ".env"),
            ("`my notes.md`", "my notes.md"),
            ("bin/run", "bin/run"),
            ("../x", "../x"),
            ("File: run", "run"),
        ] {
            assert_eq!(of_line(line).as_deref(), Some(path), "{line}");
        }
    }

    #[test]
    fn prose_is_no_path() {
        for line in [
            "",
            "Here is the change:",
            "Then",
            "### Usage",
            "**Changes**",
            "v1.2",
            "`main`:",
            "`python main.py`",
            "and/or:",
            "See https://x.y/z.html",
            "https://x.y/z.html",
            "e.g.",
            "Edit src/x.py",
            "...",
            "### Build",
            "x = a.b",
        ] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }

    #[test]
    fn info_strings_name_paths() {
        for info in [
            "python path=src/x.py",
            "src/x.py",
            "python:src/x.py",
            "python src/x.py",
            "py title=\"src/x.py\"",
            "{.py file=src/x.py}",
        ] {
            assert_eq!(of_info(info).as_deref(), Some("src/x.py"), "{info}");
        }
        for info in [
            "",
            "python",
            "c++",
            "{.python}",
            "12:34:src/x.py",
            "no-newline",
            "dockerfile",
            "js{1,3}",
        ] {
            assert_eq!(of_info(info), None, "{info}");
        }
    }
}
