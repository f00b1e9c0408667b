//! Priorities: how lines tell the system's journal how much they matter.

use crate::journal::level::Level;

/// Puts the priority in front of each line of `text`, as sd-daemon(3) has it, where there is a level.
pub fn put(level: Option<Level>, text: String) -> String {
    let Some(level) = level else { return text };
    let lines = text.lines().map(|line| format!("<{}>{line}", level.priority()));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_its_priority() {
        assert_eq!(put(Some(Level::Error), "error: a\nb".into()), "<3>error: a\n<3>b");
        assert_eq!(put(Some(Level::Debug), "x".into()), "<7>x");
    }
}
