//! Actions: each is clicked as a person does, and what it did is looked at with stock git.

use std::fs;

use serde_json::{Value, json};

use crate::{
    browser::{Dashboard, driver::Browser, every_state},
    support::{
        Sandbox,
        pause::{PAUSE, Pause},
        whole,
    },
};

/// A person at a browser.
struct Person<'a> {
    sandbox: &'a Sandbox,
    dashboard: &'a Dashboard,
    browser: &'a Browser,
}

impl Person<'_> {
    /// Clicks `selector` on `page`, fills in what is then asked, and sends that.
    fn acts(&self, page: &str, selector: &str, fields: &[(&str, &str)]) {
        let browser = self.browser;
        browser.open(&self.dashboard.at(page));
        browser.click(selector);
        if selector.contains("/ask/") {
            browser.until("ask", |browser| browser.count("main form input[name=asked]") == 1);
            for (name, text) in fields {
                match browser.count(&format!("main select[name={name}]")) {
                    0 => browser.type_into(&format!("main [name={name}]"), text),
                    _ => browser.click(&format!("main select[name={name}] option[value={text}]")),
                }
            }
            browser.click("main form[data-keep] button");
        }
        browser.until("say what was done", |browser| browser.count("main .said") == 1);
        assert_eq!(
            browser.count("main .fault"),
            0,
            "{selector} on {page}: {}",
            browser.text("main")
        );
    }

    /// Waits until a page shows `words`.
    fn sees(&self, page: &str, words: &str) {
        self.browser.until(words, |browser| {
            browser.open(&self.dashboard.at(page));
            browser.text("main").contains(words)
        });
    }

    fn rows(&self) -> Vec<Value> {
        serde_json::from_str(&self.sandbox.read("memory/pending_goals.json")).unwrap()
    }

    fn row(&self, id: &str) -> Value {
        self.rows().into_iter().find(|row| row["id"] == id).unwrap_or_default()
    }
}

/// As a plan leaves a goal.
fn propose(sandbox: &Sandbox, id: &str) {
    let file = "memory/pending_goals.json";
    let text = sandbox.read(file);
    let proposed = |line: &str| match line.contains(&format!("\"id\":\"{id}\"")) {
        true => line.replace("\"pending\"", "\"proposed\"") + "\n",
        false => format!("{line}\n"),
    };
    sandbox.write(file, text.lines().map(proposed).collect::<String>());
    assert_eq!(sandbox.state(id), "proposed", "{text}");
}

#[test]
fn what_a_person_decides_in_the_browser_is_in_the_backlog() {
    let sandbox = every_state();
    propose(&sandbox, "ready");
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let person = Person {
        sandbox: &sandbox,
        dashboard: &dashboard,
        browser: &browser,
    };
    let asked = [("description", "Say <b>hello</b>"), ("accept", "it says so")];
    person.acts("/", "#do a[href='/ask/add']", &asked);
    let added = person
        .rows()
        .into_iter()
        .find(|row| row["description"] == asked[0].1)
        .unwrap();
    assert_eq!(added["acceptance"], json!(["it says so"]));
    let added = added["id"].as_str().unwrap().to_owned();
    person.acts("/", "#goal-ready form[action='/do/approve'] button", &[]);
    assert_eq!(sandbox.state("ready"), "ready");
    person.acts("/goals/ready", "form[action='/do/hold'] button", &[]);
    assert_eq!(person.row("ready")["status"], "held");
    person.acts("/", "#goal-held form[action='/do/release'] button", &[]);
    assert_eq!(sandbox.state("held"), "ready");
    person.acts("/", "#goal-failed form[action='/do/retry'] button", &[]);
    assert_eq!(sandbox.state("failed"), "ready");
    person.acts("/goals/blocked", "a[href='/ask/drop/blocked']", &[]);
    assert!(person.row("blocked").is_null());
    let (page, button) = (format!("/goals/{added}"), format!("a[href='/ask/reject/{added}']"));
    person.acts(&page, &button, &[("why", "not now")]);
    let said = person.row(&added);
    assert_eq!(
        (&said["status"], &said["reason"]),
        (&json!("rejected"), &json!("not now"))
    );
    person.acts(
        "/goals/held",
        "a[href='/ask/edit/held']",
        &[("text", "description = \"Another line\"\n")],
    );
    assert_eq!(person.row("held")["description"], "Another line");
    person.acts("/", "#do form[action='/do/pause'] button", &[]);
    assert!(sandbox.json(&["status"])["paused"].is_object());
    person.acts("/", "#paused form[action='/do/resume'] button", &[]);
    assert!(sandbox.json(&["status"])["paused"].is_null());
    person.acts("/", "#do a[href='/ask/raise']", &[("scope", "run"), ("calls", "70")]);
    assert!(sandbox.ok(&["budget"]).contains("70"));
}

#[test]
fn what_lands_or_is_undone_from_the_browser_is_in_the_history() {
    let sandbox = every_state();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let person = Person {
        sandbox: &sandbox,
        dashboard: &dashboard,
        browser: &browser,
    };
    // A line of what was held back is commented on; the next attempt is told, with the line.
    person.browser.open(&dashboard.at("/goals/kept/diff"));
    person.browser.click("tr.added a.say");
    person
        .browser
        .until("ask what to say", |browser| browser.count("#say textarea") == 1);
    person.browser.type_into("#say textarea", "Do not make it always pass");
    person.browser.click("#say button");
    person
        .browser
        .until("say what was done", |browser| browser.count("main .said") == 1);
    assert_eq!(browser.count("main .fault"), 0, "{}", browser.text("main"));
    let comment = person.row("kept")["comments"][0].to_string();
    assert!(
        comment.contains("check.sh:1") && comment.contains("Do not make it always pass"),
        "{comment}"
    );

    person.acts("/", "#goal-kept form[action='/do/merge'] button", &[]);
    person.sees("/goals/kept", "landed");
    assert!(sandbox.landings("main").contains(&"kept".to_owned()));
    person.acts("/history", "a[href='/ask/undo/landed']", &[]);
    person.sees("/goals/landed", "held");
    let log = sandbox.git(&["log", "--format=%B", "main"]);
    assert!(log.contains("Undo: landed"), "{log}");
    sandbox.assert_sound();
}

#[test]
fn a_run_that_was_started_in_the_browser_outlives_it_and_its_server() {
    let sandbox = Sandbox::checking(&["[ -e a.txt ] || exit 0\n", PAUSE].concat());
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.commit("goals");
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let person = Person {
        sandbox: &sandbox,
        dashboard: &dashboard,
        browser: &browser,
    };
    let mut pause = Pause::new(&sandbox);
    person.acts("/", "#do form[action='/do/run'] button", &[]);
    assert!(pause.reached());
    person.sees("/", "checking");
    // What is under way ends; the goal after it does not begin.
    person.acts("/", "#do a[href='/ask/stop']", &[]);
    drop(browser);
    drop(dashboard);
    pause.go();
    while sandbox.json(&["status"])["runs"].is_array() {}
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.state("b"), "ready");
}

#[test]
fn a_plan_that_was_ordered_in_the_browser_waits_there_for_a_person() {
    let sandbox = Sandbox::ready();
    sandbox.write("notes.txt", "Everything below is still to be done:\nall of it\n");
    sandbox.commit("Note what is to be done");
    let goal = json!({
        "handle": "alpha", "description": "Write alpha", "filename": "check.sh", "acceptance": ["`sh check.sh` passes"],
        "needs": [], "reason": "it is asked for",
        "evidence": [{"path": "notes.txt", "line": 1, "quote": "Everything below is still to be done"}],
    });
    let reply = format!("```json\n{}\n```\n", json!({ "goals": [goal] }));
    let script = json!({"plan": [reply], "goals": {}}).to_string();
    fs::write(sandbox.home().join("script.json"), script).unwrap();
    let dashboard = Dashboard::start(&sandbox, &[]);
    let browser = dashboard.browser();
    let person = Person {
        sandbox: &sandbox,
        dashboard: &dashboard,
        browser: &browser,
    };
    person.acts("/", "#do a[href='/ask/plan']", &[("brief", "Letters")]);
    person.sees("/", "Write alpha");
    let id = person.rows()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(person.row(&id)["status"], "proposed");
    person.acts("/", &format!("#goal-{id} form[action='/do/approve'] button"), &[]);
    assert_eq!(sandbox.state(&id), "ready");
}
