//! `evolve`: the gate on a toy program, what takes its place and when, and what is taken back. The toy is a script that is
//! built by copying it, and measured by reading a number.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::support::{
    Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// Runs "tests", files that say what they need, and prints what `cargo test` prints.
const CHECK: &str = r#"
[ ! -e bad ] || exit 1
passed=0 failed=0
echo "running $(ls tests/*.py | wc -l) tests"
for file in tests/*.py; do
    need=$(sed -n "s/^# needs //p" "$file")
    if [ -e "${need:-.}" ]; then
        echo "test $file ... ok"; passed=$((passed + 1))
    else
        echo "test $file ... FAILED"; failed=$((failed + 1))
    fi
done
if [ $failed = 0 ]; then result=ok; else result=FAILED; fi
echo
echo "test result: $result. $passed passed; $failed failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
[ $failed = 0 ]
"#;

/// The program: says a word, and fails its smoke test where it does not.
const TOOL: &str = "#!/bin/sh\necho works\n";

/// A test that needs nothing.
const OLD: &str = "def test_old():\n    pass\n";

/// Paths and contents.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A repository whose program is `~/bin/tool`, with one metric, `speed`.
struct Toy {
    sandbox: Sandbox,
}

impl Toy {
    fn new() -> Self {
        Self::checking(CHECK, TOOL)
    }

    fn checking(check: &str, tool: &str) -> Self {
        let sandbox = Sandbox::checking(check);
        for (path, content) in [
            ("src/tool.sh", tool),
            ("src/speed", "5\n"),
            ("src/size", "100\n"),
            ("tests/test_old.py", OLD),
            (
                "benches/speed.sh",
                "[ ! -e benches/cheat ] || echo 1000\ncat src/speed\n",
            ),
        ] {
            sandbox.write(path, content);
        }
        sandbox.commit("the tool");
        fs::create_dir_all(sandbox.home().join("bin")).unwrap();
        let toy = Self { sandbox };
        fs::write(toy.tool(), tool).unwrap();
        fs::set_permissions(toy.tool(), fs::Permissions::from_mode(0o755)).unwrap();
        let install = toy.tool();
        for (key, value) in [
            ("build", "mkdir -p out && cp src/tool.sh out/tool && chmod 755 out/tool"),
            ("binary", "out/tool"),
            ("install", install.to_str().unwrap()),
            ("smoke", "\"$NEW\" | grep -q works"),
            ("metric.speed.cmd", "sh benches/speed.sh"),
            ("metric.speed.better", "higher"),
        ] {
            toy.set(key, value);
        }
        toy
    }

    /// A toy whose program hands over to the real one, and says when it was started: `STARTED` in the tool is the file.
    fn of_itself(first: &str) -> Self {
        let toy = Self::checking("# $HOME\ntrue\n", "#!/bin/sh\n");
        let tool = toy.itself(first);
        fs::write(toy.tool(), &tool).unwrap();
        toy.sandbox.write("src/tool.sh", &tool);
        toy.sandbox.commit("the tool proper");
        toy.set("restart", "always");
        toy.set("smoke", "\"$NEW\" --version");
        toy
    }

    /// A program that says `name`, runs `first`, and then is the real one.
    fn itself(&self, name: &str) -> String {
        let started = self.sandbox.home().join("started");
        format!(
            "#!/bin/sh\necho \"{name} $*\" >> {}\n[ \"$1 $2\" != \"{}\" ] || exit 1\nexec {} \"$@\"\n",
            started.display(),
            if name == "crashes" {
                "evolve --first-start"
            } else {
                "never"
            },
            env!("CARGO_BIN_EXE_git-invisigoth"),
        )
    }

    fn tool(&self) -> std::path::PathBuf {
        self.sandbox.home().join("bin/tool")
    }

    fn set(&self, key: &str, value: &str) {
        self.sandbox
            .git(&["config", &format!("invisigoth.evolve.{key}"), value]);
    }

    /// Adds goals, each with its files.
    fn goals(&self, goals: &[(&str, Files<'_>)]) {
        let reply = |files: Files<'_>| {
            let parts: Vec<String> = files.iter().map(|(path, text)| whole(path, text)).collect();
            json!([parts.join("\n")])
        };
        let replies = goals.iter().map(|(id, files)| ((*id).to_owned(), reply(files)));
        self.sandbox.script(Value::Object(replies.collect()));
        for (id, _) in goals {
            self.sandbox.goal(id, &[]);
        }
    }

    /// What `evolve` says became of its goals: `goal verdict`, and the reasons.
    fn evolves(&self) -> (i32, Vec<String>, String) {
        let ran = self.sandbox.run(&["--json", "evolve"]);
        let said: Value = serde_json::from_str(ran.stdout.lines().last().unwrap_or("null")).unwrap();
        let rows = said["goals"].as_array().cloned().unwrap_or_default();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let all = rows
            .iter()
            .map(|row| format!("{} {}", text(row, "goal"), text(row, "verdict")));
        let why: Vec<String> = rows.iter().map(|row| text(row, "reason")).collect();
        (ran.code, all.collect(), format!("{}{}", why.join("\n"), ran.stderr))
    }

    /// The archive as `goal verdict`, the oldest first.
    fn archive(&self) -> Vec<String> {
        let log = self.sandbox.json(&["evolve", "log"]);
        let all = log["variants"].as_array().unwrap().iter().rev();
        all.map(|one| format!("{} {}", one["goal"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
            .collect()
    }

    fn installed(&self) -> String {
        fs::read_to_string(self.tool()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let all = fs::read_dir(self.sandbox.home().join("bin")).unwrap();
        let mut names: Vec<String> = all.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const TWO: &str = "#!/bin/sh\necho works twice\n";

#[test]
fn what_gets_better_lands_and_its_program_takes_the_old_one_s_place() {
    let toy = Toy::new();
    toy.goals(&[("a", &[("src/speed", "6\n"), ("src/tool.sh", TWO)])]);
    let (code, rows, said) = toy.evolves();
    assert_eq!((code, rows.as_slice()), (0, &["a landed".to_owned()][..]), "{said}");
    assert_eq!(toy.sandbox.landings("main"), ["a"]);
    assert_eq!(toy.installed(), TWO);
    assert_eq!(toy.names(), ["tool", "tool.old"]);
    assert_eq!(
        fs::read_to_string(toy.sandbox.home().join("bin/tool.old")).unwrap(),
        TOOL
    );
    let log = toy.sandbox.json(&["evolve", "log"]);
    let variant = &log["variants"][0];
    assert_eq!(
        variant["metrics"],
        json!([{ "name": "speed", "base": 5.0, "now": 6.0 }])
    );
    assert_eq!(
        toy.sandbox.id("refs/invisigoth/variants/a/1"),
        variant["commit"].as_str().unwrap()
    );
    let text = toy.sandbox.ok(&["evolve", "log"]);
    assert!(text.contains("speed 5 → 6"), "{text}");
    // The number of the new base is known: nothing is measured twice.
    toy.goals(&[("b", &[("src/speed", "7\n")])]);
    let ran = toy.sandbox.run(&["evolve"]);
    assert_eq!(ran.stderr.matches("measuring speed").count(), 1, "{}", ran.stderr);
    toy.sandbox.ok(&["verify"]);
    toy.sandbox.assert_sound();
}

#[test]
fn the_new_program_goes_on_with_the_next_goal() {
    let toy = Toy::of_itself("one");
    let two = toy.itself("two");
    toy.goals(&[
        ("a", &[("src/speed", "6\n"), ("src/tool.sh", &two)]),
        ("b", &[("src/speed", "7\n")]),
    ]);
    let mut old = toy.sandbox.command(toy.tool().to_str().unwrap());
    let ran = crate::support::Ran::of(&old.args(["--json", "evolve"]).output().unwrap());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let landed: Vec<&str> = last["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["goal"].as_str().unwrap())
        .collect();
    assert_eq!(landed, ["a", "b"], "the new program tells of the old one's goals too");
    assert_eq!(ran.stdout.lines().count(), 1);
    let started = fs::read_to_string(toy.sandbox.home().join("started")).unwrap();
    let started: Vec<&str> = started.lines().collect();
    assert_eq!(
        started,
        [
            "one --json evolve",
            "two --version",
            "two evolve --first-start",
            "two --json evolve --continue",
            "two --version",
            "two evolve --first-start",
        ]
    );
    assert_eq!(toy.sandbox.landings("main"), ["a", "b"]);
}

#[test]
fn what_the_gate_refuses_leaves_target_and_program_as_they_were() {
    let faster = ("src/speed", "6\n");
    let rows: [(&str, Files<'_>, &str); 8] = [
        ("slower", &[("src/speed", "4\n")], "makes worse: speed from 5 to 4"),
        ("same", &[("README", "x\n")], "makes no metric better"),
        ("mute", &[("src/speed", "fast\n")], "its last word is no number"),
        ("cheat", &[("benches/cheat", "x\n")], "makes no metric better"),
        (
            "broken",
            &[faster, ("src/tool.sh", "#!/bin/sh\nexit 3\n")],
            "fails its smoke test: `\"$NEW\" | grep -q works`: exit 1",
        ),
        (
            "gone",
            &[faster, ("src/tool.sh", "#!/bin/sh\necho works\n"), ("src/no", "x\n")],
            "it does not build",
        ),
        (
            "fat",
            &[faster, ("src/size", "111\n")],
            "makes worse: size from 100 to 111",
        ),
        ("sly", &[faster, ("src/secret", "x\n")], "a held-out check fails"),
    ];
    let toy = Toy::new();
    toy.set(
        "build",
        "test ! -e src/no && mkdir -p out && cp src/tool.sh out/tool && chmod 755 out/tool",
    );
    toy.set("holdout", "test ! -e src/secret");
    toy.set("metric.size.cmd", "cat src/size");
    toy.set("metric.size.better", "lower");
    toy.set("metric.size.tolerance", "10%");
    let goals: Vec<(&str, Files<'_>)> = rows.iter().map(|(id, files, _)| (*id, *files)).collect();
    toy.goals(&goals);
    toy.sandbox.ok(&["list"]);
    let (code, verdicts, said) = toy.evolves();
    assert_eq!(code, 3, "{said}");
    let code = toy.sandbox.code("main");
    for (id, _, why) in rows {
        assert!(
            verdicts.contains(&format!("{id} refused")),
            "{id}: {verdicts:?}\n{said}"
        );
        assert!(said.contains(why), "{id}: {why}\n{said}");
        assert_eq!(toy.sandbox.state(id), "failed", "{id}");
    }
    assert_eq!(toy.archive().len(), 8);
    assert_eq!(
        (toy.installed().as_str(), toy.sandbox.landings("main").len()),
        (TOOL, 0)
    );
    assert_eq!(toy.names(), ["tool"]);
    // A refused goal is not tried again by itself, nor landed by others.
    toy.sandbox.run(&["run"]);
    let (again, verdicts, _) = toy.evolves();
    assert_eq!((again, verdicts.len()), (0, 0));
    assert_eq!(toy.sandbox.code("main"), code);
    toy.sandbox.assert_sound();
}

#[test]
fn a_test_that_turns_green_is_enough() {
    let toy = Toy::new();
    toy.goals(&[(
        "a",
        &[
            ("src/feature", "x\n"),
            ("tests/test_new.py", "# needs src/feature\ndef test_new():\n    pass\n"),
        ],
    )]);
    let (code, rows, said) = toy.evolves();
    assert_eq!((code, rows.as_slice()), (0, &["a landed".to_owned()][..]), "{said}");
    assert_eq!(toy.sandbox.json(&["evolve", "log"])["variants"][0]["red_green"], 1);
}

#[test]
fn what_edits_the_ratchet_or_a_test_is_held_and_ci_is_refused() {
    let toy = Toy::new();
    toy.sandbox.write("tools/count.sh", "echo 1\n");
    toy.sandbox.commit("another script");
    toy.set("metric.count.cmd", "sh tools/count.sh");
    toy.set("metric.count.better", "higher");
    let faster = ("src/speed", "6\n");
    toy.goals(&[
        ("bench", &[faster, ("benches/speed.sh", "echo 100\n")]),
        ("script", &[faster, ("tools/count.sh", "echo 2\n")]),
        (
            "test",
            &[faster, ("tests/test_old.py", "# as ever\ndef test_old():\n    pass\n")],
        ),
        ("workflow", &[faster, (".github/workflows/ci.yml", "on: push\n")]),
    ]);
    let (code, rows, said) = toy.evolves();
    assert_eq!(code, 3, "{said}");
    assert_eq!(
        rows,
        ["bench held", "script held", "test held", "workflow failed"],
        "{said}"
    );
    assert!(
        said.contains("touches tools/count.sh (`evolve` measures with it)"),
        "{said}"
    );
    for id in ["bench", "script", "test"] {
        assert_eq!(toy.sandbox.state(id), "held");
    }
    // No run lands it either; a person does.
    toy.sandbox.run(&["run"]);
    assert!(toy.sandbox.landings("main").is_empty());
    assert_eq!(toy.installed(), TOOL);
    toy.sandbox.ok(&["merge", "test"]);
    assert_eq!(toy.sandbox.landings("main"), ["test"]);
}

#[test]
fn a_program_that_crashes_at_its_first_start_is_rolled_back_and_its_landing_undone() {
    let toy = Toy::of_itself("one");
    let crashes = toy.itself("crashes");
    toy.goals(&[("a", &[("src/speed", "6\n"), ("src/tool.sh", &crashes)])]);
    let (old, code) = (toy.installed(), toy.sandbox.code("main"));
    let (exit, rows, said) = toy.evolves();
    assert_eq!(
        (exit, rows.as_slice()),
        (3, &["a rolled_back".to_owned()][..]),
        "{said}"
    );
    assert!(said.contains("the new program does not start"), "{said}");
    assert_eq!((toy.installed(), toy.sandbox.code("main")), (old, code));
    assert_eq!(toy.sandbox.state("a"), "held");
    assert_eq!(toy.archive(), ["a rolled_back"]);
    toy.sandbox.ok(&["verify"]);
    toy.sandbox.assert_sound();
}

#[test]
fn a_disk_that_is_full_leaves_the_old_program() {
    for point in ["program-staged", "program-kept", "program-swapped"] {
        let toy = Toy::new();
        toy.goals(&[("a", &[("src/speed", "6\n"), ("src/tool.sh", TWO)])]);
        let ran = toy
            .sandbox
            .run_with(&["evolve"], &[("INVISIGOTH_FAULT", &format!("{point}:enospc"))]);
        assert_eq!(ran.code, 1, "{point}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("No space left"), "{point}: {}", ran.stderr);
        assert_eq!(toy.installed(), TOOL, "{point}");
        // With room again, it goes on from there.
        let (code, rows, said) = toy.evolves();
        assert_eq!(
            (code, rows.as_slice()),
            (0, &["a landed".to_owned()][..]),
            "{point}: {said}"
        );
        assert_eq!(toy.installed(), TWO, "{point}");
        assert_eq!(toy.sandbox.landings("main"), ["a"], "{point}");
        assert_eq!(toy.names(), ["tool", "tool.old"], "{point}");
    }
}

#[test]
fn a_ref_that_cannot_be_written_leaves_no_variant_out_of_the_archive() {
    let mut struck = 0;
    for nth in 1.. {
        let toy = Toy::new();
        toy.goals(&[("a", &[("src/speed", "6\n"), ("src/tool.sh", TWO)])]);
        let fault = format!("ref-moved:eio:{nth}");
        let ran = toy.sandbox.run_with(&["evolve"], &[("INVISIGOTH_FAULT", &fault)]);
        if ran.code == 0 {
            break;
        }
        struck += 1;
        assert_eq!(ran.code, 1, "{fault}: {}{}", ran.stdout, ran.stderr);
        let (code, _, said) = toy.evolves();
        assert_eq!(code, 0, "{fault}: {said}");
        assert_eq!(toy.archive(), ["a landed"], "{fault}");
        assert_eq!(
            (toy.installed(), toy.sandbox.landings("main")),
            (TWO.to_owned(), vec!["a".to_owned()]),
            "{fault}"
        );
    }
    // The variant, and what is said of it.
    assert!(struck >= 2, "{struck}");
}

#[test]
fn what_a_kill_cut_short_is_finished_or_rolled_back_once() {
    let faults = [
        "program-staged:kill-after",
        "program-kept:kill-after",
        "landed-moved:kill-after",
        "program-swapped:kill",
        "program-swapped:kill-after",
        "process-replaced:kill",
    ];
    for fault in faults {
        let toy = Toy::of_itself("one");
        let two = toy.itself("two");
        toy.goals(&[
            ("a", &[("src/speed", "6\n"), ("src/tool.sh", &two)]),
            ("b", &[("src/speed", "7\n")]),
        ]);
        let ran = toy.sandbox.run_with(&["evolve"], &[("INVISIGOTH_FAULT", fault)]);
        assert_eq!(ran.code, -1, "{fault}: {}{}", ran.stdout, ran.stderr);
        let (code, _, said) = toy.evolves();
        assert_eq!(code, 0, "{fault}: {said}");
        assert_eq!(toy.installed(), two, "{fault}");
        assert_eq!(toy.sandbox.landings("main"), ["a", "b"], "{fault}");
        assert_eq!(toy.archive(), ["a landed", "b landed"], "{fault}");
        toy.sandbox.assert_sound();
    }
    for fault in [
        "program-restored:kill",
        "program-restored:kill-after",
        "landed-moved:kill-after:2",
    ] {
        let toy = Toy::of_itself("one");
        let crashes = toy.itself("crashes");
        toy.goals(&[("a", &[("src/speed", "6\n"), ("src/tool.sh", &crashes)])]);
        let (old, code) = (toy.installed(), toy.sandbox.code("main"));
        let ran = toy.sandbox.run_with(&["evolve"], &[("INVISIGOTH_FAULT", fault)]);
        assert_eq!(ran.code, -1, "{fault}: {}{}", ran.stdout, ran.stderr);
        let (exit, rows, said) = toy.evolves();
        assert_eq!(
            (exit, rows.as_slice()),
            (3, &["a rolled_back".to_owned()][..]),
            "{fault}: {said}"
        );
        assert_eq!((toy.installed(), toy.sandbox.code("main")), (old, code), "{fault}");
        assert_eq!(
            (toy.archive(), toy.sandbox.state("a")),
            (vec!["a rolled_back".to_owned()], "held".to_owned()),
            "{fault}"
        );
        toy.sandbox.assert_sound();
    }
}

#[test]
fn two_at_once_and_the_second_ends_with_8() {
    let pausing = format!("if grep -qs 6 src/speed; then{PAUSE}fi\n{CHECK}");
    let toy = Toy::checking(&pausing, TOOL);
    toy.goals(&[("a", &[("src/speed", "6\n")])]);
    let mut pause = Pause::new(&toy.sandbox);
    let first = pause.start(&toy.sandbox, &["evolve"]);
    let second = toy.sandbox.run(&["evolve"]);
    assert_eq!(second.code, 8, "{}", second.stderr);
    assert!(
        second
            .stderr
            .contains("another `evolve` is at work in this clone (process "),
        "{}",
        second.stderr
    );
    pause.go();
    let ran = first.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(toy.sandbox.landings("main"), ["a"]);
}

#[test]
fn a_tracked_file_sets_up_nothing() {
    let evolve = "[evolve]\nbuild = [\"true\"]\nbinary = \"x\"\nsmoke = [\"true\"]\n[evolve.metric.easy]\ncmd = \"echo 1\"\nbetter = \"higher\"\n";
    let tracked = format!("[check]\ntest = [\"sh check.sh\"]\n{evolve}");
    let alone = Sandbox::ready();
    alone.write("invisigoth.toml", &tracked);
    alone.commit("weak");
    let ran = alone.run(&["evolve"]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    for said in [
        "`evolve.build` does not count in a tracked file",
        "`evolve.metric.easy` does not count in a tracked file",
        "error: `evolve.binary` is not set",
    ] {
        assert!(ran.stderr.contains(said), "{said}\n{}", ran.stderr);
    }
    let toy = Toy::new();
    toy.sandbox.write("invisigoth.toml", &tracked);
    toy.sandbox.commit("weak");
    let dry = toy.sandbox.json(&["evolve", "--dry-run"]);
    assert_eq!(dry["metrics"], json!(["speed"]));
    assert_eq!(dry["base"], json!(["benches", "benches/speed.sh", "tests"]));
}

#[test]
fn goals_are_named_or_labelled_or_all() {
    let toy = Toy::new();
    toy.goals(&[
        ("a", &[("src/speed", "6\n")]),
        ("b", &[("src/speed", "7\n")]),
        ("c", &[("src/speed", "8\n")]),
    ]);
    let would = |args: &[&str]| toy.sandbox.json(&[&["evolve", "--dry-run"], args].concat())["goals"].clone();
    assert_eq!(would(&[]), json!(["a", "b", "c"]));
    assert_eq!(would(&["--max", "2"]), json!(["a", "b"]));
    assert_eq!(would(&["--goal", "c", "a"]), json!(["c", "a"]));
    let pending = toy.sandbox.read("memory/pending_goals.json");
    let labelled = pending.replace("\"id\":\"b\"", "\"id\":\"b\",\"labels\":[\"evolve\"]");
    assert_ne!(pending, labelled, "{pending}");
    toy.sandbox.write("memory/pending_goals.json", labelled);
    assert_eq!(would(&[]), json!(["b"]));
    let (code, rows, said) = toy.evolves();
    assert_eq!((code, rows.as_slice()), (0, &["b landed".to_owned()][..]), "{said}");
    toy.sandbox.ok(&["evolve", "--goal", "c"]);
    assert_eq!(toy.sandbox.landings("main"), ["b", "c"]);
}

#[test]
fn bad_settings_and_goals_are_named_before_anything_happens() {
    let toy = Toy::new();
    toy.goals(&[("a", &[("src/speed", "6\n")]), ("h", &[("src/speed", "6\n")])]);
    toy.sandbox.ok(&["hold", "h"]);
    let refs = toy.sandbox.refs();
    let gone = toy.sandbox.home().join("bin/none");
    let install = format!("evolve.install={}", gone.display());
    let rows: [(&[&str], i32, &str); 12] = [
        (&["--goal", "nosuch"], 1, "there is no goal nosuch"),
        (&["--goal", "h"], 5, "goal h is held"),
        (&["--set", "evolve.build=[]"], 7, "`evolve.build` is not set"),
        (&["--set", "evolve.binary="], 7, "`evolve.binary` is not set"),
        (
            &["--set", "evolve.binary=/bin/sh"],
            7,
            "must be a path in the repository",
        ),
        (&["--set", "evolve.smoke=[]"], 7, "`evolve.smoke` is not set"),
        (&["--set", "evolve.install=bin/tool"], 7, "must be a path from the root"),
        (&["--set", &install], 7, "there is no program at"),
        (
            &["--set", "evolve.metric.x.cmd=true"],
            7,
            "`evolve.metric.x.better` is missing",
        ),
        (
            &["--set", "evolve.metric.speed.tolerance=much"],
            7,
            "is no number and no part such as `2%`",
        ),
        (&["--set", "sync.remote=origin"], 7, "lands in this clone alone"),
        (
            &["--set", "evolve.metric.speed.cmd=false"],
            7,
            "the base cannot be measured",
        ),
    ];
    for (args, code, said) in rows {
        let ran = toy.sandbox.run(&[&["evolve"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        if args.last() != Some(&"evolve.metric.speed.cmd=false") {
            assert_eq!(toy.sandbox.refs(), refs, "{args:?}");
        }
    }
    assert_eq!(
        (toy.installed().as_str(), toy.sandbox.landings("main").len()),
        (TOOL, 0)
    );
}
