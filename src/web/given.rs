//! Given: what a form or a JSON object says, by name. Owns how both are read; what the names mean is up to `actions`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    fault::{Fault, Kind},
    web::pages::Asked,
};

/// What was given: each name with its values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given(BTreeMap<String, Vec<String>>);

impl Given {
    /// Reads a form as browsers send it. Line ends of browsers become our own.
    pub fn of_form(body: &str) -> Self {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in Asked::pairs(body) {
            all.entry(name).or_default().push(value.replace("\r\n", "\n"));
        }
        Self(all)
    }

    /// Reads a JSON object whose values are as `fits` wants them: texts, numbers, truths and lists of texts; no text at all is an
    /// empty one.
    ///
    /// # Errors
    /// A fault for anything else.
    pub fn of_json(body: &[u8], fits: impl Fn(&str, &Value) -> bool) -> Result<Self, Fault> {
        let unfit = |why: String| Fault::new(Kind::Usage, why);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let read: Value = serde_json::from_slice(body).map_err(|error| unfit(format!("this is no JSON: {error}")))?;
        let Value::Object(fields) = read else {
            return Err(unfit("the body must be a JSON object".to_owned()));
        };
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut all = BTreeMap::new();
        for (name, value) in fields {
            if !fits(&name, &value) {
                return Err(unfit(format!("`{name}` cannot be {value}")));
            }
            let values = match &value {
                Value::Array(values) => values.iter().map(text).collect(),
                value => vec![text(value)],
            };
            all.insert(name, values);
        }
        Ok(Self(all))
    }

    /// True where a value holds what no text of people does, and no program can be told.
    pub fn holds_nul(&self) -> bool {
        self.0.values().flatten().any(|value| value.contains('\0'))
    }

    /// Returns what `name` says; `None` where it says nothing.
    pub fn one(&self, name: &str) -> Option<&str> {
        let said = self.0.get(name).and_then(|values| values.last());
        said.map(|said| said.trim()).filter(|said| !said.is_empty())
    }

    /// Returns what `name` says as it was said, blanks and all.
    pub fn exact(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.last().map(String::as_str)
    }

    /// Lists what `name` says: each of its values, and each line of them.
    pub fn many(&self, name: &str) -> Vec<String> {
        let values = self.0.get(name).into_iter().flatten();
        let lines = values.flat_map(|value| value.lines()).map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Returns whether `name` says yes.
    ///
    /// # Errors
    /// A fault for what is neither yes nor no.
    pub fn is(&self, name: &str) -> Result<bool, Fault> {
        match self.one(name) {
            None | Some("false" | "no") => Ok(false),
            Some("true" | "yes" | "on") => Ok(true),
            Some(other) => Err(Fault::new(
                Kind::Usage,
                format!("`{name}` is true or false, not `{other}`"),
            )),
        }
    }

    /// Returns the number that `name` says.
    ///
    /// # Errors
    /// A fault for what is none.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        let read = |said: &str| {
            let wrong = |_| Fault::new(Kind::Usage, format!("`{name}` is a number, not `{said}`"));
            said.parse().map_err(wrong)
        };
        self.one(name).map(read).transpose()
    }

    /// Returns a name that is none of `known`, if there is one.
    pub fn unknown<'a>(&'a self, known: &[&str]) -> Option<&'a str> {
        self.0.keys().map(String::as_str).find(|name| !known.contains(name))
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Sets what `name` says.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), vec![value.to_owned()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let given = Given::of_form("id=goal-1&id=%C3%BC&files=a%0D%0A%0D%0A+b+&text=+x%0D%0Ay&empty=");
        assert_eq!(given.many("id"), ["goal-1", "ü"]);
        assert_eq!(given.many("files"), ["a", "b"]);
        assert_eq!((given.one("text"), given.exact("text")), (Some("x\ny"), Some(" x\ny")));
        assert_eq!((given.one("empty"), given.one("absent")), (None, None));
        assert_eq!(given.unknown(&["id", "files", "text"]), Some("empty"));
    }

    #[test]
    fn json_says_the_same_as_a_form() {
        let any = |_: &str, value: &Value| !value.is_null() && !value.is_object();
        let given = Given::of_json(br#"{"id":["a","b"],"priority":-2,"cascade":true}"#, any).unwrap();
        assert_eq!(given.many("id"), ["a", "b"]);
        assert_eq!(given.number::<i64>("priority").unwrap(), Some(-2));
        assert!(given.is("cascade").unwrap());
        assert_eq!((given.one("why"), given.is("why").unwrap()), (None, false));
        assert_eq!(Given::of_json(b" ", any).unwrap(), Given::default());
        for bad in [&b"["[..], b"[]", b"\"x\"", br#"{"a":{}}"#, br#"{"a":null}"#, b"\xff"] {
            assert_eq!(Given::of_json(bad, any).unwrap_err().kind, Kind::Usage, "{bad:?}");
        }
        assert!(given.number::<u32>("priority").is_err());
        assert!(given.is("id").is_err());
    }
}
