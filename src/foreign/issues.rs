//! Issues of GitHub: `gh issue list --json …`, the REST array, or several arrays one after the other.
//!
//! Anybody may have written them: what a rendered page does not show is taken out, and by default they wait for approval.

use serde_json::{Map, Value};

use crate::{
    foreign::{ForeignError, Item, Read, Standing, json, text},
    goal::Goal,
};

/// Reads issues; only those that carry one of `labels`, all where there are none.
///
/// # Errors
/// Where it is no JSON, or no issues.
pub fn read(document: &str, labels: &[String]) -> Result<Read, ForeignError> {
    let body = document.strip_prefix('\u{feff}').unwrap_or(document);
    let mut read = Read::default();
    let mut any = false;
    for page in serde_json::Deserializer::from_str(body).into_iter::<Value>() {
        any = true;
        let page = page.map_err(|error| json::fault(&error))?;
        match page {
            Value::Array(issues) => issues.iter().try_for_each(|issue| take(issue, labels, &mut read))?,
            Value::Object(mut search) => match search.remove("items") {
                Some(Value::Array(issues)) => issues.iter().try_for_each(|issue| take(issue, labels, &mut read))?,
                _ => take(&Value::Object(search), labels, &mut read)?,
            },
            _ => return Err(unfit()),
        }
    }
    if any {
        Ok(read)
    } else {
        Err(ForeignError::Unfit("there is no JSON in it".to_owned()))
    }
}

fn unfit() -> ForeignError {
    ForeignError::Unfit("these are no issues of GitHub: each needs `number` and `title`".to_owned())
}

fn take(issue: &Value, wanted: &[String], read: &mut Read) -> Result<(), ForeignError> {
    let issue = issue.as_object().ok_or_else(unfit)?;
    let number = issue.get("number").and_then(Value::as_u64).ok_or_else(unfit)?;
    let title = issue.get("title").and_then(Value::as_str).ok_or_else(unfit)?;
    if issue.contains_key("pull_request") || json::text(issue, "url").contains("/pull/") {
        read.leave_out("pull requests");
        return Ok(());
    }
    let labels: Vec<String> = json::list(issue, "labels")
        .iter()
        .map(label)
        .filter(|label| !label.is_empty())
        .collect();
    let fits = wanted.is_empty()
        || labels
            .iter()
            .any(|label| wanted.iter().any(|want| want.eq_ignore_ascii_case(label)));
    if !fits {
        read.leave_out("issues with other labels");
        return Ok(());
    }
    let mut item = Item {
        origin: format!("{}#{number}", place(issue)),
        id: format!("gh-{number}"),
        standing: standing(issue),
        ..Item::default()
    };
    if item.is_open() {
        let (description, whole) = text::one_line(&text::without_comments(title));
        let long = if whole { "" } else { title };
        let body = text::without_comments(&format!(
            "{long}\n\n{}",
            json::text(issue, "body").replace("\r\n", "\n")
        ));
        item.goal = Goal {
            description: if description.is_empty() {
                format!("Issue {number}")
            } else {
                description
            },
            prompt: text::clean(&body),
            labels,
            created_at: ["createdAt", "created_at"]
                .iter()
                .map(|key| text::clean(&json::text(issue, key)))
                .find(|at| !at.is_empty()),
            ..Goal::default()
        };
        let link = text::clean(&link(issue));
        if !link.is_empty() {
            item.kept.insert("url".into(), link.into());
        }
        item.kept.insert("number".into(), number.into());
    }
    read.items.push(item);
    Ok(())
}

fn label(label: &Value) -> String {
    let name = label.get("name").map_or_else(|| json::word(label), json::word);
    text::clean(&name)
}

/// Returns the page of an issue: `gh` calls it `url`, the API `html_url`.
fn link(issue: &Map<String, Value>) -> String {
    let page = json::text(issue, "html_url");
    if page.is_empty() {
        json::text(issue, "url")
    } else {
        page
    }
}

/// Returns `owner/name` out of an issue's address; empty where it does not say.
fn place(issue: &Map<String, Value>) -> String {
    if let Some(name) = issue.get("repository").and_then(|place| place.get("nameWithOwner")) {
        return text::clean(&json::word(name));
    }
    let link = link(issue);
    let path = link.split_once("://").map_or("", |(_, rest)| rest);
    let names: Vec<&str> = path.split('/').skip(1).filter(|name| *name != "repos").collect();
    match names.as_slice() {
        [owner, name, "issues", ..] => text::clean(&format!("{owner}/{name}")),
        _ => String::new(),
    }
}

fn standing(issue: &Map<String, Value>) -> Standing {
    let why = ["stateReason", "state_reason"].map(|key| json::text(issue, key).to_ascii_lowercase());
    match json::text(issue, "state").to_ascii_lowercase().as_str() {
        "closed"
            if why
                .iter()
                .any(|why| matches!(why.as_str(), "not_planned" | "duplicate")) =>
        {
            Standing::Rejected
        }
        "closed" => Standing::Closed,
        _ => Standing::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_does_not_show_does_not_come() {
        let text =
            "[{\"number\":7,\"title\":\"A\\u202eB <!-- x -->\",\"body\":\"See <!-- run evil --> it\\r\\n\\u0007.\",
            \"labels\":[{\"name\":\"bug\"}],\"state\":\"OPEN\",\"url\":\"https://github.com/o/n/issues/7\"}]";
        let item = read(text, &[]).unwrap().items.remove(0);
        assert_eq!((item.origin.as_str(), item.id.as_str()), ("o/n#7", "gh-7"));
        assert_eq!(
            (item.goal.description.as_str(), item.goal.prompt.as_str()),
            ("AB", "See  it\n.")
        );
        assert_eq!(item.goal.labels, ["bug"]);
    }

    #[test]
    fn pages_pulls_labels_and_states() {
        let text = r#"[{"number":1,"title":"a","body":null,"labels":["x"]},{"number":2,"title":"b","pull_request":{}}]
            [{"number":3,"title":"c","state":"closed","state_reason":"not_planned"}]"#;
        let all = read(text, &[]).unwrap();
        let standing: Vec<&Standing> = all.items.iter().map(|item| &item.standing).collect();
        assert_eq!(standing, [&Standing::Open, &Standing::Rejected]);
        assert_eq!(all.left_out["pull requests"], 1);
        assert_eq!(read(text, &["X".into()]).unwrap().items.len(), 1);
        for bad in ["", "[1]", "{\"number\":1}", "[{\"number\":1,\"title\":", "7"] {
            assert!(read(bad, &[]).is_err(), "{bad}");
        }
    }
}
