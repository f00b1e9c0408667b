//! Notices: which events somebody wants to hear of who does not look, and how receivers want them worded. Pure.
//!
//! What is in one: ids, states, reasons, counts, dollars, commits. Never a prompt, a reply, a diff or the output of a check.

use serde::Serialize;

use crate::{
    engine::steering,
    event::Event,
    fault::Kind,
    id::{CommitId, GoalId},
    money::{caps::OverBudget, dollars},
    secret::Redactor,
};

/// Most characters of a reason.
const WHY: usize = 300;

/// What a notice is about; the words of `notify.on`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Something waits for a person.
    NeedsYou,
    /// A run ended.
    Finished,
    /// Four fifths of a cap are spent, or all of it.
    Budget,
    /// A run ended that landed nothing and left goals behind.
    Stalled,
    /// A goal landed.
    Landed,
    /// A goal failed.
    Failed,
}

impl On {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::NeedsYou,
        Self::Finished,
        Self::Budget,
        Self::Stalled,
        Self::Landed,
        Self::Failed,
    ];

    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs-you",
            Self::Finished => "finished",
            Self::Budget => "budget",
            Self::Stalled => "stalled",
            Self::Landed => "landed",
            Self::Failed => "failed",
        }
    }

    /// Returns what a word stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.word() == word)
    }

    /// Returns ntfy's tag and priority.
    fn rank(self) -> (&'static str, &'static str) {
        match self {
            Self::NeedsYou => ("raised_hand", "high"),
            Self::Finished => ("checkered_flag", "default"),
            Self::Budget => ("moneybag", "high"),
            Self::Stalled => ("warning", "high"),
            Self::Landed => ("white_check_mark", "low"),
            Self::Failed => ("x", "default"),
        }
    }
}

/// How many goals came to what in a run, and what it took.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Counts {
    /// Goals that landed.
    pub landed: usize,
    /// Goals that failed or are parked.
    pub failed: usize,
    /// Goals that wait for a person.
    pub held: usize,
    /// Goals that wait for others.
    pub waiting: usize,
    /// Model calls.
    pub calls: u64,
    /// Dollars; `null` where unknown.
    pub cost_usd: Option<f64>,
    /// Wall time.
    pub seconds: f64,
}

/// What somebody is told.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Notice {
    /// What it is about.
    pub on: On,
    /// What it is about where nobody wants to hear of that.
    #[serde(skip)]
    pub or: Option<On>,
    /// One line.
    pub title: String,
    /// A few lines.
    pub text: String,
    /// The goal, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// Its commit, where it landed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The command to type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What a run came to.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
}

impl Notice {
    fn new(on: On, title: impl Into<String>, why: &str) -> Self {
        Self {
            on,
            or: None,
            title: title.into(),
            text: cut(why),
            goal: None,
            commit: None,
            next: None,
            counts: None,
        }
    }

    fn of_goal(on: On, (goal, description): (&GoalId, &str), what: &str, why: &str) -> Self {
        let text = match why {
            "" => description.to_owned(),
            why => format!("{description}: {}", cut(why)),
        };
        Self {
            goal: Some(goal.clone()),
            text,
            ..Self::new(on, format!("{goal} {what}"), "")
        }
    }

    fn then(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }

    /// Returns it without what `redactor` knows.
    pub fn clean(mut self, redactor: &Redactor) -> Self {
        let clean = |text: &str| redactor.clean(text).into_string();
        (self.title, self.text) = (clean(&self.title), clean(&self.text));
        self.next = self.next.map(|next| clean(&next));
        self
    }

    /// Returns what tells it from others; the same is said once.
    pub fn key(&self) -> String {
        format!("{}\n{}\n{}", self.on.word(), self.title, self.text)
    }

    /// Words all but the title: text, then the command.
    fn body(&self) -> String {
        let next = self.next.as_ref().map(|next| format!("\n{next}"));
        format!("{}{}", self.text, next.unwrap_or_default())
    }
}

/// Returns what is to be told of an event, if anything.
pub fn of(event: &Event) -> Option<Notice> {
    let command = |verb: &str, goal: &GoalId| format!("git invisigoth {verb} {}", steering::typed([goal]));
    Some(match event {
        Event::Held { goal, description, why } => {
            // The command stands by itself.
            let why = why.split("; `git invisigoth").next().unwrap_or_default();
            Notice::of_goal(On::NeedsYou, (goal, description), "needs you", why).then(command("merge", goal))
        }
        Event::Parked { goal, description, why } => {
            Notice::of_goal(On::NeedsYou, (goal, description), "is parked", why).then(command("show", goal))
        }
        Event::Planned {
            goals, proposed: true, ..
        } if *goals > 0 => {
            let title = match goals {
                1 => "a planned goal waits for approval".to_owned(),
                many => format!("{many} planned goals wait for approval"),
            };
            Notice::new(On::NeedsYou, title, "").then("git invisigoth list --state proposed")
        }
        Event::Paused { goal, description, why } => {
            let why = why.split("; git invisigoth").next().unwrap_or_default();
            Notice::of_goal(On::Budget, (goal, description), "pauses at its cap", why)
                .then(command("budget raise", goal))
        }
        Event::Failed { goal, description, why } => {
            Notice::of_goal(On::Failed, (goal, description), "failed", why).then(command("retry", goal))
        }
        Event::Landed {
            goal,
            description,
            commit,
            ..
        } => Notice {
            commit: Some(*commit),
            ..Notice::of_goal(On::Landed, (goal, description), "landed", "").then(command("undo", goal))
        },
        Event::Waiting { reason, why, .. } => waits(reason, why.as_str())?,
        Event::Ended { .. } => ended(event)?,
        _ => return None,
    })
}

/// Words what a night waits for, where a person can do something about it or had better know.
fn waits(reason: &str, why: &str) -> Option<Notice> {
    let (on, title) = match reason {
        "cap" => (On::Budget, "a night waits at a cap"),
        "person" | "resume" => (On::NeedsYou, "a night waits for you"),
        "work" => (On::Finished, "a night has nothing left to do for now"),
        _ => return None,
    };
    Some(Notice::new(on, title, why).then("git invisigoth report"))
}

/// Words the end of a run: what cut it short goes before what came of it.
fn ended(event: &Event) -> Option<Notice> {
    let Event::Ended {
        landed,
        failed,
        held,
        waiting,
        calls,
        cost_usd,
        seconds,
        cut_short,
    } = event
    else {
        return None;
    };
    let counts = Counts {
        landed: *landed,
        failed: *failed,
        held: *held,
        waiting: *waiting,
        calls: *calls,
        cost_usd: *cost_usd,
        seconds: *seconds,
    };
    let came = words(&counts);
    let (why, next) = match cut_short {
        Some(fault) => (fault.message.as_str(), fault.hints.first().map(String::as_str)),
        None => ("", None),
    };
    let left = failed + held + waiting > 0;
    let (on, title) = match cut_short.as_ref().map(|fault| fault.kind) {
        Some(Kind::Budget) => (On::Budget, "a run ended at its budget".to_owned()),
        Some(Kind::Unfinished) => (On::Stalled, format!("a run went on without progress: {came}")),
        Some(Kind::Interrupted | Kind::Busy) => (On::Finished, format!("a run was stopped: {came}")),
        Some(_) => (On::NeedsYou, "a run cannot go on".to_owned()),
        None if *landed == 0 && left => (On::Stalled, format!("a run landed nothing: {came}")),
        None => (On::Finished, format!("a run ended: {came}")),
    };
    let text = match why {
        "" => String::new(),
        why => format!("{why}\n"),
    };
    Some(Notice {
        or: Some(On::Finished),
        text: cut(&format!("{text}{came}, {}", dollars(*cost_usd))),
        next: next.map(str::to_owned).or(Some("git invisigoth report".to_owned())),
        counts: Some(counts),
        ..Notice::new(on, title, "")
    })
}

fn words(counts: &Counts) -> String {
    let mut parts = vec![format!("{} landed", counts.landed)];
    let further = [
        (counts.failed, "failed"),
        (counts.held, "held"),
        (counts.waiting, "waiting"),
    ];
    let some = further.into_iter().filter(|(number, _)| *number > 0);
    parts.extend(some.map(|(number, word)| format!("{number} {word}")));
    parts.join(", ")
}

/// Returns what is told where four fifths of a cap are spent.
pub fn nearly(over: &OverBudget) -> Notice {
    let title = format!("four fifths of the budget of {} are spent", over.whose());
    Notice::new(On::Budget, title, &over.words()).then(over.raise(None))
}

fn cut(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(WHY) {
        Some((at, _)) => format!("{}...", text.split_at(at).0),
        None => text.to_owned(),
    }
}

/// How a webhook is worded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Our own JSON document.
    #[default]
    Json,
    /// ntfy: the text is the body, the rest is in header fields.
    Ntfy,
    /// Slack's incoming webhooks: `{"text": …}`.
    Slack,
}

impl Format {
    /// Returns what a word of the settings stands for.
    pub fn of_word(word: &str) -> Self {
        match word {
            "ntfy" => Self::Ntfy,
            "slack" => Self::Slack,
            _ => Self::Json,
        }
    }
}

/// The document that commands and plain webhooks get.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    repository: &'a str,
    at: &'a str,
    #[serde(flatten)]
    notice: &'a Notice,
}

/// Header fields and body of a request.
pub type Worded = (Vec<(&'static str, String)>, Vec<u8>);

/// Returns the JSON document of a notice.
pub fn json(notice: &Notice, repository: &str, at: &str) -> Vec<u8> {
    let document = Document {
        schema: "invisigoth.notify/1",
        repository,
        at,
        notice,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// Words a notice as `format` wants it.
pub fn worded(format: Format, notice: &Notice, (repository, at): (&str, &str)) -> Worded {
    match format {
        Format::Json => (Vec::new(), json(notice, repository, at)),
        Format::Ntfy => {
            let (tag, priority) = notice.on.rank();
            let fields = vec![
                ("content-type", "text/plain; charset=utf-8".to_owned()),
                ("title", field(&format!("{repository}: {}", notice.title))),
                ("tags", tag.to_owned()),
                ("priority", priority.to_owned()),
            ];
            (fields, notice.body().into_bytes())
        }
        Format::Slack => {
            let text = format!(
                "*{}*: {}\n{}",
                escaped(repository),
                escaped(&notice.title),
                escaped(&notice.body())
            );
            let body = serde_json::json!({ "text": text });
            (Vec::new(), body.to_string().into_bytes())
        }
    }
}

/// Header fields are ASCII: other text is an encoded word of RFC 2047, which ntfy reads.
fn field(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_ascii() {
        return text;
    }
    let coded = |byte: u8| match byte {
        b' ' => "_".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("={byte:02X}"),
    };
    let coded: String = text.bytes().map(coded).collect();
    format!("=?UTF-8?Q?{coded}?=")
}

/// Slack reads these three as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn held() -> Notice {
        let event = Event::Held {
            goal: "goal-81c0".parse().unwrap(),
            description: "A <b> & ä".into(),
            why: "touches Makefile; `git invisigoth merge goal-81c0` approves and lands it".into(),
        };
        of(&event).unwrap()
    }

    fn end(landed: usize, failed: usize, cut_short: Option<Fault>) -> On {
        let event = Event::Ended {
            landed,
            failed,
            held: 0,
            waiting: 0,
            calls: 3,
            cost_usd: Some(0.5),
            seconds: 2.0,
            cut_short,
        };
        of(&event).unwrap().on
    }

    #[test]
    fn each_receiver_gets_its_own_shape() {
        let at = ("repo", "2026-11-22T03:04:05Z");
        let text = |format| {
            let (fields, body) = worded(format, &held(), at);
            (fields, String::from_utf8(body).unwrap())
        };
        let document = concat!(
            r#"{"schema":"invisigoth.notify/1","repository":"repo","at":"2026-11-22T03:04:05Z","on":"needs-you","#,
            r#""title":"goal-81c0 needs you","text":"A <b> & ä: touches Makefile","goal":"goal-81c0","#,
            r#""next":"git invisigoth merge goal-81c0"}"#
        );
        assert_eq!(text(Format::Json), (Vec::new(), document.to_owned()));
        let (fields, body) = text(Format::Ntfy);
        assert_eq!(body, "A <b> & ä: touches Makefile\ngit invisigoth merge goal-81c0");
        let told: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let title = ("title", "repo: goal-81c0 needs you");
        assert_eq!(
            told.get(1..),
            Some(&[title, ("tags", "raised_hand"), ("priority", "high")][..])
        );
        let slack =
            "*repo*: goal-81c0 needs you\nA &lt;b&gt; &amp; ä: touches Makefile\ngit invisigoth merge goal-81c0";
        assert_eq!(text(Format::Slack).1, serde_json::json!({ "text": slack }).to_string());
        assert_eq!(field("Ziel\n"), "Ziel ");
        assert_eq!(field("z ä"), "=?UTF-8?Q?z_=C3=A4?=");
    }

    #[test]
    fn the_end_of_a_run_says_what_is_the_matter_first() {
        let cut = |kind| Some(Fault::new(kind, "why"));
        assert_eq!(end(1, 1, None), On::Finished);
        assert_eq!(end(0, 1, None), On::Stalled);
        assert_eq!(end(0, 0, None), On::Finished);
        assert_eq!(end(1, 0, cut(Kind::Budget)), On::Budget);
        assert_eq!(end(1, 0, cut(Kind::Config)), On::NeedsYou);
        assert_eq!(end(0, 1, cut(Kind::Interrupted)), On::Finished);
        assert_eq!(end(1, 3, cut(Kind::Unfinished)), On::Stalled);
    }

    #[test]
    fn one_planned_goal_is_not_told_as_many() {
        let title = |goals| {
            let (refused, proposed) = (0, true);
            let event = Event::Planned {
                goals,
                refused,
                proposed,
            };
            of(&event).map(|notice| notice.title)
        };
        assert_eq!(title(0), None);
        assert_eq!(title(1).as_deref(), Some("a planned goal waits for approval"));
        assert_eq!(title(2).as_deref(), Some("2 planned goals wait for approval"));
    }

    #[test]
    fn a_word_of_the_settings_stands_for_each() {
        for on in On::ALL {
            assert_eq!(On::of_word(on.word()), Some(on));
            assert_eq!(serde_json::to_value(on).unwrap(), on.word());
        }
        assert_eq!(On::of_word("needs_you"), None);
    }
}
