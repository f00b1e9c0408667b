//! Hook scripts as text: ours, and ours within somebody else's. Pure: bytes in, bytes out.
//!
//! In a shell script our lines stand behind the first one, between two marks, so that an `exec` or `exit` further down
//! cannot pass them by. Whatever else a hook is, it is moved aside, and ours hands over to it.

/// Where a hook that is no shell script is moved to, in the folder of the hooks.
pub const ASIDE: &str = "before-invisigoth";
/// How our lines in somebody else's script begin.
const BEGIN: &str = "# >>> git-invisigoth";
/// The line behind them.
const END: &str = "# <<< git-invisigoth";
/// Shells in whose scripts our lines can stand.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "ksh"];

/// A hook that we have a script for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Its name.
    pub name: &'static str,
    /// The script where there is no other.
    pub script: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// Whether git hands it lines on standard input.
    pub reads: bool,
    /// Whether its exit code stops git.
    gates: bool,
}

/// Every hook that we have a script for.
pub const HOOKS: [Hook; 6] = [
    Hook {
        name: "pre-commit",
        script: include_str!("../../../hooks/pre-commit"),
        about: "checks memory/ and invisigoth.toml as they are staged",
        reads: false,
        gates: true,
    },
    Hook {
        name: "post-merge",
        script: include_str!("../../../hooks/post-merge"),
        about: "notes the records that a merge or pull brought",
        reads: false,
        gates: false,
    },
    Hook {
        name: "post-rewrite",
        script: include_str!("../../../hooks/post-rewrite"),
        about: "carries notes over to rewritten commits",
        reads: true,
        gates: false,
    },
    Hook {
        name: "pre-push",
        script: include_str!("../../../hooks/pre-push"),
        about: "pushes notes along with the target",
        reads: true,
        gates: true,
    },
    Hook {
        name: "post-commit",
        script: include_str!("../../../hooks/post-commit"),
        about: "starts what hooks.start names, in the background",
        reads: false,
        gates: false,
    },
    Hook {
        name: "post-receive",
        script: include_str!("../../../hooks/post-receive"),
        about: "checks and lands the candidates that a push brought",
        reads: true,
        gates: false,
    },
];

/// Returns the hook of that name, if we have a script for it.
pub fn hook(name: &str) -> Option<&'static Hook> {
    HOOKS.iter().find(|hook| hook.name == name)
}

/// What a hook's file is to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// Our script, of this version.
    Ours,
    /// Our script, of another version.
    OursOutdated,
    /// Somebody else's script with our lines in it.
    Chained,
    /// Somebody else's script with our lines of another version in it.
    ChainedOutdated,
    /// Our script that hands over to what was moved aside.
    Aside,
    /// The same, of another version.
    AsideOutdated,
    /// Somebody else's script that calls us by a line that a person wrote.
    ByHand,
    /// Somebody else's script with half of our lines in it.
    Mangled,
    /// Somebody else's.
    Foreign,
}

/// Says what the hook's file is to us.
pub fn read(hook: &Hook, bytes: &[u8]) -> Script {
    if bytes == hook.script.as_bytes() {
        return Script::Ours;
    }
    if bytes == aside(hook).as_bytes() {
        return Script::Aside;
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let starts = |at: usize, with: &str| lines.get(at).is_some_and(|line| line.starts_with(with.as_bytes()));
    if starts(0, "#!/bin/sh\n") && starts(1, "# git-invisigoth:") && lines.len() <= 5 {
        return Script::OursOutdated;
    }
    let (begin, end) = marks(&lines);
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => {
            if starts(0, "#!/bin/sh\n") && starts(1, &format!("{BEGIN} moved")) && end + 2 >= lines.len() {
                return Script::AsideOutdated;
            }
            let block: Vec<u8> = lines.get(begin..=end).unwrap_or_default().concat();
            if block == chained_lines(hook, "chained").as_bytes() {
                Script::Chained
            } else {
                Script::ChainedOutdated
            }
        }
        (None, None) if calls_us(hook, &lines) => Script::ByHand,
        (None, None) => Script::Foreign,
        _ => Script::Mangled,
    }
}

fn marks(lines: &[&[u8]]) -> (Option<usize>, Option<usize>) {
    let begin = lines.iter().position(|line| line.starts_with(BEGIN.as_bytes()));
    let end = lines.iter().position(|line| line.trim_ascii_end() == END.as_bytes());
    (begin, end)
}

fn calls_us(hook: &Hook, lines: &[&[u8]]) -> bool {
    let call = format!("hook {}", hook.name);
    lines.iter().any(|line| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        !line.starts_with('#') && line.contains("invisigoth") && line.contains(&call)
    })
}

/// Returns the script with our lines behind its first one; `None` where it is none in which they could stand.
pub fn chained(hook: &Hook, bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (first, rest) = bytes.split_at_checked(end + 1)?;
    is_shell(first).then(|| [first, chained_lines(hook, "chained").as_bytes(), rest].concat())
}

/// Returns the script without our lines: the bytes that it had before. `None` where they are not there.
pub fn without(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (Some(begin), Some(end)) = marks(&lines) else {
        return None;
    };
    let (before, after) = (lines.get(..begin)?, lines.get(end + 1..)?);
    Some([before.concat(), after.concat()].concat())
}

/// Returns the script that does our part and then hands over to what was moved aside.
pub fn aside(hook: &Hook) -> String {
    let lines = chained_lines(hook, "moved");
    let name = hook.name;
    format!(
        "#!/bin/sh\n{lines}f=$(dirname \"$0\")/{ASIDE}/{name}; if [ -x \"$f\" ]; then exec \"$f\" \"$@\"; else exit 0; fi\n"
    )
}

/// Returns the line for people to paste into a script that we do not write.
pub fn pasted(hook: &Hook) -> String {
    let name = hook.name;
    let after = if hook.gates { " || exit $?" } else { " || :" };
    format!("! command -v git-invisigoth >/dev/null || git invisigoth hook {name} \"$@\"{after}")
}

/// Our lines. What git hands over on standard input is read once, and there again for the lines below.
fn chained_lines(hook: &Hook, how: &str) -> String {
    let name = hook.name;
    let after = if hook.gates { "exit $?" } else { ":" };
    let missing = format!("else echo 'git-invisigoth is not found: its part of {name} did nothing' >&2; fi");
    let head = format!("{BEGIN} {how}: `git invisigoth hooks uninstall {name}` takes these lines away");
    let there = "if command -v git-invisigoth >/dev/null; then";
    if !hook.reads {
        return format!("{head}\n{there} git invisigoth hook {name} \"$@\" || {after}\n{missing}\n{END}\n");
    }
    let stdin = "invisigoth_stdin";
    format!(
        "{head}\n\
         {stdin}=$(cat)\n\
         {there} printf '%s\\n' \"${stdin}\" | git invisigoth hook {name} \"$@\" || {after}\n\
         {missing}\n\
         if [ -z \"${stdin}\" ]; then exec </dev/null; else exec <<INVISIGOTH\n\
         ${stdin}\n\
         INVISIGOTH\n\
         fi\n\
         {END}\n"
    )
}

/// True where the first line of a script names a shell.
fn is_shell(first: &[u8]) -> bool {
    let Ok(first) = std::str::from_utf8(first) else {
        return false;
    };
    let Some(line) = first.strip_prefix("#!").and_then(|line| line.strip_suffix('\n')) else {
        return false;
    };
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let program = words.next().unwrap_or_default();
    let named = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let shell = match named(program).as_str() {
        "env" => words.find(|word| !word.starts_with('-')).map(named).unwrap_or_default(),
        other => other.to_owned(),
    };
    SHELLS.contains(&shell.as_str())
}

/// Names the program that wrote a hook, where it can be told.
pub fn writer(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let signs = [
        ("LEFTHOOK", "lefthook"),
        ("pre-commit.com", "pre-commit"),
        ("husky", "husky"),
        ("overcommit", "overcommit"),
        ("git lfs", "git-lfs"),
        ("git-lfs", "git-lfs"),
    ];
    signs
        .iter()
        .find(|(sign, _)| text.contains(sign))
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests;
