use super::*;
use crate::fence::tools::Tools;

fn fence() -> Fence {
    Fence {
        root: "/home/u/.cache/slots/1".into(),
        home: Some("/home/u".into()),
        ..Fence::default()
    }
}

fn said(fence: &Fence) -> Vec<String> {
    let words = fence.args().into_iter();
    words.map(|word| word.into_string().unwrap()).collect()
}

fn at(words: &[String], wanted: &[&str]) -> Option<usize> {
    words.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn what_is_more_special_is_mounted_later() {
    let words = said(&Fence {
        readable: vec!["/home/u/.cargo/bin".into(), "/usr/local/bin".into()],
        hidden_folders: vec!["/opt/repo".into(), "/home/u/repo".into(), "/home/u/.cache/slots".into()],
        hidden_files: vec!["/etc/shadow".into()],
        ..fence()
    });
    let home = at(&words, &["--tmpfs", "/home/u"]).unwrap();
    assert!(home < at(&words, &["--ro-bind", "/home/u/.cargo/bin"]).unwrap());
    assert!(home < at(&words, &["--bind", "/home/u/.cache/slots/1"]).unwrap());
    assert!(at(&words, &["--ro-bind-try", "/opt"]).unwrap() < at(&words, &["--tmpfs", "/opt/repo"]).unwrap());
    assert!(at(&words, &["--ro-bind", "/dev/null", "/etc/shadow"]).is_some());
    // What does not show needs no cover, and what shows already no second mount.
    let all = words.join(" ");
    assert!(!all.contains("/home/u/repo") && !all.contains("/home/u/.cache/slots ") && !all.contains("/usr/local"));
}

#[test]
fn a_hidden_place_beats_a_visible_one_of_the_same_name() {
    let words = said(&Fence {
        root: "/opt/x/slot".into(),
        readable: vec!["/opt/x".into()],
        hidden_folders: vec!["/opt/x".into()],
        ..fence()
    });
    let hidden = at(&words, &["--tmpfs", "/opt/x"]).unwrap();
    assert!(hidden < at(&words, &["--bind", "/opt/x/slot", "/opt/x/slot"]).unwrap());
    assert_eq!(at(&words, &["--ro-bind", "/opt/x", "/opt/x"]), None);
}

#[test]
fn network_and_namespaces_are_kept_away_unless_allowed() {
    let strict = said(&fence());
    assert!(at(&strict, &["--unshare-net"]).is_some() && at(&strict, &["--disable-userns"]).is_some());
    let open = said(&Fence {
        network: true,
        namespaces: true,
        ..fence()
    });
    assert!(at(&open, &["--unshare-net"]).is_none() && at(&open, &["--disable-userns"]).is_none());
}

#[test]
fn toolchains_show_and_a_persons_own_folders_do_not() {
    let env = [
        ("HOME", "/home/u"),
        (
            "PATH",
            "/home/u/bin:/home/u/.local/bin:/home/u/.pyenv/shims:/data/node/bin:.:/usr/bin:/home/u:/",
        ),
    ]
    .map(|(name, value)| (name.into(), value.into()));
    let folders = Tools::new(&env).folders();
    let has = |path: &str| folders.iter().any(|folder| folder == Path::new(path));
    for shown in [
        "/home/u/bin",
        "/home/u/.local/lib",
        "/home/u/.pyenv",
        "/home/u/.cargo/bin",
        "/data/node/lib",
    ] {
        assert!(has(shown), "{shown} in {folders:?}");
    }
    for own in [
        "/home/u",
        "/",
        "/home/u/share",
        "/home/u/.local/share",
        "/home/u/.cargo",
        "/usr/bin",
        ".",
    ] {
        assert!(!has(own), "{own} in {folders:?}");
    }
}

#[test]
fn a_missing_network_is_told_from_other_failures() {
    assert!(misses_network("npm error code ENOTFOUND\n"));
    assert!(misses_network("curl: (6) Could not resolve host: x"));
    assert!(!misses_network("assertion failed: network"));
}
