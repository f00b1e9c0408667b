//! Actions: everything that can be done over the site, in one table: what each takes, whether a person is asked first, and the
//! command that does it. Forms, the API and its description are made of this table.

pub mod doing;

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    commands::{
        Outcome as _, add, approve, budget, comment, drop, edit, hold, pause, reject, release, resume, retry,
        run::start, stop,
    },
    engine::session::Session,
    fault::{Fault, Kind},
    web::{given::Given, remarks},
};

/// What a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// The id of a goal.
    Goal,
    /// The ids of one or more goals.
    Goals,
    /// A line.
    Line,
    /// Text of several lines.
    Text,
    /// A text on each line.
    Lines,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// What nobody types.
    Hidden,
}

/// What an action takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// True where it must be there.
    pub needed: bool,
    /// What it is, for people.
    pub about: &'static str,
}

/// Something that can be done.
#[derive(Clone, Copy)]
pub struct Action {
    /// Its name, that of the command.
    pub verb: &'static str,
    /// What a button says.
    pub word: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// True where a page is shown before it is done.
    pub asks: bool,
    /// True where it takes something away.
    pub takes_away: bool,
    /// What it takes.
    pub fields: &'static [Field],
    /// The schema of what it answers.
    pub schema: &'static str,
    run: fn(&Session, &Given) -> Result<Done>,
}

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// The command's document.
    pub document: Value,
    /// What to tell a person.
    pub said: Said,
}

/// What is said to a person.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Said {
    /// True where it was not done.
    pub is_fault: bool,
    /// A line.
    pub text: String,
    /// What to do about it, or what else there is to say, a line each.
    pub more: Vec<String>,
}

const fn needed(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field {
        name,
        takes,
        needed: true,
        about,
    }
}

const fn maybe(name: &'static str, takes: Takes, about: &'static str) -> Field {
    Field {
        name,
        takes,
        needed: false,
        about,
    }
}

const GOALS: Field = needed("id", Takes::Goals, "The goal");
const GOALS_OR_ALL: Field = maybe("id", Takes::Goals, "Only this goal");
const GOAL: Field = needed("id", Takes::Goal, "The goal");
const CASCADE: Field = maybe("cascade", Takes::Flag, "Also the goals that need it");
const WHY: Field = maybe("why", Takes::Line, "Why");

const fn action(
    verb: &'static str,
    (word, about): (&'static str, &'static str),
    schema: &'static str,
    run: fn(&Session, &Given) -> Result<Done>,
) -> Action {
    Action {
        verb,
        word,
        about,
        asks: false,
        takes_away: false,
        fields: &[],
        schema,
        run,
    }
}

impl Action {
    const fn with(self, fields: &'static [Field]) -> Self {
        Self { fields, ..self }
    }

    const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    const fn taking_away(self) -> Self {
        Self {
            asks: true,
            takes_away: true,
            ..self
        }
    }
}

/// Every action.
pub const ALL: &[Action] = &[
    action(
        "add",
        ("Add", "Adds a goal to the backlog."),
        add::Outcome::SCHEMA,
        doing::add,
    )
    .asking()
    .with(&[
        needed("description", Takes::Line, "What is to be done, in one line"),
        maybe(
            "prompt",
            Takes::Text,
            "What the model is asked; the line above where empty",
        ),
        maybe(
            "files",
            Takes::Lines,
            "Files that it is about, the main one first, one a line",
        ),
        maybe("needs", Takes::Lines, "Goals that must land before, one a line"),
        maybe("accept", Takes::Lines, "What must be true afterwards, one a line"),
        maybe("priority", Takes::Number, "Priority: higher goes first"),
    ]),
    action(
        "edit",
        ("Edit", "Changes what a goal asks."),
        edit::Outcome::SCHEMA,
        doing::edit,
    )
    .asking()
    .with(&[
        GOAL,
        needed("text", Takes::Text, "The goal, as TOML"),
        maybe(
            "version",
            Takes::Hidden,
            "The state of the goal that the text was made of",
        ),
    ]),
    action(
        "approve",
        ("Approve", "Agrees to a proposed goal."),
        approve::Outcome::SCHEMA,
        doing::approve,
    )
    .with(&[GOALS]),
    action(
        "reject",
        ("Reject", "Says no to a goal, for a reason that the planner is told."),
        reject::Outcome::SCHEMA,
        doing::reject,
    )
    .taking_away()
    .with(&[GOALS, needed("why", Takes::Line, "Why")]),
    action(
        "hold",
        ("Hold", "Lets a goal wait until it is released."),
        hold::Outcome::SCHEMA,
        doing::hold,
    )
    .with(&[GOALS, WHY]),
    action(
        "release",
        ("Release", "Lets a goal that was held be done."),
        release::Outcome::SCHEMA,
        doing::release,
    )
    .with(&[GOALS]),
    action(
        "comment",
        ("Comment", "Says something about a goal to whoever works at it next."),
        comment::Outcome::SCHEMA,
        remarks::run,
    )
    .asking()
    .with(remarks::FIELDS),
    action(
        "drop",
        ("Drop", "Takes a goal out of the backlog, with its candidate."),
        drop::Outcome::SCHEMA,
        doing::drop,
    )
    .taking_away()
    .with(&[GOALS, CASCADE]),
    action(
        "retry",
        ("Retry", "Lets a goal that failed be tried again as it is."),
        retry::Outcome::SCHEMA,
        doing::retry,
    )
    .with(&[GOALS_OR_ALL, maybe("all", Takes::Flag, "Every goal that has failed")]),
    action(
        "raise",
        (
            "Raise cap",
            "Sets a cap on spending: of a goal, or of this clone's settings.",
        ),
        budget::RaiseOutcome::SCHEMA,
        doing::raise,
    )
    .asking()
    .with(&[
        maybe("id", Takes::Goal, "A goal, by its id"),
        maybe(
            "scope",
            Takes::Line,
            "Or, where no goal is named, what it holds for: run, day or goal",
        ),
        maybe("usd", Takes::Number, "Most dollars"),
        maybe("calls", Takes::Number, "Most model calls"),
        maybe("tokens", Takes::Number, "Most tokens"),
        maybe("minutes", Takes::Number, "Most minutes"),
    ]),
    action(
        "pause",
        (
            "Pause",
            "Begins nothing new until it is resumed; what is under way ends first.",
        ),
        pause::Outcome::SCHEMA,
        doing::pause,
    )
    .with(&[WHY]),
    action(
        "resume",
        ("Resume", "Takes a pause back."),
        resume::Outcome::SCHEMA,
        doing::resume,
    ),
    action(
        "run",
        ("Run", "Starts a run in the background; it outlives browser and server."),
        start::Outcome::SCHEMA,
        doing::run,
    )
    .with(&[GOALS_OR_ALL, maybe("plan", Takes::Flag, "Plan when nothing is ready")]),
    action(
        "plan",
        ("Plan", "Has a model propose goals, in the background."),
        start::Outcome::SCHEMA,
        doing::plan,
    )
    .asking()
    .with(&[
        maybe("brief", Takes::Text, "What they shall be about"),
        maybe("count", Takes::Number, "How many"),
    ]),
    action(
        "merge",
        (
            "Merge",
            "Lands candidates whose checks pass on the merged code; one that is named is approved by that.",
        ),
        start::Outcome::SCHEMA,
        doing::merge,
    )
    .with(&[GOALS_OR_ALL]),
    action(
        "stop",
        (
            "Stop",
            "Has runs of this clone stop, as Ctrl-C does: what is under way ends, nothing new begins.",
        ),
        stop::Outcome::SCHEMA,
        doing::stop,
    )
    .taking_away()
    .with(&[maybe("run", Takes::Hidden, "Only this run")]),
    action(
        "undo",
        (
            "Undo",
            "Takes the code of a landed goal out again, checked like any landing; the goal comes back as held.",
        ),
        start::Outcome::SCHEMA,
        doing::undo,
    )
    .taking_away()
    .with(&[GOALS, CASCADE, WHY]),
];

/// Finds an action by its name.
pub fn find(verb: &str) -> Option<&'static Action> {
    ALL.iter().find(|action| action.verb == verb)
}

impl Action {
    /// True where a value of JSON is what the field takes, so that nobody is misunderstood: a list of nobody is not all of them.
    pub fn fits(&self, name: &str, value: &Value) -> bool {
        let Some(field) = self.fields.iter().find(|field| field.name == name) else {
            return true;
        };
        let is_word = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        let is_list = || {
            value
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(is_word))
        };
        match field.takes {
            Takes::Goal => is_word(value),
            Takes::Goals => is_word(value) || is_list(),
            Takes::Lines => value.is_string() || value.as_array().is_some_and(|all| all.iter().all(is_word)),
            Takes::Line | Takes::Text | Takes::Hidden => value.is_string(),
            Takes::Number => value.is_number(),
            Takes::Flag => value.is_boolean(),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// A fault for a field that is not known, missing or wrong, and those of the command.
    pub fn act(&self, session: &Session, given: &Given) -> Result<Done> {
        let known: Vec<&str> = self.fields.iter().map(|field| field.name).collect();
        if let Some(name) = given.unknown(&known) {
            let fault = Fault::new(Kind::Usage, format!("`{}` takes no `{name}`", self.verb));
            return Err(fault.hint(format!("it takes {}", known.join(", "))).into());
        }
        if given.holds_nul() {
            return Err(Fault::new(Kind::Usage, "no text holds a NUL").into());
        }
        let missing = self
            .fields
            .iter()
            .find(|field| field.needed && given.one(field.name).is_none());
        if let Some(field) = missing {
            let about = field.about.to_lowercase();
            return Err(Fault::new(Kind::Usage, format!("`{}` is empty: {about}", field.name)).into());
        }
        (self.run)(session, given)
    }
}
