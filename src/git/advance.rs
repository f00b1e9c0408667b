//! Fast-forwarding a checked-out target, as `git merge --ff-only` does it, and recording hand edits of memory files.
//!
//! The user's files change here and nowhere else; so every doubt is a refusal, and results wait on `landed/<target>`.

use std::{
    collections::BTreeSet,
    io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    door::{env::Env, fs, point},
    fault::point::Point,
    git::{Doing as _, Repo, Result, command, diff, forward, objects, oid, refs, tree},
    id::{BlobId, CommitId},
    path::RepoPath,
    snapshot::Mode,
    time::{Moment, Stop},
};

/// A worktree in which the target is checked out.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The branch's short name.
    pub branch: String,
    /// Its git directory.
    pub git_dir: PathBuf,
    /// The git directory that all worktrees share.
    pub common_dir: PathBuf,
    /// Its files.
    pub workdir: PathBuf,
}

/// Lists the worktrees whose HEAD is `branch`, or that rebase it: git moves the branch there when the rebase ends, and
/// finds it must be where it was. Opens none of them: reads their HEAD files.
///
/// # Errors
/// When the list of worktrees cannot be read.
pub fn checkouts(repo: &Repo, branch: &str) -> Result<Vec<Checkout>> {
    let on_branch = |git_dir: &Path| is_on(git_dir, branch) || rebasing(git_dir).as_deref() == Some(branch);
    let mut found = Vec::new();
    let common = repo.common_dir();
    if on_branch(common)
        && let Some(workdir) = main_workdir(repo)
    {
        found.push(Checkout {
            branch: branch.to_owned(),
            git_dir: common.to_owned(),
            common_dir: common.to_owned(),
            workdir,
        });
    }
    if common.join("worktrees").is_dir() {
        for proxy in repo.gix.worktrees().doing(|| "listing worktrees".into())? {
            if on_branch(proxy.git_dir())
                && let Ok(workdir) = proxy.base()
                && workdir.is_dir()
            {
                found.push(Checkout {
                    branch: branch.to_owned(),
                    git_dir: proxy.git_dir().to_owned(),
                    common_dir: common.to_owned(),
                    workdir,
                });
            }
        }
    }
    Ok(found)
}

fn is_on(git_dir: &Path, branch: &str) -> bool {
    let head = std::fs::read_to_string(git_dir.join("HEAD"));
    head.is_ok_and(|text| text.trim().strip_prefix("ref: refs/heads/") == Some(branch))
}

/// Returns the branch that a worktree is in the middle of rebasing.
pub fn rebasing(git_dir: &Path) -> Option<String> {
    let names = ["rebase-merge/head-name", "rebase-apply/head-name"];
    let name = names
        .iter()
        .find_map(|name| std::fs::read_to_string(git_dir.join(name)).ok())?;
    Some(name.trim().strip_prefix("refs/heads/")?.to_owned())
}

fn main_workdir(repo: &Repo) -> Option<PathBuf> {
    if repo.git_dir() == repo.common_dir() {
        return repo.workdir().map(Path::to_owned);
    }
    repo.gix
        .main_repo()
        .ok()
        .and_then(|main| main.workdir().map(Path::to_owned))
}

/// How a fast-forward went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Forward {
    /// Files, index and branch are at the new commit.
    Done,
    /// Nothing changed; why.
    Waits(String),
}

/// An editor that is open for longer than this over a commit message is taken for abandoned.
const ABANDONED_EDITOR: Duration = Duration::from_secs(3600);

/// Says why the checkout cannot follow `now`, if it cannot: somebody is at work in it.
pub fn busy(checkout: &Checkout, now: Moment) -> Option<String> {
    let at = |name: &str| checkout.git_dir.join(name);
    for lock in ["index.lock", "HEAD.lock"] {
        if at(lock).exists() {
            return Some(format!("git is at work there ({lock} exists)"));
        }
    }
    let states = [
        ("rebase-merge", "a rebase is in progress"),
        ("rebase-apply", "a rebase or `am` is in progress"),
        ("MERGE_HEAD", "a merge is in progress"),
        ("CHERRY_PICK_HEAD", "a cherry-pick is in progress"),
        ("REVERT_HEAD", "a revert is in progress"),
        ("BISECT_LOG", "a bisect is in progress"),
    ];
    if let Some((_, why)) = states.iter().find(|(name, _)| at(name).exists()) {
        return Some((*why).to_owned());
    }
    // Whoever copies or restores a repository keeps these times, but not those of the files' change.
    let written = |name: &str| fs::stamp(&at(name)).map(fs::Stamp::written);
    if let (Some(message), Some(log)) = (written("COMMIT_EDITMSG"), written("logs/HEAD"))
        && message > log
        && is_open(Moment::from_seconds(message.0), now)
    {
        return Some("a commit is being written (COMMIT_EDITMSG is newer than HEAD)".to_owned());
    }
    None
}

/// True where a commit message that was written at `written` may still be open. A time to come is a clock that went back.
fn is_open(written: Moment, now: Moment) -> bool {
    written <= now && now.since(written) < ABANDONED_EDITOR
}

/// Moves the checkout from `from` to its descendant `to`: files, index and branch together, or nothing.
///
/// # Errors
/// When trees cannot be read or git cannot be started. A refusal by git is no error.
pub fn fast_forward(
    repo: &Repo,
    env: &Env,
    checkout: &Checkout,
    (from, to): (CommitId, CommitId),
    now: Moment,
) -> Result<Forward> {
    if let Some(why) = hindered(repo, checkout, (from, to), now)? {
        return Ok(Forward::Waits(why));
    }
    // `git merge` moves whatever branch is checked out by now.
    if !is_on(&checkout.git_dir, &checkout.branch) {
        return Ok(Forward::Waits(format!(
            "`{}` is no longer checked out there",
            checkout.branch
        )));
    }
    let Some(begun) = forward::begin(checkout, (from, to))? else {
        return Ok(Forward::Waits("another command brings it up to date".to_owned()));
    };
    let wanted = to.to_string();
    let merge = ["merge", "--ff-only", "--no-edit", "--quiet", &wanted];
    let done = point::at(Point::CheckoutFollows, || {
        command::output(env, &checkout.workdir, &merge).map_err(io::Error::from)
    })
    .doing(|| "fast-forwarding the checkout".into())?;
    let head = || refs::read(repo, &refs::branch_ref(&checkout.branch));
    let said = String::from_utf8_lossy(&done.stderr);
    let files: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix('\t')).collect();
    if done.code != 0 && (files.is_empty() || head()? != Some(from)) {
        // Where it names no file, it had begun: a signal or a full disk ended it, or a person moved the branch before it could.
        // Nobody else takes away what it left.
        drop(begun);
        let left = forward::finish(repo, env, checkout, &Stop::default())?;
        let now = head()?;
        if left.is_none() && now == Some(to) {
            return Ok(Forward::Done);
        }
        let why = match now == Some(from) {
            true if done.code > 128 => "git was killed meanwhile".to_owned(),
            true => refused(&said),
            false => format!("`{}` was moved meanwhile", checkout.branch),
        };
        return Ok(Forward::Waits(left.unwrap_or(why)));
    }
    begun.done()?;
    if done.code == 0 {
        return Ok(Forward::Done);
    }
    Ok(Forward::Waits(overwritten(&files).unwrap_or_else(|| refused(&said))))
}

fn refused(said: &str) -> String {
    let first = said.lines().next().unwrap_or("git refused");
    first
        .trim_start_matches("error: ")
        .trim_start_matches("fatal: ")
        .to_owned()
}

/// Says why the checkout could not follow from `from` to `to` now, without trying; `None` where it could.
///
/// # Errors
/// As `fast_forward`.
pub fn waits(
    repo: &Repo,
    env: &Env,
    checkout: &Checkout,
    (from, to): (CommitId, CommitId),
    now: Moment,
) -> Result<Option<String>> {
    if let Some(why) = hindered(repo, checkout, (from, to), now)? {
        return Ok(Some(why));
    }
    let dirty = command::stdout(env, &checkout.workdir, &["diff", "--name-only", "-z", "HEAD"])?;
    let dirty: Vec<&str> = dirty.split('\0').filter(|path| !path.is_empty()).collect();
    let changes = diff::trees_whole(repo, tree::of_commit(repo, from)?, tree::of_commit(repo, to)?)?;
    let touched = |path: &&str| changes.iter().any(|differs| differs.path.as_bytes() == path.as_bytes());
    Ok(overwritten(&dirty.into_iter().filter(touched).collect::<Vec<_>>()))
}

fn hindered(repo: &Repo, checkout: &Checkout, (from, to): (CommitId, CommitId), now: Moment) -> Result<Option<String>> {
    if let Some(why) = busy(checkout, now) {
        return Ok(Some(why));
    }
    let path = in_the_way(repo, checkout, from, to)?;
    Ok(path.map(|path| format!("your untracked file {path} would be overwritten")))
}

fn overwritten(files: &[&str]) -> Option<String> {
    match files {
        [] => None,
        [file] => Some(format!("your changes in {file} would be overwritten")),
        [file, rest @ ..] => Some(format!(
            "your changes in {file} and {} more would be overwritten",
            rest.len()
        )),
    }
}

/// git overwrites *ignored* files without a word, and a folder of nothing else, too. So what lies in the place of a path that
/// is to be added, or of a folder above it, is a refusal, unless this very change takes it away.
fn in_the_way(repo: &Repo, checkout: &Checkout, from: CommitId, to: CommitId) -> Result<Option<RepoPath>> {
    let changes = diff::trees_whole(repo, tree::of_commit(repo, from)?, tree::of_commit(repo, to)?)?;
    let gone = changes.iter().filter(|differs| differs.new.is_none());
    let gone: BTreeSet<&RepoPath> = gone.map(|differs| &differs.path).collect();
    let mut looked_at = BTreeSet::new();
    let added = changes.iter().filter(|differs| differs.old.is_none());
    for (path, new) in added.filter_map(|differs| Some((&differs.path, differs.new?))) {
        let is_no_folder = |folder: &RepoPath| {
            let about = std::fs::symlink_metadata(folder.below(&checkout.workdir));
            about.is_ok_and(|about| !about.is_dir()) && !gone.contains(folder)
        };
        let mut above = path.parents().filter(|folder| looked_at.insert(folder.clone()));
        if let Some(file) = above.find(is_no_folder) {
            return Ok(Some(file));
        }
        let there = path.below(&checkout.workdir);
        let Ok(about) = std::fs::symlink_metadata(&there) else {
            continue;
        };
        if about.is_dir() && new.mode == Mode::Submodule {
            continue;
        }
        let lost = if about.is_dir() {
            kept_below(checkout, path, &gone)
        } else {
            let id = stored(&there, about.is_symlink()).map(|content| objects::blob_id(repo, &content));
            let is_same = id.ok().transpose()? == Some(new.id) && about.is_symlink() == (new.mode == Mode::Symlink);
            (!is_same).then(|| path.clone())
        };
        if lost.is_some() {
            return Ok(lost);
        }
    }
    Ok(None)
}

/// Returns something in a folder of the checkout that is not among `gone`; the folder itself where it cannot be read.
fn kept_below(checkout: &Checkout, folder: &RepoPath, gone: &BTreeSet<&RepoPath>) -> Option<RepoPath> {
    let Ok(entries) = std::fs::read_dir(folder.below(&checkout.workdir)) else {
        return Some(folder.clone());
    };
    entries.flatten().find_map(|entry| {
        let path = RepoPath::from_git([folder.as_bytes(), b"/", entry.file_name().as_bytes()].concat());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => kept_below(checkout, &path, gone),
            _ => (!gone.contains(&path)).then_some(path),
        }
    })
}

/// Reads what git would store of a file of the checkout, filters aside: of a link its target.
pub(crate) fn stored(file: &Path, is_link: bool) -> io::Result<Vec<u8>> {
    if is_link {
        std::fs::read_link(file).map(|to| to.into_os_string().into_vec())
    } else {
        std::fs::read(file)
    }
}

/// What index and work tree hold of one memory file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// The blob that the index has; `None` where it has no plain entry.
    pub staged: Option<BlobId>,
    /// The bytes on disk; `None` where there is no such file.
    pub content: Option<Vec<u8>>,
    /// True where the entry is marked skip-worktree, as sparse checkouts do, or is in conflict.
    pub untouchable: bool,
}

/// Reads what index and work tree hold of `path` in this worktree.
///
/// # Errors
/// When the index cannot be read.
pub fn file_state(repo: &Repo, path: &str) -> Result<FileState> {
    let content = repo.workdir().and_then(|root| std::fs::read(root.join(path)).ok());
    let index = repo.gix.index_or_empty().doing(|| "reading the index".into())?;
    let entry = index.entry_by_path(path.into());
    let conflicted = entry.is_none() && index.entry_range(path.into()).is_some();
    let skipped = entry.is_some_and(|entry| entry.flags.contains(gix::index::entry::Flags::SKIP_WORKTREE));
    Ok(FileState {
        staged: entry.map(|entry| BlobId(oid(&entry.id))),
        content,
        untouchable: conflicted || skipped,
    })
}

/// Sets the index entry of a memory file to `blob`. The file is not written.
///
/// # Errors
/// When git refuses, such as while `index.lock` exists.
pub fn stage(env: &Env, workdir: &Path, path: &str, blob: BlobId) -> Result<()> {
    let entry = format!("100644,{blob},{path}");
    let update = ["update-index", "--add", "--cacheinfo", &entry];
    point::at(Point::EditStaged, || {
        command::stdout(env, workdir, &update).map_err(io::Error::from)
    })
    .doing(|| format!("staging {path}"))
    .map(|_| ())
}

/// Takes the index entry of a memory file away. The file is not touched.
///
/// # Errors
/// As `stage`.
pub fn unstage(env: &Env, workdir: &Path, path: &str) -> Result<()> {
    let update = ["update-index", "--force-remove", "--", path];
    point::at(Point::EntryUnstaged, || {
        command::stdout(env, workdir, &update).map_err(io::Error::from)
    })
    .doing(|| format!("taking {path} off the index"))
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{door::spawn::run_captured, git::Shared};

    fn git(folder: &TempDir, args: &[&str]) -> String {
        let env = Env::read().for_checks(&[]);
        let args: Vec<&str> = ["-c", "user.name=a", "-c", "user.email=a@b"]
            .iter()
            .chain(args)
            .copied()
            .collect();
        let done = run_captured("git", &args, folder.path(), &env, b"", None).unwrap();
        assert_eq!(done.code, 0, "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// A checkout of `one`, whose next commit has a file `build` and a file `cache/x` instead of what `one` has there.
    fn between(one: &[&str]) -> (TempDir, (CommitId, CommitId)) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "tracked").unwrap();
        };
        git(&folder, &["init", "-q", "-b", "main"]);
        std::fs::write(folder.path().join(".gitignore"), "build/\n/cache\n").unwrap();
        one.iter().for_each(|path| write(path));
        git(&folder, &["add", "--force", "--all"]);
        git(&folder, &["commit", "-qm", "one"]);
        let from = git(&folder, &["rev-parse", "HEAD"]).parse().unwrap();
        git(&folder, &["rm", "-q", "--ignore-unmatch", "-r", "build", "cache"]);
        ["build", "cache/x"].iter().for_each(|path| write(path));
        git(&folder, &["add", "--force", "--all"]);
        git(&folder, &["commit", "-qm", "two"]);
        let to = git(&folder, &["rev-parse", "HEAD"]).parse().unwrap();
        git(&folder, &["reset", "-q", "--hard", "HEAD~"]);
        (folder, (from, to))
    }

    fn forward(folder: &TempDir, commits: (CommitId, CommitId)) -> Forward {
        let repo = Shared::open(folder.path(), Vec::new()).unwrap().repo();
        let [checkout] = checkouts(&repo, "main").unwrap().try_into().unwrap();
        fast_forward(&repo, &Env::read(), &checkout, commits, Moment(0)).unwrap()
    }

    #[test]
    fn what_git_ignores_is_not_lost_to_a_file_or_a_folder_in_its_place() {
        for (lies, said) in [("build/kept", "build/kept"), ("cache", "cache")] {
            let (folder, commits) = between(&[]);
            let lies = folder.path().join(lies);
            std::fs::create_dir_all(lies.parent().unwrap()).unwrap();
            std::fs::write(&lies, "mine").unwrap();
            let why = format!("your untracked file {said} would be overwritten");
            assert_eq!(forward(&folder, commits), Forward::Waits(why));
            assert_eq!(std::fs::read_to_string(&lies).unwrap(), "mine");
        }
    }

    #[test]
    fn what_the_change_itself_takes_away_is_not_in_its_way() {
        let (folder, commits) = between(&["build/a/b", "cache"]);
        assert_eq!(forward(&folder, commits), Forward::Done);
    }
}
