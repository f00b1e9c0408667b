//! Commits: candidates and landings are made here, and only of code trees that passed.
//!
//! Owns identity, date and signature of what we commit. Runs no hooks and moves no ref.

use gix::{
    bstr::BString,
    objs::{Commit, CommitRef, WriteTo as _},
};

use crate::{
    check::Verified,
    git::{
        Doing as _, GitError, Repo, Result,
        codetree::{self, MemoryTree},
        gix_id, objects, oid, tree,
    },
    id::{CommitId, TreeId},
    time::Moment,
};

/// A commit message: a subject, an optional body, and our trailers as its last paragraph.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Free text; empty for none.
    pub body: String,
    /// `Key: value` pairs.
    pub trailers: Vec<(&'static str, String)>,
}

impl Message {
    /// Longest subject in characters; git's own tools cut at about this.
    const SUBJECT: usize = 72;

    /// Returns the whole text. Control characters go, the subject is cut, and lines of the body that look like one of
    /// our trailers are indented: goal texts and replies must not be able to forge one.
    pub fn text(&self) -> String {
        let subject: String = self
            .subject
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let subject = cut(&subject, Self::SUBJECT);
        let body: Vec<String> = self.body.trim().lines().map(body_line).collect();
        let trailers: Vec<String> = self
            .trailers
            .iter()
            .map(|(key, value)| format!("{key}: {}", value.replace(char::is_control, " ")))
            .collect();
        let paragraphs = [subject, body.join("\n"), trailers.join("\n")];
        let filled: Vec<&str> = paragraphs
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        format!("{}\n", filled.join("\n\n"))
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

fn body_line(line: &str) -> String {
    let line: String = line
        .chars()
        .filter(|c| !c.is_control() || *c == '\t')
        .take(1000)
        .collect();
    let forged = [
        "Goal",
        "Attempt",
        "Goal-Version",
        "Landed",
        "Settled",
        "Undo",
        "Assisted-by",
        "This reverts commit",
    ];
    if forged.iter().any(|key| line.trim_start().starts_with(key)) {
        format!("    {}", line.trim_start())
    } else {
        line
    }
}

/// Whose work a commit is, and since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    name: String,
    email: String,
    time: gix::date::Time,
}

impl Author {
    /// Reads the author of a commit. Bytes that are no UTF-8 become `U+FFFD`.
    ///
    /// # Errors
    /// When there is no such commit, or it names no author.
    pub fn of(repo: &Repo, id: CommitId) -> Result<Self> {
        let doing = || format!("reading who made commit {id}");
        let commit = repo.gix.find_commit(gix_id(id.0)).doing(doing)?;
        Ok(Self::from(commit.author().doing(doing)?))
    }

    /// Reads who committed a commit, as `of` reads its author.
    ///
    /// # Errors
    /// When there is no such commit, or it names nobody.
    pub fn who_committed(repo: &Repo, id: CommitId) -> Result<Self> {
        let doing = || format!("reading who committed {id}");
        let commit = repo.gix.find_commit(gix_id(id.0)).doing(doing)?;
        Ok(Self::from(commit.committer().doing(doing)?))
    }

    fn from(who: gix::actor::SignatureRef<'_>) -> Self {
        let (name, email) = (who.name.to_string(), who.email.to_string());
        Self {
            // git's own checks want a name before the address.
            name: if name.trim().is_empty() { email.clone() } else { name },
            email,
            time: who.time().unwrap_or_default(),
        }
    }

    /// Returns `Name <address>`.
    pub fn words(&self) -> String {
        format!("{} <{}>", self.name, self.email)
    }

    fn signature(&self) -> gix::actor::Signature {
        gix::actor::Signature {
            name: self.name.as_str().into(),
            email: self.email.as_str().into(),
            time: self.time,
        }
    }
}

/// Why no commit can be made at all.
#[derive(Debug, thiserror::Error)]
#[error("git does not know who you are: user.name or user.email is not set")]
pub struct NoIdentity;

/// Returns `Ok` when commits can carry an author.
///
/// # Errors
/// Without `user.name` and `user.email`, or what stands for them.
pub fn check_identity(repo: &Repo) -> std::result::Result<(), NoIdentity> {
    match (repo.gix.author(), repo.gix.committer()) {
        (Some(Ok(_)), Some(Ok(_))) => Ok(()),
        _ => Err(NoIdentity),
    }
}

/// Makes the candidate: the verified code on `base`, with the memory files of `base`.
///
/// # Errors
/// When objects cannot be written or the commit cannot be signed.
pub fn candidate(repo: &Repo, verified: &Verified, base: CommitId, message: &Message, at: Moment) -> Result<CommitId> {
    candidate_by(repo, verified, base, (message, None), at)
}

/// As `candidate`, of the work of `author` where there is one named.
///
/// # Errors
/// As `candidate`.
pub fn candidate_by(
    repo: &Repo,
    verified: &Verified,
    base: CommitId,
    (message, author): (&Message, Option<&Author>),
    at: Moment,
) -> Result<CommitId> {
    let memory_of = tree::of_commit(repo, base)?;
    let root = codetree::with_memory_of(repo, verified.tree(), memory_of)?;
    write_by(repo, root, &[base], (&message.text(), author), at)
}

/// Makes the landing commit: the verified code and memory files, on `parents`, the target's head first; of the work of
/// `author` where the code is in no other commit.
///
/// # Errors
/// As `candidate`; also when `memory` is not the verified code with memory files.
pub fn landing(
    repo: &Repo,
    verified: &Verified,
    memory: MemoryTree,
    parents: &[CommitId],
    (message, author): (&Message, Option<&Author>),
    at: Moment,
) -> Result<CommitId> {
    if codetree::strip(repo, memory.root())? != verified.tree() {
        return Err(GitError::new("the tree to land is not the code tree that passed"));
    }
    write_by(repo, memory.root(), parents, (&message.text(), author), at)
}

/// Makes a commit that touches nothing but memory files of its first parent.
///
/// # Errors
/// As `candidate`; also when it would change code.
pub fn memory_only(
    repo: &Repo,
    memory: MemoryTree,
    parents: &[CommitId],
    message: &Message,
    at: Moment,
) -> Result<CommitId> {
    let before = match parents.first() {
        Some(parent) => tree::code_of_commit(repo, *parent)?,
        None => return Err(GitError::new("a memory commit needs a parent")),
    };
    if codetree::strip(repo, memory.root())? != before {
        return Err(GitError::new("a memory commit must not change code"));
    }
    write(repo, memory.root(), parents, message, at)
}

/// Makes a commit of any tree: `init`'s own files, attempts and notes, which never land as code.
pub(crate) fn write(
    repo: &Repo,
    root: TreeId,
    parents: &[CommitId],
    message: &Message,
    at: Moment,
) -> Result<CommitId> {
    write_by(repo, root, parents, (&message.text(), None), at)
}

/// As `write`, with `text` as its whole message, of the work of `author` where there is one named.
pub(crate) fn write_by(
    repo: &Repo,
    root: TreeId,
    parents: &[CommitId],
    (text, author): (&str, Option<&Author>),
    at: Moment,
) -> Result<CommitId> {
    let commit = unsigned(repo, root, parents, (text, author), at)?;
    let mut bytes = Vec::new();
    commit.write_to(&mut bytes).doing(|| "serialising a commit".into())?;
    let signing = repo
        .gix
        .commit_signing_options_if_enabled()
        .doing(|| "reading how to sign commits".into())?;
    if let Some(options) = signing {
        let parsed = CommitRef::from_bytes(&bytes, repo.gix.object_hash()).doing(|| "reading back a commit".into())?;
        let signed = parsed
            .sign(options)
            .doing(|| "signing a commit (commit.gpgSign is set)".into())?;
        bytes.clear();
        signed.write_to(&mut bytes).doing(|| "serialising a commit".into())?;
    }
    store(repo, &bytes)
}

/// As `write`, but never signed: for refs that no person looks at and that are made many times a minute.
pub(crate) fn write_unsigned(
    repo: &Repo,
    root: TreeId,
    parents: &[CommitId],
    text: &str,
    at: Moment,
) -> Result<CommitId> {
    let mut bytes = Vec::new();
    unsigned(repo, root, parents, (text, None), at)?
        .write_to(&mut bytes)
        .doing(|| "serialising a commit".into())?;
    store(repo, &bytes)
}

fn store(repo: &Repo, bytes: &[u8]) -> Result<CommitId> {
    use gix::objs::Write as _;
    let id = objects::Store(repo)
        .write_buf(gix::objs::Kind::Commit, bytes)
        .doing(|| "writing a commit".into())?;
    Ok(CommitId(oid(&id)))
}

fn unsigned(
    repo: &Repo,
    root: TreeId,
    parents: &[CommitId],
    (text, author): (&str, Option<&Author>),
    at: Moment,
) -> Result<Commit> {
    let signature = |who: Option<gix::Result<gix::actor::SignatureRef<'_>>>| {
        let who = who
            .and_then(std::result::Result::ok)
            .ok_or_else(|| GitError::of("making a commit", NoIdentity))?;
        Ok::<_, GitError>(gix::actor::Signature {
            name: who.name.into(),
            email: who.email.into(),
            time: gix::date::Time::new(at.seconds(), 0),
        })
    };
    Ok(Commit {
        tree: gix_id(root.0),
        parents: parents.iter().map(|parent| gix_id(parent.0)).collect(),
        author: match author {
            Some(author) => author.signature(),
            None => signature(repo.gix.author())?,
        },
        committer: signature(repo.gix.committer())?,
        encoding: None,
        message: BString::from(text),
        extra_headers: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_text_cannot_forge_a_trailer_or_drive_a_terminal() {
        let message = Message {
            subject: "Add\n\u{1b}[31mslug".into(),
            body: "why\nGoal: other\n  Landed: x y\nThis reverts commit 1234".into(),
            trailers: vec![("Goal", "goal-1".into())],
        };
        let expected =
            "Add [31mslug\n\nwhy\n    Goal: other\n    Landed: x y\n    This reverts commit 1234\n\nGoal: goal-1\n";
        assert_eq!(message.text(), expected);
    }

    #[test]
    fn a_long_subject_is_cut_at_a_character() {
        let message = Message {
            subject: "ä".repeat(100),
            ..Message::default()
        };
        assert_eq!(message.text().trim_end().chars().count(), 72);
    }
}
