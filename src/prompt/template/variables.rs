//! Variables: one table of what every template is given. The page `docs/templates.md` and the samples of `check` are made
//! of it, and a test compares it with what is rendered.
//!
//! A new variable is a row here; a new kind of record is a `Record` and rows that name it.

use serde_json::{Map, Value, json};

use crate::{
    layers::read::edits,
    prompt::template::{Template, builtin},
};

/// What a variable holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text, empty where there is none.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A whole number.
    Number,
    /// A list of texts.
    Texts,
    /// A list of texts that is never empty.
    SomeTexts,
    /// A record.
    One(&'static Record),
    /// A record, or nothing.
    Maybe(&'static Record),
    /// A list of records.
    Many(&'static Record),
}

/// Something with fields, each a text.
#[derive(Debug)]
pub struct Record {
    /// What it is called.
    pub name: &'static str,
    /// Its fields, and what each means.
    pub fields: &'static [(&'static str, &'static str)],
}

/// One variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name in templates.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it means: lower case, no full stop.
    pub meaning: &'static str,
    /// The templates that have it.
    pub templates: &'static [Template],
}

/// A text as prompts show it.
pub static BLOCK: Record = Record {
    name: "block",
    fields: &[
        ("path", "what it is: a path, or a goal and its description"),
        ("fence", "backticks, more of them than stand in a row in the text"),
        ("text", "the text; empty, or with a newline at its end"),
        ("left_out", "how much of it did not fit, `7 lines`; empty where all did"),
    ],
};

const FORMATS: Kind = Kind::Word(&["search-replace", "udiff", "whole", "apply-patch", "str-replace"]);
const TROUBLES: Kind = Kind::Word(&["refused", "failed", "needed"]);

const ORDERS: &[Template] = &[Template::System, Template::Work, Template::Tools];
const MASTER: &[Template] = &[Template::System, Template::Work, Template::Tools, Template::PlanSystem];
const GOAL: &[Template] = &[Template::Goal, Template::TestGoal, Template::WorkGoal];
const CONTEXT: &[Template] = &[Template::Context];
const CONTEXTS: &[Template] = &[Template::Context, Template::PlanContext];
const REPAIR: &[Template] = &[Template::Repair];
const REWORK: &[Template] = &[Template::Rework];
const REPAIRS: &[Template] = &[Template::Repair, Template::Rework];
const ROUNDS: &[Template] = &[
    Template::Goal,
    Template::TestGoal,
    Template::WorkGoal,
    Template::Repair,
    Template::Rework,
];
const PLAN_CONTEXT: &[Template] = &[Template::PlanContext];
const PLANS: &[Template] = &[Template::Plan, Template::PlanAgain];

/// Every variable.
pub static VARIABLES: &[Variable] = &[
    row(
        "master",
        Kind::Text,
        "the root prompt, `memory/master_prompt.txt`",
        MASTER,
    ),
    row(
        "format",
        FORMATS,
        "how edits are to be worded; names a template in `format/`",
        ORDERS,
    ),
    row(
        "path_in_fence",
        Kind::Flag,
        "the path of a file stands inside the fence of its edits",
        ORDERS,
    ),
    row("id", Kind::Text, "the goal's id", ROUNDS),
    row("round", Kind::Number, "this round, from 1", ROUNDS),
    row("rounds", Kind::Number, "the most rounds that there may be", ROUNDS),
    row("description", Kind::Text, "the goal in one line", GOAL),
    row(
        "request",
        Kind::Text,
        "the goal's `prompt`; empty where it says no more than the description",
        GOAL,
    ),
    row("acceptance", Kind::Texts, "when the goal is reached", GOAL),
    row("comments", Kind::Texts, "what people said about the goal", GOAL),
    row("files", Kind::Texts, "paths that the goal names", GOAL),
    row("tests", Kind::Flag, "the goal asks for tests", GOAL),
    row(
        "files",
        Kind::Many(&BLOCK),
        "the goal's files, as they are; a large one in parts, the last of which says what is left out",
        CONTEXT,
    ),
    row(
        "chunks",
        Kind::Many(&BLOCK),
        "other files and parts of files that may matter, the likeliest first",
        CONTEXT,
    ),
    row(
        "definitions",
        Kind::Maybe(&BLOCK),
        "definitions that the parts refer to, one a line",
        CONTEXT,
    ),
    row(
        "folder_rules",
        Kind::Many(&BLOCK),
        "as `rules`, for the folders of what is shown",
        CONTEXT,
    ),
    row(
        "missing",
        Kind::Texts,
        "paths that the goal names and that do not exist yet",
        CONTEXT,
    ),
    row(
        "failures",
        Kind::Maybe(&BLOCK),
        "why earlier attempts at the goal failed",
        CONTEXT,
    ),
    row(
        "eviction",
        Kind::Many(&BLOCK),
        "what the last attempt met with, where it passed and did not land",
        CONTEXT,
    ),
    row(
        "rules",
        Kind::Many(&BLOCK),
        "files with rules for contributors, such as AGENTS.md",
        CONTEXTS,
    ),
    row(
        "dependencies",
        Kind::Many(&BLOCK),
        "goals that this one builds on, and what they changed",
        CONTEXT,
    ),
    row(
        "outline",
        Kind::Maybe(&BLOCK),
        "what there is in the repository",
        CONTEXTS,
    ),
    row("log", Kind::Maybe(&BLOCK), "subjects of the latest commits", CONTEXTS),
    row(
        "diffs",
        Kind::Maybe(&BLOCK),
        "what the latest commits changed",
        CONTEXTS,
    ),
    row(
        "left_out",
        Kind::Text,
        "names of what found no room, on one line",
        CONTEXTS,
    ),
    row(
        "blocks",
        Kind::Flag,
        "the model replies with edits; else it works in a folder",
        CONTEXT,
    ),
    row(
        "kind",
        TROUBLES,
        "the reply was refused, a check failed, or files are shown as asked for",
        REPAIR,
    ),
    row(
        "refused",
        Kind::Flag,
        "the work was refused; else a check failed",
        REWORK,
    ),
    row(
        "taken_back",
        Kind::Flag,
        "the last edits made it worse, and were taken back",
        REPAIRS,
    ),
    row(
        "trouble",
        Kind::One(&BLOCK),
        "why it was refused, or what the check printed",
        REPAIRS,
    ),
    row(
        "files",
        Kind::Many(&BLOCK),
        "the files in question, as they are now",
        REPAIR,
    ),
    row(
        "missing",
        Kind::Texts,
        "paths in question that do not exist now",
        REPAIR,
    ),
    row(
        "readme",
        Kind::Maybe(&BLOCK),
        "what the project says of itself",
        PLAN_CONTEXT,
    ),
    row(
        "signals",
        Kind::Many(&BLOCK),
        "what a survey found, by kind",
        PLAN_CONTEXT,
    ),
    row("unseen", Kind::Text, "what the survey did not look at", PLAN_CONTEXT),
    row(
        "checks",
        Kind::Texts,
        "commands that every change must pass",
        PLAN_CONTEXT,
    ),
    row(
        "landed",
        Kind::Maybe(&BLOCK),
        "goals that have landed, the latest first",
        PLAN_CONTEXT,
    ),
    row(
        "rejected",
        Kind::Maybe(&BLOCK),
        "goals that a person rejected, and why",
        PLAN_CONTEXT,
    ),
    row(
        "failures",
        Kind::Maybe(&BLOCK),
        "goals whose latest attempt failed, and why",
        PLAN_CONTEXT,
    ),
    row("open", Kind::Maybe(&BLOCK), "goals that are open", PLAN_CONTEXT),
    row(
        "brief",
        Kind::Text,
        "what the person who plans asks for",
        &[Template::Plan],
    ),
    row("count", Kind::Number, "how many goals may be proposed", PLANS),
    row(
        "why",
        Kind::SomeTexts,
        "why the plan, or each of its goals, could not be used",
        &[Template::PlanAgain],
    ),
];

const fn row(name: &'static str, kind: Kind, meaning: &'static str, templates: &'static [Template]) -> Variable {
    Variable {
        name,
        kind,
        meaning,
        templates,
    }
}

/// Returns the variables of a template.
pub fn of(template: Template) -> impl Iterator<Item = &'static Variable> {
    VARIABLES.iter().filter(move |row| row.templates.contains(&template))
}

/// Returns the variables that the template called `name` can use; of a part, those that all have which may use it.
pub fn of_name(name: &str) -> Vec<&'static Variable> {
    let users = builtin::users(name);
    let Some(first) = users.first() else { return Vec::new() };
    of(*first)
        .filter(|row| users.iter().all(|user| row.templates.contains(user)))
        .collect()
}

/// Returns the names that the template called `name` may take from its values: for a part of others, those of any of them.
pub fn known(name: &str) -> Vec<&'static str> {
    builtin::users(name)
        .into_iter()
        .flat_map(of)
        .map(|row| row.name)
        .collect()
}

/// Returns what can stand for the undefined `missing` in a template: names near to it, or all.
pub fn near(template: Template, missing: &str) -> Vec<&'static str> {
    let (owner, name) = missing.rsplit_once('.').unwrap_or(("", missing));
    let all: Vec<&'static str> = match owner {
        "" => of(template).map(|row| row.name).collect(),
        _ => {
            let records = of(template).filter_map(|row| row.kind.record());
            let mut fields: Vec<&'static str> = Vec::new();
            for (field, _) in records.flat_map(|record| record.fields) {
                if !fields.contains(field) {
                    fields.push(field);
                }
            }
            fields
        }
    };
    nearest(name, &all)
}

/// Returns at most two of `known` that differ from `name` by a few letters, the nearest first; all where none does.
pub fn nearest(name: &str, known: &[&'static str]) -> Vec<&'static str> {
    // What all names of templates end with makes none of them alike.
    let stem = |name: &'_ str| name.trim_end_matches(".md.j2").to_owned();
    let most = stem(name).chars().count() / 3 + 1;
    let distance = |known: &str| edits(known, name).min(edits(&stem(known), &stem(name)));
    let mut near: Vec<(usize, &'static str)> = known.iter().map(|known| (distance(known), *known)).collect();
    near.retain(|(distance, _)| *distance <= most);
    near.sort_unstable();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.retain(|(distance, _)| *distance <= best + 1);
    near.truncate(2);
    match near.is_empty() {
        true => known.to_vec(),
        false => near.into_iter().map(|(_, known)| known).collect(),
    }
}

impl Kind {
    /// Returns the kind of record that it holds.
    pub fn record(self) -> Option<&'static Record> {
        match self {
            Self::One(record) | Self::Maybe(record) | Self::Many(record) => Some(record),
            Self::Text | Self::Word(_) | Self::Flag | Self::Number | Self::Texts | Self::SomeTexts => None,
        }
    }

    /// Returns what it holds, in words.
    pub fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Word(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                quoted.join(", ")
            }
            Self::Flag => "true or false".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Texts => "list of texts".to_owned(),
            Self::SomeTexts => "list of texts, at least one".to_owned(),
            Self::One(record) => record.name.to_owned(),
            Self::Maybe(record) => format!("{}, or none", record.name),
            Self::Many(record) => format!("list of {}s", record.name),
        }
    }

    /// Returns values between which templates may tell: the fullest first, the emptiest last.
    fn samples(self) -> Vec<Value> {
        let record = |record: &Record, full: bool| {
            let field = |(name, _): &(&str, &str)| {
                let text = if full {
                    format!("sample of {name}\n")
                } else {
                    String::new()
                };
                ((*name).to_owned(), Value::from(text))
            };
            Value::Object(record.fields.iter().map(field).collect())
        };
        match self {
            Self::Text => vec![json!("sample"), json!("")],
            Self::Word(words) => words.iter().map(|word| json!(word)).collect(),
            Self::Flag => vec![json!(true), json!(false)],
            Self::Number => vec![json!(3), json!(1)],
            Self::Texts => vec![json!(["one", "two"]), json!(["one"]), json!([])],
            Self::SomeTexts => vec![json!(["one", "two"]), json!(["one"])],
            Self::One(of) => vec![record(of, true), record(of, false)],
            Self::Maybe(of) => vec![record(of, true), record(of, false), Value::Null],
            Self::Many(of) => vec![
                json!([record(of, true), record(of, false)]),
                json!([record(of, false)]),
                json!([]),
            ],
        }
    }
}

/// Returns values for a template: all full and all empty, and either with each variable as each of its samples; all that
/// for each word of a variable that holds one.
pub fn samples(template: Template) -> Vec<Value> {
    let rows: Vec<(&str, Vec<Value>)> = of(template).map(|row| (row.name, row.kind.samples())).collect();
    let words = of(template).find(|row| matches!(row.kind, Kind::Word(_)));
    let fixed: Vec<Option<(&str, Value)>> = match words {
        Some(row) => row
            .kind
            .samples()
            .into_iter()
            .map(|word| Some((row.name, word)))
            .collect(),
        None => vec![None],
    };
    let mut all = Vec::new();
    for fixed in fixed {
        for full in [true, false] {
            let pick = |(name, samples): &(&str, Vec<Value>)| {
                let value = if full { samples.first() } else { samples.last() };
                ((*name).to_owned(), value.cloned().unwrap_or_default())
            };
            let mut base: Map<String, Value> = rows.iter().map(pick).collect();
            if let Some((name, word)) = &fixed {
                base.insert((*name).to_owned(), word.clone());
            }
            let is_fixed = |name: &str| fixed.as_ref().is_some_and(|(fixed, _)| *fixed == name);
            for (name, samples) in rows.iter().filter(|(name, _)| !is_fixed(name)) {
                let others = samples.iter().filter(|sample| base.get(*name) != Some(*sample));
                for other in others {
                    let mut changed = base.clone();
                    changed.insert((*name).to_owned(), other.clone());
                    all.push(Value::Object(changed));
                }
            }
            all.push(Value::Object(base));
        }
    }
    all
}
