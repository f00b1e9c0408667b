//! Leasing: which slots a repository has, by role, and how one is taken. A slot keeps its role for life.
//!
//! Takes and makes slots; what they hold is the slot's own business.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    door::{
        clock::SystemClock,
        env,
        fs::{self, Lock},
        spawn::tree,
    },
    slot::{
        Slot, laid,
        state::{Phase, State},
    },
    snapshot::CodeTree,
    time::Clock as _,
};

/// More slots than this on one machine are a mistake.
const MOST_SLOTS: u32 = 256;

/// The slots of one repository.
#[derive(Clone, Debug)]
pub struct Slots {
    root: PathBuf,
}

impl Slots {
    /// Opens the slots of the repository `repo_id` below `cache_root`; makes the folder that holds them.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(cache_root: &Path, repo_id: &str) -> io::Result<Self> {
        Self::at(cache_root, repo_id, "slots")
    }

    /// Opens the slots where executors work. They are others for life: what a tool leaves in ignored files never meets a
    /// check.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_work(cache_root: &Path, repo_id: &str) -> io::Result<Self> {
        Self::at(cache_root, repo_id, "work")
    }

    fn at(cache_root: &Path, repo_id: &str, role: &str) -> io::Result<Self> {
        let root = cache_root.join("invisigoth").join(repo_id).join(role);
        fs::create_private_dir_all(&root)?;
        Ok(Self { root })
    }

    /// Takes a free slot for as long as the `Slot` lives: one that holds `wanted` if there is one, else the first, else a
    /// new one. A slot that a killed process left behind is taken too; what that process left running in it is ended.
    ///
    /// # Errors
    /// When a slot's files cannot be read or made, or all are in use.
    pub fn lease(&self, wanted: Option<CodeTree>) -> io::Result<Slot> {
        let mut numbers: Vec<u32> = (1..=MOST_SLOTS)
            .take_while(|number| self.path(*number, "lock").exists())
            .collect();
        let next = u32::try_from(numbers.len()).unwrap_or(MOST_SLOTS) + 1;
        numbers.sort_by_key(|number| {
            wanted.is_none() || State::read(&self.path(*number, "json")).code != wanted.map(|tree| tree.id)
        });
        numbers.extend((next..=MOST_SLOTS).take(8));
        for number in numbers {
            if let Some(slot) = self.take(number)? {
                return Ok(slot);
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "all slots are in use"))
    }

    fn take(&self, number: u32) -> io::Result<Option<Slot>> {
        let holder = format!("pid {} since {}\n", env::process_id(), SystemClock.now().rfc3339());
        let Some(lock) = Lock::try_lock(&self.path(number, "lock"), &holder)? else {
            return Ok(None);
        };
        let folder = self.root.join(number.to_string());
        fs::create_private_dir_all(&folder)?;
        let state = State::read(&self.path(number, "json"));
        let laid = if state.phase == Phase::Clean {
            laid::load(&self.path(number, "list"), &state)
        } else {
            tree::end_strays(&folder);
            None
        };
        Ok(Some(Slot {
            state_file: self.path(number, "json"),
            list_file: self.path(number, "list"),
            folder,
            state,
            laid,
            verified: false,
            stamp: (0, 0),
            _lock: lock,
        }))
    }

    fn path(&self, number: u32, kind: &str) -> PathBuf {
        self.root.join(format!("{number}.{kind}"))
    }
}
