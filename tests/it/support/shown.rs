//! What a command shows, as one text for snapshots: standard output, standard error, exit code; what differs between two
//! runs is masked.
//!
//! Not here: what is right; the snapshot says so.

use std::path::Path;

use crate::support::{Ran, Sandbox, typed};

impl Sandbox {
    /// Runs the binary and returns all that it shows.
    pub fn shows(&self, args: &[&str]) -> String {
        shown(&self.run(args), self.home())
    }
}

/// What a command says where it cannot fence checks in.
pub const UNFENCED: &str = "checks run without a sandbox";

/// Returns what `ran` showed, with `home` as `$HOME`, object ids as `[id]`, times and spans as `[time]`, sizes as `[n]`.
pub fn shown(ran: &Ran, home: &Path) -> String {
    assert_eq!(typed::wrong(&ran.stderr), Vec::<String>::new(), "{}", ran.stderr);
    let mut text = ran.stdout.clone();
    // Where bubblewrap does not work, that is said; snapshots hold with and without.
    // Where a run that failed has its log is told by the tests of `logs`, what it will cost by those of `estimate`.
    let is_told = |line: &str| line.starts_with("log: ") || line.starts_with("about ") && line.contains(" goal");
    let is_said = |line: &&str| !line.contains(UNFENCED) && !is_told(line);
    let said: Vec<&str> = ran.stderr.lines().filter(is_said).collect();
    if !said.is_empty() {
        text.push_str("-- stderr\n");
        text.extend(said.iter().flat_map(|line| [*line, "\n"]));
    }
    let text = text.replace("\"sandbox\":\"bwrap\"", "\"sandbox\":\"[bwrap or none]\"");
    let text = text.replace("\"sandbox\":\"none\"", "\"sandbox\":\"[bwrap or none]\"");
    let text = format!("{text}-- exit {}", ran.code);
    mask(&text.replace(home.to_str().unwrap(), "$HOME"))
}

fn mask(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let in_word = out.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let found = if in_word { None } else { masked(&out, rest) };
        let (length, instead) = found.unwrap_or((first.len_utf8(), first.to_string()));
        out.push_str(&instead);
        rest = rest.split_at(length).1;
    }
    out
}

/// Returns what to write instead of the next so many bytes, where a word begins that must be masked.
fn masked(before: &str, rest: &str) -> Option<(usize, String)> {
    let length_of = |fits: fn(char) -> bool| rest.chars().take_while(|c| fits(*c)).count();
    let time = length_of(|c| c.is_ascii_digit() || "-:TZ".contains(c));
    if time == 20 && rest.split_at(time).0.ends_with('Z') {
        return Some((time, "[time]".to_owned()));
    }
    let word = length_of(|c| c.is_ascii_alphanumeric());
    let hex = length_of(|c| matches!(c, '0'..='9' | 'a'..='f'));
    // One id in a thousand has no digit.
    if hex == word && word >= 7 {
        return Some((word, "[id]".to_owned()));
    }
    let number = length_of(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let number = rest.split_at(number).0.trim_end_matches([',', '.']).len();
    if number == 0 {
        return None;
    }
    if ["\"seconds\":", "\"ms\":"].iter().any(|key| before.ends_with(key)) {
        return Some((number, "[time]".to_owned()));
    }
    if ["bytes\":", "tokens\":"].iter().any(|key| before.ends_with(key)) {
        return Some((number, "[n]".to_owned()));
    }
    let unit = rest.split_at(number).1.strip_prefix(' ')?;
    let unit: String = unit.chars().take_while(char::is_ascii_alphabetic).collect();
    match unit.as_str() {
        "s" => Some((number + 2, "[time]".to_owned())),
        "bytes" | "tokens" | "MiB" | "GiB" | "TiB" => Some((number, "[n]".to_owned())),
        _ => None,
    }
}
