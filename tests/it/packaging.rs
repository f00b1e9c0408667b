//! `packaging/`: archives and Debian packages of a binary, and that Cargo.toml says of them what is there.
//!
//! Not here: cargo-deb itself and the workflow, which only a release has; `tests/peer` has the workflow parsed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use toml_edit::DocumentMut;

use crate::support::{Ran, Sandbox};

/// Stands in for the program.
const PROGRAM: &str = r#"case "$*" in
'man --install --dir '*) for page in '' -run; do echo page > "$4/git-invisigoth$page.1"; done ;;
'completion '*) echo "complete in $2" ;;
esac"#;

fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn metadata() -> DocumentMut {
    fs::read_to_string(own("Cargo.toml")).unwrap().parse().unwrap()
}

/// Packs `bin/program`, and returns what was said.
fn archive(sandbox: &Sandbox, folder: &str) -> String {
    let script = own("packaging/archive.sh");
    let args = ["bin/program", "x86_64-unknown-linux-musl", folder];
    let mut command = sandbox.command(script.to_str().unwrap());
    let ran = Ran::of(&command.args(args).current_dir(sandbox.home()).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn an_archive_has_the_same_bytes_whenever_it_is_packed() {
    let sandbox = Sandbox::empty();
    sandbox.with_program("program", PROGRAM);
    let said = archive(&sandbox, "one");
    assert_eq!(said, "git-invisigoth-0.1.0-x86_64-unknown-linux-musl.tar.gz\n");
    let name = said.trim();
    // Neither the time of a file nor the mask of who packs it counts.
    let touched = sandbox.sh("touch", &["-d", "2001-02-03", "../bin/program"]);
    assert_eq!(touched.code, 0, "{}", touched.stderr);
    sandbox.sh("chmod", &["700", "../bin/program"]);
    assert_eq!(archive(&sandbox, "two"), said);
    let packed = |folder: &str, end: &str| fs::read(sandbox.home().join(folder).join(format!("{name}{end}"))).unwrap();
    assert!(packed("one", "") == packed("two", ""));
    let sums = sandbox.sh("sh", &["-c", "cd ../one && sha256sum -c *.sha256"]);
    assert_eq!((sums.code, sums.stdout), (0, format!("{name}: OK\n")));
    let listed = sandbox.sh(
        "sh",
        &["-c", "tar -tvzf ../one/*.tar.gz | sed 's/  *[0-9]* [0-9-]* 00:00 / /'"],
    );
    assert_snapshot!(listed.stdout, @r"
    drwxr-xr-x 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/.env.example
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/CHANGELOG.md
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/LICENSE-APACHE
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/LICENSE-MIT
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/README.md
    -rwxr-xr-x 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/git-invisigoth
    -rwxr-xr-x 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/install.sh
    -rw-r--r-- 0/0 git-invisigoth-0.1.0-x86_64-unknown-linux-musl/invisigoth.toml.example
    ");
}

#[test]
fn what_cannot_be_packed_whole_is_not_packed() {
    let sandbox = Sandbox::empty();
    sandbox.with_program("program", PROGRAM);
    sandbox.with_program("tar", "echo half; exit 2");
    let path = sandbox.with_program("cargo", "exit 101");
    let ran = |script: &str, args: &[&str]| {
        let mut command = sandbox.command(own(script).to_str().unwrap());
        command.args(args).current_dir(sandbox.home()).env("PATH", &path);
        Ran::of(&command.output().unwrap())
    };
    assert_eq!(
        ran("packaging/archive.sh", &["bin/program", "some-target", "out"]).code,
        2
    );
    assert_eq!(fs::read_dir(sandbox.home().join("out")).unwrap().count(), 0);
    let no_target = ran("packaging/deb.sh", &["bin/program", "out"]);
    let why = "error: cargo does not say where it builds\n".to_owned();
    assert_eq!((no_target.code, no_target.stderr), (1, why));
}

#[test]
fn cargo_binstall_is_told_of_these_archives() {
    let package = &metadata()["package"];
    let filled = |key: &str| {
        let template = package["metadata"]["binstall"][key].as_str().unwrap().to_owned();
        [
            ("{ name }", package["name"].as_str().unwrap()),
            ("{ bin }", "git-invisigoth"),
            ("{ binary-ext }", ""),
            ("{ version }", package["version"].as_str().unwrap()),
            ("{ target }", "x86_64-unknown-linux-musl"),
            ("{ archive-suffix }", ".tar.gz"),
            ("{ repo }", "https://example.org/x"),
        ]
        .iter()
        .fold(template, |text, (name, value)| text.replace(name, value))
    };
    let sandbox = Sandbox::empty();
    sandbox.with_program("program", PROGRAM);
    let name = archive(&sandbox, "dist");
    let url = filled("pkg-url");
    assert_eq!(
        url,
        format!("https://example.org/x/releases/download/v0.1.0/{}", name.trim())
    );
    let inside = sandbox.sh(
        "tar",
        &["-tzf", &format!("../dist/{}", name.trim()), &filled("bin-dir")],
    );
    assert_eq!(inside.code, 0, "{}", inside.stderr);
}

#[test]
fn a_debian_package_finds_all_that_it_is_made_of() {
    let sandbox = Sandbox::empty();
    sandbox.with_program("program", PROGRAM);
    let path = sandbox.with_program(
        "cargo",
        "case $1 in
metadata) echo '{\"target_directory\":\"'$HOME'/target\",\"version\":1}' ;;
*) echo \"cargo $*\" ;;
esac",
    );
    let script = own("packaging/deb.sh");
    let args = ["bin/program", "out"];
    let mut command = sandbox.command(script.to_str().unwrap());
    command.args(args).current_dir(sandbox.home()).env("PATH", path);
    let ran = Ran::of(&command.output().unwrap());
    let out = sandbox.home().join("out");
    let says = format!("cargo deb --no-build --no-strip --output {}\n", out.display());
    assert_eq!((ran.code, ran.stdout), (0, says), "{}", ran.stderr);

    let deb = &metadata()["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    let mut places = Vec::new();
    for asset in assets {
        let asset: Vec<&str> = asset
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap())
            .collect();
        let (source, place) = (asset[0], asset[1]);
        let here = match source.strip_prefix("target/") {
            Some(made) => sandbox.home().join("target").join(made),
            None => own(source),
        };
        let found = sandbox.sh("sh", &["-c", &format!("ls {}", here.display())]);
        assert_eq!(found.code, 0, "{source}: {}", found.stderr);
        places.push(place);
    }
    for place in [
        "usr/bin/",
        "usr/share/man/man1/",
        "usr/share/bash-completion/completions/git-invisigoth",
    ] {
        assert!(places.contains(&place), "{place}");
    }
    let pages = sandbox.sh("sh", &["-c", "gzip -dc ../target/release/deb/man/*.gz"]);
    assert_eq!(pages.stdout, "page\npage\n");
}
