//! `RepoPath`: the only path type that an edit, a tree or a slot can carry.
//!
//! Owns which relative paths are fit for a repository at all (the alias tables of git's own
//! protectHFS and protectNTFS). Which of them a reply may touch is `guard`'s business.

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

/// A path relative to the top of the repository: bytes, `/` between names, never empty.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(Vec<u8>);

/// Why some bytes are not a path inside the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path `{path}` is refused: {why}")]
pub struct BadPath {
    /// The path, made printable.
    pub path: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

impl RepoPath {
    /// Checks `bytes` as a path that a *reply* names: relative, inside, no alias of `.git`, nothing that
    /// some file system would read as another file.
    ///
    /// # Errors
    /// Says which rule is broken.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Self, BadPath> {
        let bytes = bytes.as_ref();
        match refusal(bytes) {
            None => Ok(Self(bytes.to_vec())),
            Some(why) => Err(BadPath {
                path: printable(bytes),
                why,
            }),
        }
    }

    /// Takes a path as git recorded it in a tree, which git has already checked.
    pub fn from_git(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as UTF-8, if it is.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Returns the last name.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or(&self.0)
    }

    /// Returns the names from the top down.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/')
    }

    /// Returns the folders above, the nearest first.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        let cuts: Vec<usize> = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, b)| **b == b'/')
            .map(|(at, _)| at)
            .collect();
        cuts.into_iter()
            .rev()
            .filter_map(|at| self.0.get(..at).map(|p| Self(p.to_vec())))
    }

    /// True for the path itself and everything below it.
    pub fn is_under(&self, folder: &str) -> bool {
        self.0
            .strip_prefix(folder.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// Returns where this path is on disk below `root`.
    pub fn below(&self, root: &Path) -> PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        root.join(std::ffi::OsStr::from_bytes(&self.0))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Control characters and bytes that are no UTF-8 are shown escaped, so that a path cannot drive a terminal.
fn printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn refusal(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("it is empty");
    }
    if bytes.len() > 4096 {
        return Some("it is longer than 4096 bytes");
    }
    if bytes.starts_with(b"/") || bytes.starts_with(b"~") {
        return Some("it is not relative to the repository");
    }
    if bytes.contains(&b'\\') {
        return Some("it holds a backslash");
    }
    if bytes.iter().any(|b| *b < 0x20 || *b == 0x7f) {
        return Some("it holds a control character");
    }
    bytes.split(|b| *b == b'/').find_map(name_refusal)
}

fn name_refusal(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it has an empty name in it");
    }
    if name == b"." || name == b".." {
        return Some("it leaves the repository or names a folder");
    }
    if name.len() > 255 {
        return Some("a name in it is longer than 255 bytes");
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return None;
    };
    if text.contains(':') {
        return Some("a colon names a drive or a stream on some systems");
    }
    if text.ends_with([' ', '.']) || text.starts_with(' ') {
        return Some("a name in it starts or ends with a space, or ends with a dot");
    }
    let folded = fold(text);
    let stem = folded.split('.').next().unwrap_or(&folded);
    if folded == ".git" || folded.starts_with("git~") {
        return Some("it is inside .git");
    }
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    if matches!(stem, "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|n| n.len() == 1 && n.chars().all(|c| c.is_ascii_digit()))
    {
        return Some("it is a device name on some systems");
    }
    None
}

/// Folds what HFS+ ignores, what NTFS trims, full-width forms and the dotless i, so that an alias reads as what it
/// stands for.
pub fn fold(name: &str) -> String {
    let kept = name.chars().filter(|c| {
        !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' | '\u{180b}'..='\u{180f}' | '\u{34f}' | '\u{61c}')
    });
    let folded: String = kept
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            'ı' | 'İ' => 'i',
            '\u{2024}' | '\u{fe52}' => '.',
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect();
    folded.trim_end_matches([' ', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_outside_or_aliasing_git_is_refused() {
        let refused: [&str; 34] = [
            "",
            "../x",
            "a/../../x",
            "/abs",
            "~/.ssh/x",
            "C:\\x",
            "C:/x",
            "\\\\srv\\x",
            "a\\..\\..\\x",
            ".",
            ".git/config",
            ".GIT/hooks/x",
            "git~1",
            "GIT~1/x",
            ".git.",
            ".git ",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "sub/.git",
            "sub/.git/config",
            ".g\u{200c}it/x",
            "\u{feff}.git/x",
            ".gi\u{200d}t",
            ".git\t",
            ".git\r",
            "a//b",
            "a/",
            "CON",
            "con.txt",
            "lpt1",
            "x. ",
            "a:b",
            "\u{ff0e}git/x",
            ".gıt/x",
        ];
        for path in refused {
            assert!(RepoPath::parse(path).is_err(), "{path:?}");
        }
        assert!(RepoPath::parse("a/".repeat(2100)).is_err());
        assert!(RepoPath::parse("x".repeat(300)).is_err());
    }

    #[test]
    fn ordinary_paths_pass_and_are_kept_byte_for_byte() {
        for path in [
            "a",
            "src/lib.rs",
            ".github/x.yml",
            ".gitignore",
            "-x",
            "ä/ö.txt",
            "a b.txt",
            "gitx",
            "console.rs",
        ] {
            assert_eq!(RepoPath::parse(path).unwrap().as_bytes(), path.as_bytes());
        }
        let path = RepoPath::parse(b"caf\xe9.txt").unwrap();
        assert_eq!(path.to_string(), "caf\\xe9.txt");
    }

    #[test]
    fn parents_go_from_near_to_far() {
        let parents: Vec<String> = RepoPath::parse("a/b/c")
            .unwrap()
            .parents()
            .map(|p| p.to_string())
            .collect();
        assert_eq!(parents, ["a/b", "a"]);
    }
}
