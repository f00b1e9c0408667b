//! What was laid into a slot: each path with what the tree says and how the file looked right after it was written.

use std::{fmt::Write as _, io, path::Path};

use crate::{
    door::fs::{
        self,
        dir::{FileKind, Stat},
    },
    path::RepoPath,
    slot::state::{State, VERSION},
    snapshot::{Entry, Mode},
};

/// One file, symbolic link or submodule of a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::slot) struct Laid {
    pub(in crate::slot) path: RepoPath,
    pub(in crate::slot) entry: Entry,
    /// How it looked; absent where it must be read before it is believed.
    pub(in crate::slot) stat: Option<Stat>,
}

impl Laid {
    /// True where the file cannot have changed since it was written: nothing about it did, and it was written in an earlier
    /// tick of the clock than the slot was given away.
    pub(in crate::slot) fn is_as_written(&self, now: &Stat, stamp: (i64, u32)) -> bool {
        self.stat.is_some_and(|then| then == *now && then.ctime < stamp)
    }

    /// True where what is there is of the right kind, with usual permission bits, and has no second name through which
    /// others could write to it.
    pub(in crate::slot) fn is_plausible(&self, now: &Stat) -> bool {
        let bits = self
            .stat
            .filter(|then| then.kind == FileKind::File)
            .map_or(now.mode, |then| then.mode);
        match (self.entry.mode, now.kind) {
            (Mode::File, FileKind::File) => now.mode == bits && now.mode & 0o111 == 0 && !now.shared,
            (Mode::Executable, FileKind::File) => now.mode == bits && now.mode & 0o100 != 0 && !now.shared,
            (Mode::Symlink, FileKind::Symlink) => true,
            _ => false,
        }
    }
}

/// Returns the files with this name in whatever folder: the rules that attributes or ignores are read from.
pub(in crate::slot) fn named(laid: &[Laid], name: &str) -> Vec<(RepoPath, Entry)> {
    laid.iter()
        .filter(|item| item.path.file_name() == name.as_bytes())
        .map(|item| (item.path.clone(), item.entry))
        .collect()
}

/// Writes the list: a head line, then one item per line, its path to the next NUL.
pub(in crate::slot) fn store(file: &Path, state: &State, laid: &[Laid], stamp: (i64, u32)) -> io::Result<()> {
    let mut bytes = head(state).into_bytes();
    for item in laid {
        let kind = match item.entry.mode {
            Mode::File => 'f',
            Mode::Executable => 'x',
            Mode::Symlink => 'l',
            Mode::Submodule => 's',
        };
        let mut line = format!("{kind} {}", item.entry.id);
        match item.stat.filter(|stat| stat.ctime < stamp) {
            None => line.push_str(" -"),
            Some(s) => write!(
                line,
                " {} {} {} {} {} {} {}",
                s.mode, s.size, s.mtime.0, s.mtime.1, s.ctime.0, s.ctime.1, s.ino
            )
            .map_err(io::Error::other)?,
        }
        line.push('\t');
        bytes.extend(line.into_bytes());
        bytes.extend(item.path.as_bytes());
        bytes.push(0);
    }
    fs::write_atomic(file, &bytes)
}

/// Reads the list back, if it was stored for the tree that `state` names.
pub(in crate::slot) fn load(file: &Path, state: &State) -> Option<Vec<Laid>> {
    let bytes = fs::read(file).ok()??;
    let items = bytes.strip_prefix(head(state).as_bytes())?;
    let items = items.strip_suffix(&[0]).unwrap_or(items);
    if items.is_empty() {
        return Some(Vec::new());
    }
    items.split(|byte| *byte == 0).map(parse).collect()
}

fn head(state: &State) -> String {
    let tree = state.root.map(|root| root.to_string()).unwrap_or_default();
    format!("invisigoth-slot-list {VERSION} {tree}\n")
}

fn parse(item: &[u8]) -> Option<Laid> {
    let tab = item.iter().position(|byte| *byte == b'\t')?;
    let fields = std::str::from_utf8(item.get(..tab)?).ok()?;
    let path = item.get(tab + 1..)?;
    let mut fields = fields.split(' ');
    let mode = match fields.next()? {
        "f" => Mode::File,
        "x" => Mode::Executable,
        "l" => Mode::Symlink,
        "s" => Mode::Submodule,
        _ => return None,
    };
    let id = fields.next()?.parse().ok()?;
    let fields: Vec<&str> = fields.collect();
    let stat = match fields.as_slice() {
        ["-"] => None,
        [bits, size, mtime, mtime_ns, ctime, ctime_ns, ino] => Some(Stat {
            kind: if mode == Mode::Symlink {
                FileKind::Symlink
            } else {
                FileKind::File
            },
            mode: bits.parse().ok()?,
            shared: false,
            size: size.parse().ok()?,
            mtime: (mtime.parse().ok()?, mtime_ns.parse().ok()?),
            ctime: (ctime.parse().ok()?, ctime_ns.parse().ok()?),
            ino: ino.parse().ok()?,
        }),
        _ => return None,
    };
    Some(Laid {
        path: RepoPath::from_git(path),
        entry: Entry { mode, id },
        stat,
    })
}
