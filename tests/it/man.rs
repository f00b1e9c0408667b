//! `man`: the manual pages, where `git invisigoth --help` finds them.

use crate::support::Sandbox;

#[test]
fn git_help_opens_the_page_that_install_writes() {
    let sandbox = Sandbox::new();
    let dir = sandbox.home().join("man/man1");
    let written = sandbox.ok(&["man", "--install", "--dir", dir.to_str().unwrap()]);
    let page = dir.join("git-invisigoth.1");
    assert!(written.lines().any(|line| line == page.to_str().unwrap()), "{written}");
    for verb in [
        "init", "add", "run", "merge", "status", "list", "show", "log", "check", "prompt", "apply", "demo", "doctor",
    ] {
        assert!(dir.join(format!("git-invisigoth-{verb}.1")).is_file(), "{verb}");
    }
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(text, sandbox.ok(&["man"]));
    assert!(
        text.contains(".TH git-invisigoth 1") || text.contains(".TH GIT-INVISIGOTH 1"),
        "no title line"
    );

    // Git hands `--help` to the viewer of `man.viewer`; where there is no man, one that prints the page's name stands in.
    let help = sandbox
        .command("git")
        .args([
            "-c",
            "man.viewer=stub",
            "-c",
            "man.stub.cmd=printf 'page %s\\n'",
            "invisigoth",
            "--help",
        ])
        .env("PATH", path_with_binary())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&help.stdout);
    assert_eq!(
        said.trim(),
        "page git-invisigoth",
        "{}",
        String::from_utf8_lossy(&help.stderr)
    );
    if let Ok(found) = sandbox
        .command("man")
        .args(["-w", "git-invisigoth"])
        .env("MANPATH", sandbox.home().join("man"))
        .output()
    {
        assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), page.to_str().unwrap());
    }
}

fn path_with_binary() -> std::ffi::OsString {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_git-invisigoth"));
    let own = binary.parent().unwrap().to_owned();
    let all = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&all))).unwrap()
}
