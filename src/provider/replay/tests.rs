use std::time::Duration;

use super::*;
use crate::{
    money::Unmetered,
    secret::{Redactor, Secret},
    transcript::{Answered, Message, Role},
};

struct Calls(Vec<Exchange>);

impl Tape for Calls {
    fn find(&self, key: &str) -> io::Result<Vec<Exchange>> {
        Ok(self.0.iter().filter(|call| call.key() == key).cloned().collect())
    }

    fn nearest(&self, request: &Request) -> io::Result<Option<Exchange>> {
        Ok(self
            .0
            .iter()
            .max_by_key(|call| request.likeness(&call.request))
            .cloned())
    }
}

fn request(content: &str) -> Request {
    Request {
        model: "m".to_owned(),
        messages: vec![Message {
            role: Role::User,
            content: content.to_owned(),
        }],
        max_tokens: Some(9),
        reasoning: None,
        schema: None,
    }
}

fn call(content: &str, text: &str, finish: &str) -> Exchange {
    let answered = Answered {
        text,
        raw: text.as_bytes(),
        model: "m-1",
        provider: "openrouter",
        finish,
        usage: Usage {
            prompt_tokens: 3,
            cost_usd: Some(0.5),
            ..Usage::default()
        },
    };
    Exchange::new(
        request(content),
        answered,
        &Redactor::new([&Secret::new("sk-canary")]),
        Duration::from_millis(1),
    )
}

fn ask(replay: &Replay, request: &Request) -> Result<Answer, String> {
    let answer = replay.ask(request, &Unmetered, &Stop::default());
    answer.map_err(|error| error.to_string())
}

#[test]
fn answers_to_the_same_request_come_in_their_order_and_then_no_more() {
    let tape = vec![
        call("q", "one", "stop"),
        call("r", "x", "stop"),
        call("q", "two", "stop"),
    ];
    let replay = Replay::new(Box::new(Calls(tape)));
    for text in ["one", "two"] {
        let answer = ask(&replay, &request("q")).unwrap();
        assert_eq!((answer.text.as_str(), answer.model.as_str()), (text, "m-1"));
        assert_eq!((answer.usage.prompt_tokens, answer.usage.cost_usd), (3, Some(0.0)));
    }
    assert_eq!(
        ask(&replay, &request("q")).unwrap_err(),
        "the request was recorded 2 times, and all answers were given already"
    );
}

#[test]
fn a_reply_that_was_cut_is_cut_again() {
    let replay = Replay::new(Box::new(Calls(vec![call("q", "half", "length")])));
    let error = replay.ask(&request("q"), &Unmetered, &Stop::default()).unwrap_err();
    assert!(
        matches!(&error, ProviderError::Cut(answer) if answer.text == "half"),
        "{error}"
    );
}

#[test]
fn what_was_redacted_is_no_answer() {
    let replay = Replay::new(Box::new(Calls(vec![call("q", "it is sk-canary", "stop")])));
    assert_eq!(
        ask(&replay, &request("q")).unwrap_err(),
        "the recorded answer held a secret that was taken out"
    );
}

#[test]
fn a_miss_shows_how_the_nearest_request_differs() {
    let tape = vec![call("far\naway", "1", "stop"), call("one\ntwo\nthree", "2", "stop")];
    let replay = Replay::new(Box::new(Calls(tape)));
    let mut asked = request("one\n2\nthree");
    asked.max_tokens = None;
    asked.messages.push(Message {
        role: Role::Assistant,
        content: "more".to_owned(),
    });
    let error = replay.ask(&asked, &Unmetered, &Stop::default()).unwrap_err();
    assert!(error.is_fatal_for_run() && error.hint().is_some());
    insta::assert_snapshot!(error, @r"
    no recorded call answers this request; how the nearest one differs:
    max_tokens: 9 was recorded, none is asked
    --- a/message 1 (user)
    +++ b/message 1 (user)
    @@ -1,3 +1,3 @@
     one
    -two
    +2
     three
    \ No newline at end of file
    --- /dev/null
    +++ b/message 2 (assistant)
    @@ -0,0 +1 @@
    +more
    \ No newline at end of file
    ");
    let empty = Replay::new(Box::new(Calls(Vec::new())));
    assert_eq!(ask(&empty, &asked).unwrap_err(), "no call is recorded in this clone");
}

#[test]
fn a_long_difference_is_cut() {
    let text: String = (0..100).map(|n| format!("{n}\n")).collect();
    let replay = Replay::new(Box::new(Calls(vec![call("other", "1", "stop")])));
    let error = ask(&replay, &request(&text)).unwrap_err();
    assert_eq!(error.lines().count(), LINES + 2, "{error}");
    assert!(error.ends_with(" more lines"), "{error}");
}
