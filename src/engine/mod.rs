//! The engine: where verbs meet hands. Owns how a goal moves along the sentence of the crate's documentation.
//!
//! Read `run` first (when it begins and ends), then `shift` (which goals when), `attempt`, `queue` and `land`. What the others
//! are there for:
//!
//! - What is known: `session` is what a command works with; `recall` and `landed` read the facts, `inbox` the backlog, `records`
//!   what landed, `durations` how long it took, `target` the branch.
//! - Who works: `night` runs after runs; `worker` is a thread's handles, `workers` the threads, `pool` their slots; `turn` and
//!   `claims` say who may, `footprints` which goals would meet, `orders` whether to pause; `background` is what outlives a command.
//! - An attempt: `wording` has the prompt made (`gather`, `listings`, `retrieval`, `indexing`, `past`, `window`, `templates`);
//!   `talk` asks, `executor` works, `draft` applies, `checks` judges in what `fenced` closes and `verdicts` remembers, `proving`
//!   proves tests, `repair` decides what follows, `stored` keeps it.
//! - A plan: `planning` asks for goals, `surveying` shows what there is, with what lint said (`linted`), `plans` keeps it.
//! - Money: `estimate` before, `purse` opens `asking`; `spending` keeps the ledger, `tariffs` and `models` know prices.
//! - The target besides landing: `members` and `eviction` for the queue, `adopting`, `undo` by `taking`, `settle`, `mend`,
//!   `hand_edits`, `rewrite` and `steering` for commands that change the backlog.
//! - Elsewhere: `sync` and `remote`; `bringing`, `judging` and `host` for CI; `provenance` for other programs.
//! - Telling: `live`, `output`, `logging`, `notify`, `runs`, `report`, as `taste` has it; `audit` and `replaying` look afterwards.
//! - The program itself: `evolve`.

pub mod adopting;
pub mod asking;
pub mod attempt;
pub mod audit;
pub mod background;
pub mod bringing;
pub mod checks;
pub mod claims;
pub mod draft;
pub mod durations;
pub mod estimate;
pub mod eviction;
pub mod evolve;
pub mod executor;
pub mod fenced;
pub mod footprints;
pub mod gather;
pub mod hand_edits;
pub mod host;
pub mod inbox;
pub mod indexing;
pub mod judging;
pub mod land;
pub mod landed;
pub mod linted;
pub mod listings;
pub mod live;
pub mod logging;
pub mod members;
pub mod mend;
pub mod models;
pub mod night;
pub mod notify;
pub mod orders;
pub mod output;
pub mod past;
pub mod planning;
pub mod plans;
pub mod pool;
pub mod provenance;
pub mod proving;
pub mod purse;
pub mod queue;
pub mod recall;
pub mod records;
pub mod remote;
pub mod repair;
pub mod replaying;
pub mod report;
pub mod retrieval;
pub mod rewrite;
pub mod run;
pub mod runs;
pub mod session;
pub mod settle;
pub mod shift;
pub mod spending;
pub mod steering;
pub mod stored;
pub mod surveying;
pub mod sync;
pub mod taking;
pub mod talk;
pub mod target;
pub mod tariffs;
pub mod taste;
pub mod templates;
pub mod turn;
pub mod undo;
pub mod verdicts;
pub mod window;
pub mod wording;
pub mod worker;
pub mod workers;
