//! Checkboxes in Markdown: where they stand, under which headings, and what stands below them.
//!
//! Not a Markdown reader: code blocks, comments and front matter are skipped, all else is lines.

/// How a box is ticked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tick {
    /// `[ ]`
    Open,
    /// `[x]`
    Done,
    /// `[-]`, or struck through.
    Dropped,
}

/// One checkbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Box<'a> {
    /// From 1.
    pub line: usize,
    /// Columns before it.
    pub indent: usize,
    /// How it is ticked.
    pub tick: Tick,
    /// What stands behind it.
    pub text: &'a str,
    /// The headings that it stands under, with their levels, outermost first.
    pub headings: Vec<(usize, &'a str)>,
    /// The lines below that belong to it, other boxes excepted.
    pub more: Vec<&'a str>,
}

/// Lists the checkboxes of `text` in order.
pub fn boxes(text: &str) -> Vec<Box<'_>> {
    let mut found: Vec<Box<'_>> = Vec::new();
    let mut headings: Vec<(usize, &str)> = Vec::new();
    let mut skipping: Option<&str> = None;
    // Whether a line that is indented more may still belong to the last box.
    let mut open = false;
    for (at, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let trimmed = line.trim();
        if let Some(end) = skipping {
            if (end == "-->" && trimmed.contains(end)) || (end != "-->" && trimmed.starts_with(end)) {
                skipping = None;
            }
            continue;
        }
        let fence = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence));
        let front = (at == 0 && trimmed == "---").then_some("---");
        let comment = (trimmed.starts_with("<!--") && !trimmed.contains("-->")).then_some("-->");
        skipping = fence.or(front).or(comment);
        if skipping.is_some() || trimmed.starts_with("<!--") {
            continue;
        }
        let indent = columns(line);
        if let Some((level, title)) = heading(line) {
            headings.retain(|(above, _)| *above < level);
            headings.push((level, title));
            open = false;
        } else if let Some((tick, text)) = checkbox(trimmed) {
            let (line, headings) = (at + 1, headings.clone());
            let more = Vec::new();
            found.push(Box {
                line,
                indent,
                tick,
                text,
                headings,
                more,
            });
            open = true;
        } else if let Some(last) = found
            .last_mut()
            .filter(|last| open && (indent > last.indent || trimmed.is_empty()))
        {
            last.more.push(trimmed);
        } else {
            open = false;
        }
    }
    found
}

fn columns(line: &str) -> usize {
    let blanks = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
    blanks.map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

fn checkbox(line: &str) -> Option<(Tick, &str)> {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (digits.len() < line.len())
        .then(|| digits.strip_prefix(['.', ')']))
        .flatten();
    let rest = line
        .strip_prefix(['-', '*', '+'])
        .or(numbered)?
        .strip_prefix(' ')?
        .trim_start();
    let mut chars = rest.strip_prefix('[')?.chars();
    let mark = chars.next()?;
    let text = chars.as_str().strip_prefix(']')?;
    let text = text.strip_prefix([' ', '\t'])?.trim();
    let struck = text.starts_with("~~") && text.ends_with("~~");
    let tick = match mark {
        'x' | 'X' | '✓' | '✔' => Tick::Done,
        '-' => Tick::Dropped,
        _ if struck => Tick::Dropped,
        ' ' | '/' | '~' | '>' | '!' | '?' => Tick::Open,
        _ => return None,
    };
    (!text.is_empty()).then_some((tick, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_with_their_headings_and_what_is_no_box() {
        let text = "# Top\n- [ ] one\n  more\n\n  - plain\n  - [x] two\n```\n- [ ] code\n```\n<!--\n- [ ] hidden\n-->\n\
                    ## Sub\n1. [ ] three\n\n- no [ ] box\n- [link](x)\n  not its own\n# Next\n* [-] four\n";
        let found = boxes(text);
        let lines: Vec<(usize, usize, Tick, &str)> = found
            .iter()
            .map(|found| (found.line, found.indent, found.tick, found.text))
            .collect();
        assert_eq!(
            lines,
            [
                (2, 0, Tick::Open, "one"),
                (6, 2, Tick::Done, "two"),
                (14, 0, Tick::Open, "three"),
                (20, 0, Tick::Dropped, "four")
            ]
        );
        assert_eq!(found[0].more, ["more", "", "- plain"]);
        assert_eq!(found[2].headings, [(1, "Top"), (2, "Sub")]);
        assert_eq!(found[3].headings, [(1, "Next")]);
        assert!(found[2].more.iter().all(|line| line.is_empty()));
    }
}
