//! Actions: what a model that works turn by turn asks for in one reply. Fenced commands and plain lines, so that any
//! model can do it.
//!
//! ```text
//! action = a fence with `bash`, `sh` or `shell` | "READ " path [ first "-" last ] | "SEARCH " text [ " in " folder ]
//!        | edits in any format | "DONE"
//! ```
//! What stands inside another fence, a block or a patch is content. Decides nothing about what may be done.

use crate::{
    edit::refusal::{Reason, Refusal},
    reply::{self, mark::Fence},
};

/// One thing to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// A file, or these of its lines, from 1, both included.
    Read(String, Option<(usize, usize)>),
    /// A text, and what follows the last ` in `, which may be a folder.
    Search(String),
}

/// What a reply asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Run this shell text.
    Run(String),
    /// Look at these.
    Look(Vec<Look>),
    /// Apply the reply's edits, and end the round then if it says so.
    Edit {
        /// `DONE` stands below the edits.
        done: bool,
    },
    /// The round is over.
    Done,
}

/// Reads the action of a reply.
///
/// # Errors
/// Says, for the model, why there is not exactly one.
pub fn parse(text: &str) -> Result<Action, String> {
    let text = reply::without_thoughts(text).map_err(|item| Refusal::from(item).to_string())?;
    let mut seen = Seen::default();
    let mut inside = Inside::Nothing;
    for line in text.lines() {
        inside = seen.line(inside, line);
    }
    if matches!(inside, Inside::Command(_)) {
        return Err("the fence of the command is not closed; nothing was done".to_owned());
    }
    let edits = seen.edits || has_files(&seen.outside);
    match (seen.commands.as_slice(), seen.looks.is_empty(), edits) {
        ([command], true, false) => Ok(Action::Run(command.clone())),
        ([], false, false) => Ok(Action::Look(seen.looks)),
        ([], true, true) => Ok(Action::Edit { done: seen.done }),
        ([], true, false) if seen.done => Ok(Action::Done),
        ([], true, false) => Err("there is no action in your reply: send one, or `DONE`".to_owned()),
        _ => Err("send one action a turn; nothing was done".to_owned()),
    }
}

/// True where what is left of a reply without its commands holds edits, also wrong ones.
fn has_files(text: &str) -> bool {
    match reply::parse(text, reply::Format::Auto) {
        Ok(_) => true,
        Err(refusal) => refusal.reason() != Reason::NoEdit,
    }
}

/// What the line that is read stands in.
enum Inside<'a> {
    Nothing,
    /// A fence of a command.
    Command(Fence<'a>),
    /// Another fence.
    Fence(Fence<'a>),
    /// A block of old and new lines, and the fence around it.
    Block(Option<Fence<'a>>),
    /// A patch, and the fence around it.
    Patch(Option<Fence<'a>>),
}

/// What stands around a block or a patch.
fn around(fence: Option<Fence<'_>>) -> Inside<'_> {
    fence.map_or(Inside::Nothing, Inside::Fence)
}

#[derive(Default)]
struct Seen {
    commands: Vec<String>,
    looks: Vec<Look>,
    done: bool,
    edits: bool,
    /// All that belongs to no command and is no line of ours.
    outside: String,
}

impl Seen {
    fn line<'a>(&mut self, inside: Inside<'a>, line: &'a str) -> Inside<'a> {
        let now = match inside {
            Inside::Command(fence) => {
                if fence.is_closed_by(line) {
                    return Inside::Nothing;
                }
                if let Some(command) = self.commands.last_mut() {
                    command.push_str(line);
                    command.push('\n');
                }
                return Inside::Command(fence);
            }
            Inside::Fence(fence) if fence.is_closed_by(line) => Inside::Nothing,
            Inside::Fence(fence) if is_mark(line, '<') => Inside::Block(Some(fence)),
            Inside::Fence(fence) if line.trim() == "*** Begin Patch" => Inside::Patch(Some(fence)),
            Inside::Block(fence) if is_mark(line, '>') => around(fence),
            Inside::Patch(fence) if line.trim() == "*** End Patch" => around(fence),
            Inside::Nothing => return self.top(line),
            other => other,
        };
        self.keep(line);
        now
    }

    fn top<'a>(&mut self, line: &'a str) -> Inside<'a> {
        if let Some(fence) = Fence::open(line) {
            let word = fence.info.split_whitespace().next().unwrap_or_default();
            if ["bash", "sh", "shell", "console"].contains(&word.to_ascii_lowercase().as_str()) {
                self.commands.push(String::new());
                return Inside::Command(fence);
            }
            self.keep(line);
            return Inside::Fence(fence);
        }
        if is_mark(line, '<') {
            self.edits = true;
            self.keep(line);
            return Inside::Block(None);
        }
        if line.trim() == "*** Begin Patch" {
            self.edits = true;
            self.keep(line);
            return Inside::Patch(None);
        }
        if line.trim() == "DONE" {
            self.done = true;
        } else if let Some(look) = look(line) {
            self.looks.push(look);
        } else {
            self.keep(line);
        }
        Inside::Nothing
    }

    fn keep(&mut self, line: &str) {
        self.outside.push_str(line);
        self.outside.push('\n');
    }
}

fn look(line: &str) -> Option<Look> {
    if let Some(text) = line.strip_prefix("SEARCH ") {
        return Some(Look::Search(text.trim().trim_matches('`').to_owned())).filter(|_| !text.trim().is_empty());
    }
    let named = line.strip_prefix("READ ")?.trim();
    let lines = |word: &str| -> Option<(usize, usize)> {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let (path, lines) = match named
        .rsplit_once(' ')
        .and_then(|(path, word)| Some((path, lines(word)?)))
    {
        Some((path, lines)) => (path, Some(lines)),
        None => (named, None),
    };
    let path = path.trim().trim_matches('`').trim_start_matches("./");
    (!path.is_empty()).then(|| Look::Read(path.to_owned(), lines))
}

/// True for a marker of old and new lines: five to nine of `mark`, and a word.
fn is_mark(line: &str, mark: char) -> bool {
    let text = line.trim();
    let word = text.trim_start_matches(mark);
    let length = text.len() - word.len();
    let wanted = if mark == '<' { "SEARCH" } else { "REPLACE" };
    (5..=9).contains(&length) && word.trim().starts_with(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<Action, String> {
        Ok(Action::Run(text.to_owned()))
    }

    #[test]
    fn one_action_is_read_whatever_stands_around_it() {
        assert_eq!(parse("Let me see.\n\n```bash\nls -a\n```\n"), run("ls -a\n"));
        assert_eq!(
            parse("~~~sh\ncat <<'E'\n```\nE\n~~~\nDONE\n"),
            run("cat <<'E'\n```\nE\n")
        );
        assert_eq!(
            parse("```bash\ncat <<'E'\n- a\n    ```\n    b\n    ```\nE\n```\n"),
            run("cat <<'E'\n- a\n    ```\n    b\n    ```\nE\n")
        );
        let look = parse("READ src/a b.py 3-9\nREAD `x`\nSEARCH def x in src\n").unwrap();
        let expected = [
            Look::Read("src/a b.py".into(), Some((3, 9))),
            Look::Read("x".into(), None),
            Look::Search("def x in src".into()),
        ];
        assert_eq!(look, Action::Look(expected.to_vec()));
        assert_eq!(parse("All tests pass.\nDONE\n"), Ok(Action::Done));
    }

    #[test]
    fn edits_are_edits_even_if_they_hold_commands() {
        let block = "README.md\n```\n<<<<<<< SEARCH\na\n=======\n```bash\nrm -rf /\n```\nDONE\n>>>>>>> REPLACE\n```\n";
        assert_eq!(parse(block), Ok(Action::Edit { done: false }));
        let bare = "README.md\n<<<<<<< SEARCH\na\n=======\n```bash\nrm -rf /\n```\nREAD x\n>>>>>>> REPLACE\nDONE\n";
        assert_eq!(parse(bare), Ok(Action::Edit { done: true }));
        let whole = "docs/x.md\n````\n```bash\nrm -rf /\n```\n````\n";
        assert_eq!(parse(whole), Ok(Action::Edit { done: false }));
        let patch = "*** Begin Patch\n*** Add File: x\n+```bash\n+SEARCH y\n*** End Patch\n";
        assert_eq!(parse(patch), Ok(Action::Edit { done: false }));
    }

    #[test]
    fn none_several_and_half_a_one_are_refused() {
        for (text, why) in [
            ("I think that will do.", "no action"),
            ("```bash\nls\n```\n```bash\nls\n```\n", "one action a turn"),
            ("```bash\nls\n```\nREAD x\n", "one action a turn"),
            ("```bash\nls\n```\nx.py\n```\ny\n```\n", "one action a turn"),
            ("READ x\nx.py\n```\ny\n```\n", "one action a turn"),
            ("```bash\nls\n", "not closed"),
            (
                "x.md\n```\n<<<<<<< SEARCH\na\n=======\n```\nb\n>>>>>>> REPLACE\n```\n```sh\nls\n```\n",
                "one action a turn",
            ),
        ] {
            assert!(parse(text).unwrap_err().contains(why), "{text}");
        }
    }
}
