//! Dispatch of `status`: how it is shown, once or whenever something changes.

use std::time::Duration;

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{args::status::Status, dispatch::id, open::Opened},
    commands::status::{self, graph, watched::Watched},
    door::{
        signal, terminal,
        wait::{self, Stopwatch},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    graph::part::Choice,
    ui::{View as _, look::Look, text::status::porcelain},
};

/// How often everything is read again although no file looks changed.
const READ_AGAIN: Duration = Duration::from_secs(20);
/// What puts the cursor at the top of a terminal.
const HOME: &str = "\u{1b}[H";
/// What clears the rest of a line, and all below.
const REST: &str = "\u{1b}[K\n";
const BELOW: &str = "\u{1b}[J";

/// What was read, by what was asked for.
enum Outcome {
    Whole(Box<status::Outcome>),
    Graph(graph::Outcome),
}

/// Shows it.
pub(super) fn run(at: &Opened, args: &Status) -> Result<u8> {
    if at.ui.manner.json && args.porcelain {
        let fault = Fault::new(Kind::Usage, "--json has everything that --porcelain shows");
        return Err(fault.hint("`git invisigoth --json status`").into());
    }
    let session = at.session()?;
    match args.watch {
        Some(every) => watch(at, args, &session, every),
        None => {
            let outcome = read(args, &session)?;
            print(at, args, &outcome);
            Ok(0)
        }
    }
}

fn read(args: &Status, session: &Session) -> Result<Outcome> {
    if !args.graph {
        return Ok(Outcome::Whole(Box::new(status::run(session)?)));
    }
    let choice = Choice {
        focus: args.focus.as_deref().map(id).transpose()?,
        landed: args.landed,
    };
    Ok(Outcome::Graph(graph::run(session, &choice, usize::MAX)?))
}

fn print(at: &Opened, args: &Status, outcome: &Outcome) {
    match outcome {
        Outcome::Whole(outcome) if at.ui.manner.json => at.ui.document(&**outcome),
        Outcome::Graph(outcome) if at.ui.manner.json => at.ui.document(outcome),
        outcome => at.ui.print(&text(at, args, outcome)),
    }
}

fn text(at: &Opened, args: &Status, outcome: &Outcome) -> String {
    let look = look(at);
    match outcome {
        Outcome::Whole(outcome) if args.porcelain => porcelain::text(outcome),
        Outcome::Whole(outcome) => outcome.text(&look),
        Outcome::Graph(outcome) => outcome.text(&look),
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
    let signals = signal::watch(&session.stop, |_| {}).wrap_err("listening for signals")?;
    let mut watched = Watched::of(session)?;
    let mut seen = watched.look(session);
    let mut shown = Shown {
        outcome: Some(read(args, session)?),
        words: String::new(),
        complaint: String::new(),
    };
    if is_screen(at) {
        at.ui.print(&[HOME, BELOW].concat());
    }
    let mut since = Stopwatch::start();
    loop {
        show(at, args, session, &mut shown)?;
        if at.ui.is_cut_off() || !wait::pause(every, &session.stop) {
            // Ctrl-C is how a watch ends; being told to end is another matter.
            return Ok(signals.exit_code().filter(|code| *code != 130).unwrap_or(0));
        }
        let now = watched.look(session);
        if now != seen || since.elapsed() >= READ_AGAIN {
            // Another branch may be the target by now.
            watched = Watched::of(session).unwrap_or(watched);
            (seen, since) = (watched.look(session), Stopwatch::start());
            match read(args, session) {
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
    let words = match outcome {
        Outcome::Whole(outcome) => {
            outcome.without_eta();
            let words = serde_json::to_string(outcome);
            outcome.tell_at(now);
            words
        }
        Outcome::Graph(outcome) => serde_json::to_string(outcome),
    };
    let words = words.wrap_err("wording the status")?;
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
