use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use crate::{
    edit::{Action, Applied, Edit, apply, refusal::Reason},
    path::RepoPath,
    reply::{self, Format},
    snapshot::{MapSnapshot, Mode},
};

/// Reads a folder of a fixture; one that is not there is an empty tree.
fn tree(root: &Path) -> MapSnapshot {
    let mut snapshot = MapSnapshot::default();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let file = entry.unwrap().path();
            let meta = fs::symlink_metadata(&file).unwrap();
            if meta.is_dir() {
                folders.push(file);
                continue;
            }
            let path = RepoPath::parse(file.strip_prefix(root).unwrap().as_os_str().as_bytes()).unwrap();
            snapshot = if meta.is_symlink() {
                let target = fs::read_link(&file).unwrap();
                snapshot.with(path, Mode::Symlink, target.as_os_str().as_bytes())
            } else if meta.permissions().mode() & 0o100 == 0 {
                snapshot.with(path, Mode::File, fs::read(&file).unwrap())
            } else {
                snapshot.with(path, Mode::Executable, fs::read(&file).unwrap())
            };
        }
    }
    snapshot
}

fn shown(snapshot: &MapSnapshot) -> String {
    let files = snapshot.files().iter();
    files
        .map(|(path, (mode, content))| format!("{path} {mode:?} {:?}\n", String::from_utf8_lossy(content)))
        .collect()
}

/// Returns what is wrong with the fixture in `folder`.
fn fault_of(folder: &Path) -> Option<String> {
    let reply = String::from_utf8(fs::read(folder.join("reply.md")).unwrap()).unwrap();
    let asked = fs::read_to_string(folder.join("asked")).map_or(Format::Auto, |word| word.trim().parse().unwrap());
    let input = tree(&folder.join("input"));
    let outcome = reply::parse(&reply, asked).and_then(|edits| apply(&input, &edits));
    match (outcome, fs::read_to_string(folder.join("error.txt"))) {
        (Ok(Applied { changes, placed }), Err(_)) => {
            let (made, wanted) = (input.changed(&changes), tree(&folder.join("expected")));
            let told: String = placed
                .iter()
                .map(|it| format!("{} {} {}\n", it.path, it.line, it.tier))
                .collect();
            let is_misplaced = fs::read_to_string(folder.join("placed")).is_ok_and(|wanted| wanted != told);
            (made != wanted || is_misplaced)
                .then(|| format!("made\n{}wanted\n{}placed\n{told}", shown(&made), shown(&wanted)))
        }
        (Err(refusal), Ok(wanted)) => {
            let message = refusal.to_string();
            let missing: Vec<&str> = wanted.lines().filter(|line| !message.contains(line)).collect();
            (!missing.is_empty()).then(|| format!("{missing:?} not in\n{message}\n"))
        }
        (Ok(applied), Ok(_)) => Some(format!(
            "applied, but was to be refused: {:?}\n",
            applied.changes.keys()
        )),
        (Err(refusal), Err(_)) => Some(format!("{refusal}\n")),
    }
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/edits");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_fixture_gives_its_tree_or_its_refusal() {
    let folders = fixtures();
    assert!(folders.len() >= 255, "only {} fixtures", folders.len());
    let faults: Vec<String> = folders
        .iter()
        .filter_map(|folder| fault_of(folder).map(|fault| format!("{}:\n{fault}", folder.display())))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn one_file(content: &str) -> MapSnapshot {
    MapSnapshot::default().with(path("f.txt"), Mode::File, content)
}

#[test]
fn the_first_line_is_one_line_and_counts_the_others() {
    let text = "gone\u{1b}[31m.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nz\n=======\ny\n>>>>>>> REPLACE\n";
    let edits = reply::parse(text, Format::Auto).unwrap();
    let refusal = apply(&one_file("x\n"), &edits).unwrap_err();
    let line = refusal.first_line();
    assert!(
        line.ends_with("(and 1 more)") && !line.contains(['\n', '\u{1b}']),
        "{line}"
    );
    assert_eq!(refusal.reason(), Reason::BadPath);
}

#[test]
fn twins_that_are_there_may_be_edited() {
    let twins = one_file("x\n").with(path("F.txt"), Mode::File, "x\n");
    let reply = "f.txt\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n";
    let edits = reply::parse(reply, Format::Auto).unwrap();
    assert!(apply(&twins, &edits).is_ok());
}

#[test]
fn a_submodule_is_not_edited() {
    let snapshot = MapSnapshot::default().with(path("lib"), Mode::Submodule, "");
    for action in [
        Action::Delete,
        Action::Move { to: "other".into() },
        Action::Mode(Mode::Executable),
        Action::Whole { content: "x\n".into() },
        Action::Swap {
            old: "x".into(),
            new: "y".into(),
        },
    ] {
        let path = "lib".to_owned();
        let refusal = apply(
            &snapshot,
            &[Edit {
                path,
                action: action.clone(),
            }],
        )
        .unwrap_err();
        assert_eq!(refusal.reason(), Reason::BadPath, "{action:?}");
    }
    let create = Action::Create { content: "x\n".into() };
    let path = "lib".to_owned();
    let refusal = apply(&snapshot, &[Edit { path, action: create }]).unwrap_err();
    assert_eq!(refusal.reason(), Reason::NotEmpty);
}

/// The text, and the text after lines `from..to` gave way to `new`.
#[derive(Debug, Clone)]
struct LineEdit {
    lines: Vec<String>,
    from: usize,
    to: usize,
    new: Vec<String>,
    ending: &'static str,
    ended: bool,
}

impl LineEdit {
    fn text(&self, lines: &[String]) -> String {
        let mut text = lines.join(self.ending);
        if self.ended && !lines.is_empty() {
            text.push_str(self.ending);
        }
        text
    }

    fn wanted(&self) -> String {
        let rest = self.lines[..self.from]
            .iter()
            .chain(&self.new)
            .chain(&self.lines[self.to..]);
        self.text(&rest.cloned().collect::<Vec<_>>())
    }

    /// A block with as many lines around as make it unique.
    fn block(&self) -> String {
        let (mut start, mut end) = (self.from, self.to);
        let hits = |part: &[String]| self.lines.windows(part.len()).filter(|window| *window == part).count();
        let is_clear = |start: usize, end: usize| {
            let part = &self.lines[start..end];
            part.iter().any(|line| !line.trim().is_empty()) && hits(part) == 1
        };
        while !is_clear(start, end) && (start, end) != (0, self.lines.len()) {
            start = start.saturating_sub(1);
            end = (end + 1).min(self.lines.len());
        }
        let mut block = "f.txt\n<<<<<<< SEARCH\n".to_owned();
        block.extend(self.lines[start..end].iter().map(|line| format!("{line}\n")));
        block.push_str("=======\n");
        let new = self.lines[start..self.from]
            .iter()
            .chain(&self.new)
            .chain(&self.lines[self.to..end]);
        block.extend(new.map(|line| format!("{line}\n")));
        block + ">>>>>>> REPLACE\n"
    }
}

fn line_edit() -> impl Strategy<Value = LineEdit> {
    let line = "[ \t]{0,3}[ab.é|1]{0,3} ?";
    let lines = prop::collection::vec(line, 1..20);
    let new = prop::collection::vec(line, 0..4);
    let ending = prop::sample::select(vec!["\n", "\r\n"]);
    (
        lines,
        new,
        any::<(prop::sample::Index, prop::sample::Index)>(),
        ending,
        any::<bool>(),
    )
        .prop_map(|(lines, new, (one, other), ending, ended)| {
            let (one, other) = (one.index(lines.len() + 1), other.index(lines.len() + 1));
            let (from, to) = (one.min(other), one.max(other));
            LineEdit {
                lines,
                from,
                to,
                new,
                ending,
                ended,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_edit_worded_as_a_block_gives_the_edited_text(edit in line_edit()) {
        prop_assume!(edit.lines[edit.from..edit.to] != edit.new[..]);
        prop_assume!(edit.lines.iter().any(|line| !line.trim().is_empty()));
        // A file of one line without an ending does not tell its ending.
        prop_assume!(edit.ended || edit.lines.len() > 1);
        // A last line that is empty and has no ending is no line of the file.
        prop_assume!(edit.ended || edit.lines.last().is_none_or(|line| !line.is_empty()));
        let wanted = edit.wanted();
        prop_assume!(wanted != edit.text(&edit.lines));
        let before = one_file(&edit.text(&edit.lines));
        let edits = reply::parse(&edit.block(), Format::SearchReplace).unwrap();
        let changes = apply(&before, &edits).unwrap().changes;
        prop_assert_eq!(shown(&before.changed(&changes)), shown(&one_file(&wanted)));
    }

    #[test]
    fn a_whole_file_in_a_long_fence_is_kept_byte_for_byte(content in "([`~<>= a\r]{0,9}\n){0,12}") {
        let text = format!("f.txt\n``````````\n{content}``````````\n");
        let edits = reply::parse(&text, Format::Whole).unwrap();
        let changes = apply(&one_file("other\n"), &edits).unwrap().changes;
        prop_assert_eq!(shown(&one_file("").changed(&changes)), shown(&one_file(&content)));
    }

    #[test]
    fn no_reply_makes_it_panic(parts in prop::collection::vec(prop::sample::select(vec![
        "f.txt\n", "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "```\n", "````md f.txt\n", "x\n", "  x\n", "...\n", "\n",
        "DELETE f.txt\n", "MODE f.txt 120000\n", "<think>", "</think>\n", "1 | x\n", "é\u{301}\r\n", "\u{feff}", "\u{a0}\n",
        "--- a/f.txt\n", "+++ b/f.txt\n", "+++ /dev/null\n", "@@\n", "@@ -1,9 +99999999999999999999,1 @@ x\n", "@@ -1 +1 @@\n", "-x\n", "+y\n",
        " x\n", "\\ No newline\n", "diff --git a/f.txt b/f.txt\n", "rename from f.txt\n", "rename to g\n", "new file mode 100755\n",
        "*** Begin Patch\n", "*** Update File: f.txt\n", "*** Add File: g\n", "*** Move to: g\n", "*** End of File\n", "*** End Patch\n",
        "{\"path\": \"f.txt\", \"old_str\": \"x\", \"new_str\": \"é\"}\n", "{\"path\":", "[", "]\n", ":start_line:2\n", "-------\n",
    ]), 0..24)) {
        let text = parts.concat();
        if let Ok(edits) = reply::parse(&text, Format::Auto) {
            let _ = apply(&one_file("x\n\tx\né\n\nx\n1 | x\n"), &edits).map_err(|refusal| refusal.to_string());
        }
    }

    #[test]
    fn no_damage_to_a_reply_makes_it_panic(
        nth in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<(prop::sample::Index, prop::sample::Index)>(), "[ -~\\n\u{0}-\u{ff}]{0,3}"), 1..4),
    ) {
        let folders = fixtures();
        let folder = &folders[nth.index(folders.len())];
        let mut reply = fs::read(folder.join("reply.md")).unwrap();
        for ((from, to), new) in cuts {
            let (from, to) = (from.index(reply.len() + 1), to.index(reply.len() + 1).min(from.index(reply.len() + 1) + 40));
            reply.splice(from.min(to)..from.max(to).min(from.min(to) + 40), new.bytes());
        }
        let input = tree(&folder.join("input"));
        for asked in Format::ALL {
            if let Ok(edits) = reply::parse(&String::from_utf8_lossy(&reply), asked) {
                let _ = apply(&input, &edits).map_err(|refusal| refusal.to_string());
            }
        }
    }
}
