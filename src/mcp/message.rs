//! Messages of JSON-RPC 2.0: told apart when they come, worded when they go. Knows no method.

use serde_json::{Map, Number, Value, json};

use crate::mcp::lines::Line;

/// Most messages of a batch.
const BATCH: usize = 100;

/// What is wrong with a message, as JSON-RPC and the protocol number it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Code {
    /// It is no JSON.
    Parse,
    /// It is no request.
    Request,
    /// Nobody knows the method.
    Method,
    /// The parameters do not fit.
    Params,
    /// The version of the protocol is not spoken here.
    Version,
}

impl Code {
    fn number(self) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::Request => -32600,
            Self::Method => -32601,
            Self::Params => -32602,
            Self::Version => -32022,
        }
    }
}

/// The id of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Id {
    /// A text.
    Text(String),
    /// A whole number.
    Number(Number),
}

impl Id {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(Self::Number(number.clone())),
            _ => None,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => number.clone().into(),
        }
    }
}

/// Parameters by name.
pub(super) type Params = Map<String, Value>;

/// A request, or a notification where it has no id.
pub(super) struct Request {
    /// Its id.
    pub id: Option<Id>,
    /// What is asked.
    pub method: String,
    /// With what; or what is wrong with that.
    pub params: Result<Params, &'static str>,
}

/// A line as a message.
pub(super) enum Incoming {
    /// A message.
    One(Value),
    /// Several.
    Batch(Vec<Value>),
    /// It cannot be read, and why.
    Wrong(Code, &'static str),
}

/// Reads a line; `None` for an empty one.
pub(super) fn incoming(line: Line) -> Option<Incoming> {
    let Line::Whole(bytes) = line else {
        return Some(Incoming::Wrong(Code::Request, "the message is larger than 4 MiB"));
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let Ok(text) = str::from_utf8(&bytes) else {
        return Some(Incoming::Wrong(Code::Parse, "Parse error: not UTF-8"));
    };
    Some(match serde_json::from_str(text) {
        Ok(Value::Array(all)) if all.len() > BATCH => {
            Incoming::Wrong(Code::Request, "the batch has more than 100 messages")
        }
        Ok(Value::Array(all)) => Incoming::Batch(all),
        Ok(value) => Incoming::One(value),
        Err(_) => Incoming::Wrong(Code::Parse, "Parse error: not JSON"),
    })
}

/// Reads a message; `None` for an answer, as nothing is asked from here.
///
/// # Errors
/// The answer to what is no message.
pub(super) fn read(value: &Value) -> Result<Option<Request>, Value> {
    let Value::Object(fields) = value else {
        return Err(error(None, Code::Request, "a message is an object"));
    };
    let id = match fields.get("id") {
        None => None,
        Some(id) => match Id::of(id) {
            Some(id) => Some(id),
            None if !fields.contains_key("method") => return Ok(None),
            None => return Err(error(None, Code::Request, "`id` is a text or a whole number")),
        },
    };
    let wrong = |why: &str| Err(error(id.as_ref(), Code::Request, why));
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return wrong("`jsonrpc` is not \"2.0\"");
    }
    let Some(method) = fields.get("method") else {
        return match fields.contains_key("result") || fields.contains_key("error") {
            true => Ok(None),
            false => wrong("`method` is missing"),
        };
    };
    let Some(method) = method.as_str().map(str::to_owned) else {
        return wrong("`method` is a text");
    };
    let params = match fields.get("params") {
        None => Ok(Params::new()),
        Some(Value::Object(params)) => Ok(params.clone()),
        Some(_) => Err("`params` are an object"),
    };
    Ok(Some(Request { id, method, params }))
}

/// Returns the id of the request that a message cancels.
pub(super) fn cancelled(value: &Value) -> Option<Id> {
    let is = value.get("method")?.as_str()? == "notifications/cancelled" && value.get("id").is_none();
    Id::of(value.get("params")?.get("requestId")?).filter(|_| is)
}

/// Words the answer to a request.
pub(super) fn result(id: &Id, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.value(), "result": result })
}

/// Words what is wrong.
pub(super) fn error(id: Option<&Id>, code: Code, why: &str) -> Value {
    error_with(id, code, why, None)
}

/// As `error`, with data for programs.
pub(super) fn error_with(id: Option<&Id>, code: Code, why: &str, data: Option<Value>) -> Value {
    let mut error = json!({ "code": code.number(), "message": why });
    if let (Some(data), Some(fields)) = (data, error.as_object_mut()) {
        fields.insert("data".to_owned(), data);
    }
    json!({ "jsonrpc": "2.0", "id": id.map(Id::value), "error": error })
}
