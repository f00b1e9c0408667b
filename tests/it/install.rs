//! `install.sh`: from a released archive and from source, refused, cut off, twice, and taken away again.
//!
//! Nothing here is root, asks a package manager or leaves the sandbox: programs that would are stand-ins on `PATH`.

/// Where it is installed.
mod machine;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
};

use insta::assert_snapshot;

use crate::{
    install::machine::{EXAMPLES, Machine, STAND_IN, files, names, own},
    support::server::{Scripted, Server},
};

#[test]
fn a_released_archive_is_installed_twice_and_taken_away() {
    let machine = Machine::new();
    let url = machine.release(Path::new(env!("CARGO_BIN_EXE_git-invisigoth")));
    let mine = machine.user().join(".local/share/mine");
    fs::create_dir_all(mine.parent().unwrap()).unwrap();
    fs::write(&mine, "mine").unwrap();
    let before = files(&machine.user());

    let ran = machine.install(&url, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_snapshot!(format!("{}--\n{}", ran.stdout, ran.stderr), @r#"
    fetching file://~~/release.tar.gz
    installed git-invisigoth 0.1.0 in ~~/user/.local/bin
    examples  ~~/user/.local/share/doc/git-invisigoth
    remove    sh ~~/user/.local/share/git-invisigoth/install.sh --uninstall
    --
    note: ~~/user/.local/bin is not on PATH, so git does not find it yet: export PATH="~~/user/.local/bin:$PATH"
    "#);
    assert_snapshot!(names(&machine.user()), @r"
    .local/
    .local/bin/
    .local/bin/git-invisigoth
    .local/share/
    .local/share/bash-completion/
    .local/share/bash-completion/completions/
    .local/share/bash-completion/completions/git-invisigoth
    .local/share/doc/
    .local/share/doc/git-invisigoth/
    .local/share/doc/git-invisigoth/.env.example
    .local/share/doc/git-invisigoth/invisigoth.toml.example
    .local/share/fish/
    .local/share/fish/vendor_conf.d/
    .local/share/fish/vendor_conf.d/git-invisigoth.fish
    .local/share/git-invisigoth/
    .local/share/git-invisigoth/install.sh
    .local/share/git-invisigoth/manifest
    .local/share/man/
    .local/share/man/man1/
    .local/share/man/man1/git-invisigoth.1
    .local/share/mine
    .local/share/zsh/
    .local/share/zsh/site-functions/
    .local/share/zsh/site-functions/_git-invisigoth
    ");
    let installed = files(&machine.user());
    let share = |name: &str| String::from_utf8(installed[&format!(".local/share/{name}")].clone()).unwrap();
    assert_eq!(share("man/man1/git-invisigoth.1"), machine.sandbox.ok(&["man"]));
    assert!(installed.contains_key(".local/share/man/man1/git-invisigoth-run.1"));
    for (shell, place) in [
        ("bash", "bash-completion/completions/git-invisigoth"),
        ("zsh", "zsh/site-functions/_git-invisigoth"),
        ("fish", "fish/vendor_conf.d/git-invisigoth.fish"),
    ] {
        assert_eq!(share(place), machine.sandbox.ok(&["completion", shell]), "{shell}");
    }
    for name in EXAMPLES {
        assert_eq!(
            share(&format!("doc/git-invisigoth/{name}")),
            fs::read_to_string(own(name)).unwrap()
        );
    }

    assert_eq!(machine.install(&url, &[]).code, 0);
    assert!(files(&machine.user()) == installed, "the second time changes nothing");

    // What was installed with it takes it away, without archive and source.
    let copy = machine.user().join(".local/share/git-invisigoth/install.sh");
    let said = machine.ok(&mut machine.shell("sh", copy.to_str().unwrap(), &["--uninstall"]));
    let gone = installed.keys().filter(|name| !name.ends_with('/')).count() - 2;
    assert!(
        said.starts_with(&format!("removed {gone} files that it had installed\n")),
        "{said}"
    );
    assert_eq!(files(&machine.user()), before);
    let said = machine.ok(&mut machine.script(&["--uninstall"]));
    assert!(
        said.starts_with("nothing to remove: there is no ~~/user/.local/share/"),
        "{said}"
    );
}

#[test]
fn an_archive_that_is_not_what_it_should_be_changes_nothing() {
    let machine = Machine::new();
    let url = machine.small_release();
    machine.ok(machine.script(&[]).env("INVISIGOTH_RELEASE_URL", &url));
    let before = files(&machine.user());
    let (archive, sum) = (machine.at("release.tar.gz"), machine.at("release.tar.gz.sha256"));
    let refused = |url: &str, says: &str| {
        let ran = machine.install(url, &[]);
        assert_eq!(ran.code, 1, "{says}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
        assert!(files(&machine.user()) == before, "{says}");
    };

    let right = fs::read_to_string(&sum).unwrap();
    let (sum_alone, _) = right.split_at(64);
    let (first, rest) = sum_alone.split_at(1);
    let other = format!("{}{rest}", if first == "0" { '1' } else { '0' });
    for (content, says) in [
        (other.as_str(), "nothing was opened or changed"),
        ("", "there is no SHA-256 in file://"),
        ("<html>not found</html>", "there is no SHA-256"),
        (rest, "there is no SHA-256"),
        (&format!("0{right}"), "there is no SHA-256"),
    ] {
        fs::write(&sum, content).unwrap();
        refused(&url, says);
    }
    fs::remove_file(&sum).unwrap();
    refused(&url, "cannot fetch file://~~/release.tar.gz.sha256");
    // In capitals, and alone, it is right.
    fs::write(&sum, sum_alone.to_uppercase()).unwrap();
    machine.ok(machine.script(&[]).env("INVISIGOTH_RELEASE_URL", &url));

    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    refused(&url, "nothing was opened or changed");
    fs::create_dir(machine.at("empty")).unwrap();
    refused(&machine.pack("empty"), "there is no git-invisigoth in file://");
    machine
        .sandbox
        .with_program("stand-in", "echo 'GLIBC_2.99 not found' >&2; exit 1");
    refused(
        &machine.release(&machine.at("bin/stand-in")),
        "does not run on this machine",
    );

    for (url, says) in [
        ("http://example.org/x.tar.gz", "plain http only from this machine"),
        (
            "http://127.0.0.1:80@example.org/x.tar.gz",
            "plain http only from this machine",
        ),
        (
            "http://127.0.0.1.example.org/x.tar.gz",
            "plain http only from this machine",
        ),
        (
            "http://localhost:80#.example.org/x.tar.gz",
            "plain http only from this machine",
        ),
        ("ftp://example.org/x.tar.gz", "neither https:// nor file:///"),
        ("x.tar.gz", "neither https:// nor file:///"),
    ] {
        refused(url, says);
    }
}

#[test]
fn this_machine_may_serve_an_archive_by_http() {
    let machine = Machine::new();
    let sum = machine
        .sandbox
        .sh("sh", &["-c", "printf 'no archive' | sha256sum"])
        .stdout;
    let server = Server::start(vec![Scripted::status(200, "no archive"), Scripted::status(200, &sum)]);
    let url = format!("{}/git-invisigoth.tar.gz", server.url());
    let ran = machine.install(&url, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("is no .tar.gz archive"), "{}", ran.stderr);
    let asked = server.asked();
    let asked: Vec<&str> = asked.iter().filter_map(|asked| asked.head.split(' ').nth(1)).collect();
    assert_eq!(asked, ["/v1/git-invisigoth.tar.gz", "/v1/git-invisigoth.tar.gz.sha256"]);
    assert_eq!(names(&machine.user()), "");
}

/// Feeds the first bytes of the script to a shell, as a pipe does whose other end goes away.
fn piped(machine: &Machine, shell: &str, script: &[u8], url: &str) -> i32 {
    let mut child = machine
        .shell(shell, "-s", &[])
        .env("INVISIGOTH_RELEASE_URL", url)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A shell that gave up does not read on.
    let _ = child.stdin.take().unwrap().write_all(script);
    child.wait().unwrap().code().unwrap()
}

#[test]
fn half_the_script_does_nothing() {
    let machine = Machine::new();
    let url = machine.small_release();
    let script = fs::read(own("install.sh")).unwrap();
    let whole = script.len() - 1; // The last line break says nothing.
    let cuts = (0..whole).step_by(257).chain([whole / 2]).chain(whole - 40..whole);
    for shell in ["sh", "bash"] {
        for cut in cuts.clone() {
            piped(&machine, shell, &script[..cut], &url);
            assert_eq!(names(&machine.user()), "", "{shell}, cut at {cut} of {whole}");
        }
        assert_eq!(piped(&machine, shell, &script, &url), 0);
        assert!(machine.user().join(".local/bin/git-invisigoth").is_file());
        machine.ok(&mut machine.script(&["--uninstall"]));
    }
}

#[test]
fn without_an_archive_cargo_builds_what_is_locked() {
    let machine = Machine::new();
    machine.sandbox.with_program("stand-in", STAND_IN);
    machine.sandbox.with_program(
        "cargo",
        "echo \"cargo $*\" >> \"$HOME/../asked\"
case \"$1\" in
--version) echo 'cargo 1.88.0 (stand-in)' ;;
build) mkdir -p \"$HOME/../built/release\" && cp \"$HOME/../bin/stand-in\" \"$HOME/../built/release/git-invisigoth\" ;;
metadata) echo '{\"packages\":[],\"target_directory\":\"'$HOME'/../built\"}' ;;
esac",
    );
    let said = machine.ok(&mut machine.script(&[]));
    assert!(said.contains("building with cargo 1.88.0 (stand-in)\n"), "{said}");
    assert!(
        said.contains("installed git-invisigoth 9.9.9 in ~~/user/.local/bin\n"),
        "{said}"
    );
    let asked = fs::read_to_string(machine.at("asked")).unwrap();
    let manifest = own("Cargo.toml");
    let build = format!(
        "cargo build --locked --profile release --bin git-invisigoth --manifest-path {}\n",
        manifest.display()
    );
    assert!(asked.contains(&build), "{asked}");
    assert!(
        machine
            .user()
            .join(".local/share/doc/git-invisigoth/.env.example")
            .is_file()
    );
    machine.ok(&mut machine.script(&["--uninstall"]));
    assert_eq!(names(&machine.user()), "");

    // Away from the source there is nothing to build.
    fs::copy(own("install.sh"), machine.at("alone.sh")).unwrap();
    let ran = machine.done(&mut machine.shell("sh", machine.at("alone.sh").to_str().unwrap(), &[]));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.starts_with("error: there is no source beside this script"),
        "{}",
        ran.stderr
    );
}

/// What the script needs of a system.
const TOOLS: &[&str] = &[
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "find",
    "git",
    "grep",
    "gzip",
    "head",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "rmdir",
    "sed",
    "sha256sum",
    "sh",
    "sort",
    "tar",
    "tr",
    "uname",
];

#[test]
fn packages_are_installed_by_root_and_named_to_everybody_else() {
    let machine = Machine::with_tools(TOOLS);
    fs::remove_file(machine.at("bin/cc")).unwrap();
    let ran = machine.done(&mut machine.script(&[]));
    assert_snapshot!(format!("{}{}-- {}", ran.stdout, ran.stderr, ran.code), @r"
    error: missing: gcc libc6-dev
    hint: sudo apt-get install -y gcc libc6-dev
    hint: then ./install.sh again
    -- 1
    ");
    assert!(!machine.at("asked").exists(), "apt-get was called");
    assert_eq!(names(&machine.user()), "");

    // Bubblewrap is only wanted.
    fs::remove_file(machine.at("bin/bwrap")).unwrap();
    let url = machine.small_release();
    let ran = machine.install(&url, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = "note: checks are not fenced in before bubblewrap is there: sudo apt-get install -y bubblewrap\n";
    assert!(ran.stderr.contains(line), "{}", ran.stderr);
    assert!(!machine.at("asked").exists(), "apt-get was called");

    // Where sudo asks for no password, it is used, unless that is not wanted.
    machine.sandbox.with_program("env", "shift; exec \"$@\"");
    machine.sandbox.with_program("sudo", "shift; exec \"$@\"");
    machine.sandbox.with_program("true", "exit 0");
    assert_eq!(machine.install(&url, &["--no-packages"]).code, 0);
    assert!(!machine.at("asked").exists(), "apt-get was called");
    assert_eq!(machine.install(&url, &[]).code, 0);
    let asked = fs::read_to_string(machine.at("asked")).unwrap();
    assert!(asked.starts_with("apt-get install -y -q bubblewrap\n"), "{asked}");
}

#[test]
fn another_program_of_that_name_is_told_of() {
    let machine = Machine::new();
    let url = machine.small_release();
    let bin = machine.user().join(".local/bin");
    let on_path = |folders: &[&Path]| {
        let all = std::env::split_paths(&machine.path);
        let path = std::env::join_paths(folders.iter().map(|folder| folder.to_path_buf()).chain(all)).unwrap();
        let ran = machine.done(
            machine
                .script(&[])
                .env("INVISIGOTH_RELEASE_URL", &url)
                .env("PATH", path),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    assert_eq!(on_path(&[&bin]), "");
    let other = machine.at("other");
    fs::create_dir(&other).unwrap();
    fs::copy(machine.at("bin/stand-in"), other.join("git-invisigoth")).unwrap();
    assert_eq!(on_path(&[&bin, &other]), "");
    let note = "note: ~~/other/git-invisigoth comes first on PATH, and is not what was installed\n";
    assert_eq!(on_path(&[&other, &bin]), note);
}

#[test]
fn it_goes_where_it_is_told_and_leaves_that_as_it_was() {
    let machine = Machine::new();
    let url = machine.small_release();
    let place = machine.at("my place");
    let place = place.to_str().unwrap();
    let xdg = [("XDG_BIN_HOME", "b"), ("XDG_DATA_HOME", "d")].map(|(name, to)| (name, machine.at(to)));
    let before = files(machine.sandbox.home());
    for (args, vars, binary) in [
        (&["--prefix", place][..], &[][..], "my place/bin/git-invisigoth"),
        (&["--prefix", "../my place"], &[], "my place/bin/git-invisigoth"),
        (
            &[],
            &[("INVISIGOTH_INSTALL_DIR", PathBuf::from(place))],
            "my place/bin/git-invisigoth",
        ),
        (&[], &xdg, "b/git-invisigoth"),
        (&["--prefix", place], &xdg, "my place/bin/git-invisigoth"),
        (
            &[],
            &[("XDG_BIN_HOME", PathBuf::from("relative"))],
            "user/.local/bin/git-invisigoth",
        ),
    ] {
        let ready = |args: &[&str]| {
            let mut command = machine.script(args);
            command.env("INVISIGOTH_RELEASE_URL", &url).envs(vars.iter().cloned());
            command
        };
        machine.ok(&mut ready(args));
        assert!(machine.at(binary).is_file(), "{binary}");
        machine.ok(&mut ready(&[args, &["--uninstall"]].concat()));
        assert!(
            files(machine.sandbox.home()) == before,
            "{}",
            names(machine.sandbox.home())
        );
    }
}

#[test]
fn what_a_newer_version_has_not_goes_and_a_failure_takes_itself_back() {
    let machine = Machine::new();
    let url = machine.small_release();
    let install = |pages: &str| {
        let mut command = machine.script(&[]);
        command.env("INVISIGOTH_RELEASE_URL", &url).env("PAGES", pages);
        command
    };
    let pages = || names(&machine.user().join(".local/share/man"));
    machine.ok(&mut install("-old -both"));
    machine.ok(&mut install("-new -both"));
    let man = machine.user().join(".local/share/man/man1");
    let there = |page: &str| man.join(format!("git-invisigoth-{page}.1")).exists();
    assert_eq!(
        [there("old"), there("both"), there("new")],
        [false, true, true],
        "{}",
        pages()
    );

    // One file cannot be put into its place: nothing is left beside, and all that is there is known.
    let mv = "case \"$3\" in */_git-invisigoth) exit 1 ;; esac; exec /bin/mv \"$@\"";
    machine.sandbox.with_program("mv", mv);
    let ran = machine.done(&mut install("-newer -both"));
    assert_ne!(ran.code, 0);
    let left = names(&machine.user());
    assert!(!left.contains(".new."), "{left}");
    fs::remove_file(machine.at("bin/mv")).unwrap();
    machine.ok(&mut machine.script(&["--uninstall"]));
    assert_eq!(names(&machine.user()), "");

    // A folder in the place of a file is no place, and what was begun for others goes.
    fs::create_dir_all(machine.user().join(".local/share/zsh/site-functions/_git-invisigoth")).unwrap();
    let before = files(&machine.user());
    let ran = machine.done(&mut install("-a"));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("site-functions/_git-invisigoth is a folder"),
        "{}",
        ran.stderr
    );
    assert!(files(&machine.user()) == before, "{}", names(&machine.user()));
}

#[test]
fn purge_takes_what_is_ours_and_never_a_repository() {
    let machine = Machine::new();
    let user = machine.user();
    let write = |name: &str| {
        fs::create_dir_all(user.join(name).parent().unwrap()).unwrap();
        fs::write(user.join(name), "x").unwrap();
    };
    write(".config/invisigoth/config.toml");
    write(".local/state/invisigoth/log.jsonl");
    write(".cache/invisigoth/0123/slots/0/.git/HEAD");
    write("project/memory/pending_goals.json");
    let before = files(&user);
    let said = machine.ok(&mut machine.script(&["--uninstall"]));
    assert!(
        said.contains("kept      ~~/user/.config/invisigoth (--purge removes it)\n"),
        "{said}"
    );
    assert!(files(&user) == before, "{said}");

    let said = machine.ok(&mut machine.script(&["--uninstall", "--purge"]));
    assert!(said.contains("removed   ~~/user/.cache/invisigoth\n"), "{said}");
    let left =
        "\n.cache/\n.config/\n.local/\n.local/state/\nproject/\nproject/memory/\nproject/memory/pending_goals.json\n";
    assert_eq!(format!("\n{}", names(&user)), left);

    write("dotfiles/invisigoth/config.toml");
    symlink("../dotfiles/invisigoth", user.join(".config/invisigoth")).unwrap();
    write(".cache/invisigoth/mine/.git/HEAD");
    let said = machine.ok(&mut machine.script(&["--uninstall", "--purge"]));
    assert!(
        said.contains("there is a repository in it, ~~/user/.cache/invisigoth/mine/.git"),
        "{said}"
    );
    assert!(user.join(".cache/invisigoth/mine/.git/HEAD").is_file());
    assert!(!user.join(".config/invisigoth").is_symlink(), "the link is ours");
    assert!(
        user.join("dotfiles/invisigoth/config.toml").is_file(),
        "what it leads to is not"
    );
}

#[test]
fn a_service_is_made_of_this_repository_and_keeps_the_program() {
    let machine = Machine::new();
    let url = machine.small_release();
    machine.ok(machine.script(&["--service"]).env("INVISIGOTH_RELEASE_URL", &url));
    let place = fs::read_to_string(machine.at("serviced")).unwrap();
    assert_eq!(Path::new(place.trim()), machine.sandbox.repo());

    let unit = machine.user().join(".config/systemd/user/git-invisigoth@.service");
    fs::create_dir_all(unit.parent().unwrap()).unwrap();
    let binary = machine.user().join(".local/bin/git-invisigoth");
    fs::write(&unit, format!("[Service]\nExecStart={} run\n", binary.display())).unwrap();
    let ran = machine.done(&mut machine.script(&["--uninstall"]));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("a service still starts it: ~~/user/.config/systemd/user/"),
        "{}",
        ran.stderr
    );
    assert!(binary.is_file());
    fs::remove_file(&unit).unwrap();
    machine.ok(&mut machine.script(&["--uninstall"]));
    assert!(!binary.exists());
}

#[test]
fn what_makes_no_sense_is_misuse() {
    let machine = Machine::new();
    for (args, says) in [
        (&["--purge"][..], "--purge goes with --uninstall"),
        (&["--uninstall", "--demo"], "--uninstall goes alone"),
        (&["--prefix"], "--prefix needs a value"),
        (&["--prefix", ""], "--prefix needs a value"),
        (&["--prefix="], "unknown argument: --prefix="),
        (&["--undo"], "unknown argument: --undo"),
    ] {
        let ran = machine.done(&mut machine.script(args));
        assert_eq!(
            (ran.code, ran.stderr),
            (2, format!("error: {says}\nhint: ./install.sh --help\n"))
        );
    }
    let help = machine.ok(&mut machine.script(&["--help"]));
    assert!(help.starts_with("Usage: ./install.sh"), "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 90), "{help}");
    assert_eq!(names(&machine.user()), "");
}
