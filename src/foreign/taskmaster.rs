//! Task Master: `.taskmaster/tasks/tasks.json`, tasks with subtasks under tags; and its words for our states.
//!
//! A task with subtasks is no goal: its subtasks are, each told what it is a part of.

use serde_json::{Map, Value, json};

use crate::{
    foreign::{ForeignError, Item, Read, Standing, export::Now, json, text},
    goal::{Decision, Goal},
};

/// The tag that is meant where none is named.
pub const MASTER: &str = "master";

/// Reads the tasks of `tag`: of `master`, or of the only one there is, where it is absent.
///
/// # Errors
/// Where it is broken JSON or no file of Task Master, and for an unknown tag.
pub fn read(document: &str, tag: Option<&str>) -> Result<Read, ForeignError> {
    let document: Map<String, Value> = json::document(document)?;
    let tag = chosen(&document, tag)?;
    let place = if document.contains_key("tasks") {
        Some(&document)
    } else {
        tagged(&document, &tag)
    };
    let mut read = Read::default();
    for task in place.map_or(&[][..], |place| json::list(place, "tasks")) {
        match task.as_object() {
            Some(task) => read_task(task, &tag, &mut read),
            None => read.leave_out("entries that are no tasks"),
        }
    }
    Ok(read)
}

fn tagged<'a>(document: &'a Map<String, Value>, tag: &str) -> Option<&'a Map<String, Value>> {
    let place = document.get(tag)?.as_object()?;
    place.get("tasks")?.is_array().then_some(place)
}

/// Returns the tag that is meant.
pub(crate) fn chosen(document: &Map<String, Value>, tag: Option<&str>) -> Result<String, ForeignError> {
    if document.get("tasks").is_some_and(Value::is_array) {
        return match tag {
            None | Some(MASTER) => Ok(MASTER.to_owned()),
            Some(tag) => Err(ForeignError::Unfit(format!(
                "there is no tag `{tag}`: the file has no tags"
            ))),
        };
    }
    let tags: Vec<&str> = document
        .keys()
        .map(String::as_str)
        .filter(|tag| tagged(document, tag).is_some())
        .collect();
    let listed = || tags.iter().map(|tag| text::clean(tag)).collect::<Vec<_>>().join(", ");
    match (tag, tags.as_slice()) {
        (_, []) => Err(ForeignError::Unfit(
            "this is no file of Task Master: it has no `tasks` and no tag with them".to_owned(),
        )),
        (Some(tag), all) if all.contains(&tag) => Ok(tag.to_owned()),
        (Some(tag), _) => Err(ForeignError::Unfit(format!(
            "there is no tag `{tag}`; there are {}",
            listed()
        ))),
        (None, [only]) => Ok((*only).to_owned()),
        (None, all) if all.contains(&MASTER) => Ok(MASTER.to_owned()),
        (None, _) => Err(ForeignError::Unfit(format!("which tag? There are {}", listed()))),
    }
}

/// Returns the origin of the task or subtask with the number `number`.
pub(crate) fn origin(tag: &str, number: &str) -> String {
    format!("{tag}/{number}")
}

fn read_task(task: &Map<String, Value>, tag: &str, read: &mut Read) {
    let number = json::text(task, "id");
    if number.is_empty() {
        read.leave_out("tasks without an id");
        return;
    }
    let parent = item(task, tag, &number, None);
    let over = matches!(parent.standing, Standing::Closed | Standing::Rejected);
    let mut parts = Vec::new();
    for part in json::list(task, "subtasks").iter().filter_map(Value::as_object) {
        let within = json::text(part, "id");
        let within = within.strip_prefix(&format!("{number}.")).unwrap_or(&within);
        let mut part = item(part, tag, &format!("{number}.{within}"), Some((task, &number)));
        if over {
            part.standing = parent.standing.clone();
        }
        parts.push(part);
    }
    read.items.push(parent);
    read.items.extend(parts);
}

fn standing(task: &Map<String, Value>) -> Standing {
    match json::text(task, "status").as_str() {
        "done" | "completed" => Standing::Closed,
        "cancelled" | "canceled" => Standing::Rejected,
        "" | "pending" => Standing::Open,
        other => Standing::Held(text::clean(&format!("{other} in Task Master"))),
    }
}

fn item(task: &Map<String, Value>, tag: &str, number: &str, parent: Option<(&Map<String, Value>, &str)>) -> Item {
    let standing = standing(task);
    let needs = json::list(task, "dependencies")
        .iter()
        .map(json::word)
        .filter(|need| !need.is_empty());
    // A subtask names its siblings by their own numbers.
    let needs = needs.map(|need| match parent {
        Some((_, above)) if !need.contains('.') => origin(tag, &format!("{above}.{need}")),
        _ => origin(tag, &need),
    });
    let prefix = if tag == MASTER {
        "tm".to_owned()
    } else {
        format!("tm-{}", text::slug(tag))
    };
    let mark = task
        .get("metadata")
        .and_then(|data| data.get("invisigoth"))
        .and_then(|mark| mark.get("goal"));
    let mut item = Item {
        origin: origin(tag, number),
        id: format!("{prefix}-{}", text::slug(number)),
        ours: mark.and_then(Value::as_str).and_then(|id| id.parse().ok()),
        standing,
        needs: needs.collect(),
        parent: parent.map(|(_, above)| origin(tag, above)),
        ..Item::default()
    };
    if item.is_open() {
        item.goal = goal(task, parent.map(|(parent, _)| parent));
        item.kept = json::kept(task, &said(&item.goal));
    }
    item
}

fn goal(task: &Map<String, Value>, parent: Option<&Map<String, Value>>) -> Goal {
    let field = |key: &str| text::clean(&json::text(task, key));
    let (description, whole) = text::one_line(&json::text(task, "title"));
    let title = if whole { String::new() } else { field("title") };
    let part_of = parent.map_or_else(String::new, |parent| {
        let about = [json::text(parent, "title"), json::text(parent, "description")].map(|text| text::clean(&text));
        format!("This is a part of: {}", about.join("\n").trim())
    });
    let rank = |task: &Map<String, Value>| task.get("priority").map(|word| priority(&json::word(word)));
    Goal {
        description,
        prompt: text::joined(&[title, field("description"), field("details"), part_of]),
        acceptance: text::points(&json::text(task, "testStrategy")),
        priority: rank(task).or_else(|| parent.and_then(rank)).unwrap_or_default(),
        ..Goal::default()
    }
}

fn priority(word: &str) -> i64 {
    match word.to_ascii_lowercase().as_str() {
        "critical" => 2,
        "high" => 1,
        "low" => -1,
        _ => 0,
    }
}

/// Returns the keys of Task Master that a goal says by itself.
fn said(goal: &Goal) -> Map<String, Value> {
    let mut task = Map::new();
    task.insert("title".into(), goal.description.as_str().into());
    if !goal.prompt.is_empty() {
        task.insert("description".into(), goal.prompt.as_str().into());
    }
    if let [one] = goal.acceptance.as_slice() {
        task.insert("testStrategy".into(), one.as_str().into());
    }
    let word = match goal.priority {
        2.. => "critical",
        1 => "high",
        0 => "medium",
        _ => "low",
    };
    task.insert("priority".into(), word.into());
    task.insert("status".into(), "pending".into());
    task
}

/// Returns a goal as a task; `kept` wins.
pub(crate) fn whole(goal: &Goal, id: &Value, kept: &Map<String, Value>) -> Map<String, Value> {
    let mut task = Map::new();
    task.insert("id".into(), id.clone());
    task.extend(said(goal));
    task.extend(kept.clone());
    task
}

/// Returns a goal of ours as a task that says whose it is.
pub(crate) fn fresh(goal: &Goal, id: &str, number: u64, needs: &[Value]) -> Map<String, Value> {
    let mut task = whole(goal, &number.into(), &Map::new());
    if goal.acceptance.len() > 1 {
        let points: Vec<String> = goal.acceptance.iter().map(|point| format!("- {point}")).collect();
        task.insert("testStrategy".into(), points.join("\n").into());
    }
    task.insert("dependencies".into(), needs.to_vec().into());
    task.insert("subtasks".into(), json!([]));
    task.insert("metadata".into(), json!({ "invisigoth": { "goal": id } }));
    task
}

/// Returns the keys of a task that change with how its goal stands here now.
pub(crate) fn changes(task: &Map<String, Value>, now: &Now, goal: &str) -> Vec<(&'static str, Value)> {
    let status = |word: &str| vec![("status", json!(word))];
    match (standing(task), now) {
        (Standing::Closed, _) => Vec::new(),
        (_, Now::Landed { commit, .. }) => {
            let mut data = task
                .get("metadata")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            data.insert("invisigoth".into(), json!({ "goal": goal, "commit": commit }));
            vec![("status", json!("done")), ("metadata", data.into())]
        }
        (Standing::Open | Standing::Held(_), Now::Decided(Decision::Rejected, _)) => status("cancelled"),
        (Standing::Held(_), Now::Decided(Decision::Pending, _)) => status("pending"),
        (Standing::Open, Now::Decided(Decision::Held, _)) => status("deferred"),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"master":{"tasks":[
        {"id":1,"title":"One","status":"done","dependencies":[]},
        {"id":"2","title":"Two","description":"D","details":"E","testStrategy":"T","status":"pending","priority":"high",
         "dependencies":[1],"subtasks":[
            {"id":1,"title":"Part","status":"pending","dependencies":[]},
            {"id":2,"title":"Next","status":"deferred","dependencies":[1,"1.1"]}]},
        {"id":3,"title":"Three","status":"cancelled","subtasks":[{"id":1,"title":"x","status":"pending"}]}]},
        "other":{"tasks":[]}}"#;

    #[test]
    fn subtasks_know_siblings_and_what_they_are_part_of() {
        let read = read(FILE, None).unwrap();
        let get = |origin: &str| read.items.iter().find(|item| item.origin == origin).unwrap();
        let next = get("master/2.2");
        assert_eq!(next.needs, ["master/2.1", "master/1.1"]);
        assert_eq!(next.standing, Standing::Held("deferred in Task Master".into()));
        assert_eq!((next.id.as_str(), next.goal.priority), ("tm-2.2", 1));
        assert!(get("master/2.1").goal.prompt.contains("This is a part of: Two\nD"));
        assert_eq!(get("master/3.1").standing, Standing::Rejected);
        assert_eq!(get("master/2").goal.acceptance, ["T"]);
    }

    #[test]
    fn tags_are_named() {
        assert_eq!(read(FILE, Some("other")).unwrap().items.len(), 0);
        let fault = |text: &str, tag: Option<&str>| read(text, tag).unwrap_err().to_string();
        assert_eq!(fault(FILE, Some("x")), "there is no tag `x`; there are master, other");
        assert!(fault("{\"a\":{\"tasks\":[]},\"b\":{\"tasks\":[]}}", None).contains("which tag? There are a, b"));
        assert!(fault("{\"x\":1}", None).contains("no file of Task Master"));
        assert!(fault("{\"tasks\":[{\"id\":1,", None).contains("half written"));
        assert_eq!(
            read("{\"tasks\":[{\"id\":7,\"title\":\"t\"}]}", None).unwrap().items[0].id,
            "tm-7"
        );
    }
}
