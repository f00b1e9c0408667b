//! `init` as text: what was written and found, how the base does, what to do next.

use crate::{
    commands::init::{Base, Outcome},
    detect::Detected,
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let verb = if self.undone { "removed" } else { "wrote" };
        for file in &self.files {
            lines.add(verb, file);
        }
        if let Some(commit) = self.commit {
            lines.add("commit", &commit.short());
        }
        if self.undone {
            return lines.end();
        }
        if self.files.is_empty() {
            lines.add("unchanged", "everything was here already");
        }
        if self.checks.is_empty() && self.base.is_some() {
            lines.add("detected", "nothing; the checks of invisigoth.toml stand");
        } else {
            found(&mut lines, (&self.detected, &self.checks, &self.notes));
        }
        self.base(&mut lines);
        let next = if self.checks.is_empty() && self.base.is_none() {
            "set `check.test` in invisigoth.toml and commit it; nothing runs without"
        } else if matches!(self.base, Some(Base::Red(_))) {
            "mend `[check]` in invisigoth.toml or the code, commit it, then `git invisigoth check`"
        } else {
            "`git invisigoth add \"what to do\"`, then `git invisigoth run --dry-run`"
        };
        lines.painted(Style::Dim, "next", next);
        lines.painted(Style::Dim, "undo", "git invisigoth init --undo");
        lines.end()
    }
}

impl Outcome {
    fn base(&self, lines: &mut Lines<'_>) {
        match &self.base {
            None => {}
            Some(Base::Green) => lines.painted(Style::Good, "green", "the base passes its checks"),
            Some(Base::KnownRed(tests)) => {
                let about = format!("{} tests of the base fail; no goal may add another", tests.len());
                lines.painted(Style::Warn, "red", &about);
                for test in tests.iter().take(5) {
                    lines.painted(Style::Warn, "red", test);
                }
            }
            Some(Base::Red(why)) => {
                lines.painted(Style::Bad, "red", "nothing can run until the base passes its checks");
                lines.indented(why);
            }
        }
    }
}

fn found(lines: &mut Lines<'_>, (kinds, checks, notes): (&[String], &[(&'static str, String)], &[String])) {
    if kinds.is_empty() {
        lines.add(
            "detected",
            "no kind of project that is known here; set `check.test` in invisigoth.toml",
        );
    } else {
        lines.add("detected", &kinds.join(", "));
    }
    for (stage, command) in checks {
        lines.add(stage, command);
    }
    for note in notes {
        lines.painted(Style::Warn, "note", note);
    }
}

/// Returns what `init` is about to do, for the question before it.
pub fn plan(detected: &Detected, no_commit: bool, look: &Look) -> String {
    let mut lines = Lines::new(look);
    let kinds: Vec<String> = detected.ecosystems.iter().map(|kind| format!("{kind:?}")).collect();
    let stages = [
        ("setup", &detected.setup),
        ("lint", &detected.lint),
        ("test", &detected.test),
    ];
    let checks: Vec<(&'static str, String)> = stages
        .into_iter()
        .flat_map(|(stage, commands)| commands.iter().map(move |command| (stage, command.clone())))
        .chain(detected.test_file.iter().map(|command| ("test_file", command.clone())))
        .collect();
    found(&mut lines, (&kinds, &checks, &detected.notes));
    let what = if no_commit { "writes" } else { "writes and commits" };
    lines.add(
        "init",
        &format!("{what} invisigoth.toml and memory/, nothing else; runs these checks on the base"),
    );
    lines.end()
}
