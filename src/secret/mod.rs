//! Secrets and the redactor: what leaves the process is `Clean`.
//!
//! Owns the only type that holds a key, and the only maker of `Clean` text. Reads no environment and no file: which
//! variables hold keys is said by `names`, who reads them by the callers.

use std::{fmt, sync::Arc};

use crate::secret::{forms::Forms, scan::Stream};

pub mod bytes;
pub mod forms;
pub mod names;
pub mod patterns;
pub mod scan;

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
pub struct Clean {
    text: String,
    changed: bool,
}

impl Clean {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Unwraps the text.
    pub fn into_string(self) -> String {
        self.text
    }

    /// True where something was taken out: the text is no longer what it was made of.
    pub fn changed(&self) -> bool {
        self.changed
    }
}

impl serde::Serialize for Clean {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// Replaces by `[redacted]` the secrets that this process knows, in every usual form, and whatever has the shape of a
/// key. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redactor {
    live: Arc<Forms>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Makes a redactor that knows `secrets`: plain, JSON-escaped, URL-encoded, and inside base64 or hex. Values shorter
    /// than 8 bytes are left alone: they would blank out ordinary words.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self {
            live: Arc::new(Forms::of(secrets.into_iter().map(Secret::reveal))),
        }
    }

    /// Returns `text` without any secret.
    pub fn clean(&self, text: &str) -> Clean {
        let mut stream = self.stream();
        let mut kept = stream.push(text.as_bytes());
        kept.extend(stream.finish());
        match stream.changed() {
            false => Clean {
                text: text.to_owned(),
                changed: false,
            },
            true => Clean {
                text: String::from_utf8_lossy(&kept).into_owned(),
                changed: true,
            },
        }
    }

    /// Returns `raw` as text without any secret; bytes that are no UTF-8 become `U+FFFD`.
    pub fn clean_bytes(&self, raw: &[u8]) -> Clean {
        self.clean(&String::from_utf8_lossy(raw))
    }

    /// True where `text` holds a secret that this process knows, in any form. What only looks like a key does not count.
    pub fn finds(&self, text: &str) -> bool {
        self.live.is_in(text.as_bytes())
    }

    /// Returns a redactor for text that comes in pieces.
    pub fn stream(&self) -> Stream {
        Stream::of(Arc::clone(&self.live))
    }
}

#[cfg(test)]
mod tests;
