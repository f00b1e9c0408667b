//! What must hold of any repository, whatever happened in it.
//!
//! Owns what counts as a person's: files that they changed and did not commit, index entries, branches. Says what is wrong
//! as text: whoever asks knows after what.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::support::Sandbox;

/// What a repository was like before.
pub struct Before {
    status: Vec<String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    index: BTreeMap<String, String>,
    branches: BTreeMap<String, String>,
    /// Paths that no command of ours has any business with.
    own: Vec<String>,
    given_up: Vec<String>,
}

/// Adds a line where something does not hold.
fn must(holds: bool, wrong: &mut Vec<String>, what: impl FnOnce() -> String) {
    if !holds {
        wrong.push(what());
    }
}

impl Before {
    /// Looks at a repository. What is `given_up` is no longer the person's.
    pub fn of(sandbox: &Sandbox, given_up: &[&str]) -> Self {
        let mut status = status(sandbox);
        status.retain(|line| !given_up.contains(&&line[3..]));
        let own = status.iter().map(|line| line[3..].to_owned()).collect();
        Self {
            status,
            files: files(&sandbox.repo()),
            index: index(sandbox),
            branches: branches(sandbox),
            own,
            given_up: given_up.iter().map(ToString::to_string).collect(),
        }
    }

    /// What is wrong right after a fault: nothing of the person's may differ, nothing be broken, and every other file be as
    /// it was, as it is going to be, or not there for the moment.
    pub fn wrong_at_once(&self, sandbox: &Sandbox) -> Vec<String> {
        let mut wrong = self.wrong_always(sandbox);
        let tips = ["refs/invisigoth/landed/main", "refs/heads/main"];
        for (path, now) in files(&sandbox.repo()) {
            let is_given_up = self.given_up.iter().any(|given| Path::new(given) == path);
            if self.files.get(&path) == Some(&now) || is_temporary(&path) || is_given_up {
                continue;
            }
            let tip = |tip: &&str| {
                let name = format!("{tip}:{}", path.display());
                sandbox
                    .command("git")
                    .args(["show", &name])
                    .output()
                    .unwrap()
                    .stdout
                    .starts_with(&now)
            };
            must(tips.iter().any(tip), &mut wrong, || {
                format!("{} is neither old nor new, nor a beginning of it", path.display())
            });
        }
        wrong
    }

    /// What is wrong in the end: all that is not right at once, locks, and a checkout that does not follow.
    pub fn wrong_in_the_end(&self, sandbox: &Sandbox) -> Vec<String> {
        let mut wrong = self.wrong_always(sandbox);
        let status = status(sandbox);
        must(status == self.status, &mut wrong, || {
            format!("git status was {:?} and is {status:?}", self.status)
        });
        for (path, _) in files(&sandbox.repo()) {
            must(!is_temporary(&path), &mut wrong, || {
                format!("{} was left behind", path.display())
            });
        }
        let locks: Vec<String> = files(&sandbox.path(".git"))
            .into_keys()
            .map(|path| path.display().to_string())
            // Ours are held by the kernel, and files that stay.
            .filter(|path| path.ends_with(".lock") && !path.starts_with("invisigoth/"))
            .collect();
        must(locks.is_empty(), &mut wrong, || format!("locks are left: {locks:?}"));
        wrong
    }

    fn wrong_always(&self, sandbox: &Sandbox) -> Vec<String> {
        let mut wrong = Vec::new();
        let fsck = sandbox.sh("git", &["fsck", "--strict", "--no-dangling"]);
        must(fsck.code == 0, &mut wrong, || {
            format!("git fsck: {}{}", fsck.stdout, fsck.stderr)
        });
        let now = files(&sandbox.repo());
        let staged = index(sandbox);
        for path in &self.own {
            let file = Path::new(path);
            must(now.get(file) == self.files.get(file), &mut wrong, || {
                format!("{path} is not as it was")
            });
            must(staged.get(path) == self.index.get(path), &mut wrong, || {
                format!("the index entry of {path} is not as it was")
            });
        }
        let branches = branches(sandbox);
        for (name, id) in self.branches.iter().filter(|(name, _)| *name != "refs/heads/main") {
            must(branches.get(name) == Some(id), &mut wrong, || format!("{name} moved"));
        }
        wrong
    }
}

/// Records on commits and in the files are one set, and `verify` finds nothing.
pub fn wrong_records(sandbox: &Sandbox) -> Vec<String> {
    let mut wrong = Vec::new();
    let head = sandbox.id("HEAD");
    let rebuilt = sandbox.run(&["rebuild", "--json"]);
    let nothing = rebuilt.stdout.contains("\"notes_added\":0,\"rows_added\":0");
    must(
        rebuilt.code == 0 && nothing && sandbox.id("HEAD") == head,
        &mut wrong,
        || format!("rebuild had something to do: {}{}", rebuilt.stdout, rebuilt.stderr),
    );
    let verified = sandbox.run(&["verify"]);
    must(verified.code == 0, &mut wrong, || {
        format!("verify: {}{}", verified.stdout, verified.stderr)
    });
    wrong
}

/// True for what is written beside a file before it takes its place.
fn is_temporary(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(".invisigoth-"))
}

/// Every file below `root` but git's own, with its bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != ".git") {
                    open.push(path);
                }
            } else {
                let bytes = fs::read(&path).unwrap_or_default();
                found.insert(path.strip_prefix(root).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

fn status(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.git(&["status", "--porcelain", "--ignored"]);
    all.lines().map(str::to_owned).collect()
}

fn index(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let all = sandbox.git(&["ls-files", "--stage"]);
    let rows = all.lines().filter_map(|line| line.split_once('\t'));
    rows.map(|(entry, path)| (path.to_owned(), entry.to_owned())).collect()
}

/// Branches that are not ours.
fn branches(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let mut all = sandbox.refs();
    all.retain(|name, _| name.starts_with("refs/heads/") && !name.contains("/invisigoth/"));
    all
}
