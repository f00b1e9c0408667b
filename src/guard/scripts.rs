//! Scripts: the files of the repository that a check command runs. Whoever writes them writes the verdict.
//!
//! Reads the command's words only, as far as a person would see at a glance which file they start; runs nothing.

/// Programs whose first argument that is no option is a script.
const INTERPRETERS: [&str; 12] = [
    "sh", "bash", "dash", "zsh", "python", "python3", "node", "deno", "bun", "perl", "ruby", "php",
];
/// Words before a command that are not the command.
const PREFIXES: [&str; 6] = ["env", "exec", "time", "nice", "command", "!"];

/// Returns the paths that `command` runs, relative to the top of the repository.
pub(crate) fn of(command: &str) -> Vec<String> {
    let mut folder = String::new();
    let mut found = Vec::new();
    for part in command.split(['&', '|', ';', '\n', '(', ')', '{', '}']) {
        let words: Vec<&str> = part
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']))
            .collect();
        let is_before = |word: &&&str| PREFIXES.contains(*word) || word.contains('=');
        let mut words = words.iter().skip_while(is_before).copied();
        let Some(program) = words.next() else { continue };
        if program == "cd" {
            folder = words.next().map(|to| format!("{to}/")).unwrap_or_default();
            continue;
        }
        found.extend(script(program, words).and_then(|path| relative(&format!("{folder}{path}"))));
    }
    found
}

fn script<'a>(program: &'a str, mut words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !INTERPRETERS.contains(&name) && !INTERPRETERS.contains(&plain) {
        return program.contains('/').then_some(program);
    }
    let is_shell = plain.ends_with("sh");
    let word = words.find(|word| !word.starts_with('-') || is_code(word, is_shell))?;
    (!word.starts_with('-')).then_some(word)
}

/// True for options that are followed by code or a module instead of a script.
fn is_code(option: &str, is_shell: bool) -> bool {
    let short = !option.starts_with("--");
    let flags: &[char] = if is_shell { &['c'] } else { &['c', 'e', 'm', 'r'] };
    short && option.contains(flags)
}

/// Tidies a path up; `None` for one outside the repository.
fn relative(path: &str) -> Option<String> {
    let names: Vec<&str> = path
        .split('/')
        .filter(|name| *name != "." && !name.is_empty())
        .collect();
    let is_outside = path.starts_with(['/', '~', '$']) || names.contains(&"..");
    (!is_outside && !names.is_empty()).then(|| names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_runs_is_found_and_what_it_is_given_is_not() {
        let none: &[&str] = &[];
        for (command, paths) in [
            ("sh check.sh", &["check.sh"][..]),
            ("sh -eu ./check.sh src/a.py", &["check.sh"]),
            ("bash scripts/test.sh --fast", &["scripts/test.sh"]),
            ("./run_tests", &["run_tests"]),
            ("tools/lint.py src", &["tools/lint.py"]),
            ("PYTHONPATH=. python3 -B check.py", &["check.py"]),
            ("python3.12 check.py", &["check.py"]),
            ("cd web && node test/run.js", &["web/test/run.js"]),
            ("cargo fmt --check && sh 'a.sh'", &["a.sh"]),
            ("(exec env A=1 perl t.pl)", &["t.pl"]),
            ("cargo test --test it", none),
            ("python3 -m pytest tests/test_a.py", none),
            ("sh -c 'echo check.sh'", none),
            ("node -e 1", none),
            ("pytest -q", none),
            ("/usr/bin/true", none),
            ("sh ../up.sh", none),
            ("", none),
        ] {
            assert_eq!(of(command), paths, "{command}");
        }
    }
}
