//! Ends: an error as a fault for people and as an exit code.

use crate::{
    cli::help,
    commands,
    fault::{Fault, Kind},
    ui::Ui,
};

/// Prints `error` and returns the exit code.
pub fn failed(ui: &Ui, error: &eyre::Report) -> Kind {
    let (fault, causes) = commands::fault_of(error);
    ui.fault(&fault, &causes);
    fault.kind
}

/// Words a mistake on the command line as a fault; `verb` is the command that was typed, where one was.
pub fn usage(error: &clap::Error, verb: Option<&str>) -> Fault {
    let text = error.render().to_string();
    let mut message: Vec<&str> = Vec::new();
    let mut hints = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(tip) = line.strip_prefix("tip: ") {
            // Nobody types what git and shells call.
            hints.extend(Some(tip.to_owned()).filter(|tip| !help::names_hidden(tip)));
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            hints.push(format!("usage: {usage}"));
        } else if !line.is_empty() && !line.starts_with("For more information") {
            message.push(line.trim_start_matches("error: "));
        }
    }
    let mut fault = Fault::new(Kind::Usage, message.join(" "));
    let more = match verb {
        Some(verb) => format!("`git invisigoth help {verb}` tells more"),
        None => "`git invisigoth help` lists all commands".to_owned(),
    };
    fault.hints = hints;
    fault.hint(more)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use eyre::WrapErr as _;

    use super::*;
    use crate::ui::{Manner, colour::Paint, look::Look};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(error: &eyre::Report, json: bool, verbose: bool) -> (Kind, String, String) {
        let plain = Paint { on: false };
        let look = Look {
            paint: plain,
            width: 80,
            unicode: true,
        };
        let (out, err) = (Kept::default(), Kept::default());
        let manner = Manner {
            look,
            stderr: plain,
            quiet: true,
            verbose,
            json,
        };
        let ui = Ui::onto(manner, Box::new(out.clone()), Box::new(err.clone()));
        let kind = failed(&ui, error);
        let text = |kept: &Kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        (kind, text(&out), text(&err))
    }

    #[test]
    fn a_fault_is_found_below_its_context_with_its_hints() {
        let fault = Fault::new(Kind::Busy, "another run is at work").hint("`git invisigoth status`");
        let error = Err::<(), _>(fault).wrap_err("starting").unwrap_err();
        let (kind, out, err) = said(&error, false, false);
        assert_eq!(kind, Kind::Busy);
        assert_eq!(out, "");
        assert_eq!(
            err,
            "error: starting: another run is at work\nhint: `git invisigoth status`\n"
        );
        let (_, out, err) = said(&error, true, false);
        assert_eq!(err, "");
        let json = r#"{"schema":"invisigoth.error/1","error":{"kind":"busy","message":"starting: another run is at work","hints":["`git invisigoth status`"]}}"#;
        assert_eq!(out, format!("{json}\n"));
    }

    #[test]
    fn any_other_error_says_its_whole_chain() {
        let error = Err::<(), _>(io::Error::other("disk full"))
            .wrap_err("writing x")
            .unwrap_err();
        let (kind, _, err) = said(&error, false, true);
        assert_eq!(kind, Kind::Error);
        let hint = "hint: `git invisigoth doctor` checks every precondition";
        assert_eq!(err, format!("error: writing x: disk full\n{hint}\n"));
    }
}
