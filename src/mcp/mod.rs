//! The server of the Model Context Protocol: other programs feed and work at the same backlog, over standard input and output.
//!
//! Owns the order in which messages are answered. Nothing here approves, rejects, lands, weakens a gate, changes a setting,
//! raises a cap or runs a command: `tools` lists all that there is. What is not protocol is never printed.

mod call;
mod era;
mod lines;
mod message;
mod tools;

use std::{
    collections::VecDeque,
    io::{self, BufReader, Read, Write},
    sync::mpsc::{self, Receiver},
    thread,
};

use eyre::Result;
use serde_json::{Value, json};

use crate::{
    engine::session::Session,
    mcp::{
        call::Caller,
        era::Era,
        lines::Line,
        message::{Code, Id, Incoming, Request},
    },
};

/// Most messages that are read ahead of their answers.
const AHEAD: usize = 64;

/// What a server offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Only the tools that change nothing.
    pub read_only: bool,
}

/// Answers what comes from `input` until it ends. Each tool opens the repository anew: it sees what others did meanwhile.
///
/// # Errors
/// When no answer can be written any more, for another reason than that nobody reads.
pub fn serve<R, W>(input: R, output: W, offer: Offer, open: impl Fn() -> Result<Session>) -> io::Result<()>
where
    R: Read + Send + 'static,
    W: Write,
{
    let (say, said) = mpsc::sync_channel(AHEAD);
    // It may wait for a line for ever; it ends with the process.
    thread::spawn(move || {
        let mut input = BufReader::new(input);
        while let Ok(Some(line)) = lines::next(&mut input) {
            if say.send(line).is_err() {
                return;
            }
        }
    });
    let server = Server {
        offer,
        open,
        era: Era::default(),
        output,
    };
    match server.run(&said) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

struct Server<W, O> {
    offer: Offer,
    open: O,
    era: Era,
    output: W,
}

impl<W: Write, O: Fn() -> Result<Session>> Server<W, O> {
    fn run(mut self, said: &Receiver<Line>) -> io::Result<()> {
        let mut waiting: VecDeque<Incoming> = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match said.recv() {
                    Ok(line) => take_in(&mut waiting, line),
                    Err(_) => return Ok(()),
                }
            }
            // What was cancelled before its turn came is not begun.
            while waiting.len() < AHEAD
                && let Ok(line) = said.try_recv()
            {
                take_in(&mut waiting, line);
            }
            if let Some(incoming) = waiting.pop_front()
                && let Some(answer) = self.answer(incoming)
            {
                let mut line = serde_json::to_vec(&answer)?;
                line.push(b'\n');
                self.output.write_all(&line)?;
                self.output.flush()?;
            }
        }
    }

    fn answer(&mut self, incoming: Incoming) -> Option<Value> {
        match incoming {
            Incoming::Wrong(code, why) => Some(message::error(None, code, why)),
            Incoming::One(value) => self.one(&value, false),
            Incoming::Batch(_) if !self.era.has_batches() => Some(message::error(
                None,
                Code::Request,
                "this version of the protocol has no batches",
            )),
            Incoming::Batch(values) if values.is_empty() => Some(message::error(None, Code::Request, "an empty batch")),
            Incoming::Batch(values) => {
                let answers: Vec<Value> = values.iter().filter_map(|value| self.one(value, true)).collect();
                (!answers.is_empty()).then(|| answers.into())
            }
        }
    }

    fn one(&mut self, value: &Value, in_batch: bool) -> Option<Value> {
        let request = match message::read(value) {
            Ok(request) => request?,
            Err(wrong) => return Some(wrong),
        };
        let id = request.id.clone()?;
        Some(match self.result(&request, in_batch) {
            Ok(result) => message::result(&id, &result),
            Err((code, why, data)) => message::error_with(Some(&id), code, &why, data),
        })
    }

    fn result(&mut self, request: &Request, in_batch: bool) -> Result<Value, Wrong> {
        let params = request.params.as_ref().map_err(|why| wrong(Code::Params, *why))?;
        if let Some(meta) = era::Meta::read(params)? {
            let result = match request.method.as_str() {
                "server/discover" => era::discovered(),
                "tools/list" => self.list(params).map(era::cacheable)?,
                "tools/call" => self.call(params, meta.client)?,
                _ => return Err(unknown(&request.method)),
            };
            return Ok(era::complete(result));
        }
        match request.method.as_str() {
            "initialize" if in_batch => Err(wrong(Code::Request, "`initialize` stands alone")),
            "initialize" => self.era.begin(params),
            "ping" => Ok(json!({})),
            _ if !self.era.has_begun() || request.method == "server/discover" => Err(era::without_version()),
            "tools/list" => self.list(params),
            "tools/call" => self.call(params, self.era.client().to_owned()),
            _ => Err(unknown(&request.method)),
        }
    }

    fn list(&self, params: &message::Params) -> Result<Value, Wrong> {
        match params.get("cursor") {
            None | Some(Value::Null) => Ok(json!({ "tools": tools::listed(self.offer) })),
            Some(_) => Err(wrong(Code::Params, "there are no more pages")),
        }
    }

    fn call(&self, params: &message::Params, client: String) -> Result<Value, Wrong> {
        let Some(name) = params.get("name").and_then(Value::as_str) else {
            return Err(wrong(Code::Params, "`name` of a tool is missing"));
        };
        let Some(tool) = tools::find(name, self.offer) else {
            let name: String = name.chars().take(60).collect();
            return Err(wrong(Code::Params, format!("Unknown tool: {name}")));
        };
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
            Some(Value::Object(fields)) => Value::Object(fields.clone()),
            Some(_) => return Err(wrong(Code::Params, "`arguments` are an object")),
        };
        let caller = Caller {
            client,
            open: &self.open,
        };
        Ok(caller.call(tool, arguments))
    }
}

/// A request that cannot be answered: its code, why, and what else there is to say.
type Wrong = (Code, String, Option<Value>);

fn wrong(code: Code, why: impl Into<String>) -> Wrong {
    (code, why.into(), None)
}

fn unknown(method: &str) -> Wrong {
    let method: String = method.chars().take(60).collect();
    wrong(Code::Method, format!("Method not found: {method}"))
}

fn take_in(waiting: &mut VecDeque<Incoming>, line: Line) {
    let Some(incoming) = message::incoming(line) else {
        return;
    };
    if let Incoming::One(value) = &incoming
        && let Some(id) = message::cancelled(value)
    {
        waiting.retain(|other| !is_request(other, &id));
        return;
    }
    waiting.push_back(incoming);
}

/// True for the request with that id. `initialize` is not to be cancelled.
fn is_request(incoming: &Incoming, id: &Id) -> bool {
    let Incoming::One(value) = incoming else { return false };
    let is = message::read(value).ok().flatten();
    is.is_some_and(|request| request.id.as_ref() == Some(id) && request.method != "initialize")
}

#[cfg(test)]
mod tests;
