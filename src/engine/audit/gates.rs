//! Gates: whether the commands in a record are those of the target's head when it landed. The settings of a commit are read
//! once for all landings that share them.

use std::collections::HashMap;

use eyre::Result;

use crate::{
    audit::{
        Divergence, What,
        claims::{self, Gated},
    },
    check::Stage,
    engine::{
        audit::{Auditor, walk::Landed},
        session,
    },
    git::tree,
    id::BlobId,
    record::Record,
};

type Commands = Vec<(Stage, String)>;

/// The commands that settings name, by the file that holds them: of that file alone, and with this clone's own.
#[derive(Default)]
pub struct Gates {
    known: HashMap<Option<BlobId>, (Commands, Commands)>,
}

impl Auditor<'_> {
    /// Compares the record's commands with the gate at the landing's first parent.
    ///
    /// # Errors
    /// When trees cannot be read.
    pub fn gate(&mut self, landed: &Landed, record: &Record) -> Result<()> {
        let node = self.walk.order.get(landed.at).filter(|node| !node.cut);
        let Some(parent) = node.and_then(|node| node.entry.parents.first().copied()) else {
            return Ok(());
        };
        let root = tree::of_commit(self.repo, parent)?;
        let file = tree::blob_at(self.repo, root, session::SETTINGS_FILE)?;
        if !self.gates.known.contains_key(&file) {
            let tracked = match self.session.tracked_settings_at(self.repo, parent) {
                Ok(settings) => session::commands(&settings.check),
                // Settings that this version cannot read say nothing.
                Err(_) => Vec::new(),
            };
            let here = self.session.settings_at(self.repo, Some(parent));
            let here = here.map_or_else(|_| Vec::new(), |all| session::commands(&all.settings.check));
            self.gates.known.insert(file, (tracked, here));
        }
        let Some((tracked, here)) = self.gates.known.get(&file) else {
            return Ok(());
        };
        match claims::gate(record, tracked, here) {
            Gated::Same => {}
            Gated::Own => self.audit.own_settings += 1,
            Gated::Lacks(commands) => {
                let expected = format!(
                    "`{}`, as invisigoth.toml of {} says",
                    commands.join("`, `"),
                    parent.short()
                );
                let ran: Vec<&str> = record.checks.iter().map(|row| row.cmd.as_str()).collect();
                let divergence = Divergence::new(What::Checks, expected, format!("`{}`", ran.join("`, `")));
                self.found(landed.landing, Some(&landed.goal), divergence);
            }
        }
        Ok(())
    }
}
