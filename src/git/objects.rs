//! Objects: reading blobs and writing any object.
//!
//! Objects are written without asking whether they exist: gix would take a pack that `git gc --prune` has just deleted
//! for proof, and leave a commit that points to nothing. Writing anew also makes an old loose object young.

pub(crate) mod recent;

use std::{collections::HashMap, io, path::PathBuf};

use gix::{
    error::ResultExt as _,
    objs::{Kind, Write, WriteTo, tree::EntryKind},
};

use crate::{
    door::point,
    fault::point::Point,
    git::{Doing as _, Repo, Result, gix_id, oid},
    id::{BlobId, Oid, TreeId},
};

/// The object database as a place to write to: the only way in which objects are written.
pub(crate) struct Store<'r>(pub(crate) &'r Repo);

impl Store<'_> {
    fn put(&self, kind: Kind, bytes: &[u8]) -> gix::Result<gix::ObjectId> {
        let point = match kind {
            Kind::Blob => Point::BlobWritten,
            Kind::Tree => Point::TreeWritten,
            Kind::Commit | Kind::Tag => Point::CommitWritten,
        };
        let written = point::at(point, || {
            let write = || self.0.gix.objects.write_buf(kind, bytes);
            // A `git gc` may take the empty folder away between its making and the file's getting its name.
            write()
                .or_else(|_| write())
                .or_else(|_| write())
                .map_err(io::Error::other)
        });
        let id = written.or_error()?;
        self.0.disk.wrote(oid(&id));
        self.0.disk.recent.wrote(oid(&id), kind, bytes);
        Ok(id)
    }
}

impl Write for Store<'_> {
    fn write(&self, object: &dyn WriteTo) -> gix::Result<gix::ObjectId> {
        let mut bytes = Vec::new();
        object.write_to(&mut bytes).or_error()?;
        self.put(object.kind(), &bytes)
    }

    fn write_buf_with_known_id(&self, kind: Kind, from: &[u8], _: gix::ObjectId) -> gix::Result<gix::ObjectId> {
        self.put(kind, from)
    }

    fn write_stream(&self, kind: Kind, _: u64, from: &mut dyn io::Read) -> gix::Result<gix::ObjectId> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).or_error()?;
        self.put(kind, &bytes)
    }

    fn write_stream_with_known_id(
        &self,
        kind: Kind,
        size: u64,
        from: &mut dyn io::Read,
        _: gix::ObjectId,
    ) -> gix::Result<gix::ObjectId> {
        self.write_stream(kind, size, from)
    }
}

impl gix::objs::Find for Store<'_> {
    fn try_find<'a>(&self, id: &gix::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<gix::objs::Data<'a>>> {
        self.0.gix.objects.try_find(id, buffer)
    }
}

/// Writes again what `from` holds under `ids`, whatever is stored already.
///
/// # Errors
/// When an object cannot be read or stored.
pub(crate) fn write_again(repo: &Repo, from: &Repo, ids: &[Oid]) -> Result<()> {
    for id in ids {
        let object = from.gix.find_object(gix_id(*id)).doing(|| format!("reading {id}"))?;
        let written = Store(repo).write_buf_with_known_id(object.kind, &object.data, object.id);
        written.doing(|| format!("writing {id}"))?;
    }
    Ok(())
}

/// Reads a blob whole.
///
/// # Errors
/// When it is not there or no blob.
pub fn read_blob(repo: &Repo, id: BlobId) -> Result<Vec<u8>> {
    let blob = repo
        .gix
        .find_blob(gix_id(id.0))
        .doing(|| format!("reading blob {id}"))?;
    Ok(blob.detach().data)
}

/// Returns how many bytes a blob has, without unpacking it.
///
/// # Errors
/// When it is not there.
pub fn size(repo: &Repo, id: BlobId) -> Result<u64> {
    let header = repo.gix.find_header(gix_id(id.0));
    Ok(header.doing(|| format!("reading the size of blob {id}"))?.size())
}

/// Writes a blob.
///
/// # Errors
/// When the object cannot be stored.
pub fn write_blob(repo: &Repo, content: &[u8]) -> Result<BlobId> {
    let id = Store(repo)
        .write_buf(Kind::Blob, content)
        .doing(|| "writing a blob".into())?;
    Ok(BlobId(oid(&id)))
}

/// Writes the empty tree, which git knows without it but `fsck` misses.
///
/// # Errors
/// When the object cannot be stored.
pub fn write_empty_tree(repo: &Repo) -> Result<TreeId> {
    let id = Store(repo)
        .write_buf(Kind::Tree, b"")
        .doing(|| "writing a tree".into())?;
    Ok(TreeId(oid(&id)))
}

/// Returns the id that `content` has as a blob, without writing it.
///
/// # Errors
/// When hashing fails, which SHA-1 does on a collision attack.
pub fn blob_id(repo: &Repo, content: &[u8]) -> Result<BlobId> {
    let kind = repo.gix.object_hash();
    let id = gix::objs::compute_hash(kind, Kind::Blob, content).doing(|| "hashing a blob".into())?;
    Ok(BlobId(oid(&id)))
}

/// Returns where the file of an object is while it is in no pack.
pub(crate) fn loose_path(repo: &Repo, id: Oid) -> Option<PathBuf> {
    let hex = id.to_string();
    let (folder, name) = hex.split_at_checked(2)?;
    Some(repo.common_dir().join("objects").join(folder).join(name))
}

/// Returns which of `ids` a freshly opened store does not hold.
///
/// # Errors
/// When the store cannot be opened.
pub fn missing(repo: &Repo, ids: impl IntoIterator<Item = Oid>) -> Result<Vec<Oid>> {
    let mut ids = ids.into_iter().peekable();
    if ids.peek().is_none() {
        return Ok(Vec::new());
    }
    let fresh = repo.reopened()?;
    Ok(ids.filter(|id| !fresh.gix.has_object(gix_id(*id))).collect())
}

/// Returns every tree and blob that `new` holds and `old` does not, `new` itself included. Costs what differs.
///
/// # Errors
/// When a tree cannot be read.
pub fn added(repo: &Repo, old: Option<TreeId>, new: TreeId) -> Result<Vec<Oid>> {
    let mut found = Vec::new();
    let mut open = vec![(old, new)];
    while let Some((old, new)) = open.pop() {
        if old == Some(new) {
            continue;
        }
        found.push(new.0);
        let before = old.map(|old| rows(repo, old)).transpose()?.unwrap_or_default();
        let before: HashMap<&[u8], &Row> = before.iter().map(|row| (row.name.as_slice(), row)).collect();
        for row in rows(repo, new)? {
            let was = before.get(row.name.as_slice());
            if was.is_some_and(|was| was.id == row.id) {
                continue;
            }
            if row.kind == EntryKind::Tree {
                let was = was.filter(|was| was.kind == EntryKind::Tree).map(|was| TreeId(was.id));
                open.push((was, TreeId(row.id)));
            } else if row.kind != EntryKind::Commit {
                found.push(row.id);
            }
        }
    }
    Ok(found)
}

/// What one folder has under a name.
pub(crate) struct Row {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: EntryKind,
    pub(crate) id: Oid,
}

impl Row {
    /// Returns the name as text; bytes that are no UTF-8 become `U+FFFD`.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// Reads one stored tree, and none below it.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn rows(repo: &Repo, id: TreeId) -> Result<Vec<Row>> {
    let tree = repo
        .gix
        .find_tree(gix_id(id.0))
        .doing(|| format!("reading tree {id}"))?;
    let decoded = tree.decode().doing(|| format!("decoding tree {id}"))?;
    let row = |entry: &gix::objs::tree::EntryRef<'_>| Row {
        name: entry.filename.to_vec(),
        kind: entry.mode.kind(),
        id: oid(entry.oid),
    };
    Ok(decoded.entries.iter().map(row).collect())
}
