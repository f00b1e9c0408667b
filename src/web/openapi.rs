//! The description of the API by OpenAPI 3.1, made of the tables that it is served from. docs/openapi.json is the same text.

use serde_json::{Map, Value, json};

use crate::{
    schedule::State,
    web::{
        actions::{self, Action, Takes},
        api::{self, Endpoint, Param},
    },
};

/// The state of a goal.
pub fn state() -> Value {
    json!({ "type": "string", "enum": State::ALL.map(State::word) })
}

/// A number of things.
pub fn count() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })
}

/// What rows are about.
pub fn by() -> Value {
    json!({ "type": "string", "enum": ["goal", "model", "day"] })
}

/// A day.
pub fn day() -> Value {
    json!({ "type": "string", "format": "date", "minLength": 10 })
}

/// A day or a time.
pub fn moment() -> Value {
    json!({ "type": "string", "minLength": 1, "examples": ["2026-11-22", "2026-11-22T22:00:00Z", "12h"] })
}

/// Makes it.
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in api::ALL {
        let path = format!("{}{}", api::ROOT, endpoint.path);
        paths.insert(path, json!({ "get": reading(endpoint) }));
    }
    for action in actions::ALL {
        let path = format!("{}/do/{}", api::ROOT, action.verb);
        paths.insert(path, json!({ "post": doing(action) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "git-invisigoth",
            "version": "1",
            "description": "What `git invisigoth COMMAND --json` prints, and the same commands to change something. \
                            `git invisigoth serve` serves it.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:7420", "description": "This machine" }],
        "security": [{ "token": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "What .git/invisigoth/serve.token holds" },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "invisigoth-CLONE",
                    "description": "What the one-time link gives a browser",
                },
            },
            "schemas": { "Error": error() },
        },
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["schema", "error"],
        "properties": {
            "schema": { "const": "invisigoth.error/1" },
            "error": {
                "type": "object",
                "required": ["kind", "message", "hints"],
                "properties": {
                    "kind": { "type": "string" },
                    "message": { "type": "string", "description": "What happened" },
                    "hints": { "type": "array", "items": { "type": "string" }, "description": "What to do about it" },
                },
            },
        },
    })
}

fn reading(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = endpoint.params.iter().map(parameter).collect();
    let is_of_goal = endpoint.path.contains("{id}");
    if is_of_goal {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true, "description": "The goal.",
            "schema": { "type": "string", "minLength": 1 },
        }));
    }
    let mut wrong = vec![
        ("401", "Nobody is signed in."),
        ("409", "The state of the repository is in the way."),
    ];
    if !endpoint.params.is_empty() || is_of_goal {
        wrong.push(("400", "The request is wrong."));
    }
    wrong.push(("404", "There is no such thing."));
    json!({
        "operationId": name("get", endpoint.path),
        "summary": endpoint.about,
        "parameters": parameters,
        "responses": responses(endpoint.schema, &wrong),
    })
}

fn parameter(param: &Param) -> Value {
    json!({
        "name": param.name, "in": "query", "required": false, "description": param.about, "schema": (param.schema)(),
    })
}

fn doing(action: &Action) -> Value {
    let required: Vec<&str> = action
        .fields
        .iter()
        .filter(|field| field.needed)
        .map(|field| field.name)
        .collect();
    let mut properties = Map::new();
    for field in action.fields {
        let mut schema = takes(field.takes, field.needed);
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".to_owned(), field.about.into());
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut body = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let Value::Object(body) = &mut body
        && !required.is_empty()
    {
        body.insert("required".to_owned(), json!(required));
    }
    let wrong = [
        ("400", "The request is wrong."),
        ("401", "Nobody is signed in."),
        (
            "403",
            "The server is read-only, or the request comes from another site.",
        ),
        ("409", "The state of the goal or of the repository is in the way."),
        ("411", "The body says no length."),
        ("413", "The body is too large."),
        ("415", "The body is no JSON."),
    ];
    json!({
        "operationId": name("do", action.verb),
        "summary": action.about,
        "requestBody": { "required": !required.is_empty(), "content": { "application/json": { "schema": body } } },
        "responses": responses(action.schema, &wrong),
    })
}

fn takes(takes: Takes, needed: bool) -> Value {
    // Blanks alone say nothing.
    let word = || json!({ "type": "string", "pattern": "\\S" });
    let text = || if needed { word() } else { json!({ "type": "string" }) };
    match takes {
        Takes::Goal => word(),
        Takes::Line | Takes::Text | Takes::Hidden => text(),
        Takes::Goals => json!({ "oneOf": [word(), { "type": "array", "items": word(), "minItems": 1 }] }),
        Takes::Lines => json!({ "oneOf": [text(), { "type": "array", "items": word() }] }),
        Takes::Number => json!({ "type": "number" }),
        Takes::Flag => json!({ "type": "boolean" }),
    }
}

fn responses(schema: &str, wrong: &[(&str, &str)]) -> Value {
    let document = json!({
        "type": "object", "required": ["schema"], "properties": { "schema": { "const": schema } },
    });
    let mut all = Map::new();
    all.insert(
        "200".to_owned(),
        json!({
            "description": "The document.", "content": { "application/json": { "schema": document } },
        }),
    );
    for (status, about) in wrong {
        all.insert(
            (*status).to_owned(),
            json!({
                "description": about,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
            }),
        );
    }
    Value::Object(all)
}

/// `get` and `/goals/{id}/diff` make `getGoalsIdDiff`.
fn name(how: &str, path: &str) -> String {
    let parts = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    parts.fold(how.to_owned(), |mut name, part| {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
        name
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// `INVISIGOTH_BLESS=1` writes the file instead of comparing it.
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    fn blessing() -> bool {
        std::env::var_os("INVISIGOTH_BLESS").is_some()
    }

    #[test]
    fn the_description_in_docs_is_of_these_tables() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        let now = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if blessing() {
            fs::write(&file, &now).unwrap();
        }
        assert!(
            fs::read_to_string(&file).unwrap_or_default() == now,
            "docs/openapi.json is old: `INVISIGOTH_BLESS=1 cargo test --lib openapi` writes it"
        );
    }

    #[test]
    fn names_are_of_one_operation_each() {
        let described = document();
        let paths = described["paths"].as_object().unwrap();
        let names: std::collections::BTreeSet<&str> = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), api::ALL.len() + actions::ALL.len());
        assert!(
            names.contains("getGoalsIdDiff") && names.contains("doApprove"),
            "{names:?}"
        );
    }
}
