//! `status`: every open goal's state and why.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Sandbox;

#[test]
fn it_shows_states_and_reasons() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    goals      none yet
    target     main at [id]
    next       git invisigoth add "what to do"
    -- exit 0
    "#);
    sandbox.script(json!({"lost": ["no edit at all"]}));
    sandbox.goal("lost", &[]);
    sandbox.ok(&["add", "Held one", "--id", "later", "--needs", "lost"]);
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    ready      lost   Goal lost
    blocked    later  Held one          needs lost (ready)
    goals      1 ready · 1 blocked
    target     main at [id]
    next       git invisigoth run
    -- exit 0
    "#);
    sandbox.run(&["run"]);
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    failed     lost   Goal lost         3 rounds, reply: no-edit: the reply holds no edit in a known fo…
    blocked    later  Held one          needs lost (failed)
    goals      1 blocked · 1 failed
    target     main at [id]
    next       git invisigoth show lost
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "status"]), @r#"
    {"schema":"invisigoth.status/1","target":"main","tip":"[id]","counts":{"blocked":1,"failed":1,"landed":0},"goals":[{"goal":"lost","state":"failed","reason":"3 rounds, reply: no-edit: the reply holds no edit in a known format","description":"Goal lost"},{"goal":"later","state":"blocked","reason":"needs lost (failed)","description":"Held one"}]}
    -- exit 0
    "#);
}
