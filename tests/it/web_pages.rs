//! `serve`: the inbox, the queue, the history and the health of a repository, as pages.
//!
//! Not here: signing in and what forms do.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Child,
};

use serde_json::json;

use crate::support::{
    Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// The pages.
const PAGES: [&str; 4] = ["/", "/queue", "/history", "/health"];
/// What would be a tag, end an attribute, or end a comment.
const HOSTILE: &str = "\"'><img src=x onerror=alert(1)><!--</script>";

/// A server of pages.
struct Served {
    child: Child,
    address: String,
    token: String,
}

/// An answer.
struct Page {
    status: u16,
    html: String,
}

impl Served {
    fn begin(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut all = vec!["serve", "--port", "0"];
        all.extend(args);
        let mut child = sandbox.spawn(&all);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (_, rest) = line
            .split_once("http://")
            .unwrap_or_else(|| panic!("no address: {line}"));
        let address = rest.split('/').next().unwrap().trim().to_owned();
        let folder = sandbox.git(&["rev-parse", "--git-common-dir"]);
        let token = fs::read_to_string(sandbox.path(&folder).join("invisigoth/serve.token")).unwrap();
        Self { child, address, token }
    }

    /// Asks for a page as a program does.
    fn get(&self, path: &str) -> Page {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (address, token) = (&self.address, self.token.trim());
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, html) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Page {
            status: status.unwrap(),
            html: html.to_owned(),
        }
    }

    /// Asks for a page that is there.
    fn html(&self, path: &str) -> String {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        page.html
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the element that begins with `<TAG id="ID"`, up to the end of its kind.
fn part<'h>(html: &'h str, tag: &str, id: &str) -> &'h str {
    let start = html.find(&format!("<{tag} id=\"{id}\""));
    let start = start.or_else(|| {
        let at = html.find(&format!("id=\"{id}\""))?;
        html.split_at(at).0.rfind(&format!("<{tag} "))
    });
    let start = start.unwrap_or_else(|| panic!("no {tag} {id} in\n{html}"));
    let part = html.split_at(start).1;
    part.split_once(&format!("</{tag}>")).unwrap().0
}

/// Returns what a reader sees: no tags, one blank between words.
fn words(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push(' ');
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    let text = text.replace("&#x2f;", "/");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the names of attributes: what stands in tags outside quotes.
fn attributes(html: &str) -> String {
    let tags = html.split('<').filter_map(|piece| piece.split_once('>'));
    let bare = tags.map(|(tag, _)| tag.split('"').step_by(2).collect::<String>());
    bare.collect::<Vec<_>>().join(" ")
}

/// A repository with a goal in almost every state.
fn full() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({
        "lost": ["no edit at all"],
        "lock": [whole("Cargo.lock", "x\n")],
        "done": [whole("a.txt", "a\n")],
        "back": [whole("b.txt", "b\n")],
    }));
    for id in ["lost", "lock", "done", "back"] {
        sandbox.goal(id, &[]);
    }
    sandbox.goal("later", &["lost", "lock"]);
    sandbox.run(&["run"]);
    sandbox.ok(&["undo", "back"]);
    sandbox.goal("free", &[]);
    sandbox.goal("after", &["free"]);
    sandbox
}

#[test]
fn the_inbox_tells_what_needs_somebody_from_what_merely_waits() {
    let sandbox = full();
    let served = Served::begin(&sandbox, &[]);
    let html = served.html("/");
    let needs = part(&html, "section", "needs");
    let rows: Vec<&str> = needs.split("<li id=\"goal-").skip(1).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.split('"').next().unwrap()).collect();
    assert_eq!(ids, ["back", "lock", "lost"]);
    assert!(
        words(&html).contains("Inbox 3 Goals"),
        "the badge counts these rows: {}",
        words(&html)
    );
    assert!(html.contains("<title>(3) Inbox"));
    for (row, said, verb) in [
        (rows[0], "⚑ held back Goal back commit", "release"),
        (
            rows[1],
            "⚑ held lock Goal lock touches Cargo.lock (it is a lock file) unblocks 1 goal",
            "merge",
        ),
        (rows[2], "✖ failed lost Goal lost 3 rounds, reply: no-edit", "retry"),
    ] {
        assert!(words(row).contains(said), "{said}\n{}", words(row));
        assert!(row.contains(&format!("action=\"/do/{verb}\"")), "{verb}\n{row}");
        assert!(row.contains("<time datetime="), "how long it waits: {row}");
    }
    let blocked = words(part(&html, "section", "blocked"));
    assert!(
        blocked.contains("later Goal later needs lost (failed) , lock (held)"),
        "{blocked}"
    );
    assert!(blocked.contains("after Goal after needs free (ready)"), "{blocked}");
    let ready = words(part(&html, "section", "ready"));
    assert!(ready.contains("ready free Goal free unblocks 1"), "{ready}");
    let running = part(&html, "section", "running");
    assert!(
        words(running).contains("No run is at work; 1 goal could start."),
        "{running}"
    );
    let all = part(&html, "div", "do");
    for does in [
        "/ask/add",
        "/ask/plan",
        "/do/run",
        "/do/merge",
        "/do/pause",
        "/ask/raise",
    ] {
        assert!(all.contains(&format!("\"{does}\"")), "{does}: {all}");
    }
    assert!(words(part(&html, "section", "landed")).contains("✔ landed done Goal done"));
}

#[test]
fn who_may_only_look_gets_commands_instead_of_forms() {
    let sandbox = full();
    let served = Served::begin(&sandbox, &["--read-only"]);
    for path in PAGES {
        let html = served.html(path);
        assert!(
            !html.contains("method=\"post\"") && !html.contains("/ask/"),
            "{path}\n{html}"
        );
    }
    let html = served.html("/");
    for command in [
        "git invisigoth release back",
        "git invisigoth merge lock",
        "git invisigoth retry lost",
        "git invisigoth run",
    ] {
        assert!(
            html.contains(&format!("<code class=\"command\">{command}</code>")),
            "{command}"
        );
    }
    assert!(words(&served.html("/history")).contains("git invisigoth undo done"));
    let held = words(part(&served.html("/queue"), "section", "held"));
    assert!(
        held.contains("git invisigoth merge lock") && !held.contains("Goal back"),
        "only what could land is held back from landing: {held}"
    );
}

#[test]
fn a_key_that_came_while_it_is_served_is_in_no_answer() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["add", "Use q8Zr41xKq8Zr41xK", "--id", "a"]);
    let served = Served::begin(&sandbox, &[]);
    assert!(served.html("/api/v1/goals").contains("q8Zr41xK"));
    fs::write(sandbox.path(".env"), "SERVICE_TOKEN=q8Zr41xKq8Zr41xK\n").unwrap();
    let after = served.html("/api/v1/goals");
    assert!(after.contains("[redacted]") && !after.contains("q8Zr"), "{after}");
}

#[test]
fn a_command_on_a_page_holds_whatever_a_goal_is_called() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a; b": [whole("a.txt", "a\n")] }));
    sandbox.goal("a; b", &[]);
    sandbox.run(&["run"]);
    let served = Served::begin(&sandbox, &["--read-only"]);
    let history = words(&served.html("/history"));
    assert!(history.contains("git invisigoth undo &#x27;a; b&#x27;"), "{history}");
}

#[test]
fn a_goal_at_its_cap_needs_somebody() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"dear": ["no edit", whole("a.txt", "a\n")]}));
    sandbox.ok(&["add", "Goal dear", "--id", "dear"]);
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    sandbox.run(&["run"]);
    let html = Served::begin(&sandbox, &[]).html("/");
    let needs = words(part(&html, "section", "needs"));
    assert!(html.contains("href=\"/ask/raise/dear\""), "{html}");
    assert!(
        needs.contains("Needs you 1") && needs.contains("blocked dear Goal dear paused"),
        "{needs}"
    );
    assert!(html.contains("<title>(1) Inbox"));
}

#[test]
fn the_queue_says_its_order_and_that_nobody_lands() {
    let sandbox = Sandbox::ready();
    sandbox.script(
        json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")], "h": [whole("Makefile", "all:\n")]}),
    );
    for id in ["a", "b", "h"] {
        sandbox.goal(id, &[]);
    }
    sandbox.goal("c", &["b"]);
    sandbox.run(&["run", "--no-merge"]);
    let queue = &sandbox.json(&["status"])["queue"];
    assert_eq!(
        (&queue["standing"], &queue["next"]),
        (&json!("stalled"), &json!("git invisigoth merge"))
    );
    let order: Vec<&str> = queue["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["goal"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["b", "a"], "more waits for b");
    let served = Served::begin(&sandbox, &["--read-only"]);
    let html = served.html("/queue");
    assert!(
        words(part(&html, "div", "how")).contains("stalled no run is there that would land these git invisigoth merge")
    );
    let rows: Vec<String> = ["b", "a"]
        .map(|id| words(part(&html, "tr", &format!("goal-{id}"))))
        .to_vec();
    assert!(rows[0].starts_with("1 ◆ candidate b Goal b its turn"), "{}", rows[0]);
    assert!(rows[1].starts_with("2 ◆ candidate a Goal a after b"), "{}", rows[1]);
    assert!(words(part(&html, "section", "held")).contains("held h Goal h touches Makefile"));
    assert!(words(&served.html("/")).contains("1 ◆ candidate b Goal b 2 ◆ candidate a Goal a"));
    sandbox.ok(&["merge"]);
    let empty = words(&served.html("/queue"));
    assert!(
        empty.contains("empty nothing waits to land") && empty.contains("To have goals worked on: git invisigoth run"),
        "{empty}"
    );
}

#[test]
fn a_run_that_checks_is_at_work_and_drains_the_queue() {
    let check = format!("[ ! -e b.txt ] || [ ! -e a.txt ] || {{ {PAUSE} }}\n");
    let sandbox = Sandbox::checking(&check);
    let mut pause = Pause::new(&sandbox);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.ok(&["run", "--no-merge"]);
    let served = Served::begin(&sandbox, &["--read-only"]);
    let merging = pause.start(&sandbox, &["merge"]);
    let html = served.html("/queue");
    let how = words(part(&html, "section", "standing"));
    assert!(
        how.contains("▶ draining a process is landing") && how.contains("The turn at the branch: process "),
        "{how}"
    );
    assert!(words(part(&html, "tr", "goal-a")).contains("▶ running a Goal a its checks on the merged code"));
    let inbox = served.html("/");
    let running = words(part(&inbox, "section", "running"));
    assert!(running.contains("▶ running a Goal a ▓▓▓▓ landing"), "{running}");
    assert!(words(&served.html("/health")).contains("▶ at work process"));
    pause.go();
    assert_eq!(merging.end().code, 0);
    assert!(words(&served.html("/queue")).contains("empty nothing waits to land"));
}

#[test]
fn history_has_people_beside_goals_and_pages_and_filters() {
    let sandbox = full();
    sandbox.write("p.txt", "p\n");
    sandbox.commit("By hand");
    let served = Served::begin(&sandbox, &[]);
    let html = served.html("/history");
    let all = words(&html);
    assert!(all.contains("↶ undo"), "{all}");
    assert!(
        all.contains("● person") && all.contains("By hand A U Thor &lt;author@example.com&gt;"),
        "{all}"
    );
    assert!(
        all.contains("✔ landed done Goal done") && all.contains("test ✔ passed"),
        "{all}"
    );
    assert!(all.contains("↶ undone back Goal back"), "{all}");
    assert!(
        html.contains("href=\"/ask/undo/done\"") && !html.contains("/ask/undo/back"),
        "only what is in comes out"
    );
    assert!(html.contains("href=\"/goals/done\""));
    let people = words(&served.html("/history?show=people"));
    assert!(
        people.contains("By hand") && !people.contains("landed done"),
        "{people}"
    );
    let goals = words(&served.html("/history?show=goals&q=DONE"));
    assert!(
        goals.contains("landed done") && !goals.contains("By hand") && !goals.contains("undone back"),
        "{goals}"
    );
    let none = words(&served.html("/history?q=no+such+thing"));
    assert!(
        none.contains("No commit is like that.") && none.contains("Show all commits"),
        "{none}"
    );
    for nth in 0..45 {
        sandbox.commit(&format!("person {nth}"));
    }
    let first = served.html("/history");
    assert!(
        words(&first).contains("person 44") && !words(&first).contains("person 4 "),
        "40 a page"
    );
    let (_, rest) = first.split_once("/history?before=").unwrap();
    let older = served.html(&format!("/history?before={}", rest.split('"').next().unwrap()));
    let older = words(&older);
    assert!(
        older.contains("person 4 ") && older.contains("By hand") && older.contains("Newest"),
        "{older}"
    );
    let bad = served.get("/history?before=%40%7b1%7d");
    assert_eq!(bad.status, 404);
    sandbox.git(&[
        "branch",
        "elsewhere",
        &sandbox.git(&["commit-tree", "HEAD^{tree}", "-m", "elsewhere"]),
    ]);
    assert_eq!(served.get("/history?before=elsewhere").status, 404);
}

#[test]
fn health_says_what_is_wrong_and_where_settings_come_from() {
    let sandbox = full();
    sandbox.git(&["config", "invisigoth.budget.day-max-usd", "7.5"]);
    sandbox.git(&[
        "config",
        "invisigoth.notify.webhook",
        "https://hooks.example.com/T000/SECRETSECRETSECRET",
    ]);
    let served = Served::begin(&sandbox, &[]);
    let html = served.html("/health");
    let all = words(&html);
    assert!(all.contains(env!("CARGO_PKG_VERSION")), "{all}");
    for said in [
        "ok target main at",
        "ok checks test sh check.sh",
        "logs in /",
        "of $7.50",
        "last hour",
        "✔ ended",
    ] {
        assert!(all.contains(said), "{said} is not in {all}");
    }
    let trigger = words(part(&html, "tr", "trigger-person"));
    assert!(trigger.starts_with("person 1 "), "{trigger}");
    let setting = words(part(&html, "tr", "setting-check.test"));
    assert!(setting.contains("invisigoth.toml, line 2"), "{setting}");
    assert!(!html.contains("SECRETSECRET"), "{html}");
    assert!(
        !html.contains("setting-run.max_attempts")
            && served.html("/health?settings=all").contains("setting-run.max_attempts")
    );
    sandbox.git(&["config", "--unset", "user.email"]);
    sandbox.git(&["config", "user.useConfigOnly", "true"]);
    let mended = words(&served.html("/health?again=1"));
    assert!(mended.contains("to mend identity"), "{mended}");
}

#[test]
fn before_there_is_anything_every_page_says_what_to_type() {
    type Make = fn() -> Sandbox;
    let cases: [(&str, Make, &str); 6] = [
        ("no commit", Sandbox::bare_git, "git commit --allow-empty -m"),
        ("not set up", Sandbox::new, "git invisigoth init"),
        ("no goal", Sandbox::ready, "git invisigoth add"),
        ("a broken backlog", broken_backlog, "memory/pending_goals.json"),
        ("broken settings", broken_settings, "invisigoth.toml"),
        ("a bare clone", bare_clone, "git invisigoth"),
    ];
    for (what, make, said) in cases {
        let sandbox = make();
        let served = Served::begin(&sandbox, &[]);
        for path in PAGES {
            let page = served.get(path);
            assert_eq!(page.status, 200, "{what}: {path}: {}", page.html);
            let text = words(&page.html);
            assert!(page.html.contains("<code class=\"command\">"), "{what}: {path}: {text}");
            // Where only goals are missing, nothing is the matter with its health.
            let is_well = (what, path) == ("no goal", "/health");
            assert!(text.contains(said) || is_well, "{what}: {path}: {text}");
        }
    }
}

fn broken_backlog() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write("memory/pending_goals.json", "[{\"id\": \"a\"");
    sandbox
}

fn broken_settings() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write("invisigoth.toml", "[check\n");
    sandbox.commit("broken");
    sandbox
}

/// The repository's folder is a bare clone of one that is set up.
fn bare_clone() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare"]);
    fs::rename(sandbox.repo(), sandbox.home().join("old")).unwrap();
    fs::rename(sandbox.home().join("bare"), sandbox.repo()).unwrap();
    sandbox
}

#[test]
fn whatever_is_said_in_a_repository_stays_text() {
    let sandbox = Sandbox::ready();
    let id = "x\"'><b>&amp;";
    sandbox.script(json!({ id: [whole("Makefile", "all:\n")], "fine": [whole("a.txt", "a\n")], "bad": [HOSTILE] }));
    for (goal, needs) in [(id, None), ("fine", None), ("bad", None), ("late", Some(id))] {
        let mut args = vec!["add", HOSTILE, "--id", goal];
        args.extend(needs.iter().flat_map(|need| ["--needs", *need]));
        sandbox.ok(&args);
    }
    sandbox.git(&["config", "invisigoth.llm.model", HOSTILE]);
    sandbox.run(&["run"]);
    sandbox.ok(&["add", HOSTILE, "--id", "kept"]);
    sandbox.ok(&["hold", "kept", "--why", HOSTILE]);
    sandbox.git(&["config", "user.name", "<i>\"'"]);
    sandbox.commit(HOSTILE);
    sandbox.ok(&["pause", "--why", HOSTILE]);
    let served = Served::begin(&sandbox, &[]);
    let escaped = "&lt;img src=x onerror=alert(1)&gt;";
    for path in PAGES.into_iter().chain([
        "/history?q=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        "/health?settings=all",
    ]) {
        let html = served.html(path);
        for tag in ["<img", "<!--", "<b>&amp;", "<i>"] {
            assert!(!html.contains(tag), "{path}: {tag}\n{html}");
        }
        assert!(html.contains(escaped), "{path} shows none of it\n{html}");
        assert!(!attributes(&html).contains("onerror"), "{path}: {}", attributes(&html));
    }
}
