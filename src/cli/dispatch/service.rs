//! Dispatch of `service`.

use std::path::Path;

use eyre::Result;

use crate::{
    cli::{
        args::service::{self, Service, ServiceVerb},
        dispatch::answer,
        open::Opened,
    },
    commands::service::{
        control::{self, Order},
        install, logs, status, uninstall,
    },
    fault::{Fault, Kind},
    time::local::{self, Until},
    unit::{Key, Scope, When},
};

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Service) -> Result<u8> {
    let scope = if args.system { Scope::System } else { Scope::User };
    let order = |order| answer(at, &control::run(&at.session()?, scope, order)?);
    match args.verb {
        ServiceVerb::Install(args) => {
            let request = request(&at.place, scope, args)?;
            answer(at, &install::run(&at.session()?, &request)?)
        }
        ServiceVerb::Uninstall(args) => {
            let force = args.force;
            answer(
                at,
                &uninstall::run(&at.session()?, uninstall::Request { scope, force })?,
            )
        }
        ServiceVerb::Start => order(Order::Start),
        ServiceVerb::Stop => order(Order::Stop),
        ServiceVerb::Restart => order(Order::Restart),
        ServiceVerb::Status => answer(at, &status::run(&at.session()?, scope)?),
        ServiceVerb::Logs(args) => {
            let request = logs::Request {
                scope,
                follow: args.follow,
                lines: args.lines,
                json: at.ui.manner.json,
            };
            let code = logs::run(&at.session()?, request)?;
            Ok(u8::try_from(code).unwrap_or(Kind::Error.exit_code()))
        }
    }
}

fn request(place: &Path, scope: Scope, args: service::Install) -> Result<install::Request> {
    let credential = args
        .credential
        .as_deref()
        .map(|text| credential(place, text))
        .transpose()?;
    let file = args.env_file.map(|file| Key::Environment(place.join(file)));
    Ok(install::Request {
        scope,
        when: When {
            calendar: filled(args.on_calendar, "--on-calendar")?,
            until: args.until.map(time_of_day).transpose()?,
            span: args.span.map(span).transpose()?,
        },
        key: credential.or(file),
        now: args.now,
        force: args.force,
        print: args.print,
    })
}

/// An empty word would be lost in a unit.
fn filled(value: Option<String>, flag: &str) -> Result<Option<String>> {
    if value.as_ref().is_some_and(|value| value.trim().is_empty()) {
        return Err(Fault::new(Kind::Usage, format!("{flag} is empty")).into());
    }
    Ok(value)
}

/// What `run` could not read would else come to light at night.
fn time_of_day(text: String) -> Result<String> {
    match text.parse() {
        Ok(Until::Clock(_)) => Ok(text),
        _ => {
            let fault = Fault::new(Kind::Usage, format!("`{}` is no time of day", text.escape_debug()));
            Err(fault.hint("such as `--until 07:00`").into())
        }
    }
}

fn span(text: String) -> Result<String> {
    if local::span(&text).is_ok() {
        return Ok(text);
    }
    let fault = Fault::new(Kind::Usage, format!("`{}` is no span of time", text.escape_debug()));
    Err(fault.hint("such as `--for 8h` or `--for 1h30m`").into())
}

fn credential(place: &Path, text: &str) -> Result<Key> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match text.split_once(':') {
        Some((name, path))
            if !path.is_empty() && !name.is_empty() && !name.starts_with('.') && name.chars().all(plain) =>
        {
            Ok(Key::Credential(name.to_owned(), place.join(path)))
        }
        _ => {
            let fault = Fault::new(Kind::Usage, format!("`{text}` names no credential"));
            Err(fault
                .hint("such as `--credential OPENROUTER_API_KEY:/home/me/.keys/openrouter`")
                .into())
        }
    }
}
