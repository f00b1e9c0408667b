//! Agent Trace 0.1.0 (the README of github.com/cursor/agent-trace, CC BY 4.0): a JSON record says which lines of a revision
//! came out of which conversation.
//!
//! Owns the record's words. Conversations have no address here, so none is named.

use serde_json::{Map, Value, json};

use crate::{
    id::Hash,
    provenance::{TOOL, Work},
};

/// The version of the specification.
pub const VERSION: &str = "0.1.0";

/// Longest model id: the schema's `maxLength`.
const LONGEST: usize = 250;

/// Words what is known of `work`. "Line numbers are 1-indexed. Ranges reference positions at the recorded revision."
pub fn record(work: &Work) -> Value {
    let mut contributor = json!({ "type": "ai" });
    if let (Some(id), Some(contributor)) = (model_id(work), contributor.as_object_mut()) {
        contributor.insert("model_id".to_owned(), Value::from(id));
    }
    let files = work.files.iter().filter(|lines| !lines.ranges.is_empty());
    let files = files.filter_map(|lines| {
        let range = |(from, to): &(u32, u32)| json!({ "start_line": from, "end_line": to });
        let ranges: Vec<Value> = lines.ranges.iter().map(range).collect();
        let conversations = json!([{ "contributor": contributor, "ranges": ranges }]);
        Some(json!({ "path": lines.path.as_str()?, "conversations": conversations }))
    });
    let files: Vec<Value> = files.collect();
    let record = &work.record;
    let mut about = Map::new();
    about.insert(
        // "Vendors may use reverse-domain notation … to avoid key collisions"; this name has no dot of another's.
        TOOL.to_owned(),
        json!({
            "goal": record.goal,
            "attempt": work.attempt,
            "session": work.session(),
            "human": work.human,
            "target": record.target,
            "base": record.base,
            "provider": record.provider,
            "replies": record.attempts,
            "tokens": record.tokens,
            "cost_usd": record.cost_usd,
        }),
    );
    json!({
        "version": VERSION,
        "id": uuid(work),
        "timestamp": record.landed_at,
        "vcs": { "type": "git", "revision": work.commit },
        "tool": { "name": TOOL, "version": record.version },
        "files": files,
        "metadata": about,
    })
}

/// Returns the model "following models.dev convention": `provider/model-name`.
fn model_id(work: &Work) -> Option<String> {
    let provider = &work.record.provider;
    // A program that was started may not have said which model it asked.
    let model = work.model.as_deref().filter(|model| model != provider)?;
    let id = if model.contains('/') {
        model.to_owned()
    } else {
        format!("{provider}/{model}")
    };
    (id.chars().count() <= LONGEST).then_some(id)
}

/// Returns a UUID of version 8 (RFC 9562), made of the trace: the same record has the same id.
fn uuid(work: &Work) -> String {
    let of = format!("{}::{}", work.session(), work.trace());
    let digits = Hash::of("agent-trace", [of.as_bytes()]).short(30);
    let mut digits = digits.chars();
    let mut take = |count: usize| digits.by_ref().take(count).collect::<String>();
    // `8` is the version, `a` the variant.
    format!("{}-{}-8{}-a{}-{}", take(8), take(4), take(3), take(3), take(12))
}
