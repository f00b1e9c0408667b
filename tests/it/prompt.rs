//! `prompt`: what a goal would be asked; the master prompt shows in it and in its hash.

use insta::assert_snapshot;

use crate::support::{Sandbox, shown::shown};

/// The fixed part of the prompt is tested with the templates: here only what this repository puts into it.
fn own_part(sandbox: &Sandbox) -> String {
    let mut ran = sandbox.run(&["prompt", "a"]);
    let (_, own) = ran.stdout.split_once("=== user ===").unwrap();
    ran.stdout = own.to_owned();
    shown(&ran, sandbox.home())
}

#[test]
fn it_shows_the_goal_and_what_the_repository_puts_beside_it() {
    let sandbox = Sandbox::ready();
    let keys = ["-f", "greet.txt", "--accept", "It has a name"];
    sandbox.ok(&[&["add", "Greet by name", "--id", "a"][..], &keys].concat());
    assert_snapshot!(own_part(&sandbox), @r#"

    ## Outline of the repository

    ```
    check.sh
    greet.txt
    invisigoth.toml
    ```

    ## Latest commits

    ```
    Set up git-invisigoth
    settings
    start
    ```

    ## What the latest commits changed in files that are shown

    ```
    commit: settings
    --- /dev/null
    +++ b/invisigoth.toml
    @@ -0,0 +1,2 @@
    +[check]
    +test = ["sh check.sh"]
    ```

    ## What else may matter, as it is now

    Files and parts of files, found by a program, the likeliest first. Some will not matter. Never send a file as a whole of which you see a part.

    check.sh
    ```
    [ ! -e bad ] || { echo 'bad is there'; exit 1; }
    ```

    invisigoth.toml
    ```
    [check]
    test = ["sh check.sh"]
    ```

    ## Files of the goal, as they are now

    greet.txt
    ```
    hello
    ```

    ## The goal

    Greet by name

    It is reached when:

    - It has a name

    It is about: greet.txt

    Do this and nothing else. Where part of it is done already, do the rest. Reply with the edits.

    Goal: a (round 1 of 3)
    -- stderr
    prompt_hash [id]
    -- exit 0
    "#);
}

#[test]
fn a_goal_that_there_is_not_is_said() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["prompt", "b"]), @r#"
    -- stderr
    error: there is no goal b
    hint: `git invisigoth list` shows them
    -- exit 1
    "#);
}

#[test]
fn a_changed_master_prompt_shows_in_the_prompt_and_its_hash() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let before = sandbox.json(&["prompt", "a"]);
    assert_eq!(before["schema"], "invisigoth.prompt/1");
    sandbox.write("memory/master_prompt.txt", "Write haiku only.\n");
    sandbox.commit("haiku");
    let after = sandbox.json(&["prompt", "a"]);
    assert!(after["messages"].to_string().contains("Write haiku only."), "{after}");
    assert_ne!(before["prompt_hash"], after["prompt_hash"]);
}
