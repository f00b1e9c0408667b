use super::*;

#[test]
fn every_script_is_short_names_itself_and_hands_over() {
    for hook in &HOOKS {
        let lines: Vec<&str> = hook.script.lines().collect();
        assert!(lines.len() <= 5, "{}", hook.name);
        assert_eq!(lines[0], "#!/bin/sh");
        let last = format!("exec git invisigoth hook {} \"$@\"", hook.name);
        assert_eq!(*lines.last().unwrap(), last);
        assert!(lines[1].contains(&format!("hooks uninstall {}`", hook.name)));
        assert_eq!(read(hook, hook.script.as_bytes()), Script::Ours);
    }
}

#[test]
fn lines_in_a_shell_script_come_out_again_byte_for_byte() {
    for script in [
        &b"#!/bin/sh\n"[..],
        b"#!/bin/sh -e\nexec thing \"$@\"",
        b"#!/usr/bin/env bash\r\n# not a shell that there is\n",
        b"#! /usr/bin/env -S bash -u\n\n\n\xff\xfe binary tail\n",
        b"#!/bin/dash\necho END\n# <<< git-invisigoth of somebody\n",
    ] {
        for hook in &HOOKS {
            let Some(both) = chained(hook, script) else {
                assert!(script.contains(&b'\r'), "{}", String::from_utf8_lossy(script));
                continue;
            };
            assert_eq!(read(hook, &both), Script::Chained);
            assert_eq!(without(&both).unwrap(), script);
        }
    }
}

#[test]
fn what_is_no_shell_script_is_left_whole() {
    let hook = hook("pre-commit").unwrap();
    for script in [
        &b"#!/usr/bin/env python3\nprint(1)\n"[..],
        b"#!/usr/bin/fish\n",
        b"\x7fELF\n",
        b"echo no first line\n",
        b"#!/bin/sh",
        b"",
    ] {
        assert_eq!(chained(hook, script), None, "{}", String::from_utf8_lossy(script));
        assert_eq!(read(hook, script), Script::Foreign);
    }
}

#[test]
fn other_versions_and_people_s_own_lines_are_told_apart() {
    let hook = hook("post-merge").unwrap();
    let old = "#!/bin/sh\n# git-invisigoth: as it was\nexec git invisigoth hook post-merge\n";
    let chained = format!("#!/bin/sh\n{BEGIN} chained: old\ngit invisigoth hook post-merge\n{END}\necho theirs\n");
    let moved = aside(hook).replace("exit 0", "exit 7");
    for (text, found) in [
        (old.to_owned(), Script::OursOutdated),
        (chained, Script::ChainedOutdated),
        (aside(hook), Script::Aside),
        (moved, Script::AsideOutdated),
        (format!("#!/bin/sh\n{BEGIN} chained\necho theirs\n"), Script::Mangled),
        (format!("#!/bin/sh\n{END}\n{BEGIN}\n"), Script::Mangled),
        (format!("#!/bin/sh\n{}\n", pasted(hook)), Script::ByHand),
        (format!("#!/bin/sh\n# {}\n", pasted(hook)), Script::Foreign),
        (format!("{old}echo mine\necho more\necho and more\n"), Script::ByHand),
    ] {
        assert_eq!(read(hook, text.as_bytes()), found, "{text}");
    }
}
