//! Asking: what stands before an action that takes more than a goal, or takes something away: what will happen, and a form.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{edit, show},
    engine::session::Session,
    id::GoalId,
    schedule::State,
    web::{
        actions::{self, Action, Takes},
        given::Given,
        pages::{Asked, Page, goal, nothing},
    },
};

/// A field of the form.
#[derive(Debug, Serialize)]
struct Field {
    name: &'static str,
    takes: Takes,
    needed: bool,
    about: &'static str,
    value: String,
}

/// A goal that it is about.
#[derive(Debug, Serialize)]
struct About {
    goal: GoalId,
    state: State,
    description: String,
}

#[derive(Debug, Serialize)]
struct Form {
    verb: &'static str,
    word: &'static str,
    about: &'static str,
    takes_away: bool,
    /// Where the person came from.
    back: String,
    goals: Vec<About>,
    fields: Vec<Field>,
}

/// Makes the page of an action, whose name and goal follow `ask` in the address.
///
/// # Errors
/// A fault for what is no action.
pub fn page(session: &Session, asked: &Asked) -> Result<Page> {
    let mut names = asked.path.iter().skip(1);
    let action = names.next().and_then(|verb| actions::find(verb));
    let action = action.ok_or_else(|| nothing(asked))?;
    let mut given = Given::default();
    for (name, value) in &asked.query {
        given.set(name, value);
    }
    if let Some(id) = names.next() {
        goal::found(show::run(session, &goal::id(id)?))?;
        given.set("id", id);
    }
    filled(session, action, &given)
}

/// Makes the page of an action with what was given so far.
///
/// # Errors
/// When the backlog cannot be read.
pub fn filled(session: &Session, action: &Action, given: &Given) -> Result<Page> {
    let mut given = given.clone();
    let id = given.one("id").and_then(|id| id.parse::<GoalId>().ok());
    if action.verb == "edit"
        && given.exact("text").is_none()
        && let Some(id) = &id
    {
        let sheet = edit::sheet(session, id)?;
        given.set("text", &sheet.text);
        given.set("version", &sheet.version);
    }
    let fields = action.fields.iter().map(|field| Field {
        name: field.name,
        takes: field.takes,
        needed: field.needed,
        about: field.about,
        value: match field.takes {
            Takes::Goals | Takes::Lines => given.many(field.name).join("\n"),
            _ => given.exact(field.name).unwrap_or_default().to_owned(),
        },
    });
    let form = Form {
        verb: action.verb,
        word: action.word,
        about: action.about,
        takes_away: action.takes_away,
        back: back(&given),
        goals: goals(session, &given),
        fields: fields.collect(),
    };
    let title = match &id {
        Some(id) => format!("{}: {id}", action.word),
        None => action.word.to_owned(),
    };
    let place = "-";
    Ok(Page {
        place,
        ..Page::new(title, "ask", form)?
    })
}

fn goals(session: &Session, given: &Given) -> Vec<About> {
    let ids = given.many("id");
    let known = ids.iter().filter_map(|id| show::run(session, &id.parse().ok()?).ok());
    let about = |goal: show::Outcome| About {
        description: goal
            .goal
            .or(goal.asked)
            .map(|goal| goal.description)
            .unwrap_or_default(),
        goal: goal.id,
        state: goal.state,
    };
    known.map(about).collect()
}

/// Returns where a person goes afterwards: a page of this site, whatever was given.
pub fn back(given: &Given) -> String {
    local(given.one("back").unwrap_or("/"))
}

/// Reads an address as one of this site. It is put together anew from its parts, so that nothing else comes of it.
fn local(address: &str) -> String {
    let mut asked = Asked::at(address.split('#').next().unwrap_or_default());
    // What was said the last time.
    asked.query.remove("said");
    asked.address()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_to_a_page_of_this_site_alone() {
        for (given, to) in [
            ("/goals/a%2Fb?state=held&said=3", "/goals/a%2Fb?state=held"),
            ("/", "/"),
            ("", "/"),
            ("//evil.test/x", "/evil.test/x"),
            ("https://evil.test", "/https%3A/evil.test"),
            ("/\\evil.test", "/%5Cevil.test"),
            ("javascript:alert(1)", "/javascript%3Aalert%281%29"),
            ("/x\r\nSet-Cookie: a=b", "/x%0D%0ASet-Cookie%3A%20a%3Db"),
            ("/a?b=\r\n#c", "/a?b=%0D%0A"),
        ] {
            assert_eq!(local(given), to, "{given}");
        }
    }
}
