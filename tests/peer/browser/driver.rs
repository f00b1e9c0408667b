//! A real browser: Debian's chromium, driven over WebDriver.
//!
//! The protocol is a handful of JSON requests, and the program's own HTTP client is there already; a client library would
//! bring a second one and eighty crates into every build of the tests.
//!
//! The browser resolves no name but this machine's: what a page wanted from elsewhere would fail, and the page with it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers::Server;

/// How the key of an element reference is called: https://www.w3.org/TR/webdriver2/#elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Longest wait for something that a page must come to show; beyond it the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window.
pub struct Browser {
    session: String,
    /// Ends after the session.
    _driver: Server,
    _profile: TempDir,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Eyes {
    /// In CSS pixels.
    pub width: u32,
    /// Whether the system asks for dark.
    pub dark: bool,
}

/// The eyes with which every page is looked at.
pub const EYES: [Eyes; 4] = [
    Eyes {
        width: 360,
        dark: false,
    },
    Eyes { width: 360, dark: true },
    Eyes {
        width: 1280,
        dark: false,
    },
    Eyes {
        width: 1280,
        dark: true,
    },
];

impl Browser {
    /// Starts it.
    pub fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--allowed-ips=127.0.0.1"]);
        command.stdin(Stdio::null());
        let mut driver = Server::start(&mut command, "was started successfully on port ");
        driver.url = format!("http://127.0.0.1:{}", driver.url.trim_end_matches('.'));
        let profile = TempDir::new().unwrap();
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
                format!("--user-data-dir={}", profile.path().display()),
            ]
        });
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "unhandledPromptBehavior": "ignore",
        }}});
        let session = format!("{}/session", driver.url);
        let begun = call("POST", &session, Some(&wanted));
        let id = begun["sessionId"].as_str().unwrap();
        Self {
            session: format!("{session}/{id}"),
            _driver: driver,
            _profile: profile,
        }
    }

    fn post(&self, what: &str, body: &Value) -> Value {
        call("POST", &format!("{}/{what}", self.session), Some(body))
    }

    fn get(&self, what: &str) -> Value {
        call("GET", &format!("{}/{what}", self.session), None)
    }

    /// Opens an address, and returns when the page is there.
    pub fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// Returns the address of the page that is shown.
    pub fn address(&self) -> String {
        self.get("url").as_str().unwrap().to_owned()
    }

    /// Returns the page as it is now, as HTML.
    pub fn source(&self) -> String {
        self.get("source").as_str().unwrap().to_owned()
    }

    /// Runs a function's body in the page, and returns what it returns.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("execute/sync", &json!({"script": body, "args": arguments}))
    }

    /// As `script`, for a body that calls its last argument with the answer.
    pub fn script_that_calls(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("execute/async", &json!({"script": body, "args": arguments}))
    }

    /// Sends a command of the browser's own protocol.
    pub fn tell(&self, command: &str, parameters: &Value) {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    /// Looks with other eyes from now on.
    pub fn look(&self, eyes: Eyes) {
        let size = json!({"width": eyes.width, "height": 900, "deviceScaleFactor": 1, "mobile": eyes.width < 500});
        self.tell("Emulation.setDeviceMetricsOverride", &size);
        let scheme = if eyes.dark { "dark" } else { "light" };
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.tell("Emulation.setEmulatedMedia", &features);
    }

    /// Lets pages run scripts or not, from the next page on.
    pub fn scripts(&self, run: bool) {
        self.tell("Emulation.setScriptExecutionDisabled", &json!({ "value": !run }));
    }

    /// Returns how many elements a selector finds.
    pub fn count(&self, selector: &str) -> usize {
        self.elements(selector).len()
    }

    fn elements(&self, selector: &str) -> Vec<String> {
        let found = self.post("elements", &json!({"using": "css selector", "value": selector}));
        let found = found.as_array().unwrap().iter();
        found
            .map(|element| element[ELEMENT].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the text that a person sees of the first element found.
    pub fn text(&self, selector: &str) -> String {
        let element = self.element(selector);
        let text = self.get(&format!("element/{element}/text"));
        text.as_str().unwrap().to_owned()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.elements(selector);
        let Some(first) = found.first() else {
            panic!("{} has no {selector}:\n{}", self.address(), self.source());
        };
        first.clone()
    }

    /// Clicks as a person does: what is covered or out of sight cannot be clicked.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Types into an element, in place of what is in it.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("element/{element}/clear"), &json!({}));
        self.post(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses a key, wherever the focus is.
    pub fn press(&self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keys = json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]});
        self.post("actions", &keys);
    }

    /// Waits until `holds` does; each look is a request, so that this waits for the page and not for a time.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(
                start.elapsed() < PATIENCE,
                "it does not come to {what}:\n{}",
                self.source()
            );
        }
    }

    /// Keeps a picture of the page where `INVISIGOTH_PICTURES` names a folder.
    pub fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("INVISIGOTH_PICTURES").map(PathBuf::from) else {
            return;
        };
        let picture = self.get("screenshot");
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture.as_str().unwrap());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), bytes.unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Where the driver is gone, the browser is too.
        let _ = ureq::delete(&self.session).call();
    }
}

fn call(method: &str, url: &str, body: Option<&Value>) -> Value {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let answer = match (method, body) {
        ("POST", Some(body)) => agent.post(url).send_json(body),
        _ => agent.get(url).call(),
    };
    let mut answer = answer.unwrap();
    let status = answer.status();
    let mut document: Value = answer.body_mut().with_config().limit(64 << 20).read_json().unwrap();
    assert!(status.is_success(), "{method} {url}: {:#}", document["value"]);
    document["value"].take()
}
