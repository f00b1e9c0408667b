//! Ids: object ids by kind, goal ids, gate ids, and the one hash they are made with.
//!
//! Owns what an id may look like and how a goal id becomes part of a ref name. Knows no repository.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// An object id as git computes it: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

/// Text that is not 40 or 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an object id")]
pub struct NotAnOid(pub String);

impl Oid {
    /// Returns the id made of `raw`, which holds 20 or 32 bytes; `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        if raw.len() != 20 && raw.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        Some(Self {
            bytes,
            len: u8::try_from(raw.len()).ok()?,
        })
    }

    /// Returns the raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// Returns the first seven hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(7).collect()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oid {
    type Err = NotAnOid;

    fn from_str(text: &str) -> Result<Self, NotAnOid> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect();
        let bytes: Vec<u8> = digits
            .unwrap_or_default()
            .chunks(2)
            .filter_map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect();
        (bytes.len() * 2 == text.len())
            .then(|| Self::from_bytes(&bytes))
            .flatten()
            .ok_or_else(|| NotAnOid(text.to_owned()))
    }
}

impl Serialize for Oid {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Oid {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! oid_of_a_kind {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Oid);

        impl $name {
            /// Returns the first seven hexadecimal digits, for people.
            pub fn short(&self) -> String {
                self.0.short()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnOid;

            fn from_str(text: &str) -> Result<Self, NotAnOid> {
                text.parse().map(Self)
            }
        }
    )*};
}

oid_of_a_kind! {
    /// The id of a commit.
    CommitId
    /// The id of a tree.
    TreeId
    /// The id of a blob.
    BlobId
}

/// A SHA-256 over labelled parts: ids of gates and goal versions, and `prompt_hash`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Hashes `parts` under `domain`. Each part is preceded by its length (8 bytes, big endian), so
    /// that no two different lists of parts read the same.
    pub fn of<'a>(domain: &str, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut state = Sha256::new();
        state.update(domain.as_bytes());
        state.update([0]);
        for part in parts {
            state.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            state.update(part);
        }
        Self(state.finalize().into())
    }

    /// Hashes `bytes` alone, as other programs do.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the hash as an object id of 32 bytes, for content that no repository stores.
    pub fn oid(&self) -> Oid {
        Oid { bytes: self.0, len: 32 }
    }

    /// Returns the first `digits` of the 64 hexadecimal digits.
    pub fn short(&self, digits: usize) -> String {
        self.to_string().chars().take(digits).collect()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a gate is: a hash over commands, limits, environment and tool versions, 16 hex digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateId(pub String);

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a goal, as a person wrote it or as `add` made it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct GoalId(String);

/// A goal id that no file, ref or terminal could carry.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not a goal id: {why}", id.escape_debug())]
pub struct BadGoalId {
    id: String,
    why: &'static str,
}

impl GoalId {
    /// Longest id, in bytes.
    const MAX_BYTES: usize = 200;

    /// Makes the id for a new goal: `goal-` and eight hex digits of a hash over what it says, when
    /// it was added and a number that the caller raises until the id is free.
    pub fn fresh(description: &str, prompt: &str, created_at: &str, nth: u32) -> Self {
        let nth = nth.to_string();
        let parts = [description, prompt, created_at, &nth].map(str::as_bytes);
        Self(format!("goal-{}", Hash::of("goal-id", parts).short(8)))
    }

    /// Returns the id as it is shown everywhere but in ref names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part of a ref name that stands for this goal: the id itself where git, every
    /// file system and a caseless one can carry it, else a readable remainder and a hash.
    pub fn ref_part(&self) -> String {
        if is_safe_in_refs(&self.0) {
            return self.0.clone();
        }
        let readable: String = self
            .0
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .take(40)
            .collect();
        let hash = Hash::of("goal-ref", [self.0.as_bytes()]).short(10);
        format!("{}-{hash}", readable.trim_matches('-'))
            .trim_start_matches('-')
            .to_owned()
    }
}

/// Upper case counts as unsafe: `A` and `a` are one file on a caseless file system.
fn is_safe_in_refs(id: &str) -> bool {
    const DOS_NAMES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let stem = id.split('.').next().unwrap_or(id);
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    id.len() <= 64
        && id.starts_with(plain)
        && id.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
        && !id.contains("..")
        && !id.ends_with('.')
        && !id.ends_with(".lock")
        && !DOS_NAMES.contains(&stem)
        && !numbered.is_some_and(|n| n.len() == 1 && n.chars().all(|c| c.is_ascii_digit()))
}

impl FromStr for GoalId {
    type Err = BadGoalId;

    fn from_str(text: &str) -> Result<Self, BadGoalId> {
        let why = if text.is_empty() {
            "it is empty"
        } else if text.len() > Self::MAX_BYTES {
            "it is longer than 200 bytes"
        } else if text.chars().any(char::is_control) {
            "it holds a control character"
        } else if text.trim() != text {
            "it starts or ends with a space"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BadGoalId {
            id: text.to_owned(),
            why,
        })
    }
}

impl<'de> Deserialize<'de> for GoalId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for GoalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oid_reads_back_what_it_prints() {
        for text in ["1".repeat(40), "ab".repeat(32)] {
            assert_eq!(text.parse::<Oid>().unwrap().to_string(), text);
        }
        for text in ["", "1234", &"g".repeat(40), &"1".repeat(41)] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }

    #[test]
    fn ref_part_keeps_safe_ids_and_tells_all_others_apart() {
        for id in ["goal-3f2a", "a", "1.2", "x_y-z"] {
            assert_eq!(id.parse::<GoalId>().unwrap().ref_part(), id);
        }
        let unsafe_ids = [
            "-x", "@", "con", "ä", "a.lock", "x.", "a:b", "a b", "A", "a/b", "a..b", "COM1", "nul.txt",
        ];
        let mut parts: Vec<String> = unsafe_ids
            .iter()
            .map(|id| id.parse::<GoalId>().unwrap().ref_part())
            .collect();
        for part in &parts {
            assert!(is_safe_in_refs(part), "{part}");
        }
        parts.sort();
        parts.dedup();
        assert_eq!(parts.len(), unsafe_ids.len());
    }

    #[test]
    fn goal_ids_refuse_what_a_terminal_or_a_json_line_could_not_carry() {
        for id in ["", " a", "a\n", "a\u{1b}[0m", &"x".repeat(201)] {
            assert!(id.parse::<GoalId>().is_err(), "{id:?}");
        }
    }
}
