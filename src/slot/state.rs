//! The state file of a slot: which tree it holds, and whether it can be believed. Written before files are touched.

use std::{io, os::unix::fs::MetadataExt as _, path::Path};

use serde::{Deserialize, Serialize};

use crate::{door::fs, id::TreeId};

/// Format of the state file and of the list.
pub(in crate::slot) const VERSION: u32 = 1;

/// Bytes of the state file.
const WIDTH: usize = 512;

/// Where a slot stands between two trees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::slot) enum Phase {
    /// It holds the tree, and whatever is ignored.
    Clean,
    /// Files are being written; also a slot about which nothing is known.
    #[default]
    Updating,
    /// It is at the disposal of checks.
    Running,
}

/// What the state file says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::slot) struct State {
    pub(in crate::slot) version: u32,
    #[serde(rename = "state")]
    pub(in crate::slot) phase: Phase,
    /// The stored tree that was written.
    #[serde(rename = "tree")]
    pub(in crate::slot) root: Option<TreeId>,
    /// The code tree's id.
    pub(in crate::slot) code: Option<TreeId>,
    /// What the set-up commands were made from when they last passed here.
    pub(in crate::slot) setup_key: Option<String>,
}

impl State {
    /// Reads it. One that is missing, torn or of another version counts as unknown.
    pub(in crate::slot) fn read(file: &Path) -> Self {
        let text = fs::read(file).ok().flatten().unwrap_or_default();
        serde_json::from_slice(&text)
            .ok()
            .filter(|state: &Self| state.version == VERSION)
            .unwrap_or_default()
    }

    /// Writes it.
    pub(in crate::slot) fn write(&mut self, file: &Path) -> io::Result<()> {
        self.version = VERSION;
        fs::write_padded(file, &serde_json::to_string(self)?, WIDTH)
    }
}

/// Returns when the state was last written, by the clock that the files in the slot have too.
pub(in crate::slot) fn written_at(file: &Path) -> io::Result<(i64, u32)> {
    let about = std::fs::metadata(file)?;
    Ok((about.mtime(), u32::try_from(about.mtime_nsec()).unwrap_or(0)))
}
