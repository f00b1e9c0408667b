//! Scenes: repositories in which a command has something to do, what comes next, and what must be true in the end.
//!
//! A person works in each of them: a file changed, one staged and changed again, one untracked, one ignored.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::support::{NOT_BAD, Sandbox, whole};

/// A repository, a command, and what follows.
pub struct Scene {
    /// Its name.
    pub name: &'static str,
    /// Makes the repository.
    pub make: fn() -> Sandbox,
    /// The command that the fault strikes.
    pub args: &'static [&'static str],
    /// The command after it; both may be told to do something already done.
    pub next: &'static [&'static str],
    /// What a person does after that, so that everything can end.
    pub then: fn(&Sandbox),
    /// Changed files that the command or that person takes in.
    pub given_up: &'static [&'static str],
    /// Goals that landed in the end, in any order.
    pub landed: &'static [&'static str],
    /// What else must be true in the end.
    pub holds: fn(&Sandbox),
}

/// Every scene.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "a night beside a person",
        make: night,
        args: &["run"],
        next: &["run"],
        then: nothing,
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: |sandbox| assert_eq!(sandbox.read("b.txt"), "b\n"),
    },
    Scene {
        name: "nobody has the target checked out",
        make: elsewhere,
        args: &["run"],
        next: &["run"],
        then: nothing,
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: nothing,
    },
    Scene {
        name: "results wait beside the checkout",
        make: beside,
        args: &["run"],
        next: &["run"],
        then: |sandbox| {
            sandbox.git(&["checkout", "-q", "greet.txt"]);
            sandbox.ok(&["run"]);
        },
        given_up: &["greet.txt"],
        landed: &["a", "b", "c", "g"],
        holds: |sandbox| assert_eq!(sandbox.read("greet.txt"), "new\n"),
    },
    Scene {
        name: "candidates that wait",
        make: candidates,
        args: &["merge"],
        next: &["merge"],
        then: |sandbox| _ = sandbox.ok(&["run"]),
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: nothing,
    },
    Scene {
        name: "linear history",
        make: linear,
        args: &["run"],
        next: &["run"],
        // A row of one landing comes with the next.
        then: |sandbox| _ = sandbox.ok(&["rebuild"]),
        given_up: &[],
        landed: &[],
        holds: |sandbox| {
            let goals = sandbox.git(&["log", "--format=%(trailers:key=Goal,valueonly,separator=%x20)", "main"]);
            let mut goals: Vec<&str> = goals.split_whitespace().collect();
            goals.sort_unstable();
            assert_eq!(goals, ["a", "b", "c"]);
        },
    },
    Scene {
        name: "undo",
        make: landed,
        args: &["undo", "c"],
        next: &["status"],
        then: |sandbox| {
            if sandbox.state("c") == "landed" {
                sandbox.ok(&["undo", "c"]);
            }
            sandbox.ok(&["run"]);
        },
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: |sandbox| {
            assert_eq!(sandbox.state("c"), "held");
            let undone = sandbox.git(&["log", "--format=%s", "--grep", "^Undo: c$", "main"]);
            assert_eq!(undone.lines().count(), 1, "{undone}");
            assert!(!sandbox.path("c.txt").exists());
        },
    },
    Scene {
        name: "a person's revert, settled",
        make: reverted,
        args: &["settle"],
        next: &["settle"],
        then: nothing,
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: |sandbox| assert_eq!(sandbox.state("c"), "held"),
    },
    Scene {
        name: "a goal added by hand",
        make: hand_edit,
        args: &["run"],
        next: &["run"],
        then: nothing,
        given_up: &["memory/pending_goals.json"],
        landed: &["a", "b", "c", "h"],
        holds: |sandbox| assert_eq!(sandbox.git(&["show", "HEAD:memory/pending_goals.json"]), "[]"),
    },
    Scene {
        name: "a goal added by command",
        make: ready,
        args: &["add", "--id", "n", "Goal n"],
        next: &["status"],
        then: |sandbox| {
            if sandbox.run(&["show", "n"]).code != 0 {
                sandbox.ok(&["add", "--id", "n", "Goal n"]);
            }
            sandbox.ok(&["run"]);
        },
        given_up: &["memory/pending_goals.json"],
        landed: &["a", "b", "c", "n"],
        holds: nothing,
    },
    Scene {
        name: "a program that improves itself",
        make: evolving,
        args: &["evolve"],
        next: &["evolve"],
        then: nothing,
        given_up: &[],
        landed: &["a", "b", "c"],
        holds: |sandbox| {
            let bin = sandbox.home().join("bin");
            assert_eq!(fs::read(bin.join("tool")).unwrap(), NEW_TOOL.as_bytes());
            assert!(!bin.join("tool.new").exists());
            let log = sandbox.json(&["evolve", "log"]);
            let all = log["variants"].as_array().unwrap();
            let landed = all.iter().filter(|variant| variant["verdict"] == "landed");
            assert_eq!(landed.count(), 3, "{log}");
        },
    },
];

/// What goal `b` makes of the program.
const NEW_TOOL: &str = "#!/bin/sh\necho new\n";

fn nothing(_: &Sandbox) {}

/// Makes a copy of everything, in a home of its own.
pub fn twin(of: &Sandbox) -> Sandbox {
    let twin = Sandbox::empty();
    let mut all = of.home().as_os_str().to_owned();
    all.push("/.");
    let copied = twin.command("cp").arg("-a").arg(all).arg(twin.home()).status().unwrap();
    assert!(copied.success());
    let script = twin.home().join("script.json");
    twin.git(&["config", "invisigoth.llm.script", script.to_str().unwrap()]);
    twin
}

/// Three goals, of which one is repaired once, and files of a person.
fn ready() -> Sandbox {
    let sandbox = Sandbox::set_up(NOT_BAD, "[check]\ntest = [\"sh check.sh\"]\nsandbox = \"none\"\n");
    sandbox.script(json!({
        "a": [whole("a.txt", "a\n")],
        "b": [whole("bad", "x\n"), format!("DELETE bad\n\n{}", whole("b.txt", "b\n"))],
        "c": [whole("c.txt", "c\n")],
        "g": [whole("greet.txt", "new\n")],
        "h": [whole("h.txt", "h\n")],
        "n": [whole("n.txt", "n\n")],
    }));
    for file in ["changed.txt", "staged.txt"] {
        sandbox.write(file, "one\n");
    }
    sandbox.write(".gitignore", "ignored.log\n");
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.goal("c", &[]);
    sandbox.commit("goals");
    sandbox.git(&["branch", "mine"]);
    sandbox
}

fn dirt(sandbox: &Sandbox) {
    sandbox.write("changed.txt", "two\n");
    sandbox.write("staged.txt", "two\n");
    sandbox.git(&["add", "staged.txt"]);
    sandbox.write("staged.txt", "three\n");
    sandbox.write("untracked.txt", "mine\n");
    sandbox.write("ignored.log", "mine\n");
}

fn night() -> Sandbox {
    let sandbox = ready();
    dirt(&sandbox);
    sandbox
}

fn elsewhere() -> Sandbox {
    let sandbox = ready();
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    sandbox.git(&["config", "invisigoth.land.durable", "true"]);
    sandbox.git(&["switch", "-q", "mine"]);
    dirt(&sandbox);
    sandbox
}

fn beside() -> Sandbox {
    let sandbox = ready();
    sandbox.goal("g", &[]);
    sandbox.commit("g");
    dirt(&sandbox);
    sandbox.write("greet.txt", "mine\n");
    sandbox
}

fn candidates() -> Sandbox {
    let sandbox = night();
    sandbox.run(&["run", "--no-merge"]);
    sandbox.git(&["rev-parse", "--verify", "refs/heads/invisigoth/c"]);
    sandbox
}

fn linear() -> Sandbox {
    let sandbox = ready();
    sandbox.git(&["config", "invisigoth.land.style", "linear"]);
    dirt(&sandbox);
    sandbox
}

fn landed() -> Sandbox {
    let sandbox = ready();
    sandbox.ok(&["run"]);
    dirt(&sandbox);
    sandbox
}

fn reverted() -> Sandbox {
    let sandbox = ready();
    sandbox.ok(&["run"]);
    let landing = sandbox.git(&["log", "--first-parent", "--format=%H", "--grep", "^Landed: c "]);
    let candidate = format!("{landing}^2");
    sandbox.git(&["revert", "--no-edit", &candidate]);
    dirt(&sandbox);
    sandbox
}

/// As `night`, and each goal makes the number of files higher.
fn evolving() -> Sandbox {
    let sandbox = ready();
    let tool = "#!/bin/sh\necho old\n";
    sandbox.write("tool.sh", tool);
    sandbox.commit("tool");
    let bin = sandbox.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("tool"), tool).unwrap();
    fs::set_permissions(bin.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.script(json!({
        "a": [whole("a.txt", "a\n")],
        "b": [format!("{}\n{}", whole("b.txt", "b\n"), whole("tool.sh", NEW_TOOL))],
        "c": [whole("c.txt", "c\n")],
    }));
    for (key, value) in [
        ("build", "mkdir -p out && cp tool.sh out/tool && chmod 755 out/tool"),
        ("binary", "out/tool"),
        ("install", "~/bin/tool"),
        ("smoke", "\"$NEW\""),
        ("metric.files.cmd", "ls *.txt | wc -l"),
        ("metric.files.better", "higher"),
    ] {
        sandbox.git(&["config", &format!("invisigoth.evolve.{key}"), value]);
    }
    dirt(&sandbox);
    sandbox
}

fn hand_edit() -> Sandbox {
    let sandbox = night();
    let pending = sandbox.read("memory/pending_goals.json");
    let row = "{\"id\":\"h\",\"description\":\"Goal h\",\"status\":\"pending\"}\n]";
    let text = pending.replacen("\n]", &format!(",\n{row}"), 1);
    assert_ne!(text, pending);
    fs::write(sandbox.path("memory/pending_goals.json"), text).unwrap();
    sandbox
}
