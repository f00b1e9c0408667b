//! Secrets: canaries everywhere a key can lie, a run that fails in every way, and then a search for them.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    Sandbox,
    server::{Scripted, Server},
    whole,
};

/// The key of the provider, in the environment.
const KEY: &str = "canary-1-q8Zr/41xK+p0Lm~7Yw";
/// A token of somebody else, in the environment.
const OTHER: &str = "canary-2-w3Xc:90vB?n5Mj";
/// A password in an untracked `.env`.
const DOTENV: &str = "canary-3-t6Gh=21uJ&k8Ol";

/// Made up here, so that no file of this repository has the shape of a key.
fn shaped(prefix: &str) -> String {
    format!("{prefix}k3Vd9xW1qRz7LtY5wH0rN8bT2yG6pC4mJs1A")
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let value = three.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            out.push(char::from(DIGITS[(value >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

fn percent(text: &str) -> String {
    let coded = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(coded).collect()
}

/// The forms of `secret` that no sink may hold.
fn forms(secret: &str) -> Vec<String> {
    let json = json!(secret).to_string();
    let mut all = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        percent(secret),
        hex(secret),
        hex(secret).to_uppercase(),
    ];
    for before in 0..3 {
        let coded = base64(format!("{}{secret}", "x".repeat(before)).as_bytes());
        // Its ends depend on what stands around it.
        let inside = coded.get(4..coded.len() - 4).unwrap().to_owned();
        all.extend([inside.replace('+', "-").replace('/', "_"), inside]);
    }
    all
}

/// Fails where `text` holds one of `canaries` in any form.
fn assert_none(place: &str, text: &[u8], canaries: &[&str]) {
    for canary in canaries {
        for form in forms(canary) {
            let found = text.windows(form.len()).position(|window| window == form.as_bytes());
            if let Some(at) = found {
                let around = &text[at.saturating_sub(80)..text.len().min(at + 80)];
                panic!(
                    "{place} holds {canary} as {form}: …{}…",
                    String::from_utf8_lossy(around)
                );
            }
        }
    }
}

/// Every file below `folder`.
fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

/// Plants canaries in the home folder, where other programs keep keys, and returns them.
fn plant(sandbox: &Sandbox) -> Vec<String> {
    let places = [
        (
            ".ssh/id_ed25519",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n",
            "canary4b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB",
        ),
        (
            ".aws/credentials",
            "[default]\naws_secret_access_key = ",
            "canary5PxRfiCYzK7MDENGwJalrXUtnFEMIabcd",
        ),
        (".netrc", "machine example.com login me password ", "canary-6-v7Bn32mQ"),
        (
            ".git-credentials",
            "https://me:canary-7-z9Lk54pW@example.com\n#",
            "canary-7-z9Lk54pW",
        ),
    ];
    for (name, before, canary) in places {
        let path = sandbox.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{before}{canary}\n")).unwrap();
    }
    places.map(|(_, _, canary)| canary.to_owned()).to_vec()
}

/// A check that prints its whole environment, as it is and encoded, and what it read of a key, and then fails; it keeps what
/// it saw where the test can look.
const TELLING: &str = r#"
env | tee -a "$HOME/saw.txt"
env | base64 | tee -a "$HOME/saw.txt"
if [ -e bad ]; then cat "$HOME/told.txt"; exit 1; fi
"#;

fn endpoint() -> Server {
    let coded = base64(format!("user:{KEY}").as_bytes());
    Server::start(vec![
        // The header comes back in an error that is worth another try, and in one that is not.
        Scripted::status(
            500,
            &json!({"error": {"message": format!("bad header Authorization: Bearer {KEY}")}}).to_string(),
        ),
        Scripted::reply(&format!("Your key is {KEY}.\n\n{}", whole("a.txt", KEY))),
        Scripted::reply(&whole("bad", "x\n")),
        Scripted::reply(&whole("a.txt", &coded)),
        // What names itself by the key lands, and its name goes into the commit and the record.
        Scripted {
            body: Scripted::reply(&format!("DELETE bad\n\n{}", whole("a.txt", "a\n")))
                .body
                .replace("stub-1", &format!("stub-{KEY}")),
            ..Scripted::status(200, "")
        },
        Scripted::status(
            400,
            &json!({"error": {"message": format!("who is {} or {}?", percent(KEY), hex(KEY))}}).to_string(),
        ),
        Scripted::status(
            401,
            &format!("{{\"error\": {{\"message\": \"Incorrect API key provided: {KEY}\"}}}}"),
        ),
    ])
}

/// A repository with canaries everywhere, and the server that it asks.
struct Scene {
    sandbox: Sandbox,
    server: Server,
    /// In the environment and `.env`.
    live: Vec<String>,
    /// In the home folder.
    home: Vec<String>,
    /// Key-shaped, in a goal and a file of the repository; these are committed by their user.
    committed: Vec<String>,
    /// Key-shaped, in what the check prints.
    printed: String,
}

impl Scene {
    fn set() -> Self {
        let server = endpoint();
        let sandbox = Sandbox::checking(TELLING);
        let home = plant(&sandbox);
        let committed = vec![shaped("ghp_"), shaped("npm_")];
        let printed = shaped("glpat-");
        sandbox.write("config.ini", format!("token = {}\nname = x\n", committed[1]));
        sandbox.commit("a file that should not be there");
        sandbox.write(".env", format!("DB_PASSWORD='{DOTENV}'\nNAME=plain-name-of-it\n"));
        sandbox.write(".git/info/exclude", ".env\n");
        let told = [
            KEY,
            &base64(KEY.as_bytes()),
            OTHER,
            DOTENV,
            &printed,
            "plain-name-of-it\n",
        ]
        .join("\n");
        fs::write(sandbox.home().join("told.txt"), told).unwrap();
        sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
        sandbox.git(&["config", "invisigoth.llm.base-url", &server.url()]);
        sandbox.git(&["config", "invisigoth.llm.model", "stub"]);
        for id in ["a", "b", "c"] {
            let prompt = format!("Use {} please", committed[0]);
            let about = format!("Goal {id}");
            sandbox.ok(&["add", "--id", id, "--file", "config.ini", "--prompt", &prompt, &about]);
        }
        sandbox.commit("goals");
        let live = [KEY, OTHER, DOTENV].map(str::to_owned).to_vec();
        Self {
            sandbox,
            server,
            live,
            home,
            committed,
            printed,
        }
    }

    /// Runs all commands that tell something; returns what they said.
    fn play(&self) -> Vec<String> {
        let commands: [&[&str]; 8] = [
            &["--json", "run", "--max-calls", "9", "--set", "run.max_attempts=5"],
            &["--verbose", "run", "c", "--max-calls", "9"],
            &["show", "a"],
            &["--json", "show", "b"],
            &["--json", "status"],
            &["log"],
            &["prompt", "c"],
            &["doctor"],
        ];
        let environment = [("OPENROUTER_API_KEY", KEY), ("DEPLOY_TOKEN", OTHER)];
        let ran = commands.map(|args| self.sandbox.run_with(args, &environment));
        ran.map(|ran| format!("{}{}", ran.stdout, ran.stderr)).to_vec()
    }

    /// What nobody may have: all but what the user committed.
    fn never(&self) -> Vec<&str> {
        let all = self.live.iter().chain(&self.home).chain([&self.printed]);
        all.map(String::as_str).collect()
    }

    fn all(&self) -> Vec<&str> {
        let committed = self.committed.iter().map(String::as_str);
        self.never().into_iter().chain(committed).collect()
    }

    fn objects(&self) -> Vec<String> {
        let all = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
        self.sandbox.git(&all).lines().map(str::to_owned).collect()
    }

    /// The key stands in its header alone.
    fn assert_requests_clean(&self) {
        let asked = self.server.asked();
        let prompts = asked.iter().filter(|asked| !asked.body.is_empty()).count();
        // Doctor asks about the key, without a word of the repository.
        assert_eq!((asked.len(), prompts), (9, 8));
        for asked in &asked {
            let is_key = |line: &&str| line.to_lowercase().starts_with("authorization:");
            let head: Vec<&str> = asked.head.lines().filter(|line| !is_key(line)).collect();
            assert_none("a request's head", head.join("\n").as_bytes(), &self.all());
            assert_none("a prompt", asked.body.as_bytes(), &self.all());
            if asked.body.is_empty() {
                continue;
            }
            let body: Value = serde_json::from_str(&asked.body).unwrap();
            let prompt = body["messages"][1]["content"].as_str().unwrap();
            assert!(prompt.contains("token = [redacted]\nname = x"), "{prompt}");
            assert!(prompt.contains("Use [redacted] please"), "{prompt}");
        }
        let told = asked.iter().any(|asked| asked.body.contains("plain-name-of-it"));
        assert!(told, "the check's output was not sent back");
    }

    /// Looks at every object; what the user committed stands in those of `before`, and in the copies of the backlog.
    fn assert_objects_clean(&self, before: &[String]) {
        let mut seen = Vec::new();
        for id in self.objects() {
            let show = ["cat-file", "-p", &id];
            let object = self.sandbox.command("git").args(show).output().unwrap().stdout;
            let text = String::from_utf8_lossy(&object);
            let row = text.starts_with("[\n{\"id\":") || text.starts_with("{\"goal\":") && text.contains("\"row\":");
            let secrets = if row || before.contains(&id) {
                self.never()
            } else {
                self.all()
            };
            assert_none(&id, &object, &secrets);
            seen.extend(
                ["\"raw\":", "Goal: a", "\"tokens\":"]
                    .into_iter()
                    .filter(|kind| text.contains(kind)),
            );
        }
        for kind in ["\"raw\":", "Goal: a", "\"tokens\":"] {
            assert!(seen.contains(&kind), "no object with {kind} was looked at");
        }
    }

    /// Looks at the git directory, the caches and the slots, and at what the check saw.
    fn assert_files_clean(&self) {
        let (repo, home) = (self.sandbox.repo(), self.sandbox.home());
        let mut found = vec![home.join("saw.txt")];
        for folder in [repo.join(".git"), home.join(".cache"), home.join(".config")] {
            files(&folder, &mut found);
        }
        assert!(
            found.iter().any(|path| path.ends_with("a.txt")),
            "no slot was looked at"
        );
        for path in found {
            assert_none(&path.display().to_string(), &fs::read(&path).unwrap(), &self.never());
        }
        assert!(fs::read_to_string(home.join("saw.txt")).unwrap().contains("PATH="));
    }
}

#[test]
fn no_canary_leaves_a_run_with_failures() {
    let scene = Scene::set();
    let before = scene.objects();
    let said = scene.play();
    assert_eq!(scene.sandbox.landings("main"), ["a"], "{said:?}");
    assert!(said[1].contains("the provider refuses the key (401)"), "{}", said[1]);
    for said in said {
        assert_none("what a command said", said.as_bytes(), &scene.all());
    }
    scene.assert_requests_clean();
    scene.assert_objects_clean(&before);
    scene.assert_files_clean();
    scene.sandbox.assert_sound();
}

/// Half of a key at the place where a long output is cut would be no key any more, and stay.
#[test]
fn a_key_across_the_cut_of_a_long_output_leaves_no_half() {
    // 512 KiB are kept from the beginning; the key lies across that place.
    let (first, last) = KEY.split_at(9);
    let check = format!(
        "head -c {} /dev/zero | tr '\\0' x; cat \"$HOME/told.txt\"; head -c 2000000 /dev/zero | tr '\\0' y; exit 1\n",
        512 * 1024 - first.len()
    );
    let sandbox = Sandbox::checking(&check);
    fs::write(sandbox.home().join("told.txt"), KEY).unwrap();
    let ran = sandbox.run_with(&["--json", "check"], &[("OPENROUTER_API_KEY", KEY)]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("xxxxx") || said.contains("yyyyy"), "{said}");
    assert!(!said.contains(first) && !said.contains(last), "half of the key is left");
}
