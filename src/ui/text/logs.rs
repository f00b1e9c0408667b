//! `logs` as text: a line each, in local time, under a heading for each run and day.
//!
//! Lines of other versions are told as far as they go: what is not known by name is shown with its fields.

use serde_json::{Map, Value};

use crate::{
    check::CheckRow,
    commands::logs::Outcome,
    door::clock,
    engine::{output::Part, run},
    journal::{diagnosis, level::Level, reading::Kept},
    letters::{columns, one_line},
    ui::{
        View,
        colour::Style,
        look::{ID, Look, count, grouped},
    },
    verdict::ansi::{self, Reader},
};

/// Width of a goal's column where ids are short.
const LEAST: usize = 9;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut words = Words::default();
        let ids = self.lines.iter().filter_map(|line| line.goal.as_deref());
        ids.for_each(|id| words.widen(id));
        let said: String = self.lines.iter().map(|line| words.line(look, line)).collect();
        said + &self.output.iter().map(|part| printed(look, part)).collect::<String>()
    }

    fn aside(&self) -> String {
        match (self.lines.is_empty() && self.output.is_empty(), self.damaged) {
            (_, 1..) => damaged(self.damaged),
            (true, 0) => "nothing was logged since then".to_owned(),
            (false, 0) => String::new(),
        }
    }
}

/// Words what a check printed, below a heading.
fn printed(look: &Look, part: &Part) -> String {
    let end = part.exit.map_or("no end".to_owned(), |code| format!("exit {code}"));
    let about = format!("attempt {}, round {}, {end}", part.attempt, part.round);
    let heading = format!("{} `{}`, {about}", part.stage.word(), one_line(&part.cmd));
    let mut reader = Reader::default();
    let lines = part.lines.iter().map(|line| ansi::plain(&reader.line(line)) + "\n");
    format!(
        "\n{}\n{}",
        look.paint.paint(Style::Bold, &heading),
        lines.collect::<String>()
    )
}

/// Says how many lines were left out.
pub fn damaged(lines: usize) -> String {
    format!("{} left out", count(lines, "damaged line", "damaged lines"))
}

/// Words lines one after the other.
#[derive(Debug, Default)]
pub struct Words {
    run: String,
    day: String,
    goal: usize,
}

impl Words {
    fn widen(&mut self, id: &str) {
        let width = columns(id).clamp(LEAST, ID);
        self.goal = self.goal.max(width);
    }

    /// Returns a line, under a heading where another run or day begins.
    pub fn line(&mut self, look: &Look, line: &Kept) -> String {
        let at = clock::zone().at(line.at);
        let day = at.strftime("%Y-%m-%d").to_string();
        let mut text = String::new();
        if (&self.run, &self.day) != (&line.run, &day) {
            let gap = if self.run.is_empty() { "" } else { "\n" };
            let heading = format!("{day}, run {}", one_line(&line.run));
            text = format!("{gap}{}\n", look.paint.paint(Style::Bold, &heading));
            (self.run, self.day) = (line.run.clone(), day);
        }
        let goal = line.goal.as_deref().unwrap_or("-");
        self.widen(goal);
        let style = style(line);
        let head = [
            look.paint.paint(Style::Dim, &at.strftime("%H:%M:%S").to_string()),
            look.word(style, line.level.word(), 5),
            look.cell(goal, self.goal),
        ];
        text + &format!("{}  {}", head.join("  "), one_line(&words(line)))
            .trim_end()
            .replace('\n', " ")
            + "\n"
    }
}

fn style(line: &Kept) -> Style {
    match line.level {
        Level::Error => Style::Bad,
        Level::Warn => Style::Warn,
        Level::Info if line.event == "landed" => Style::Good,
        Level::Info => Style::Live,
        Level::Debug | Level::Trace => Style::Dim,
    }
}

/// Words what happened; what is said in another way than this version does is shown with its fields.
fn words(line: &Kept) -> String {
    let fields = Fields(&line.fields);
    let said = match line.event.as_str() {
        "began" => fields.began(),
        "ended" => fields.ended(),
        "diagnosed" => fields.diagnosed(),
        "baseline" => fields
            .short("base")
            .map(|base| format!("checking {base} before anything is asked")),
        "started" => fields.text("description").map(|about| format!("working at: {about}")),
        "asked" => fields.asked(),
        "planning" => fields.asked().map(|asked| format!("planning, {asked}")),
        "planned" => fields.planned(),
        "checked" => fields.checked(),
        "landed" => fields.landed(),
        "refused" => fields.because("reply refused"),
        "evicted" => fields.because("evicted"),
        "parked" => fields.because("parked"),
        "failed" => fields.because("failed"),
        "held" => fields.because("held"),
        "paused" => fields.because("paused"),
        "said" => fields.text("line").map(str::to_owned),
        _ => None,
    };
    said.unwrap_or_else(|| format!("{}{}", line.event, diagnosis::words(&line.fields)))
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    fn short(&self, key: &str) -> Option<String> {
        Some(self.text(key)?.chars().take(7).collect())
    }

    fn round(&self) -> String {
        self.number("round")
            .map(|round| format!(", round {round}"))
            .unwrap_or_default()
    }

    fn because(&self, word: &str) -> Option<String> {
        Some(format!("{word}{}: {}", self.round(), self.text("why")?))
    }

    fn began(&self) -> Option<String> {
        let (command, version) = (self.text("command")?, self.text("version")?);
        Some(format!("`{command}` began, git-invisigoth {version}"))
    }

    fn ended(&self) -> Option<String> {
        let code = self.number("code")?;
        let error = self.text("error").map(|error| format!(": {error}")).unwrap_or_default();
        Some(format!("ended with exit code {code}{error}"))
    }

    fn diagnosed(&self) -> Option<String> {
        let mut rest = self.0.clone();
        let (target, message) = (self.text("target")?, self.text("message")?);
        rest.shift_remove("target");
        rest.shift_remove("message");
        Some(format!("{target}: {message}{}", diagnosis::words(&rest)))
    }

    fn asked(&self) -> Option<String> {
        Some(format!(
            "asked{}, {} bytes",
            self.round(),
            grouped(self.number("bytes")?)
        ))
    }

    fn planned(&self) -> Option<String> {
        let word = match self.0.get("proposed")?.as_bool()? {
            true => "proposed",
            false => "added",
        };
        let goals = count(self.number("goals")?, "goal", "goals");
        Some(format!("{goals} {word}, {} refused", self.number("refused")?))
    }

    fn checked(&self) -> Option<String> {
        if self.text("why").is_some() {
            return self.because("checked");
        }
        let checks: Vec<CheckRow> = serde_json::from_value(self.0.get("checks")?.clone()).ok()?;
        Some(format!("checked{}: {}", self.round(), run::words(&checks, None)))
    }

    fn landed(&self) -> Option<String> {
        let turned = self.number("red_green").map(|count| format!("  red→green {count}"));
        let (commit, checks) = (self.short("commit")?, self.text("checks")?);
        Some(format!("landed {commit}  {checks}{}", turned.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;
    use crate::ui::colour::Paint;

    const LOOK: Look = Look {
        paint: Paint { on: false },
        width: 80,
        unicode: true,
    };

    fn line(event: &str, goal: Option<&str>, fields: Value) -> Kept {
        let Value::Object(fields) = fields else { unreachable!() };
        Kept {
            at: Moment(1_764_000_000_123),
            level: Level::Info,
            run: "r".into(),
            goal: goal.map(str::to_owned),
            event: event.into(),
            fields,
            text: Box::default(),
        }
    }

    #[test]
    fn what_is_known_has_words_and_the_rest_its_fields() {
        let said = |event: &str, fields| words(&line(event, None, fields));
        let json = serde_json::json!({"round": 2, "why": "no edit"});
        assert_eq!(said("refused", json.clone()), "reply refused, round 2: no edit");
        assert_eq!(said("dreamt", json), "dreamt round=2 why=\"no edit\"");
        let odd = serde_json::json!({"bytes": "many"});
        assert_eq!(said("asked", odd), "asked bytes=many");
        let diagnosed = serde_json::json!({"target": "provider", "message": "no answer", "status": 429});
        assert_eq!(said("diagnosed", diagnosed), "provider: no answer status=429");
        let landed = serde_json::json!({"commit": "1c9e04b77", "checks": "test ok 4", "red_green": 1});
        assert_eq!(said("landed", landed), "landed 1c9e04b  test ok 4  red→green 1");
    }

    #[test]
    fn a_heading_stands_before_each_run_and_control_characters_nowhere() {
        let mut words = Words::default();
        let evil = serde_json::json!({"line": "a\u{1b}[2J\nb"});
        let mut said = |run: &str| {
            let line = Kept {
                run: run.into(),
                ..line("said", Some("goal-1"), evil.clone())
            };
            words.line(&LOOK, &line)
        };
        let (first, second, third) = (said("one"), said("one"), said("two"));
        assert_eq!(first.lines().count(), 2, "{first}");
        assert!(first.lines().next().unwrap().ends_with(", run one"), "{first}");
        assert!(second.ends_with("  info   goal-1     a [2J b\n"), "{second}");
        assert_eq!((second.lines().count(), third.lines().count()), (1, 3));
    }
}
