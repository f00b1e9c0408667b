//! The dashboard in a real browser: every page with four pairs of eyes, without scripts, without any other network, and
//! beside a run that another terminal started.
//!
//! Not here: what needs no browser, which is `tests/it`.

use std::{fs, process::Stdio};

use serde_json::{Value, json};

use crate::{
    browser::driver::{Browser, EYES},
    peers::{self, Server},
    support::{
        NOT_BAD, Sandbox,
        pause::{PAUSE, Pause},
        whole,
    },
};

mod actions;
mod driver;

/// Every page, with goals of `every_state`.
const PAGES: &[&str] = &[
    "/",
    "/goals",
    "/goals?state=failed&sort=id",
    "/goals?q=nothing-like-this",
    "/goals/landed",
    "/goals/landed/log",
    "/goals/landed/diff",
    "/goals/landed/prompt",
    "/goals/landed/note",
    "/goals/failed",
    "/goals/failed/log",
    "/goals/waits",
    "/goals/ready",
    "/graph",
    "/graph?focus=failed&landed=1",
    "/queue",
    "/history",
    "/health",
    "/ask/add",
    "/ask/undo/landed",
    "/nothing-here",
];

/// The dashboard of a sandbox; it ends with the test.
struct Dashboard {
    _server: Server,
    /// `http://127.0.0.1:PORT`.
    origin: String,
    /// The link that works once.
    link: String,
}

impl Dashboard {
    fn start(sandbox: &Sandbox, further: &[&str]) -> Self {
        Self::at_port(sandbox, "0", further)
    }

    fn at_port(sandbox: &Sandbox, port: &str, further: &[&str]) -> Self {
        let mut command = sandbox.invisigoth(&["serve", "--port", port]);
        command.args(further).stdin(Stdio::null());
        let server = Server::start(&mut command, "http://");
        let link = format!("http://{}", server.url);
        let origin = link.split("/sign-in").next().unwrap().to_owned();
        Self {
            _server: server,
            origin,
            link,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Starts a browser and signs it in.
    fn browser(&self) -> Browser {
        let browser = Browser::start();
        browser.open(&self.link);
        assert_eq!(browser.address(), self.at("/"));
        browser
    }
}

/// Goals in every state that a night leaves them in.
fn every_state() -> Sandbox {
    let sandbox = Sandbox::set_up(NOT_BAD, "[check]\ntest = [\"sh check.sh\"]\nsandbox = \"none\"\n");
    sandbox.script(json!({
        "landed": [whole("landed.txt", "one\ntwo\n")],
        "failed": [whole("bad", "x\n")],
        "kept": [whole("check.sh", "exit 0\n")],
        "waits": [whole("waits.txt", "x\n")],
    }));
    for (id, needs) in [
        ("landed", &[][..]),
        ("failed", &[]),
        ("kept", &[]),
        ("blocked", &["failed"]),
    ] {
        sandbox.goal(id, needs);
    }
    sandbox.commit("goals");
    sandbox.run(&["run"]);
    sandbox.goal("waits", &[]);
    sandbox.run(&["run", "--no-merge"]);
    for id in ["ready", "rejected", "held"] {
        sandbox.goal(id, &[]);
    }
    sandbox.ok(&["reject", "rejected", "--why", "not now"]);
    sandbox.ok(&["hold", "held", "--why", "asks for a new crate"]);
    sandbox
}

/// Returns what axe finds wrong with the page that is shown, every rule of it being asked.
fn barriers(browser: &Browser) -> Vec<String> {
    let axe = fs::read_to_string(peers::find("axe.js")).unwrap();
    browser.script(&axe, &[]);
    let found = browser.script_that_calls(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done, (e) => done({error: String(e)}));",
        &[],
    );
    assert!(found["error"].is_null(), "{found}");
    let violations = found["violations"].as_array().unwrap().iter();
    let words = |violation: &Value| {
        let places = violation["nodes"].as_array().unwrap().iter();
        let places: Vec<String> = places
            .map(|node| format!("{} {}", node["html"], node["failureSummary"]))
            .collect();
        format!("{}: {}", violation["id"], places.join("\n    "))
    };
    violations.map(words).collect()
}

#[test]
fn no_page_has_a_barrier_in_light_or_dark_on_a_phone_or_a_screen() {
    let sandbox = every_state();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let mut wrong = Vec::new();
    for eyes in EYES {
        browser.look(eyes);
        for page in PAGES {
            browser.open(&dashboard.at(page));
            let name = format!(
                "{}-{}-{}",
                page.replace(['/', '?', '='], "_"),
                eyes.width,
                if eyes.dark { "dark" } else { "light" }
            );
            browser.picture(&name);
            let sideways = browser.script("return document.documentElement.scrollWidth - innerWidth", &[]);
            if sideways.as_i64().is_none_or(|pixels| pixels > 0) {
                wrong.push(format!("{page} {eyes:?}: {sideways} pixels beside the window"));
            }
            wrong.extend(
                barriers(&browser)
                    .into_iter()
                    .map(|barrier| format!("{page} {eyes:?}: {barrier}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_run_in_another_terminal_is_seen_from_start_to_landing() {
    let sandbox = Sandbox::checking(&["[ -e a.txt ] || exit 0\n", PAUSE].concat());
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.commit("goal");
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    browser.open(&dashboard.at("/"));
    browser.until("show a goal that is ready", |browser| {
        browser.source().contains("state-ready")
    });
    // The page itself must stay the same one: nothing below loads it again.
    browser.script("window.kept = 'yes'", &[]);
    let mut pause = Pause::new(&sandbox);
    let run = pause.start(&sandbox, &["run"]);
    browser.until("show the goal running", |browser| {
        browser.text("#sums").contains("1 running")
    });
    assert!(browser.text("#main").contains("checking"), "{}", browser.text("#main"));
    pause.go();
    assert_eq!(run.end().code, 0);
    browser.until("show that it landed", |browser| {
        let sums = browser.text("#sums");
        sums.contains("0 running") && sums.contains("1 landed today")
    });
    assert_eq!(browser.script("return window.kept", &[]), "yes");
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn a_page_says_that_its_server_is_gone_and_comes_back_with_it() {
    let sandbox = every_state();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    browser.until("live", |browser| browser.text("#live-mark").contains("live"));
    let port = dashboard.origin.rsplit(':').next().unwrap().to_owned();
    drop(dashboard);
    browser.until("say so", |browser| browser.text("#live-mark").contains("reconnecting"));
    sandbox.ok(&["release", "held"]);
    let again = Dashboard::at_port(&sandbox, &port, &[]);
    browser.open(&again.link);
    browser.until("live again", |browser| browser.text("#live-mark") == "● live");
    browser.until("show what happened meanwhile", |browser| {
        browser.text("nav .attention") == "2"
    });
}

#[test]
fn without_scripts_every_page_says_what_it_says_with_them() {
    let sandbox = every_state();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    browser.scripts(false);
    for page in PAGES {
        browser.open(&dashboard.at(page));
        let links = browser.count("nav[aria-label=Pages] a");
        assert_eq!(links, 6, "{page}");
        assert!(!browser.text("main").is_empty(), "{page}");
        assert_eq!(
            browser.count("main [hidden]:not(button)"),
            0,
            "{page} hides something that only a script shows"
        );
    }
}

#[test]
fn keys_move_and_have_an_off_switch() {
    let sandbox = every_state();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    browser.open(&dashboard.at("/"));
    browser.press("j");
    let focused = "return document.activeElement.textContent";
    let first = browser.script(focused, &[]);
    browser.press("j");
    let second = browser.script(focused, &[]);
    assert!(first != second, "{first} {second}");
    browser.press("k");
    assert_eq!(browser.script(focused, &[]), first);
    browser.press("?");
    assert_eq!(browser.count("#keys[open]"), 1);
    browser.click("#keys-off");
    browser.click("#keys button");
    browser.press("g");
    assert_eq!(browser.address(), dashboard.at("/"));
    browser.click("#keys-open");
    browser.click("#keys-off");
    browser.click("#keys button");
    browser.press("g");
    browser.until("go to the goals", |browser| browser.address() == dashboard.at("/goals"));
}

/// Every string that somebody ever got a page to run: one a line.
const HOSTILE: &str = include_str!("../fixtures/xss.txt");

/// A repository in which goals, comments, files, checks and models say nothing else.
fn hostile() -> Sandbox {
    let check = format!("cat <<'END'\n{HOSTILE}END\n{NOT_BAD}");
    let sandbox = Sandbox::set_up(&check, "[check]\ntest = [\"sh check.sh\"]\nsandbox = \"none\"\n");
    let model = "<img src=x onerror=window.pwned=1>";
    sandbox.git(&["config", "invisigoth.llm.model", model]);
    sandbox.script(json!({
        "landed": [whole("<b onclick=window.pwned=1>.txt", HOSTILE)],
        "failed": [whole("bad", HOSTILE)],
    }));
    for (nth, line) in HOSTILE.lines().enumerate() {
        let id = match nth {
            0 => "landed".to_owned(),
            1 => "failed".to_owned(),
            nth => format!("goal-{nth}"),
        };
        sandbox.ok(&["add", "--id", &id, &format!("--accept={line}"), "--", line]);
    }
    sandbox.ok(&["hold", "goal-2", "--why", HOSTILE.lines().nth(2).unwrap()]);
    sandbox.commit("goals");
    sandbox.run(&["run", "landed", "failed"]);
    sandbox.ok(&["comment", "failed", HOSTILE.lines().next().unwrap()]);
    sandbox
}

#[test]
fn what_goals_checks_and_models_say_stays_text() {
    let sandbox = hostile();
    assert_eq!(sandbox.landings("main"), ["landed"]);
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let of_goals = ["landed", "failed", "goal-2", "goal-9"].map(|id| format!("/goals/{id}"));
    for page in PAGES.iter().map(ToString::to_string).chain(of_goals) {
        browser.open(&dashboard.at(&page));
        let ran = "return window.pwned === undefined && document.querySelectorAll('main :is(img, script, iframe, object, \
                   embed, video, audio, base, meta, link, style, [onerror], [onclick], [onload], [onfocus], \
                   a[href^=\"javascript\" i], a[href^=\"data\" i], a[href^=\"//\"])').length === 0";
        assert_eq!(browser.script(ran, &[]), true, "{page}:\n{}", browser.source());
        let from =
            "return performance.getEntriesByType('resource').every((entry) => entry.name.startsWith(location.origin))";
        assert_eq!(browser.script(from, &[]), true, "{page} wants something from elsewhere");
    }
    browser.open(&dashboard.at("/goals"));
    let seen = browser.text("main");
    let first = HOSTILE.lines().nth(3).unwrap();
    assert!(seen.contains(first), "{first} is not there to be read:\n{seen}");
}
