//! Money: caps seen from the server's side, goals that pause, and what `budget` and `cost` say.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Ran, Sandbox,
    server::{Scripted, Server},
    shown::shown,
    whole,
};

/// Most tokens of a reply, and what a million prompt and reply tokens cost.
const MAX_TOKENS: u64 = 1000;
const INPUT: f64 = 20.0;
const OUTPUT: f64 = 100.0;

/// What the server wrote on the bill.
#[derive(Clone, Copy, Default, Debug)]
struct Bill {
    usd: f64,
    tokens: u64,
    calls: u64,
    kills: u64,
    cuts: u64,
}

/// What the test's own thread hears of.
enum Heard {
    /// A request is here whose sender shall die; it waits until that is done.
    Kill,
    /// A run ended.
    Ended(Ran),
}

/// An endpoint that charges the most for every request whose body it has, whatever becomes of its answer.
struct Till {
    url: String,
    bill: Arc<Mutex<Bill>>,
    heard: Receiver<Heard>,
    hear: Sender<Heard>,
    done: Sender<()>,
}

impl Till {
    /// Opens it; `seed` decides what becomes of each request.
    fn open(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (hear, heard) = channel();
        let (done, killed) = channel();
        let bill = Arc::new(Mutex::new(Bill::default()));
        let (written, tell) = (Arc::clone(&bill), hear.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            let mut dice = seed;
            for stream in listener.incoming() {
                dice = dice
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                // A client that is gone is its own business.
                let _ = serve(stream.unwrap(), dice >> 33, &written, (&tell, &killed));
            }
        });
        Self {
            url,
            bill,
            heard,
            hear,
            done,
        }
    }

    fn bill(&self) -> Bill {
        *self.bill.lock().unwrap()
    }

    /// Runs until the run ends, or is killed at a request.
    fn run(&self, sandbox: &Sandbox, args: &[&str]) -> Ran {
        let child = sandbox
            .invisigoth(args)
            .env("OPENROUTER_API_KEY", "sk-none-of-it")
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id().to_string();
        let hear = self.hear.clone();
        std::thread::spawn(move || hear.send(Heard::Ended(Ran::of(&child.wait_with_output().unwrap()))));
        let mut dead = None;
        loop {
            match self.heard.recv().unwrap() {
                Heard::Ended(ran) => {
                    // The server waits until then; the process is gone and not only told to go.
                    if dead.take().is_some() {
                        self.done.send(()).unwrap();
                    }
                    return ran;
                }
                Heard::Kill => {
                    assert_eq!(sandbox.sh("kill", &["-s", "KILL", &pid]).code, 0);
                    dead = Some(());
                }
            }
        }
    }
}

fn serve(
    stream: TcpStream,
    dice: u64,
    bill: &Mutex<Bill>,
    (tell, killed): (&Sender<Heard>, &Receiver<()>),
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        head.push_str(&line);
        line.make_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    if !head.starts_with("POST ") {
        // No list of models: prices come from the settings.
        return write!(reader.get_mut(), "HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body)?;
    let mut written = bill.lock().unwrap();
    if dice.is_multiple_of(7) {
        drop(written);
        // Refused before any work: free.
        return write!(
            reader.get_mut(),
            "HTTP/1.1 429 Later\r\nRetry-After: 0\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
    }
    let bytes: usize = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["content"].as_str().unwrap().len())
        .sum();
    let (prompt, reply) = ((bytes as u64 * 2).div_ceil(5), body["max_tokens"].as_u64().unwrap());
    written.usd += (prompt as f64 * INPUT + reply as f64 * OUTPUT) / 1e6;
    written.tokens += prompt + reply;
    written.calls += 1;
    let cut = dice % 7 == 1 && written.cuts < 2;
    written.cuts += u64::from(cut);
    let kill = matches!(dice % 7, 2 | 3);
    written.kills += u64::from(kill);
    drop(written);
    let answer = json!({
        "model": "m",
        "choices": [{"message": {"role": "assistant", "content": whole("bad", "x\n")}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": reply},
    })
    .to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    if kill {
        tell.send(Heard::Kill).unwrap();
        let _ = killed.recv();
        return Ok(());
    }
    let part = answer.split_at(if cut { answer.len() / 2 } else { answer.len() }).0;
    write!(
        reader.get_mut(),
        "{head}Content-Length: {}\r\n\r\n{}",
        answer.len(),
        part
    )
}

/// A repository with so many goals, each asked once a run, that asks `url` at the prices above.
fn asking(url: &str, goals: usize) -> Sandbox {
    let sandbox = Sandbox::ready();
    for (key, value) in [
        ("llm.provider", "openrouter"),
        ("llm.base-url", url),
        ("llm.model", "m"),
        ("llm.max-tokens", &MAX_TOKENS.to_string()),
        ("llm.usd-per-mtok-in", &INPUT.to_string()),
        ("llm.usd-per-mtok-out", &OUTPUT.to_string()),
        ("llm.stream", "false"),
    ] {
        sandbox.git(&["config", &format!("invisigoth.{key}"), value]);
    }
    for nth in 0..goals {
        sandbox.goal(&format!("g{nth:02}"), &[]);
    }
    sandbox
}

/// Runs, is killed and runs again until the cap is reached; returns the server's bill, and the days that it took.
fn spend(key: &str, cap: &str, seed: u64) -> (Bill, usize) {
    let till = Till::open(seed);
    let sandbox = asking(&till.url, 16);
    sandbox.git(&["config", &format!("invisigoth.budget.{key}"), cap]);
    let mut ends = Vec::new();
    while ends.last() != Some(&6) {
        assert!(ends.len() < 80, "the cap was never reached: {ends:?} {:?}", till.bill());
        let ran = till.run(&sandbox, &["run"]);
        assert!(
            [6, -1, 3].contains(&ran.code),
            "exit {}\n{}{}",
            ran.code,
            ran.stdout,
            ran.stderr
        );
        ends.push(ran.code);
    }
    // And not a cent more, however often it is tried.
    let bill = till.bill();
    assert_eq!(till.run(&sandbox, &["run"]).code, 6);
    assert_eq!(till.bill().calls, bill.calls);
    let said = sandbox.json(&["budget"])["rows"][1]["spent"].clone();
    assert!(said["usd"].as_f64().unwrap() >= bill.usd - 1e-9, "{said} {bill:?}");
    let ledger = sandbox.read(".git/invisigoth/spending.jsonl");
    let days = ledger.lines().filter_map(|line| {
        Some(
            serde_json::from_str::<Value>(line).ok()?["at"]
                .as_str()?
                .get(..10)?
                .to_owned(),
        )
    });
    let days = days.collect::<std::collections::BTreeSet<_>>().len();
    sandbox.assert_sound();
    (bill, days)
}

#[test]
fn the_servers_own_sum_stays_below_a_cap_in_dollars_whatever_kills_cuts_or_refuses() {
    for seed in [1, 2] {
        let (bill, days) = spend("day-max-usd", "2.5", seed);
        assert!(bill.usd <= 2.5 * days as f64 + 1e-9, "{bill:?}");
        assert!(bill.usd > 1.8 && bill.kills > 0, "{bill:?}");
    }
}

#[test]
fn the_servers_own_count_stays_below_a_cap_on_calls() {
    let (bill, days) = spend("day-max-calls", "12", 3);
    assert!(
        bill.calls <= 12 * days as u64 && bill.calls > 8 && bill.kills > 0,
        "{bill:?}"
    );
}

#[test]
fn the_servers_own_count_stays_below_a_cap_on_tokens() {
    let (bill, days) = spend("day-max-tokens", "30000", 4);
    assert!(
        bill.tokens <= 30_000 * days as u64 && bill.tokens > 20_000 && bill.kills > 0,
        "{bill:?}"
    );
}

/// A repository with one goal that asks `server`, a quarter of a dollar a call at worst.
fn quarters(server: &Server) -> Sandbox {
    let sandbox = asking(&server.url(), 0);
    sandbox.git(&["config", "invisigoth.llm.usd-per-mtok-in", "0"]);
    sandbox.git(&["config", "invisigoth.llm.usd-per-mtok-out", "250"]);
    sandbox.goal("a", &[]);
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> String {
    let ran = sandbox.run_with(&[&["run"], args].concat(), &[("OPENROUTER_API_KEY", "sk-none-of-it")]);
    shown(&ran, sandbox.home())
}

fn asked(server: &Server) -> usize {
    server
        .asked()
        .iter()
        .filter(|asked| asked.head.starts_with("POST "))
        .count()
}

#[test]
fn a_goal_at_its_cap_pauses_others_go_on_and_a_raise_takes_the_same_attempt_up_again() {
    let server = Server::start(vec![
        Scripted::reply(&whole("bad", "x\n")),
        Scripted::reply(&whole("b.txt", "b\n")),
        Scripted::reply(&format!("DELETE bad\n\n{}", whole("a.txt", "a\n"))),
    ]);
    let sandbox = quarters(&server);
    sandbox.goal("b", &[]);
    sandbox.goal("c", &["a"]);
    assert_snapshot!(sandbox.shows(&["budget", "raise", "a", "0.30"]), @r"
    cap        budget_usd of a is $0.30, was none
    -- exit 0
    ");
    assert_snapshot!(run(&sandbox, &[]), @r"
    blocked  a          Goal a                      paused: $0.25 of $0.30 spent, the next call may cost $0.25; git invisigoth budget raise a 0.60
    landed   b          Goal b                      test ok                                      [id]
    blocked  c  needs a (paused)
    undo     git invisigoth undo b
    took     2 checks in [time]; $0.50 a landed goal, failures counted
    1 landed · 1 paused · 1 waiting · $0.50 · [time]
    -- stderr
    checking [id] before anything is asked
    working  a  Goal a
    asked    a  round 1, [n] bytes
    checked  a  round 1, test: exit 1
    working  b  Goal b
    asked    b  round 1, [n] bytes
    checked  b  round 1, test ok
    -- exit 3
    ");
    assert_eq!((asked(&server), sandbox.landings("main")), (2, vec!["b".to_owned()]));
    assert_snapshot!(sandbox.shows(&["status"]), @r"
    blocked    a  Goal a            paused: $0.25 of $0.30 spent, the next call may cost $0.25
    blocked    c  Goal c            needs a (paused)
    landed     b  Goal b            [id]  [time] ago  $0.25
    today      1 landed, $0.50, 2 calls, [n] tokens (UTC)
    raise      git invisigoth budget raise a 0.60
    goals      2 blocked · 1 landed
    target     main at [id]
    next       git invisigoth budget
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["budget"]), @r"
    run        $0.50, 2 calls, [n] tokens in the newest run
    day        $0.50, 2 calls, [n] tokens today (UTC)
    goal       a  $0.25 of $0.30, 1 call, [n] tokens
    blocked    paused: $0.25 of $0.30 spent, the next call may cost $0.25; git invisigoth budget raise a 0.60
    -- exit 0
    ");
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["standing"], "paused");
    let raised = sandbox.json(&["budget"]);
    let goal = &raised["rows"][2];
    assert_eq!(
        (&goal["goal"], &goal["caps"]["usd"], &goal["spent"]["usd"]),
        (&json!("a"), &json!(0.3), &json!(0.25))
    );
    // Not enough is not enough; nobody is asked.
    sandbox.ok(&["budget", "raise", "a", "0.40"]);
    assert_eq!(sandbox.state("a"), "blocked");
    run(&sandbox, &[]);
    assert_eq!(asked(&server), 2);
    sandbox.ok(&["budget", "raise", "a", "0.50"]);
    assert_eq!(sandbox.state("a"), "ready");
    run(&sandbox, &["a"]);
    assert_eq!((asked(&server), sandbox.state("a")), (3, "landed".to_owned()));
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!((&record["attempts"], &record["cost_usd"]), (&json!(2), &json!(0.5)));
    sandbox.assert_sound();
}

#[test]
fn a_cap_on_the_calls_of_every_goal_is_a_setting_that_raise_sets() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("bad", "x\n"), format!("DELETE bad\n\n{}", whole("a.txt", "a\n"))]}));
    sandbox.goal("a", &[]);
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("git invisigoth budget raise --goals --calls 2"),
        "{}",
        ran.stdout
    );
    assert_snapshot!(sandbox.shows(&["budget", "raise", "--goals", "--calls", "2"]), @r"
    cap        invisigoth.budget.goal-max-calls is 2, was 1
    -- exit 0
    ");
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (&summary["calls"], sandbox.landings("main")),
        (&json!(1), vec!["a".to_owned()])
    );
}

#[test]
fn what_raise_cannot_read_changes_nothing() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let before = (sandbox.read("memory/pending_goals.json"), sandbox.read(".git/config"));
    for (args, code) in [
        (&["a"][..], 2),
        (&["a", "much"], 2),
        (&["a", "-1"], 2),
        (&["a", "nan"], 2),
        (&["nobody", "1"], 1),
        (&["--run"], 2),
        (&["--run", "x"], 2),
        (&["--run", "--day", "1"], 2),
        (&["--run", "a", "1"], 2),
        (&["--day", "--calls", "1.5"], 2),
        (&["--calls", "1"], 2),
    ] {
        let ran = sandbox.run(&[&["budget", "raise"], args].concat());
        assert_eq!(ran.code, code, "{args:?} {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(
        before,
        (sandbox.read("memory/pending_goals.json"), sandbox.read(".git/config"))
    );
}

#[test]
fn a_dollar_cap_without_a_price_refuses_to_start() {
    let server = Server::start(vec![Scripted::status(404, "{}")]);
    let sandbox = asking(&server.url(), 1);
    for key in ["in", "out"] {
        sandbox.git(&["config", "--unset", &format!("invisigoth.llm.usd-per-mtok-{key}")]);
    }
    let set = ["--set", "budget.day_max_usd=5"];
    assert_snapshot!(run(&sandbox, &set), @r"
    -- stderr
    the list of prices is not at hand: the provider refuses the request (404): {}
    error: `budget.day_max_usd` cannot be kept: the price of a call is not known
    hint: `git invisigoth budget raise --day --calls 100` caps calls as well; or set `llm.usd_per_mtok_in` and `llm.usd_per_mtok_out`
    -- exit 7
    ");
    assert_eq!(asked(&server), 0);
}

#[test]
fn an_answer_that_costs_more_than_it_can_is_booked_and_the_last() {
    let reply = json!({
        "model": "stub-1",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": whole("bad", "x\n")}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "cost": 0.75},
    });
    let server = Server::start(vec![Scripted::status(200, &reply.to_string())]);
    let sandbox = quarters(&server);
    assert_snapshot!(run(&sandbox, &["--max-usd", "10"]), @r"
    took     1 check in [time]
    0 landed · $0.75 · [time]
    -- stderr
    checking [id] before anything is asked
    working  a  Goal a
    asked    a  round 1, [n] bytes
    checked  a  round 1, test: exit 1
    error: the last call cost $0.75, and by the prices at hand it could cost $0.25 at most
    hint: correct `llm.usd_per_mtok_*`, or look at the endpoint's bill
    -- exit 6
    ");
    assert_eq!(asked(&server), 1);
}

#[test]
fn cost_counts_failed_attempts_and_agrees_with_ledger_and_server() {
    let server = Server::start(vec![
        Scripted::reply(&whole("bad", "x\n")),
        Scripted::reply(&whole("bad", "x\n")),
        Scripted::reply(&whole("a.txt", "a\n")),
    ]);
    let sandbox = quarters(&server);
    sandbox.git(&["config", "invisigoth.run.max-attempts", "1"]);
    sandbox.goal("b", &[]);
    run(&sandbox, &[]);
    run(&sandbox, &["a"]);
    assert_eq!(
        (sandbox.state("a"), sandbox.state("b")),
        ("landed".into(), "failed".into())
    );
    assert_snapshot!(sandbox.shows(&["cost"]), @r"
    a      $0.50      2 replies, [n] tokens
    b      $0.25      1 reply, [n] tokens  ($0.25 not landed)
    total  $0.75      3 replies, [n] tokens
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["cost", "--by", "model"]), @r"
    stub-1  $0.75      3 replies, [n] tokens  ($0.25 not landed)
    total   $0.75      3 replies, [n] tokens
    -- exit 0
    ");
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!((&record["cost_usd"], &record["attempts"]), (&json!(0.5), &json!(2)));
    let said = sandbox.json(&["cost", "--by", "day"]);
    let server_usd = 0.25 * asked(&server) as f64;
    for (usd, calls) in [
        (&said["total"]["usd"], &said["total"]["replies"]),
        (&said["ledger"]["usd"], &said["ledger"]["calls"]),
    ] {
        assert_eq!((usd, calls), (&json!(server_usd), &json!(3)), "{said}");
    }
    assert_eq!(
        sandbox.json(&["cost", "--since", "2999-01-01"])["total"]["usd"],
        json!(0.0)
    );
    assert_eq!(sandbox.run(&["cost", "--since", "today"]).code, 2);
}

#[test]
fn a_goal_whose_own_model_has_no_price_pauses_where_dollars_alone_are_capped() {
    let listed = json!({"data": [{"id": "stub", "pricing": {"prompt": "0.000001", "completion": "0.000001"}}]});
    let server = Server::start(vec![
        Scripted::status(200, &listed.to_string()),
        Scripted::reply(&whole("b.txt", "b\n")),
    ]);
    let sandbox = Sandbox::ready();
    for (key, value) in [
        ("provider", "openrouter"),
        ("model", "stub"),
        ("base-url", &server.url()),
    ] {
        sandbox.git(&["config", &format!("invisigoth.llm.{key}"), value]);
    }
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    let goals = sandbox.read("memory/pending_goals.json");
    let goals = goals.replace("\"Goal a\"", "\"Goal a\",\"model\":\"dark\"");
    sandbox.write("memory/pending_goals.json", goals);
    let ran = sandbox.run(&["run", "--set", "budget.max_usd=5"]);
    assert_eq!(
        (ran.code, sandbox.landings("main")),
        (3, vec!["b".into()]),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(
        ran.stdout.contains("the price of a call is not known"),
        "{}",
        ran.stdout
    );
    assert_eq!(server.asked().len(), 2, "a list and one call");
}

#[test]
fn models_of_ollamas_cloud_are_not_free_whoever_names_them() {
    let answer = json!({"model": "big-cloud", "message": {"content": whole("a.txt", "a\n")}, "done": true,
        "done_reason": "stop", "prompt_eval_count": 1000, "eval_count": 10, "remote_host": "https://example.com"});
    let server = Server::start(vec![Scripted::status(200, &answer.to_string())]);
    let sandbox = Sandbox::ready();
    for (key, value) in [
        ("provider", "ollama"),
        ("model", "small"),
        ("base-url", server.url().trim_end_matches("/v1")),
    ] {
        sandbox.git(&["config", &format!("invisigoth.llm.{key}"), value]);
    }
    sandbox.goal("a", &[]);
    let ran = sandbox.run(&[
        "run",
        "--set",
        "llm.escalate=[\"big-cloud\"]",
        "--set",
        "budget.max_usd=5",
    ]);
    // The list of models was asked for its price, and no model.
    let asked = server.asked().iter().filter(|asked| !asked.body.is_empty()).count();
    assert_eq!((ran.code, asked), (7, 0), "{}", ran.stderr);
    sandbox.git(&["config", "invisigoth.llm.model", "big-cloud"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.json(&["cost"])["total"]["unknown"], json!(1));
}
