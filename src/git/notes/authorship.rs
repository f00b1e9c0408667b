//! Notes on who wrote which lines, in `refs/notes/ai`: one text a commit, which other programs write too.
//!
//! Owns how ours get there: nobody's note is replaced, one that is there already is united with ours. What a note says is
//! `provenance`'s business.

use std::collections::BTreeMap;

use crate::{
    git::{
        Doing as _, Repo, Result, commit, gix_id, history,
        notes::{blobs, open, replace},
        objects, oid,
        refs::{self, AUTHORSHIP},
    },
    id::{BlobId, CommitId, Oid, TreeId},
    provenance::git_ai::unite,
    time::Moment,
};

use gix::note::plumbing::State;

/// Says of each of `wanted` whether it has a note.
///
/// # Errors
/// When the notes tree cannot be read.
pub fn are_noted(repo: &Repo, wanted: &[Oid]) -> Result<Vec<bool>> {
    let Some(head) = refs::read(repo, AUTHORSHIP)? else {
        return Ok(vec![false; wanted.len()]);
    };
    let mut state = open(repo, Some(head))?;
    let has = |object: &Oid| Ok(blob(repo, &mut state, *object)?.is_some());
    wanted.iter().map(has).collect()
}

/// Adds `texts` to the notes. Tries again when somebody else moved the ref meanwhile.
///
/// # Errors
/// When notes cannot be read or written, or the race is lost ten times.
pub fn add(repo: &Repo, texts: &[(Oid, String)], at: Moment) -> Result<()> {
    replace(repo, (AUTHORSHIP, "notes: add authorship"), |head| {
        with(repo, head, texts, at)
    })
}

/// Brings the notes at `other` into ours, and `other` into their history. Tries again when somebody else moved the ref
/// meanwhile.
///
/// # Errors
/// As `add`.
pub fn take_in(repo: &Repo, other: CommitId, at: Moment) -> Result<()> {
    replace(repo, (AUTHORSHIP, "notes: join"), |head| {
        join(repo, head, Some(other), at)
    })
}

/// Adds `texts` to the notes that `head` holds and returns what has them; `head` itself where none is new. Moves no ref.
///
/// # Errors
/// When notes cannot be read or written.
pub fn with(repo: &Repo, head: Option<CommitId>, texts: &[(Oid, String)], at: Moment) -> Result<Option<CommitId>> {
    let Some(root) = written(repo, head, texts)? else {
        return Ok(head);
    };
    let parents: Vec<CommitId> = head.into_iter().collect();
    commit::write_unsigned(repo, root, &parents, "Notes added by git-invisigoth\n", at).map(Some)
}

/// Unites two heads of notes and returns the one that has all of both: `theirs` where it has it, else a commit that continues
/// both. Of two notes on one commit what theirs says of a line stands. Moves no ref.
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
    let mut texts = Vec::new();
    for (object, blob) in blobs(repo, our)? {
        // What is no text is nobody's of this standard.
        if known.get(&object) != Some(&blob)
            && let Ok(text) = String::from_utf8(objects::read_blob(repo, blob)?)
        {
            texts.push((object, text));
        }
    }
    let Some(root) = written(repo, theirs, &texts)? else {
        return Ok(theirs);
    };
    let made = commit::write_unsigned(repo, root, &[their, our], "Notes united by git-invisigoth\n", at)?;
    Ok(Some(made))
}

/// Writes the notes tree of `head` with `texts` in it; `None` where nothing is new.
fn written(repo: &Repo, head: Option<CommitId>, texts: &[(Oid, String)]) -> Result<Option<TreeId>> {
    let mut state = open(repo, head)?;
    let mut is_new = false;
    for (object, text) in texts {
        let before = match blob(repo, &mut state, *object)? {
            Some(blob) => Some(objects::read_blob(repo, blob)?),
            None => None,
        };
        let new = match before {
            None => Some(text.clone()),
            Some(before) => String::from_utf8(before).ok().and_then(|before| unite(&before, text)),
        };
        let Some(new) = new else { continue };
        is_new = true;
        let blob = objects::write_blob(repo, new.as_bytes())?;
        let edited = state.edit(gix_id(*object), Some(gix_id(blob.0)), &repo.gix.objects);
        edited.doing(|| format!("editing the note on {object}"))?;
    }
    if !is_new {
        return Ok(None);
    }
    let root = state.write(&objects::Store(repo)).doing(|| "writing notes".into())?;
    Ok(Some(TreeId(oid(&root))))
}

fn blob(repo: &Repo, state: &mut State, object: Oid) -> Result<Option<BlobId>> {
    let found = state.get(&gix_id(object), &repo.gix.objects);
    let found = found.doing(|| format!("reading the note on {object}"))?;
    Ok(found.map(|id| BlobId(oid(&id))))
}
