//! Secrets and the redactor: what leaves the process is `Clean`.
//!
//! Owns the only type that holds a key, and the only maker of `Clean` text.

use std::fmt;

/// A key. Has no `Debug`, `Display` or `Serialize` that would show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the key itself; called where it is sent to the provider, and by the redactor.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Text that went through the redactor. Prompts, notes, logs, events and errors take nothing else.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Clean(String);

impl Clean {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unwraps the text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl serde::Serialize for Clean {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Replaces the secrets that this process knows by `[redacted]`.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Vec<String>,
}

impl Redactor {
    /// Shorter texts than this are not taken for secrets: they would blank out ordinary words.
    const SHORTEST: usize = 8;

    /// Makes a redactor for `secrets`, also in their JSON-escaped form.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut needles: Vec<String> = Vec::new();
        for secret in secrets {
            let plain = secret.reveal();
            if plain.len() >= Self::SHORTEST {
                let escaped = serde_json::Value::from(plain).to_string();
                needles.push(escaped.trim_matches('"').to_owned());
                needles.push(plain.to_owned());
            }
        }
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        needles.dedup();
        Self { needles }
    }

    /// Returns `text` without any secret.
    pub fn clean(&self, text: &str) -> Clean {
        let mut text = text.to_owned();
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                text = text.replace(needle.as_str(), "[redacted]");
            }
        }
        Clean(text)
    }

    /// Returns `raw` as text without any secret; bytes that are no UTF-8 become `U+FFFD`.
    pub fn clean_bytes(&self, raw: &[u8]) -> Clean {
        self.clean(&String::from_utf8_lossy(raw))
    }

    /// True where `text` holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.needles.iter().any(|needle| text.contains(needle.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_out_also_where_json_escaped_it() {
        let redactor = Redactor::new([&Secret::new("sk-or-\"quoted\"-1234")]);
        let text = r#"plain sk-or-"quoted"-1234 and {"k":"sk-or-\"quoted\"-1234"}"#;
        assert!(redactor.finds(text));
        assert_eq!(
            redactor.clean(text).as_str(),
            r#"plain [redacted] and {"k":"[redacted]"}"#
        );
    }

    #[test]
    fn a_short_word_is_not_taken_for_a_key() {
        assert_eq!(Redactor::new([&Secret::new("x")]).clean("x is x").as_str(), "x is x");
    }
}
