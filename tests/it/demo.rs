//! `demo`: a scratch repository whose figures are read back from it.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn it_shows_four_goals_and_stock_git_agrees() {
    let sandbox = Sandbox::empty();
    let dir = sandbox.home().join("it's");
    let place = dir.to_str().unwrap();
    assert_snapshot!(sandbox.shows(&["demo", "--dir", place]), @r#"
    landed   goal-[id]  Slug from a title       lint ok  test ok 4                           [id]
    landed   goal-[id]  Shorten a slug          lint ok  test 1 of 7 failed, repaired, ok 7  [id]
    failed   goal-[id]  Lower case without tr   2 rounds, no progress: test: 3 new failures; main untouched
    landed   goal-[id]  Link to a post          lint ok  test ok 9                           [id]
    3 landed · 1 failed · $0.00 (scripted) · [time]

    planned    4 goals of 5 proposals
    refused    Colour the output: its evidence quotes README.md, which does not say “`colour SLUG` prints a slug in colour”
    records    3 goals landed with 4 replies; each is a note on its commit
    failed     goal-[id]: 2 rounds, no progress: test: 3 new failures; nothing of it is in main
    green      main at [id]: lint ok  test ok 9
    where      $HOME/it's/project
    look       git -C '$HOME/it'\''s/project' log --graph --notes=invisigoth
    look       git -C '$HOME/it'\''s/project' invisigoth status
    remove     rm -rf '$HOME/it'\''s'
    next       in a repository of yours: git invisigoth init
    -- stderr
    demo: scripted replies in a scratch repository; no key, no network, your own files stay as they are
    planning  5 goals asked for, round 1, [n] bytes
    planned   4 goals added, 1 refused
    checking [id] before anything is asked
    working  goal-[id]  Slug from a title
    asked    goal-[id]  round 1, [n] bytes
    checked  goal-[id]  round 1, lint ok  test ok 4
    working  goal-[id]  Shorten a slug
    asked    goal-[id]  round 1, [n] bytes
    checked  goal-[id]  round 1, test: 1 new failure
    asked    goal-[id]  round 2, [n] bytes
    checked  goal-[id]  round 2, lint ok  test ok 7
    working  goal-[id]  Lower case without tr
    asked    goal-[id]  round 1, [n] bytes
    checked  goal-[id]  round 1, test: 3 new failures
    asked    goal-[id]  round 2, [n] bytes
    checked  goal-[id]  round 2, test: 3 new failures
    working  goal-[id]  Link to a post
    asked    goal-[id]  round 1, [n] bytes
    checked  goal-[id]  round 1, lint ok  test ok 9
    -- exit 0
    "#);
    let project = dir.join("project");
    let project = project.to_str().unwrap();
    assert_eq!(
        sandbox
            .git(&[
                "-C",
                project,
                "log",
                "--first-parent",
                "--grep",
                "^Landed:",
                "--format=%s"
            ])
            .lines()
            .count(),
        3
    );
    assert_eq!(sandbox.git(&["-C", project, "status", "--porcelain"]), "");
    assert!(
        sandbox
            .git(&["-C", project, "log", "--notes=invisigoth"])
            .contains("\"goal\":\"goal-")
    );
    sandbox.git(&["-C", project, "fsck", "--strict"]);
    assert_snapshot!(sandbox.shows(&["demo", "--dir", place]), @r#"
    -- stderr
    demo: scripted replies in a scratch repository; no key, no network, your own files stay as they are
    error: $HOME/it's is there already and not empty
    hint: `git invisigoth demo --dir` takes a folder that is empty or not there
    -- exit 2
    "#);
}

#[test]
fn its_json_is_one_document_that_says_it_is_scripted() {
    let sandbox = Sandbox::empty();
    let dir = sandbox.home().join("demo");
    let told = sandbox.json(&["demo", "--dir", dir.to_str().unwrap()]);
    assert_eq!(
        (&told["schema"], &told["scripted"]),
        (&"invisigoth.demo/1".into(), &true.into())
    );
    assert_eq!(told["landed"].as_array().unwrap().len(), 3, "{told}");
}
