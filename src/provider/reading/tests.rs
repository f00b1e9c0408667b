//! Tests that only bytes count, not the pieces in which they come; in both framings.

use proptest::prelude::*;

use super::*;
use crate::{
    provider::{Account, Finish, Model, openai::OpenAi},
    settings::Llm,
    transcript::Request,
};

/// A dialect of lines: `{"t": text, "end": true}`.
struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }
    fn path(&self) -> &'static str {
        ""
    }
    fn headers(&self, _key: Option<&str>) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    fn body(&self, _request: &Request, _stream: bool) -> Vec<u8> {
        Vec::new()
    }
    fn framing(&self) -> Framing {
        Framing::Lines
    }
    fn take(&self, gathered: &mut Gathered, _event: &str, data: &str) -> Result<(), Said> {
        let value: Value = serde_json::from_str(data).map_err(|_| Said {
            status: Some(502),
            error: Value::Null,
        })?;
        let read = self.whole(&value)?;
        gathered.text.push_str(&read.text);
        gathered.done |= read.done;
        Ok(())
    }
    fn whole(&self, body: &Value) -> Result<Gathered, Said> {
        Ok(Gathered {
            text: body["t"].as_str().unwrap_or_default().to_owned(),
            done: body["end"].as_bool().unwrap_or_default(),
            ..Gathered::default()
        })
    }
    fn models_path(&self) -> &'static str {
        ""
    }
    fn models(&self, _body: &Value) -> Vec<Model> {
        Vec::new()
    }
    fn account_path(&self) -> Option<&'static str> {
        None
    }
    fn account(&self, _body: &Value) -> Option<Account> {
        None
    }
}

fn read<'a>(
    dialect: &dyn Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    lines: bool,
) -> Result<Gathered, Trouble> {
    let mut reading = Reading::new(dialect, 1000);
    for piece in pieces {
        if reading.feed(piece, lines).is_break() {
            break;
        }
    }
    reading.end().0
}

fn openai() -> OpenAi {
    OpenAi::open(&Llm::default()).unwrap()
}

const STREAM: &str = "\u{feff}: c\r\n\r\ndata: {\"choices\": [{\"delta\": {\"content\": \"hé🦀\"}}]}\r\n\r\n\
    data: {\"choices\":\rdata:[{\"delta\": {\"content\": \"y\"}}]}\r\rdata: {\"choices\": [{\"finish_reason\": \"stop\"}]}\n\n\
    data: [DONE]\n\ndata: {\"choices\": [{\"delta\": {\"content\": \"after\"}}]}\n\n";

#[test]
fn a_stream_cut_at_every_byte_reads_the_same() {
    let whole = read(&openai(), [STREAM.as_bytes()], false);
    let gathered = whole.clone().unwrap();
    assert_eq!((gathered.text.as_str(), gathered.finish), ("hé🦀y", Some(Finish::Stop)));
    for at in 0..=STREAM.len() {
        let (head, tail) = STREAM.as_bytes().split_at(at);
        assert_eq!(read(&openai(), [head, tail], false), whole, "at {at}");
    }
    assert_eq!(read(&openai(), STREAM.as_bytes().chunks(1), false), whole);
}

#[test]
fn a_stream_that_ends_at_any_byte_gives_its_whole_text_or_none() {
    for at in 0..STREAM.len() {
        let start = STREAM.as_bytes().split_at(at).0;
        if let Ok(gathered) = read(&openai(), [start], false) {
            assert_eq!(gathered.text, "hé🦀y", "at {at}");
        }
    }
}

#[test]
fn lines_are_read_whatever_the_server_calls_them() {
    let text = "{\"t\": \"a\"}\n{\"t\": \"b\"}\r\n\n{\"t\": \"c\", \"end\": true}\n{\"t\": \"after\"}\n";
    for said in [true, false] {
        let gathered = read(&Plain, text.as_bytes().chunks(1), said).unwrap();
        assert_eq!(gathered.text, "abc", "{said}");
        let cut = read(&Plain, [text.split_at(24).0.as_bytes()], said);
        assert!(
            matches!(cut, Err(Trouble::Broken(_) | Trouble::Said { .. })),
            "{said}: {cut:?}"
        );
    }
    assert_eq!(
        read(&Plain, [b"{\"t\": \"one\"}".as_slice()], false).unwrap().text,
        "one"
    );
}

proptest! {
    #[test]
    fn any_chunking_of_any_bytes_gives_the_same_result(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "data: {\"choices\": [{\"delta\": {\"content\": \"é\"}}]}", "data: {\"error\": 1}", "data: [DONE]", "data: {",
                "{\"t\": \"a\"}", "{\"t\": \"a\", \"end\": true}", "\n\n", "\r\n", "\r", ": c", " ", "\u{feff}", "}", "<p>",
            ]),
            0..12,
        ),
        broken: Option<prop::sample::Index>,
        lines: bool,
        size in 1_usize..30,
    ) {
        let mut bytes = parts.concat().into_bytes();
        if let Some(at) = broken {
            bytes.insert(at.index(bytes.len() + 1), 0xff);
        }
        let openai = openai();
        for dialect in [&openai as &dyn Dialect, &Plain] {
            prop_assert_eq!(read(dialect, bytes.chunks(size), lines), read(dialect, [bytes.as_slice()], lines));
        }
    }
}
