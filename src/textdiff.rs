//! Diffs as text, for people and for prompts; below it `hunks`, the same as data.

pub mod hunks;

use similar::TextDiff;

/// Words the difference of two texts of `path` as a unified diff with three lines of context; empty where equal. A text
/// that is `None` does not exist on that side; bytes that are no UTF-8 are named, not shown.
pub fn unified(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let header = |side: &str, text: Option<&[u8]>| text.map_or("/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let (from, to) = (header("a", old), header("b", new));
    let texts = (
        std::str::from_utf8(old.unwrap_or_default()),
        std::str::from_utf8(new.unwrap_or_default()),
    );
    match texts {
        (Ok(old), Ok(new)) => TextDiff::from_lines(old, new)
            .unified_diff()
            .context_radius(3)
            .header(&from, &to)
            .to_string(),
        _ => format!("--- {from}\n+++ {to}\nBinary files differ\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_a_change_and_a_binary_read_like_gits() {
        assert_eq!(
            unified("a", None, Some(b"x\n")),
            "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n"
        );
        assert_eq!(
            unified("a", Some(b"x\n"), Some(b"y\n")),
            "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n"
        );
        assert_eq!(unified("a", Some(b"x\n"), Some(b"x\n")), "");
        assert!(unified("a", Some(b"\xff"), None).contains("Binary"));
    }
}
