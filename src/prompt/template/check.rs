//! Check: renders every template with samples of every variable, full and empty, and says what is wrong with which. Names
//! that no variable has are found on branches that no sample takes, too.

use crate::prompt::template::{Flaw, Template, Templates, overrides::FOLDER, variables};

/// What a check came to.
#[derive(Debug)]
pub struct Checked {
    /// How often a template was rendered.
    pub renderings: usize,
    /// What is wrong, each thing once.
    pub flaws: Vec<Flaw>,
}

/// Renders all templates with samples.
pub fn samples(templates: &Templates) -> Checked {
    let mut checked = Checked {
        renderings: 0,
        flaws: Vec::new(),
    };
    for template in Template::ALL {
        for values in variables::samples(template) {
            checked.renderings += 1;
            let Err(flaw) = templates.render(template, values) else {
                continue;
            };
            let is_endless = flaw.is_endless();
            let place = |flaw: &Flaw| (flaw.file.clone(), flaw.line, flaw.what.clone());
            // A template that others build on fails in all of them.
            if !checked.flaws.iter().any(|known| place(known) == place(&flaw)) {
                checked.flaws.push(*flaw);
            }
            if is_endless {
                break;
            }
        }
    }
    for (name, source) in templates.sources() {
        for flaw in untaken(templates, name, source) {
            let same = |known: &Flaw| known.file == flaw.file && known.variable == flaw.variable;
            if !checked.flaws.iter().any(same) {
                checked.flaws.push(flaw);
            }
        }
    }
    checked
}

/// Names in a template that none of its variables has, wherever in it.
fn untaken(templates: &Templates, name: &str, source: &str) -> Vec<Flaw> {
    let known = variables::known(name);
    let mut taken = templates.taken(name);
    taken.retain(|taken| !known.contains(&taken.as_str()));
    let uses = taken.iter().map(|taken| (taken, uses(source, taken)));
    // Who asks whether a name is there counts on its being not.
    uses.filter(|(_, uses)| !uses.iter().any(|(_, after)| asks(after)))
        .map(|(taken, uses)| Flaw {
            line: uses.first().map(|(line, _)| *line),
            variable: Some(taken.clone()),
            near: variables::nearest(taken, &known),
            ..Flaw::of_file(format!("{FOLDER}{name}"), format!("`{taken}` is undefined"))
        })
        .collect()
}

/// Returns the lines that use `name` in a tag, each with what follows.
fn uses<'s>(source: &'s str, name: &str) -> Vec<(usize, &'s str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in source.match_indices(name) {
        let (before, rest) = source.split_at_checked(at).unwrap_or((source, ""));
        let after = rest.strip_prefix(name).unwrap_or_default();
        let no_start = |c: char| is_part(c) || matches!(c, '.' | '"' | '\'');
        let is_word = !before.ends_with(no_start) && !after.starts_with(is_part);
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        if is_word && opened > closed {
            found.push((before.matches('\n').count() + 1, after));
        }
    }
    found
}

/// True for what follows a name that may be undefined.
fn asks(after: &str) -> bool {
    let mut words = after.split_whitespace();
    match words.next() {
        Some("is") => words
            .next()
            .is_some_and(|word| word == "not" || word.starts_with("defined") || word.starts_with("undefined")),
        Some("|") => words.next().is_some_and(|word| word.starts_with("default")),
        Some(filter) => filter.starts_with("|default"),
        None => false,
    }
}
