//! The command line: what a person typed becomes a request, an outcome becomes text and an exit code. Decides nothing else.

pub mod args;
pub mod completion;
pub mod dispatch;
pub mod exit;
pub mod help;
pub mod keeping;
pub mod man;
pub mod open;
pub mod paging;
pub mod paths;

use std::{ffi::OsString, sync::Arc};

use clap::error::ErrorKind;

use crate::{
    cli::{
        args::{Global, Verb},
        open::Opened,
        paging::Wants,
    },
    door::{env::Env, program, signal, terminal},
    fault::{Fault, Kind},
    ui::Ui,
};

/// Runs the program and returns its exit code.
pub fn main() -> u8 {
    let arguments = program::arguments();
    let (env, streams) = (Env::read(), terminal::streams());
    match help::read(&arguments) {
        Ok(mut cli) => {
            cli.global.set = args::all_set(&arguments);
            let wants = paging::wants(cli.verb.as_ref());
            let ui = Arc::new(open::ui(&cli.global, &env, streams, wants));
            let keeps_on = cli.verb.as_ref().is_some_and(|verb| keeping::name(verb).is_some());
            let opened = Opened::new(cli.global, cli.verb.as_ref(), Arc::clone(&ui), env, streams);
            let code = match opened {
                Ok(opened) => done(&opened, cli.verb),
                Err(error) => exit::failed(&ui, &error).exit_code(),
            };
            // Nothing that works at goals dies of a reader that went away.
            if ui.is_unread() && !keeps_on {
                signal::die_of_pipe();
            }
            ended(&ui, code)
        }
        Err(error) => {
            let global = asked(&arguments);
            let wants = match error.kind() {
                ErrorKind::DisplayHelp => Wants::Pager,
                _ => Wants::Colour,
            };
            let ui = open::ui(&global, &env, streams, wants);
            let code = misread(&ui, &error, &arguments);
            if ui.is_unread() {
                signal::die_of_pipe();
            }
            ended(&ui, code)
        }
    }
}

fn done(at: &Opened, verb: Option<Verb>) -> u8 {
    match dispatch::run(at, verb) {
        Ok(code) => {
            keeping::end(at, code, None);
            code
        }
        Err(error) => {
            let code = exit::failed(&at.ui, &error).exit_code();
            keeping::end(at, code, Some(&format!("{error:#}")));
            code
        }
    }
}

/// An answer that could not be printed is no answer.
fn ended(ui: &Ui, code: u8) -> u8 {
    match ui.finish() {
        Ok(()) => code,
        Err(error) => {
            ui.fault(
                &Fault::new(Kind::Error, format!("writing to standard output: {error}")),
                &[],
            );
            Kind::Error.exit_code()
        }
    }
}

/// What can be told of a command line that cannot be read.
fn asked(arguments: &[OsString]) -> Global {
    Global {
        json: arguments.iter().any(|argument| argument == "--json"),
        no_pager: arguments.iter().any(|argument| argument == "--no-pager"),
        ..Global::default()
    }
}

fn misread(ui: &Ui, error: &clap::Error, arguments: &[OsString]) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            ui.read(&error.render().to_string());
            0
        }
        _ => {
            ui.fault(&exit::usage(error, help::verb_of(arguments).as_deref()), &[]);
            Kind::Usage.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        help::command().debug_assert();
    }

    #[test]
    fn a_usage_error_has_our_words_and_clap_s_tips() {
        let error = help::read(&["git-invisigoth".into(), "statu".into()]).unwrap_err();
        let fault = exit::usage(&error, None);
        assert_eq!(fault.kind, Kind::Usage);
        assert_eq!(fault.message, "unrecognized subcommand 'statu'");
        assert!(
            fault.hints.iter().any(|hint| hint.contains("'status'")),
            "{:?}",
            fault.hints
        );
        let error = help::read(&["git-invisigoth".into(), "hoo".into()]).unwrap_err();
        let hints = exit::usage(&error, None).hints;
        assert!(hints.iter().all(|hint| !hint.contains("'hook'")), "{hints:?}");
    }
}
