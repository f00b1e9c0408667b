//! What a night may be given in the evening: one table whose rows are the words of the specification. Each row: what is
//! wrong, what is typed, how it ends, what is said and to be typed next, and how often the server was asked; nothing is
//! lost, and once it is mended the goal lands, once.
//!
//! Here: caps of zero in each unit, keys that are refused, a receiver that hangs, a clock that was set back a year, memory
//! files damaged by hand. Elsewhere: a cap that nobody raises until the window ends and no key at all (`night`), what
//! receivers get (`notify`), a service without linger (`service`), rows of the backlog that are wrong (`bad_input`).

use std::{fs, net::TcpListener, panic, thread};

use serde_json::json;

use crate::support::{
    Ran, Sandbox,
    server::{Scripted, Server},
    whole,
};

const KEY: &str = "sk-canary-0f1e2d3c4b5a";
/// Long enough for what ends by itself.
const NIGHT: &[&str] = &["run", "--for", "10m"];
const ONCE: &[&str] = &["run"];
const MEND: &str = "mend memory/";
const SETTLE: &str = "`git invisigoth settle` merges both sides goal by goal; nothing was changed";
const VALID_KEY: &str = "put a valid key into the environment variable that `llm.key_env` names";

/// A repository in which `z` landed and `a` is ready, and an endpoint at known prices.
struct Scene {
    sandbox: Sandbox,
    server: Server,
    /// A receiver that accepts, and never answers.
    hook: TcpListener,
}

impl Scene {
    fn new(answer: Scripted) -> Self {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"z": [whole("z.txt", "z\n")]}));
        sandbox.goal("z", &[]);
        sandbox.ok(&["run"]);
        sandbox.goal("a", &["z"]);
        sandbox.commit("goals");
        let scene = Self {
            sandbox,
            server: Server::start(vec![answer]),
            hook: TcpListener::bind("127.0.0.1:0").unwrap(),
        };
        for (key, value) in [
            ("llm.provider", "openrouter"),
            ("llm.base-url", &scene.server.url()),
            ("llm.model", "stub"),
            ("llm.usd-per-mtok-in", "1"),
            ("llm.usd-per-mtok-out", "1"),
        ] {
            scene.set(key, value);
        }
        scene
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.sandbox.run_with(args, &[("OPENROUTER_API_KEY", KEY)])
    }

    fn set(&self, key: &str, value: &str) {
        self.sandbox.git(&["config", &format!("invisigoth.{key}"), value]);
    }

    /// Puts `text` into a memory file; commits it where told.
    fn damage(&self, name: &str, text: &str, is_committed: bool) {
        self.sandbox.write(&format!("memory/{name}"), text);
        if is_committed {
            self.sandbox.commit("damage");
        }
    }
}

/// A row of the table.
struct Row {
    name: String,
    answer: Scripted,
    wrong: Box<dyn Fn(&Scene) + Sync>,
    args: &'static [&'static str],
    code: i32,
    /// Standard error or, for results, standard output holds it.
    says: String,
    /// What the line after `hint: ` begins with; empty where there is none.
    hint: &'static str,
    calls: usize,
    /// The memory file that a person's commit broke: it stays in the history, and `verify` names it.
    broke: Option<&'static str>,
    mend: Box<dyn Fn(&Scene) + Sync>,
}

impl Row {
    /// What is `wrong` ends with exit `code`, and says `says`.
    fn new(
        name: impl Into<String>,
        wrong: impl Fn(&Scene) + Sync + 'static,
        (code, says): (i32, impl Into<String>),
    ) -> Self {
        Self {
            name: name.into(),
            answer: Scripted::reply(&whole("a.txt", "a\n")),
            wrong: Box::new(wrong),
            args: ONCE,
            code,
            says: says.into(),
            hint: "",
            calls: 0,
            broke: None,
            mend: Box::new(|_| {}),
        }
    }

    fn night(self) -> Self {
        Self { args: NIGHT, ..self }
    }

    fn answer(self, answer: Scripted) -> Self {
        Self { answer, ..self }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    fn calls(self, calls: usize) -> Self {
        Self { calls, ..self }
    }

    fn broke(self, name: Option<&'static str>) -> Self {
        Self { broke: name, ..self }
    }

    fn mend(self, mend: impl Fn(&Scene) + Sync + 'static) -> Self {
        Self {
            mend: Box::new(mend),
            ..self
        }
    }

    fn check(&self) {
        let scene = Scene::new(self.answer.clone());
        let sandbox = &scene.sandbox;
        (self.wrong)(&scene);
        let before = sandbox.git(&["status", "--porcelain"]);
        let ran = scene.run(self.args);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, self.code, "exit code\n{all}");
        assert!(all.contains(&self.says), "says nothing of {:?}\n{all}", self.says);
        let hint = ran.stderr.split_once("\nhint: ").map_or("", |(_, hint)| hint);
        assert!(
            hint.starts_with(self.hint) && hint.is_empty() == self.hint.is_empty(),
            "hint\n{all}"
        );
        assert!(!all.contains(KEY) && !all.contains("panicked"), "{all}");
        assert_eq!(scene.server.asked().len(), self.calls, "calls\n{all}");
        assert_eq!(sandbox.git(&["status", "--porcelain"]), before, "working tree or index");
        sandbox.assert_sound();
        // What had landed is in, and what had not lands when all is well again; nothing is asked for twice.
        (self.mend)(&scene);
        let ran = scene.run(ONCE);
        assert_eq!(ran.code, 0, "mended\n{}{}", ran.stdout, ran.stderr);
        assert_eq!(sandbox.landings("main"), ["z", "a"]);
        for goal in ["z", "a"] {
            assert_eq!(sandbox.state(goal), "landed", "{goal}");
        }
        let verified = sandbox.run(&["verify"]);
        let all = format!("{}{}", verified.stdout, verified.stderr);
        assert_eq!(verified.code, if self.broke.is_some() { 3 } else { 0 }, "{all}");
        for line in all.lines().filter(|line| line.contains("  found  ")) {
            let name = self.broke.unwrap_or("nothing");
            assert!(line.contains(&format!("reading memory/{name}: line 1")), "{all}");
        }
        assert!(scene.server.asked().len() <= self.calls.max(1), "asked again");
        sandbox.assert_sound();
        assert!(!sandbox.holds(KEY), "the key is kept");
    }
}

fn caps() -> Vec<Row> {
    let mut rows = Vec::new();
    for (scope, of, hint) in [
        ("", "this run", "`git invisigoth budget raise --run "),
        ("day-", "this day (UTC)", "`git invisigoth budget raise --day "),
    ] {
        for unit in ["usd", "calls", "tokens", "minutes"] {
            let key = format!("budget.{scope}max-{unit}");
            let lifted = key.clone();
            let name = format!("caps of zero: {key}");
            let says = format!("error: the budget of {of} is used up: ");
            let row = Row::new(name, move |scene| scene.set(&key, "0"), (6, says));
            rows.push(row.hint(hint).mend(move |scene| lift(scene, &lifted)));
        }
    }
    for (unit, raise) in [
        ("usd", "git invisigoth budget raise a "),
        ("calls", "git invisigoth budget raise --goals --calls 1"),
    ] {
        let key = format!("budget.goal-max-{unit}");
        let lifted = key.clone();
        let name = format!("caps of zero: {key}");
        let row = Row::new(name, move |scene| scene.set(&key, "0"), (3, raise));
        rows.push(row.mend(move |scene| lift(scene, &lifted)));
    }
    rows
}

fn lift(scene: &Scene, key: &str) {
    scene.sandbox.git(&["config", "--unset", &format!("invisigoth.{key}")]);
}

fn keys() -> Vec<Row> {
    let by_script = |scene: &Scene| scene.sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    let of = |name: &str, status: u16, says: &str, hint| {
        let row = Row::new(name, |_| {}, (7, format!("error: {says}")));
        let row = row.answer(Scripted::status(status, "{}")).hint(hint);
        row.night().calls(1).mend(by_script)
    };
    vec![
        of("expired key", 401, "the provider refuses the key (401)", VALID_KEY),
        of(
            "key without rights",
            403,
            "the provider refuses the key (403)",
            VALID_KEY,
        ),
        of(
            "account without credit",
            402,
            "the account has no credit left",
            "add credit to the provider's account",
        ),
    ]
}

fn surroundings() -> Vec<Row> {
    let hangs = |scene: &Scene| {
        let url = format!("http://{}/hook", scene.hook.local_addr().unwrap());
        scene.set("notify.webhook", &url);
    };
    let told = "1 notification did not go out: ";
    vec![
        Row::new("webhook that hangs", hangs, (0, told)).calls(1).mend(|scene| {
            assert_eq!(scene.sandbox.landings("main"), ["z", "a"], "the receiver delayed it");
        }),
        Row::new("clock back one year", a_year_ahead, (0, "1 landed")).calls(1),
        Row::new(
            "clock back one year, and the day's cap was reached then",
            |scene| {
                a_year_ahead(scene);
                scene.set("budget.day-max-calls", "1");
            },
            (
                6,
                "error: the budget of this day (UTC) is used up: 1 of 1 model calls made",
            ),
        )
        .hint("`git invisigoth budget raise --day --calls 2`")
        .mend(|scene| lift(scene, "budget.day-max-calls")),
    ]
}

/// A clock that was a year ahead when `z` landed: what it left in ledger, lines of runs and locks is of then.
fn a_year_ahead(scene: &Scene) {
    let sandbox = &scene.sandbox;
    let ours = sandbox.path(".git/invisigoth");
    let now = sandbox.json(&["report"])["at"].as_str().unwrap().to_owned();
    let year: i32 = now.split_once('-').unwrap().0.parse().unwrap();
    let mut dated = 0;
    for name in ["spending.jsonl", "runs.jsonl"] {
        let text = fs::read_to_string(ours.join(name)).unwrap();
        let ahead = text.replace(&format!("\"{year}-"), &format!("\"{}-", year + 1));
        dated += usize::from(ahead != text);
        fs::write(ours.join(name), ahead).unwrap();
    }
    assert!(dated > 0, "nothing there bears a date");
    let later = format!("{}-06-01", year + 1);
    for name in ["spending.jsonl", "runs.jsonl"] {
        let touched = sandbox.sh("touch", &["-d", &later, ours.join(name).to_str().unwrap()]);
        assert_eq!(touched.code, 0, "{}", touched.stderr);
    }
}

/// Each file, damaged in each way, in the checkout or in a commit of a person.
fn memory() -> Vec<Row> {
    const TORN: &str = "[{";
    const MARKS: &str = "<<<<<<< HEAD\n[\n=======\n]\n>>>>>>> other\n";
    let mut rows = Vec::new();
    for (name, is_committed, calls) in [
        ("pending_goals.json", false, 0),
        // What closes a goal is read when one is closed: the candidate waits until it can be.
        ("completed_goals.json", true, 1),
        ("history.json", true, 0),
    ] {
        for (what, text, hint) in [
            ("torn", TORN, MEND),
            ("unmerged", MARKS, SETTLE),
            ("no text", "[\"\0\"]", MEND),
        ] {
            let place = if is_committed { "committed" } else { "on disk" };
            let damage = move |scene: &Scene| scene.damage(name, text, is_committed);
            let row = Row::new(
                format!("{name} {what}, {place}"),
                damage,
                (1, format!("error: memory/{name}: line 1")),
            );
            let row = row.hint(hint).calls(calls).broke(is_committed.then_some(name));
            rows.push(row.mend(move |scene| mended(scene, name, is_committed)));
        }
    }
    // Only landings write these: what a person did to them in the checkout stays there, and results wait beside it.
    for (name, what, text) in [
        ("completed_goals.json", "torn", TORN),
        ("history.json", "unmerged", MARKS),
        ("history.json", "emptied", ""),
    ] {
        let damage = move |scene: &Scene| scene.damage(name, text, false);
        let says = format!("beside the branch: your changes in memory/{name} would be overwritten");
        let row = Row::new(format!("{name} {what}, on disk"), damage, (0, says));
        rows.push(row.calls(1).mend(move |scene| mended(scene, name, false)));
    }
    let prompt = |scene: &Scene| scene.damage("master_prompt.txt", MARKS, true);
    rows.push(Row::new("master_prompt.txt unmerged, committed", prompt, (0, "1 landed")).calls(1));
    let folder = |scene: &Scene| {
        let path = scene.sandbox.path("memory/pending_goals.json");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    };
    let says = "beside the branch: your changes in memory/pending_goals.json would be overwritten";
    let row = Row::new("pending_goals.json a folder, on disk", folder, (0, says)).calls(1);
    rows.push(row.mend(|scene| {
        fs::remove_dir(scene.sandbox.path("memory/pending_goals.json")).unwrap();
        scene.sandbox.git(&["checkout", "-q", "--", "memory"]);
    }));
    rows
}

fn mended(scene: &Scene, name: &str, is_committed: bool) {
    let path = format!("memory/{name}");
    match is_committed {
        true => {
            scene.sandbox.git(&["checkout", "-q", "HEAD~1", "--", &path]);
            scene.sandbox.commit("mended");
        }
        false => drop(scene.sandbox.git(&["checkout", "-q", "--", &path])),
    }
}

#[test]
fn nothing_that_a_night_is_given_loses_anything_or_is_paid_for_in_vain() {
    let rows: Vec<Row> = [caps(), keys(), surroundings(), memory()]
        .into_iter()
        .flatten()
        .collect();
    let failed: Vec<&str> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..4)
            .map(|lane| {
                let own: Vec<&Row> = rows.iter().skip(lane).step_by(4).collect();
                scope.spawn(move || {
                    let fails = |row: &&&Row| {
                        let failed = panic::catch_unwind(panic::AssertUnwindSafe(|| row.check())).is_err();
                        if failed {
                            eprintln!("^ in the row: {}", row.name);
                        }
                        failed
                    };
                    own.iter()
                        .filter(fails)
                        .map(|row| row.name.as_str())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "rows that failed: {failed:#?}");
}

/// A disk that is full when git has written the files of a fast-forward, but not its index: that is no hand edit.
const CUT_SHORT: &str = r#"PATH=${PATH#*:}
case "$*" in
*"merge --ff-only"*)
    if [ ! -e "$HOME/cut" ]; then
        : >"$HOME/cut"
        for to; do :; done
        cp .git/index "$HOME/index"
        GIT_INDEX_FILE="$HOME/index" git read-tree -m -u HEAD "$to"
        echo "fatal: unable to write new index file" >&2
        exit CODE
    fi
    ;;
esac
exec git "$@""#;

#[test]
fn a_fast_forward_that_a_full_disk_cut_short_is_done_again() {
    for code in ["1", "128"] {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
        sandbox.goal("a", &[]);
        sandbox.goal("b", &["a"]);
        sandbox.commit("goals");
        let path = sandbox.with_program("git", &CUT_SHORT.replace("CODE", code));
        let ran = Ran::of(&sandbox.invisigoth(&["run", "a"]).env("PATH", path).output().unwrap());
        assert!(sandbox.home().join("cut").exists(), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        sandbox.ok(&["run"]);
        assert_eq!(sandbox.landings("main"), ["a", "b"]);
        assert!(!sandbox.git(&["log", "--format=%s"]).contains("Record edits"));
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
        sandbox.assert_sound();
    }
}
