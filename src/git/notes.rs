//! Notes: lines of JSON on commits (records) or on code trees (verdicts). Every writer unites; absence never deletes.
//!
//! Notes that are whole texts, which other programs write too, are in `authorship`.

use std::collections::{BTreeMap, BTreeSet};

use gix::note::plumbing::State;

use crate::{
    git::{
        Doing as _, GitError, Repo, Result, commit, gix_id, history, objects, oid,
        refs::{self, RefMove, Swap},
        tree,
    },
    id::{BlobId, CommitId, Oid, TreeId},
    time::Moment,
};

/// What other programs are told of our commits.
pub mod authorship;

/// Reads the lines of the note on `object` in the notes ref `name`.
///
/// # Errors
/// When the notes tree cannot be read.
pub fn lines(repo: &Repo, name: &str, object: Oid) -> Result<Vec<String>> {
    let Some(head) = refs::read(repo, name)? else {
        return Ok(Vec::new());
    };
    let mut state = open(repo, Some(head))?;
    lines_in(repo, &mut state, object)
}

/// Reads the lines of all `objects` at once, in their order.
///
/// # Errors
/// As `lines`.
pub fn lines_of_all(repo: &Repo, name: &str, wanted: &[Oid]) -> Result<Vec<Vec<String>>> {
    let Some(head) = refs::read(repo, name)? else {
        return Ok(vec![Vec::new(); wanted.len()]);
    };
    let mut state = open(repo, Some(head))?;
    wanted
        .iter()
        .map(|object| lines_in(repo, &mut state, *object))
        .collect()
}

/// Lists every object that has a note in `name`.
///
/// # Errors
/// When the notes tree cannot be read.
pub fn annotated(repo: &Repo, name: &str) -> Result<Vec<Oid>> {
    let head = refs::read(repo, name)?;
    let blobs = head.map_or(Ok(Vec::new()), |head| blobs(repo, head))?;
    Ok(blobs.into_iter().map(|(object, _)| object).collect())
}

/// Returns which of `lines` ever stood in the notes `name` on their objects, by their places: as the notes' own history
/// tells, looking back over up to `most` moves.
///
/// # Errors
/// When the history of notes cannot be read.
pub fn ever(repo: &Repo, name: &str, lines: &[(Oid, &str)], most: usize) -> Result<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    let Some(head) = refs::read(repo, name)? else {
        return Ok(found);
    };
    for entry in history::first_parents(repo, head, most)? {
        if found.len() == lines.len() {
            break;
        }
        let mut state = open(repo, Some(entry.id))?;
        for (at, (object, line)) in lines.iter().enumerate() {
            if !found.contains(&at) && lines_in(repo, &mut state, *object)?.iter().any(|old| old == line) {
                found.insert(at);
            }
        }
    }
    Ok(found)
}

fn open(repo: &Repo, head: Option<CommitId>) -> Result<State> {
    let root = match head {
        Some(head) => gix_id(tree::of_commit(repo, head)?.0),
        None => gix::ObjectId::empty_tree(repo.gix.object_hash()),
    };
    State::new(root, &repo.gix.objects).doing(|| "reading notes".into())
}

fn lines_in(repo: &Repo, state: &mut State, object: Oid) -> Result<Vec<String>> {
    let blob = state
        .get(&gix_id(object), &repo.gix.objects)
        .doing(|| format!("reading the note on {object}"))?;
    let Some(blob) = blob else { return Ok(Vec::new()) };
    let text = objects::read_blob(repo, BlobId(oid(&blob)))?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect())
}

/// Adds `lines` to the notes of their objects; a line that is there already is not added again. Tries again when somebody
/// else moved the ref meanwhile.
///
/// # Errors
/// When notes cannot be read or written, or the race is lost ten times.
pub fn add(repo: &Repo, name: &str, lines: &[(Oid, String)], at: Moment) -> Result<()> {
    replace(repo, (name, "notes: add records"), |head| with(repo, head, lines, at))
}

/// Moves the notes ref `name` to what `make` makes of its head, where that is something else. Tries again when somebody else
/// moved it meanwhile.
fn replace(
    repo: &Repo,
    (name, why): (&str, &str),
    make: impl Fn(Option<CommitId>) -> Result<Option<CommitId>>,
) -> Result<()> {
    for _ in 0..10 {
        let head = refs::read(repo, name)?;
        let Some(new) = make(head)?.filter(|new| head != Some(*new)) else {
            return Ok(());
        };
        let set = RefMove::Set {
            name: name.to_owned(),
            old: head,
            new,
            why: why.to_owned(),
        };
        if refs::swap(repo, &[set])? == Swap::Done {
            return Ok(());
        }
    }
    Err(GitError::new(format!("{name} was moved by others ten times in a row")))
}

/// Brings all lines of the notes at `other` into the notes ref `name`: every line of both stays, and `other` is part of its
/// history then. Tries again when somebody else moved the ref meanwhile.
///
/// # Errors
/// As `add`.
pub fn take_in(repo: &Repo, name: &str, other: CommitId, at: Moment) -> Result<()> {
    replace(repo, (name, "notes: join"), |head| join(repo, head, Some(other), at))
}

/// Unites two heads of notes and returns the one that has every line of both: `theirs` where it has them all, else a commit
/// that continues both. Moves no ref.
///
/// # Errors
/// When notes cannot be read or written.
pub fn join(repo: &Repo, ours: Option<CommitId>, theirs: Option<CommitId>, at: Moment) -> Result<Option<CommitId>> {
    let (Some(our), Some(their)) = (ours, theirs) else {
        return Ok(theirs.or(ours));
    };
    if history::contains(repo, their, our)? {
        return Ok(Some(their));
    }
    if history::contains(repo, our, their)? {
        return Ok(Some(our));
    }
    let known: BTreeMap<Oid, BlobId> = blobs(repo, their)?.into_iter().collect();
    let mut state = open(repo, ours)?;
    let mut lines: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
    for (object, blob) in blobs(repo, our)? {
        if known.get(&object) != Some(&blob) {
            lines.insert(object, lines_in(repo, &mut state, object)?);
        }
    }
    let wanted = lines
        .iter()
        .map(|(object, lines)| (*object, lines.iter().map(String::as_str).collect()))
        .collect();
    let Some(root) = unite(repo, theirs, &wanted)? else {
        return Ok(theirs);
    };
    let made = commit::write_unsigned(repo, root, &[their, our], "Notes united by git-invisigoth\n", at)?;
    Ok(Some(made))
}

/// Adds `lines` to the notes that `head` holds and returns what has them; `head` itself where none is new. Moves no ref.
///
/// # Errors
/// When notes cannot be read or written.
pub fn with(repo: &Repo, head: Option<CommitId>, lines: &[(Oid, String)], at: Moment) -> Result<Option<CommitId>> {
    let mut wanted: BTreeMap<Oid, Vec<&str>> = BTreeMap::new();
    for (object, line) in lines {
        wanted.entry(*object).or_default().push(line);
    }
    let Some(root) = unite(repo, head, &wanted)? else {
        return Ok(head);
    };
    let parents: Vec<CommitId> = head.into_iter().collect();
    commit::write_unsigned(repo, root, &parents, "Notes added by git-invisigoth\n", at).map(Some)
}

/// Counts the lines of all notes below `head`, each with what it is on.
///
/// # Errors
/// When notes cannot be read.
pub fn count(repo: &Repo, head: Option<CommitId>) -> Result<usize> {
    let Some(of) = head else { return Ok(0) };
    let mut state = open(repo, head)?;
    let objects = blobs(repo, of)?;
    objects.into_iter().try_fold(
        0,
        |sum, (object, _)| Ok(sum + lines_in(repo, &mut state, object)?.len()),
    )
}

/// Lists what has a note at `head`, with the blob of each note.
fn blobs(repo: &Repo, head: CommitId) -> Result<Vec<(Oid, BlobId)>> {
    let listing = tree::list(repo, tree::of_commit(repo, head)?)?;
    let id = |path: &str| path.replace('/', "").parse::<Oid>().ok();
    Ok(listing
        .iter()
        .filter_map(|(path, entry)| Some((path.as_str().and_then(id)?, entry.id)))
        .collect())
}

/// Makes the notes ref `name` with no notes in it, if there is none: git warns of a configured notes ref that is not there.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn begin(repo: &Repo, name: &str, at: Moment) -> Result<()> {
    if refs::read(repo, name)?.is_some() {
        return Ok(());
    }
    let root = objects::write_empty_tree(repo)?;
    let made = commit::write_unsigned(repo, root, &[], "Notes of git-invisigoth\n", at)?;
    let set = RefMove::Set {
        name: name.to_owned(),
        old: None,
        new: made,
        why: "notes: begin".into(),
    };
    // Somebody else may have been first: then it is there.
    refs::swap(repo, &[set]).map(|_| ())
}

/// Writes the notes tree with `wanted` united in; `None` where nothing is new.
fn unite(repo: &Repo, head: Option<CommitId>, wanted: &BTreeMap<Oid, Vec<&str>>) -> Result<Option<TreeId>> {
    let mut state = open(repo, head)?;
    let mut changed = false;
    for (object, new) in wanted {
        let mut all = lines_in(repo, &mut state, *object)?;
        let before = all.len();
        for line in new {
            if !all.iter().any(|there| there == line) {
                all.push((*line).to_owned());
            }
        }
        if all.len() == before {
            continue;
        }
        changed = true;
        let blob = objects::write_blob(repo, format!("{}\n", all.join("\n")).as_bytes())?;
        let edited = state.edit(gix_id(*object), Some(gix_id(blob.0)), &repo.gix.objects);
        edited.doing(|| format!("editing the note on {object}"))?;
    }
    if !changed {
        return Ok(None);
    }
    let root = state.write(&objects::Store(repo)).doing(|| "writing notes".into())?;
    Ok(Some(TreeId(oid(&root))))
}
