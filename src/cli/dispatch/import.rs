//! Dispatch of `import` and `export`.

use std::path::Path;

use crate::{
    cli::{args::import as args, open::Opened},
    commands::{export, import},
    fault::{Fault, Kind},
    foreign::Format,
};

fn format(word: &str) -> Result<Format, Fault> {
    let known = Format::ALL.into_iter().find(|format| format.word() == word);
    known.ok_or_else(|| Fault::new(Kind::Usage, format!("`{word}` is no format")))
}

pub(crate) fn import(at: &Opened, args: args::Import) -> eyre::Result<import::Outcome> {
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

pub(crate) fn export(at: &Opened, args: args::Export) -> eyre::Result<export::Outcome> {
    let request = export::Request {
        format: format(&args.format)?,
        onto: args.onto.map(|path| at.place.join(path)),
        out: args.out.map(|path| at.place.join(path)),
        tag: args.tag,
    };
    export::run(&at.session()?, &request)
}
