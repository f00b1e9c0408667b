//! Limits: money, calls, time, what is written per goal, and what is left behind.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::support::{NOT_BAD, Sandbox, whole};

#[test]
fn a_run_never_makes_more_calls_than_its_cap() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "x\n")], "b": [whole("bad", "x\n")], "c": [whole("c.txt", "x\n")]}));
    for goal in ["a", "b", "c"] {
        sandbox.goal(goal, &[]);
    }
    let ran = sandbox.run(&["--json", "run", "--max-calls", "2"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let summary: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["calls"], json!(2));
    // What was done stays done, and what was cut short has not failed.
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(
        (sandbox.state("b"), sandbox.state("c")),
        ("ready".into(), "ready".into())
    );
    assert_eq!(sandbox.attempt("b", 1, "attempt.json")["rounds"], json!(1));
}

/// An endpoint that says the same to everybody and counts who came.
struct Endpoint {
    url: String,
    calls: Arc<AtomicUsize>,
}

impl Endpoint {
    fn open(content: &str, completion_tokens: u64) -> Self {
        let body = json!({
            "model": "m",
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": completion_tokens},
        })
        .to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).unwrap() > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        });
        Self { url, calls }
    }

    /// Runs with a dollar a thousand reply tokens, at most a thousand a reply, and a cap.
    fn run(&self, sandbox: &Sandbox, max_usd: &str) -> (i32, Value, usize) {
        sandbox.git(&["config", "invisigoth.llm.base-url", &self.url]);
        let set = [
            "llm.usd_per_mtok_in=0",
            "llm.usd_per_mtok_out=1000",
            "llm.max_tokens=1000",
        ];
        let set = set.iter().flat_map(|pair| ["--set", pair]);
        let args: Vec<&str> = ["--json", "run", "--provider", "openrouter", "--max-usd", max_usd]
            .into_iter()
            .chain(set)
            .collect();
        let output = sandbox
            .invisigoth(&args)
            .env("OPENROUTER_API_KEY", "sk-none")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = serde_json::from_str(said.lines().last().unwrap_or_default());
        let last = last.unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), last, self.calls.load(Ordering::SeqCst))
    }
}

#[test]
fn a_run_never_spends_more_than_its_cap_even_if_every_reply_is_as_long_as_it_may_be() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    // A dollar each at worst: none fits, then one, then two.
    let endpoint = Endpoint::open(&whole("bad", "x\n"), 1000);
    let (code, said, calls) = endpoint.run(&sandbox, "0.99");
    assert_eq!((code, calls), (6, 0), "{said}");
    let (code, said, calls) = endpoint.run(&sandbox, "1.5");
    assert_eq!((code, calls), (6, 1), "{said}");
    assert_eq!(said["cost_usd"], json!(1.0));
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["usage"]["cost_usd"], json!(1.0));
}

#[test]
fn a_check_over_its_limit_is_gone_with_all_that_it_started() {
    let check = r#"
[ -e a.txt ] || exit 0
setsid sh -c '(exec 9> "$HOME/alive"; echo started >&9; sleep 20; echo survived >&9) &'
sleep 20
"#;
    let sandbox = Sandbox::set_up(
        check,
        "[check]\ntest = [\"sh check.sh\"]\ntimeout = 1\n[run]\nmax_attempts = 1\n",
    );
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    let alive = sandbox.home().join("alive");
    assert_eq!(sandbox.sh("mkfifo", &[alive.to_str().unwrap()]).code, 0);
    // Reads until nobody is left who could write: as long as what was started lives.
    let reader = std::thread::spawn(move || fs::read_to_string(alive).unwrap());
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("limit"), "{}", ran.stdout);
    assert_eq!(reader.join().unwrap(), "started\n");
    assert_eq!(sandbox.landings("main"), [""; 0]);
}

/// Adds goals `g000` … that each write a file of their name.
fn many(sandbox: &Sandbox, count: usize) {
    let id = |nth: usize| format!("g{nth:03}");
    let replies = (0..count).map(|nth| (id(nth), json!([whole(&format!("files/{}.txt", id(nth)), "x\n")])));
    sandbox.script(Value::Object(replies.collect()));
    let rows: Vec<String> = (0..count)
        .map(|nth| format!("{{\"id\":\"{0}\",\"description\":\"Goal {0}\"}}", id(nth)))
        .collect();
    sandbox.write("memory/pending_goals.json", format!("[\n{}\n]\n", rows.join(",\n")));
    // Records the rows.
    sandbox.run(&["run", "--max", "0"]);
}

fn loose(sandbox: &Sandbox) -> usize {
    sandbox
        .git(&["count-objects"])
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// How often each ref was overwritten, by its log: a line that starts with no object made it instead.
fn overwritten(logs: &Path, found: &mut BTreeMap<String, usize>) {
    for entry in fs::read_dir(logs).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            overwritten(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let made = |line: &&str| line.starts_with(&"0".repeat(40));
            let count = text.lines().filter(|line| !made(line)).count();
            found.insert(path.display().to_string(), count);
        }
    }
}

#[test]
fn a_goal_writes_at_most_17_loose_objects_and_overwrites_at_most_4_refs() {
    const GOALS: usize = 20;
    for isolation in ["branch", "none"] {
        let sandbox = Sandbox::ready();
        sandbox.git(&["config", "core.logAllRefUpdates", "always"]);
        sandbox.git(&["config", "invisigoth.run.isolation", isolation]);
        many(&sandbox, GOALS);
        let logs = sandbox.path(".git/logs/refs");
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        overwritten(&logs, &mut before);
        let objects = loose(&sandbox);
        sandbox.ok(&["run"]);
        let made = loose(&sandbox) - objects;
        assert!(made > GOALS, "{made} objects: nothing was counted");
        // 16 of its own, and what other programs are told of it (`land.provenance`). A run writes some once, its claim among
        // them, and some each time that notes and checkout follow.
        overwritten(&logs, &mut after);
        // A slow machine follows more often: its checkout, the records and the verdicts.
        let main = logs.join("heads/main").display().to_string();
        let follows = after[&main] - before[&main];
        assert!(
            made <= 17 * GOALS + 40 + 8 * follows,
            "{isolation}: {made} objects for {GOALS} goals, {follows} follows"
        );
        let changes: Vec<(String, usize)> = after
            .into_iter()
            .map(|(name, count)| (name.clone(), count - before.get(&name).unwrap_or(&0)))
            .collect();
        assert!(
            changes
                .iter()
                .any(|(name, count)| name.ends_with("attempts") && *count > 0),
            "not logged: {changes:?}"
        );
        // `landed/main` moves once a goal too; its log went with it.
        let all: usize = changes.iter().map(|(_, count)| count).sum();
        assert!(
            all + GOALS <= 4 * GOALS + 10,
            "{isolation}: {all} refs overwritten for {GOALS} goals: {changes:?}"
        );
    }
}

fn files_below(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files_below(&entry.path(), found);
        } else {
            found.push(entry.path().display().to_string());
        }
    }
}

/// Processes whose folder is below `home`.
fn processes(home: &Path) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let here = all.filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(home)));
    here.map(|process| fs::read_to_string(process.join("cmdline")).unwrap_or_default())
        .collect()
}

#[test]
fn nothing_is_left_behind_after_200_goals() {
    let sandbox = Sandbox::checking(&format!("{NOT_BAD}sleep 0 & : > left.tmp\n"));
    many(&sandbox, 200);
    let mut git_before = Vec::new();
    files_below(&sandbox.path(".git"), &mut git_before);
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(sandbox.landings("main").len(), 200);
    let names: Vec<String> = sandbox.refs().into_keys().collect();
    let expected = [
        "refs/heads/main",
        "refs/invisigoth/attempts",
        "refs/notes/ai",
        "refs/notes/invisigoth",
        "refs/notes/invisigoth-tested",
    ];
    assert_eq!(names, expected);
    let mut git = Vec::new();
    files_below(&sandbox.path(".git"), &mut git);
    let objects = sandbox.path(".git/objects").display().to_string();
    let new: Vec<&String> = git
        .iter()
        .filter(|path| !git_before.contains(path) && !path.starts_with(&objects))
        .collect();
    assert!(new.len() <= 14, "{new:#?}");
    // Two files stay to be locked again.
    let kept = |path: &str| {
        ["/invisigoth/land.lock", "/invisigoth/forward.lock"]
            .iter()
            .any(|kept| path.ends_with(kept))
            || path.ends_with("/index/.lock")
    };
    let stray = |path: &&String| path.ends_with(".lock") && !kept(path) || path.contains("tmp");
    assert_eq!(
        git.iter()
            .filter(|path| stray(&&path.replace(sandbox.home().to_str().unwrap(), "")))
            .collect::<Vec<_>>(),
        [""; 0]
    );
    let slots = sandbox.home().join(".cache/invisigoth");
    let repositories: Vec<_> = fs::read_dir(&slots)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(repositories.len(), 1, "{repositories:?}");
    let slots: Vec<_> = fs::read_dir(repositories[0].join("slots"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    let folders = slots
        .iter()
        .filter(|name| name.to_string_lossy().chars().all(|c| c.is_ascii_digit()))
        .count();
    assert_eq!(folders, 1, "{slots:?}");
    assert_eq!(processes(sandbox.home()), [""; 0]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.assert_sound();
}
