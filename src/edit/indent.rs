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
        let (from, to) = self
            .pairs
            .iter()
            .find(|(from, to)| !from.is_empty() && !to.is_empty())?;
        let (narrow, wide) = (only_char(from)?, only_char(to)?);
        let kept = self.pairs.iter().all(|(from, to)| {
            let sound = from.chars().all(|c| c == narrow) && to.chars().all(|c| c == wide);
            sound && from.len() * self.rate().1 == to.len() * self.rate().0
        });
        let fits = kept && (narrow != wide || self.pairs.len() > 1) && indent.chars().all(|c| c == narrow);
        let (per, made) = self.rate();
        (fits && (indent.len() * made).is_multiple_of(per)).then(|| wide.to_string().repeat(indent.len() * made / per))
    }

    /// How many characters of the block stand for how many of the file.
    fn rate(&self) -> (usize, usize) {
        let pair = self.pairs.iter().find(|(from, to)| !from.is_empty() && !to.is_empty());
        pair.map_or((1, 1), |(from, to)| (from.len(), to.len()))
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
}
