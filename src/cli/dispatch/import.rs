//! Dispatch of `import` and `export`.

use std::path::{Path, PathBuf};

use eyre::Result;

use crate::{
    cli::{args::import as args, dispatch::answer, open::Opened},
    commands::{export, import},
    fault::{Fault, Kind},
    foreign::Format,
};
#[cfg(feature = "web")]
use crate::{commands::export::site, web::still};

fn format(word: &str) -> Result<Format, Fault> {
    let known = Format::ALL.into_iter().find(|format| format.word() == word);
    known.ok_or_else(|| Fault::new(Kind::Usage, format!("`{word}` is no format")))
}

pub(crate) fn import(at: &Opened, args: args::Import) -> Result<import::Outcome> {
    let request = import::Request {
        format: format(&args.format)?,
        path: (args.path != Path::new("-")).then(|| at.place.join(&args.path)),
        proposed: args.status.map(|status| status == "proposed"),
        labels: args.labels,
        all: args.all,
        tag: args.tag,
        dry_run: args.dry_run,
    };
    import::run(&at.session()?, &request)
}

pub(crate) fn export(at: &Opened, args: args::Export) -> Result<u8> {
    if let Some(dir) = args.html {
        return pages(at, at.place.join(dir));
    }
    let request = export::Request {
        format: format(&args.format.unwrap_or_default())?,
        onto: args.onto.map(|path| at.place.join(path)),
        out: args.out.map(|path| at.place.join(path)),
        tag: args.tag,
    };
    answer(at, &export::run(&at.session()?, &request)?)
}

#[cfg(feature = "web")]
fn pages(at: &Opened, dir: PathBuf) -> Result<u8> {
    let files = still::files(&at.session()?)?;
    answer(at, &site::run(&site::Request { dir, files })?)
}

#[cfg(not(feature = "web"))]
fn pages(_: &Opened, _: PathBuf) -> Result<u8> {
    Err(Fault::new(
        Kind::Usage,
        "this program was built without the dashboard, and so without its pages",
    )
    .into())
}
