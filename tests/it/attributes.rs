//! What `.gitattributes` say, compared with `git check-attr` for thousands of paths, with and without a checkout.

use std::{fs, path::Path, sync::Arc};

use invisigoth::{
    context::kind::Marks,
    git::{
        Repo, Shared,
        attributes::{self, Attributes},
        tree,
    },
    path::RepoPath,
    snapshot::Listing,
};

use crate::support::Sandbox;

const ASKED: [&str; 4] = [
    "linguist-vendored",
    "linguist-generated",
    "linguist-documentation",
    "diff",
];

const TOP: &str = "\u{feff}# a comment
* text=auto
*.bin binary
[attr]theirs linguist-vendored -linguist-generated
[attr]plain -binary -theirs
[attr]chained theirs linguist-documentation=yes
vendor/** theirs
vendor/ours/** !linguist-vendored
vendor/kept/* -linguist-vendored
*.pb.go linguist-generated=true
/top.* linguist-generated
a/*.c linguist-vendored=false
\"a b/*\" linguist-documentation
*.[ch] diff=cpp
*.x -diff
x.x diff
deep/**/z linguist-generated
**/mid/* linguist-documentation=false
folder/ linguist-vendored
*.chain chained
*.plain chained plain
!*.no linguist-vendored
*.bad linguist-vendored -builtin_objectmode
\\#hash linguist-generated
*.twice linguist-generated
*.twice -linguist-generated linguist-generated=false
*.text -text
ä/* linguist-vendored
*.C linguist-generated
*.odd diff=false linguist-generated=false
";

const NESTED: &str = "[attr]theirs -linguist-vendored\r\n*.c linguist-vendored\r\n/top.y linguist-generated\r
sub/*.y linguist-documentation\n*.pb.go !linguist-generated\n*.bin diff\n";

fn paths() -> Vec<String> {
    let folders = [
        "",
        "a/",
        "a/b/",
        "a/sub/",
        "a/b/sub/",
        "vendor/",
        "vendor/ours/",
        "vendor/kept/",
        "vendor/kept/in/",
        "a b/",
        "ä/",
        "deep/",
        "deep/1/2/",
        "mid/",
        "x/mid/",
        "folder/",
        "A/",
        "vendor/a/b/c/d/",
        "quiet/",
    ];
    let stems = ["top", "x", "z", "y.pb", "#hash", "ab", "top.y", ".x", "Z"];
    let ends = [
        "", ".c", ".h", ".C", ".y", ".x", ".bin", ".go", ".pb.go", ".chain", ".plain", ".no", ".bad", ".twice",
        ".text", ".odd",
    ];
    let names = || {
        stems
            .iter()
            .flat_map(|stem| ends.iter().map(move |end| format!("{stem}{end}")))
    };
    let all = folders
        .iter()
        .flat_map(|folder| names().map(move |name| format!("{folder}{name}")));
    all.collect()
}

fn says(value: &str) -> Option<bool> {
    match value {
        "unspecified" => None,
        value => Some(!matches!(value, "unset" | "false")),
    }
}

/// What git says of each path.
fn of_git(sandbox: &Sandbox, dir: &Path, paths: &[String]) -> Vec<Marks> {
    let list = sandbox.home().join("paths");
    fs::write(
        &list,
        paths.iter().flat_map(|path| [path.as_str(), "\0"]).collect::<String>(),
    )
    .unwrap();
    let mut git = sandbox.command("git");
    git.current_dir(dir)
        .args(["check-attr", "--source=HEAD", "--stdin", "-z"])
        .args(ASKED);
    let output = git.stdin(fs::File::open(&list).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).unwrap();
    let fields: Vec<&str> = output.split_terminator('\0').collect();
    let values: Vec<&str> = fields.chunks(3).map(|row| row[2]).collect();
    let marks = values.chunks(4).map(|said| Marks {
        vendored: says(said[0]) == Some(true),
        generated: says(said[1]),
        documentation: says(said[2]) == Some(true),
        binary: said[3] == "unset",
    });
    marks.collect()
}

fn open(dir: &Path) -> Repo {
    Shared::open(dir, Vec::new()).unwrap().repo()
}

fn listing(repo: &Repo, sandbox: &Sandbox) -> Listing {
    let root = sandbox.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    tree::list(repo, root).unwrap()
}

fn assert_same(sandbox: &Sandbox, dir: &Path) -> Attributes {
    let (repo, paths) = (open(dir), paths());
    let ours = attributes::of(&repo, &listing(&repo, sandbox)).unwrap();
    let theirs = of_git(sandbox, dir, &paths);
    assert_eq!(theirs.len(), paths.len());
    for (path, theirs) in paths.iter().zip(theirs) {
        assert_eq!(ours.marks(&RepoPath::from_git(path.as_bytes())), theirs, "{path}");
    }
    ours
}

fn with_rules() -> Sandbox {
    let sandbox = Sandbox::bare_git();
    let long = format!("*.h {} linguist-vendored\n", "x".repeat(2050));
    sandbox.write(".gitattributes", format!("{TOP}{long}"));
    sandbox.write("a/.gitattributes", NESTED);
    sandbox.write("a/b/.gitattributes", "*.c -linguist-vendored\n");
    sandbox.write("quiet/.gitattributes", "* text eol=lf\n");
    sandbox.write("a/b/x.c", "int x;\n");
    sandbox.commit("rules");
    sandbox
}

#[test]
fn rules_of_a_tree_mean_what_they_mean_to_git() {
    let sandbox = with_rules();
    assert_same(&sandbox, &sandbox.repo());

    // A checkout that says otherwise has no part in it, nor has one that is not there.
    sandbox.write(".gitattributes", "* linguist-vendored binary\n");
    let ours = assert_same(&sandbox, &sandbox.repo());
    assert!(ours.marks(&RepoPath::from_git("vendor/x")).vendored);
    let bare = sandbox.home().join("bare.git");
    sandbox.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    assert_same(&sandbox, &bare);
}

#[test]
fn rules_of_the_repository_are_over_those_of_its_trees() {
    let sandbox = with_rules();
    let info = sandbox.repo().join(".git/info");
    fs::create_dir_all(&info).unwrap();
    let text = "[attr]theirs -linguist-vendored linguist-documentation\n*.c linguist-generated !diff\na/b/* !linguist-vendored\n";
    fs::write(info.join("attributes"), text).unwrap();
    assert_same(&sandbox, &sandbox.repo());
}

#[test]
fn rules_fold_case_where_the_repository_does() {
    let sandbox = with_rules();
    sandbox.git(&["config", "core.ignoreCase", "true"]);
    assert_same(&sandbox, &sandbox.repo());
}

#[test]
fn rules_are_kept_until_one_of_their_files_changes() {
    let sandbox = with_rules();
    let repo = open(&sandbox.repo());
    let first = Arc::new(attributes::of(&repo, &listing(&repo, &sandbox)).unwrap());
    let next = || {
        let repo = open(&sandbox.repo());
        attributes::since(&repo, &listing(&repo, &sandbox), &first).unwrap()
    };
    sandbox.write("a/b/x.c", "int y;\n");
    sandbox.commit("code");
    assert!(Arc::ptr_eq(&first, &next()));
    sandbox.write("a/b/.gitattributes", "*.c linguist-vendored\n");
    sandbox.commit("rules of a folder");
    assert!(!Arc::ptr_eq(&first, &next()));
    assert!(next().marks(&RepoPath::from_git("a/b/x.c")).vendored);
    sandbox.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert!(Arc::ptr_eq(&first, &next()));
    fs::create_dir_all(sandbox.repo().join(".git/info")).unwrap();
    fs::write(sandbox.repo().join(".git/info/attributes"), "x -diff\n").unwrap();
    assert!(!Arc::ptr_eq(&first, &next()));
}

#[test]
fn a_tree_without_rules_and_one_whose_rules_cannot_count_say_nothing() {
    let sandbox = Sandbox::bare_git();
    sandbox.write("x", "x\n");
    sandbox.commit("none");
    assert!(assert_same(&sandbox, &sandbox.repo()).is_empty());
    sandbox.write("rules", "* linguist-vendored\n");
    sandbox.write("my.gitattributes", "* linguist-vendored\n");
    std::os::unix::fs::symlink("rules", sandbox.path(".gitattributes")).unwrap();
    sandbox.commit("a link, and another name");
    assert!(assert_same(&sandbox, &sandbox.repo()).is_empty());
    fs::remove_file(sandbox.path(".gitattributes")).unwrap();
    sandbox.write(
        ".gitattributes",
        "* text=auto eol=lf\n*.png filter=lfs diff=lfs -text\n",
    );
    sandbox.commit("others");
    assert!(assert_same(&sandbox, &sandbox.repo()).is_empty());
}
