//! `show`: everything about one goal.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Sandbox, whole};

#[test]
fn it_shows_an_open_goal_a_landed_one_and_no_other() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": ["no edit", whole("a.txt", "a\n")]}));
    sandbox.ok(&["add", "Make a", "--id", "a", "-f", "a.txt", "--accept", "a is there"]);
    assert_snapshot!(sandbox.shows(&["show", "a"]), @r#"
    ready      a
    asks       Make a
    files      a.txt
    accept     a is there
    next       git invisigoth run a
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "show", "a"]), @r#"
    {"schema":"invisigoth.show/1","id":"a","state":"ready","goal":{"id":"a","description":"Make a","filename":"a.txt","prompt":"","dependencies":[],"status":"pending","acceptance":["a is there"],"created_at":"[time]"},"row":{"id":"a","description":"Make a","filename":"a.txt","prompt":"","dependencies":[],"status":"pending","acceptance":["a is there"],"created_at":"[time]"},"attempts":[]}
    -- exit 0
    "#);
    sandbox.ok(&["run"]);
    assert_snapshot!(sandbox.shows(&["show", "a"]), @r#"
    landed     a
    asks       Make a
    files      a.txt
    accept     a is there
    attempt 1  [time], 2 replies, mock, [n] tokens, $0.00, passed
    commit     [id]
    landed     on main at [time]
    model      mock (mock)
    took       2 replies, [n] tokens, $0.00
    checks     test ok
    next       git show --notes=invisigoth [id]
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "show", "a"]), @r#"
    {"schema":"invisigoth.show/1","id":"a","state":"landed","row":{"id":"a","description":"Make a","filename":"a.txt","prompt":"","dependencies":[],"status":"completed","acceptance":["a is there"],"created_at":"[time]","commit":"[id]","landed_at":"[time]"},"attempts":[{"number":1,"standing":"open","rounds":2,"model":"mock","tokens":[n],"cost_usd":0.0,"started_at":"[time]"}],"record":{"goal":"a","commit":"[id]","target":"main","base":"[id]","started_at":"[time]","landed_at":"[time]","provider":"mock","model":"mock","attempts":2,"tokens":[n],"cost_usd":0.0,"checks":[{"stage":"test","cmd":"sh check.sh","exit":0,"seconds":[time]}],"prompt_hash":"[id]","sandbox":"[bwrap or none]","version":"0.1.0"}}
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["show", "b"]), @r#"
    -- stderr
    error: there is no goal b
    hint: `git invisigoth list` shows them
    -- exit 1
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "show", "b"]), @r#"
    {"schema":"invisigoth.error/1","error":{"kind":"error","message":"there is no goal b","hints":["`git invisigoth list` shows them"]}}
    -- exit 1
    "#);
}
