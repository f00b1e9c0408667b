//! Makes printable, bounded text of what commands print.

use std::iter::Peekable;

/// Removes terminal sequences and control characters; of a line that was overwritten by carriage returns the last
/// state stays.
pub(crate) fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    let mut overwrite = false;
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => escape(&mut chars),
            '\u{9b}' => parameters(&mut chars),
            '\r' => overwrite = true,
            '\n' => {
                overwrite = false;
                out.push_str(line.trim_end_matches(' '));
                out.push('\n');
                line.clear();
            }
            '\u{8}' => {
                line.pop();
            }
            _ if c.is_control() && c != '\t' => {}
            _ => {
                if std::mem::take(&mut overwrite) {
                    line.clear();
                }
                line.push(c);
            }
        }
    }
    out.push_str(line.trim_end_matches(' '));
    out
}

/// Passes over what follows ESC.
pub(super) fn escape(chars: &mut Peekable<impl Iterator<Item = char>>) {
    match chars.next_if(|c| *c != '\n') {
        Some('[') => parameters(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => command_string(chars),
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| *c != '\n');
        }
        _ => {}
    }
}

/// Passes over the parameters of a control sequence and its final byte.
fn parameters(chars: &mut Peekable<impl Iterator<Item = char>>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Passes over a string up to its terminator, at most to the end of the line: an open one must not hide the rest.
fn command_string(chars: &mut Peekable<impl Iterator<Item = char>>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if c == '\u{7}' || c == '\u{9c}' {
            return;
        }
        if c == '\u{1b}' {
            chars.next_if_eq(&'\\');
            return;
        }
    }
}

/// Cuts lines out of the middle until at most `cap` bytes are left, the line that says so included.
pub(crate) fn trim_middle(text: &str, cap: usize) -> String {
    if text.len() <= cap {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.lines().collect();
    let room = cap.saturating_sub(left_out(lines.len()).len() + 1);
    let head = fitting(lines.iter().copied(), room * 2 / 5);
    let used: usize = lines.iter().take(head).map(|line| line.len() + 1).sum();
    let tail = fitting(lines.iter().skip(head).rev().copied(), room - used);
    if head + tail == 0 {
        return cut_line(text, cap);
    }
    let missing = left_out(lines.len() - head - tail);
    let kept = lines.iter().take(head).copied();
    let after = lines.iter().skip(lines.len() - tail).copied();
    let kept: Vec<&str> = kept.chain([missing.as_str()]).chain(after).collect();
    kept.join("\n")
}

fn left_out(lines: usize) -> String {
    format!("… {lines} lines left out …")
}

/// Counts how many of `lines` fit into `room` bytes with their line ends.
fn fitting<'a>(lines: impl Iterator<Item = &'a str>, room: usize) -> usize {
    let ends = lines.scan(0, |sum, line| {
        *sum += line.len() + 1;
        Some(*sum)
    });
    ends.take_while(|end| *end <= room).count()
}

/// Cuts a text whose lines are all too long, at character borders.
fn cut_line(text: &str, cap: usize) -> String {
    const MARK: &str = " … ";
    let half = cap.saturating_sub(MARK.len()) / 2;
    let head = (0..=half).rev().find_map(|at| text.get(..at)).unwrap_or_default();
    let tail = (text.len() - half..=text.len())
        .find_map(|at| text.get(at..))
        .unwrap_or_default();
    if half == 0 {
        return String::new();
    }
    format!("{head}{MARK}{tail}")
}

/// Trims as `trim_middle` does, with the first failure before everything else.
pub(crate) fn for_prompt(output: &str, cap: usize) -> String {
    if output.len() <= cap {
        return output.to_owned();
    }
    let Some(block) = first_failure(output) else {
        return trim_middle(output, cap);
    };
    let block = trim_middle(block.trim_end(), cap * 2 / 3);
    let bridge = "\n\n… the whole output, shortened …\n";
    let rest = trim_middle(output, cap.saturating_sub(block.len() + bridge.len()));
    if rest.is_empty() {
        block
    } else {
        format!("{block}{bridge}{rest}")
    }
}

/// How a kind of failure block begins and ends, told line by line.
type Bounds = (fn(&str) -> bool, fn(&str) -> bool);

/// Returns the first failure that a runner explains: from its heading up to the next one.
fn first_failure(output: &str) -> Option<&str> {
    let kinds: [Bounds; 8] = [
        (
            |line| line.starts_with("---- ") && line.ends_with(" ----"),
            |line| line.starts_with("---- ") || line == "failures:",
        ),
        (
            |line| line.starts_with("error[E") || line.starts_with("error: "),
            |line| line.trim().is_empty(),
        ),
        (is_pytest_heading, |line| {
            is_pytest_heading(line) || line.starts_with("=====")
        }),
        (
            |line| line.starts_with("FAIL: ") || line.starts_with("ERROR: "),
            |line| line.starts_with("====="),
        ),
        (
            |line| line.contains("--- FAIL: "),
            |line| line.starts_with("--- ") || line.starts_with("FAIL") || line.starts_with("ok  "),
        ),
        (
            |line| line.starts_with("# ") && line.ends_with(".test]"),
            |line| line.starts_with("# ") || line.starts_with("FAIL") || line.starts_with("ok  "),
        ),
        (
            |line| line.starts_with("  ● ") || line.starts_with(" FAIL  "),
            |line| line.starts_with("  ● ") || line.starts_with("Test Suites:") || line.contains("⎯⎯⎯⎯⎯"),
        ),
        (
            |line| line.trim_start().starts_with("not ok "),
            |line| line.trim() == "..." || line.starts_with("# Subtest: "),
        ),
    ];
    kinds
        .iter()
        .filter_map(|(begins, ends)| block(output, *begins, *ends))
        .min_by_key(|(at, _)| *at)
        .map(|(_, block)| block)
}

fn is_pytest_heading(line: &str) -> bool {
    let title = line.strip_prefix('_').and_then(|rest| rest.strip_suffix('_'));
    let title = title.map(|title| title.trim_matches('_'));
    title.is_some_and(|title| title.len() > 2 && title.starts_with(' ') && title.ends_with(' '))
}

fn block(output: &str, begins: fn(&str) -> bool, ends: fn(&str) -> bool) -> Option<(usize, &str)> {
    let mut start = None;
    let mut at = 0;
    for line in output.split_inclusive('\n') {
        let text = line.trim_end();
        match start {
            None if begins(text) => start = Some(at),
            Some(from) if ends(text) => return Some((from, output.get(from..at)?)),
            _ => {}
        }
        at += line.len();
    }
    let from = start?;
    Some((from, output.get(from..)?))
}
