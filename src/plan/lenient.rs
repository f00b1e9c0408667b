//! JSON as models send it: found in prose, and read although it is broken.
//!
//! Owns what is forgiven. Knows nothing of goals.

use serde_json::Value;

/// The key of an object that the text ends within.
pub(crate) const CUT: &str = "\u{0}cut";

/// Returns every JSON value of a text, in its order.
pub(crate) fn values(text: &str) -> Vec<Value> {
    let Some(from) = text.find(['{', '[']) else {
        return Vec::new();
    };
    let rest = text.get(from..).unwrap_or_default();
    let all = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    all.map_while(Result::ok).collect()
}
