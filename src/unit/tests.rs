use std::ffi::OsStr;

use super::*;
use crate::unit::mark::Whose;

fn setup(top: &str) -> Setup {
    Setup {
        scope: Scope::User,
        version: Some(252),
        program: "/opt/100% \"odd\"/git-invisigoth".into(),
        top: top.into(),
        user: None,
        is_root: false,
        when: When::default(),
        key: None,
        env: vec![("PATH".into(), r#"/a b:/c"d:/e\f:/$HOME:/50%"#.into())],
        writable: vec![top.into()],
        caches: Vec::new(),
        readable: vec!["/home/u/.gitconfig".into()],
    }
}

fn drop_in(setup: &Setup) -> String {
    let names = Names::of(&setup.top);
    let files = files(setup, &names).unwrap();
    let found = files.into_iter().find(|(path, _)| *path == names.repository());
    found.unwrap().1
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|other| other == line)
}

#[test]
fn odd_paths_are_quoted_as_each_line_wants_it() {
    let said = drop_in(&setup("/srv/it's \"a\" 100% ü\\"));
    for line in [
        r#"WorkingDirectory=/srv/it's "a" 100%% ü\/"#,
        r#"BindPaths="/srv/it's \"a\" 100%% ü\\""#,
        r#"BindReadOnlyPaths="-/home/u/.gitconfig""#,
        r#"ExecStart="/opt/100%% \"odd\"/git-invisigoth" run --forever"#,
        r#"Environment="PATH=/a b:/c\"d:/e\\f:/$HOME:/50%%""#,
    ] {
        assert!(has(&said, line), "{line}\n{said}");
    }
    assert!(!said.contains('@'), "{said}");
}

#[test]
fn what_no_unit_can_say_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let refused = |setup: &Setup| files(setup, &Names::of(&setup.top)).unwrap_err();
    assert!(matches!(refused(&setup("/a\nUser=root")), Unfit::Control(_)));
    let mut odd = setup("/a");
    odd.top = Path::new(OsStr::from_bytes(b"/\xff")).to_owned();
    assert!(matches!(refused(&odd), Unfit::Encoding(_)));
    let mut odd = setup("/a");
    odd.key = Some(Key::Environment("/key ".into()));
    assert!(matches!(refused(&odd), Unfit::End(_)));
    let mut odd = setup("/a");
    odd.when.calendar = Some("daily\nUnit=other".into());
    assert!(matches!(refused(&odd), Unfit::Control(_)));
}

#[test]
fn a_name_of_a_unit_is_short_and_plain_whatever_the_path_is() {
    let long = format!("/srv/{}", "ü".repeat(200));
    for path in [long.as_str(), "/", "/a b", "/a-b", "/.x", "/ok_1.2"] {
        let name = Names::of(Path::new(path)).service();
        assert!(name.len() < 100, "{name}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "@-_.".contains(c);
        assert!(name.chars().all(plain), "{name}");
    }
    assert_ne!(Names::of(Path::new("/a b")), Names::of(Path::new("/a-b")));
    assert!(
        Names::of(Path::new("/srv/ok_1.2"))
            .timer()
            .starts_with("git-invisigoth@ok_1.2-")
    );
}

#[test]
fn windows_keys_and_owners_are_said_and_keys_are_no_variables() {
    let mut all = setup("/r");
    all.scope = Scope::System;
    all.version = Some(257);
    all.user = Some("ana".into());
    all.when = When {
        calendar: Some("Mon..Fri 22:00".into()),
        until: Some("07:00".into()),
        span: Some("4h".into()),
    };
    all.key = Some(Key::Credential("A_KEY".into(), "/etc/keys/50%".into()));
    let said = drop_in(&all);
    assert!(said.contains(r#" run --forever --until "07:00" --for "4h""#), "{said}");
    for line in ["User=ana", "LoadCredential=A_KEY:/etc/keys/50%%", "RestartSteps=0"] {
        assert!(has(&said, line), "{line}\n{said}");
    }
    let files = files(&all, &Names::of(&all.top)).unwrap();
    let said: String = files.iter().map(|(_, text)| text.as_str()).collect();
    for line in [
        "OnCalendar=Mon..Fri 22:00",
        "RestartSteps=6",
        "WantedBy=multi-user.target",
    ] {
        assert!(has(&said, line), "{line}\n{said}");
    }
    assert_eq!(files.len(), 4);
    all.key = Some(Key::Environment("/etc/keys/env".into()));
    assert!(has(&drop_in(&all), "EnvironmentFile=/etc/keys/env"));
}

#[test]
fn an_edit_is_seen() {
    let ours = mark::marked("[Unit]\n");
    assert_eq!(mark::whose(&ours), Whose::Ours);
    assert_eq!(mark::whose(&format!("{ours}Nice=1\n")), Whose::Edited);
    assert_eq!(mark::whose("[Unit]\n"), Whose::Theirs);
    assert_eq!(mark::whose(""), Whose::Theirs);
}
