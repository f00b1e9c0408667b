//! As much of JSON Schema as the schema of Agent Trace uses. A keyword that is not known here fails, so that nothing of a newer
//! schema goes unchecked.

use serde_json::Value;

/// Says what of `value` is not as `schema` wants it.
pub fn wrong(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("{at}: {what}"));
    let mut below = Vec::new();
    for (keyword, wanted) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let place = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                below.push((root.pointer(place).unwrap(), value, at.to_owned()));
            }
            "type" => {
                if !is_a(value, wanted.as_str().unwrap()) {
                    wrong(format!("{value} is no {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        wrong(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        below.push((schema, value, format!("{at}/{name}")));
                    }
                }
            }
            "items" => {
                for (nth, value) in value.as_array().into_iter().flatten().enumerate() {
                    below.push((wanted, value, format!("{at}/{nth}")));
                }
            }
            "enum" => {
                if !wanted.as_array().unwrap().contains(value) {
                    wrong(format!("{value} is none of {wanted}"));
                }
            }
            "minimum" => {
                if value.as_i64() < wanted.as_i64() {
                    wrong(format!("{value} is less than {wanted}"));
                }
            }
            "maxLength" => {
                if value.as_str().unwrap().chars().count() as u64 > wanted.as_u64().unwrap() {
                    wrong(format!("{value} is too long"));
                }
            }
            "pattern" | "format" => {
                let text = value.as_str().unwrap();
                if !is_formed(text, wanted.as_str().unwrap()) {
                    wrong(format!("{value} is no {wanted}"));
                }
            }
            other => panic!("keyword {other}"),
        }
    }
    for (schema, value, at) in below {
        found.extend(self::wrong(root, schema, value, &at));
    }
    found
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("type {other}"),
    }
}

fn is_formed(text: &str, form: &str) -> bool {
    match form {
        "^[0-9]+\\.[0-9]+\\.[0-9]+$" => {
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            text.split('.').count() == 3 && text.split('.').all(is_number)
        }
        // What a digit is may be any of its kind, as `0` in RFC 3339 and `f` in RFC 9562.
        "uuid" => shape(text, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        "date-time" => shape(text, "0000-00-00T00:00:00Z"),
        "uri" => text.contains("://"),
        other => panic!("form {other}"),
    }
}

/// True where a text has the shape of another: digits where that has digits, hexadecimal ones where it has `f`.
fn shape(text: &str, like: &str) -> bool {
    let fits = |(c, like): (char, char)| match like {
        'f' => c.is_ascii_hexdigit() && !c.is_ascii_uppercase(),
        '0' => c.is_ascii_digit(),
        other => c == other,
    };
    text.len() == like.len() && text.chars().zip(like.chars()).all(fits)
}
