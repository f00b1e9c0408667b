//! `log`: what landed and what it took.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Sandbox, whole};

#[test]
fn it_shows_what_landed_the_newest_first() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    -- stderr
    nothing has landed yet
    -- exit 0
    "#);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": ["no edit", whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run"]);
    assert_snapshot!(sandbox.shows(&["log"]), @r#"
    [id]  b  Goal b  mock  2 replies  [n] tokens  $0.00  test ok
    [id]  a  Goal a  mock  1 reply  [n] tokens  $0.00  test ok
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["log", "-n", "1"]), @r#"
    [id]  b  Goal b  mock  2 replies  [n] tokens  $0.00  test ok
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "log", "-n", "1"]), @r#"
    {"schema":"invisigoth.log/1","landed":[{"goal":"b","commit":"[id]","subject":"Goal b","at":"[time]","record":{"goal":"b","commit":"[id]","target":"main","base":"[id]","started_at":"[time]","landed_at":"[time]","provider":"mock","model":"mock","attempts":2,"tokens":[n],"cost_usd":0.0,"checks":[{"stage":"test","cmd":"sh check.sh","exit":0,"seconds":[time]}],"prompt_hash":"[id]","sandbox":"[bwrap or none]","version":"0.1.0"}}]}
    -- exit 0
    "#);
}
