//! The fields of a proposal under the many names and in the many shapes that models send them.
//!
//! Owns names of keys and what is made of a value of the wrong kind. Judges nothing: what is missing stays empty.

use serde_json::{Map, Value};

use crate::{
    letters,
    plan::{Evidence, Proposal, cite, lenient, why::Why},
};

/// Longest title of a refused proposal, in characters.
const TITLE: usize = 80;
/// Priorities beyond say no more.
const MOST_PRIORITY: i64 = 100;

const HANDLE: &[&str] = &[
    "handle", "id", "goalid", "taskid", "ref", "key", "slug", "number", "no", "num", "index", "nr",
];
const SHORT: &[&str] = &["title", "name", "summary", "headline", "subject"];
const LONG: &[&str] = &[
    "description",
    "goal",
    "task",
    "what",
    "objective",
    "desc",
    "todo",
    "issue",
    "story",
    "proposal",
    "text",
];
const PROMPT: &[&str] = &[
    "prompt",
    "instructions",
    "instruction",
    "details",
    "detail",
    "body",
    "howto",
    "how",
    "steps",
    "implementation",
    "approach",
    "spec",
    "implementationnotes",
    "implementationdetails",
    "taskdescription",
];
const ACCEPTANCE: &[&str] = &[
    "acceptance",
    "acceptancecriteria",
    "acceptancechecks",
    "acceptancecheck",
    "acceptancecriterion",
    "acceptancetests",
    "accept",
    "criteria",
    "checks",
    "check",
    "donewhen",
    "definitionofdone",
    "dod",
    "successcriteria",
    "verification",
    "verify",
    "teststrategy",
    "tests",
    "expected",
    "expectedresult",
];
const NEEDS: &[&str] = &[
    "needs",
    "dependson",
    "dependencies",
    "dependency",
    "deps",
    "requires",
    "blockedby",
    "after",
    "prerequisites",
    "need",
    "waitsfor",
];
const REASON: &[&str] = &[
    "reason",
    "why",
    "rationale",
    "motivation",
    "justification",
    "because",
    "reasoning",
    "benefit",
    "purpose",
];
const EVIDENCE: &[&str] = &[
    "evidence",
    "evidences",
    "proof",
    "proofs",
    "references",
    "reference",
    "sources",
    "source",
    "citations",
    "citation",
    "quotes",
    "seenat",
    "where",
];
const FILENAME: &[&str] = &[
    "filename",
    "file",
    "mainfile",
    "targetfile",
    "path",
    "filepath",
    "primaryfile",
    "target",
];
const FILES: &[&str] = &[
    "files",
    "paths",
    "filestomodify",
    "filestochange",
    "filestoedit",
    "filestocreate",
    "affectedfiles",
    "relatedfiles",
    "touches",
    "filenames",
    "targetfiles",
    "scope",
];
const PRIORITY: &[&str] = &["priority", "prio", "importance", "urgency", "severity"];
const LABELS: &[&str] = &[
    "labels",
    "label",
    "tags",
    "tag",
    "kind",
    "type",
    "category",
    "area",
    "categories",
];

/// Words for a priority.
const PRIORITIES: &[(&[&str], i64)] = &[
    (&["critical", "urgent", "blocker", "highest", "p0", "must"], 20),
    (&["high", "important", "p1", "major", "should"], 10),
    (&["low", "minor", "p3", "could"], -10),
    (&["lowest", "trivial", "p4"], -20),
];

/// Texts that say that there is nothing.
const NOTHING: &[&str] = &[
    "",
    "none",
    "null",
    "n/a",
    "na",
    "nil",
    "-",
    "–",
    "—",
    "undefined",
    "no",
    "keine",
    "[]",
    "{}",
];

/// Folds a key: lower case letters and digits alone.
pub(crate) fn folded(key: &str) -> String {
    let letters = key.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The fields of one object by folded name; the first of two of the same name counts.
struct Fields<'a>(Vec<(String, &'a Value)>);

impl<'a> Fields<'a> {
    fn of(map: &'a Map<String, Value>) -> Self {
        Self(map.iter().map(|(key, value)| (folded(key), value)).collect())
    }

    /// Returns the value under the first of `names` that says something.
    fn get(&self, names: &[&str]) -> Option<&'a Value> {
        let under = |name: &&str| {
            let mut all = self.0.iter().filter(move |(key, _)| key == name);
            all.find(|(_, value)| !is_nothing(value)).map(|(_, value)| *value)
        };
        names.iter().find_map(under)
    }

    fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|(key, _)| names.contains(&key.as_str()))
    }

    fn text(&self, names: &[&str]) -> String {
        self.get(names).map(text).unwrap_or_default()
    }

    fn list(&self, names: &[&str]) -> Vec<String> {
        self.get(names).map(lines).unwrap_or_default()
    }

    fn words(&self, names: &[&str]) -> Vec<String> {
        self.get(names).map(words).unwrap_or_default()
    }
}

fn says_nothing(text: &str) -> bool {
    NOTHING.contains(&text.trim().to_lowercase().as_str())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => says_nothing(text),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// True for an object that is meant as a goal: it says what, and more than that.
pub(crate) fn is_goal(value: &Value) -> bool {
    let Value::Object(map) = value else {
        return false;
    };
    let fields = Fields::of(map);
    let says = |names: &[&str]| {
        let mut all = fields.0.iter().filter(|(key, _)| names.contains(&key.as_str()));
        all.any(|(_, value)| value.is_string())
    };
    let named = says(SHORT) || says(LONG);
    let more = [
        ACCEPTANCE, EVIDENCE, PROMPT, REASON, NEEDS, FILENAME, FILES, HANDLE, PRIORITY, LABELS,
    ];
    let more = more.iter().filter(|names| fields.has(names)).count();
    let holds_list = map
        .values()
        .any(|value| matches!(value, Value::Array(items) if items.iter().any(Value::is_object)))
        && !fields.has(EVIDENCE)
        && !fields.has(ACCEPTANCE);
    (named && more > 0 && !holds_list) || (named && says(SHORT) && says(LONG) && !holds_list) || more > 2
}

/// Returns what an item calls itself, on one line.
pub(crate) fn title(item: &Value) -> String {
    let said = match item {
        Value::Object(map) => {
            let fields = Fields::of(map);
            let names = [SHORT, LONG, PROMPT, HANDLE].into_iter();
            names.map(|names| fields.text(names)).find(|text| !text.is_empty())
        }
        other => Some(text(other)),
    };
    let said = said.unwrap_or_default();
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    printable(line.unwrap_or("(no title)"), TITLE)
}

/// Returns the first `most` characters of a text on one line, with what a terminal would obey escaped.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at >= most {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || letters::is_unseen(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Makes a proposal of an item; `nth`, from 0, is its place in the reply.
///
/// # Errors
/// When there is no text in it that could be one.
pub(crate) fn proposal(item: &Value, nth: usize) -> Result<Proposal, Why> {
    let handle = format!("#{}", nth + 1);
    match item {
        Value::Object(map) => Ok(of_object(&Fields::of(map), handle)),
        Value::String(text) if !text.trim().is_empty() => Ok(Proposal {
            handle,
            description: text.trim().to_owned(),
            ..Proposal::default()
        }),
        Value::String(_) => Err(Why::NotAGoal("an empty text".to_owned())),
        Value::Null => Err(Why::NotAGoal("null".to_owned())),
        Value::Bool(_) => Err(Why::NotAGoal("true or false".to_owned())),
        Value::Number(_) => Err(Why::NotAGoal("a number".to_owned())),
        Value::Array(_) => Err(Why::NotAGoal("a list".to_owned())),
    }
}

fn of_object(fields: &Fields<'_>, place: String) -> Proposal {
    let (description, prompt) = what(fields);
    let mut files = fields.words(FILES);
    let mut main = fields.words(FILENAME);
    let filename = if main.is_empty() {
        (!files.is_empty()).then(|| files.remove(0))
    } else {
        Some(main.remove(0))
    };
    files.splice(0..0, main);
    files.retain(|file| Some(file) != filename.as_ref());
    let handle = Some(fields.text(HANDLE)).filter(|handle| !handle.is_empty());
    Proposal {
        handle: handle.unwrap_or(place),
        description,
        filename,
        files,
        prompt,
        acceptance: fields.list(ACCEPTANCE),
        needs: fields.words(NEEDS),
        reason: fields.text(REASON),
        evidence: fields.get(EVIDENCE).map(cite::all).unwrap_or_default(),
        priority: fields.get(PRIORITY).map_or(0, priority),
        labels: fields.words(LABELS),
    }
}

/// Returns the description, which is one line, and the prompt. A title makes what is called description the prompt.
fn what(fields: &Fields<'_>) -> (String, String) {
    let (short, long, prompt) = (fields.text(SHORT), fields.text(LONG), fields.text(PROMPT));
    let line = if short.is_empty() { &long } else { &short };
    let description = line.lines().map(str::trim).find(|line| !line.is_empty());
    let description = description.unwrap_or_default().to_owned();
    let more = [&long, &prompt].map(|text| text.trim());
    let more = more.into_iter().filter(|text| !text.is_empty() && *text != description);
    // A description of one line beside a prompt says nothing more than the prompt, unless there is a title too.
    let more: Vec<&str> = more.collect();
    (description, more.join("\n\n"))
}

/// Makes text of any value.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().map(text).filter(|text| !text.is_empty()).collect();
            all.join("\n")
        }
        Value::Object(map) => {
            let all = map.iter().filter(|(key, _)| *key != lenient::CUT);
            let all: Vec<String> = all
                .map(|(_, value)| text(value))
                .filter(|text| !text.is_empty())
                .collect();
            all.join(" ")
        }
    }
}

/// Makes a list of sentences of any value: a text is split at its lines.
fn lines(value: &Value) -> Vec<String> {
    let all: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other => text(other).lines().map(without_bullet).map(str::to_owned).collect(),
    };
    all.into_iter().filter(|line| !says_nothing(line)).collect()
}

/// Drops what marks an item of a list: `-`, `*`, `1.`, `[ ]`.
fn without_bullet(line: &str) -> &str {
    let line = line.trim();
    let bare = line.trim_start_matches(['-', '*', '•', '–']).trim_start();
    let bare = ["[ ]", "[x]", "[X]"]
        .iter()
        .find_map(|mark| bare.strip_prefix(mark))
        .unwrap_or(bare)
        .trim_start();
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    match digits.strip_prefix(['.', ')']) {
        Some(rest) if digits.len() < bare.len() && rest.starts_with(' ') => rest.trim_start(),
        _ => bare,
    }
}

/// Makes a list of names of any value: a text is split at commas and lines.
fn words(value: &Value) -> Vec<String> {
    let all: Vec<String> = match value {
        Value::Array(items) => items.iter().map(name).collect(),
        Value::String(text) => text
            .split([',', '\n', ';'])
            .map(|part| without_bullet(part).to_owned())
            .collect(),
        Value::Object(map) if !Fields::of(map).has(&["id", "handle", "path", "file", "name", "goal"]) => {
            map.keys().cloned().collect()
        }
        other => vec![name(other)],
    };
    let all = all.into_iter().map(|word| word.trim().trim_matches('`').to_owned());
    all.filter(|word| !says_nothing(word)).collect()
}

/// Returns the name that an item of a list of names stands for.
fn name(value: &Value) -> String {
    let Value::Object(map) = value else {
        return text(value);
    };
    let fields = Fields::of(map);
    [HANDLE, FILENAME, SHORT, LONG]
        .into_iter()
        .map(|names| fields.text(names))
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| text(value))
}

fn priority(value: &Value) -> i64 {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    if let Some(number) = number.filter(|number| number.is_finite()) {
        let bound = MOST_PRIORITY as f64;
        #[expect(clippy::cast_possible_truncation, reason = "it is within ±100")]
        return number.round().clamp(-bound, bound) as i64;
    }
    let word = folded(&text(value));
    let row = PRIORITIES.iter().find(|(words, _)| words.contains(&word.as_str()));
    row.map_or(0, |(_, priority)| *priority)
}

/// Returns the evidence that an object with these fields is, if it names a file.
pub(crate) fn cited(map: &Map<String, Value>) -> Option<Evidence> {
    let fields = Fields::of(map);
    let place = fields.text(&[
        "path", "file", "filename", "filepath", "source", "location", "where", "uri", "url", "place", "ref",
    ]);
    let quote = fields.text(&[
        "quote",
        "quoted",
        "quotedtext",
        "text",
        "snippet",
        "code",
        "content",
        "excerpt",
        "match",
        "evidence",
        "linetext",
        "value",
        "citation",
    ]);
    if place.is_empty() {
        return None;
    }
    let line = fields.get(&[
        "line",
        "lineno",
        "linenumber",
        "lines",
        "startline",
        "linestart",
        "start",
        "at",
        "from",
        "linerange",
        "range",
    ]);
    let (path, said) = cite::place(&place);
    let line = line.and_then(|value| cite::line(&text(value))).or(said);
    Some(Evidence { path, line, quote })
}
