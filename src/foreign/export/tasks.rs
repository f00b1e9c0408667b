//! Export to Task Master: tasks and subtasks of one tag, changed where they stand.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::{
    backlog::spans::{Piece, Row, array, cut},
    foreign::{
        ForeignError, Format,
        export::{Base, Exported, Ours, with},
        json,
        taskmaster::{self, MASTER, origin},
    },
    id::GoalId,
};

const FILE: &str = ".taskmaster/tasks/tasks.json";

struct Writer<'a> {
    tag: String,
    by_origin: HashMap<&'a str, &'a Ours>,
    by_id: HashMap<&'a str, &'a Ours>,
    seen: HashSet<&'a GoalId>,
    /// Numbers of goals that are not from there.
    numbers: HashMap<&'a str, u64>,
    largest: u64,
    exported: Exported,
}

pub(crate) fn export(base: Base<'_>, ours: &[Ours]) -> Result<Exported, ForeignError> {
    let text = base.main.trim_start_matches('\u{feff}');
    let is_empty = text.trim().is_empty();
    let document: Map<String, Value> = if is_empty { Map::new() } else { json::document(text)? };
    let tag = match base.tag {
        tag if is_empty => tag.unwrap_or(MASTER).to_owned(),
        tag => taskmaster::chosen(&document, tag)?,
    };
    let start = format!("{{\n  {}: {{\n    \"tasks\": []\n  }}\n}}\n", Value::from(tag.as_str()));
    let mut writer = Writer {
        tag,
        by_origin: ours
            .iter()
            .filter_map(|own| Some((own.origin(Format::Taskmaster)?, own)))
            .collect(),
        by_id: ours.iter().map(|own| (own.id.as_str(), own)).collect(),
        seen: HashSet::new(),
        numbers: HashMap::new(),
        largest: 0,
        exported: Exported::default(),
    };
    let text = writer
        .document(if is_empty { &start } else { text }, ours)
        .unwrap_or_else(|| text.to_owned());
    writer.exported.files.push((FILE.to_owned(), text));
    Ok(writer.exported)
}

impl<'a> Writer<'a> {
    fn document(&mut self, text: &str, ours: &'a [Ours]) -> Option<String> {
        let document = Row::parse(text)?;
        let untagged = document.value("tasks").is_some_and(|tasks| tasks.starts_with('['));
        let place = if untagged { text } else { document.value(&self.tag)? };
        let within = Row::parse(place)?;
        let tasks = self.tasks(within.value("tasks")?, ours)?;
        let place = within.with("tasks", &tasks);
        Some(if untagged {
            place
        } else {
            document.with(&self.tag, &place)
        })
    }

    fn tasks(&mut self, text: &str, ours: &'a [Ours]) -> Option<String> {
        let items = array(text).ok()?;
        let old: Vec<String> = items
            .spans
            .iter()
            .map(|span| self.task(cut(text, span.clone())))
            .collect();
        let indent = items.spans.first().map_or("      ", |first| {
            let lead = cut(text, items.open..first.start);
            lead.rsplit_once('\n').map_or("", |(_, indent)| indent)
        });
        let new: Vec<String> = self
            .unseen(ours)
            .into_iter()
            .map(|task| laid_out(&task, indent))
            .collect();
        let swaps = old.iter().enumerate().map(|(at, task)| Piece::Swap(at, task));
        let pieces: Vec<Piece<'_>> = swaps.chain(new.iter().map(|task| Piece::New(task))).collect();
        Some(items.splice(text, &pieces).0)
    }

    fn task(&mut self, text: &str) -> String {
        let Ok(task) = serde_json::from_str::<Map<String, Value>>(text) else {
            return text.to_owned();
        };
        let number = json::text(&task, "id");
        self.largest = self.largest.max(number.parse().unwrap_or(0));
        let mut text = self.one(text, &task, &number);
        let Some(parts) = Row::parse(&text).and_then(|row| row.value("subtasks").map(str::to_owned)) else {
            return text;
        };
        if let Ok(items) = array(&parts) {
            let part = |part: &str| match serde_json::from_str::<Map<String, Value>>(part) {
                Ok(task) => {
                    let id = json::text(&task, "id");
                    let within = id.strip_prefix(&format!("{number}.")).unwrap_or(&id);
                    self.one(part, &task, &format!("{number}.{within}"))
                }
                Err(_) => part.to_owned(),
            };
            let new: Vec<String> = items
                .spans
                .iter()
                .map(|span| cut(&parts, span.clone()))
                .map(part)
                .collect();
            let pieces: Vec<Piece<'_>> = new.iter().enumerate().map(|(at, task)| Piece::Swap(at, task)).collect();
            let spliced = items.splice(&parts, &pieces).0;
            text = Row::parse(&text).map_or(text.clone(), |row| row.with("subtasks", &spliced));
        }
        text
    }

    /// Writes what is new about one task or subtask.
    fn one(&mut self, text: &str, task: &Map<String, Value>, number: &str) -> String {
        let mark = task
            .get("metadata")
            .and_then(|data| data.get("invisigoth"))
            .and_then(|mark| mark.get("goal"));
        let ours = mark.and_then(Value::as_str).and_then(|id| self.by_id.get(id)).copied();
        let known = self.by_origin.get(origin(&self.tag, number).as_str()).copied().or(ours);
        let Some(own) = known else {
            return text.to_owned();
        };
        self.seen.insert(&own.id);
        if let Ok(number) = number.parse() {
            self.numbers.insert(own.id.as_str(), number);
        }
        let changes = if own.has_news() {
            taskmaster::changes(task, &own.now, own.id.as_str())
        } else {
            Vec::new()
        };
        if !changes.is_empty() {
            self.exported.told.push(own.id.clone());
        }
        with(text, &changes)
    }

    /// Returns the goals that the file does not have yet as tasks.
    fn unseen(&mut self, ours: &'a [Ours]) -> Vec<Value> {
        let missing: Vec<&Ours> = ours.iter().filter(|own| !self.seen.contains(&own.id)).collect();
        let prefix = origin(&self.tag, "");
        let number_of = |own: &Ours| own.origin(Format::Taskmaster)?.strip_prefix(&prefix).map(str::to_owned);
        let mut tasks: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
        for own in &missing {
            let Some(number) = number_of(own) else { continue };
            let (whole, part) = number
                .split_once('.')
                .map_or((number.as_str(), None), |(a, b)| (a, Some(b)));
            let Ok(whole) = whole.parse::<u64>() else { continue };
            self.largest = self.largest.max(whole);
            let mut id = Value::from(whole);
            if let Some(part) = part {
                id = part.parse::<u64>().map_or_else(|_| part.into(), Value::from);
            }
            let mut task = taskmaster::whole(&own.goal, &id, &own.kept(Format::Taskmaster));
            for (key, value) in taskmaster::changes(&task, &own.now, own.id.as_str()) {
                if own.has_news() {
                    task.insert(key.to_owned(), value);
                }
            }
            self.exported.added.push(own.id.clone());
            if part.is_none() {
                tasks.entry(whole).or_default().extend(task);
                continue;
            }
            // The whole itself was no goal, so only the file that it came from knows what it said.
            let holder = tasks.entry(whole).or_insert_with(|| {
                let holder =
                    json!({ "id": whole, "title": format!("Task {whole}"), "status": "pending", "dependencies": [] });
                holder.as_object().cloned().unwrap_or_default()
            });
            let parts = holder.entry("subtasks").or_insert_with(|| json!([]));
            parts
                .as_array_mut()
                .into_iter()
                .for_each(|parts| parts.push(task.clone().into()));
        }
        let mut all: Vec<Value> = tasks.into_values().map(Value::Object).collect();
        all.extend(self.fresh(&missing));
        all
    }

    /// Returns goals that are not from there as tasks with numbers of their own.
    fn fresh(&mut self, missing: &[&'a Ours]) -> Vec<Value> {
        let fresh: Vec<&Ours> = missing
            .iter()
            .filter(|own| own.origin(Format::Taskmaster).is_none() && own.is_worth_telling())
            .copied()
            .collect();
        for own in &fresh {
            self.largest += 1;
            self.numbers.insert(own.id.as_str(), self.largest);
        }
        let prefix = origin(&self.tag, "");
        let named = |need: &GoalId| -> Option<Value> {
            let own = self.by_id.get(need.as_str())?;
            if let Some(number) = self.numbers.get(own.id.as_str()) {
                return Some((*number).into());
            }
            let number = own.origin(Format::Taskmaster)?.strip_prefix(&prefix)?;
            Some(number.parse::<u64>().map_or_else(|_| number.into(), Value::from))
        };
        let mut tasks = Vec::new();
        for own in fresh {
            let needs: Vec<Value> = own.goal.dependencies.iter().filter_map(named).collect();
            let number = self.numbers.get(own.id.as_str()).copied().unwrap_or_default();
            let mut task = taskmaster::fresh(&own.goal, own.id.as_str(), number, &needs);
            for (key, value) in taskmaster::changes(&task, &own.now, own.id.as_str()) {
                task.insert(key.to_owned(), value);
            }
            tasks.push(task.into());
            self.exported.added.push(own.id.clone());
        }
        tasks
    }
}

/// Prints a task as its neighbours are.
fn laid_out(task: &Value, indent: &str) -> String {
    let text = serde_json::to_string_pretty(task).unwrap_or_default();
    text.replace('\n', &format!("\n{indent}"))
}
