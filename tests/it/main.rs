//! Integration tests: one binary, an index of files. Needs git, bash, perl and bubblewrap, no network.
//!
//! Not here: unit tests, which stand in the file they test or beside it as `tests.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the sandbox starts the real binary and stock git"
)]
#![expect(unreachable_pub, reason = "what tests share is public among them")]

/// The sandbox: a fresh home, a real repository, the real binary.
mod support;

/// `add`: the id, and the row.
mod add;
/// `adopt`: branches of others.
mod adopt;
/// `apply`: a reply onto files.
mod apply;
/// What `.gitattributes` say, against git.
mod attributes;
/// The backlog in a person's hands.
mod backlog;
/// Bad input: one table, a row for each.
mod bad_input;
/// Its rows about checks, people and signals.
mod bad_moments;
/// `check`: the gate on a commit.
mod check;
/// `ci`: other machines.
mod ci;
/// The command line: streams, usage, completion, the demo.
mod cli;
/// `config`: the settings, with their origins.
mod config;
/// Backlogs that grow on two sides.
mod conflicts;
/// `context`: what it prints; bad queries, files and repositories.
mod context;
/// Many runs in one clone.
mod crowd;
/// `demo`: the scratch repository.
mod demo;
/// README.md and `docs/`: their commands run, their links lead somewhere.
mod docs;
/// `doctor`: every precondition.
mod doctor;
/// `edit`: editors that behave, and others.
mod edit;
/// What a run will cost, said before.
mod estimate;
/// What becomes of candidates that do not land.
mod eviction;
/// `evolve`: the gate, the swap, the archive.
mod evolve;
/// Executors that work in a folder.
mod executors;
/// `export --html`: the dashboard as files.
#[cfg(feature = "web")]
mod export_html;
/// `verify` after what people do in good faith.
mod good_faith;
/// What people are told to type.
mod hints;
/// Hooks of git: beside those of others, what each does, and what pushes bring to a server.
mod hooks;
/// `land.via = "host"`: pull requests.
mod host;
/// `import` and `export`: backlogs of other tools.
mod import;
/// The index of `context`: several processes, kills, damage, no place for it.
mod index;
/// `init`: set up, twice, undone.
mod init;
/// `install.sh`: from an archive, from source, cut off, taken away.
mod install;
/// The ten invariants, seen from outside.
mod invariants;
/// The ten invariants: those about replies.
mod invariants_of_replies;
/// `run --jobs`: several goals in hand.
mod jobs;
/// Landing: order, selection, conflicts, and where the target is.
mod landing;
/// Money, calls, time, what is written and what is left behind.
mod limits;
/// `list`: goals by state.
mod list;
/// `log`: what landed.
mod log;
/// `logs`: what a run leaves, shown and followed.
mod logs;
/// `man`: the manual pages.
mod man;
/// `mcp`: other programs at the same backlog.
#[cfg(feature = "mcp")]
mod mcp;
/// `merge`: candidates, and held ones.
mod merge;
/// `models`: what can be asked.
mod models;
/// Money: caps from the server's side, goals that pause, `budget` and `cost`.
mod money;
/// `run --forever`: what a night waits for, goes on with, and ends at.
mod night;
/// Nights: what people and broken input do while a run goes on.
mod nights;
/// `notify.*`: who is told what.
mod notify;
/// What a night may be given in the evening: one table.
mod overnight;
/// `packaging/`: archives and Debian packages.
mod packaging;
/// Pagers, colours, readers that go away.
mod pager;
/// `pause` and `resume`: live runs and the next ones.
mod pause;
/// `plan`: goals that a model proposes.
mod plan;
/// `prompt`: what would be asked.
mod prompt;
/// `prompt`: its sections.
mod prompt_sections;
/// `provenance`: who wrote which lines, for other programs.
mod provenance;
/// Providers over HTTP: what is sent, counted and kept.
mod provider;
/// The queue: batches, and what people and kills do meanwhile.
mod queue;
/// `replay`, provider `replay`, and the faults of `mock`.
mod replay;
/// `report`: what came of runs, and its totals.
mod report;
/// A run that dies, and the next one.
mod resume;
/// Rounds after one that did not do, and tests that must fail without the change.
mod rounds;
/// `run`: the sentence, end to end.
mod run;
/// The fence around checks: what it keeps in, and what happens without one.
mod sandbox;
/// Secrets: canaries, and a search for them.
mod secrets;
/// `serve`: who may do what over it, what programs read.
mod serve;
/// `service`: units, and systemd's programs.
mod service;
/// `settle`: the memory files after what people did.
mod settle;
/// `show`: one goal.
mod show;
/// `status`: states and reasons.
mod status;
/// Steering: every command on every state.
mod steer;
/// `stop`: a run of another terminal.
mod stop;
/// `sync` and `run --remote`: several clones and one remote.
mod sync;
/// `template`: templates of a repository's own.
mod template;
/// Goals that ask for tests.
mod test_goals;
/// The walls of the source: rows, doors, sizes, words.
mod tidy;
/// `undo`: landed goals come out again.
mod undo;
/// `undo` beside a checkout, while the target moves, and killed.
mod undo_meanwhile;
/// `verify`: each change to what landed is named.
mod verify;
/// The dashboard's pages of goals.
#[cfg(feature = "web")]
mod web_goal;
/// `serve`: inbox, queue, history and health as pages.
#[cfg(feature = "web")]
mod web_pages;
