//! Beads: `.beads/issues.jsonl`, one issue a line, read line by line; and its words for our states.
//!
//! Only `blocks` and `parent-child` gate; other kinds of dependency are kept as they are.

use serde_json::{Map, Value, json};

use crate::{
    backlog::error,
    foreign::{ForeignError, Item, MAX_LINE, Read, Standing, export::Now, json, text},
    goal::{Decision, Goal},
};

/// How an export says why it closed an issue; the commit follows.
const LANDED: &str = "landed as ";
/// Kinds of issue that are no work to be done by a commit.
const NO_WORK: &[&str] = &[
    "agent",
    "convoy",
    "event",
    "gate",
    "merge-request",
    "message",
    "molecule",
    "queue",
    "rig",
    "role",
    "slot",
    "warrant",
    "wisp",
];
/// The priority that is neither high nor low.
const MEDIUM: i64 = 2;

/// Reads an export line by line, so that closed issues, most of them as a rule, take no room.
#[derive(Default)]
pub struct Reader {
    read: Read,
    lines: usize,
}

impl Reader {
    /// Takes in the next line, without its line feed; `whole` says whether it had one.
    ///
    /// # Errors
    /// Names the line.
    pub fn line(&mut self, bytes: &[u8], whole: bool) -> Result<(), ForeignError> {
        self.lines += 1;
        let line = self.lines;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_LINE {
            return Err(ForeignError::LongLine { line });
        }
        let bytes = if line == 1 {
            bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
        } else {
            bytes
        };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim(),
            Err(error) if !whole && error.error_len().is_none() => return Err(ForeignError::Cut { line }),
            Err(_) => return Err(ForeignError::NotText { line }),
        };
        if text.is_empty() {
            return Ok(());
        }
        if ["<<<<<<< ", "=======", ">>>>>>> ", "||||||| "]
            .iter()
            .any(|mark| text.starts_with(mark))
        {
            let why = "a conflict marker; the file is not merged yet".to_owned();
            return Err(ForeignError::Broken { line, why });
        }
        let issue: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            if error.is_eof() && !whole {
                ForeignError::Cut { line }
            } else {
                let why = format!("not an issue of beads as JSON: {}", error::said(&error));
                ForeignError::Broken { line, why }
            }
        })?;
        self.issue(&issue, line)
    }

    fn issue(&mut self, issue: &Map<String, Value>, line: usize) -> Result<(), ForeignError> {
        if issue.get("_type").is_some_and(|kind| kind != "issue") {
            self.read.leave_out("other records");
            return Ok(());
        }
        let origin = json::text(issue, "id");
        if origin.is_empty() {
            let why = "this issue has no `id`".to_owned();
            return Err(ForeignError::Broken { line, why });
        }
        self.read.items.push(item(issue, &origin));
        Ok(())
    }

    /// Returns what was read.
    pub fn end(self) -> Read {
        self.read
    }
}

/// Says how an issue stands.
fn standing(issue: &Map<String, Value>) -> Standing {
    let kind = json::text(issue, "issue_type");
    let status = json::text(issue, "status");
    match status.as_str() {
        "closed" | "tombstone" => Standing::Closed,
        _ if NO_WORK.contains(&kind.as_str()) => Standing::NoWork,
        "" | "open" => Standing::Open,
        "in_progress" | "hooked" => {
            let who = json::text(issue, "assignee");
            let who = if who.is_empty() {
                String::new()
            } else {
                format!(" ({who})")
            };
            Standing::Held(text::clean(&format!("in progress in beads{who}")))
        }
        other => Standing::Held(text::clean(&format!("{other} in beads"))),
    }
}

fn item(issue: &Map<String, Value>, origin: &str) -> Item {
    let standing = standing(issue);
    let mut item = Item {
        origin: origin.to_owned(),
        id: text::clean(origin),
        standing,
        ours: json::text(issue, "external_ref")
            .strip_prefix("invisigoth:")
            .and_then(|id| id.parse().ok()),
        ..Item::default()
    };
    for edge in json::list(issue, "dependencies").iter().filter_map(Value::as_object) {
        let (on, of) = (json::text(edge, "depends_on_id"), json::text(edge, "issue_id"));
        if !of.is_empty() && of != origin {
            continue;
        }
        match json::text(edge, "type").as_str() {
            "parent-child" => item.parent = Some(on),
            "" | "blocks" => item.needs.push(on),
            _ => {}
        }
    }
    if !item.is_open() {
        return item;
    }
    let (description, whole) = text::one_line(&json::text(issue, "title"));
    let title = if whole {
        String::new()
    } else {
        text::clean(&json::text(issue, "title"))
    };
    let design = titled("Design", &json::text(issue, "design"));
    let notes = titled("Notes", &json::text(issue, "notes"));
    let parts = [title, text::clean(&json::text(issue, "description")), design, notes];
    let priority = issue.get("priority").and_then(Value::as_i64).unwrap_or(MEDIUM);
    let labels = json::list(issue, "labels").iter().map(json::word);
    item.goal = Goal {
        description,
        prompt: text::joined(&parts),
        acceptance: text::points(&json::text(issue, "acceptance_criteria")),
        priority: MEDIUM - priority.clamp(0, 4),
        labels: labels
            .map(|label| text::clean(&label))
            .filter(|label| !label.is_empty())
            .collect(),
        created_at: Some(json::text(issue, "created_at")).filter(|at| !at.is_empty()),
        ..Goal::default()
    };
    item.kept = json::kept(issue, &said(&item.goal, origin));
    item
}

fn titled(title: &str, text: &str) -> String {
    let text = text::clean(text);
    if text.is_empty() {
        text
    } else {
        format!("{title}:\n{text}")
    }
}

/// Returns the keys of beads that a goal says by itself.
pub(crate) fn said(goal: &Goal, origin: &str) -> Map<String, Value> {
    let mut issue = Map::new();
    issue.insert("id".into(), origin.into());
    issue.insert("title".into(), goal.description.as_str().into());
    if !goal.prompt.is_empty() {
        issue.insert("description".into(), goal.prompt.as_str().into());
    }
    if let [one] = goal.acceptance.as_slice() {
        issue.insert("acceptance_criteria".into(), one.as_str().into());
    }
    issue.insert("status".into(), "open".into());
    issue.insert("priority".into(), (MEDIUM - goal.priority).clamp(0, 4).into());
    if !goal.labels.is_empty() {
        issue.insert("labels".into(), goal.labels.clone().into());
    }
    if let Some(at) = &goal.created_at {
        issue.insert("created_at".into(), at.as_str().into());
    }
    issue
}

/// Returns a goal of ours as an issue that says whose it is.
pub(crate) fn fresh(goal: &Goal, id: &str, needs: &[String]) -> Map<String, Value> {
    let mut issue = said(goal, id);
    if goal.acceptance.len() > 1 {
        let points: Vec<String> = goal.acceptance.iter().map(|point| format!("- {point}")).collect();
        issue.insert("acceptance_criteria".into(), points.join("\n").into());
    }
    issue.insert("issue_type".into(), "task".into());
    let edges: Vec<Value> = needs
        .iter()
        .map(|need| json!({ "issue_id": id, "depends_on_id": need, "type": "blocks" }))
        .collect();
    if !edges.is_empty() {
        issue.insert("dependencies".into(), edges.into());
    }
    issue.insert("external_ref".into(), format!("invisigoth:{id}").into());
    issue
}

/// True where an export closed the issue because its goal had landed.
pub(crate) fn is_closed_by_us(issue: &Map<String, Value>) -> bool {
    json::text(issue, "close_reason").starts_with(LANDED)
}

/// Returns the keys of an issue that change with how its goal stands here now; `at` is the time.
pub(crate) fn changes(issue: &Map<String, Value>, now: &Now, at: &str) -> Vec<(&'static str, Value)> {
    let closed = |why: String, at: &str| {
        vec![
            ("status", json!("closed")),
            ("closed_at", json!(at)),
            ("close_reason", json!(why)),
            ("updated_at", json!(at)),
        ]
    };
    let opened = |status: &str| vec![("status", json!(status)), ("updated_at", json!(at))];
    let again = |status: &str| {
        let mut changes = opened(status);
        changes.extend([("closed_at", Value::Null), ("close_reason", json!(""))]);
        changes
    };
    match (standing(issue), now) {
        (Standing::Closed, Now::Decided(Decision::Pending, _)) if is_closed_by_us(issue) => again("open"),
        (Standing::Closed, Now::Decided(Decision::Held, _)) if is_closed_by_us(issue) => again("deferred"),
        (Standing::Closed, _) => Vec::new(),
        (_, Now::Landed { commit, at }) => closed(format!("{LANDED}{commit}"), at),
        (_, Now::Decided(Decision::Rejected, why)) => closed(format!("rejected: {why}"), at),
        (Standing::Held(_), Now::Decided(Decision::Pending, _)) => opened("open"),
        (Standing::Open, Now::Decided(Decision::Held, _)) => opened("deferred"),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Read, ForeignError> {
        let mut reader = Reader::default();
        for line in text.split_inclusive('\n') {
            let cut = line.strip_suffix('\n');
            reader.line(cut.unwrap_or(line).as_bytes(), cut.is_some())?;
        }
        Ok(reader.end())
    }

    #[test]
    fn an_issue_is_a_goal_with_the_rest_kept() {
        let text = concat!(
            r#"{"id":"bd-a1b2","title":"Fix it","description":"How","design":"So","acceptance_criteria":"- one\n- two","#,
            r#""status":"open","priority":0,"issue_type":"bug","labels":["x"],"mood":{"z":1,"a":2},"dependencies":["#,
            r#"{"issue_id":"bd-a1b2","depends_on_id":"bd-2","type":"blocks"},"#,
            r#"{"issue_id":"bd-a1b2","depends_on_id":"bd-3","type":"related"},"#,
            r#"{"issue_id":"bd-a1b2","depends_on_id":"bd-e","type":"parent-child"}]}"#
        );
        let item = read(text).unwrap().items.remove(0);
        assert_eq!((item.id.as_str(), item.goal.priority), ("bd-a1b2", 2));
        assert_eq!(item.goal.prompt, "How\n\nDesign:\nSo");
        assert_eq!(item.goal.acceptance, ["one", "two"]);
        assert_eq!(
            (item.needs.as_slice(), item.parent.as_deref()),
            (["bd-2".to_owned()].as_slice(), Some("bd-e"))
        );
        let kept: Vec<&str> = item.kept.keys().map(String::as_str).collect();
        assert_eq!(
            kept,
            [
                "description",
                "design",
                "acceptance_criteria",
                "issue_type",
                "mood",
                "dependencies"
            ]
        );
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let good = "{\"id\":\"a\",\"title\":\"A\"}\n";
        let fault = |text: &str| read(&format!("{good}{text}")).unwrap_err().to_string();
        assert!(fault("{\"id\":\"b\",\"ti").contains("line 2: the file ends in the middle"));
        assert!(fault("{\"id\":\"b\",\"ti\n{}").contains("line 2: not an issue"));
        assert!(fault("[1]\n").contains("line 2"));
        assert!(fault("{\"title\":\"b\"}\n").contains("line 2: this issue has no `id`"));
        assert!(fault("<<<<<<< HEAD\n").contains("conflict marker"));
    }

    #[test]
    fn what_somebody_is_at_waits() {
        let text = "{\"id\":\"a\",\"title\":\"A\",\"status\":\"in_progress\",\"assignee\":\"ann\"}";
        let item = read(text).unwrap().items.remove(0);
        assert_eq!(item.standing, Standing::Held("in progress in beads (ann)".into()));
    }
}
