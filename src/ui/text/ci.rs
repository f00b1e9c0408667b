//! `ci` as text: what was written and is needed, the list of jobs as it is taken, points of a candidate, what landed.

use crate::{
    ci::matrix::MOST,
    commands::ci::{init, land, matrix, verify},
    engine::judging::Standing,
    letters::one_line,
    quote::quoted,
    ui::{
        View,
        colour::Style,
        look::{Look, count},
        text::{Lines, merge, run},
    },
};

impl View for init::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for file in &self.files {
            lines.add("wrote", file);
        }
        for file in &self.unchanged {
            lines.add("unchanged", file);
        }
        if let Some(add) = &self.add {
            lines.painted(Style::Warn, "add", &format!("these lines to {}:", add.file));
            lines.indented(&add.lines);
        }
        for need in &self.needs {
            lines.painted(Style::Warn, "needs", need);
        }
        if !self.files.is_empty() {
            let files: Vec<String> = self.files.iter().map(|file| quoted(file)).collect();
            let about = format!("git add {} && git commit && git push", files.join(" "));
            lines.painted(Style::Dim, "next", &about);
        }
        lines.end()
    }
}

impl View for matrix::Outcome {
    fn text(&self, _: &Look) -> String {
        self.text.clone()
    }

    fn aside(&self) -> String {
        if !self.any {
            return format!(
                "no goal of `{}` can start; `git invisigoth status` says what they wait for",
                self.target
            );
        }
        match self.left {
            0 => String::new(),
            left => format!("{left} more can start; a list has at most {MOST}, and the next wave takes the rest"),
        }
    }
}

impl View for verify::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for point in &self.points {
            let style = match point.state {
                Standing::Ok => Style::Good,
                Standing::Warn | Standing::Held => Style::Warn,
                Standing::Failed => Style::Bad,
            };
            let path = point.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
            let about = one_line(&format!("{path}{}", point.detail));
            lines.raw(&format!(
                "{}{:<10}{about}",
                look.word(style, point.state.word(), 8),
                point.name
            ));
            if let Some(output) = &point.output {
                lines.indented(output);
            }
            if let Some(fix) = &point.fix {
                lines.raw(&format!("{}{}", " ".repeat(18), one_line(fix)));
            }
        }
        let (style, word) = if self.passed {
            (Style::Good, "passed")
        } else {
            (Style::Bad, "failed")
        };
        let goal = self
            .goal
            .as_ref()
            .map(|goal| format!(" for {}", one_line(goal.as_str())))
            .unwrap_or_default();
        let verdict = if self.passed {
            "may land on"
        } else {
            "does not land by itself on"
        };
        lines.raw(&format!(
            "{}commit {}{} {verdict} `{}`",
            look.word(style, word, 8),
            self.commit.short(),
            goal,
            self.target
        ));
        lines.end()
    }
}

impl View for land::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for goal in &self.settled {
            lines.painted(Style::Good, "settled", &format!("{goal}  landed at the host"));
        }
        for proposed in &self.proposed {
            let about = format!("{}  {}", proposed.goal, proposed.words());
            lines.painted(Style::Good, "proposed", &about);
        }
        for refused in &self.refused {
            lines.painted(Style::Bad, "refused", &format!("{}  {}", refused.goal, refused.why));
        }
        let mut text = lines.end() + &run::beside(look, self.beside.as_deref());
        if !self.goals.is_empty() {
            text.push_str(&merge::totals(look, &self.goals));
        }
        text
    }

    fn aside(&self) -> String {
        let mut said = Vec::new();
        if self.brought > 0 {
            let brought = count(self.brought, "candidate", "candidates");
            said.push(format!("{brought} brought from the remote"));
        }
        for name in &self.differ {
            let branch = name.trim_start_matches("refs/heads/");
            said.push(format!("{branch} is another commit at the remote; the one here stands"));
        }
        if let Some(held) = self.held.first() {
            let held = quoted(held.as_str());
            said.push(format!("held candidates wait to be named: git invisigoth merge {held}"));
        }
        said.extend(merge::again(&self.goals));
        let is_idle = self.goals.is_empty() && self.proposed.is_empty() && self.refused.is_empty();
        if is_idle && self.held.is_empty() {
            said.push("no candidate waits".to_owned());
        }
        said.join("\n")
    }
}
