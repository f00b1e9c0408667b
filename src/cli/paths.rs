//! Paths as a person types them: relative to where they are. Pure but for one look at the file system.

use std::path::{Component, Path, PathBuf};

/// Returns the folder that relative paths count from. git moves an alias `!git-invisigoth` to the top of the checkout and
/// says in `GIT_PREFIX` where it was called; the variable outlives a later change of folder, hence the look for `.git`.
pub fn place(current: &Path, prefix: Option<&str>, dir: Option<&Path>) -> PathBuf {
    let moved = prefix.map(|prefix| current.join(prefix));
    let moved = moved.filter(|moved| current.join(".git").exists() && moved.is_dir());
    let place = moved.unwrap_or_else(|| current.to_owned());
    match dir {
        Some(dir) => place.join(dir),
        None => place,
    }
}

/// Returns `file`, typed in `place`, as it is called from the top of the checkout; as typed where it lies outside, so that
/// the error shows what was typed.
pub fn from_top(top: &Path, place: &Path, file: &str) -> String {
    let real = place.canonicalize().unwrap_or_else(|_| place.to_owned());
    let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    let mut parts: Vec<String> = Vec::new();
    let full = real.join(file);
    let Ok(below) = full.strip_prefix(&top) else {
        return file.to_owned();
    };
    for part in below.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir if parts.pop().is_some() => {}
            Component::ParentDir => return file.to_owned(),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_top_wherever_they_were_typed() {
        let top = tempfile::tempdir().unwrap();
        let sub = top.path().join("a/b");
        std::fs::create_dir_all(&sub).unwrap();
        let named = |place: &Path, file: &str| from_top(top.path(), place, file);
        assert_eq!(named(top.path(), "x.rs"), "x.rs");
        assert_eq!(named(&sub, "x.rs"), "a/b/x.rs");
        assert_eq!(named(&sub, "../x.rs"), "a/x.rs");
        assert_eq!(named(&sub, "../../../x.rs"), "../../../x.rs");
        assert_eq!(named(&sub, "/etc/x"), "/etc/x");
    }

    #[test]
    fn git_prefix_counts_at_the_top_of_a_checkout_only() {
        let top = tempfile::tempdir().unwrap();
        let sub = top.path().join("sub");
        std::fs::create_dir_all(sub.join("sub")).unwrap();
        std::fs::create_dir(top.path().join(".git")).unwrap();
        assert_eq!(place(top.path(), Some("sub/"), None), sub);
        assert_eq!(place(&sub, Some("sub/"), None), sub);
        assert_eq!(place(&sub, None, Some(Path::new("x"))), sub.join("x"));
    }
}
