//! Points: the places where this program changes something outside itself, each by one name, and what a test may let
//! happen there.
//!
//! Owns the names and how a plan is worded. Where a point stands, and what comes of a plan, is `door/point`; what is no
//! effect (reading, computing) has no point.

use std::{fmt, str::FromStr};

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A place where something outside this process changes. Its doc says what the effect is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// Every point.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// Returns its name, by which a plan and a trace have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// The new content of a file is written under a temporary name.
    FileWritten = "file-written",
    /// The new content takes the file's name.
    FileRenamed = "file-renamed",
    /// What was written under a temporary name goes again.
    FileTakenBack = "file-taken-back",
    /// A small file is overwritten in place.
    FilePadded = "file-padded",
    /// A file is removed.
    FileRemoved = "file-removed",
    /// A folder is made.
    FolderMade = "folder-made",
    /// A folder for its owner only is made.
    PrivateFolderMade = "private-folder-made",
    /// A lock is taken.
    LockTaken = "lock-taken",
    /// Who holds a lock is written into it.
    LockSaid = "lock-said",
    /// A shared file of lines is opened and held.
    LinesHeld = "lines-held",
    /// A line is appended.
    LineAppended = "line-appended",
    /// A temporary file of the store is made.
    StoredMade = "stored-made",
    /// A stored file is written under its temporary name.
    StoredWritten = "stored-written",
    /// A stored file gets its name.
    StoredRenamed = "stored-renamed",
    /// A temporary file of the store goes again.
    StoredTakenBack = "stored-taken-back",
    /// A folder below an open one is made.
    EntryFolderMade = "entry-folder-made",
    /// A folder below an open one is made usable for its owner.
    EntryFolderOpened = "entry-folder-opened",
    /// A file in an open folder is made.
    EntryMade = "entry-made",
    /// A symbolic link in an open folder is made.
    EntryLinked = "entry-linked",
    /// Permission bits of a file in an open folder are set.
    EntryModeSet = "entry-mode-set",
    /// The time of change of a file in an open folder is set.
    EntryTimeSet = "entry-time-set",
    /// A name in an open folder changes.
    EntryRenamed = "entry-renamed",
    /// Two names in an open folder change places.
    EntriesExchanged = "entries-exchanged",
    /// A name in an open folder is removed.
    EntryRemoved = "entry-removed",
    /// An empty folder in an open one is removed.
    EntryFolderRemoved = "entry-folder-removed",
    /// Permission bits of a folder that is about to be removed are set.
    EntryFolderFreed = "entry-folder-freed",
    /// Files of a tree are written to a slot.
    FilesLaid = "files-laid",
    /// A check, or a program of an executor, starts.
    CheckStarted = "check-started",
    /// A helper program starts: git, a mock.
    HelperStarted = "helper-started",
    /// A program at the person's terminal starts: an editor, a pager.
    AttachedStarted = "attached-started",
    /// Another process of ours is told to stop.
    ProcessInterrupted = "process-interrupted",
    /// An HTTP request is sent.
    RequestSent = "request-sent",
    /// A blob is written to the object database.
    BlobWritten = "blob-written",
    /// A tree is written to the object database.
    TreeWritten = "tree-written",
    /// A commit or a tag is written to the object database.
    CommitWritten = "commit-written",
    /// The target moves: a landing where nobody has it checked out, an undo, settled files, hand edits.
    TargetMoved = "target-moved",
    /// The head of what landed beside a checked-out target moves.
    LandedMoved = "landed-moved",
    /// Records are noted.
    RecordsNoted = "records-noted",
    /// Who wrote which lines is noted for other programs.
    AuthorshipNoted = "authorship-noted",
    /// Verdicts on code trees are noted.
    VerdictsNoted = "verdicts-noted",
    /// An attempt is saved.
    AttemptSaved = "attempt-saved",
    /// A candidate's branch is set.
    CandidateSet = "candidate-set",
    /// A claim is taken, renewed or stolen.
    ClaimTaken = "claim-taken",
    /// A claim is given back, alone.
    ClaimLeft = "claim-left",
    /// What is to be undone anew is kept.
    UndoKept = "undo-kept",
    /// Refs that are no longer needed are deleted, and nothing else moves.
    RefsDeleted = "refs-deleted",
    /// Any other ref moves, such as those that follow a remote.
    RefMoved = "ref-moved",
    /// The checkout follows: git's own fast-forward.
    CheckoutFollows = "checkout-follows",
    /// The index is told which files of a fast-forward that was cut short are new.
    ForwardStaged = "forward-staged",
    /// An index entry of a hand-edited file is set.
    EditStaged = "edit-staged",
    /// An index entry of a memory file is taken away.
    EntryUnstaged = "entry-unstaged",
    /// A script of a hook is made.
    ScriptMade = "script-made",
    /// What was made of a script goes again.
    ScriptTakenBack = "script-taken-back",
    /// Somebody's script gets another name.
    ScriptMoved = "script-moved",
    /// A link to a script is made anew in another place.
    ScriptLinked = "script-linked",
    /// The link in its old place goes.
    ScriptUnlinked = "script-unlinked",
    /// A folder of scripts that is empty goes.
    ScriptFolderRemoved = "script-folder-removed",
    /// The log of a program that outlives us is opened.
    LogOpened = "log-opened",
    /// A file that only this process writes is made.
    GrowingMade = "growing-made",
    /// A line is appended to it.
    GrowingAppended = "growing-appended",
    /// New objects and refs are brought to the disk itself.
    Synced = "synced",
    /// A new program is written beside the installed one.
    ProgramStaged = "program-staged",
    /// The installed program gets a second name, as the old one.
    ProgramKept = "program-kept",
    /// The new program takes the place of the installed one.
    ProgramSwapped = "program-swapped",
    /// The old program takes its place back.
    ProgramRestored = "program-restored",
    /// Another program takes this process over.
    ProcessReplaced = "process-replaced",
}

impl FromStr for Point {
    type Err = BadPlan;

    fn from_str(name: &str) -> Result<Self, BadPlan> {
        let known = Self::ALL.iter().find(|point| point.name() == name);
        known
            .copied()
            .ok_or_else(|| BadPlan(format!("there is no point `{name}`")))
    }
}

/// What happens at a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The process is gone, as by SIGKILL, before the effect.
    Kill,
    /// The process is gone right after the effect.
    KillAfter,
    /// The process stops before the effect, until somebody lets it go on.
    Stop,
    /// The effect fails: a disk that cannot be read or written.
    Eio,
    /// The effect fails: no space left.
    Enospc,
    /// The effect fails: too many open files.
    Emfile,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 6] = [
        Self::Kill,
        Self::KillAfter,
        Self::Stop,
        Self::Eio,
        Self::Enospc,
        Self::Emfile,
    ];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillAfter => "kill-after",
            Self::Stop => "stop",
            Self::Eio => "eio",
            Self::Enospc => "enospc",
            Self::Emfile => "emfile",
        }
    }
}

/// What is to go wrong where: `POINT:FAILURE[:NTH[+]]`. `any` stands for every point; with `+` it goes wrong from then on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Where; everywhere if `None`.
    pub point: Option<Point>,
    /// What.
    pub failure: Failure,
    /// At which hit, counted from 1.
    pub nth: u64,
    /// Whether later hits fail too.
    pub lasting: bool,
}

impl Plan {
    /// True where the plan is about `point`.
    pub fn is_about(&self, point: Point) -> bool {
        self.point.is_none_or(|planned| planned == point)
    }

    /// True where the hit number `nth` of what it is about goes wrong.
    pub fn strikes(&self, nth: u64) -> bool {
        nth == self.nth || self.lasting && nth > self.nth
    }
}

/// A plan that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}; a plan is `POINT:FAILURE[:NTH[+]]`")]
pub struct BadPlan(String);

impl FromStr for Plan {
    type Err = BadPlan;

    fn from_str(text: &str) -> Result<Self, BadPlan> {
        let mut parts = text.split(':');
        let point = match parts.next().unwrap_or_default() {
            "any" => None,
            name => Some(name.parse()?),
        };
        let word = parts.next().unwrap_or_default();
        let failure = Failure::ALL.into_iter().find(|failure| failure.name() == word);
        let failure = failure.ok_or_else(|| BadPlan(format!("there is no failure `{word}`")))?;
        let count = parts.next().unwrap_or("1");
        let (digits, lasting) = match count.strip_suffix('+') {
            Some(digits) => (digits, true),
            None => (count, false),
        };
        let nth = digits.parse().ok().filter(|nth| *nth > 0);
        let nth = nth.ok_or_else(|| BadPlan(format!("`{count}` counts no hit")))?;
        match parts.next() {
            Some(more) => Err(BadPlan(format!("`{more}` is too much"))),
            None => Ok(Self {
                point,
                failure,
                nth,
                lasting,
            }),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.point.map_or("any", Point::name);
        let lasting = if self.lasting { "+" } else { "" };
        write!(f, "{point}:{}:{}{lasting}", self.failure.name(), self.nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_is_worded() {
        for text in ["target-moved:kill:1", "any:enospc:12+", "blob-written:kill-after:3"] {
            assert_eq!(text.parse::<Plan>().unwrap().to_string(), text);
        }
        let plan: Plan = "any:eio:2".parse().unwrap();
        assert_eq!([1, 2, 3].map(|nth| plan.strikes(nth)), [false, true, false]);
        let lasting: Plan = "blob-written:eio:2+".parse().unwrap();
        assert_eq!([1, 2, 3].map(|nth| lasting.strikes(nth)), [false, true, true]);
        assert!(lasting.is_about(Point::BlobWritten) && !lasting.is_about(Point::TreeWritten));
    }

    #[test]
    fn what_is_no_plan_is_said() {
        for (text, why) in [
            ("nowhere:kill", "there is no point `nowhere`"),
            ("any:boom", "there is no failure `boom`"),
            ("any:kill:0", "`0` counts no hit"),
            ("any:kill:x+", "`x+` counts no hit"),
            ("any:kill:1:2", "`2` is too much"),
        ] {
            assert!(text.parse::<Plan>().unwrap_err().to_string().starts_with(why), "{text}");
        }
    }

    #[test]
    fn no_two_points_have_one_name() {
        let mut names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
