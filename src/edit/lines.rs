//! Lines of a text with their own endings, so that what an edit leaves alone keeps its bytes.
//!
//! Owns splitting, the commonest ending and joining. Knows nothing of matching.

/// The mark that some editors put before UTF-8 text.
pub(crate) const BOM: char = '\u{feff}';

/// One line and what ends it: `\n`, `\r\n`, a lone `\r`, or nothing at the end of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) ending: &'a str,
}

/// Splits `text` into its lines; joined again they are `text`.
pub(crate) fn split(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(line_end).unwrap_or((rest, ""));
        let ending_size = match after.as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            [_, ..] => 1,
        };
        let (ending, left) = after.split_at_checked(ending_size).unwrap_or((after, ""));
        lines.push(Line { text: line, ending });
        rest = left;
    }
    lines
}

/// Returns the texts alone.
pub(crate) fn texts<'a>(lines: &[Line<'a>]) -> Vec<&'a str> {
    lines.iter().map(|line| line.text).collect()
}

/// Returns the ending that most lines of `text` have; `\n` where they are even, `None` where there is none.
pub(crate) fn commonest_ending(text: &str) -> Option<&'static str> {
    if !text.contains('\r') {
        return text.contains('\n').then_some("\n");
    }
    let lines = split(text);
    let count = |ending: &str| lines.iter().filter(|line| line.ending == ending).count();
    let (lf, crlf, cr) = (count("\n"), count("\r\n"), count("\r"));
    Some(if crlf > lf && crlf >= cr {
        "\r\n"
    } else if cr > lf {
        "\r"
    } else {
        "\n"
    })
}

/// A run of lines that gives way to others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Splice {
    /// Index of the first line that goes.
    pub(crate) at: usize,
    /// How many lines go.
    pub(crate) len: usize,
    /// What comes, line by line.
    pub(crate) lines: Vec<String>,
}

/// Applies `splices`, sorted and disjoint, to `lines`. New lines get `ending`; the text ends with a newline
/// as `final_newline` says, or as it did before.
pub(crate) fn splice(lines: &[Line<'_>], splices: &[Splice], ending: &str, final_newline: Option<bool>) -> String {
    let mut out: Vec<(&str, &str)> = Vec::with_capacity(lines.len());
    let mut next = 0;
    let kept = |from: usize, to: usize| {
        let kept = lines.get(from..to).unwrap_or_default();
        kept.iter().map(|line| (line.text, line.ending))
    };
    for splice in splices {
        out.extend(kept(next, splice.at));
        out.extend(splice.lines.iter().map(|text| (text.as_str(), "")));
        next = splice.at + splice.len;
    }
    out.extend(kept(next, lines.len()));
    let ended = lines.last().is_none_or(|line| !line.ending.is_empty());
    join(&out, ending, final_newline.unwrap_or(ended))
}

fn join(lines: &[(&str, &str)], filler: &str, ended: bool) -> String {
    let mut text = String::new();
    for (nth, (line, ending)) in lines.iter().enumerate() {
        text.push_str(line);
        if nth + 1 < lines.len() || ended {
            text.push_str(if ending.is_empty() { filler } else { ending });
        }
    }
    text
}

/// Gives `content`, which replaces `old` whole, the byte order mark of `old`, and its line endings where all of them
/// are CRLF and `content` has no CR: a model does not see them.
pub(crate) fn dressed_as(old: &str, content: &str) -> String {
    let lines = split(old);
    let all_crlf = old.contains('\n') && lines.iter().all(|line| matches!(line.ending, "\r\n" | ""));
    let mut dressed = String::new();
    if old.starts_with(BOM) && !content.starts_with(BOM) {
        dressed.push(BOM);
    }
    if all_crlf && !content.contains('\r') {
        dressed.push_str(&content.replace('\n', "\r\n"));
    } else {
        dressed.push_str(content);
    }
    dressed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_ending_is_lf_where_they_are_even() {
        for (text, ending) in [
            ("", None),
            ("a", None),
            ("a\n", Some("\n")),
            ("a\r\nb", Some("\r\n")),
            ("a\rb", Some("\r")),
            ("a\r\nb\n", Some("\n")),
            ("a\rb\n", Some("\n")),
            ("a\r\nb\nc\n", Some("\n")),
            ("a\r\nb\r\nc\n", Some("\r\n")),
            ("a\r\nb\rc\r\n", Some("\r\n")),
            ("a\r\nb\rc\rd\n", Some("\r")),
            ("a\r\nb\rc", Some("\r\n")),
        ] {
            assert_eq!(commonest_ending(text), ending, "{text:?}");
        }
    }
}
