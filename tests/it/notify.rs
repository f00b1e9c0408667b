//! `notify.*`: who is told what, in which words, and that nobody waits for a receiver.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
};

use serde_json::{Value, json};

use crate::support::{
    Sandbox,
    server::{Asked, Scripted, Server},
    whole,
};

const CANARY: &str = "sk-canary-0a1b2c3d4e5f";

/// A repository with a goal that lands, one that fails and one that needs a person.
fn three() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({
        "a": [whole("a.txt", "a\n")],
        "f": [whole("bad", "secret prompt text\n"), whole("bad", "x\n")],
        "h": [whole("Makefile", "all:\n")],
    }));
    for goal in ["a", "f", "h"] {
        sandbox.goal(goal, &[]);
    }
    sandbox
}

fn set(sandbox: &Sandbox, key: &str, value: &str) {
    sandbox.git(&["config", "--add", &format!("invisigoth.notify.{key}"), value]);
}

fn receiver() -> Server {
    Server::start(vec![Scripted::status(200, "ok")])
}

fn bodies(server: &Server) -> Vec<Value> {
    let read = |asked: &Asked| serde_json::from_str(&asked.body).unwrap();
    server.asked().iter().map(read).collect()
}

#[test]
fn a_webhook_gets_what_somebody_must_know_and_nothing_more() {
    let (server, sandbox) = (receiver(), three());
    set(&sandbox, "webhook", &server.url());
    assert_eq!(sandbox.run(&["run"]).code, 3);
    let told = bodies(&server);
    let all: Vec<(&str, &str)> = told
        .iter()
        .map(|told| (told["on"].as_str().unwrap(), told["title"].as_str().unwrap()))
        .collect();
    assert_eq!(
        all,
        [
            ("needs-you", "h needs you"),
            ("finished", "a run ended: 1 landed, 1 failed, 1 held")
        ]
    );
    let held = &told[0];
    let mut expected = json!({
        "schema": "invisigoth.notify/1",
        "repository": "repo",
        "on": "needs-you",
        "title": "h needs you",
        "text": "Goal h: touches Makefile (it is build configuration)",
        "goal": "h",
        "next": "git invisigoth merge h",
    });
    expected["at"] = held["at"].clone();
    assert_eq!(*held, expected);
    let end = &told[1];
    assert_eq!(
        (&end["landed"], &end["failed"], &end["held"], &end["calls"]),
        (&json!(1), &json!(1), &json!(1), &json!(4))
    );
    assert_eq!(
        (&end["cost_usd"], &end["next"]),
        (&json!(0.0), &json!("git invisigoth report"))
    );
    // A later run that sees the same held goal says nothing new.
    assert_eq!(sandbox.run(&["run"]).code, 0);
    assert_eq!(bodies(&server), told);
}

#[test]
fn what_is_told_can_be_chosen() {
    let (server, sandbox) = (receiver(), three());
    set(&sandbox, "webhook", &server.url());
    set(&sandbox, "on", "landed");
    set(&sandbox, "on", "failed");
    sandbox.run(&["run"]);
    let told = bodies(&server);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        (&told[0]["title"], &told[0]["commit"]),
        (&json!("a landed"), &json!(commit_of(&sandbox, "a")))
    );
    assert_eq!(
        (&told[1]["title"], &told[1]["next"]),
        (&json!("f failed"), &json!("git invisigoth retry f"))
    );
}

fn commit_of(sandbox: &Sandbox, goal: &str) -> String {
    sandbox.json(&["log"])["landed"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["goal"] == goal)
        .unwrap()["commit"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn ntfy_and_slack_get_their_own_shapes() {
    for (format, head, body) in [
        (
            "ntfy",
            "title: repo: h needs you",
            "Goal h: touches Makefile (it is build configuration)\ngit invisigoth merge h",
        ),
        (
            "slack",
            "content-type: application/json",
            r#"{"text":"*repo*: h needs you\nGoal h: touches Makefile (it is build configuration)\ngit invisigoth merge h"}"#,
        ),
    ] {
        let (server, sandbox) = (receiver(), three());
        set(&sandbox, "webhook", &server.url());
        set(&sandbox, "format", format);
        set(&sandbox, "on", "needs-you");
        sandbox.run(&["run"]);
        let asked = server.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(
            asked[0].head.to_ascii_lowercase().contains(head),
            "{format}: {}",
            asked[0].head
        );
        assert_eq!(asked[0].body, body);
        if format == "ntfy" {
            for field in [
                "priority: high",
                "tags: raised_hand",
                "content-type: text/plain; charset=utf-8",
            ] {
                assert!(asked[0].head.to_ascii_lowercase().contains(field), "{}", asked[0].head);
            }
        }
    }
}

/// Accepts, reads, and answers nothing until it is dropped; tells of each connection.
fn silent() -> (String, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, held) = mpsc::channel();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if tell.send(stream).is_err() {
                return;
            }
        }
    });
    (url, held)
}

#[test]
fn a_receiver_that_hangs_delays_no_goal_and_changes_no_result() {
    let (url, held) = silent();
    let (sandbox, quiet) = (three(), three());
    set(&sandbox, "webhook", &url);
    set(&sandbox, "on", "needs-you");
    set(&sandbox, "on", "landed");
    let ran = sandbox.run(&["run"]);
    let other = quiet.run(&["run"]);
    // It never got an answer: the connections are still open now that the run is over.
    let mut open = held.try_recv().unwrap();
    assert_eq!(ran.code, other.code);
    let rows = |text: &str| -> Vec<String> {
        let words = text
            .lines()
            .map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
        words.filter(|line| !line.starts_with("took")).collect()
    };
    assert_eq!(rows(&ran.stdout), rows(&other.stdout));
    assert!(
        ran.stderr
            .contains("2 notifications did not go out: the receiver did not answer in time")
            || ran.stderr.contains("2 notifications did not go out: the webhook: "),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.landings("main"), ["a"]);
    let mut asked = [0; 4];
    open.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"POST");
    // Where nobody is left to hear, writing fails or goes nowhere; either is fine.
    let _ = open.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    sandbox.assert_sound();
}

#[test]
fn a_command_gets_json_on_its_input_and_no_shell_reads_its_arguments() {
    let sandbox = three();
    let path = sandbox.with_program(
        "teller",
        "printf '%s\\n' \"$1\" >> \"$HOME/args\"; cat >> \"$HOME/told\"; echo >> \"$HOME/told\"",
    );
    for part in ["teller", "$(touch $HOME/shell); `id`"] {
        set(&sandbox, "command", part);
    }
    assert_eq!(sandbox.run_with(&["run"], &[("PATH", path.to_str().unwrap())]).code, 3);
    let read = |name: &str| std::fs::read_to_string(sandbox.home().join(name)).unwrap();
    let told: Vec<Value> = read("told")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let on: Vec<&str> = told.iter().map(|told| told["on"].as_str().unwrap()).collect();
    assert_eq!(on, ["needs-you", "finished"]);
    assert_eq!(read("args").lines().next(), Some("$(touch $HOME/shell); `id`"));
    assert!(!sandbox.home().join("shell").exists());
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let sandbox = three();
    let path = sandbox.with_program("teller", "echo $$ >> \"$HOME/pids\"; exec tail -f /dev/null");
    set(&sandbox, "command", "teller");
    set(&sandbox, "on", "finished");
    let ran = sandbox.run_with(&["run"], &[("PATH", path.to_str().unwrap())]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("1 notification did not go out: "), "{}", ran.stderr);
    let pids = std::fs::read_to_string(sandbox.home().join("pids")).unwrap();
    for pid in pids.lines() {
        assert_ne!(sandbox.sh("kill", &["-0", pid]).code, 0, "{pid} lives on");
    }
}

#[test]
fn no_secret_prompt_or_output_is_in_what_is_told() {
    let server = receiver();
    let sandbox = Sandbox::checking("if [ -e bad ]; then echo \"output-of-check $(cat bad)\"; exit 1; fi");
    sandbox.script(json!({
        "f": [whole("bad", "reply-text\n"), whole("bad", "more\n")],
    }));
    let words = format!("Log in with {CANARY}");
    sandbox.ok(&["add", &words, "--id", "f", "--prompt", "prompt-text of the goal"]);
    set(&sandbox, "webhook", &format!("{}/{CANARY}-of-hook", server.url()));
    set(&sandbox, "on", "failed");
    let ran = sandbox.run_with(&["run"], &[("SOME_API_KEY", CANARY)]);
    assert_eq!(ran.code, 3);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    let body = &asked[0].body;
    assert!(body.contains("Log in with [redacted]"), "{body}");
    for word in [CANARY, "prompt-text", "reply-text", "output-of-check", "more"] {
        assert!(!body.contains(word), "{word}: {body}");
    }
    // Whoever knows the address can write there.
    assert!(!sandbox.run(&["config"]).stdout.contains("-of-hook"));
}

#[test]
fn a_tracked_file_names_no_receiver() {
    let (server, sandbox) = (receiver(), three());
    let path = sandbox.with_program("teller", "touch \"$HOME/told\"");
    let text = format!(
        "{}\n[notify]\ncommand = [\"teller\"]\nwebhook = \"{}\"\n",
        sandbox.read("invisigoth.toml"),
        server.url()
    );
    sandbox.write("invisigoth.toml", text);
    sandbox.commit("settings");
    assert_eq!(sandbox.run_with(&["run"], &[("PATH", path.to_str().unwrap())]).code, 3);
    assert_eq!(server.asked().len(), 0);
    assert!(!sandbox.home().join("told").exists());
}

#[test]
fn four_fifths_of_a_cap_and_its_end_are_told() {
    let (server, sandbox) = (receiver(), three());
    set(&sandbox, "webhook", &server.url());
    set(&sandbox, "on", "budget");
    let ran = sandbox.run(&["run", "--max-calls", "3"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let titles: Vec<String> = bodies(&server)
        .iter()
        .map(|told| told["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        titles,
        [
            "four fifths of the budget of this run are spent",
            "a run ended at its budget"
        ]
    );
}

#[test]
fn what_cannot_be_told_is_said_once_and_doctor_names_what_is_wrong() {
    for (key, value, why, fix) in [
        (
            "webhook",
            "http://example.org/hook",
            "plain http to `example.org` is refused",
            "notify.webhook",
        ),
        ("webhook", "nonsense", "must start with https://", "notify.webhook"),
        (
            "command",
            "no-such-program",
            "`no-such-program` could not be started",
            "no program",
        ),
        ("command", "false", "`false` ended with 1", ""),
    ] {
        let sandbox = three();
        set(&sandbox, key, value);
        let ran = sandbox.run(&["run"]);
        assert_eq!(ran.code, 3, "{value}");
        assert!(
            ran.stderr.contains("2 notifications did not go out: "),
            "{value}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(why), "{value}: {}", ran.stderr);
        let said = sandbox.run(&["doctor"]).stdout;
        let row = said
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some("notify"))
            .unwrap();
        assert_eq!(row.starts_with("ok"), fix.is_empty(), "{row}");
        assert!(said.contains(fix), "{said}");
    }
    let sandbox = three();
    set(&sandbox, "command", "true");
    set(&sandbox, "on", "everything");
    let said = sandbox.run(&["doctor"]).stdout;
    assert!(
        said.contains("`notify.on` has `everything`; there is needs-you, "),
        "{said}"
    );
    // The server that answers with anything but 2xx did not take it.
    let (server, sandbox) = (Server::start(vec![Scripted::status(403, "no")]), three());
    set(&sandbox, "webhook", &server.url());
    assert!(
        sandbox
            .run(&["run"])
            .stderr
            .contains("2 notifications did not go out: the webhook answers 403")
    );
}
