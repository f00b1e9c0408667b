//! `context`: what it prints, and one table of bad input: each row says whether it works, or which error it gives.
//!
//! Not here: kills, damage and several processes (`index`), how well it ranks (`benches/context`).

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::Stdio,
};

use insta::assert_snapshot;
use invisigoth::{
    cache::Cache,
    engine::retrieval::Retrieval,
    git::{Shared, refs},
    path::RepoPath,
};
use serde_json::{Value, json};

use crate::support::{Ran, Sandbox};

const QUERY: &str = "The frobnicator loses numbers\n";

const CODE: &str = "def frobnicate(number):\n    return number + 1\n";

/// A row of the table.
struct Row {
    name: &'static str,
    /// Makes the repository, and returns where to ask.
    make: fn(&Sandbox) -> PathBuf,
    args: Vec<&'static str>,
    query: Vec<u8>,
    code: i32,
    /// Standard output holds it.
    shows: &'static str,
    /// Standard error holds it.
    says: &'static str,
}

/// In the repository that `make` makes it works, and shows the code.
fn works(name: &'static str, make: fn(&Sandbox) -> PathBuf) -> Row {
    Row {
        name,
        make,
        args: Vec::new(),
        query: QUERY.into(),
        code: 0,
        shows: "def frobnicate(number):",
        says: "were ranked",
    }
}

/// It ends with `code` and says `says` in the repository that `make` makes.
fn fails(name: &'static str, make: fn(&Sandbox) -> PathBuf, (code, says): (i32, &'static str)) -> Row {
    let shows = "";
    Row {
        code,
        shows,
        says,
        ..works(name, make)
    }
}

impl Row {
    fn asked(self, query: impl Into<Vec<u8>>) -> Self {
        let query = query.into();
        Self { query, ..self }
    }

    fn args(self, args: &[&'static str]) -> Self {
        let args = args.to_vec();
        Self { args, ..self }
    }

    fn shows(self, shows: &'static str) -> Self {
        Self { shows, ..self }
    }

    fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    /// Asks why, too: of what the query names.
    fn explains(self, query: &'static str, shows: &'static str) -> Self {
        Self { says: "", ..self }.args(&["--explain"]).asked(query).shows(shows)
    }

    fn check(&self) {
        let sandbox = Sandbox::bare_git();
        let folder = (self.make)(&sandbox);
        let ran = ask(&sandbox, &folder, &self.args, &self.query);
        let all = format!("{}: exit {}\n{}{}", self.name, ran.code, ran.stdout, ran.stderr);
        assert_eq!(ran.code, self.code, "{all}");
        assert!(ran.stdout.contains(self.shows), "does not show {:?}\n{all}", self.shows);
        assert!(ran.stderr.contains(self.says), "does not say {:?}\n{all}", self.says);
        assert!(self.code == 0 || ran.stderr.contains("hint: "), "has no hint\n{all}");
        assert!(!ran.stderr.contains("panicked"), "{all}");
        let is_plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
        assert!(ran.stdout.chars().all(is_plain), "moves the cursor\n{all}");
        let _ = fs::set_permissions(sandbox.path(".git/invisigoth/index"), fs::Permissions::from_mode(0o755));
    }
}

/// Runs `context` in `folder`.
fn ask(sandbox: &Sandbox, folder: &Path, args: &[&str], query: &[u8]) -> Ran {
    let mut command = sandbox.invisigoth(&["context"]);
    command
        .args(args)
        .current_dir(folder)
        .env("COLUMNS", "80")
        .stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(query);
    Ran::of(&child.wait_with_output().unwrap())
}

/// One commit with one file of code.
fn plain(sandbox: &Sandbox) -> PathBuf {
    sandbox.write("src/frob.py", CODE);
    sandbox.write("src/other.py", "def other():\n    return 0\n");
    sandbox.commit("Count");
    sandbox.repo()
}

/// As `plain`, with one more file.
fn with(sandbox: &Sandbox, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    sandbox.write(name, content);
    plain(sandbox)
}

/// As `plain`, with index files of an earlier query.
fn asked(sandbox: &Sandbox) -> (PathBuf, PathBuf) {
    let folder = plain(sandbox);
    assert_eq!(ask(sandbox, &folder, &[], QUERY.as_bytes()).code, 0);
    (folder, sandbox.path(".git/invisigoth/index"))
}

/// A clone of `plain` with some history, made with these arguments.
fn cloned(sandbox: &Sandbox, args: &[&str]) -> PathBuf {
    plain(sandbox);
    sandbox.write("src/other.py", "def other():\n    return 1\n");
    sandbox.commit("Return something else");
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let (from, to) = (
        format!("file://{}", sandbox.repo().display()),
        sandbox.home().join("clone"),
    );
    sandbox.git(&[&["clone", "-q"], args, &[from.as_str(), to.to_str().unwrap()]].concat());
    to
}

/// A commit of `count` small files, as `git fast-import` makes it, and `src/frob.py`.
fn many(sandbox: &Sandbox, count: usize) -> PathBuf {
    let mut import = format!(
        "blob\nmark :1\ndata {}\n{CODE}\nblob\nmark :2\ndata 2\nx\n\n",
        CODE.len()
    )
    .into_bytes();
    import.extend(b"commit refs/heads/main\ncommitter A <a@b.c> 1 +0000\ndata 5\nCount\nM 100644 :1 src/frob.py\n");
    for at in 0..count {
        writeln!(import, "M 100644 :2 data/{}/{}/file{at}.py", at % 100, at / 100 % 100).unwrap();
    }
    let file = sandbox.home().join("import");
    fs::write(&file, import).unwrap();
    let mut git = sandbox.command("git");
    let status = git
        .args(["fast-import", "--quiet"])
        .stdin(fs::File::open(file).unwrap())
        .status();
    assert!(status.unwrap().success());
    sandbox.repo()
}

fn nested(sandbox: &Sandbox) -> PathBuf {
    const DEEP: usize = 200_000;
    let brackets = |open: &str, close: &str| format!("frobnicate = {}1{}\n", open.repeat(DEEP), close.repeat(DEEP));
    for name in [
        "a.py",
        "a.js",
        "a.ts",
        "a.rs",
        "a.go",
        "a.c",
        "a.java",
        "a.sh",
        "a.json",
        "a.toml",
        "a.yaml",
        "a.unknown",
    ] {
        sandbox.write(name, brackets("[\n", "]\n"));
        sandbox.write(&format!("b/{name}"), brackets("{(\n", ")}\n"));
    }
    for name in ["a.c", "a.rs", "a.js", "a.java", "a.go"] {
        sandbox.write(&format!("c/{name}"), "if (a) {\n".repeat(DEEP / 2));
    }
    plain(sandbox)
}

/// A file of 100 MiB whose object ends early: its size can be told, its content cannot be read.
fn large(sandbox: &Sandbox) -> PathBuf {
    let folder = with(sandbox, "src/large.py", vec![b'\n'; 100 << 20]);
    let id = sandbox.id("HEAD:src/large.py");
    let (start, rest) = id.split_at(2);
    let object = sandbox.path(".git/objects").join(start).join(rest);
    let content = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    fs::write(&object, &content[..4096]).unwrap();
    folder
}

#[test]
fn each_query_ends_as_the_table_says() {
    let nothing = (2, "the query says nothing to look for");
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for row in [
        works("a text without `init`", plain),
        works("in a folder of the checkout", |sandbox| plain(sandbox).join("src")),
        fails("an empty query", plain, nothing).asked(""),
        fails("blanks", plain, nothing).asked(" \n\t\n"),
        fails("only words that say nothing", plain, nothing).asked("Fix it, and make the use of this.\n"),
        works("a query of 1 MB", plain).asked("the frobnicator loses numbers ".repeat(40_000)),
        works("a binary query", plain).asked([&all[..], b" frobnicate"].concat()),
        fails("a query of bytes that say nothing", plain, nothing).asked([0, 1, 2, 255, 254]),
        works("a budget of 0", plain)
            .args(&["--budget", "0"])
            .shows("")
            .says("nothing fits into 0 tokens"),
        works("a budget of 1", plain)
            .args(&["--budget", "1"])
            .shows("")
            .says("nothing fits into 1 tokens"),
        works("the largest budget", plain).args(&["--budget", "4294967295"]),
        fails("an unknown signal", plain, (2, "there is no signal `luck`")).args(&["--without", "luck"]),
        fails("an unknown commit", plain, (2, "`nope` names no commit here")).args(&["--rev", "nope"]),
        fails("a tree", plain, (2, "is no commit")).args(&["--rev", "HEAD^{tree}"]),
        fails("a blob", plain, (2, "is no commit")).args(&["--rev", "HEAD:src/frob.py"]),
        fails("an unknown goal", plain, (1, "there is no goal goal-1")).args(&["goal-1"]),
    ] {
        row.check();
    }
}

#[test]
fn each_file_is_read_or_left_out_as_the_table_says() {
    for row in [
        works("a binary file", |sandbox| {
            with(sandbox, "src/data.py", b"frobnicate\0numbers\n")
        })
        .explains("See src/data.py", "src/data.py: it is binary"),
        works("a file of 100 MiB", large).explains("See src/large.py", "src/large.py: it is larger than 1 MiB"),
        works("a lock file", |sandbox| with(sandbox, "Cargo.lock", "frobnicate\n"))
            .explains("See Cargo.lock", "Cargo.lock: it is a lock file"),
        works("an empty file", |sandbox| with(sandbox, "src/none.py", ""))
            .explains("See src/none.py", "src/none.py: it is empty"),
        works("a vendored file", |sandbox| {
            sandbox.write(".gitattributes", "theirs/** linguist-vendored\n");
            with(sandbox, "theirs/a.py", CODE)
        })
        .explains("See theirs/a.py", "theirs/a.py: it is vendored, as .gitattributes says"),
        works("a file that a program wrote", |sandbox| {
            with(sandbox, "src/made.py", format!("# @generated\n{CODE}"))
        })
        .explains("See src/made.py", "src/made.py: it is generated"),
        works("a link", |sandbox| {
            symlink("src/frob.py", sandbox.path("link.py")).unwrap();
            plain(sandbox)
        })
        .explains("See link.py", "link.py: it is a symbolic link"),
        works("a submodule", |sandbox| {
            plain(sandbox);
            let id = format!("160000,{},lib/sub.x", sandbox.id("HEAD"));
            sandbox.git(&["update-index", "--add", "--cacheinfo", &id]);
            sandbox.git(&["commit", "-q", "-m", "Take it in"]);
            sandbox.repo()
        })
        .explains("See lib/sub.x", "lib/sub.x: it is a submodule"),
        works("code nested 200,000 deep", nested),
        works("content that is no UTF-8", |sandbox| {
            with(sandbox, "src/latin.py", b"# caf\xe9 zeitgeist\x1b[2J\n")
        })
        .asked("zeitgeist")
        .shows("caf\u{fffd} zeitgeist[2J"),
        works("a path that is no UTF-8", |sandbox| {
            let path = sandbox.repo().join(OsStr::from_bytes(b"caf\xe9\x1b[2J.py"));
            fs::write(path, "def zeitgeist():\n    pass\n").unwrap();
            plain(sandbox)
        })
        .asked("zeitgeist")
        .shows("caf\\xe9\\u{1b}[2J.py:1-2\ndef zeitgeist():"),
        works("20,000 files", |sandbox| many(sandbox, 20_000)).says("of 20,001 files"),
    ] {
        row.check();
    }
}

#[test]
fn each_repository_is_asked_as_the_table_says() {
    for row in [
        works("a bare repository", |sandbox| cloned(sandbox, &["--bare"])),
        works("a clone without a checkout", |sandbox| {
            cloned(sandbox, &["--no-checkout"])
        }),
        works("one commit without a parent", |sandbox| {
            (0..40).for_each(|at| sandbox.write(&format!("data/{at}"), "x\n"));
            plain(sandbox)
        })
        .explains(QUERY, "No past commit speaks: 1 commit is known so far."),
        works("a shallow clone", |sandbox| {
            cloned(sandbox, &["--depth", "1", "--no-single-branch"])
        }),
        works("the history of a shallow clone", |sandbox| {
            (0..40).for_each(|at| sandbox.write(&format!("data/{at}"), "x\n"));
            cloned(sandbox, &["--depth", "1"])
        })
        .explains(QUERY, "in this shallow clone; `git fetch --unshallow` brings all"),
        fails("no commit", Sandbox::repo, (1, "there is no commit yet")),
        works("a partial clone", |sandbox| {
            cloned(sandbox, &["--filter=blob:none", "--no-checkout"])
        })
        .shows("")
        .says("2 files could not be read and are known by path only"),
        works("what a partial clone left out", |sandbox| {
            cloned(sandbox, &["--filter=blob:none", "--no-checkout"])
        })
        .explains("See src/frob.py", "src/frob.py: it is not in this clone, or damaged")
        .says("2 files could not be read"),
        works("a damaged index", |sandbox| {
            let (folder, index) = asked(sandbox);
            for entry in fs::read_dir(index).unwrap() {
                fs::write(entry.unwrap().path(), "junk").unwrap();
            }
            folder
        }),
        works("an index that cannot be written", |sandbox| {
            let (folder, index) = asked(sandbox);
            fs::remove_dir_all(&index).unwrap();
            fs::create_dir(&index).unwrap();
            fs::set_permissions(index, fs::Permissions::from_mode(0o555)).unwrap();
            folder
        }),
        works("a file in the place of the index", |sandbox| {
            let (folder, index) = asked(sandbox);
            fs::remove_dir_all(&index).unwrap();
            fs::write(index, "mine").unwrap();
            folder
        }),
        works("ids of SHA-256", |sandbox| {
            fs::remove_dir_all(sandbox.path(".git")).unwrap();
            sandbox.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
            sandbox.git(&["config", "user.name", "A U Thor"]);
            sandbox.git(&["config", "user.email", "author@example.com"]);
            plain(sandbox)
        }),
    ] {
        row.check();
    }
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A repository in which files of several kinds speak of one thing.
fn several(sandbox: &Sandbox) -> PathBuf {
    sandbox.write("README.md", "# Numbers\n\nThe frobnicator never loses numbers.\n");
    sandbox.write(
        "tests/test_frob.py",
        "def test_frobnicate():\n    assert frobnicate(1) == 2\n",
    );
    plain(sandbox);
    let text: String = (0..200)
        .map(|at| format!("def frobnicate_{at}(number):\n    return {at}\n\n\n"))
        .collect();
    sandbox.write("src/a/rather/long/way/down/to/where/the/frobnicators/are.py", text);
    sandbox.commit("Let the frobnicator frobnicate more numbers");
    sandbox.repo()
}

#[test]
fn json_has_what_scripts_read_and_no_more() {
    let sandbox = Sandbox::bare_git();
    let found = json(&ask(&sandbox, &plain(&sandbox), &["--json"], QUERY.as_bytes()));
    assert_eq!(
        found,
        json!({
            "schema": "invisigoth.context/1",
            "ranked": ["src/frob.py", "src/other.py"],
            "items": [
                { "path": "src/frob.py", "ranges": [[1, 2]], "tokens": 15.75 },
                { "path": "src/other.py", "ranges": [[1, 2]], "tokens": 11.0 },
            ],
        })
    );
}

#[test]
fn what_is_shown_takes_the_tokens_that_are_told_and_keeps_the_budget() {
    let sandbox = Sandbox::bare_git();
    let folder = several(&sandbox);
    for budget in [100, 500, 1000, 3000_u16] {
        let number = budget.to_string();
        let args = ["--budget", &number];
        let shown = ask(&sandbox, &folder, &args, QUERY.as_bytes()).stdout;
        let found = json(&ask(
            &sandbox,
            &folder,
            &[&args[..], &["--json"]].concat(),
            QUERY.as_bytes(),
        ));
        let items = found["items"].as_array().unwrap();
        let told: f64 = items.iter().map(|item| item["tokens"].as_f64().unwrap()).sum();
        assert!(told * 4.0 >= 1.0, "nothing is shown");
        assert_eq!(shown.len().to_string(), (told * 4.0).to_string());
        assert!(told <= f64::from(budget), "{told} of {budget}");
    }
}

#[test]
fn explain_tells_people_and_programs_the_same() {
    let sandbox = Sandbox::bare_git();
    let folder = several(&sandbox);
    let query = b"The frobnicator loses numbers: see Cargo.lock\n";
    sandbox.write("Cargo.lock", "x\n");
    sandbox.commit("Pin");
    let text = ask(&sandbox, &folder, &["--explain"], query).stdout;
    let text = text.replace(&sandbox.git(&["rev-parse", "--short=7", "HEAD"]), "COMMIT");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_snapshot!(text, @r"
    The best 5 of 5 files, and what adds to the score of each, at COMMIT
    score fields path chunk past recent  kind        path
     5.68   0.96 1.25  0.07 2.25   1.15  code        …/where/the/frobnicators/are.py
     1.67   2.20       2.10        0.67  prose -3.3  README.md
     1.51   0.78       0.05        0.67  code        src/frob.py
     0.67                          0.67  code        src/other.py
     0.19   0.30       0.02        0.67  test -0.8   tests/test_frob.py

    What a signal says, and what it adds at most:
      fields  2.20  words of the query are in text, defined names, path (BM25F)
      path    1.25  words of the query are in its path
      chunk   2.10  words of the query are close together in its best chunk (BM25)
      past    2.25  past commits with messages like the query changed it
      recent  1.15  the latest commits changed it, whatever they say
      kind          what is not code loses a little, unless the query asks for it

    Named by the query, but not shown:
      Cargo.lock: it is a lock file
    ");
    let found = json(&ask(&sandbox, &folder, &["--explain", "--json"], query));
    let explained = &found["explained"];
    assert_eq!(
        explained["left_out"],
        json!([{ "path": "Cargo.lock", "why": "a lock file" }])
    );
    assert_eq!(
        (explained["files"].as_array().unwrap().len(), &explained["commits"]),
        (5, &json!(3))
    );
    for file in explained["files"].as_array().unwrap() {
        let adds = file["adds"].as_array().unwrap();
        assert_eq!(adds.len(), explained["signals"].as_array().unwrap().len());
        let sum: f64 = adds.iter().map(|value| value.as_f64().unwrap()).sum();
        let score = sum - file["handicap"].as_f64().unwrap();
        assert!((score - file["score"].as_f64().unwrap()).abs() < 1e-3, "{file}");
        let shown = format!("{:.2}", file["score"].as_f64().unwrap());
        assert!(text.contains(&shown), "{shown}\n{text}");
    }
}

#[test]
fn a_goal_is_a_query_about_where_goals_land() {
    let sandbox = Sandbox::ready();
    sandbox.write("src/frob.py", CODE);
    sandbox.commit("Count");
    sandbox.ok(&["add", "The frobnicator loses numbers", "--id", "a"]);
    let shown = sandbox.ok(&["context", "a"]);
    assert!(
        shown.starts_with("src/frob.py:1-2\ndef frobnicate(number):\n"),
        "{shown}"
    );
    let rev = sandbox.id("HEAD");
    assert_eq!(sandbox.ok(&["context", "a", "--rev", &rev]), shown);
    let before = sandbox.run(&["context", "a", "--rev", "HEAD~1"]);
    assert!(!before.stdout.contains("src/frob.py"), "{}", before.stdout);
}

#[test]
fn what_people_vouch_for_is_read_although_its_text_says_that_a_program_wrote_it() {
    let sandbox = Sandbox::bare_git();
    let text = format!("# Do not edit: made by hand all the same.\n{CODE}");
    sandbox.write("src/made.py", &text);
    sandbox.write("src/again.py", &text);
    let shown = |sandbox: &Sandbox| ask(sandbox, &plain(sandbox), &[], QUERY.as_bytes()).stdout;
    assert!(!shown(&sandbox).contains("src/made.py"));
    sandbox.write(".gitattributes", "made.py linguist-generated=false\n");
    let after = shown(&sandbox);
    assert!(after.contains("src/made.py:1-3\n# Do not edit"), "{after}");
    assert!(!after.contains("src/again.py"), "{after}");
}

#[test]
fn rules_of_the_repository_count_from_the_next_query_on() {
    let sandbox = Sandbox::bare_git();
    plain(&sandbox);
    let repo = Shared::open(&sandbox.repo(), Vec::new()).unwrap().repo();
    let tip = refs::resolve(&repo, "HEAD").unwrap();
    let cache = Cache::open(&sandbox.home().join("index"));
    let mut retrieval = Retrieval::default();
    let path = RepoPath::from_git(b"src/frob.py");
    let mut is_read = || {
        retrieval.at(&repo, &cache, tip).unwrap();
        retrieval.index().at(&path).is_some()
    };
    assert!(is_read());
    fs::create_dir_all(sandbox.path(".git/info")).unwrap();
    fs::write(sandbox.path(".git/info/attributes"), "frob.py linguist-vendored\n").unwrap();
    assert!(!is_read());
    fs::remove_file(sandbox.path(".git/info/attributes")).unwrap();
    assert!(is_read());
}
