//! Joining the attempts of two clones: the union of their paths.
//!
//! Two clones may each have made an attempt of the same number at a goal: then one keeps it and the other gets a free one.
//! Moves no ref.

use std::collections::BTreeMap;

use gix::objs::tree::EntryKind;

use crate::{
    git::{Repo, Result, codetree, commit, gix_id, objects, tree},
    id::{CommitId, Oid, TreeId},
    time::Moment,
};

/// A goal's part of a ref name in its folder, and the attempt's number.
type Place = (String, u32);

/// The files of one attempt by the rest of their names; true for a folder.
type Files = BTreeMap<String, (bool, Oid)>;

type Attempts = BTreeMap<Place, Files>;

/// Joins two heads of attempts, both of which once were `base`; returns the one that has all of both.
///
/// # Errors
/// When trees cannot be read or written.
pub fn join(
    repo: &Repo,
    base: Option<CommitId>,
    (ours, theirs): (Option<CommitId>, Option<CommitId>),
    at: Moment,
) -> Result<Option<CommitId>> {
    let (Some(our), Some(their)) = (ours, theirs) else {
        return Ok(theirs.or(ours));
    };
    if our == their || base == Some(our) {
        return Ok(theirs);
    }
    if base == Some(their) {
        return Ok(ours);
    }
    let base = match base.filter(|base| repo.has(*base)) {
        Some(base) => read(repo, base)?,
        None => Attempts::new(),
    };
    let (our_files, their_files) = (read(repo, our)?, read(repo, their)?);
    let all = united(&base, &our_files, &their_files);
    if all == their_files {
        return Ok(theirs);
    }
    if all == our_files {
        return Ok(ours);
    }
    let root = write(repo, &all)?;
    commit::write_unsigned(repo, root, &[], "Attempts of git-invisigoth\n", at).map(Some)
}

/// Counts the attempts that `head` holds.
///
/// # Errors
/// When trees cannot be read.
pub fn count(repo: &Repo, head: Option<CommitId>) -> Result<usize> {
    head.map_or(Ok(0), |head| Ok(read(repo, head)?.len()))
}

fn united(base: &Attempts, ours: &Attempts, theirs: &Attempts) -> Attempts {
    let mut all = theirs.clone();
    let mut displaced: Vec<(String, Files)> = Vec::new();
    for (place, our) in ours {
        let Some(their) = theirs.get(place) else {
            all.insert(place.clone(), our.clone());
            continue;
        };
        let old = base.get(place);
        if our == their || old == Some(our) {
            continue;
        }
        if old == Some(their) {
            all.insert(place.clone(), our.clone());
        } else if is_one_attempt(our, their) {
            all.insert(place.clone(), further(our, their));
        } else {
            // Whoever joins comes to the same.
            let (kept, other) = if our > their { (our, their) } else { (their, our) };
            all.insert(place.clone(), kept.clone());
            displaced.push((place.0.clone(), other.clone()));
        }
    }
    for (goal, files) in displaced {
        let of_goal = all.range((goal.clone(), 0)..=(goal.clone(), u32::MAX));
        let known: Vec<(u32, &Files)> = of_goal.map(|((_, number), files)| (*number, files)).collect();
        if known.iter().any(|(_, other)| **other == files) {
            continue;
        }
        let free = known.last().map_or(1, |(number, _)| number.saturating_add(1));
        all.insert((goal, free), files);
    }
    all
}

/// True where both say the same of a call, or one has all that the other has: then one is what became of the other.
fn is_one_attempt(one: &Files, other: &Files) -> bool {
    let same = |(name, file): (&String, &(bool, Oid))| other.get(name) == Some(file);
    one.iter().any(same)
}

/// Returns both, the files of the one that went further where they differ.
fn further(ours: &Files, theirs: &Files) -> Files {
    let (more, less) = if theirs.len() > ours.len() {
        (theirs, ours)
    } else {
        (ours, theirs)
    };
    let mut files = less.clone();
    files.extend(more.clone());
    files
}

fn read(repo: &Repo, head: CommitId) -> Result<Attempts> {
    let mut found = Attempts::new();
    let folders = objects::rows(repo, tree::of_commit(repo, head)?)?;
    for folder in folders.into_iter().filter(|row| row.kind == EntryKind::Tree) {
        for row in objects::rows(repo, TreeId(folder.id))? {
            let name = row.text();
            let Some((goal, rest)) = name.rsplit_once('@') else {
                continue;
            };
            let Some((number, rest)) = rest.split_once('.') else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let place = (format!("{}/{goal}", folder.text()), number);
            let file = (row.kind == EntryKind::Tree, row.id);
            found.entry(place).or_default().insert(rest.to_owned(), file);
        }
    }
    Ok(found)
}

fn write(repo: &Repo, all: &Attempts) -> Result<TreeId> {
    let empty = objects::write_empty_tree(repo)?;
    codetree::edit(repo, empty, |editor| {
        for ((goal, number), files) in all {
            for (rest, (is_tree, id)) in files {
                let path = format!("{goal}@{number}.{rest}");
                let kind = if *is_tree { EntryKind::Tree } else { EntryKind::Blob };
                editor.upsert(path.split('/'), kind, gix_id(*id))?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `g1 a=1 b=2` is attempt 1 at `g` with files `a` and `b`.
    fn attempts(words: &[&str]) -> Attempts {
        let attempt = |text: &&str| {
            let mut words = text.split(' ');
            let (goal, number) = words.next().unwrap().split_at(1);
            let file = |word: &str| {
                let (name, content) = word.split_once('=').unwrap();
                let id = format!("{:040x}", content.parse::<u32>().unwrap());
                (name.to_owned(), (false, id.parse().unwrap()))
            };
            ((goal.to_owned(), number.parse().unwrap()), words.map(file).collect())
        };
        words.iter().map(attempt).collect()
    }

    #[test]
    fn the_union_has_all_of_both_and_is_the_same_from_either_side() {
        for (case, base, one, other, all) in [
            (
                "two goals",
                &[][..],
                &["a1 x=1"][..],
                &["b1 x=2"][..],
                &["a1 x=1", "b1 x=2"][..],
            ),
            ("one went on", &["a1 x=1"], &["a1 x=2"], &["a1 x=1"], &["a1 x=2"]),
            (
                "one went on, and nobody saw it before",
                &[],
                &["a1 c=1 x=1"],
                &["a1 c=1 d=3 x=2"],
                &["a1 c=1 d=3 x=2"],
            ),
            (
                "the same number twice",
                &[],
                &["a1 x=1"],
                &["a1 x=2"],
                &["a1 x=2", "a2 x=1"],
            ),
            (
                "again, after one joined",
                &[],
                &["a1 x=1"],
                &["a1 x=2", "a2 x=1"],
                &["a1 x=2", "a2 x=1"],
            ),
            (
                "a free number",
                &[],
                &["a1 x=1", "a2 x=7"],
                &["a1 x=2"],
                &["a1 x=2", "a2 x=7", "a3 x=1"],
            ),
        ] {
            let [base, one, other, all] = [base, one, other, all].map(attempts);
            assert_eq!(united(&base, &one, &other), all, "{case}");
            assert_eq!(united(&base, &other, &one), all, "{case}, from the other side");
        }
    }
}
