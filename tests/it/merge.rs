//! `merge`: lands candidates, and held ones that are named.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Sandbox, whole};

#[test]
fn it_lands_what_waits_and_what_is_held_only_when_named() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["merge"]), @r#"
    -- stderr
    no candidate waits
    -- exit 0
    "#);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "h": [whole("Makefile", "all:\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("h", &[]);
    assert_snapshot!(sandbox.shows(&["run", "--no-merge"]), @r#"
    held     h          Goal h                      touches Makefile (it is build configuration); `git invisigoth merge h` approves and lands it
    candidate a          Goal a                      test ok                                      [id]
    took     2 checks in [time]
    0 landed · 1 candidate · 1 held · $0.00 (scripted) · [time]
    -- stderr
    checking [id] before anything is asked
    working  a  Goal a
    asked    a  round 1, [n] bytes
    checked  a  round 1, test ok
    working  h  Goal h
    asked    h  round 1, [n] bytes
    checked  h  round 1, test ok
    -- exit 5
    "#);
    assert!(!sandbox.path("a.txt").exists(), "nothing lands with --no-merge");
    assert_snapshot!(sandbox.shows(&["merge"]), @r#"
    landed   a          Goal a                      test ok                                      [id]
    1 landed · 0 failed
    -- stderr
    held candidates wait to be named: git invisigoth merge h
    -- exit 0
    "#);
    assert_eq!([sandbox.state("a"), sandbox.state("h")], ["landed", "held"]);
    assert_snapshot!(sandbox.shows(&["--json", "merge", "h"]), @r#"
    {"schema":"invisigoth.merge/1","goals":[{"goal":"h","description":"Goal h","state":"landed","reason":"","commit":"[id]"}]}
    -- exit 0
    "#);
    assert_eq!(sandbox.read("Makefile"), "all:\n");
    assert_snapshot!(sandbox.shows(&["merge", "nobody"]), @r#"
    -- stderr
    error: there is no goal nobody
    hint: `git invisigoth list` shows them
    -- exit 1
    "#);
    sandbox.assert_sound();
}
