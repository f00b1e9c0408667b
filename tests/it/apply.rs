//! `apply`: a reply onto the files of a folder, all or nothing, also outside a repository.

use insta::assert_snapshot;

use crate::support::{Sandbox, shown::shown, whole};

fn applied(sandbox: &Sandbox, args: &[&str], reply: &str) -> String {
    shown(&sandbox.fed(args, reply), sandbox.home())
}

#[test]
fn it_applies_outside_a_repository() {
    let sandbox = Sandbox::empty();
    sandbox.write("old.txt", "old\n");
    sandbox.write("x.txt", "one\ntwo\n");
    let blocks = "x.txt\n```\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```\n\nDELETE old.txt\n";
    assert_snapshot!(applied(&sandbox, &["apply"], blocks), @r#"
    deleted  old.txt
    wrote    x.txt
    -- exit 0
    "#);
    assert_eq!(sandbox.read("x.txt"), "one\n2\n");
    assert!(!sandbox.path("old.txt").exists());
    assert_snapshot!(applied(&sandbox, &["--json", "apply"], &whole("sub/new.txt", "new\n")), @r#"
    {"schema":"invisigoth.apply/1","changes":[["wrote","sub/new.txt"]],"placed":[]}
    -- exit 0
    "#);
    assert_eq!(sandbox.read("sub/new.txt"), "new\n");
}

#[test]
fn every_format_is_read_whatever_is_asked() {
    let replies = [
        "x.txt\n```\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```\n",
        "--- a/x.txt\n+++ b/x.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n",
        "*** Begin Patch\n*** Update File: x.txt\n@@\n one\n-two\n+2\n*** End Patch\n",
        "{\"command\": \"str_replace\", \"path\": \"x.txt\", \"old_str\": \"two\", \"new_str\": \"2\"}\n",
        "x.txt\n```\none\n2\n```\n",
    ];
    for asked in ["search-replace", "udiff", "whole", "apply-patch", "str-replace", "auto"] {
        for reply in replies {
            let sandbox = Sandbox::empty();
            sandbox.write("x.txt", "one\ntwo\n");
            let ran = sandbox.fed(&["apply", "--format", asked], reply);
            assert_eq!(ran.code, 0, "{asked}: {reply}{}", ran.stderr);
            assert_eq!(sandbox.read("x.txt"), "one\n2\n", "{asked}: {reply}");
        }
    }
}

#[test]
fn it_says_how_strictly_each_block_was_found() {
    let sandbox = Sandbox::empty();
    sandbox.write("x.txt", "one\n  two\n");
    let patch = "*** Begin Patch\n*** Update File: x.txt\n@@\n-two\n+2\n*** End Patch\n";
    assert_snapshot!(applied(&sandbox, &["--json", "apply"], patch), @r#"
    {"schema":"invisigoth.apply/1","changes":[["wrote","x.txt"]],"placed":[{"path":"x.txt","line":2,"tier":"shift"}]}
    -- exit 0
    "#);
    assert_eq!(sandbox.read("x.txt"), "one\n  2\n");
}

#[test]
fn it_refuses_as_a_whole_with_the_reason() {
    let sandbox = Sandbox::empty();
    sandbox.write("x.txt", "one\n");
    let wrong = whole("new.txt", "new\n") + "x.txt\n```\n<<<<<<< SEARCH\nthree\n=======\n3\n>>>>>>> REPLACE\n```\n";
    assert_snapshot!(applied(&sandbox, &["apply"], &wrong), @r#"
    -- stderr
    error: Your reply was refused.

    new.txt: malformed: a whole file among SEARCH/REPLACE blocks; write a new file as a block with an empty SEARCH part.

    Nothing was applied. Send all blocks again.
    hint: `git invisigoth help apply` lists the formats
    -- exit 1
    "#);
    assert_snapshot!(applied(&sandbox, &["--json", "apply"], "no edit"), @r#"
    {"schema":"invisigoth.error/1","error":{"kind":"error","message":"Your reply was refused.\n\nno-edit: the reply holds no edit in a known format.\n\nNothing was applied. Send all blocks again.","hints":["`git invisigoth help apply` lists the formats"]}}
    -- exit 1
    "#);
    assert_snapshot!(applied(&sandbox, &["apply"], &whole("../out.txt", "x\n")), @r#"
    -- stderr
    error: Your reply was refused.

    ../out.txt: bad-path: it leaves the repository or names a folder.

    Nothing was applied. Send all blocks again.
    hint: `git invisigoth help apply` lists the formats
    -- exit 1
    "#);
    assert_snapshot!(applied(&sandbox, &["apply", "--format", "poem"], ""), @r#"
    -- stderr
    error: invalid value 'poem' for '--format <FORMAT>' [possible values: search-replace, udiff, whole, apply-patch, str-replace, auto]
    hint: `git invisigoth help apply` tells more
    -- exit 2
    "#);
    assert!(!sandbox.path("new.txt").exists() && !sandbox.home().join("out.txt").exists());
    assert_eq!(sandbox.read("x.txt"), "one\n");
}
