//! Random edits of random files, worded in each format: what is applied is what was meant, or nothing.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    edit::apply,
    path::RepoPath,
    reply::{self, Format},
    snapshot::{MapSnapshot, Mode},
};

/// Lines `from..to` give way to `new`.
#[derive(Clone, Debug)]
struct Change {
    from: usize,
    to: usize,
    new: Vec<String>,
}

#[derive(Clone, Debug)]
struct Sketch {
    lines: Vec<String>,
    changes: Vec<Change>,
    ending: &'static str,
    ended: bool,
    has_mark: bool,
    /// Lines around each change that are repeated.
    context: usize,
    is_numbered: bool,
    is_anchored: bool,
    is_fenced: bool,
}

impl Sketch {
    fn text(&self, lines: &[String], ended: bool) -> String {
        let mut text = lines.join(self.ending);
        if ended && !lines.is_empty() {
            text.push_str(self.ending);
        }
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        format!("{mark}{text}")
    }

    fn before(&self) -> String {
        self.text(&self.lines, self.ended)
    }

    fn wanted(&self, ended: bool) -> String {
        let mut lines = self.lines.clone();
        for change in self.changes.iter().rev() {
            lines.splice(change.from..change.to, change.new.iter().cloned());
        }
        self.text(&lines, ended)
    }

    /// The lines around a change that are repeated; no other change is among them.
    fn around(&self, nth: usize) -> (usize, usize) {
        let change = &self.changes[nth];
        let floor = nth.checked_sub(1).map_or(0, |before| self.changes[before].to);
        let roof = self.changes.get(nth + 1).map_or(self.lines.len(), |next| next.from);
        let start = change.from.saturating_sub(self.context).max(floor);
        (start, (change.to + self.context).min(roof))
    }

    fn sides(&self, nth: usize) -> (Vec<String>, Vec<String>) {
        let (start, end) = self.around(nth);
        let change = &self.changes[nth];
        let (lead, trail) = (&self.lines[start..change.from], &self.lines[change.to..end]);
        (self.lines[start..end].to_vec(), [lead, &change.new, trail].concat())
    }

    fn hunk(&self, nth: usize) -> String {
        let (start, end) = self.around(nth);
        let Change { from, to, new } = &self.changes[nth];
        let signed =
            |sign: &str, lines: &[String]| lines.iter().map(|line| format!("{sign}{line}\n")).collect::<String>();
        [
            signed(" ", &self.lines[start..*from]),
            signed("-", &self.lines[*from..*to]),
            signed("+", new),
            signed(" ", &self.lines[*to..end]),
        ]
        .concat()
    }

    fn fenced(&self, info: &str, text: &str) -> String {
        if self.is_fenced {
            format!("Here it is:\n\n```{info}\n{text}```\n\nDone.\n")
        } else {
            text.to_owned()
        }
    }

    fn in_blocks(&self) -> String {
        let block = |nth: usize| {
            let (old, new) = self.sides(nth);
            let part = |lines: Vec<String>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            format!(
                "f.txt\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n",
                part(old),
                part(new)
            )
        };
        (0..self.changes.len()).map(block).collect()
    }

    fn in_diff(&self) -> String {
        let mut text = "--- a/f.txt\n+++ b/f.txt\n".to_owned();
        let mut shift = 0;
        for nth in 0..self.changes.len() {
            let (old, new) = self.sides(nth);
            let start = self.around(nth).0 + 1;
            let count = |lines: &[String], start: usize| (start - usize::from(lines.is_empty()), lines.len());
            let ((a, b), (c, d)) = (count(&old, start), count(&new, start.saturating_add_signed(shift)));
            let header = if self.is_numbered {
                format!("@@ -{a},{b} +{c},{d} @@\n")
            } else {
                "@@ ... @@\n".to_owned()
            };
            text += &header;
            text += &self.hunk(nth);
            shift += new.len().cast_signed() - old.len().cast_signed();
        }
        self.fenced("diff", &text)
    }

    /// The lines that enclose a change, the outermost first: each the nearest that is indented less.
    fn anchors(&self, nth: usize) -> String {
        let depth = |line: &String| line.len() - line.trim_start().len();
        let start = self.around(nth).0;
        let mut least = self.lines.get(start).map_or(0, depth);
        let mut anchors = Vec::new();
        for line in self.lines[..start].iter().rev().filter(|line| !line.trim().is_empty()) {
            if depth(line) < least {
                least = depth(line);
                anchors.push(format!("@@ {line}\n"));
            }
        }
        anchors.reverse();
        anchors.concat()
    }

    /// A patch that only adds lines means the end of the file: said of another place it means something else.
    fn in_patch(&self) -> String {
        let is_misleading = |nth: &usize| self.sides(*nth).0.is_empty() && self.changes[*nth].from < self.lines.len();
        if (0..self.changes.len()).any(|nth| is_misleading(&nth)) {
            return String::new();
        }
        let mut text = "*** Begin Patch\n*** Update File: f.txt\n".to_owned();
        for nth in 0..self.changes.len() {
            let anchors = self.anchors(nth);
            text += if self.is_anchored && !anchors.is_empty() {
                &anchors
            } else {
                "@@\n"
            };
            text += &self.hunk(nth);
        }
        self.fenced("", &(text + "*** End Patch\n"))
    }

    /// The reply, and the text that it means: strings are bytes.
    fn in_strings(&self) -> (String, String) {
        let mut reply = String::new();
        let mut text = self.before();
        let shares_last_line = !self.ended && self.changes.len() > 1;
        if shares_last_line || (0..self.changes.len()).any(|nth| self.sides(nth).0.is_empty()) {
            return (reply, text);
        }
        for nth in (0..self.changes.len()).rev() {
            let (start, end) = self.around(nth);
            let (old, new) = self.sides(nth);
            let is_last = end == self.lines.len() && !self.ended;
            let part = |lines: &[String], ending: &str| {
                let last = if is_last || lines.is_empty() { "" } else { ending };
                lines.join(ending) + last
            };
            let object = serde_json::json!({
                "command": "str_replace", "path": "f.txt", "old_str": part(&old, "\n"), "new_str": part(&new, "\n"),
            });
            reply += &object.to_string();
            reply.push('\n');
            let above: usize = self.lines[..start]
                .iter()
                .map(|line| line.len() + self.ending.len())
                .sum();
            let at = above + if self.has_mark { 3 } else { 0 };
            text.replace_range(at..at + part(&old, self.ending).len(), &part(&new, self.ending));
        }
        (self.fenced("json", &reply), text)
    }
}

/// What the reply makes of the text; `None` where it is refused.
fn made(before: &str, reply: &str) -> Option<String> {
    let path = RepoPath::parse("f.txt").unwrap();
    let snapshot = MapSnapshot::default().with(path.clone(), Mode::File, before);
    let edits = reply::parse(reply, Format::Auto).ok()?;
    let changes = apply(&snapshot, &edits).ok()?.changes;
    let after = snapshot.changed(&changes);
    assert_eq!(after.files().len(), 1, "{reply}");
    Some(String::from_utf8(after.files()[&path].1.clone()).unwrap())
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let line = || "( {0,3}|\t{0,2})(a|b|ab|é|def f:|class A:|--|\\+\\+|x = 1|\\}|\\[s\\]| a)?( |\t)?";
    let change = (any::<(prop::sample::Index, prop::sample::Index)>(), vec(line(), 0..3));
    let flags = any::<(bool, bool, bool, bool, bool)>();
    (
        vec(line(), 1..24),
        vec(change, 1..4),
        select(vec!["\n", "\r\n"]),
        0_usize..5,
        flags,
    )
        .prop_map(|(mut lines, changes, ending, context, flags)| {
            let (ended, has_mark, is_numbered, is_anchored, is_fenced) = flags;
            if !ended && lines.last().is_some_and(String::is_empty) {
                lines.push("z".to_owned());
            }
            let mut cuts: Vec<Change> = Vec::new();
            for ((one, other), new) in changes {
                let (one, other) = (one.index(lines.len() + 1), other.index(lines.len() + 1));
                let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 4));
                let is_apart = cuts.iter().all(|cut| to < cut.from || cut.to < from);
                if is_apart && lines[from..to] != new[..] {
                    cuts.push(Change { from, to, new });
                }
            }
            cuts.sort_by_key(|cut| cut.from);
            Sketch {
                lines,
                changes: cuts,
                ending,
                ended,
                has_mark,
                context,
                is_numbered,
                is_anchored,
                is_fenced,
            }
        })
}

/// Texts whose ending and last line can be told apart from others.
fn is_plain(sketch: &Sketch) -> bool {
    let after_is_plain = sketch.ended || {
        let mut lines = sketch.lines.clone();
        for change in sketch.changes.iter().rev() {
            lines.splice(change.from..change.to, change.new.iter().cloned());
        }
        lines.last().is_some_and(|line| !line.is_empty())
    };
    !sketch.changes.is_empty() && (sketch.ended || sketch.lines.len() > 1) && after_is_plain
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_applied_is_what_was_meant(sketch in sketch()) {
        prop_assume!(is_plain(&sketch));
        let before = sketch.before();
        let wanted = sketch.wanted(sketch.ended);
        let (strings, swapped) = sketch.in_strings();
        for (reply, wanted) in [
            (sketch.in_blocks(), &wanted),
            (sketch.in_diff(), &wanted),
            (sketch.in_patch(), &sketch.wanted(true)),
            (strings, &swapped),
        ] {
            if let Some(made) = made(&before, &reply) {
                prop_assert_eq!(&made, wanted, "{}", reply);
            }
        }
    }

    #[test]
    fn with_the_whole_file_around_it_every_edit_is_applied(mut sketch in sketch()) {
        sketch.context = sketch.lines.len();
        sketch.changes.truncate(1);
        prop_assume!(is_plain(&sketch) && sketch.lines.iter().any(|line| !line.trim().is_empty()));
        let before = sketch.before();
        let wanted = sketch.wanted(sketch.ended);
        prop_assume!(before != wanted);
        let (strings, swapped) = sketch.in_strings();
        let whole = format!("f.txt\n~~~~\n{}~~~~\n", sketch.wanted(true).replace("\r\n", "\n").trim_start_matches('\u{feff}'));
        for (reply, wanted) in [
            (sketch.in_blocks(), &wanted),
            (sketch.in_diff(), &wanted),
            (sketch.in_patch(), &sketch.wanted(true)),
            (strings, &swapped),
            (whole, &sketch.wanted(true)),
        ] {
            let made = made(&before, &reply);
            prop_assert_eq!(made.as_ref(), Some(wanted), "{}", reply);
        }
    }
}
