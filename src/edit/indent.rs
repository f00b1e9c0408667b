//! Indentation of new lines where a block was found although its own indentation is another: what the block's old
//! lines stand for in the file is learned pair by pair.
//!
//! Guesses nothing: an indentation that the pairs do not settle makes the block fail.

/// Pairs of an indentation in the block and what the file has for it.
#[derive(Default)]
pub(crate) struct Indents<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

/// Returns the whitespace that `line` starts with.
pub(crate) fn indent_of(line: &str) -> &str {
    let rest = line.trim_start();
    line.strip_suffix(rest).unwrap_or_default()
}

impl<'a> Indents<'a> {
    /// Learns from the block's old lines and the lines of the file that they were found at.
    pub(crate) fn learn(old: &[&'a str], window: &[&'a str]) -> Self {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (line, real) in old.iter().zip(window) {
            let pair = (indent_of(line), indent_of(real));
            if !line.trim().is_empty() && !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        Self { pairs }
    }

    /// Returns `line` with the indentation that the file has for its own; `None` where that is not settled.
    pub(crate) fn apply(&self, line: &str) -> Option<String> {
        let text = line.trim_start();
        if text.is_empty() {
            return Some(line.to_owned());
        }
        self.translate(indent_of(line)).map(|indent| format!("{indent}{text}"))
    }

    fn translate(&self, indent: &str) -> Option<String> {
        let mut same = self.pairs.iter().filter(|(from, _)| *from == indent);
        if let Some((_, to)) = same.next() {
            return same.next().is_none().then(|| (*to).to_owned());
        }
        self.by_unit(indent).or_else(|| self.by_longest_start(indent))
    }

    /// Spaces for tabs, tabs for spaces, or steps of another width, where every pair has the same rate.
    fn by_unit(&self, indent: &str) -> Option<String> {
        let (from, to) = self.pairs.iter().find(|(from, _)| !from.is_empty())?;
        let (narrow, wide) = (only_char(from)?, only_char(to)?);
        let size = |text: &str| text.chars().count();
        let (per, made) = (size(from), size(to));
        let kept = self.pairs.iter().all(|(from, to)| {
            let sound = from.chars().all(|c| c == narrow) && to.chars().all(|c| c == wide);
            sound && size(from) * made == size(to) * per
        });
        let fits = kept && (narrow != wide || self.pairs.len() > 1) && indent.chars().all(|c| c == narrow);
        let wanted = size(indent) * made;
        (fits && wanted.is_multiple_of(per)).then(|| wide.to_string().repeat(wanted / per))
    }

    fn by_longest_start(&self, indent: &str) -> Option<String> {
        let starts = self.pairs.iter().filter(|(from, _)| !from.is_empty());
        let (from, to) = starts
            .filter(|(from, _)| indent.starts_with(from))
            .max_by_key(|(from, _)| from.len())?;
        let settled = self.pairs.iter().filter(|(other, _)| other == from).count() == 1;
        let alike = only_char(from)? == only_char(to)?;
        let rest = indent.strip_prefix(from)?;
        (settled && alike).then(|| format!("{to}{rest}"))
    }
}

/// Returns the one character that `text` is made of.
fn only_char(text: &str) -> Option<char> {
    let first = text.chars().next()?;
    text.chars().all(|c| c == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_become_tabs_at_the_rate_of_the_pairs() {
        let indents = Indents::learn(&["if x:", "    y"], &["if x:", "\ty"]);
        assert_eq!(indents.apply("        z").as_deref(), Some("\t\tz"));
        assert_eq!(indents.apply("      z"), None);
    }

    #[test]
    fn steps_of_another_width_keep_their_rate() {
        let indents = Indents::learn(&["if x:", "    y"], &["if x:", "  y"]);
        assert_eq!(indents.apply("        z").as_deref(), Some("    z"));
    }

    #[test]
    fn a_flattened_block_settles_nothing() {
        let indents = Indents::learn(&["if x:", "y"], &["if x:", "    y"]);
        assert_eq!(indents.apply("z"), None);
    }

    #[test]
    fn pairs_of_no_common_rate_settle_nothing() {
        for window in [["\ta", " \tb"], ["\ta", "\t\t\tb"]] {
            let indents = Indents::learn(&["  a", "    b"], &window);
            assert_eq!(indents.apply("      c"), None);
        }
    }

    #[test]
    fn tabs_become_spaces_at_the_rate_of_the_pairs() {
        let indents = Indents::learn(&["\ta", "\t\tb"], &["    a", "        b"]);
        assert_eq!(indents.apply("\t\t\tc").as_deref(), Some("            c"));
        assert_eq!(indents.apply("\t c"), None);
    }

    #[test]
    fn spaces_for_spaces_are_no_rate() {
        let indents = Indents::learn(&["  a"], &["    a"]);
        assert_eq!(indents.apply("    b").as_deref(), Some("      b"));
    }

    #[test]
    fn wide_characters_count_once() {
        let indents = Indents::learn(&["    a"], &["\u{3000}\u{3000}a"]);
        assert_eq!(indents.apply("  b").as_deref(), Some("\u{3000}b"));
    }
}
