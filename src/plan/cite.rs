//! Evidence in the many shapes that models send it: `path:12: quote` as a text, objects, maps, lists.
//!
//! Owns how a place and its quote are told apart. Whether the place says so is `quoted`'s business.

use serde_json::Value;

use crate::plan::{Evidence, fields, lenient};

/// Pairs of marks that stand around a quote.
const AROUND: &[(&str, &str)] = &[
    ("```", "```"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("‘", "’"),
    ("«", "»"),
    ("„", "“"),
];

/// Makes evidence of any value; a piece that names no file is kept, so that it can be refused.
pub(crate) fn all(value: &Value) -> Vec<Evidence> {
    match value {
        Value::Array(items) => {
            if let Some(one) = of_parts(items) {
                return vec![one];
            }
            items.iter().flat_map(all).collect()
        }
        Value::Object(map) => match fields::cited(map) {
            Some(one) => vec![one],
            None => {
                let pairs = map.iter().filter(|(key, _)| *key != lenient::CUT);
                pairs.flat_map(|(key, value)| of_pair(key, value)).collect()
            }
        },
        Value::String(text) => of_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// `["src/x.rs", 12, "quote"]`
fn of_parts(items: &[Value]) -> Option<Evidence> {
    let [Value::String(at), number, rest @ ..] = items else {
        return None;
    };
    let (quote, said) = match (number, rest) {
        (Value::Number(number), [Value::String(quote)]) => (quote, line(&number.to_string())),
        (Value::String(quote), []) if place(at).1.is_some() && place(quote).1.is_none() => (quote, None),
        _ => return None,
    };
    let (path, line) = place(at);
    let quote = bare(quote).to_owned();
    Some(Evidence {
        path,
        line: said.or(line),
        quote,
    })
}

/// `{"src/x.rs:12": "quote"}`
fn of_pair(key: &str, value: &Value) -> Vec<Evidence> {
    let (path, line) = place(key);
    match value {
        Value::String(quote) => vec![Evidence {
            path,
            line,
            quote: bare(quote).to_owned(),
        }],
        Value::Array(items) => items.iter().flat_map(|item| of_pair(key, item)).collect(),
        Value::Object(map) => {
            let mut map = map.clone();
            map.entry("path").or_insert_with(|| Value::String(key.to_owned()));
            fields::cited(&map).into_iter().collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Reads a text: one piece, or one a line where each line begins with a place.
fn of_text(text: &str) -> Vec<Evidence> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > 1 && lines.iter().all(|line| one(line).line.is_some()) {
        return lines.into_iter().map(one).collect();
    }
    if text.trim().is_empty() {
        return Vec::new();
    }
    vec![one(text.trim())]
}

fn one(text: &str) -> Evidence {
    let text = text.trim_start_matches(['-', '*', '•', ' ']);
    let open = text.strip_prefix(['`', '*', '[', '(', '"']);
    let inside = open.unwrap_or(text);
    // A path may hold spaces only where something stands around it.
    let end = inside.find(|c: char| c.is_whitespace() || matches!(c, '`' | '*' | ']' | ')' | '"' | '“' | ','));
    let end = end.unwrap_or(inside.len());
    let (at, rest) = inside.split_at_checked(end).unwrap_or((inside, ""));
    let (at, glued) = cut_place(at);
    let (path, mut line) = place(at);
    let mut rest = format!("{glued}{rest}");
    if let Some((said, after)) = spoken_line(&rest).filter(|_| line.is_none()) {
        line = Some(said);
        rest = after.to_owned();
    }
    let quote = rest.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ':' | ',' | ']' | ')' | '*' | '|' | '→' | '—' | '–')
    });
    let quote = if open.is_some() || quote.len() > 1 {
        // The mark that closes what stands around the place.
        let closed = open.is_some() && text.starts_with('`') && quote.starts_with('`');
        let quote = if closed {
            quote.get(1..).unwrap_or_default()
        } else {
            quote
        };
        quote.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '|' | '→' | '—' | '–'))
    } else {
        quote
    };
    let quote = quote
        .strip_prefix("- ")
        .or_else(|| quote.strip_prefix("=> "))
        .or_else(|| quote.strip_prefix("-> "))
        .unwrap_or(quote);
    Evidence {
        path,
        line,
        quote: bare(quote).to_owned(),
    }
}

/// Splits `src/x.rs:12:code` behind the number: a quote may follow without a space.
fn cut_place(text: &str) -> (&str, &str) {
    let mut colons = text.match_indices(':').map(|(at, _)| at);
    let Some(first) = colons.next() else {
        return (text, "");
    };
    let after = text.get(first + 1..).unwrap_or_default();
    let digits = after.len()
        - after
            .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | 'L' | 'l'))
            .len();
    let end = if digits == 0 { first } else { first + 1 + digits };
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// ` (line 12): …`, ` line 12 …`, ` L12 …`, `, line 12`
fn spoken_line(rest: &str) -> Option<(u32, &str)> {
    let start = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ',' | '@' | ':' | '`' | '['));
    let lower = start.get(..5).unwrap_or(start).to_ascii_lowercase();
    let skip = if lower.starts_with("lines") {
        5
    } else if lower.starts_with("line") {
        4
    } else if lower.starts_with('l')
        && start
            .get(1..2)
            .is_some_and(|c| c.starts_with(|c: char| c.is_ascii_digit()))
    {
        1
    } else {
        return None;
    };
    let number = start.get(skip..)?.trim_start_matches([' ', '#', ':']);
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    let said = number.get(..number.len() - rest.len())?.parse().ok()?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '–' | ')' | ']'));
    Some((said, rest))
}

/// Splits a place into its path and its line: `x.rs:12`, `x.rs:12-15`, `x.rs#L12`, `x.rs:12:5`, `x.rs@12`.
pub(crate) fn place(text: &str) -> (String, Option<u32>) {
    let text = text
        .trim()
        .trim_matches(['`', '"', '\'', '*'])
        .trim_end_matches([':', ',', '.']);
    let cut = text.find("#L").map(|at| (at, at + 2));
    let cut = cut.or_else(|| {
        let colons = text.match_indices([':', '@']);
        let numbered = colons.filter(|(at, mark)| line(text.get(at + mark.len()..).unwrap_or_default()).is_some());
        numbered.map(|(at, mark)| (at, at + mark.len())).next()
    });
    let (path, number) = match cut {
        Some((at, after)) => (
            text.get(..at).unwrap_or(text),
            line(text.get(after..).unwrap_or_default()),
        ),
        None => (text, None),
    };
    let path = path.strip_prefix("./").unwrap_or(path);
    (path.to_owned(), number)
}

/// Reads a line number: `12`, `L12`, `12-15`, `12:5`, `12\n15` of a list; 0 is none.
pub(crate) fn line(text: &str) -> Option<u32> {
    let text = text.trim().trim_start_matches(['L', 'l', '[', '#']);
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let rest = text.get(digits.len()..).unwrap_or_default();
    let ends = rest.is_empty() || rest.starts_with(['-', '–', ':', ',', '\n', ' ', '.', ']']);
    digits.parse().ok().filter(|line| *line > 0 && ends)
}

/// Drops what stands around a quote.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inside = AROUND.iter().find_map(|(open, close)| {
        let inside = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inside.is_empty()).then_some(inside)
    });
    inside.unwrap_or(text).trim()
}
