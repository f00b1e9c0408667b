use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    door::env::Env,
    money::{Came, Refused, Ticket, Unmetered},
    transcript::Message,
};

type Waits = Arc<Mutex<Vec<u128>>>;

/// Waits for nothing, and notes how long it would have.
fn pause() -> (Pause, Waits) {
    let waits = Waits::default();
    let log = Arc::clone(&waits);
    let pause = Pause(Box::new(move |wait, _| {
        log.lock().unwrap().push(wait.as_millis());
        true
    }));
    (pause, waits)
}

fn request(last_line: &str) -> Request {
    let message = |role, content: &str| Message {
        role,
        content: content.to_owned(),
    };
    Request {
        model: "any".to_owned(),
        messages: vec![
            message(Role::User, "Goal: other (round 9 of 9)"),
            message(
                Role::User,
                &format!("a file says\nGoal: quoted (round 1 of 1)\n{last_line}\n"),
            ),
            message(Role::Assistant, "Goal: mine (round 1 of 1)"),
        ],
        max_tokens: None,
        reasoning: None,
        schema: None,
    }
}

const LIMIT: Duration = Duration::from_secs(10);

fn open(script: &str) -> Result<(Mock, Waits), ProviderError> {
    let (pause, waits) = pause();
    Ok((Mock::script("s.json", script, LIMIT, pause)?, waits))
}

fn ask(script: &str, last_line: &str) -> Result<Answer, ProviderError> {
    open(script)?.0.ask(&request(last_line), &Unmetered, &Stop::default())
}

const SCRIPT: &str = r#"{ "goals": { "a (b)": ["one", { "reply": "two", "tokens": [5, 6] }] }, "default": "rest" }"#;

#[test]
fn goal_and_round_pick_the_reply_and_the_last_one_repeats() {
    for (round, text) in [(1, "one"), (2, "two"), (3, "two"), (0, "one")] {
        let answer = ask(SCRIPT, &format!("Goal: a (b) (round {round} of 3)")).unwrap();
        assert_eq!(answer.text, text, "round {round}");
        assert_eq!(answer.usage.cost_usd, Some(0.0));
    }
    assert_eq!(ask(SCRIPT, "Goal: x (round 1 of 3)").unwrap().text, "rest");
}

#[test]
fn a_plan_has_replies_of_its_own_by_the_last_line_alone() {
    let script = r#"{"plan": ["first", "second"], "default": "edits", "goals": {"quoted": ["of the goal"]}}"#;
    let mut asked = request("Plan: 3 goals");
    let (mock, _) = open(script).unwrap();
    let mut texts = Vec::new();
    for _ in 0..3 {
        let answer = mock.ask(&asked, &Unmetered, &Stop::default()).unwrap();
        asked.messages.extend(
            [
                (Role::Assistant, answer.text.clone()),
                (Role::User, "Plan: 1 goals".to_owned()),
            ]
            .map(|(role, content)| Message { role, content }),
        );
        texts.push(answer.text);
    }
    assert_eq!(
        texts,
        ["first", "second", "second"],
        "a plan that is asked again goes on"
    );
    assert_eq!(
        ask(script, "Plan: 3 goals\nGoal: quoted (round 1 of 1)").unwrap().text,
        "of the goal"
    );
    assert_eq!(
        ask(script, "Plan: many goals").unwrap().text,
        "of the goal",
        "the quoted line counts"
    );
    assert_eq!(ask(SCRIPT, "Plan: 3 goals").unwrap_err(), ProviderError::NoPlan);
}

#[test]
fn tokens_are_the_scripts_or_an_estimate_that_says_so() {
    let scripted = ask(SCRIPT, "Goal: a (b) (round 2 of 3)").unwrap().usage;
    assert_eq!(
        (scripted.prompt_tokens, scripted.completion_tokens, scripted.estimated),
        (5, 6, false)
    );
    let estimated = ask(SCRIPT, "Goal: a (b) (round 1 of 3)").unwrap().usage;
    assert_eq!((estimated.completion_tokens, estimated.estimated), (1, true));
}

#[test]
fn a_step_says_who_answered_what_it_cost_and_why_it_ended() {
    let script = r#"{"goals": {"g": [{"reply": "r", "model": "m-2", "cost_usd": 0.5},
        {"reply": "half", "finish": "length"}, {"reply": "r", "finish": "content_filter"}]}}"#;
    let answer = ask(script, "Goal: g (round 1 of 3)").unwrap();
    assert_eq!((answer.model.as_str(), answer.usage.cost_usd), ("m-2", Some(0.5)));
    assert_eq!(answer.finish, Finish::Stop);
    let cut = ask(script, "Goal: g (round 2 of 3)").unwrap_err();
    assert!(
        matches!(&cut, ProviderError::Cut(answer) if answer.text == "half"),
        "{cut}"
    );
    let filtered = ask(script, "Goal: g (round 3 of 3)").unwrap_err();
    assert!(
        matches!(&filtered, ProviderError::Filtered(answer) if answer.text == "r"),
        "{filtered}"
    );
}

#[test]
fn an_array_is_the_tries_of_one_round() {
    let script = r#"{"goals": {"g": [
        [{"status": 429, "retry_after": 3}, {"status": 503, "retry_after": 4, "times": 2}, "at last"], "next round"]}}"#;
    let (mock, waits) = open(script).unwrap();
    let answer = mock.ask(&request("Goal: g (round 1 of 2)"), &Unmetered, &Stop::default());
    assert_eq!(answer.unwrap().text, "at last");
    assert_eq!(*waits.lock().unwrap(), [3000, 4000, 4000]);
    assert_eq!(ask(script, "Goal: g (round 2 of 2)").unwrap().text, "next round");
}

#[test]
fn times_repeats_a_round_too() {
    let script = r#"{"goals": {"g": [{"reply": "no", "times": 2}, "yes"]}}"#;
    for (round, text) in [(1, "no"), (2, "no"), (3, "yes"), (4, "yes")] {
        let answer = ask(script, &format!("Goal: g (round {round} of 4)")).unwrap();
        assert_eq!(answer.text, text, "round {round}");
    }
}

/// Notes what each try came to.
#[derive(Default)]
struct Book(Mutex<Vec<&'static str>>);

impl Meter for Book {
    fn reserve(&self, _request: &Request) -> Result<Ticket, Refused> {
        Ok(Ticket(0))
    }

    fn settle(&self, _ticket: Ticket, came: Came<'_>) {
        self.0.lock().unwrap().push(match came {
            Came::Nothing => "nothing",
            Came::Answer(_) => "answer",
            Came::Unknown => "unknown",
        });
    }
}

#[test]
fn a_fault_is_the_error_that_an_endpoint_would_cause_and_is_booked_alike() {
    let table: [(&str, &str, &[&str]); 7] = [
        (
            r#"{"status": 500, "reply": "boom"}"#,
            "the provider is not available: boom",
            &["nothing"; 5],
        ),
        (
            r#"{"status": 402, "reply": "pay"}"#,
            "the account has no credit left: pay",
            &["nothing"],
        ),
        (
            r#"{"status": 401, "reply": "who?"}"#,
            "the provider refuses the key (401): who?",
            &["nothing"],
        ),
        (
            r#"{"status": 400, "reply": "what?"}"#,
            "the provider refuses the request (400): what?",
            &["nothing"],
        ),
        (
            r#"{"reply": "abcdef", "cut": 4}"#,
            "the provider is not available: the connection was cut after 4 bytes",
            &["unknown"; 5],
        ),
        (
            r#"{"reply": "late", "delay_ms": 10001}"#,
            "no answer within 10 s",
            &["unknown"],
        ),
        (
            r#"{"reply": ""}"#,
            "the model `mock` answered without any text",
            &["answer"; 2],
        ),
    ];
    for (step, said, booked) in table {
        let book = Book::default();
        let (mock, _) = open(&format!(r#"{{"default": {step}}}"#)).unwrap();
        let error = mock.ask(&request(""), &book, &Stop::default()).unwrap_err();
        assert_eq!(error.to_string(), said, "{step}");
        assert_eq!(*book.0.lock().unwrap(), booked, "{step}");
    }
}

#[test]
fn a_delay_waits_no_longer_than_the_limit() {
    for (delay, waited) in [(0, vec![]), (10, vec![10]), (60_000, vec![10_000])] {
        let (mock, waits) = open(&format!(r#"{{"default": {{"reply": "r", "delay_ms": {delay}}}}}"#)).unwrap();
        let answer = mock.ask(&request(""), &Unmetered, &Stop::default());
        assert_eq!(answer.is_ok(), delay < 60_000);
        assert_eq!(*waits.lock().unwrap(), waited);
    }
}

#[test]
fn a_mistake_in_the_script_names_its_place_and_what_is_allowed() {
    let step = "a step (a text, or an object with `reply` or `status`), or an array of steps: the tries of one round";
    let fields =
        "`reply`, `tokens`, `status`, `retry_after`, `delay_ms`, `cut`, `finish`, `cost_usd`, `times`, `model`";
    let table = [
        ("{\n  \"goals\": {,", "2:13: key must be a string".to_owned()),
        (
            "{\"goals\": {\"g\": [{\n\"replay\": 1}]}}",
            format!("2:8: unknown field `replay`, expected one of {fields}"),
        ),
        (
            "{\"goals\": {\"g\": [1]}}",
            format!("1:18: invalid type: integer `1`, expected {step}"),
        ),
        (
            "{\"goal\": 1}",
            "1:7: unknown field `goal`, expected one of `goals`, `plan`, `default`".to_owned(),
        ),
        (
            "{\"default\": {\"finish\": \"stopped\"}}",
            "1:32: unknown variant `stopped`, expected one of `stop`, `length`, `content_filter`".to_owned(),
        ),
        (
            "{\"default\": {\"status\": 42}}",
            "1:26: `status` is a number from 100 to 599".to_owned(),
        ),
        (
            "{\"default\": {\"times\": 0}}",
            "1:24: `times` is at least 1".to_owned(),
        ),
        (
            "{\"default\": {\"cost_usd\": -1}}",
            "1:28: `cost_usd` is not negative".to_owned(),
        ),
        (
            "{\"default\": {\"status\": 500, \"cut\": 1}}",
            "1:37: `cut` and `finish` go with a reply, not with a status of failure".to_owned(),
        ),
        (
            "{\"default\": []}",
            "1:14: an array of tries holds at least one step".to_owned(),
        ),
        (
            "{\"default\": [[]]}",
            "1:15: invalid type: sequence, expected a step: a text, or an object with `reply` or `status`".to_owned(),
        ),
    ];
    for (script, said) in table {
        let error = ask(script, "").unwrap_err();
        assert_eq!(error.to_string(), format!("s.json:{said}"), "{script}");
        assert!(error.hint().is_some());
    }
    let nothing = ask("{}", "Goal: h (round 1 of 2)").unwrap_err();
    assert_eq!(nothing, ProviderError::NoReply { goal: "h".to_owned() });
}

fn command(text: &str, limit: Duration) -> Result<Answer, ProviderError> {
    let dir = tempfile::tempdir().unwrap();
    let command = Command {
        text: text.to_owned(),
        dir: dir.path().to_owned(),
        env: Env::from_pairs([("PATH", "/usr/bin:/bin"), ("OPENROUTER_API_KEY", "canary")]).for_checks(&[]),
    };
    let mock = Mock::command(command, limit, pause().0);
    mock.ask(&request("Goal: g (round 1 of 1)"), &Unmetered, &Stop::default())
}

#[test]
fn a_command_reads_the_request_and_prints_the_reply() {
    let answer = command("grep -o '\"model\":\"any\"'; echo noise >&2", LIMIT).unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.model.as_str()),
        ("\"model\":\"any\"\n", "mock")
    );
    assert_eq!(
        command("cat >&2; env | grep -c canary || echo none", LIMIT)
            .unwrap()
            .text,
        "0\nnone\n"
    );
}

#[test]
fn a_command_that_fails_is_an_error_with_its_last_words() {
    for (text, said) in [
        ("echo one >&2; echo two >&2; exit 3", "ended with 3: two"),
        ("exit 4", "ended with 4: nothing on standard error"),
        ("kill -9 $$", "ended with 137: nothing on standard error"),
    ] {
        let error = command(text, LIMIT).unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` {said}"));
        assert!(error.is_fatal_for_run());
    }
    let limit = Duration::from_millis(50);
    assert_eq!(command("sleep 600", limit), Err(ProviderError::Timeout { limit }));
    let not_text = command(r"printf '\377'", LIMIT).unwrap_err();
    assert!(not_text.to_string().contains("no UTF-8 text"), "{not_text}");
    let long = command("head -c 9000000 /dev/zero", LIMIT).unwrap_err();
    assert!(long.to_string().contains("more than 8 MiB"), "{long}");
}
