//! Single lines that mean something in a reply: block markers, fences, orders. One line in, what it is out.

use crate::{
    edit::{Action, Edit},
    reply::path_line,
    snapshot::Mode,
};

/// A marker of a SEARCH/REPLACE block; the number is how many characters it repeats, 5 to 9.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Marker {
    /// `<<<<<<< SEARCH`
    Search(usize),
    /// `=======`
    Divider(usize),
    /// `>>>>>>> REPLACE`
    Replace(usize),
}

/// Reads a marker; whitespace around it does not count.
pub(crate) fn marker(line: &str) -> Option<Marker> {
    let line = line.trim();
    let run_of = |c: char| {
        let rest = line.trim_start_matches(c);
        let size = line.len() - rest.len();
        (5..=9).contains(&size).then_some((size, rest))
    };
    if let Some((size, rest)) = run_of('<') {
        return matches!(rest, " SEARCH" | " SEARCH>").then_some(Marker::Search(size));
    }
    if let Some((size, rest)) = run_of('>') {
        return (rest == " REPLACE").then_some(Marker::Replace(size));
    }
    run_of('=').and_then(|(size, rest)| rest.is_empty().then_some(Marker::Divider(size)))
}

/// True for a line that was meant as a SEARCH or REPLACE marker, whether or not it is one.
pub(crate) fn is_near_marker(line: &str) -> bool {
    let line = line.trim();
    let rest = line.trim_start_matches(['<', '>']).trim_start().to_ascii_uppercase();
    let run = line.chars().take_while(|c| matches!(c, '<' | '>')).count();
    run >= 4 && (rest.starts_with("SEARCH") || rest.starts_with("REPLACE"))
}

/// The line that opens a fence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fence<'a> {
    mark: char,
    size: usize,
    /// Columns before it; as many are taken off the lines inside.
    pub(crate) indent: usize,
    /// What stands behind the marks, trimmed.
    pub(crate) info: &'a str,
}

impl<'a> Fence<'a> {
    /// Reads an opening line: up to three spaces, three or more backquotes or tildes, and an info string.
    pub(crate) fn open(line: &'a str) -> Option<Self> {
        let (indent, mark, size, info) = fence_parts(line)?;
        let info = info.trim();
        let sound = indent <= 3 && !(mark == '`' && info.contains('`'));
        sound.then_some(Self {
            mark,
            size,
            indent,
            info,
        })
    }

    /// True where `line` closes this fence: the same marks, at least as many, nothing else, not indented further.
    pub(crate) fn is_closed_by(&self, line: &str) -> bool {
        fence_parts(line).is_some_and(|(indent, mark, size, info)| {
            mark == self.mark && size >= self.size && info.trim().is_empty() && indent <= self.indent
        })
    }
}

fn fence_parts(line: &str) -> Option<(usize, char, usize, &str)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = text.trim_start_matches(mark);
    let size = text.len() - info.len();
    (size >= 3).then_some((line.len() - text.len(), mark, size, info))
}

/// True for a line that only wraps a block: a fence, or one of the tags that some models use for one.
pub(crate) fn is_wrapping(line: &str) -> bool {
    let line = line.trim();
    let tags = ["source", "code", "pre", "codeblock", "sourcecode"];
    let inner = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    line.starts_with("```")
        || line.starts_with("~~~")
        || inner.is_some_and(|tag| tags.contains(&tag.trim_start_matches('/')))
}

/// What a line says as an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// `DELETE path` or `MODE path 100755`.
    Edit(Edit),
    /// It starts as an order and does not go on as one.
    Wrong(&'static str),
}

/// Reads an order; `None` for any other line. An order starts in the first column.
pub(crate) fn order(line: &str) -> Option<Order> {
    let line = line.trim_end();
    if let Some(path) = line.strip_prefix("DELETE ") {
        let action = Action::Delete;
        return Some(match order_path(path) {
            Some(path) => Order::Edit(Edit { path, action }),
            None => Order::Wrong("`DELETE path` names one path; a path with spaces stands in backquotes"),
        });
    }
    let rest = line.strip_prefix("MODE ")?;
    let (path, mode) = rest.rsplit_once(' ')?;
    let mode = match mode {
        "100644" => Mode::File,
        "100755" => Mode::Executable,
        "120000" => Mode::Symlink,
        _ => return Some(Order::Wrong("`MODE path mode` takes 100644, 100755 or 120000")),
    };
    let action = Action::Mode(mode);
    Some(match order_path(path) {
        Some(path) => Order::Edit(Edit { path, action }),
        None => Order::Wrong("`MODE path mode` names one path; a path with spaces stands in backquotes"),
    })
}

/// True for an order on a file that is indented, quoted or a list item.
pub(crate) fn is_near_order(line: &str) -> bool {
    let bare = line
        .trim()
        .trim_start_matches(['-', '*', '+', ' '])
        .trim_matches('`')
        .trim();
    let bare = bare.replace("**", "");
    bare != line.trim_end()
        && matches!(order(&bare), Some(Order::Edit(edit)) if path_line::of_line(&edit.path).is_some() && !edit.path.starts_with('/'))
}

fn order_path(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = (!text.is_empty() && !text.contains(char::is_whitespace)).then_some(text);
    path_line::unquoted(text).or(plain).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_have_five_to_nine_characters() {
        assert_eq!(marker("<<<<< SEARCH"), Some(Marker::Search(5)));
        assert_eq!(marker("  ========= \r\n"), Some(Marker::Divider(9)));
        assert_eq!(marker(">>>>>>> REPLACE"), Some(Marker::Replace(7)));
        for line in [
            "<<<< SEARCH",
            "==========",
            "<<<<<<< HEAD",
            "======= x",
            "<<<<<<<SEARCH",
        ] {
            assert_eq!(marker(line), None, "{line}");
        }
        assert!(is_near_marker("<<<<<<< search src/x.py") && !is_near_marker("<<<<<<< HEAD"));
    }

    #[test]
    fn a_fence_is_closed_by_its_own_kind_only() {
        let fence = Fence::open("````md").unwrap();
        assert!(fence.is_closed_by("````") && fence.is_closed_by("`````  "));
        assert!(!fence.is_closed_by("```") && !fence.is_closed_by("~~~~") && !fence.is_closed_by("```` x"));
        assert_eq!(Fence::open("```a```"), None);
    }
}
