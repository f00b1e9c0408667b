//! `serve`: the dashboard, until Ctrl-C.

use std::sync::Arc;

use core::net::{Ipv4Addr, SocketAddr};
use eyre::{Result, WrapErr as _};

use crate::{
    cli::{args::serve::Serve, open::Opened},
    door::signal,
    web::{
        gate::Gate,
        live::Live,
        render::Renderer,
        server::{self, Shared},
        site::{May, Site},
    },
};

/// Serves.
pub(super) fn run(at: &Opened, args: &Serve) -> Result<u8> {
    let session = at.session()?;
    let stop = session.stop.clone();
    let watch = signal::watch(&stop, || {}).wrap_err("listening for signals")?;
    let renderer = Renderer::live(Arc::clone(&session.clock))?;
    let may = if args.read_only { May::Look } else { May::Act };
    let shared = Shared {
        site: Arc::new(Site::new(session, renderer, may)),
        gate: Arc::new(Gate::default()),
        live: Live::default(),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    server::serve(shared, address, &stop, |address| {
        at.ui.print(&format!("http://{address}/\n"));
        Ok(())
    })?;
    // Ctrl-C is how it ends; being told to end is another matter.
    Ok(watch.exit_code().filter(|code| *code != 130).unwrap_or(0))
}
