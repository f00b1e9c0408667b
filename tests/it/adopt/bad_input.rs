//! What cannot be adopted: a row each, with what is said; nothing changes.
//!
//! Not here: what can be, which is `adopt`.

use serde_json::json;

use crate::{
    adopt::branch,
    support::{Sandbox, whole},
};

/// A row of the table: what it is, how its scene is set, the arguments, the exit code, and what must be said.
type Row = (
    &'static str,
    fn(&Sandbox),
    &'static [&'static str],
    i32,
    &'static [&'static str],
);

const BAD: &[Row] = &[
    (
        "unknown",
        |_| {},
        &["nowhere"],
        1,
        &["error: `nowhere` names no commit here", "hint: `git branch --all`"],
    ),
    ("empty name", |_| {}, &[""], 1, &["error: `` names no commit here"]),
    (
        "the target itself",
        |_| {},
        &["main"],
        1,
        &["nothing to adopt: `main` has all of `main`", "git switch"],
    ),
    (
        "contained",
        |sandbox| {
            sandbox.git(&["branch", "old", "main~1"]);
        },
        &["old"],
        1,
        &["nothing to adopt: `main` has all of `old`"],
    ),
    (
        "no change",
        |sandbox| {
            sandbox.git(&["switch", "-q", "-c", "empty"]);
            sandbox.commit("nothing");
            sandbox.git(&["switch", "-q", "main"]);
        },
        &["empty"],
        1,
        &["nothing to adopt: `empty` changes no code of `main`"],
    ),
    (
        "only memory",
        |sandbox| {
            branch(
                sandbox,
                "memory",
                "bea",
                &[("memory/history.json", "[\n{\"goal\":\"x\"}\n]\n", "Remember")],
            );
        },
        &["memory"],
        1,
        &[
            "changes no code of `main`",
            "hint: it changes memory files; `git merge memory` takes those in",
        ],
    ),
    (
        "a secret within",
        |sandbox| {
            sandbox.write(".env", "OTHER_API_KEY=canary-8d1f0ca4b2\n");
            branch(
                sandbox,
                "within",
                "bea",
                &[
                    ("key.txt", "canary-8d1f0ca4b2\n", "Add a key"),
                    ("key.txt", "none\n", "Take it out"),
                ],
            );
        },
        &["within", "--as-is"],
        1,
        &["error: key.txt of commit", "holds a secret of this machine"],
    ),
    (
        "a secret within a history of its own that was merged in",
        |sandbox| {
            sandbox.write(".env", "OTHER_API_KEY=canary-8d1f0ca4b2\n");
            sandbox.git(&["switch", "-q", "--orphan", "other"]);
            for text in ["canary-8d1f0ca4b2\n", "none\n"] {
                sandbox.write("key.txt", text);
                sandbox.git(&["add", "key.txt"]);
                sandbox.git(&["commit", "-q", "-m", text]);
            }
            sandbox.git(&["switch", "-q", "-c", "within", "main"]);
            sandbox.git(&[
                "merge",
                "-q",
                "--allow-unrelated-histories",
                "-m",
                "Bring other in",
                "other",
            ]);
            sandbox.git(&["switch", "-q", "main"]);
        },
        &["within", "--as-is"],
        1,
        &["error: key.txt of commit", "holds a secret of this machine"],
    ),
    (
        "unrelated",
        |sandbox| {
            let tree = sandbox.id("main^{tree}");
            let alone = sandbox.git(&["commit-tree", &tree, "-m", "alone"]);
            sandbox.git(&["branch", "alone", &alone]);
        },
        &["alone"],
        1,
        &["`alone` and `main` have no commit in common"],
    ),
    (
        "denied paths, each of them",
        |sandbox| {
            let files = [
                (".github/workflows/ci.yml", "on: push\n", "CI"),
                ("memory/other.txt", "x\n", "memory"),
            ];
            branch(sandbox, "denied", "bea", &files);
        },
        &["denied"],
        1,
        &[
            "changes what only you change yourself",
            ".github/workflows/ci.yml: ",
            "memory/other.txt: ",
        ],
    ),
    (
        "a symlink that leads out",
        |sandbox| {
            sandbox.git(&["switch", "-q", "-c", "link"]);
            std::os::unix::fs::symlink("/etc/passwd", sandbox.path("link")).unwrap();
            sandbox.commit("link");
            sandbox.git(&["switch", "-q", "main"]);
        },
        &["link", "--as-is"],
        1,
        &["link: the symlink leads out of the repository"],
    ),
    (
        "a submodule",
        |sandbox| {
            sandbox.git(&["switch", "-q", "-c", "sub"]);
            let entry = format!("160000,{},sub", sandbox.id("main"));
            sandbox.git(&["update-index", "--add", "--cacheinfo", &entry]);
            sandbox.git(&["commit", "-q", "-m", "sub"]);
            sandbox.git(&["switch", "-q", "-f", "main"]);
        },
        &["sub"],
        1,
        &["sub: a reply cannot make a submodule"],
    ),
    (
        "names that differ in case",
        |sandbox| branch(sandbox, "twins", "bea", &[("GREET.txt", "x\n", "twin")]),
        &["twins"],
        1,
        &["are one name where letter case does not count"],
    ),
    (
        "red",
        |sandbox| branch(sandbox, "red", "bea", &[("bad", "x\n", "Make it red")]),
        &["red"],
        3,
        &[
            "refused  red: test: exit 1; main and red untouched",
            "hint: `git invisigoth check red`",
        ],
    ),
    (
        "conflict",
        |sandbox| {
            branch(sandbox, "conflict", "bea", &[("greet.txt", "hallo\n", "German")]);
            sandbox.write("greet.txt", "hola\n");
            sandbox.commit("Spanish");
        },
        &["conflict"],
        3,
        &[
            "refused  conflict: conflicts with what landed since, in greet.txt",
            "hint: merge `main` into `conflict`",
        ],
    ),
    (
        "forged trailer as it is",
        |sandbox| branch(sandbox, "forged", "bea", &[("f.txt", "f\n", "F\n\nLanded: g 1234567")]),
        &["forged", "--as-is"],
        1,
        &["of `forged` has the trailer `Landed:`, which says what landed here"],
    ),
    (
        "takes back what landed",
        |sandbox| {
            sandbox.script(json!({"g": [whole("g.txt", "g\n")]}));
            sandbox.goal("g", &[]);
            sandbox.ok(&["run"]);
            sandbox.git(&["switch", "-q", "-c", "back"]);
            sandbox.git(&["revert", "--no-edit", "main^2"]);
            sandbox.git(&["switch", "-q", "main"]);
        },
        &["back"],
        1,
        &[
            "of `back` takes back goal g, which has landed",
            "hint: `git merge back`",
        ],
    ),
    (
        "a name of ours",
        |sandbox| branch(sandbox, "invisigoth/x", "bea", &[("x.txt", "x\n", "X")]),
        &["invisigoth/x"],
        1,
        &[
            "`invisigoth/x` has a name that candidates have",
            "git branch -m invisigoth/x NAME",
        ],
    ),
    (
        "a candidate of ours",
        |sandbox| {
            sandbox.script(json!({"g": [whole("g.txt", "g\n")]}));
            sandbox.goal("g", &[]);
            sandbox.ok(&["run", "--no-merge"]);
        },
        &["invisigoth/g"],
        1,
        &["hint: `git invisigoth merge g` lands it"],
    ),
    (
        "a goal with a candidate",
        |sandbox| {
            branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
            sandbox.script(json!({"g": [whole("g.txt", "g\n")]}));
            sandbox.goal("g", &[]);
            sandbox.ok(&["run", "--no-merge"]);
        },
        &["feature", "--goal", "g"],
        1,
        &["goal g has a candidate already", "git branch -D invisigoth/g"],
    ),
    (
        "an unknown goal",
        |sandbox| branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]),
        &["feature", "--goal", "g"],
        1,
        &["there is no goal g"],
    ),
    (
        "a landed goal",
        |sandbox| {
            sandbox.script(json!({"g": [whole("g.txt", "g\n")]}));
            sandbox.goal("g", &[]);
            sandbox.ok(&["run"]);
            branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
        },
        &["feature", "--goal", "g"],
        1,
        &["goal g has landed"],
    ),
    (
        "a goal that waits for another",
        |sandbox| {
            sandbox.goal("first", &[]);
            sandbox.goal("g", &["first"]);
            branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
        },
        &["feature", "--goal", "g"],
        1,
        &["goal g needs first, not landed yet"],
    ),
    (
        "a rejected goal",
        |sandbox| {
            let row = "[\n{\"id\":\"g\",\"description\":\"G\",\"status\":\"rejected\",\"reason\":\"no need\"}\n]\n";
            sandbox.write("memory/pending_goals.json", row);
            sandbox.commit("rejected");
            branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
        },
        &["feature", "--goal", "g"],
        5,
        &["goal g was rejected: no need", "hint: `git invisigoth approve g`"],
    ),
    (
        "commits of a person on the goal's branch",
        |sandbox| {
            sandbox.goal("g", &[]);
            branch(sandbox, "feature", "bea", &[("a.txt", "a\n", "Add a")]);
            sandbox.git(&["branch", "invisigoth/g", "feature"]);
        },
        &["feature", "--goal", "g"],
        5,
        &[
            "branch `invisigoth/g` has commits of yours",
            "git branch -m invisigoth/g NAME",
        ],
    ),
    ("not an id", |_| {}, &["main", "--goal", ""], 2, &["error: "]),
];

#[test]
fn what_cannot_be_adopted_is_refused_with_a_way_on_and_changes_nothing() {
    for (what, scene, args, code, said) in BAD {
        let sandbox = Sandbox::ready();
        scene(&sandbox);
        sandbox.write("greet.txt", "dirty\n");
        let facts = |sandbox: &Sandbox| {
            let mut refs = sandbox.refs();
            // Verdicts are kept whatever comes of it.
            refs.remove("refs/notes/invisigoth-tested");
            (
                refs,
                sandbox.git(&["status", "--porcelain"]),
                sandbox.git(&["ls-files", "--stage"]),
            )
        };
        let open = |sandbox: &Sandbox| sandbox.read("memory/pending_goals.json");
        // What the scene wrote into the backlog is recorded by whatever command comes next.
        sandbox.ok(&["rebuild"]);
        let (before, backlog) = (facts(&sandbox), open(&sandbox));
        let ran = sandbox.run(&[&["adopt"], *args].concat());
        let all = ran.stdout + &ran.stderr;
        assert_eq!(ran.code, *code, "{what}\n{all}");
        for words in *said {
            assert!(all.contains(words), "{what}: no `{words}` in\n{all}");
        }
        assert_eq!(facts(&sandbox), before, "{what}");
        assert_eq!(open(&sandbox), backlog, "{what}");
        sandbox.assert_sound();
    }
}
