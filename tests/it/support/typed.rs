//! What people are told to type: finds command lines of ours in a text, and what in them cannot be typed.
//!
//! Not here: which texts are looked at.

use clap::Command;
use invisigoth::cli::help;

/// What follows the name in prose and is no command.
const PROSE: [&str; 3] = ["works", "takes", "adds"];

/// Every `git invisigoth WORD …` of a text, up to where the line of the command ends.
pub fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split("git invisigoth ").skip(1).map(|rest| {
        let line = rest.split(['`', '\n', '"', '|', ';', ',', '(', ')', '\\']).next();
        line.unwrap_or_default().split_whitespace().collect()
    })
}

/// Says what in `line` is unknown.
pub fn unknown(all: &Command, line: &[&str]) -> Option<String> {
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let verb = line.first().copied().filter(is_word)?;
    // Behind it may stand the end of a sentence, a tag of a page, or what a client's own settings add.
    let verb = verb.split(['.', ':', '<']).next().unwrap_or_default();
    if PROSE.contains(&verb) {
        return None;
    }
    let Some(mut command) = all.find_subcommand(verb) else {
        return Some(verb.to_owned());
    };
    for word in &line[1..] {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
        }
        let Some(flag) = word.trim_start_matches('[').strip_prefix("--") else {
            continue;
        };
        let flag: String = flag
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect();
        let knows = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some(&flag));
        if !flag.is_empty() && flag != "help" && !knows(command) && !knows(all) {
            return Some(format!("{} --{flag}", command.get_name()));
        }
    }
    None
}

/// Says what is wrong with the hints of what a command said: none below an error, or a command of ours that is not there.
pub fn wrong(said: &str) -> Vec<String> {
    let mut all = help::command();
    all.build();
    let is = |word: &'static str| move |line: &&str| line.starts_with(word);
    let hints: Vec<&str> = said.lines().filter(is("hint: ")).collect();
    let is_left = said.lines().any(|line| is("error: ")(&line)) && hints.is_empty();
    let left = is_left.then(|| "an error without a hint".to_owned());
    let unknown = hints
        .iter()
        .flat_map(|hint| lines(hint))
        .filter_map(|line| unknown(&all, &line));
    left.into_iter().chain(unknown).collect()
}
