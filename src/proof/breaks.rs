//! Finds where the bodies of functions begin and puts a failure there.

use crate::proof::{
    Language,
    lex::{blank, is_name},
};

/// What is put in, at which byte.
type Insertion = (usize, String);

/// See `proof::break_function`.
pub(crate) fn break_function(source: &str, language: Language, name: &str) -> Option<String> {
    let code = Code {
        source,
        blank: blank(source, language),
    };
    let mut insertions: Vec<Insertion> = code
        .words(name)
        .filter_map(|at| match language {
            Language::Python => code.python(at, name),
            Language::Rust => code.rust(at, name),
            Language::Go => code.go(at, name),
            Language::JavaScript => code.script(at, name),
        })
        .collect();
    insertions.sort();
    insertions.dedup();
    let mut broken = source.to_owned();
    for (at, text) in insertions.iter().rev() {
        if !broken.is_char_boundary(*at) {
            return None;
        }
        broken.insert_str(*at, text);
    }
    (!insertions.is_empty()).then_some(broken)
}

struct Code<'a> {
    source: &'a str,
    /// The same bytes without strings and comments.
    blank: Vec<u8>,
}

impl Code<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.blank.get(at).copied().unwrap_or(0)
    }

    /// Lists where `name` stands as a word of its own.
    fn words<'n>(&self, name: &'n str) -> impl Iterator<Item = usize> + use<'_, 'n> {
        let name = name.as_bytes();
        let starts = (0..self.blank.len()).filter(move |at| {
            let rest = self.blank.get(*at..).unwrap_or_default();
            let before = at.checked_sub(1).map_or(b' ', |before| self.byte(before));
            rest.starts_with(name) && !is_name(before) && !is_name(self.byte(at + name.len()))
        });
        starts.filter(move |_| !name.is_empty())
    }

    /// Returns the first byte from `at` on that is no white space.
    fn next(&self, at: usize) -> usize {
        let rest = self.blank.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    /// Returns the word before `at`, and where it begins.
    fn word_before(&self, at: usize) -> (&str, usize) {
        let head = self.blank.get(..at).unwrap_or_default();
        let end = head.trim_ascii_end().len();
        let length = head.get(..end).unwrap_or_default().iter().rev();
        let start = end - length.take_while(|byte| is_name(**byte)).count();
        (self.source.get(start..end).unwrap_or_default(), start)
    }

    /// Returns the word at `at`.
    fn word_at(&self, at: usize) -> &str {
        let rest = self.blank.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_name(**byte)).count();
        self.source.get(at..at + length).unwrap_or_default()
    }

    /// Returns where the bracket that opens at `at` has closed, one byte beyond.
    fn close(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (offset, byte) in self.blank.get(at..)?.iter().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(at + offset + 1);
            }
        }
        None
    }

    /// Passes over `<…>`, in which `->` and `=>` close nothing.
    fn close_angle(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut here = at;
        while here < self.blank.len() {
            match self.byte(here) {
                b'<' => depth += 1,
                b'>' if !matches!(self.byte(here.saturating_sub(1)), b'-' | b'=') => depth = depth.checked_sub(1)?,
                b'(' | b'[' | b'{' => {
                    here = self.close(here)?;
                    continue;
                }
                _ => {}
            }
            here += 1;
            if depth == 0 {
                return Some(here);
            }
        }
        None
    }

    fn python(&self, at: usize, name: &str) -> Option<Insertion> {
        const RAISE: &str = "raise RuntimeError(\"invisigoth: mutation\")";
        (self.word_before(at).0 == "def").then_some(())?;
        let mut here = self.next(at + name.len());
        while matches!(self.byte(here), b'[' | b'(') {
            here = self.next(self.close(here)?);
        }
        while self.byte(here) != b':' {
            here = match self.byte(here) {
                b'(' | b'[' | b'{' => self.close(here)?,
                0 => return None,
                _ => here + 1,
            };
        }
        let body = here + 1;
        let mut rest = self.source.get(body..)?.split_inclusive('\n');
        let same_line = rest.next().unwrap_or_default();
        if !same_line.trim().is_empty() && !same_line.trim_start().starts_with('#') {
            return Some((body, format!(" {RAISE};")));
        }
        let mut line_start = body + same_line.len();
        for line in rest {
            let text = line.trim_start();
            if !text.trim_end().is_empty() && !text.starts_with('#') {
                let indent = line.get(..line.len() - text.len())?;
                return Some((line_start, format!("{indent}{RAISE}\n")));
            }
            line_start += line.len();
        }
        None
    }

    fn rust(&self, at: usize, name: &str) -> Option<Insertion> {
        (self.word_before(at).0 == "fn").then_some(())?;
        let mut here = at + name.len();
        loop {
            here = match self.byte(here) {
                b'{' => break,
                b'(' | b'[' => self.close(here)?,
                b'<' => self.close_angle(here)?,
                b';' | 0 => return None,
                _ => here + 1,
            };
        }
        // Inner attributes have to stay first.
        let mut body = here + 1;
        loop {
            let attribute = self.next(body);
            if self.byte(attribute) != b'#' || self.byte(attribute + 1) != b'!' {
                break;
            }
            body = self.close(attribute + 2)?;
        }
        // `if true` keeps the compiler from calling the rest unreachable, which some projects deny.
        Some((body, " if true { panic!(\"invisigoth: mutation\"); }".to_owned()))
    }

    fn go(&self, at: usize, name: &str) -> Option<Insertion> {
        let before = self.blank.get(..at)?.trim_ascii_end();
        let keyword = if before.ends_with(b")") {
            let open = self.open_before(before.len() - 1)?;
            self.word_before(open).0
        } else {
            self.word_before(at).0
        };
        (keyword == "func").then_some(())?;
        let mut here = at + name.len();
        loop {
            let word = self.word_at(here);
            here = match self.byte(here) {
                b'(' | b'[' => self.close(here)?,
                b'{' => break,
                b'\n' | 0 => return None,
                _ if matches!(word, "interface" | "struct") && self.byte(self.next(here + word.len())) == b'{' => {
                    self.close(self.next(here + word.len()))?
                }
                _ => here + word.len().max(1),
            };
        }
        Some((here + 1, " panic(\"invisigoth: mutation\");".to_owned()))
    }

    /// Returns where the bracket opens that closes at `at`.
    fn open_before(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        for here in (0..=at).rev() {
            match self.byte(here) {
                b')' | b']' | b'}' => depth += 1,
                b'(' | b'[' | b'{' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(here);
            }
        }
        None
    }

    fn script(&self, at: usize, name: &str) -> Option<Insertion> {
        let end = at + name.len();
        let head = self.blank.get(..at)?.trim_ascii_end();
        let generator = head.strip_suffix(b"*").unwrap_or(head).len();
        if self.word_before(generator).0 == "function" {
            return self.script_function(end);
        }
        let next = self.next(end);
        match self.byte(next) {
            b'=' if !matches!(self.byte(next + 1), b'=' | b'>') => self.script_value(next + 1),
            b':' => self
                .script_value(next + 1)
                .or_else(|| self.script_value(self.initial_value(next)?)),
            b'(' | b'<' if self.is_member(at) => {
                self.script_function(end).filter(|(body, _)| self.continues_line(*body))
            }
            _ => None,
        }
    }

    /// Passes over `: Type` of a declaration to what follows its `=`.
    fn initial_value(&self, at: usize) -> Option<usize> {
        let mut here = at;
        loop {
            here = match self.byte(here) {
                b'(' | b'[' | b'{' => self.close(here)?,
                b'=' if self.byte(here + 1) == b'>' => here + 2,
                b'=' => return Some(here + 1),
                b';' | b',' | b')' | b'}' | 0 => return None,
                _ => here + 1,
            };
        }
    }

    /// True where a name begins a method: it stands first in its line, or after words that only methods have.
    fn is_member(&self, at: usize) -> bool {
        const WORDS: [&str; 9] = [
            "static",
            "async",
            "get",
            "set",
            "public",
            "private",
            "protected",
            "override",
            "readonly",
        ];
        let head = self.blank.get(..at).unwrap_or_default();
        let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let before = head.trim_ascii_end().last().copied().unwrap_or(b'\n');
        line.trim_ascii().is_empty()
            || matches!(before, b'{' | b'}' | b';' | b',' | b'*' | b'#')
            || WORDS.contains(&self.word_before(at).0)
    }

    /// True where the brace before `body` stands behind other code: a block of its own below a call is no body.
    fn continues_line(&self, body: usize) -> bool {
        let head = self.blank.get(..body.saturating_sub(1)).unwrap_or_default();
        let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        !line.trim_ascii().is_empty()
    }

    /// Goes from before the parameters to the body of a function or a method.
    fn script_function(&self, at: usize) -> Option<Insertion> {
        let mut here = self.next(at);
        if self.byte(here) == b'<' {
            here = self.next(self.close_angle(here)?);
        }
        (self.byte(here) == b'(').then_some(())?;
        here = self.next(self.close(here)?);
        if self.byte(here) == b':' {
            here = self.after_type(here + 1)?;
        }
        (self.byte(here) == b'{').then(|| thrown(here + 1))
    }

    /// Passes over a return type: a brace after an operator belongs to the type, any other one is the body's.
    fn after_type(&self, at: usize) -> Option<usize> {
        let mut here = self.next(at);
        let mut wants_type = true;
        loop {
            here = self.next(here);
            match self.byte(here) {
                b'{' if !wants_type => return Some(here),
                b'{' | b'(' | b'[' => {
                    here = self.close(here)?;
                    wants_type = false;
                }
                b'<' => {
                    here = self.close_angle(here)?;
                    wants_type = false;
                }
                b'|' | b'&' | b'>' | b'=' => {
                    here += 1;
                    wants_type = true;
                }
                b';' | b',' | b')' | b'}' | 0 => return None,
                _ => {
                    here += self.word_at(here).len().max(1);
                    wants_type = false;
                }
            }
        }
    }

    /// Reads `async function (…) {…}`, `(…) => …` and `x => …` from `at` on.
    fn script_value(&self, at: usize) -> Option<Insertion> {
        let mut here = self.next(at);
        if self.word_at(here) == "async" {
            here = self.next(here + 5);
        }
        if self.word_at(here) == "function" {
            here = self.next(here + 8);
            if self.byte(here) == b'*' {
                here = self.next(here + 1);
            }
            return self.script_function(here + self.word_at(here).len());
        }
        if self.byte(here) == b'<' {
            here = self.next(self.close_angle(here)?);
        }
        here = match self.byte(here) {
            b'(' => self.close(here)?,
            byte if is_name(byte) => here + self.word_at(here).len(),
            _ => return None,
        };
        here = self.next(here);
        if self.byte(here) == b':' {
            here = self.arrow(here)?;
        }
        let arrow = self.byte(here) == b'=' && self.byte(here + 1) == b'>';
        let body = arrow.then(|| self.next(here + 2))?;
        if self.byte(body) == b'{' {
            return Some(thrown(body + 1));
        }
        // A conditional takes any expression as its last part, whatever binds in it.
        let throwing = "true ? (() => { throw new Error(\"invisigoth: mutation\"); })() : ";
        Some((self.value_start(here + 2), throwing.to_owned()))
    }

    /// Returns where an expression begins, which may be a string: blank, but not in the source.
    fn value_start(&self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        at + rest.len() - rest.trim_start().len()
    }

    fn arrow(&self, at: usize) -> Option<usize> {
        let mut here = at;
        loop {
            here = match self.byte(here) {
                b'(' | b'[' | b'{' => self.close(here)?,
                b'=' if self.byte(here + 1) == b'>' => return Some(here),
                b';' | b')' | b'}' | b'=' | 0 => return None,
                _ => here + 1,
            };
        }
    }
}

fn thrown(at: usize) -> Insertion {
    (at, " throw new Error(\"invisigoth: mutation\");".to_owned())
}
