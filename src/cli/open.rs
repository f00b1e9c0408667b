//! Opening: what every command works with, from the command line and the environment.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::{Global, Verb},
        keeping,
        paging::{self, Paging, Wants},
        paths,
    },
    door::{
        clock::SystemClock,
        env::Env,
        terminal::{self, Streams},
    },
    engine::{notify, session::Session},
    fault::{Fault, Kind},
    journal::{Journal, level::Wanted},
    ui::{
        Manner, Ui,
        colour::{self, When},
        live::Lines,
        look::Look,
        progress::Progress,
    },
};

/// Columns where no terminal says how many: as wide as the longest usual line of a run.
const COLUMNS: usize = 100;

/// Where a command runs and how it talks.
pub struct Opened {
    /// Prints.
    pub ui: Arc<Ui>,
    /// Prints events.
    pub progress: Arc<Progress>,
    /// The environment.
    pub env: Env,
    /// The folder that the command was called in, or sent to by `-C`.
    pub place: PathBuf,
    /// Which streams are terminals.
    pub streams: Streams,
    /// When git's own output has colours, where it is not for git to decide.
    pub colour: Option<bool>,
    /// Whether git shows its own output in no pager.
    pub no_pager: bool,
    /// Settings of the command line.
    pub flags: Vec<(String, String)>,
    /// True for a command whose events somebody may want to be told of.
    pub notifies: bool,
    /// The command's name, where it keeps a journal.
    pub kept_as: Option<&'static str>,
    /// The journal, once there is a session.
    pub journal: OnceLock<Arc<Journal>>,
    /// Which lines of it are wanted, where somebody said.
    pub wanted: Option<Wanted>,
}

/// Decides how to print.
fn manner(global: &Global, env: &Env, streams: Streams, paging: &Paging) -> Manner {
    let when = When::from(global.color);
    let paint = |is_seen: bool| colour::decide(when, |name| env.get(name), paging.colour, is_seen);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env.get(name))
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let width = paging::columns(env).unwrap_or(COLUMNS).clamp(40, 200);
    let unicode = locale.contains("utf-8") || locale.contains("utf8");
    Manner {
        look: Look {
            paint: paint(paging.is_seen(env, streams)),
            width,
            unicode,
        },
        stderr: paint(streams.stderr || colour::is_paged(|name| env.get(name))),
        quiet: global.quiet,
        verbose: global.verbose,
        json: global.json,
    }
}

/// Makes what prints: with live lines where a person looks at a terminal that can redraw them, and with their pager where the
/// answer `wants` it.
pub fn ui(global: &Global, env: &Env, streams: Streams, wants: Wants) -> Ui {
    let mut paging = Paging::find(global, env, streams, wants);
    let manner = manner(global, env, streams, &paging);
    let mut ui = match is_journal(env) {
        true => Ui::new(manner).with_priorities(),
        false => Ui::new(manner),
    };
    if let Some(pager) = paging.pager.take() {
        ui = ui.with_pager(pager.line().to_owned(), Box::new(move |text| pager.show(text)));
    }
    let can_redraw = env.get("TERM").is_some_and(|term| !matches!(term, "" | "dumb"));
    if !(streams.stdout && streams.stderr && can_redraw) || manner.quiet || manner.json {
        return ui;
    }
    let how = (manner.look, manner.stderr);
    let lines = Lines::new(
        Box::new(io::stderr()),
        terminal::size_of_stderr,
        how,
        Arc::new(SystemClock),
    );
    ui.with_lines(lines.ticking())
}

/// True where standard error goes to the system's journal, as it tells its services.
fn is_journal(env: &Env) -> bool {
    let told = env.get("JOURNAL_STREAM").and_then(|told| told.split_once(':'));
    let told = told.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    told.is_some() && told == terminal::file_of_stderr()
}

impl Opened {
    /// Puts it together for `verb`.
    ///
    /// # Errors
    /// A fault where the folder is not there.
    pub fn new(global: Global, verb: Option<&Verb>, ui: Arc<Ui>, env: Env, streams: Streams) -> Result<Self> {
        let current = env.current_dir().wrap_err("the current folder is gone")?;
        let place = paths::place(&current, env.get("GIT_PREFIX"), global.place.as_deref());
        if !place.is_dir() {
            let fault = Fault::new(Kind::Usage, format!("there is no folder {}", place.display()));
            return Err(fault.into());
        }
        let mut flags = global.set;
        let runs = matches!(verb, Some(Verb::Run(run)) if !run.dry_run);
        match verb {
            Some(Verb::Run(run)) => flags.extend(run.settings()),
            Some(Verb::Plan(plan)) => flags.extend(plan.settings()),
            Some(Verb::Merge(merge)) => flags.extend(merge.settings()),
            _ => {}
        }
        let progress = Arc::new(Progress::new(Arc::clone(&ui), runs));
        let wanted = keeping::wanted(&env, verb)?;
        let colour = colour::beyond_git(global.color.into(), |name| env.get(name));
        Ok(Self {
            ui,
            progress,
            env,
            place,
            streams,
            colour,
            no_pager: global.no_pager,
            flags,
            notifies: runs,
            kept_as: verb.and_then(keeping::name),
            journal: OnceLock::new(),
            wanted,
        })
    }

    /// Opens the repository.
    ///
    /// # Errors
    /// As `Session::open`.
    pub fn session(&self) -> Result<Session> {
        let sink = Arc::clone(&self.progress);
        let mut session = Session::open(&self.place, self.env.clone(), Arc::new(SystemClock), sink, &self.flags)?;
        self.ui.redact(&session.redactor);
        if self.notifies {
            let ui = Arc::clone(&self.ui);
            session.sink = notify::beside(&session, Box::new(move |line| ui.complain(line)));
        }
        keeping::begin(self, &mut session);
        Ok(session)
    }
}
