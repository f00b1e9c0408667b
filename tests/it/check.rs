//! `check`: set-up, lint and test on a commit's code tree.

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn it_shows_each_command_and_judges_the_commit_not_the_checkout() {
    let sandbox = Sandbox::ready();
    sandbox.write("bad", "");
    assert_snapshot!(sandbox.shows(&["check"]), @r#"
    ok      test       sh check.sh  [time]
    passed  commit [id]
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "check"]), @r#"
    {"schema":"invisigoth.check/1","commit":"[id]","code_tree":"[id]","sandbox":"[bwrap or none]","passed":true,"checks":[{"stage":"test","cmd":"sh check.sh","exit":0,"seconds":[time]}]}
    -- exit 0
    "#);
    sandbox.commit("bad");
    assert_snapshot!(sandbox.shows(&["check"]), @r#"
    failed  test       sh check.sh  [time]  exit 1
        bad is there
    failed  commit [id]
    -- exit 1
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "check"]), @r#"
    {"schema":"invisigoth.check/1","commit":"[id]","code_tree":"[id]","sandbox":"[bwrap or none]","passed":false,"checks":[{"stage":"test","cmd":"sh check.sh","exit":1,"seconds":[time],"output":"bad is there\n"}]}
    -- exit 1
    "#);
    assert_snapshot!(sandbox.shows(&["check", "HEAD~1"]), @r#"
    ok      test       sh check.sh  [time]
    passed  commit [id]
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["check", "no-such-revision"]), @r#"
    -- stderr
    error: `no-such-revision` names no commit here
    hint: `git log --oneline` lists commits
    -- exit 1
    "#);
    sandbox.assert_sound();
}

#[test]
fn a_branch_of_somebody_does_not_say_what_is_run() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["switch", "-q", "-c", "theirs"]);
    sandbox.write("invisigoth.toml", "[check]\ntest = [\"echo theirs; false\"]\n");
    sandbox.commit("theirs");
    let commands = || {
        let told: serde_json::Value =
            serde_json::from_str(&sandbox.run(&["--json", "check", "theirs"]).stdout).unwrap();
        told["checks"][0]["cmd"].clone()
    };
    assert_eq!(
        commands(),
        "echo theirs; false",
        "what is checked out is the person's own"
    );
    sandbox.git(&["switch", "-q", "main"]);
    assert_eq!(commands(), "sh check.sh");
}
