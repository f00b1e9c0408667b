//! Dispatch of `serve`: the dashboard, until Ctrl-C; or another link of the one that runs.

use std::{path::Path, sync::Arc, time::Duration};

use core::net::SocketAddr;
use eyre::{Result, WrapErr as _};

use crate::{
    cli::{args::serve::Serve, open::Opened},
    door::{
        fs, signal,
        spawn::detached,
        wait::{self, Stopwatch},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    web::{
        gate::Gate,
        live::Live,
        render::Renderer,
        running::{self, About, Begun, Outcome, Running},
        server::{self, Shared},
        sign_in::Keys,
        site::{May, Site},
    },
};

/// What opens an address in the person's browser.
const OPENER: &str = "xdg-open";
/// How long a server may take to begin or to end; it gives its last answers time.
const LONGEST: Duration = Duration::from_secs(10);

/// Serves.
pub(super) fn run(at: &Opened, args: &Serve) -> Result<u8> {
    near(args)?;
    let session = at.session()?;
    match place(at, &session)? {
        Begun::Here(running) => begin(at, args, session, &running),
        Begun::There(Some(server)) => again(at, args, &session, server),
        Begun::There(None) => {
            let fault = Fault::new(Kind::Busy, "another `git invisigoth serve` begins or ends here");
            Err(fault.hint("`git invisigoth serve` in a moment").into())
        }
    }
}

/// Waits for a server that is about to begin or to end: a link of one that ends would lead nowhere.
fn place(at: &Opened, session: &Session) -> Result<Begun> {
    let waited = Stopwatch::start();
    let mut is_told = false;
    loop {
        let begun = running::begin(session)?;
        if !matches!(begun, Begun::There(None)) || waited.elapsed() > LONGEST {
            return Ok(begun);
        }
        if !is_told {
            at.ui
                .say("waiting for another `git invisigoth serve` that begins or ends here");
            is_told = true;
        }
        if !wait::pause(wait::STEP, &session.stop) {
            return Ok(begun);
        }
    }
}

/// Whoever can reach the address can try what it takes to come in, and the traffic can be read on its way.
fn near(args: &Serve) -> Result<()> {
    if args.address.is_loopback() || !args.hosts.is_empty() {
        return Ok(());
    }
    let fault = Fault::new(
        Kind::Usage,
        format!(
            "{} can be reached from other machines, and what is sent there is not encrypted",
            args.address
        ),
    );
    let port = args.port;
    Err(fault
        .hint(format!(
            "from afar: `ssh -L {port}:127.0.0.1:{port} HOST`, then `git invisigoth serve` on HOST"
        ))
        .hint(format!(
            "in a tailnet: `tailscale serve {port}`, and `git invisigoth serve --allow-host NAME.ts.net`"
        ))
        .hint("behind a proxy of your own: name the host that browsers ask for by --allow-host")
        .into())
}

fn begin(at: &Opened, args: &Serve, session: Session, running: &Running) -> Result<u8> {
    let stop = session.stop.clone();
    let ending = running.ending();
    let watch = signal::watch(&stop, move |_| ending()).wrap_err("listening for signals")?;
    let (clock, clone) = (Arc::clone(&session.clock), session.repo_id(&session.repo()));
    let renderer = Renderer::live(Arc::clone(&clock))?;
    let may = if args.read_only { May::Look } else { May::Act };
    let gate = Gate {
        hosts: args.hosts.clone(),
        keys: Keys::new(running.secrets(), &clone, Arc::clone(&clock)),
    };
    let shared = Shared {
        site: Arc::new(Site::new(session, renderer, may)),
        gate: Arc::new(gate),
        live: Live::default(),
    };
    let address = SocketAddr::new(args.address, args.port);
    let site = Arc::clone(&shared.site);
    server::serve(shared, address, &stop, |address| {
        let outcome = running.listens(address, may, clock.now())?;
        tell(at, &outcome);
        at.ui.say(
            "the link works once; `git invisigoth serve` in another terminal prints a new one. Ctrl-C ends the server",
        );
        open(at, args, site.session(), &outcome)
    })?;
    // Ctrl-C is how it ends; being told to end is another matter.
    Ok(watch.exit_code().filter(|code| *code != 130).unwrap_or(0))
}

/// Makes another link of the server that runs.
fn again(at: &Opened, args: &Serve, session: &Session, server: About) -> Result<u8> {
    if args.read_only && !server.read_only {
        let fault = Fault::new(
            Kind::Busy,
            format!(
                "this clone is served at {} already, by process {}, and not read-only",
                server.address, server.pid
            ),
        );
        return Err(fault.hint(format!("`kill {}` ends it", server.pid)).into());
    }
    let outcome = running::another(session, server)?;
    tell(at, &outcome);
    at.ui.say(&format!(
        "the server is process {}; the link works once",
        outcome.server.pid
    ));
    open(at, args, session, &outcome)?;
    Ok(0)
}

fn tell(at: &Opened, outcome: &Outcome) {
    match at.ui.manner.json {
        true => at.ui.document(outcome),
        false => at.ui.print(&format!("{}\n", outcome.link)),
    }
}

/// Opens the link by a page that forwards to it: what a program is called with can be read by everybody on the machine.
fn open(at: &Opened, args: &Serve, session: &Session, outcome: &Outcome) -> Result<()> {
    if !args.open {
        return Ok(());
    }
    let folder = session.own_dir(&session.repo());
    let (page, log) = (folder.join("serve.html"), folder.join("serve.log"));
    let link = &outcome.link;
    let text =
        format!("<!doctype html><meta http-equiv=\"refresh\" content=\"0;url={link}\"><a href=\"{link}\">Go on</a>\n");
    fs::write_private(&page, text.as_bytes()).wrap_err_with(|| format!("writing {}", page.display()))?;
    let started = detached::start(
        Path::new(OPENER),
        &[page.into()],
        &folder,
        session.env.for_people(),
        &log,
    );
    if started.is_err() {
        at.ui.complain(&format!(
            "warning: there is no `{OPENER}` here; open the link in a browser"
        ));
    }
    Ok(())
}
