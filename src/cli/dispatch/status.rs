//! `status`: how it is shown, once or whenever something changes.

use std::time::Duration;

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{args::status::Status, open::Opened},
    commands::status::{self, Outcome, watched::Watched},
    door::{
        signal, terminal,
        wait::{self, Stopwatch},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    ui::{
        View as _,
        look::Look,
        text::status::{graph, porcelain},
    },
};

/// How often everything is read again although no file looks changed.
const READ_AGAIN: Duration = Duration::from_secs(20);
/// What puts the cursor at the top of a terminal.
const HOME: &str = "\u{1b}[H";
/// What clears the rest of a line, and all below.
const REST: &str = "\u{1b}[K\n";
const BELOW: &str = "\u{1b}[J";

/// Shows it.
pub(super) fn run(at: &Opened, args: &Status) -> Result<u8> {
    if at.ui.manner.json && (args.porcelain || args.graph) {
        let fault = Fault::new(Kind::Usage, "--json has everything that --porcelain and --graph show");
        return Err(fault.hint("`git invisigoth --json status`").into());
    }
    let session = at.session()?;
    match args.watch {
        Some(every) => watch(at, args, &session, every),
        None => {
            let outcome = status::run(&session)?;
            print(at, args, &outcome);
            Ok(0)
        }
    }
}

fn print(at: &Opened, args: &Status, outcome: &Outcome) {
    if at.ui.manner.json {
        at.ui.document(outcome);
    } else {
        at.ui.print(&text(at, args, outcome));
    }
}

fn text(at: &Opened, args: &Status, outcome: &Outcome) -> String {
    let look = look(at);
    match (args.porcelain, args.graph) {
        (true, _) => porcelain::text(outcome),
        (_, true) => graph::text(outcome, &look),
        _ => outcome.text(&look),
    }
}

/// What reads from a pipe looks for words: nothing is cut there, unless `COLUMNS` says how wide it is. A terminal may have
/// another size by now.
fn look(at: &Opened) -> Look {
    let look = at.ui.manner.look;
    let is_said = at
        .env
        .get("COLUMNS")
        .is_some_and(|columns| columns.parse::<usize>().is_ok());
    let width = match at.streams.stdout {
        _ if is_said => look.width,
        true => terminal::columns().map_or(look.width, |columns| columns.clamp(40, 200)),
        false => usize::MAX,
    };
    Look { width, ..look }
}

/// What was shown last.
struct Shown {
    outcome: Option<Outcome>,
    /// As JSON, in which there are no ages then: equal where nothing changed.
    words: String,
    complaint: String,
}

fn watch(at: &Opened, args: &Status, session: &Session, every: Duration) -> Result<u8> {
    let signals = signal::watch(&session.stop, || {}).wrap_err("listening for signals")?;
    let mut watched = Watched::of(session)?;
    let mut seen = watched.look(session);
    let mut shown = Shown {
        outcome: Some(status::run(session)?),
        words: String::new(),
        complaint: String::new(),
    };
    if is_screen(at) {
        at.ui.print(&[HOME, BELOW].concat());
    }
    let mut read = Stopwatch::start();
    loop {
        show(at, args, session, &mut shown)?;
        if at.ui.is_cut_off() || !wait::pause(every, &session.stop) {
            // Ctrl-C is how a watch ends; being told to end is another matter.
            return Ok(signals.exit_code().filter(|code| *code != 130).unwrap_or(0));
        }
        let now = watched.look(session);
        if now != seen || read.elapsed() >= READ_AGAIN {
            // Another branch may be the target by now.
            watched = Watched::of(session).unwrap_or(watched);
            (seen, read) = (watched.look(session), Stopwatch::start());
            match status::run(session) {
                Ok(outcome) => (shown.outcome, shown.complaint) = (Some(outcome), String::new()),
                // A backlog that is just being edited is no reason to go.
                Err(error) => complain(at, &mut shown, &error),
            }
        }
    }
}

fn complain(at: &Opened, shown: &mut Shown, error: &eyre::Report) {
    let complaint = format!("error: {error:#}");
    if complaint != shown.complaint {
        at.ui.complain(&complaint);
        shown.complaint = complaint;
    }
}

/// Shows the outcome: on a terminal anew each time, as ages grow; else as a block of its own where something changed.
fn show(at: &Opened, args: &Status, session: &Session, shown: &mut Shown) -> Result<()> {
    let Some(outcome) = &mut shown.outcome else {
        return Ok(());
    };
    let now = session.clock.now();
    outcome.without_eta();
    let words = serde_json::to_string(outcome).wrap_err("wording the status")?;
    outcome.tell_at(now);
    if is_screen(at) {
        let text = text(at, args, outcome);
        let lines = terminal::lines().unwrap_or(usize::MAX).saturating_sub(1);
        let lines: String = text.lines().take(lines).flat_map(|line| [line, REST]).collect();
        at.ui.print(&[HOME, &lines, BELOW].concat());
        return Ok(());
    }
    if words != shown.words {
        if !shown.words.is_empty() && !at.ui.manner.json {
            at.ui.print("\n");
        }
        print(at, args, outcome);
        shown.words = words;
    }
    Ok(())
}

fn is_screen(at: &Opened) -> bool {
    at.streams.stdout && !at.ui.manner.json && at.env.get("TERM") != Some("dumb")
}
