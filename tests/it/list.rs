//! `list`: goals, one a line, by state.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn it_shows_goals_and_chooses_by_state() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["list"]), @r#"
    -- stderr
    no goal is open; `git invisigoth add "what to do"` adds one
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["list", "--state", "failed"]), @r#"
    -- stderr
    no goals in these states
    -- exit 0
    "#);
    sandbox.goal("b", &[]);
    sandbox.goal("a", &["b"]);
    assert_snapshot!(sandbox.shows(&["list"]), @r#"
    blocked   a  Goal a  (needs b)
    ready     b  Goal b
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["list", "--state", "blocked"]), @r#"
    blocked   a  Goal a  (needs b)
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "list"]), @r#"
    {"schema":"invisigoth.list/1","goals":[{"goal":"a","state":"blocked","why":"needs b (ready)","priority":0,"needs":["b"],"description":"Goal a"},{"goal":"b","state":"ready","priority":0,"needs":[],"description":"Goal b"}]}
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["list", "--state", "lost"]), @r#"
    -- stderr
    error: invalid value 'lost' for '--state <STATE>' [possible values: running, candidate, ready, blocked, held, proposed, failed, parked, rejected, landed]
    hint: `git invisigoth help list` tells more
    -- exit 2
    "#);
}
