//! The index of `context`: whatever several processes, kills, damage and full disks make of it, answers stay the same.
//!
//! Not here: what the answers are, which is `context`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use crate::support::{Ran, Sandbox};

const QUERY: &str = "frobnicate the number of function_3_7\n";

/// One more than there may be segments before they are joined.
const COMMITS: usize = 11;

type Files = BTreeMap<String, Vec<u8>>;

static NOTHING: Files = Files::new();

/// A repository with a line of commits, each of which changes one file.
struct History {
    sandbox: Sandbox,
    commits: Vec<String>,
}

impl History {
    fn new() -> Self {
        let sandbox = Sandbox::bare_git();
        let mut texts: Vec<String> = (0..4)
            .map(|file| {
                let line = |at| format!("def function_{file}_{at}(number):\n    return frobnicate(number * {at})\n\n");
                (0..40).map(line).collect()
            })
            .collect();
        let commit = |at: usize| {
            let file = at % texts.len();
            texts[file].push_str(&["def more_", &at.to_string(), "(x):\n    return frobnicate(x)\n"].concat());
            for (file, text) in texts.iter().enumerate() {
                sandbox.write(&format!("f{file}.py"), text);
            }
            sandbox.commit(&format!("Return {at} more numbers"));
            sandbox.id("HEAD")
        };
        let commits = (0..COMMITS).map(commit).collect();
        Self { sandbox, commits }
    }

    fn args(&self, at: usize) -> [&str; 6] {
        ["context", "--json", "--budget", "600", "--rev", &self.commits[at]]
    }

    fn ask(&self, at: usize) -> String {
        let ran = self.sandbox.fed(&self.args(at), QUERY);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("f3.py"), "{}", ran.stdout);
        ran.stdout
    }

    /// Asks without an index.
    fn ask_anew(&self, at: usize) -> String {
        self.set(&NOTHING);
        self.ask(at)
    }

    fn start(&self, at: usize) -> Child {
        let mut command = self.sandbox.invisigoth(&self.args(at));
        let pipes = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(QUERY.as_bytes()).unwrap();
        child
    }

    fn folder(&self) -> PathBuf {
        self.sandbox.path(".git/invisigoth/index")
    }

    fn files(&self) -> Files {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    /// Puts these files in the place of the index.
    fn set(&self, files: &Files) {
        let folder = self.folder();
        let _ = fs::remove_dir_all(&folder).or_else(|_| fs::remove_file(&folder));
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    /// Asks at all commits but the last, which leaves a segment for each.
    fn segments(&self) -> Files {
        self.set(&NOTHING);
        for at in 0..COMMITS - 1 {
            self.ask(at);
        }
        let mut files = self.files();
        files.retain(|name, _| name.starts_with("blobs-"));
        assert_eq!(files.len(), COMMITS - 1);
        files
    }
}

fn temporary(files: &Files) -> usize {
    files.keys().filter(|name| name.starts_with(".invisigoth-")).count()
}

#[test]
fn whatever_a_kill_leaves_the_next_query_answers_the_same() {
    let history = History::new();
    let last = COMMITS - 1;
    let expected = history.ask_anew(last);
    let before = history.segments();
    assert_eq!(history.ask(last), expected);
    let after = history.files();
    let joint: BTreeSet<&String> = after.keys().filter(|name| name.starts_with("blobs-")).collect();
    assert_eq!(joint.len(), 1, "{joint:?}");
    let half = |files: &Files, skip| -> Files {
        let some = files.iter().skip(skip).step_by(2);
        some.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    };
    let both = |one: &Files, other: Files| -> Files { one.clone().into_iter().chain(other).collect() };
    let torn = Files::from([(".invisigoth-0123456789abcdef".to_owned(), b"GIVGX0".to_vec())]);
    for (left, files, is_swept) in [
        ("nothing", NOTHING.clone(), true),
        ("a segment half written", both(&before, torn.clone()), true),
        ("segments of some commits", half(&before, 1), true),
        (
            "the joint segment, and all that it is made of",
            both(&before, after.clone()),
            true,
        ),
        (
            "the joint segment, and some that it is made of",
            both(&after, half(&before, 0)),
            true,
        ),
        // Nothing is missing, so nobody looks.
        ("the joint segment, and another half written", both(&after, torn), false),
    ] {
        history.set(&files);
        assert_eq!(history.ask(last), expected, "{left}");
        assert_eq!(temporary(&history.files()) == 0, is_swept, "{left}");
        assert_eq!(history.ask(last), expected, "{left}, again");
    }
}

#[test]
fn a_damaged_index_is_made_again() {
    let history = History::new();
    let last = COMMITS - 1;
    let expected = history.ask_anew(last);
    let whole = history.files();
    let (name, bytes) = whole.iter().find(|(name, _)| name.starts_with("blobs-")).unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        bytes
    };
    let zeros = |from: usize| [&bytes[..from], &vec![0; bytes.len() - from]].concat();
    let size = bytes.len();
    for (how, bytes) in [
        ("empty", Vec::new()),
        ("cut in its header", bytes[..20].to_vec()),
        ("cut at its end", bytes[..size - 1].to_vec()),
        ("too long", [bytes.as_slice(), b"x"].concat()),
        ("another version", flipped(7)),
        ("other sizes", flipped(16)),
        ("another blob", flipped(60)),
        ("zeros", vec![0; size]),
        ("zeros for tables", zeros(56)),
        ("zeros for postings", zeros(size / 2)),
        ("another text", flipped(size - 3)),
        ("not a segment", b"frobnicate".repeat(1000)),
    ] {
        let damaged = Files::from([(name.clone(), bytes)]);
        history.set(&damaged);
        // A list that the query does not need may stay damaged.
        assert_eq!(history.ask(last), expected, "{how}");
        assert_eq!(history.ask(last), expected, "{how}, again");
        if how != "another text" {
            assert_eq!(history.files().get(name), Some(&whole[name]), "{how}");
        }
    }
}

#[test]
fn without_a_place_for_the_index_a_query_is_answered_all_the_same() {
    let history = History::new();
    let last = COMMITS - 1;
    let expected = history.ask_anew(last);
    let whole = history.files();
    let name = whole.keys().find(|name| name.starts_with("blobs-")).unwrap();
    let folder = history.folder();
    let clear = || {
        let _ = fs::remove_dir_all(&folder).or_else(|_| fs::remove_file(&folder));
    };
    type Spoil<'a> = &'a dyn Fn(&Path);
    let states: [(&str, Spoil<'_>); 6] = [
        ("no folder", &|_| {}),
        ("a file in its place", &|folder| fs::write(folder, "mine").unwrap()),
        ("a link that leads nowhere", &|folder| {
            symlink("nowhere", folder).unwrap();
        }),
        ("a folder in the place of a segment", &|folder| {
            fs::create_dir_all(folder.join(name).join("below")).unwrap();
        }),
        ("a link in the place of a segment", &|folder| {
            fs::create_dir_all(folder).unwrap();
            symlink("/dev/zero", folder.join(name)).unwrap();
        }),
        ("a damaged segment that only root can remove", &|folder| {
            fs::create_dir_all(folder).unwrap();
            let bytes = &whole[name];
            let half = &bytes[..bytes.len() / 2];
            fs::write(folder.join(name), [half, &vec![0; bytes.len() - half.len()]].concat()).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
        }),
    ];
    for (state, make) in states {
        clear();
        make(&folder);
        assert_eq!(history.ask(last), expected, "{state}");
        assert_eq!(history.ask(last), expected, "{state}, again");
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o755));
    }
}

#[test]
fn several_processes_that_read_write_and_join_at_once_answer_as_each_alone() {
    let history = History::new();
    let expected: Vec<String> = (0..COMMITS).map(|at| history.ask_anew(at)).collect();
    let segments = history.segments();
    for round in 0..3 {
        // Every other time there are so many segments that each process would join them.
        history.set(if round % 2 == 0 { &segments } else { &NOTHING });
        let order = (0..COMMITS)
            .map(|at| (at * 7 + round) % COMMITS)
            .chain([COMMITS - 1; 3]);
        let children: Vec<(usize, Child)> = order.map(|at| (at, history.start(at))).collect();
        for (at, child) in children {
            let ran = Ran::of(&child.wait_with_output().unwrap());
            assert_eq!(
                (ran.code, ran.stdout.as_str()),
                (0, expected[at].as_str()),
                "{}",
                ran.stderr
            );
        }
        let left = history.files();
        assert_eq!(temporary(&left), 0, "{:?}", left.keys());
        assert_eq!(history.ask(COMMITS - 1), expected[COMMITS - 1]);
    }
}
