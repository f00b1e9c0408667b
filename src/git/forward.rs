//! Fast-forwards that were cut short: git died in one, so that its locks stand and some files are new while the branch is
//! old. Takes away what that git left, so that the same fast-forward can be done again.
//!
//! Owns what is written down before one begins, and what proves that a lock is its. Whatever is not proved stays: it is a
//! person's. Moves no branch. Of the checkout's files it writes only those that hold what the fast-forward wrote, and only
//! where the branch went elsewhere meanwhile; a file that was half written is removed.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    door::{
        env::Env,
        fs::{self, Lock, dir::Dir},
        point,
        spawn::tree,
        wait,
    },
    fault::point::Point,
    git::{
        Doing as _, GitError, Repo, Result,
        advance::{self, Checkout},
        command,
        diff::{self, Differs},
        locks, objects, refs, tree as trees,
    },
    id::CommitId,
    path::RepoPath,
    snapshot::{Entry, Mode},
    time::Stop,
};

/// A lock that stands unchanged for so long, with no git of ours at work, is dead.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether the git of a killed process has ended.
const LOOKS: u32 = 100;

/// What is written down while a fast-forward is under way. Dropped without `done`, it stays written.
pub(crate) struct Begun {
    note: PathBuf,
    _lock: Lock,
}

fn places(checkout: &Checkout) -> (PathBuf, PathBuf) {
    let folder = checkout.git_dir.join("invisigoth");
    (folder.join("forward"), folder.join("forward.lock"))
}

/// Writes down that the checkout is about to go from one commit to another; `None` where another process is at that.
pub(crate) fn begin(checkout: &Checkout, (from, to): (CommitId, CommitId)) -> Result<Option<Begun>> {
    let (note, lock) = places(checkout);
    let doing = || format!("writing {}", note.display());
    note.parent().map_or(Ok(()), fs::create_dir_all).doing(doing)?;
    let Some(lock) = Lock::try_lock(&lock, "").doing(doing)? else {
        return Ok(None);
    };
    fs::write_atomic(&note, format!("{from} {to}\n").as_bytes()).doing(doing)?;
    Ok(Some(Begun { note, _lock: lock }))
}

impl Begun {
    /// Notes that it ended, one way or the other, and left nothing half done.
    pub(crate) fn done(self) -> Result<()> {
        fs::remove_if_there(&self.note).doing(|| format!("removing {}", self.note.display()))
    }
}

/// Takes away what a killed fast-forward of `checkout` left; says why where a person has to. Costs a look at one file where
/// there was none.
///
/// # Errors
/// When something cannot be read, or removed.
pub fn finish(repo: &Repo, env: &Env, checkout: &Checkout, stop: &Stop) -> Result<Option<String>> {
    let (note, lock) = places(checkout);
    let doing = || format!("reading {}", note.display());
    let Some(text) = fs::read_text(&note).doing(doing)? else {
        return Ok(None);
    };
    let Some(_lock) = Lock::try_lock(&lock, "").doing(doing)? else {
        return Ok(None);
    };
    let ids = text
        .trim()
        .split_once(' ')
        .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    if let Some((from, to)) = ids {
        let works = || tree::works_in("git", &checkout.workdir);
        for _ in 0..LOOKS {
            if !works() || !wait::pause(wait::STEP, stop) {
                break;
            }
        }
        if works() {
            return Ok(Some("git is at work there".to_owned()));
        }
        let found = Left::look(repo, env, checkout, (from, to))?;
        if let Some(why) = found.take_away(stop)? {
            return Ok(Some(why));
        }
    }
    fs::remove_if_there(&note).doing(doing)?;
    Ok(None)
}

/// What a file of the checkout holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    Old,
    New,
    /// A beginning of the new content.
    Part,
    /// Something else: a person wrote it.
    Other,
}

/// What was found of a fast-forward.
struct Left<'a> {
    env: &'a Env,
    checkout: &'a Checkout,
    to: CommitId,
    from: CommitId,
    /// Where the branch is.
    head: Option<CommitId>,
    /// Whether the index is the new one already.
    index_is_new: bool,
    files: Vec<(Differs, Held)>,
}

impl<'a> Left<'a> {
    fn look(repo: &Repo, env: &'a Env, checkout: &'a Checkout, (from, to): (CommitId, CommitId)) -> Result<Self> {
        let changes = diff::trees_whole(repo, trees::of_commit(repo, from)?, trees::of_commit(repo, to)?)?;
        let index_is_new = is_index_of(env, checkout, "index", to, &changes)?;
        let mut files = Vec::new();
        for differs in changes {
            let held = held(repo, env, checkout, &differs)?;
            files.push((differs, held));
        }
        let head = refs::read(repo, &refs::branch_ref(&checkout.branch))?;
        Ok(Self {
            env,
            checkout,
            to,
            from,
            head,
            index_is_new,
            files,
        })
    }

    fn take_away(&self, stop: &Stop) -> Result<Option<String>> {
        let at = |name: &str| self.checkout.git_dir.join(name);
        let branch = self
            .checkout
            .common_dir
            .join(format!("{}.lock", refs::branch_ref(&self.checkout.branch)));
        let packed = self.checkout.common_dir.join("packed-refs.lock");
        let own = ["ORIG_HEAD.lock", "index.lock", "HEAD.lock", "AUTO_MERGE.lock"].map(at);
        let standing: Vec<_> = own
            .into_iter()
            .chain([branch.clone(), packed])
            .filter_map(|path| Some((fs::stamp(&path)?, path)))
            .collect();
        if !standing.is_empty() && !wait::pause(PATIENCE, stop) {
            return Ok(Some("stopped".to_owned()));
        }
        for (stamp, path) in standing {
            if fs::stamp(&path) != Some(stamp) {
                continue;
            }
            if !self.is_ours(&path, &branch)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return Ok(Some(format!("git is at work there ({name} exists)")));
            }
            fs::remove_if_there(&path).doing(|| format!("removing the dead lock {}", path.display()))?;
        }
        match self.head {
            Some(head) if head == self.from && !self.index_is_new => self.stage()?,
            Some(head) if head != self.from && head != self.to => self.take_back(head)?,
            _ => {}
        }
        Ok(None)
    }

    /// A person moved the branch before git could: files and index entries that are as git wrote them become those of `head`.
    fn take_back(&self, head: CommitId) -> Result<()> {
        let written = self
            .files
            .iter()
            .filter(|(_, held)| matches!(held, Held::New | Held::Part));
        let mut paths: Vec<u8> = Vec::new();
        for (differs, _) in written {
            paths.extend(differs.path.as_bytes());
            paths.push(0);
        }
        if paths.is_empty() {
            return Ok(());
        }
        self.mend(Some(head), &paths)
    }

    /// Has git stage index entries, or restore paths from a commit.
    fn mend(&self, from: Option<CommitId>, input: &[u8]) -> Result<()> {
        let fed = |args: &[&str]| command::fed(self.env, &self.checkout.workdir, args, input);
        let mended = point::at(Point::ForwardStaged, || match from {
            None => fed(&["update-index", "-z", "--index-info"]).map_err(io::Error::from),
            Some(head) => {
                let source = format!("--source={head}");
                let both = ["--literal-pathspecs", "restore", &source, "--staged", "--worktree"];
                let listed = ["--quiet", "--pathspec-from-file=-", "--pathspec-file-nul"];
                fed(&[both.as_slice(), &listed].concat()).map_err(io::Error::from)
            }
        });
        mended.doing(|| "mending a fast-forward that was cut short".into())
    }

    /// A lock is of the git that died where that git had gone on behind it: it holds the index lock before it writes a file,
    /// and locks refs after the new index stands.
    fn is_ours(&self, path: &Path, branch: &Path) -> Result<bool> {
        if path == branch {
            let text = fs::read_text(path).doing(|| format!("reading {}", path.display()))?;
            return Ok(
                text.is_some_and(|text| text.trim() == self.to.to_string() || text.is_empty() && self.index_is_new)
            );
        }
        if !path.ends_with("HEAD.lock") && !path.ends_with("index.lock") {
            return Ok(self.came_with_it(path));
        }
        if path.ends_with("HEAD.lock") {
            return Ok(self.index_is_new);
        }
        let begun = |(_, held): &(Differs, Held)| matches!(held, Held::New | Held::Part);
        let changes: Vec<Differs> = self.files.iter().map(|(differs, _)| differs.clone()).collect();
        let has_begun = !self.index_is_new && self.files.iter().any(begun);
        Ok(has_begun
            || self.came_with_it(path)
            || is_index_of(self.env, self.checkout, "index.lock", self.to, &changes)?)
    }

    /// True where a lock came right after the fast-forward was written down, although no git is at work any more: it died
    /// before it had changed anything.
    fn came_with_it(&self, path: &Path) -> bool {
        let (note, _) = places(self.checkout);
        locks::came_with(path, &note)
    }

    /// Has the index say of each file that is new that it is: git goes on from there.
    fn stage(&self) -> Result<()> {
        let mut rows: Vec<u8> = Vec::new();
        for (differs, held) in &self.files {
            match (held, differs.new) {
                (Held::New, Some(new)) => {
                    rows.extend(format!("{} {}\t", mode(new.mode), new.id).bytes());
                    rows.extend(differs.path.as_bytes());
                    rows.push(0);
                }
                (Held::New, None) => {
                    rows.extend(format!("0 {}\t", "0".repeat(self.to.to_string().len())).bytes());
                    rows.extend(differs.path.as_bytes());
                    rows.push(0);
                }
                (Held::Part, _) => remove(&self.checkout.workdir, &differs.path)?,
                (Held::Old | Held::Other, _) => {}
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.mend(None, &rows)
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::File => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
        Mode::Submodule => "160000",
    }
}

/// True where the index file `name` has of every path what `to` has. Another file than a whole index has not.
fn is_index_of(env: &Env, checkout: &Checkout, name: &str, to: CommitId, changes: &[Differs]) -> Result<bool> {
    let file = checkout.git_dir.join(name);
    if std::fs::metadata(&file).map_or(0, |about| about.len()) == 0 {
        return Ok(false);
    }
    let to = to.to_string();
    let args = ["diff-index", "--cached", "--name-only", "-z", &to];
    let said = command::with_index(env, &checkout.workdir, &args, &file)?;
    let differs: Vec<&[u8]> = said.stdout.split(|byte| *byte == 0).collect();
    let is_new = |change: &Differs| !differs.contains(&change.path.as_bytes());
    Ok(said.code == 0 && changes.iter().all(is_new))
}

fn held(repo: &Repo, env: &Env, checkout: &Checkout, differs: &Differs) -> Result<Held> {
    let file = differs.path.below(&checkout.workdir);
    let Ok(about) = std::fs::symlink_metadata(&file) else {
        // git unlinks what it is about to write.
        return Ok(if differs.new.is_none() { Held::New } else { Held::Old });
    };
    let Ok(content) = advance::stored(&file, about.is_symlink()) else {
        return Ok(Held::Other);
    };
    let mut ids = vec![objects::blob_id(repo, &content)?.to_string()];
    if let (false, Some(path)) = (about.is_symlink(), differs.path.as_str()) {
        // As filters of the checkout would have it.
        let hashed = command::output(env, &checkout.workdir, &["hash-object", "--", path])?;
        ids.push(String::from_utf8_lossy(&hashed.stdout).trim().to_owned());
    }
    let is = |entry: Option<Entry>| entry.is_some_and(|entry| ids.contains(&entry.id.to_string()));
    if is(differs.new) {
        return Ok(Held::New);
    }
    if is(differs.old) {
        return Ok(Held::Old);
    }
    let part = differs.new.map(|new| objects::read_blob(repo, new.id)).transpose()?;
    Ok(match part {
        Some(new) if new.starts_with(&content) => Held::Part,
        _ => Held::Other,
    })
}

/// Removes a file of the checkout without following a link.
fn remove(workdir: &Path, path: &RepoPath) -> Result<()> {
    let removed = || -> io::Result<()> {
        match Dir::open(workdir)?.parent_of(path)? {
            Some(folder) => folder.unlink(path.file_name()),
            None => Ok(()),
        }
    };
    removed().map_err(|error| GitError::of(format!("removing the half written {path}"), error))
}
