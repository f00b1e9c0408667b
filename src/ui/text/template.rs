//! `template` as text: what is wrong, a list, a source.

use std::fmt::Write as _;

use crate::{
    commands::template::{At, CheckOutcome, ListOutcome, ShowOutcome},
    letters::one_line,
    prompt::template::overrides::FOLDER,
    ui::{View, colour::Style, look::Look},
};

/// How one of the repository's own is begun.
const BEGIN: &str = "\
hint: begin your own with `mkdir -p .invisigoth/templates`, then
hint: `git invisigoth template show goal.md.j2 > .invisigoth/templates/goal.md.j2`
";

/// Width of the names in a list, the gap included.
const NAME: usize = 30;

/// Width of the names of variables, the gap included.
const VARIABLE: usize = 15;

impl At {
    fn words(&self) -> String {
        match self.commit {
            Some(commit) => format!("{} ({})", one_line(&self.name), commit.short()),
            None => format!("the {}", self.name),
        }
    }

    fn aside(&self) -> String {
        match self.uncommitted {
            true => format!(
                "note: {FOLDER} in your working tree differs: what is committed counts\n\
                 hint: `git invisigoth template check --working` looks at your files\n"
            ),
            false => String::new(),
        }
    }
}

impl View for CheckOutcome {
    fn text(&self, look: &Look) -> String {
        let at = self.at.words();
        let own = match self.own.as_slice() {
            [] => "none of your own".to_owned(),
            own => format!("{} of your own", own.len()),
        };
        let count = self.templates;
        let mut text = match self.flaws.len() {
            0 => format!("{count} templates of {at} are in order, {own}\n"),
            1 => format!("1 thing is wrong in the templates of {at}\n"),
            many => format!("{many} things are wrong in the templates of {at}\n"),
        };
        for flaw in &self.flaws {
            let _ = writeln!(
                text,
                "{} {}",
                look.paint.paint(Style::Bad, "wrong"),
                one_line(&flaw.to_string())
            );
        }
        text
    }

    fn aside(&self) -> String {
        match (self.at.commit, self.flaws.is_empty() && !self.own.is_empty()) {
            (None, true) => {
                "hint: they count once they are committed: `git add .invisigoth && git commit`\n".to_owned()
            }
            _ => self.at.aside(),
        }
    }
}

impl View for ListOutcome {
    fn text(&self, look: &Look) -> String {
        let mut text = String::new();
        for row in &self.templates {
            let variables = match row.variables {
                0 => "no variables".to_owned(),
                1 => "1 variable".to_owned(),
                count => format!("{count} variables"),
            };
            let whose = match row.own {
                true => look.paint.paint(Style::Good, "yours   "),
                false => "built in".to_owned(),
            };
            let _ = writeln!(text, "{:NAME$}{whose}  {variables}", row.name);
        }
        text
    }

    fn aside(&self) -> String {
        let wrong = self
            .flaws
            .iter()
            .map(|flaw| format!("warning: {}\n", one_line(&flaw.to_string())));
        let is_new = !self.at.uncommitted && self.flaws.is_empty() && self.templates.iter().all(|row| !row.own);
        let begin = is_new.then(|| BEGIN.to_owned());
        wrong.chain([self.at.aside()]).chain(begin).collect()
    }
}

impl View for ShowOutcome {
    fn text(&self, _: &Look) -> String {
        if !self.asks_variables {
            return self.source.clone();
        }
        let line = |name: &str, holds: &str, meaning: &str| format!("{name:VARIABLE$}{holds}: {meaning}\n");
        self.variables
            .iter()
            .map(|variable| line(variable.name, &variable.holds, variable.meaning))
            .collect()
    }
}
