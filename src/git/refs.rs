//! Refs: names, reads, and moves by compare-and-swap. The only place where a ref changes.
//!
//! Owns the order in which the refs of one act move (`docs/ARCHITECTURE.md`, "order of effects").

use std::io;

use gix::refs::{
    FullName, Target,
    transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog},
};

use crate::{
    check::Verified,
    door::point,
    fault::point::Point,
    git::{
        Doing as _, GitError, Repo, Result,
        claims::CLAIMS,
        codetree::MemoryTree,
        commit, gix_id,
        locks::{self, Moving},
        objects, oid, tree,
    },
    id::{CommitId, GoalId, Oid},
    time::Moment,
};

/// Where candidates are: `refs/heads/invisigoth/<goal>`.
pub const CANDIDATES: &str = "refs/heads/invisigoth/";
/// Records of landed commits.
pub const NOTES: &str = "refs/notes/invisigoth";
/// Who wrote which lines, as other programs read and write it: the Git AI standard.
pub const AUTHORSHIP: &str = "refs/notes/ai";
/// Verdicts on code trees; local.
pub const TESTED: &str = "refs/notes/invisigoth-tested";
/// What `evolve` measured; local.
pub const METRICS: &str = "refs/notes/invisigoth-metrics";
/// Where `evolve` keeps its variants: `refs/invisigoth/variants/<goal>/<n>`.
pub const VARIANTS: &str = "refs/invisigoth/variants/";
/// What every attempt asked and got.
pub const ATTEMPTS: &str = "refs/invisigoth/attempts";
/// Where all is that nobody but us writes.
pub const OWN: &str = "refs/invisigoth/";
/// All notes that we write.
pub const NOTED: [&str; 4] = [NOTES, AUTHORSHIP, TESTED, METRICS];

/// Returns the name of a goal's candidate.
pub fn candidate_ref(goal: &GoalId) -> String {
    format!("{CANDIDATES}{}", goal.ref_part())
}

/// Returns the name under which variant `number` of a goal is kept.
pub fn variant_ref(goal: &GoalId, number: u32) -> String {
    format!("{VARIANTS}{}/{number}", goal.ref_part())
}

/// Undos that are to be done anew, because their target moved away from where they waited.
pub const UNDONE: &str = "refs/invisigoth/undone/";

/// Returns the name under which the undo of a goal is kept until it is done anew.
pub fn undone_ref(goal: &GoalId) -> String {
    format!("{UNDONE}{}", goal.ref_part())
}

/// Returns the name of the head of what landed while the checked-out `target` could not follow.
pub fn landed_ref(target: &str) -> String {
    format!("refs/invisigoth/landed/{target}")
}

/// Returns the name of what `target` was when results began to wait beside it.
pub fn base_ref(target: &str) -> String {
    format!("refs/invisigoth/base/{target}")
}

/// Returns the full name of a branch.
pub fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// Where HEAD is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Head {
    /// On a branch, by short name; without commit while unborn.
    Branch(String, Option<CommitId>),
    /// On no branch.
    Detached(CommitId),
}

/// Reads HEAD.
///
/// # Errors
/// When it cannot be read.
pub fn head(repo: &Repo) -> Result<Head> {
    let head = repo.gix.head().doing(|| "reading HEAD".into())?;
    let name = head.referent_name().map(|name| name.shorten().to_string());
    let id = head.id().map(|id| CommitId(oid(&id)));
    match (name, id) {
        (Some(name), id) => Ok(Head::Branch(name, id)),
        (None, Some(id)) => Ok(Head::Detached(id)),
        (None, None) => Err(GitError::new("HEAD names neither a branch nor a commit")),
    }
}

/// Returns the branch that clones of `remote` start on, as far as this clone knows.
///
/// # Errors
/// When the ref cannot be read.
pub fn default_of(repo: &Repo, remote: &str) -> Result<Option<String>> {
    let name = format!("refs/remotes/{remote}/HEAD");
    let found = repo
        .gix
        .try_find_reference(name.as_str())
        .doing(|| format!("reading {name}"))?;
    let target = found.and_then(|found| found.target().try_name().map(ToString::to_string));
    let below = format!("refs/remotes/{remote}/");
    Ok(target.and_then(|target| target.strip_prefix(&below).map(str::to_owned)))
}

/// Reads a ref; `None` where there is none.
///
/// # Errors
/// When it cannot be read, or its name is not a ref name.
pub fn read(repo: &Repo, name: &str) -> Result<Option<CommitId>> {
    let found = repo.gix.try_find_reference(name).doing(|| format!("reading {name}"))?;
    let Some(mut found) = found else { return Ok(None) };
    let id = found.peel_to_id().doing(|| format!("reading {name}"))?;
    Ok(Some(CommitId(oid(&id))))
}

/// Lists the refs below `prefix`, by full name.
///
/// # Errors
/// When refs cannot be listed.
pub fn below(repo: &Repo, prefix: &str) -> Result<Vec<(String, CommitId)>> {
    let refs = repo.gix.references().doing(|| "listing refs".into())?;
    let mut found = Vec::new();
    for reference in refs.prefixed(prefix).doing(|| format!("listing {prefix}"))? {
        let reference = match reference {
            // Somebody deleted it since the folder was read.
            Err(error) if error.dominant_class() == Some(gix::error::Class::NotFound) => continue,
            reference => reference.doing(|| format!("listing {prefix}"))?,
        };
        if let Some(id) = reference.target().try_id() {
            found.push((reference.name().as_bstr().to_string(), CommitId(oid(id))));
        }
    }
    Ok(found)
}

/// Resolves what a person typed, such as `main~2`, to a commit.
///
/// # Errors
/// When it names nothing, or no commit.
pub fn resolve(repo: &Repo, spec: &str) -> Result<CommitId> {
    let id = repo
        .gix
        .rev_parse_single(spec)
        .map_err(|_| GitError::new(format!("`{spec}` names no commit here")))?;
    let object = id.object().doing(|| format!("reading `{spec}`"))?;
    let commit = object
        .peel_to_kind(gix::objs::Kind::Commit)
        .doing(|| format!("`{spec}` is no commit"))?;
    Ok(CommitId(oid(&commit.id)))
}

/// Returns the branch that makes every candidate impossible: beside `invisigoth` there can be no `invisigoth/<goal>`.
///
/// # Errors
/// When refs cannot be read.
pub fn clash(repo: &Repo) -> Result<Option<String>> {
    let name = CANDIDATES.trim_end_matches('/');
    Ok(read(repo, name)?.map(|_| "invisigoth".to_owned()))
}

/// One ref's part of a transaction.
#[derive(Clone, Debug)]
pub enum RefMove {
    /// From `old` (or from not being there) to `new`.
    Set {
        /// Full name.
        name: String,
        /// What it must be now.
        old: Option<CommitId>,
        /// What it becomes.
        new: CommitId,
        /// The reflog's line.
        why: String,
    },
    /// From `old` to not being there.
    Delete {
        /// Full name.
        name: String,
        /// What it must be now.
        old: CommitId,
    },
}

impl RefMove {
    fn new_id(&self) -> Option<Oid> {
        match self {
            Self::Set { new, .. } => Some(new.0),
            Self::Delete { .. } => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Set { name, .. } | Self::Delete { name, .. } => name,
        }
    }
}

/// How often refs are locked whose locks others hold: as long as each time takes, that is patient.
const TRIES: u32 = 5;

/// How a compare-and-swap went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Swap {
    /// All refs moved.
    Done,
    /// A ref was not what it had to be; nothing moved.
    Lost,
}

/// Moves refs in the order given, deletions last; none if one is not what it must be.
///
/// # Errors
/// When refs cannot be locked or written.
pub fn swap(repo: &Repo, moves: &[RefMove]) -> Result<Swap> {
    let mut edits = moves.iter().map(edit).collect::<Result<Vec<_>>>()?;
    // A no-op would pass gix's test for "must not exist" although somebody else made the very same ref.
    let committer = repo
        .gix
        .committer()
        .transpose()
        .doing(|| "reading who commits".into())?;
    repo.disk
        .sync_objects(repo)
        .doing(|| "bringing objects to the disk".into())?;
    let mut tries = 0;
    let new = || moves.iter().filter_map(RefMove::new_id);
    let once = |edits: &[RefEdit]| -> io::Result<_> {
        let _moving = Moving::begin(repo);
        // Until now nothing kept what is new from `git gc`; nothing but the move itself may come after this.
        new().try_for_each(|id| repo.disk.recent.complete(repo, id))?;
        Ok(repo.gix.edit_references_as(edits.to_vec(), committer))
    };
    let swapped = point::at(point_of(moves), || {
        loop {
            tries += 1;
            let Err(error) = once(&edits)? else {
                return Ok(Swap::Done);
            };
            // gix can fail after refs moved: over packed refs that another process wrote meanwhile.
            let left: Vec<&RefMove> = moves.iter().filter(|part| !is_as_wanted(repo, part)).collect();
            if left.is_empty() {
                return Ok(Swap::Done);
            }
            let has_begun = left.len() < edits.len();
            if !has_begun && (is_lost_race(&error) || is_gone(repo, moves)) {
                return Ok(Swap::Lost);
            }
            // Somebody holds a lock, or died over it; or took a folder away that was empty.
            let may_pass = matches!(
                error.dominant_class(),
                Some(gix::error::Class::Retryable | gix::error::Class::NotFound)
            ) || is_folder_gone(&error);
            if tries >= TRIES || !(has_begun || may_pass) {
                return Err(io::Error::other(error));
            }
            edits = left
                .into_iter()
                .map(edit)
                .collect::<Result<_>>()
                .map_err(io::Error::from)?;
            locks::clear_among(repo, moves.iter().map(RefMove::name))?;
        }
    });
    let swapped = swapped.doing(|| "moving refs".into())?;
    if swapped == Swap::Done {
        new().for_each(|id| repo.disk.recent.named(repo, id));
        let names = moves.iter().map(RefMove::name);
        repo.disk
            .sync_refs(repo, names)
            .doing(|| "bringing refs to the disk".into())?;
    }
    Ok(swapped)
}

/// Names the place that moving these refs is, by the one among them that says most.
fn point_of(moves: &[RefMove]) -> Point {
    let claims = |name: &str| name.starts_with(CLAIMS);
    let ranked = |part: &RefMove| match part.name() {
        NOTES => (1, Point::RecordsNoted),
        AUTHORSHIP => (1, Point::AuthorshipNoted),
        TESTED => (1, Point::VerdictsNoted),
        ATTEMPTS => (1, Point::AttemptSaved),
        name if name.starts_with(CANDIDATES) => (1, Point::CandidateSet),
        name if name.starts_with(UNDONE) => (1, Point::UndoKept),
        name if claims(name) => (1, Point::ClaimTaken),
        name if name.starts_with("refs/heads/") => (2, Point::TargetMoved),
        name if name.starts_with("refs/invisigoth/landed/") => (2, Point::LandedMoved),
        _ => (0, Point::RefMoved),
    };
    let set = moves.iter().filter(|part| matches!(part, RefMove::Set { .. }));
    match set.map(ranked).max_by_key(|(rank, _)| *rank) {
        Some((_, point)) => point,
        None if moves.iter().all(|part| claims(part.name())) => Point::ClaimLeft,
        None => Point::RefsDeleted,
    }
}

/// True where a ref is what a move makes of it.
fn is_as_wanted(repo: &Repo, part: &RefMove) -> bool {
    let now = read(repo, part.name());
    match part {
        RefMove::Set { new, .. } => now.is_ok_and(|now| now == Some(*new)),
        RefMove::Delete { .. } => now.is_ok_and(|now| now.is_none()),
    }
}

/// True where a ref is not there any more that had to be: gix has no error of its own for that.
fn is_gone(repo: &Repo, moves: &[RefMove]) -> bool {
    let had = |part: &&RefMove| match part {
        RefMove::Set { old, .. } => old.is_some(),
        RefMove::Delete { .. } => true,
    };
    let mut had = moves.iter().filter(had);
    had.any(|part| read(repo, part.name()).is_ok_and(|now| now.is_none()))
}

/// True where a folder was there, and was none a moment later: gix looks twice, and another process that deletes the last ref
/// in a folder takes the folder along.
fn is_folder_gone(error: &gix::Error) -> bool {
    let found = error.downcast_any_ref::<io::Error>();
    found.is_some_and(|error| error.kind() == io::ErrorKind::NotADirectory)
}

fn is_lost_race(error: &gix::Error) -> bool {
    use gix::refs::file::transaction::prepare;
    error.downcast_any_ref::<prepare::ReferenceOutOfDate>().is_some()
        || error.downcast_any_ref::<prepare::MustNotExist>().is_some()
        || error.dominant_class() == Some(gix::error::Class::Conflict)
}

fn edit(part: &RefMove) -> Result<RefEdit> {
    let name = |name: &str| FullName::try_from(name).doing(|| format!("`{name}` is not a ref name"));
    let object = |id: &CommitId| Target::Object(gix_id(id.0));
    Ok(match part {
        RefMove::Set {
            name: full,
            old,
            new,
            why,
        } => RefEdit::new(
            name(full)?,
            Change::Update {
                log: LogChange {
                    mode: RefLog::AndReference,
                    force_create_reflog: false,
                    message: one_line(why).into(),
                },
                expected: match old {
                    Some(old) => PreviousValue::MustExistAndMatch(object(old)),
                    None => PreviousValue::MustNotExist,
                },
                new: object(new),
            },
        ),
        RefMove::Delete { name: full, old } => RefEdit::new(
            name(full)?,
            Change::Delete {
                expected: PreviousValue::ExistingMustMatch(object(old)),
                log: RefLog::AndReference,
            },
        ),
    })
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What is to land, and where.
#[derive(Clone, Debug)]
pub struct Landing<'a> {
    /// Where it lands: the branch, or `landed_ref` while the branch is checked out.
    pub name: String,
    /// What that ref is now; `None` where `landed_ref` does not exist yet.
    pub old: Option<CommitId>,
    /// A move that goes before it, in the same transaction.
    pub before: Option<RefMove>,
    /// The commit that is built upon: first parent.
    pub tip: CommitId,
    /// The members: further parents.
    pub candidates: &'a [CommitId],
    /// The landing commit's message.
    pub message: &'a commit::Message,
    /// Its date.
    pub at: Moment,
}

/// How a landing went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Land {
    /// The ref is at this commit now.
    Landed(CommitId),
    /// Somebody moved the ref meanwhile; nothing happened.
    Moved,
}

/// A landing commit that no ref names yet. Only `prepare` makes one, and only of code that passed.
#[derive(Clone, Copy, Debug)]
pub struct Prepared(CommitId);

impl Prepared {
    /// Returns the commit.
    pub fn commit(self) -> CommitId {
        self.0
    }
}

/// Makes the commit that lands `verified` with `memory`. Moves no ref.
///
/// # Errors
/// When `memory` is not that code, or objects cannot be written.
pub fn prepare(repo: &Repo, verified: &Verified, memory: MemoryTree, landing: &Landing<'_>) -> Result<Prepared> {
    prepare_by(repo, verified, memory, landing, None)
}

/// As `prepare`, of the work of `author` where there is one named: for a landing without candidates, which is the work.
///
/// # Errors
/// As `prepare`.
pub fn prepare_by(
    repo: &Repo,
    verified: &Verified,
    memory: MemoryTree,
    landing: &Landing<'_>,
    author: Option<&commit::Author>,
) -> Result<Prepared> {
    let mut parents = vec![landing.tip];
    parents.extend_from_slice(landing.candidates);
    commit::landing(repo, verified, memory, &parents, (landing.message, author), landing.at).map(Prepared)
}

/// Lands what was prepared: proves in a freshly opened store that everything it needs is there, and only then moves the
/// ref.
///
/// # Errors
/// When objects are missing; the ref is as before then.
pub fn land(repo: &Repo, landing: &Landing<'_>, prepared: Prepared) -> Result<Land> {
    prove(repo, landing, prepared)?;
    let made = prepared.commit();
    let set = RefMove::Set {
        name: landing.name.clone(),
        old: landing.old,
        new: made,
        why: landing.message.subject.clone(),
    };
    let moves: Vec<RefMove> = landing.before.iter().cloned().chain([set]).collect();
    Ok(match swap(repo, &moves)? {
        Swap::Done => Land::Landed(made),
        Swap::Lost => Land::Moved,
    })
}

/// Proves in a freshly opened store that everything is there that a landing needs.
///
/// # Errors
/// When objects are missing.
pub fn prove(repo: &Repo, landing: &Landing<'_>, Prepared(made): Prepared) -> Result<()> {
    let mut new: Vec<Oid> = vec![made.0];
    new.extend(landing.candidates.iter().map(|candidate| candidate.0));
    new.extend(objects::added(
        repo,
        Some(tree::of_commit(repo, landing.tip)?),
        tree::of_commit(repo, made)?,
    )?);
    match objects::missing(repo, new)?.first() {
        None => Ok(()),
        Some(gone) => Err(GitError::new(format!(
            "object {gone} vanished before the landing; the target is untouched"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        door::{env::Env, spawn::run_captured},
        git::Shared,
    };

    #[test]
    fn refs_that_come_while_others_go_find_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::read().for_checks(&[]);
        for args in [
            &["init", "-q", "-b", "main"][..],
            &["config", "user.name", "a"],
            &["config", "user.email", "a@b"],
            &["commit", "-q", "--allow-empty", "-m", "one"],
        ] {
            let done = run_captured("git", args, folder.path(), &env, b"", None).unwrap();
            assert_eq!(done.code, 0, "{}", String::from_utf8_lossy(&done.stderr));
        }
        let shared = Shared::open(folder.path(), Vec::new()).unwrap();
        let head = resolve(&shared.repo(), "main").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let shared = &shared;
                scope.spawn(move || {
                    let repo = shared.repo();
                    for nth in 0..500 {
                        let name = format!("{CANDIDATES}{thread}-{nth}");
                        let (old, new, why) = (None, head, String::new());
                        let come = RefMove::Set {
                            name: name.clone(),
                            old,
                            new,
                            why,
                        };
                        assert_eq!(swap(&repo, &[come]).unwrap(), Swap::Done);
                        assert_eq!(swap(&repo, &[RefMove::Delete { name, old: head }]).unwrap(), Swap::Done);
                    }
                });
            }
        });
    }
}
